//! `C1.` coupons and `G1.` value vouchers: single-use codes that the cloud signs and any till can check offline.
//!
//! Not here: who has used one already (the till's spent serials, the cloud's unique key) and what a campaign
//! gives (`bundle`, `offer`).

use super::layout::{currency_bits, currency_of};
use super::{Issued, Kind, Layout, Purpose, Reader, TokenError, Validity, Writer};
use crate::money::Money;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A code that entitles to an offer, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coupon {
    /// Who gave it out: the chain's own number for a shop or a partner.
    pub issuer: u16,
    /// Drawn at random by the cloud; unique within issuer and kind.
    pub serial: u64,
    /// The campaign that owns the offer and its quota.
    pub campaign: u32,
    /// When it may be used.
    pub validity: Validity,
    /// What it gives.
    pub worth: Worth,
}

/// What a coupon gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worth {
    /// Whatever the campaign in the bundle says.
    ByCampaign,
    /// Hundredths of a percent off: 1 to 10,000.
    BasisPointsOff(u16),
    /// An amount off: 1 to 4,294,967,295 minor units.
    AmountOff(Money),
}

/// A code that pays, once, up to its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voucher {
    /// Who gave it out.
    pub issuer: u16,
    /// Drawn at random by the cloud; unique within issuer and kind.
    pub serial: u64,
    /// When it may be used.
    pub validity: Validity,
    /// What it is worth: more than nothing.
    pub value: Money,
}

/// What a single-use code is known by: the key that the till and the cloud refuse a second use with.
///
/// Written `C1-002a-00000000deadbeef`: kind, issuer, number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Serial {
    /// Coupon or voucher.
    pub kind: Kind,
    /// Who gave it out.
    pub issuer: u16,
    /// The random number.
    pub number: u64,
}

impl Coupon {
    /// What it is known by.
    pub fn serial(&self) -> Serial {
        Serial { kind: Kind::Coupon, issuer: self.issuer, number: self.serial }
    }
}

impl Voucher {
    /// What it is known by.
    pub fn serial(&self) -> Serial {
        Serial { kind: Kind::Voucher, issuer: self.issuer, number: self.serial }
    }
}

impl Layout for Coupon {
    const KIND: Kind = Kind::Coupon;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        out.bytes(&self.issuer.to_be_bytes());
        out.bytes(&self.serial.to_be_bytes());
        out.bytes(&self.campaign.to_be_bytes());
        out.validity(self.validity);
        let (unit, value) = self.worth.to_parts()?;
        out.bytes(&unit.to_be_bytes());
        out.bytes(&value.to_be_bytes());
        Ok(())
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        Ok(Self {
            issuer: from.u16()?,
            serial: from.u64()?,
            campaign: from.u32()?,
            validity: from.validity()?,
            worth: Worth::of_parts(from.u16()?, from.u32()?)?,
        })
    }
}

impl Issued for Coupon {
    const PURPOSE: Purpose = Purpose::Coupon;

    fn validity(&self) -> Option<Validity> {
        Some(self.validity)
    }
}

impl Layout for Voucher {
    const KIND: Kind = Kind::Voucher;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        if self.value.minor < 1 {
            return Err(TokenError::DoesNotFit("a voucher's value"));
        }
        out.bytes(&self.issuer.to_be_bytes());
        out.bytes(&self.serial.to_be_bytes());
        out.validity(self.validity);
        out.money(self.value)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        let voucher = Self {
            issuer: from.u16()?,
            serial: from.u64()?,
            validity: from.validity()?,
            value: from.money()?,
        };
        if voucher.value.minor == 0 {
            return Err(TokenError::Malformed("it is worth nothing"));
        }
        Ok(voucher)
    }
}

impl Issued for Voucher {
    const PURPOSE: Purpose = Purpose::Voucher;

    fn validity(&self) -> Option<Validity> {
        Some(self.validity)
    }
}

/// Units below every currency's bits.
const BY_CAMPAIGN: u16 = 0;
const BASIS_POINTS: u16 = 1;

impl Worth {
    fn to_parts(self) -> Result<(u16, u32), TokenError> {
        match self {
            Self::ByCampaign => Ok((BY_CAMPAIGN, 0)),
            Self::BasisPointsOff(points @ 1..=10_000) => Ok((BASIS_POINTS, u32::from(points))),
            Self::BasisPointsOff(_) => Err(TokenError::DoesNotFit("a percentage outside 0.01 to 100")),
            Self::AmountOff(money) => match u32::try_from(money.minor) {
                Ok(minor @ 1..) => Ok((currency_bits(money.currency), minor)),
                Ok(0) | Err(_) => Err(TokenError::DoesNotFit("a coupon's amount")),
            },
        }
    }

    fn of_parts(unit: u16, value: u32) -> Result<Self, TokenError> {
        match (unit, value) {
            (BY_CAMPAIGN, 0) => Ok(Self::ByCampaign),
            (BASIS_POINTS, 1..=10_000) => u16::try_from(value)
                .map(Self::BasisPointsOff)
                .map_err(|_| TokenError::Malformed("its percentage is impossible")),
            (2.., 1..) => Ok(Self::AmountOff(Money::new(i64::from(value), currency_of(unit)?))),
            (_, _) => Err(TokenError::Malformed("it gives nothing that we know")),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:04x}-{:016x}", self.kind.code(), self.issuer, self.number)
    }
}

impl std::str::FromStr for Serial {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let unreadable = || TokenError::Malformed("its serial is not readable");
        let mut parts = text.split('-');
        let (Some(kind), Some(issuer), Some(number), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unreadable());
        };
        let serial = Self {
            kind: Kind::by_code(kind).ok_or_else(unreadable)?,
            issuer: u16::from_str_radix(issuer, 16).map_err(|_| unreadable())?,
            number: u64::from_str_radix(number, 16).map_err(|_| unreadable())?,
        };
        // One spelling only: it is a key.
        if serial.to_string() == text { Ok(serial) } else { Err(unreadable()) }
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn a_serial_has_one_spelling() {
        let serial = Serial { kind: Kind::Coupon, issuer: 42, number: 0xDEAD_BEEF };
        assert_eq!(serial.to_string(), "C1-002a-00000000deadbeef");
        assert_eq!("C1-002a-00000000deadbeef".parse(), Ok(serial));
        for text in ["C1-002A-00000000deadbeef", "C1-2a-deadbeef", "X1-002a-00000000deadbeef", "C1-002a", ""]
        {
            assert!(text.parse::<Serial>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_worth_that_gives_nothing_or_too_much_is_not_issued() {
        for worth in [
            Worth::BasisPointsOff(0),
            Worth::BasisPointsOff(10_001),
            Worth::AmountOff(Money::zero(Currency::CNY)),
            Worth::AmountOff(Money::new(-1, Currency::CNY)),
            Worth::AmountOff(Money::new(1 << 32, Currency::CNY)),
        ] {
            assert!(worth.to_parts().is_err(), "{worth:?}");
        }
        for (unit, value) in [(0, 1), (1, 0), (1, 10_001), (2, 5), (currency_bits(Currency::CNY), 0)] {
            assert!(Worth::of_parts(unit, value).is_err(), "{unit} {value}");
        }
    }
}
