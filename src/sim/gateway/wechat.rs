//! WeChat Pay API v3, direct merchants: pay codes, codes on displays, orders opened on a phone, queries, reversals,
//! refunds.
//!
//! Sources: WeChat Pay merchant documentation, "APIv3", "Pay by code (v3)", "Native payment", "Refund". The error
//! codes are the names of its common error table; which of them an odd case earns is not documented everywhere,
//! and then the mildest that fits is answered. Deliberately not here: partner addresses (`/v3/pay/partner/`),
//! coupons' own interfaces, bills, v2.

mod answer;
mod order;
mod pay;
mod query;
mod refund;
mod request;
mod reverse;

pub(super) use answer::{Reply, sign, signature_headers};
pub(super) use order::transaction;
pub(super) use pay::PREPAY;
pub(super) use refund::describe as describe_refund;
pub(super) use request::Call;
pub(super) use reverse::Unheard;

use super::{books::Books, keys::Keys, trade::Buyer, verb::Verb};

/// What the gateway itself knows and a method may need.
pub(super) struct House<'a> {
    pub(super) keys: &'a Keys,
    /// What a phone reaches the gateway by.
    pub(super) public_base: &'a str,
    /// How long a refund is told as under way.
    pub(super) refunds_take_ms: i64,
    pub(super) unheard: Unheard,
}

/// Does what a verified request asks.
pub(super) fn work(
    books: &Books<'_>,
    call: &Call,
    buyer: &Buyer,
    house: &House<'_>,
) -> rusqlite::Result<Reply> {
    match call.verb {
        Verb::Pay => pay::codepay(books, call, buyer),
        Verb::Precreate => pay::opened(books, call, buyer, house.public_base),
        Verb::Query => query::query(books, call),
        Verb::Cancel => reverse::reverse(books, call, house.unheard),
        Verb::Close => reverse::close(books, call),
        Verb::Refund => refund::refund(books, call, house.refunds_take_ms),
        Verb::RefundQuery => refund::query(books, call),
        Verb::Certificate => Ok(query::certificates(books, house.keys)),
        Verb::Notify => Ok(Reply::unavailable()),
    }
}
