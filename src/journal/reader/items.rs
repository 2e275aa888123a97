//! The journal asked for items: one page of a selection, its sums, and what was said about single records.
//!
//! Each question goes along the index `record_item` or names its records; none reads a body, and none grows with what it
//! does not return. Not here: what a selection means (`queue::filter`).

use super::{Reader, list, row};
use crate::journal::Error;
use crate::money::Money;
use crate::queue::filter::{Selection, Sign};
use crate::queue::{ItemKind, RECORD_KINDS};
use crate::record::ids::SaleId;
use crate::record::{Epoch, Header, Record};
use rusqlite::types::Type;
use rusqlite::{Row, named_params};
use serde::Serialize;

/// The term of the index; a query that has it in the same words goes along the index.
macro_rules! item_kinds {
    () => {
        "kind IN ('receipt_issued', 'coupon_redeemed', 'voucher_redeemed', 'voucher_taken', 'member_recognised',
    'refund_drawn', 'paid_late', 'shift_closed', 'queue_acted')"
    };
}

/// Records that are no item of a kind of their own: they are shown where something was said about them.
macro_rules! other_kinds {
    () => {
        concat!("(NOT ", item_kinds!(), " OR kind = 'voucher_taken')")
    };
}

/// What both halves of a selection ask for besides where.
macro_rules! wanted {
    () => {
        "epoch = :epoch AND seq < :before
        AND (:from_ms IS NULL OR wall_ms >= :from_ms) AND (:to_ms IS NULL OR wall_ms <= :to_ms)
        AND (:min IS NULL OR abs(amount_minor) >= :min) AND (:max IS NULL OR abs(amount_minor) <= :max)
        AND (:sign = 0 OR (:sign > 0) = (coalesce(amount_minor, 0) >= 0))"
    };
}

/// Records of a range whose state follows from where they lie.
macro_rules! in_range {
    () => {
        concat!(
            item_kinds!(),
            " AND seq BETWEEN :first AND :last AND kind IN (SELECT value FROM json_each(:kinds))
        AND seq NOT IN (SELECT value FROM json_each(:numbers)) AND :other IN (0, 1) AND ",
            wanted!()
        )
    };
}

