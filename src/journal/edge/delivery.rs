//! Where the journal's way to the cloud stands: batches that left, heads that the cloud has signed, how far it has
//! ruled.
//!
//! Not here: what a signature proves (`record::witness`), and sending (`sync`).

use super::EdgeStore;
use crate::journal::{Error, row};
use crate::queue::{Head, Marks, Tries};
use crate::record::chain::Tip;
use crate::record::witness::ReceivedHead;
use crate::record::{Epoch, Hash};
use crate::token::KeyId;
use rusqlite::{OptionalExtension, Row, Transaction};
use std::collections::BTreeMap;

/// Batches without an answer that are remembered; beyond it the one tried longest ago is forgotten. A till tries one
/// batch at a time, and its end moves while fewer than a batch wait.
pub const ATTEMPTS_MAX: u32 = 600;

/// Heads of an epoch that are kept whatever their age: they tell when the latest sales were received.
pub const HEADS_LATEST: u32 = 256;

/// Heads of an epoch that are kept at all: of older ones the last of each hour, for half a year.
pub const HEADS_MAX: u32 = 4096;

/// An hour of the cloud's clock in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// A batch that left, or was about to, and that no answer has confirmed. Whether it arrived is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// Its first record.
    pub first: u64,
    /// Its last record.
    pub last: u64,
    /// How often it was sent with just these records. A record's tries are the sum over the batches it is in.
    pub tries: u32,
    /// When first, by this machine's wall clock, Unix milliseconds.
    pub first_ms: i64,
    /// When last.
    pub last_ms: i64,
    /// Why it failed last, a sentence; none while the answer is awaited.
    pub words: Option<String>,
}

impl EdgeStore {
    /// Notes that a batch leaves, before its first byte does.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn attempt(&self, epoch: Epoch, first: u64, last: u64, at_ms: i64) -> Result<(), Error> {
        const SQL: &str = "INSERT INTO attempt (epoch, first_seq, last_seq, tries, first_ms, last_ms)
            VALUES (?1, ?2, ?3, 1, ?4, ?4)
            ON CONFLICT (epoch, first_seq, last_seq)
            DO UPDATE SET tries = tries + 1, last_ms = excluded.last_ms, words = NULL";
        const TOO_MANY: &str = "DELETE FROM attempt WHERE (epoch, first_seq, last_seq) IN
            (SELECT epoch, first_seq, last_seq FROM attempt ORDER BY last_ms DESC LIMIT -1 OFFSET ?1)";
        self.write(|transaction| {
            let keys = (epoch.to_string(), row::signed(first)?, row::signed(last)?, at_ms);
            transaction.prepare_cached(SQL)?.execute(keys)?;
            transaction.prepare_cached(TOO_MANY)?.execute([ATTEMPTS_MAX]).map(drop)
        })
    }

    /// Notes why a batch that left was not confirmed.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn attempt_failed(
        &self,
        epoch: Epoch,
        first: u64,
        last: u64,
        at_ms: i64,
        words: &str,
    ) -> Result<(), Error> {
        const SQL: &str = "UPDATE attempt SET words = ?5, last_ms = ?4
            WHERE epoch = ?1 AND first_seq = ?2 AND last_seq = ?3";
        self.write(|transaction| {
            let keys = (epoch.to_string(), row::signed(first)?, row::signed(last)?, at_ms, words);
            transaction.prepare_cached(SQL)?.execute(keys).map(drop)
        })
    }

    /// The batches of an epoch that no answer has confirmed, first records first.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn attempts(&self, epoch: Epoch) -> Result<Vec<Attempts>, Error> {
        const SQL: &str = "SELECT first_seq, last_seq, tries, first_ms, last_ms, words FROM attempt
            WHERE epoch = ?1 ORDER BY first_seq, last_seq";
        self.read(|connection| {
            connection.prepare_cached(SQL)?.query_map([epoch.to_string()], attempts)?.collect()
        })
    }

    /// Keeps a head that the cloud has signed, and forgets the attempts that it confirms.
    ///
    /// Of older heads the last of each hour stays, so that an old record's time of receipt is known to the hour.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn received(&self, epoch: Epoch, head: &ReceivedHead) -> Result<(), Error> {
        self.write(|transaction| keep_head(transaction, epoch, head))
    }

    /// Moves the watermark to a head that the cloud has signed and that is this journal's own, and keeps it; one
    /// transaction.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn confirm(&self, epoch: Epoch, head: &ReceivedHead) -> Result<(), Error> {
        self.write(|transaction| {
            super::put_watermark(transaction, epoch, Tip { seq: head.seq, head: head.head })?;
            keep_head(transaction, epoch, head)
        })
    }

    /// The signed heads of an epoch that are kept, oldest number first.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn received_heads(&self, epoch: Epoch) -> Result<Vec<ReceivedHead>, Error> {
        const SQL: &str = "SELECT seq, head, at_ms, key_id, signature FROM received_head
            WHERE epoch = ?1 ORDER BY seq";
        self.read(|connection| {
            connection.prepare_cached(SQL)?.query_map([epoch.to_string()], head)?.collect()
        })
    }

    /// Every epoch of which a signed head is kept. One that the journal does not know is a journal that was lost.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn received_epochs(&self) -> Result<Vec<Epoch>, Error> {
        const SQL: &str = "SELECT DISTINCT epoch FROM received_head ORDER BY epoch";
        self.read(|connection| {
            connection.prepare_cached(SQL)?.query_map([], |row| row::epoch(row, 0))?.collect()
        })
    }

    /// All of them, by epoch.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn signed(&self) -> Result<BTreeMap<Epoch, Vec<ReceivedHead>>, Error> {
        let of = |epoch| Ok((epoch, self.received_heads(epoch)?));
        self.received_epochs()?.into_iter().map(of).collect()
    }

    /// All of that in the words of the queue: how far head office is with an epoch, and what was tried.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn marks(&self, epoch: Epoch) -> Result<Marks, Error> {
        let tries = self.attempts(epoch)?.into_iter().map(|batch| Tries {
            first: batch.first,
            last: batch.last,
            tries: batch.tries.into(),
            first_ms: batch.first_ms,
            last_ms: batch.last_ms,
            words: batch.words,
        });
        let heads =
            self.received_heads(epoch)?.into_iter().map(|head| Head { seq: head.seq, at_ms: head.at_ms });
        Ok(Marks {
            received: self.watermark(epoch)?.seq,
            ruled: self.ruled(epoch)?,
            tries: tries.collect(),
            heads: heads.collect(),
        })
    }

    /// How far the cloud has ruled on an epoch: every verdict up to here is in the journal. Zero if it never said.
    ///
    /// # Errors
    /// [`Error::ReadEdge`].
    pub fn ruled(&self, epoch: Epoch) -> Result<u64, Error> {
        let sql = "SELECT seq FROM ruled WHERE epoch = ?1";
        let seq = self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_row([epoch.to_string()], |row| row::unsigned(row, 0))
                .optional()
        })?;
        Ok(seq.unwrap_or(0))
    }

    /// Notes how far the cloud has ruled on an epoch. It may fall: a cloud that was restored rules again.
    ///
    /// # Errors
    /// [`Error::WriteEdge`].
    pub fn set_ruled(&self, epoch: Epoch, seq: u64) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO ruled (epoch, seq) VALUES (?1, ?2)";
        self.write(|transaction| {
            transaction.prepare_cached(sql)?.execute((epoch.to_string(), row::signed(seq)?)).map(drop)
        })
    }
}

