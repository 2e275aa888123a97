//! The daemon: one top-to-bottom list of what is opened, readiness, and a drain that loses nothing.
//!
//! The till's thread is the heart: when it ends, for whatever reason, the process ends and systemd starts
//! it again into recovery. Not here: what any part does.

mod nightly;
mod papers;
mod parts;
pub(crate) mod wallets;
mod watch;

use crate::clock::{self, Clock};
use crate::config::{Config, ConfigError};
use crate::inbox::{self, Board, Inbox, Link, LinkState};
use crate::journal::Journal;
use crate::journal::edge::EdgeStore;
use crate::keys::{DeviceKey, Seal};
use crate::record::body::Shutdown;
use crate::{devices, pages, provider, sync, till};
use anyhow::Context;
use nightly::Nightly;
pub(crate) use papers::read as read_logo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long edges may take to finish what they are at. All of these together are less than the unit's
/// TimeoutStopSec.
const DRAIN: Duration = Duration::from_secs(12);

/// How long the disk may take over the last record.
const LAST_RECORD: Duration = Duration::from_secs(5);

/// How long the cloud is given to take the last record.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the daemon tells whoever started it, once everything is open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where the pages are.
    pub pages: SocketAddr,
    /// How the process before this one ended.
    pub before: Shutdown,
}

/// Runs the till until it is told to stop.
///
/// # Errors
/// When a part cannot be opened, or when the till's thread ended otherwise than by being told to.
pub fn run(config: &Config, opened: impl FnOnce(&Opened)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let ended = runtime.block_on(serve(config, opened));
    // A task that does not stop must not keep the process: what is durable is on disk.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// The ports and printers of a configuration.
pub(crate) fn devices(config: &Config) -> devices::Config {
    parts::devices(config, &papers::stocks(config))
}

/// Checks what the configuration names and the daemon would read: the keys of wallets, and logos.
///
/// # Errors
/// [`ConfigError`] with what cannot be read or used.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    wallets::read(config)?;
    page_check(config)?;
    papers::check(config)
}

fn page_check(config: &Config) -> Result<(), ConfigError> {
    pages::check(&config.pages.frame_ancestors).map_err(|error| config.source.error(error.to_string()))
}

async fn serve(config: &Config, opened: impl FnOnce(&Opened)) -> anyhow::Result<()> {
    // 0. What can be wrong with the configuration, before anything is opened or written.
    let wallets = wallets::read(config)?;
    page_check(config)?;
    // 1. The journal first: its lock keeps every other Till away from all that follows.
    let journal = Journal::open(&config.state_dir)?;
    // A port that somebody else has is met before this start is written down: systemd tries again.
    let listen = config.pages.listen;
    drop(
        std::net::TcpListener::bind(listen)
            .map_err(|source| pages::Error::Listen { address: listen, source })?,
    );
    let (before, owes_check) = (journal.shutdown(), journal.owes_check());
    let reader = journal.reader()?;
    let edge = EdgeStore::open(&config.state_dir)?;
    // 2. Keys.
    let keys = config.state_dir.join("keys");
    std::fs::create_dir_all(&keys).with_context(|| format!("{} cannot be made", keys.display()))?;
    let device_key = Arc::new(DeviceKey::load_or_create(&keys.join("device"))?);
    let seal = Seal::of_till(&config.state_dir)?;
    let stamp = parts::stamp(&device_key);
    // 3. The till: fold, and settle what was under way. From here on there is something to end in order, so whoever asks
    // for the end is heard, and answered once the till is open.
    let mut asked = Asked::listen()?;
    let clock = Clock::new();
    let (inbox, letters) = Inbox::new();
    let (outbox, work) = inbox::doors();
    let opening = till::Opening {
        terminal: config.terminal.clone(),
        stations: config.stations().map(|station| station.id.clone()).collect(),
        bundle: parts::own_bundle(config),
        kept: sync::stored_bundle(&edge, clock.unix_ms() / 1000),
        code_key: seal.keyed_hash("pay code", b"till"),
        stamp: stamp.clone(),
        wallets: parts::taken(config, &wallets),
        phones: parts::phones(config),
        code_ms: config.timing.shown_code_ms,
        sources: till::Sources { clock: clock.clone(), draw: clock::draw },
        received: edge.watermarks()?,
        signed: edge.signed()?,
        room: parts::room(config),
    };
    let ready = till::open(journal, opening, letters, outbox)?;
    let board = ready.board.clone();
    let pulse = Arc::clone(&ready.pulse);
    let mut heart = beat(ready.till)?;
    // 4. The edges.
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (leave, left) = tokio::sync::watch::channel(false);
    let mut edges = JoinSet::new();
    let mut level = JoinSet::new();
    let cloud = parts::sync(config, device_key);
    let doors = parts::doors(&inbox, &board, &reader, &edge, &clock);
    let way = sync::Way::new(&doors);
    let wallets = match &cloud {
        // The till's own accounts come first; the cloud holds the others.
        Some(cloud) => sync::through_cloud(cloud, &doors, &way)?.into_iter().chain(wallets).collect(),
        None => wallets,
    };
    let wallets = parts::provider(config, wallets, &board);
    edges.spawn(provider::run(wallets, work.provider, inbox.clone(), stopped.clone()));
    let stocks = papers::stocks(config);
    let ports = parts::devices(config, &stocks);
    edges.spawn(devices::run(ports, work.devices, inbox.clone(), board.clone(), stopped.clone()));
    match cloud {
        Some(cloud) => {
            // Until it is heard it is away, and not missing: what is known of it is what the last life knew.
            let epoch = board.view.borrow().epoch;
            let (received, ruled) = (edge.watermark(epoch)?.seq, edge.ruled(epoch)?);
            board.link.send_modify(|link| {
                (link.state, link.since_ms) = (LinkState::Offline, clock.unix_ms());
                (link.received, link.ruled) = (received, ruled.min(received));
            });
            let kept = sync::run(cloud, doors, way, work.cloud, left);
            level.spawn(async move {
                if let Err(error) = kept.await {
                    tracing::error!(error = %error, "The cloud cannot be called with this configuration.");
                }
            });
        }
        None => drop(work.cloud),
    }
    let code = parts::first_manager_code(config, &board)?;
    let screens = parts::pages(config, code, stocks);
    let parts = parts::screen_parts(&inbox, &board, &reader, &edge, &clock, stamp);
    let pages = pages::start(screens, parts).await?;
    // 5. Ready.
    tracing::info!(pages = %pages.address(), before = ?before, "The till is open.");
    opened(&Opened { pages: pages.address(), before });
    let nightly = Nightly { owes_check, ..parts::nightly(config, &inbox, &board, &reader, &edge, &clock) };
    edges.spawn(nightly.run(stopped.clone()));
    let code_file = parts::first_manager_file(config);
    edges.spawn(watch::feed(pulse, board.clone(), code_file, stopped.clone()));
    let told = tokio::select! {
        told = wait_for_end(&mut asked, &mut heart) => told,
        Some(ended) = edges.join_next() => Told::EdgeGone(why(ended)),
        Some(ended) = level.join_next() => Told::EdgeGone(why(ended)),
    };
    // 6. Drain: no new people, then no new work, then the last record, then the cloud hears of it.
    watch::stopping();
    pages.shutdown().await;
    stop.send_replace(true);
    finish(&mut edges, DRAIN).await;
    let ended = match told {
        Told::Stop => stop_heart(&inbox, heart).await,
        Told::EdgeGone(why) => stop_heart(&inbox, heart).await.and(Err(why)),
        Told::Ended(ended) => ended,
    };
    let mut link = board.link.subscribe();
    let _late = tokio::time::timeout(FAREWELL, link.wait_for(|link| told_everything(&board, link))).await;
    leave.send_replace(true);
    finish(&mut level, FAREWELL).await;
    ended
}

