//! Orders that a phone brings, because the till that signed them cannot: paid here, and proved on the phone.

use super::*;
use crate::token::Order;

/// A till that the cloud has not heard for a while, and an order that it has just signed.
pub(super) async fn silent() -> (Shop, Till, Order) {
    let (shop, till) = shop_with_bill().await;
    shop.pass_ms(60_000);
    let order = till.order(5, 2600);
    (shop, till, order)
}

pub(super) fn path(till: &Till, order: &Order) -> String {
    format!("/O/{}", till.key.draw(order).unwrap())
}

pub(super) fn intent_of(order: &Order) -> IntentId {
    IntentId(order.hash().unwrap().0)
}

/// A phone opens the order and taps: the wallet's page, and its cookie.
pub(super) async fn tap(shop: &Shop, path: &str) -> (String, String) {
    let page = shop.page(path, None).await;
    assert!(page.text.contains("¥26.00") && page.text.contains("name=\"wallet\""), "{}", page.text);
    assert!(page.text.contains("The till is off line just now"), "{}", page.text);
    let cookie = page.cookie.clone().unwrap();
    let sent = shop.post(&format!("{path}/pay"), "wallet=alipay", Some(&cookie)).await;
    (sent.to.unwrap(), cookie)
}

/// The page of the phone that paid, once the wallet has been asked.
async fn proved(shop: &Shop, path: &str, cookie: &str) -> Page {
    for _ in 0..200 {
        let page = shop.page(path, Some(cookie)).await;
        if page.text.contains("data-proof=") {
            return page;
        }
        shop.pass_ms(200);
        // The settler asks the wallet in its own time.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no proof came");
}

pub(super) async fn pay(shop: &Shop, till: &Till, order: &Order) -> (Page, String) {
    let path = path(till, order);
    let (wallet, cookie) = tap(shop, &path).await;
    confirm(shop, &wallet).await;
    (proved(shop, &path, &cookie).await, cookie)
}

pub(super) fn proof_on(page: &Page) -> String {
    page.text.split("data-proof=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn digits_on(page: &Page) -> String {
    let shown = page.text.split("class=\"digits\">").nth(1).unwrap().split('<').next().unwrap();
    shown.replace(' ', "")
}

async fn refund(till: &Till, intent: IntentId, number: u8) -> Value {
    let refund = crate::record::ids::RefundId([number; 16]);
    let body = json!({ "refund": refund, "intent": intent, "amount": { "minor": 2600, "currency": "CNY" }, "why": "late" });
    let target = format!("/v1/terminals/{}/refunds", till.id);
    till.call("POST", &target, body.to_string().as_bytes()).await.1
}

/// What the wallet did with an order's money.
pub(super) fn moved(shop: &Shop, intent: IntentId) -> Vec<String> {
    let sql = format!(
        "SELECT kind || ' ' || amount FROM event
         WHERE out_trade_no = '{intent}' AND kind IN ('capture', 'refund') ORDER BY id"
    );
    rows(shop.gateway.as_ref().unwrap().ledger_path(), &sql)
}

/// Orders that the cloud has written down.
fn kept(shop: &Shop) -> Vec<String> {
    rows(&shop.folder.path().join("cloud/cloud.db"), "SELECT intent FROM order_claim")
}

pub(super) fn rows(path: &std::path::Path, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_phone_pays_an_order_that_the_cloud_never_heard_of_and_shows_the_proof() {
    let (shop, till, order) = silent().await;
    let (page, cookie) = pay(&shop, &till, &order).await;
    assert!(page.text.contains("Show this to the cashier"), "{}", page.text);
    let Ok(Token::Proof(proof)) = parse(&proof_on(&page)) else { panic!("not a proof") };
    let keys = published_keys(&till).await;
    let proof: Proof = proof.verify(&keys, till.now_ms() / 1000).unwrap().into_inner();
    assert_eq!(proof.settles(&order), Ok(()));
    let told = till.call("GET", &format!("/v1/terminals/{}/phones", till.id), b"").await.1;
    let key = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        told["proof_key"].as_str().unwrap(),
    );
    let key: [u8; 32] = key.unwrap().try_into().unwrap();
    assert_eq!(order.typed_proof(&key).unwrap(), digits_on(&page));
    assert!(told["base"].as_str().unwrap().starts_with("http"));
    // Nobody else is shown what closes the sale.
    let path = path(&till, &order);
    let stranger = shop.page(&path, None).await;
    assert!(!stranger.text.contains("data-proof") && !stranger.text.contains("class=\"digits\""));
    // The till is back, and says whose order it was.
    let answer = till.bring_order(intent_of(&order), SALE, &order).await;
    assert_eq!((answer.0, &answer.1["state"]), (200, &json!("paid")), "{}", answer.1);
    let page = shop.page(&path, Some(&cookie)).await;
    assert!(page.text.contains("Latte"), "the bill is known now: {}", page.text);
}

#[tokio::test]
async fn only_what_a_till_of_ours_has_just_signed_can_be_paid() {
    let (shop, till, order) = silent().await;
    let stranger = shop.stranger("till-9");
    let elsewhere = format!("/O/{}", stranger.key.draw(&order).unwrap());
    for path in [elsewhere, "/O/O1.AAAA".to_owned(), "/O/x".to_owned()] {
        assert_eq!(shop.page(&path, None).await.status, 404, "{path}");
        assert_eq!(shop.post(&format!("{path}/pay"), "", None).await.status, 404, "{path}");
    }
    let old = Order { issued_at: order.issued_at - 301, ..order.clone() };
    let ahead = Order { issued_at: order.issued_at + 62, ..order.clone() };
    for order in [old, ahead] {
        let path = path(&till, &order);
        let page = shop.page(&path, None).await;
        assert!(page.text.contains("Please pay at the counter"), "{}", page.text);
        let sent = shop.post(&format!("{path}/pay"), "wallet=alipay", None).await;
        assert!(!sent.to.unwrap().contains("/qr/"));
        assert!(kept(&shop).is_empty(), "looking writes nothing down");
    }
    let (wallet, _) = tap(&shop, &path(&till, &order)).await;
    assert!(wallet.contains("/qr/"));
}

#[tokio::test]
async fn two_phones_with_one_order_pay_once() {
    let (shop, till, order) = silent().await;
    let path = path(&till, &order);
    let (wallet, _) = tap(&shop, &path).await;
    let second = shop.post(&format!("{path}/pay"), "wallet=alipay", None).await;
    assert!(second.to.unwrap().ends_with("said=other_phone"));
    assert!(wallet.contains("/qr/"));
    assert_eq!(kept(&shop).len(), 1);
}

#[tokio::test]
async fn paid_and_never_shown_goes_back_once_the_tills_word_is_here_and_not_before() {
    for own_refund_first in [false, true] {
        let (shop, mut till, order) = silent().await;
        let intent = intent_of(&order);
        pay(&shop, &till, &order).await;
        for _ in 0..5 {
            shop.pass_ms(3_600_000);
            till.notices(0, 20).await;
        }
        assert_eq!(moved(&shop, intent), ["capture 2600"], "no timer gives it back");
        if own_refund_first {
            assert_eq!(refund(&till, intent, 1).await["state"], "refunded");
        }
        let given_up = Body::Abandoned { intent, why: "its time is up".to_owned() };
        let drawn = till.write_in(SALE, drawn_as(&order));
        let abandoned = till.write_in(SALE, given_up);
        till.send_well(&[drawn, abandoned]).await;
        for _ in 0..200 {
            if moved(&shop, intent).len() == 2 {
                break;
            }
            shop.pass_ms(1_000);
            // The settler looks in its own time.
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
        // The till found out by itself as well, and asks: it went back once.
        let told = refund(&till, intent, 1).await;
        assert!(["refunded", "pending"].contains(&told["state"].as_str().unwrap()), "{told}");
        assert_eq!(moved(&shop, intent), ["capture 2600", "refund 2600"]);
    }
}

#[tokio::test]
async fn a_manager_gives_back_what_was_never_shown_and_nothing_that_a_till_has_booked() {
    for booked in [false, true] {
        let (shop, mut till, order) = silent().await;
        let intent = intent_of(&order);
        assert!(shop.cloud.admin().give_back_order(intent).await.is_err(), "nobody paid it");
        let (page, _) = pay(&shop, &till, &order).await;
        if booked {
            let proof = crate::record::money_moves::ProvenBy::PaidProof;
            let settled =
                crate::record::money_moves::Settled::proven(order.amount, proof, Some(proof_on(&page)));
            let records = [
                till.write_in(SALE, drawn_as(&order)),
                till.write_in(SALE, Body::Approved { intent, settled }),
                till.write_with(Body::ReceiptIssued { total: order.amount }, |header| {
                    header.receipt = Some(2)
                }),
            ];
            till.send_well(&records).await;
            till.verdicts(1).await;
            let trade = rows(
                &shop.folder.path().join("cloud/cloud.db"),
                "SELECT payment.provider || ' ' || (trade = json_extract(settled, '$.trade'))
                 FROM payment JOIN order_claim USING (intent)",
            );
            assert_eq!(trade, ["alipay 1"], "the books have what the till could not know");
        }
        assert_eq!(shop.cloud.admin().give_back_order(intent).await.is_ok(), !booked);
        assert!(shop.cloud.admin().give_back_order(intent).await.is_err(), "once");
    }
}

#[tokio::test]
async fn a_proof_of_money_that_was_given_back_is_refused_and_a_task() {
    let (shop, mut till, order) = silent().await;
    let intent = intent_of(&order);
    let (page, _) = pay(&shop, &till, &order).await;
    shop.cloud.admin().give_back_order(intent).await.unwrap();
    let proof = crate::record::money_moves::ProvenBy::PaidProof;
    let settled = crate::record::money_moves::Settled::proven(order.amount, proof, Some(proof_on(&page)));
    let records =
        [till.write_in(SALE, drawn_as(&order)), till.write_in(SALE, Body::Approved { intent, settled })];
    till.send_well(&records).await;
    let verdict = till.verdicts(1).await.remove(0);
    assert_eq!((&verdict["code"], &verdict["ruling"]), (&json!("proof_given_back"), &json!("refused")));
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks.iter().filter(|task| task.code == "proof_given_back").count(), 1);
}

pub(super) fn drawn_as(order: &Order) -> Body {
    let terms = crate::record::money_moves::OrderTerms {
        nonce: order.nonce,
        issued_at_s: u64::try_from(order.issued_at).unwrap(),
        desk: None,
        bill_version: 2,
    };
    Body::IntentDrawn {
        intent: intent_of(order),
        provider: crate::record::money_moves::ProviderName::Alipay,
        amount: order.amount,
        carrier: crate::record::money_moves::Carrier::Order(terms),
        settle_by: crate::record::Moment::default().after_ms(1),
    }
}
