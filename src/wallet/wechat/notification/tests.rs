//! Notifications: the published example, and everything that is not one.
//!
//! Not here: HTTP.

use super::*;
use crate::money::Currency;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use std::collections::BTreeMap;

const NOW: i64 = 1_554_208_462_000;

fn vector() -> serde_json::Value {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/data/wechat_v3.json")).unwrap();
    file["notify"].clone()
}

fn key(owner: &str, form: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/data/alipay_keys.json")).unwrap();
    file[owner][form].as_str().unwrap().to_owned()
}

fn keys() -> PlatformKeys {
    let key = VerifyingKey::read(&key("gateway", "spki_der")).unwrap();
    PlatformKeys::new().with_public_key("PUB_KEY_ID_TEST", key).unwrap()
}

fn seal() -> ApiV3Key {
    ApiV3Key::read(vector()["apiv3_key"].as_str().unwrap()).unwrap()
}

/// The example's headers, which leave the key's name out.
fn headers() -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = vector()["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
        .collect();
    headers.insert("wechatpay-serial".to_owned(), "PUB_KEY_ID_TEST".to_owned());
    headers
}

fn open(headers: &BTreeMap<String, String>, body: &[u8], now_ms: i64) -> Result<Notification, Untrusted> {
    Notification::open(|name| headers.get(name).map(String::as_str), body, &keys(), &seal(), now_ms)
}

fn example() -> Vec<u8> {
    vector()["body"].as_str().unwrap().as_bytes().to_vec()
}

/// An envelope of our own making, sealed and signed as WeChat Pay does.
fn sent(event_type: &str, plain: &str, algorithm: &str, nonce: &str) -> (BTreeMap<String, String>, Vec<u8>) {
    let unbound = UnboundKey::new(&AES_256_GCM, vector()["apiv3_key"].as_str().unwrap().as_bytes()).unwrap();
    let mut bytes = plain.as_bytes().to_vec();
    if let Ok(nonce) = nonce.as_bytes().try_into() {
        let nonce = Nonce::assume_unique_for_key(nonce);
        LessSafeKey::new(unbound).seal_in_place_append_tag(nonce, Aad::from(b"refund"), &mut bytes).unwrap();
    }
    let body = serde_json::json!({
        "id": "EV-1", "event_type": event_type, "resource": {
            "algorithm": algorithm, "ciphertext": STANDARD.encode(bytes), "associated_data": "refund", "nonce": nonce,
        },
    })
    .to_string();
    let gateway = SigningKey::read(&key("gateway", "pkcs8_der")).unwrap();
    let signature = gateway.sign(format!("1554208462\nN1\n{body}\n").as_bytes()).unwrap();
    let headers = [
        ("wechatpay-timestamp", "1554208462"),
        ("wechatpay-nonce", "N1"),
        ("wechatpay-serial", "PUB_KEY_ID_TEST"),
        ("wechatpay-signature", &signature),
    ];
    (headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), body.into_bytes())
}