/// Has the till write its last record, and waits for its thread.
async fn stop_heart(inbox: &Inbox, heart: oneshot::Receiver<Result<(), till::Error>>) -> anyhow::Result<()> {
    inbox.post(crate::counter::Event::Stopping).await;
    match tokio::time::timeout(LAST_RECORD, heart).await {
        Ok(Ok(ended)) => ended.map_err(anyhow::Error::from),
        Ok(Err(_)) => Err(anyhow::anyhow!("the till's thread ended in a panic")),
        Err(_) => Err(anyhow::anyhow!("the disk did not take the last record in time")),
    }
}

/// Why a part of the daemon is gone that should run until the end.
fn why(ended: Result<(), tokio::task::JoinError>) -> anyhow::Error {
    match ended {
        Ok(()) => anyhow::anyhow!("a part of the till ended by itself; it starts anew"),
        Err(error) => anyhow::anyhow!("a part of the till failed ({error}); it starts anew"),
    }
}

/// Waits for tasks that were told to stop.
async fn finish(tasks: &mut JoinSet<()>, within: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(within, all).await.is_err() {
        tracing::warn!("A part did not finish in time; what it was at is settled at the next start.");
    }
}

/// Whether the cloud has the whole journal, or cannot be told now.
fn told_everything(board: &Board, link: &Link) -> bool {
    link.state != LinkState::Online || link.received >= board.view.borrow().tip.seq
}

/// Why the daemon ends.
enum Told {
    /// A signal asked for it.
    Stop,
    /// An edge ended: without it the till would take money that nobody asks for.
    EdgeGone(anyhow::Error),
    /// The till's thread is gone.
    Ended(anyhow::Result<()>),
}

/// Signals that ask for the end. From the moment it listens, none of them ends the process by itself.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be waited for");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Returns once one of them came, also where it came before anybody waited.
    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn wait_for_end(asked: &mut Asked, heart: &mut oneshot::Receiver<Result<(), till::Error>>) -> Told {
    tokio::select! {
        () = asked.heard() => Told::Stop,
        ended = heart => Told::Ended(match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(anyhow::anyhow!("the till's thread ended in a panic; it recovers at the next start")),
        }),
    }
}

/// Starts the till's thread. The receiver hears its end; a panic drops the sender.
fn beat(till: till::Loop) -> anyhow::Result<oneshot::Receiver<Result<(), till::Error>>> {
    let (ended, heart) = oneshot::channel();
    std::thread::Builder::new()
        .name("till".to_owned())
        .spawn(move || {
            // Nobody hears it once the daemon gave up waiting.
            let _ = ended.send(till.run());
        })
        .context("the till's thread cannot be started")?;
    Ok(heart)
}

/// Turns of the loop, as the watchdog counts them.
type Pulse = Arc<AtomicU64>;
