//! Booking what records mean: projections, the unique keys that decide, and the verdicts that follow.

use super::leases;
use super::publish::{put_task, redeemed};
use super::rows::{int, unsigned};
use super::terminals::{next_number, put_notice};
use crate::cloud::judge::words;
use crate::cloud::store::{Effect, Judged, Judgement, NewTask, NoticeBody, PaymentChange, StoreError};
use crate::record::Epoch;
use crate::record::ids::{IntentId, SaleId, TerminalId};
use crate::record::money_moves::{Ruling, Verdict};
use crate::token::MemberCode;
use rusqlite::{OptionalExtension, Transaction, params};

/// One record, as a verdict names it.
struct Place<'a> {
    terminal: &'a TerminalId,
    epoch: Epoch,
    seq: u64,
    sale: Option<SaleId>,
    now_ms: i64,
}

/// A verdict before it has a number.
struct Ruled {
    ruling: Ruling,
    code: &'static str,
    words: String,
}

/// Books judgements and moves the cursor past them.
///
/// One record's effects stand or fall together; a record whose effects fail is parked with a task, so
/// that it blocks nothing behind it.
pub(super) fn book(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    epoch: Epoch,
    from: u64,
    judgements: &[Judgement],
    now_ms: i64,
) -> Result<Judged, StoreError> {
    let Some(last) = judgements.last() else { return Ok(Judged::default()) };
    let moved = tx.execute(
        "UPDATE stream SET judged = ?4 WHERE terminal = ?1 AND epoch = ?2 AND judged = ?3",
        params![terminal.as_str(), epoch.to_string(), int(from)?, int(last.seq)?],
    )?;
    let mut judged = Judged::default();
    if moved == 0 {
        return Ok(judged);
    }
    for judgement in judgements {
        let place = Place { terminal, epoch, seq: judgement.seq, sale: judgement.sale, now_ms };
        tx.execute_batch("SAVEPOINT one_record")?;
        let mut booked: Result<Judged, StoreError> = Ok(Judged::default());
        for effect in &judgement.effects {
            booked = booked.and_then(|before| {
                let now = apply(tx, &place, effect)?;
                Ok(Judged {
                    verdicts: before.verdicts + now.verdicts,
                    abandoned: before.abandoned + now.abandoned,
                })
            });
        }
        match booked {
            Ok(of_record) => {
                judged.verdicts += of_record.verdicts;
                judged.abandoned += of_record.abandoned;
            }
            Err(error) => {
                tx.execute_batch("ROLLBACK TO one_record")?;
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%terminal, %epoch, seq = judgement.seq, error, "a record was parked");
                let words = words::parked(terminal, judgement.seq);
                let ruled = Ruled { ruling: Ruling::Refused, code: "parked", words };
                judged.verdicts += rule(tx, &place, &ruled)?;
            }
        }
        tx.execute_batch("RELEASE one_record")?;
    }
    Ok(judged)
}

/// The verdict and the alarm when a number came twice.
pub(super) fn rule_fork(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    epoch: Epoch,
    seq: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let place = Place { terminal, epoch, seq, sale: None, now_ms };
    let ruled = Ruled { ruling: Ruling::Refused, code: "fork", words: words::fork(terminal, seq) };
    rule(tx, &place, &ruled).map(|_| ())
}

