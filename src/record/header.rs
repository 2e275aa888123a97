//! The header: what stays readable of a record for ever, in a fixed binary layout.
//!
//! Integers are big-endian. `str8` is a length byte and UTF-8; an empty one means none. docs/PROTOCOL.md
//! has the table; `tests/data/journal-v1` keeps bytes of it for good.

use crate::money::{Currency, Money};
use crate::record::FORMAT;
use crate::record::chain::Hash;
use crate::record::ids::{SaleId, StaffId, StationId, TerminalId, hex, unhex};
use crate::record::moment::{BootId, Moment};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One life of a till's journal: random, so that a restored disk never repeats it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch:{self}")
    }
}

impl std::str::FromStr for Epoch {
    type Err = HeaderError;
    fn from_str(text: &str) -> Result<Self, HeaderError> {
        unhex::<8>(text).map(|bytes| Self(u64::from_be_bytes(bytes))).ok_or(HeaderError::Field("epoch"))
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether a record is business or practice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    Live,
    /// A trainee's: marked on every paper, left out of every total.
    Training,
}

/// The values of a header.
#[derive(Clone, PartialEq, Debug)]
pub struct Header {
    /// Format version of header and chain.
    pub format: u16,
    /// Which till.
    pub terminal: TerminalId,
    /// Which life of its journal.
    pub epoch: Epoch,
    /// Place in the stream, from 1, without gaps.
    pub seq: u64,
    /// Hash of the record before; [`Hash::NONE`] for the first.
    pub previous: Hash,
    /// Name of the body's kind.
    pub kind: String,
    /// Version of that kind's body.
    pub kind_version: u16,
    /// The sale it belongs to.
    pub sale: Option<SaleId>,
    /// Where at the till.
    pub station: Option<StationId>,
    /// When, by four clocks.
    pub moment: Moment,
    /// The shop's day it counts to.
    pub business_date: Date,
    /// The shift it counts to.
    pub shift: Option<u32>,
    /// Who did it.
    pub staff: Option<StaffId>,
    /// Who approved it, where approval was needed.
    pub approver: Option<StaffId>,
    /// Business or practice.
    pub mode: Mode,
    /// The receipt number it issues.
    pub receipt: Option<u64>,
    /// The token serial it consumes.
    pub serial: Option<String>,
    /// The amount it moves.
    pub amount: Option<Money>,
    /// Hash over the body's salt and bytes.
    pub body_hash: Hash,
}

/// Why bytes are not a header.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderError {
    /// Written by a newer Till.
    #[error("the record has format {0}, this Till reads up to {FORMAT}: install the newer Till again")]
    Newer(u16),
    /// Too short, too long or not as laid out.
    #[error("the field {0:?} is not as laid out")]
    Field(&'static str),
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend(self.format.to_be_bytes());
        put_text(&mut out, self.terminal.as_str());
        out.extend(self.epoch.0.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.previous.0);
        put_text(&mut out, &self.kind);
        out.extend(self.kind_version.to_be_bytes());
        match self.sale {
            Some(sale) => {
                out.push(1);
                out.extend(sale.0);
            }
            None => out.push(0),
        }
        put_text(&mut out, self.station.as_ref().map_or("", |station| station.as_str()));
        out.extend(self.moment.wall_ms.to_be_bytes());
        out.extend(self.moment.boot.0);
        out.extend(self.moment.monotonic_ms.to_be_bytes());
        match self.moment.cloud_offset_ms {
            Some(offset) => {
                out.push(1);
                out.extend(offset.to_be_bytes());
            }
            None => out.push(0),
        }
        out.extend(self.business_date.year().to_be_bytes());
        out.push(self.business_date.month().unsigned_abs());
        out.push(self.business_date.day().unsigned_abs());
        out.extend(self.shift.unwrap_or(0).to_be_bytes());
        put_text(&mut out, self.staff.as_ref().map_or("", |staff| staff.as_str()));
        put_text(&mut out, self.approver.as_ref().map_or("", |staff| staff.as_str()));
        out.push(match self.mode {
            Mode::Live => 0,
            Mode::Training => 1,
        });
        out.extend(self.receipt.unwrap_or(0).to_be_bytes());
        put_text(&mut out, self.serial.as_deref().unwrap_or(""));
        match self.amount {
            Some(amount) => {
                out.push(1);
                out.extend(amount.currency.code().as_bytes());
                out.extend(amount.minor.to_be_bytes());
            }
            None => out.push(0),
        }
        out.extend(self.body_hash.0);
        out
    }

