//! The buyer's side, for scripts: pay codes, customers and their manners, faults, and what was verified.
//!
//! - `GET /play` -> the page for people (`page`)
//! - `POST /play/codes`, `POST /play/codes?wallet=wechat` -> `{"code":"28...","wallet":"alipay"}`, pays once
//! - `GET /play/trades` -> the newest trades of both wallets
//! - `POST /play/trades/{out_trade_no}/confirm|refuse|finish` -> the trade after it
//! - `GET /play/customers` -> `{"usual":MANNER or null,"orders":{"A1":MANNER}}`
//! - `POST /play/customers` with `{"usual":MANNER}`, `{"out_trade_no":"A1","manner":MANNER}` or `{"clear":true}`;
//!   a manner is `{"does":"confirm_after","after_ms":3000}`: see `customer::Manner`
//! - `GET /play/log` -> the latest requests, newest first
//! - `GET /play/keys` -> everything that a client must be set up with
//! - `GET /faults` -> rules and hits; `POST /faults` with `{"add": RULE}`, `{"remove": 1}` or `{"clear": true}`
//!
//! Deliberately not here: any login. The gateway is a simulator and its doors are open.

mod page;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    books::Books,
    chance,
    customer::Manner,
    faults::{Rule, RuleText},
    keys::PUBLIC_KEY_ID,
    ledger::LedgerError,
    server::Host,
    trade::{Status, Trade},
    verb::Wallet,
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
        .route("/play/customers", get(customers).post(change_customers))
        .route("/play/log", get(log))
        .route("/play/keys", get(keys))
        .route("/faults", get(faults).post(change_faults))
        .merge(page::routes())
}

#[derive(Debug, Deserialize)]
struct Whose {
    #[serde(default = "alipay")]
    wallet: Wallet,
}

fn alipay() -> Wallet {
    Wallet::Alipay
}

async fn issue_code(State(host): State<Arc<Host>>, Query(whose): Query<Whose>) -> Response {
    match host.on_books(move |books| draw_code(books, whose.wallet)).await {
        Ok(Some(code)) => Json(json!({ "code": code, "wallet": whose.wallet })).into_response(),
        Ok(None) => problem(StatusCode::SERVICE_UNAVAILABLE, "no unused code was drawn; try again"),
        Err(error) => failed(&error),
    }
}

/// Eighteen digits beginning with 28 or 13, never issued or used before.
fn draw_code(books: &Books<'_>, wallet: Wallet) -> rusqlite::Result<Option<String>> {
    let known: i64 = books.transaction.query_row("SELECT COUNT(*) FROM pay_code", [], |row| row.get(0))?;
    let prefix = match wallet {
        Wallet::Alipay => "28",
        Wallet::Wechat => "13",
    };
    for attempt in 0..MAX_DRAWS {
        let nth = (known + attempt).to_string();
        let digits = chance::draw(books.seed, &["code", &nth]) % 10_000_000_000_000_000;
        let code = format!("{prefix}{digits:016}");
        let sql = "INSERT INTO pay_code (code_hash, wallet, issued_ms) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING";
        let row = (chance::hash_of_code(&code), wallet.name(), books.now_ms);
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

/// What a person says of a trade.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Confirm,
    Refuse,
    Finish,
}

async fn decide(State(host): State<Arc<Host>>, Path((out_trade_no, act)): Path<(String, Act)>) -> Response {
    match host.on_books(move |books| carry_out(books, &out_trade_no, act)).await {
        Ok(Some((true, trade))) => Json(describe(&trade)).into_response(),
        Ok(Some((false, trade))) => problem(
            StatusCode::CONFLICT,
            &format!("the trade is {}; nothing was changed", trade.status.name()),
        ),
        Ok(None) => problem(StatusCode::NOT_FOUND, "there is no trade with this out_trade_no"),
        Err(error) => failed(&error),
    }
}

/// The trade after it, and whether anything changed.
fn carry_out(books: &Books<'_>, out_trade_no: &str, act: Act) -> rusqlite::Result<Option<(bool, Trade)>> {
    let Some(mut trade) = books.find_by_number(out_trade_no)? else { return Ok(None) };
    let before = trade.status;
    match (act, before) {
        (Act::Confirm, Status::Waiting) => {
            books.scanned(&mut trade)?;
            books.capture(&mut trade)?;
        }
        (Act::Refuse, Status::Waiting) => books.refuse(&mut trade)?,
        (Act::Finish, Status::Paid) => books.finish(&mut trade)?,
        (
            Act::Confirm | Act::Refuse | Act::Finish,
            Status::Waiting | Status::Paid | Status::Finished | Status::Closed,
        ) => {}
    }
    Ok(Some((before != trade.status, trade)))
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
        "ended_by": trade.ended_by.map(super::trade::End::name),
        "captures": trade.captures,
        "waits_for_confirmation": trade.status == Status::Waiting,
        "paid_ms": trade.paid_ms,
        "qr": trade.qr_token.as_ref().map(|token| format!("/qr/{token}")),
    })
}

