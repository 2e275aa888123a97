//! Amounts of money: whole minor units of one currency, checked, never a float.
//!
//! There is one rounding function, [`scale`], and one way to split an amount, [`allocate`].
//! Not here: exchange between currencies, which a till does not do.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A currency that a till can take, with its ISO 4217 code and exponent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Currency(usize);

/// ISO 4217 alphabetic code, numeric code, exponent (decimal places), sign.
const CURRENCIES: [(&str, u16, u8, &str); 22] = [
    ("CNY", 156, 2, "¥"),
    ("USD", 840, 2, "$"),
    ("EUR", 978, 2, "€"),
    ("GBP", 826, 2, "£"),
    ("JPY", 392, 0, "¥"),
    ("KRW", 410, 0, "₩"),
    ("VND", 704, 0, "₫"),
    ("HKD", 344, 2, "HK$"),
    ("MOP", 446, 2, "MOP$"),
    ("TWD", 901, 2, "NT$"),
    ("SGD", 702, 2, "S$"),
    ("MYR", 458, 2, "RM"),
    ("THB", 764, 2, "฿"),
    ("IDR", 360, 2, "Rp"),
    ("PHP", 608, 2, "₱"),
    ("INR", 356, 2, "₹"),
    ("AUD", 36, 2, "A$"),
    ("CAD", 124, 2, "C$"),
    ("CHF", 756, 2, "CHF"),
    ("KWD", 414, 3, "KD"),
    ("BHD", 48, 3, "BD"),
    ("OMR", 512, 3, "RO"),
];

impl Currency {
    /// China's currency, the wallets' home.
    pub const CNY: Self = Self(0);
    /// A currency without minor units, for tables and tests.
    pub const JPY: Self = Self(4);
    /// A currency with three decimal places, for tables and tests.
    pub const KWD: Self = Self(19);

    /// Finds a currency by its ISO 4217 alphabetic code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] when no till takes it.
    pub fn by_code(code: &str) -> Result<Self, MoneyError> {
        CURRENCIES
            .iter()
            .position(|row| row.0 == code)
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.to_owned()))
    }

    /// ISO 4217 alphabetic code.
    pub fn code(self) -> &'static str {
        CURRENCIES[self.0].0
    }

    /// ISO 4217 numeric code.
    pub fn number(self) -> u16 {
        CURRENCIES[self.0].1
    }

    /// Decimal places: 0, 2 or 3.
    pub fn exponent(self) -> u8 {
        CURRENCIES[self.0].2
    }

    /// The sign that a customer knows.
    pub fn sign(self) -> &'static str {
        CURRENCIES[self.0].3
    }

    /// Minor units in one major unit: 1, 100 or 1000.
    pub fn minor_per_major(self) -> i64 {
        10_i64.pow(u32::from(self.exponent()))
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::by_code(&code).map_err(serde::de::Error::custom)
    }
}

/// An amount in minor units of one currency.
///
/// **Invariant:** amounts of different currencies never meet: every operation checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units: fen, cents, yen, fils.
    pub minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

/// The most that one price, one total or one count of cash may be, in minor units: below the 40 bits that
/// our codes carry, and far above anything that goes over a counter.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000;

/// Why an amount could not be computed or read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies met.
    #[error("an amount in {0} met an amount in {1}")]
    MixedCurrencies(&'static str, &'static str),
    /// Beyond 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// Not in the table of currencies.
    #[error("unknown currency {0:?}: use an ISO 4217 code such as CNY")]
    UnknownCurrency(String),
    /// Not a decimal amount.
    #[error("{0:?} is not an amount: write digits with at most {1} decimal places, such as 12.80")]
    NotAnAmount(String, u8),
}

impl Money {
    /// An amount of `minor` units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in that currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Adds two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::MixedCurrencies`] or [`MoneyError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Subtracts an amount of the same currency.
    ///
    /// # Errors
    /// [`MoneyError::MixedCurrencies`] or [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Multiplies by a ratio of whole numbers, rounded once, half away from zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when the result does not fit or `denominator` is not positive.
    pub fn times(self, numerator: i64, denominator: i64) -> Result<Self, MoneyError> {
        Ok(Self { minor: scale(self.minor, numerator, denominator)?, ..self })
    }

    /// Sums amounts; nothing sums to zero of `currency`.
    ///
    /// # Errors
    /// As [`Money::plus`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// The same amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the most negative amount.
    pub fn negated(self) -> Result<Self, MoneyError> {
        Ok(Self { minor: self.minor.checked_neg().ok_or(MoneyError::Overflow)?, ..self })
    }

    /// Whether nothing is left of it.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The amount as digits, without sign or code: `12.80`, `-3`, `0.125`.
    pub fn decimal(self) -> String {
        let per_major = self.currency.minor_per_major().unsigned_abs();
        let magnitude = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        if per_major == 1 {
            return format!("{sign}{magnitude}");
        }
        let places = usize::from(self.currency.exponent());
        format!("{sign}{}.{:0places$}", magnitude / per_major, magnitude % per_major)
    }

    /// Reads digits such as `12.80`, `12.8`, `12` or `-3`.
    ///
    /// # Errors
    /// [`MoneyError::NotAnAmount`] for anything else, among them more decimal places than the
    /// currency has; [`MoneyError::Overflow`] beyond 64 bits.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::NotAnAmount(text.to_owned(), currency.exponent());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (major, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let places = usize::from(currency.exponent());
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if major.is_empty() || !all_digits(major) || !all_digits(fraction) || fraction.len() > places {
            return Err(wrong());
        }
        if digits.ends_with('.') {
            return Err(wrong());
        }
        let joined = format!("{major}{fraction:0<places$}");
        let magnitude: i64 = joined.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor: if negative { -magnitude } else { magnitude }, currency })
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies(self.currency.code(), other.currency.code()))
        }
    }
}