fn keep_head(transaction: &Transaction<'_>, epoch: Epoch, head: &ReceivedHead) -> rusqlite::Result<()> {
    // The first signature for a record says when it was received; a replay says the same later.
    const KEEP: &str = "INSERT INTO received_head (epoch, seq, head, at_ms, key_id, signature)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    const CONFIRMED: &str = "DELETE FROM attempt WHERE epoch = ?1 AND last_seq <= ?2";
    let (epoch, seq) = (epoch.to_string(), row::signed(head.seq)?);
    transaction.prepare_cached(KEEP)?.execute((
        &epoch,
        seq,
        head.head.0,
        head.at_ms,
        head.key_id.0,
        head.signature,
    ))?;
    transaction.prepare_cached(CONFIRMED)?.execute((&epoch, seq))?;
    thin(transaction, &epoch)
}

/// Thins old heads once there are twice as many as are always kept.
fn thin(transaction: &Transaction<'_>, epoch: &str) -> rusqlite::Result<()> {
    const LATEST: &str = "SELECT seq FROM received_head WHERE epoch = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2";
    const HOURS: &str = "DELETE FROM received_head WHERE epoch = ?1 AND seq <= ?2 AND seq NOT IN
        (SELECT max(seq) FROM received_head WHERE epoch = ?1 AND seq <= ?2 GROUP BY at_ms / ?3)";
    const TOO_MANY: &str = "DELETE FROM received_head WHERE epoch = ?1 AND seq <= ?2";
    let nth = |offset: u32| {
        transaction.prepare_cached(LATEST)?.query_row((epoch, offset), |row| row.get::<_, i64>(0)).optional()
    };
    // The rows between the latest and one beyond twice their number are looked at in passing only.
    if nth(2 * HEADS_LATEST)?.is_none() {
        return Ok(());
    }
    if let Some(older) = nth(HEADS_LATEST)? {
        transaction.prepare_cached(HOURS)?.execute((epoch, older, HOUR_MS))?;
    }
    if let Some(oldest) = nth(HEADS_MAX)? {
        transaction.prepare_cached(TOO_MANY)?.execute((epoch, oldest))?;
    }
    Ok(())
}

