//! Streams in SQLite: contiguous, linked, and moved with their watermark in one transaction.

use super::Sqlite;
use super::forgotten;
use super::ingest::ingest;
use super::judge;
use super::publish::put_task;
use super::rows::{all, bytes, first, int, parsed, parsed_option, unsigned};
use crate::cloud::store::{
    Batch, Beginning, Complete, DeskSale, Gaps, Ingested, Judged, Judgement, NewTask, Reply, Standing,
    StoreError, StoredRecord, StreamRow, Streams, Unjudged,
};
use crate::record::Epoch;
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{DeskId, SaleId, TerminalId, unhex};
use crate::record::queue_act::Subject;
use rusqlite::{Connection, Row, params};

/// Records judged in one transaction.
const JUDGED_AT_ONCE: i64 = 500;

/// Streams judged in one round: far above the tills of a chain.
const WAITING_MAX: i64 = 10_000;

/// Streams of a till that it is told about: more often than this hardly any till begins its journal anew.
const STREAMS_TOLD: usize = 64;

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

    fn streams_after(
        &self,
        terminal: TerminalId,
        after: Option<Epoch>,
        most: usize,
    ) -> Reply<'_, Vec<StreamRow>> {
        self.read(move |db| {
            let sql = "SELECT * FROM stream WHERE terminal = ?1 AND branch_of IS NULL AND epoch > ?2
                       ORDER BY epoch LIMIT ?3";
            let after = after.map_or_else(String::new, |epoch| epoch.to_string());
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            all(&mut db.prepare_cached(sql)?, params![terminal.as_str(), after, most], stream)
        })
    }

    fn record_at(&self, stream: (TerminalId, Epoch), subject: Subject) -> Reply<'_, Option<StoredRecord>> {
        self.read(move |db| {
            let home = home(db, &stream.0, stream.1, subject)?;
            let sql = "SELECT * FROM record WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3";
            let key = params![stream.0.as_str(), home.to_string(), int(subject.seq)?];
            first(&mut db.prepare_cached(sql)?, key, record)
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
            // The books that the sale is in, or any that its till began since.
            let sql = "SELECT sale.*, EXISTS (SELECT 1 FROM stream JOIN stream AS own
                           WHERE own.terminal = sale.terminal AND own.epoch = sale.epoch
                               AND stream.terminal = sale.terminal AND stream.standing = 'provisional'
                               AND stream.branch_of IS NULL AND stream.opened_ms >= own.opened_ms) AS cash_only
                       FROM sale WHERE desk = ?1 ORDER BY placed_ms DESC, placed_seq DESC LIMIT 1";
            first(&mut db.prepare_cached(sql)?, [desk.as_str()], |row| {
                Ok(DeskSale {
                    sale: parsed(&row.get::<_, String>("sale")?)?,
                    terminal: parsed(&row.get::<_, String>("terminal")?)?,
                    version: unsigned(row.get("records")?)?,
                    cash_only: row.get("cash_only")?,
                    changed_ms: row.get("changed_ms")?,
                })
            })
        })
    }

    fn waiting(&self) -> Reply<'_, Vec<(TerminalId, Epoch)>> {
        self.read(|db| {
            let sql = "SELECT terminal, epoch FROM stream WHERE judged < high ORDER BY received_ms LIMIT ?1";
            all(&mut db.prepare_cached(sql)?, [WAITING_MAX], |row| {
                Ok((parsed(&row.get::<_, String>("terminal")?)?, parsed(&row.get::<_, String>("epoch")?)?))
            })
        })
    }

    fn unjudged(&self, (terminal, epoch): (TerminalId, Epoch)) -> Reply<'_, Option<Unjudged>> {
        self.read(move |db| {
            let sql = "SELECT judged FROM stream WHERE terminal = ?1 AND epoch = ?2 AND judged < high";
            let key = params![terminal.as_str(), epoch.to_string()];
            let judged: Option<i64> = first(&mut db.prepare_cached(sql)?, key, |row| Ok(row.get(0)?))?;
            let Some(judged) = judged.map(unsigned).transpose()? else { return Ok(None) };
            let sql =
                "SELECT * FROM record WHERE terminal = ?1 AND epoch = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
            let parameters = params![terminal.as_str(), epoch.to_string(), int(judged)?, JUDGED_AT_ONCE];
            let records = all(&mut db.prepare_cached(sql)?, parameters, record)?;
            Ok(Some(Unjudged { judged, records }))
        })
    }

    fn judge(
        &self,
        stream: (TerminalId, Epoch),
        from: u64,
        judgements: Vec<Judgement>,
        now_ms: i64,
    ) -> Reply<'_, Judged> {
        self.write_booked(move |tx| {
            let (terminal, epoch) = (&stream.0, stream.1);
            let mut judged = judge::book(tx, terminal, epoch, from, &judgements, now_ms)?;
            let to = judgements.last().map_or(from, |last| last.seq);
            let swept = forgotten::sweep(tx, terminal, epoch, (from, to), now_ms)?;
            judged.verdicts += swept.notices;
            Ok((judged, swept.erased))
        })
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

