//! The parts of records that speak of money given back: of what, to whom, why, and how a person ended it.
//!
//! A return is a sale of its own (`SaleKind::Refund`) with its own receipt. The sale that it is of gets one
//! record, `return_drawn`, so that reading that sale again says what is left of it.
//!
//! Not here: how shares are computed (`sale::back`).

use crate::money::Money;
use crate::record::header::Epoch;
use crate::record::ids::{IntentId, RefundId, SaleId};
use crate::record::line::LineId;
use crate::record::money_moves::ProviderName;
use serde::{Deserialize, Serialize};

/// Who called the wallet for an intent, and so gives its money back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapturedBy {
    /// The till, with a pay code.
    Till,
    /// The cloud, for an order.
    Cloud,
}

/// How a part of a sale was paid, and so how it goes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Out of the drawer.
    Cash,
    /// To the wallet that paid.
    Wallet {
        /// The payment that it is of.
        intent: IntentId,
        /// At which wallet.
        provider: ProviderName,
        /// Who called it.
        captured_by: CapturedBy,
    },
    /// With a value voucher. No drawer gives it back: head office owes the customer a new one.
    Voucher {
        /// Of which.
        serial: String,
    },
}

/// What goes back by one means.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TenderShare {
    /// How.
    pub means: Means,
    /// How much.
    pub amount: Money,
}

/// What goes back of one line of the original sale.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineShare {
    /// Which line.
    pub line: LineId,
    /// Steps of its quantity that come back; none where only money goes.
    pub steps: i64,
    /// What goes back of it, its tax included.
    pub total: Money,
    /// The tax in that.
    pub tax: Money,
}

/// The sale that money goes back of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Original {
    /// Which sale.
    pub sale: SaleId,
    /// Number of its receipt; none where money came for a sale that had been paid in another way or given up.
    pub receipt: Option<u64>,
    /// The receipt's series.
    pub epoch: Epoch,
}

/// Why money goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnWhy {
    /// The customer wants it back: it ends with a receipt.
    Customer,
    /// It came after its payment was over, by itself: nothing is printed.
    Late,
}

/// Why cash left the drawer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashBack {
    /// A sale that was paid in part was given up.
    GivenUp,
    /// A refund.
    Refund,
    /// The wallet refuses this refund, and the customer was paid in cash.
    Instead(RefundId),
}

/// How a person ended a refund that the wallet refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    /// In cash.
    Cash,
    /// In another way; the words say which.
    Otherwise,
}

/// What a person found out about a payment of which the wallet says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The customer was not charged. Should the money come after all, it goes back.
    NotCharged,
    /// The customer was charged and has the money back by hand.
    GivenBackByHand,
}
