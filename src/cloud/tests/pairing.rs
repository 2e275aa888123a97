//! Pairing while strangers ask, too: whoever reaches the listener can draw a key and sign with it.
//!
//! Not here: what a decision changes (`office`).

use super::shop::Shop;
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
