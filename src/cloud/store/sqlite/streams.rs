//! Streams in SQLite: contiguous, linked, and moved with their watermark in one transaction.

use super::Sqlite;
use super::judge;
use super::publish::put_task;
use super::rows::{all, bytes, first, int, parsed, parsed_option, unsigned};
use crate::cloud::store::{
    Batch, DeskSale, Gaps, Ingested, Judged, Judgement, NewTask, Reply, StoreError, StoredRecord, StreamRow,
    Streams, Unjudged,
};
use crate::record::Epoch;
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{DeskId, SaleId, TerminalId, unhex};
use rusqlite::{Connection, Row, Transaction, params};
use std::collections::BTreeSet;

/// Records judged in one transaction.
const JUDGED_AT_ONCE: i64 = 200;

/// Streams of a till that it is told about: more than it has lives in which verdicts are still due.
const STREAMS_TOLD: i64 = 8;

/// Records of one sale that are ever folded: far above any basket.
const SALE_RECORDS_MAX: i64 = 5_000;

impl Streams for Sqlite {
    fn ingest(&self, batch: Batch) -> Reply<'_, Ingested> {
        self.write(move |tx| ingest(tx, &batch))
    }

    fn streams(&self) -> Reply<'_, Vec<StreamRow>> {
        self.read(|db| {
            let sql = "SELECT * FROM stream ORDER BY terminal, received_ms DESC LIMIT 10000";
            all(&mut db.prepare_cached(sql)?, [], stream)
        })
    }

    fn sale_records(&self, sale: SaleId) -> Reply<'_, Vec<StoredRecord>> {
        self.read(move |db| {
            // One sale lives in one stream: another stream that names the same sale is another till's error.
            let sql = "SELECT record.* FROM record JOIN sale USING (sale, terminal, epoch)
                       WHERE record.sale = ?1 ORDER BY record.seq LIMIT ?2";
            all(&mut db.prepare_cached(sql)?, params![sale.to_string(), SALE_RECORDS_MAX], record)
        })
    }

    fn desk_sale(&self, desk: DeskId) -> Reply<'_, Option<DeskSale>> {
        self.read(move |db| {
            let sql = "SELECT * FROM sale WHERE desk = ?1 ORDER BY placed_ms DESC, placed_seq DESC LIMIT 1";
            first(&mut db.prepare_cached(sql)?, [desk.as_str()], |row| {
                Ok(DeskSale {
                    sale: parsed(&row.get::<_, String>("sale")?)?,
                    terminal: parsed(&row.get::<_, String>("terminal")?)?,
                    version: unsigned(row.get("records")?)?,
                    changed_ms: row.get("changed_ms")?,
                })
            })
        })
    }

    fn unjudged(&self) -> Reply<'_, Option<Unjudged>> {
        self.read(|db| {
            let sql = "SELECT * FROM stream WHERE judged < high ORDER BY received_ms LIMIT 1";
            let Some(waiting) = first(&mut db.prepare_cached(sql)?, [], stream)? else { return Ok(None) };
            let StreamRow { terminal, epoch, judged, .. } = waiting;
            let sql =
                "SELECT * FROM record WHERE terminal = ?1 AND epoch = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
            let parameters = params![terminal.as_str(), epoch.to_string(), int(judged)?, JUDGED_AT_ONCE];
            let records = all(&mut db.prepare_cached(sql)?, parameters, record)?;
            Ok(Some(Unjudged { terminal, epoch, judged, records }))
        })
    }

    fn judge(
        &self,
        stream: (TerminalId, Epoch),
        from: u64,
        judgements: Vec<Judgement>,
        now_ms: i64,
    ) -> Reply<'_, Judged> {
        self.write(move |tx| judge::book(tx, &stream.0, stream.1, from, &judgements, now_ms))
    }

    fn raise(&self, task: NewTask, now_ms: i64) -> Reply<'_, ()> {
        self.write(move |tx| put_task(tx, &task, now_ms))
    }

    fn gaps(&self) -> Reply<'_, Gaps> {
        self.read(|db| {
            let count =
                |sql: &str| -> Result<u64, StoreError> { unsigned(db.query_row(sql, [], |row| row.get(0))?) };
            Ok(Gaps {
                redemptions: count("SELECT count(*) FROM coupon_redemption")?,
                check_ins: count("SELECT count(*) FROM check_in")?,
                receipts: count("SELECT count(*) FROM receipt")?,
                orders_under_way: count("SELECT count(*) FROM order_claim WHERE due_ms IS NOT NULL")?,
            })
        })
    }
}

/// The streams of a till that received something last, newest first.
pub(super) fn latest_streams(db: &Connection, terminal: &TerminalId) -> Result<Vec<StreamRow>, StoreError> {
    let sql = "SELECT * FROM stream WHERE terminal = ?1 ORDER BY received_ms DESC, opened_ms DESC LIMIT ?2";
    all(&mut db.prepare_cached(sql)?, params![terminal.as_str(), STREAMS_TOLD], stream)
}

