//! `alipay.trade.query` and `alipay.trade.fastpay.refund.query`: what became of it.
//!
//! A query also lets the buyer's typing go on: the money of a trade that waits for a password moves after the
//! number of queries that its fault names. Source: Alipay open platform, the two methods' pages.

use super::{
    answer::Node,
    beijing,
    pay::{known, paid},
    request::Call,
    trade::{Books, Status, Trade},
    yuan,
};

/// The state of a trade.
pub(super) fn query(books: &Books<'_>, call: &Call) -> rusqlite::Result<Node> {
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    match (trade.status, trade.queries_left) {
        (Status::Waiting, Some(0)) => books.capture(&mut trade)?,
        (Status::Waiting, Some(left @ 1..)) => books.wait_for(&mut trade, left - 1)?,
        (Status::Waiting | Status::Paid | Status::Finished | Status::Closed, _) => {}
    }
    let node = match trade.paid_ms {
        Some(at) => paid(&trade, Node::success()).with("send_pay_date", beijing::format(at)),
        None => known(&trade, Node::success()),
    };
    Ok(node.with("trade_status", trade.status.name()))
}

/// Whether one refund was made. Code 10000 only says that the question was understood: a refund that was
/// not made is one without `refund_status`.
pub(super) fn refund_query(books: &Books<'_>, call: &Call) -> rusqlite::Result<Node> {
    let Some(trade) = find(books, call)? else { return Ok(unknown()) };
    let Some(request_no) = call.field("out_request_no") else {
        return Ok(Node::failed("ACQ.INVALID_PARAMETER", "out_request_no is missing"));
    };
    let Some((amount, at_ms)) = books.refund_made(&trade, &request_no)? else { return Ok(Node::success()) };
    Ok(Node::success()
        .with("gmt_refund_pay", beijing::format(at_ms))
        .with("out_request_no", request_no)
        .with("out_trade_no", trade.out_trade_no)
        .with("refund_amount", yuan::format(amount))
        .with("refund_status", "REFUND_SUCCESS")
        .with("total_amount", yuan::format(trade.total))
        .with("trade_no", trade.trade_no))
}

/// The merchant's trade under either number, once the wallet knows it.
pub(super) fn find(books: &Books<'_>, call: &Call) -> rusqlite::Result<Option<Trade>> {
    let found = match (call.field("trade_no"), call.out_trade_no()) {
        (Some(trade_no), _) => books.find_by_trade_no(&trade_no)?,
        (None, Some(out_trade_no)) => books.find(&out_trade_no)?,
        (None, None) => None,
    };
    Ok(found.filter(|trade| trade.app_id == call.app_id && trade.scanned_ms.is_some()))
}

pub(super) fn unknown() -> Node {
    Node::failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
}
