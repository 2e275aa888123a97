//! A port: a link that is kept open, with one thread that reads and one that writes.
//!
//! The reader opens the link, frames what comes in and reopens when the device comes back. The writer takes jobs
//! from a bounded queue and says of each how far it came. What is written, and what is done about a failed write,
//! is the caller's affair: nothing is sent twice here.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::watch::Watch;
use super::{Address, Deadline, Link, LinkError, Stopwatch};

/// How soon a reader notices that it is asked to stop.
const READ_WAIT: Duration = Duration::from_millis(100);
/// What is read at once.
const READ_BYTES: usize = 1024;
/// Between a device's going and the first look for it: a plug that is pushed in makes and breaks contact for a while.
const SETTLE: Duration = Duration::from_millis(20);
/// A link that lasted less than this is looked for no sooner than the configuration says, so that a device which is
/// there and always fails does not keep the machine busy.
const LASTED: Duration = Duration::from_secs(1);
/// How often a device is looked for whose name is watched: the kernel tells, this is for what it may have missed.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// Turns bytes into items. Bytes may be split anywhere.
pub trait Decode: Send + 'static {
    /// What comes out.
    type Item;
    /// Takes bytes in and delivers what they finish.
    fn decode(&mut self, bytes: &[u8], deliver: &mut dyn FnMut(Self::Item));
    /// Forgets a half item: the device was plugged in anew.
    fn reset(&mut self);
    /// After how long a silence [`Decode::quiet`] is to be called, as things stand; none for never.
    fn quiet_after(&self) -> Option<Duration> {
        None
    }
    /// The line was quiet that long. Afterwards `quiet_after` is none until bytes come.
    fn quiet(&mut self, _deliver: &mut dyn FnMut(Self::Item)) {}
    /// The device went away. What that leaves of a half item may be said here.
    fn cut(&mut self, _deliver: &mut dyn FnMut(Self::Item)) {}
}

/// The decoder that decodes nothing: each byte is an item.
#[derive(Debug, Default)]
pub struct Raw;

impl Decode for Raw {
    type Item = u8;

    fn decode(&mut self, bytes: &[u8], deliver: &mut dyn FnMut(u8)) {
        bytes.iter().copied().for_each(deliver);
    }

    fn reset(&mut self) {}
}

/// How a port is kept.
#[derive(Debug, Clone)]
pub struct PortConfig {
    /// Where the device is.
    pub address: Address,
    /// How often a device that is away is looked for where nothing tells that it came back: on the network, or while
    /// another program has it. A name in the file system is watched, and opened as soon as it is there.
    pub reopen: Duration,
    /// Writes that may wait behind the one under way; more are refused.
    pub queue: usize,
    /// Bytes given to the line at once. Small pieces keep the count of what was sent honest.
    pub chunk_bytes: usize,
}

impl PortConfig {
    /// Looks for the device four times a second, 16 writes may wait, 256 bytes at once.
    #[must_use]
    pub fn new(address: Address) -> PortConfig {
        PortConfig { address, reopen: Duration::from_millis(250), queue: 16, chunk_bytes: 256 }
    }
}

/// What happened on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortEvent<T> {
    /// The device is there and its line is open.
    Opened,
    /// The device is not there, or no longer. Reported once, however long it stays away; again if the reason changes.
    Gone {
        /// Why, in words.
        reason: String,
    },
    /// It sent something.
    Received(T),
}

/// How far a write came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The line took all bytes.
    All,
    /// The line took only the first `sent` bytes.
    Partly {
        /// Bytes taken.
        sent: usize,
        /// Why no more.
        why: WriteFailure,
    },
}

/// Why a write stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailure {
    /// The device is not there.
    #[error("the device is not connected")]
    Gone,
    /// The device held the line for longer than the deadline.
    #[error("the device takes no more data")]
    Stalled,
    /// More writes wait than the queue holds.
    #[error("too much is waiting to be sent")]
    Busy,
    /// The port was stopped.
    #[error("the port was closed")]
    Stopped,
}

struct Write {
    bytes: Vec<u8>,
    /// The longest pause without progress.
    stall: Duration,
    remains: Remains,
    under_way: Arc<UnderWay>,
    done: Done,
}

/// What is done about bytes that the system took and the line did not, when a write ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// They are the rest of something that was given up, and must not come out later.
    Discarded,
    /// Bytes of an earlier write may be among them, and they are still wanted.
    Kept,
}

/// A write that goes on while its caller does something else.
#[derive(Debug, Default)]
pub struct UnderWay {
    sent: AtomicUsize,
    given_up: AtomicBool,
}

