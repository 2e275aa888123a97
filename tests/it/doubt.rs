//! A wallet whose word cannot be trusted or is not heard: asked again, never paid again.

use crate::counter::{Counter, WATER, text};
use serde_json::{Value, json};

/// Sells a water by pay code with a fault on it. The intent, and the shop.
async fn sold_with(fault: Value) -> (String, String, Counter) {
    let counter = Counter::open().await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("pay", &[]).await;
    let code = counter.shop.pay_code().await.unwrap();
    let mut rule = fault;
    rule["pay_code"] = json!(code);
    rule["times"] = json!(1);
    counter.shop.add_fault(rule).await.unwrap();
    counter.shop.scan(&code).unwrap();
    counter.paid(&sale).await;
    let intent = counter.intent_of(&sale).await;
    (sale, intent, counter)
}

async fn is_paid_once_after_doubt(fault: Value) {
    let kind = text(&fault["kind"]);
    let (sale, intent, counter) = sold_with(fault).await;
    assert_eq!(counter.shop.fault_hits().await.unwrap()[&kind], 1);
    let closed = counter.close().await;
    let kinds = closed.books.kinds_of_sale(&sale);
    let of_money: Vec<&str> = kinds
        .iter()
        .map(String::as_str)
        .filter(|kind| ["intent_drawn", "unsure", "pending", "approved", "receipt_issued"].contains(kind))
        .collect();
    assert_eq!(of_money, ["intent_drawn", "unsure", "approved", "receipt_issued"], "{kind}: {kinds:?}");
    assert_eq!(closed.books.money_of(&intent), ["capture 200"], "{kind}");
    assert_eq!(closed.books.requests_of(&intent, "alipay.trade.pay"), 1, "{kind}: the code is sent once");
    closed.counts("receipts", 1);
    closed.counts("approved", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_wrong_signature_is_asked_about_and_approved_once() {
    is_paid_once_after_doubt(json!({"kind": "wrong_signature"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_signature_is_asked_about_and_approved_once() {
    is_paid_once_after_doubt(json!({"kind": "missing_signature"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_about_and_approved_once() {
    is_paid_once_after_doubt(json!({"kind": "drop_answer"})).await;
}
