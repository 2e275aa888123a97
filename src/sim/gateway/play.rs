//! The buyer's side by hand or by script: `/play` issues pay codes and says yes or no, `/faults` is the switch.
//!
//! - `POST /play/codes` -> `{"code":"28..."}`, a code that pays once
//! - `GET /play/trades` -> the newest trades
//! - `POST /play/trades/{out_trade_no}/confirm|refuse|finish` -> the trade after it
//! - `GET /faults` -> rules and hits; `POST /faults` with `{"add": RULE}` or `{"clear": true}`
//!
//! Deliberately not here: any login. The gateway is a simulator and its doors are open.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    books::Books,
    chance,
    faults::{Rule, RuleText},
    ledger::LedgerError,
    server::Host,
    trade::{Status, Trade},
    yuan,
};

/// Trades in one list.
const MAX_LISTED: i64 = 500;
/// Draws before giving up on an unused code; a second is needed once in ten million million.
const MAX_DRAWS: i64 = 100;

pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new()
        .route("/play/codes", post(issue_code))
        .route("/play/trades", get(list))
        .route("/play/trades/{out_trade_no}/{verb}", post(decide))
        .route("/faults", get(faults).post(change_faults))
}

async fn issue_code(State(host): State<Arc<Host>>) -> Response {
    match host.on_books(draw_code).await {
        Ok(Some(code)) => Json(json!({ "code": code })).into_response(),
        Ok(None) => problem(StatusCode::SERVICE_UNAVAILABLE, "no unused code was drawn; try again"),
        Err(error) => failed(&error),
    }
}

/// Eighteen digits beginning with 28, never issued or used before.
fn draw_code(books: &Books<'_>) -> rusqlite::Result<Option<String>> {
    let known: i64 = books.transaction.query_row("SELECT COUNT(*) FROM pay_code", [], |row| row.get(0))?;
    for attempt in 0..MAX_DRAWS {
        let nth = (known + attempt).to_string();
        let digits = chance::draw(books.seed, &["code", &nth]) % 10_000_000_000_000_000;
        let code = format!("28{digits:016}");
        let sql = "INSERT INTO pay_code (code_hash, issued_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let row = (chance::hash_of_code(&code), books.now_ms);
        if books.transaction.execute(sql, row)? == 1 {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

async fn list(State(host): State<Arc<Host>>) -> Response {
    match host.on_books(|books| books.newest(MAX_LISTED)).await {
        Ok(trades) => Json(trades.iter().map(describe).collect::<Vec<_>>()).into_response(),
        Err(error) => failed(&error),
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Confirm,
    Refuse,
    Finish,
}

async fn decide(
    State(host): State<Arc<Host>>,
    Path((out_trade_no, verb)): Path<(String, Verb)>,
) -> Response {
    let done = host.on_books(move |books| {
        let Some(mut trade) = books.find_by_number(&out_trade_no)? else { return Ok(None) };
        let before = trade.status;
        match (verb, before) {
            (Verb::Confirm, Status::Waiting) => books.capture(&mut trade)?,
            (Verb::Refuse, Status::Waiting) => books.refuse(&mut trade)?,
            (Verb::Finish, Status::Paid) => books.finish(&mut trade)?,
            (
                Verb::Confirm | Verb::Refuse | Verb::Finish,
                Status::Waiting | Status::Paid | Status::Finished | Status::Closed,
            ) => {}
        }
        Ok(Some((before != trade.status, trade)))
    });
    match done.await {
        Ok(Some((true, trade))) => Json(describe(&trade)).into_response(),
        Ok(Some((false, trade))) => problem(
            StatusCode::CONFLICT,
            &format!("the trade is {}; nothing was changed", trade.status.name()),
        ),
        Ok(None) => problem(StatusCode::NOT_FOUND, "there is no trade with this out_trade_no"),
        Err(error) => failed(&error),
    }
}

fn describe(trade: &Trade) -> Value {
    json!({
        "wallet": trade.key.wallet,
        "merchant": trade.key.merchant,
        "out_trade_no": trade.key.number,
        "trade_no": trade.trade_no,
        "app_id": trade.app_id,
        "subject": trade.subject,
        "total_amount": yuan::format(trade.total),
        "refunded_amount": yuan::format(trade.refunded),
        "trade_status": trade.status.name(),
        "captures": trade.captures,
        "waits_for_confirmation": trade.status == Status::Waiting,
        "paid_ms": trade.paid_ms,
    })
}

async fn faults(State(host): State<Arc<Host>>) -> Response {
    Json(json!({ "rules": host.gateway.faults.rules(), "hits": host.gateway.faults.hits() })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    clear: bool,
    add: Option<RuleText>,
}

async fn change_faults(State(host): State<Arc<Host>>, Json(change): Json<Change>) -> Response {
    let rule = match change.add.map(Rule::try_from).transpose() {
        Ok(rule) => rule,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    if change.clear {
        host.gateway.faults.clear();
    }
    match rule.map(|rule| host.gateway.faults.add(rule)).transpose() {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

fn problem(status: StatusCode, words: &str) -> Response {
    (status, Json(json!({ "error": words }))).into_response()
}

fn failed(error: &LedgerError) -> Response {
    tracing::warn!(error = error as &dyn std::error::Error, "the ledger failed under a page");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "the ledger failed; see the log")
}
