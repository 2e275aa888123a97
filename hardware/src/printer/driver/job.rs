//! One job from its first byte to its outcome: sent, then waited for.
//!
//! Not here: how a printer is made ready for it (`driver`), what proves that it is done (`word`), how long an obstacle is
//! waited for (`hold`).

use std::time::Duration;

use super::hold::Hold;
use super::word::{Rung, Word};
use super::{Broken, PrinterDriver};
use crate::link::{Deadline, Written};
use crate::printer::outcome::{JobOutcome, Progress, Why};
use crate::printer::status::Fault;
use crate::printer::wire::{Go, Moment, Wire};
use crate::profile::Cutter;

impl<W: Wire> PrinterDriver<W> {
    /// Sends one job and says what became of it. Blocks until that is known or patience ends.
    ///
    /// An empty job sends nothing and is confirmed when a job could begin now.
    pub fn print(&mut self, job: &[u8]) -> JobOutcome {
        self.print_watched(job, &mut |_| ())
    }

    /// As `print`, and tells while the job stands still and for what.
    pub fn print_watched(&mut self, job: &[u8], watch: &mut dyn FnMut(Progress)) -> JobOutcome {
        if let Err(why) = self.tend() {
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
                self.broken = Broken::Surely;
                self.rest.clear();
                return JobOutcome::FailedPartWay { sent, of: job.len(), why };
            }
        };
        match self.await_word(opening, job.len(), &mut hold) {
            Ok(()) => JobOutcome::Confirmed,
            Err(why) => {
                // A printer that never came to the end of the job may still be waiting for the rest of a command.
                if why == Why::NoWord {
                    self.broken = Broken::Perhaps;
                }
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
                Ok(()) if stalled.is_some() && hold.lost_its_leave() => Go::LetGo,
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
            let Some(word) = self.ask_for_word_while(opening, hold)? else {
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

    /// Asks for the word as soon as the line takes the request: one that is held right behind the job is waited for like
    /// one that is held within it.
    fn ask_for_word_while(&mut self, opening: Option<u64>, hold: &mut Hold<'_>) -> Result<Option<Word>, Why> {
        loop {
            match self.ask_for_word() {
                Err(Why::Stalled) => {}
                asked => return asked,
            }
            self.run_errands();
            while self.listen(Duration::ZERO) {}
            if let Some(why) = self.wire.ended() {
                return Err(why);
            }
            if self.wire.opening() != opening {
                return Err(Why::NotConnected);
            }
            let told = self.ears.told.and_then(Why::of_status);
            hold.told |= told.is_some();
            self.wait_for(told.or(Some(Why::Stalled)), hold)?;
        }
    }

    /// Waits for what stands in the way of a job that the line has taken. A line that is held longer than anything is
    /// waited for is let go once before that is the end.
    fn wait_for(&mut self, obstacle: Option<Why>, hold: &mut Hold<'_>) -> Result<(), Why> {
        match hold.judge(obstacle) {
            Err(Why::Silent | Why::Stalled) if hold.may_be_let_go() && self.wire.let_go() => {
                hold.wait_again();
                Ok(())
            }
            Ok(()) if obstacle == Some(Why::Stalled) && hold.lost_its_leave() => {
                let _ = self.wire.let_go();
                Ok(())
            }
            judged => judged,
        }
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
            self.run_errands();
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
                self.wait_for(obstacle, hold)?;
            }
            if obstacle.is_some() {
                deadline = Deadline::after(patience);
            } else if deadline.has_passed() {
                return Err(Why::NoWord);
            }
        }
        hold.judge(None)
    }
}
