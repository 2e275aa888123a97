//! One job over one line: asks before, writes, asks after, and says exactly one of four things.
//!
//! Blocking, and without threads: `handle` gives it one. A job that meets an obstacle which a person can see to waits
//! for it and goes on where it stopped. **Invariant:** no byte of a job is given to the line twice.
//!
//! Not here: what bytes of the printer mean (`status`), what proves that a job is done (`word`), how long an obstacle
//! is waited for (`hold`).

mod ears;
mod hold;
mod word;

use std::time::Duration;

use ears::Ears;
use hold::Hold;
use word::{Rung, STATUS_BACK, Word};

use super::escpos::MAX_BLOCK_BYTES;
pub use super::outcome::{JobOutcome, Patience, Progress, Why};
use super::status::{Fault, PrinterStatus, Question};
pub use super::wire::{Go, HeldBy, LinkWire, Moment, Wire};
use crate::link::{Deadline, Written};
use crate::profile::{Cutter, Profile, Replies};

/// `DLE ENQ 1`: go on from the line where the error occurred. Epson TM-T88III specification, DLE ENQ.
const RECOVER: [u8; 3] = [0x10, 0x05, 1];

/// Drives one printer over one wire.
pub struct PrinterDriver<W> {
    wire: W,
    profile: &'static Profile,
    patience: Patience,
    ears: Ears,
    opening: Option<u64>,
    /// The printer may still be waiting for the rest of a command's data: of a job that broke off, or of whoever used
    /// it before us.
    broken_off: bool,
    /// It was asked to tell of changes by itself since it was last switched on, as far as we know.
    tells: bool,
    /// The rest of a short command that the line did not take whole. It goes before anything else.
    rest: Vec<u8>,
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
            broken_off: profile.replies != Replies::Never,
            tells: false,
            rest: Vec::new(),
            late: 0,
            knows_ids: None,
            last_id: 0,
        }
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
        if let Some(why) = self.wire.ended() {
            self.ears.status = PrinterStatus::SILENT;
            return Err(why);
        }
        if let Some(why) = self.obstacle() {
            return Err(why);
        }
        if self.broken_off {
            // NUL prints nothing. As many as the longest data of a command we send fill up whatever is open.
            match self.wire.write(&[0; MAX_BLOCK_BYTES], self.patience.stall) {
                Written::All => self.broken_off = false,
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

    /// Sends one job and says what became of it. Blocks until that is known or patience ends.
    ///
    /// An empty job sends nothing and is confirmed when a job could begin now.
    pub fn print(&mut self, job: &[u8]) -> JobOutcome {
        self.print_watched(job, &mut |_| ())
    }

    /// As `print`, and tells while the job stands still and for what.
    pub fn print_watched(&mut self, job: &[u8], watch: &mut dyn FnMut(Progress)) -> JobOutcome {
        if let Err(why) = self.make_ready() {
            return JobOutcome::FailedBefore { why };
        }
        if job.is_empty() {
            return JobOutcome::Confirmed;
        }
        if let Err(why) = self.try_ids() {
            return JobOutcome::FailedBefore { why };
        }
        let mut hold = Hold::new(self.patience, self.wire.held_by(), watch);
        let opening = self.wire.opening();
        match self.send(job, &mut hold) {
            Ok(()) => {}
            Err((0, why)) => return JobOutcome::FailedBefore { why },
            Err((sent, why)) => {
                self.broken_off = true;
                self.rest.clear();
                return JobOutcome::FailedPartWay { sent, of: job.len(), why };
            }
        };
        match self.await_word(opening, job.len(), &mut hold) {
            Ok(()) => JobOutcome::Confirmed,
            Err(why) => {
                // A printer that never came to the end of the job may still be waiting for the rest of a command.
                self.broken_off |= why == Why::NoWord;
                JobOutcome::Unconfirmed { why }
            }
        }
    }

    /// Sends a job. The error is how many bytes the line had taken, and why no more.
    fn send(&mut self, job: &[u8], hold: &mut Hold<'_>) -> Result<(), (usize, Why)> {
        // A pause is short while the printer prints what its buffer holds.
        let short = self.patience.stall / 10;
        let (wire, ears) = (&mut self.wire, &mut self.ears);
        let (mut before, mut ended) = (0, None);
        let mut pause = Deadline::after(short);
        let mut look = |moment: Moment| {
            moment.heard.into_iter().for_each(|byte| ears.take_in(byte));
            let told = ears.told.and_then(Why::of_status);
            hold.told |= told.is_some();
            let stuck = told.is_none() && pause.has_passed();
            let goes_on = moment.sent > before;
            before = moment.sent;
            if goes_on || told.is_some() {
                pause = Deadline::after(short);
            }
            // It may have stood still and gone on before anybody could look.
            let stalled = stuck.then_some(Why::Stalled);
            let judged = hold.judge(told.or(stalled)).and(if goes_on { hold.judge(told) } else { Ok(()) });
            match judged {
                Ok(()) => Go::On,
                Err(why) => {
                    ended = Some(why);
                    Go::GiveUp
                }
            }
        };
        let written = wire.write_job(job, &mut look);
        match written {
            Written::All => {
                look(Moment { heard: None, sent: job.len() });
                Ok(())
            }
            Written::Partly { sent, why } => Err((sent, ended.or(self.wire.ended()).unwrap_or(why.into()))),
        }
    }

    /// Waits for the word that the job was worked through.
    fn await_word(&mut self, opening: Option<u64>, of: usize, hold: &mut Hold<'_>) -> Result<(), Why> {
        /// Words that are asked for again because more came than were asked for.
        const MAX_WORDS: usize = 3;
        for _ in 0..MAX_WORDS {
            let Some(word) = self.ask_for_word()? else {
                return Err(match (self.rung(), self.obstacle()) {
                    (Rung::Nothing, _) | (_, None) => Why::CannotTell,
                    (_, Some(why)) => why,
                });
            };
            self.await_one(word, opening, of, hold)?;
            self.outwait_old_fences(word);
            // Worked through; a knife that jams on the last command shows only now.
            let settle = match (self.rung(), self.profile.cutter) {
                (Rung::Clean, _) => self.patience.answer,
                (_, Cutter::Knife) => self.patience.settle,
                (_, Cutter::TearBar { .. }) => Duration::ZERO,
            };
            let deadline = Deadline::after(settle);
            while !deadline.has_passed() && self.wire.opening() == opening {
                self.listen(deadline.left());
            }
            if self.wire.opening() == opening
                && let fault @ (Fault::Cutter | Fault::Lasting) = self.ask_status().fault
            {
                return Err(Why::Fault(fault));
            }
            if self.ears.surplus {
                continue;
            }
            // One that goes on after a person has seen to it says so first, and then the same again when it is asked.
            // One that was off meanwhile has forgotten that it should tell, and may have forgotten the job.
            let was_off = hold.told && self.profile.status_back && !self.ears.repeated;
            return if hold.blind || was_off { Err(Why::HeldUp) } else { Ok(()) };
        }
        Err(Why::NoWord)
    }

    fn await_one(
        &mut self,
        word: Word,
        opening: Option<u64>,
        of: usize,
        hold: &mut Hold<'_>,
    ) -> Result<(), Why> {
        let at_9600_baud = Duration::from_micros(1042).saturating_mul(u32::try_from(of).unwrap_or(u32::MAX));
        let patience = self.patience.confirm + at_9600_baud;
        let mut deadline = Deadline::after(patience);
        while !self.has_come(word, opening) {
            if self.wire.opening() != opening {
                return Err(self.wire.ended().unwrap_or(Why::NotConnected));
            }
            if let Some(why) = self.wire.ended() {
                return Err(why);
            }
            let obstacle = if self.listen(self.patience.answer.min(deadline.left())) {
                match self.ears.told {
                    Some(told) => Why::of_status(told),
                    None => continue,
                }
            } else {
                // Quiet: is it still printing, or has it stopped?
                self.obstacle()
            };
            hold.told |= self.ears.told.and_then(Why::of_status).is_some();
            if self.has_come(word, opening) {
                break;
            }
            // A line that was lost meanwhile is no obstacle but an end.
            if self.wire.opening() == opening {
                hold.judge(obstacle)?;
            }
            if obstacle.is_some() {
                deadline = Deadline::after(patience);
            } else if deadline.has_passed() {
                return Err(Why::NoWord);
            }
        }
        hold.judge(None)
    }

    /// What stands in the way of printing by what the printer says now.
    fn obstacle(&mut self) -> Option<Why> {
        let status = self.ask_status();
        Why::of_status(status).map(|why| self.wire.ended().unwrap_or(why))
    }

    /// Tells a printer whose knife was jammed and is free again to go on. A person's act: what it had taken in and not
    /// printed comes out now. Confirmed when it is well after it.
    pub fn recover(&mut self) -> JobOutcome {
        let asked = match self.wire.ended() {
            Some(why) => Err(why),
            None => self.say(&RECOVER),
        };
        match asked.map(|()| self.obstacle()) {
            Ok(None) => JobOutcome::Confirmed,
            Ok(Some(why)) | Err(why) => JobOutcome::FailedBefore { why },
        }
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
