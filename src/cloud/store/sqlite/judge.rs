//! Booking what records mean: projections, the unique keys that decide, and the verdicts that follow.
//!
//! Not here: each kind of effect (`judge::*`), and reading what a record means (`cloud::judge`).

mod payments;
mod receipts;
mod spent;
mod visits;

use super::again::{self, Held};
use super::ingest::stream_of;
use super::leases;
use super::publish::{put_task, reopen_task};
use super::rows::int;
use super::terminals::{next_number, put_notice};
use crate::cloud::judge::words;
use crate::cloud::store::{Effect, Judged, Judgement, NewTask, NoticeBody, StoreError};
use crate::record::Epoch;
use crate::record::ids::{SaleId, TerminalId};
use crate::record::money_moves::{Ruling, Verdict};
use rusqlite::{Row, Transaction, params};

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
            Some(spent::redeem(tx, place, serial, *campaign, *at_ms, at_words)?)
        }
        Effect::SpendVoucher { serial, amount, at_ms, at_words } => {
            Some(spent::spend_voucher(tx, place, serial, *amount, *at_ms, at_words)?)
        }
        Effect::Task { code, words } => {
            let subject = format!("{}/{}/{}", place.terminal, place.epoch, place.seq);
            let words = format!("{}: {words}", place.terminal);
            let task = NewTask { code, subject, words, terminal: Some(place.terminal.clone()) };
            put_task(tx, &task, place.now_ms)?;
            None
        }
        Effect::CheckIn { member, business_date, totp, at_s } => {
            Some(match visits::doubt(tx, member, *totp, *at_s)? {
                Some(doubt) => doubt,
                None => visits::check_in(tx, place, member, business_date)?,
            })
        }
        Effect::Rule { ruling, code, words } => Some(Ruled { ruling: *ruling, code, words: words.clone() }),
        Effect::Receipt { number, business_date, total } => {
            receipts::receipt(tx, place, *number, business_date, *total)?
        }
        Effect::ProofShown { intent } => Some(payments::proof_shown(tx, place, *intent)?),
        Effect::GoodsGiven { intent } => payments::goods_given(tx, place, *intent)?,
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
            payments::payment(tx, place, *intent, change)?;
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
            return Ok(Judged { verdicts: 0, abandoned: payments::abandon(tx, place, *intent)? });
        }
    };
    let verdicts = ruled.map(|ruled| rule(tx, place, &ruled)).transpose()?.unwrap_or(0);
    Ok(Judged { verdicts, abandoned: 0 })
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
