//! How fields stand in a payload: fixed widths, big-endian, in one order.
//!
//! Not here: what the fields mean (each kind's own file), and the signature (`token.rs`).

use super::{Kind, Purpose, TokenError};
use crate::money::{Currency, Money};

/// One kind of code with a fixed binary layout.
pub trait Layout: Sized {
    /// Which prefix it has.
    const KIND: Kind;

    /// Appends the fields after version and key id.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when a value is outside the width of its field.
    fn write(&self, out: &mut Writer) -> Result<(), TokenError>;

    /// Takes the fields after version and key id.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when the bytes are short or stand for nothing.
    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError>;
}

/// A kind that a key of the key set signs; its payload names the key.
pub trait Issued: Layout {
    /// The only purpose of a key that may sign it.
    const PURPOSE: Purpose;

    /// When it may be used; `None` when another rule says so.
    fn validity(&self) -> Option<Validity>;
}

/// A kind that a till's own device key signs; its payload names the stream instead of a key.
pub trait Drawn: Layout {
    /// Whose device key signs it.
    fn stream(&self) -> Stream;
}

/// The stream of records that a drawn code comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stream {
    /// Short hash of the terminal's name.
    pub terminal: TerminalTag,
    /// The stream's random 64 bits.
    pub epoch: u64,
}

/// The first four bytes of SHA-256 over `till/terminal/1\n` and the terminal's name.
///
/// It keeps the code short. The epoch is what is unique; the tag only says that the names agree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TerminalTag(pub [u8; 4]);

impl TerminalTag {
    /// The tag of a terminal's name.
    pub fn of(terminal: &str) -> Self {
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        hash.update(b"till/terminal/1\n");
        hash.update(terminal.as_bytes());
        let mut tag = [0; 4];
        tag.copy_from_slice(&hash.finish().as_ref()[..4]);
        Self(tag)
    }
}

/// From when until when a code may be used: a start on a quarter of an hour (UTC) and whole hours.
///
/// Quarters, because midnight is on one in every time zone: the issuer works out the shop's midnight, and the
/// till needs no calendar to check it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    quarter: u32,
    hours: u16,
}

const QUARTER_S: i64 = 900;
const HOUR_S: i64 = 3600;
/// The start has 24 bits: until the year 2448.
const QUARTERS_MAX: u32 = (1 << 24) - 1;

impl Validity {
    /// The shortest validity that covers `from..until`, in unix seconds.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when the span is empty, longer than 65,535 hours (7.4 years), or before 1970.
    pub fn covering(from: i64, until: i64) -> Result<Self, TokenError> {
        let unfit = TokenError::DoesNotFit("the time it is valid");
        let quarter = u32::try_from(from.div_euclid(QUARTER_S)).map_err(|_| unfit.clone())?;
        let start = i64::from(quarter) * QUARTER_S;
        let span = until.checked_sub(start).filter(|_| until > from).ok_or(unfit.clone())?;
        let whole = span / HOUR_S + i64::from(span % HOUR_S != 0);
        let hours = u16::try_from(whole).map_err(|_| unfit.clone())?;
        if quarter > QUARTERS_MAX { Err(unfit) } else { Ok(Self { quarter, hours }) }
    }

    /// The first second at which it may be used.
    pub fn from(self) -> i64 {
        i64::from(self.quarter) * QUARTER_S
    }

    /// The first second at which it may not be used any more.
    pub fn until(self) -> i64 {
        self.from() + i64::from(self.hours) * HOUR_S
    }

