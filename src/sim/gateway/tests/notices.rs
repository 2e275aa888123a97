//! Notifications: signed, repeated on the wallets' schedules, and everything that can go wrong with them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    client::{CODE, Shop, order, vector},
    merchant::{Merchant, read, unseal},
};
use crate::sim::gateway::{Fault, Notice, Rule, Wallet};

/// A WeChat order with an address, paid.
fn paid() -> Merchant {
    let shop = Merchant::new();
    let mut order = Merchant::order("A", super::merchant::CODE, 100);
    order["notify_url"] = json!("http://shop.example/paid?till=1");
    assert_eq!(shop.ask("POST", "/v3/pay/transactions/codepay", &order).status, 200);
    shop
}

fn due(shop: &Merchant) -> Vec<Notice> {
    shop.gateway.notices(shop.now_ms.get()).unwrap()
}

fn on_notify(fault: Fault) -> Rule {
    Rule { method: Some("notify".into()), times: Some(1), ..Rule::of(fault) }
}

#[test]
fn a_payment_is_told_signed_and_sealed_until_it_is_taken() {
    let shop = paid();
    let first = due(&shop);
    let [notice] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(
        (notice.wallet, notice.attempt, notice.request.target.as_str()),
        (Wallet::Wechat, 1, "/paid?till=1")
    );
    let request = &notice.request;
    assert!(shop.is_verified(|name| request.header(name).map(str::to_owned), &request.body));
    let told = read(&request.body);
    assert_eq!(told["event_type"], "TRANSACTION.SUCCESS");
    let order = read(&unseal(&told["resource"]));
    assert_eq!((&order["trade_state"], &order["amount"]["total"]), (&json!("SUCCESS"), &json!(100)));

    assert!(!shop.gateway.noticed(notice, Some((500, b"")), shop.now_ms.get()).unwrap());
    shop.pass(14_999);
    assert!(due(&shop).is_empty());
    shop.pass(1);
    let second = due(&shop);
    assert_eq!(read(&second[0].request.body)["id"], told["id"]);
    assert!(shop.gateway.noticed(&second[0], Some((204, b"")), shop.now_ms.get()).unwrap());
    shop.pass(100_000_000);
    assert!(due(&shop).is_empty());
}

#[test]
fn a_merchant_who_never_answers_is_told_on_the_documented_schedule_and_given_up() {
    let shop = paid();
    let began = shop.now_ms.get();
    let mut after_s = Vec::new();
    for _ in 0..100 {
        let Some(next) = shop.gateway.next_act_ms(shop.now_ms.get()).unwrap() else { break };
        shop.now_ms.set(next);
        assert_eq!(due(&shop).len(), 1);
        after_s.push((next - began) / 1_000);
    }
    assert_eq!(after_s.len(), 16);
    assert_eq!((after_s[..4].to_vec(), after_s[15]), (vec![0, 15, 30, 60], 24 * 3_600 + 4 * 60));
}

#[test]
fn notifications_are_lost_doubled_falsified_and_late_as_rules_say() {
    let shop = paid();
    let faults = shop.gateway.faults();
    faults.add(on_notify(Fault::DropRequest)).unwrap();
    assert!(due(&shop).is_empty());
    shop.pass(15_000);
    faults.add(on_notify(Fault::WrongSignature)).unwrap();
    let wrong = due(&shop);
    let request = &wrong[0].request;
    assert!(!shop.is_verified(|name| request.header(name).map(str::to_owned), &request.body));
    shop.pass(15_000);
    faults.add(on_notify(Fault::Duplicate)).unwrap();
    assert_eq!(due(&shop)[0].copies, 2);
    shop.pass(30_000);
    faults.add(on_notify(Fault::DropAnswer)).unwrap();
    let lost = due(&shop);
    assert!(!shop.gateway.noticed(&lost[0], Some((200, b"")), shop.now_ms.get()).unwrap());
    shop.pass(180_000);
    faults.add(on_notify(Fault::WrongAmount { by_fen: 1 })).unwrap();
    let off = due(&shop);
    assert_eq!(read(&unseal(&read(&off[0].request.body)["resource"]))["amount"]["total"], 101);
}

#[test]
fn a_refund_is_told_and_a_reversal_is_not() {
    let shop = paid();
    shop.gateway.noticed(&due(&shop)[0], Some((200, b"")), shop.now_ms.get()).unwrap();
    shop.refund("A", "R1", 30, 100);
    let told = due(&shop);
    let body = read(&told[0].request.body);
    assert_eq!(body["event_type"], "REFUND.SUCCESS");
    let refund = read(&unseal(&body["resource"]));
    assert_eq!((&refund["refund_status"], &refund["amount"]["refund"]), (&json!("SUCCESS"), &json!(30)));
    shop.gateway.noticed(&told[0], Some((200, b"")), shop.now_ms.get()).unwrap();
    shop.pass(15_000);
    assert_eq!(shop.reverse("A").status, 200);
    assert!(due(&shop).is_empty());
}

/// What a merchant's address was sent.
async fn listen(heard: Arc<Mutex<Vec<String>>>) -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let hear = move |body: Bytes| async move {
        heard.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
        "success"
    };
    let mut serving = JoinSet::new();
    serving.spawn(
        async move { axum::serve(listener, Router::new().route("/notify", post(hear))).await.unwrap() },
    );
    (url, serving)
}

#[tokio::test]
async fn an_alipay_notification_arrives_before_the_answer_and_verifies() {
    let shop = Shop::open().await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (url, _serving) = listen(Arc::clone(&heard)).await;
    shop.strike(Fault::NotifyFirst);
    let (query, form) =
        shop.signed_with("alipay.trade.pay", &order("A", CODE, "1.00"), &[("notify_url", &url)]);
    let answer = shop.send(&query, form).await.unwrap();
    assert_eq!(answer.outcome(), "10000", "{}", answer.raw);
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1, "it came before the answer, once");

    let mut fields: BTreeMap<String, String> = heard[0]
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let signature = fields.remove("sign").unwrap();
    fields.remove("sign_type").unwrap();
    let signed: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = STANDARD.decode(vector("keys")["gateway"]["spki_der"].as_str().unwrap()).unwrap();
    // The bare key stands behind the 24 bytes of a 2048-bit key's SubjectPublicKeyInfo.
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key[24..]);
    key.verify(signed.join("&").as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
    assert_eq!((fields["trade_status"].as_str(), fields["total_amount"].as_str()), ("TRADE_SUCCESS", "1.00"));
    let names = vector("alipay_notify")["body"].as_str().unwrap().to_owned();
    for name in names.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name) {
        assert!(name.starts_with("sign") || fields.contains_key(name), "{name} is missing");
    }
    let log: Value = serde_json::from_str(
        &shop.http.get(shop.url("/play/log")).send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    assert!(log.to_string().contains("alipay.notify"), "{log}");
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
