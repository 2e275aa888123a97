//! Notifications that the simulator signs, delivered by hand so that each repetition is known.

use super::shop::Shop;
use super::till::Till;
use crate::money::{Currency, Money};
use crate::record::ids::IntentId;
use crate::sim::gateway::{Decision, Fault, Notice, Rule};
use serde_json::{Value, json};

/// Longer than any pause of a wallet's schedule here. WeChat Pay's first ones are short, and a clock that is five
/// minutes off believes nothing of it.
const ALIPAY_LATER_MS: i64 = 60 * 60 * 1_000;
const WECHAT_LATER_MS: i64 = 20_000;

fn intent(byte: u8) -> IntentId {
    IntentId::draw(&[byte; 32], 0)
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn on_notify(fault: Fault) -> Rule {
    Rule { method: Some("notify".into()), times: Some(1), ..Rule::of(fault) }
}

impl Till {
    async fn wallet_call(&self, provider: &str, call: &str, body: Value) -> Value {
        let target = format!("/v1/terminals/{}/wallets/{provider}/{call}", self.id);
        let (status, answer) = self.call("POST", &target, body.to_string().as_bytes()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn told(&self) -> Vec<Value> {
        let answer = self.notices(0, 0).await;
        let notices = answer["notices"].as_array().unwrap().iter();
        notices.filter(|notice| notice["kind"] == "payment_told").cloned().collect()
    }
}

impl Shop {
    fn fault(&self, fault: Fault) {
        self.gateway.as_ref().unwrap().faults().add(on_notify(fault)).unwrap();
    }

    /// The next attempt that the network delivers; the clock moves to it.
    fn attempt(&self, later_ms: i64) -> Notice {
        let gateway = self.gateway.as_ref().unwrap().gateway();
        for _ in 0..10 {
            self.pass_ms(later_ms);
            let now_ms = self.now_ms.load(std::sync::atomic::Ordering::SeqCst);
            if let Some(notice) = gateway.notices(now_ms).unwrap().pop() {
                return notice;
            }
        }
        panic!("the simulator has nothing to tell");
    }

    async fn deliver(&self, notice: &Notice, body: &[u8]) -> (u16, String) {
        let address = self.address(&notice.request.target);
        let mut request = self.http.post(address).body(body.to_vec());
        for (name, value) in &notice.request.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// A payment by code that went well, and of whose first notification nothing was heard.
async fn paid(shop: &Shop, till: &Till) {
    shop.fault(Fault::DropRequest);
    let body = json!({
        "intent": intent(1), "amount": yuan(1280), "subject": "Morning Cafe",
        "pay_code": "286802123456789012", "scene": "bar_code", "expires_in_s": 90,
    });
    let answer = till.wallet_call("alipay", "pay", body).await;
    assert!(answer["approved"].is_object(), "{answer}");
}

#[tokio::test]
async fn a_payment_that_alipay_reports_again_and_again_reaches_the_till_once() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    paid(&shop, &till).await;
    let notice = shop.attempt(ALIPAY_LATER_MS);
    assert_eq!(notice.request.target, "/v1/notify/alipay");
    for _ in 0..3 {
        let taken = shop.deliver(&notice, &notice.request.body).await;
        assert_eq!(taken, (200, "success".to_owned()));
    }
    let told = till.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["intent"], &told[0]["settled"]["total"]), (&json!(intent(1)), &json!(yuan(1280))));
    assert!(till.told().await == told, "it stays until the till asks for what comes after");
}

#[tokio::test]
async fn what_alipay_did_not_sign_or_says_of_another_amount_is_refused() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    paid(&shop, &till).await;
    shop.fault(Fault::WrongAmount { by_fen: 1 });
    let wrong = shop.attempt(ALIPAY_LATER_MS);
    assert_eq!(shop.deliver(&wrong, &wrong.request.body).await, (400, "failure".to_owned()));
    let notice = shop.attempt(ALIPAY_LATER_MS);
    let text = String::from_utf8(notice.request.body.clone()).unwrap();
    let changed = text.replace("total_amount=12.80", "total_amount=12.81");
    assert_ne!(changed, text);
    assert_eq!(shop.deliver(&notice, changed.as_bytes()).await, (400, "failure".to_owned()));
    assert_eq!(shop.deliver(&notice, b"").await, (400, "failure".to_owned()));
    assert!(till.told().await.is_empty());
    assert_eq!(shop.deliver(&notice, text.as_bytes()).await.0, 200);
    assert_eq!(till.told().await.len(), 1);
}

#[tokio::test]
async fn an_old_word_of_a_payment_that_went_back_tells_the_till_nothing() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    paid(&shop, &till).await;
    let notice = shop.attempt(ALIPAY_LATER_MS);
    till.wallet_call("alipay", "cancel", json!({ "intent": intent(1), "amount": null })).await;
    assert_eq!(shop.deliver(&notice, &notice.request.body).await, (200, "success".to_owned()));
    assert!(till.told().await.is_empty());
}

#[tokio::test]
async fn a_scanned_code_that_wechat_reports_reaches_the_till_before_it_asks() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    let body = json!({
        "intent": intent(2), "amount": yuan(900), "subject": "Morning Cafe", "expires_in_s": 90,
    });
    let opened = till.wallet_call("wechat", "precreate", body).await;
    assert!(opened["ready"]["qr_text"].is_string(), "{opened}");
    shop.fault(Fault::DropRequest);
    let gateway = shop.gateway.as_ref().unwrap().gateway();
    assert!(gateway.decide(&intent(2).to_string(), Decision::Pay, super::shop::START_MS).unwrap());
    let notice = shop.attempt(WECHAT_LATER_MS);
    assert_eq!(notice.request.target, "/v1/notify/wechat");
    let mut forged = notice.request.body.clone();
    forged.push(b' ');
    assert_eq!(shop.deliver(&notice, &forged).await.0, 401);
    assert!(till.told().await.is_empty());
    for _ in 0..2 {
        assert_eq!(shop.deliver(&notice, &notice.request.body).await, (204, String::new()));
    }
    let told = till.told().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["settled"]["total"], json!(yuan(900)));
}

#[tokio::test]
async fn a_cloud_without_accounts_takes_no_notifications() {
    let shop = Shop::open().await;
    for wallet in ["alipay", "wechat"] {
        let page = shop.post(&format!("/v1/notify/{wallet}"), "a=b", None).await;
        assert_eq!(page.status, 404, "{wallet}: {}", page.text);
    }
}
