//! How much of each quota was ever let out, kept beside the database: a database that is put back to an earlier day has
//! forgotten parts that tills may still use, and finds here how many.
//!
//! **Invariant:** no lease is answered before this file says so; so whichever copy of `cloud.db` is put in place, what is
//! out counts as out. Which tills have it comes with their records. Not here: leases (`leases`).

use super::rows::{all, int, unsigned};
use crate::cloud::store::StoreError;
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Name of the file in the cloud's folder.
const NAME: &str = "granted.json";

/// The file, and what it says.
pub(super) struct Granted {
    folder: PathBuf,
    said: BTreeMap<u32, u64>,
}

impl Granted {
    /// Reads the file, and tells the database what it has forgotten.
    pub(super) fn open(folder: &Path, db: &mut Connection) -> Result<Self, StoreError> {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let said = read(folder)?;
        for (campaign, granted) in &said {
            // A quota that was set after the copy was made is not there at all: head office sets it again.
            tx.execute(
                "INSERT INTO campaign_quota (campaign, total) VALUES (?1, 0) ON CONFLICT DO NOTHING",
                [campaign],
            )?;
            let forgotten = tx.execute(
                "UPDATE campaign_quota SET let_out = let_out + (?2 - granted), granted = ?2
                 WHERE campaign = ?1 AND granted < ?2",
                params![campaign, int(*granted)?],
            )?;
            if forgotten > 0 {
                tracing::warn!(
                    campaign,
                    "Parts of a quota were let out that this database does not know: they count."
                );
            }
        }
        tx.commit()?;
        let mut granted = Self { folder: folder.to_owned(), said };
        // What was let out before there was such a file, or stood in a damaged one.
        granted.keep(db)?;
        Ok(granted)
    }

    /// Brings the file up to the database. Durable when it returns.
    pub(super) fn keep(&mut self, db: &mut Connection) -> Result<(), StoreError> {
        if by_database(db)? == self.said {
            return Ok(());
        }
        // Several processes have the store open: whose turn it is writes what holds now, and nobody an older number later.
        let turn = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = by_database(&turn)?;
        let text = serde_json::to_vec(&now).map_err(|error| failed(&self.folder, error.into()))?;
        self.write(&text).map_err(|source| failed(&self.folder, source))?;
        self.said = now;
        Ok(turn.commit()?)
    }

    /// The whole file or the one before, whenever the power fails.
    fn write(&self, text: &[u8]) -> io::Result<()> {
        let fresh = self.folder.join(format!("{NAME}.new"));
        let mut file = File::create(&fresh)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&fresh, self.folder.join(NAME))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn read(folder: &Path) -> Result<BTreeMap<u32, u64>, StoreError> {
    match fs::read(folder.join(NAME)) {
        Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::error!(
                %error,
                "The file {NAME} beside the database is damaged. If the database was put back from a copy, set \
                 quotas lower by what tills may hold."
            );
            BTreeMap::new()
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(failed(folder, source)),
    }
}

fn by_database(db: &Connection) -> Result<BTreeMap<u32, u64>, StoreError> {
    let sql = "SELECT campaign, granted FROM campaign_quota WHERE granted > 0";
    let rows = all(&mut db.prepare_cached(sql)?, [], |row| Ok((row.get(0)?, unsigned(row.get(1)?)?)))?;
    Ok(rows.into_iter().collect())
}

fn failed(folder: &Path, source: io::Error) -> StoreError {
    StoreError::Folder { path: folder.to_owned(), source }
}
