//! Wallets for tills: the merchant's keys stay here, and a till's duties are carried out by one call each.
//!
//! **Invariant:** an intent's pay code goes to its wallet at most once, and never after the till gave the
//! intent up, in whatever order its requests arrive. What a till asks for again is asked of the wallet, not
//! sent again. Not here: deciding when to ask or to give up; that is the till's.

use crate::cloud::Cloud;
use crate::cloud::judge::words;
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::cloud::store::ledger::{Known, NewRelay, NewRelayedRefund, RefundLeave, Relayed};
use crate::money::{Currency, Money};
use crate::record::money_moves::ProviderName;
use crate::wallet::relay::{About, Pay, Precreate, Refund, order};
use crate::wallet::{
    Advice, Answer, CancelAction, CancelAnswer, Decline, Doubt, PrecreateAnswer, RefundAnswer, Wallet,
};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

/// One call of one till.
struct Call {
    cloud: Arc<Cloud>,
    signed: Signed,
    provider: ProviderName,
}

/// `POST /v1/terminals/{terminal}/wallets/{provider}/{call}`
pub(super) async fn call(
    State(cloud): State<Arc<Cloud>>,
    Path((_, provider, name)): Path<(String, String, String)>,
    signed: Signed,
) -> Result<Response, Problem> {
    let provider = words::provider_of(&provider)
        .ok_or_else(|| Problem::not_found("Wallets are alipay, wechat and house."))?;
    let call = Call { cloud, signed, provider };
    match name.as_str() {
        "pay" => call.pay().await,
        "precreate" => call.precreate().await,
        "query" => call.query().await,
        "cancel" => call.cancel().await,
        "refund" => call.refund().await,
        "refund_query" => call.refund_query().await,
        _ => Err(Problem::not_found(
            "A wallet's calls are pay, precreate, query, cancel, refund and refund_query.",
        )),
    }
}

impl Cloud {
    /// Carries a call out even when the one who asked for it hangs up meanwhile. None when the cloud stops.
    async fn to_the_end<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, answer) = oneshot::channel();
        {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            while calls.try_join_next().is_some() {}
            calls.spawn(async move {
                // Nobody hears it when the asker has hung up; the till asks again.
                let _ = done.send(call.await);
            });
        }
        answer.await.ok()
    }
}

impl Call {
    fn wallet(&self) -> Option<Arc<dyn Wallet>> {
        self.cloud.accounts.wallets.get(&self.provider).cloned()
    }

    fn no_wallet(&self) -> Decline {
        decline("TILL.NO_WALLET", Advice::OtherMeans, "Head office takes no payments of this wallet yet.")
    }

    fn relay(&self, intent: crate::record::ids::IntentId, amount: Money) -> NewRelay {
        let (terminal, now_ms) = (self.signed.terminal.id.clone(), self.cloud.now_ms());
        NewRelay { intent, terminal, provider: self.provider, amount, now_ms }
    }

    async fn pay(self) -> Result<Response, Problem> {
        let wanted: Pay = self.signed.json()?;
        let Some(wallet) = self.wallet() else { return said(&Answer::Declined(self.no_wallet())) };
        let (intent, amount) = (wanted.intent, wanted.amount);
        if !amount.is_positive() {
            return Err(Problem::bad_request("A payment is more than nothing."));
        }
        let Some(request) = wanted.request(self.signed.terminal.id.as_str()) else {
            return Err(Problem::bad_request("This is not a pay code."));
        };
        let number = request.order.clone();
        match self.cloud.store.relay(self.relay(intent, amount)).await? {
            Relayed::First => {
                let sent = self.cloud.to_the_end(async move { wallet.pay(&request).await }).await;
                said(&sent.unwrap_or_else(|| Answer::Unsure(gone())))
            }
            Relayed::Again => said(&wallet.query(&number, amount).await),
            Relayed::RuledOut => said(&Answer::Closed),
            Relayed::Taken => Err(taken()),
        }
    }

    async fn precreate(self) -> Result<Response, Problem> {
        let wanted: Precreate = self.signed.json()?;
        let Some(wallet) = self.wallet() else {
            return said(&PrecreateAnswer::Declined(self.no_wallet()));
        };
        let (intent, amount) = (wanted.intent, wanted.amount);
        let Some(request) = wanted.request(self.signed.terminal.id.as_str()) else {
            return Err(Problem::bad_request("The intent's number is none."));
        };
        match self.cloud.store.relay(self.relay(intent, amount)).await? {
            Relayed::First => {
                let sent = self.cloud.to_the_end(async move { wallet.precreate(&request).await }).await;
                said(&sent.unwrap_or_else(|| PrecreateAnswer::Unsure(gone())))
            }
            Relayed::Again => {
                let why = "This order was opened before: take it back, and draw another.".to_owned();
                said(&PrecreateAnswer::Unsure(Doubt { why }))
            }
            Relayed::RuledOut => {
                let words = "This order was given up before it came.";
                said(&PrecreateAnswer::Declined(decline("TILL.GIVEN_UP", Advice::NewCode, words)))
            }
            Relayed::Taken => Err(taken()),
        }
    }