impl fmt::Display for Money {
    /// The amount with its code, for logs and tables: `CNY 12.80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.code(), self.decimal())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `value * numerator / denominator`, rounded half away from zero: the one rounding function.
///
/// # Errors
/// [`MoneyError::Overflow`] when the result does not fit 64 bits or `denominator` is not positive.
pub fn scale(value: i64, numerator: i64, denominator: i64) -> Result<i64, MoneyError> {
    if denominator <= 0 {
        return Err(MoneyError::Overflow);
    }
    let product = i128::from(value) * i128::from(numerator);
    let denominator = i128::from(denominator);
    let half = denominator / 2 + denominator % 2;
    let (quotient, rest) = (product / denominator, (product % denominator).abs());
    let rounded = if rest >= half { quotient + product.signum() } else { quotient };
    i64::try_from(rounded).map_err(|_| MoneyError::Overflow)
}

/// Splits `total` over `weights` so that the shares sum to it exactly (largest remainder; ties go to
/// the larger weight, then to the lower index). A zero weight gets nothing; no share exceeds its
/// weight when the total does not exceed the sum of weights.
///
/// # Errors
/// [`MoneyError::Overflow`] when `total` or a weight is negative, or when there is something to split
/// and no weight to put it on.
pub fn allocate(total: i64, weights: &[i64]) -> Result<Vec<i64>, MoneyError> {
    if total < 0 || weights.iter().any(|weight| *weight < 0) {
        return Err(MoneyError::Overflow);
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return if total == 0 { Ok(vec![0; weights.len()]) } else { Err(MoneyError::Overflow) };
    }
    let exact = |weight: i64| i128::from(weight) * i128::from(total);
    let mut shares = Vec::with_capacity(weights.len());
    for weight in weights {
        shares.push(i64::try_from(exact(*weight) / sum).map_err(|_| MoneyError::Overflow)?);
    }
    let mut order: Vec<usize> = (0..weights.len()).filter(|index| weights[*index] > 0).collect();
    order.sort_by_key(|index| {
        let weight = weights[*index];
        (std::cmp::Reverse(exact(weight) % sum), std::cmp::Reverse(weight), *index)
    });
    let given: i64 = shares.iter().sum();
    let left = usize::try_from(total - given).map_err(|_| MoneyError::Overflow)?;
    for index in order.into_iter().cycle().take(left) {
        shares[index] += 1;
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_and_written_by_exponent() {
        for (text, currency, minor) in [
            ("12.80", Currency::CNY, 1280),
            ("12.8", Currency::CNY, 1280),
            ("12", Currency::CNY, 1200),
            ("-0.05", Currency::CNY, -5),
            ("1280", Currency::JPY, 1280),
            ("0.125", Currency::KWD, 125),
        ] {
            assert_eq!(Money::parse(text, currency).unwrap().minor, minor, "{text}");
        }
        assert_eq!(Money::new(-5, Currency::CNY).decimal(), "-0.05");
        assert_eq!(Money::new(7, Currency::JPY).decimal(), "7");
        assert_eq!(Money::new(1, Currency::KWD).decimal(), "0.001");
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in ["", ".5", "5.", "1,000", "12.801", "+1", "--1", "1e3", "١", " 1", "99999999999999999999"]
        {
            assert!(Money::parse(text, Currency::CNY).is_err(), "{text:?}");
        }
        assert!(Money::parse("1.0", Currency::JPY).is_err());
    }

    #[test]
    fn currencies_do_not_mix() {
        let yen = Money::new(1, Currency::JPY);
        assert!(Money::new(1, Currency::CNY).plus(yen).is_err());
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (value, numerator, denominator, expected) in
            [(5, 1, 2, 3), (-5, 1, 2, -3), (4, 1, 3, 1), (5, 1, 3, 2), (1280, 20, 120, 213), (1, 1, 3, 0)]
        {
            assert_eq!(scale(value, numerator, denominator).unwrap(), expected);
        }
        assert!(scale(i64::MAX, 2, 1).is_err());
        assert!(scale(1, 1, 0).is_err());
    }

    #[test]
    fn shares_follow_the_published_vectors() {
        let file = include_str!("../tests/data/offer_allocation.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let numbers = |name: &str| -> Vec<i64> {
                vector[name].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect()
            };
            let shares = allocate(vector["discount"].as_i64().unwrap(), &numbers("weights")).unwrap();
            assert_eq!(shares, numbers("expected"), "{vector}");
        }
    }

    proptest! {
        #[test]
        fn shares_sum_and_stay_within_their_weights(
            weights in proptest::collection::vec(0_i64..100_000, 1..20),
            part in 0_i64..=1000,
        ) {
            let sum: i64 = weights.iter().sum();
            let total = sum * part / 1000;
            let shares = allocate(total, &weights).unwrap();
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!(*share >= 0 && share <= weight);
            }
        }

        #[test]
        fn what_is_written_is_read_back(minor in -1_000_000_000_000_i64..1_000_000_000_000) {
            for currency in [Currency::CNY, Currency::JPY, Currency::KWD] {
                let money = Money::new(minor, currency);
                prop_assert_eq!(Money::parse(&money.decimal(), currency).unwrap(), money);
            }
        }
    }
}
