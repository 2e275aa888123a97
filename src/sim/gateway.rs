//! The wallets' gateways on a real port, as unmodified third-party clients expect them: Alipay's open gateway for
//! face-to-face payments and WeChat Pay API v3, with books of their own, customers to play and a fault switch.
//!
//! It verifies each request's signature, keeps what it did in a ledger on disk before it answers, signs its
//! answers, and notifies merchants. A well-formed pay code that it did not issue pays at once unless a fault or a
//! customer says otherwise, and any app or merchant id is taken. For people and scripts it has pages: `/play`,
//! `/faults` and the phone page behind a code on a display. [`Gateway`] is the same without a port.
//!
//! Deliberately not here: anything that the product uses to talk to a wallet, so that a mistake there is not
//! repeated here.

mod account;
mod alipay;
mod beijing;
mod books;
mod certificate;
mod chance;
mod connection;
mod customer;
mod faults;
mod http;
mod keys;
mod ledger;
mod machine;
mod notices;
mod phone;
mod play;
mod postman;
mod server;
#[cfg(test)]
mod tests;
mod trade;
mod verb;
mod wechat;
mod wechat_app;
mod witness;
mod yuan;

use std::{
    fs, io, mem,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinSet,
};

pub use account::{Account, Decision};
pub use customer::{Customers, Discount, Manner};
pub use faults::{
    BadRule, Ending, Fault, Faults, HELP, MAX_RULES, Money, PayCode, Rule, RuleReport, RuleText, Stage,
};
pub use http::{Pace, RawRequest, RawResponse};
pub use keys::{KeyPaths, Keys};
pub use ledger::{LedgerError, SCHEMA};
pub use machine::{Gateway, Settings};
pub use notices::Notice;
pub use verb::Wallet;
pub use witness::{Line, Report};

use connection::{Connections, Cut};
use server::Host;

/// What connections get at shutdown to finish what they are doing.
const GRACE: Duration = Duration::from_secs(2);

/// How a gateway is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Home of `gateway.db`, and of the keys unless they are given.
    pub dir: PathBuf,
    /// A directory with `merchant.pub.pem` to verify with and `gateway.pkcs8.pem` to sign with.
    pub keys: Option<PathBuf>,
    /// A TOML file of fault rules to begin with.
    pub faults: Option<PathBuf>,
    /// Where chance comes from: faults by rate, trade numbers, pay codes.
    pub seed: u64,
    /// What a phone reaches this gateway by, without a slash at the end; by default the listening address.
    pub public_base: Option<String>,
}