fn ingest(tx: &Transaction<'_>, batch: &Batch) -> Result<Ingested, StoreError> {
    let (terminal, epoch) = (batch.terminal.as_str(), batch.epoch.to_string());
    let paired: bool = tx
        .prepare_cached("SELECT count(*) FROM terminal WHERE terminal = ?1")?
        .query_row([terminal], |row| row.get(0))?;
    if !paired {
        return Ok(Ingested::Stranger);
    }
    let sql = "SELECT * FROM stream WHERE terminal = ?1 AND epoch = ?2";
    let known = first(&mut tx.prepare_cached(sql)?, params![terminal, epoch], stream)?;
    let tip = known.as_ref().map_or(Tip::START, |stream| stream.tip);
    let judged = known.as_ref().map_or(0, |stream| stream.judged);
    if batch.first_seq > tip.seq.saturating_add(1) {
        return Ok(Ingested::Gap { expected: tip.seq + 1 });
    }
    if let Some(seq) = first_difference(tx, batch, tip)? {
        for record in batch.records.iter().filter(|record| record.seq >= seq) {
            put_fork(tx, batch, record)?;
        }
        judge::rule_fork(tx, &batch.terminal, batch.epoch, seq, batch.now_ms)?;
        return Ok(Ingested::Fork { seq, tip });
    }
    let fresh: Vec<&StoredRecord> = batch.records.iter().filter(|record| record.seq > tip.seq).collect();
    let Some(last) = fresh.last() else {
        return Ok(Ingested::Received { tip, judged, desks: vec![] });
    };
    if batch.first_seq == tip.seq + 1 && batch.previous != tip.head {
        return Ok(Ingested::Unlinked { seq: batch.first_seq, tip });
    }
    let desks = put_records(tx, batch, &fresh)?;
    let moved = Tip { seq: last.seq, head: last.hash };
    let changed = match known {
        None => tx.execute(
            "INSERT INTO stream (terminal, epoch, high, head, opened_ms, received_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            params![terminal, epoch, int(moved.seq)?, moved.head.to_string(), batch.now_ms],
        )?,
        Some(_) => tx.execute(
            "UPDATE stream SET high = ?3, head = ?4, received_ms = ?5
             WHERE terminal = ?1 AND epoch = ?2 AND high = ?6 AND head = ?7",
            params![
                terminal,
                epoch,
                int(moved.seq)?,
                moved.head.to_string(),
                batch.now_ms,
                int(tip.seq)?,
                tip.head.to_string()
            ],
        )?,
    };
    if changed != 1 {
        return Err(StoreError::Damaged("a stream that moved under its own lock".to_owned()));
    }
    Ok(Ingested::Received { tip: moved, judged, desks })
}

/// The first number in the batch that is known with another hash.
fn first_difference(tx: &Connection, batch: &Batch, tip: Tip) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT hash FROM record WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3";
    let mut statement = tx.prepare_cached(sql)?;
    for record in batch.records.iter().take_while(|record| record.seq <= tip.seq) {
        let stored: String = statement.query_row(
            params![batch.terminal.as_str(), batch.epoch.to_string(), int(record.seq)?],
            |row| row.get(0),
        )?;
        if stored != record.hash.to_string() {
            return Ok(Some(record.seq));
        }
    }
    Ok(None)
}

fn put_fork(tx: &Transaction<'_>, batch: &Batch, record: &StoredRecord) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO fork (terminal, epoch, seq, hash, head, salt, body, received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        batch.terminal.as_str(),
        batch.epoch.to_string(),
        int(record.seq)?,
        record.hash.to_string(),
        record.head,
        record.salt,
        record.body,
        batch.now_ms
    ])?;
    Ok(())
}

/// Keeps the records and where they leave their sales; says which desks changed.
fn put_records(
    tx: &Transaction<'_>,
    batch: &Batch,
    fresh: &[&StoredRecord],
) -> Result<Vec<DeskId>, StoreError> {
    let (terminal, epoch) = (batch.terminal.as_str(), batch.epoch.to_string());
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

fn hash(text: &str) -> Result<Hash, StoreError> {
    unhex(text).map(Hash).ok_or_else(|| StoreError::Damaged(format!("the hash {text:?}")))
}

fn stream(row: &Row<'_>) -> Result<StreamRow, StoreError> {
    Ok(StreamRow {
        terminal: parsed(&row.get::<_, String>("terminal")?)?,
        epoch: parsed(&row.get::<_, String>("epoch")?)?,
        tip: Tip { seq: unsigned(row.get("high")?)?, head: hash(&row.get::<_, String>("head")?)? },
        judged: unsigned(row.get("judged")?)?,
        received_ms: row.get("received_ms")?,
    })
}

fn record(row: &Row<'_>) -> Result<StoredRecord, StoreError> {
    Ok(StoredRecord {
        seq: unsigned(row.get("seq")?)?,
        hash: hash(&row.get::<_, String>("hash")?)?,
        kind: row.get("kind")?,
        sale: parsed_option(row.get("sale")?)?,
        head: row.get("head")?,
        salt: bytes(row, "salt")?,
        body: row.get("body")?,
        desk: None,
    })
}
