//! Wallets through the cloud, and stored value.

use super::shop::Shop;
use super::till::Till;
use crate::money::{Currency, Money};
use crate::record::ids::{IntentId, RefundId};
use crate::sim::gateway::{Fault, Rule, Stage};
use crate::token::{MemberRef, member_code};
use serde_json::{Value, json};

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn intent(byte: u8) -> IntentId {
    IntentId::draw(&[byte; 32], 0)
}

impl Till {
    async fn wallet(&self, provider: &str, call: &str, body: Value) -> (u16, Value) {
        let target = format!("/v1/terminals/{}/wallets/{provider}/{call}", self.id);
        self.call("POST", &target, body.to_string().as_bytes()).await
    }

    async fn pay(&self, provider: &str, intent: IntentId, minor: i64, code: &str) -> (u16, Value) {
        let body = json!({
            "intent": intent, "amount": yuan(minor), "subject": "Morning Cafe", "pay_code": code,
            "scene": "bar_code", "expires_in_s": 90,
        });
        self.wallet(provider, "pay", body).await
    }

    async fn refund(&self, provider: &str, intent: IntentId, refund: RefundId, minor: i64) -> (u16, Value) {
        let body = json!({ "intent": intent, "refund": refund, "amount": yuan(minor), "reason": null });
        self.wallet(provider, "refund", body).await
    }
}

/// A member with value loaded, and the code that the phone shows now.
struct Card {
    member: String,
    secret: Vec<u8>,
}

impl Card {
    async fn with(shop: &Shop, minor: i64) -> Self {
        let new = shop.cloud.admin().add_members(1).await.unwrap().remove(0);
        shop.cloud.admin().load(&new.member, yuan(minor), &new.member).await.unwrap();
        let digit = |at: usize| u8::from_str_radix(&new.secret[at..at + 2], 16).unwrap();
        Self { member: new.member.clone(), secret: (0..new.secret.len()).step_by(2).map(digit).collect() }
    }

    fn code(&self, now_ms: i64) -> String {
        member_code(self.member.parse::<MemberRef>().unwrap(), &self.secret, now_ms / 1000)
    }

    async fn has(&self, shop: &Shop) -> i64 {
        shop.cloud.admin().balance(&self.member, Currency::CNY).await.unwrap().minor
    }
}

#[tokio::test]
async fn a_till_takes_money_with_a_code_and_gives_it_back_through_the_cloud() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    let (status, answer) = till.pay("alipay", intent(1), 1280, "286802123456789012").await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["approved"]["total"], json!(yuan(1280)), "{answer}");
    let (_, again) = till.pay("alipay", intent(1), 1280, "286802123456789013").await;
    assert_eq!(again["approved"]["trade_no"], answer["approved"]["trade_no"], "asked, not sent again");
    let (first, second) = (RefundId::draw(&[1; 32], 0), RefundId::draw(&[2; 32], 0));
    assert_eq!(till.refund("alipay", intent(1), first, 1000).await, (200, json!("refunded")));
    // Alipay says that nothing moved at this call; whether it moved before is asked.
    let (_, again) = till.refund("alipay", intent(1), first, 1000).await;
    assert!(again["unsure"].is_object(), "{again}");
    let about = json!({ "intent": intent(1), "refund": first, "amount": yuan(1000), "reason": null });
    assert_eq!(till.wallet("alipay", "refund_query", about).await, (200, json!("refunded")));
    let (_, too_much) = till.refund("alipay", intent(1), second, 281).await;
    assert_eq!(too_much["declined"]["code"], "TILL.REFUND", "{too_much}");
    assert_eq!(
        till.refund("alipay", intent(1), RefundId::draw(&[3; 32], 0), 280).await,
        (200, json!("refunded"))
    );
}

#[tokio::test]
async fn a_refund_that_the_wallet_refused_is_sent_again_under_its_number_within_what_is_left() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    till.pay("alipay", intent(1), 1280, "286802123456789012").await;
    let gateway = shop.gateway.as_ref().unwrap();
    let empty = gateway.gateway().give_back(&intent(1).to_string(), till.now_ms()).unwrap();
    assert!(empty, "nothing is left to give back");
    let strike = |fault, times| {
        let method = Some("alipay.trade.refund".to_owned());
        gateway.faults().add(Rule { method, times: Some(times), ..Rule::of(fault) }).unwrap()
    };
    strike(Fault::Delay { ms: 1, stage: Stage::Answer }, 9);
    let (refused, other) = (RefundId::draw(&[1; 32], 0), RefundId::draw(&[2; 32], 0));
    for asked in 1..=2 {
        let (_, answer) = till.refund("alipay", intent(1), refused, 1000).await;
        assert!(answer["declined"].is_object(), "{answer}");
        assert_eq!(gateway.faults().hits()["delay"], asked, "the wallet itself is asked each time");
    }
    // Another refund may have gone through meanwhile: both together would be more than was paid.
    strike(Fault::DropRequest, 1);
    assert!(till.refund("alipay", intent(1), other, 1280).await.1["unsure"].is_object());
    let (_, too_much) = till.refund("alipay", intent(1), refused, 1000).await;
    assert_eq!(too_much["declined"]["code"], "TILL.REFUND", "{too_much}");
}

