//! WeChat Pay's notifications: a signed envelope with a sealed resource.
//!
//! Pure: whoever serves HTTP hands in headers, bytes and the time, and sends [`Reply`] back. A notification comes
//! again until it is taken, fifteen times within a day and in any order, so its id is remembered where it is
//! acted upon. Source: WeChat Pay APIv3, "payment notification", "refund notification", "decrypting resources"
//! (AEAD_AES_256_GCM with the APIv3 key, a nonce of 12 bytes, the tag at the end).
//!
//! Not here: serving HTTP; asking the wallet, which stays the first source of what happened.

use super::outcome::{self, Asked};
use super::response::Fields;
use super::signature::{PlatformKeys, Signature, Untrusted};
use crate::money::Money;
use crate::wallet::{Answer, Doubt, OrderNumber, RefundAnswer, RefundNumber, RefundRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Deserialize;
use std::fmt;

/// The most that is read of a notification.
pub const NOTIFICATION_LIMIT_BYTES: usize = 64 * 1024;

/// The key that seals resources: 32 letters and digits that the merchant chose on the platform.
#[derive(Clone)]
pub struct ApiV3Key(LessSafeKey);

/// Not an APIv3 key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an APIv3 key has exactly 32 letters and digits: the merchant platform sets it under API security")]
pub struct ApiV3KeyError;

impl ApiV3Key {
    /// Takes the key as the merchant typed it; white space around it is not part of it.
    ///
    /// # Errors
    /// [`ApiV3KeyError`].
    pub fn read(text: &str) -> Result<Self, ApiV3KeyError> {
        let bytes = text.trim().as_bytes();
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(ApiV3KeyError);
        }
        UnboundKey::new(&AES_256_GCM, bytes).map(|key| Self(LessSafeKey::new(key))).map_err(|_| ApiV3KeyError)
    }

    fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, Untrusted> {
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return Err(Untrusted::Unreadable(format!(
                "unknown algorithm {}",
                super::clipped(&sealed.algorithm)
            )));
        }
        let nonce: [u8; NONCE_LEN] = sealed.nonce.as_bytes().try_into().map_err(|_| Untrusted::Sealed)?;
        let mut bytes = STANDARD.decode(&sealed.ciphertext).map_err(|_| Untrusted::Sealed)?;
        let data = Aad::from(sealed.associated_data.as_deref().unwrap_or("").as_bytes());
        let plain = self.0.open_in_place(Nonce::assume_unique_for_key(nonce), data, &mut bytes);
        plain.map(|plain| plain.to_vec()).map_err(|_| Untrusted::Sealed)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(..)")
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    ciphertext: String,
    associated_data: Option<String>,
    nonce: String,
}

/// Whose notifications are ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The merchant's number.
    pub merchant_id: String,
    /// The app that orders were opened for. Refunds do not name it.
    pub app_id: String,
}

/// What a notification is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// A payment's end.
    Payment(OrderNumber),
    /// A refund's end.
    Refund(OrderNumber, RefundNumber),
    /// Something that was never asked for; it is taken and passed over.
    Other(String),
}

/// A notification whose signature was right and whose resource opened.
#[derive(Debug)]
pub struct Notification {
    id: String,
    about: About,
    fields: Fields,
}

impl Notification {
    /// Verifies the signature over the literal body, opens the resource and says what it is about. `header` finds
    /// a header by its name in lower case and nothing when it is missing or comes twice.
    ///
    /// # Errors
    /// [`Untrusted`]: answer with [`Reply::refused`], and change nothing.
    pub fn open<'a>(
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
        keys: &PlatformKeys,
        seal: &ApiV3Key,
        now_ms: i64,
    ) -> Result<Self, Untrusted> {
        if body.len() > NOTIFICATION_LIMIT_BYTES {
            return Err(Untrusted::Unreadable(format!("more than {NOTIFICATION_LIMIT_BYTES} bytes")));
        }
        Signature::of(header)?.verify(body, keys, now_ms)?;
        let unreadable = |error: serde_json::Error| Untrusted::Unreadable(error.to_string());
        let envelope: Envelope = serde_json::from_slice(body).map_err(unreadable)?;
        let plain = seal.open(&envelope.resource)?;
        let fields: Fields = serde_json::from_slice(&plain).map_err(unreadable)?;
        let about = about(&envelope.event_type, &fields)?;
        Ok(Self { id: envelope.id, about, fields })
    }

    /// The same for every repetition: what was acted upon once is not acted upon again.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is about; nobody has checked yet that it is ours.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What it says of a payment for which `total` was asked. Of another merchant, app, order or amount it says
    /// nothing.
    pub fn payment(&self, account: &Account, order: &OrderNumber, total: Money) -> Answer {
        if self.fields.appid.as_deref() != Some(account.app_id.as_str()) {
            return Answer::Unsure(Doubt { why: "the notification is for another app".to_owned() });
        }
        let asked = Asked { merchant_id: &account.merchant_id, order };
        match self.about {
            About::Payment(_) => outcome::about_order(&self.fields, asked, total),
            About::Refund(..) | About::Other(_) => {
                Answer::Unsure(Doubt { why: "the notification is not about a payment".to_owned() })
            }
        }
    }

    /// What it says of a refund.
    pub fn refund(&self, account: &Account, request: &RefundRequest) -> RefundAnswer {
        let doubt = |why: &str| RefundAnswer::Unsure(Doubt { why: why.to_owned() });
        if self.fields.mchid.as_deref() != Some(account.merchant_id.as_str()) {
            return doubt("the notification is for another merchant");
        }
        match self.about {
            About::Refund(..) => outcome::about_refund(&self.fields, request),
            About::Payment(_) | About::Other(_) => doubt("the notification is not about a refund"),
        }
    }
}

fn about(event_type: &str, fields: &Fields) -> Result<About, Untrusted> {
    let nameless = || Untrusted::Unreadable("it names no order, or not by one of our numbers".to_owned());
    let order = || {
        let number = fields.out_trade_no.as_deref().ok_or_else(nameless)?;
        OrderNumber::parse(number).map_err(|_| nameless())
    };
    match event_type {
        "TRANSACTION.SUCCESS" => Ok(About::Payment(order()?)),
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
            let number = fields.out_refund_no.as_deref().ok_or_else(nameless)?;
            Ok(About::Refund(order()?, RefundNumber::parse(number).map_err(|_| nameless())?))
        }
        other => Ok(About::Other(super::clipped(other))),
    }
}

/// What the wallet is answered, within five seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// JSON, or nothing.
    pub body: String,
}

impl Reply {
    /// It is taken, also when it was taken before: the wallet stops sending it.
    pub fn taken() -> Self {
        Self { status: 204, body: String::new() }
    }

    /// It is not believed. The wallet also sends wrong signatures on purpose and wants to see them refused.
    pub fn refused(why: &Untrusted) -> Self {
        Self::fail(401, &why.to_string())
    }

    /// It could not be kept: the wallet sends it again.
    pub fn later() -> Self {
        Self::fail(503, "try again")
    }

    fn fail(status: u16, message: &str) -> Self {
        Self { status, body: serde_json::json!({ "code": "FAIL", "message": message }).to_string() }
    }
}

#[cfg(test)]
mod tests;
