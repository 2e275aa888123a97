//! Managers' acts on records that head office has received: held, released, ruled on again, resolved.

use super::shop::{START_MS, Shop};
use super::till::Till;
use crate::cloud::handed_out::{autumn, redeemed, serial};
use crate::money::{Currency, Money};
use crate::record::Record;
use crate::record::body::Body;
use crate::record::queue_act::{QueueAct, Resolution, Subject};
use serde_json::{Value, json};

fn act(till: &mut Till, seq: u64, act: QueueAct) -> Record {
    let subject = Some(Subject { epoch: till.epoch, seq });
    till.write(Body::QueueActed { subject, act, words: "The customer came back.".to_owned() })
}

async fn coupon(shop: &Shop) -> (String, String) {
    let text = shop.cloud.admin().issue_coupons(&autumn(START_MS, 1)).await.unwrap().remove(0);
    let serial = serial(&shop.folder.path().join("cloud"), &text, START_MS);
    (text, serial)
}

fn redeem(till: &mut Till, (token, serial): &(String, String)) -> Record {
    let serial = serial.clone();
    till.write_with(redeemed(token), |header| header.serial = Some(serial))
}

fn codes(verdicts: &[Value]) -> Vec<(&str, u64)> {
    fn pair(verdict: &Value) -> (&str, u64) {
        (verdict["code"].as_str().unwrap(), verdict["seq"].as_u64().unwrap())
    }
    verdicts.iter().map(pair).collect()
}

async fn open_tasks(shop: &Shop) -> Vec<String> {
    shop.cloud.admin().tasks().await.unwrap().into_iter().map(|task| task.code).collect()
}

#[tokio::test]
async fn what_is_held_has_no_effect_until_it_is_released() {
    let shop = Shop::open().await;
    let (mut till, mut other) = (shop.till("till-1").await, shop.till("till-2").await);
    let coupon = coupon(&shop).await;
    let (spent, held) = (redeem(&mut till, &coupon), act(&mut till, 1, QueueAct::Hold));
    // The act itself comes in a later batch: what is held is named with the record.
    let mut batch = till.batch(&[spent]);
    batch["held"] = json!([1]);
    let (status, _) = till.call("POST", &till.records_target(), batch.to_string().as_bytes()).await;
    assert_eq!(status, 200);
    assert_eq!(codes(&till.verdicts(1).await), [("held", 1)]);
    till.send_well(&[held]).await;
    assert_eq!(open_tasks(&shop).await, ["held"]);
    // Somebody else is first meanwhile.
    let elsewhere = redeem(&mut other, &coupon);
    other.send_well(&[elsewhere]).await;
    assert_eq!(codes(&other.verdicts(1).await), [("coupon_redeemed", 1)]);
    let release = act(&mut till, 1, QueueAct::Release);
    till.send_well(&[release]).await;
    assert_eq!(codes(&till.verdicts(2).await), [("held", 1), ("coupon_already_used", 1)]);
    assert_eq!(open_tasks(&shop).await, ["coupon_already_used"]);
    let again = act(&mut till, 1, QueueAct::Release);
    till.send_well(&[again]).await;
    assert_eq!(codes(&till.verdicts(3).await)[2], ("act_in_vain", 4));
}

#[tokio::test]
async fn a_refused_record_is_ruled_on_again_when_a_manager_asks() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let total = Money::new(100, Currency::CNY);
    let receipt = |till: &mut Till, number| {
        till.write_with(Body::ReceiptIssued { total }, |header| header.receipt = Some(number))
    };
    let records = [receipt(&mut till, 1), receipt(&mut till, 3), act(&mut till, 2, QueueAct::Retry)];
    till.send_well(&records).await;
    assert_eq!(
        codes(&till.verdicts(2).await),
        [("receipt_gap", 2), ("receipt_gap", 2)],
        "each time an answer"
    );
    assert_eq!(open_tasks(&shop).await, ["receipt_gap"]);
    let records = [receipt(&mut till, 2), act(&mut till, 2, QueueAct::Retry)];
    till.send_well(&records).await;
    let verdicts = till.verdicts(4).await;
    assert_eq!(codes(&verdicts)[2..], [("receipt_gap", 4), ("ruled_again", 2)]);
    assert_eq!(verdicts[3]["ruling"], "accepted");
    let resolve = act(&mut till, 4, QueueAct::Resolve { how: Resolution::WrittenOff });
    let never = act(&mut till, 900, QueueAct::Retry);
    till.send_well(&[resolve, never]).await;
    assert_eq!(codes(&till.verdicts(5).await)[4], ("act_in_vain", 7));
    assert_eq!(open_tasks(&shop).await, ["act_in_vain"], "what is resolved needs nobody any more");
}