/// The streams of a till that received something last, newest first, and whether these are all.
pub(super) fn latest_streams(
    db: &Connection,
    terminal: &TerminalId,
) -> Result<(Vec<StreamRow>, Complete), StoreError> {
    let sql = "SELECT * FROM stream WHERE terminal = ?1 AND branch_of IS NULL
               ORDER BY received_ms DESC, opened_ms DESC LIMIT ?2";
    let one_more = i64::try_from(STREAMS_TOLD + 1).unwrap_or(i64::MAX);
    let mut streams = all(&mut db.prepare_cached(sql)?, params![terminal.as_str(), one_more], stream)?;
    let complete = if streams.len() <= STREAMS_TOLD { Complete::All } else { Complete::Part };
    streams.truncate(STREAMS_TOLD);
    Ok((streams, complete))
}

/// The stream that has a record which one stream's till names: of a forked epoch its own side.
pub(super) fn home(
    db: &Connection,
    terminal: &TerminalId,
    epoch: Epoch,
    subject: Subject,
) -> Result<Epoch, StoreError> {
    let sql = "SELECT * FROM stream WHERE terminal = ?1 AND epoch = ?2";
    let own = first(&mut db.prepare_cached(sql)?, params![terminal.as_str(), epoch.to_string()], stream)?;
    let is_own = |of: &(Epoch, u64)| of.0 == subject.epoch && of.1 <= subject.seq;
    let side = own.and_then(|own| own.branch_of).filter(is_own);
    Ok(side.map_or(subject.epoch, |_| epoch))
}

pub(super) fn hash(text: &str) -> Result<Hash, StoreError> {
    unhex(text).map(Hash).ok_or_else(|| StoreError::Damaged(format!("the hash {text:?}")))
}

pub(super) fn stream(row: &Row<'_>) -> Result<StreamRow, StoreError> {
    Ok(StreamRow {
        terminal: parsed(&row.get::<_, String>("terminal")?)?,
        epoch: parsed(&row.get::<_, String>("epoch")?)?,
        tip: Tip { seq: unsigned(row.get("high")?)?, head: hash(&row.get::<_, String>("head")?)? },
        judged: unsigned(row.get("judged")?)?,
        received_ms: row.get("received_ms")?,
        beginning: Beginning {
            standing: standing(&row.get::<_, String>("standing")?)?,
            parent: pair(row, "parent", "parent_seq")?,
        },
        branch_of: pair(row, "branch_of", "branch_seq")?,
    })
}

fn standing(word: &str) -> Result<Standing, StoreError> {
    Standing::of_word(word).ok_or_else(|| StoreError::Damaged(format!("the standing {word:?}")))
}

/// An epoch and a number, where both are known.
fn pair(row: &Row<'_>, epoch: &str, seq: &str) -> Result<Option<(Epoch, u64)>, StoreError> {
    let epoch = parsed_option(row.get(epoch)?)?;
    let seq = row.get::<_, Option<i64>>(seq)?.map(unsigned).transpose()?;
    Ok(epoch.zip(seq))
}

pub(super) fn record(row: &Row<'_>) -> Result<StoredRecord, StoreError> {
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
