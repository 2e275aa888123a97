//! Notices and bundles on their way down.

use super::shop::{EPOCH, Shop};
use super::stand_in::{CLOUD_MS, Fault, signed_keys};
use crate::bundle::{Content, content_hash};
use crate::counter::event::Event;
use crate::counter::refusal::Refusal;
use crate::inbox::LinkState;
use crate::journal::edge::EdgeStore;
use crate::keys::CloudKeys;
use crate::money::Currency;
use crate::record::Epoch;
use crate::record::ids::SaleId;
use crate::record::money_moves::{ProviderName, Ruling, Verdict};
use crate::sync::stored_bundle;
use serde_json::json;
use std::sync::atomic::Ordering;

fn verdict(number: u64) -> Verdict {
    Verdict {
        number,
        epoch: EPOCH,
        seq: 3,
        sale: None,
        ruling: Ruling::Refused,
        code: "coupon_already_used".to_owned(),
        words: "The coupon was used at till 3, 10:42.".to_owned(),
    }
}

fn content(keys: &CloudKeys, version: u64, name: &str) -> Vec<u8> {
    let content = Content {
        version,
        issued_at_s: u64::try_from(CLOUD_MS / 1000).unwrap(),
        shop: crate::bundle::Shop {
            name: name.to_owned(),
            address: vec![],
            thanks: String::new(),
            issuer: 1,
        },
        currency: Currency::CNY,
        time_zone: "Asia/Shanghai".to_owned(),
        day_cut_minutes: 240,
        items: vec![],
        menu: vec![],
        offers: vec![],
        campaigns: vec![],
        desks: vec![],
        keys: signed_keys(keys),
        revoked_serials: vec![],
        limits: crate::limits::Limits::default(),
        labels: None,
    };
    serde_json::to_vec(&content).unwrap()
}

fn name_in_force(shop: &Shop) -> Option<String> {
    shop.board.bundle.borrow().as_ref().map(|in_force| in_force.bundle.content.shop.name.clone())
}

#[tokio::test]
async fn a_verdict_is_behind_us_only_when_the_till_has_answered() {
    let mut shop = Shop::closed().await;
    shop.write(3);
    shop.busy.store(2, Ordering::Relaxed);
    shop.cloud.tell("verdict", json!({ "verdict": verdict(1) }));
    shop.cloud.tell("verdict", json!({ "verdict": verdict(2) }));
    shop.start();
    // Busy twice, then taken; the second only after the first.
    for number in [1, 1, 1, 2] {
        assert_eq!(shop.event().await, Event::Ruled(verdict(number)));
    }
    shop.until("the cursor moved", |shop| shop.edge.cursor().unwrap() == 2).await;
    shop.no_event();
    shop.stop().await;
}

#[tokio::test]
async fn a_verdict_that_meets_a_full_disk_comes_again() {
    let mut shop = Shop::closed().await;
    shop.write(3);
    shop.keeps = Refusal::DiskFull;
    shop.busy.store(2, Ordering::Relaxed);
    shop.cloud.tell("verdict", json!({ "verdict": verdict(1) }));
    shop.start();
    for _ in 0..3 {
        assert_eq!(shop.event().await, Event::Ruled(verdict(1)));
    }
    shop.until("the cursor moved", |shop| shop.edge.cursor().unwrap() == 1).await;
    shop.no_event();
    shop.stop().await;
}

#[tokio::test]
async fn notices_that_come_again_are_left_out() {
    let mut shop = Shop::closed().await;
    shop.write(3);
    shop.cloud.at().replay_notices = true;
    shop.cloud.tell("verdict", json!({ "verdict": verdict(1) }));
    shop.start();
    assert_eq!(shop.event().await, Event::Ruled(verdict(1)));
    shop.cloud.tell("verdict", json!({ "verdict": verdict(2) }));
    assert_eq!(shop.event().await, Event::Ruled(verdict(2)));
    shop.stop().await;
    shop.no_event();
}

#[tokio::test]
async fn a_verdict_on_a_record_that_went_with_lost_books_is_nobodys_here() {
    let mut shop = Shop::closed().await;
    shop.write(3);
    shop.cloud.tell("verdict", json!({ "verdict": Verdict { seq: 4, ..verdict(1) } }));
    shop.cloud.tell("verdict", json!({ "verdict": Verdict { epoch: Epoch(99), ..verdict(2) } }));
    shop.cloud.tell("verdict", json!({ "verdict": verdict(3) }));
    shop.start();
    assert_eq!(shop.event().await, Event::Ruled(verdict(3)));
    shop.until("the cursor moved", |shop| shop.edge.cursor().unwrap() == 3).await;
    shop.no_event();
    shop.stop().await;
}

