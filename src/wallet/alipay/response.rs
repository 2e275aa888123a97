//! Alipay answers: from bytes to fields that the wallet has signed, or to a reason why nobody knows.
//!
//! `{"alipay_trade_pay_response":{...},"sign":"..."}`: the signature covers the literal bytes of the node as
//! they came, escaped slashes and all, never a re-serialisation. So the node is found by a scan that knows
//! strings, wherever it stands, and only what was verified is parsed. Source: Alipay open platform,
//! "verifying synchronous answers".
//!
//! **Invariant:** [`Fields`] exist only after their signature was found right.
//!
//! Not here: what the fields mean for the money.

use super::codes::Method;
use super::trust::{NoKey, Trust};
use serde::Deserialize;

/// The longest piece of a stranger's text that goes into a log.
const QUOTED_CHARACTERS: usize = 120;

/// Everything that any of the methods answers. Unknown fields are passed over: the wallet adds some.
#[derive(Deserialize, Default, PartialEq, Eq, Debug)]
#[serde(default)]
pub(super) struct Fields {
    pub(super) code: String,
    pub(super) msg: String,
    pub(super) sub_code: String,
    pub(super) sub_msg: String,
    pub(super) out_trade_no: Option<String>,
    pub(super) trade_no: Option<String>,
    pub(super) trade_status: Option<String>,
    pub(super) total_amount: Option<String>,
    pub(super) receipt_amount: Option<String>,
    pub(super) buyer_pay_amount: Option<String>,
    pub(super) point_amount: Option<String>,
    pub(super) invoice_amount: Option<String>,
    pub(super) mdiscount_amount: Option<String>,
    pub(super) discount_amount: Option<String>,
    pub(super) buyer_logon_id: Option<String>,
    pub(super) gmt_payment: Option<String>,
    /// Queries call the same moment so.
    pub(super) send_pay_date: Option<String>,
    /// Read entry by entry later: an odd one must not spoil a payment that happened.
    pub(super) fund_bill_list: serde_json::Value,
    /// Likewise.
    pub(super) voucher_detail_list: serde_json::Value,
    pub(super) qr_code: Option<String>,
    pub(super) retry_flag: Option<String>,
    pub(super) action: Option<String>,
    pub(super) fund_change: Option<String>,
    pub(super) out_request_no: Option<String>,
    pub(super) refund_amount: Option<String>,
    pub(super) refund_status: Option<String>,
}

/// Why an answer says nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Untrusted {
    #[error("the answer is not UTF-8")]
    NotText,
    #[error("the answer is not a JSON object with unique names")]
    NotAnObject,
    #[error("the answer has no {0}")]
    NoNode(String),
    #[error("the answer has no signature")]
    NoSignature,
    #[error("the answer's signature is wrong")]
    WrongSignature,
    #[error("the answer does not count: {0}")]
    NoKey(#[from] NoKey),
    /// Nobody vouches for it: it may come from the wallet, which refuses to sign some errors, or from anyone.
    #[error(
        "an unsigned error, {0}: if this goes on, check the app id, the merchant's private key and the \
         wallet's public key"
    )]
    UnsignedError(String),
    #[error("the answer is signed, but its fields do not read: {0}")]
    Unreadable(String),
}

/// Finds, verifies and reads the answer to a method.
pub(super) fn open(body: &[u8], method: Method, trust: &Trust) -> Result<Fields, Untrusted> {
    let text = std::str::from_utf8(body).map_err(|_| Untrusted::NotText)?;
    let members = members(text).ok_or(Untrusted::NotAnObject)?;
    let member = |name: &str| members.iter().find(|member| member.0 == name).map(|member| member.1);
    let name = format!("{}_response", method.name().replace('.', "_"));
    let text_of = |name: &str| member(name).and_then(|raw| serde_json::from_str::<String>(raw).ok());
    let signature = text_of("sign");
    let node = member(&name).or_else(|| member(ERROR_NODE)).ok_or(Untrusted::NoNode(name))?;
    let Some(signature) = signature.filter(|signature| !signature.is_empty()) else {
        return Err(unsigned(node));
    };
    let number = text_of("alipay_cert_sn");
    let key = trust.key(number.as_deref())?;
    key.verify(node.as_bytes(), &signature).map_err(|_| Untrusted::WrongSignature)?;
    serde_json::from_str(node).map_err(|error| Untrusted::Unreadable(error.to_string()))
}

/// Errors of the gateway itself come under this name, most of them unsigned.
const ERROR_NODE: &str = "error_response";

