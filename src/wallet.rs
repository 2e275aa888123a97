//! What a till and the cloud may ask of a wallet; every way in which it can answer is in `answer`.
//!
//! One [`Wallet`] is one merchant account at one provider. Its methods call once and report; the answer
//! keeps apart what is known, what provably never left ([`Answer::NotSent`]) and what may have happened
//! ([`Answer::Unsure`]).
//!
//! **Invariant:** no method calls twice. A pay code is sent once; what is unsure is asked for with
//! [`Wallet::query`], never sent again.
//!
//! Not here: journaling, back-off, deadlines, deciding to cancel or to refund. Those belong to whoever owes
//! the call.

pub mod alipay;
mod answer;
pub mod certificate;
pub mod http;
pub mod relay;
pub mod signing;
pub mod wechat;

pub use answer::{
    Advice, Answer, Approval, CancelAction, CancelAnswer, Decline, Doubt, Fund, Funder, PrecreateAnswer,
    RefundAnswer, Voucher,
};

use crate::money::Money;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a wallet's method returns: boxed, so that wallets can be kept as `Arc<dyn Wallet>`.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A merchant's account at one provider.
pub trait Wallet: Send + Sync {
    /// Takes money with the code that the customer's phone shows.
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer>;

    /// Opens an order that the customer pays by scanning; the answer has the text of its QR code.
    fn precreate<'a>(&'a self, request: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer>;

    /// Opens an order on the very phone that asked for it; the answer has what that phone opens: an address, or, in
    /// the wallet's own browser, what the wallet's script there takes. A wallet whose code is an address that any
    /// phone can follow needs nothing of its own here.
    fn open_on_phone<'a>(
        &'a self,
        request: &'a PrecreateRequest,
        browser: &'a PhoneBrowser,
    ) -> Reply<'a, PrecreateAnswer> {
        let _ = browser;
        self.precreate(request)
    }

    /// Asks what became of an order; `total` is what was asked for when it was sent.
    fn query<'a>(&'a self, order: &'a OrderNumber, total: Money) -> Reply<'a, Answer>;

    /// Ends an order whose result is unknown: closes it, or gives back what was taken.
    ///
    /// A wallet also says yes to a number it has never seen, so this does not prove that a payment in
    /// flight cannot land later.
    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer>;

    /// Ends an order that was to be scanned and that nobody has paid. One that was paid stands, and the answer
    /// says so. A wallet without a call of its own for this cancels.
    fn close<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        self.cancel(order)
    }

    /// Gives back a part or all of a paid order. The same refund number again gives nothing twice. A wallet that
    /// wants to hear the order's total with it is asked for that first.
    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer>;

    /// Asks what became of a refund.
    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer>;
}

/// What cannot be asked of any wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRequest {
    /// Wallets take letters, digits and underscores.
    #[error("an order or refund number has 1 to 64 letters, digits or underscores")]
    Number,
    /// No wallet shows such a code.
    #[error("this is not a pay code: scan the code that the customer's wallet shows")]
    PayCode,
}

/// The longest number and the longest pay code that Alipay takes (alipay.trade.pay, request parameters).
const LONGEST_CHARACTERS: usize = 64;

fn number(text: &str) -> Result<String, InvalidRequest> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=LONGEST_CHARACTERS).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(InvalidRequest::Number)
    }
}

