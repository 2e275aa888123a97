//! What a start reads: a snapshot if it fits, and every record after it, verified one by one.

use super::row::{Stored, stored};
use super::snapshot::Snapshot;
use super::vault::Vault;
use super::{End, Error};
use crate::record::chain::Tip;
use crate::record::{Broken, Record};
use rusqlite::{Connection, OptionalExtension};

/// Kind of the record that begins an epoch.
const GENESIS: &str = "genesis";

/// Rows fetched at once: few enough that the largest bodies stay small in memory.
const PAGE_ROWS: i64 = 64;

/// What a start reads.
pub struct Loaded<'j> {
    /// The state up to some record, kept or brought forward; none means that the tail is the whole journal.
    pub snapshot: Option<Snapshot>,
    /// The records after it, in the order in which they were written.
    pub tail: Tail<'j>,
}

/// Records in the order in which they were written, over all epochs, each verified and chained to the
/// one before. After an error it ends.
pub struct Tail<'j> {
    connection: &'j Connection,
    vault: &'j Vault,
    after: i64,
    end: Option<End>,
    page: std::vec::IntoIter<Stored>,
    over: bool,
}

impl<'j> Tail<'j> {
    /// Everything from the first record.
    pub(super) fn whole(connection: &'j Connection, vault: &'j Vault) -> Self {
        Self { connection, vault, after: 0, end: None, page: Vec::new().into_iter(), over: false }
    }

    /// What follows `end`, if the journal holds exactly that record, and all after it: one before a state that was
    /// brought forward may have lost those.
    pub(super) fn following(
        connection: &'j Connection,
        vault: &'j Vault,
        end: End,
    ) -> Result<Option<Self>, Error> {
        let stored = connection
            .query_row(
                stored!(
                    "WHERE epoch = ?1 AND seq = ?2
                        AND position >= coalesce((SELECT position FROM brought_forward), 0)"
                ),
                (end.epoch.to_string(), i64::try_from(end.tip.seq).unwrap_or(i64::MAX)),
                Stored::from_row,
            )
            .optional()
            .map_err(Error::Read)?;
        let Some(stored) = stored else { return Ok(None) };
        let after = stored.position;
        if stored.open(vault)?.hash != end.tip.head {
            return Ok(None);
        }
        Ok(Some(Self { after, end: Some(end), ..Self::whole(connection, vault) }))
    }

    /// Where the last record that came out stands.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    fn next_stored(&mut self) -> Result<Option<Stored>, Error> {
        if self.page.len() == 0 {
            self.page = self.fetch().map_err(Error::Read)?.into_iter();
        }
        Ok(self.page.next())
    }

    fn fetch(&self) -> rusqlite::Result<Vec<Stored>> {
        let mut statement =
            self.connection.prepare_cached(stored!("WHERE position > ?1 ORDER BY position LIMIT ?2"))?;
        let rows = statement.query_map((self.after, PAGE_ROWS), Stored::from_row)?;
        rows.collect()
    }

    fn open(&mut self, stored: Stored) -> Result<Record, Error> {
        let (position, epoch, seq) = (stored.position, stored.epoch, stored.seq);
        let record = stored.open(self.vault)?;
        let end = follow(self.end, &record).map_err(|source| Error::Chain { epoch, seq, source })?;
        if position != self.after + 1 {
            let path = self.connection.path().unwrap_or_default().into();
            let words = format!("rows are missing before record {seq} of epoch {epoch}");
            return Err(Error::Damaged { path, words });
        }
        self.after = position;
        self.end = Some(end);
        Ok(record)
    }
}

impl Iterator for Tail<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = match self.next_stored() {
            Ok(None) => None,
            Ok(Some(stored)) => Some(self.open(stored)),
            Err(error) => Some(Err(error)),
        };
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The journal's end after `record`, if it may come after `end`: the next of the same epoch, or the
/// genesis of another one.
pub(super) fn follow(end: Option<End>, record: &Record) -> Result<End, Broken> {
    let header = &record.header;
    let tip = match end {
        Some(end) if end.epoch == header.epoch => end.tip,
        Some(_) | None if header.kind == GENESIS => Tip::START,
        Some(_) | None => return Err(Broken::Stranger { seq: header.seq }),
    };
    let mut next = End { epoch: header.epoch, tip };
    next.tip.follow(next.epoch, record)?;
    Ok(next)
}

