//! What customers do by the clock, at either wallet.

use serde_json::json;

use super::{
    client::{CODE, Shop, order},
    merchant::Merchant,
};
use crate::sim::gateway::{Discount, Fault, Manner, Rule};

#[tokio::test]
async fn a_customer_confirms_after_a_while_at_the_time_that_was_set() {
    let shop = Shop::open().await;
    let manner = json!({ "usual": { "does": "confirm_after", "after_ms": 3000 } });
    assert_eq!(shop.post("/play/customers", &manner).await.0, 200);
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "10003");
    shop.pass(10_000);
    let answer = shop.ask("query", json!({ "out_trade_no": "A" })).await;
    assert_eq!(
        (answer.text("trade_status"), answer.text("gmt_payment")),
        ("TRADE_SUCCESS", "2024-01-02 03:04:08")
    );
    let content = json!({ "out_trade_no": "Q", "subject": "s", "total_amount": "1.00" });
    shop.ask("precreate", content).await;
    shop.pass(3_000);
    assert_eq!(shop.status("Q").await, "TRADE_SUCCESS");
}

#[tokio::test]
async fn money_that_moves_after_the_cancel_is_seen_and_can_be_given_back() {
    let shop = Shop::open().await;
    let manner = json!({ "out_trade_no": "A", "manner": { "does": "pay_after_cancel", "after_ms": 500 } });
    assert_eq!(shop.post("/play/customers", &manner).await.0, 200);
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "10003");
    shop.pass(60_000);
    assert_eq!(shop.status("A").await, "WAIT_BUYER_PAY");
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.text("action"), "close");
    assert_eq!(shop.status("A").await, "TRADE_CLOSED");
    shop.pass(500);
    assert_eq!(shop.status("A").await, "TRADE_SUCCESS");
    assert_eq!(shop.captures(), 1);
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.text("action"), "refund");
    shop.pass(60_000);
    assert_eq!((shop.status("A").await.as_str(), shop.captures()), ("TRADE_CLOSED", 1));
}

#[tokio::test]
async fn one_who_pays_between_the_last_query_and_the_cancel_gets_the_money_back() {
    let shop = Shop::open().await;
    let walk = json!({ "out_trade_no": "A", "manner": { "does": "walk_away" } });
    shop.post("/play/customers", &walk).await;
    shop.pay("A", CODE, "1.00").await;
    shop.gateway()
        .faults()
        .add(Rule { method: Some("cancel".into()), ..Rule::of(Fault::PaidBefore) })
        .unwrap();
    assert_eq!(shop.status("A").await, "WAIT_BUYER_PAY");
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.text("action"), "refund");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_discount_follows_the_wallets_own_worked_example() {
    let shop = Shop::open().await;
    shop.strike(Fault::Discounted(Discount { merchant: 800, platform: 500, points: 200 }));
    let answer = shop.ask("pay", order("A", CODE, "100.00")).await;
    let told = ["total_amount", "receipt_amount", "buyer_pay_amount", "invoice_amount", "point_amount"];
    assert_eq!(told.map(|name| answer.text(name)), ["100.00", "92.00", "87.00", "85.00", "2.00"]);
    let funds = answer.node["fund_bill_list"].as_array().unwrap();
    let funds: Vec<_> = funds.iter().map(|fund| fund["amount"].as_str().unwrap()).collect();
    assert_eq!(funds, ["85.00", "2.00", "5.00", "8.00"]);
    assert_eq!(answer.node["voucher_detail_list"][0]["merchant_contribute"], "8.00");
}

#[test]
fn the_same_requests_at_the_same_times_get_the_same_bytes() {
    let run = || {
        let shop = Merchant::new();
        assert!(shop.gateway.customers().set("A", Manner::ConfirmAfter { after_ms: 10 }));
        let request = shop.signed(
            "POST",
            "/v3/pay/transactions/codepay",
            &Merchant::order("A", super::merchant::CODE, 100).to_string(),
        );
        let first = shop.send(&request);
        shop.pass(10);
        (first, shop.query("A").body)
    };
    assert_eq!(run(), run());
}
