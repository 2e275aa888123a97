//! AIM symbology identifiers: `]`, a letter for the code, a digit for its variant. ISO/IEC 15424.
//!
//! Only the form is checked; which identifiers a till understands is its own affair.

use super::{AimPrefix, Scan};

/// A symbology identifier, such as `]E0` for EAN-13 or `]Q3` for a GS1 QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AimId {
    /// The code's letter.
    pub code: u8,
    /// The variant: a digit, or a letter for variants above nine.
    pub modifier: u8,
}

impl AimId {
    /// Reads an identifier from the beginning of a scan.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<AimId> {
        match bytes {
            [b']', code, modifier, ..] if code.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
                Some(AimId { code: *code, modifier: *modifier })
            }
            _ => None,
        }
    }

    /// Whether the letter is one that ISO/IEC 15424 gives to a symbology, and the variant a hexadecimal digit.
    #[must_use]
    pub fn is_assigned(self) -> bool {
        b"ABCDEFGHIJKLMNOPQRSTUXYZdehjz".contains(&self.code)
            && (self.modifier.is_ascii_digit() || matches!(self.modifier, b'A'..=b'F'))
    }
}

impl std::fmt::Display for AimId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "]{}{}", char::from(self.code), char::from(self.modifier))
    }
}

/// Takes the identifier off, if the scanner sends one. A scan that lacks it is passed on whole.
#[must_use]
pub fn split(data: Vec<u8>, prefix: AimPrefix) -> Scan {
    match prefix {
        AimPrefix::NotSent => Scan { aim: None, data },
        AimPrefix::Sent => match AimId::decode(&data) {
            Some(aim) => Scan { aim: Some(aim), data: data[3..].to_vec() },
            None => Scan { aim: None, data },
        },
        AimPrefix::Either => match AimId::decode(&data) {
            Some(aim) if aim.is_assigned() && data.len() > 3 => {
                Scan { aim: Some(aim), data: data[3..].to_vec() }
            }
            Some(_) | None => Scan { aim: None, data },
        },
    }
}
