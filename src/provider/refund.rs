//! Giving money back: the same refund number until the wallet says that it is done or that it will not be.
//!
//! Not here: refunds of what the cloud captured (`sync`), cash.

use super::{Surroundings, report};
use crate::counter::duty::RefundDuty;
use crate::counter::event::{Event, RefundReport};
use crate::wallet::{Answer, OrderNumber, RefundAnswer, RefundNumber, RefundRequest, Wallet};

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
    let mut gaps = around.config.rules(duty.provider).retries();
    let mut said_pending = false;
    loop {
        match give_back(wallet.as_ref(), &request).await {
            Tried::Known(RefundReport::Refused(words)) => match left_of(wallet.as_ref(), duty).await {
                Left::Nothing => return post(around, duty, RefundReport::Refunded).await,
                Left::Something => return post(around, duty, RefundReport::Refused(words)).await,
                Left::Unclear => {}
            },
            Tried::Known(outcome) => return post(around, duty, outcome).await,
            Tried::Pending if !said_pending => {
                said_pending = true;
                let words = "The wallet has taken it on and is not done yet.".to_owned();
                post(around, duty, RefundReport::Pending(words)).await;
            }
            Tried::Pending | Tried::Open => {}
        }
        gaps.wait().await;
    }
}

/// Whether money that came late has gone back in another way: taking a payment back returns what was paid, and
/// word of the payment may come after that. The wallet then refuses to give it back a second time.
async fn left_of(wallet: &dyn Wallet, duty: &RefundDuty) -> Left {
    let Some(paid) = duty.late.filter(|paid| *paid == duty.amount) else { return Left::Something };
    let order = OrderNumber::parse(&duty.intent.to_string()).expect("32 hexadecimal digits are a number");
    match wallet.query(&order, paid).await {
        Answer::Closed => Left::Nothing,
        Answer::Approved(_) | Answer::Declined(_) => Left::Something,
        Answer::Pending | Answer::NotFound | Answer::NotSent { .. } | Answer::Unsure(_) => Left::Unclear,
    }
}

/// What the wallet keeps of a payment that it does not give back.
enum Left {
    Nothing,
    Something,
    Unclear,
}

enum Tried {
    Known(RefundReport),
    Pending,
    Open,
}

/// One try, and a question where the try told nothing. A repetition never gives twice: the number is the same.
async fn give_back(wallet: &dyn Wallet, request: &RefundRequest) -> Tried {
    match wallet.refund(request).await {
        RefundAnswer::Refunded => Tried::Known(RefundReport::Refunded),
        RefundAnswer::Declined(decline) => Tried::Known(RefundReport::Refused(report::words(&decline))),
        RefundAnswer::NotSent { .. } => Tried::Open,
        RefundAnswer::Pending => match wallet.refund_query(request).await {
            RefundAnswer::Refunded => Tried::Known(RefundReport::Refunded),
            // It was taken on and has come to nothing after all.
            RefundAnswer::Declined(decline) => Tried::Known(RefundReport::Refused(report::words(&decline))),
            RefundAnswer::Pending
            | RefundAnswer::NotFound
            | RefundAnswer::NotSent { .. }
            | RefundAnswer::Unsure(_) => Tried::Pending,
        },
        RefundAnswer::NotFound | RefundAnswer::Unsure(_) => match wallet.refund_query(request).await {
            RefundAnswer::Refunded => Tried::Known(RefundReport::Refunded),
            RefundAnswer::Pending => Tried::Pending,
            RefundAnswer::Declined(_)
            | RefundAnswer::NotFound
            | RefundAnswer::NotSent { .. }
            | RefundAnswer::Unsure(_) => Tried::Open,
        },
    }
}

async fn post(around: &Surroundings, duty: &RefundDuty, outcome: RefundReport) {
    if !around.inbox.post(Event::Refund(duty.refund, outcome)).await {
        tracing::warn!(refund.id = %duty.refund, "The till is gone; the next start gives this money back.");
    }
}
