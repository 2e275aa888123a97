//! The word that a job was worked through: which one a printer can give, and how it is asked for.
//!
//! The ladder, best first: the process id of `GS ( H` function 48, which says printed; the answer to `GS r 1`, which
//! says worked through; the packet that `GS a` sends when its turn comes; none. A word is asked for once, right behind
//! the job: a second request could be answered by a printer that was off meanwhile and has forgotten the job.

use super::PrinterDriver;
use crate::link::Deadline;
use crate::printer::outcome::Why;
use crate::printer::wire::Wire;
use crate::profile::{Profile, Replies};

/// `GS r 1`: answered in the order of the job, so its answer proves that all before it was worked through.
pub(super) const FENCE: [u8; 3] = [0x1d, b'r', 1];

/// `GS a`: tell by itself of line, error and paper, and at once when this is worked off. The drawer's level is none of
/// our business.
pub(super) const STATUS_BACK: [u8; 3] = [0x1d, b'a', 0x0e];

/// `GS ( H` function 48 with an id of four printable characters. Epson TM-J2000/J2100 specification 10.05, p. 430.
fn process_id(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1d, b'(', b'H', 6, 0, b'0', b'0', a, b, c, d]
}

/// The best word that a printer can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rung {
    /// It says which job was printed.
    ProcessId,
    /// It answers in the order of the job.
    Fence,
    /// It says that it is well when the job's turn is over.
    Clean,
    /// None, though it answers questions.
    Questions,
    /// It says nothing at all.
    Nothing,
}

impl Rung {
    /// The rung of a printer; `knows_ids` is whether it has shown that it knows `GS ( H`.
    pub(super) fn of(profile: &Profile, knows_ids: bool) -> Rung {
        match profile.replies {
            Replies::ProcessId if knows_ids => Rung::ProcessId,
            Replies::ProcessId | Replies::Fenced => Rung::Fence,
            Replies::RealTime if profile.status_back => Rung::Clean,
            Replies::RealTime => Rung::Questions,
            Replies::Never => Rung::Nothing,
        }
    }
}

/// The word that a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// This id.
    Id([u8; 4]),
    /// An answer that leaves so many or fewer outstanding.
    Fences(usize),
}

impl<W: Wire> PrinterDriver<W> {
    /// Asks for the best word there is. `None` is a printer that can give none.
    pub(super) fn ask_for_word(&mut self) -> Result<Option<Word>, Why> {
        let rung = self.rung();
        if self.profile.status_back && rung != Rung::Clean {
            // Again behind each job, whose `ESC @` may have ended it.
            self.say(&STATUS_BACK)?;
        }
        Ok(match rung {
            Rung::ProcessId => {
                let id = self.draw_id();
                self.say(&process_id(id))?;
                Some(Word::Id(id))
            }
            Rung::Fence => Some(Word::Fences(self.send_fences(FENCE)?)),
            Rung::Clean => Some(Word::Fences(self.send_fences(STATUS_BACK)?)),
            Rung::Questions | Rung::Nothing => None,
        })
    }

    /// Whether the word has come on this opening. **Invariant:** nothing that was asked on one opening is taken as
    /// answered on another.
    pub(super) fn has_come(&self, word: Word, opening: Option<u64>) -> bool {
        let heard = match word {
            Word::Id(id) => self.ears.printed == Some(id),
            Word::Fences(old) => self.ears.fences_out <= old,
        };
        heard && self.opening == opening && self.wire.opening() == opening
    }

    pub(super) fn rung(&self) -> Rung {
        Rung::of(self.profile, self.knows_ids == Some(true))
    }

    /// Finds out once on each opening whether the printer knows `GS ( H`. Its answer also proves that nothing of an
    /// older program's job, whose ids may be the same, is still to be answered.
    pub(super) fn try_ids(&mut self) -> Result<(), Why> {
        if self.profile.replies != Replies::ProcessId || self.knows_ids.is_some() {
            return Ok(());
        }
        let [_, b, c, d] = self.draw_id();
        let id = [b'T', b, c, d];
        self.say(&process_id(id))?;
        let deadline = Deadline::after(self.patience.confirm);
        while self.ears.printed != Some(id) && !deadline.has_passed() && self.wire.opening().is_some() {
            self.listen(deadline.left());
        }
        if self.wire.opening().is_some() {
            self.knows_ids = Some(self.ears.printed == Some(id));
        }
        Ok(())
    }

    fn draw_id(&mut self) -> [u8; 4] {
        self.last_id = (self.last_id + 1) % 10_000;
        let mut rest = self.last_id;
        let mut id = [b'0'; 4];
        for digit in id.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        id
    }

    /// Fences a job, and says how many answers to older fences may still come.
    ///
    /// One answer looks like another. So one fence more is sent than answers may be under way: as many answers as
    /// fences sent now cannot all be old ones.
    fn send_fences(&mut self, fence: [u8; 3]) -> Result<usize, Why> {
        /// After three jobs without any answer there will be none to the old fences.
        const MAX_OLD_FENCES: usize = 6;
        if self.ears.fences_out > MAX_OLD_FENCES {
            self.ears.fences_out = 0;
        }
        let old = self.ears.fences_out;
        self.ears.surplus = false;
        let said = self.say(&fence.repeat(old + 1));
        // Those that the line took in part are finished before anything else.
        if said.is_ok() || !self.rest.is_empty() {
            self.ears.fences_out += old + 1;
        }
        said.map(|()| old)
    }

    /// Listens until no answer to an older fence can come any more: answers come in order, and those to our own fences
    /// right behind each other.
    pub(super) fn outwait_old_fences(&mut self, word: Word) {
        if let Word::Fences(old) = word
            && old > 0
        {
            while self.listen(self.patience.answer) {}
            self.ears.fences_out = 0;
        }
    }
}
