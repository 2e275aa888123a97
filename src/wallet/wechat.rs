//! WeChat Pay, APIv3: pay by code, by scanning, on the customer's own phone; query, reverse, close, refund.
//!
//! Requests are signed and sent once; answers count only when their signature is right. Source: WeChat Pay APIv3
//! for direct merchants (pay.weixin.qq.com/doc/v3/merchant).
//!
//! [`Wallet::cancel`] is the wallet's *reverse*: it ends an order that a pay code began, and what was paid goes
//! back. The wallet asks to wait at least fifteen seconds after the payment before it is called, and allows it for
//! seven days; the caller keeps to that, nothing here waits. An order that was to be scanned is ended with
//! [`Wallet::close`].
//!
//! Not here: service providers with sub-merchants, bills, sealed personal data, downloading platform
//! certificates, retries.

mod approval;
mod codes;
mod notification;
pub mod openid;
mod outcome;
mod phone;
mod request;
mod response;
mod signature;

pub use notification::{
    About, Account, ApiV3Key, ApiV3KeyError, NOTIFICATION_LIMIT_BYTES, Notification,
    Reply as NotificationReply,
};
pub use signature::{PlatformKeyError, PlatformKeys, Untrusted};

use crate::money::{Currency, Money};
use crate::wallet::http::{self, CallError, Carrier, HttpError, Timeouts};
use crate::wallet::signing::SigningKey;
use crate::wallet::{
    Advice, Answer, CancelAnswer, Decline, Doubt, OrderNumber, PayRequest, PhoneBrowser, PrecreateAnswer,
    PrecreateRequest, RefundAnswer, RefundRequest, Reply, Scene, Wallet,
};
use codes::Method;
use outcome::Asked;
use request::Request;
use response::Spoken;
use signature::Unsigned;
use std::fmt;
use std::sync::Arc;

/// The production gateway.
pub const GATEWAY: &str = "https://api.mch.weixin.qq.com";

/// Amounts are whole fen in a 32-bit integer (codepay, `amount.total`).
const MOST_FEN: i64 = i32::MAX as i64;

/// The longest order number (codepay, `out_trade_no`: 6 to 32 characters).
const ORDER_CHARACTERS: std::ops::RangeInclusive<usize> = 6..=32;

/// The longest piece of a stranger's text that goes into a log.
const QUOTED_CHARACTERS: usize = 120;

/// The wall clock: Unix milliseconds, for time stamps.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Thirty-two random bytes, for nonces.
pub type Chance = Arc<dyn Fn() -> [u8; 32] + Send + Sync>;

/// What it takes to call WeChat Pay.
pub struct Config {
    /// [`GATEWAY`], its spare `https://api2.mch.weixin.qq.com`, or a simulator.
    pub gateway: String,
    /// The app that the merchant account is bound to.
    pub app_id: String,
    /// The merchant's number.
    pub merchant_id: String,
    /// The serial number of the merchant's API certificate, hexadecimal.
    pub merchant_serial: String,
    /// The private key of the merchant's API certificate.
    pub merchant_key: SigningKey,
    /// The keys with which WeChat Pay signs.
    pub platform_keys: PlatformKeys,
    /// Where WeChat Pay reports payments; orders that are scanned cannot be opened without.
    pub notify_url: Option<String>,
    /// The till's address in its own network, for the wallet's records.
    pub device_ip: String,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// The wall clock.
    pub now: Now,
    /// Chance.
    pub chance: Chance,
}

/// Why WeChat Pay cannot be called with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No app.
    #[error(
        "the WeChat app id is missing or has other characters than letters and digits: copy it from the console"
    )]
    AppId,
    /// No merchant.
    #[error("the WeChat merchant id is missing or not a number: copy it from the merchant platform")]
    MerchantId,
    /// No certificate.
    #[error(
        "the serial number of the merchant's API certificate is missing or not hexadecimal: the merchant platform \
         shows it under API security"
    )]
    MerchantSerial,
    /// Nothing to verify answers with.
    #[error(
        "there is no key of WeChat Pay's to verify answers with: download its public key, or its platform \
         certificate, from the merchant platform"
    )]
    NoPlatformKey,
    /// The most frequent mistake of all.
    #[error(
        "the key given as WeChat Pay's is the merchant's own: download WeChat Pay's from the merchant platform"
    )]
    OwnKey,
    /// Not an address in a network.
    #[error("the device's address {0:?} is not an IP address: write the till's own, such as 192.0.2.10")]
    DeviceIp(String),
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

/// A merchant's account at WeChat Pay.
pub struct WeChat {
    gateway: reqwest::Url,
    app_id: String,
    merchant_id: String,
    merchant_serial: String,
    merchant_key: SigningKey,
    platform_keys: PlatformKeys,
    notify_url: Option<String>,
    device_ip: String,
    client: reqwest::Client,
    carrier: Arc<dyn Carrier>,
    now: Now,
    chance: Chance,
}

