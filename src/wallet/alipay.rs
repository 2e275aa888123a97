//! Alipay's face-to-face payments: pay by code, pay by scanning, query, cancel, close, refund, notifications.
//!
//! Requests are signed with RSA2 and sent once; answers count only when their signature is right. Source:
//! Alipay open platform, alipay.trade.pay, .precreate, .query, .cancel, .close, .refund, .fastpay.refund.query.
//!
//! Not here: serving notifications (a shop has no public address; asking is the documented primary), bills,
//! content encryption, retries.

mod approval;
mod codes;
mod notification;
mod outcome;
mod request;
mod response;
mod trust;

pub use notification::{
    Account, NOTIFICATION_LIMIT_BYTES, Notification, REFUSAL, REPLY, Untrusted as UntrustedNotification,
};
pub use trust::{Certificates, CertificatesError, NoKey, Trust};

use crate::money::{Currency, Money};
use crate::wallet::http::{self, CallError, Carrier, HttpError, Timeouts};
use crate::wallet::signing::SigningKey;
use crate::wallet::{
    Advice, Answer, CancelAnswer, Decline, Doubt, OrderNumber, PayRequest, PrecreateAnswer, PrecreateRequest,
    RefundAnswer, RefundRequest, Reply, Wallet,
};
use codes::Method;
use response::Fields;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// The production gateway.
pub const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";

/// Amounts go from 0.01 to 100,000,000 yuan (alipay.trade.pay, `total_amount`).
const MOST_FEN: i64 = 10_000_000_000;

/// The wall clock: Unix milliseconds, for the request's time stamp.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What it takes to call Alipay.
pub struct Config {
    /// [`GATEWAY`], or a sandbox or simulator.
    pub gateway: String,
    /// The merchant's application.
    pub app_id: String,
    /// The application's private key.
    pub app_key: SigningKey,
    /// Alipay's public key for this application, or the certificates of both.
    pub alipay_key: Trust,
    /// For those who call for another merchant.
    pub app_auth_token: Option<String>,
    /// Where Alipay reports payments, where somebody listens.
    pub notify_url: Option<String>,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// The wall clock.
    pub now: Now,
}

/// Why Alipay cannot be called with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No application.
    #[error("the Alipay app id is missing or not a number: copy it from the open platform's console")]
    AppId,
    /// The most frequent mistake of all.
    #[error(
        "the Alipay public key is the application's own: copy the key that the console shows as Alipay's \
         after the application's was uploaded"
    )]
    OwnKey,
    /// Two halves of different pairs.
    #[error(
        "the app's certificate is not that of its private key: give the key with which the certificate was asked for"
    )]
    OtherCertificate,
    /// The gateway's address, or the client.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl ConfigError {
    /// Mistakes of configuration do not go away by themselves.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// A merchant's account at Alipay.
pub struct Alipay {
    gateway: reqwest::Url,
    app_id: String,
    app_key: SigningKey,
    alipay_key: Trust,
    app_auth_token: String,
    notify_url: String,
    client: reqwest::Client,
    carrier: Arc<dyn Carrier>,
    now: Now,
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alipay({} at {})", self.app_id, self.gateway)
    }
}

/// Why there are no signed fields.
#[derive(PartialEq, Eq, Debug)]
enum Trouble {
    NotSent(String),
    Unsure(Doubt),
}

impl Alipay {
    /// Checks a configuration. Nothing is called.
    ///
    /// # Errors
    /// [`ConfigError`], which says what to do.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let gateway = http::endpoint(&config.gateway)?;
        if config.app_id.is_empty() || !config.app_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ConfigError::AppId);
        }
        if config.alipay_key.contains(&config.app_key.verifying_key()) {
            return Err(ConfigError::OwnKey);
        }
        match &config.alipay_key {
            Trust::Certificates(certificates) if !certificates.belong_to(&config.app_key) => {
                return Err(ConfigError::OtherCertificate);
            }
            Trust::Certificates(_) | Trust::PublicKey(_) => {}
        }
        let client = http::client(config.timeouts)?;
        Ok(Self {
            gateway,
            app_id: config.app_id,
            app_key: config.app_key,
            alipay_key: config.alipay_key,
            app_auth_token: config.app_auth_token.unwrap_or_default(),
            notify_url: config.notify_url.unwrap_or_default(),
            carrier: Arc::new(client.clone()),
            client,
            now: config.now,
        })
    }

    /// The same account, whose requests go another way than over the network.
    #[must_use]
    pub fn carried_by(mut self, carrier: Arc<dyn Carrier>) -> Self {
        self.carrier = carrier;
        self
    }

    /// The same account, whose payments Alipay reports to this address.
    #[must_use]
    pub fn notifying(mut self, url: String) -> Self {
        self.notify_url = url;
        self
    }

    /// Whose signature counts as Alipay's.
    pub fn trust(&self) -> &Trust {
        &self.alipay_key
    }

    /// The merchant's application.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Calls a method once.
    async fn call(&self, method: Method, content: &impl Serialize) -> Result<Fields, Trouble> {
        let signed = self.signed(method, content).map_err(Trouble::NotSent)?;
        let mut url = self.gateway.clone();
        url.set_query(Some(&signed.query));
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(signed.body)
            .build()
            .map_err(|error| Trouble::NotSent(error.without_url().to_string()))?;
        let unsure = |why: String| Trouble::Unsure(Doubt { why });
        let received = match self.carrier.carry(request, http::ANSWER_LIMIT_BYTES).await {
            Ok(received) => received,
            Err(CallError::NotSent(why)) => return Err(Trouble::NotSent(why)),
            Err(CallError::Unknown(why)) => return Err(unsure(why)),
        };
        // The wallet says even no with 200; anything else comes from something in between.
        if received.status != 200 {
            return Err(unsure(format!("the gateway answered with HTTP status {}", received.status)));
        }
        response::open(&received.body, method, &self.alipay_key).map_err(|error| unsure(error.to_string()))
    }

    fn signed(&self, method: Method, content: &impl Serialize) -> Result<request::Signed, String> {
        let content = serde_json::to_string(content).map_err(|error| error.to_string())?;
        let timestamp = request::timestamp((self.now)()).ok_or("the clock is beyond the calendar")?;
        let (app_number, root_number) = self.alipay_key.numbers();
        let common = request::Parameters::from([
            ("alipay_root_cert_sn", root_number),
            ("app_cert_sn", app_number),
            ("app_id", self.app_id.as_str()),
            ("app_auth_token", &self.app_auth_token),
            ("charset", "utf-8"),
            ("method", method.name()),
            ("notify_url", if takes_notifications(method) { &self.notify_url } else { "" }),
            ("sign_type", "RSA2"),
            ("timestamp", &timestamp),
            ("version", "1.0"),
        ]);
        request::sign(common, &content, &self.app_key).map_err(|error| error.to_string())
    }
}

