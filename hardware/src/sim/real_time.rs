//! Picks the commands that a printer obeys at once out of its bytes, wherever they stand and however they are split.

/// What one more byte makes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// Nothing yet, or bytes for the print head that were held back.
    Bytes(Vec<u8>),
    /// `DLE EOT n`.
    Question(u8),
    /// `DLE ENQ 1`: go on where the error occurred.
    Recover,
    /// `DLE ENQ 2`: forget what was received, and go on.
    RecoverEmpty,
    /// `DLE DC4 1 m t`: a pulse to the drawer.
    Pulse {
        /// The connector's pin, 2 or 5.
        pin: u8,
        /// Times 100 ms.
        tenths: u8,
    },
    /// `DLE DC4 8` with its six fixed bytes: forget what was received, and say so.
    Clear,
}

/// `DLE DC4` function 8: these bytes and no others.
const CLEAR: [u8; 10] = [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];

/// Holds what may be the beginning of such a command.
#[derive(Debug, Default)]
pub(super) struct RealTime {
    held: Vec<u8>,
}

impl RealTime {
    /// Takes one byte in. What looks like a command and is none passes on to the paper, where it is an error.
    pub(super) fn push(&mut self, byte: u8) -> Sorted {
        self.held.push(byte);
        let sorted = match *self.held.as_slice() {
            [0x10] | [0x10, 0x04 | 0x05 | 0x14] | [0x10, 0x14, 1] | [0x10, 0x14, 1, 0 | 1] => {
                return Sorted::Bytes(Vec::new());
            }
            [0x10, 0x04, n @ 1..=4] => Sorted::Question(n),
            [0x10, 0x05, 1] => Sorted::Recover,
            [0x10, 0x05, 2] => Sorted::RecoverEmpty,
            [0x10, 0x14, 1, pin, tenths @ 1..=8] => {
                Sorted::Pulse { pin: if pin == 0 { 2 } else { 5 }, tenths }
            }
            ref held if *held == CLEAR => Sorted::Clear,
            ref held if CLEAR.starts_with(held) => return Sorted::Bytes(Vec::new()),
            _ => {
                // The last byte may begin a command of its own.
                let again = byte == 0x10 && self.held.len() > 1;
                let keep = self.held.len() - usize::from(again);
                return Sorted::Bytes(self.held.drain(..keep).collect());
            }
        };
        self.held.clear();
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(all: &[u8]) -> (Vec<u8>, Vec<Sorted>) {
        let (mut real_time, mut bytes, mut commands) = (RealTime::default(), Vec::new(), Vec::new());
        for byte in all {
            match real_time.push(*byte) {
                Sorted::Bytes(more) => bytes.extend(more),
                command @ (Sorted::Question(_)
                | Sorted::Recover
                | Sorted::RecoverEmpty
                | Sorted::Pulse { .. }
                | Sorted::Clear) => commands.push(command),
            }
        }
        (bytes, commands)
    }

    #[test]
    fn questions_are_found_after_their_own_beginnings() {
        let (bytes, commands) = sort(b"a\x10\x10\x04\x01b\x10\x04\x10\x04\x02\x10\x05c\x10\x04\x09");
        assert_eq!(commands, [Sorted::Question(1), Sorted::Question(2)]);
        assert_eq!(bytes, b"a\x10b\x10\x04\x10\x05c\x10\x04\x09");
    }

    #[test]
    fn a_pulse_an_error_and_an_empty_buffer_are_seen_to_at_once() {
        let clear = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08";
        let all = [b"x\x10\x14\x01\x00\x02\x10\x05\x01\x10\x05\x02".as_slice(), clear, b"y"].concat();
        let (bytes, commands) = sort(&all);
        let pulse = Sorted::Pulse { pin: 2, tenths: 2 };
        assert_eq!(commands, [pulse, Sorted::Recover, Sorted::RecoverEmpty, Sorted::Clear]);
        assert_eq!(bytes, b"xy");
        assert_eq!(sort(b"\x10\x14\x01\x00\x09\x10\x14\x08\x02").1, []);
    }
}
