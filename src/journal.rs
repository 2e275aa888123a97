//! The journal: the records of a till in one SQLite file, of which only those go that a state stands for (`pruned`).
//!
//! A state directory holds `journal.db`, `edge.db` (what edges remember and can lose), `snapshot` (a
//! cache), `lock`, and `backups/` (copies from before migrations). [`Journal`] is its one writer and
//! belongs to the till's thread; a [`Reader`] is for everyone else and sees what is committed.
//!
//! **Invariant:** when [`Journal::append`] has returned, its records survive a power cut; when it has
//! failed, none of them is in the journal that this process sees. **Invariant:** the journal is one chain
//! for each epoch, without gaps from where records are kept on, and every record in it verifies.
//!
//! Bodies lie sealed, and those that speak of a member under a key of that member (`vault`).
//!
//! Not here: what records mean (`counter`), who sends them on (`sync`), the secrets themselves (`keys`).

mod aside;
mod carve;
mod copy;
pub mod edge;
mod error;
pub mod export;
#[cfg(test)]
mod golden;
mod load;
mod lock;
mod migrations;
mod pruned;
pub mod reader;
mod room;
mod row;
#[cfg(test)]
pub(crate) mod sample;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;
mod vault;

pub use aside::check_at_start;
pub use carve::{LISTED_MAX, Lacking, LackingRecord, LackingSum, Salvage};
pub use copy::{Copied, PutBack, Unsent, copy_into, put_back};
pub use error::Error;
#[cfg(test)]
pub(crate) use golden::golden_chains;
pub use load::{Loaded, Tail};
pub use reader::Reader;
pub use room::Room;
pub use row::Raw;
pub use snapshot::Snapshot;

use crate::record::body::Shutdown;
use crate::record::chain::Tip;
use crate::record::epochs::{Found, Left};
use crate::record::ids::SaleId;
use crate::record::{BODY_BYTES_MAX, Body, Epoch, Hash, Record};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Kind of the record that a daemon writes last when it stops in order.
const STOPPED: &str = "stopped";

/// After an unclean end, so much of a journal is looked at before the till is ready: some ten thousand sales, a tenth of
/// a second. What a longer one takes grows with the years, and a customer stands at the counter.
const CHECKED_FIRST_BYTES: u64 = 64 * 1024 * 1024;

/// Records of an older Till that are sealed in one commit.
const SEAL_AT_ONCE: u32 = 5_000;

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
    vault: vault::Vault,
    shutdown: Shutdown,
    /// It ended uncleanly and is too long to be looked at before the till is ready.
    owes_check: bool,
    /// Books that were set aside and that no epoch has followed yet.
    left: Option<Found>,
    /// Somebody wants every page and record looked at: no state that was kept stands in for them.
    check: bool,
    // Last, so that the lock is given back after the database is closed.
    lock: lock::Lock,
}

/// A journal's file, opened.
struct Opened {
    connection: Connection,
    vault: vault::Vault,
    shutdown: Shutdown,
    owes_check: bool,
}

