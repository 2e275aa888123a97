//! Orders for phones, taking them back, and refunds of what the cloud captured.

use super::shop::{EPOCH, Shop};
use super::stand_in::{CLOUD_MS, Fault};
use crate::counter::duty::{CapturedBy, Duty, OrderDuty, RefundDuty};
use crate::counter::event::{Event, ProviderReport, RefundReport};
use crate::money::{Currency, Money};
use crate::record::ids::{IntentId, RefundId, SaleId};
use crate::record::money_moves::{Advice, OrderTerms, ProvenBy, ProviderName, Settled};
use crate::sync::order_of;
use crate::token::{self, Order, Proof, Token};
use serde_json::{Value, json};

pub(super) const INTENT: IntentId = IntentId([3; 16]);

pub(super) fn yuan(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

pub(super) fn duty() -> OrderDuty {
    let issued_at_s = u64::try_from(CLOUD_MS / 1000).unwrap();
    OrderDuty {
        intent: INTENT,
        sale: SaleId([5; 16]),
        amount: yuan("12.80"),
        provider: ProviderName::Alipay,
        terms: OrderTerms { nonce: 99, issued_at_s, desk: Some("table-4".parse().unwrap()), bill_version: 7 },
    }
}

/// The same in front of a station.
pub(super) fn shown_duty() -> OrderDuty {
    let duty = duty();
    OrderDuty { terms: OrderTerms { desk: None, ..duty.terms }, ..duty }
}

fn order() -> Order {
    order_of(&"till-1".parse().unwrap(), EPOCH, &duty())
}

fn settled(received: &str) -> Settled {
    Settled {
        trade: "2027".to_owned(),
        total: yuan(received),
        received: yuan(received),
        buyer_paid: yuan(received),
        invoice: yuan(received),
        merchant_funded: yuan("0.00"),
        platform_funded: yuan("0.00"),
        buyer: None,
        proof: None,
        balance: None,
        wallet: None,
        funds: vec![],
        vouchers: vec![],
        proven_by: ProvenBy::Notice,
    }
}

/// The cloud's word that an order was paid.
fn proof(shop: &Shop, order: &Order, minor: i64) -> String {
    let proof = Proof { order: order.hash().unwrap(), settled_minor: minor, paid_at: CLOUD_MS / 1000 };
    shop.cloud.keys.issue(&proof).unwrap()
}

fn paid(received: &str, proof: &str) -> Value {
    json!({ "intent": INTENT, "settled": settled(received), "proof": proof })
}

pub(super) async fn report(shop: &mut Shop) -> ProviderReport {
    let event = shop.event().await;
    let Event::Provider(intent, report) = event else { panic!("{event:?}") };
    assert_eq!(intent, INTENT);
    report
}

#[tokio::test]
async fn an_order_comes_to_the_cloud_signed_and_comes_back_paid() {
    let mut shop = Shop::open().await;
    shop.cloud.strike("/orders", Fault::LoseAnswer);
    shop.owe(Duty::Offer(duty())).await;
    shop.until("it is there", |shop| {
        shop.cloud.at().calls.iter().filter(|c| c.contains("/orders")).count() == 2
    })
    .await;
    let sent = shop.cloud.at().orders[&INTENT.to_string()].clone();
    assert_eq!((&sent["sale"], &sent["bill_version"]), (&json!(SaleId([5; 16])), &json!(7)));
    let Token::Order(text) = token::parse(sent["order"].as_str().unwrap()).unwrap() else { panic!() };
    assert_eq!(*text.verify_with(&shop.key.public()).unwrap(), order());

    shop.cloud.tell("order_claimed", json!({ "intent": INTENT }));
    assert_eq!(report(&mut shop).await, ProviderReport::Pending);
    let proof = proof(&shop, &order(), 1280);
    shop.cloud.tell("order_paid", paid("12.80", &proof));
    let expected = Settled { proof: Some(proof), ..settled("12.80") };
    assert_eq!(report(&mut shop).await, ProviderReport::Approved(expected));
    shop.stop().await;
    shop.no_event();
}

#[tokio::test]
async fn what_the_shop_gives_at_the_wallet_does_not_make_the_payment_another() {
    let mut shop = Shop::open().await;
    shop.owe(Duty::Offer(duty())).await;
    shop.until("it is there", |shop| !shop.cloud.at().orders.is_empty()).await;
    let less = Settled { received: yuan("11.80"), merchant_funded: yuan("1.00"), ..settled("12.80") };
    let proof = proof(&shop, &order(), 1280);
    shop.cloud.tell("order_paid", json!({ "intent": INTENT, "settled": less, "proof": proof }));
    let ProviderReport::Approved(settled) = report(&mut shop).await else { panic!() };
    assert_eq!((settled.total, settled.received), (yuan("12.80"), yuan("11.80")));
    shop.stop().await;
}

#[tokio::test]
async fn a_payment_without_a_proof_that_holds_is_not_believed() {
    let mut shop = Shop::open().await;
    shop.owe(Duty::Offer(duty())).await;
    shop.until("it is there", |shop| !shop.cloud.at().orders.is_empty()).await;
    let other = Order { nonce: 100, ..order() };
    let stranger = Shop::closed().await;
    let bad = [
        paid("12.80", "P1.NOTHING"),
        paid("12.80", &proof(&shop, &other, 1280)),
        paid("12.80", &proof(&shop, &order(), 1279)),
        paid("12.79", &proof(&shop, &order(), 1280)),
        paid("12.80", &proof(&stranger, &order(), 1280)),
    ];
    for (number, fields) in (1..).zip(bad) {
        shop.cloud.tell("order_paid", fields);
        shop.until("it was looked at", |shop| shop.edge.cursor().unwrap() == number).await;
        assert!(shop.link().trouble.is_some_and(|words| words.contains("proof does not hold")));
    }
    shop.no_event();
    // A good one still counts.
    let good = paid("12.80", &proof(&shop, &order(), 1280));
    shop.cloud.tell("order_paid", good);
    assert!(matches!(report(&mut shop).await, ProviderReport::Approved(_)));
    assert_eq!(shop.link().trouble, None);
    shop.stop().await;
}

#[tokio::test]
async fn an_order_that_was_paid_while_the_till_was_away_is_found() {
    let mut shop = Shop::closed().await;
    // Its notice came before anything was owed on it, and is behind us.
    let mut answer = paid("12.80", &proof(&shop, &order(), 1280));
    shop.cloud.tell("order_paid", answer.clone());
    answer["state"] = "paid".into();
    shop.cloud.at().answers.insert("orders", answer);
    shop.start();
    shop.until("the notice is behind us", |shop| shop.edge.cursor().unwrap() == 1).await;
    shop.owe(Duty::Offer(duty())).await;
    assert!(matches!(report(&mut shop).await, ProviderReport::Approved(_)));
    shop.stop().await;
}

#[tokio::test]
async fn an_order_in_front_is_shown_once_the_cloud_has_it_at_the_address_that_the_cloud_names() {
    for (named, base) in [(Some("https://pay.example/O/x"), Some("HTTPS://PAY.EXAMPLE")), (None, None)] {
        let mut shop = Shop::open().await;
        shop.cloud.at().answers.insert("orders", json!({ "state": "open", "url": named }));
        shop.owe(Duty::Offer(shown_duty())).await;
        let ProviderReport::Shown(url) = report(&mut shop).await else { panic!("it is not shown") };
        let base = base.map_or_else(|| shop.url.to_uppercase(), str::to_owned);
        let order = shop.cloud.at().orders[&INTENT.to_string()]["order"].as_str().unwrap().to_owned();
        assert_eq!(url, format!("{base}/O/{order}"));
        assert!(url.len() <= token::ORDER_URL_MAX, "QR version 6");
        shop.stop().await;
    }
}

#[tokio::test]
async fn an_address_that_fits_no_code_is_said_and_nothing_is_shown() {
    let mut shop = Shop::open().await;
    let long = format!("https://{}.example/O/x", "h".repeat(60));
    shop.cloud.at().answers.insert("orders", json!({ "state": "open", "url": long }));
    shop.owe(Duty::Offer(shown_duty())).await;
    shop.until("trouble", |shop| shop.link().trouble.is_some_and(|why| why.contains("shorter host name")))
        .await;
    shop.stop().await;
    shop.no_event();
}

/// What the cloud says of phones.
fn phones(base: &str) -> Value {
    json!({ "base": base, "proof_key": "ERERERERERERERERERERERERERERERERERERERERERE=" })
}

/// The duty as the till draws it: the order's hash is its intent.
fn own_duty() -> OrderDuty {
    let hash = order_of(&"till-1".parse().unwrap(), EPOCH, &shown_duty()).hash().unwrap();
    OrderDuty { intent: IntentId(hash.0), ..shown_duty() }
}

async fn shown_unheard(shop: &mut Shop) -> String {
    let event = shop.event().await;
    let Event::Provider(intent, ProviderReport::ShownUnheard(url)) = event else { panic!("{event:?}") };
    assert_eq!(intent, own_duty().intent);
    url
}

#[tokio::test]
async fn a_till_whose_cloud_is_gone_shows_what_it_signed_where_the_cloud_once_said_also_after_a_restart() {
    let mut shop = Shop::open().await;
    shop.cloud.at().answers.insert("phones", phones("https://pay.example"));
    shop.cloud.strike("phones", Fault::LoseAnswer);
    shop.until("it is told", |shop| shop.board.phones.borrow().is_some()).await;
    shop.stop().await;
    let told = shop.board.phones.send_replace(None).unwrap();
    assert_eq!(told.base, "https://pay.example");
    for _ in 0..500 {
        shop.cloud.strike("till-1", Fault::Say(502, json!({}), None));
    }
    shop.start();
    shop.until("it is remembered", |shop| shop.board.phones.borrow().as_ref() == Some(&told)).await;
    shop.owe(Duty::Offer(own_duty())).await;
    let url = shown_unheard(&mut shop).await;
    let (base, text) = url.split_once("/O/").unwrap();
    assert_eq!(base, "HTTPS://PAY.EXAMPLE");
    let Token::Order(text) = token::parse(text).unwrap() else { panic!() };
    let order = text.verify_with(&shop.key.public()).unwrap();
    assert_eq!(order.hash().unwrap().0, own_duty().intent.0);
    // The line is back: the same order is brought, and shown as any other.
    shop.cloud.at().faults.clear();
    let event = shop.event().await;
    assert!(matches!(event, Event::Provider(_, ProviderReport::Shown(_))), "{event:?}");
    shop.stop().await;
}

#[tokio::test]
async fn an_order_that_the_cloud_could_not_find_by_its_hash_is_not_shown_unheard() {
    let mut shop = Shop::open().await;
    shop.cloud.at().answers.insert("phones", phones("https://pay.example"));
    shop.until("it is told", |shop| shop.board.phones.borrow().is_some()).await;
    for _ in 0..40 {
        shop.cloud.strike("till-1/orders", Fault::Say(502, json!({}), None));
    }
    // One of a desk, and one whose number is not its hash.
    shop.owe(Duty::Offer(duty())).await;
    shop.owe(Duty::Offer(OrderDuty { intent: IntentId([8; 16]), ..shown_duty() })).await;
    shop.until("both were tried", |shop| {
        let tried = |id: IntentId| shop.cloud.at().orders.contains_key(&id.to_string());
        tried(INTENT) && tried(IntentId([8; 16]))
    })
    .await;
    let event = shop.event().await;
    let Event::Provider(intent, ProviderReport::Shown(_)) = event else { panic!("{event:?}") };
    assert_eq!(intent, IntentId([8; 16]), "once the cloud has it");
    shop.stop().await;
}

#[tokio::test]
async fn an_address_or_a_key_that_cannot_be_is_not_kept() {
    for bad in [
        json!({ "base": "ftp://pay.example", "proof_key": phones("")["proof_key"] }),
        json!({ "base": format!("https://{}.example", "h".repeat(40)), "proof_key": phones("")["proof_key"] }),
        json!({ "base": "https://pay.example", "proof_key": "AAAA" }),
    ] {
        let mut shop = Shop::open().await;
        shop.cloud.at().answers.insert("phones", bad);
        shop.until("it is asked", |shop| {
            shop.cloud.at().calls.iter().filter(|call| call.contains("/notices")).count() > 20
        })
        .await;
        assert_eq!(*shop.board.phones.borrow(), None);
        shop.stop().await;
    }
}

#[tokio::test]
async fn an_order_that_ended_unpaid_is_declined_with_words() {
    let mut shop = Shop::open().await;
    shop.owe(Duty::Offer(duty())).await;
    shop.cloud.tell("order_ended", json!({ "intent": INTENT, "words": "The phone gave up." }));
    let expected = ProviderReport::Declined {
        code: "ended".to_owned(),
        words: "The phone gave up.".to_owned(),
        advice: Advice::OtherMeans,
        left: None,
    };
    assert_eq!(report(&mut shop).await, expected);
    shop.stop().await;
}

#[tokio::test]
async fn taking_back_is_asked_until_it_is_answered_and_stops_the_offer() {
    let mut shop = Shop::open().await;
    for _ in 0..500 {
        shop.cloud.strike("till-1/orders", Fault::Say(502, json!({}), None));
    }
    shop.owe(Duty::Offer(duty())).await;
    shop.until("it is offered", |shop| shop.cloud.at().calls.iter().any(|c| c.ends_with("/orders"))).await;
    shop.cloud.at().faults.clear();
    shop.cloud.at().answers.insert("withdraw", json!({ "state": "withdrawn" }));
    shop.cloud.at().answers.insert("orders", json!({ "state": "open" }));
    for _ in 0..3 {
        let later = json!({ "detail": "The wallet has not said yet." });
        shop.cloud.strike("withdraw", Fault::Say(503, later, Some(0)));
    }
    shop.owe(Duty::Withdraw(duty())).await;
    assert!(matches!(report(&mut shop).await, ProviderReport::Cancelled(_)));
    shop.stop().await;
    shop.no_event();
}

#[tokio::test]
async fn taking_back_an_order_that_was_paid_first_says_so() {
    for (state, is_paid) in [("paid", true), ("unknown_order", false), ("ended", false)] {
        let mut shop = Shop::open().await;
        let mut answer = if is_paid { paid("12.80", &proof(&shop, &order(), 1280)) } else { json!({}) };
        answer["state"] = state.into();
        shop.cloud.at().answers.insert("withdraw", answer);
        shop.owe(Duty::Withdraw(duty())).await;
        let report = report(&mut shop).await;
        assert_eq!(matches!(report, ProviderReport::Approved(_)), is_paid, "{report:?}");
        assert_eq!(matches!(report, ProviderReport::Cancelled(_)), !is_paid, "{report:?}");
        shop.stop().await;
    }
}

#[tokio::test]
async fn what_the_cloud_captured_is_given_back_by_the_cloud() {
    let duty = RefundDuty {
        refund: RefundId([4; 16]),
        intent: INTENT,
        provider: ProviderName::Alipay,
        amount: yuan("12.80"),
        why: "late".to_owned(),
        late: None,
        captured_by: CapturedBy::Cloud,
    };
    let refused = RefundReport::Refused("Too old.".to_owned());
    for (state, expected) in [("refunded", RefundReport::Refunded), ("refused", refused)] {
        let mut shop = Shop::open().await;
        let pending = || Fault::Say(200, json!({ "state": "pending", "words": "" }), None);
        shop.cloud.strike("refunds", pending());
        shop.cloud.strike("refunds", Fault::LoseAnswer);
        shop.cloud.at().answers.insert("refunds", json!({ "state": state, "words": "Too old." }));
        shop.owe(Duty::Refund(duty.clone())).await;
        // Owed once more while it runs, it runs once.
        shop.owe(Duty::Refund(duty.clone())).await;
        assert_eq!(shop.event().await, Event::Refund(duty.refund, expected));
        shop.stop().await;
        shop.no_event();
    }
}
