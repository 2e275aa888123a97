//! A request off the wire: its address read, the merchant's signature verified, its body taken apart.
//!
//! Source: WeChat Pay APIv3, "Signature generation": what is signed is method, path with query, time stamp,
//! nonce and body, each with a line feed; the parts stand in `Authorization` in any order. Deliberately not
//! here: what the methods mean.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::Reply;
use crate::sim::gateway::{
    http::RawRequest,
    keys::Keys,
    trade::OrderKey,
    verb::{Verb, Wallet},
};

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// How far a client's clock may be off: five minutes.
const MAX_SKEW_S: i64 = 300;

/// A verified request.
#[derive(Debug, Clone)]
pub(in crate::sim::gateway) struct Call {
    pub(in crate::sim::gateway) verb: Verb,
    pub(super) mchid: String,
    /// Where an order without a pay code is opened.
    pub(super) door: Door,
    /// The public key that the client wants answers signed for; none: it has the platform certificate.
    pub(in crate::sim::gateway) key_id: Option<String>,
    /// The order's or the refund's number, out of the address.
    number: Option<String>,
    pub(super) transaction_id: Option<String>,
    query: BTreeMap<String, String>,
    body: Map<String, Value>,
}

/// Why a request is not worked on.
#[derive(Debug, Clone)]
pub(in crate::sim::gateway) struct Refused {
    pub(in crate::sim::gateway) reply: Reply,
    pub(in crate::sim::gateway) key_id: Option<String>,
    pub(in crate::sim::gateway) is_verified: bool,
}

/// Where the customer is to open an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// By scanning a code with another screen's help.
    Native,
    /// In WeChat's own browser.
    Jsapi,
    /// In any other browser of a phone.
    H5,
}

/// What an address asks for.
#[derive(Clone)]
struct Asked {
    verb: Verb,
    door: Door,
    number: Option<String>,
    transaction_id: Option<String>,
}

impl Call {
    /// Reads and verifies. The error is the gateway's own answer to whoever sent this.
    pub(in crate::sim::gateway) fn read(
        request: &RawRequest,
        keys: &Keys,
        now_ms: i64,
    ) -> Result<Call, Refused> {
        let key_id = request.header("wechatpay-serial").filter(|id| id.starts_with("PUB_KEY_ID_"));
        let key_id = key_id.map(str::to_owned);
        let refused = |is_verified, reply| Refused { reply, key_id: key_id.clone(), is_verified };
        let asked = route(request).map_err(|reply| refused(false, reply))?;
        let mchid = verify(request, keys, now_ms).map_err(|reply| refused(false, reply))?;
        let body = read_body(request).map_err(|reply| refused(true, reply))?;
        let query: BTreeMap<String, String> = request
            .query()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let named = body.get("mchid").and_then(Value::as_str).or(query.get("mchid").map(String::as_str));
        if named.is_some_and(|named| named != mchid) {
            let words = "mchid is not the merchant that signed the request";
            return Err(refused(true, Reply::wrong_parameter("mchid", words)));
        }
        let Asked { verb, door, number, transaction_id } = asked;
        Ok(Call { verb, door, mchid, key_id, number, transaction_id, query, body })
    }

    /// The order that the request is about.
    pub(in crate::sim::gateway) fn key(&self) -> OrderKey {
        let number = self.number.clone().or_else(|| self.text(&["out_trade_no"])).unwrap_or_default();
        OrderKey { wallet: Wallet::Wechat, merchant: self.mchid.clone(), number }
    }

    /// What the request itself says the money is, in fen.
    pub(in crate::sim::gateway) fn amount(&self) -> Option<i64> {
        match self.verb {
            Verb::Refund => self.number_at(&["amount", "refund"]),
            Verb::Pay
            | Verb::Precreate
            | Verb::Query
            | Verb::Cancel
            | Verb::Close
            | Verb::RefundQuery
            | Verb::Certificate
            | Verb::Notify => self.number_at(&["amount", "total"]),
        }
    }

    pub(in crate::sim::gateway) fn pay_code(&self) -> Option<String> {
        self.text(&["payer", "auth_code"])
    }

