//! Refunds that do not go smoothly.

use super::*;
use crate::record::ids::RefundId;
use crate::sim::gateway::Stage;

const REFUND: &str = "alipay.trade.refund";

async fn paid() -> (Shop, Arc<Till>) {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &till).await;
    confirm(&shop, &wallet).await;
    notice_while_time_passes(&shop, &till, "order_paid").await;
    (shop, till)
}

fn strike(shop: &Shop, fault: Fault, times: u64) {
    let rule = Rule { method: Some(REFUND.to_owned()), times: Some(times), ..Rule::of(fault) };
    shop.gateway.as_ref().unwrap().faults().add(rule).unwrap();
}

async fn refund(till: &Till, minor: i64) -> Value {
    let body = json!({
        "refund": RefundId([1; 16]), "intent": INTENT, "amount": { "minor": minor, "currency": "CNY" }, "why": "cold",
    });
    let target = format!("/v1/terminals/{}/refunds", till.id);
    till.call("POST", &target, body.to_string().as_bytes()).await.1
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_found_done_by_asking() {
    let (shop, till) = paid().await;
    strike(&shop, Fault::DropAnswer, 1);
    for _ in 0..2 {
        assert_eq!(refund(&till, 2000).await["state"], "refunded");
    }
    let account = shop.gateway.as_ref().unwrap().gateway().orders(till.now_ms()).unwrap();
    assert_eq!(account, [INTENT.to_string()]);
}

#[tokio::test]
async fn a_refund_that_was_refused_is_asked_for_again_under_its_number() {
    let (shop, till) = paid().await;
    let gateway = shop.gateway.as_ref().unwrap().gateway();
    assert!(gateway.give_back(&INTENT.to_string(), till.now_ms()).unwrap(), "nothing is left to give back");
    strike(&shop, Fault::Delay { ms: 1, stage: Stage::Answer }, 9);
    for asked in 1..=2 {
        assert_eq!(refund(&till, 2600).await["state"], "refused");
        assert_eq!(gateway.faults().hits()["delay"], asked, "the wallet itself is asked each time");
    }
}
