//! Keeps a till and its cloud level: the journal up, the bundle and notices down, orders and their refunds.
//!
//! Each part compares what is with what should be and is woken by a change, by a press of Send now, by the
//! line coming back, or by a period; nothing is handed to it that it could miss. **Invariant:** the
//! watermark is what the cloud has said that it holds, never more; and a notice is behind us only when the
//! till's answer to it is durable.
//!
//! Not here: what a notice means for a sale (`counter`), calling wallets (`provider`, `cloud`).

mod acts;
mod bundle;
mod http;
mod leases;
mod level;
mod line;
mod notices;
mod orders;
mod pace;
mod pairing;
mod phones;
mod relay;
#[cfg(test)]
mod tests;
mod upload;

use crate::counter::duty::Duty;
use crate::inbox::{Board, Inbox};
use crate::journal::Reader;
use crate::journal::edge::EdgeStore;
use crate::keys::DeviceKey;
use crate::record::ids::{Draw, TerminalId};
use crate::token::KeySet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::wallet::http::Carrier;
pub use crate::wallet::http::HttpError as ConfigError;
pub use bundle::stored as stored_bundle;
pub use orders::order_of;
pub use pace::Timing;
use pace::Wakes;
pub use relay::{Named, through_cloud};

/// The wall clock: Unix milliseconds.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Chance: 32 fresh random bytes at each call.
pub type Chance = Arc<dyn Fn() -> Draw + Send + Sync>;

/// Which cloud, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cloud's address, https; plain http to this machine only.
    pub url: String,
    /// This till.
    pub terminal: TerminalId,
    /// What people call it, for the manager who approves it.
    pub name: String,
    /// What it signs its stream, its orders and its requests with.
    pub device_key: Arc<DeviceKey>,
    /// When to try again.
    pub timing: Timing,
}

/// What the till's side lends.
#[derive(Clone)]
pub struct Doors {
    /// The way into the till.
    pub inbox: Inbox,
    /// Where link and bundle are left, and where the till's view comes from.
    pub board: Board,
    /// The journal.
    pub reader: Reader,
    /// Watermark, bundle, cursor and pairing.
    pub edge: EdgeStore,
    /// The wall clock.
    pub now: Now,
    /// Chance.
    pub chance: Chance,
}

/// Whom this till trusts since it was paired.
#[derive(Clone, PartialEq, Debug)]
struct Trust {
    root: [u8; 32],
    keys: KeySet,
}

/// What every part shares.
struct Around {
    config: Config,
    cloud: http::Cloud,
    doors: Doors,
    line: Arc<line::Line>,
    offered: orders::Offered,
    trust: Mutex<Option<Arc<Trust>>>,
    /// Rises when everything that waits should try now.
    stir: watch::Sender<u64>,
    /// Rises when the cloud answers after a silence.
    back: watch::Sender<u64>,
    /// The longest wait between tries, in milliseconds, as the cloud last set it.
    retry_most_ms: AtomicU64,
    /// How much goes into a batch, as the cloud last set it.
    batch: Mutex<upload::BatchLimits>,
    /// Whether the cloud keeps this till's side of a stream as a branch.
    forked: AtomicBool,
    /// Whether it has to be asked how all streams stand.
    unsure: AtomicBool,
    blocking: Blocking,
    /// The bundle version that was last looked at, and when.
    looked: watch::Sender<Option<(u64, i64)>>,
}

/// Where calls that may wait for a disk are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Blocking {
    /// On threads of their own.
    Aside,
    /// Where they are asked for: each test then plays the same way each time.
    #[cfg(test)]
    InPlace,
}

impl Config {
    /// Whether a cloud could be called with this.
    ///
    /// # Errors
    /// [`ConfigError`], which says what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        crate::wallet::http::endpoint(&self.url).map(drop)
    }
}

/// What is known of the way to the cloud, by all who go it.
pub struct Way(Arc<line::Line>);

impl Way {
    /// A way that nobody has gone yet.
    pub fn new(doors: &Doors) -> Self {
        Self(Arc::new(line::Line::new(doors)))
    }
}