    /// A string of the body that is not empty.
    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        self.at(path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A whole number of the body.
    pub(super) fn number_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path).and_then(Value::as_i64)
    }

    pub(super) fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.body.get(*first)?, |value, name| value.get(name))
    }
}

fn route(request: &RawRequest) -> Result<Asked, Reply> {
    let parts: Vec<String> = request.path().split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let none = Asked { verb: Verb::Query, door: Door::Native, number: None, transaction_id: None };
    let opened = |door| Ok(Asked { verb: Verb::Precreate, door, ..none.clone() });
    let asked = |verb| Ok(Asked { verb, ..none.clone() });
    let of = |verb, number: &str| Ok(Asked { verb, number: Some(number.to_owned()), ..none.clone() });
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["v3", "pay", "transactions", "codepay"]) => asked(Verb::Pay),
        ("POST", ["v3", "pay", "transactions", "native"]) => opened(Door::Native),
        ("POST", ["v3", "pay", "transactions", "jsapi"]) => opened(Door::Jsapi),
        ("POST", ["v3", "pay", "transactions", "h5"]) => opened(Door::H5),
        ("GET", ["v3", "pay", "transactions", "out-trade-no", number]) => of(Verb::Query, number),
        ("GET", ["v3", "pay", "transactions", "id", id]) => {
            Ok(Asked { verb: Verb::Query, transaction_id: Some((*id).to_owned()), ..none.clone() })
        }
        ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "reverse"]) => {
            of(Verb::Cancel, number)
        }
        ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "close"]) => of(Verb::Close, number),
        ("POST", ["v3", "refund", "domestic", "refunds"]) => asked(Verb::Refund),
        ("GET", ["v3", "refund", "domestic", "refunds", number]) => of(Verb::RefundQuery, number),
        ("GET", ["v3", "certificates"]) => asked(Verb::Certificate),
        _ => Err(Reply::error(404, "RESOURCE_NOT_EXISTS", "this simulator does not know that address")),
    }
}

/// The mchid, if the merchant's key signed exactly this request not long ago.
fn verify(request: &RawRequest, keys: &Keys, now_ms: i64) -> Result<String, Reply> {
    let sign_error = |words: &str| Reply::error(401, "SIGN_ERROR", words);
    let header = request
        .header("authorization")
        .ok_or_else(|| sign_error("Http头Authorization值格式错误: it is missing"))?;
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme != SCHEME {
        return Err(sign_error(
            "Http头Authorization认证类型不正确: it begins with WECHATPAY2-SHA256-RSA2048",
        ));
    }
    let parts: BTreeMap<&str, &str> = rest
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let part = |name: &str| {
        let value = parts.get(name).copied().filter(|value| !value.is_empty());
        value.ok_or_else(|| sign_error(&format!("Http头Authorization值格式错误: it has no {name}")))
    };
    let (mchid, nonce, signature) = (part("mchid")?, part("nonce_str")?, part("signature")?);
    let (timestamp, _serial) = (part("timestamp")?, part("serial_no")?);
    let at_s: i64 = timestamp.parse().map_err(|_| sign_error("timestamp is not in Unix seconds"))?;
    if (now_ms / 1_000 - at_s).abs() > MAX_SKEW_S {
        return Err(sign_error("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
    }
    let mut signed = format!("{}\n{}\n{timestamp}\n{nonce}\n", request.method, request.target).into_bytes();
    signed.extend(&request.body);
    signed.push(b'\n');
    if !keys.merchant_signed(&signed, signature) {
        return Err(sign_error("错误的签名，验签失败: it is not the merchant key's over this request"));
    }
    Ok(mchid.to_owned())
}

fn read_body(request: &RawRequest) -> Result<Map<String, Value>, Reply> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&request.body)
        .map_err(|_| Reply::error(400, "PARAM_ERROR", "the body is not a JSON object"))
}

/// Percent-decoding of a path segment or query value (RFC 3986 section 2.1); what is broken stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.filter(|_| *byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(decoded) => {
                plain.push(decoded);
                at += 3;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}
