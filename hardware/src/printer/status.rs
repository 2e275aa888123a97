//! What a printer says about itself: answers to `DLE EOT`, and the packets it sends by itself after `GS a`.
//!
//! Pure. Telling the bytes apart is in `status::decoder`; when to ask, and what an answer means for a job, in
//! `printer::driver`. Bits: "ESC/POS Command Reference for TM Printers" (Epson), DLE EOT and GS a; the same in
//! Citizen's CBM1000 and iDP3221 manuals. Bits that differ between models (drawer level, waiting for recovery) are
//! not read.

mod decoder;

use std::fmt;

pub use decoder::{MAX_BLOCK_BYTES, Reply, StatusDecoder};

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
    /// The knife is jammed. Once it is free, `DLE ENQ 1` or the switch brings the printer back.
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

    /// The health in a packet of automatic status: four bytes, each complete in itself.
    #[must_use]
    pub fn of_packet(packet: [u8; 4]) -> PrinterStatus {
        let [printer, error, paper, _] = packet;
        let fault = match (error & 0x20 != 0, error & 0x0c != 0, error & 0x40 != 0) {
            (true, _, _) => Fault::Lasting,
            // Bit 2 is a fault of the mechanism that a person mends, as bit 3 is one of the knife.
            (false, true, _) => Fault::Cutter,
            (false, false, true) => Fault::Passing,
            (false, false, false) => Fault::None,
        };
        let paper = match (paper & 0x0c != 0, paper & 0x03 != 0) {
            (true, _) => Paper::Out,
            (false, true) => Paper::NearEnd,
            (false, false) => Paper::Ok,
        };
        PrinterStatus {
            answers: true,
            online: printer & 0x08 == 0,
            cover_open: printer & 0x20 != 0,
            paper,
            fault,
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

    #[test]
    fn a_packet_says_the_same_as_the_four_answers() {
        let of = |packet| PrinterStatus::of_packet(packet);
        assert_eq!(of([0x10, 0, 0, 0]).to_string(), "ready");
        assert_eq!(of([0x14, 0, 0, 0]), of([0x10, 0, 0, 0]), "a drawer's level is not the printer's health");
        assert!(of([0x10, 0, 0x03, 0]).can_print());
        assert_eq!(of([0x10, 0, 0x03, 0]).paper, Paper::NearEnd);
        assert_eq!(of([0x18, 0, 0x0f, 0]).paper, Paper::Out);
        assert!(of([0x38, 0, 0, 0]).cover_open);
        for (byte, fault) in [(0x08, Fault::Cutter), (0x20, Fault::Lasting), (0x40, Fault::Passing)] {
            assert_eq!(of([0x18, byte, 0, 0]).fault, fault);
        }
    }
}