fn unsigned(node: &str) -> Untrusted {
    let fields: Fields = serde_json::from_str(node).unwrap_or_default();
    if fields.code == "10000" || fields.code.is_empty() {
        return Untrusted::NoSignature;
    }
    Untrusted::UnsignedError(clipped(&format!("{} {} {}", fields.code, fields.sub_code, fields.sub_msg)))
}

/// A stranger's text, fit for one line of a log.
pub(super) fn clipped(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(QUOTED_CHARACTERS).collect()
}

/// The members of the outermost object: each name as written, and its value as the literal text. Nothing
/// for anything else, or when a name comes twice: then the reader and the signer may mean different ones.
fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut rest = text.trim_matches(WHITESPACE).strip_prefix('{')?;
    loop {
        rest = rest.trim_start_matches(WHITESPACE);
        let end = string_end(rest)?;
        let name = &rest[1..end - 1];
        rest = rest[end..].trim_start_matches(WHITESPACE).strip_prefix(':')?.trim_start_matches(WHITESPACE);
        let end = value_end(rest)?;
        if found.iter().any(|member| member.0 == name) {
            return None;
        }
        found.push((name, &rest[..end]));
        rest = rest[end..].trim_start_matches(WHITESPACE);
        rest = match rest.strip_prefix(',') {
            Some(more) => more,
            None => return (rest == "}").then_some(found),
        };
    }
}

