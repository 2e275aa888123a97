//! Alipay requests: what is asked, the string that is signed, and the bytes that are sent.
//!
//! The business content is serialised once; those bytes are signed and those bytes are sent. The common
//! parameters travel in the query and the content in the form body, where no access log keeps the pay code.
//! Source: Alipay open platform, "signature for self-made requests" and alipay.trade.* request parameters.
//!
//! Not here: reading answers, HTTP.

use crate::wallet::signing::{KeyError, SigningKey};
use crate::wallet::{OrderNumber, PayRequest, PrecreateRequest, RefundRequest, Scene};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the wallet's lists show at most (alipay.trade.pay, `subject`).
const SUBJECT_CHARACTERS: usize = 256;

/// The wallet's clock: Beijing, without summer time.
const BEIJING_HOURS: i8 = 8;

/// Parameters by name. The signature wants them in ASCII order.
pub(super) type Parameters<'a> = BTreeMap<&'a str, &'a str>;

/// A request that only needs sending.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Signed {
    /// Common parameters and the signature, encoded.
    pub(super) query: String,
    /// The business content, encoded: the form body.
    pub(super) body: String,
}

/// Signs parameters together with their business content. Blank ones are neither signed nor sent.
pub(super) fn sign(mut common: Parameters<'_>, content: &str, key: &SigningKey) -> Result<Signed, KeyError> {
    common.retain(|_, value| !value.is_empty());
    let mut all = common.clone();
    all.insert(CONTENT, content);
    let signature = key.sign(string_to_sign(&all).as_bytes())?;
    let query = form(common.into_iter().chain([("sign", signature.as_str())]));
    Ok(Signed { query, body: form([(CONTENT, content)]) })
}

const CONTENT: &str = "biz_content";

/// `name=value` joined by `&`, values raw. `sign_type` is part of it, unlike in notifications.
fn string_to_sign(parameters: &Parameters<'_>) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// application/x-www-form-urlencoded.
fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

fn encode(raw: &str, text: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in raw.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            b' ' => text.push('+'),
            _ => {
                text.push('%');
                text.push(char::from(HEX[usize::from(byte >> 4)]));
                text.push(char::from(HEX[usize::from(byte & 0x0f)]));
            }
        }
    }
}

/// Unix milliseconds as `yyyy-MM-dd HH:mm:ss` of Beijing's wall clock; nothing beyond the calendar.
pub(super) fn timestamp(unix_ms: i64) -> Option<String> {
    let moment = jiff::Timestamp::from_millisecond(unix_ms).ok()?;
    let offset = jiff::tz::Offset::constant(BEIJING_HOURS);
    Some(offset.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Business content of alipay.trade.pay.
#[derive(Serialize)]
pub(super) struct Pay<'a> {
    out_trade_no: &'a str,
    scene: &'static str,
    auth_code: &'a str,
    product_code: &'static str,
    subject: String,
    total_amount: String,
    timeout_express: String,
    terminal_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<&'a str>,
}

impl<'a> Pay<'a> {
    pub(super) fn of(request: &'a PayRequest) -> Self {
        Self {
            out_trade_no: request.order.as_str(),
            scene: match request.scene {
                Scene::BarCode => "bar_code",
                Scene::WaveCode => "wave_code",
                Scene::SecurityCode => "security_code",
            },
            auth_code: request.pay_code.expose(),
            product_code: "FACE_TO_FACE_PAYMENT",
            subject: subject(&request.subject),
            total_amount: request.amount.decimal(),
            timeout_express: minutes(request.expires_in_s),
            terminal_id: &request.terminal,
            store_id: request.store.as_deref(),
        }
    }
}

/// Business content of alipay.trade.precreate.
#[derive(Serialize)]
pub(super) struct Precreate<'a> {
    out_trade_no: &'a str,
    subject: String,
    total_amount: String,
    timeout_express: String,
    terminal_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<&'a str>,
}

impl<'a> Precreate<'a> {
    pub(super) fn of(request: &'a PrecreateRequest) -> Self {
        Self {
            out_trade_no: request.order.as_str(),
            subject: subject(&request.subject),
            total_amount: request.amount.decimal(),
            timeout_express: minutes(request.expires_in_s),
            terminal_id: &request.terminal,
            store_id: request.store.as_deref(),
        }
    }
}

/// Business content of alipay.trade.query, alipay.trade.cancel and alipay.trade.close.
#[derive(Serialize)]
pub(super) struct Order<'a> {
    out_trade_no: &'a str,
}

impl<'a> Order<'a> {
    pub(super) fn of(order: &'a OrderNumber) -> Self {
        Self { out_trade_no: order.as_str() }
    }
}

/// Business content of alipay.trade.refund.
#[derive(Serialize)]
pub(super) struct Refund<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
    refund_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<String>,
}