impl Journal {
    /// Takes the state directory, making it if there is none, and opens its journal to write.
    ///
    /// Settings are read back, migrations applied, and after an unclean end every page is checked, of a long journal by
    /// whoever opened it ([`Journal::owes_check`]). A file that is damaged is set aside and an empty journal opened in
    /// its place ([`Journal::left`]).
    ///
    /// # Errors
    /// [`Error`] when another Till holds the directory, when the file is foreign or newer, or
    /// when a setting that durability rests on does not take. Nothing was changed in the file then.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_held(dir, lock::Lock::take(dir)?)
    }

    /// Sets this journal's files aside and opens an empty one in their place, which follows it.
    ///
    /// # Errors
    /// [`Error`] when the files cannot be renamed or the new one not opened. None of them is ever deleted.
    pub fn set_aside(self, why: Left, words: &str) -> Result<Self, Error> {
        let Self { dir, connection, lock, .. } = self;
        settings::fold_at_close(&connection, &journal_path(&dir), settings::AtClose::Leave)?;
        drop(connection);
        tracing::error!(words, "The journal cannot be trusted: its files are set aside.");
        aside::set_aside(&dir, why, words)?;
        Self::open_held(&dir, lock)
    }

    fn open_held(dir: &Path, lock: lock::Lock) -> Result<Self, Error> {
        aside::finish(dir)?;
        let opened = match Self::open_file(dir) {
            Err(error) if error.is_damage() => {
                tracing::error!(error = %error, "The journal is damaged: its files are set aside.");
                aside::set_aside(dir, Left::Damaged, &error.to_string())?;
                Self::open_file(dir)?
            }
            opened => opened?,
        };
        let Opened { connection, vault, shutdown, owes_check } = opened;
        let left = aside::finish(dir)?;
        let begun = left.as_ref().is_some_and(|left| follows(&connection, &vault, left));
        if begun {
            aside::begun(dir)?;
        }
        let left = left.filter(|_| !begun);
        let check = aside::is_check_wanted(dir);
        Ok(Self { dir: dir.to_owned(), connection, vault, shutdown, owes_check, left, check, lock })
    }

    fn open_file(dir: &Path) -> Result<Opened, Error> {
        let path = journal_path(dir);
        let mut connection = settings::open_to_write(&path)?;
        // What turns out to be damaged is left as it is, its log beside it.
        settings::fold_at_close(&connection, &path, settings::AtClose::Leave)?;
        migrations::JOURNAL.identify(&connection, &path)?;
        settings::make_durable(&connection, &path)?;
        migrations::JOURNAL.migrate(&mut connection, &path, &dir.join("backups"))?;
        let shutdown = last_shutdown(&connection).map_err(Error::Read)?;
        let short = std::fs::metadata(&path).is_ok_and(|file| file.len() <= CHECKED_FIRST_BYTES);
        let owes_check = match (aside::is_check_wanted(dir), shutdown) {
            (false, Shutdown::Clean) => false,
            (false, Shutdown::Unclean) if !short => true,
            (true, _) | (false, Shutdown::Unclean) => {
                settings::quick_check(&connection, &path)?;
                false
            }
        };
        let vault = vault::Vault::to_write(dir, &connection)?;
        seal_what_is_old(&connection, &vault)?;
        settings::fold_at_close(&connection, &path, settings::AtClose::Fold)?;
        // SQLite has flushed the files; this makes their names durable too.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::prepare(dir))?;
        Ok(Opened { connection, vault, shutdown, owes_check })
    }

    /// The state directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The books that were set aside, until an epoch that follows them has begun ([`Journal::begin`]).
    pub fn left(&self) -> Option<&Found> {
        self.left.as_ref()
    }

    /// What can still be read of the books that were set aside; `received` is what the cloud has said that it has.
    /// What it lacks is kept beside them as a list.
    ///
    /// # Errors
    /// [`Error::Prepare`] when not even the bytes can be read, or the list not be written.
    pub fn salvage(&self, received: &BTreeMap<Epoch, Tip>) -> Result<Salvage, Error> {
        let Some(left) = &self.left else { return Ok(Salvage::default()) };
        let aside = self.dir.join(&left.aside);
        let mut salvage = carve::salvage(&aside, &self.vault, received)?;
        salvage.lacking.aside.clone_from(&left.aside);
        salvage.lacking.why = Some(left.why);
        salvage.lacking.words.clone_from(&left.words);
        carve::keep(&aside, &salvage.lacking)?;
        Ok(salvage)
    }

    /// Begins an epoch that follows books that were set aside.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn begin(&mut self, records: &[Record]) -> Result<(), Error> {
        self.append(records)?;
        self.left = None;
        aside::begun(&self.dir)
    }

    /// How the daemon before this one ended: in order if its last record is `stopped` or if there was
    /// none. What is appended later does not change the answer.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown
    }

    /// Whether its pages have yet to be looked at ([`Reader::quick_check`]), because the daemon before this one was cut
    /// off and there are too many of them to look at before the till is ready.
    pub fn owes_check(&self) -> bool {
        self.owes_check
    }

    /// Where the journal ends; none while it is empty. Its epoch is the current one.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read.
    pub fn end(&self) -> Result<Option<End>, Error> {
        Ok(load::stored_end(&self.connection)?.map(|(_, end)| end))
    }

    /// A snapshot, if there is one that fits the journal, and the records after it; the whole journal where somebody
    /// wants it checked.
    ///
    /// # Errors
    /// [`Error`] when the journal cannot be read. A snapshot that does not fit is no error: it is left
    /// out, and the tail is the whole journal.
    pub fn load(&self) -> Result<Loaded<'_>, Error> {
        if self.check {
            return self.load_whole();
        }
        let Some(snapshot) = Snapshot::read(&self.dir, &self.vault) else { return self.load_whole() };
        if let Some(tail) = Tail::following(&self.connection, &self.vault, snapshot.end())? {
            return Ok(Loaded { snapshot: Some(snapshot), tail });
        }
        tracing::warn!("The snapshot is not of this journal; the whole journal is replayed.");
        self.load_whole()
    }

    /// What was loaded was looked at, and found whole or set aside: the next start need not do it again.
    ///
    /// # Errors
    /// [`Error::Prepare`] when that cannot be written down.
    pub fn checked(&mut self) -> Result<(), Error> {
        if self.check {
            aside::checked(&self.dir)?;
            self.check = false;
        }
        Ok(())
    }

    /// Where the kept state ends, if there is one that can be read: the journal was at least as long once.
    pub fn snapshot_end(&self) -> Option<End> {
        Snapshot::read(&self.dir, &self.vault).map(|snapshot| snapshot.end())
    }

    /// Everything that is kept, for a snapshot whose bytes the till cannot read: from the first record on, or from the
    /// state that was brought forward.
    ///
    /// # Errors
    /// [`Error`] when that state cannot be read.
    pub fn load_whole(&self) -> Result<Loaded<'_>, Error> {
        pruned::kept(&self.connection, &self.vault)
    }

    /// After which record a state stands for those before, which may be gone.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn stands_at(&self) -> Result<Option<End>, Error> {
        pruned::stands_at(&self.connection)
    }

    /// The state that stands for records that may be gone.
    ///
    /// # Errors
    /// [`Error`] when it cannot be read.
    pub fn brought_forward(&self) -> Result<Option<Snapshot>, Error> {
        pruned::brought_forward(&self.connection, &self.vault)
    }

    /// Puts a state in the place of all records before its own, which [`Journal::prune`] may then delete.
    ///
    /// # Errors
    /// [`Error::Append`] when the state is of no record here, or stands before the last one that was brought forward.
    pub fn bring_forward(&mut self, state: &Snapshot) -> Result<(), Error> {
        pruned::bring_forward(&self.connection, &self.vault, state)
    }

    /// Deletes the next records before `through`, if the state that was brought forward stands after just that record: at
    /// most `at_most`, so that nobody waits for it. Zero once all are gone.
    ///
    /// # Errors
    /// [`Error::Append`] when the disk refuses. What is left is deleted later.
    pub fn prune(&mut self, through: End, at_most: u32) -> Result<usize, Error> {
        pruned::prune(&self.connection, through, at_most)
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
            row::insert(&transaction, &mut insert, &self.vault, position, record)?;
        }
        drop(insert);
        transaction.commit().map_err(Error::Append)
    }

    /// Keeps a state so that the next start need not replay what is in it.
    ///
    /// # Errors
    /// [`Error::SaveSnapshot`] when it cannot be written. The journal is not touched either way.
    pub fn save_snapshot(&self, epoch: Epoch, tip: Tip, bytes: Vec<u8>) -> Result<(), Error> {
        Snapshot { epoch, tip, bytes }.save(&self.dir, &self.vault)
    }

    /// The records of one sale in order, each verified.
    ///
    /// # Errors
    /// [`Error`] when they cannot be read or one of them does not verify.
    pub fn sale(&self, sale: SaleId) -> Result<Vec<Record>, Error> {
        reader::sale(&self.connection, &self.vault, sale)
    }

    /// The records of each sale with a receipt of this number in one of the epochs that `epoch` takes.
    ///
    /// # Errors
    /// [`Error`] when they cannot be read or one of them does not verify.
    pub fn sales_of_receipt(
        &self,
        number: u32,
        epoch: impl Fn(Epoch) -> bool,
    ) -> Result<Vec<Vec<Record>>, Error> {
        reader::sales_of_receipt(&self.connection, &self.vault, number, epoch)
    }

    /// Whether a member waits to be forgotten: until the cloud has all that speaks of it.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn owes_forgetting(&self) -> Result<bool, Error> {
        self.vault.owes_forgetting()
    }

    /// What the cloud lacks of books that were set aside and are still there.
    pub fn lacking(&self) -> Vec<Lacking> {
        lacking(&self.dir)
    }

    /// Destroys the keys of members who are to be forgotten and whose last record `is_safe` elsewhere: nothing here
    /// reads any more what lies under them. Says how many there were.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn forget(&self, is_safe: impl Fn(Epoch, u64) -> bool) -> Result<usize, Error> {
        self.vault.forget(|until| is_safe(Epoch(until.epoch), until.seq))
    }

    /// A connection of its own that only reads, for another thread.
    ///
    /// # Errors
    /// [`Error`] when it cannot be opened.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.dir)
    }

    /// Folds what it can of the log into the journal without waiting for readers, and says how long the log is.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the disk refuses; nothing is lost.
    pub fn checkpoint(&self) -> Result<u64, Error> {
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(Error::Checkpoint)?;
        Ok(self.log_bytes())
    }

    /// How long the log is, in bytes.
    pub fn log_bytes(&self) -> u64 {
        let log = std::fs::metadata(self.dir.join("journal.db-wal"));
        log.map_or(0, |log| log.len())
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

/// What the cloud is not known to have of each time that books of this state directory were set aside, newest first.
pub fn lacking(dir: &Path) -> Vec<Lacking> {
    carve::lists(dir)
}

fn journal_path(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

/// Whether the current epoch is the one that follows these books.
fn follows(connection: &Connection, vault: &vault::Vault, left: &Found) -> bool {
    let last = row::stored!("WHERE kind = 'genesis' ORDER BY position DESC LIMIT 1");
    let genesis = connection.query_row(last, [], row::Stored::from_row).ok();
    let body = genesis.and_then(|stored| stored.open(vault).ok()).map(|record| record.body);
    matches!(body, Some(Body::Genesis { found: Some(found), .. }) if found.aside == left.aside)
}

/// Seals what an older Till left in the clear, and leaves no copy of it in this file or its log. A start that is cut
/// off in between goes on at the next one.
fn seal_what_is_old(connection: &Connection, vault: &vault::Vault) -> Result<(), Error> {
    let mut total = 0;
    loop {
        // What is overwritten is to be gone from its page, too.
        connection.execute_batch("PRAGMA secure_delete = ON; BEGIN IMMEDIATE").map_err(Error::Append)?;
        let sealed = row::seal_old(connection, vault, SEAL_AT_ONCE);
        let end = if sealed.is_ok() { "COMMIT" } else { "ROLLBACK" };
        connection.execute_batch(end).map_err(Error::Append)?;
        match sealed? {
            0 => break,
            some => total += some,
        }
    }
    if total > 0 {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(Error::Checkpoint)?;
        tracing::info!(
            records = total,
            "Records of an older Till were sealed. backups/ still has them in the clear."
        );
    }
    Ok(())
}

fn last_shutdown(connection: &Connection) -> rusqlite::Result<Shutdown> {
    let last = "SELECT kind FROM record ORDER BY position DESC LIMIT 1";
    let kind = connection.query_row(last, [], |row| row.get::<_, String>(0)).optional()?;
    Ok(match kind {
        Some(kind) if kind != STOPPED => Shutdown::Unclean,
        Some(_) | None => Shutdown::Clean,
    })
}
