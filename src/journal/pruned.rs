//! Records that are not kept any more, and what they came to.
//!
//! A state after some record is *brought forward*: from then on it stands in the place of all records before that one,
//! and those may be deleted, a few at a time. Unlike a snapshot it is no cache: it lies in the journal, sealed and bound
//! to its record, and goes wherever the journal is copied.
//!
//! **Invariant:** a record is deleted only once a durable state stands for it; the tables themselves refuse anything
//! else (sql/till/journal/0004). **Invariant:** what the state does not carry stays: how each epoch began and was
//! adopted, where it ended, and who works here.
//!
//! Not here: which records may go, and what a state says (`till`).

use super::load::Tail;
use super::row::unsigned;
use super::vault::Vault;
use super::{End, Error, Loaded, Snapshot, row};
use crate::record::{Epoch, Hash};
use rusqlite::{Connection, OptionalExtension};

/// What the sealed state is bound to, followed by the hash of its record.
const DOMAIN: &[u8] = b"till/brought-forward/1\n";

const BROUGHT_FORWARD: &str = "SELECT record.epoch, record.seq, record.hash, state
    FROM brought_forward LEFT JOIN record USING (position)";

const STANDS: &str = "SELECT EXISTS (SELECT 1 FROM brought_forward JOIN record USING (position)
    WHERE epoch = ?1 AND seq = ?2 AND hash = ?3)";

/// The next records that may be deleted, oldest first: the trigger leaves out the same three.
const DELETE: &str = "DELETE FROM record WHERE position IN (SELECT position FROM record
    WHERE position < (SELECT position FROM brought_forward)
        AND kind NOT IN ('genesis', 'epoch_adopted', 'staff_added')
        AND EXISTS (SELECT 1 FROM record AS next WHERE next.epoch = record.epoch AND next.seq = record.seq + 1)
    ORDER BY position LIMIT ?1)";

/// From which record of each epoch on the chain is without gaps: the one at which the state stands, the last of each
/// epoch before that, the first of each after it.
const KEPT_FROM: &str = "SELECT CASE
        WHEN forward.epoch = ?1 THEN forward.seq
        WHEN (SELECT position FROM record WHERE epoch = ?1 AND seq = 1) < forward.position
            THEN (SELECT max(seq) FROM record WHERE epoch = ?1)
        ELSE 1 END
    FROM brought_forward JOIN record AS forward USING (position)";

/// Puts a state in the place of the records before its own.
pub(super) fn bring_forward(connection: &Connection, vault: &Vault, state: &Snapshot) -> Result<(), Error> {
    let sealed = vault.seal_bytes(&state.bytes, &bound(state.tip.head))?;
    let put = || {
        connection.execute(
            "INSERT INTO brought_forward (one, position, state)
            VALUES (1, (SELECT position FROM record WHERE epoch = ?1 AND seq = ?2 AND hash = ?3), ?4)
            ON CONFLICT (one) DO UPDATE SET position = excluded.position, state = excluded.state",
            (state.epoch.to_string(), row::signed(state.tip.seq)?, state.tip.head.0, sealed),
        )
    };
    put().map(drop).map_err(Error::Append)
}

/// The record at which a state stands that was brought forward. The state itself is not looked at.
pub(super) fn stands_at(connection: &Connection) -> Result<Option<End>, Error> {
    let read = || {
        let sql = "SELECT epoch, seq, hash FROM brought_forward JOIN record USING (position)";
        connection.prepare_cached(sql)?.query_row([], |row| End::from_columns(row, 0)).optional()
    };
    read().map_err(Error::Read)
}

/// The state that stands for records that may be gone; none where every record is kept.
pub(super) fn brought_forward(connection: &Connection, vault: &Vault) -> Result<Option<Snapshot>, Error> {
    let read = || {
        let mut statement = connection.prepare_cached(BROUGHT_FORWARD)?;
        let found = statement.query_row([], |found| {
            let gone: Option<String> = found.get(0)?;
            let end = gone.is_some().then(|| End::from_columns(found, 0)).transpose()?;
            Ok((end, found.get::<_, Vec<u8>>(3)?))
        });
        found.optional()
    };
    let Some((end, sealed)) = read().map_err(Error::Read)? else { return Ok(None) };
    let damaged = |words: &str| Error::Damaged {
        path: connection.path().unwrap_or_default().into(),
        words: words.to_owned(),
    };
    let end = end
        .ok_or_else(|| damaged("the record is missing at which the state stands that was brought forward"))?;
    if !vault.is_open() {
        return Err(vault.shut());
    }
    let bytes = vault
        .open_bytes(&sealed, &bound(end.tip.head))
        .ok_or_else(|| damaged("the state that was brought forward is not the one that was sealed"))?;
    Ok(Some(Snapshot { epoch: end.epoch, tip: end.tip, bytes }))
}

