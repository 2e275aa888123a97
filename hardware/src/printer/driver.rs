//! One job over one line: asks before, writes, asks after, and says exactly one of four things.
//!
//! Blocking, and without threads: `handle` gives it one. It never sends a byte of a job twice.

use std::fmt;
use std::time::Duration;

use super::escpos::MAX_QR_BYTES;
use super::status::{FENCE, Fault, Paper, PrinterStatus, Question, Reply};
use crate::link::{Deadline, Link, LinkError, WriteFailure, Written};
use crate::profile::{Profile, Replies};

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

/// What stood in the way of a job.
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
    /// Too many jobs wait.
    Busy,
    /// This kind of printer cannot say whether a job was printed.
    CannotTell,
    /// The printer answers and is well, but the word that the job was worked through never came.
    NoWord,
    /// The till is shutting the printer down.
    Stopped,
}

impl fmt::Display for Why {
    /// A sentence for the person who stands before the printer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let silent = PrinterStatus::SILENT;
        match self {
            Why::NotConnected => f.write_str("the printer is not connected: look at its cable"),
            Why::Silent => {
                f.write_str("the printer does not answer: look at its power, its cover and its cable")
            }
            Why::Offline => silent.fmt(f),
            Why::CoverOpen => PrinterStatus { cover_open: true, ..silent }.fmt(f),
            Why::PaperOut => PrinterStatus { paper: Paper::Out, ..silent }.fmt(f),
            Why::Fault(fault) => PrinterStatus { fault: *fault, ..silent }.fmt(f),
            Why::Stalled => f.write_str("the printer takes no more data: look whether it is out of paper"),
            Why::Busy => f.write_str("too many receipts wait for the printer: look what holds it up"),
            Why::CannotTell => f.write_str("this printer cannot say whether it printed: look at the paper"),
            Why::NoWord => f.write_str("the printer did not say that it was done: look at the paper"),
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

/// How long to wait for a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the answer to a question that is answered at once.
    pub answer: Duration,
    /// For a line that takes no bytes.
    pub stall: Duration,
    /// For the word that a short job was worked through; each byte of the job adds what it takes at 9,600 baud.
    pub confirm: Duration,
}

impl Default for Patience {
    /// One second, ten seconds, ten seconds.
    fn default() -> Patience {
        let seconds = Duration::from_secs;
        Patience { answer: seconds(1), stall: seconds(10), confirm: seconds(10) }
    }
}

/// What a driver writes to and hears from: a port, or a bare link.
pub trait Wire {
    /// Writes all, or says how far it came.
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written;
    /// The next byte the printer sent, waiting at most `wait`. `None` at once when the line is lost.
    fn hear(&mut self, wait: Duration) -> Option<u8>;
    /// A number that changes with each opening of the line; `None` while it is not open.
    fn opening(&self) -> Option<u64>;
}

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
}

impl Wire for LinkWire {
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.link.write(&bytes[sent..], stall) {
                Ok(0) => {
                    self.link.discard();
                    return Written::Partly { sent, why: WriteFailure::Stalled };
                }
                Ok(count) => sent += count,
                Err(_) => {
                    self.gone = true;
                    return Written::Partly { sent, why: WriteFailure::Gone };
                }
            }
        }
        Written::All
    }

    fn hear(&mut self, wait: Duration) -> Option<u8> {
        let mut byte = [0];
        match self.link.read(&mut byte, wait) {
            Ok(0) => None,
            Ok(_) => Some(byte[0]),
            Err(LinkError::Gone) => {
                self.gone = true;
                None
            }
            Err(_) => None,
        }
    }

    fn opening(&self) -> Option<u64> {
        (!self.gone).then_some(0)
    }
}

/// Drives one printer over one wire.
pub struct PrinterDriver<W> {
    wire: W,
    profile: &'static Profile,
    patience: Patience,
    status: PrinterStatus,
    /// Fences sent on this opening whose answers may still come. An answer that comes late belongs to an older job.
    fences_out: usize,
    opening: Option<u64>,
    /// The last job broke off: the printer may still be waiting for the rest of a command's data.
    broken_off: bool,
}

impl<W: Wire> PrinterDriver<W> {
    /// A driver for the printer at the end of `wire`.
    pub fn new(wire: W, profile: &'static Profile, patience: Patience) -> PrinterDriver<W> {
        PrinterDriver {
            wire,
            profile,
            patience,
            status: PrinterStatus::SILENT,
            fences_out: 0,
            opening: None,
            broken_off: false,
        }
    }

    /// The printer's health as last heard.
    #[must_use]
    pub fn status(&self) -> PrinterStatus {
        self.status
    }

