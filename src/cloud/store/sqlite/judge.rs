//! Booking what records mean: projections, the unique keys that decide, and the verdicts that follow.

use super::again::{self, Held};
use super::ingest::stream_of;
use super::leases;
use super::publish::{put_task, redeemed, reopen_task};
use super::rows::{int, unsigned};
use super::terminals::{next_number, put_notice};
use crate::cloud::judge::words;
use crate::cloud::store::{Effect, Judged, Judgement, NewTask, NoticeBody, PaymentChange, StoreError};
use crate::record::Epoch;
use crate::record::ids::{IntentId, SaleId, TerminalId};
use crate::record::money_moves::{Ruling, Verdict};
use crate::token::MemberCode;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// How long a till that gave an order up gets to ask for its money back itself.
const UNSHOWN_MS: i64 = 60_000;

/// One record, as a verdict names it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) terminal: &'a TerminalId,
    /// The stream.
    pub(super) epoch: Epoch,
    /// The epoch as the till knows it: of a branch the one that it parted from.
    pub(super) told: Epoch,
    pub(super) seq: u64,
    pub(super) sale: Option<SaleId>,
    /// The manager's act that asks again; nothing the first time.
    pub(super) asked: u64,
    pub(super) now_ms: i64,
}

impl Place<'_> {
    fn key(&self) -> Result<(String, String, i64), StoreError> {
        Ok((self.terminal.to_string(), self.epoch.to_string(), int(self.seq)?))
    }

    /// What tasks about it are found by.
    pub(super) fn subject(&self) -> String {
        format!("{}/{}/{}", self.terminal, self.epoch, self.seq)
    }
}

/// A verdict before it has a number.
pub(super) struct Ruled {
    pub(super) ruling: Ruling,
    pub(super) code: &'static str,
    pub(super) words: String,
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
    let stream = stream_of(tx, terminal, epoch)?;
    let told = stream.and_then(|stream| stream.branch_of).map_or(epoch, |(epoch, _)| epoch);
    for Judgement { seq, sale, effects } in judgements {
        let place = Place { terminal, epoch, told, seq: *seq, sale: *sale, asked: 0, now_ms };
        let of_record = match again::held(tx, &place)? {
            Held::No => book_one(tx, &place, effects)?,
            Held::Resolved => Judged::default(),
            Held::Yes => {
                let words = words::held(terminal, *seq);
                let verdicts = rule(tx, &place, &Ruled { ruling: Ruling::Refused, code: "held", words })?;
                Judged { verdicts, abandoned: 0 }
            }
        };
        judged.verdicts += of_record.verdicts;
        judged.abandoned += of_record.abandoned;
    }
    judged.verdicts += super::forgotten::sweep(tx, terminal, epoch, (from, last.seq), now_ms)?;
    Ok(judged)
}

/// One record's effects, all or none: if they fail it is parked.
fn book_one(tx: &Transaction<'_>, place: &Place<'_>, effects: &[Effect]) -> Result<Judged, StoreError> {
    if effects.is_empty() {
        return Ok(Judged::default());
    }
    tx.prepare_cached("SAVEPOINT one_record")?.execute([])?;
    let booked = match apply_all(tx, place, effects) {
        Ok(judged) => judged,
        Err(error) => {
            tx.prepare_cached("ROLLBACK TO one_record")?.execute([])?;
            let Place { terminal, epoch, seq, .. } = place;
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%terminal, %epoch, seq, error, "a record was parked");
            let words = words::parked(terminal, *seq);
            let verdicts = rule(tx, place, &Ruled { ruling: Ruling::Refused, code: "parked", words })?;
            Judged { verdicts, abandoned: 0 }
        }
    };
    tx.prepare_cached("RELEASE one_record")?.execute([])?;
    Ok(booked)
}

pub(super) fn apply_all(
    tx: &Transaction<'_>,
    place: &Place<'_>,
    effects: &[Effect],
) -> Result<Judged, StoreError> {
    let mut judged = Judged::default();
    for effect in effects {
        let Judged { verdicts, abandoned } = apply(tx, place, effect)?;
        judged.verdicts += verdicts;
        judged.abandoned += abandoned;
    }
    Ok(judged)
}

