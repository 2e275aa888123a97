//! `R1.` receipts: the code on the paper, signed by the till that printed it, so that a refund finds the sale; and
//! `N1.`, the same receipt's number alone, short enough for a bar code.
//!
//! Not here: the receipt's lines, which the cloud or the till that sold has.

use super::{Drawn, Kind, Layout, Reader, Stream, TerminalTag, TokenError, Writer};
use crate::money::Money;
use std::fmt;

/// Digits of the epoch that name the series on paper and in the bar code.
const SERIES_DIGITS: usize = 4;
/// Digits that a receipt's number is filled up to.
const NUMBER_DIGITS: usize = 6;

/// One numbered receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which terminal printed it.
    pub terminal: TerminalTag,
    /// In which epoch; receipts are numbered without gaps within (terminal, epoch).
    pub epoch: u64,
    /// Its number.
    pub number: u32,
    /// The total: not below nothing; a refund's receipt carries what was given back.
    pub total: Money,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
}

impl Layout for Receipt {
    const KIND: Kind = Kind::Receipt;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        out.bytes(&self.terminal.0);
        out.bytes(&self.epoch.to_be_bytes());
        out.bytes(&self.number.to_be_bytes());
        out.money(self.total)?;
        out.seconds(self.issued_at)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        Ok(Self {
            terminal: TerminalTag(from.take()?),
            epoch: from.u64()?,
            number: from.u32()?,
            total: from.money()?,
            issued_at: from.seconds()?,
        })
    }
}

impl Drawn for Receipt {
    fn stream(&self) -> Stream {
        Stream { terminal: self.terminal, epoch: self.epoch }
    }
}

/// A receipt's number as people read it, `9f3c-004217`: four digits of the epoch name the series, so that the same
/// number of another series at this till is told apart by eye.
///
/// It is unsigned and says no more than the print: whoever reads it looks the receipt up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReceiptNumber {
    /// The highest sixteen bits of the epoch.
    pub series: u16,
    /// The number in the series; from 1.
    pub number: u32,
}

impl ReceiptNumber {
    /// The number of a receipt of an epoch; none for what no receipt has.
    pub fn of(epoch: u64, number: u64) -> Option<Self> {
        let [high, low, ..] = epoch.to_be_bytes();
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        Some(Self { series: u16::from_be_bytes([high, low]), number })
    }

    /// Whether a receipt of this epoch can have it.
    pub fn is_of(self, epoch: u64) -> bool {
        Self::of(epoch, u64::from(self.number)) == Some(self)
    }

    /// What the bar code says: `N1.9F3C-004217`.
    pub fn code(self) -> String {
        format!("{}.{}", Kind::Number.code(), self.to_string().to_ascii_uppercase())
    }

    /// Reads what stands after `N1.`; there is one spelling.
    pub(super) fn parse(rest: &str) -> Result<Self, TokenError> {
        let malformed = TokenError::Malformed("it is not the number of a receipt");
        let (series, number) = rest.split_once('-').ok_or(malformed.clone())?;
        let series = u16::from_str_radix(series, 16).map_err(|_| malformed.clone())?;
        let number = number.parse().map_err(|_| malformed.clone())?;
        let read = Self { series, number };
        let canonical = number > 0 && read.to_string().to_ascii_uppercase() == rest;
        if canonical { Ok(read) } else { Err(malformed) }
    }
}

impl fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0SERIES_DIGITS$x}-{:0NUMBER_DIGITS$}", self.series, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Token, parse};

    #[test]
    fn a_number_has_one_spelling_in_its_bar_code() {
        let number = ReceiptNumber::of(0x9f3c_0000_0000_0001, 4217).unwrap();
        assert_eq!((number.to_string().as_str(), number.code().as_str()), ("9f3c-004217", "N1.9F3C-004217"));
        assert_eq!(parse("N1.9F3C-004217"), Ok(Token::Number(number)));
        assert_eq!(
            parse("N1.0000-1234567"),
            Ok(Token::Number(ReceiptNumber { series: 0, number: 1_234_567 }))
        );
        for other in [
            "N1.9f3c-004217",
            "n1.9F3C-004217",
            "N1.9F3C-4217",
            "N1.9F3C-0004217",
            "N1.9F3C-000000",
            "N1.9F3C004217",
            "N1.+F3C-004217",
            "N1.9F3C-+04217",
            "N1.09F3C-004217",
            "N1.9F3C-004217 ",
            "N1.9F3C-99999999999",
            "N1.",
        ] {
            assert!(parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_number_belongs_to_the_epochs_of_its_series() {
        let number = ReceiptNumber { series: 0x9f3c, number: 7 };
        assert!(number.is_of(0x9f3c_1234_5678_9abc) && !number.is_of(0x9f3d_0000_0000_0000));
        assert_eq!((ReceiptNumber::of(1, 0), ReceiptNumber::of(1, u64::MAX)), (None, None));
    }
}
