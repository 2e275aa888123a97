//! Pairing while strangers ask, too: whoever reaches the listener can draw a key and sign with it.
//!
//! Not here: what a decision changes (`office`).

use super::shop::Shop;
use crate::cloud::{Decision, PairingState};
use crate::token::fingerprint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

const LOOK: &str = "/v1/pairings/till-1";

#[tokio::test]
async fn a_stranger_who_asks_to_be_paired_takes_no_room_among_the_nonces_of_tills() {
    let shop = Shop::open().await;
    let stranger = shop.stranger("till-1");
    let body = json!({
        "terminal": "till-1", "name": "Counter", "public_key": BASE64.encode(stranger.key.public()),
    });
    let body = body.to_string();
    for _ in 0..2 {
        let asked =
            stranger.call_with("POST", "/v1/pairings", body.as_bytes(), "the-same", &stranger.key).await;
        assert_eq!((asked.0, &asked.1["state"]), (202, &json!("pending")), "{}", asked.1);
        let looked = stranger.call_with("GET", LOOK, b"", "the-same-look", &stranger.key).await;
        assert_eq!((looked.0, &looked.1["state"]), (200, &json!("pending")), "{}", looked.1);
    }
    assert_eq!(shop.cloud.admin().pairings().await.unwrap().len(), 1, "asked twice is asked once");

    let till = shop.till("till-2").await;
    let target = "/v1/terminals/till-2/bundle";
    assert_eq!(till.call_with("GET", target, b"", "once", &till.key).await.0, 200);
    let again = till.call_with("GET", target, b"", "once", &till.key).await;
    assert_eq!((again.0, &again.1["type"]), (401, &json!("replayed")), "{}", again.1);
}

#[tokio::test]
async fn a_till_can_be_approved_however_many_strangers_ask_under_its_name() {
    let shop = Shop::open().await;
    let (admin, id) = (shop.cloud.admin(), "till-1".parse().unwrap());
    let till = shop.stranger("till-1");
    assert_eq!(till.ask_pairing().await.0, 202);
    for _ in 0..2 {
        let mut waiting = vec![];
        for _ in 0..20 {
            shop.pass_ms(1_000);
            let stranger = shop.stranger("till-1");
            let (status, answer) = stranger.ask_pairing().await;
            if status == 202 {
                waiting.push(stranger);
            } else {
                assert_eq!((status, &answer["type"]), (503, &json!("unavailable")), "{answer}");
            }
        }
        assert_eq!(waiting.len(), 15, "as many keys as may wait under one name");
        assert_eq!(till.call("GET", LOOK, b"").await.1["state"], "pending");
        assert_eq!(shop.stranger("till-2").ask_pairing().await.0, 202, "another name has room of its own");
        // A manager clears the list, and there is room again.
        for stranger in waiting {
            shop.pass_ms(1_000);
            let print = fingerprint(&stranger.key.public());
            admin.decide_pairing(&id, &print, Decision::Refuse).await.unwrap();
            assert_eq!(stranger.call("GET", LOOK, b"").await.1["state"], "refused");
        }
    }
    let print = fingerprint(&till.key.public());
    admin.decide_pairing(&id, &print, Decision::Approve).await.unwrap();
    for _ in 0..20 {
        shop.pass_ms(1_000);
        shop.stranger("till-1").ask_pairing().await;
    }
    assert_eq!(till.call("GET", LOOK, b"").await.1["state"], "approved");
    let approved =
        admin.pairings().await.unwrap().into_iter().find(|one| one.public_key == till.key.public());
    assert_eq!(approved.unwrap().state, PairingState::Approved);
}
