//! Stored value as a wallet: a member's code pays out of the account that the cloud keeps for the member.
//!
//! **Invariant:** each payment, refund and loading is one transfer under one unique reference: asking twice
//! moves nothing twice. An intent that was ended unpaid is never paid later. Not here: the ledger's SQL.

use super::store::Store;
use super::store::ledger::{HouseBack, HousePaid, HousePay, HouseRow, HouseState};
use super::{Clock, StoreError};
use crate::money::Money;
use crate::record::ids::IntentId;
use crate::token::{self, MemberCode, Token};
use crate::wallet::{
    Advice, Answer, Approval, CancelAction, CancelAnswer, Decline, Doubt, Fund, Funder, OrderNumber,
    PayRequest, PrecreateAnswer, PrecreateRequest, RefundAnswer, RefundRequest, Reply, Wallet,
};
use std::sync::Arc;

/// Stored value of the members of this cloud.
pub(crate) struct House {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl House {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    async fn take(&self, request: &PayRequest) -> Answer {
        let Some(code) = member_code(request.pay_code.expose()) else {
            return no("HOUSE.NO_MEMBER_CODE", Advice::NewCode, "Scan the member's code.");
        };
        let Some(intent) = intent(&request.order) else { return foreign() };
        let pay = HousePay { intent, code, amount: request.amount, now_ms: self.now_ms() };
        match self.store.house_pay(pay).await {
            Ok(HousePaid::Paid(row)) => approved(intent, row),
            Ok(HousePaid::Ended) => Answer::Closed,
            Ok(HousePaid::TooLittle { balance }) => {
                let words = format!("There is {balance} on the member's account: that is too little.");
                let advice = Advice::OtherMeans;
                Answer::Declined(Decline {
                    left: Some(balance),
                    ..decline("HOUSE.TOO_LITTLE", advice, &words)
                })
            }
            Ok(HousePaid::NoSuchMember) => {
                no("HOUSE.NO_SUCH_MEMBER", Advice::OtherMeans, "Nobody has this member code.")
            }
            Ok(HousePaid::StaleCode) => {
                no("HOUSE.STALE_CODE", Advice::NewCode, "The code is old or was used. Ask for a fresh one.")
            }
            Ok(HousePaid::Differs) => {
                no("HOUSE.ORDER_TAKEN", Advice::TellShop, "This number stands for another payment.")
            }
            Err(error) => doubtful(&error),
        }
    }

    async fn look(&self, order: &OrderNumber) -> Answer {
        let Some(intent) = intent(order) else { return foreign() };
        match self.store.house_payment(intent).await {
            Ok(Some(row)) => match row.state {
                HouseState::Paid => approved(intent, row),
                HouseState::Ended => Answer::Closed,
            },
            Ok(None) => Answer::NotFound,
            Err(error) => doubtful(&error),
        }
    }

    async fn end(&self, order: &OrderNumber) -> CancelAnswer {
        let done = |action| CancelAnswer::Cancelled { action };
        let Some(intent) = intent(order) else { return done(CancelAction::Nothing) };
        match self.store.house_end(intent, self.now_ms()).await {
            Ok(HouseBack::Done) => done(CancelAction::Refunded),
            // It is ruled out now: nothing can land late.
            Ok(HouseBack::Nothing | HouseBack::NoSuchPayment | HouseBack::TooMuch { .. }) => {
                done(CancelAction::Closed)
            }
            Err(error) => CancelAnswer::Unsure(doubt(&error)),
        }
    }

    async fn give_back(&self, request: &RefundRequest) -> RefundAnswer {
        let Some(intent) = intent(&request.order) else { return RefundAnswer::NotFound };
        let (reference, now_ms) = (reference(request), self.now_ms());
        match self.store.house_refund(intent, reference, request.amount, now_ms).await {
            Ok(HouseBack::Done) => RefundAnswer::Refunded,
            Ok(HouseBack::Nothing | HouseBack::NoSuchPayment) => RefundAnswer::Declined(decline(
                "HOUSE.NO_SUCH_PAYMENT",
                Advice::TellShop,
                "No payment out of stored value has this number.",
            )),
            Ok(HouseBack::TooMuch { left }) => RefundAnswer::Declined(decline(
                "HOUSE.TOO_MUCH",
                Advice::TellShop,
                &format!("Only {left} of this payment can still be given back."),
            )),
            Err(error) => RefundAnswer::Unsure(doubt(&error)),
        }
    }
}

impl Wallet for House {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        Box::pin(self.take(request))
    }

    fn precreate<'a>(&'a self, _: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        let words = "Stored value is paid with the member's code, not by scanning one of the shop's.";
        let no = decline("HOUSE.NO_ORDERS", Advice::OtherMeans, words);
        Box::pin(async { PrecreateAnswer::Declined(no) })
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, _: Money) -> Reply<'a, Answer> {
        Box::pin(self.look(order))
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(self.end(order))
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(self.give_back(request))
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(async move {
            match self.store.house_refunded(reference(request)).await {
                Ok(true) => RefundAnswer::Refunded,
                Ok(false) => RefundAnswer::NotFound,
                Err(error) => RefundAnswer::Unsure(doubt(&error)),
            }
        })
    }
}

fn member_code(text: &str) -> Option<MemberCode> {
    match token::parse(text) {
        Ok(Token::Member(code)) => Some(code),
        Ok(_) | Err(_) => None,
    }
}

fn intent(order: &OrderNumber) -> Option<IntentId> {
    order.as_str().parse().ok()
}

fn reference(request: &RefundRequest) -> String {
    format!("refund:{}", request.refund.as_str())
}

fn approved(intent: IntentId, row: HouseRow) -> Answer {
    let (amount, nothing) = (row.amount, Money::new(0, row.amount.currency));
    Answer::Approved(Approval {
        trade_no: format!("house-{intent}"),
        total: amount,
        receipt_amount: amount,
        buyer_paid: amount,
        // It was invoiced, or will be, when it was loaded.
        invoice: nothing,
        merchant_funded: nothing,
        platform_funded: nothing,
        points: amount,
        buyer_masked: None,
        paid_at: None,
        funds: vec![Fund {
            channel: "STORED_VALUE".to_owned(),
            amount,
            funder: Funder::Buyer,
            bank_code: None,
        }],
        vouchers: vec![],
        balance: row.balance,
    })
}

fn no(code: &str, advice: Advice, message: &str) -> Answer {
    Answer::Declined(decline(code, advice, message))
}

fn decline(code: &str, advice: Advice, message: &str) -> Decline {
    Decline { code: code.to_owned(), advice, message: message.to_owned(), left: None }
}

fn foreign() -> Answer {
    no("HOUSE.NO_INTENT", Advice::TellShop, "The order's number is not one that a till draws.")
}

fn doubt(error: &StoreError) -> Doubt {
    Doubt { why: error.to_string() }
}

fn doubtful(error: &StoreError) -> Answer {
    Answer::Unsure(doubt(error))
}