impl<'a> Refund<'a> {
    pub(super) fn of(request: &'a RefundRequest) -> Self {
        Self {
            out_trade_no: request.order.as_str(),
            out_request_no: request.refund.as_str(),
            refund_amount: request.amount.decimal(),
            refund_reason: request.reason.as_deref().map(subject),
        }
    }
}

/// Business content of alipay.trade.fastpay.refund.query.
#[derive(Serialize)]
pub(super) struct RefundQuery<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
}

impl<'a> RefundQuery<'a> {
    pub(super) fn of(request: &'a RefundRequest) -> Self {
        Self { out_trade_no: request.order.as_str(), out_request_no: request.refund.as_str() }
    }
}

/// The wallet refuses `/`, `=` and `&` in a subject; a shop called "A&B" still wants to be paid.
fn subject(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '/' | '=' | '&' => ' ',
            control if control.is_control() => ' ',
            other => other,
        })
        .take(SUBJECT_CHARACTERS)
        .collect()
}

/// `timeout_express` in its smallest documented unit, rounded up, at least one minute.
fn minutes(seconds: u32) -> String {
    format!("{}m", seconds.div_ceil(60).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};
    use crate::wallet::PayCode;

    fn file(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    fn merchant_key() -> SigningKey {
        let keys = file(include_str!("../../../tests/data/alipay_keys.json"));
        SigningKey::read(keys["merchant"]["pkcs8_der"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn an_order_is_signed_as_the_published_client_signs_it() {
        let vector = file(include_str!("../../../tests/data/alipay_pay.json"));
        let expected = vector["string_to_sign"].as_str().unwrap();
        let content = concat!(
            r#"{"out_trade_no":"POS01_20240102_000001","scene":"bar_code","auth_code":"286802123456789012","#,
            r#""subject":"\u5496\u5561 & \u9762\u5305","total_amount":"0.01","timeout_express":"90s","#,
            r#""terminal_id":"T01"}"#
        );
        let timestamp = timestamp(1_704_135_845_000).unwrap();
        let common = Parameters::from([
            ("app_id", "2021000000000001"),
            ("charset", "utf-8"),
            ("method", "alipay.trade.pay"),
            ("notify_url", "https://pos.example.test/notify"),
            ("sign_type", "RSA2"),
            ("timestamp", timestamp.as_str()),
            ("version", "1.0"),
            ("app_auth_token", ""),
        ]);
        let mut all = common.clone();
        all.retain(|_, value| !value.is_empty());
        all.insert(CONTENT, content);
        assert_eq!(string_to_sign(&all), expected);

        // That client puts everything into the query; the same bytes, with the content moved to the body.
        let whole = vector["query"].as_str().unwrap();
        let signed = sign(common, content, &merchant_key()).unwrap();
        assert!(whole.contains(&format!("&{}&", signed.body)), "{}", signed.body);
        assert_eq!(signed.query, whole.replace(&format!("&{}", signed.body), ""));
    }

    #[test]
    fn the_timestamp_is_beijings_wall_clock() {
        assert_eq!(timestamp(1_704_135_845_999).unwrap(), "2024-01-02 03:04:05");
        assert_eq!(timestamp(0).unwrap(), "1970-01-01 08:00:00");
        // Summer time was kept there until 1991; the wallet's clock never had it.
        assert_eq!(timestamp(583_329_600_000).unwrap(), "1988-06-26 20:00:00");
        assert_eq!(timestamp(i64::MAX), None);
    }

    #[test]
    fn a_payment_is_written_with_decimal_yuan_and_what_the_wallet_allows() {
        let request = PayRequest {
            order: OrderNumber::parse("T1_1").unwrap(),
            amount: Money::new(1205, Currency::CNY),
            subject: "A&B/C=\"咖啡\"\n".to_owned(),
            pay_code: PayCode::new("286802123456789012".to_owned()).unwrap(),
            scene: Scene::WaveCode,
            terminal: "T1".to_owned(),
            store: None,
            expires_in_s: 61,
        };
        assert_eq!(
            serde_json::to_string(&Pay::of(&request)).unwrap(),
            concat!(
                r#"{"out_trade_no":"T1_1","scene":"wave_code","auth_code":"286802123456789012","#,
                r#""product_code":"FACE_TO_FACE_PAYMENT","subject":"A B C \"咖啡\" ","#,
                r#""total_amount":"12.05","timeout_express":"2m","terminal_id":"T1"}"#
            )
        );
    }

    #[test]
    fn every_byte_outside_the_plain_ones_is_encoded() {
        assert_eq!(form([("a b", "咖&=+%~*/")]), "a+b=%E5%92%96%26%3D%2B%25~%2A%2F");
    }

    #[test]
    fn time_to_pay_is_whole_minutes() {
        for (seconds, text) in [(0, "1m"), (1, "1m"), (60, "1m"), (90, "2m"), (7200, "120m")] {
            assert_eq!(minutes(seconds), text);
        }
    }
}
