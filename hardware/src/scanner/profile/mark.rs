//! A few bytes that stand before, after or for something, as a profile writes them: `0D 0A`, `CR LF`, `STX`.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// The most bytes of a mark: as many as fit a register that the framer compares with.
pub(super) const MARK_BYTES_MAX: usize = 8;

/// Names of control characters that people know. ISO/IEC 646.
const NAMES: [(&str, u8); 13] = [
    ("STX", 0x02),
    ("ETX", 0x03),
    ("EOT", 0x04),
    ("ENQ", 0x05),
    ("ACK", 0x06),
    ("BEL", 0x07),
    ("HT", 0x09),
    ("LF", 0x0a),
    ("CR", 0x0d),
    ("NAK", 0x15),
    ("SYN", 0x16),
    ("ESC", 0x1b),
    ("GS", 0x1d),
];

/// One to eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    bytes: [u8; MARK_BYTES_MAX],
    len: u8,
}

impl Mark {
    /// A mark of these bytes; none if they are none or more than eight.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Mark> {
        let len = u8::try_from(bytes.len()).ok().filter(|len| (1..=8).contains(len))?;
        let mut all = [0; MARK_BYTES_MAX];
        all[..bytes.len()].copy_from_slice(bytes);
        Some(Mark { bytes: all, len })
    }

    /// Its bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// How many they are; never none.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a mark is never empty")]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.as_slice().iter().copied()
    }

    /// Whether the last bytes of `tail`, of which the lowest came last, are these.
    pub(crate) fn ends(&self, tail: u64) -> bool {
        let mut tail = tail;
        self.as_slice().iter().rev().all(|byte| {
            let equal = tail & 0xff == u64::from(*byte);
            tail >>= 8;
            equal
        })
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Mark, String> {
        let mut bytes = Vec::new();
        for word in text.split_whitespace() {
            let named = NAMES.iter().find(|(name, _)| *name == word).map(|(_, byte)| *byte);
            let hex = || {
                word.bytes()
                    .all(|digit| digit.is_ascii_hexdigit())
                    .then(|| u8::from_str_radix(word, 16).ok())
                    .flatten()
                    .filter(|_| word.len() == 2)
            };
            match named.or_else(hex) {
                Some(byte) => bytes.push(byte),
                None => {
                    return Err(format!(
                        "{word:?} is not a byte: write two hexadecimal digits, or a name such as CR, LF, STX, ETX"
                    ));
                }
            }
        }
        Mark::new(&bytes).ok_or_else(|| format!("a mark is 1 to 8 bytes, this is {}", bytes.len()))
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Mark {
    /// As a profile writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.bytes().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            match NAMES.iter().find(|(_, named)| *named == byte) {
                Some((name, _)) => write!(f, "{gap}{name}")?,
                None => write!(f, "{gap}{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_written_as_it_is_read() {
        for text in ["CR LF", "STX", "SYN 54 CR", "7C", "01 02 STX 04 05 06 07 08"] {
            let mark: Mark = text.parse().unwrap();
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        assert_eq!("0D 0A".parse::<Mark>().unwrap().as_slice(), b"\r\n");
        assert!("".parse::<Mark>().is_err());
        assert!("1 2 3".parse::<Mark>().is_err());
        assert!("+1".parse::<Mark>().is_err());
        assert!("00 01 02 03 04 05 06 07 08".parse::<Mark>().is_err());
    }

    #[test]
    fn a_mark_is_found_at_the_end_of_what_came() {
        let mark = Mark::new(b"\r\n").unwrap();
        assert!(mark.ends(0x6162_0d0a));
        assert!(!mark.ends(0x000d_0a61));
    }
}