fn ours() -> Account {
    Account { merchant_id: "1900009191".to_owned(), app_id: "wxd678efh567hg6787".to_owned() }
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

#[test]
fn the_example_is_opened_and_says_that_the_order_is_paid() {
    let told = open(&headers(), &example(), NOW).unwrap();
    assert_eq!(told.id(), "EV-2018022511223320873");
    let order = OrderNumber::parse("POS01_20240102_000001").unwrap();
    assert_eq!(told.about(), &About::Payment(order.clone()));
    let Answer::Approved(approval) = told.payment(&ours(), &order, fen(1)) else { panic!() };
    assert_eq!(approval.trade_no, "4200000000202401020000000001");
    assert_eq!(Reply::taken(), Reply { status: 204, body: String::new() });
}

#[test]
fn a_notification_for_somebody_else_says_nothing() {
    let told = open(&headers(), &example(), NOW).unwrap();
    let order = OrderNumber::parse("POS01_20240102_000001").unwrap();
    let other = OrderNumber::parse("POS01_20240102_000002").unwrap();
    for (account, order, total) in [
        (Account { merchant_id: "1".to_owned(), ..ours() }, &order, 1),
        (Account { app_id: "wx1".to_owned(), ..ours() }, &order, 1),
        (ours(), &other, 1),
        (ours(), &order, 2),
    ] {
        let said = told.payment(&account, order, fen(total));
        assert!(matches!(said, Answer::Unsure(_)), "{account:?}: {said:?}");
    }
}

#[test]
fn an_old_unsigned_or_changed_notification_is_refused_with_words() {
    assert!(matches!(open(&headers(), &example(), NOW + 301_000).unwrap_err(), Untrusted::Stale(301)));
    let unnamed = headers().into_iter().filter(|(name, _)| name != "wechatpay-serial").collect();
    let refused = open(&unnamed, &example(), NOW).unwrap_err();
    assert_eq!(refused, Untrusted::NoHeader("wechatpay-serial"));
    let mut probe = headers();
    probe.insert("wechatpay-signature".to_owned(), "WECHATPAY/SIGNTEST/abc".to_owned());
    assert_eq!(open(&probe, &example(), NOW).unwrap_err(), Untrusted::Probe);
    let mut changed = example();
    let last = changed.len() - 2;
    changed[last] = b' ';
    assert_eq!(open(&headers(), &changed, NOW).unwrap_err(), Untrusted::WrongSignature);
    let long = vec![b' '; NOTIFICATION_LIMIT_BYTES + 1];
    assert!(matches!(open(&headers(), &long, NOW).unwrap_err(), Untrusted::Unreadable(_)));
    let reply = Reply::refused(&refused);
    assert_eq!(reply.status, 401);
    assert!(reply.body.contains(r#""code":"FAIL""#), "{}", reply.body);
}

#[test]
fn a_refund_is_told_apart_from_a_payment() {
    let plain = r#"{"mchid":"1900009191","out_trade_no":"POS0001","out_refund_no":"R1","refund_status":"SUCCESS","amount":{"total":100,"refund":30}}"#;
    let (headers, body) = sent("REFUND.SUCCESS", plain, "AEAD_AES_256_GCM", "fdasflkja484");
    let told = open(&headers, &body, NOW).unwrap();
    let order = OrderNumber::parse("POS0001").unwrap();
    let refund = RefundNumber::parse("R1").unwrap();
    assert_eq!(told.about(), &About::Refund(order.clone(), refund.clone()));
    let request = RefundRequest { order: order.clone(), refund, amount: fen(30), reason: None };
    assert_eq!(told.refund(&ours(), &request), RefundAnswer::Refunded);
    assert!(matches!(told.payment(&ours(), &order, fen(100)), Answer::Unsure(_)));
    let elsewhere = Account { merchant_id: "1".to_owned(), ..ours() };
    assert!(matches!(told.refund(&elsewhere, &request), RefundAnswer::Unsure(_)));
    let more = RefundRequest { amount: fen(31), ..request };
    assert!(matches!(told.refund(&ours(), &more), RefundAnswer::Unsure(_)));
}

#[test]
fn a_signed_envelope_that_does_not_open_or_read_is_refused() {
    let good = ("{\"out_trade_no\":\"POS0001\"}", "AEAD_AES_256_GCM", "fdasflkja484");
    let judged = |plain, algorithm, nonce| {
        let (headers, body) = sent("TRANSACTION.SUCCESS", plain, algorithm, nonce);
        open(&headers, &body, NOW)
    };
    assert!(judged(good.0, good.1, good.2).is_ok());
    assert!(matches!(judged(good.0, "AEAD_SM4_GCM", good.2).unwrap_err(), Untrusted::Unreadable(_)));
    assert_eq!(judged(good.0, good.1, "short").unwrap_err(), Untrusted::Sealed);
    for plain in ["", "[]", "{\"out_trade_no\":7}", "{}", "{\"out_trade_no\":\"单号\"}"] {
        assert!(matches!(judged(plain, good.1, good.2).unwrap_err(), Untrusted::Unreadable(_)), "{plain}");
    }
    let (headers, body) = sent("TRANSACTION.SUCCESS", good.0, good.1, good.2);
    let other = ApiV3Key::read(&"x".repeat(32)).unwrap();
    let header = |name: &'static str| headers.get(name).map(String::as_str);
    assert_eq!(Notification::open(header, &body, &keys(), &other, NOW).unwrap_err(), Untrusted::Sealed);
    let (headers, body) = sent("COUPON.USE", "{}", good.1, good.2);
    assert_eq!(open(&headers, &body, NOW).unwrap().about(), &About::Other("COUPON.USE".to_owned()));
}

#[test]
fn an_api_v3_key_has_thirty_two_characters_and_is_not_shown() {
    for bad in ["", "short", &"x".repeat(31), &"x".repeat(33), &"密".repeat(32)] {
        assert_eq!(ApiV3Key::read(bad).unwrap_err(), ApiV3KeyError);
    }
    let key = ApiV3Key::read(&format!("{}\n", "x".repeat(32))).unwrap();
    assert_eq!(format!("{key:?}"), "ApiV3Key(..)");
}

proptest::proptest! {
    #[test]
    fn whatever_comes_is_refused_without_a_panic(
        body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        header in ".{0,40}",
    ) {
        let headers = headers().into_keys().map(|name| (name, header.clone())).collect();
        proptest::prop_assert!(open(&headers, &body, NOW).is_err());
        let named = self::headers();
        proptest::prop_assert!(open(&named, &body, NOW).is_err());
    }
}
