//! WeChat Pay answers: from status, headers and bytes to fields that the wallet has signed, or to a reason why
//! nobody knows.
//!
//! **Invariant:** [`Spoken`] exists only after the signature was found right over the literal bytes, whatever the
//! status says; an empty body (204) is signed, too.
//!
//! Not here: what the fields mean for the money.

use super::signature::{PlatformKeys, Signature, Untrusted};
use crate::wallet::http::Received;
use serde::Deserialize;

/// Everything that any of the methods answers. Unknown fields are passed over: the wallet adds some.
#[derive(Deserialize, Default, PartialEq, Debug)]
#[serde(default)]
pub(super) struct Fields {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) appid: Option<String>,
    pub(super) mchid: Option<String>,
    pub(super) out_trade_no: Option<String>,
    pub(super) transaction_id: Option<String>,
    pub(super) trade_state: Option<String>,
    pub(super) trade_state_desc: Option<String>,
    pub(super) bank_type: Option<String>,
    pub(super) success_time: Option<String>,
    pub(super) amount: Amount,
    /// Read entry by entry later: an odd one must not spoil a payment that happened.
    pub(super) promotion_detail: serde_json::Value,
    pub(super) code_url: Option<String>,
    pub(super) prepay_id: Option<String>,
    pub(super) h5_url: Option<String>,
    /// `Y`: call again.
    pub(super) recall: Option<String>,
    pub(super) out_refund_no: Option<String>,
    /// Of a refund, in answers.
    pub(super) status: Option<String>,
    /// Of a refund, in notifications.
    pub(super) refund_status: Option<String>,
}

/// Whole fen.
#[derive(Deserialize, Default, PartialEq, Debug)]
#[serde(default)]
pub(super) struct Amount {
    pub(super) total: Option<i64>,
    pub(super) payer_total: Option<i64>,
    pub(super) refund: Option<i64>,
    pub(super) currency: Option<String>,
}

/// A signed answer.
#[derive(PartialEq, Debug)]
pub(super) struct Spoken {
    /// HTTP status code. It is not signed; it chooses between kinds of answers, never between yes and no.
    pub(super) status: u16,
    pub(super) fields: Fields,
}

/// Verifies and reads an answer.
pub(super) fn open(received: &Received, keys: &PlatformKeys, now_ms: i64) -> Result<Spoken, Untrusted> {
    let signed = Signature::of(|name| received.header(name))
        .and_then(|signature| signature.verify(&received.body, keys, now_ms));
    if let Err(untrusted) = signed {
        tracing::debug!(status = received.status, "An answer that nobody vouches for.");
        return Err(untrusted);
    }
    let fields = if received.body.is_empty() {
        Fields::default()
    } else {
        serde_json::from_slice(&received.body).map_err(|error| Untrusted::Unreadable(error.to_string()))?
    };
    Ok(Spoken { status: received.status, fields })
}
