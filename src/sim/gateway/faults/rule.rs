//! One rule of the fault switch: a fault and what it strikes.
//!
//! Deliberately not here: how a rule is written (`text`), and which of several rules strikes (`faults`).

use serde::{Deserialize, Serialize};

use super::super::{
    customer::{Discount, Manner},
    verb::{Verb, Wallet},
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes this long.
    Delay {
        /// Milliseconds.
        ms: u64,
        /// Where the time is lost.
        stage: Stage,
    },
    /// The connection closes before anything is done. A notification does not arrive.
    DropRequest,
    /// All is done, and the connection closes without an answer. Of a notification the reply is lost.
    DropAnswer,
    /// The network delivers the request, or the notification, twice.
    Duplicate,
    /// An HTTP error of whatever stands in front of the wallet: no JSON, no signature.
    HttpError {
        /// 400 to 599.
        status: u16,
        /// What really happened.
        money: Money,
    },
    /// The answer's signature is over other bytes.
    WrongSignature,
    /// The answer has no signature.
    MissingSignature,
    /// The body ends early.
    Truncate {
        /// How many bytes are left of it; none: half of them.
        keep: Option<u64>,
        /// Whether the caller can tell.
        ending: Ending,
    },
    /// The body trickles.
    SlowBytes {
        /// Milliseconds for each byte.
        byte_ms: u64,
    },
    /// Every amount in the answer is off, rightly signed.
    WrongAmount {
        /// How far, in fen.
        by_fen: i64,
    },
    /// The buyer pays a waiting trade just before this request is worked on.
    PaidBefore,
    /// What is due to be notified arrives before this request's answer.
    NotifyFirst,
    /// The buyer types a password first.
    PayingThenPaid {
        /// Queries that still find the trade waiting; none: until a person confirms.
        after_queries: Option<u32>,
    },
    /// Nobody knows: Alipay's 20000, WeChat Pay's SYSTEM_ERROR.
    Unknown {
        /// What really happened.
        money: Money,
    },
    /// The buyer has not enough money.
    Refuse,
    /// The customer behaves so.
    Customer(Manner),
    /// The order is paid with a discount.
    Discounted(Discount),
    /// A refund is told as under way for this long (WeChat Pay).
    SlowRefund {
        /// Milliseconds.
        ms: u64,
    },
    /// A cancel of an unknown order number leaves it open for a pay that arrives later.
    Late,
}

/// Where a delay loses its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before anything is done.
    Work,
    /// After all is done.
    Answer,
}

/// What an answer that says nothing hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Money {
    /// The request was carried out.
    Moved,
    /// It was not.
    NotMoved,
}

/// How a body that was cut ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The line goes dead, and fewer bytes came than were promised.
    Cut,
    /// The answer is complete HTTP; only its text is cut.
    Short,
}

/// The pay codes that a rule strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayCode {
    /// This one.
    Exactly(String),
    /// All that begin so.
    StartsWith(String),
}

/// A fault and what it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Only at this wallet.
    pub wallet: Option<Wallet>,
    /// Only this merchant: Alipay's app id, WeChat Pay's mchid.
    pub merchant: Option<String>,
    /// Only this order.
    pub out_trade_no: Option<String>,
    /// Only requests that carry such a pay code.
    pub code: Option<PayCode>,
    /// Only this method: `pay` at either wallet, or a wallet's name for it, as `alipay.trade.pay`.
    pub method: Option<String>,
    /// Only amounts from here, in fen.
    pub min_fen: Option<i64>,
    /// Only amounts up to here, in fen.
    pub max_fen: Option<i64>,
    /// Only the so-many-th call of a method for an order, from 1.
    pub nth: Option<u64>,
    /// How many of a thousand matching requests, 0 to 1000.
    pub rate_per_mille: u16,
    /// At most so often.
    pub times: Option<u64>,
}

/// What one request is, to a rule.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim::gateway) struct Target<'a> {
    pub(in crate::sim::gateway) wallet: Wallet,
    pub(in crate::sim::gateway) verb: Verb,
    pub(in crate::sim::gateway) merchant: &'a str,
    pub(in crate::sim::gateway) number: &'a str,
    pub(in crate::sim::gateway) code: Option<&'a str>,
    pub(in crate::sim::gateway) amount: Option<i64>,
}

impl Rule {
    /// A rule that strikes every request that this fault makes sense for.
    pub fn of(fault: Fault) -> Rule {
        Rule {
            fault,
            wallet: None,
            merchant: None,
            out_trade_no: None,
            code: None,
            method: None,
            min_fen: None,
            max_fen: None,
            nth: None,
            rate_per_mille: 1000,
            times: None,
        }
    }

