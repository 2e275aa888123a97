//! One job over one line: asks before, writes, asks after, and says exactly one of four things.
//!
//! Blocking, and without threads: `handle` gives it one. A job that meets an obstacle which a person can see to waits
//! for it and goes on where it stopped. **Invariant:** no byte of a job is given to the line twice.
//!
//! Not here: what bytes of the printer mean (`status`), what proves that a job is done (`word`), how long an obstacle
//! is waited for (`hold`).

mod acts;
mod ears;
mod hold;
mod job;
mod word;

use std::time::Duration;

use ears::Ears;
use word::{Rung, STATUS_BACK};

use super::escpos::MAX_BLOCK_BYTES;
pub use super::outcome::{JobOutcome, Patience, Progress, Why};
use super::status::{PrinterStatus, Question};
pub use super::wire::{Errand, Go, HeldBy, LinkWire, Moment, Wire};
use crate::display;
use crate::link::{Deadline, Written};
use crate::profile::{Profile, Replies};

/// Whether the printer may still be waiting for the rest of a command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// It has worked through all that it was given.
    No,
    /// Whoever used it before us, or a job whose word did not come, may have left something half said.
    Perhaps,
    /// A job of ours broke off.
    Surely,
}

/// Whether a customer display shares the printer's line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shared {
    /// The printer has the line to itself.
    #[default]
    No,
    /// A display hangs on it too, and `ESC =` says whose turn it is.
    WithDisplay,
}

/// Drives one printer over one wire.
pub struct PrinterDriver<W> {
    wire: W,
    profile: &'static Profile,
    patience: Patience,
    ears: Ears,
    opening: Option<u64>,
    broken: Broken,
    /// It was asked to tell of changes by itself since it was last switched on, as far as we know.
    tells: bool,
    /// The rest of a short command that the line did not take whole. It goes before anything else.
    rest: Vec<u8>,
    /// A display shares the line, and may have it.
    shared: Shared,
    /// Questions whose answers did not come in time, and may still.
    late: usize,
    /// Whether the printer knows process ids; `None` until it was tried on this opening.
    knows_ids: Option<bool>,
    last_id: u16,
}

impl<W: Wire> PrinterDriver<W> {
    /// A driver for the printer at the end of `wire`.
    pub fn new(wire: W, profile: &'static Profile, patience: Patience) -> PrinterDriver<W> {
        PrinterDriver {
            wire,
            profile,
            patience,
            ears: Ears::new(Rung::of(profile, false) == Rung::Clean),
            opening: None,
            // One that never answers may be of a kind that prints filler.
            broken: if profile.replies == Replies::Never { Broken::No } else { Broken::Perhaps },
            tells: false,
            rest: Vec::new(),
            shared: Shared::No,
            late: 0,
            knows_ids: None,
            last_id: 0,
        }
    }

    /// The same driver for a line that may be shared.
    #[must_use]
    pub fn on_line(mut self, shared: Shared) -> PrinterDriver<W> {
        self.shared = shared;
        self
    }

    /// The printer's health as last heard.
    #[must_use]
    pub fn status(&self) -> PrinterStatus {
        self.ears.status
    }

