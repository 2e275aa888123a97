//! Notifications of wallets: verified, held against what was asked, and taken as a reason to look again.
//!
//! **Invariant:** a notification alone changes nothing about money. It may be old, so the wallet is asked before a
//! till hears anything; what it says of another app, seller, order or amount is refused. A till hears of a payment
//! once, however often the wallet repeats itself. Answers are the wallets' own: see `wallet`.
//!
//! Not here: verifying (`wallet`), driving a phone's order (`settler`), and what money means to a sale (the till's).

use super::Cloud;
use super::bells::Bell;
use super::store::ledger::RelayedPayment;
use super::store::{NoticeBody, OrderRow, OrderState, StoreError};
use crate::money::Money;
use crate::record::ids::IntentId;
use crate::record::money_moves::ProviderName;
use crate::wallet::wechat::{self, About, NotificationReply};
use crate::wallet::{Answer, OrderNumber, alipay};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Arc;
use std::time::Duration;

/// How long the wallet is asked while its notification waits: WeChat Pay wants its answer within five seconds.
const ASK_WITHIN: Duration = Duration::from_secs(4);

/// Routes of wallets.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v1/notify/alipay", post(alipay))
        .route("/v1/notify/wechat", post(wechat))
        .layer(DefaultBodyLimit::max(alipay::NOTIFICATION_LIMIT_BYTES.max(wechat::NOTIFICATION_LIMIT_BYTES)))
}

/// What becomes of a notification that was verified.
enum Taken {
    Yes,
    /// It is not about what was asked.
    No(String),
    /// It could not be acted upon now: the wallet sends it again.
    Later,
}

async fn alipay(State(cloud): State<Arc<Cloud>>, body: Bytes) -> Response {
    let refused = |status: StatusCode, why: &str| {
        tracing::warn!(why, "a notification of Alipay is not taken");
        (status, alipay::REFUSAL).into_response()
    };
    let Some((trust, account)) = &cloud.accounts.alipay else {
        return refused(StatusCode::NOT_FOUND, "there is no account at Alipay");
    };
    let told = match alipay::Notification::verify(&body, trust) {
        Ok(told) => told,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let says = |total| told.payment(account, told.order(), total);
    match cloud.heard_of(ProviderName::Alipay, told.order(), says).await {
        Taken::Yes => alipay::REPLY.into_response(),
        Taken::No(why) => refused(StatusCode::BAD_REQUEST, &why),
        Taken::Later => refused(StatusCode::SERVICE_UNAVAILABLE, "it cannot be looked into now"),
    }
}

async fn wechat(State(cloud): State<Arc<Cloud>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some((keys, seal, account)) = &cloud.accounts.wechat else {
        return (StatusCode::NOT_FOUND, "no account at WeChat Pay with an APIv3 key\n").into_response();
    };
    let header = |name: &'static str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    let told = match wechat::Notification::open(header, &body, keys, seal, cloud.now_ms()) {
        Ok(told) => told,
        Err(why) => {
            tracing::warn!(%why, "a notification of WeChat Pay is not taken");
            return reply(NotificationReply::refused(&why));
        }
    };
    let order = match told.about() {
        About::Payment(order) => order,
        // Whoever gave back asks for it.
        About::Refund(..) | About::Other(_) => return reply(NotificationReply::taken()),
    };
    let says = |total| told.payment(account, order, total);
    match cloud.heard_of(ProviderName::Wechat, order, says).await {
        Taken::Yes => reply(NotificationReply::taken()),
        Taken::No(why) => {
            tracing::warn!(why, "a notification of WeChat Pay is not taken");
            let told = wechat::Untrusted::Unreadable(why);
            reply(NotificationReply { status: 400, ..NotificationReply::refused(&told) })
        }
        Taken::Later => reply(NotificationReply::later()),
    }
}

fn reply(reply: NotificationReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if reply.body.is_empty() {
        return status.into_response();
    }
    (status, [(header::CONTENT_TYPE, "application/json")], reply.body).into_response()
}

