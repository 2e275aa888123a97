//! The writing half of a port: one write after the other, and of each how far it came.
//!
//! Not here: who opens the link and takes it away again (`reader`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::Shared;
use crate::link::{Deadline, Link};

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

pub(super) struct Write {
    pub(super) bytes: Vec<u8>,
    /// The longest pause without progress.
    pub(super) stall: Duration,
    pub(super) remains: Remains,
    pub(super) under_way: Arc<UnderWay>,
    pub(super) done: Done,
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
    let_go: AtomicBool,
}

impl UnderWay {
    /// Bytes that the line has taken so far.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Lets the line go if the device holds it by XOFF: see [`Link::let_go`].
    pub fn let_go(&self) {
        self.let_go.store(true, Ordering::Relaxed);
    }

    /// Ends the write where it stands, as if the line had stalled.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// Whom a write tells how far it came. One that is thrown away with its port says so too.
pub(super) struct Done(pub(super) Option<Box<dyn FnOnce(Written) + Send>>);

impl Done {
    pub(super) fn tell(mut self, written: Written) {
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

/// What the writer is asked to do.
pub(super) enum Message {
    Write(Write),
    LetGo,
    Stop,
}

/// Writes what is asked for, one after the other, until the port is stopped.
pub(super) fn run_writer(shared: &Shared, queue: &Receiver<Message>, chunk: usize) {
    loop {
        let write = match queue.recv() {
            Ok(Message::Write(write)) => write,
            Ok(Message::LetGo) => {
                if let Some(link) = &mut shared.lock().link {
                    let _ = link.let_go();
                }
                continue;
            }
            Ok(Message::Stop) | Err(_) => return,
        };
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
                if write.under_way.let_go.swap(false, Ordering::Relaxed) {
                    let _ = link.let_go();
                }
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
