//! A record as a row, both ways.
//!
//! Bodies lie sealed (`vault`); what leaves here is as it was hashed. Not here: which rows are asked for (`load`, `reader`), and whether they follow one another (`load`).

use super::Error;
use super::export::verify;
use super::vault::{Customer, Opened, Vault};
use crate::money::{Currency, Money};
use crate::record::ids::SaleId;
use crate::record::{Body, Broken, Epoch, Hash, Mode, Record, body_hash, header_hash};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, named_params};

/// The columns that [`Stored::from_row`] reads, in its order.
macro_rules! stored {
    ($rest:literal) => {
        concat!("SELECT position, epoch, seq, hash, salt, head, body, sealed FROM record ", $rest)
    };
}
pub(super) use stored;

/// Records of an epoch from a number on: the columns of [`Stored::from_row`] and behind them those of [`columns`].
pub(super) const BESIDE: &str = "SELECT position, epoch, seq, hash, salt, head, body, sealed,
        kind, sale, wall_ms, training, receipt, serial, amount_minor, currency
    FROM record WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";

const INSERT: &str = "INSERT INTO record (position, epoch, seq, kind, sale, wall_ms, training, receipt,
    serial, amount_minor, currency, hash, salt, head, body, sealed)
VALUES (:position, :epoch, :seq, :kind, :sale, :wall_ms, :training, :receipt,
    :serial, :amount_minor, :currency, :hash, zeroblob(16), :head, :body, 1)";

/// Who the customer of a sale is, as its last recognition says.
const RECOGNISED: &str =
    stored!("WHERE sale = ?1 AND kind = 'member_recognised' ORDER BY position DESC LIMIT 1");

/// What sealing adds to a body that speaks of nobody: nonce, tag, the salt, and under whose key it lies.
const SEALED_BYTES: usize = crate::keys::SEAL_OVERHEAD_BYTES + 16 + 1;

const IN_THE_CLEAR: &str = stored!("WHERE sealed = 0 ORDER BY position LIMIT ?1");

/// A record as it lies in the file, nothing believed yet.
pub(super) struct Stored {
    pub(super) position: i64,
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    hash: Hash,
    salt: [u8; 16],
    head: Vec<u8>,
    body: Vec<u8>,
    sealed: bool,
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
            sealed: row.get(7)?,
        })
    }

    /// The body as it was before it was put away.
    fn opened(&self, vault: &Vault) -> Result<Opened, Error> {
        if self.sealed {
            return vault.open(header_hash(&self.head), self.seq, &self.body);
        }
        if self.body.is_empty() {
            let (epoch, seq) = (self.epoch, self.seq);
            return Err(Error::Chain { epoch, seq, source: Broken::BodyHash { seq } });
        }
        Ok(Opened::Whole(self.salt, self.body.clone()))
    }

    /// The record, its body and hash verified and its place compared with the columns that found it.
    pub(super) fn open(self, vault: &Vault) -> Result<Record, Error> {
        let (epoch, seq, hash) = (self.epoch, self.seq, self.hash);
        let broken = |source| Error::Chain { epoch, seq, source };
        let opened = self.opened(vault).map_err(|error| {
            if let Error::Unsealable { source, .. } = error { broken(source) } else { error }
        })?;
        let record = match opened {
            Opened::Whole(salt, body) => Record::open(self.head, salt, body),
            Opened::Erased => Record::erased(self.head),
            Opened::Lost => Record::erased(self.head).map(|record| {
                tracing::error!(%epoch, seq, "A record cannot be read: its member's slot in keys/members is damaged.");
                let body = Body::Unreadable { kind_name: record.header.kind.clone() };
                Record { body, ..record }
            }),
        };
        let record = record.map_err(broken)?;
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

    /// About what the record takes, for limits on batches: sealing adds a few bytes.
    pub(super) fn len_bytes(&self) -> usize {
        let added = if self.sealed { SEALED_BYTES } else { 0 };
        (self.head.len() + self.salt.len() + self.body.len()).saturating_sub(added)
    }

    pub(super) fn into_raw(self, vault: &Vault) -> Result<Raw, Error> {
        let (salt, body) = match self.opened(vault)? {
            Opened::Whole(salt, body) => (salt, body),
            // Where a key is damaged nobody reads that body again: it holds nothing else up.
            Opened::Erased | Opened::Lost => ([0; 16], vec![]),
        };
        let Self { position: _, epoch, seq, hash, salt: _, head, body: _, sealed: _ } = self;
        Ok(Raw { epoch, seq, hash, salt, head, body })
    }

    /// As it lies, for whoever wants to know what is wrong with it.
    pub(super) fn into_row(self, columns: verify::Columns, vault: &Vault) -> Result<verify::Row, Error> {
        let Self { position: _, epoch: _, seq, hash, salt, head, body, sealed } = self;
        let body = match (sealed, vault.is_open()) {
            (false, _) => verify::RowBody::Whole(salt, body),
            (true, false) => verify::RowBody::Shut,
            (true, true) => match vault.open(header_hash(&head), seq, &body) {
                Ok(Opened::Whole(salt, body)) => verify::RowBody::Whole(salt, body),
                Ok(Opened::Erased) => verify::RowBody::Erased,
                Ok(Opened::Lost) | Err(Error::Unsealable { .. }) => verify::RowBody::Changed,
                Err(error) => return Err(error),
            },
        };
        Ok(verify::Row { seq, columns: Some(columns), hash, head, body })
    }
}