impl UnderWay {
    /// Bytes that the line has taken so far.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends the write where it stands, as if the line had stalled.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// Whom a write tells how far it came. One that is thrown away with its port says so too.
struct Done(Option<Box<dyn FnOnce(Written) + Send>>);

impl Done {
    fn tell(mut self, written: Written) {
        if let Some(tell) = self.0.take() {
            tell(written);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Written::Partly { sent: 0, why: WriteFailure::Stopped });
        }
    }
}

/// What reader, writer and handles share.
#[derive(Default)]
struct Shared {
    state: Mutex<SharedState>,
    changed: Condvar,
}

#[derive(Default)]
struct SharedState {
    stop: bool,
    /// The writer's clone of the link that is open now.
    link: Option<Box<dyn Link>>,
    /// Counts openings, so that a writer's bad news about an old link does not close the new one.
    opening: u64,
    /// The opening whose link the writer found dead.
    dead: Option<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, SharedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits, and says whether the port goes on.
    fn pause(&self, wait: Duration) -> bool {
        let deadline = Deadline::after(wait);
        let mut state = self.lock();
        while !state.stop && !deadline.has_passed() {
            state =
                self.changed.wait_timeout(state, deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.stop
    }
}

/// Starts ports.
#[derive(Debug)]
pub struct Port;

impl Port {
    /// Starts the port's two threads. `on_event` is called on the reader's thread and must not block for long: while
    /// it does, nothing is read.
    ///
    /// # Errors
    /// When the system gives no threads. A device that is not there is no error: it is looked for.
    pub fn start<D: Decode>(
        config: PortConfig,
        decoder: D,
        on_event: impl FnMut(PortEvent<D::Item>) + Send + 'static,
    ) -> std::io::Result<PortHandle> {
        Port::start_answering(config, decoder, |_| on_event)
    }

    /// As [`Port::start`], for a device that is answered: `make` gets what to answer with, and makes the callback.
    /// An answer is written on the reader's thread, so give it a short `stall`.
    ///
    /// # Errors
    /// As [`Port::start`].
    pub fn start_answering<D: Decode, F: FnMut(PortEvent<D::Item>) + Send + 'static>(
        config: PortConfig,
        decoder: D,
        make: impl FnOnce(PortSender) -> F,
    ) -> std::io::Result<PortHandle> {
        let shared = Arc::new(Shared::default());
        let (writes, queue) = sync_channel(config.queue.max(1));
        let name = config.address.to_string();
        let chunk = config.chunk_bytes.max(1);
        let for_writer = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name(format!("write {name}"))
            .spawn(move || run_writer(&for_writer, &queue, chunk))?;
        let for_reader = Arc::clone(&shared);
        let sender = PortSender { shared: Arc::clone(&shared), writes };
        let on_event = make(sender.clone());
        let reader = std::thread::Builder::new()
            .name(format!("read {name}"))
            .spawn(move || run_reader(&for_reader, &config, decoder, on_event));
        let mut handle = PortHandle { sender, threads: vec![writer] };
        handle.threads.push(reader?);
        Ok(handle)
    }
}

/// Writes to a port. Cheap to clone; works until the port's handle is dropped.
#[derive(Clone)]
pub struct PortSender {
    shared: Arc<Shared>,
    writes: SyncSender<Message>,
}

enum Message {
    Write(Write),
    Stop,
}

impl PortSender {
    /// Writes and waits until the line has taken the bytes. `stall` is the longest pause without progress.
    #[must_use]
    pub fn write(&self, bytes: Vec<u8>, stall: Duration) -> Written {
        self.write_and(bytes, stall, Remains::Discarded)
    }

    /// As `write`, and says what is done about what is stuck in the line.
    #[must_use]
    pub fn write_and(&self, bytes: Vec<u8>, stall: Duration, remains: Remains) -> Written {
        let (done, outcome) = sync_channel(1);
        let _ = self.begin(bytes, stall, remains, move |written| {
            let _ = done.send(written);
        });
        outcome.recv().unwrap_or(Written::Partly { sent: 0, why: WriteFailure::Stopped })
    }

