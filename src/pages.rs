//! The till's own screens over HTTP: the cashier's, the customer's and the manager's.
//!
//! Pages are drawn here, on the till, from the latest view. Every button is a form that works without a
//! script; with one, the same form is sent in the background and the parts of the page that changed are
//! replaced. A press carries an id of its own, so that pressing twice is pressing once, and the sale and
//! version that the person saw, so that nothing is done to what was not on the screen.
//!
//! # Addresses
//!
//! | address | shows |
//! | --- | --- |
//! | `GET /` | the one station's cashier page, or a list of stations |
//! | `GET /s/{station}` | the cashier's page; signing in; the first manager. `?menu=N` is the page of keys |
//! | `GET /s/{station}/give-back` | gives money back; `?receipt=9f3c-004217` or its scanned code is the receipt |
//! | `GET /s/{station}/receipt/{number}` | a receipt as its paper looks; with `.png` or `.txt` that alone; `?size=large`; signed in, or a manager |
//! | `GET /s/{station}/view.json` | what that page is drawn from; signed in |
//! | `GET /display/{station}` | the customer's display; nobody signs in |
//! | `GET /queue`, `GET /queue.json` | items on their way to head office; managers. `?state=`, `kind=`, `older=` and `newer=` in hours, `min=`, `max=`, `before=` a number; `epoch=` and `limit=` in JSON |
//! | `GET /queue/item/{epoch}/{seq}` | one item with its timeline and acts; managers |
//! | `GET /queue/checklist` | what to look at after an outage; managers |
//! | `GET /queue/lost` | what head office lacks of books that were lost, as JSON where that is asked for; managers |
//! | `GET /live?station=S` | server-sent events: `view`, data `{"seq":N}`, at each change, at most ten a second |
//!
//! `?lang=zh` or `?lang=en` on any page chooses its language and is remembered.
//!
//! # Acts
//!
//! All are `POST` with form fields (`application/x-www-form-urlencoded`, or one flat JSON object; fields may stand in
//! the address's query as well). Without `Accept: application/json` the answer is a page: 303 to the page it came from, or
//! the page again with the sentence and a status. With it: 200 `{"seq":N,"sale":ID or null}`, or
//! `{"code":"sale_moved","words":"…"}` with 401 (sign in first), 403 (a manager's, wrong PIN, another site),
//! 404, 409 (not now), 422 (what was typed), 423 (locked out) or 503 (busy).
//!
//! | address | fields |
//! | --- | --- |
//! | `/s/{station}/sign-in` | `staff`, `pin`; sets the session's cookie |
//! | `/s/{station}/sign-out` | |
//! | `/s/{station}/first-manager` | `code`, `name`, `new_pin`, `new_pin_again`; `staff` if the slug is chosen |
//! | `/queue/sign-in`, `/queue/sign-out` | `staff`, `pin` |
//! | `/queue/send-now` | `staff`, `pin`, `words` |
//! | `/queue/act` | `staff`, `pin`, `act`: `send_now`, `retry`, `hold`, `release` or `resolve` with `how`: `paid_otherwise`, `written_off` or `duplicate`; `seq` and, if it is not of today's series, `epoch`; `words` |
//! | `/queue/adopt` | `staff`, `pin`, `reason`: ends that only cash is taken after books were lost |
//! | `/queue/print` | `station` if chosen; `staff`, `pin` unless a manager is signed in |
//! | `/s/{station}/act/{act}` | as below, and for each: `command`, `seen`, `approver`, `approver_pin`, `menu` |
//!
//! `command` is 8 to 64 letters, digits or `-`: the same id with the same act and fields gets the first
//! answer again. `seen` is `SALE:VERSION`. `approver` and `approver_pin` name a manager and prove it.
//!
//! | act | fields |
//! | --- | --- |
//! | `press-key` | `sku`, `modifier` (any number), `price` where it is open, `quantity` (1) |
//! | `type-code` | `code` |
//! | `set-quantity` | `line`, `quantity` as people write it |
//! | `void-line` | `line`, `reason` if said |
//! | `override-price` | `line`, `price`, `reason` |
//! | `return-coupon` | `serial` |
//! | `pay`, `back`, `hold` | |
//! | `cash` | `received` |
//! | `part` | `amount` of what is due that the next tender takes; none for all of it |
//! | `give-back` | `sale`, `returns_seen`, `reason`; `of`: `whole`, `amount` with `amount`, or `lines` with `line-N-DECIMALS` for each |
//! | `give-back-without-receipt` | `amount`, `reason` |
//! | `retry-refund` | `refund` |
//! | `settle-refund` | `refund`, `end`: `cash` or `otherwise`, `reason` |
//! | `resolve-payment` | `intent`, `finding`: `not_charged` or `given_back_by_hand`, `reason` |
//! | `adopt-epoch` | `reason` |
//! | `acknowledge-frozen` | `sale`, `reason` |
//! | `see-note` | `sale` |
//! | `cancel-payment` | `intent` |
//! | `recall` | `sale` |
//! | `put-on-desk`, `take-desk` | `desk` |
//! | `void-sale`, `no-sale` | `reason` |
//! | `type-size` | `size`: `large` or `normal`, for the paper of the sale in front |
//! | `reprint` | `sale`; `size=large` if it is to be large |
//! | `settle` | `job`, `words` (`looked` for the usual ones) |
//! | `give-up-paper` | gives up the receipt that stands still in the station's printer |
//! | `jam-cleared` | tells the station's printer to go on after a jam |
//! | `open-shift` | `float` |
//! | `close-shift` | `counted` |
//! | `add-staff` | `name`, `staff` if chosen, `role`, `new_pin`, `new_pin_again` |
//!
//! Not here: what an act means (`counter`), the phone's pages (`cloud`), how paper looks (`paper`).

