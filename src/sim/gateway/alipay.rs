//! Alipay's open gateway for face-to-face payments: `/gateway.do`, one method a file or two.
//!
//! Deliberately not here: the books, faults, and the line.

pub(super) mod answer;
mod pay;
mod query;
mod request;
mod reverse;

pub(super) use answer::Node;
pub(super) use pay::notified_funds;
pub(super) use request::Call;
pub(super) use reverse::Unheard;

use super::{books::Books, trade::Buyer, verb::Verb};

/// What the gateway itself knows and a method may need.
pub(super) struct House<'a> {
    /// What a phone reaches the gateway by.
    pub(super) public_base: &'a str,
    /// The gateway's certificate, PEM.
    pub(super) certificate: &'a str,
}

/// Does what a verified request asks.
pub(super) fn work(
    books: &Books<'_>,
    call: &Call,
    buyer: &Buyer,
    unheard: Unheard,
    house: &House<'_>,
) -> rusqlite::Result<Node> {
    match call.verb {
        Verb::Pay => pay::pay(books, call, buyer),
        Verb::Precreate => pay::precreate(books, call, buyer, house.public_base),
        Verb::Query => query::query(books, call),
        Verb::Cancel => reverse::cancel(books, call, unheard),
        Verb::Close => reverse::close(books, call),
        Verb::Refund => reverse::refund(books, call),
        Verb::RefundQuery => query::refund_query(books, call),
        Verb::Certificate => Ok(query::certificate(call, house.certificate)),
        Verb::Notify => Ok(Node::unavailable()),
    }
}
