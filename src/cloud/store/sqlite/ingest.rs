//! Taking batches in: contiguous, linked, and moved with their watermark in one transaction.
//!
//! **Invariant:** whatever an authentic till sends is kept, or it is told where to send from. Where two machines wrote
//! the same numbers, whoever came first has the stream, and the other side goes on as a branch: a stream of its own that
//! begins where they part. Not here: what the records mean (`judge`).

use super::judge;
use super::publish::put_task;
use super::rows::{first, int, parsed};
use super::streams::{hash, stream};
use crate::cloud::judge::words;
use crate::cloud::store::{
    Batch, Beginning, Ingested, NewTask, Standing, StoreError, StoredRecord, StreamRow,
};
use crate::record::Epoch;
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{DeskId, TerminalId};
use ring::digest;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeSet;

/// Sides of one epoch that are kept apart. A till has two at most; more is somebody playing with a key.
const BRANCHES_MAX: usize = 16;

/// What names a branch stands behind this.
const BRANCH_DOMAIN: &[u8] = b"till/branch/1\n";

pub(super) fn ingest(tx: &Transaction<'_>, batch: &Batch) -> Result<Ingested, StoreError> {
    let paired: bool = tx
        .prepare_cached("SELECT count(*) FROM terminal WHERE terminal = ?1")?
        .query_row([batch.terminal.as_str()], |row| row.get(0))?;
    if !paired {
        return Ok(Ingested::Stranger);
    }
    let main = stream_of(tx, &batch.terminal, batch.epoch)?;
    let main_tip = main.as_ref().map_or(Tip::START, |stream| stream.tip);
    // A side that goes on from a branch is on that branch.
    let mut side = match branch_before(tx, batch)? {
        Some(branch) => Some(branch),
        None => main.clone(),
    };
    for _ in 0..=BRANCHES_MAX {
        let tip = side.as_ref().map_or(Tip::START, |stream| stream.tip);
        if batch.first_seq > tip.seq.saturating_add(1) {
            return Ok(Ingested::Gap { expected: tip.seq + 1 });
        }
        let on = side.as_ref().map_or(batch.epoch, |stream| stream.epoch);
        let before = hash_at(tx, &batch.terminal, on, batch.first_seq - 1, side.as_ref())?;
        if before != Some(batch.previous) {
            // The sides parted earlier than this batch tells: from the beginning it shows where.
            return Ok(Ingested::Gap { expected: 1 });
        }
        let Some(record) = first_difference(tx, batch, on, tip)? else {
            return extend(tx, batch, side.as_ref(), main_tip);
        };
        side = Some(branch_at(tx, batch, on, side.as_ref(), record)?);
    }
    Err(StoreError::Damaged(format!("an epoch of {} with more than {BRANCHES_MAX} sides", batch.terminal)))
}

/// Keeps what is new of the batch behind the stream that it belongs to.
fn extend(
    tx: &Transaction<'_>,
    batch: &Batch,
    side: Option<&StreamRow>,
    main_tip: Tip,
) -> Result<Ingested, StoreError> {
    let tip = side.map_or(Tip::START, |stream| stream.tip);
    let on = side.map_or(batch.epoch, |stream| stream.epoch);
    let fresh: Vec<&StoredRecord> = batch.records.iter().filter(|record| record.seq > tip.seq).collect();
    let mut desks = vec![];
    let mut moved = tip;
    if let Some(last) = fresh.last() {
        moved = Tip { seq: last.seq, head: last.hash };
        desks = put_records(tx, batch, on, &fresh)?;
        put_holds(tx, batch, on, tip)?;
        match side {
            None => begin(tx, batch, moved)?,
            Some(_) => move_on(tx, batch, on, tip, moved)?,
        }
        if fresh.iter().any(|record| record.kind == "epoch_adopted") {
            adopt(tx, batch, on)?;
        }
    }
    let judged = side.map_or(0, |stream| stream.judged);
    Ok(match side.and_then(|stream| stream.branch_of) {
        None => Ingested::Received { tip: moved, judged, desks },
        Some((_, seq)) => Ingested::Forked { seq, tip: main_tip, branch: moved },
    })
}

fn begin(tx: &Transaction<'_>, batch: &Batch, tip: Tip) -> Result<(), StoreError> {
    let beginning = batch.beginning.unwrap_or(Beginning { standing: Standing::Regular, parent: None });
    let (parent, parent_seq) = beginning.parent.unzip();
    tx.execute(
        "INSERT INTO stream (terminal, epoch, high, head, opened_ms, received_ms, standing, parent, parent_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
        params![
            batch.terminal.as_str(),
            batch.epoch.to_string(),
            int(tip.seq)?,
            tip.head.to_string(),
            batch.now_ms,
            beginning.standing.word(),
            parent.map(|epoch| epoch.to_string()),
            parent_seq.map(int).transpose()?
        ],
    )?;
    if beginning.standing != Standing::Provisional {
        return Ok(());
    }
    let lacks = match beginning.parent {
        Some((epoch, seq)) => {
            let here = stream_of(tx, &batch.terminal, epoch)?.map_or(0, |parent| parent.tip.seq);
            Some((seq, here))
        }
        None => None,
    };
    let task = NewTask {
        code: "epoch_provisional",
        subject: format!("{}/{}", batch.terminal, batch.epoch),
        words: words::provisional(&batch.terminal, lacks),
        terminal: Some(batch.terminal.clone()),
    };
    put_task(tx, &task, batch.now_ms)
}