#[tokio::test]
async fn a_hold_that_comes_too_late_is_said_and_changes_nothing() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let coupon = coupon(&shop).await;
    let (spent, hold) = (redeem(&mut till, &coupon), act(&mut till, 1, QueueAct::Hold));
    till.send_well(&[spent, hold]).await;
    assert_eq!(codes(&till.verdicts(2).await), [("coupon_redeemed", 1), ("act_in_vain", 2)]);
    // Ruled on again, a coupon that this very record spent stays spent by it.
    let retry = act(&mut till, 1, QueueAct::Retry);
    till.send_well(&[retry]).await;
    assert_eq!(codes(&till.verdicts(3).await)[2], ("coupon_redeemed", 1));
}

#[tokio::test]
async fn a_hold_that_was_released_before_its_record_was_sent_leaves_no_trace() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let coupon = coupon(&shop).await;
    let spent = redeem(&mut till, &coupon);
    let acts = [act(&mut till, 1, QueueAct::Hold), act(&mut till, 1, QueueAct::Release)];
    let mut batch = till.batch(&[spent]);
    batch["taken_back"] = json!([2, 3, u64::MAX]);
    let (status, _) = till.call("POST", &till.records_target(), batch.to_string().as_bytes()).await;
    assert_eq!(status, 200);
    till.send_well(&acts).await;
    // What is held after all, when it has been ruled on, is still told that it is too late.
    let late = act(&mut till, 1, QueueAct::Hold);
    till.send_well(&[late]).await;
    assert_eq!(codes(&till.verdicts(2).await), [("coupon_redeemed", 1), ("act_in_vain", 4)]);
}

#[tokio::test]
async fn an_act_about_a_number_that_no_record_can_have_is_in_vain_and_holds_up_nobody() {
    let shop = Shop::open().await;
    let (mut till, mut other) = (shop.till("till-1").await, shop.till("till-2").await);
    let records = [
        act(&mut till, u64::MAX, QueueAct::Retry),
        act(&mut till, u64::MAX, QueueAct::Resolve { how: Resolution::WrittenOff }),
    ];
    till.send_well(&records).await;
    let coupon = coupon(&shop).await;
    let spent = redeem(&mut other, &coupon);
    other.send_well(&[spent]).await;
    assert_eq!(codes(&other.verdicts(1).await), [("coupon_redeemed", 1)]);
    assert_eq!(codes(&till.verdicts(2).await), [("act_in_vain", 1), ("act_in_vain", 2)]);
}

#[tokio::test]
async fn a_stream_that_cannot_be_judged_is_passed_over() {
    let shop = Shop::open().await;
    let (mut till, mut other) = (shop.till("till-1").await, shop.till("till-2").await);
    let coupon = coupon(&shop).await;
    // A row that a bad disk has changed: nothing reads it any more.
    let path = shop.folder.path().join("cloud/cloud.db");
    #[allow(clippy::disallowed_methods)] // a stranger's hand in the store
    let disk = rusqlite::Connection::open(path).unwrap();
    let flip = "CREATE TRIGGER flip AFTER INSERT ON record WHEN NEW.terminal = 'till-1'
                BEGIN UPDATE record SET hash = 'x' WHERE terminal = 'till-1'; END";
    disk.execute_batch(flip).unwrap();
    let first = act(&mut till, 1, QueueAct::Retry);
    till.send_well(&[first]).await;
    let spent = redeem(&mut other, &coupon);
    other.send_well(&[spent]).await;
    assert_eq!(codes(&other.verdicts(1).await), [("coupon_redeemed", 1)]);
}