async fn customers(State(host): State<Arc<Host>>) -> Response {
    let (usual, orders) = host.gateway.customers().all();
    Json(json!({ "usual": usual, "orders": orders })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerChange {
    #[serde(default)]
    clear: bool,
    usual: Option<Manner>,
    out_trade_no: Option<String>,
    manner: Option<Manner>,
}

async fn change_customers(State(host): State<Arc<Host>>, Json(change): Json<CustomerChange>) -> Response {
    let unsound = [change.usual, change.manner].into_iter().flatten().any(|manner| !manner.is_sound());
    if unsound {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "after_ms is from 0 to 86400000");
    }
    let customers = host.gateway.customers();
    if change.clear {
        customers.clear();
    }
    if change.usual.is_some() {
        customers.set_usual(change.usual);
    }
    match (change.out_trade_no, change.manner) {
        (Some(number), Some(manner)) if !customers.set(&number, manner) => {
            return problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too many orders have a manner; clear them first",
            );
        }
        (Some(_), Some(_)) | (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            return problem(StatusCode::UNPROCESSABLE_ENTITY, "give out_trade_no and manner together");
        }
    }
    let (usual, orders) = customers.all();
    Json(json!({ "usual": usual, "orders": orders })).into_response()
}

async fn log(State(host): State<Arc<Host>>) -> Response {
    let lines = host.gateway.witness.latest();
    let told = lines.iter().map(|line| {
        json!({
            "at_ms": line.at_ms,
            "method": line.method,
            "number": line.number,
            "signature": if line.is_verified { "ok" } else { "bad" },
            "fault": line.fault,
            "answer": line.answer,
        })
    });
    Json(told.collect::<Vec<_>>()).into_response()
}

async fn keys(State(host): State<Arc<Host>>) -> Response {
    let keys = &host.gateway.keys;
    let certificates = &keys.certificates;
    Json(json!({
        "gateway_public_pem": keys.gateway_public_pem(),
        "alipay": {
            "gateway": format!("{}/gateway.do", host.gateway.public_base),
            "alipay_certificate_pem": certificates.gateway.pem,
            "alipay_root_certificate_pem": certificates.root.pem,
            "app_certificate_pem": certificates.merchant.pem,
            "alipay_cert_sn": certificates.gateway.alipay_serial(),
            "alipay_root_cert_sn": certificates.root.alipay_serial(),
            "app_cert_sn": certificates.merchant.alipay_serial(),
        },
        "wechat": {
            "host": host.gateway.public_base,
            "public_key_id": PUBLIC_KEY_ID,
            "platform_certificate_pem": certificates.gateway.pem,
            "platform_serial": certificates.gateway.serial_hex(),
            "merchant_serial": certificates.merchant.serial_hex(),
            "api_v3_key": keys.api_v3_key(),
        },
    }))
    .into_response()
}

async fn faults(State(host): State<Arc<Host>>) -> Response {
    let faults = host.gateway.faults();
    Json(json!({ "rules": faults.rules(), "hits": faults.hits() })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultChange {
    #[serde(default)]
    clear: bool,
    remove: Option<u64>,
    add: Option<RuleText>,
}

async fn change_faults(State(host): State<Arc<Host>>, Json(change): Json<FaultChange>) -> Response {
    let rule = match change.add.map(Rule::try_from).transpose() {
        Ok(rule) => rule,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    let faults = host.gateway.faults();
    if change.clear {
        faults.clear();
    }
    if change.remove.is_some_and(|id| !faults.remove(id)) {
        return problem(StatusCode::NOT_FOUND, "there is no rule with this number");
    }
    match rule.map(|rule| faults.add(rule)).transpose() {
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
