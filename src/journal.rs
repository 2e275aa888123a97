//! The journal: every record of a till in one SQLite file that only grows.
//!
//! A state directory holds `journal.db`, `edge.db` (what edges remember and can lose), `snapshot` (a
//! cache), `lock`, and `backups/` (copies from before migrations). [`Journal`] is its one writer and
//! belongs to the till's thread; a [`Reader`] is for everyone else and sees what is committed.
//!
//! **Invariant:** when [`Journal::append`] has returned, its records survive a power cut; when it has
//! failed, none of them is in the journal that this process sees. **Invariant:** the journal is one chain
//! for each epoch, without gaps, and every record in it verifies.
//!
//! Not here: what records mean (`counter`), who sends them on (`sync`), sealing of bodies (`keys`).

pub mod edge;
mod error;
#[cfg(test)]
mod golden;
mod load;
mod lock;
mod migrations;
pub mod reader;
mod row;
mod settings;
mod snapshot;

pub use error::Error;
pub use load::{Loaded, Tail};
pub use reader::Reader;
pub use row::Raw;
pub use snapshot::Snapshot;

use crate::record::body::Shutdown;
use crate::record::chain::Tip;
use crate::record::ids::SaleId;
use crate::record::{BODY_BYTES_MAX, Epoch, Hash, Record};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Kind of the record that a daemon writes last when it stops in order.
const STOPPED: &str = "stopped";

/// Where a journal, or one epoch of it, ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// Its last record.
    pub tip: Tip,
}

impl End {
    /// Reads epoch, number and hash from three columns side by side.
    fn from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let (epoch, seq) = (row::epoch(row, first)?, row::unsigned(row, first + 1)?);
        Ok(Self { epoch, tip: Tip { seq, head: Hash(row.get(first + 2)?) } })
    }
}

/// The one writer of a till's journal. It holds the lock of the state directory until it is dropped.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    connection: Connection,
    shutdown: Shutdown,
    // Last, so that the lock is given back after the database is closed.
    _lock: lock::Lock,
}

impl Journal {
    /// Takes the state directory, making it if there is none, and opens its journal to write.
    ///
    /// Settings are read back, migrations applied, and after an unclean end every page is checked.
    ///
    /// # Errors
    /// [`Error`] when another Till holds the directory, when the file is foreign, newer or damaged, or
    /// when a setting that durability rests on does not take. Nothing was changed in the file then.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let lock = lock::Lock::take(dir)?;
        let path = journal_path(dir);
        let mut connection = settings::open_to_write(&path)?;
        migrations::JOURNAL.identify(&connection, &path)?;
        settings::make_durable(&connection, &path)?;
        migrations::JOURNAL.migrate(&mut connection, &path, &dir.join("backups"))?;
        let shutdown = last_shutdown(&connection).map_err(Error::Read)?;
        match shutdown {
            Shutdown::Clean => {}
            Shutdown::Unclean => settings::quick_check(&connection, &path)?,
        }
        // SQLite has flushed the files; this makes their names durable too.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::prepare(dir))?;
        Ok(Self { dir: dir.to_owned(), connection, shutdown, _lock: lock })
    }

    /// How the daemon before this one ended: in order if its last record is `stopped` or if there was
    /// none. What is appended later does not change the answer.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown
    }

    /// Where the journal ends; none while it is empty. Its epoch is the current one.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read.
    pub fn end(&self) -> Result<Option<End>, Error> {
        Ok(load::stored_end(&self.connection)?.map(|(_, end)| end))
    }

    /// A snapshot, if there is one that fits the journal, and the records after it.
    ///
    /// # Errors
    /// [`Error`] when the journal cannot be read. A snapshot that does not fit is no error: it is left
    /// out, and the tail is the whole journal.
    pub fn load(&self) -> Result<Loaded<'_>, Error> {
        let Some(snapshot) = Snapshot::read(&self.dir) else { return Ok(self.load_whole()) };
        if let Some(tail) = Tail::following(&self.connection, snapshot.end())? {
            return Ok(Loaded { snapshot: Some(snapshot), tail });
        }
        tracing::warn!("The snapshot is not of this journal; the whole journal is replayed.");
        Ok(self.load_whole())
    }

    /// The whole journal, for a snapshot whose bytes the till cannot read.
    pub fn load_whole(&self) -> Loaded<'_> {
        Loaded { snapshot: None, tail: Tail::whole(&self.connection) }
    }

    /// Writes `records` after the journal's end, all or none, and returns when they are on disk.
    ///
    /// Callers that wait together should be written together: the cost is one flush of the disk.
    ///
    /// After an error the records are not in the journal that this process reads. If the disk failed
    /// while flushing ([`Error::is_disk_failure`]) a later start may still find them, whole and in
    /// order; so nothing may be promised on them, and nothing else written in their place either:
    /// open again first.
    ///
    /// # Errors
    /// [`Error::NotNext`] when they do not follow from the end, [`Error::Append`] when the disk or the
    /// database refuses.
    pub fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        if records.is_empty() {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::Append)?;
        let (mut position, mut end) = match load::stored_end(&transaction)? {
            Some((position, end)) => (position, Some(end)),
            None => (0, None),
        };
        let mut insert = row::insert_statement(&transaction).map_err(Error::Append)?;
        for record in records {
            if record.bytes.len() > BODY_BYTES_MAX {
                return Err(Error::BodyTooLong { bytes: record.bytes.len() });
            }
            row::check_hashes(record).map_err(Error::NotNext)?;
            end = Some(load::follow(end, record).map_err(Error::NotNext)?);
            position += 1;
            row::insert(&mut insert, position, record).map_err(Error::Append)?;
        }
        drop(insert);
        transaction.commit().map_err(Error::Append)
    }

    /// Keeps a state so that the next start need not replay what is in it.
    ///
    /// # Errors
    /// [`Error::SaveSnapshot`] when it cannot be written. The journal is not touched either way.
    pub fn save_snapshot(&self, epoch: Epoch, tip: Tip, bytes: Vec<u8>) -> Result<(), Error> {
        Snapshot { epoch, tip, bytes }.save(&self.dir)
    }

    /// The records of one sale in order, each verified.
    ///
    /// # Errors
    /// [`Error`] when they cannot be read or one of them does not verify.
    pub fn sale(&self, sale: SaleId) -> Result<Vec<Record>, Error> {
        reader::sale(&self.connection, sale)
    }

    /// A connection of its own that only reads, for another thread.
    ///
    /// # Errors
    /// [`Error`] when it cannot be opened.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.dir)
    }

    /// Folds the log into the journal and closes it. Readers may stay; the log then stays too.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the disk refuses; nothing is lost, the next start reads the log.
    pub fn close(self) -> Result<(), Error> {
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(fold, [], |_| Ok(())).map_err(Error::Checkpoint)?;
        self.connection.close().map_err(|(_, source)| Error::Checkpoint(source))
    }
}

fn journal_path(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

fn last_shutdown(connection: &Connection) -> rusqlite::Result<Shutdown> {
    let last = "SELECT kind FROM record ORDER BY position DESC LIMIT 1";
    let kind = connection.query_row(last, [], |row| row.get::<_, String>(0)).optional()?;
    Ok(match kind {
        Some(kind) if kind != STOPPED => Shutdown::Unclean,
        Some(_) | None => Shutdown::Clean,
    })
}
