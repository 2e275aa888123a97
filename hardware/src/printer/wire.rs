//! What a driver writes to and hears from: a bare link here, a port in `printer::handle`.
//!
//! Bytes only; what they mean is in `printer::driver` and `printer::status`.

use std::time::Duration;

use super::outcome::{JobOutcome, Why};
use crate::document::DrawerPulse;
use crate::link::{Deadline, Link, LinkError, WriteFailure, Written};

/// What happens while a job is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// A byte that the printer sent meanwhile.
    pub heard: Option<u8>,
    /// Bytes of the job that the line has taken.
    pub sent: usize,
}

/// Whether a write goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// It goes on.
    On,
    /// It goes on, and the line is let go as [`Wire::let_go`] does.
    LetGo,
    /// It ends where it stands.
    GiveUp,
}

/// What may be done while a job that the line has taken whole is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// The drawer is wanted open now.
    OpenDrawer(DrawerPulse),
    /// Bytes for the display that shares the line.
    Show(Vec<u8>),
}

/// Who holds a line that takes no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBy {
    /// The printer itself has said so: by XOFF, or by the window of its connection. It is alive.
    ItsWord,
    /// A signal line, which also drops when the printer is switched off.
    ItsLine,
}

/// What a driver writes to and hears from.
pub trait Wire {
    /// Writes all, or says how far it came. What the line was given before is kept, whatever becomes of this.
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written;
    /// Writes a job, however long that takes. `look` is called for each byte heard meanwhile, and about ten times a
    /// second when there is none. What has not left when it gives up is thrown away.
    fn write_job(&mut self, job: &[u8], look: &mut dyn FnMut(Moment) -> Go) -> Written;
    /// The next byte the printer sent, waiting at most `wait`. `None` at once when the line is lost.
    fn hear(&mut self, wait: Duration) -> Option<u8>;
    /// A number that changes with each opening of the line; `None` while it is not open.
    fn opening(&self) -> Option<u64>;
    /// Why no job should be waited for any longer, if so.
    fn ended(&self) -> Option<Why> {
        self.opening().is_none().then_some(Why::NotConnected)
    }
    /// Who holds the line when it takes nothing.
    fn held_by(&self) -> HeldBy {
        HeldBy::ItsLine
    }
    /// Lets a line go that the printer holds by its word, whose leave to go on may have been lost on the way. False
    /// where there is no such word.
    fn let_go(&mut self) -> bool {
        false
    }
    /// What is wanted meanwhile, if anything. Its outcome is told to [`Wire::errand_done`].
    fn errand(&mut self) -> Option<Errand> {
        None
    }
    /// What became of the last errand.
    fn errand_done(&mut self, _outcome: JobOutcome) {}
}

/// How often a job is looked at while it is written.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// A bare link, for a program that prints once and ends.
pub struct LinkWire {
    link: Box<dyn Link>,
    gone: bool,
}

impl LinkWire {
    /// A wire over an open link.
    #[must_use]
    pub fn new(link: Box<dyn Link>) -> LinkWire {
        LinkWire { link, gone: false }
    }

    fn partly(sent: usize, why: WriteFailure) -> Written {
        Written::Partly { sent, why }
    }
}

impl Wire for LinkWire {
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.link.write(&bytes[sent..], stall) {
                Ok(0) => return LinkWire::partly(sent, WriteFailure::Stalled),
                Ok(count) => sent += count,
                Err(_) => {
                    self.gone = true;
                    return LinkWire::partly(sent, WriteFailure::Gone);
                }
            }
        }
        Written::All
    }

    fn write_job(&mut self, job: &[u8], look: &mut dyn FnMut(Moment) -> Go) -> Written {
        /// Given to the line at once, so that the count of what was sent stays honest.
        const CHUNK_BYTES: usize = 256;
        let mut sent = 0;
        while sent < job.len() {
            let end = job.len().min(sent + CHUNK_BYTES);
            match self.link.write(&job[sent..end], LOOK) {
                Ok(count) => sent += count,
                Err(_) => {
                    self.gone = true;
                    return LinkWire::partly(sent, WriteFailure::Gone);
                }
            }
            let mut go = look(Moment { heard: None, sent });
            while let Some(byte) = self.hear(Duration::ZERO) {
                go = look(Moment { heard: Some(byte), sent });
            }
            match go {
                Go::On => {}
                Go::LetGo => {
                    self.link.let_go();
                }
                Go::GiveUp => {
                    self.link.discard();
                    return LinkWire::partly(sent, WriteFailure::Stalled);
                }
            }
        }
        Written::All
    }

    fn hear(&mut self, wait: Duration) -> Option<u8> {
        let mut byte = [0];
        // A byte that is not heard by then has not come; a deadline guards against a link that returns early.
        let deadline = Deadline::after(wait);
        loop {
            match self.link.read(&mut byte, deadline.left()) {
                Ok(0) if deadline.has_passed() => return None,
                Ok(0) => {}
                Ok(_) => return Some(byte[0]),
                Err(error) => {
                    self.gone |= matches!(error, LinkError::Gone);
                    return None;
                }
            }
        }
    }

    fn opening(&self) -> Option<u64> {
        (!self.gone).then_some(0)
    }

    fn let_go(&mut self) -> bool {
        self.link.let_go()
    }
}
