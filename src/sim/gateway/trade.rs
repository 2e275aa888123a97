//! A trade in the books: what is known of one order.
//!
//! `WAIT_BUYER_PAY` goes to `TRADE_SUCCESS` or `TRADE_CLOSED`; `TRADE_SUCCESS` to `TRADE_FINISHED`, or to
//! `TRADE_CLOSED` when all of it was refunded. Source: Alipay open platform, alipay.trade.query,
//! `trade_status`. WeChat Pay's states are read off the same row. Deliberately not here: the steps (`books`),
//! and what a merchant is told.

use rusqlite::Row;

use super::{
    customer::{Discount, Manner},
    verb::Wallet,
};

/// Whose order it is, and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderKey {
    pub(super) wallet: Wallet,
    /// Alipay's app id, WeChat Pay's mchid.
    pub(super) merchant: String,
    pub(super) number: String,
}

/// `trade_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Waiting,
    Paid,
    Finished,
    Closed,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Waiting => "WAIT_BUYER_PAY",
            Status::Paid => "TRADE_SUCCESS",
            Status::Finished => "TRADE_FINISHED",
            Status::Closed => "TRADE_CLOSED",
        }
    }

    fn named(name: &str) -> Option<Status> {
        [Status::Waiting, Status::Paid, Status::Finished, Status::Closed]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// Why a trade ended unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The merchant took it back: cancelled, reversed.
    Cancel,
    /// The merchant closed it.
    Close,
    /// Its time was over.
    Time,
    /// The buyer said no.
    Buyer,
}

impl End {
    pub(super) fn name(self) -> &'static str {
        match self {
            End::Cancel => "cancel",
            End::Close => "close",
            End::Time => "time",
            End::Buyer => "buyer",
        }
    }

    fn named(name: &str) -> Option<End> {
        [End::Cancel, End::Close, End::Time, End::Buyer].into_iter().find(|end| end.name() == name)
    }
}

/// One row of `trade`.
#[derive(Debug, Clone)]
pub(super) struct Trade {
    pub(super) key: OrderKey,
    pub(super) trade_no: String,
    pub(super) app_id: String,
    pub(super) subject: String,
    pub(super) attach: Option<String>,
    pub(super) total: i64,
    pub(super) status: Status,
    pub(super) ended_by: Option<End>,
    pub(super) buyer: Option<String>,
    pub(super) auth_code_hash: Option<String>,
    pub(super) qr_token: Option<String>,
    pub(super) notify_url: Option<String>,
    /// The key that a WeChat Pay client named to verify with; none: the platform certificate.
    pub(super) key_id: Option<String>,
    pub(super) created_ms: i64,
    pub(super) scanned_ms: Option<i64>,
    pub(super) expires_ms: i64,
    pub(super) paid_ms: Option<i64>,
    pub(super) pays_ms: Option<i64>,
    pub(super) refuses_ms: Option<i64>,
    pub(super) late_ms: Option<i64>,
    pub(super) queries_left: Option<i64>,
    pub(super) discount: Discount,
    pub(super) captures: i64,
    pub(super) refunded: i64,
}

impl Trade {
    /// What the merchant receives.
    pub(super) fn receipt(&self) -> i64 {
        self.total - self.discount.merchant
    }

    /// What the buyer pays, in money and points.
    pub(super) fn buyer_pays(&self) -> i64 {
        self.receipt() - self.discount.platform
    }

    /// What an invoice may be written for.
    pub(super) fn invoice(&self) -> i64 {
        self.buyer_pays() - self.discount.points
    }
}

/// How a trade begins.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A pay code was presented; its hash.
    PayCode(String),
    /// A code to be scanned by the buyer.
    Precreated,
    /// The same, whose token begins with these letters.
    OnPhone(&'static str),
}

/// What a merchant ordered.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) key: OrderKey,
    pub(super) app_id: String,
    pub(super) subject: String,
    pub(super) attach: Option<String>,
    pub(super) total: i64,
    pub(super) expires_ms: i64,
    pub(super) notify_url: Option<String>,
    pub(super) key_id: Option<String>,
}

/// What the buyer's side brings to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Buyer {
    /// None: nobody was told how to behave.
    pub(super) manner: Option<Manner>,
    pub(super) discount: Discount,
}

/// One row of `refund`.
#[derive(Debug, Clone)]
pub(super) struct Refund {
    pub(super) number: String,
    pub(super) amount: i64,
    pub(super) reason: Option<String>,
    pub(super) made_ms: i64,
    /// Until then it is told as still under way.
    pub(super) told_ms: i64,
}

pub(super) fn read_trade(row: &Row<'_>) -> rusqlite::Result<Trade> {
    let status: String = row.get("status")?;
    let wallet: String = row.get("wallet")?;
    let ended_by: Option<String> = row.get("ended_by")?;
    let broken = || rusqlite::Error::InvalidQuery;
    Ok(Trade {
        key: OrderKey {
            wallet: Wallet::named(&wallet).ok_or_else(broken)?,
            merchant: row.get("merchant")?,
            number: row.get("out_trade_no")?,
        },
        trade_no: row.get("trade_no")?,
        app_id: row.get("app_id")?,
        subject: row.get("subject")?,
        attach: row.get("attach")?,
        total: row.get("total")?,
        status: Status::named(&status).ok_or_else(broken)?,
        ended_by: ended_by.as_deref().and_then(End::named),
        buyer: row.get("buyer")?,
        auth_code_hash: row.get("auth_code_hash")?,
        qr_token: row.get("qr_token")?,
        notify_url: row.get("notify_url")?,
        key_id: row.get("key_id")?,
        created_ms: row.get("created_ms")?,
        scanned_ms: row.get("scanned_ms")?,
        expires_ms: row.get("expires_ms")?,
        paid_ms: row.get("paid_ms")?,
        pays_ms: row.get("pays_ms")?,
        refuses_ms: row.get("refuses_ms")?,
        late_ms: row.get("late_ms")?,
        queries_left: row.get("queries_left")?,
        discount: Discount {
            merchant: row.get("merchant_discount")?,
            platform: row.get("platform_discount")?,
            points: row.get("points")?,
        },
        captures: row.get("captures")?,
        refunded: row.get("refunded")?,
    })
}
