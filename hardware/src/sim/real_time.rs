//! Picks the questions a printer answers at once out of its bytes, wherever they stand and however they are split.

/// What one more byte makes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// Nothing yet, or bytes for the print head that were held back.
    Bytes(Vec<u8>),
    /// `DLE EOT n`.
    Question(u8),
}

/// Holds what may be the beginning of a question: DLE, or DLE EOT.
#[derive(Debug, Default)]
pub(super) struct RealTime {
    held: Vec<u8>,
}

impl RealTime {
    /// Takes one byte in.
    ///
    /// DLE ENQ and DLE DC4 are never sent by a till: they pass on to the paper, where they are errors.
    pub(super) fn push(&mut self, byte: u8) -> Sorted {
        self.held.push(byte);
        match *self.held.as_slice() {
            [0x10] | [0x10, 0x04] => Sorted::Bytes(Vec::new()),
            [0x10, 0x04, n @ 1..=4] => {
                self.held.clear();
                Sorted::Question(n)
            }
            _ => {
                // The last byte may begin a question of its own.
                let again = byte == 0x10 && self.held.len() > 1;
                let keep = self.held.len() - usize::from(again);
                Sorted::Bytes(self.held.drain(..keep).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_found_after_their_own_beginnings() {
        let (mut real_time, mut bytes, mut questions) = (RealTime::default(), Vec::new(), Vec::new());
        for byte in b"a\x10\x10\x04\x01b\x10\x04\x10\x04\x02\x10\x05c\x10\x04\x09" {
            match real_time.push(*byte) {
                Sorted::Bytes(more) => bytes.extend(more),
                Sorted::Question(n) => questions.push(n),
            }
        }
        assert_eq!(questions, [1, 2]);
        assert_eq!(bytes, b"a\x10b\x10\x04\x10\x05c\x10\x04\x09");
    }
}
