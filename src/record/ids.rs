//! Names of things: random ids of sixteen bytes, and slugs that people choose.

use ring::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Chance for one step: 32 random bytes that an edge drew.
pub type Draw = [u8; 32];

/// What is wrong with a written id or slug.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdError {
    /// Not 32 hexadecimal digits.
    #[error("{0:?} is not an id: 32 hexadecimal digits in lower case")]
    NotHex(String),
    /// Not a slug.
    #[error("{0:?} is not a name: 1 to 16 of a-z, 0-9 and -, starting with a letter or digit")]
    NotASlug(String),
}

/// Writes bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads exactly `N` bytes of lower-case hexadecimal.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = (value(pair[0])? << 4) | value(pair[1])?;
    }
    Some(bytes)
}

macro_rules! random_id {
    ($(#[$doc:meta] $name:ident $label:literal;)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The `index`th id of this sort out of one draw: 128 bits that no one can foresee.
            pub fn draw(draw: &Draw, index: u32) -> Self {
                let mut context = digest::Context::new(&digest::SHA256);
                context.update(concat!("till/id/", $label, "\n").as_bytes());
                context.update(&index.to_be_bytes());
                context.update(draw);
                let mut id = [0; 16];
                id.copy_from_slice(&context.finish().as_ref()[..16]);
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($label, ":{}"), hex(&self.0[..4]))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                unhex(text).map(Self).ok_or_else(|| IdError::NotHex(text.to_owned()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

random_id! {
    /// One basket from first scan to receipt.
    SaleId "sale";
    /// One attempt to move money; it is the wallet's order number.
    IntentId "intent";
    /// One refund of an intent; it is the wallet's refund number.
    RefundId "refund";
    /// One piece of paper.
    JobId "job";
    /// One opening of the drawer.
    KickId "kick";
}

macro_rules! slug {
    ($(#[$doc:meta] $name:ident;)*) => {$(
        #[$doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The slug as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_slug(text) { Ok(Self(text.to_owned())) } else { Err(IdError::NotASlug(text.to_owned())) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

slug! {
    /// One till: one daemon, one journal.
    TerminalId;
    /// A place at a till with its own scanner, display and front sale.
    StationId;
    /// A table or counter spot with a code that customers scan.
    DeskId;
    /// A person who works here.
    StaffId;
}

fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=16).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_differ_by_sort_and_index() {
        let draw = [7; 32];
        let id = SaleId::draw(&draw, 0);
        assert_eq!(id.to_string().parse::<SaleId>().unwrap(), id);
        assert_ne!(id.0, SaleId::draw(&draw, 1).0);
        assert_ne!(id.0, IntentId::draw(&draw, 0).0);
        assert!("00".parse::<SaleId>().is_err());
        assert!("G".repeat(32).parse::<SaleId>().is_err());
    }

    #[test]
    fn slugs_are_short_and_plain() {
        for good in ["till-3", "1", "a-b-c-0123456789"] {
            assert!(good.parse::<TerminalId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "Till", "a b", "a_b", "a-very-long-name-", "柜台"] {
            assert!(bad.parse::<TerminalId>().is_err(), "{bad}");
        }
    }
}