mod act;
mod answer;
mod assets;
mod cashier;
mod display;
mod fields;
mod gate;
mod give_back;
mod link;
mod live;
mod lookup;
mod payment;
mod people;
mod pin;
mod press;
mod queue;
mod receipt;
mod request;
mod risk;
mod session;
#[cfg(test)]
mod tests;
mod voice;

use crate::inbox::{Board, Inbox};
use crate::journal::Reader;
use crate::journal::edge::EdgeStore;
use crate::paper::Stock;
use crate::receipt::Stamp;
use crate::record::Moment;
use crate::record::ids::StationId;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The longest form in bytes: a typed code and a reason, with room.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// How long requests under way may take once the daemon stops.
const DRAIN: Duration = Duration::from_secs(2);

/// How the pages are to be served.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names by which screens may call this till, besides `localhost` and plain addresses. Any other name
    /// is refused, so that a foreign page cannot reach the till by pointing its own name here.
    pub allowed_hosts: Vec<String>,
    /// Origins besides its own that may show these pages in a frame, such as `http://127.0.0.1:8080`.
    pub frame_ancestors: Vec<String>,
    /// The code that creates the first manager, drawn anew at each start; none where nobody may.
    pub bootstrap_code: Option<String>,
    /// The shop's zone, for the times on pages.
    pub zone: TimeZone,
    /// The paper of each station, as its receipts are shown.
    pub stocks: BTreeMap<StationId, Stock>,
}

/// Reads the clocks.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Draws 32 random bytes.
pub type Chance = Arc<dyn Fn() -> [u8; 32] + Send + Sync>;

/// What the pages work with.
#[derive(Clone)]
pub struct Parts {
    /// The door into the till.
    pub inbox: Inbox,
    /// What there is to show.
    pub board: Board,
    /// Sessions and lock-outs.
    pub edge: EdgeStore,
    /// The journal, to read.
    pub journal: Reader,
    /// The clocks.
    pub clock: Clock,
    /// Chance.
    pub chance: Chance,
    /// What makes the codes on receipts.
    pub stamp: Stamp,
}