fn apply(tx: &Transaction<'_>, place: &Place<'_>, effect: &Effect) -> Result<Judged, StoreError> {
    let ruled = match effect {
        Effect::Redeem { serial, campaign, at_ms, at_words } => {
            Some(redeem(tx, place, serial, *campaign, *at_ms, at_words)?)
        }
        Effect::SpendVoucher { serial, amount, at_ms, at_words } => {
            Some(spend_voucher(tx, place, serial, *amount, *at_ms, at_words)?)
        }
        Effect::Task { code, words } => {
            let subject = format!("{}/{}/{}", place.terminal, place.epoch, place.seq);
            let words = format!("{}: {words}", place.terminal);
            let task = NewTask { code, subject, words, terminal: Some(place.terminal.clone()) };
            put_task(tx, &task, place.now_ms)?;
            None
        }
        Effect::CheckIn { member, business_date, totp, at_s } => {
            Some(match doubt(tx, member, *totp, *at_s)? {
                Some(doubt) => doubt,
                None => check_in(tx, place, member, business_date)?,
            })
        }
        Effect::Rule { ruling, code, words } => Some(Ruled { ruling: *ruling, code, words: words.clone() }),
        Effect::Receipt { number, business_date, total } => {
            receipt(tx, place, *number, business_date, *total)?
        }
        Effect::ProofTyped { intent } => Some(proof_typed(tx, place, *intent)?),
        Effect::LeaseUsed { campaign, lease } => {
            let fits = leases::use_one(tx, place.terminal, place.epoch, *campaign, *lease)?;
            (!fits).then(|| over_quota(*campaign))
        }
        Effect::LeaseReturned { campaign, lease, uses } => {
            let fits = leases::take_back(tx, place.terminal, place.epoch, *campaign, *lease, *uses)?;
            (!fits).then(|| over_quota(*campaign))
        }
        Effect::Payment { intent, change } => {
            payment(tx, place, *intent, change)?;
            None
        }
        Effect::RefundDrawn { refund, intent, amount } => {
            tx.prepare_cached(
                "INSERT INTO payment_refund (refund, intent, terminal, amount_minor, currency, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'drawn') ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                refund.to_string(),
                intent.to_string(),
                place.terminal.as_str(),
                amount.minor,
                amount.currency.code()
            ])?;
            None
        }
        Effect::RefundEnded { refund, state } => {
            tx.prepare_cached("UPDATE payment_refund SET state = ?2 WHERE refund = ?1 AND terminal = ?3")?
                .execute(params![refund.to_string(), state, place.terminal.as_str()])?;
            None
        }
        Effect::Abandon { intent } => {
            return Ok(Judged { verdicts: 0, abandoned: abandon(tx, place, *intent)? });
        }
    };
    let verdicts = ruled.map(|ruled| rule(tx, place, &ruled)).transpose()?.unwrap_or(0);
    Ok(Judged { verdicts, abandoned: 0 })
}

/// Whether a phone paid the order whose digits a till took.
fn proof_typed(tx: &Transaction<'_>, place: &Place<'_>, intent: IntentId) -> Result<Ruled, StoreError> {
    let paid: Option<i64> = tx
        .prepare_cached(
            "SELECT 1 FROM order_claim WHERE intent = ?1 AND terminal = ?2 AND state IN ('paid', 'paid_late', 'refunded')",
        )?
        .query_row(params![intent.to_string(), place.terminal.as_str()], |row| row.get(0))
        .optional()?;
    Ok(match paid {
        Some(_) => {
            let words = "The payment behind the digits is known.".to_owned();
            Ruled { ruling: Ruling::Accepted, code: "proof_settled", words }
        }
        None => {
            let words = words::NO_PAYMENT_BEHIND_DIGITS.to_owned();
            Ruled { ruling: Ruling::Refused, code: "proof_not_paid", words }
        }
    })
}

/// More than was let out to this till: somebody has to look at it.
fn over_quota(campaign: u32) -> Ruled {
    let words = words::over_quota(campaign);
    Ruled { ruling: Ruling::Refused, code: "quota_exceeded", words }
}

fn redeem(
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
    if first == 1 {
        let words = "The coupon is spent.".to_owned();
        return Ok(Ruled { ruling: Ruling::Accepted, code: "coupon_redeemed", words });
    }
    let (terminal, at) =
        redeemed(tx, serial)?.ok_or_else(|| StoreError::Damaged(format!("the coupon {serial}")))?;
    let words = words::coupon_used(&terminal, &at);
    Ok(Ruled { ruling: Ruling::Refused, code: "coupon_already_used", words })
}

fn spend_voucher(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    serial: &str,
    amount: crate::money::Money,
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
    if first == 1 {
        let words = "The voucher is spent.".to_owned();
        return Ok(Ruled { ruling: Ruling::Accepted, code: "voucher_redeemed", words });
    }
    let sql = "SELECT terminal, at_words FROM voucher_redemption WHERE serial = ?1";
    let (terminal, at): (String, String) =
        tx.prepare_cached(sql)?.query_row([serial], |row| Ok((row.get(0)?, row.get(1)?)))?;
    no("voucher_already_used", words::voucher_used(&terminal, &at))
}

/// Why a visit does not count: nobody of that reference, or a number that was not the phone's then.
fn doubt(
    tx: &Transaction<'_>,
    member: &str,
    totp: Option<u32>,
    at_s: i64,
) -> Result<Option<Ruled>, StoreError> {
    let secret: Option<Vec<u8>> = tx
        .prepare_cached("SELECT secret FROM member WHERE member = ?1")?
        .query_row([member], |row| row.get(0))
        .optional()?;
    let no = |code, words: &str| Ok(Some(Ruled { ruling: Ruling::Refused, code, words: words.to_owned() }));
    let Some(secret) = secret else {
        return no("member_unknown", "Nobody has this member code: the visit does not count.");
    };
    let (Ok(member), Some(totp)) = (member.parse(), totp) else {
        return no("member_code_wrong", "The member's number was missing: the visit does not count.");
    };
    match (MemberCode { member, totp }).verify(&secret, at_s) {
        Ok(_) => Ok(None),
        Err(_) => no(
            "member_code_wrong",
            "The member's number was not the phone's at that time: the visit does not count.",
        ),
    }
}