impl fmt::Debug for WeChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeChat({} at {})", self.merchant_id, self.gateway)
    }
}

/// Why there is no signed answer.
#[derive(PartialEq, Eq, Debug)]
enum Trouble {
    NotSent(String),
    Unsure(Doubt),
}

impl WeChat {
    /// Checks a configuration. Nothing is called.
    ///
    /// # Errors
    /// [`ConfigError`], which says what to do.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let gateway = http::endpoint(&config.gateway)?;
        let all =
            |text: &str, allowed: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(allowed);
        if !all(&config.app_id, u8::is_ascii_alphanumeric) {
            return Err(ConfigError::AppId);
        }
        if !all(&config.merchant_id, u8::is_ascii_digit) {
            return Err(ConfigError::MerchantId);
        }
        if !all(&config.merchant_serial, u8::is_ascii_hexdigit) {
            return Err(ConfigError::MerchantSerial);
        }
        if config.platform_keys.is_empty() {
            return Err(ConfigError::NoPlatformKey);
        }
        if config.platform_keys.contain(&config.merchant_key.verifying_key()) {
            return Err(ConfigError::OwnKey);
        }
        if config.device_ip.parse::<std::net::IpAddr>().is_err() {
            return Err(ConfigError::DeviceIp(config.device_ip));
        }
        let client = http::client(config.timeouts)?;
        Ok(Self {
            gateway,
            app_id: config.app_id,
            merchant_id: config.merchant_id,
            merchant_serial: config.merchant_serial.to_ascii_uppercase(),
            merchant_key: config.merchant_key,
            platform_keys: config.platform_keys,
            notify_url: config.notify_url,
            device_ip: config.device_ip,
            carrier: Arc::new(client.clone()),
            client,
            now: config.now,
            chance: config.chance,
        })
    }

    /// The same account, whose requests go another way than over the network.
    #[must_use]
    pub fn carried_by(mut self, carrier: Arc<dyn Carrier>) -> Self {
        self.carrier = carrier;
        self
    }

    /// The same account, whose payments WeChat Pay reports to this address.
    #[must_use]
    pub fn notifying(mut self, url: String) -> Self {
        self.notify_url = Some(url);
        self
    }

    /// The keys with which WeChat Pay signs.
    pub fn platform_keys(&self) -> &PlatformKeys {
        &self.platform_keys
    }

    /// Whose notifications are this account's.
    pub fn account(&self) -> Account {
        Account { merchant_id: self.merchant_id.clone(), app_id: self.app_id.clone() }
    }

    /// Calls once.
    async fn call(&self, request: Result<Request, String>) -> Result<Spoken, Trouble> {
        let request = request.and_then(|request| self.signed(request)).map_err(Trouble::NotSent)?;
        let unsure = |why: String| Trouble::Unsure(Doubt { why });
        let received = match self.carrier.carry(request, http::ANSWER_LIMIT_BYTES).await {
            Ok(received) => received,
            Err(CallError::NotSent(why)) => return Err(Trouble::NotSent(why)),
            Err(CallError::Unknown(why)) => return Err(unsure(why)),
        };
        let status = received.status;
        response::open(&received, &self.platform_keys, (self.now)())
            .map_err(|error| unsure(format!("an answer with HTTP status {status} does not count: {error}")))
    }

    fn signed(&self, request: Request) -> Result<reqwest::Request, String> {
        let address = format!("{}{}", self.gateway.as_str().trim_end_matches('/'), request.path);
        let url = reqwest::Url::parse(&address).map_err(|error| error.to_string())?;
        // What is signed is what goes out after the host, a folder of the gateway's own included.
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let nonce = request::nonce((self.chance)());
        let timestamp_s = (self.now)().div_euclid(1000);
        let unsigned =
            Unsigned { method: request.method, path: &path, body: &request.body, timestamp_s, nonce: &nonce };
        let authorization = unsigned
            .authorization(&self.merchant_id, &self.merchant_serial, &self.merchant_key)
            .map_err(|error| error.to_string())?;
        let builder = if request.body.is_empty() { self.client.get(url) } else { self.client.post(url) };
        let mut builder = builder
            .header("authorization", authorization)
            .header("accept", "application/json")
            .header("content-type", "application/json");
        if let Some(id) = self.platform_keys.public_key_id() {
            builder = builder.header("wechatpay-serial", id);
        }
        let builder = if request.body.is_empty() { builder } else { builder.body(request.body) };
        builder.build().map_err(|error| error.without_url().to_string())
    }

    fn asked<'a>(&'a self, order: &'a OrderNumber) -> Asked<'a> {
        Asked { merchant_id: &self.merchant_id, order }
    }

    /// What an order as a whole asked for, which the wallet wants to hear with each refund of it. Without it the
    /// refund does not leave.
    async fn total_fen(&self, order: &OrderNumber) -> Result<i64, RefundAnswer> {
        match self.call(Ok(request::query(self, order))).await {
            Ok(spoken) => outcome::total(&spoken, self.asked(order)),
            Err(Trouble::NotSent(why)) => Err(RefundAnswer::NotSent { why }),
            Err(Trouble::Unsure(doubt)) => Err(RefundAnswer::NotSent { why: doubt.why }),
        }
    }
}

