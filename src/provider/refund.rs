//! Giving money back: the same refund number until the wallet says that it is done or that it will not be.
//!
//! Not here: refunds of what the cloud captured (`sync`), cash.

use super::{Surroundings, report};
use crate::counter::duty::RefundDuty;
use crate::counter::event::{Event, RefundReport};
use crate::wallet::{OrderNumber, RefundAnswer, RefundNumber, RefundRequest, Wallet};

/// Gives back until it is known to be done or refused.
pub(super) async fn refund(around: &Surroundings, duty: &RefundDuty) {
    let Some(wallet) = around.config.wallets.get(&duty.provider) else {
        let words = format!(
            "This till has no account at {:?} any more: look there whether the money went back, and give it \
             back there if not.",
            duty.provider
        );
        return post(around, duty, RefundReport::Refused(words)).await;
    };
    let request = RefundRequest {
        order: OrderNumber::parse(&duty.intent.to_string()).expect("32 hexadecimal digits are a number"),
        refund: RefundNumber::parse(&duty.refund.to_string()).expect("32 hexadecimal digits are a number"),
        amount: duty.amount,
        reason: Some(duty.why.clone()).filter(|why| !why.is_empty()),
    };
    let mut gaps = around.config.timing.retries();
    loop {
        if let Some(outcome) = give_back(wallet.as_ref(), &request).await {
            return post(around, duty, outcome).await;
        }
        gaps.wait().await;
    }
}

/// One try, and a question where the try told nothing. A repetition never gives twice: the number is the same.
async fn give_back(wallet: &dyn Wallet, request: &RefundRequest) -> Option<RefundReport> {
    match wallet.refund(request).await {
        RefundAnswer::Refunded => Some(RefundReport::Refunded),
        RefundAnswer::Declined(decline) => Some(RefundReport::Refused(report::words(&decline))),
        RefundAnswer::NotSent { .. } => None,
        RefundAnswer::Pending | RefundAnswer::NotFound | RefundAnswer::Unsure(_) => {
            match wallet.refund_query(request).await {
                RefundAnswer::Refunded => Some(RefundReport::Refunded),
                RefundAnswer::Declined(_)
                | RefundAnswer::Pending
                | RefundAnswer::NotFound
                | RefundAnswer::NotSent { .. }
                | RefundAnswer::Unsure(_) => None,
            }
        }
    }
}

async fn post(around: &Surroundings, duty: &RefundDuty, outcome: RefundReport) {
    if !around.inbox.post(Event::Refund(duty.refund, outcome)).await {
        tracing::warn!(refund.id = %duty.refund, "The till is gone; the next start gives this money back.");
    }
}