    /// Begins a write. `done` is called once, on the writer's thread or here, and must not block.
    pub fn begin(
        &self,
        bytes: Vec<u8>,
        stall: Duration,
        remains: Remains,
        done: impl FnOnce(Written) + Send + 'static,
    ) -> Arc<UnderWay> {
        let failed = |why| Written::Partly { sent: 0, why };
        let under_way = Arc::new(UnderWay::default());
        let done = Done(Some(Box::new(done)));
        if self.shared.lock().stop {
            done.tell(failed(WriteFailure::Stopped));
            return under_way;
        }
        let write = Write { bytes, stall, remains, under_way: Arc::clone(&under_way), done };
        let (Message::Write(refused), why) = (match self.writes.try_send(Message::Write(write)) {
            Ok(()) => return under_way,
            Err(TrySendError::Full(back)) => (back, WriteFailure::Busy),
            Err(TrySendError::Disconnected(back)) => (back, WriteFailure::Stopped),
        }) else {
            return under_way;
        };
        refused.done.tell(failed(why));
        under_way
    }
}

/// A running port. Dropping it stops it.
pub struct PortHandle {
    sender: PortSender,
    threads: Vec<JoinHandle<()>>,
}

impl PortHandle {
    /// Writes and waits until the line has taken the bytes. `stall` is the longest pause without progress.
    #[must_use]
    pub fn write(&self, bytes: Vec<u8>, stall: Duration) -> Written {
        self.sender.write(bytes, stall)
    }

    /// Something to write with from elsewhere.
    #[must_use]
    pub fn sender(&self) -> PortSender {
        self.sender.clone()
    }

    /// Asks both threads to stop; a write under way ends where it stands. Dropping the handle waits for them and
    /// closes the line.
    pub fn stop(&self) {
        self.sender.shared.stop();
        // A full queue needs no message: the writer looks at the flag after each write.
        let _ = self.sender.writes.try_send(Message::Stop);
    }
}

impl Drop for PortHandle {
    fn drop(&mut self) {
        self.stop();
        let here = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // A callback that drops its own port must not wait for itself.
            if thread.thread().id() != here {
                let _ = thread.join();
            }
        }
    }
}

fn run_reader<D: Decode>(
    shared: &Shared,
    config: &PortConfig,
    mut decoder: D,
    mut on_event: impl FnMut(PortEvent<D::Item>),
) {
    let mut last_reason = None;
    let mut watch = None;
    loop {
        let wait = match config.address.open().and_then(|link| Ok((link.clone_link()?, link))) {
            Ok((for_writer, mut link)) => {
                watch = None;
                let opened = Stopwatch::start();
                let opening = lend(shared, for_writer);
                decoder.reset();
                on_event(PortEvent::Opened);
                let reason = read_until_gone(shared, opening, link.as_mut(), &mut decoder, &mut on_event);
                take_back(shared, opening);
                let Some(reason) = reason else { return };
                // The device cannot take what is left; closing must not wait for it.
                link.discard();
                drop(link);
                decoder.cut(&mut |item| on_event(PortEvent::Received(item)));
                last_reason = Some(reason.clone());
                on_event(PortEvent::Gone { reason });
                if opened.elapsed() < LASTED { config.reopen } else { Duration::ZERO }
            }
            Err(error) => {
                let reason = in_words(&error);
                if last_reason.as_ref() != Some(&reason) {
                    // After "went away" comes "is not there", which says nothing new.
                    let news = last_reason.is_none() || !matches!(error, LinkError::NotFound { .. });
                    last_reason = Some(reason.clone());
                    if news {
                        on_event(PortEvent::Gone { reason });
                    }
                }
                match (&error, &watch) {
                    (LinkError::NotFound { .. }, Some(_)) => LOOK_ANYWAY,
                    // A watch is about to begin: what came before it is looked for once more.
                    (LinkError::NotFound { .. }, None) => Duration::ZERO,
                    _ => config.reopen,
                }
            }
        };
        let wait = if watch.is_some() || begin_watch(&mut watch, config) { wait } else { config.reopen };
        if !away(shared, watch.as_mut(), wait) {
            return;
        }
    }
}

/// Whether the device's name is watched from now on.
fn begin_watch(watch: &mut Option<Watch>, config: &PortConfig) -> bool {
    *watch = config.address.watch();
    watch.is_some()
}

/// Lets the writer have its clone of a link that was just opened, and counts the opening.
fn lend(shared: &Shared, for_writer: Box<dyn Link>) -> u64 {
    let mut state = shared.lock();
    state.opening += 1;
    state.link = Some(for_writer);
    let opening = state.opening;
    drop(state);
    shared.changed.notify_all();
    opening
}

/// Takes the link from the writer: a writer that still holds its clone must not give it back.
fn take_back(shared: &Shared, opening: u64) {
    let mut state = shared.lock();
    state.link = None;
    state.dead = Some(opening);
}

