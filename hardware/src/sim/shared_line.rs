//! A display that hangs between host and printer on one line, and hands on what is not for it.
//!
//! Written from Epson's reference for DM-D displays, `ESC =`: which device the line is for, the display alone when it is
//! switched on. It looks for `ESC =` in every byte that passes, within pictures too, as a real one does: it does not know
//! the printer's commands.

use super::display::{DisplayFamily, Screen, Shown};

const ESC: u8 = 0x1b;

/// The display on the way to the printer.
pub(super) struct SharedLine {
    screen: Screen,
    family: DisplayFamily,
    for_display: bool,
    for_printer: bool,
    /// The beginning of what may be `ESC =`.
    held: Vec<u8>,
}

impl SharedLine {
    pub(super) fn new(family: DisplayFamily) -> SharedLine {
        SharedLine {
            screen: Screen::new(family),
            family,
            for_display: true,
            for_printer: false,
            held: Vec::new(),
        }
    }

    /// Its power was off for a moment.
    pub(super) fn power_cycle(&mut self) {
        *self = SharedLine::new(self.family);
    }

    /// What it shows.
    pub(super) fn shown(&self) -> Shown {
        self.screen.shown()
    }

    /// Takes a byte in, and gives out what goes on to the printer.
    pub(super) fn push(&mut self, byte: u8) -> Vec<u8> {
        self.held.push(byte);
        match *self.held.as_slice() {
            [ESC] | [ESC, b'='] => Vec::new(),
            [ESC, b'=', n @ 1..=3] => {
                let had_it = self.for_printer;
                (self.for_printer, self.for_display) = (n & 1 != 0, n & 2 != 0);
                let select = std::mem::take(&mut self.held);
                // Only the display's own turn, renewed, is no news for the printer.
                if had_it || self.for_printer { select } else { Vec::new() }
            }
            _ => {
                // The last byte may begin one of its own.
                let again = byte == ESC && self.held.len() > 1;
                let keep = self.held.len() - usize::from(again);
                let bytes: Vec<u8> = self.held.drain(..keep).collect();
                if self.for_display {
                    bytes.iter().for_each(|byte| self.screen.push(*byte));
                }
                if self.for_printer { bytes } else { Vec::new() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_gets_what_is_meant_for_it() {
        let mut line = SharedLine::new(DisplayFamily::EscPos);
        let mut printer = Vec::new();
        for byte in b"lost\x1b=\x01\x1b@a\x1b\x1bb\x1b=\x02\x1b@\x1f$\x01\x01hello\x1b=\x01c" {
            printer.extend(line.push(*byte));
        }
        assert_eq!(printer, b"\x1b=\x01\x1b@a\x1b\x1bb\x1b=\x02\x1b=\x01c");
        assert_eq!(line.shown().lines[0].trim_end(), "hello");
        assert_eq!(line.shown().errors, [] as [String; 0]);
    }
}
