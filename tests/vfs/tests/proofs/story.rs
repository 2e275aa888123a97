//! What a till does while its disk is recorded: it writes, folds its log in, keeps its state, stops and starts, begins
//! an epoch, and notes what the cloud has. By chance, but the same for the same seed.

use crate::pen::Pen;
use std::path::Path;
use till::journal::edge::EdgeStore;
use till::journal::{End, Journal, Snapshot};
use till::record::chain::Tip;
use till::record::{Hash, Record};
use vfs::chance::Chance;
use vfs::{Recording, Tape};

/// Commits of one story.
const COMMITS: u64 = 36;

/// A recording, and what was written while it ran.
pub(crate) struct Story {
    pub(crate) tape: Tape,
    pub(crate) written: Vec<Record>,
}

/// What [`vfs::Op::Told`] carries: how many records, and up to which number the cloud has them.
pub(crate) fn told(records: usize, cloud: u64) -> u64 {
    (u64::try_from(records).unwrap() << 32) | cloud
}

/// Both of them again.
pub(crate) fn understood(told: u64) -> (usize, u64) {
    (usize::try_from(told >> 32).unwrap(), told & 0xffff_ffff)
}

/// The journal as Till writes it, from an empty directory on.
pub(crate) fn till(dir: &Path, seed: u64) -> Story {
    let mut chance = Chance::new(seed);
    let recording = Tape::record(dir);
    let mut journal = Some(Journal::open(dir).unwrap());
    let edge = chance.coin().then(|| EdgeStore::open(dir).unwrap());
    // Both end their opening with it.
    recording.names_flushed();
    let mut pen = Pen::new(chance.number());
    let first = pen.epoch();
    let (mut written, mut cloud) = (Vec::new(), 0);
    for _ in 0..COMMITS {
        if chance.below(18) == 0 && !written.is_empty() {
            // The epoch changes: the old one never goes on.
            pen = Pen::new(chance.number());
        }
        let records = pen.many(1 + chance.below(4), chance.below(3_000));
        let at = journal.as_mut().unwrap();
        at.append(&records).unwrap();
        written.extend(records);
        recording.told(told(written.len(), cloud));
        match chance.below(12) {
            0 | 1 => drop(at.checkpoint().unwrap()),
            2 => {
                let (epoch, tip) = (pen.epoch(), pen.tip());
                at.save_snapshot(epoch, tip, b"a state".to_vec()).unwrap();
                recording.placed("snapshot", std::fs::read(dir.join("snapshot")).unwrap());
            }
            3 => {
                journal.take().unwrap().close().unwrap();
                journal = Some(Journal::open(dir).unwrap());
                recording.names_flushed();
            }
            // What the first half came to is brought forward, and some of it goes.
            4 if written.len() > 4 => {
                let through = &written[written.len() / 2];
                let tip = Tip { seq: through.header.seq, head: through.hash };
                let end = End { epoch: through.header.epoch, tip };
                let state = Snapshot { epoch: end.epoch, tip, bytes: b"what it came to".to_vec() };
                at.bring_forward(&state).unwrap();
                for _ in 0..chance.below(4) {
                    at.prune(end, 1 + u32::try_from(chance.below(9)).unwrap()).unwrap();
                }
            }
            5..=7 => {
                if let Some(edge) = &edge {
                    cloud += 1;
                    edge.set_watermark(first, cloud, Hash([7; 32])).unwrap();
                    recording.told(told(written.len(), cloud));
                }
            }
            _ => {}
        }
    }
    if chance.coin() {
        journal.take().unwrap().close().unwrap();
    }
    drop(journal);
    Story { tape: recording.end(), written }
}

/// A journal of a released version is opened by this build, with records that no cloud has, and goes on.
pub(crate) fn upgrade(dir: &Path, released: &[u8], held: &[Record], seed: u64) -> Story {
    std::fs::write(dir.join("journal.db"), released).unwrap();
    let mut chance = Chance::new(seed);
    let recording = Tape::record(dir);
    recording.told(told(held.len(), 0));
    let mut journal = Journal::open(dir).unwrap();
    recording.names_flushed();
    let mut written = held.to_vec();
    let mut pen = Pen::new(chance.number());
    for _ in 0..4 {
        let records = pen.many(1 + chance.below(3), chance.below(500));
        journal.append(&records).unwrap();
        written.extend(records);
        recording.told(told(written.len(), 0));
    }
    drop(journal);
    Story { tape: recording.end(), written }
}

/// The same rows over a connection that is not durable: a control that must fail.
pub(crate) fn careless(dir: &Path, synchronous: &str, seed: u64) -> Story {
    Journal::open(dir).unwrap().close().unwrap();
    let mut chance = Chance::new(seed);
    let recording = Tape::record(dir);
    let mut connection = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    let settings = format!("PRAGMA journal_mode=wal; PRAGMA synchronous={synchronous}");
    connection.execute_batch(&settings).unwrap();
    let mut pen = Pen::new(chance.number());
    let mut written = Vec::new();
    for _ in 0..COMMITS {
        let records = pen.many(1 + chance.below(4), chance.below(3_000));
        put(&mut connection, written.len(), &records);
        written.extend(records);
        recording.told(told(written.len(), 0));
        if chance.below(6) == 0 {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
    }
    drop(connection);
    finish(recording, written)
}

fn finish(recording: Recording, written: Vec<Record>) -> Story {
    Story { tape: recording.end(), written }
}

fn put(connection: &mut rusqlite::Connection, before: usize, records: &[Record]) {
    let transaction = connection.transaction().unwrap();
    for (index, record) in records.iter().enumerate() {
        let header = &record.header;
        transaction
            .execute(
                "INSERT INTO record (position, epoch, seq, kind, sale, wall_ms, training, receipt, hash, salt, head,
                    body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11)",
                rusqlite::params![
                    i64::try_from(before + index + 1).unwrap(),
                    header.epoch.to_string(),
                    i64::try_from(header.seq).unwrap(),
                    header.kind,
                    header.sale.map(|sale| sale.0),
                    header.moment.wall_ms,
                    header.receipt.map(|receipt| i64::try_from(receipt).unwrap()),
                    record.hash.0,
                    record.salt,
                    record.head,
                    record.bytes,
                ],
            )
            .unwrap();
    }
    transaction.commit().unwrap();
}
