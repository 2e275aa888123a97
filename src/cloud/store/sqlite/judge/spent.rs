//! Coupons and vouchers: the first writer wins, and the second is told where and when.
//!
//! Not here: whether a code holds at all (`cloud::judge`).

use super::{Place, Ruled, is_own};
use crate::cloud::judge::words;
use crate::cloud::store::StoreError;
use crate::cloud::store::sqlite::publish::redeemed;
use crate::cloud::store::sqlite::rows::int;
use crate::money::Money;
use crate::record::money_moves::Ruling;
use rusqlite::{Transaction, params};

pub(super) fn redeem(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    serial: &str,
    campaign: u32,
    at_ms: i64,
    at_words: &str,
) -> Result<Ruled, StoreError> {
    let first = tx
        .prepare_cached(
            "INSERT INTO coupon_redemption (serial, campaign, terminal, epoch, seq, sale, at_ms, at_words)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            serial,
            campaign,
            place.terminal.as_str(),
            place.epoch.to_string(),
            int(place.seq)?,
            place.sale.map(|sale| sale.to_string()),
            at_ms,
            at_words
        ])?;
    if first == 1
        || is_own(tx, "SELECT terminal, epoch, seq FROM coupon_redemption WHERE serial = ?1", serial, place)?
    {
        let words = "The coupon is spent.".to_owned();
        return Ok(Ruled { ruling: Ruling::Accepted, code: "coupon_redeemed", words });
    }
    let (terminal, at) =
        redeemed(tx, serial)?.ok_or_else(|| StoreError::Damaged(format!("the coupon {serial}")))?;
    let words = words::coupon_used(&terminal, &at);
    Ok(Ruled { ruling: Ruling::Refused, code: "coupon_already_used", words })
}

pub(super) fn spend_voucher(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    serial: &str,
    amount: Money,
    at_ms: i64,
    at_words: &str,
) -> Result<Ruled, StoreError> {
    let no = |code, words| Ok(Ruled { ruling: Ruling::Refused, code, words });
    let sql = "SELECT count(*) FROM voucher WHERE serial = ?1";
    if tx.prepare_cached(sql)?.query_row([serial], |row| row.get::<_, i64>(0))? == 0 {
        return no("voucher_unknown", words::voucher_unknown(serial));
    }
    let first = tx
        .prepare_cached(
            "INSERT INTO voucher_redemption (serial, terminal, epoch, seq, sale, amount_minor, currency, at_ms, at_words)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            serial,
            place.terminal.as_str(),
            place.epoch.to_string(),
            int(place.seq)?,
            place.sale.map(|sale| sale.to_string()),
            amount.minor,
            amount.currency.code(),
            at_ms,
            at_words
        ])?;
    let own = "SELECT terminal, epoch, seq FROM voucher_redemption WHERE serial = ?1";
    if first == 1 || is_own(tx, own, serial, place)? {
        let words = "The voucher is spent.".to_owned();
        return Ok(Ruled { ruling: Ruling::Accepted, code: "voucher_redeemed", words });
    }
    let sql = "SELECT terminal, at_words FROM voucher_redemption WHERE serial = ?1";
    let (terminal, at): (String, String) =
        tx.prepare_cached(sql)?.query_row([serial], |row| Ok((row.get(0)?, row.get(1)?)))?;
    no("voucher_already_used", words::voucher_used(&terminal, &at))
}
