//! Refunds that do not go smoothly.

use super::unheard::{drawn_as, intent_of, moved, pay, silent};
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
    refund_of(till, INTENT, minor).await
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

/// Until something is so; the settler looks in its own time. Bounded.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{what}");
}

fn asked(shop: &Shop) -> u64 {
    shop.gateway.as_ref().unwrap().faults().hits().get("delay").copied().unwrap_or(0)
}

#[tokio::test]
async fn late_money_that_the_wallet_refuses_to_give_back_is_tried_every_hour_until_a_manager_settles_it() {
    let (shop, till) = paid().await;
    let gateway = shop.gateway.as_ref().unwrap().gateway();
    assert!(gateway.give_back(&INTENT.to_string(), till.now_ms()).unwrap(), "nothing is left to give back");
    strike(&shop, Fault::Delay { ms: 1, stage: Stage::Answer }, 9);
    shop.cloud.admin().give_back_order(INTENT).await.unwrap();
    until("a task", async || !shop.cloud.admin().tasks().await.unwrap().is_empty()).await;
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!((tasks.len(), tasks[0].code.as_str()), (1, "late_refund_refused"), "{tasks:?}");
    for hour in 2..=3 {
        until("the wallet is asked again", async || {
            shop.pass_ms(60_000);
            asked(&shop) == hour
        })
        .await;
    }
    assert_eq!(shop.cloud.admin().tasks().await.unwrap().len(), 1);
    assert_eq!(refund(&till, 2600).await["state"], "pending");
    // The customer has it in cash: it must not go back a second time.
    shop.cloud.admin().settle_task(tasks[0].number).await.unwrap();
    until("nobody looks any more", async || {
        shop.pass_ms(60_000);
        rows(&shop, "SELECT intent FROM order_claim WHERE due_ms IS NOT NULL").is_empty()
    })
    .await;
    assert_eq!(refund(&till, 2600).await["state"], "refused", "nobody waits for ever");
    assert_eq!(asked(&shop), 3);
}

fn rows(shop: &Shop, sql: &str) -> Vec<String> {
    super::unheard::rows(&shop.folder.path().join("cloud/cloud.db"), sql)
}

async fn refund_of(till: &Till, intent: IntentId, minor: i64) -> Value {
    let body = json!({
        "refund": RefundId([1; 16]), "intent": intent, "amount": { "minor": minor, "currency": "CNY" }, "why": "cold",
    });
    let target = format!("/v1/terminals/{}/refunds", till.id);
    till.call("POST", &target, body.to_string().as_bytes()).await.1
}

#[tokio::test]
async fn what_a_till_has_on_its_list_as_refused_goes_back_by_a_managers_word_alone() {
    let (shop, mut till, order) = silent().await;
    let intent = intent_of(&order);
    pay(&shop, &till, &order).await;
    let gateway = shop.gateway.as_ref().unwrap().gateway();
    assert!(gateway.give_back(&intent.to_string(), till.now_ms()).unwrap());
    assert_eq!(refund_of(&till, intent, 2600).await["state"], "refused");
    let drawn = till.write_in(SALE, drawn_as(&order));
    let abandoned = till.write_in(SALE, Body::Abandoned { intent, why: "its time is up".to_owned() });
    till.send_well(&[drawn, abandoned]).await;
    // The till's manager may have given it in cash: the cloud does not try behind their back.
    until("the cloud to have looked", async || {
        shop.pass_ms(10_000);
        rows(&shop, "SELECT state FROM order_claim WHERE due_ms IS NULL") == ["paid"]
    })
    .await;
    shop.cloud.admin().give_back_order(intent).await.unwrap();
    until("a task says what the wallet says", async || {
        shop.cloud.admin().tasks().await.unwrap().iter().any(|task| task.code == "late_refund_refused")
    })
    .await;
    assert_eq!(rows(&shop, "SELECT state FROM order_claim"), ["paid_late"]);
}

#[tokio::test]
async fn a_managers_word_about_a_refund_that_the_wallet_then_refuses_leaves_a_task_and_a_way_on() {
    let (shop, till, order) = silent().await;
    let intent = intent_of(&order);
    pay(&shop, &till, &order).await;
    strike(&shop, Fault::DropRequest, 1);
    assert_eq!(refund_of(&till, intent, 2000).await["state"], "pending");
    let gateway = shop.gateway.as_ref().unwrap().gateway();
    assert!(gateway.give_back(&intent.to_string(), till.now_ms()).unwrap(), "nothing is left to give back");
    let task_of = async |code: &str| {
        until("a task", async || {
            shop.pass_ms(1_000);
            shop.cloud.admin().tasks().await.unwrap().iter().any(|task| task.code == code)
        })
        .await;
    };
    shop.cloud.admin().give_back_order(intent).await.unwrap();
    task_of("till_refund_refused").await;
    shop.cloud.admin().give_back_order(intent).await.unwrap();
    task_of("late_refund_refused").await;
}

#[tokio::test]
async fn a_refund_whose_till_is_gone_is_finished_under_its_number_when_a_manager_says_so() {
    let (shop, till, order) = silent().await;
    let intent = intent_of(&order);
    pay(&shop, &till, &order).await;
    strike(&shop, Fault::DropRequest, 1);
    assert_eq!(refund_of(&till, intent, 2000).await["state"], "pending");
    shop.cloud.admin().give_back_order(intent).await.unwrap();
    until("the refund is driven", async || {
        shop.pass_ms(1_000);
        rows(&shop, "SELECT state FROM refund") == ["refunded"]
    })
    .await;
    assert_eq!(moved(&shop, intent), ["capture 2600", "refund 2000"], "what was asked for, and once");
    assert_eq!(refund_of(&till, intent, 2000).await["state"], "refunded", "the till is told when it is back");
}