    /// Whether the line to the printer is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.wire.opening().is_some()
    }

    /// Asks after the printer's health. A printer that never answers is taken to be well while its line is open.
    pub fn ask_status(&mut self) -> PrinterStatus {
        self.notice_opening();
        self.status = match (self.profile.replies, self.wire.opening()) {
            (_, None) => PrinterStatus::SILENT,
            (Replies::Never, Some(_)) => {
                PrinterStatus { answers: true, online: true, ..PrinterStatus::SILENT }
            }
            (Replies::RealTime | Replies::Fenced | Replies::ProcessId, Some(_)) => {
                let mut heard = PrinterStatus::default();
                let all = Question::ALL.into_iter().all(|question| match self.ask(question) {
                    Some(answer) => {
                        heard.take_in(question, answer);
                        true
                    }
                    None => false,
                });
                if all { heard } else { PrinterStatus::SILENT }
            }
        };
        self.status
    }

    /// Sends one job and says what became of it. Blocks until that is known or patience ends.
    ///
    /// An empty job sends nothing and is confirmed when a job could begin now.
    pub fn print(&mut self, job: &[u8]) -> JobOutcome {
        if let Err(why) = self.before() {
            return JobOutcome::FailedBefore { why };
        }
        if job.is_empty() {
            return JobOutcome::Confirmed;
        }
        let of = job.len();
        let opening = self.wire.opening();
        let written = self.wire.write(job, self.patience.stall);
        match written {
            Written::All => {}
            Written::Partly { sent: 0, why } => return JobOutcome::FailedBefore { why: why.into() },
            Written::Partly { sent, why } => {
                self.broken_off = true;
                return JobOutcome::FailedPartWay { sent, of, why: why.into() };
            }
        }
        match self.after(opening, of) {
            Ok(()) => JobOutcome::Confirmed,
            Err(why) => JobOutcome::Unconfirmed { why },
        }
    }

    /// Makes sure that a job may begin.
    fn before(&mut self) -> Result<(), Why> {
        if self.wire.opening().is_none() {
            self.status = PrinterStatus::SILENT;
            return Err(Why::NotConnected);
        }
        let status = self.ask_status();
        if !status.can_print() {
            return Err(self.why_not(status));
        }
        if self.broken_off {
            // NUL prints nothing. As many as the longest data of a command we send fill up whatever is open.
            let filler = vec![0; MAX_QR_BYTES + 16];
            match self.wire.write(&filler, self.patience.stall) {
                Written::All => self.broken_off = false,
                Written::Partly { why, .. } => return Err(why.into()),
            }
        }
        Ok(())
    }

    /// Waits for the word that the job was worked through.
    fn after(&mut self, opening: Option<u64>, job_bytes: usize) -> Result<(), Why> {
        match self.profile.replies {
            Replies::Never => return Err(Why::CannotTell),
            Replies::RealTime => {
                let status = self.ask_status();
                return Err(if status.can_print() { Why::CannotTell } else { self.why_not(status) });
            }
            Replies::Fenced | Replies::ProcessId => {}
        }
        let old = self.send_fences()?;
        let at_9600_baud =
            Duration::from_micros(1042).saturating_mul(u32::try_from(job_bytes).unwrap_or(u32::MAX));
        let deadline = Deadline::after(self.patience.confirm + at_9600_baud);
        while self.fences_out > old {
            if self.wire.opening() != opening {
                return Err(Why::NotConnected);
            }
            match self.wire.hear(self.patience.answer.min(deadline.left())) {
                Some(byte) => {
                    self.count(Reply::decode(byte));
                }
                // Quiet: is it still printing, or has it stopped?
                None => {
                    let status = self.ask_status();
                    if self.fences_out > old && status.answers && !status.can_print() {
                        return Err(self.why_not(status));
                    }
                    if self.fences_out > old && deadline.has_passed() {
                        return Err(if status.answers { Why::NoWord } else { self.why_not(status) });
                    }
                }
            }
        }
        if old > 0 {
            // Answers come in order, and those to our own fences right behind each other: when it is quiet, no older
            // one can come any more.
            while self.wire.hear(self.patience.answer).is_some() {}
            self.fences_out = 0;
        }
        // Worked through; a knife that jammed on the last command shows only now.
        match self.ask_status().fault {
            Fault::None | Fault::Passing => Ok(()),
            fault @ (Fault::Cutter | Fault::Lasting) => Err(Why::Fault(fault)),
        }
    }

    /// Fences a job, and says how many answers to older fences may still come.
    ///
    /// One answer looks like another. So one fence more is sent than answers may be under way: as many answers as
    /// fences sent now cannot all be old ones.
    fn send_fences(&mut self) -> Result<usize, Why> {
        /// After three jobs without any answer there will be none to the old fences.
        const MAX_OLD_FENCES: usize = 6;
        if self.fences_out > MAX_OLD_FENCES {
            self.fences_out = 0;
        }
        let old = self.fences_out;
        self.fences_out += old + 1;
        match self.wire.write(&FENCE.repeat(old + 1), self.patience.stall) {
            Written::All => Ok(old),
            Written::Partly { why, .. } => Err(why.into()),
        }
    }

    /// Asks one question and waits for its answer.
    fn ask(&mut self, question: Question) -> Option<u8> {
        // What was heard before the question cannot be its answer.
        while let Some(byte) = self.wire.hear(Duration::ZERO) {
            self.count(Reply::decode(byte));
        }
        match self.wire.write(&question.encode(), self.patience.answer) {
            Written::All => {}
            Written::Partly { .. } => return None,
        }
        let deadline = Deadline::after(self.patience.answer);
        while let Some(byte) = self.wire.hear(deadline.left()) {
            if let Reply::RealTime(answer) = self.count(Reply::decode(byte)) {
                return Some(answer);
            }
        }
        None
    }

    /// Notes answers to fences, whoever is waiting for what.
    fn count(&mut self, reply: Reply) -> Reply {
        match reply {
            Reply::Fence(_) => self.fences_out = self.fences_out.saturating_sub(1),
            Reply::RealTime(_) | Reply::Other(_) => {}
        }
        reply
    }

    /// After a new opening no answer to an old fence can come.
    fn notice_opening(&mut self) {
        let opening = self.wire.opening();
        if opening != self.opening {
            self.opening = opening;
            self.fences_out = 0;
        }
    }

    fn why_not(&self, status: PrinterStatus) -> Why {
        if status.cover_open {
            Why::CoverOpen
        } else if status.paper == Paper::Out {
            Why::PaperOut
        } else if status.fault != Fault::None {
            Why::Fault(status.fault)
        } else if status.answers {
            Why::Offline
        } else if self.wire.opening().is_none() {
            Why::NotConnected
        } else {
            Why::Silent
        }
    }
}
