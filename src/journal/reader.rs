//! Reading the journal from other threads: what is committed, and nothing else.
//!
//! Each page's read is one query. Not here: writing, and any opinion on what records mean.

mod items;
#[cfg(test)]
mod tests;

use super::export::verify;
use super::row::{self, Raw, Stored, stored};
use super::vault::Vault;
use super::{End, Error, journal_path, load, migrations, pruned, settings};
use crate::money::Money;
use crate::record::chain::Tip;
use crate::record::ids::SaleId;
use crate::record::{Broken, Epoch, Hash, Header, Mode, Record};
pub use items::Sum;
use jiff::civil::Date;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads a till's journal. Clones share one connection; calls are short.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) path: PathBuf,
    connection: Arc<Mutex<Connection>>,
    vault: Arc<Vault>,
}

/// A receipt that was issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptEntry {
    /// With the number it names the receipt for good.
    pub epoch: Epoch,
    /// Its number.
    pub number: u64,
    /// The record that issued it.
    pub seq: u64,
    /// The sale it is for.
    pub sale: Option<SaleId>,
    /// By this machine's wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Its total.
    pub total: Option<Money>,
    /// Business or practice.
    pub mode: Mode,
}

/// A record that waits for the cloud, as a list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingEntry {
    /// Its number.
    pub seq: u64,
    /// Its kind's name.
    pub kind: String,
    /// By this machine's wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// The sale it belongs to.
    pub sale: Option<SaleId>,
    /// The amount it moves.
    pub amount: Option<Money>,
}

/// What waits for the cloud in one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// How many records.
    pub records: u64,
    /// How many receipts among them.
    pub receipts: u64,
    /// What those receipts are worth, practice left out.
    pub worth: Option<Money>,
    /// When the first of them was, by wall clock, milliseconds since 1970.
    pub oldest_wall_ms: Option<i64>,
    /// The first of them, oldest first.
    pub entries: Vec<WaitingEntry>,
}

/// Records that [`Reader::of_kind`] finds at most: far more acts than managers do in an outage.
pub const OF_KIND_MAX: u32 = 10_000;

const EPOCHS: &str = "SELECT last.epoch, last.seq, last.hash
    FROM record AS first JOIN record AS last ON last.epoch = first.epoch
        AND last.seq = (SELECT max(seq) FROM record WHERE epoch = first.epoch)
    WHERE first.kind = 'genesis' ORDER BY first.position";

const TIP_AT: &str = "SELECT hash FROM record WHERE epoch = ?1 AND seq = ?2";

const SALE_OF_RECEIPT: &str = "SELECT sale FROM record WHERE kind = 'receipt_issued' AND epoch = ?1
    AND receipt = ?2 AND sale IS NOT NULL ORDER BY training LIMIT 1";

const RECEIPTS: &str = "SELECT epoch, receipt, seq, sale, wall_ms, amount_minor, currency, training
    FROM record WHERE kind = 'receipt_issued' AND receipt IS NOT NULL
        AND epoch = (SELECT epoch FROM record WHERE position = (SELECT max(position) FROM record))
    ORDER BY receipt DESC, training DESC LIMIT ?1";

const WAITING: &str = "SELECT seq, kind, wall_ms, sale, amount_minor, currency,
        count(*) OVER (), first_value(wall_ms) OVER (ORDER BY seq),
        count(*) FILTER (WHERE kind = 'receipt_issued') OVER (),
        sum(amount_minor) FILTER (WHERE kind = 'receipt_issued' AND training = 0) OVER (),
        max(currency) FILTER (WHERE kind = 'receipt_issued' AND training = 0) OVER ()
    FROM record WHERE epoch = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