/// Where the journal ends; none while it is empty.
pub(super) fn stored_end(connection: &Connection) -> Result<Option<(i64, End)>, Error> {
    let read = || {
        connection
            .prepare_cached("SELECT position, epoch, seq, hash FROM record ORDER BY position DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, End::from_columns(row, 1)?)))
            .optional()
    };
    read().map_err(Error::Read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::{Pen, sale};
    use crate::journal::{Journal, settings};
    use crate::record::Hash;

    fn loaded(journal: &Journal) -> (Option<Snapshot>, Vec<Record>) {
        let loaded = journal.load().unwrap();
        (loaded.snapshot, loaded.tail.map(Result::unwrap).collect())
    }

    fn keep(journal: &Journal, end: End) {
        journal.save_snapshot(end.epoch, end.tip, b"state".to_vec()).unwrap();
    }

    #[test]
    fn a_snapshot_and_its_tail_are_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut pen = Pen::new(1);
        let first = pen.many(100);
        journal.append(&first).unwrap();
        keep(&journal, pen.end());
        let (snapshot, tail) = loaded(&journal);
        assert_eq!(snapshot.unwrap().tip, pen.end().tip);
        assert_eq!(tail, []);
        let more = [pen.moved(sale(1)), pen.moved(sale(2))];
        journal.append(&more).unwrap();
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        let (snapshot, tail) = loaded(&journal);
        assert_eq!(snapshot.unwrap().bytes, b"state");
        assert_eq!(tail, more);
        let whole: Vec<Record> = journal.load_whole().unwrap().tail.map(Result::unwrap).collect();
        assert_eq!(whole, [&first[..], &more[..]].concat());
    }

    #[test]
    fn a_snapshot_goes_on_into_the_next_epoch() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut pen = Pen::new(1);
        journal.append(&pen.many(3)).unwrap();
        keep(&journal, pen.end());
        let next = Pen::new(2).many(2);
        journal.append(&next).unwrap();
        assert_eq!(loaded(&journal).1, next);
    }

    #[test]
    fn a_snapshot_that_lies_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut pen = Pen::new(1);
        let records = pen.many(10);
        journal.append(&records).unwrap();
        let true_end = pen.end();
        let other_hash = End { tip: Tip { head: Hash([1; 32]), ..true_end.tip }, ..true_end };
        let too_far = End { tip: Tip { seq: 12, ..true_end.tip }, ..true_end };
        let other_epoch = End { epoch: crate::record::Epoch(5), ..true_end };
        for lie in [other_hash, too_far, other_epoch] {
            keep(&journal, lie);
            let (snapshot, tail) = loaded(&journal);
            assert_eq!((snapshot, tail.len()), (None, 11));
        }
        keep(&journal, true_end);
        assert_eq!(loaded(&journal).1, []);
        std::fs::write(dir.path().join("snapshot"), "half of somethi").unwrap();
        assert_eq!(loaded(&journal).1, records);
    }

    /// Changes rows behind the journal's back, as a thief with a shell would, and loads.
    fn tampered(sql: &str) -> Error {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(&Pen::new(1).many(80)).unwrap();
        let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
        let triggers = ["record_is_appended", "record_is_not_changed", "record_is_not_deleted"];
        for trigger in triggers {
            thief.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        thief.execute_batch(sql).unwrap();
        let mut tail = journal.load().unwrap().tail;
        let error = tail.by_ref().find_map(Result::err).unwrap();
        assert!(tail.next().is_none(), "nothing comes after a break");
        error
    }

    #[test]
    fn a_break_in_the_chain_is_an_error_that_names_the_record() {
        let tricks = [
            "UPDATE record SET body = CAST('{}' AS BLOB) WHERE seq = 70",
            "UPDATE record SET body = CAST('{}' AS BLOB), sealed = 0 WHERE seq = 70",
            "UPDATE record SET body = x'', sealed = 0 WHERE seq = 70",
            "UPDATE record SET body = (SELECT body FROM record WHERE seq = 69) WHERE seq = 70",
            "UPDATE record SET hash = zeroblob(32) WHERE seq = 70",
            "UPDATE record SET head = zeroblob(200) WHERE seq = 70",
            "UPDATE record SET head = (SELECT head FROM record WHERE seq = 69),
                body = (SELECT body FROM record WHERE seq = 69),
                salt = (SELECT salt FROM record WHERE seq = 69),
                hash = (SELECT hash FROM record WHERE seq = 69) WHERE seq = 70",
        ];
        for trick in tricks {
            let error = tampered(trick);
            assert!(matches!(error, Error::Chain { seq: 70, .. }), "{trick}: {error:?}");
            assert!(error.to_string().contains("record 70") && error.is_permanent());
        }
        let error = tampered("DELETE FROM record WHERE seq = 70");
        assert!(matches!(error, Error::Chain { seq: 71, .. }), "{error:?}");
        let error = tampered("UPDATE record SET position = position + 100 WHERE seq > 70");
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    }

    #[test]
    fn a_missing_tail_shows_by_a_snapshot_or_a_watermark_only() {
        // The chain proves what is there; that its end is the end takes someone who saw it.
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        journal.append(&Pen::new(1).many(5)).unwrap();
        let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
        thief.execute_batch("DROP TRIGGER record_is_not_deleted; DELETE FROM record WHERE seq > 3").unwrap();
        assert_eq!(loaded(&journal).1.len(), 3);
    }

    #[test]
    fn ten_thousand_records_are_read_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut pen = Pen::new(1);
        let records = pen.many(9_999);
        for batch in records.chunks(256) {
            journal.append(batch).unwrap();
        }
        let mut tail = journal.load().unwrap().tail;
        let count = tail.by_ref().map(Result::unwrap).zip(&records).filter(|(a, b)| a == *b).count();
        assert_eq!(count, 10_000);
        assert_eq!(tail.end(), Some(pen.end()));
    }
}
