//! Waiting for a person: a job that stands still tells why, and goes on by itself when that is seen to.

use crate::link::Deadline;
use crate::printer::outcome::{Patience, Progress, Why};
use crate::printer::wire::HeldBy;

/// What stands in a job's way, and until when it is waited for.
pub(super) struct Hold<'a> {
    patience: Patience,
    held_by: HeldBy,
    held: Option<Held>,
    /// It stood still and nothing said why: the printer may have been off, and have forgotten what it had.
    pub(super) blind: bool,
    /// It stood still because the printer said so by itself.
    pub(super) told: bool,
    /// Until when it is believed to be busy, though it has said that it is well and takes nothing.
    busy: Option<Deadline>,
    let_go: bool,
    watch: &'a mut dyn FnMut(Progress),
}

struct Held {
    why: Why,
    /// It fell silent after it had said why.
    silent: bool,
    until: Deadline,
}

impl<'a> Hold<'a> {
    /// Nothing stands in the way yet.
    pub(super) fn new(patience: Patience, held_by: HeldBy, watch: &'a mut dyn FnMut(Progress)) -> Hold<'a> {
        Hold { patience, held_by, held: None, blind: false, told: false, busy: None, let_go: false, watch }
    }

    /// Takes in what stands in the way now. An error is what the job ends with.
    pub(super) fn judge(&mut self, obstacle: Option<Why>) -> Result<(), Why> {
        let Some(why) = obstacle else {
            self.busy = None;
            if self.held.take().is_some() {
                (self.watch)(Progress::GoesOn);
            }
            return Ok(());
        };
        if !why.passes() {
            return Err(why);
        }
        self.blind |= match (why, self.held_by) {
            (Why::Silent, _) | (Why::Stalled, HeldBy::ItsLine) => true,
            // It has sent XOFF, and is alive.
            (Why::Stalled, HeldBy::ItsWord) => false,
            _ => false,
        };
        match &mut self.held {
            Some(held) if held.why == why => {}
            // Some printers do not speak while their cover is open: the reason stays the one that was given.
            Some(held) if says_nothing(why) && !says_nothing(held.why) => {
                if !held.silent {
                    held.silent = true;
                    held.until = Deadline::after(self.patience.stall * 4);
                }
            }
            _ => {
                let limit = match (why, self.held_by) {
                    (Why::Silent, _) | (Why::Stalled, HeldBy::ItsLine) => self.patience.stall,
                    _ => self.patience.hold,
                };
                self.held = Some(Held { why, silent: false, until: Deadline::after(limit) });
                (self.watch)(Progress::Held(why));
            }
        }
        match &self.held {
            Some(held) if held.until.has_passed() => Err(held.why),
            _ => Ok(()),
        }
    }
}

impl Hold<'_> {
    /// Whether a printer that holds its line by its word has forgotten to take it back, or the line has lost that: it
    /// stood still, said that it is well again, and has taken nothing since for as long as it may need to print what it
    /// holds. Said once; whether every byte after it was taken in nobody knows.
    pub(super) fn lost_its_leave(&mut self) -> bool {
        if !self.told || self.held_by != HeldBy::ItsWord {
            return false;
        }
        let busy = *self.busy.get_or_insert_with(|| Deadline::after(self.patience.stall));
        let lost = busy.has_passed() && self.may_be_let_go();
        self.blind |= lost;
        lost
    }

    /// Once in a job.
    pub(super) fn may_be_let_go(&mut self) -> bool {
        !std::mem::replace(&mut self.let_go, true)
    }

    /// What stands in the way now is waited for once more.
    pub(super) fn wait_again(&mut self) {
        if let Some(held) = &mut self.held {
            held.until = Deadline::after(self.patience.stall);
        }
    }
}

fn says_nothing(why: Why) -> bool {
    matches!(why, Why::Silent | Why::Stalled)
}