fn move_on(tx: &Transaction<'_>, batch: &Batch, on: Epoch, from: Tip, to: Tip) -> Result<(), StoreError> {
    let changed = tx.execute(
        "UPDATE stream SET high = ?3, head = ?4, received_ms = ?5
         WHERE terminal = ?1 AND epoch = ?2 AND high = ?6 AND head = ?7",
        params![
            batch.terminal.as_str(),
            on.to_string(),
            int(to.seq)?,
            to.head.to_string(),
            batch.now_ms,
            int(from.seq)?,
            from.head.to_string()
        ],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Damaged("a stream that moved under its own lock".to_owned()))
    }
}

/// A manager has looked at an epoch that began by itself.
fn adopt(tx: &Transaction<'_>, batch: &Batch, on: Epoch) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE stream SET standing = 'adopted' WHERE terminal = ?1 AND epoch = ?2 AND standing = 'provisional'",
        params![batch.terminal.as_str(), on.to_string()],
    )?;
    tx.execute(
        "UPDATE task SET settled_ms = ?2 WHERE code = 'epoch_provisional' AND subject = ?1 AND settled_ms IS NULL",
        params![format!("{}/{}", batch.terminal, batch.epoch), batch.now_ms],
    )?;
    Ok(())
}

/// Marks what a manager holds back, and acts that were taken back and so have no effect, before anybody judges them.
fn put_holds(tx: &Transaction<'_>, batch: &Batch, on: Epoch, before: Tip) -> Result<(), StoreError> {
    let held = batch.held.iter().map(|seq| (seq, "held"));
    let marks = held.chain(batch.taken_back.iter().map(|seq| (seq, "resolved")));
    for (seq, state) in marks.filter(|(seq, _)| **seq > before.seq) {
        // A number that no record can have needs no mark.
        let Ok(number) = int(*seq) else { continue };
        tx.prepare_cached(
            "INSERT INTO hold (terminal, epoch, seq, state, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![batch.terminal.as_str(), on.to_string(), number, state, batch.now_ms])?;
    }
    Ok(())
}

pub(super) fn stream_of(
    db: &Connection,
    terminal: &TerminalId,
    epoch: Epoch,
) -> Result<Option<StreamRow>, StoreError> {
    let sql = "SELECT * FROM stream WHERE terminal = ?1 AND epoch = ?2";
    first(&mut db.prepare_cached(sql)?, params![terminal.as_str(), epoch.to_string()], stream)
}

/// The branch of this epoch that has the record before the batch.
fn branch_before(db: &Connection, batch: &Batch) -> Result<Option<StreamRow>, StoreError> {
    let sql = "SELECT stream.* FROM stream JOIN record USING (terminal, epoch)
               WHERE stream.terminal = ?1 AND stream.branch_of = ?2 AND record.seq = ?3 AND record.hash = ?4";
    let key = params![
        batch.terminal.as_str(),
        batch.epoch.to_string(),
        int(batch.first_seq - 1)?,
        batch.previous.to_string()
    ];
    first(&mut db.prepare_cached(sql)?, key, stream)
}

/// The hash of a record of one side; of a branch also of those before it parted.
fn hash_at(
    db: &Connection,
    terminal: &TerminalId,
    on: Epoch,
    seq: u64,
    side: Option<&StreamRow>,
) -> Result<Option<Hash>, StoreError> {
    if seq == 0 {
        return Ok(Some(Hash::NONE));
    }
    // Where a branch has nothing yet its tip is where it parted.
    if let Some(tip) = side.map(|side| side.tip).filter(|tip| tip.seq == seq) {
        return Ok(Some(tip.head));
    }
    let own = stored_hash(db, terminal, on, seq)?;
    match (own, side.and_then(|side| side.branch_of)) {
        (None, Some((epoch, _))) => stored_hash(db, terminal, epoch, seq),
        (own, _) => Ok(own),
    }
}

fn stored_hash(
    db: &Connection,
    terminal: &TerminalId,
    epoch: Epoch,
    seq: u64,
) -> Result<Option<Hash>, StoreError> {
    let sql = "SELECT hash FROM record WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3";
    let key = params![terminal.as_str(), epoch.to_string(), int(seq)?];
    let text: Option<String> = db.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    text.map(|text| hash(&text)).transpose()
}

/// The first record of the batch that this side knows with another hash.
fn first_difference<'a>(
    db: &Connection,
    batch: &'a Batch,
    on: Epoch,
    tip: Tip,
) -> Result<Option<&'a StoredRecord>, StoreError> {
    for record in batch.records.iter().take_while(|record| record.seq <= tip.seq) {
        let known = stored_hash(db, &batch.terminal, on, record.seq)?;
        // A branch does not repeat what came before it parted.
        if known.is_some_and(|known| known != record.hash) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// The branch that begins with a record; made, with its alarm, if it is not there yet.
fn branch_at(
    tx: &Transaction<'_>,
    batch: &Batch,
    parted_from: Epoch,
    side: Option<&StreamRow>,
    record: &StoredRecord,
) -> Result<StreamRow, StoreError> {
    let epoch = branch_epoch(batch.epoch, record.seq, record.hash);
    if let Some(known) = stream_of(tx, &batch.terminal, epoch)? {
        return Ok(known);
    }
    let before = record.seq - 1;
    let head = hash_at(tx, &batch.terminal, parted_from, before, side)?.unwrap_or(Hash::NONE);
    tx.execute(
        "INSERT INTO stream (terminal, epoch, high, head, judged, opened_ms, received_ms, branch_of, branch_seq)
         VALUES (?1, ?2, ?3, ?4, ?3, ?5, ?5, ?6, ?7)",
        params![
            batch.terminal.as_str(),
            epoch.to_string(),
            int(before)?,
            head.to_string(),
            batch.now_ms,
            batch.epoch.to_string(),
            int(record.seq)?
        ],
    )?;
    judge::rule_fork(tx, &batch.terminal, (epoch, batch.epoch), record.seq, batch.now_ms)?;
    stream_of(tx, &batch.terminal, epoch)?
        .ok_or_else(|| StoreError::Damaged("a branch that is gone at once".to_owned()))
}

/// The same side has the same name, whoever sends it and how often.
fn branch_epoch(epoch: Epoch, seq: u64, hash: Hash) -> Epoch {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(BRANCH_DOMAIN);
    context.update(&epoch.0.to_be_bytes());
    context.update(&seq.to_be_bytes());
    context.update(&hash.0);
    let mut id = [0; 8];
    id.copy_from_slice(&context.finish().as_ref()[..8]);
    Epoch(u64::from_be_bytes(id))
}

/// Keeps the records and where they leave their sales; says which desks changed.
fn put_records(
    tx: &Transaction<'_>,
    batch: &Batch,
    on: Epoch,
    fresh: &[&StoredRecord],
) -> Result<Vec<DeskId>, StoreError> {
    let (terminal, epoch) = (batch.terminal.as_str(), on.to_string());
    let mut insert = tx.prepare_cached(
        "INSERT INTO record (terminal, epoch, seq, hash, kind, sale, head, salt, body, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    // A sale that stays on its desk keeps it; one that leaves it tells the desk, too.
    let mut move_sale = tx.prepare_cached(
        "INSERT INTO sale (sale, terminal, epoch, first_seq, last_seq, records, desk, placed_ms, placed_seq,
             changed_ms)
         VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5, ?6, ?4, ?6)
         ON CONFLICT (sale) DO UPDATE SET last_seq = excluded.last_seq, records = records + 1,
             desk = CASE WHEN ?7 THEN excluded.desk ELSE desk END,
             placed_ms = CASE WHEN ?7 THEN excluded.placed_ms ELSE placed_ms END,
             placed_seq = CASE WHEN ?7 THEN excluded.placed_seq ELSE placed_seq END,
             changed_ms = excluded.changed_ms
         WHERE terminal = excluded.terminal AND epoch = excluded.epoch",
    )?;
    let mut desk_of = tx.prepare_cached("SELECT desk FROM sale WHERE sale = ?1 AND desk IS NOT NULL")?;
    let mut touched = BTreeSet::new();
    for record in fresh {
        let sale = record.sale.map(|sale| sale.to_string());
        insert.execute(params![
            terminal,
            epoch,
            int(record.seq)?,
            record.hash.to_string(),
            record.kind,
            sale,
            record.head,
            record.salt,
            record.body,
            batch.now_ms
        ])?;
        let Some(sale) = sale else { continue };
        let before: Option<String> = first(&mut desk_of, [&sale], |row| Ok(row.get(0)?))?;
        let desk = record.desk.as_ref().and_then(|desk| desk.as_ref().map(|desk| desk.as_str()));
        move_sale.execute(params![
            sale,
            terminal,
            epoch,
            int(record.seq)?,
            desk,
            batch.now_ms,
            record.desk.is_some()
        ])?;
        touched.extend(before);
        touched.extend(desk.map(str::to_owned));
    }
    touched.iter().map(|desk| parsed(desk)).collect()
}