/// JSON's own (RFC 8259, 2).
const WHITESPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Where the string ends that `text` begins with, quotes included.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Where the value ends that `text` begins with: brackets are counted outside strings only.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'"' => string_end(text),
        b'{' | b'[' => {
            let (mut at, mut depth) = (0, 0_usize);
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at += string_end(text.get(at..)?)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            None
        }
        _ => {
            let end =
                text.find(|character| matches!(character, ',' | '}') || WHITESPACE.contains(&character));
            end.filter(|end| *end > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::signing::{SigningKey, VerifyingKey};

    fn key(owner: &str, form: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
        file[owner][form].as_str().unwrap().to_owned()
    }

    fn gateway() -> Trust {
        VerifyingKey::read(&key("gateway", "spki_der")).unwrap().into()
    }

    fn vector(name: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_responses.json")).unwrap();
        file[name].as_str().unwrap().to_owned()
    }

    fn signed(node: &str) -> String {
        let sign = SigningKey::read(&key("gateway", "pkcs8_der")).unwrap().sign(node.as_bytes()).unwrap();
        format!(r#"{{"alipay_trade_pay_response":{node},"sign":"{sign}"}}"#)
    }

    fn open_pay(text: &str) -> Result<Fields, Untrusted> {
        open(text.as_bytes(), Method::Pay, &gateway())
    }

    #[test]
    fn every_published_answer_is_verified_on_its_literal_bytes() {
        for (name, method, code) in [
            ("pay_10000", Method::Pay, "10000"),
            ("pay_20000", Method::Pay, "20000"),
            ("precreate_escaped_slash", Method::Precreate, "10000"),
            ("sign_first", Method::Cancel, "10000"),
            ("cancel_retry", Method::Cancel, "20000"),
        ] {
            let fields = open(vector(name).as_bytes(), method, &gateway()).unwrap();
            assert_eq!(fields.code, code, "{name}");
        }
        let fields =
            open(vector("precreate_escaped_slash").as_bytes(), Method::Precreate, &gateway()).unwrap();
        assert_eq!(fields.qr_code.unwrap(), "https://qr.alipay.com/bax03431ljhokirwl38f00a7");
    }

    #[test]
    fn brackets_and_quotes_within_strings_do_not_end_the_node() {
        let node = r#"{"code":"10000","msg":"}]\"},\\","sub_msg":"{[","nested":{"a":[{"b":"]"}]}}"#;
        assert_eq!(open_pay(&signed(node)).unwrap().msg, "}]\"},\\");
    }

    #[test]
    fn whitespace_and_strange_members_around_the_node_do_not_matter() {
        let spaced = signed(r#"{ "code" : "10000" }"#)
            .replace(r#"{"alipay"#, "\r\n{ \"x\" : null , \"y\":[1,-2.5e3] ,\n\"alipay")
            .replace(r#","sign":"#, " ,\t\"sign\" : ");
        assert_eq!(open_pay(&spaced).unwrap().code, "10000");
    }

    #[test]
    fn one_changed_byte_makes_the_answer_worthless() {
        let changed = vector("pay_10000").replace("\"92.00\"", "\"92.01\"");
        assert_eq!(open_pay(&changed), Err(Untrusted::WrongSignature));
        let reescaped = vector("precreate_escaped_slash").replace("\\/", "/");
        let opened = open(reescaped.as_bytes(), Method::Precreate, &gateway());
        assert_eq!(opened, Err(Untrusted::WrongSignature), "the escapes are part of what was signed");
    }

    #[test]
    fn another_partys_signature_is_wrong() {
        let merchant = VerifyingKey::read(&key("merchant", "spki_der")).unwrap().into();
        let opened = open(vector("pay_10000").as_bytes(), Method::Pay, &merchant);
        assert_eq!(opened, Err(Untrusted::WrongSignature));
    }

    #[test]
    fn an_answer_to_another_method_is_no_answer() {
        let opened = open(vector("sign_first").as_bytes(), Method::Pay, &gateway());
        assert_eq!(opened, Err(Untrusted::NoNode("alipay_trade_pay_response".to_owned())));
    }

    #[test]
    fn the_certificate_that_an_answer_names_chooses_the_key() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/wallet_certificates.json")).unwrap();
        let made = |owner: &str, what: &str| file[owner][what].as_str().unwrap().to_owned();
        let roots = include_str!("../../../tests/data/alipay_root_bundle.pem");
        let certificates =
            super::super::Certificates::read(&made("app", "pem"), roots, &made("alipay", "pem")).unwrap();
        let trust = Trust::from(certificates);
        let good = signed(r#"{"code":"10000"}"#);
        let named = |number: &str| {
            let text = good.replacen('{', &format!(r#"{{"alipay_cert_sn":"{number}","#), 1);
            open(text.as_bytes(), Method::Pay, &trust)
        };
        assert_eq!(named(&made("alipay", "md5_of_issuer_and_serial")).unwrap().code, "10000");
        assert_eq!(named("0"), Err(Untrusted::NoKey(NoKey::Unknown("0".to_owned()))));
        let unnamed = open(good.as_bytes(), Method::Pay, &trust);
        assert_eq!(unnamed, Err(Untrusted::NoKey(NoKey::Unnamed)));
    }

    #[test]
    fn an_unsigned_answer_is_never_a_result() {
        let (node, _) =
            vector("pay_10000").split_once(",\"sign\"").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
        for text in [
            format!("{node}}}"),
            format!("{node},\"sign\":\"\"}}"),
            format!("{node},\"sign\":null}}"),
            format!("{node},\"sign\":{{}}}}"),
        ] {
            assert_eq!(open_pay(&text), Err(Untrusted::NoSignature), "{text}");
        }
        let error =
            r#"{"error_response":{"code":"40002","sub_code":"isv.invalid-signature","sub_msg":"验签出错"}}"#;
        let said = open_pay(error).unwrap_err();
        assert!(said.to_string().contains("isv.invalid-signature"), "{said}");
        assert!(matches!(said, Untrusted::UnsignedError(_)));
    }

    #[test]
    fn a_name_that_comes_twice_makes_the_answer_worthless() {
        let good = vector("pay_10000");
        let forged = good.replacen('{', r#"{"alipay_trade_pay_response":{"code":"10000"},"#, 1);
        assert_eq!(open_pay(&forged), Err(Untrusted::NotAnObject));
    }

    #[test]
    fn what_is_not_json_is_refused_without_a_panic() {
        let good = vector("pay_10000");
        let torn = (0..good.len()).filter(|length| good.is_char_boundary(*length));
        for text in torn.map(|length| &good[..length]) {
            assert_eq!(open_pay(text), Err(Untrusted::NotAnObject));
        }
        for text in [
            "<html>",
            "{}",
            "[]",
            "null",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":]}",
            "{\"a\":[}",
            "{\"a\\",
            "{\"a\":1}x",
            "{\"咖\":\"啡",
        ] {
            assert!(open_pay(text).is_err(), "{text}");
        }
        assert_eq!(open(&[0x7b, 0xff], Method::Pay, &gateway()), Err(Untrusted::NotText));
        assert!(matches!(open_pay(&signed(r#"{"code":[]}"#)), Err(Untrusted::Unreadable(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_changed_byte_of_a_signed_answer_changes_what_it_says(
            at in proptest::prelude::any::<proptest::sample::Index>(), byte: u8, how in 0..3
        ) {
            let mut text = vector("pay_10000").into_bytes();
            let place = at.index(text.len());
            match how {
                0 => text[place] = byte,
                1 => text.insert(place, byte),
                _ => { text.remove(place); }
            }
            // White space between members, and members that nobody reads, may differ; what was signed may not.
            if let Ok(fields) = open(&text, Method::Pay, &gateway()) {
                proptest::prop_assert_eq!(Ok(fields), open_pay(&vector("pay_10000")));
            }
        }
    }
}
