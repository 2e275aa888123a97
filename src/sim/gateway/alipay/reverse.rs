//! `alipay.trade.cancel`, `alipay.trade.close` and `alipay.trade.refund`: how a trade is undone.
//!
//! Source: Alipay open platform, the three methods' pages. A cancel of an order number that the wallet never
//! heard of answers success too, as the real one does: it proves nothing about a pay still on its way. Here
//! the number is buried, so that such a pay is refused, unless the fault `late` leaves it open.

use super::{
    answer::Node,
    pay::read_number,
    query::{find, unknown},
    request::Call,
};
use crate::sim::gateway::{
    beijing,
    books::Books,
    trade::{End, Refund, Status, Trade},
    verb::{Verb, Wallet},
    yuan,
};

/// What a cancel of an unknown number does to a pay that arrives later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::gateway) enum Unheard {
    /// It is refused.
    Buried,
    /// It goes through.
    LeftOpen,
}

/// Ends a trade whatever its state: unpaid it is closed, paid it is given back.
pub(super) fn cancel(books: &Books<'_>, call: &Call, unheard: Unheard) -> rusqlite::Result<Node> {
    let trade = match call.field("trade_no") {
        Some(trade_no) => books.find_by_trade_no(Wallet::Alipay, &trade_no)?,
        None => match read_number(call) {
            Ok(number) => books.find(&call.key_of(&number))?,
            Err(refusal) => return Ok(refusal),
        },
    };
    let Some(mut trade) = trade.filter(|trade| trade.key.merchant == call.app_id) else {
        let number = call.out_trade_no().unwrap_or_default();
        let key = call.key_of(&number);
        books.note_request(&key, Verb::Cancel, 0)?;
        if unheard == Unheard::Buried && !number.is_empty() && books.find(&key)?.is_none() {
            books.bury(&key)?;
        }
        return Ok(Node::success()
            .with("out_trade_no", number)
            .with("retry_flag", "N")
            .with("action", "close"));
    };
    books.note_request(&trade.key, Verb::Cancel, 0)?;
    if trade.status == Status::Finished {
        return Ok(finished().with("retry_flag", "N"));
    }
    books.end(&mut trade, End::Cancel)?;
    let left = trade.total - trade.refunded;
    if trade.status == Status::Paid {
        let number = format!("cancel:{}", trade.key.number);
        let (made_ms, url) = (books.now_ms, trade.notify_url.clone());
        let refund = Refund { number, amount: left, reason: None, made_ms, told_ms: made_ms };
        books.refund(&mut trade, &refund, url.as_deref())?;
    }
    let action = if trade.refunded > 0 { "refund" } else { "close" };
    let mut node = Node::success()
        .with("action", action)
        .with("out_trade_no", trade.key.number)
        .with("retry_flag", "N")
        .with("trade_no", trade.trade_no);
    if trade.refunded > 0 {
        node = node.with("gmt_refund_pay", beijing::format(books.now_ms));
    }
    Ok(node)
}

/// Ends a trade that was not paid, and no other.
pub(super) fn close(books: &Books<'_>, call: &Call) -> rusqlite::Result<Node> {
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    books.note_request(&trade.key, Verb::Close, 0)?;
    match trade.status {
        Status::Waiting => {
            books.end(&mut trade, End::Close)?;
            Ok(Node::success().with("out_trade_no", trade.key.number).with("trade_no", trade.trade_no))
        }
        Status::Paid | Status::Closed => Ok(wrong_state()),
        Status::Finished => Ok(finished()),
    }
}

/// Gives money back, once for each `out_request_no`; without one, only the whole amount.
pub(super) fn refund(books: &Books<'_>, call: &Call) -> rusqlite::Result<Node> {
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    let amount = call.field("refund_amount").and_then(|text| yuan::parse(&text)).filter(|fen| *fen > 0);
    let Some(amount) = amount else {
        return Ok(Node::failed(
            "ACQ.INVALID_PARAMETER",
            "refund_amount is missing or not an amount like 12.30",
        ));
    };
    books.note_request(&trade.key, Verb::Refund, amount)?;
    let request_no = match call.field("out_request_no") {
        Some(number) if number.starts_with("cancel:") => {
            return Ok(Node::failed(
                "ACQ.INVALID_PARAMETER",
                "out_request_no holds letters, digits, - and _",
            ));
        }
        Some(number) => number,
        None if amount == trade.total => trade.key.number.clone(),
        None => return Ok(too_much("a partial refund needs an out_request_no")),
    };
    match books.refund_made(&trade, &request_no)? {
        Some(made) if made.amount == amount => return Ok(refunded(&trade, "N", 0, made.made_ms)),
        Some(_) => {
            let words = "this out_request_no was used for another amount";
            return Ok(Node::failed("ACQ.DISCORDANT_REPEAT_REQUEST", words));
        }
        None => {}
    }
    if trade.status == Status::Finished {
        return Ok(finished());
    }
    if trade.captures == 0 {
        return Ok(wrong_state());
    }
    let (made_ms, url) = (books.now_ms, trade.notify_url.clone());
    let reason = call.field("refund_reason");
    let refund = Refund { number: request_no, amount, reason, made_ms, told_ms: made_ms };
    if !books.refund(&mut trade, &refund, url.as_deref())? {
        return Ok(too_much("退款金额超限: more than is left of this trade"));
    }
    Ok(refunded(&trade, "Y", amount, books.now_ms))
}

fn refunded(trade: &Trade, fund_change: &str, sent_back: i64, at_ms: i64) -> Node {
    Node::success()
        .with("buyer_logon_id", "159****5620")
        .with("buyer_user_id", trade.buyer.clone())
        .with("fund_change", fund_change)
        .with("gmt_refund_pay", beijing::format(at_ms))
        .with("out_trade_no", trade.key.number.as_str())
        .with("refund_fee", yuan::format(trade.refunded))
        .with("send_back_fee", yuan::format(sent_back))
        .with("trade_no", trade.trade_no.as_str())
}

fn too_much(words: &str) -> Node {
    Node::failed("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", words)
}

fn wrong_state() -> Node {
    Node::failed("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
}

fn finished() -> Node {
    Node::failed("ACQ.TRADE_HAS_FINISHED", "交易已完结")
}