fn attempts(row: &Row<'_>) -> rusqlite::Result<Attempts> {
    Ok(Attempts {
        first: row::unsigned(row, 0)?,
        last: row::unsigned(row, 1)?,
        tries: row.get(2)?,
        first_ms: row.get(3)?,
        last_ms: row.get(4)?,
        words: row.get(5)?,
    })
}

fn head(row: &Row<'_>) -> rusqlite::Result<ReceivedHead> {
    Ok(ReceivedHead {
        seq: row::unsigned(row, 0)?,
        head: Hash(row.get(1)?),
        at_ms: row.get(2)?,
        key_id: KeyId(row.get(3)?),
        signature: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch(7);

    fn store() -> (tempfile::TempDir, EdgeStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = EdgeStore::open(dir.path()).unwrap();
        (dir, store)
    }

    fn signed(seq: u64, at_ms: i64) -> ReceivedHead {
        let head = Hash([u8::try_from(seq % 251).unwrap(); 32]);
        ReceivedHead { seq, head, at_ms, key_id: KeyId([1; 4]), signature: [2; 64] }
    }

    #[test]
    fn a_batch_counts_its_tries_until_it_is_received() {
        let (dir, store) = store();
        store.attempt(EPOCH, 1, 5, 100).unwrap();
        store.attempt_failed(EPOCH, 1, 5, 110, "no line").unwrap();
        store.attempt(EPOCH, 1, 9, 200).unwrap();
        store.attempt_failed(EPOCH, 1, 9, 210, "no line").unwrap();
        store.attempt(EPOCH, 1, 9, 300).unwrap();
        drop(store);
        let store = EdgeStore::open(dir.path()).unwrap();
        let five = Attempts {
            first: 1,
            last: 5,
            tries: 1,
            first_ms: 100,
            last_ms: 110,
            words: Some("no line".to_owned()),
        };
        let nine = Attempts { first: 1, last: 9, tries: 2, first_ms: 200, last_ms: 300, words: None };
        assert_eq!(store.attempts(EPOCH).unwrap(), [five, nine.clone()]);
        assert_eq!(store.attempts(Epoch(8)).unwrap(), []);
        store.received(EPOCH, &signed(5, 400)).unwrap();
        assert_eq!(store.attempts(EPOCH).unwrap(), [nine]);
        store.confirm(EPOCH, &signed(9, 500)).unwrap();
        assert_eq!(store.attempts(EPOCH).unwrap(), []);
        assert_eq!(store.watermark(EPOCH).unwrap(), Tip { seq: 9, head: signed(9, 0).head });
    }

    #[test]
    fn attempts_do_not_pile_up() {
        let (_dir, store) = store();
        for last in 1..=u64::from(ATTEMPTS_MAX) + 20 {
            store.attempt(EPOCH, 1, last, i64::try_from(last).unwrap()).unwrap();
        }
        let kept = store.attempts(EPOCH).unwrap();
        assert_eq!((kept.len(), kept[0].last), (usize::try_from(ATTEMPTS_MAX).unwrap(), 21));
    }

    #[test]
    fn the_latest_heads_stay_and_of_older_ones_the_last_of_each_hour() {
        let (_dir, store) = store();
        // A head each minute for two days.
        for seq in 1..=2880 {
            store.received(EPOCH, &signed(seq, i64::try_from(seq).unwrap() * 60_000)).unwrap();
        }
        let kept: Vec<u64> = store.received_heads(EPOCH).unwrap().iter().map(|head| head.seq).collect();
        assert!(kept.len() <= 2 * usize::try_from(HEADS_LATEST).unwrap() + 48, "{}", kept.len());
        assert!((2881 - 256..=2880).all(|seq| kept.contains(&seq)), "the latest all stay");
        assert_eq!(kept[..3], [59, 119, 179], "the last of each hour");
        assert_eq!(store.received_epochs().unwrap(), [EPOCH]);
    }

    #[test]
    fn the_first_word_for_a_record_says_when_it_was_received() {
        let (_dir, store) = store();
        store.received(EPOCH, &signed(3, 100)).unwrap();
        store.received(EPOCH, &signed(3, 900)).unwrap();
        assert_eq!(store.received_heads(EPOCH).unwrap(), [signed(3, 100)]);
        let other = ReceivedHead { head: Hash([9; 32]), ..signed(3, 950) };
        store.received(EPOCH, &other).unwrap();
        assert_eq!(store.received_heads(EPOCH).unwrap().len(), 2, "another hash is evidence");
    }

    #[test]
    fn what_is_ruled_is_remembered_for_each_epoch_and_may_fall() {
        let (_dir, store) = store();
        assert_eq!(store.ruled(EPOCH).unwrap(), 0);
        store.set_ruled(EPOCH, 12).unwrap();
        store.set_ruled(Epoch(8), 3).unwrap();
        assert_eq!((store.ruled(EPOCH).unwrap(), store.ruled(Epoch(8)).unwrap()), (12, 3));
        store.set_ruled(EPOCH, 4).unwrap();
        assert_eq!(store.ruled(EPOCH).unwrap(), 4);
    }
}