impl Reader {
    /// Opens the journal of a state directory to read. Asks for no lock: it may be open elsewhere. Where the key that
    /// opens bodies is not at hand, headers can be read all the same.
    ///
    /// # Errors
    /// [`Error`] when there is none, it is not of this build's version, or the key is another one's.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = journal_path(dir);
        let connection = settings::open_to_read(&path)?;
        let version = migrations::JOURNAL.identify(&connection, &path)?;
        if version != migrations::JOURNAL.version() {
            return Err(Error::NotMigrated { path, found: version });
        }
        let vault = Arc::new(Vault::to_read(dir, &connection)?);
        Ok(Self { path, connection: Arc::new(Mutex::new(connection)), vault })
    }

    /// Whether the key is at hand that opens bodies; without it only headers can be read.
    pub fn opens_bodies(&self) -> bool {
        self.vault.is_open()
    }

    /// Where the journal ends; none while it is empty.
    ///
    /// # Errors
    /// [`Error::Read`], as all that follow.
    pub fn end(&self) -> Result<Option<End>, Error> {
        Ok(load::stored_end(&self.lock())?.map(|(_, end)| end))
    }

    /// Every epoch with its end, oldest first.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn epochs(&self) -> Result<Vec<End>, Error> {
        list(&self.lock(), EPOCHS, [], |row| End::from_columns(row, 0))
    }

    /// Whether the journal holds exactly this record, or held it for all that is known: of one that was pruned nothing
    /// can be said, and the cloud had it then.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn holds(&self, end: End) -> Result<bool, Error> {
        match self.tip_at(end.epoch, end.tip.seq)? {
            Some(tip) => Ok(tip.head == end.tip.head),
            None => Ok(end.tip.seq < self.kept_from(end.epoch)?),
        }
    }

    /// The business day of the newest record; none while there is none.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn newest_day(&self) -> Result<Option<Date>, Error> {
        let Some(end) = self.end()? else { return Ok(None) };
        let newest = self.raw(end.epoch, end.tip.seq, 1, 0)?.pop();
        Ok(newest.and_then(|raw| Header::decode(&raw.head).ok()).map(|header| header.business_date))
    }

    /// The record of this number, if it is kept.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn tip_at(&self, epoch: Epoch, seq: u64) -> Result<Option<Tip>, Error> {
        let Ok(at) = row::signed(seq) else { return Ok(None) };
        let found = list(&self.lock(), TIP_AT, (epoch.to_string(), at), |row| row.get::<_, [u8; 32]>(0))?;
        Ok(found.first().map(|hash| Tip { seq, head: Hash(*hash) }))
    }

    /// From which record of an epoch on the journal holds all of them: the first, unless earlier ones were pruned.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn kept_from(&self, epoch: Epoch) -> Result<u64, Error> {
        pruned::kept_from(&self.lock(), epoch)
    }

    /// Whether some records are kept no longer.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn lets_go(&self) -> Result<bool, Error> {
        let any = "SELECT EXISTS (SELECT 1 FROM brought_forward)";
        self.lock().query_row(any, [], |row| row.get(0)).map_err(Error::Read)
    }

    /// Where sending goes on for whoever has an epoch up to `high`: after that record, or after the last one that is not
    /// kept any more. None where the journal ends before `high`, or does not know the epoch.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn going_on_after(&self, epoch: Epoch, high: u64) -> Result<Option<Tip>, Error> {
        let kept_from = self.kept_from(epoch)?;
        if high >= kept_from {
            return self.tip_at(epoch, high);
        }
        // The first that is kept names the one before it; the first of all names none.
        let first = self.raw(epoch, kept_from, 1, 0)?.pop();
        let header = first.and_then(|raw| Header::decode(&raw.head).ok());
        Ok(header.map(|header| Tip { seq: header.seq - 1, head: header.previous }))
    }

    /// Everything that is kept, in order, as a start reads it: `look` gets the state that was brought forward, if there
    /// is one, and each record after it, until it says that it has seen enough.
    ///
    /// # Errors
    /// [`Error`] when it cannot be read or does not verify.
    pub fn replay<S>(
        &self,
        begin: impl FnOnce(Option<&super::Snapshot>) -> S,
        mut look: impl FnMut(&mut S, Record) -> ControlFlow<()>,
    ) -> Result<S, Error> {
        // A connection of its own, at one moment: who else reads does not wait for it, and nothing goes meanwhile.
        let connection = settings::open_to_read(&self.path)?;
        let _moment = connection.unchecked_transaction().map_err(Error::Read)?;
        let load::Loaded { snapshot, tail } = pruned::kept(&connection, &self.vault)?;
        let mut state = begin(snapshot.as_ref());
        for record in tail {
            if look(&mut state, record?).is_break() {
                break;
            }
        }
        Ok(state)
    }

    /// Records of an epoch from `from_seq` on as bytes: at most `max_count` of them and at most
    /// `max_bytes`, but always one if there is one.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn raw(
        &self,
        epoch: Epoch,
        from_seq: u64,
        max_count: u32,
        max_bytes: usize,
    ) -> Result<Vec<Raw>, Error> {
        let connection = self.lock();
        let read = || {
            let mut statement =
                connection.prepare_cached(stored!("WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"))?;
            let mut rows = statement.query((epoch.to_string(), row::signed(from_seq)?, max_count))?;
            let (mut batch, mut bytes) = (Vec::new(), 0_usize);
            while let Some(row) = rows.next()? {
                let stored = Stored::from_row(row)?;
                bytes = bytes.saturating_add(stored.len_bytes());
                if bytes > max_bytes && !batch.is_empty() {
                    break;
                }
                batch.push(stored);
            }
            Ok(batch)
        };
        let stored = read().map_err(Error::Read)?;
        stored.into_iter().map(|stored| stored.into_raw(&self.vault)).collect()
    }

    /// Records of an epoch as they lie, whatever is wrong with them: for a check that goes on after a fault.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn rows(&self, epoch: Epoch, from_seq: u64, max_count: u32) -> Result<Vec<verify::Row>, Error> {
        let from = row::signed(from_seq).map_err(Error::Read)?;
        let read = |row: &Row<'_>| Ok((Stored::from_row(row)?, row::columns(row)?));
        let found = list(&self.lock(), row::BESIDE, (epoch.to_string(), from, max_count), read)?;
        found.into_iter().map(|(stored, columns)| stored.into_row(columns, &self.vault)).collect()
    }

    /// The same, each verified and read.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Chain`] when one of them does not verify.
    pub fn records(
        &self,
        epoch: Epoch,
        from_seq: u64,
        max_count: u32,
        max_bytes: usize,
    ) -> Result<Vec<Record>, Error> {
        let open = |raw: Raw| {
            let seq = raw.seq;
            let record = raw.open().map_err(|source| Error::Chain { epoch, seq, source })?;
            // Whoever goes on after the last of them goes by its header, and the next question by the column.
            let found = record.header.seq;
            let source = Broken::Sequence { expected: seq, found };
            if found == seq { Ok(record) } else { Err(Error::Chain { epoch, seq, source }) }
        };
        self.raw(epoch, from_seq, max_count, max_bytes)?.into_iter().map(open).collect()
    }

    /// The records of one kind from a number of an epoch on, each verified; at most [`OF_KIND_MAX`].
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Chain`] when one of them does not verify.
    pub fn of_kind(&self, epoch: Epoch, from_seq: u64, kind: &str) -> Result<Vec<Record>, Error> {
        let Ok(from) = row::signed(from_seq) else { return Ok(vec![]) };
        let sql = stored!("WHERE epoch = ?1 AND seq >= ?2 AND kind = ?3 ORDER BY seq LIMIT ?4");
        let found = list(&self.lock(), sql, (epoch.to_string(), from, kind, OF_KIND_MAX), Stored::from_row)?;
        found.into_iter().map(|stored| stored.open(&self.vault)).collect()
    }

    /// The records of one sale in order, each verified.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Chain`] when one of them does not verify.
    pub fn sale(&self, id: SaleId) -> Result<Vec<Record>, Error> {
        sale(&self.lock(), &self.vault, id)
    }

    /// The sale that a receipt number of an epoch belongs to, real sales before practice.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn sale_of_receipt(&self, epoch: Epoch, number: u64) -> Result<Option<SaleId>, Error> {
        let Ok(number) = row::signed(number) else { return Ok(None) };
        sale_of_receipt(&self.lock(), epoch, number).map_err(Error::Read)
    }

    /// The records of each sale with a receipt of this number in one of the epochs that `epoch` takes.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Chain`] when a record does not verify.
    pub fn sales_of_receipt(
        &self,
        number: u32,
        epoch: impl Fn(Epoch) -> bool,
    ) -> Result<Vec<Vec<Record>>, Error> {
        sales_of_receipt(&self.lock(), &self.vault, number, epoch)
    }

    /// The last receipts of the current epoch, newest first.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn receipts(&self, limit: u32) -> Result<Vec<ReceiptEntry>, Error> {
        list(&self.lock(), RECEIPTS, [limit], |row| {
            Ok(ReceiptEntry {
                epoch: row::epoch(row, 0)?,
                number: row::unsigned(row, 1)?,
                seq: row::unsigned(row, 2)?,
                sale: sale_id(row, 3)?,
                wall_ms: row.get(4)?,
                total: row::amount(row, 5, 6)?,
                mode: if row.get(7)? { Mode::Training } else { Mode::Live },
            })
        })
    }

    /// What lies after a watermark of an epoch: how much, what it is worth, how old, and the first
    /// `limit` records of it.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn waiting(&self, epoch: Epoch, after_seq: u64, limit: u32) -> Result<Waiting, Error> {
        let Ok(after) = row::signed(after_seq) else { return Ok(Waiting::default()) };
        let rows = list(&self.lock(), WAITING, (epoch.to_string(), after, limit.max(1)), |row| {
            let entry = WaitingEntry {
                seq: row::unsigned(row, 0)?,
                kind: row.get(1)?,
                wall_ms: row.get(2)?,
                sale: sale_id(row, 3)?,
                amount: row::amount(row, 4, 5)?,
            };
            let whole = Waiting {
                records: row::unsigned(row, 6)?,
                receipts: row::unsigned(row, 8)?,
                worth: row::amount(row, 9, 10)?,
                oldest_wall_ms: row.get(7)?,
                entries: Vec::new(),
            };
            Ok((whole, entry))
        })?;
        let mut whole = rows.first().map(|(whole, _)| whole.clone()).unwrap_or_default();
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        whole.entries = rows.into_iter().map(|(_, entry)| entry).take(shown).collect();
        Ok(whole)
    }

    /// The state that the daemon kept last; none where this build cannot read it.
    pub fn snapshot(&self) -> Option<super::Snapshot> {
        super::Snapshot::read(self.path.parent()?, &self.vault)
    }

    /// What the cloud is not known to have of each time that books were set aside here, newest first.
    pub fn lacking(&self) -> Vec<super::Lacking> {
        self.path.parent().map(super::lacking).unwrap_or_default()
    }

    /// Whether every page of the file is sound. Takes about a second for a million records.
    ///
    /// # Errors
    /// [`Error::Damaged`] when one is not.
    pub fn quick_check(&self) -> Result<(), Error> {
        settings::quick_check(&self.lock(), &self.path)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A reader changes nothing, so whoever panicked left nothing half done.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sale_of_receipt(
    connection: &Connection,
    epoch: Epoch,
    number: i64,
) -> Result<Option<SaleId>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(SALE_OF_RECEIPT)?;
    statement.query_row((epoch.to_string(), number), |row| row.get(0).map(SaleId)).optional()
}

