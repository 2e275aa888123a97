//! Reading the journal from other threads: what is committed, and nothing else.
//!
//! Each page's read is one query. Not here: writing, and any opinion on what records mean.

mod items;

use super::export::verify;
use super::row::{self, Raw, Stored, stored};
use super::vault::Vault;
use super::{End, Error, journal_path, load, migrations, settings};
use crate::money::Money;
use crate::record::ids::SaleId;
use crate::record::{Epoch, Mode, Record};
pub use items::Sum;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};
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

    /// Whether the journal holds exactly this record.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn holds(&self, end: End) -> Result<bool, Error> {
        let sql = "SELECT hash FROM record WHERE epoch = ?1 AND seq = ?2";
        let Ok(seq) = row::signed(end.tip.seq) else { return Ok(false) };
        let connection = self.lock();
        let hash = connection.query_row(sql, (end.epoch.to_string(), seq), |row| row.get::<_, [u8; 32]>(0));
        hash.optional().map(|hash| hash == Some(end.tip.head.0)).map_err(Error::Read)
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
        let sql = stored!("WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3");
        let from = row::signed(from_seq).map_err(Error::Read)?;
        let stored = list(&self.lock(), sql, (epoch.to_string(), from, max_count), Stored::from_row)?;
        stored.into_iter().map(|stored| stored.into_row(&self.vault)).collect()
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
            raw.open().map_err(|source| Error::Chain { epoch, seq, source })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::journal::sample::{Pen, sale};
    use crate::money::Currency;

    fn journal() -> (tempfile::TempDir, Journal, Pen) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        (dir, journal, Pen::new(1))
    }

    fn cny(minor: i64) -> Option<Money> {
        Some(Money::new(minor, Currency::CNY))
    }

    #[test]
    fn a_reader_on_another_thread_sees_what_is_committed() {
        let (_dir, mut journal, mut pen) = journal();
        let reader = journal.reader().unwrap();
        assert_eq!(reader.end().unwrap(), None);
        let records = pen.many(4);
        journal.append(&records).unwrap();
        let other = reader.clone();
        let seen = std::thread::spawn(move || other.records(Epoch(1), 1, 100, 1 << 20).unwrap());
        assert_eq!(seen.join().unwrap(), records);
        assert_eq!(reader.end().unwrap(), Some(pen.end()));
        assert_eq!(reader.sale(sale(0)).unwrap(), records[1..3]);
        reader.quick_check().unwrap();
    }

    #[test]
    fn a_batch_keeps_to_its_limits_but_is_never_empty_for_nothing() {
        let (_dir, mut journal, mut pen) = journal();
        let records = pen.many(9);
        journal.append(&records).unwrap();
        let reader = journal.reader().unwrap();
        let seqs = |from, count, bytes| {
            let raw = reader.raw(Epoch(1), from, count, bytes).unwrap();
            raw.iter().map(|raw| raw.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(3, 4, usize::MAX), [3, 4, 5, 6]);
        assert_eq!(seqs(9, 4, usize::MAX), [9, 10]);
        assert_eq!(seqs(3, 4, 0), [3]);
        let two = reader.raw(Epoch(1), 3, 2, usize::MAX).unwrap();
        let bytes = two.iter().map(Raw::len_bytes).sum();
        assert_eq!(seqs(3, 4, bytes), [3, 4]);
        assert_eq!(seqs(3, 4, bytes - 1), [3]);
        assert_eq!(seqs(11, 4, usize::MAX), [0; 0]);
        assert_eq!(two[0].hash, records[2].hash);
        assert_eq!(two[0].clone().open().unwrap(), records[2]);
    }

    #[test]
    fn every_epoch_has_its_end() {
        let (_dir, mut journal, mut pen) = journal();
        journal.append(&pen.many(3)).unwrap();
        let mut next = Pen::new(0);
        journal.append(&next.many(1)).unwrap();
        assert_eq!(journal.reader().unwrap().epochs().unwrap(), [pen.end(), next.end()]);
    }

    #[test]
    fn receipts_come_newest_first_and_lead_to_their_sale() {
        let (_dir, mut journal, mut pen) = journal();
        let mut records = vec![pen.genesis()];
        records.extend((1..=3).map(|number| pen.receipt(sale(number), number, 100)));
        journal.append(&records).unwrap();
        let reader = journal.reader().unwrap();
        let receipts = reader.receipts(2).unwrap();
        assert_eq!(receipts.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [3, 2]);
        let newest = &receipts[0];
        assert_eq!((newest.sale, newest.total, newest.seq), (Some(sale(3)), cny(100), 4));
        assert_eq!(newest.mode, Mode::Live);
        assert_eq!(reader.sale_of_receipt(Epoch(1), 2).unwrap(), Some(sale(2)));
        assert_eq!(reader.sale_of_receipt(Epoch(1), 4).unwrap(), None);
        assert_eq!(reader.sale_of_receipt(Epoch(2), 2).unwrap(), None);
    }

    #[test]
    fn what_waits_longest_is_what_was_written_first_whatever_the_clock_said() {
        let (_dir, mut journal, mut pen) = journal();
        let mut records = pen.many(2);
        for (number, wall_ms) in [(1, 5_000), (2, 4_000), (3, 6_000)] {
            let total = r#"{"kind":"receipt_issued","total":{"minor":100,"currency":"CNY"}}"#;
            records.push(pen.write(total, |header| {
                (header.receipt, header.amount, header.moment.wall_ms) = (Some(number), cny(100), wall_ms);
            }));
        }
        journal.append(&records).unwrap();
        let reader = journal.reader().unwrap();
        assert_eq!(reader.waiting(Epoch(1), 3, 1).unwrap().oldest_wall_ms, Some(5_000));
    }

    #[test]
    fn what_waits_is_counted_and_worth_what_its_receipts_say() {
        let (_dir, mut journal, mut pen) = journal();
        let mut records = pen.many(2);
        records.push(pen.receipt(sale(0), 1, 1280));
        records.push(pen.receipt(sale(1), 2, 20));
        let practice = |header: &mut crate::record::Header| {
            header.receipt = Some(3);
            header.amount = cny(99_999);
            header.mode = Mode::Training;
        };
        let total = r#"{"kind":"receipt_issued","total":{"minor":99999,"currency":"CNY"}}"#;
        records.push(pen.write(total, practice));
        journal.append(&records).unwrap();
        let reader = journal.reader().unwrap();
        let waiting = reader.waiting(Epoch(1), 2, 2).unwrap();
        assert_eq!((waiting.records, waiting.receipts, waiting.worth), (4, 3, cny(1300)));
        assert_eq!(waiting.oldest_wall_ms, Some(records[2].header.moment.wall_ms));
        let shown: Vec<_> = waiting.entries.iter().map(|entry| (entry.seq, entry.kind.as_str())).collect();
        assert_eq!(shown, [(3, "sale_moved"), (4, "receipt_issued")]);
        assert_eq!((waiting.entries[1].sale, waiting.entries[1].amount), (Some(sale(0)), cny(1280)));
        let counted = reader.waiting(Epoch(1), 2, 0).unwrap();
        assert_eq!((counted.records, counted.entries), (4, Vec::new()));
        assert_eq!(reader.waiting(Epoch(1), 6, 10).unwrap(), Waiting::default());
    }

    #[test]
    fn there_is_nothing_to_read_before_a_writer_came() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Reader::open(dir.path()).unwrap_err(), Error::Open { .. }));
    }

    #[test]
    fn people_can_read_a_journal_with_sql() {
        let (_dir, mut journal, mut pen) = journal();
        journal.append(&[pen.genesis(), pen.receipt(sale(1), 1, 500)]).unwrap();
        let reader = journal.reader().unwrap();
        let sql = "SELECT epoch, sale, at_utc, amount_minor, body IS NULL FROM readable WHERE seq = 2";
        let row = reader.lock().query_row(sql, [], |row| {
            let at: String = row.get(2)?;
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, at, row.get(3)?, row.get::<_, bool>(4)?))
        });
        let at = "2026-11-22 02:00:02".to_owned();
        assert_eq!(row.unwrap(), ("0000000000000001".to_owned(), sale(1).to_string(), at, 500, true));
    }

    #[test]
    fn no_query_walks_through_the_whole_journal() {
        let (_dir, journal, _) = journal();
        let reader = journal.reader().unwrap();
        let connection = reader.lock();
        for sql in [
            stored!("WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"),
            stored!("WHERE sale = ?1 ORDER BY position"),
            stored!("WHERE position > ?1 ORDER BY position LIMIT ?2"),
            EPOCHS,
            SALE_OF_RECEIPT,
            RECEIPTS,
            WAITING,
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(vec![1; statement.parameter_count()]), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            // What waits is sorted once more, and a list of epochs is as long as there are epochs.
            let bounded = |step: &str| step.contains("(subquery") || step.contains("INDEX record_genesis");
            let walks = |step: &String| step.starts_with("SCAN") && !bounded(step);
            assert!(!steps.iter().any(walks), "{sql}: {steps:?}");
        }
    }
}