/// The columns beside a record, as [`BESIDE`] asks for them.
pub(super) fn columns(row: &Row<'_>) -> rusqlite::Result<verify::Columns> {
    Ok(verify::Columns {
        position: row.get(0)?,
        epoch: row.get(1)?,
        seq: unsigned(row, 2)?,
        kind: row.get(8)?,
        sale: row.get(9)?,
        wall_ms: row.get(10)?,
        training: row.get(11)?,
        receipt: row.get(12)?,
        serial: row.get(13)?,
        amount_minor: row.get(14)?,
        currency: row.get(15)?,
    })
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
    /// The body's bytes; none at all where it was erased because a member asked to be forgotten, or where the member's
    /// key is damaged.
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
        Record::kept(self.head, self.salt, self.body)
    }

    /// Whether its body was erased.
    pub fn is_erased(&self) -> bool {
        self.body.is_empty()
    }
}

/// The statement that [`insert`] runs.
pub(super) fn insert_statement(connection: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(INSERT)
}

/// Writes a record, its body sealed.
pub(super) fn insert(
    connection: &Connection,
    statement: &mut CachedStatement<'_>,
    vault: &Vault,
    position: i64,
    record: &Record,
) -> Result<(), Error> {
    let sealed = vault.close(record, || customer(connection, vault, record.header.sale))?;
    put(statement, position, record, &sealed).map_err(Error::Append)
}

fn put(
    statement: &mut CachedStatement<'_>,
    position: i64,
    record: &Record,
    sealed: &[u8],
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
        ":head": record.head,
        ":body": sealed,
    })?;
    Ok(())
}

/// The customer of a sale, with the records of this very commit.
fn customer(connection: &Connection, vault: &Vault, sale: Option<SaleId>) -> Result<Customer, Error> {
    let Some(sale) = sale else { return Ok(Customer::Nobody) };
    let read = || connection.prepare_cached(RECOGNISED)?.query_row([sale.0], Stored::from_row).optional();
    match read().map_err(Error::Read)? {
        Some(stored) => Ok(Customer::of(&stored.open(vault)?)),
        None => Ok(Customer::Nobody),
    }
}

/// Seals the next `limit` records that an older Till wrote in the clear; says how many there were.
pub(super) fn seal_old(connection: &Connection, vault: &Vault, limit: u32) -> Result<usize, Error> {
    let read = || {
        let mut statement = connection.prepare_cached(IN_THE_CLEAR)?;
        statement.query_map([limit], Stored::from_row)?.collect::<rusqlite::Result<Vec<_>>>()
    };
    let old = read().map_err(Error::Read)?;
    let mut update = connection
        .prepare_cached("UPDATE record SET body = ?2, salt = zeroblob(16), sealed = 1 WHERE position = ?1")
        .map_err(Error::Append)?;
    for Stored { position, head, salt, body, .. } in &old {
        let sealed = match Record::open(head.clone(), *salt, body.clone()) {
            Ok(record) => vault.close(&record, || customer(connection, vault, record.header.sale))?,
            // A record that is broken stays as broken as it was.
            Err(_) => vault.close_unread(header_hash(head), salt, body)?,
        };
        update.execute((position, sealed)).map_err(Error::Append)?;
    }
    Ok(old.len())
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
