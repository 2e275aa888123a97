//! What a printer says about itself: `DLE EOT` questions and answers, and the `GS r` fence.
//!
//! Pure. When to ask, and what an answer means for a job, is in `printer::driver`. Bits: "ESC/POS Command
//! Reference for TM Printers" (Epson), DLE EOT and GS r. Bits that differ between models (drawer level, waiting
//! for recovery) are not read.

use std::fmt;

/// A question that is answered at once, whatever the printer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// `DLE EOT 1`: on line?
    Printer,
    /// `DLE EOT 2`: why off line?
    Offline,
    /// `DLE EOT 3`: which error?
    Error,
    /// `DLE EOT 4`: how much paper?
    Roll,
}

impl Question {
    /// All of them, in the order of their numbers.
    pub const ALL: [Question; 4] = [Question::Printer, Question::Offline, Question::Error, Question::Roll];

    /// The bytes that ask it.
    #[must_use]
    pub fn encode(self) -> [u8; 3] {
        let n = match self {
            Question::Printer => 1,
            Question::Offline => 2,
            Question::Error => 3,
            Question::Roll => 4,
        };
        [0x10, 0x04, n]
    }
}

/// `GS r 1`: answered in the order of the job, so its answer proves that all before it was worked through.
pub const FENCE: [u8; 3] = [0x1d, b'r', 1];

/// What kind of byte came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// An answer to `DLE EOT`: fixed bits 0xx1xx10.
    RealTime(u8),
    /// An answer to `GS r`: fixed bits 0xx0xxxx.
    Fence(u8),
    /// XON or XOFF that came through, or noise.
    Other(u8),
}

impl Reply {
    /// Tells the kinds apart by their fixed bits.
    #[must_use]
    pub fn decode(byte: u8) -> Reply {
        if byte & 0x93 == 0x12 {
            Reply::RealTime(byte)
        } else if byte & 0x90 == 0 {
            Reply::Fence(byte)
        } else {
            Reply::Other(byte)
        }
    }
}

/// How much paper is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Paper {
    /// Enough.
    #[default]
    Ok,
    /// The roll is nearly empty; it still prints.
    NearEnd,
    /// None: it does not print.
    Out,
}

/// What is broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The knife is jammed.
    Cutter,
    /// It recovers by itself: the head is hot.
    Passing,
    /// It must be switched off and on, or repaired.
    Lasting,
}

/// A printer's health as last heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrinterStatus {
    /// It answers at all.
    pub answers: bool,
    /// It says that it is on line.
    pub online: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// Paper left.
    pub paper: Paper,
    /// Broken parts.
    pub fault: Fault,
}

impl PrinterStatus {
    /// A printer that answers nothing: switched off, unplugged, or with its cover open.
    pub const SILENT: PrinterStatus = PrinterStatus {
        answers: false,
        online: false,
        cover_open: false,
        paper: Paper::Ok,
        fault: Fault::None,
    };

    /// Takes in the answer to one question. Bits of other questions are left as they were.
    pub fn take_in(&mut self, question: Question, answer: u8) {
        let bit = |n: u8| answer & (1 << n) != 0;
        self.answers = true;
        match question {
            Question::Printer => self.online = !bit(3),
            Question::Offline => {
                self.cover_open = bit(2);
                if bit(5) {
                    self.paper = Paper::Out;
                }
            }
            Question::Error => {
                self.fault = match (bit(5), bit(3), bit(6)) {
                    (true, _, _) => Fault::Lasting,
                    (false, true, _) => Fault::Cutter,
                    (false, false, true) => Fault::Passing,
                    (false, false, false) => Fault::None,
                }
            }
            Question::Roll => {
                self.paper = match (bit(5) || bit(6), bit(2) || bit(3)) {
                    (true, _) => Paper::Out,
                    (false, true) => Paper::NearEnd,
                    (false, false) => Paper::Ok,
                }
            }
        }
    }

    /// Whether a job may begin.
    #[must_use]
    pub fn can_print(&self) -> bool {
        self.online && !self.cover_open && self.paper != Paper::Out && self.fault == Fault::None
    }
}

impl fmt::Display for PrinterStatus {
    /// A sentence for the person who stands before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.cover_open {
            "the cover is open: close it"
        } else if self.paper == Paper::Out {
            "the paper has run out: put in a new roll"
        } else if self.fault == Fault::Cutter {
            "the knife is jammed: switch the printer off, free the paper, switch it on"
        } else if self.fault == Fault::Lasting {
            "the printer reports an error: switch it off and on"
        } else if self.fault == Fault::Passing {
            "the print head is too hot: wait a minute"
        } else if !self.answers {
            "the printer does not answer: look at its power, its cover and its cable"
        } else if !self.online {
            "the printer is off line: look at its buttons, then switch it off and on"
        } else if self.paper == Paper::NearEnd {
            "ready; the paper is nearly at its end"
        } else {
            "ready"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_by_their_fixed_bits() {
        assert_eq!(Reply::decode(0x12), Reply::RealTime(0x12));
        assert_eq!(Reply::decode(0x7e), Reply::RealTime(0x7e));
        assert_eq!(Reply::decode(0x00), Reply::Fence(0));
        assert_eq!(Reply::decode(0x0c), Reply::Fence(0x0c));
        assert_eq!(Reply::decode(0x11), Reply::Other(0x11));
        assert_eq!(Reply::decode(0x13), Reply::Other(0x13));
    }

    #[test]
    fn the_four_answers_make_one_status_with_words() {
        let mut status = PrinterStatus::SILENT;
        status.take_in(Question::Printer, 0x12);
        assert!(status.can_print());
        assert_eq!(status.to_string(), "ready");
        status.take_in(Question::Roll, 0x12 | 0x0c);
        assert_eq!(status.paper, Paper::NearEnd);
        assert!(status.can_print());
        status.take_in(Question::Roll, 0x12 | 0x60);
        assert_eq!(status.to_string(), "the paper has run out: put in a new roll");
        assert!(!status.can_print());
        status.take_in(Question::Roll, 0x12);
        status.take_in(Question::Offline, 0x12 | 0x04);
        assert_eq!(status.to_string(), "the cover is open: close it");
        status.take_in(Question::Offline, 0x12);
        status.take_in(Question::Error, 0x12 | 0x08);
        assert_eq!(status.fault, Fault::Cutter);
        status.take_in(Question::Error, 0x12);
        status.take_in(Question::Printer, 0x12 | 0x08);
        assert!(!status.can_print());
    }
}