/// Records that are named.
macro_rules! named {
    () => {
        concat!(
            "seq IN (SELECT value FROM json_each(:numbers)) AND seq BETWEEN :first AND :last
        AND (kind IN (SELECT value FROM json_each(:kinds)) OR (:other AND ",
            other_kinds!(),
            ")) AND ",
            wanted!()
        )
    };
}

const PAGE_IN_RANGE: &str =
    concat!("SELECT head FROM record WHERE ", in_range!(), " ORDER BY seq DESC LIMIT :limit");
const PAGE_NAMED: &str =
    concat!("SELECT head FROM record WHERE ", named!(), " ORDER BY seq DESC LIMIT :limit");

/// A column that is in no group and no sum is that of the row with the least number (SQLite, "Bare columns in an
/// aggregate query").
macro_rules! sums {
    ($where:expr) => {
        concat!(
            "SELECT kind, coalesce(amount_minor, 0) < 0, currency, count(*), sum(amount_minor), min(seq), wall_ms
            FROM record WHERE ",
            $where,
            " AND :limit > 0 GROUP BY 1, 2, 3"
        )
    };
}
const SUMS_IN_RANGE: &str = sums!(in_range!());
const SUMS_NAMED: &str = sums!(named!());

const RULINGS: &str = "SELECT position, epoch, seq FROM record
    WHERE kind IN ('noted', 'queue_acted') AND position > ?1 ORDER BY position LIMIT ?2";

/// How many items of one kind and currency there are, and what they come to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sum {
    /// What they are.
    pub kind: ItemKind,
    /// How many.
    pub count: u64,
    /// What they come to, where they move money.
    pub worth: Option<Money>,
    /// The first of them, by its number in the epoch.
    pub oldest_seq: Option<u64>,
    /// When that was by this machine's wall clock, in Unix milliseconds.
    pub oldest_ms: Option<i64>,
}

impl Sum {
    /// The first of them: its number, and when it was.
    pub fn oldest(&self) -> Option<(u64, i64)> {
        self.oldest_seq.zip(self.oldest_ms)
    }
}

impl Reader {
    /// The newest items of a selection below the number `before`, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn items(&self, chosen: &Selection, before: Option<u64>, limit: u32) -> Result<Vec<Header>, Error> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let read = |sql, range, numbers: &[u64]| self.ask(sql, chosen, (range, numbers), before, limit, head);
        let mut found = read(PAGE_NAMED, WHOLE, &chosen.only)?;
        let named = found.len();
        for range in chosen.ranges.iter().rev() {
            found.extend(read(PAGE_IN_RANGE, *range, &chosen.except)?);
            if found.len() - named >= wanted {
                break;
            }
        }
        found.sort_by_key(|header: &Header| std::cmp::Reverse(header.seq));
        found.truncate(wanted);
        Ok(found)
    }

    /// What a selection comes to, by kind and currency.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn sums(&self, chosen: &Selection) -> Result<Vec<Sum>, Error> {
        let read = |sql, range, numbers: &[u64]| self.ask(sql, chosen, (range, numbers), None, 1, sum);
        let mut rows = read(SUMS_NAMED, WHOLE, &chosen.only)?;
        for range in &chosen.ranges {
            rows.extend(read(SUMS_IN_RANGE, *range, &chosen.except)?);
        }
        let mut sums: Vec<Sum> = Vec::new();
        for row in rows {
            let currency = |sum: &Sum| sum.worth.map(|worth| worth.currency);
            match sums.iter_mut().find(|sum| sum.kind == row.kind && currency(sum) == currency(&row)) {
                Some(sum) => add(sum, &row),
                None => sums.push(row),
            }
        }
        sums.sort_by_key(|sum| sum.kind);
        Ok(sums)
    }

    /// The header of one record.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn header(&self, epoch: Epoch, seq: u64) -> Result<Option<Header>, Error> {
        let Ok(seq) = row::signed(seq) else { return Ok(None) };
        let sql = "SELECT head FROM record WHERE epoch = ?1 AND seq = ?2";
        Ok(list(&self.lock(), sql, (epoch.to_string(), seq), head)?.pop())
    }

    /// How many records a sale has.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn count_of_sale(&self, sale: SaleId) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM record WHERE sale = ?1";
        let count = list(&self.lock(), sql, [sale.0], |row| row::unsigned(row, 0))?;
        Ok(count.first().copied().unwrap_or(0))
    }

    /// Verdicts and managers' acts of all epochs after a position, in the order of writing: at most `limit` of them, and
    /// the position to go on from.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Chain`] when one of them does not verify.
    pub fn rulings(&self, after: u64, limit: u32) -> Result<(Vec<Record>, u64), Error> {
        let Ok(from) = row::signed(after) else { return Ok((Vec::new(), after)) };
        let places = list(&self.lock(), RULINGS, (from, limit), |row| {
            Ok((row::unsigned(row, 0)?, row::epoch(row, 1)?, row::unsigned(row, 2)?))
        })?;
        let (mut records, mut last) = (Vec::new(), after);
        for (position, epoch, seq) in places {
            records.extend(self.records(epoch, seq, 1, 0)?);
            last = position;
        }
        Ok((records, last))
    }

    fn ask<T>(
        &self,
        sql: &str,
        chosen: &Selection,
        ((first, last), numbers): ((u64, u64), &[u64]),
        before: Option<u64>,
        limit: u32,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let json = |values: &[u64]| serde_json::Value::from(values.to_vec()).to_string();
        let params = named_params! {
            ":epoch": chosen.epoch.to_string(),
            ":before": before.map_or(i64::MAX, number),
            ":first": number(first),
            ":last": number(last),
            ":numbers": json(numbers),
            ":kinds": serde_json::Value::from(chosen.kinds.clone()).to_string(),
            ":other": chosen.other_kinds,
            ":sign": match chosen.sign { Sign::Any => 0, Sign::In => 1, Sign::Out => -1 },
            ":from_ms": chosen.from_ms,
            ":to_ms": chosen.to_ms,
            ":min": chosen.min_minor,
            ":max": chosen.max_minor,
            ":limit": limit,
        };
        list(&self.lock(), sql, params, read)
    }
}

/// Every number.
const WHOLE: (u64, u64) = (1, u64::MAX);

fn head(row: &Row<'_>) -> rusqlite::Result<Header> {
    let bytes: Vec<u8> = row.get(0)?;
    let wrong = |error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error));
    Header::decode(&bytes).map_err(wrong)
}

fn sum(row: &Row<'_>) -> rusqlite::Result<Sum> {
    let (kind, out): (String, bool) = (row.get(0)?, row.get(1)?);
    let sort = RECORD_KINDS.iter().find(|(name, _)| *name == kind).map_or(ItemKind::Other, |(_, kind)| *kind);
    let kind = if sort == ItemKind::Sale && out { ItemKind::Return } else { sort };
    let count = row::unsigned(row, 3)?;
    let (oldest_seq, oldest_ms) = (Some(row::unsigned(row, 5)?), row.get(6)?);
    Ok(Sum { kind, count, worth: row::amount(row, 4, 2)?, oldest_seq, oldest_ms })
}

/// Adds one sum to another of its kind and currency. What is beyond 64 bits stays where it is: it is for eyes.
fn add(sum: &mut Sum, more: &Sum) {
    sum.count = sum.count.saturating_add(more.count);
    if let (Some(worth), Some(other)) = (sum.worth, more.worth) {
        sum.worth = worth.plus(other).ok().or(Some(worth));
    }
    let oldest = sum.oldest().into_iter().chain(more.oldest()).min_by_key(|(seq, _)| *seq);
    (sum.oldest_seq, sum.oldest_ms) = oldest.unzip();
}

#[cfg(test)]
mod tests;
