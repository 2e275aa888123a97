//! Leases on their way down: asked for in time, believed only when the cloud signed them for this life of this till.

use super::shop::{EPOCH, Shop};
use crate::counter::event::Event;
use crate::record::Epoch;
use crate::record::epochs::Standing;
use crate::record::lease::Lease;
use crate::token::Purpose;
use crate::view::{Demand, LeaseView};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn lease(number: u64, epoch: Epoch) -> Lease {
    let terminal = "till-1".parse().unwrap();
    Lease { terminal, epoch, campaign: 9, number, uses: 20, until_s: 1_800_090_000 }
}

fn envelope(shop: &Shop, lease: &Lease, domain: &[u8]) -> Value {
    let (key, payload) = (shop.cloud.keys.key(Purpose::Bundle), serde_json::to_vec(lease).unwrap());
    let signature = BASE64.encode(key.sign(&[domain, &payload].concat()));
    let payload = BASE64.encode(&payload);
    json!({ "lease": { "key_id": key.key_id(), "signature": signature, "payload": payload } })
}

fn at_hand(left: u32, last: u64) -> Vec<LeaseView> {
    let demand = Demand::Selling;
    vec![LeaseView { campaign: 9, name: "First".to_owned(), name_zh: None, left, last, demand }]
}

fn polls(shop: &Shop) -> usize {
    shop.cloud.at().calls.iter().filter(|call| call.contains("/notices")).count()
}

fn asked(shop: &Shop) -> usize {
    shop.cloud.at().calls.iter().filter(|call| call.ends_with("/leases")).count()
}

#[tokio::test]
async fn more_of_a_quota_is_asked_for_before_it_is_used_up() {
    let mut shop = Shop::open().await;
    let answer = envelope(&shop, &lease(2, EPOCH), b"till/lease/1\n");
    shop.cloud.at().answers.insert("leases", answer);
    shop.show(|view| view.leases = at_hand(6, 1));
    shop.until("the cloud was heard", |shop| shop.board.link.borrow().heard_ms.is_some()).await;
    shop.write(1);
    shop.until("the record was received", |shop| shop.cloud.held() == 1).await;
    assert_eq!(asked(&shop), 0, "six are enough");
    shop.busy.store(1, Ordering::Relaxed);
    shop.show(|view| view.leases = at_hand(5, 1));
    // Busy once: it is asked for again and told again.
    assert_eq!(shop.event().await, Event::LeaseGranted(lease(2, EPOCH)));
    assert_eq!(shop.event().await, Event::LeaseGranted(lease(2, EPOCH)));
    shop.stop().await;
}

#[tokio::test]
async fn a_lease_that_is_not_signed_or_not_for_this_life_is_not_taken() {
    let mut shop = Shop::open().await;
    for answer in [
        envelope(&shop, &lease(1, EPOCH), b"till/bundle/1\n"),
        envelope(&shop, &lease(1, Epoch(7)), b"till/lease/1\n"),
        json!({ "lease": { "key_id": "0000000000000000", "signature": "", "payload": "" } }),
        json!({ "lease": null }),
    ] {
        shop.cloud.at().answers.insert("leases", answer);
        let before = asked(&shop);
        shop.show(|view| view.leases = at_hand(0, 0));
        shop.until("it was asked for", |shop| asked(shop) > before).await;
    }
    shop.stop().await;
    shop.no_event();
}

#[tokio::test]
async fn a_till_whose_books_nobody_has_adopted_asks_for_nothing() {
    let mut shop = Shop::open().await;
    let answer = envelope(&shop, &lease(1, EPOCH), b"till/lease/1\n");
    shop.cloud.at().answers.insert("leases", answer);
    shop.write(1);
    let show = |standing| {
        move |view: &mut crate::view::View| (view.standing, view.leases) = (standing, at_hand(0, 0))
    };
    shop.show(show(Standing::Provisional));
    shop.until("the record was received", |shop| shop.cloud.held() == 1).await;
    for _ in 0..3 {
        let before = polls(&shop);
        shop.show(show(Standing::Provisional));
        shop.until("the cloud was asked for news", |shop| polls(shop) > before).await;
    }
    assert_eq!(asked(&shop), 0);
    shop.show(show(Standing::Regular));
    assert_eq!(shop.event().await, Event::LeaseGranted(lease(1, EPOCH)));
    shop.stop().await;
}

#[tokio::test]
async fn what_was_given_back_unused_is_asked_for_again_when_somebody_shops() {
    let mut shop = Shop::open().await;
    let answer = envelope(&shop, &lease(2, EPOCH), b"till/lease/1\n");
    shop.cloud.at().answers.insert("leases", answer);
    shop.write(1);
    let quiet = || vec![LeaseView { demand: Demand::Quiet, ..at_hand(0, 1).remove(0) }];
    shop.show(|view| view.leases = quiet());
    shop.until("the record was received", |shop| shop.cloud.held() == 1).await;
    for _ in 0..3 {
        let before = polls(&shop);
        shop.show(|view| view.leases = quiet());
        shop.until("the cloud was asked for news", |shop| polls(shop) > before).await;
    }
    assert_eq!(asked(&shop), 0);
    shop.show(|view| view.leases = at_hand(0, 1));
    assert_eq!(shop.event().await, Event::LeaseGranted(lease(2, EPOCH)));
    shop.stop().await;
}
