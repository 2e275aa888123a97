//! `alipay.trade.query` and `alipay.trade.fastpay.refund.query`: what became of it.
//!
//! A query also lets the buyer's typing go on: the money of a trade that waits for a password moves after the
//! number of queries that its fault names. Source: Alipay open platform, the two methods' pages.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    answer::Node,
    pay::{known, paid},
    request::Call,
};
use crate::sim::gateway::{beijing, books::Books, trade::Trade, verb::Wallet, yuan};

/// The state of a trade.
pub(super) fn query(books: &Books<'_>, call: &Call) -> rusqlite::Result<Node> {
    let Some(mut trade) = find(books, call)? else { return Ok(unknown()) };
    books.count_query(&mut trade)?;
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
    let Some(refund) = books.refund_made(&trade, &request_no)? else { return Ok(Node::success()) };
    Ok(Node::success()
        .with("gmt_refund_pay", beijing::format(refund.made_ms))
        .with("out_request_no", request_no)
        .with("out_trade_no", trade.key.number)
        .with("refund_amount", yuan::format(refund.amount))
        .with("refund_reason", refund.reason)
        .with("refund_status", "REFUND_SUCCESS")
        .with("total_amount", yuan::format(trade.total))
        .with("trade_no", trade.trade_no))
}

/// The gateway's certificate, for a client that meets a serial number which it does not know.
/// Source: Alipay open platform, alipay.open.app.alipaycert.download.
pub(super) fn certificate(call: &Call, pem: &str) -> Node {
    match call.field("alipay_cert_sn") {
        Some(_) => Node::success().with("alipay_cert_content", STANDARD.encode(pem)),
        None => Node::failed("isv.invalid-parameter", "alipay_cert_sn is missing"),
    }
}

/// The merchant's trade under either number, once the wallet knows it.
pub(super) fn find(books: &Books<'_>, call: &Call) -> rusqlite::Result<Option<Trade>> {
    let found = match (call.field("trade_no"), call.out_trade_no()) {
        (Some(trade_no), _) => books.find_by_trade_no(Wallet::Alipay, &trade_no)?,
        (None, Some(out_trade_no)) => books.find(&call.key_of(&out_trade_no))?,
        (None, None) => None,
    };
    Ok(found.filter(|trade| trade.key.merchant == call.app_id && trade.scanned_ms.is_some()))
}

pub(super) fn unknown() -> Node {
    Node::failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
}
