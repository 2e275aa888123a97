//! What a start reads: a snapshot if it fits, and every record after it, verified one by one.

use super::row::{Stored, stored};
use super::snapshot::Snapshot;
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
    /// The state up to some record; none means that the tail is the whole journal.
    pub snapshot: Option<Snapshot>,
    /// The records after it, in the order in which they were written.
    pub tail: Tail<'j>,
}

/// Records in the order in which they were written, over all epochs, each verified and chained to the
/// one before. After an error it ends.
pub struct Tail<'j> {
    connection: &'j Connection,
    after: i64,
    end: Option<End>,
    page: std::vec::IntoIter<Stored>,
    over: bool,
}

impl<'j> Tail<'j> {
    /// Everything from the first record.
    pub(super) fn whole(connection: &'j Connection) -> Self {
        Self { connection, after: 0, end: None, page: Vec::new().into_iter(), over: false }
    }

    /// What follows `end`, if the journal holds exactly that record.
    pub(super) fn following(connection: &'j Connection, end: End) -> Result<Option<Self>, Error> {
        let stored = connection
            .query_row(
                stored!("WHERE epoch = ?1 AND seq = ?2"),
                (end.epoch.to_string(), i64::try_from(end.tip.seq).unwrap_or(i64::MAX)),
                Stored::from_row,
            )
            .optional()
            .map_err(Error::Read)?;
        let Some(stored) = stored else { return Ok(None) };
        let after = stored.position;
        if stored.open()?.hash != end.tip.head {
            return Ok(None);
        }
        Ok(Some(Self { after, end: Some(end), ..Self::whole(connection) }))
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
        let record = stored.open()?;
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