/// Keeps level until `shutdown`. Whatever it was in the middle of is found again by the next start.
///
/// # Errors
/// [`ConfigError`] at once, when there is no such address to call.
pub async fn run(
    config: Config,
    doors: Doors,
    way: Way,
    work: mpsc::Receiver<Duty>,
    shutdown: watch::Receiver<bool>,
) -> Result<(), ConfigError> {
    let carrier = http::carrier(&config)?;
    run_by(carrier, Blocking::Aside, config, doors, way, work, shutdown).await
}

/// The same by way of a carrier: HTTP, or, for tests whose clock is moved, a cloud in the same process.
async fn run_by(
    carrier: Arc<dyn Carrier>,
    blocking: Blocking,
    config: Config,
    doors: Doors,
    Way(line): Way,
    work: mpsc::Receiver<Duty>,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), ConfigError> {
    let cloud = http::Cloud::by(carrier, &config, &doors, Arc::clone(&line))?;
    let around = Arc::new(Around {
        cloud,
        line,
        offered: orders::Offered::default(),
        trust: Mutex::new(None),
        stir: watch::Sender::new(0),
        back: watch::Sender::new(0),
        retry_most_ms: AtomicU64::new(
            u64::try_from(config.timing.retry_most.as_millis()).unwrap_or(u64::MAX),
        ),
        batch: Mutex::default(),
        forked: AtomicBool::new(false),
        unsure: AtomicBool::new(true),
        looked: watch::Sender::new(None),
        blocking,
        config,
        doors,
    });
    let mut parts = JoinSet::new();
    parts.spawn(keep_level(Arc::clone(&around), work));
    parts.spawn(pass_on_presses(around));
    tokio::select! {
        _ = shutdown.wait_for(|stop| *stop) => {}
        Some(ended) = parts.join_next() => ended.unwrap_or_else(bug),
    }
    parts.shutdown().await;
    Ok(())
}

async fn keep_level(around: Arc<Around>, work: mpsc::Receiver<Duty>) {
    bundle::bring_back(&around).await;
    pairing::pair(&around).await;
    let mut parts = JoinSet::new();
    parts.spawn(upload::run(Arc::clone(&around)));
    parts.spawn(notices::run(Arc::clone(&around)));
    parts.spawn(leases::run(Arc::clone(&around)));
    parts.spawn(orders::run(around, work));
    while let Some(ended) = parts.join_next().await {
        ended.unwrap_or_else(bug);
    }
}

/// One press of Send now reaches every part that waits.
async fn pass_on_presses(around: Arc<Around>) {
    loop {
        around.doors.board.nudge.notified().await;
        around.stir();
    }
}

impl Around {
    /// A person wants everything tried now.
    fn stir(&self) {
        self.stir.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The cloud answers again. It may be another day's.
    fn line_is_back(&self) {
        self.unsure.store(true, Ordering::Relaxed);
        self.back.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What ends waits from now on.
    fn wakes(&self) -> Wakes {
        Wakes { stir: self.stir.subscribe(), back: self.back.subscribe() }
    }

    fn retry_most(&self) -> Duration {
        Duration::from_millis(self.retry_most_ms.load(Ordering::Relaxed))
    }

    fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trust(&self, trust: Trust) {
        *self.trust.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(trust));
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/terminals/{}/{rest}", self.config.terminal)
    }

    /// Runs a short call of the journal or the edge store where it may block.
    async fn stored<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Reader, &EdgeStore) -> Result<T, crate::journal::Error> + Send + 'static,
    ) -> Result<T, crate::journal::Error> {
        let (reader, edge) = (self.doors.reader.clone(), self.doors.edge.clone());
        match self.blocking {
            Blocking::Aside => {}
            #[cfg(test)]
            Blocking::InPlace => return call(&reader, &edge),
        }
        match tokio::task::spawn_blocking(move || call(&reader, &edge)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down; nobody waits for this any more.
            Err(_) => std::future::pending().await,
        }
    }
}

/// A part that panics is a bug: it ends the process, and the next start recovers.
fn bug(error: JoinError) {
    if error.is_panic() {
        std::panic::resume_unwind(error.into_panic());
    }
}
