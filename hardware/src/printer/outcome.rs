//! How jobs end: exactly one of four ways, and why in words.
//!
//! How it comes to be known is in `printer::driver`; what it means for a receipt is its sender's affair.

use std::fmt;
use std::time::Duration;

use super::status::{Fault, Paper, PrinterStatus};
use crate::link::WriteFailure;

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// The printer says that it has worked through all of it.
    Confirmed,
    /// All of it was sent; whether all of it is on paper has to be looked at.
    Unconfirmed {
        /// What stands in the way of knowing.
        why: Why,
    },
    /// Nothing of it was sent: it may be submitted again without a trace on paper.
    FailedBefore {
        /// What stood in the way.
        why: Why,
    },
    /// The line took some of it, and some of that may be on paper.
    FailedPartWay {
        /// Bytes the line took.
        sent: usize,
        /// Bytes of the job.
        of: usize,
        /// What stopped it.
        why: Why,
    },
}

impl fmt::Display for JobOutcome {
    /// A sentence for the person who waits for the paper.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobOutcome::Confirmed => f.write_str("printed"),
            JobOutcome::Unconfirmed { why } => write!(f, "sent, but not known to be printed: {why}"),
            JobOutcome::FailedBefore { why } => write!(f, "not printed: {why}"),
            JobOutcome::FailedPartWay { sent, of, why } => {
                write!(f, "broken off after {sent} of {of} bytes: {why}")
            }
        }
    }
}

/// What stands in the way of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The port is not open.
    NotConnected,
    /// The port is open and the printer does not answer.
    Silent,
    /// The printer says that it is off line, and not why.
    Offline,
    /// The cover is open.
    CoverOpen,
    /// There is no paper.
    PaperOut,
    /// Something is broken.
    Fault(Fault),
    /// The printer takes no more data.
    Stalled,
    /// The printer stood still for a while and did not say why. It may have been off, and have forgotten what it had.
    HeldUp,
    /// Too many jobs wait.
    Busy,
    /// This kind of printer cannot say whether a job was printed.
    CannotTell,
    /// The printer answers and is well, but the word that the job was worked through never came.
    NoWord,
    /// The printer took the drawer's pulse, and nothing shows that the drawer moved: it may have no switch, or be open.
    NoSign,
    /// A person no longer wanted to wait.
    GivenUp,
    /// The till is shutting the printer down.
    Stopped,
}

impl Why {
    /// Why a printer of this health cannot print; none if it can.
    #[must_use]
    pub fn of_status(status: PrinterStatus) -> Option<Why> {
        if status.cover_open {
            Some(Why::CoverOpen)
        } else if status.paper == Paper::Out {
            Some(Why::PaperOut)
        } else if status.fault != Fault::None {
            Some(Why::Fault(status.fault))
        } else if status.online {
            None
        } else if status.answers {
            Some(Why::Offline)
        } else {
            Some(Why::Silent)
        }
    }

    /// Whether printing goes on by itself once a person, or time, has seen to it.
    #[must_use]
    pub fn passes(self) -> bool {
        match self {
            Why::CoverOpen | Why::PaperOut | Why::Offline | Why::Fault(Fault::Passing) => true,
            // One that does not speak or takes nothing may be out of paper as well as switched off.
            Why::Silent | Why::Stalled => true,
            Why::Fault(Fault::None | Fault::Cutter | Fault::Lasting) => false,
            Why::NotConnected | Why::HeldUp | Why::Busy | Why::CannotTell | Why::NoWord => false,
            Why::NoSign | Why::GivenUp | Why::Stopped => false,
        }
    }
}

impl fmt::Display for Why {
    /// A sentence for the person who stands before the printer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let silent = PrinterStatus::SILENT;
        match self {
            Why::NotConnected => f.write_str("the printer is not connected: look at its cable"),
            Why::Silent => silent.fmt(f),
            Why::Offline => PrinterStatus { answers: true, ..silent }.fmt(f),
            Why::CoverOpen => PrinterStatus { cover_open: true, ..silent }.fmt(f),
            Why::PaperOut => PrinterStatus { paper: Paper::Out, ..silent }.fmt(f),
            Why::Fault(fault) => PrinterStatus { fault: *fault, ..silent }.fmt(f),
            Why::Stalled => f.write_str("the printer takes no more data: look whether it is out of paper"),
            Why::HeldUp => {
                f.write_str("the printer stood still for a while and may have been off: look at the paper")
            }
            Why::Busy => f.write_str("too many receipts wait for the printer: look what holds it up"),
            Why::CannotTell => f.write_str("this printer cannot say whether it printed: look at the paper"),
            Why::NoWord => f.write_str("the printer did not say that it was done: look at the paper"),
            Why::NoSign => f.write_str("nothing shows that the drawer moved: look at it"),
            Why::GivenUp => f.write_str("the wait for the printer was given up: look at the paper"),
            Why::Stopped => f.write_str("the printer was shut down"),
        }
    }
}

impl From<WriteFailure> for Why {
    fn from(failure: WriteFailure) -> Why {
        match failure {
            WriteFailure::Gone => Why::NotConnected,
            WriteFailure::Stalled => Why::Stalled,
            WriteFailure::Busy => Why::Busy,
            WriteFailure::Stopped => Why::Stopped,
        }
    }
}

/// What a job under way tells while it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It stands still for this reason, and goes on by itself once that is seen to.
    Held(Why),
    /// It goes on.
    GoesOn,
}

/// How long to wait for a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the answer to a question that is answered at once.
    pub answer: Duration,
    /// For a line that takes no bytes, or a printer that fell silent within a job, when nothing says why.
    pub stall: Duration,
    /// For a person to load paper, close the cover, or let the head cool, within a job.
    pub hold: Duration,
    /// For the word that a short job was worked through; each byte of the job adds what it takes at 9,600 baud.
    pub confirm: Duration,
    /// For the knife, which moves after the word that the job was worked through.
    pub settle: Duration,
}

impl Default for Patience {
    /// One second for answers, thirty for a line without a word, ten minutes for paper, ten seconds for the word at
    /// the end, a quarter of a second for the knife.
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience {
            answer: seconds(1),
            stall: seconds(30),
            hold: seconds(600),
            confirm: seconds(10),
            settle: Duration::from_millis(250),
        }
    }
}