    /// `nth` is which call of its method for its order this is, from 1.
    pub(super) fn matches(&self, target: &Target<'_>, nth: u64) -> bool {
        let same_code = match &self.code {
            None => true,
            Some(PayCode::Exactly(wanted)) => target.code == Some(wanted.as_str()),
            Some(PayCode::StartsWith(wanted)) => target.code.is_some_and(|code| code.starts_with(wanted)),
        };
        let method = self.method.as_deref();
        let by_name = method.is_some_and(|name| target.verb.is_meant_by(target.wallet, name));
        // Notifications and certificates are struck by rules that name them, never by the way.
        let same_method = match target.verb {
            Verb::Notify | Verb::Certificate => by_name,
            Verb::Pay
            | Verb::Precreate
            | Verb::Query
            | Verb::Cancel
            | Verb::Close
            | Verb::Refund
            | Verb::RefundQuery => by_name || method.is_none(),
        };
        let at_least = |least: i64| target.amount.is_some_and(|amount| amount >= least);
        let at_most = |most: i64| target.amount.is_some_and(|amount| amount <= most);
        self.fault.makes_sense_for(target.verb)
            && same_code
            && same_method
            && self.wallet.is_none_or(|wanted| wanted == target.wallet)
            && self.merchant.as_ref().is_none_or(|wanted| wanted == target.merchant)
            && self.out_trade_no.as_ref().is_none_or(|wanted| wanted == target.number)
            && self.min_fen.is_none_or(at_least)
            && self.max_fen.is_none_or(at_most)
            && self.nth.is_none_or(|wanted| wanted == nth)
    }
}

/// Faults of different slots strike one request together; of one slot the first rule wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Delay,
    Customer,
    Discount,
    Timing,
    Line,
}

impl Fault {
    /// The name that it is written and counted by.
    pub fn kind(self) -> &'static str {
        match self {
            Fault::Delay { .. } => "delay",
            Fault::DropRequest => "drop_request",
            Fault::DropAnswer => "drop_answer",
            Fault::Duplicate => "duplicate",
            Fault::HttpError { .. } => "http_error",
            Fault::WrongSignature => "wrong_signature",
            Fault::MissingSignature => "missing_signature",
            Fault::Truncate { .. } => "truncate",
            Fault::SlowBytes { .. } => "slow_bytes",
            Fault::WrongAmount { .. } => "wrong_amount",
            Fault::PaidBefore => "paid_before",
            Fault::NotifyFirst => "notify_first",
            Fault::PayingThenPaid { .. } | Fault::Customer(Manner::Password { .. }) => "paying_then_paid",
            Fault::Unknown { .. } => "unknown",
            Fault::Refuse | Fault::Customer(Manner::Refuse) => "refuse",
            Fault::Customer(Manner::Pay) => "pay",
            Fault::Customer(Manner::ConfirmAfter { .. }) => "confirm_after",
            Fault::Customer(Manner::RefuseAfter { .. }) => "refuse_after",
            Fault::Customer(Manner::PayAfterCancel { .. }) => "pay_after_cancel",
            Fault::Customer(Manner::WalkAway) => "walk_away",
            Fault::Discounted(_) => "discount",
            Fault::SlowRefund { .. } => "slow_refund",
            Fault::Late => "late",
        }
    }

    pub(super) fn slot(self) -> Slot {
        match self {
            Fault::Delay { .. } => Slot::Delay,
            Fault::PayingThenPaid { .. } | Fault::Refuse | Fault::Customer(_) => Slot::Customer,
            Fault::Discounted(_) => Slot::Discount,
            Fault::PaidBefore | Fault::NotifyFirst => Slot::Timing,
            Fault::DropRequest
            | Fault::DropAnswer
            | Fault::Duplicate
            | Fault::HttpError { .. }
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::Truncate { .. }
            | Fault::SlowBytes { .. }
            | Fault::WrongAmount { .. }
            | Fault::Unknown { .. }
            | Fault::SlowRefund { .. }
            | Fault::Late => Slot::Line,
        }
    }

    /// What the customer does under this fault, if it is about the customer.
    pub(in crate::sim::gateway) fn manner(self) -> Option<Manner> {
        match self {
            Fault::PayingThenPaid { after_queries } => Some(Manner::Password { after_queries }),
            Fault::Refuse => Some(Manner::Refuse),
            Fault::Customer(manner) => Some(manner),
            Fault::Delay { .. }
            | Fault::DropRequest
            | Fault::DropAnswer
            | Fault::Duplicate
            | Fault::HttpError { .. }
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::Truncate { .. }
            | Fault::SlowBytes { .. }
            | Fault::WrongAmount { .. }
            | Fault::PaidBefore
            | Fault::NotifyFirst
            | Fault::Unknown { .. }
            | Fault::Discounted(_)
            | Fault::SlowRefund { .. }
            | Fault::Late => None,
        }
    }

    fn makes_sense_for(self, verb: Verb) -> bool {
        match self {
            Fault::PayingThenPaid { .. } | Fault::Refuse => verb == Verb::Pay,
            Fault::Customer(_) | Fault::Discounted(_) => matches!(verb, Verb::Pay | Verb::Precreate),
            Fault::Late => verb == Verb::Cancel,
            Fault::SlowRefund { .. } => verb == Verb::Refund,
            Fault::PaidBefore | Fault::Unknown { .. } | Fault::HttpError { .. } | Fault::NotifyFirst => {
                verb != Verb::Notify
            }
            Fault::Truncate { .. } | Fault::SlowBytes { .. } => verb != Verb::Notify,
            Fault::Delay { .. }
            | Fault::DropRequest
            | Fault::DropAnswer
            | Fault::Duplicate
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::WrongAmount { .. } => true,
        }
    }
}