fn check_in(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    member: &str,
    business_date: &str,
) -> Result<Ruled, StoreError> {
    let first = tx
        .prepare_cached(
            "INSERT INTO check_in (member, business_date, terminal, epoch, seq) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            member,
            business_date,
            place.terminal.as_str(),
            place.epoch.to_string(),
            int(place.seq)?
        ])?;
    let (code, words) = if first == 1 {
        ("check_in_counted", "The visit counts.")
    } else {
        ("check_in_repeated", "The member was here today already: the visit counts once.")
    };
    Ok(Ruled { ruling: Ruling::Accepted, code, words: words.to_owned() })
}

fn receipt(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    number: u64,
    business_date: &str,
    total: crate::money::Money,
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

fn payment(
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
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'drawn', ?9)",
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
                "UPDATE payment SET state = ?3, changed_seq = ?4 WHERE intent = ?1 AND terminal = ?2",
            )?
            .execute(params![intent, terminal, state, seq])?,
        PaymentChange::Settled { state, trade, received, wallet } => tx
            .prepare_cached(
                // A till that was shown a proof knows the amount and nothing of the wallet: that is here.
                "UPDATE payment SET state = ?3, changed_seq = ?4,
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
fn abandon(tx: &Transaction<'_>, place: &Place<'_>, intent: IntentId) -> Result<usize, StoreError> {
    let (intent, terminal) = (intent.to_string(), place.terminal.as_str());
    let why = "The till gave the order up.";
    tx.prepare_cached(
        "UPDATE order_claim SET state = 'withdrawn', asker = 'till', words = ?3, changed_ms = ?4, due_ms = NULL
         WHERE intent = ?1 AND terminal = ?2 AND state IN ('open', 'claimed')",
    )?
    .execute(params![intent, terminal, why, place.now_ms])?;
    // Paid and never shown: the till says that no goods went for it and none will. If it asked for the money back
    // itself, that refund stands; else the cloud gives it back.
    let unshown = tx
        .prepare_cached(
            "UPDATE order_claim SET state = 'paid_late', asker = 'till', words = ?3, changed_ms = ?4, due_ms = ?4
             WHERE intent = ?1 AND terminal = ?2 AND state = 'paid'
                 AND NOT EXISTS (SELECT 1 FROM refund WHERE refund.intent = ?1)",
        )?
        .execute(params![intent, terminal, why, place.now_ms])?;
    let owed = tx
        .prepare_cached(
            "UPDATE order_claim SET state = 'withdrawing', asker = 'till', words = ?3, changed_ms = ?4, due_ms = ?4
             WHERE intent = ?1 AND terminal = ?2 AND state IN ('starting', 'started')",
        )?
        .execute(params![intent, terminal, why, place.now_ms])?;
    Ok(owed + unshown)
}

/// Numbers a verdict, keeps it, tells the till, and makes a task of a refusal. Says how many it made.
fn rule(tx: &Transaction<'_>, place: &Place<'_>, ruled: &Ruled) -> Result<usize, StoreError> {
    let number = next_number(tx, "verdict", place.terminal)?;
    let word = match ruled.ruling {
        Ruling::Accepted => "accepted",
        Ruling::Refused => "refused",
    };
    let fresh = tx
        .prepare_cached(
            "INSERT INTO verdict (terminal, number, epoch, seq, sale, ruling, code, words, ruled_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (terminal, epoch, seq, code) DO NOTHING",
        )?
        .execute(params![
            place.terminal.as_str(),
            int(number)?,
            place.epoch.to_string(),
            int(place.seq)?,
            place.sale.map(|sale| sale.to_string()),
            word,
            ruled.code,
            ruled.words,
            place.now_ms
        ])?;
    if fresh == 0 {
        return Ok(0);
    }
    let Place { terminal, epoch, seq, sale, now_ms } = *place;
    let (code, words) = (ruled.code.to_owned(), ruled.words.clone());
    let verdict = Verdict { number, epoch, seq, sale, ruling: ruled.ruling, code, words };
    let body = serde_json::json!({ "verdict": verdict });
    put_notice(tx, terminal, &NoticeBody { kind: "verdict", body, until_ms: None }, now_ms)?;
    if ruled.ruling == Ruling::Refused {
        let subject = format!("{terminal}/{epoch}/{seq}");
        let words = format!("{terminal}: {}", ruled.words);
        let task = NewTask { code: ruled.code, subject, words, terminal: Some(terminal.clone()) };
        put_task(tx, &task, now_ms)?;
    }
    Ok(1)
}
