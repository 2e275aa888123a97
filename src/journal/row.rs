//! A record as a row, both ways.
//!
//! Not here: which rows are asked for (`load`, `reader`), and whether they follow one another (`load`).

use super::Error;
use crate::money::{Currency, Money};
use crate::record::{Broken, Epoch, Hash, Mode, Record, body_hash, header_hash};
use rusqlite::{CachedStatement, Connection, Row, named_params};

/// The columns that [`Stored::from_row`] reads, in its order.
macro_rules! stored {
    ($rest:literal) => {
        concat!("SELECT position, epoch, seq, hash, salt, head, body FROM record ", $rest)
    };
}
pub(super) use stored;

const INSERT: &str = "INSERT INTO record (position, epoch, seq, kind, sale, wall_ms, training, receipt,
    serial, amount_minor, currency, hash, salt, head, body)
VALUES (:position, :epoch, :seq, :kind, :sale, :wall_ms, :training, :receipt,
    :serial, :amount_minor, :currency, :hash, :salt, :head, :body)";

/// A record as it lies in the file, nothing believed yet.
pub(super) struct Stored {
    pub(super) position: i64,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    hash: Hash,
    salt: [u8; 16],
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Stored {
    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: row.get(0)?,
            epoch: epoch(row, 1)?,
            seq: unsigned(row, 2)?,
            hash: Hash(row.get(3)?),
            salt: row.get(4)?,
            head: row.get(5)?,
            body: row.get(6)?,
        })
    }

    /// The record, its body and hash verified and its place compared with the columns that found it.
    pub(super) fn open(self) -> Result<Record, Error> {
        let (epoch, seq, hash) = (self.epoch, self.seq, self.hash);
        let broken = |source| Error::Chain { epoch, seq, source };
        let record = Record::open(self.head, self.salt, self.body).map_err(broken)?;
        if record.header.epoch != epoch {
            return Err(broken(Broken::Stranger { seq }));
        }
        if record.header.seq != seq {
            return Err(broken(Broken::Sequence { expected: seq, found: record.header.seq }));
        }
        if record.hash != hash {
            return Err(broken(Broken::Link { seq }));
        }
        Ok(record)
    }

    pub(super) fn into_raw(self) -> Raw {
        let Self { position: _, epoch, seq, hash, salt, head, body } = self;
        Raw { epoch, seq, hash, salt, head, body }
    }
}

/// A record's bytes as they were hashed, for whoever sends them on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raw {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// Its number there.
    pub seq: u64,
    /// SHA-256 over the domain tag and `head`.
    pub hash: Hash,
    /// What the body hash is salted with.
    pub salt: [u8; 16],
    /// The header's bytes.
    pub head: Vec<u8>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Raw {
    /// Bytes that this record takes, for limits on batches.
    pub fn len_bytes(&self) -> usize {
        self.head.len() + self.salt.len() + self.body.len()
    }

    /// The record, verified as [`Record::open`] does.
    ///
    /// # Errors
    /// [`Broken`] when the header cannot be read or the body is not the one that was hashed.
    pub fn open(self) -> Result<Record, Broken> {
        Record::open(self.head, self.salt, self.body)
    }
}

/// The statement that [`insert`] runs.
pub(super) fn insert_statement(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(INSERT)
}

pub(super) fn insert(
    statement: &mut CachedStatement<'_>,
    position: i64,
    record: &Record,
) -> rusqlite::Result<()> {
    let header = &record.header;
    statement.execute(named_params! {
        ":position": position,
        ":epoch": header.epoch.to_string(),
        ":seq": signed(header.seq)?,
        ":kind": header.kind,
        ":sale": header.sale.map(|sale| sale.0),
        ":wall_ms": header.moment.wall_ms,
        ":training": match header.mode { Mode::Live => 0, Mode::Training => 1 },
        ":receipt": header.receipt.map(signed).transpose()?,
        ":serial": header.serial,
        ":amount_minor": header.amount.map(|amount| amount.minor),
        ":currency": header.amount.map(|amount| amount.currency.code()),
        ":hash": record.hash.0,
        ":salt": record.salt,
        ":head": record.head,
        ":body": record.bytes,
    })?;
    Ok(())
}

/// Whether a record's hashes are those of its bytes: what is written can be verified later.
pub(super) fn check_hashes(record: &Record) -> Result<(), Broken> {
    let seq = record.header.seq;
    if body_hash(&record.salt, &record.bytes) != record.header.body_hash {
        return Err(Broken::BodyHash { seq });
    }
    if header_hash(&record.head) != record.hash {
        return Err(Broken::Link { seq });
    }
    Ok(())
}

/// SQLite's integers have a sign; a number beyond them is a wrong value, not a wrapped one.
pub(super) fn signed(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}

pub(super) fn epoch(row: &Row<'_>, index: usize) -> rusqlite::Result<Epoch> {
    parsed(index, row.get::<_, String>(index)?.parse())
}

/// An amount in two columns, the second being its currency.
pub(super) fn amount(row: &Row<'_>, minor: usize, currency: usize) -> rusqlite::Result<Option<Money>> {
    let code: Option<String> = row.get(currency)?;
    let code = code.map(|code| parsed(currency, Currency::by_code(&code))).transpose()?;
    let minor: Option<i64> = row.get(minor)?;
    Ok(minor.zip(code).map(|(minor, currency)| Money::new(minor, currency)))
}

/// A text column that has to parse.
pub(super) fn parsed<T, E>(index: usize, parsed: Result<T, E>) -> rusqlite::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    parsed.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
    })
}