/// Everything that is kept: the state that was brought forward, if there is one, and the records after it.
pub(super) fn kept<'j>(connection: &'j Connection, vault: &'j Vault) -> Result<Loaded<'j>, Error> {
    let Some(state) = brought_forward(connection, vault)? else {
        return Ok(Loaded { snapshot: None, tail: Tail::whole(connection, vault) });
    };
    let tail = Tail::following(connection, vault, state.end())?.ok_or_else(|| Error::Damaged {
        path: connection.path().unwrap_or_default().into(),
        words: "the record at which the state stands that was brought forward is another".to_owned(),
    })?;
    Ok(Loaded { snapshot: Some(state), tail })
}

/// Deletes records before `through`, at which the state must stand that was brought forward: `at_most` at once.
/// Says how many went; zero once nothing is left to go.
pub(super) fn prune(connection: &Connection, through: End, at_most: u32) -> Result<usize, Error> {
    let delete = || {
        let end = (through.epoch.to_string(), row::signed(through.tip.seq)?, through.tip.head.0);
        let stands: bool = connection.prepare_cached(STANDS)?.query_row(end, |row| row.get(0))?;
        if !stands {
            return Ok(0);
        }
        connection.prepare_cached(DELETE)?.execute([at_most])
    };
    delete().map_err(Error::Append)
}

/// From which record of an epoch on the journal holds all of them.
pub(super) fn kept_from(connection: &Connection, epoch: Epoch) -> Result<u64, Error> {
    let read = || {
        let mut statement = connection.prepare_cached(KEPT_FROM)?;
        statement.query_row([epoch.to_string()], |row| unsigned(row, 0)).optional()
    };
    Ok(read().map_err(Error::Read)?.unwrap_or(1))
}