impl Cloud {
    /// A verified notification about `order`, which says something of an order over a total.
    async fn heard_of(
        &self,
        provider: ProviderName,
        order: &OrderNumber,
        says: impl Fn(Money) -> Answer + Send,
    ) -> Taken {
        let Ok(intent) = order.as_str().parse::<IntentId>() else {
            return Taken::No("it is about an order that is not ours".to_owned());
        };
        match self.look_into(provider, intent, order, says).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store does not answer");
                Taken::Later
            }
        }
    }

    async fn look_into(
        &self,
        provider: ProviderName,
        intent: IntentId,
        order: &OrderNumber,
        says: impl Fn(Money) -> Answer + Send,
    ) -> Result<Taken, StoreError> {
        let doubt = |amount| match says(amount) {
            Answer::Unsure(doubt) => Some(Taken::No(doubt.why)),
            Answer::Approved(_)
            | Answer::Pending
            | Answer::Declined(_)
            | Answer::NotFound
            | Answer::Closed
            | Answer::NotSent { .. } => None,
        };
        if let Some(known) = self.store.order(intent).await?.filter(|known| known.provider == provider) {
            return match doubt(known.amount) {
                Some(no) => Ok(no),
                None => self.wake_settler(&known).await.map(|()| Taken::Yes),
            };
        }
        let Some(payment) = self.store.relayed_by(provider, intent).await? else {
            return Ok(Taken::No("it is about an order that nobody here asked for".to_owned()));
        };
        if let Some(no) = doubt(payment.amount) {
            return Ok(no);
        }
        match says(payment.amount) {
            Answer::Approved(_) if !payment.is_told => self.ask_and_tell(provider, order, &payment).await,
            Answer::Approved(_)
            | Answer::Pending
            | Answer::Declined(_)
            | Answer::NotFound
            | Answer::Closed
            | Answer::NotSent { .. }
            | Answer::Unsure(_) => Ok(Taken::Yes),
        }
    }

    /// A phone's order is looked at now, whatever was planned; one that ended unpaid is looked at for late money.
    async fn wake_settler(&self, order: &OrderRow) -> Result<(), StoreError> {
        match order.state {
            OrderState::Starting | OrderState::Started | OrderState::Withdrawn | OrderState::Ended => {
                self.store.put_off(order.intent, order.state, Some(self.now_ms())).await?;
                self.bells.ring(&Bell::Settler);
            }
            // What is being taken back is asked about in its own time: see `settler`.
            OrderState::Withdrawing
            | OrderState::Open
            | OrderState::Claimed
            | OrderState::Paid
            | OrderState::PaidLate
            | OrderState::Refunded => {}
        }
        Ok(())
    }

    /// Asks the wallet about a till's payment, and tells the till when it is paid.
    async fn ask_and_tell(
        &self,
        provider: ProviderName,
        order: &OrderNumber,
        payment: &RelayedPayment,
    ) -> Result<Taken, StoreError> {
        let Some(wallet) = self.accounts.wallets.get(&provider) else { return Ok(Taken::Later) };
        let asked = tokio::time::timeout(ASK_WITHIN, wallet.query(order, payment.amount)).await;
        match asked {
            Ok(Answer::Approved(approval)) if approval.total == payment.amount => {
                let notice = NoticeBody::payment_told(payment.intent, &approval.settled(None));
                if self.store.tell_paid(payment.clone(), notice, self.now_ms()).await? {
                    tracing::info!(intent.id = %payment.intent, "a wallet reports a payment");
                    self.ring_till(&payment.terminal);
                }
                Ok(Taken::Yes)
            }
            // It went back meanwhile: the notification is old.
            Ok(Answer::Closed | Answer::Declined(_)) => Ok(Taken::Yes),
            Ok(
                Answer::Approved(_)
                | Answer::Pending
                | Answer::NotFound
                | Answer::NotSent { .. }
                | Answer::Unsure(_),
            )
            | Err(_) => Ok(Taken::Later),
        }
    }
}
