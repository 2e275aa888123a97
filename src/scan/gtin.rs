//! Trade item numbers: EAN-8, UPC-A, UPC-E, EAN-13 and ITF-14 as one GTIN of fourteen digits.
//!
//! Source: GS1 General Specifications, section 7.9 (check digit) and 5.2.2.4 (UPC-E). Not here: what the number
//! stands for, and in-store numbers that carry a weight or a price (`label`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A trade item number with a right check digit. Numbers of different lengths are one number when their
/// fourteen digits, filled with zeros in front, are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(u64);

/// Why digits are not an item's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GtinError {
    /// Not 8, 12, 13 or 14 digits.
    #[error("an item's number has 8, 12, 13 or 14 digits")]
    Form,
    /// The last digit does not follow from the others.
    #[error(
        "the item's number was not read right (its last digit should be {expected}): scan or type it again"
    )]
    CheckDigit {
        /// What it should have been.
        expected: u8,
    },
    /// Nothing but zeros.
    #[error("an item's number is not all zeros")]
    Zero,
}

impl Gtin {
    /// All fourteen digits.
    pub fn to_14_digits(self) -> String {
        format!("{:014}", self.0)
    }

    /// Expands the eight digits of a UPC-E: number system 0 or 1, six digits, check digit.
    ///
    /// # Errors
    /// [`GtinError`]; the check digit is that of the expanded number.
    pub fn of_upc_e(digits: &str) -> Result<Self, GtinError> {
        let form = |&d: &&[u8; 8]| (b'0'..=b'1').contains(&d[0]) && d.iter().all(u8::is_ascii_digit);
        let read: &[u8; 8] = digits.as_bytes().try_into().map_err(|_| GtinError::Form)?;
        let Some([system, a, b, c, d, e, last, check]) = Some(read).filter(form).copied() else {
            return Err(GtinError::Form);
        };
        const O: u8 = b'0';
        let body = match last {
            b'0'..=b'2' => [a, b, last, O, O, O, O, c, d, e],
            b'3' => [a, b, c, O, O, O, O, O, d, e],
            b'4' => [a, b, c, d, O, O, O, O, O, e],
            _ => [a, b, c, d, e, O, O, O, O, last],
        };
        let mut upc_a = [O; 12];
        upc_a[0] = system;
        upc_a[1..11].copy_from_slice(&body);
        upc_a[11] = check;
        Self::of_checked(&upc_a)
    }

    fn of_checked(digits: &[u8]) -> Result<Self, GtinError> {
        let (last, body) = digits.split_last().ok_or(GtinError::Form)?;
        let expected = check_digit(body);
        if *last != b'0' + expected {
            return Err(GtinError::CheckDigit { expected });
        }
        match digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')) {
            0 => Err(GtinError::Zero),
            number => Ok(Self(number)),
        }
    }
}

/// Whether the last of these digits follows from the others, whatever their number.
pub(super) fn has_check_digit(digits: &str) -> bool {
    digits.as_bytes().split_last().is_some_and(|(last, body)| *last == b'0' + check_digit(body))
}

/// The same for text that may hold anything.
pub(super) fn is_checked_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && has_check_digit(text)
}

/// Weights 3 and 1 in turn, 3 for the last digit of the body; what is missing to a multiple of ten.
pub(super) fn check_digit(body: &[u8]) -> u8 {
    let sum = body.iter().rev().enumerate().fold(0, |sum: u8, (place, digit)| {
        let value = digit - b'0';
        (sum + if place % 2 == 0 { value * 3 } else { value }) % 10
    });
    (10 - sum) % 10
}

impl std::str::FromStr for Gtin {
    type Err = GtinError;

    fn from_str(digits: &str) -> Result<Self, GtinError> {
        if matches!(digits.len(), 8 | 12..=14) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::of_checked(digits.as_bytes())
        } else {
            Err(GtinError::Form)
        }
    }
}

/// As people know it: 8 digits, 13, or 14.
impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..100_000_000 => write!(f, "{:08}", self.0),
            100_000_000..10_000_000_000_000 => write!(f, "{:013}", self.0),
            _ => write!(f, "{:014}", self.0),
        }
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gtin({self})")
    }
}

impl Serialize for Gtin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gtin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_item_has_one_number_however_it_is_printed() {
        let same = ["036000291452", "0036000291452", "00036000291452"];
        for digits in same {
            let gtin: Gtin = digits.parse().unwrap();
            assert_eq!((gtin.to_14_digits().as_str(), gtin.to_string().as_str()), (same[2], same[1]));
        }
        assert_eq!("96385074".parse::<Gtin>().unwrap().to_string(), "96385074");
        assert_eq!("96385074".parse::<Gtin>().unwrap().to_14_digits(), "00000096385074");
        assert_eq!("14006381333938".parse::<Gtin>().unwrap().to_string(), "14006381333938");
    }

    #[test]
    fn every_form_of_upc_e_is_expanded() {
        for (short, long) in [
            ("01234505", "012000003455"),
            ("04252614", "042100005264"),
            ("01234531", "012300000451"),
            ("01234543", "012340000053"),
            ("01234565", "012345000065"),
            ("11234562", "112345000062"),
        ] {
            assert_eq!(Gtin::of_upc_e(short), long.parse(), "{short}");
            assert!(Gtin::of_upc_e(short).is_ok(), "{short}");
        }
        for bad in ["01234564", "21234565", "0123456", "0123456a", "012345650"] {
            assert!(Gtin::of_upc_e(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for bad in ["", "1", "0123456", "00000000", "400638133393a", "400638133393１", "+4006381333931"] {
            assert!(bad.parse::<Gtin>().is_err(), "{bad}");
        }
        assert_eq!("4006381333932".parse::<Gtin>(), Err(GtinError::CheckDigit { expected: 1 }));
    }

    proptest! {
        #[test]
        fn any_single_wrong_digit_is_noticed(
            body in 1_u64..10_000_000_000_000, at in 0_usize..14, wrong in 1_u8..10,
        ) {
            let mut digits = format!("{body:013}").into_bytes();
            digits.push(b'0' + check_digit(&digits));
            let gtin: Gtin = str::from_utf8(&digits).unwrap().parse().unwrap();
            prop_assert_eq!(gtin.to_string().parse(), Ok(gtin));
            digits[at] = b'0' + (digits[at] - b'0' + wrong) % 10;
            prop_assert!(str::from_utf8(&digits).unwrap().parse::<Gtin>().is_err());
        }
    }
}
