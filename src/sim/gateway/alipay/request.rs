//! A request off the wire: parameters of query and form merged, the merchant's signature verified, the
//! business content read.
//!
//! Source: Alipay open platform, "Common request parameters" and "Signing requests": what is signed is every
//! parameter that is not blank, but `sign`, sorted by name, as `name=value` joined by `&`, values raw.
//! In certificate mode two more parameters travel and are signed like any other; both modes are taken.
//! Deliberately not here: encryption of the content, other charsets than UTF-8.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::Node;
use crate::sim::gateway::{
    beijing,
    http::RawRequest,
    keys::Keys,
    trade::OrderKey,
    verb::{Verb, Wallet},
    yuan,
};

/// A verified request.
#[derive(Debug, Clone)]
pub(in crate::sim::gateway) struct Call {
    pub(in crate::sim::gateway) verb: Verb,
    pub(in crate::sim::gateway) app_id: String,
    pub(super) notify_url: Option<String>,
    /// The client has certificates: answers name the one they are signed with.
    pub(in crate::sim::gateway) has_certificates: bool,
    content: Map<String, Value>,
}

/// Why a request is not worked on.
#[derive(Debug, Clone)]
pub(in crate::sim::gateway) struct Refused {
    /// The gateway's own answer.
    pub(in crate::sim::gateway) node: Node,
    /// What the request says it is, for the log.
    pub(in crate::sim::gateway) method: String,
    pub(in crate::sim::gateway) is_verified: bool,
}

impl Call {
    /// Reads and verifies. The error is the gateway's own answer to whoever sent this.
    pub(in crate::sim::gateway) fn read(request: &RawRequest, keys: &Keys) -> Result<Call, Refused> {
        let refused = |node| Refused { node, method: String::new(), is_verified: false };
        let mut params = BTreeMap::new();
        collect(request.query().as_bytes(), &mut params).map_err(refused)?;
        collect(&request.body, &mut params).map_err(refused)?;
        let method = params.get("method").cloned().unwrap_or_default();
        verify(&params, keys).map_err(|node| Refused { method: method.clone(), ..refused(node) })?;
        Call::understand(&params).map_err(|node| Refused { node, method, is_verified: true })
    }

    fn understand(params: &BTreeMap<String, String>) -> Result<Call, Node> {
        let param = |name: &str| params.get(name).ok_or_else(|| missing(name));
        let method = param("method")?;
        if !is(params, "format", "json") {
            return Err(invalid("format", "only JSON is answered"));
        }
        if beijing::parse(param("timestamp")?).is_none() {
            return Err(invalid("timestamp", "write the timestamp as yyyy-MM-dd HH:mm:ss, Beijing time"));
        }
        param("version")?;
        let mut verbs = Verb::ALL.into_iter().filter(|verb| *verb != Verb::Notify);
        let verb = verbs
            .find(|verb| verb.name(Wallet::Alipay) == method)
            .ok_or_else(|| invalid("method", "this gateway does not know that method"))?;
        let content = serde_json::from_str(param("biz_content")?)
            .map_err(|_| invalid("parameter", "biz_content is not a JSON object"))?;
        Ok(Call {
            verb,
            app_id: param("app_id")?.clone(),
            notify_url: params.get("notify_url").cloned(),
            has_certificates: params.contains_key("app_cert_sn"),
            content,
        })
    }

    /// A field of the business content. Numbers count as their text: some SDKs send amounts so.
    pub(in crate::sim::gateway) fn field(&self, name: &str) -> Option<String> {
        match self.content.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(in crate::sim::gateway) fn out_trade_no(&self) -> Option<String> {
        self.field("out_trade_no")
    }

    pub(in crate::sim::gateway) fn pay_code(&self) -> Option<String> {
        self.field("auth_code")
    }

    /// What the request itself says the money is, in fen.
    pub(in crate::sim::gateway) fn amount(&self) -> Option<i64> {
        self.field("total_amount").or_else(|| self.field("refund_amount")).and_then(|text| yuan::parse(&text))
    }

    pub(super) fn key_of(&self, number: &str) -> OrderKey {
        OrderKey { wallet: Wallet::Alipay, merchant: self.app_id.clone(), number: number.to_owned() }
    }
}

/// Whether a parameter, if it is there, has this value.
fn is(params: &BTreeMap<String, String>, name: &str, value: &str) -> bool {
    params.get(name).is_none_or(|given| given.eq_ignore_ascii_case(value))
}

fn missing(name: &str) -> Node {
    missing_argument(&name.replace('_', "-").replace("sign-type", "signature-type"))
}

fn verify(params: &BTreeMap<String, String>, keys: &Keys) -> Result<(), Node> {
    let param = |name: &str| params.get(name).ok_or_else(|| missing(name));
    param("method")?;
    param("app_id")?;
    let signature = params.get("sign").ok_or_else(|| missing_argument("signature"))?;
    if param("sign_type")? != "RSA2" {
        return Err(invalid("signature-type", "只支持RSA2: set sign_type to RSA2"));
    }
    if !is(params, "charset", "utf-8") {
        return Err(invalid("charset", "this gateway reads utf-8 only"));
    }
    if !keys.merchant_signed(string_to_sign(params).as_bytes(), signature) {
        return Err(invalid(
            "signature",
            "验签出错: the signature is not the merchant key's over these parameters",
        ));
    }
    Ok(())
}

fn string_to_sign(params: &BTreeMap<String, String>) -> String {
    let signed: Vec<String> = params
        .iter()
        .filter(|(name, _)| *name != "sign")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    signed.join("&")
}

/// Adds `a=1&b=2`, percent-decoded, leaving out what is blank: blank parameters are neither signed nor read.
fn collect(encoded: &[u8], params: &mut BTreeMap<String, String>) -> Result<(), Node> {
    for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (decode(halves.next())?, decode(halves.next())?);
        if !value.is_empty() {
            params.insert(name, value);
        }
    }
    Ok(())
}

/// `application/x-www-form-urlencoded`, one name or value (WHATWG URL, section 5.1), strictly.
fn decode(encoded: Option<&[u8]>) -> Result<String, Node> {
    let broken = || invalid("parameter", "a parameter is not percent-encoded UTF-8");
    let mut bytes = Vec::new();
    let mut rest = encoded.unwrap_or_default().iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(*byte).to_digit(16));
                let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
                u8::try_from(high * 16 + low).map_err(|_| broken())?
            }
            plain => *plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

fn missing_argument(name: &str) -> Node {
    let sub_code = format!("isv.missing-{name}");
    Node::refused("40001", "Missing Required Arguments", &sub_code, "add this parameter and sign again")
}

fn invalid(name: &str, words: &str) -> Node {
    Node::refused("40002", "Invalid Arguments", &format!("isv.invalid-{name}"), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_query_and_form_are_merged_and_sorted_and_blank_ones_dropped() {
        let mut params = BTreeMap::new();
        collect(b"b=%E5%92%96+1&sign=zzz&c=", &mut params).unwrap();
        collect(b"a=x%26y&B=2", &mut params).unwrap();
        assert_eq!(string_to_sign(&params), "B=2&a=x&y&b=咖 1");
    }

    #[test]
    fn broken_encoding_is_refused_not_guessed() {
        for text in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff"] {
            let refusal = collect(text, &mut BTreeMap::new()).unwrap_err();
            assert_eq!(refusal.outcome(), "isv.invalid-parameter");
        }
    }
}
