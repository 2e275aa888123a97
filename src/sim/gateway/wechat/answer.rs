//! Answers as WeChat Pay writes them: a JSON body or none, and a signature in the headers, on errors too.
//!
//! Source: WeChat Pay APIv3, "Signature verification": what is signed is time stamp, nonce and body, each with a
//! line feed; `Wechatpay-Serial` names the platform certificate or the public key to verify with.

use serde_json::{Value, json};

use crate::sim::gateway::{
    http::{Pace, RawResponse},
    keys::{Keys, Signing},
};

/// An answer before it is signed.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim::gateway) struct Reply {
    pub(super) status: u16,
    body: Option<Value>,
}

impl Reply {
    pub(super) fn ok(body: Value) -> Reply {
        Reply { status: 200, body: Some(body) }
    }

    /// Done, and nothing to say: 204.
    pub(super) fn done() -> Reply {
        Reply { status: 204, body: None }
    }

    /// The buyer types a password: 202, and nothing but the state.
    pub(super) fn user_is_paying() -> Reply {
        Reply { status: 202, body: Some(json!({ "trade_state": "USERPAYING" })) }
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
        Reply { status, body: Some(json!({ "code": code, "message": message })) }
    }

    pub(super) fn wrong_parameter(field: &str, issue: &str) -> Reply {
        let detail = json!({ "field": format!("/{field}"), "issue": issue, "location": "body" });
        let body =
            json!({ "code": "PARAM_ERROR", "message": format!("参数错误: {issue}"), "detail": detail });
        Reply { status: 400, body: Some(body) }
    }

    /// Nobody knows; the money may or may not have moved.
    pub(in crate::sim::gateway) fn unavailable() -> Reply {
        Reply::error(500, "SYSTEM_ERROR", "系统异常，请稍后重试")
    }

    /// The error's code, the trade's state or the status: for the log.
    pub(in crate::sim::gateway) fn outcome(&self) -> &str {
        let text = |name: &str| self.body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_str);
        let plain = if self.body.is_none() { "204" } else { "200" };
        text("code").or_else(|| text("trade_state")).or_else(|| text("status")).unwrap_or(plain)
    }

    /// The same answer with every amount off by so many fen.
    pub(in crate::sim::gateway) fn with_amounts_off(mut self, fen: i64) -> Reply {
        let amount =
            self.body.as_mut().and_then(|body| body.get_mut("amount")).and_then(Value::as_object_mut);
        for value in amount.into_iter().flat_map(|amount| amount.values_mut()) {
            if let Some(right) = value.as_i64() {
                *value = (right + fen).max(0).into();
            }
        }
        self
    }
}

/// The headers that carry a signature over `body`.
pub(in crate::sim::gateway) fn signature_headers(
    body: &[u8],
    keys: &Keys,
    key_id: Option<&str>,
    signing: Signing,
    nonce: &str,
    now_ms: i64,
) -> Option<Vec<(String, String)>> {
    let timestamp = (now_ms / 1_000).to_string();
    let mut signed = format!("{timestamp}\n{nonce}\n").into_bytes();
    signed.extend(body);
    signed.push(b'\n');
    let signature = keys.sign_as(&signed, signing).ok()?;
    let serial = key_id.map_or_else(|| keys.certificates.gateway.serial_hex(), str::to_owned);
    let mut headers = vec![
        ("Wechatpay-Timestamp".to_owned(), timestamp),
        ("Wechatpay-Nonce".to_owned(), nonce.to_owned()),
        ("Wechatpay-Serial".to_owned(), serial),
        ("Wechatpay-Signature-Type".to_owned(), "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ];
    headers.extend(signature.map(|signature| ("Wechatpay-Signature".to_owned(), signature)));
    Some(headers)
}

/// The whole answer. None: it could not be signed.
pub(in crate::sim::gateway) fn sign(
    reply: &Reply,
    keys: &Keys,
    key_id: Option<&str>,
    signing: Signing,
    nonce: &str,
    now_ms: i64,
) -> Option<RawResponse> {
    let body = reply.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes();
    let mut headers = signature_headers(&body, keys, key_id, signing, nonce, now_ms)?;
    headers.push(("Request-ID".to_owned(), nonce.to_uppercase()));
    if reply.body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()));
    }
    Some(RawResponse { status: reply.status, headers, body, pace: Pace::default() })
}