/// What WeChat Pay cannot take is refused here, before anything is sent.
fn refused(order: &OrderNumber, amount: Money) -> Option<Decline> {
    let refusal = |code: &str, message: String| {
        Some(Decline { code: code.to_owned(), advice: Advice::TellShop, message, left: None })
    };
    if !ORDER_CHARACTERS.contains(&order.as_str().len()) {
        return refusal("TILL.NUMBER", "WeChat Pay takes order numbers of 6 to 32 characters".to_owned());
    }
    if amount.currency != Currency::CNY {
        let words = format!("WeChat Pay takes CNY here, not {}: use another tender", amount.currency.code());
        return refusal("TILL.CURRENCY", words);
    }
    if !(1..=MOST_FEN).contains(&amount.minor) {
        let words = format!("WeChat Pay takes 0.01 to 21474836.47 yuan, not {}", amount.decimal());
        return refusal("TILL.AMOUNT", words);
    }
    None
}

fn no_screen_code() -> Decline {
    Decline {
        code: "TILL.SCENE".to_owned(),
        advice: Advice::NewCode,
        message: "WeChat Pay takes codes from the phone's screen only: ask for the pay code".to_owned(),
        left: None,
    }
}

/// A stranger's text, fit for one line of a log.
fn clipped(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(QUOTED_CHARACTERS).collect()
}

impl Wallet for WeChat {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        Box::pin(async move {
            if let Some(decline) = refused(&request.order, request.amount) {
                return Answer::Declined(decline);
            }
            match request.scene {
                Scene::BarCode => {}
                Scene::WaveCode | Scene::SecurityCode => return Answer::Declined(no_screen_code()),
            }
            match self.call(request::codepay(self, request)).await {
                Ok(spoken) => outcome::pay(&spoken, self.asked(&request.order), request.amount),
                Err(Trouble::NotSent(why)) => Answer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => Answer::Unsure(doubt),
            }
        })
    }

    fn precreate<'a>(&'a self, request: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        self.open(request, None)
    }

    fn open_on_phone<'a>(
        &'a self,
        request: &'a PrecreateRequest,
        browser: &'a PhoneBrowser,
    ) -> Reply<'a, PrecreateAnswer> {
        self.open(request, Some(browser))
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, total: Money) -> Reply<'a, Answer> {
        Box::pin(async move {
            match self.call(Ok(request::query(self, order))).await {
                Ok(spoken) => outcome::query(&spoken, self.asked(order), total),
                Err(Trouble::NotSent(why)) => Answer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => Answer::Unsure(doubt),
            }
        })
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(async move {
            match self.call(request::reverse(self, order)).await {
                Ok(spoken) => outcome::reverse(&spoken, self.asked(order)),
                Err(Trouble::NotSent(why)) => CancelAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => CancelAnswer::Unsure(doubt),
            }
        })
    }

    fn close<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        Box::pin(async move {
            match self.call(request::close(self, order)).await {
                Ok(spoken) => outcome::close(&spoken),
                Err(Trouble::NotSent(why)) => CancelAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => CancelAnswer::Unsure(doubt),
            }
        })
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(async move {
            if let Some(decline) = refused(&request.order, request.amount) {
                return RefundAnswer::Declined(decline);
            }
            let total_fen = match self.total_fen(&request.order).await {
                Ok(total_fen) => total_fen,
                Err(answer) => return answer,
            };
            match self.call(request::refund(request, total_fen)).await {
                Ok(spoken) => outcome::refund(&spoken, Method::Refund, request),
                Err(Trouble::NotSent(why)) => RefundAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => RefundAnswer::Unsure(doubt),
            }
        })
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        Box::pin(async move {
            match self.call(Ok(request::refund_query(request))).await {
                Ok(spoken) => outcome::refund(&spoken, Method::RefundQuery, request),
                Err(Trouble::NotSent(why)) => RefundAnswer::NotSent { why },
                Err(Trouble::Unsure(doubt)) => RefundAnswer::Unsure(doubt),
            }
        })
    }
}

#[cfg(test)]
mod tests;
