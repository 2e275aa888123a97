//! Every way in which a wallet can answer, in the shop's words.
//!
//! Answers keep apart what is known, what provably never left and what may have happened. They can be passed
//! on as JSON, by the cloud to a till.
//!
//! Not here: any one wallet's codes.

use crate::money::{Money, MoneyError};
use crate::record::money_moves::{ProvenBy, Settled};
pub use crate::record::settlement::{Fund, Funder, Voucher};
use serde::{Deserialize, Serialize};

/// What became of a payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The money is the merchant's: the only answer for which goods are handed over.
    Approved(Approval),
    /// The customer is asked for the password, or has not scanned yet: ask again.
    Pending,
    /// No money moved and none will under this number.
    Declined(Decline),
    /// The wallet does not know the order. It may still be on its way: this proves nothing.
    NotFound,
    /// The order is over: timed out, cancelled or wholly refunded; the journal knows which.
    Closed,
    /// Nothing was sent: no connection came about.
    NotSent {
        /// For the log.
        why: String,
    },
    /// Anything may have happened: ask.
    Unsure(Doubt),
}

/// What became of an order that the customer is to scan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrecreateAnswer {
    /// The order is open.
    Ready {
        /// The text of the QR code to show.
        qr_text: String,
    },
    /// There is no such order and will be none under this number.
    Declined(Decline),
    /// Nothing was sent: no connection came about.
    NotSent {
        /// For the log.
        why: String,
    },
    /// The order may be open: cancel it before using another number.
    Unsure(Doubt),
}

/// What became of a cancellation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// The wallet has ended the order.
    Cancelled {
        /// How.
        action: CancelAction,
    },
    /// Not done: the wallet asks to be called again with the same number.
    Retry,
    /// The order stands, and calling again will not change that: a person decides.
    Declined(Decline),
    /// Nothing was sent: no connection came about.
    NotSent {
        /// For the log.
        why: String,
    },
    /// It may be done: cancelling again does no harm.
    Unsure(Doubt),
}

/// How a wallet ended an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAction {
    /// It was unpaid and is closed.
    Closed,
    /// It was paid and the money is on its way back.
    Refunded,
    /// It is over. The wallet does not say whether it was paid; if it was, the money is on its way back.
    Ended,
    /// The wallet found nothing to end; a payment in flight may still land.
    Nothing,
}

/// What became of a refund.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundAnswer {
    /// The money is on its way back.
    Refunded,
    /// The wallet has taken the refund on and is not done with it: ask with [`super::Wallet::refund_query`].
    Pending,
    /// No such refund is known. It may still be on its way: send it again under the same number.
    NotFound,
    /// No money moved.
    Declined(Decline),
    /// Nothing was sent: no connection came about.
    NotSent {
        /// For the log.
        why: String,
    },
    /// It may be done: ask with [`super::Wallet::refund_query`], or send it again under the same number.
    Unsure(Doubt),
}

/// Why it is not known what happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Doubt {
    /// For the log.
    pub why: String,
}

/// A definite no.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decline {
    /// The wallet's own code, or one of ours beginning with `TILL.` when nothing was sent.
    pub code: String,
    /// What to do next.
    pub advice: Advice,
    /// The wallet's own words, in its language.
    pub message: String,
    /// What the payer has, where that was too little and the wallet says how much it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Money>,
}

/// What to do after a definite no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// The customer refreshes the code, and it is scanned again as a new intent.
    NewCode,
    /// The customer pays in another way.
    OtherMeans,
    /// Something is wrong with the shop's account, settings or request: tell whoever looks after them.
    TellShop,
}

/// A payment that happened, in the wallets' vocabulary of amounts.
///
/// total - merchant-funded = receipt; receipt - platform-funded = buyer-paid; buyer-paid - points = invoice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// The wallet's own number.
    pub trade_no: String,
    /// What was asked for.
    pub total: Money,
    /// What the merchant gets.
    pub receipt_amount: Money,
    /// What the customer gave, points included.
    pub buyer_paid: Money,
    /// What an invoice may be made out for.
    pub invoice: Money,
    /// Discounts at the merchant's cost: the merchant gets so much less.
    pub merchant_funded: Money,
    /// Discounts at the wallet's cost, or at the cost of others who pay through it: the merchant gets them.
    pub platform_funded: Money,
    /// Paid with the customer's points.
    pub points: Money,
    /// The customer's login with its middle hidden, for the receipt.
    pub buyer_masked: Option<String>,
    /// When the wallet took it, in the wallet's own wall clock and words.
    pub paid_at: Option<String>,
    /// Where the total came from. Queries may leave it out.
    pub funds: Vec<Fund>,
    /// The vouchers among the discounts, each with whoever bears it. Queries may leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<Voucher>,
    /// What is left on the payer's account, where the wallet says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
}

/// The most parts of one payment that the books keep of each sort: wallets name a handful.
const PARTS_MAX: usize = 32;

impl Approval {
    /// What the books keep of it, with the paid proof that it came by, if by one.
    pub fn settled(&self, proof: Option<String>) -> Settled {
        if self.funds.len().max(self.vouchers.len()) > PARTS_MAX {
            tracing::warn!(
                trade = self.trade_no,
                "The wallet names more parts of a payment than the books keep."
            );
        }
        Settled {
            trade: self.trade_no.clone(),
            total: self.total,
            received: self.receipt_amount,
            buyer_paid: self.buyer_paid,
            invoice: self.invoice,
            merchant_funded: self.merchant_funded,
            platform_funded: self.platform_funded,
            buyer: self.buyer_masked.clone(),
            proof,
            balance: self.balance,
            wallet: None,
            funds: self.funds.iter().take(PARTS_MAX).cloned().collect(),
            vouchers: self.vouchers.iter().take(PARTS_MAX).cloned().collect(),
            proven_by: ProvenBy::Notice,
        }
    }

    /// Names the first of the amounts' identities that does not hold. Nothing is undone because of it: the
    /// money was taken, and the books want to know.
    ///
    /// # Errors
    /// [`MoneyError`] when the amounts cannot be computed with.
    pub fn disagreement(&self) -> Result<Option<&'static str>, MoneyError> {
        if self.total.minus(self.merchant_funded)? != self.receipt_amount {
            return Ok(Some("total - merchant-funded is not the receipt amount"));
        }
        if self.receipt_amount.minus(self.platform_funded)? != self.buyer_paid {
            return Ok(Some("receipt amount - platform-funded is not what the buyer paid"));
        }
        if self.buyer_paid.minus(self.points)? != self.invoice {
            return Ok(Some("buyer-paid - points is not the invoice amount"));
        }
        let funds = Money::sum(self.funds.iter().map(|fund| fund.amount), self.total.currency)?;
        if !self.funds.is_empty() && funds != self.total {
            return Ok(Some("the funds do not sum to the total"));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_passed_on_as_json_and_read_back() {
        let decline = Decline {
            code: "X".to_owned(),
            advice: Advice::NewCode,
            message: "刷新付款码".to_owned(),
            left: None,
        };
        for answer in [
            Answer::Pending,
            Answer::Declined(decline),
            Answer::NotSent { why: "no route".to_owned() },
            Answer::Unsure(Doubt { why: "no answer".to_owned() }),
        ] {
            let json = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), answer, "{json}");
        }
    }
}