/// What a gateway may be told beside [`Config`].
#[derive(Default)]
pub struct Extras {
    /// WeChat Pay's APIv3 key; by default that of the key directory, or one that is made.
    pub api_v3_key: Option<String>,
    /// How many times as fast as documented notifications are sent again; 0 counts as 1.
    pub notify_speed: u32,
    /// Who is told what was verified.
    pub report: Option<Report>,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be made.
    #[error("cannot make the gateway's directory {path}; give another --dir")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file cannot be read.
    #[error("cannot read {path}; the key directory needs merchant.pub.pem and gateway.pkcs8.pem")]
    ReadKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file is not a key.
    #[error("{path} is not usable: {reason}")]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A new key cannot be kept.
    #[error("cannot write the new key {path}; give another --dir")]
    WriteKey {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The fault file cannot be read.
    #[error("cannot read the fault rules {path}")]
    ReadFaults {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The fault file has a mistake.
    #[error("the fault rules {path} were not taken: {reason}")]
    BadFaults {
        /// The file.
        path: PathBuf,
        /// What to mend, and where.
        reason: String,
    },
    /// The ledger cannot be opened.
    #[error("cannot open the gateway's ledger")]
    Ledger(#[from] LedgerError),
    /// The port cannot be had.
    #[error("cannot listen on {address}; is another program there?")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Starting was given up.
    #[error("the start was cut short")]
    Stopped,
}

impl Error {
    /// Whether trying again without changing anything is in vain.
    pub fn is_permanent(&self) -> bool {
        match self {
            Error::BadKey { .. }
            | Error::BadFaults { .. }
            | Error::ReadKey { .. }
            | Error::ReadFaults { .. } => true,
            Error::Ledger(
                LedgerError::Format { .. } | LedgerError::NotDurable { .. } | LedgerError::InUse { .. },
            ) => true,
            Error::Ledger(LedgerError::Sqlite(_) | LedgerError::Lock { .. } | LedgerError::Stopped) => false,
            Error::Directory { .. } | Error::WriteKey { .. } | Error::Listen { .. } | Error::Stopped => false,
        }
    }
}

/// A gateway at work. Dropping it stops it at once; [`Running::shutdown`] lets it finish first.
pub struct Running {
    address: SocketAddr,
    host: Arc<Host>,
    key_paths: KeyPaths,
    stop: watch::Sender<bool>,
    serving: JoinSet<()>,
}

/// Starts a gateway. `clock` tells Unix milliseconds.
pub async fn start(
    config: Config,
    clock: impl Fn() -> i64 + Send + Sync + 'static,
) -> Result<Running, Error> {
    start_with(config, Extras::default(), clock).await
}

/// Starts a gateway that is told more.
pub async fn start_with(
    config: Config,
    extras: Extras,
    clock: impl Fn() -> i64 + Send + Sync + 'static,
) -> Result<Running, Error> {
    let Config { listen, dir, keys, faults, seed, public_base } = config;
    let Extras { api_v3_key, notify_speed, report } = extras;
    let switch = Faults::new(seed);
    if let Some(path) = &faults {
        switch.load(path)?;
    }
    let opening = tokio::task::spawn_blocking(move || open(&dir, keys.as_deref(), api_v3_key.as_deref()));
    let (keys, ledger) = opening.await.map_err(|_| Error::Stopped)??;
    let key_paths = keys.paths.clone().ok_or(Error::Stopped)?;

    let failed = |source| Error::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let public_base = public_base.unwrap_or_else(|| format!("http://{address}"));
    let (stop, stopped) = watch::channel(false);
    let settings = Settings { seed, public_base, notify_speed, report };
    let host = Arc::new(Host {
        gateway: Gateway::of(Arc::new(keys), ledger, switch, settings),
        clock: Box::new(clock),
        stop: stopped.clone(),
        work: Mutex::new(JoinSet::new()),
        bell: Notify::new(),
    });
    let service = server::router(Arc::clone(&host)).into_make_service_with_connect_info::<Cut>();
    let mut serving = JoinSet::new();
    serving.spawn(postman::run(Arc::clone(&host)));
    serving.spawn(async move {
        let mut stopped = stopped;
        let until = async move {
            // A sender that is gone means stop too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(Connections(listener), service).with_graceful_shutdown(until).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the gateway stopped listening");
        }
    });
    tracing::info!(%address, "the wallet gateway listens");
    Ok(Running { address, host, key_paths, stop, serving })
}

fn open(dir: &Path, given: Option<&Path>, api_v3_key: Option<&str>) -> Result<(Keys, ledger::Ledger), Error> {
    fs::create_dir_all(dir).map_err(|source| Error::Directory { path: dir.to_owned(), source })?;
    // The books first: their lock also keeps two first starts from making keys at once.
    let ledger = ledger::Ledger::open(dir)?;
    Ok((Keys::open(given, dir, api_v3_key)?, ledger))
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the keys are that a client needs.
    pub fn key_paths(&self) -> &KeyPaths {
        &self.key_paths
    }

    /// The ledger, for a reader: see [`SCHEMA`].
    pub fn ledger_path(&self) -> &Path {
        &self.host.gateway.ledger.path
    }

    /// The fault switch.
    pub fn faults(&self) -> &Faults {
        &self.host.gateway.faults
    }

    /// The machine itself.
    pub fn gateway(&self) -> &Gateway {
        &self.host.gateway
    }

    /// Takes no more requests, finishes those under way, and returns when the books are at rest.
    pub async fn shutdown(mut self) {
        // No receiver is left only if serving has ended already.
        let _ = self.stop.send(true);
        let served = async { while self.serving.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, served).await.is_err() {
            self.serving.shutdown().await;
        }
        let mut work = mem::take(&mut *self.host.work.lock().unwrap_or_else(PoisonError::into_inner));
        while work.join_next().await.is_some() {}
    }
}