#[tokio::test]
async fn a_till_takes_a_wechat_code_and_gives_it_back_through_the_cloud() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    let (status, answer) = till.pay("wechat", intent(1), 1280, "131234567890123456").await;
    assert_eq!((status, &answer["approved"]["total"]), (200, &json!(yuan(1280))), "{answer}");
    let about = json!({ "intent": intent(1), "amount": yuan(1280) });
    let (_, asked) = till.wallet("wechat", "query", about.clone()).await;
    assert_eq!(asked["approved"]["trade_no"], answer["approved"]["trade_no"], "{asked}");
    let (_, elsewhere) = till.pay("alipay", intent(1), 1280, "286802123456789012").await;
    assert_eq!(elsewhere["type"], "intent_taken", "one intent, one wallet: {elsewhere}");
    let refund = RefundId::draw(&[1; 32], 0);
    assert_eq!(till.refund("wechat", intent(1), refund, 1280).await, (200, json!("refunded")));
    let (_, too_much) = till.refund("wechat", intent(1), RefundId::draw(&[2; 32], 0), 1).await;
    assert_eq!(too_much["declined"]["code"], "TILL.REFUND", "{too_much}");
}

#[tokio::test]
async fn a_payment_that_comes_after_its_end_is_never_sent() {
    let shop = Shop::with_wallet().await;
    let till = shop.till("till-1").await;
    let (_, ended) = till.wallet("alipay", "cancel", json!({ "intent": intent(1), "amount": null })).await;
    assert_eq!(ended, json!({ "cancelled": { "action": "closed" } }));
    let (_, late) = till.pay("alipay", intent(1), 500, "286802123456789012").await;
    assert_eq!(late, json!("closed"));
    let (_, asked) =
        till.wallet("alipay", "query", json!({ "intent": intent(1), "amount": yuan(500) })).await;
    assert_eq!(asked, json!("closed"));
}

#[tokio::test]
async fn another_tills_intent_is_nobodys_business() {
    let shop = Shop::with_wallet().await;
    let (one, two) = (shop.till("till-1").await, shop.till("till-2").await);
    one.pay("alipay", intent(1), 500, "286802123456789012").await;
    for call in ["query", "cancel"] {
        let (status, _) = two.wallet("alipay", call, json!({ "intent": intent(1), "amount": null })).await;
        assert_eq!(status, 409, "{call}");
    }
    assert_eq!(two.refund("alipay", intent(1), RefundId::draw(&[1; 32], 0), 500).await.0, 409);
    assert_eq!(two.pay("alipay", intent(1), 500, "286802123456789013").await.0, 409);
}

#[tokio::test]
async fn a_wallet_that_head_office_has_not_got_is_a_plain_no() {
    let shop = Shop::open().await;
    let till = shop.till("till-1").await;
    let (_, answer) = till.pay("wechat", intent(1), 500, "130000000000000000").await;
    assert_eq!(answer["declined"]["code"], "TILL.NO_WALLET", "{answer}");
}

#[tokio::test]
async fn stored_value_pays_once_for_each_code_and_never_below_nothing() {
    let shop = Shop::open().await;
    let till = shop.till("till-1").await;
    let card = Card::with(&shop, 2000).await;
    let code = card.code(till.now_ms());
    let (_, paid) = till.pay("house", intent(1), 1280, &code).await;
    assert_eq!(paid["approved"]["total"], json!(yuan(1280)), "{paid}");
    assert_eq!(card.has(&shop).await, 720);
    let (_, spent) = till.pay("house", intent(2), 100, &code).await;
    assert_eq!(spent["declined"]["code"], "HOUSE.STALE_CODE", "{spent}");
    shop.pass_ms(60_000);
    let (_, little) = till.pay("house", intent(3), 721, &card.code(till.now_ms())).await;
    assert_eq!(little["declined"]["code"], "HOUSE.TOO_LITTLE", "{little}");
    assert_eq!(card.has(&shop).await, 720);
}

#[tokio::test]
async fn stored_value_comes_back_by_refund_and_by_giving_up() {
    let shop = Shop::open().await;
    let till = shop.till("till-1").await;
    let card = Card::with(&shop, 2000).await;
    till.pay("house", intent(1), 1500, &card.code(till.now_ms())).await;
    let refund = RefundId::draw(&[1; 32], 0);
    assert_eq!(till.refund("house", intent(1), refund, 400).await, (200, json!("refunded")));
    assert_eq!(till.refund("house", intent(1), refund, 400).await, (200, json!("refunded")));
    assert_eq!(card.has(&shop).await, 900);
    let about = json!({ "intent": intent(1), "amount": null });
    let (_, ended) = till.wallet("house", "cancel", about.clone()).await;
    assert_eq!(ended, json!({ "cancelled": { "action": "refunded" } }));
    assert_eq!(till.wallet("house", "cancel", about).await.1, ended);
    assert_eq!(card.has(&shop).await, 2000);
    let count = shop.cloud.admin().count_ledger().await.unwrap();
    assert!(count.wrong.is_empty() && count.uneven.is_empty(), "{count:?}");
    assert_eq!(count.transfers, 4, "loaded, paid, a part back, the rest back");
}

#[tokio::test]
async fn a_repeated_loading_loads_once() {
    let shop = Shop::open().await;
    let card = Card::with(&shop, 2000).await;
    shop.cloud.admin().load(&card.member, yuan(2000), &card.member).await.unwrap();
    assert_eq!(card.has(&shop).await, 2000);
    assert!(shop.cloud.admin().load("nobody", yuan(1), "x").await.is_err());
    assert!(shop.cloud.admin().load(&card.member, yuan(0), "y").await.is_err());
}
