//! What edges remember between starts: how far the cloud has the journal, what it has signed of it, the bundle, the
//! pairing, who is signed in, and wrong PINs.
//!
//! None of it is history: it can be fetched, made or typed again. It is flushed at each write all the
//! same, so that a power cut neither forgets a pairing nor forgives a wrong PIN. Open the journal
//! first: its lock keeps a second Till away from this file too. Not here: what a bundle or a pairing
//! says; they are bytes.

mod access;
mod anew;
mod delivery;

pub use access::{LOCK_OUT_AFTER, LOCK_OUT_MS, LOCK_OUT_MS_MAX, SESSIONS_MAX, Session};
pub use delivery::{ATTEMPTS_MAX, Attempts, HEADS_LATEST, HEADS_MAX};

use super::{Error, migrations, row, settings};
use crate::record::chain::Tip;
use crate::record::{Epoch, Hash};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The store. Clones share one connection; calls are short.
#[derive(Clone, Debug)]
pub struct EdgeStore {
    connection: Arc<Mutex<Connection>>,
}

/// The bundle in force as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredBundle {
    /// Its version.
    pub version: u64,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The envelope that signs them.
    pub envelope: Vec<u8>,
}

impl EdgeStore {
    /// Opens `edge.db` of a state directory, making it if there is none. One that is damaged is set aside and begun anew
    /// with what can still be read of it.
    ///
    /// # Errors
    /// [`Error`] when it is foreign or newer, or its settings do not take.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        match Self::open_file(dir) {
            Err(error) if error.is_damage() => anew::begin(dir, &error),
            opened => opened,
        }
    }

    fn open_file(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("edge.db");
        let mut connection = settings::open_to_write(&path)?;
        migrations::EDGE.identify(&connection, &path)?;
        settings::make_durable(&connection, &path)?;
        migrations::EDGE.migrate(&mut connection, &path, &dir.join("backups"))?;
        settings::quick_check(&connection, &path)?;
        // The names of new files, and that a first transaction's journal is gone, are durable too.
        super::aside::sync(dir)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Opens it to read, from another process than the daemon's; none if there is none.
    ///
    /// # Errors
    /// [`Error`] when it is foreign, damaged or of another version than this build's.
    pub fn open_to_read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join("edge.db");
        if !path.exists() {
            return Ok(None);
        }
        let connection = settings::open_to_read(&path)?;
        let found = migrations::EDGE.identify(&connection, &path)?;
        if found != migrations::EDGE.version() {
            return Err(Error::NotMigrated { path, found });
        }
        Ok(Some(Self { connection: Arc::new(Mutex::new(connection)) }))
    }

    /// How far the cloud has an epoch; [`Tip::START`] if it never said.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn watermark(&self, epoch: Epoch) -> Result<Tip, Error> {
        let tip = self.read(|connection| {
            connection
                .prepare_cached("SELECT seq, head FROM watermark WHERE epoch = ?1")?
                .query_row([epoch.to_string()], |row| {
                    Ok(Tip { seq: row::unsigned(row, 0)?, head: Hash(row.get(1)?) })
                })
                .optional()
        })?;
        Ok(tip.unwrap_or(Tip::START))
    }

    /// How far the cloud has each epoch that it ever spoke of.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn watermarks(&self) -> Result<BTreeMap<Epoch, Tip>, Error> {
        self.read(watermarks)
    }

    /// Notes how far the cloud has an epoch. It may fall: a cloud that was restored has less than before,
    /// and is sent the rest again. What it does not have it has not ruled on either, and that falls with it.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn set_watermark(&self, epoch: Epoch, seq: u64, head: Hash) -> Result<(), Error> {
        const RULED: &str = "UPDATE ruled SET seq = ?2 WHERE epoch = ?1 AND seq > ?2";
        self.write(|transaction| {
            put_watermark(transaction, epoch, Tip { seq, head })?;
            transaction.prepare_cached(RULED)?.execute((epoch.to_string(), row::signed(seq)?)).map(drop)
        })
    }

    /// The bundle in force.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn bundle(&self) -> Result<Option<StoredBundle>, Error> {
        self.read(stored_bundle)
    }

    /// Puts a bundle in force: version, bytes and envelope together or not at all. The same bundle once
    /// more is no error.
    ///
    /// # Errors
    /// [`Error::BundleNotNewer`] for a lower version, or other bytes under the same one;
    /// [`Error::WriteEdge`].
    pub fn store_bundle(&self, bundle: &StoredBundle) -> Result<(), Error> {
        let held = self.write(|transaction| {
            let held = stored_bundle(transaction)?.filter(|held| {
                held.version > bundle.version
                    || (held.version == bundle.version && held.bytes != bundle.bytes)
            });
            if held.is_none() {
                transaction.execute(
                    "INSERT OR REPLACE INTO bundle (one, version, bytes, envelope) VALUES (1, ?1, ?2, ?3)",
                    (row::signed(bundle.version)?, &bundle.bytes, &bundle.envelope),
                )?;
            }
            Ok(held.map(|held| held.version))
        })?;
        match held {
            Some(held) => Err(Error::BundleNotNewer { held, offered: bundle.version }),
            None => Ok(()),
        }
    }

    /// Number of the last notice taken from the cloud; zero before the first.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn cursor(&self) -> Result<u64, Error> {
        let sql = "SELECT number FROM cursor";
        let number =
            self.read(|connection| connection.query_row(sql, [], |row| row::unsigned(row, 0)).optional())?;
        Ok(number.unwrap_or(0))
    }

    /// Notes the last notice taken.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn set_cursor(&self, number: u64) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO cursor (one, number) VALUES (1, ?1)";
        self.write(|transaction| transaction.execute(sql, [row::signed(number)?]).map(drop))
    }

    /// What pairing with a cloud left behind; none while the till is not paired.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn paired(&self) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT bytes FROM pairing";
        self.read(|connection| connection.query_row(sql, [], |row| row.get(0)).optional())
    }

    /// Keeps what pairing left behind, in place of any earlier one.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn set_paired(&self, bytes: &[u8]) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO pairing (one, bytes) VALUES (1, ?1)";
        self.write(|transaction| transaction.execute(sql, [bytes]).map(drop))
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        // Every write is one transaction, so whoever panicked left nothing half done.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection).map_err(Error::ReadEdge)
    }

    fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(Error::WriteEdge)
    }
}

