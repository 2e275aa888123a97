//! Head office: pairing, publishing, and the sheet of codes.

use super::shop::{Shop, clock_of, defaults};
use crate::bundle::{Bundle, Desk};
use crate::cloud::{Admin, AdminError, Config, Decision, Error, PairingState, start};
use crate::token::{Purpose, fingerprint};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::net::SocketAddr;

#[tokio::test]
async fn a_key_becomes_a_till_only_when_a_manager_says_so() {
    let shop = Shop::open().await;
    let till = shop.stranger("till-1");
    let (_, asked) = till.ask_pairing().await;
    assert_eq!(
        (&asked["state"], &asked["device_fingerprint"]),
        (&json!("pending"), &json!(fingerprint(&till.key.public())))
    );
    let look = "/v1/pairings/till-1";
    assert_eq!(till.call("GET", look, b"").await.1["state"], "pending");
    let (admin, id) = (shop.cloud.admin(), "till-1".parse().unwrap());
    assert_eq!(asked["root_fingerprint"], json!(admin.root_fingerprint()));
    let wrong = admin.decide_pairing(&id, "AAAA-AAAA-AAAA-AAAA", Decision::Approve).await;
    assert!(matches!(wrong, Err(AdminError::NoSuchPairing(_))));
    let print = fingerprint(&till.key.public());
    admin.decide_pairing(&id, &print, Decision::Approve).await.unwrap();
    assert_eq!(till.call("GET", look, b"").await.1["state"], "approved");

    let usurper = shop.stranger("till-1");
    assert_eq!(usurper.ask_pairing().await.1["state"], "pending");
    assert_eq!(usurper.call("GET", "/v1/terminals/till-1/notices", b"").await.0, 401);
    assert_eq!(till.notices(0, 0).await["high"], 0, "the old key keeps working");
    let pairings = admin.pairings().await.unwrap();
    assert_eq!((pairings.len(), pairings[0].state), (2, PairingState::Pending));
    let print = fingerprint(&usurper.key.public());
    admin.decide_pairing(&id, &print, Decision::Refuse).await.unwrap();
    assert_eq!(usurper.call("GET", look, b"").await.1["state"], "refused");
}

#[tokio::test]
async fn a_bundle_published_by_another_process_reaches_the_till_signed() {
    let shop = Shop::open().await;
    let till = shop.till("till-1").await;
    let target = "/v1/terminals/till-1/bundle";
    let (_, first) = till.call("GET", target, b"").await;
    assert_eq!(first["version"], 1);
    let beside = Admin::open(&shop.folder.path().join("cloud"), &defaults(), clock_of(&shop.now_ms)).await;
    let beside = beside.unwrap();
    let imported = beside.import_catalogue(include_bytes!("../../sim/demo/catalogue.csv")).await.unwrap();
    assert_eq!(imported.version, 2);
    for _ in 0..20 {
        if till.notices(0, 1_000).await["bundle_version"] == 2 {
            break;
        }
    }
    let (_, envelope) = till.call("GET", target, b"").await;
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let signature = BASE64.decode(envelope["signature"].as_str().unwrap()).unwrap();
    let bundle = Bundle::open(&payload).unwrap();
    assert_eq!((bundle.content.version, bundle.content.shop.name.as_str()), (2, "Morning Cafe"));
    assert!(bundle.catalogue.item("latte").is_some());
    let signed: crate::token::SignedKeySet = serde_json::from_value(bundle.content.keys).unwrap();
    let (_, pairing) = till.call("GET", "/v1/pairings/till-1", b"").await;
    let root = BASE64.decode(pairing["root"].as_str().unwrap()).unwrap().try_into().unwrap();
    let now_s = till.now_ms() / 1000;
    let keys = signed.verify(&root, now_s).unwrap();
    let id = envelope["key_id"].as_str().unwrap().parse().unwrap();
    let covered = [b"till/bundle/1\n", payload.as_slice()].concat();
    assert_eq!(keys.check(Purpose::Bundle, id, &covered, &signature, now_s), Ok(()));

    let broken = beside.import_catalogue(b"sku,name,price\na,A,1.234\n").await;
    let Err(AdminError::Catalogue(errors)) = broken else { panic!("it was imported") };
    assert_eq!(errors[0].line, Some(2));
    assert_eq!(till.notices(0, 0).await["bundle_version"], 2, "nothing was published");
}

#[tokio::test]
async fn head_office_sees_its_tills_and_prints_its_desks() {
    let shop = Shop::open().await;
    shop.till("till-1").await;
    let desk = Desk { id: "table-4".parse().unwrap(), name: "Table 4".to_owned() };
    shop.cloud.admin().add_desk(desk).await.unwrap();
    let index = shop.page("/", None).await;
    assert!(index.text.contains("till-1") && index.text.contains("Nothing needs a decision"));
    assert!(shop.page("/desks", None).await.text.contains("/d/table-4"));
    let code = shop.page("/desks/table-4", None).await;
    assert!(code.text.contains("<svg"), "{}", code.text);
    let relayed = shop.http.get(shop.address("/")).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(relayed.send().await.unwrap().status().as_u16(), 403);
    assert_eq!(shop.page("/livez", None).await.status, 200);
    assert_eq!(shop.page("/readyz", None).await.status, 200);
    let lost = shop.page("/nothing", None).await;
    assert!(lost.status == 404 && lost.text.contains("not_found"));
}

#[tokio::test]
async fn one_folder_has_one_server_and_is_found_again_after_a_restart() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let record = till.write(crate::record::body::Body::Stopped {});
    till.send_well(&[record]).await;
    let dir = shop.folder.path().join("cloud");
    let config = || Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        dir: dir.clone(),
        public_base: None,
        accounts: vec![],
        shop: defaults(),
    };
    let second = start(config(), clock_of(&shop.now_ms)).await;
    assert!(matches!(second, Err(Error::Running(_))));
    let Shop { cloud, now_ms, folder, http, .. } = shop;
    cloud.shutdown().await;
    let cloud = start(config(), clock_of(&now_ms)).await.unwrap();
    let again = Shop { cloud, now_ms, gateway: None, folder, http };
    till.move_to(&again);
    assert_eq!(till.notices(0, 0).await["high"], 1);
    assert_eq!(again.cloud.admin().pairings().await.unwrap()[0].state, PairingState::Approved);
}

#[tokio::test]
async fn head_office_ends_when_one_of_its_parts_does_and_says_which() {
    let mut shop = Shop::open().await;
    tokio::select! {
        biased;
        error = shop.cloud.ended() => panic!("nothing has ended: {error}"),
        () = std::future::ready(()) => {}
    }
    let (judging, _) = shop.cloud.parts[0].clone();
    judging.abort();
    let error = shop.cloud.ended().await;
    assert!(matches!(error, Error::Ended("the judging of records")), "{error}");
    shop.cloud.tasks.spawn(async { panic!("a bug of ours") });
    assert!(matches!(shop.cloud.ended().await, Error::Ended(_)));
    shop.cloud.shutdown().await;
}
