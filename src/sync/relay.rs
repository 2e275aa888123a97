//! A wallet whose keys the cloud holds: each call is one signed request to the cloud, which makes the call.
//!
//! **Invariant:** as with any wallet, no method calls twice, and what is not known to have been refused or
//! never sent is unsure. Not here: when to ask again (`provider`), and the wallet itself.

use super::http::{Cloud, Failure, carrier};
use super::{Config, ConfigError, Doors, Way};
use crate::money::Money;
use crate::record::money_moves::ProviderName;
use crate::wallet::relay::{About, Pay, Precreate, Refund};
use crate::wallet::{
    Advice, Answer, CancelAnswer, Decline, Doubt, OrderNumber, PayRequest, PrecreateAnswer, PrecreateRequest,
    RefundAnswer, RefundRequest, Reply, Wallet,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// One wallet, reached through the cloud.
struct ThroughCloud {
    cloud: Arc<Cloud>,
    base: String,
}

/// A wallet and its name.
pub type Named = (ProviderName, Arc<dyn Wallet>);

/// Every wallet that a cloud may hold. Which of them it does hold shows in its answers.
///
/// # Errors
/// [`ConfigError`] when there is no such address to call.
pub fn through_cloud(config: &Config, doors: &Doors, way: &Way) -> Result<Vec<Named>, ConfigError> {
    let cloud = Arc::new(Cloud::by(carrier(config)?, config, doors, Arc::clone(&way.0))?);
    let all =
        [(ProviderName::Alipay, "alipay"), (ProviderName::Wechat, "wechat"), (ProviderName::House, "house")];
    let wallet = |(name, word)| {
        let base = format!("/v1/terminals/{}/wallets/{word}", config.terminal);
        (name, Arc::new(ThroughCloud { cloud: Arc::clone(&cloud), base }) as Arc<dyn Wallet>)
    };
    Ok(all.map(wallet).into())
}

/// What came instead of the wallet's answer.
enum Missing {
    NotSent(String),
    Refused(Decline),
    Unsure(Doubt),
}

impl ThroughCloud {
    async fn ask<T: DeserializeOwned>(&self, call: &str, body: Option<impl Serialize>) -> Result<T, Missing> {
        let Some(body) = body else {
            let message = "The payment's number is none that a till draws.".to_owned();
            let code = "TILL.NO_INTENT".to_owned();
            return Err(Missing::Refused(Decline { code, advice: Advice::TellShop, message, left: None }));
        };
        let answer = self.cloud.post(&format!("{}/{call}", self.base), &body).await;
        answer.map_err(|failure| match failure {
            Failure::NotSent(why) => Missing::NotSent(why),
            // The cloud refuses before it does anything.
            Failure::Refused(problem) => Missing::Refused(Decline {
                code: format!("TILL.CLOUD.{}", problem.slug),
                advice: Advice::TellShop,
                message: problem.words,
                left: None,
            }),
            failure @ (Failure::Unreachable(_) | Failure::Later { .. } | Failure::Strange(_)) => {
                Missing::Unsure(Doubt { why: failure.to_string() })
            }
        })
    }

    /// What a refusal of a question means: it says nothing about the payment.
    fn unanswered(missing: Missing) -> Answer {
        match missing {
            Missing::NotSent(why) => Answer::NotSent { why },
            Missing::Refused(decline) => Answer::Unsure(Doubt { why: decline.message }),
            Missing::Unsure(doubt) => Answer::Unsure(doubt),
        }
    }
}

impl Wallet for ThroughCloud {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        Box::pin(async move {
            match self.ask("pay", Pay::of(request)).await {
                Ok(answer) => answer,
                Err(Missing::Refused(decline)) => Answer::Declined(decline),
                Err(missing) => Self::unanswered(missing),
            }
        })
    }

    fn precreate<'a>(&'a self, request: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        Box::pin(async move {
            match self.ask("precreate", Precreate::of(request)).await {
                Ok(answer) => answer,
                Err(Missing::Refused(decline)) => PrecreateAnswer::Declined(decline),
                Err(Missing::NotSent(why)) => PrecreateAnswer::NotSent { why },
                Err(Missing::Unsure(doubt)) => PrecreateAnswer::Unsure(doubt),
            }
        })
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, total: Money) -> Reply<'a, Answer> {
        Box::pin(async move {
            self.ask("query", about(order, Some(total))).await.unwrap_or_else(Self::unanswered)
        })
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(async move {
            match self.ask("cancel", about(order, None)).await {
                Ok(answer) => answer,
                Err(Missing::NotSent(why)) => CancelAnswer::NotSent { why },
                Err(Missing::Refused(decline)) => CancelAnswer::Unsure(Doubt { why: decline.message }),
                Err(Missing::Unsure(doubt)) => CancelAnswer::Unsure(doubt),
            }
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(self.back("refund", request))
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(self.back("refund_query", request))
    }
}

impl ThroughCloud {
    /// A cloud that refuses to listen has given nothing back, and may yet: it is asked again.
    async fn back(&self, call: &str, request: &RefundRequest) -> RefundAnswer {
        match self.ask(call, Refund::of(request)).await {
            Ok(answer) => answer,
            Err(Missing::NotSent(why)) => RefundAnswer::NotSent { why },
            Err(Missing::Refused(decline)) => RefundAnswer::Unsure(Doubt { why: decline.message }),
            Err(Missing::Unsure(doubt)) => RefundAnswer::Unsure(doubt),
        }
    }
}

fn about(order: &OrderNumber, amount: Option<Money>) -> Option<About> {
    Some(About { intent: order.as_str().parse().ok()?, amount })
}