    /// What is known of an intent that is asked about.
    async fn known(&self, intent: crate::record::ids::IntentId) -> Result<Known, Problem> {
        match self.cloud.store.relayed(self.signed.terminal.id.clone(), intent).await? {
            Known::NotYours => Err(taken()),
            known @ (Known::Sent(_) | Known::RuledOut | Known::Unheard) => Ok(known),
        }
    }

    async fn query(self) -> Result<Response, Problem> {
        let wanted: About = self.signed.json()?;
        let answer = match (self.known(wanted.intent).await?, self.wallet(), order(wanted.intent)) {
            (Known::Sent(amount), Some(wallet), Some(number)) => wallet.query(&number, amount).await,
            (Known::RuledOut, ..) => Answer::Closed,
            (Known::Sent(_), None, _) => Answer::Unsure(Doubt { why: self.no_wallet().message }),
            (Known::Sent(_) | Known::Unheard | Known::NotYours, ..) => Answer::NotFound,
        };
        said(&answer)
    }

    async fn cancel(self) -> Result<Response, Problem> {
        let wanted: About = self.signed.json()?;
        let mut known = self.known(wanted.intent).await?;
        if known == Known::Unheard {
            let amount = wanted.amount.unwrap_or(Money::new(0, Currency::CNY));
            known = self.cloud.store.rule_out(self.relay(wanted.intent, amount)).await?;
        }
        let answer = match (known, self.wallet(), order(wanted.intent)) {
            // Better than a wallet can say it: it will never be sent.
            (Known::RuledOut, ..) => CancelAnswer::Cancelled { action: CancelAction::Closed },
            (Known::Sent(_), Some(wallet), Some(number)) => wallet.cancel(&number).await,
            (Known::Sent(_) | Known::Unheard | Known::NotYours, ..) => {
                CancelAnswer::Unsure(Doubt { why: self.no_wallet().message })
            }
        };
        said(&answer)
    }

    async fn refund(self) -> Result<Response, Problem> {
        let wanted: Refund = self.signed.json()?;
        let no =
            |words: String| said(&RefundAnswer::Declined(decline("TILL.REFUND", Advice::TellShop, &words)));
        match self.known(wanted.intent).await? {
            Known::Sent(_) => {}
            Known::RuledOut | Known::Unheard | Known::NotYours => {
                return no("No payment of this till with that intent went through head office.".to_owned());
            }
        }
        let Some(wallet) = self.wallet() else { return said(&RefundAnswer::Declined(self.no_wallet())) };
        let (refund, intent, amount) = (wanted.refund, wanted.intent, wanted.amount);
        let new = NewRelayedRefund { refund, intent, amount, now_ms: self.cloud.now_ms() };
        match self.cloud.store.relay_refund(new).await? {
            RefundLeave::Given => {}
            RefundLeave::TooMuch { left } => {
                return no(format!("Only {left} of this payment can still be given back."));
            }
            RefundLeave::Differs => {
                return no("This refund's number stands for another refund: draw a new one.".to_owned());
            }
        }
        let Some(request) = wanted.request() else {
            return Err(Problem::bad_request("The refund's numbers are none that a wallet takes."));
        };
        let answer = wallet.refund(&request).await;
        if let RefundAnswer::Declined(_) = &answer {
            self.cloud.store.refuse_refund(refund).await?;
        }
        said(&answer)
    }

    async fn refund_query(self) -> Result<Response, Problem> {
        let wanted: Refund = self.signed.json()?;
        let answer = match (self.known(wanted.intent).await?, self.wallet(), wanted.request()) {
            (Known::Sent(_), Some(wallet), Some(request)) => wallet.refund_query(&request).await,
            (Known::Sent(_) | Known::RuledOut | Known::Unheard | Known::NotYours, ..) => {
                RefundAnswer::NotFound
            }
        };
        said(&answer)
    }
}

fn said(answer: &impl serde::Serialize) -> Result<Response, Problem> {
    Ok(Json(answer).into_response())
}

fn decline(code: &str, advice: Advice, message: &str) -> Decline {
    Decline { code: code.to_owned(), advice, message: message.to_owned(), left: None }
}

fn gone() -> Doubt {
    Doubt { why: "the call to the wallet was cut short".to_owned() }
}

fn taken() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "intent_taken",
        "This intent belongs to another payment: draw a new one.",
    )
}