/// An intent's number at the wallet (`out_trade_no`). It is never used for a second attempt.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// Takes 1 to 64 letters, digits or underscores.
    ///
    /// # Errors
    /// [`InvalidRequest::Number`].
    pub fn parse(text: &str) -> Result<Self, InvalidRequest> {
        number(text).map(Self)
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A refund's number at the wallet (`out_request_no`), kept for every attempt at the same refund.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RefundNumber(String);

impl RefundNumber {
    /// Takes 1 to 64 letters, digits or underscores.
    ///
    /// # Errors
    /// [`InvalidRequest::Number`].
    pub fn parse(text: &str) -> Result<Self, InvalidRequest> {
        number(text).map(Self)
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the customer's phone showed: good for one payment within about a minute, so it is money.
///
/// It is kept in memory only, never printed, not copied, and overwritten when dropped. What a call has
/// written into its request buffer is gone with the call.
pub struct PayCode(String);

impl PayCode {
    /// Takes 1 to 64 printable ASCII characters; which wallet a code belongs to is read elsewhere.
    ///
    /// # Errors
    /// [`InvalidRequest::PayCode`]; the text is overwritten then, too.
    pub fn new(text: String) -> Result<Self, InvalidRequest> {
        let code = Self(text);
        let plausible = (1..=LONGEST_CHARACTERS).contains(&code.0.len())
            && code.0.bytes().all(|byte| byte.is_ascii_graphic());
        if plausible { Ok(code) } else { Err(InvalidRequest::PayCode) }
    }

    /// The code itself, for the one request it is made for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for PayCode {
    fn drop(&mut self) {
        scrub(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

impl fmt::Debug for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayCode(..)")
    }
}

/// Overwrites a secret. The compiler must not leave it out because nobody reads it afterwards.
pub(crate) fn scrub(secret: &mut [u8]) {
    secret.fill(0);
    std::hint::black_box(secret);
}

/// How a pay code came from the phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scene {
    /// A bar code or QR code on the phone's screen.
    BarCode,
    /// A sound, heard by the wallet's own receiver.
    WaveCode,
    /// A face, seen by the wallet's own camera.
    SecurityCode,
}

/// One attempt to take money with a pay code.
#[derive(Debug)]
pub struct PayRequest {
    /// The intent, as the wallet knows it.
    pub order: OrderNumber,
    /// What the customer owes.
    pub amount: Money,
    /// What the customer reads in the wallet's list.
    pub subject: String,
    /// What the phone showed.
    pub pay_code: PayCode,
    /// How it was shown.
    pub scene: Scene,
    /// The till.
    pub terminal: String,
    /// The shop, where the merchant has numbered them at the wallet.
    pub store: Option<String>,
    /// After so many seconds the wallet closes the unpaid order; wallets count in whole minutes, rounded up.
    pub expires_in_s: u32,
}

/// An order that the customer pays by scanning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrecreateRequest {
    /// The intent, as the wallet knows it.
    pub order: OrderNumber,
    /// What the customer owes.
    pub amount: Money,
    /// What the customer reads in the wallet's list.
    pub subject: String,
    /// The till.
    pub terminal: String,
    /// The shop, where the merchant has numbered them at the wallet.
    pub store: Option<String>,
    /// After so many seconds the wallet closes the unpaid order; wallets count in whole minutes, rounded up.
    pub expires_in_s: u32,
}

/// Where a customer's phone has the bill open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneBrowser {
    /// The wallet's own, for somebody whom the wallet knows there by this name (WeChat's `openid`).
    Wallet {
        /// The name; none where the wallet does not ask for one.
        payer: Option<String>,
    },
    /// Any other, at this address in the network.
    Other {
        /// The phone's address.
        ip: std::net::IpAddr,
    },
}

impl fmt::Debug for PhoneBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wallet { .. } => "PhoneBrowser::Wallet(..)",
            Self::Other { .. } => "PhoneBrowser::Other(..)",
        })
    }
}

/// Money to give back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundRequest {
    /// The paid order.
    pub order: OrderNumber,
    /// This refund of it; durable before it is sent.
    pub refund: RefundNumber,
    /// How much of what was asked for, discounts included.
    pub amount: Money,
    /// What the customer reads.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_wallets_take() {
        assert!(OrderNumber::parse("POS01_20240102_000001").is_ok());
        assert!(RefundNumber::parse(&"9".repeat(64)).is_ok());
        for bad in ["", "a-b", "a b", "单号", &"9".repeat(65)] {
            assert_eq!(OrderNumber::parse(bad).unwrap_err(), InvalidRequest::Number, "{bad}");
            assert_eq!(RefundNumber::parse(bad).unwrap_err(), InvalidRequest::Number, "{bad}");
        }
    }

    #[test]
    fn a_pay_code_is_not_shown() {
        let code = PayCode::new("286802123456789012".to_owned()).unwrap();
        assert_eq!(code.expose(), "286802123456789012");
        assert!(!format!("{code:?}").contains("2868"));
        for bad in [String::new(), "2868 0212".to_owned(), "2".repeat(65), "２８".to_owned()] {
            assert_eq!(PayCode::new(bad).unwrap_err(), InvalidRequest::PayCode);
        }
    }

    #[test]
    fn scrubbing_leaves_nothing() {
        let mut secret = b"286802123456789012".to_vec();
        scrub(&mut secret);
        assert!(secret.iter().all(|byte| *byte == 0));
    }
}
