//! What is done to a printer besides printing: its drawer opened at once, its error taken back, its display shown.
//!
//! Each is a person's act or a screen's, and none is part of a job: they go out between jobs, or behind one that the
//! line has taken whole. **Invariant:** nothing of this lands between two bytes of a job.

use std::time::Duration;

use super::{Broken, PrinterDriver};
use crate::display;
use crate::document::{DrawerPin, DrawerPulse};
use crate::link::Deadline;
use crate::printer::outcome::{JobOutcome, Why};
use crate::printer::status::Question;
use crate::printer::wire::{Errand, Wire};

/// `DLE ENQ 1`: go on from the line where the error occurred. Epson TM-T88III specification, DLE ENQ.
const RECOVER: [u8; 3] = [0x10, 0x05, 1];

/// In the answer to `DLE EOT 1`: the level of the drawer connector's pin 3, which its switch moves. Which level is open
/// depends on the wiring; that it changes says that the drawer moved. Epson TM-T88III specification, DLE EOT.
const DRAWER_LEVEL: u8 = 0x04;

/// How long a drawer may take to roll out after its pulse.
const ROLLS_OUT: Duration = Duration::from_millis(700);

/// `DLE DC4 1 m t`: a pulse as soon as it arrives, t × 100 ms from 1 to 8. Epson ESC/POS reference, DLE DC4 (fn = 1);
/// the same in Citizen's CBM1000 manual, p. 54.
fn pulse_at_once(pulse: DrawerPulse) -> [u8; 5] {
    let m = match pulse.pin {
        DrawerPin::Two => 0,
        DrawerPin::Five => 1,
    };
    let tenths = u8::try_from(pulse.on_ms.div_ceil(100)).unwrap_or(u8::MAX).clamp(1, 8);
    [0x10, 0x14, 1, m, tenths]
}

impl<W: Wire> PrinterDriver<W> {
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

    /// Opens the drawer of a printer that does not print now: without paper, or with its cover open. A person's act.
    ///
    /// Confirmed only when the drawer's switch moved. The pulse leaves only after the printer has answered, so that none
    /// waits in a line that is held and opens the drawer when nobody stands there.
    pub fn open_drawer_at_once(&mut self, pulse: DrawerPulse) -> JobOutcome {
        self.notice_opening();
        let not_sent = |why| JobOutcome::FailedBefore { why };
        if let Some(why) = self.wire.ended() {
            return not_sent(why);
        }
        if !self.profile.drawer_at_once || self.broken == Broken::Surely {
            return not_sent(self.obstacle().unwrap_or(Why::Offline));
        }
        let Some(before) = self.ask(Question::Printer) else { return not_sent(Why::Silent) };
        let command = pulse_at_once(pulse);
        if let Err(why) = self.say(&command) {
            return if self.rest.is_empty() { not_sent(why) } else { JobOutcome::Unconfirmed { why } };
        }
        let moves = Deadline::after(Duration::from_millis(u64::from(command[4]) * 100) + ROLLS_OUT);
        let mut why = Why::Silent;
        while !moves.has_passed() && self.wire.ended().is_none() {
            let Some(now) = self.ask(Question::Printer) else { continue };
            if (now ^ before) & DRAWER_LEVEL != 0 {
                return JobOutcome::Confirmed;
            }
            why = Why::NoSign;
            let again = Deadline::after(self.patience.answer.min(ROLLS_OUT / 10));
            while self.listen(again.left()) {}
        }
        JobOutcome::Unconfirmed { why: self.wire.ended().unwrap_or(why) }
    }

    /// Shows something on the display that shares the printer's line, and gives the line back to the printer. Confirmed
    /// when the line took all of it; a display says nothing.
    pub fn show(&mut self, frame: &[u8]) -> JobOutcome {
        self.notice_opening();
        if let Some(why) = self.wire.ended() {
            return JobOutcome::FailedBefore { why };
        }
        if self.broken != Broken::No {
            // Whatever waits for the rest of its data would swallow it.
            return JobOutcome::FailedBefore { why: self.obstacle().unwrap_or(Why::Offline) };
        }
        match self.say(&display::pass_through(frame)) {
            Ok(()) => JobOutcome::Confirmed,
            Err(why) if self.rest.is_empty() => JobOutcome::FailedBefore { why },
            // The rest goes before anything else, and ends with the printer's turn.
            Err(why) => JobOutcome::Unconfirmed { why },
        }
    }

    /// Does what was asked for while a job that the line has taken whole is waited for.
    pub(super) fn run_errands(&mut self) {
        while let Some(errand) = self.wire.errand() {
            let outcome = match errand {
                Errand::OpenDrawer(pulse) => self.open_drawer_at_once(pulse),
                Errand::Show(frame) => self.show(&frame),
            };
            self.wire.errand_done(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_at_once_is_at_least_as_long_as_was_asked_for() {
        for (pin, on_ms, bytes) in [
            (DrawerPin::Two, 50, [0x10, 0x14, 1, 0, 1]),
            (DrawerPin::Five, 100, [0x10, 0x14, 1, 1, 1]),
            (DrawerPin::Two, 120, [0x10, 0x14, 1, 0, 2]),
            (DrawerPin::Two, 510, [0x10, 0x14, 1, 0, 6]),
            (DrawerPin::Two, 60_000, [0x10, 0x14, 1, 0, 8]),
            (DrawerPin::Two, 0, [0x10, 0x14, 1, 0, 1]),
        ] {
            assert_eq!(pulse_at_once(DrawerPulse { pin, on_ms, off_ms: 500 }), bytes);
        }
    }
}
