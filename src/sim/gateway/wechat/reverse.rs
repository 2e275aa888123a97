//! `reverse` and `close`: how an order is undone.
//!
//! Source: WeChat Pay documentation, "Reverse an order": a paid order is given back, any other is closed for good;
//! not before fifteen seconds after the pay, and within seven days. What a number that was never heard of is told
//! is not documented: here it succeeds and buries the number, so that a pay still on its way is refused, unless
//! the fault `late` leaves it open.

use serde_json::json;

use super::{
    answer::Reply,
    pay::closed,
    query::{find, unknown},
    request::Call,
};
use crate::sim::gateway::{
    books::Books,
    trade::{End, Refund, Status},
    verb::Verb,
};

/// Nothing is reversed sooner after its pay.
const SOONEST_MS: i64 = 15_000;
/// Nothing is reversed later after its pay: seven days.
const LATEST_MS: i64 = 7 * 86_400_000;

/// What a reversal of an unknown number does to a pay that arrives later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::gateway) enum Unheard {
    /// It is refused.
    Buried,
    /// It goes through.
    LeftOpen,
}

/// Ends an order whatever its state: unpaid it is closed for good, paid it is given back.
pub(super) fn reverse(books: &Books<'_>, call: &Call, unheard: Unheard) -> rusqlite::Result<Reply> {
    let key = call.key();
    let Some(app_id) = call.text(&["appid"]) else {
        return Ok(Reply::wrong_parameter("appid", "appid is missing"));
    };
    if call.text(&["mchid"]).is_none() {
        return Ok(Reply::wrong_parameter("mchid", "mchid is missing"));
    }
    books.note_request(&key, Verb::Cancel, 0)?;
    let told = Reply::ok(json!({ "appid": app_id, "mchid": key.merchant, "out_trade_no": key.number }));
    let Some(mut trade) = books.find(&key)? else {
        if unheard == Unheard::Buried {
            books.bury(&key)?;
        }
        return Ok(told);
    };
    let age_ms = books.now_ms - trade.created_ms;
    if trade.qr_token.is_some() {
        let words = "只有付款码支付的订单可以撤销: close this order, or refund it";
        return Ok(Reply::error(400, "INVALID_REQUEST", words));
    }
    if age_ms < SOONEST_MS && trade.ended_by != Some(End::Cancel) {
        let words = "请勿扣款后立即撤销，至少15秒后再调用: reverse no sooner than 15 s after the pay";
        return Ok(Reply::error(400, "INVALID_REQUEST", words));
    }
    if age_ms > LATEST_MS {
        return Ok(Reply::error(400, "REVERSE_EXPIRE", "订单已超过7天，无法撤销，请申请退款"));
    }
    match trade.status {
        Status::Waiting => books.end(&mut trade, End::Cancel)?,
        Status::Closed if trade.captures == 0 => books.end_again(&mut trade, End::Cancel)?,
        Status::Paid => {
            let left = trade.total - trade.refunded;
            let (number, made_ms) = (format!("cancel:{}", key.number), books.now_ms);
            let refund = Refund { number, amount: left, reason: None, made_ms, told_ms: made_ms };
            // No notification: a reversal's refund is not told of.
            books.refund(&mut trade, &refund, None)?;
        }
        Status::Closed => {}
        Status::Finished => return Ok(Reply::error(400, "REVERSE_EXPIRE", "订单无法撤销，请申请退款")),
    }
    Ok(told)
}

/// Ends an order that was not paid, and no other.
pub(super) fn close(books: &Books<'_>, call: &Call) -> rusqlite::Result<Reply> {
    if call.text(&["mchid"]).is_none() {
        return Ok(Reply::wrong_parameter("mchid", "mchid is missing"));
    }
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    books.note_request(&trade.key, Verb::Close, 0)?;
    if trade.captures > 0 {
        return Ok(Reply::error(400, "ORDER_PAID", "该订单已支付，不能关闭"));
    }
    match trade.status {
        Status::Waiting if trade.qr_token.is_none() => {
            Ok(Reply::error(400, "USERPAYING", "用户支付中，请查询订单，再撤销"))
        }
        Status::Waiting => {
            books.end(&mut trade, End::Close)?;
            Ok(Reply::done())
        }
        Status::Paid | Status::Finished | Status::Closed => Ok(closed()),
    }
}
