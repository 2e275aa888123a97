//! Receipts against their series: no number twice, and none left out.

use super::{Place, Ruled};
use crate::cloud::judge::words;
use crate::cloud::store::StoreError;
use crate::cloud::store::sqlite::rows::{int, unsigned};
use crate::money::Money;
use crate::record::money_moves::Ruling;
use rusqlite::{Transaction, params};

pub(super) fn receipt(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    number: u64,
    business_date: &str,
    total: Money,
) -> Result<Option<Ruled>, StoreError> {
    let epoch = place.epoch.to_string();
    let first = tx
        .prepare_cached(
            "INSERT INTO receipt (terminal, epoch, number, seq, sale, business_date, total_minor, currency)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            place.terminal.as_str(),
            epoch,
            int(number)?,
            int(place.seq)?,
            place.sale.map(|sale| sale.to_string()),
            business_date,
            total.minor,
            total.currency.code()
        ])?;
    if first == 0 {
        let own: i64 = tx
            .prepare_cached("SELECT seq FROM receipt WHERE terminal = ?1 AND epoch = ?2 AND number = ?3")?
            .query_row(params![place.terminal.as_str(), epoch, int(number)?], |row| row.get(0))?;
        if unsigned(own)? == place.seq {
            // Ruled on again: it is in the books, and what was left out before it may have come.
            return receipt_before(tx, place, number);
        }
        let words = words::receipt_twice(place.terminal, number);
        return Ok(Some(Ruled { ruling: Ruling::Refused, code: "receipt_twice", words }));
    }
    let before: i64 = tx
        .prepare_cached("SELECT receipts FROM stream WHERE terminal = ?1 AND epoch = ?2")?
        .query_row(params![place.terminal.as_str(), epoch], |row| row.get(0))?;
    tx.prepare_cached("UPDATE stream SET receipts = max(receipts, ?3) WHERE terminal = ?1 AND epoch = ?2")?
        .execute(params![place.terminal.as_str(), epoch, int(number)?])?;
    let expected = unsigned(before)? + 1;
    if number == expected {
        return Ok(None);
    }
    let words = words::receipt_gap(place.terminal, expected, number);
    Ok(Some(Ruled { ruling: Ruling::Refused, code: "receipt_gap", words }))
}

/// Whether the number before a receipt's own is there now.
fn receipt_before(tx: &Transaction<'_>, place: &Place<'_>, number: u64) -> Result<Option<Ruled>, StoreError> {
    let Some(expected) = number.checked_sub(1).filter(|before| *before > 0) else { return Ok(None) };
    let there: i64 = tx
        .prepare_cached("SELECT count(*) FROM receipt WHERE terminal = ?1 AND epoch = ?2 AND number = ?3")?
        .query_row(params![place.terminal.as_str(), place.epoch.to_string(), int(expected)?], |row| {
            row.get(0)
        })?;
    if there > 0 {
        return Ok(None);
    }
    let words = words::receipt_gap(place.terminal, expected, number);
    Ok(Some(Ruled { ruling: Ruling::Refused, code: "receipt_gap", words }))
}