/// Why the pages are not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("the pages cannot listen on {address}: choose another `listen`, or stop what is there")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// An origin that cannot stand in a header.
    #[error("`frame_ancestors` has {0:?}: write origins such as http://127.0.0.1:8080")]
    FrameAncestor(String),
}

impl Error {
    /// Whether trying again without changing anything is in vain.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::FrameAncestor(_) => true,
            Self::Listen { source, .. } => source.kind() != std::io::ErrorKind::AddrInUse,
        }
    }
}

/// What every request works with.
struct Pages {
    config: Config,
    policy: axum::http::HeaderValue,
    parts: Parts,
    /// One PIN is checked at a time: a lock-out then counts exactly.
    pin_turn: Semaphore,
    screens: Arc<Semaphore>,
    beat: watch::Receiver<u64>,
}

/// Pages being served.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where they are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends open streams, lets requests under way finish, and stops.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(());
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

/// Checks what stands in a configuration before anything is opened.
///
/// # Errors
/// [`Error::FrameAncestor`].
pub fn check(frame_ancestors: &[String]) -> Result<(), Error> {
    gate::policy(frame_ancestors).map(|_| ())
}

/// Listens and serves until [`Running::shutdown`].
///
/// # Errors
/// [`Error`] when the address cannot be had or the configuration cannot be used.
pub async fn start(config: Config, parts: Parts) -> Result<Running, Error> {
    let policy = gate::policy(&config.frame_ancestors)?;
    let listen = config.listen;
    let failed = |source| Error::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;

    let (stop, stopped) = watch::channel(());
    let (beats, beat) = watch::channel(0);
    let mut tasks = JoinSet::new();
    tasks.spawn(live::watch_board(parts.board.clone(), beats, stopped.clone()));
    let screens = Arc::new(Semaphore::new(live::SCREENS_MAX));
    let pages = Pages { config, policy, parts, pin_turn: Semaphore::new(1), screens, beat };
    let service = router(Arc::new(pages));
    tasks.spawn(async move {
        let mut stopped = stopped;
        let end = async move {
            // Gone or sent: either way it is over.
            let _ = stopped.changed().await;
        };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(end).await {
            tracing::error!(%error, "the pages stopped being served");
        }
    });
    Ok(Running { address, stop, tasks })
}

fn router(pages: Arc<Pages>) -> Router {
    Router::new()
        .route("/", get(cashier::stations))
        .route("/s/{station}", get(cashier::page))
        .route("/s/{station}/view.json", get(cashier::json))
        .route("/s/{station}/give-back", get(give_back::page))
        .route("/s/{station}/receipt/{name}", get(receipt::show))
        .route("/s/{station}/sign-in", post(people::sign_in))
        .route("/s/{station}/sign-out", post(people::sign_out))
        .route("/s/{station}/first-manager", post(people::first_manager))
        .route("/s/{station}/act/add-staff", post(people::add_staff))
        .route("/s/{station}/act/give-up-paper", post(press::give_up_paper))
        .route("/s/{station}/act/jam-cleared", post(press::jam_cleared))
        .route("/s/{station}/act/{act}", post(press::press))
        .route("/display/{station}", get(display::page))
        .route("/queue", get(queue::page))
        .route("/queue.json", get(queue::json))
        .route("/queue/item/{epoch}/{seq}", get(queue::item))
        .route("/queue/checklist", get(queue::checklist))
        .route("/queue/lost", get(queue::lost))
        .route("/queue/act", post(queue::act))
        .route("/queue/adopt", post(queue::adopt))
        .route("/queue/print", post(queue::print))
        .route("/queue/sign-in", post(queue::sign_in))
        .route("/queue/sign-out", post(queue::sign_out))
        .route("/queue/send-now", post(queue::send_now))
        .route("/live", get(live::stream))
        .route("/assets/{name}", get(assets::serve))
        .fallback(answer::no_such_page)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(pages.clone(), gate::guard))
        .with_state(pages)
}
