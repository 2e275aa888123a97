//! Requests and answers, byte for byte.

use serde_json::json;

use super::client::{CODE, Shop, order, vector};
use crate::sim::gateway::{Config, Error, start};

#[tokio::test]
async fn a_request_of_an_independent_client_is_verified_and_paid() {
    let shop = Shop::open().await;
    let sample = vector("alipay_pay.python-alipay-sdk");
    let url = shop.url(&format!("/gateway.do?{}", sample["query"].as_str().unwrap()));
    let answer = shop.read(shop.http.get(url).send().await.unwrap().text().await.unwrap());
    assert!(answer.is_verified, "{}", answer.raw);
    assert!(answer.raw.starts_with(r#"{"alipay_trade_pay_response":{"code":"10000","msg":"Success","#));
    assert_eq!(answer.text("out_trade_no"), "POS01_20240102_000001");
    assert_eq!(answer.text("total_amount"), "0.01");
    assert_eq!(answer.text("gmt_payment"), "2024-01-02 03:04:05");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn every_method_answers_under_its_own_name_and_signs_its_literal_bytes() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "1.00").await;
    for (method, content) in [
        ("query", json!({ "out_trade_no": "A" })),
        ("precreate", json!({ "out_trade_no": "B", "subject": "s", "total_amount": "1.00" })),
        ("refund", json!({ "out_trade_no": "A", "refund_amount": "0.50", "out_request_no": "R1" })),
        ("fastpay.refund.query", json!({ "out_trade_no": "A", "out_request_no": "R1" })),
        ("close", json!({ "out_trade_no": "A" })),
        ("cancel", json!({ "out_trade_no": "A" })),
    ] {
        let answer = shop.ask(method, content).await;
        let name = format!("{{\"alipay_trade_{}_response\":{{\"code\":", method.replace('.', "_"));
        assert!(answer.raw.starts_with(&name), "{}", answer.raw);
    }
}

#[tokio::test]
async fn slashes_are_escaped_so_that_only_literal_bytes_verify() {
    let shop = Shop::open().await;
    let content = json!({ "out_trade_no": "B", "subject": "s", "total_amount": "1.00" });
    let answer = shop.ask("precreate", content).await;
    assert!(answer.raw.contains(r#""qr_code":"http:\/\/127.0.0.1:"#), "{}", answer.raw);
}

#[tokio::test]
async fn a_changed_request_is_refused_without_a_signature_and_without_a_trace() {
    let shop = Shop::open().await;
    let (query, form) = shop.signed("alipay.trade.pay", &order("A", CODE, "1.00"));
    let answer = shop.send(&query, form.replace("1%2E00", "2%2E00")).await.unwrap();
    assert!(answer.raw.starts_with(r#"{"error_response":{"code":"40002","#), "{}", answer.raw);
    assert_eq!(answer.outcome(), "isv.invalid-signature");
    assert!(!answer.raw.contains("\"sign\""));
    assert_eq!(shop.count("SELECT COUNT(*) FROM event"), 0);
}

#[tokio::test]
async fn what_is_missing_from_a_request_is_named() {
    let shop = Shop::open().await;
    let (query, form) = shop.signed("alipay.trade.pay", &order("A", CODE, "1.00"));
    for (name, sub_code) in [
        ("sign", "isv.missing-signature"),
        ("sign_type", "isv.missing-signature-type"),
        ("app_id", "isv.missing-app-id"),
        ("method", "isv.missing-method"),
    ] {
        let left: Vec<&str> = query.split('&').filter(|pair| pair.split('=').next() != Some(name)).collect();
        let answer = shop.send(&left.join("&"), form.clone()).await.unwrap();
        assert_eq!((answer.text("code"), answer.outcome()), ("40001", sub_code));
    }
    let answer = shop.call("teleport", json!({})).await.unwrap();
    assert_eq!(answer.outcome(), "isv.invalid-method");
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let shop = Shop::open().await;
    let huge = "x".repeat(200_000);
    let sent = shop.http.post(shop.url("/gateway.do?method=x")).body(huge).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 413);
}

#[tokio::test]
async fn a_gateway_without_keys_says_which_file_it_wants() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        dir: dir.path().to_owned(),
        keys: Some(dir.path().join("nowhere")),
        faults: None,
        seed: 1,
        public_base: None,
    };
    let error = start(config, || 0).await.err().unwrap();
    assert!(matches!(error, Error::ReadKey { .. }) && error.is_permanent());
    assert!(error.to_string().contains("nowhere/merchant.pub.pem"), "{error}");
}
