//! Pay codes: which wallet a customer's code belongs to, by its first digits and its length.
//!
//! Sources: Alipay open platform, alipay.trade.pay, `auth_code` and `scene`; WeChat Pay, merchant codepay,
//! `auth_code`; UnionPay QR code specification, consumer-presented mode. Not here: sending it.

use std::fmt;

/// Whose code it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Wallet {
    /// Alipay: 16 to 24 digits from 25 to 30, or a face code.
    Alipay,
    /// WeChat Pay: 18 digits from 10 to 15.
    WeChat,
    /// UnionPay: 19 digits from 62.
    UnionPay,
}

/// How the customer showed it, in Alipay's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scene {
    /// A bar code or QR code on the phone.
    BarCode,
    /// A code from a face terminal.
    SecurityCode,
}

/// A wallet's pay code: single use, about a minute, worth money. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PayCode {
    wallet: Wallet,
    scene: Scene,
    code: String,
}

impl Wallet {
    /// A stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::WeChat => "wechat",
            Self::UnionPay => "unionpay",
        }
    }
}

impl PayCode {
    /// Reads a pay code; `None` when no wallet's rule fits.
    pub fn read(text: &str) -> Option<Self> {
        let (wallet, scene) = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            (wallet_of(text)?, Scene::BarCode)
        } else if is_face_code(text) {
            (Wallet::Alipay, Scene::SecurityCode)
        } else {
            return None;
        };
        Some(Self { wallet, scene, code: text.to_owned() })
    }

    /// Whose it is.
    pub fn wallet(&self) -> Wallet {
        self.wallet
    }

    /// How it was shown.
    pub fn scene(&self) -> Scene {
        self.scene
    }

    /// The code itself: for the wallet and for a keyed hash, for nothing else.
    pub fn expose(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayCode({:?}, {} characters)", self.wallet, self.code.len())
    }
}

fn wallet_of(digits: &str) -> Option<Wallet> {
    let prefix: u8 = digits.get(..2)?.parse().ok()?;
    match (prefix, digits.len()) {
        (25..=30, 16..=24) => Some(Wallet::Alipay),
        (10..=15, 18) => Some(Wallet::WeChat),
        (62, 19) => Some(Wallet::UnionPay),
        _ => None,
    }
}

/// `fp` and letters and digits, 35 characters in all as documented. One more is let through: the wallet has the
/// last word on its own codes, and a refusal here would only cost the customer a second look into the camera.
fn is_face_code(text: &str) -> bool {
    text.starts_with("fp") && matches!(text.len(), 35 | 36) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
