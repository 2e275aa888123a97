//! The reference cloud: takes in every till's records exactly once, answers them with verdicts, publishes
//! bundles, and shows phones the bill on their desk.
//!
//! **Invariant:** received is apart from ruled: an authentic, contiguous record is always kept, and what
//! business says about it comes back as a verdict. All state is in the store; every task here compares what
//! is with what should be, and may be stopped at any moment. Not here: stored value, points and campaign
//! ledgers; a store for many machines; TLS, which a proxy in front does.

mod accounts;
mod admin;
mod bells;
mod desk;
#[cfg(test)]
pub(crate) mod handed_out;
mod house;
mod http;
mod import;
#[cfg(test)]
pub(crate) mod inside;
mod judge;
mod notify;
mod office;
mod packed;
mod problem;
mod projector;
mod publish;
mod settler;
mod signed;
mod store;
mod streams;
#[cfg(test)]
mod tests;
mod tills;

pub use accounts::{Account, AlipayFiles, Elsewhere, WALLET_TIMEOUTS, WeChatPhones};
pub use admin::{Admin, AdminError, COUPONS_AT_ONCE, CouponIssue, NewMember, VoucherIssue};
pub use import::{Imported, RowError};
pub use publish::{PublishError, ShopDefaults};
pub use store::{Decision, Pairing, PairingState, Quota};
pub use store::{LedgerCount, Movement, Standing, StoreError, Task};
pub use streams::Stream;

use crate::keys::{CloudKeys, KeyError};
use crate::record::money_moves::ProviderName;
use crate::token::KeySet;
use crate::wallet::{Wallet, alipay};
use accounts::Accounts;
use judge::words;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};
use store::Store;
use store::sqlite::{self, Opener, Sqlite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// The wall clock: Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What connections and tasks get at shutdown to finish what they are doing.
const GRACE: Duration = Duration::from_secs(5);

/// How a cloud is to run.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Home of `cloud.db` and of the folder `keys`.
    pub dir: PathBuf,
    /// What a phone reaches this cloud by, without a slash at the end; by default the listening address.
    pub public_base: Option<String>,
    /// The merchant's accounts, one at each wallet; without any no bill can be paid by phone.
    pub accounts: Vec<Account>,
    /// What the first bundle says. Later starts leave the bundle as it is.
    pub shop: ShopDefaults,
}

/// Why the cloud did not start, or what it could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error("the cloud's store cannot be used")]
    Store(#[from] StoreError),
    /// A key file of the cloud.
    #[error("the cloud's keys cannot be used")]
    Keys(#[from] KeyError),
    /// What is published cannot be.
    #[error("the cloud's bundle cannot be used")]
    Publish(#[from] PublishError),
    /// A wallet's key file cannot be read.
    #[error("cannot read the wallet's key {path}")]
    ReadKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A wallet's key file is not a key.
    #[error("the wallet's key {path} is not usable")]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::wallet::signing::KeyError,
    },
    /// The wallet's settings.
    #[error("the wallet's settings are not usable")]
    Wallet(#[from] alipay::ConfigError),
    /// Two accounts at one wallet.
    #[error("there are two accounts at one wallet ({}): leave one of them out", words::provider(*.0))]
    TwoAccounts(ProviderName),
    /// The port cannot be had.
    #[error("cannot listen on {address}: is another program there?")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Another server runs on the same folder.
    #[error("another cloud runs in {0}: stop it first, or give another folder")]
    Running(PathBuf),
    /// A part of it ended though nobody had asked it to.
    #[error(
        "{0} ended by itself, which is a bug: the lines above say more, please report them; head office ends, so that it \
         is started again whole"
    )]
    Ended(&'static str),
    /// Starting was given up.
    #[error("the start was cut short")]
    Stopped,
}

impl Error {
    /// Whether trying again without changing anything is in vain.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Store(error) => error.is_permanent(),
            Self::Keys(error) => error.is_permanent(),
            Self::Publish(error) => error.is_permanent(),
            Self::Wallet(error) => error.is_permanent(),
            Self::ReadKey { .. } | Self::BadKey { .. } | Self::TwoAccounts(_) => true,
            Self::Listen { .. } | Self::Running(_) | Self::Ended(_) | Self::Stopped => false,
        }
    }
}