#[tokio::test]
async fn phones_are_heard_and_an_unknown_kind_blocks_nothing() {
    let mut shop = Shop::open().await;
    let sale = SaleId([5; 16]);
    shop.cloud.tell("fortune", json!({ "cookie": "yes" }));
    shop.cloud.tell("order_requested", json!({ "sale": sale, "bill_version": 4, "provider": "wechat" }));
    shop.cloud.tell("coupon_offered", json!({ "sale": sale, "token": "C1.X" }));
    assert_eq!(
        shop.event().await,
        Event::OrderRequested { sale, bill_version: 4, provider: ProviderName::Wechat }
    );
    assert_eq!(shop.event().await, Event::CouponOffered { sale, token: "C1.X".to_owned() });
    shop.until("the cursor moved", |shop| shop.edge.cursor().unwrap() == 3).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_bundle_is_published_before_the_till_is_told_and_stays_over_a_restart() {
    let mut shop = Shop::open().await;
    let bytes = content(&shop.cloud.keys, 3, "Corner");
    shop.cloud.publish(3, &bytes);
    let hash = content_hash(&bytes);
    assert_eq!(shop.event().await, Event::BundleArrived { version: 3, hash });
    assert_eq!(name_in_force(&shop).as_deref(), Some("Corner"));
    shop.stop().await;

    // The next start has it before the cloud answers.
    shop.board.bundle.send_replace(None);
    for _ in 0..200 {
        shop.cloud.strike("terminals", Fault::Say(502, json!({}), None));
    }
    shop.start();
    assert_eq!(shop.event().await, Event::BundleArrived { version: 3, hash });
    assert_eq!(name_in_force(&shop).as_deref(), Some("Corner"));
    // Long after the key set's dates it is still what is sold with.
    let later = CLOUD_MS / 1000 + 10 * 86_400;
    assert_eq!(stored_bundle(&shop.edge, later).unwrap().bundle.content.version, 3);
    shop.stop().await;
}

#[tokio::test]
async fn a_bundle_that_fails_a_check_changes_nothing_and_is_shown() {
    let mut shop = Shop::open().await;
    let good = content(&shop.cloud.keys, 3, "Corner");
    shop.cloud.publish(3, &good);
    shop.event().await;

    let stranger = Shop::closed().await.cloud;
    let foreign_keys = content(&stranger.keys, 4, "Thief");
    let shown_as = [
        (2, content(&shop.cloud.keys, 2, "Old"), "never fall"),
        (5, content(&shop.cloud.keys, 4, "Liar"), "its envelope says 5 and it says 4"),
        (6, foreign_keys, "keys cannot be trusted"),
        (7, b"{}".to_vec(), "cannot be read"),
    ];
    for (version, bytes, words) in shown_as {
        shop.cloud.publish(version, &bytes);
        shop.until(words, |shop| shop.link().trouble.is_some_and(|trouble| trouble.contains(words))).await;
        assert_eq!(name_in_force(&shop).as_deref(), Some("Corner"), "{words}");
    }
    // A signature over other bytes.
    shop.cloud.publish(8, &content(&shop.cloud.keys, 8, "Next"));
    let next = shop.cloud.at().bundle.take().unwrap();
    let mut forged = next.clone();
    forged["signature"] = json!("A".repeat(86) + "==");
    forged["version"] = 9.into();
    shop.cloud.at().bundle = Some(forged);
    shop.until("forged", |shop| shop.link().trouble.is_some_and(|words| words.contains("signature"))).await;
    shop.no_event();

    // A good one clears it.
    shop.cloud.at().bundle = Some(next);
    assert!(matches!(shop.event().await, Event::BundleArrived { version: 8, .. }));
    shop.until("the trouble is over", |shop| shop.link().trouble.is_none()).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_till_that_the_cloud_forgot_asks_to_be_paired_again_and_keeps_its_root() {
    let mut shop = Shop::open().await;
    shop.until("it is online", |shop| shop.link().state == LinkState::Online).await;
    let before = paired(&shop.edge);
    let unpaired = json!({ "type": "urn:till:problem:unpaired", "detail": "No till is paired as till-1." });
    for _ in 0..3 {
        shop.cloud.strike("notices", Fault::Say(401, unpaired.clone(), None));
    }
    shop.cloud.at().calls.clear();
    shop.until("it asked", |shop| shop.cloud.at().calls.contains(&"POST /v1/pairings".to_owned())).await;
    shop.until("it is online", |shop| shop.link().state == LinkState::Online).await;
    assert_eq!(shop.link().fingerprint, None);
    assert_eq!(paired(&shop.edge), before);
    shop.stop().await;
}

fn paired(edge: &EdgeStore) -> Vec<u8> {
    edge.paired().unwrap().unwrap()
}