    /// Whether it may be used at `now`, in unix seconds.
    ///
    /// # Errors
    /// [`TokenError::NotYetValid`] or [`TokenError::Expired`].
    pub fn check(self, now: i64) -> Result<(), TokenError> {
        if now < self.from() {
            Err(TokenError::NotYetValid)
        } else if now >= self.until() {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Appends fields to a payload.
#[derive(Default)]
pub struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// An amount without its currency, 40 bits: at most 1,099,511,627,775 minor units.
    pub(super) fn amount(&mut self, minor: i64) -> Result<(), TokenError> {
        let unfit = || TokenError::DoesNotFit("the amount");
        let [a, b, c, low @ ..] = u64::try_from(minor).map_err(|_| unfit())?.to_be_bytes();
        if [a, b, c] != [0; 3] {
            return Err(unfit());
        }
        self.bytes(&low);
        Ok(())
    }

    /// An amount with its currency, 7 bytes.
    pub(super) fn money(&mut self, money: Money) -> Result<(), TokenError> {
        self.amount(money.minor)?;
        self.bytes(&currency_bits(money.currency).to_be_bytes());
        Ok(())
    }

    /// A time in unix seconds, 32 bits: until the year 2106.
    pub(super) fn seconds(&mut self, at: i64) -> Result<(), TokenError> {
        let at = u32::try_from(at).map_err(|_| TokenError::DoesNotFit("the time"))?;
        self.bytes(&at.to_be_bytes());
        Ok(())
    }

    pub(super) fn validity(&mut self, validity: Validity) {
        self.bytes(&validity.quarter.to_be_bytes()[1..]);
        self.bytes(&validity.hours.to_be_bytes());
    }
}

/// Takes fields from a payload.
pub struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(TokenError::Malformed("it is too short"))?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn u16(&mut self) -> Result<u16, TokenError> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, TokenError> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, TokenError> {
        self.take().map(u64::from_be_bytes)
    }

    pub(super) fn amount(&mut self) -> Result<i64, TokenError> {
        let [a, b, c, d, e] = self.take()?;
        Ok(i64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }

    pub(super) fn money(&mut self) -> Result<Money, TokenError> {
        let minor = self.amount()?;
        Ok(Money::new(minor, currency_of(self.u16()?)?))
    }

    pub(super) fn seconds(&mut self) -> Result<i64, TokenError> {
        self.u32().map(i64::from)
    }

    pub(super) fn validity(&mut self) -> Result<Validity, TokenError> {
        let [a, b, c] = self.take()?;
        let hours = self.u16()?;
        if hours == 0 {
            return Err(TokenError::Malformed("it is valid for no time at all"));
        }
        Ok(Validity { quarter: u32::from_be_bytes([0, a, b, c]), hours })
    }

    pub(super) fn end(&self) -> Result<(), TokenError> {
        if self.0.is_empty() { Ok(()) } else { Err(TokenError::Malformed("it is too long")) }
    }
}

/// The three letters of ISO 4217, five bits each with A as 1: never below 1,057.
pub(super) fn currency_bits(currency: Currency) -> u16 {
    currency.code().bytes().fold(0, |bits, letter| (bits << 5) | u16::from(letter.wrapping_sub(b'@') & 31))
}

/// The currency of [`currency_bits`].
pub(super) fn currency_of(bits: u16) -> Result<Currency, TokenError> {
    let unknown = TokenError::Malformed("its currency is unknown");
    let letters: Option<String> = [bits >> 10, (bits >> 5) & 31, bits & 31]
        .into_iter()
        .map(|letter| {
            u8::try_from(letter).ok().filter(|l| (1..=26).contains(l)).map(|l| char::from(b'@' + l))
        })
        .collect();
    letters.and_then(|code| Currency::by_code(&code).ok()).ok_or(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_currency_of_the_tables_round_trips() {
        for code in ["CNY", "USD", "JPY", "KWD", "BHD", "INR"] {
            let currency = Currency::by_code(code).unwrap();
            assert_eq!(currency_of(currency_bits(currency)).unwrap(), currency);
        }
        for bits in [0, 1, 0x8000 | currency_bits(Currency::CNY), 0x7FFF] {
            assert!(currency_of(bits).is_err());
        }
    }

    #[test]
    fn a_day_of_the_shop_is_covered_to_the_second() {
        // 2026-11-01 in Kathmandu, five hours and three quarters ahead of UTC.
        let day = Validity::covering(1_793_470_500, 1_793_556_900).unwrap();
        assert_eq!((day.from(), day.until()), (1_793_470_500, 1_793_556_900));
        assert_eq!(day.check(1_793_470_499), Err(TokenError::NotYetValid));
        assert_eq!(day.check(1_793_470_500), Ok(()));
        assert_eq!(day.check(1_793_556_899), Ok(()));
        assert_eq!(day.check(1_793_556_900), Err(TokenError::Expired));
    }

    #[test]
    fn a_span_that_is_empty_or_too_long_is_refused() {
        for (from, until) in [(900, 900), (900, 0), (-900, 900), (0, 65_536 * 3600), (i64::MAX, i64::MAX)] {
            assert!(Validity::covering(from, until).is_err(), "{from}..{until}");
        }
    }

    proptest! {
        #[test]
        fn a_validity_covers_what_was_asked(from in 0_i64..4_000_000_000, span in 1_i64..200_000_000) {
            let validity = Validity::covering(from, from + span).unwrap();
            prop_assert!(validity.from() <= from && validity.until() >= from + span);
            prop_assert!(validity.from() > from - 900 && validity.until() < from + span + 3600);
        }
    }
}