/// What every request and task of the cloud works with.
pub(crate) struct Cloud {
    store: Arc<dyn Store>,
    keys: CloudKeys,
    /// The cloud's own public keys, for verifying what it signed itself.
    key_set: KeySet,
    clock: Clock,
    /// The wallets that phones pay with and that tills use through here, and whose notifications are believed.
    accounts: Accounts,
    /// Calls to wallets that outlive whoever asked for them.
    calls: Mutex<JoinSet<()>>,
    bells: bells::Bells,
    nonces: signed::Nonces,
    heard: tills::Heard,
    tags: desk::Tags,
    opened: publish::Opened,
    public_base: String,
    /// Seats for phones that watch their bill.
    live: Arc<tokio::sync::Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Cloud {
    fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Ends when the cloud is asked to stop.
    async fn stopping(&self) {
        let mut stop = self.stop.clone();
        // A sender that is gone means stop too.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

/// A cloud at work. Dropping it stops it at once; [`Running::shutdown`] lets it finish first.
pub struct Running {
    address: SocketAddr,
    admin: Admin,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// What each of the tasks does.
    parts: Vec<(AbortHandle, &'static str)>,
    /// One server for each store: two would call the wallet twice for one order.
    _lock: fs::File,
}

/// Opens store and keys of a folder; makes them, and the first bundle, on the first start.
async fn open(
    dir: &Path,
    opener: Opener,
    shop: &ShopDefaults,
    clock: &Clock,
) -> Result<(Arc<dyn Store>, CloudKeys), Error> {
    let home = dir.to_owned();
    let opening = tokio::task::spawn_blocking(move || -> Result<_, Error> {
        let store = Sqlite::open_as(&home, opener)?;
        let folder = home.join("keys");
        make_private(&folder).map_err(|source| StoreError::Folder { path: folder.clone(), source })?;
        Ok((store, CloudKeys::load_or_create(&folder)?))
    });
    let (store, keys) = opening.await.map_err(|_| Error::Stopped)??;
    let store: Arc<dyn Store> = Arc::new(store);
    publish::first_bundle(store.as_ref(), &keys, shop, clock()).await?;
    Ok((store, keys))
}

/// The folder's one server: its lock, and the turn to bring the store up to date, for which the command line may hold
/// the lock for a moment. Blocks for that long.
fn lock(dir: &Path) -> Result<(fs::File, fs::File), Error> {
    let turn = sqlite::turn(dir)?;
    let lock = sqlite::server_lock(dir)?.ok_or_else(|| Error::Running(dir.to_owned()))?;
    Ok((lock, turn))
}

fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Starts a cloud.
///
/// # Errors
/// [`Error`], which says what to do; nothing is left running then.
pub async fn start(config: Config, clock: Clock) -> Result<Running, Error> {
    let dir = config.dir.clone();
    let locking = tokio::task::spawn_blocking(move || lock(&dir));
    let (lock, turn) = locking.await.map_err(|_| Error::Stopped)??;
    let (store, keys) = open(&config.dir, Opener::Server, &config.shop, &clock).await?;
    drop(turn);
    let failed = |source| Error::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let public_base = config.public_base.unwrap_or_else(|| format!("http://{address}"));
    let public_base = public_base.trim_end_matches('/').to_owned();
    let accounts = Accounts::of(config.accounts, &public_base)?;
    let (stop, stopped) = watch::channel(false);
    let admin_keys = {
        let folder = config.dir.join("keys");
        tokio::task::spawn_blocking(move || CloudKeys::load_or_create(&folder))
            .await
            .map_err(|_| Error::Stopped)??
    };
    let admin = Admin::new(Arc::clone(&store), admin_keys, Arc::clone(&clock));
    let bells = bells::Bells::new(bells::LOOK_AGAIN);
    let cloud =
        Arc::new(Cloud::of(Parts { store, keys, clock, accounts, bells, public_base, stop: stopped }));
    let mut tasks = JoinSet::new();
    let parts = vec![
        (tasks.spawn(projector::run(Arc::clone(&cloud))), "the judging of records"),
        (tasks.spawn(settler::run(Arc::clone(&cloud))), "the asking of wallets"),
        (tasks.spawn(bells::watch_bundle(Arc::clone(&cloud))), "the looking for new bundles"),
        (tasks.spawn(http::serve(listener, cloud)), "the listening"),
    ];
    tracing::info!(%address, "the cloud listens");
    Ok(Running { address, admin, stop, tasks, parts, _lock: lock })
}

/// What a cloud is put together from.
struct Parts {
    store: Arc<dyn Store>,
    keys: CloudKeys,
    clock: Clock,
    accounts: Accounts,
    bells: bells::Bells,
    public_base: String,
    stop: watch::Receiver<bool>,
}

impl Cloud {
    fn of(Parts { store, keys, clock, mut accounts, bells, public_base, stop }: Parts) -> Self {
        let house: Arc<dyn Wallet> = Arc::new(house::House::new(Arc::clone(&store), Arc::clone(&clock)));
        accounts.wallets.insert(ProviderName::House, house);
        Self {
            key_set: keys.key_set(0, 0, i64::MAX),
            store,
            keys,
            clock,
            accounts,
            calls: Mutex::default(),
            bells,
            nonces: signed::Nonces::default(),
            heard: tills::Heard::default(),
            tags: desk::Tags::default(),
            opened: publish::Opened::default(),
            public_base,
            live: Arc::new(tokio::sync::Semaphore::new(desk::LIVE_MAX)),
            stop,
        }
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What head office can do.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Ends when a part of it has ended though nobody asked it to, and says which: what is left is to be shut down, for
    /// nobody does that part's work any more.
    pub async fn ended(&mut self) -> Error {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return Error::Stopped,
        };
        let part = self.parts.iter().find(|(task, _)| task.id() == id);
        Error::Ended(part.map_or("a part of head office", |(_, name)| *name))
    }

    /// Takes no more requests, finishes those under way, and returns when the store is at rest.
    pub async fn shutdown(mut self) {
        // No receiver is left only if everything has ended already.
        let _ = self.stop.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}