    /// Reads a header's bytes, all of them.
    ///
    /// # Errors
    /// [`HeaderError`] naming the field at which the bytes stop being a header.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        match Self::decode_prefix(bytes)? {
            (header, length) if length == bytes.len() => Ok(header),
            _ => Err(HeaderError::Field("end")),
        }
    }

    /// Reads the header at the beginning of `bytes`, and says how long it is.
    ///
    /// # Errors
    /// As [`Header::decode`].
    pub fn decode_prefix(bytes: &[u8]) -> Result<(Self, usize), HeaderError> {
        let mut from = Reader(bytes);
        let format = u16::from_be_bytes(from.take("format")?);
        if format > FORMAT {
            return Err(HeaderError::Newer(format));
        }
        if format == 0 {
            return Err(HeaderError::Field("format"));
        }
        let header = Self {
            format,
            terminal: from.required("terminal")?,
            epoch: Epoch(u64::from_be_bytes(from.take("epoch")?)),
            seq: u64::from_be_bytes(from.take("seq")?),
            previous: Hash(from.take("previous")?),
            kind: from.text("kind")?,
            kind_version: u16::from_be_bytes(from.take("kind version")?),
            sale: from.flag("sale")?.then(|| from.take("sale").map(SaleId)).transpose()?,
            station: from.optional("station")?,
            moment: Moment {
                wall_ms: i64::from_be_bytes(from.take("wall")?),
                boot: BootId(from.take("boot")?),
                monotonic_ms: u64::from_be_bytes(from.take("monotonic")?),
                cloud_offset_ms: from
                    .flag("cloud offset")?
                    .then(|| from.take("cloud offset").map(i64::from_be_bytes))
                    .transpose()?,
            },
            business_date: from.date()?,
            shift: Some(u32::from_be_bytes(from.take("shift")?)).filter(|shift| *shift != 0),
            staff: from.optional("staff")?,
            approver: from.optional("approver")?,
            mode: if from.flag("mode")? { Mode::Training } else { Mode::Live },
            receipt: Some(u64::from_be_bytes(from.take("receipt")?)).filter(|receipt| *receipt != 0),
            serial: Some(from.text("serial")?).filter(|serial| !serial.is_empty()),
            amount: from.amount()?,
            body_hash: Hash(from.take("body hash")?),
        };
        Ok((header, bytes.len() - from.0.len()))
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).expect("slugs, kinds and serials are far below 256 bytes");
    out.push(length);
    out.extend(text.as_bytes());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], HeaderError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(HeaderError::Field(field))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, HeaderError> {
        match self.take::<1>(field)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(HeaderError::Field(field)),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<String, HeaderError> {
        let [length] = self.take::<1>(field)?;
        let (taken, rest) = self.0.split_at_checked(usize::from(length)).ok_or(HeaderError::Field(field))?;
        self.0 = rest;
        String::from_utf8(taken.to_vec()).map_err(|_| HeaderError::Field(field))
    }

    fn required<T: std::str::FromStr>(&mut self, field: &'static str) -> Result<T, HeaderError> {
        self.text(field)?.parse().map_err(|_| HeaderError::Field(field))
    }

    fn optional<T: std::str::FromStr>(&mut self, field: &'static str) -> Result<Option<T>, HeaderError> {
        let text = self.text(field)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| HeaderError::Field(field)) }
    }

    fn date(&mut self) -> Result<Date, HeaderError> {
        let wrong = |_| HeaderError::Field("business date");
        let year = i16::from_be_bytes(self.take("business date")?);
        let [month, day] = self.take::<2>("business date")?;
        let small = |value: u8| i8::try_from(value).map_err(|_| HeaderError::Field("business date"));
        Date::new(year, small(month)?, small(day)?).map_err(wrong)
    }

    fn amount(&mut self) -> Result<Option<Money>, HeaderError> {
        if !self.flag("amount")? {
            return Ok(None);
        }
        let code: [u8; 3] = self.take("amount")?;
        let code = std::str::from_utf8(&code).map_err(|_| HeaderError::Field("amount"))?;
        let currency = Currency::by_code(code).map_err(|_| HeaderError::Field("amount"))?;
        Ok(Some(Money::new(i64::from_be_bytes(self.take("amount")?), currency)))
    }
}

impl fmt::Display for Header {
    /// `till-3/0123456789abcdef/42 line_added`, for logs and reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{} {}", self.terminal, hex(&self.epoch.0.to_be_bytes()), self.seq, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        Header {
            format: FORMAT,
            terminal: "till-3".parse().unwrap(),
            epoch: Epoch(0x0123_4567_89ab_cdef),
            seq: 42,
            previous: Hash([9; 32]),
            kind: "receipt_issued".to_owned(),
            kind_version: 1,
            sale: Some(SaleId([5; 16])),
            station: Some("front".parse().unwrap()),
            moment: Moment {
                wall_ms: 1_795_000_000_000,
                boot: BootId([3; 16]),
                monotonic_ms: 777,
                cloud_offset_ms: Some(-20),
            },
            business_date: Date::constant(2026, 11, 22),
            shift: Some(7),
            staff: Some("mia".parse().unwrap()),
            approver: None,
            mode: Mode::Live,
            receipt: Some(4217),
            serial: None,
            amount: Some(Money::new(1280, Currency::CNY)),
            body_hash: Hash([8; 32]),
        }
    }

    #[test]
    fn a_header_is_read_back_as_it_was_written() {
        let bytes = sample().encode();
        assert_eq!(Header::decode(&bytes).unwrap(), sample());
    }

    #[test]
    fn a_header_cut_anywhere_or_with_a_tail_is_refused() {
        let bytes = sample().encode();
        for length in 0..bytes.len() {
            assert!(Header::decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Header::decode(&longer), Err(HeaderError::Field("end")));
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let mut bytes = sample().encode();
        bytes[1] = 2;
        assert_eq!(Header::decode(&bytes), Err(HeaderError::Newer(2)));
    }
}