/// The records of the sales with a receipt of this number, for reader and writer.
pub(super) fn sales_of_receipt(
    connection: &Connection,
    vault: &Vault,
    number: u32,
    wanted: impl Fn(Epoch) -> bool,
) -> Result<Vec<Vec<Record>>, Error> {
    let epochs = list(connection, EPOCHS, [], |row| End::from_columns(row, 0))?;
    let mut found = Vec::new();
    for end in epochs.iter().filter(|end| wanted(end.epoch)) {
        let id = sale_of_receipt(connection, end.epoch, number.into()).map_err(Error::Read)?;
        found.extend(id.map(|id| sale(connection, vault, id)).transpose()?);
    }
    Ok(found)
}

/// The records of one sale, for reader and writer.
pub(super) fn sale(connection: &Connection, vault: &Vault, sale: SaleId) -> Result<Vec<Record>, Error> {
    let sql = stored!("WHERE sale = ?1 ORDER BY position");
    let stored = list(connection, sql, [sale.0], Stored::from_row)?;
    stored.into_iter().map(|stored| stored.open(vault)).collect()
}

fn list<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let all = || connection.prepare_cached(sql)?.query_map(params, read)?.collect::<Result<_, _>>();
    all().map_err(Error::Read)
}

fn sale_id(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<SaleId>> {
    let wrong = |found: Vec<u8>| {
        rusqlite::Error::FromSqlConversionFailure(
            index,
            Type::Blob,
            format!("a sale's id has 16 bytes, this has {}", found.len()).into(),
        )
    };
    let bytes: Option<Vec<u8>> = row.get(index)?;
    bytes.map(|bytes| bytes.try_into().map(SaleId).map_err(wrong)).transpose()
}