/// Waits for a device that is away: until its name means something else, or until `wait` has passed. Never shorter
/// than [`SETTLE`]. Says whether the port goes on.
fn away(shared: &Shared, watch: Option<&mut Watch>, wait: Duration) -> bool {
    let deadline = Deadline::after(wait.max(SETTLE));
    let Some(watch) = watch else { return shared.pause(wait.max(SETTLE)) };
    if !shared.pause(SETTLE) {
        return false;
    }
    while !deadline.has_passed() && !watch.wait(deadline.left().min(READ_WAIT)) {
        if shared.lock().stop {
            return false;
        }
    }
    !shared.lock().stop
}

/// Reads until the device is gone, and says why; none if the port is stopped.
fn read_until_gone<D: Decode>(
    shared: &Shared,
    opening: u64,
    link: &mut dyn Link,
    decoder: &mut D,
    on_event: &mut impl FnMut(PortEvent<D::Item>),
) -> Option<String> {
    /// A wait of nothing would be a busy loop.
    const LEAST: Duration = Duration::from_millis(1);
    let mut buffer = [0; READ_BYTES];
    let mut silence = Stopwatch::start();
    loop {
        {
            let state = shared.lock();
            if state.stop {
                return None;
            }
            if state.dead == Some(opening) {
                return Some(in_words(&LinkError::Gone));
            }
        }
        let quiet_in = decoder.quiet_after().map(|after| after.saturating_sub(silence.elapsed()));
        match link.read(&mut buffer, quiet_in.unwrap_or(READ_WAIT).clamp(LEAST, READ_WAIT)) {
            Ok(0) => {
                if decoder.quiet_after().is_some_and(|after| silence.elapsed() >= after) {
                    decoder.quiet(&mut |item| on_event(PortEvent::Received(item)));
                }
            }
            Ok(count) => {
                decoder.decode(&buffer[..count], &mut |item| on_event(PortEvent::Received(item)));
                // After the callback: while it works, nobody listens to the line.
                silence = Stopwatch::start();
            }
            Err(error) => return Some(in_words(&error)),
        }
    }
}

fn in_words(error: &LinkError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn run_writer(shared: &Shared, queue: &Receiver<Message>, chunk: usize) {
    while let Ok(Message::Write(write)) = queue.recv() {
        let (link, opening) = {
            let mut state = shared.lock();
            if state.stop {
                write.done.tell(Written::Partly { sent: 0, why: WriteFailure::Stopped });
                return;
            }
            (state.link.take(), state.opening)
        };
        let Some(mut link) = link else {
            write.done.tell(Written::Partly { sent: 0, why: WriteFailure::Gone });
            continue;
        };
        let written = write_all(shared, opening, link.as_mut(), &write, chunk);
        {
            let mut state = shared.lock();
            match &written {
                Written::All => {}
                Written::Partly { why: WriteFailure::Gone, .. } => state.dead = Some(opening),
                Written::Partly { .. } => match write.remains {
                    Remains::Discarded => link.discard(),
                    Remains::Kept => {}
                },
            }
            // Given back unless the reader has opened another since, or closed this one.
            if state.opening == opening && state.dead != Some(opening) && !state.stop {
                state.link.get_or_insert(link);
            }
        }
        write.done.tell(written);
    }
}

fn write_all(shared: &Shared, opening: u64, link: &mut dyn Link, write: &Write, chunk: usize) -> Written {
    /// How soon a writer notices that its device is gone or that it is asked to stop.
    const LOOK: Duration = Duration::from_millis(100);
    let mut sent = 0;
    let mut stall = Deadline::after(write.stall);
    while sent < write.bytes.len() {
        let end = write.bytes.len().min(sent + chunk);
        match link.write(&write.bytes[sent..end], LOOK.min(stall.left())) {
            Ok(0) => {
                let state = shared.lock();
                if state.stop {
                    return Written::Partly { sent, why: WriteFailure::Stopped };
                }
                if state.opening != opening || state.dead == Some(opening) {
                    return Written::Partly { sent, why: WriteFailure::Gone };
                }
                if stall.has_passed() || write.under_way.given_up.load(Ordering::Relaxed) {
                    return Written::Partly { sent, why: WriteFailure::Stalled };
                }
            }
            Ok(count) => {
                sent += count;
                write.under_way.sent.store(sent, Ordering::Relaxed);
                stall = Deadline::after(write.stall);
            }
            Err(_) => return Written::Partly { sent, why: WriteFailure::Gone },
        }
    }
    Written::All
}
