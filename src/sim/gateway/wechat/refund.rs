//! Refunds: asked for, and asked about.
//!
//! Source: WeChat Pay APIv3, "Refund" and "Query a refund": a refund's number is unique for the merchant, and the
//! same request again gives the same answer. Within a year of the payment.

use serde_json::{Value, json};

use super::{answer::Reply, pay::is_number, query::find, request::Call};
use crate::sim::gateway::{
    beijing,
    books::Books,
    chance,
    trade::{Refund, Status, Trade},
    verb::{Verb, Wallet},
};

/// What a refund's number may be long (`out_refund_no`, 64).
const MAX_NUMBER: usize = 64;
/// Nothing is refunded later after its payment: a year.
const LATEST_MS: i64 = 365 * 86_400_000;

/// Gives money back, once for each `out_refund_no`. `takes_ms`: for so long it is told as under way.
pub(super) fn refund(books: &Books<'_>, call: &Call, takes_ms: i64) -> rusqlite::Result<Reply> {
    let Some(number) = call.text(&["out_refund_no"]).filter(|number| is_number(number, MAX_NUMBER)) else {
        let words = "out_refund_no has 1 to 64 letters, digits, _, -, |, * and @";
        return Ok(Reply::wrong_parameter("out_refund_no", words));
    };
    let amount = call.number_at(&["amount", "refund"]).filter(|fen| *fen > 0);
    let total = call.number_at(&["amount", "total"]).filter(|fen| *fen > 0);
    let (Some(amount), Some(total)) = (amount, total) else {
        let words = "amount.refund and amount.total are whole numbers of fen from 1";
        return Ok(Reply::wrong_parameter("amount", words));
    };
    let Some(mut trade) = find(books, call)? else {
        return Ok(Reply::error(404, "RESOURCE_NOT_EXISTS", "订单号不存在"));
    };
    books.note_request(&trade.key, Verb::Refund, amount)?;
    let invalid = |words: &str| Ok(Reply::error(400, "INVALID_REQUEST", words));
    if let Some((made_of, made)) = books.refund_of(Wallet::Wechat, &call.mchid, &number)? {
        let same = made_of.key == trade.key && made.amount == amount && trade.total == total;
        if !same {
            return invalid("订单金额或退款金额与之前请求不一致，请核实后再试");
        }
        return Ok(Reply::ok(describe(&trade, &made, books.now_ms)));
    }
    if trade.captures == 0 || trade.status == Status::Waiting {
        return invalid("订单未支付，不能退款");
    }
    if total != trade.total {
        return invalid("订单金额不一致: amount.total is not what the order cost");
    }
    if trade.paid_ms.is_some_and(|at| books.now_ms - at > LATEST_MS) {
        return invalid("订单已超过可退款的最大期限: a year");
    }
    let made_ms = books.now_ms;
    let told_ms = made_ms.saturating_add(takes_ms);
    let refund = Refund { number, amount, reason: call.text(&["reason"]), made_ms, told_ms };
    let url = call.text(&["notify_url"]);
    if !books.refund(&mut trade, &refund, url.as_deref())? {
        return invalid("申请退款金额超过可退金额: more than is left of this order");
    }
    Ok(Reply::ok(describe(&trade, &refund, books.now_ms)))
}

/// One refund.
pub(super) fn query(books: &Books<'_>, call: &Call) -> rusqlite::Result<Reply> {
    let number = call.key().number;
    Ok(match books.refund_of(Wallet::Wechat, &call.mchid, &number)? {
        Some((trade, refund)) => Reply::ok(describe(&trade, &refund, books.now_ms)),
        None => Reply::error(404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
    })
}

/// A refund as it is told at this moment.
pub(in crate::sim::gateway) fn describe(trade: &Trade, refund: &Refund, now_ms: i64) -> Value {
    let payer = i128::from(refund.amount) * i128::from(trade.invoice()) / i128::from(trade.total.max(1));
    let payer = i64::try_from(payer).unwrap_or(refund.amount);
    let serial = chance::draw(0, &["refund", &trade.trade_no, &refund.number]);
    let mut told = json!({
        "refund_id": format!("50300{serial:020}"),
        "out_refund_no": refund.number,
        "transaction_id": trade.trade_no,
        "out_trade_no": trade.key.number,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": beijing::rfc3339(refund.made_ms),
        "status": "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": trade.total,
            "refund": refund.amount,
            "payer_total": trade.invoice(),
            "payer_refund": payer,
            "settlement_refund": refund.amount,
            "settlement_total": trade.total,
            "discount_refund": refund.amount - payer,
            "currency": "CNY",
        },
    });
    if refund.told_ms <= now_ms {
        told["status"] = json!("SUCCESS");
        told["success_time"] = json!(beijing::rfc3339(refund.told_ms));
    }
    told
}
