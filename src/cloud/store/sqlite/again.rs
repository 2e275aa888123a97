//! What managers' acts change: holds, and rulings that are asked for again.
//!
//! **Invariant:** a record takes effect once, however often it is ruled on: its own rows are known by its place. Not here:
//! deciding what a record means (`cloud::judge`).

use super::judge::{Place, Ruled, apply_all, rule};
use super::rows::int;
use super::streams::home;
use crate::cloud::judge::words;
use crate::cloud::store::{Again, Judged, Judgement, StoreError};
use crate::record::money_moves::Ruling;
use crate::record::queue_act::{QueueAct, Subject};
use rusqlite::{OptionalExtension, Transaction, params};

/// Whether a record takes effect when its turn comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    No,
    /// Until somebody releases it.
    Yes,
    /// For good: it was dealt with elsewhere.
    Resolved,
}

pub(super) fn held(tx: &Transaction<'_>, place: &Place<'_>) -> Result<Held, StoreError> {
    let state: Option<String> = tx
        .prepare_cached("SELECT state FROM hold WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3")?
        .query_row(params![place.terminal.as_str(), place.epoch.to_string(), int(place.seq)?], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(match state.as_deref() {
        None | Some("released") => Held::No,
        Some("held") => Held::Yes,
        Some(_) => Held::Resolved,
    })
}

/// Whether a record that is ruled on again took effect before: it was not held, and what was said of it last, if
/// anything was, is no refusal.
pub(super) fn has_counted(tx: &Transaction<'_>, place: &Place<'_>) -> Result<bool, StoreError> {
    if place.asked == 0 {
        return Ok(false);
    }
    let last: Option<String> = tx
        .prepare_cached(
            "SELECT ruling FROM verdict WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3 AND code <> 'fork'
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row(params![place.terminal.as_str(), place.epoch.to_string(), int(place.seq)?], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(last.is_none_or(|ruling| ruling == "accepted"))
}

/// Carries a manager's act out. `at` is the place of the act.
pub(super) fn act(
    tx: &Transaction<'_>,
    at: &Place<'_>,
    subject: Subject,
    act: QueueAct,
    again: &Again,
) -> Result<Judged, StoreError> {
    let epoch = home(tx, at.terminal, at.epoch, subject)?;
    let judgement = again.0.as_deref();
    let sale = judgement.and_then(|judgement| judgement.sale);
    let told = subject.epoch;
    let of = Place { epoch, told, seq: subject.seq, sale, asked: at.seq, ..*at };
    let in_vain = |words: &str| {
        let ruled = Ruled { ruling: Ruling::Refused, code: "act_in_vain", words: words.to_owned() };
        rule(tx, at, &ruled).map(|verdicts| Judged { verdicts, abandoned: 0 })
    };
    if int(subject.seq).is_err() {
        return in_vain(words::NEVER_CAME);
    }
    match act {
        QueueAct::SendNow => Ok(Judged::default()),
        // What came in time is marked already.
        QueueAct::Hold => match held(tx, &of)? {
            Held::Yes | Held::Resolved => Ok(Judged::default()),
            Held::No => in_vain(words::HELD_TOO_LATE),
        },
        QueueAct::Release => {
            if move_hold(tx, &of, "released")? == 0 {
                return in_vain(words::NOT_HELD);
            }
            rule_again(tx, &of, judgement)
        }
        QueueAct::Retry => match (held(tx, &of)?, judgement) {
            (Held::No, Some(_)) => rule_again(tx, &of, judgement),
            (Held::Yes | Held::Resolved, _) => in_vain(words::STILL_HELD),
            (Held::No, None) => in_vain(words::NEVER_CAME),
        },
        QueueAct::Resolve { .. } => {
            move_hold(tx, &of, "resolved")?;
            settle(tx, &of, None)?;
            Ok(Judged::default())
        }
    }
}

fn move_hold(tx: &Transaction<'_>, of: &Place<'_>, state: &str) -> Result<usize, StoreError> {
    Ok(tx
        .prepare_cached(
            "UPDATE hold SET state = ?4, changed_ms = ?5
             WHERE terminal = ?1 AND epoch = ?2 AND seq = ?3 AND state = 'held'",
        )?
        .execute(params![of.terminal.as_str(), of.epoch.to_string(), int(of.seq)?, state, of.now_ms])?)
}

/// Rules on a record once more, and closes its tasks unless there is still something against it. What head office owes a
/// customer is nothing against it: that is settled by who gives it.
fn rule_again(
    tx: &Transaction<'_>,
    of: &Place<'_>,
    judgement: Option<&Judgement>,
) -> Result<Judged, StoreError> {
    // Whatever was open is settled first; what is refused again opens its task again.
    settle(tx, of, Some(words::VOUCHERS_OWED))?;
    let effects = judgement.map_or(&[][..], |judgement| &judgement.effects);
    let mut judged = apply_all(tx, of, effects)?;
    if judged.verdicts == 0 {
        let words = words::NOTHING_AGAINST_IT.to_owned();
        judged.verdicts = rule(tx, of, &Ruled { ruling: Ruling::Accepted, code: "ruled_again", words })?;
    }
    Ok(judged)
}

fn settle(tx: &Transaction<'_>, of: &Place<'_>, but: Option<&str>) -> Result<(), StoreError> {
    let sql = "UPDATE task SET settled_ms = ?2 WHERE subject = ?1 AND settled_ms IS NULL AND code IS NOT ?3";
    tx.prepare_cached(sql)?.execute(params![of.subject(), of.now_ms, but])?;
    Ok(())
}