/// The verdict and the alarm when a number came twice: of the branch, and of the epoch that it parted from.
pub(super) fn rule_fork(
    tx: &Transaction<'_>,
    terminal: &TerminalId,
    (epoch, told): (Epoch, Epoch),
    seq: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let place = Place { terminal, epoch, told, seq, sale: None, asked: 0, now_ms };
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
        Effect::ProofShown { intent } => Some(proof_shown(tx, place, *intent)?),
        Effect::GoodsGiven { intent } => match order_state(tx, place, *intent)?.as_deref() {
            Some("paid_late" | "refunded") => Some(proof_shown(tx, place, *intent)?),
            Some(_) | None => None,
        },
        Effect::LeaseReceived(lease) => {
            leases::hold(tx, lease, place.now_ms)?;
            None
        }
        // These count, and have no row of their own to be known by: what counted once is not counted again.
        Effect::LeaseUsed { .. } | Effect::LeaseReturned { .. } if again::has_counted(tx, place)? => None,
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
        Effect::Act { subject, act, again } => return again::act(tx, place, *subject, *act, again),
        Effect::Abandon { intent } => {
            return Ok(Judged { verdicts: 0, abandoned: abandon(tx, place, *intent)? });
        }
    };
    let verdicts = ruled.map(|ruled| rule(tx, place, &ruled)).transpose()?.unwrap_or(0);
    Ok(Judged { verdicts, abandoned: 0 })
}

/// Whether a phone paid the order whose proof a till took, and the money is still there.
fn proof_shown(tx: &Transaction<'_>, place: &Place<'_>, intent: IntentId) -> Result<Ruled, StoreError> {
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

/// More than was let out to this till: somebody has to look at it.
fn over_quota(campaign: u32) -> Ruled {
    let words = words::over_quota(campaign);
    Ruled { ruling: Ruling::Refused, code: "quota_exceeded", words }
}

/// Whether the row that is there already is this record's own.
fn is_own(tx: &Transaction<'_>, sql: &str, key: &str, place: &Place<'_>) -> Result<bool, StoreError> {
    Ok(tx.prepare_cached(sql)?.query_row([key], place_of)? == place.key()?)
}

fn place_of(row: &Row<'_>) -> rusqlite::Result<(String, String, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
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
    let own = "SELECT terminal, epoch, seq FROM check_in WHERE member = ?1 AND business_date = ?2";
    let own = first == 0 && {
        let row = tx.prepare_cached(own)?.query_row(params![member, business_date], place_of)?;
        row == place.key()?
    };
    let (code, words) = if first == 1 || own {
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
fn abandon(tx: &Transaction<'_>, place: &Place<'_>, intent: IntentId) -> Result<usize, StoreError> {
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
             AND NOT EXISTS (SELECT 1 FROM refund WHERE refund.intent = ?1)",
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

/// Numbers a verdict, keeps it, tells the till, and makes a task of a refusal. Says how many it made.
pub(super) fn rule(tx: &Transaction<'_>, place: &Place<'_>, ruled: &Ruled) -> Result<usize, StoreError> {
    let number = next_number(tx, "verdict", place.terminal, place.now_ms)?;
    let word = match ruled.ruling {
        Ruling::Accepted => "accepted",
        Ruling::Refused => "refused",
    };
    let fresh = tx
        .prepare_cached(
            "INSERT INTO verdict (terminal, number, epoch, seq, sale, ruling, code, words, ruled_ms, asked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (terminal, epoch, seq, code, asked) DO NOTHING",
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
            place.now_ms,
            int(place.asked)?
        ])?;
    if fresh == 0 {
        return Ok(0);
    }
    let Place { terminal, told: epoch, seq, sale, now_ms, .. } = *place;
    let (code, words) = (ruled.code.to_owned(), ruled.words.clone());
    let verdict = Verdict { number, epoch, seq, sale, ruling: ruled.ruling, code, words };
    let body = serde_json::json!({ "verdict": verdict });
    put_notice(tx, terminal, &NoticeBody { kind: "verdict", body, until_ms: None }, now_ms)?;
    if ruled.ruling == Ruling::Refused {
        let subject = place.subject();
        let words = format!("{terminal}: {}", ruled.words);
        let task = NewTask { code: ruled.code, subject, words, terminal: Some(terminal.clone()) };
        reopen_task(tx, &task, now_ms)?;
    }
    Ok(1)
}
