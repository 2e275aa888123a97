//! What phones wish for: a bill that they ask to pay, a coupon that they offer, and the order that answers.
//!
//! **Invariant:** a wish lives for [`WISH_MS`]: what is older binds nobody, whether its phone said so or not. Not here: what
//! becomes of an order after that (`orders`).

use super::browser_text;
use crate::cloud::judge::words;
use crate::cloud::store::sqlite::rows::{first, int};
use crate::cloud::store::sqlite::terminals::put_notice;
use crate::cloud::store::{GivenUp, NewOrder, NewRequest, NoticeBody, Requested, StoreError, WISH_MS};
use crate::record::ids::TerminalId;
use rusqlite::{Transaction, params};

/// How far back notices that have passed are looked for: a walk through all of a till's would be long.
const PASSED_MS: i64 = 3_600_000;

pub(super) fn request_payment(tx: &Transaction<'_>, request: &NewRequest) -> Result<Requested, StoreError> {
    let (sale, version) = (request.sale.to_string(), int(request.version)?);
    let (provider, opens) = (words::provider(request.provider), browser_text(&request.opens)?);
    let asked = tx
        .prepare_cached(
            "INSERT INTO pay_request (sale, version, terminal, desk, phone, state, asked_ms, provider, opens)
             VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            sale,
            version,
            request.terminal.as_str(),
            request.desk.as_str(),
            request.phone,
            request.now_ms,
            provider,
            opens
        ])?;
    if asked == 1 {
        put_passing(tx, &request.terminal, &request.notice, request.now_ms)?;
        return Ok(Requested::Asked);
    }
    let (phone, state): (String, String) = tx
        .prepare_cached("SELECT phone, state FROM pay_request WHERE sale = ?1 AND version = ?2")?
        .query_row(params![sale, version], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // A wish that the till never answered binds nobody: it is asked again, for whoever asks now. A phone that has hung up does
    // not say so, and one that has gone back may tap another wallet.
    let anew = tx
        .prepare_cached(
            "UPDATE pay_request SET state = 'waiting', phone = ?3, asked_ms = ?4, provider = ?5, opens = ?6
             WHERE sale = ?1 AND version = ?2 AND (state = 'given_up'
                 OR (state = 'waiting' AND (asked_ms <= ?7 OR (phone = ?3 AND provider <> ?5))))",
        )?
        .execute(params![
            sale,
            version,
            request.phone,
            request.now_ms,
            provider,
            opens,
            request.now_ms.saturating_sub(WISH_MS)
        ])?;
    if anew == 1 {
        put_passing(tx, &request.terminal, &request.notice, request.now_ms)?;
        return Ok(Requested::Anew);
    }
    tracing::debug!(state, "a phone asked again");
    Ok(if phone == request.phone { Requested::Again } else { Requested::OtherPhone })
}

/// The phone that asked then waits no more; false when it was answered, or somebody has asked since.
pub(super) fn give_up(tx: &Transaction<'_>, given_up: &GivenUp) -> Result<bool, StoreError> {
    let GivenUp { sale, version, phone, asked_ms } = given_up;
    let sql = "UPDATE pay_request SET state = 'given_up', opens = NULL
               WHERE sale = ?1 AND version = ?2 AND state = 'waiting' AND phone = ?3 AND asked_ms <= ?4";
    Ok(tx.execute(sql, params![sale.to_string(), int(*version)?, phone, asked_ms])? == 1)
}

/// Tells a till what a phone offers; false when it is told so already.
pub(super) fn offer(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    offered: &NoticeBody,
    now_ms: i64,
) -> Result<bool, StoreError> {
    // A number is no lower than the time at which it was given: what lives is not further back than a wish lasts.
    let live =
        "SELECT EXISTS (SELECT 1 FROM notice WHERE terminal = ?1 AND number > ?2 AND kind = ?3 AND body = ?4
                    AND until_ms > ?5)";
    let since = now_ms.saturating_sub(WISH_MS);
    let body = offered.body.to_string();
    let parameters = params![terminal.as_str(), since, offered.kind, body, now_ms];
    if tx.prepare_cached(live)?.query_row(parameters, |row| row.get(0))? {
        return Ok(false);
    }
    put_passing(tx, terminal, offered, now_ms)?;
    Ok(true)
}

/// Keeps a notice that passes, in the place of those that have: a phone may ask for ever, and the store holds a few.
fn put_passing(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    notice: &NoticeBody,
    now_ms: i64,
) -> Result<(), StoreError> {
    // The last one stays, whatever it is, so that no number is given twice.
    let gone = "DELETE FROM notice WHERE terminal = ?1 AND number > ?2 AND until_ms <= ?3
                AND number < (SELECT max(number) FROM notice WHERE terminal = ?1)";
    tx.prepare_cached(gone)?.execute(params![terminal.as_str(), now_ms.saturating_sub(PASSED_MS), now_ms])?;
    put_notice(tx, terminal, notice, now_ms).map(|_| ())
}

/// Claims an order for the phone that waits for one of this sale; ends it if none does any more.
pub(super) fn answer_phone(tx: &Transaction<'_>, new: &NewOrder, sale: &str) -> Result<(), StoreError> {
    // A phone whose wish was given up may be followed by one with another wallet: each gets its own order or none.
    let sql = "SELECT version, desk, phone, opens FROM pay_request
               WHERE sale = ?1 AND terminal = ?2 AND provider = ?3 AND state = 'waiting' AND asked_ms > ?4
               ORDER BY version DESC LIMIT 1";
    let heard_ms = new.now_ms.saturating_sub(WISH_MS);
    let parameters = params![sale, new.terminal.as_str(), words::provider(new.provider), heard_ms];
    let waiting: Option<(i64, String, String, Option<String>)> =
        first(&mut tx.prepare_cached(sql)?, parameters, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let Some((version, desk, phone, opens)) = waiting else {
        return end_unwanted(tx, new);
    };
    let answered = tx
        .prepare_cached(
            "UPDATE pay_request SET state = 'answered', opens = NULL WHERE sale = ?1 AND version = ?2 AND state = 'waiting'",
        )?
        .execute(params![sale, version])?;
    if answered == 1 {
        tx.prepare_cached(
            "UPDATE order_claim SET state = 'claimed', desk = ?2, phone = ?3, due_ms = ?4, opens = ?5
             WHERE intent = ?1 AND state = 'open'",
        )?
        .execute(params![new.intent.to_string(), desk, phone, new.now_ms, opens])?;
    }
    Ok(())
}

/// Ends an order whose phone has gone: the till frees the basket at once.
fn end_unwanted(tx: &Transaction<'_>, new: &NewOrder) -> Result<(), StoreError> {
    let words = "The phone no longer waits for this bill.";
    tx.prepare_cached(
        "UPDATE order_claim SET state = 'ended', words = ?2, due_ms = NULL WHERE intent = ?1 AND state = 'open'",
    )?
    .execute(params![new.intent.to_string(), words])?;
    let notice = NoticeBody::order_ended(new.intent, words);
    put_notice(tx, &new.terminal, &notice, new.now_ms).map(|_| ())
}
