//! A port: a link that is kept open, with one thread that reads and one that writes.
//!
//! The reader opens the link, frames what comes in and reopens when the device comes back (`port::reader`). The writer
//! takes jobs from a bounded queue and says of each how far it came (`port::writer`). What is written, and what is done
//! about a failed write, is the caller's affair: nothing is sent twice here.

mod reader;
mod writer;

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Address, Deadline, Link};
use reader::run_reader;
use writer::{Done, Message, Write, run_writer};
pub use writer::{Remains, UnderWay, WriteFailure, Written};

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

    /// Lets the line go if the device holds it by XOFF: see [`Link::let_go`]. In its turn behind other writes; left out
    /// when too many of them wait.
    pub fn let_go(&self) {
        let _ = self.writes.try_send(Message::LetGo);
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