fn bound(hash: Hash) -> Vec<u8> {
    [DOMAIN, &hash.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::export::verify;
    use crate::journal::sample::{Pen, sale};
    use crate::journal::{Journal, Reader, settings};
    use crate::record::Record;
    use crate::record::chain::Tip;
    use std::path::Path;

    fn state(record: &Record) -> Snapshot {
        let tip = Tip { seq: record.header.seq, head: record.hash };
        Snapshot { epoch: record.header.epoch, tip, bytes: b"what it came to".to_vec() }
    }

    /// An epoch of 31 records, a person among them, and one of 41; a state stands after the twentieth of the second.
    fn used(dir: &Path) -> (Journal, Vec<Record>, Snapshot) {
        let mut journal = Journal::open(dir).unwrap();
        let (mut first, mut second) = (Pen::new(1), Pen::new(2));
        let mut records = first.many(29);
        records.push(first.staff());
        records.extend(second.many(40));
        journal.append(&records).unwrap();
        let state = state(&records[31 + 19]);
        journal.bring_forward(&state).unwrap();
        (journal, records, state)
    }

    fn kept(dir: &Path) -> Vec<(u64, u64)> {
        let reader = Reader::open(dir).unwrap();
        let rows = [Epoch(1), Epoch(2)].map(|epoch| reader.raw(epoch, 1, 100, usize::MAX).unwrap());
        rows.concat().iter().map(|raw| (raw.epoch.0, raw.seq)).collect()
    }

    #[test]
    fn records_before_a_state_go_a_few_at_a_time_and_the_journal_is_read_from_it() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, records, state) = used(dir.path());
        for _ in 0..2 {
            let loaded = journal.load().unwrap();
            assert_eq!(loaded.snapshot.as_ref(), Some(&state), "also before anything went");
            let tail: Vec<_> = loaded.tail.map(Result::unwrap).collect();
            assert_eq!(tail, records[31 + 20..]);
            while journal.prune(state.end(), 7).unwrap() > 0 {}
        }
        let mut wanted = vec![(1, 1), (1, 31), (2, 1)];
        wanted.extend((20..=41).map(|seq| (2, seq)));
        assert_eq!(kept(dir.path()), wanted, "what the state does not carry stays");
        let reader = journal.reader().unwrap();
        assert_eq!(reader.epochs().unwrap().len(), 2, "where each epoch ended is known");
        assert_eq!([1, 2, 3].map(|epoch| reader.kept_from(Epoch(epoch)).unwrap()), [31, 20, 1]);
        // The journal goes on, and a later state takes the place of this one.
        let mut pen = Pen::new(3);
        let more = pen.many(10);
        journal.append(&more).unwrap();
        assert_eq!(journal.reader().unwrap().kept_from(Epoch(3)).unwrap(), 1);
        let later = self::state(&more[4]);
        journal.bring_forward(&later).unwrap();
        while journal.prune(later.end(), 100).unwrap() > 0 {}
        assert_eq!(kept(dir.path()), [(1, 1), (1, 31), (2, 1), (2, 41)]);
        let again: Vec<_> = journal.load_whole().unwrap().tail.map(Result::unwrap).collect();
        assert_eq!(again, more[5..]);
    }

    #[test]
    fn nothing_goes_for_which_no_state_stands() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, records, state) = used(dir.path());
        let other = self::state(&records[40]);
        assert_eq!(journal.prune(other.end(), 100).unwrap(), 0, "a state after another record");
        assert!(matches!(journal.bring_forward(&other), Err(Error::Append(_))), "it never goes back");
        let unknown = Snapshot { tip: Tip { seq: 21, head: Hash([9; 32]) }, ..state.clone() };
        assert!(matches!(journal.bring_forward(&unknown), Err(Error::Append(_))));
        assert_eq!(kept(dir.path()).len(), records.len());
        drop(journal);
        let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
        for sql in [
            "DELETE FROM record WHERE epoch = '0000000000000002' AND seq = 20",
            "DELETE FROM record WHERE epoch = '0000000000000002' AND seq = 41",
            "DELETE FROM record WHERE seq = 1",
            "DELETE FROM record WHERE kind = 'staff_added'",
            "DELETE FROM record WHERE epoch = '0000000000000001' AND seq = 31",
            "DELETE FROM brought_forward",
            "UPDATE brought_forward SET position = position - 1",
            "UPDATE brought_forward SET position = 1000",
        ] {
            assert!(thief.execute_batch(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn a_state_that_was_changed_or_stands_nowhere_is_damage() {
        for trick in [
            "UPDATE brought_forward SET state = zeroblob(99)",
            "UPDATE brought_forward SET position = position + 1",
            "DELETE FROM record WHERE position = (SELECT position FROM brought_forward)",
        ] {
            let dir = tempfile::tempdir().unwrap();
            let (journal, ..) = used(dir.path());
            journal.close().unwrap();
            let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
            thief.execute_batch(&format!("DROP TRIGGER record_is_not_deleted; {trick}")).unwrap();
            drop(thief);
            let journal = Journal::open(dir.path()).unwrap();
            let error = journal.load().map(drop).unwrap_err();
            assert!(error.is_damage(), "{trick}: {error}");
        }
    }

    #[test]
    fn what_is_left_alone_before_a_state_is_verified_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, state) = used(dir.path());
        while journal.prune(state.end(), 1000).unwrap() > 0 {}
        let check = || {
            let reader = Reader::open(dir.path()).unwrap();
            verify::journal(&reader, None, &verify::Known::default(), |_| ()).unwrap()
        };
        let report = check();
        assert!(report.is_good(), "{:?}", report.faults);
        assert_eq!((report.records, report.bodies), (25, 25));
        journal.close().unwrap();
        let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
        let trick = "DROP TRIGGER record_is_not_changed; UPDATE record SET body = zeroblob(99) WHERE kind = 'staff_added'";
        thief.execute_batch(trick).unwrap();
        assert_eq!(check().faults[0].code, "body");
    }

    #[test]
    fn a_kept_state_that_is_older_than_what_was_brought_forward_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, records, state) = used(dir.path());
        while journal.prune(state.end(), 1000).unwrap() > 0 {}
        // Its record is kept, as the end of its epoch is, and those after it are not.
        let end = self::state(&records[30]);
        journal.save_snapshot(end.epoch, end.tip, end.bytes).unwrap();
        let loaded = journal.load().unwrap();
        assert_eq!((loaded.snapshot, loaded.tail.map(Result::unwrap).count()), (Some(state), 21));
    }

    #[test]
    fn a_copy_takes_along_what_was_brought_forward() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, state) = used(dir.path());
        while journal.prune(state.end(), 1000).unwrap() > 0 {}
        let to = dir.path().join("copy.db");
        let copied = journal.reader().unwrap().back_up(&to, |_, _| ()).unwrap();
        assert_eq!(
            (copied.records, copied.end, copied.terminal),
            (22, journal.end().unwrap(), Some("till-3".parse().unwrap()))
        );
    }

    #[test]
    fn sending_goes_on_only_where_all_that_follows_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, records, state) = used(dir.path());
        while journal.prune(state.end(), 1000).unwrap() > 0 {}
        let reader = journal.reader().unwrap();
        let after = |seq| reader.going_on_after(Epoch(2), seq).unwrap();
        let tip = |seq: u64| Tip { seq, head: records[31 + usize::try_from(seq).unwrap() - 1].hash };
        assert_eq!([20, 41].map(after), [Some(tip(20)), Some(tip(41))]);
        assert_eq!(
            [0, 1, 18, 19].map(after),
            [Some(tip(19)); 4],
            "the first that is kept names the one before it"
        );
        assert_eq!(after(42), None);
        let last_of_first = Tip { seq: 30, head: records[29].hash };
        assert_eq!(reader.going_on_after(Epoch(1), 0).unwrap(), Some(last_of_first));
        assert_eq!(reader.going_on_after(Epoch(9), 0).unwrap(), None, "no such epoch");
        let held = |seq, head| reader.holds(End { epoch: Epoch(2), tip: Tip { seq, head } }).unwrap();
        assert!(held(5, Hash([1; 32])), "of what went nothing can be said");
        assert!(!held(25, Hash([1; 32])) && held(25, tip(25).head));
    }

    #[test]
    fn the_moved_of_a_sale_that_went_are_gone_and_those_of_another_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _, state) = used(dir.path());
        while journal.prune(state.end(), 1000).unwrap() > 0 {}
        assert_eq!(journal.sale(sale(4)).unwrap(), []);
        assert_eq!(journal.sale(sale(15)).unwrap().len(), 2);
    }
}