/// Only methods that open a payment have one to report.
fn takes_notifications(method: Method) -> bool {
    match method {
        Method::Pay | Method::Precreate => true,
        Method::Query | Method::Cancel | Method::Close | Method::Refund | Method::RefundQuery => false,
    }
}

/// An amount that Alipay cannot take is refused here, before anything is sent.
fn refused(amount: Money) -> Option<Decline> {
    let refusal = |code: &str, message: String| {
        Some(Decline { code: code.to_owned(), advice: Advice::TellShop, message, left: None })
    };
    if amount.currency != Currency::CNY {
        return refusal(
            "TILL.CURRENCY",
            format!("Alipay takes CNY here, not {}: use another tender", amount.currency.code()),
        );
    }
    if !(1..=MOST_FEN).contains(&amount.minor) {
        return refusal(
            "TILL.AMOUNT",
            format!("Alipay takes 0.01 to 100000000 yuan, not {}", amount.decimal()),
        );
    }
    None
}

impl Wallet for Alipay {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        Box::pin(async move {
            if let Some(decline) = refused(request.amount) {
                return Answer::Declined(decline);
            }
            match self.call(Method::Pay, &request::Pay::of(request)).await {
                Ok(fields) => outcome::pay(&fields, &request.order, request.amount),
                Err(Trouble::NotSent(why)) => Answer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => Answer::Unsure(doubt),
            }
        })
    }

    fn precreate<'a>(&'a self, request: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        Box::pin(async move {
            if let Some(decline) = refused(request.amount) {
                return PrecreateAnswer::Declined(decline);
            }
            match self.call(Method::Precreate, &request::Precreate::of(request)).await {
                Ok(fields) => outcome::precreate(&fields, &request.order),
                Err(Trouble::NotSent(why)) => PrecreateAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => PrecreateAnswer::Unsure(doubt),
            }
        })
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, total: Money) -> Reply<'a, Answer> {
        Box::pin(async move {
            match self.call(Method::Query, &request::Order::of(order)).await {
                Ok(fields) => outcome::query(&fields, order, total),
                Err(Trouble::NotSent(why)) => Answer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => Answer::Unsure(doubt),
            }
        })
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(async move {
            match self.call(Method::Cancel, &request::Order::of(order)).await {
                Ok(fields) => outcome::cancel(&fields, order),
                Err(Trouble::NotSent(why)) => CancelAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => CancelAnswer::Unsure(doubt),
            }
        })
    }

    fn close<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(async move {
            match self.call(Method::Close, &request::Order::of(order)).await {
                Ok(fields) => outcome::close(&fields, order),
                Err(Trouble::NotSent(why)) => CancelAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => CancelAnswer::Unsure(doubt),
            }
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(async move {
            if let Some(decline) = refused(request.amount) {
                return RefundAnswer::Declined(decline);
            }
            match self.call(Method::Refund, &request::Refund::of(request)).await {
                Ok(fields) => outcome::refund(&fields, request),
                Err(Trouble::NotSent(why)) => RefundAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => RefundAnswer::Unsure(doubt),
            }
        })
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(async move {
            match self.call(Method::RefundQuery, &request::RefundQuery::of(request)).await {
                Ok(fields) => outcome::refund_query(&fields, request),
                Err(Trouble::NotSent(why)) => RefundAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => RefundAnswer::Unsure(doubt),
            }
        })
    }
}

#[cfg(test)]
mod tests;