    /// Whether the line to the printer is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wire.opening().is_some()
    }

    /// Takes in what the printer has said by itself, without waiting.
    pub fn overhear(&mut self) {
        self.notice_opening();
        while self.listen(Duration::ZERO) {}
    }

    /// Asks after the printer's health. A printer that never answers is taken to be well while its line is open.
    pub fn ask_status(&mut self) -> PrinterStatus {
        self.notice_opening();
        self.ears.status = match (self.profile.replies, self.wire.opening()) {
            (_, None) => PrinterStatus::SILENT,
            (Replies::Never, Some(_)) => {
                PrinterStatus { answers: true, online: true, ..PrinterStatus::SILENT }
            }
            (Replies::RealTime | Replies::Fenced | Replies::ProcessId, Some(_)) => self.ask_all(),
        };
        self.ears.status
    }

    fn ask_all(&mut self) -> PrinterStatus {
        let mut heard = PrinterStatus::default();
        for question in Question::ALL {
            let Some(answer) = self.ask(question) else {
                // It may have said before it fell silent, or before it held the line, what is the matter.
                return match self.ears.told {
                    Some(told) if !told.can_print() => told,
                    _ => {
                        self.tells = false;
                        PrinterStatus::SILENT
                    }
                };
            };
            heard.take_in(question, answer);
        }
        heard
    }

    /// Asks after the printer's health, and makes a healthy one ready for a job: whatever is half said in it is
    /// completed, and it is asked to tell of changes by itself.
    ///
    /// # Errors
    /// Why no job can begin.
    pub fn make_ready(&mut self) -> Result<(), Why> {
        self.notice_opening();
        if let Some(why) = self.wire.ended() {
            self.ears.status = PrinterStatus::SILENT;
            return Err(why);
        }
        if self.shared == Shared::WithDisplay {
            // A display has the line to itself when it is switched on.
            self.say(&display::PRINTER)?;
        }
        if let Some(why) = self.obstacle() {
            return Err(why);
        }
        if self.broken != Broken::No {
            // NUL prints nothing. As many as the longest data of a command we send fill up whatever is open.
            match self.wire.write(&[0; MAX_BLOCK_BYTES], self.patience.stall) {
                Written::All => self.broken = Broken::No,
                Written::Partly { why, .. } => return Err(why.into()),
            }
            self.rest.clear();
            // On a slow line the filler takes its time, and the question stands behind it.
            let arrived = Deadline::after(self.patience.stall);
            while let Some(why) = self.obstacle() {
                if why != Why::Silent || arrived.has_passed() {
                    return Err(why);
                }
            }
        }
        if self.profile.status_back && !self.tells {
            self.say(&STATUS_BACK)?;
            self.tells = true;
            self.ears.fences_out += usize::from(self.ears.by_packets);
        }
        Ok(())
    }

    /// As `make_ready`, and a line on which nothing gets through is let go first: the printer's leave to go on may have
    /// been lost.
    ///
    /// # Errors
    /// Why no job can begin.
    pub fn tend(&mut self) -> Result<(), Why> {
        match self.make_ready() {
            Err(Why::Silent | Why::Stalled) if self.wire.let_go() => self.make_ready(),
            ready => ready,
        }
    }

    /// What stands in the way of printing by what the printer says now.
    fn obstacle(&mut self) -> Option<Why> {
        let status = self.ask_status();
        Why::of_status(status).map(|why| self.wire.ended().unwrap_or(why))
    }

    /// Asks one question and waits for its answer.
    fn ask(&mut self, question: Question) -> Option<u8> {
        // What was heard before the question cannot be its answer.
        while self.listen(Duration::ZERO) {}
        self.ears.answers.clear();
        self.say(&question.encode()).ok()?;
        let deadline = Deadline::after(self.patience.answer);
        while self.ears.answers.is_empty() {
            if !self.listen(deadline.left()) && (deadline.has_passed() || !self.is_open()) {
                self.late += 1;
                return None;
            }
        }
        if self.late > 0 {
            // Answers come in order: when it is quiet, the last one is ours.
            while self.listen(self.patience.answer) {}
            self.late = 0;
        }
        self.ears.answers.pop_back()
    }

    /// Sends a short command that is no part of a job. One that the line takes in part is finished before the next.
    fn say(&mut self, command: &[u8]) -> Result<(), Why> {
        let begun = self.rest.len();
        self.rest.extend_from_slice(command);
        match self.wire.write(&self.rest, self.patience.answer) {
            Written::All => {
                self.rest.clear();
                Ok(())
            }
            Written::Partly { sent, why } => {
                // Not begun: it is not wanted later.
                if sent <= begun {
                    self.rest.truncate(begun);
                }
                self.rest.drain(..sent);
                Err(why.into())
            }
        }
    }

    /// Takes in the next byte, if one comes within `wait`.
    fn listen(&mut self, wait: Duration) -> bool {
        match self.wire.hear(wait) {
            Some(byte) => {
                self.ears.take_in(byte);
                true
            }
            None => false,
        }
    }

    /// After a new opening no answer to anything older can come.
    fn notice_opening(&mut self) {
        let opening = self.wire.opening();
        if opening != self.opening {
            self.opening = opening;
            self.ears.reset();
            self.rest.clear();
            (self.tells, self.late, self.knows_ids) = (false, 0, None);
        }
    }
}