fn put_watermark(transaction: &Transaction<'_>, epoch: Epoch, tip: Tip) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO watermark (epoch, seq, head) VALUES (?1, ?2, ?3)")?
        .execute((epoch.to_string(), row::signed(tip.seq)?, tip.head.0))
        .map(drop)
}

fn watermarks(connection: &Connection) -> rusqlite::Result<BTreeMap<Epoch, Tip>> {
    let mut statement = connection.prepare_cached("SELECT epoch, seq, head FROM watermark")?;
    let rows = statement.query_map([], |row| {
        Ok((row::epoch(row, 0)?, Tip { seq: row::unsigned(row, 1)?, head: Hash(row.get(2)?) }))
    })?;
    rows.collect()
}

fn stored_bundle(connection: &Connection) -> rusqlite::Result<Option<StoredBundle>> {
    connection
        .query_row("SELECT version, bytes, envelope FROM bundle", [], |row| {
            let (version, bytes, envelope) = (row::unsigned(row, 0)?, row.get(1)?, row.get(2)?);
            Ok(StoredBundle { version, bytes, envelope })
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(version: u64, bytes: &str) -> StoredBundle {
        StoredBundle { version, bytes: bytes.into(), envelope: b"signed".to_vec() }
    }

    #[test]
    fn everything_is_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        let (epoch, head) = (Epoch(u64::MAX), Hash([7; 32]));
        {
            let store = EdgeStore::open(dir.path()).unwrap();
            assert_eq!(store.watermark(epoch).unwrap(), Tip::START);
            assert_eq!(store.bundle().unwrap(), None);
            assert_eq!(store.cursor().unwrap(), 0);
            assert_eq!(store.paired().unwrap(), None);
            store.set_watermark(epoch, 12, head).unwrap();
            store.store_bundle(&bundle(3, "{}")).unwrap();
            store.set_cursor(9).unwrap();
            store.set_paired(b"{\"cloud\":1}").unwrap();
        }
        let store = EdgeStore::open(dir.path()).unwrap();
        assert_eq!(store.watermark(epoch).unwrap(), Tip { seq: 12, head });
        assert_eq!(store.watermark(Epoch(1)).unwrap(), Tip::START);
        assert_eq!(store.bundle().unwrap(), Some(bundle(3, "{}")));
        assert_eq!(store.cursor().unwrap(), 9);
        assert_eq!(store.paired().unwrap().unwrap(), b"{\"cloud\":1}");
    }

    #[test]
    fn a_bundle_never_falls_and_never_changes_under_its_version() {
        let dir = tempfile::tempdir().unwrap();
        let store = EdgeStore::open(dir.path()).unwrap();
        store.store_bundle(&bundle(3, "{}")).unwrap();
        store.store_bundle(&bundle(3, "{}")).unwrap();
        let error = store.store_bundle(&bundle(2, "{}")).unwrap_err();
        assert!(matches!(error, Error::BundleNotNewer { held: 3, offered: 2 }), "{error}");
        assert!(store.store_bundle(&bundle(3, "{ }")).is_err());
        assert_eq!(store.bundle().unwrap(), Some(bundle(3, "{}")));
        store.store_bundle(&bundle(4, "{ }")).unwrap();
        assert_eq!(store.clone().bundle().unwrap(), Some(bundle(4, "{ }")));
    }

    #[test]
    fn a_number_that_the_file_cannot_hold_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let store = EdgeStore::open(dir.path()).unwrap();
        assert!(store.set_cursor(u64::MAX).is_err());
        assert_eq!(store.cursor().unwrap(), 0);
    }
}
