//! Payments as tills tell of them, and orders that they gave up.
//!
//! **Invariant:** where goods were given for a payment its money stays the shop's, in whichever order the words of two sides
//! of a fork arrive; if it went back before, somebody is told. Not here: asking wallets (`settler`).

use super::{Place, Ruled};
use crate::cloud::judge::words;
use crate::cloud::store::sqlite::rows::int;
use crate::cloud::store::{PaymentChange, StoreError};
use crate::record::ids::IntentId;
use crate::record::money_moves::Ruling;
use rusqlite::{OptionalExtension, Transaction, params};

/// How long a till that gave an order up gets to ask for its money back itself.
const UNSHOWN_MS: i64 = 60_000;

/// Whether a phone paid the order whose proof a till took, and the money is still there.
pub(super) fn proof_shown(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    intent: IntentId,
) -> Result<Ruled, StoreError> {
    let state = order_state(tx, place, intent)?;
    let no = |code, words: &str| Ruled { ruling: Ruling::Refused, code, words: words.to_owned() };
    Ok(match state.as_deref() {
        Some("paid") => {
            let words = "The payment behind the proof is known.".to_owned();
            Ruled { ruling: Ruling::Accepted, code: "proof_settled", words }
        }
        Some("paid_late" | "refunded") => no("proof_given_back", words::PROOF_GIVEN_BACK),
        Some(_) | None => no("proof_not_paid", words::NO_PAYMENT_BEHIND_PROOF),
    })
}

/// What to say of goods that were given for an order that the till was told is paid: nothing, unless its money went back.
pub(super) fn goods_given(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    intent: IntentId,
) -> Result<Option<Ruled>, StoreError> {
    match order_state(tx, place, intent)?.as_deref() {
        Some("paid_late" | "refunded") => proof_shown(tx, place, intent).map(Some),
        Some(_) | None => Ok(None),
    }
}

fn order_state(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    intent: IntentId,
) -> Result<Option<String>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT state FROM order_claim WHERE intent = ?1 AND terminal = ?2")?
        .query_row(params![intent.to_string(), place.terminal.as_str()], |row| row.get(0))
        .optional()?)
}

pub(super) fn payment(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    intent: IntentId,
    change: &PaymentChange,
) -> Result<(), StoreError> {
    let intent = intent.to_string();
    let terminal = place.terminal.as_str();
    let seq = int(place.seq)?;
    if let (PaymentChange::Drawn { carrier: "order", .. }, Some(sale)) = (change, place.sale) {
        // A phone may have brought the order first, which does not say of which sale it is.
        let sql = "UPDATE order_claim SET sale = ?3 WHERE intent = ?1 AND terminal = ?2 AND sale = ''";
        tx.prepare_cached(sql)?.execute(params![intent, terminal, sale.to_string()])?;
    }
    let changed = match change {
        PaymentChange::Drawn { provider, carrier, amount } => tx
            .prepare_cached(
                "INSERT INTO payment (intent, terminal, epoch, sale, provider, carrier, amount_minor, currency,
                     state, changed_seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'drawn', ?9)
                 ON CONFLICT (intent) DO UPDATE SET intent = excluded.intent
                 WHERE terminal = excluded.terminal AND changed_seq >= excluded.changed_seq",
            )?
            .execute(params![
                intent,
                terminal,
                place.epoch.to_string(),
                place.sale.map(|sale| sale.to_string()),
                words::provider(*provider),
                carrier,
                amount.minor,
                amount.currency.code(),
                seq
            ])?,
        PaymentChange::State(state) => tx
            .prepare_cached(
                // Where goods were given for it the money is the shop's, whatever another side of a fork says.
                "UPDATE payment SET state = CASE WHEN changed_seq > ?4 OR state = 'approved' THEN state ELSE ?3 END,
                     changed_seq = max(changed_seq, ?4)
                 WHERE intent = ?1 AND terminal = ?2",
            )?
            .execute(params![intent, terminal, state, seq])?,
        PaymentChange::Settled { state, trade, received, wallet } => tx
            .prepare_cached(
                // A till that was shown a proof knows the amount and nothing of the wallet: that is here.
                "UPDATE payment SET state = CASE WHEN ?3 = 'approved' THEN ?3
                         WHEN changed_seq > ?4 OR state = 'approved' THEN state ELSE ?3 END,
                     changed_seq = max(changed_seq, ?4),
                     trade = coalesce(nullif(?5, ''), (SELECT json_extract(settled, '$.trade')
                         FROM order_claim AS known WHERE known.intent = ?1), ''),
                     received_minor = CASE WHEN ?5 <> '' THEN ?6 ELSE coalesce((SELECT
                         json_extract(settled, '$.received.minor') FROM order_claim AS known
                         WHERE known.intent = ?1), ?6) END,
                     provider = coalesce(?7, (SELECT known.provider FROM order_claim AS known
                         WHERE known.intent = ?1 AND ?5 = ''), provider)
                 WHERE intent = ?1 AND terminal = ?2",
            )?
            .execute(params![
                intent,
                terminal,
                state,
                seq,
                trade,
                received.minor,
                wallet.map(words::provider)
            ])?,
    };
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Damaged(format!("a payment without its start: {intent}")))
    }
}

/// Takes an order back that the till has given up; the settler asks the wallet where that is needed.
pub(super) fn abandon(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    intent: IntentId,
) -> Result<usize, StoreError> {
    let (intent, terminal) = (intent.to_string(), place.terminal.as_str());
    let why = "The till gave the order up.";
    tx.prepare_cached(
        "UPDATE order_claim SET state = 'withdrawn', asker = 'till', words = ?3, changed_ms = ?4, due_ms = NULL
         WHERE intent = ?1 AND terminal = ?2 AND state IN ('open', 'claimed')",
    )?
    .execute(params![intent, terminal, why, place.now_ms])?;
    // Paid and never shown: no goods went for it and none will. The till asks for the money back itself as soon as it
    // hears; a till whose records came by another way does not, and then the cloud gives it back.
    tx.prepare_cached(
        "UPDATE order_claim SET asker = 'till', due_ms = ?3 WHERE intent = ?1 AND terminal = ?2 AND state = 'paid'
             AND NOT EXISTS (SELECT 1 FROM refund WHERE refund.intent = ?1 AND refund.state = 'refunded')",
    )?
    .execute(params![intent, terminal, place.now_ms + UNSHOWN_MS])?;
    let owed = tx
        .prepare_cached(
            "UPDATE order_claim SET state = 'withdrawing', asker = 'till', words = ?3, changed_ms = ?4, due_ms = ?4
             WHERE intent = ?1 AND terminal = ?2 AND state IN ('starting', 'started')",
        )?
        .execute(params![intent, terminal, why, place.now_ms])?;
    Ok(owed)
}
