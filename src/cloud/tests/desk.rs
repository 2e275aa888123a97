//! A phone at a desk: it sees the bill, pays a version of it once, and hears what became of it.

mod abandoned;
mod money_back;
mod unheard;
mod wishes;

use super::shop::{Page, Shop};
use super::till::Till;
use crate::bundle::Desk;
use crate::cloud::CouponIssue;
use crate::money::{Currency, Money};
use crate::record::body::Body;
use crate::record::ids::{IntentId, SaleId};
use crate::record::money_moves::{CouponTaken, CouponTerms, ProvenBy, Settled};
use crate::sim::gateway::{Fault, Rule};
use crate::token::{Proof, Token, Worth, parse};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const SALE: SaleId = SaleId([1; 16]);
const INTENT: IntentId = IntentId([2; 16]);

async fn shop_with_bill() -> (Shop, Till) {
    let shop = Shop::with_wallet().await;
    let desk = Desk { id: "table-4".parse().unwrap(), name: "Table 4".to_owned() };
    shop.cloud.admin().add_desk(desk).await.unwrap();
    let mut till = shop.till("till-1").await;
    let records = till.bill(SALE, "table-4", 2600);
    till.send_well(&records).await;
    (shop, till)
}

/// The till's side: waits for the phone's wish and answers it with an order.
async fn answer_wish(till: Arc<Till>, nonce: u64, minor: i64) -> (Value, super::till::Answer) {
    let wish = till.notice("order_requested").await;
    let order = till.order(nonce, minor);
    let text = till.key.draw(&order).unwrap();
    let body = json!({
        "intent": INTENT, "sale": SALE, "order": text, "desk": "table-4", "bill_version": wish["bill_version"],
    });
    let target = format!("/v1/terminals/{}/orders", till.id);
    (wish, till.call("POST", &target, body.to_string().as_bytes()).await)
}

/// A phone presses pay and the till answers: the wallet's page it is sent to, and its cookie.
async fn press_pay(shop: &Shop, till: &Arc<Till>) -> (String, String) {
    let page = shop.page("/d/table-4", None).await;
    let cookie = page.cookie.clone().unwrap();
    let form = page.pay_form();
    let mut answering = JoinSet::new();
    answering.spawn(answer_wish(Arc::clone(till), 77, 2600));
    let sent = shop.post("/d/table-4/pay", &form, Some(&cookie)).await;
    let (wish, answer) = answering.join_next().await.unwrap().unwrap();
    assert_eq!((&wish["sale"], &wish["bill_version"]), (&json!(SALE), &json!(2)));
    assert_eq!((answer.0, &answer.1["state"]), (200, &json!("started")), "{}", answer.1);
    assert_eq!(sent.status, 303, "{}", sent.text);
    (sent.to.unwrap(), cookie)
}

/// A phone taps and waits, while the till does something: where it is sent in the end.
fn taps(shop: &Shop, path: &str, form: String, cookie: Option<&str>) -> JoinSet<String> {
    let request =
        shop.http.post(shop.address(path)).header("content-type", "application/x-www-form-urlencoded");
    let request = cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie));
    let mut phone = JoinSet::new();
    phone.spawn(async move {
        let response = request.body(form).send().await.unwrap();
        response.headers()["location"].to_str().unwrap().to_owned()
    });
    phone
}

async fn confirm(shop: &Shop, wallet: &str) {
    let (address, query) = wallet.split_once('?').unwrap();
    assert!(query.contains("return=http"), "{query}");
    shop.page(wallet, None).await;
    let confirmed = shop.post(&format!("{address}/confirm?{query}"), "", None).await;
    assert_eq!(confirmed.status, 303);
}

/// Lets the settler ask the wallet: time passes while nothing new is told.
pub(super) async fn notice_while_time_passes(shop: &Shop, till: &Till, kind: &str) -> Value {
    let mut after = 0;
    for _ in 0..200 {
        let answer = till.notices(after, 60).await;
        let notices = answer["notices"].as_array().unwrap();
        if let Some(notice) = notices.iter().find(|notice| notice["kind"] == kind) {
            return notice.clone();
        }
        after = notices.last().map_or(after, |notice| notice["number"].as_u64().unwrap());
        shop.pass_ms(1_000);
    }
    panic!("no notice {kind} came");
}

fn drawn() -> Body {
    Body::IntentDrawn {
        intent: INTENT,
        provider: crate::record::money_moves::ProviderName::Alipay,
        amount: Money::new(2600, Currency::CNY),
        carrier: crate::record::money_moves::Carrier::PayCode { keyed_hash: String::new() },
        settle_by: crate::record::Moment::default().after_ms(1),
    }
}

fn total_fixed(total: Money) -> Body {
    Body::TotalFixed {
        lines: vec![],
        discounts: vec![],
        taxes: vec![],
        total,
        bundle_version: 1,
        bundle_hash: crate::record::chain::Hash::NONE,
        engine: 1,
    }
}

fn said(page: &Page) -> String {
    page.to.clone().unwrap_or_default().split("said=").nth(1).unwrap_or("").to_owned()
}

#[tokio::test]
async fn a_phone_pays_its_bill_in_one_tap_and_the_till_gets_the_proof() {
    let (shop, mut till) = shop_with_bill().await;
    let page = shop.page("/d/table-4", None).await;
    for words in ["Morning Cafe", "Table 4", "Latte", "¥26.00", "To pay"] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    let mut shared = Arc::new(till);
    let (wallet, cookie) = press_pay(&shop, &shared).await;
    let waiting = shop.page("/d/table-4", Some(&cookie)).await;
    assert!(waiting.text.contains("Waiting for your payment"), "{}", waiting.text);
    assert_eq!(shared.notice("order_claimed").await["intent"], json!(INTENT));
    confirm(&shop, &wallet).await;
    let paid = notice_while_time_passes(&shop, &shared, "order_paid").await;
    assert_eq!(paid["settled"]["total"], json!({ "minor": 2600, "currency": "CNY" }));
    let order = shared.order(77, 2600);
    let Ok(Token::Proof(proof)) = parse(paid["proof"].as_str().unwrap()) else { panic!("not a proof") };
    let keys = published_keys(&shared).await;
    let proof: Proof = proof.verify(&keys, shared.now_ms() / 1000).unwrap().into_inner();
    assert_eq!(proof.settled_minor, 2600);
    assert!(proof.order.0 != [0; 16] && order.amount.minor == 2600);
    till = Arc::try_unwrap(std::mem::replace(&mut shared, Arc::new(shop.stranger("x")))).ok().unwrap();
    let total = Money::new(2600, Currency::CNY);
    let fixed = till.write_in(SALE, total_fixed(total));
    let receipt = till.write_with(Body::ReceiptIssued { total }, |header| {
        header.sale = Some(SALE);
        header.receipt = Some(1);
    });
    let number = format!("Receipt {}-000001", &till.epoch.to_string()[..4]);
    till.send_well(&[fixed, receipt]).await;
    let own = format!("/d/table-4?sale={SALE}");
    let page = shop.page(&own, Some(&cookie)).await;
    assert!(page.text.contains("Paid. Thank you!") && page.text.contains(&number), "{}", page.text);
    let stranger = shop.page(&own, None).await;
    assert!(stranger.text.contains("There is no bill here yet"), "{}", stranger.text);
    let (status, answer) = till.withdraw(INTENT).await;
    assert_eq!((status, &answer["state"]), (200, &json!("paid")), "too late to take it back");
    assert_eq!(answer["proof"], paid["proof"]);
}

#[tokio::test]
async fn digits_that_a_till_took_stand_if_a_phone_has_paid_and_are_a_task_if_not() {
    let (shop, mut till) = shop_with_bill().await;
    let mut shared = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &shared).await;
    shared.notice("order_claimed").await;
    confirm(&shop, &wallet).await;
    notice_while_time_passes(&shop, &shared, "order_paid").await;
    till = Arc::try_unwrap(std::mem::replace(&mut shared, Arc::new(shop.stranger("x")))).ok().unwrap();
    let total = Money::new(2600, Currency::CNY);
    let guessed = IntentId([9; 16]);
    let mut records = vec![];
    for intent in [INTENT, guessed] {
        let Body::IntentDrawn { provider, amount, carrier, settle_by, .. } = drawn() else { panic!() };
        let drawn = Body::IntentDrawn { intent, provider, amount, carrier, settle_by };
        records.push(till.write_in(SALE, drawn));
        let settled = Settled::proven(total, ProvenBy::TypedProof, None);
        records.push(till.write_in(SALE, Body::Approved { intent, settled }));
    }
    till.send_well(&records).await;
    let ruled = till.verdicts(2).await;
    let codes: Vec<_> = ruled.iter().map(|verdict| verdict["code"].clone()).collect();
    assert_eq!(codes, [json!("proof_settled"), json!("proof_not_paid")]);
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks.iter().filter(|task| task.code == "proof_not_paid").count(), 1);
}

async fn published_keys(till: &Till) -> crate::token::KeySet {
    use base64::Engine as _;
    let (_, answer) = till.call("GET", &format!("/v1/pairings/{}", till.id), b"").await;
    let root = base64::engine::general_purpose::STANDARD.decode(answer["root"].as_str().unwrap()).unwrap();
    let signed: crate::token::SignedKeySet = serde_json::from_value(answer["keys"].clone()).unwrap();
    signed.verify(&root.try_into().unwrap(), till.now_ms() / 1000).unwrap()
}

#[tokio::test]
async fn a_second_phone_is_told_and_the_first_may_press_again() {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    let second = shop.page("/d/table-4", None).await;
    let (wallet, cookie) = press_pay(&shop, &till).await;
    let refused = shop.post("/d/table-4/pay", &second.pay_form(), second.cookie.as_deref()).await;
    assert_eq!(said(&refused), "other_phone");
    let page = shop.page("/d/table-4", second.cookie.as_deref()).await;
    assert!(page.text.contains("Another phone is paying this bill"), "{}", page.text);
    assert!(!page.text.contains("name=\"version\""));
    let again = shop.post("/d/table-4/pay", &second.pay_form(), Some(&cookie)).await;
    assert_eq!(again.to.as_deref(), Some(wallet.as_str()));
}

#[tokio::test]
async fn a_second_phone_is_told_as_soon_as_the_till_has_fixed_the_bill() {
    let (shop, mut till) = shop_with_bill().await;
    let second = shop.page("/d/table-4", None).await;
    // The till's records arrive before its order does.
    let record = till.write_in(SALE, drawn());
    till.send_well(&[record]).await;
    let refused = shop.post("/d/table-4/pay", &second.pay_form(), second.cookie.as_deref()).await;
    assert_eq!(said(&refused), "other_phone");
    let page = shop.page("/d/table-4", second.cookie.as_deref()).await;
    assert!(page.text.contains("Another phone is paying this bill"), "{}", page.text);
    assert!(!page.text.contains("name=\"version\""));
}

#[tokio::test]
async fn an_old_page_shows_the_current_bill_instead_of_paying() {
    let (shop, mut till) = shop_with_bill().await;
    let page = shop.page("/d/table-4", None).await;
    let added = till.line(SALE, 2, 800);
    till.send_well(&[added]).await;
    let refused = shop.post("/d/table-4/pay", &page.pay_form(), page.cookie.as_deref()).await;
    assert_eq!(said(&refused), "stale");
    let fresh = shop.page(refused.to.as_deref().unwrap(), page.cookie.as_deref()).await;
    assert!(fresh.text.contains("This page is old") && fresh.text.contains("¥34.00"), "{}", fresh.text);
    shop.pass_ms(301_000);
    till.notices(0, 0).await;
    let refused = shop.post("/d/table-4/pay", &fresh.pay_form(), page.cookie.as_deref()).await;
    assert_eq!(said(&refused), "stale", "the same bill on a page of an hour ago");
}

#[tokio::test]
async fn a_bill_that_changes_while_a_phone_waits_for_its_order_is_shown_anew() {
    let (shop, mut till) = shop_with_bill().await;
    let page = shop.page("/d/table-4", None).await;
    let mut phone = taps(&shop, "/d/table-4/pay", page.pay_form(), page.cookie.as_deref());
    till.notice("order_requested").await;
    let added = till.line(SALE, 2, 800);
    till.send_well(&[added]).await;
    let sent = phone.join_next().await.unwrap().unwrap();
    assert!(sent.ends_with("said=stale"), "{sent}");
    let fresh = shop.page(&sent, page.cookie.as_deref()).await;
    assert!(fresh.text.contains("This page is old") && fresh.text.contains("¥34.00"), "{}", fresh.text);
    let till = Arc::new(till);
    let (_, answer) = answer_wish(Arc::clone(&till), 5, 2600).await;
    assert_eq!(answer.1["state"], "ended", "nobody waits for an order of the bill as it was");
}

#[tokio::test]
async fn a_silent_till_has_no_pay_button() {
    let (shop, till) = shop_with_bill().await;
    let page = shop.page("/d/table-4", None).await;
    shop.pass_ms(10_001);
    let silent = shop.page("/d/table-4", page.cookie.as_deref()).await;
    assert!(silent.text.contains("Please pay at the counter") && !silent.text.contains("name=\"version\""));
    let refused = shop.post("/d/table-4/pay", &page.pay_form(), page.cookie.as_deref()).await;
    assert_eq!(said(&refused), "till_silent");
    till.notices(0, 0).await;
    let heard = shop.page("/d/table-4", page.cookie.as_deref()).await;
    assert!(heard.text.contains("name=\"version\""));
}

#[tokio::test]
async fn an_order_that_no_phone_waits_for_any_more_is_ended_at_once() {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    let page = shop.page("/d/table-4", None).await;
    let refused = shop.post("/d/table-4/pay", &page.pay_form(), page.cookie.as_deref()).await;
    assert_eq!(said(&refused), "till_silent", "the till did not answer within ten seconds");
    shop.pass_ms(1_000);
    let (_, answer) = answer_wish(Arc::clone(&till), 5, 2600).await;
    assert_eq!(answer.1["state"], "ended");
    assert_eq!(till.notice("order_ended").await["intent"], json!(INTENT));
    shop.pass_ms(20_000);
    let wishes = till.notices(0, 0).await;
    assert!(wishes["notices"].as_array().unwrap().iter().all(|notice| notice["kind"] != "order_requested"));
}

#[tokio::test]
async fn a_till_takes_an_order_back_before_and_after_the_wallet_knows_it() {
    let (shop, till) = shop_with_bill().await;
    assert_eq!(till.withdraw(INTENT).await.1["state"], "unknown_order");
    let order = till.order(1, 500);
    for _ in 0..2 {
        let (status, answer) = till.bring_order(IntentId([8; 16]), SALE, &order).await;
        assert_eq!((status, &answer["state"]), (200, &json!("open")));
    }
    let (status, answer) = till.bring_order(IntentId([9; 16]), SALE, &order).await;
    assert_eq!((status, &answer["type"]), (409, &json!("order_taken")), "one nonce, one order");
    for _ in 0..2 {
        assert_eq!(till.withdraw(IntentId([8; 16])).await.1["state"], "withdrawn");
    }
    let till = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &till).await;
    let mut withdrawing = JoinSet::new();
    let other = Arc::clone(&till);
    withdrawing.spawn(async move { other.withdraw(INTENT).await });
    let (status, answer) = withdrawing.join_next().await.unwrap().unwrap();
    assert_eq!((status, &answer["state"]), (200, &json!("withdrawn")));
    let closed = shop.page(&wallet, None).await;
    assert!(closed.text.contains("nothing was taken"), "{}", closed.text);
}

#[tokio::test]
async fn an_abandoned_order_is_taken_back_without_being_asked() {
    let (shop, till) = shop_with_bill().await;
    let mut shared = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &shared).await;
    let mut till =
        Arc::try_unwrap(std::mem::replace(&mut shared, Arc::new(shop.stranger("x")))).ok().unwrap();
    let records = [
        till.write_in(SALE, drawn()),
        till.write_in(SALE, Body::Abandoned { intent: INTENT, why: "cash".to_owned() }),
    ];
    till.send_well(&records).await;
    for _ in 0..100 {
        if shop.page(&wallet, None).await.text.contains("nothing was taken") {
            assert_eq!(till.withdraw(INTENT).await.1["state"], "withdrawn");
            return;
        }
        till.notices(1_000, 100).await;
    }
    panic!("the order stayed open at the wallet");
}

#[tokio::test]
async fn a_phone_that_does_not_pay_within_a_minute_frees_the_bill() {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    press_pay(&shop, &till).await;
    let ended = notice_while_time_passes(&shop, &till, "order_ended").await;
    assert_eq!(
        (&ended["intent"], &ended["words"]),
        (&json!(INTENT), &json!("The phone did not pay in time."))
    );
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_asked_for_and_never_paid_twice() {
    let (shop, till) = shop_with_bill().await;
    let faults = shop.gateway.as_ref().unwrap().faults();
    let mut rule = Rule::of(Fault::DropAnswer);
    rule.method = Some("alipay.trade.query".to_owned());
    rule.times = Some(2);
    faults.add(rule).unwrap();
    let till = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &till).await;
    confirm(&shop, &wallet).await;
    let paid = notice_while_time_passes(&shop, &till, "order_paid").await;
    assert_eq!(paid["intent"], json!(INTENT));
}

#[tokio::test]
async fn a_refund_is_given_once_and_never_more_than_was_paid() {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    let (wallet, _) = press_pay(&shop, &till).await;
    confirm(&shop, &wallet).await;
    notice_while_time_passes(&shop, &till, "order_paid").await;
    let refund = |number: u8, minor: i64| {
        let body = json!({
            "refund": crate::record::ids::RefundId([number; 16]), "intent": INTENT,
            "amount": { "minor": minor, "currency": "CNY" }, "why": "cold",
        });
        let till = Arc::clone(&till);
        async move {
            let target = format!("/v1/terminals/{}/refunds", till.id);
            till.call("POST", &target, body.to_string().as_bytes()).await
        }
    };
    for _ in 0..2 {
        assert_eq!(refund(1, 2000).await.1["state"], "refunded");
    }
    assert_eq!(refund(1, 1999).await.1["type"], "refund_differs");
    let (_, answer) = refund(2, 601).await;
    assert_eq!(answer["state"], "refused");
    assert!(answer["words"].as_str().unwrap().contains("CNY 6.00"), "{answer}");
    assert_eq!(refund(3, 600).await.1["state"], "refunded");
}

#[tokio::test]
async fn a_coupon_from_the_phone_goes_to_the_till_and_comes_back_on_the_bill() {
    let (shop, mut till) = shop_with_bill().await;
    let now_s = till.now_ms() / 1000;
    let off = Money::new(300, Currency::CNY);
    let wanted = CouponIssue {
        campaign: 3,
        name: "Cake day".to_owned(),
        name_zh: Some("蛋糕日".to_owned()),
        minimum: None,
        worth: Worth::AmountOff(off),
        from_s: now_s - 60,
        until_s: now_s + 3600,
        count: 1,
    };
    let token = shop.cloud.admin().issue_coupons(&wanted).await.unwrap().remove(0);
    let page = shop.post("/d/table-4/coupon", "token=C1.NONSENSE", None).await;
    assert_eq!(said(&page), "coupon_unreadable");
    let mut phone = taps(&shop, "/d/table-4/coupon", format!("token={token}"), None);
    let offered = till.notice("coupon_offered").await;
    assert_eq!((&offered["token"], &offered["sale"]), (&json!(token), &json!(SALE)));
    let Ok(Token::Coupon(unverified)) = parse(&token) else { panic!("not a coupon") };
    let coupon = unverified.verify(&published_keys(&till).await, now_s).unwrap();
    let taken = CouponTaken {
        serial: coupon.serial().to_string(),
        campaign: 3,
        name: "Cake day".to_owned(),
        name_zh: Some("蛋糕日".to_owned()),
        terms: CouponTerms::AmountOff(off),
        minimum: None,
        token,
    };
    let record = till.write_in(SALE, Body::CouponTaken { coupon: taken });
    till.send_well(&[record]).await;
    assert!(phone.join_next().await.unwrap().unwrap().ends_with("said=coupon_taken"));
    let request = shop.http.get(shop.address("/d/table-4")).header("accept-language", "zh-CN,zh;q=0.9");
    let text = request.send().await.unwrap().text().await.unwrap();
    for words in ["蛋糕日", "¥23.00", "拿铁", "应付", "lang=\"zh-Hans\""] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[tokio::test]
async fn a_phone_watching_its_bill_hears_that_it_changed() {
    let (shop, mut till) = shop_with_bill().await;
    let mut live = shop.http.get(shop.address("/d/table-4/live")).send().await.unwrap();
    let first = live.chunk().await.unwrap().unwrap();
    let page = shop.page("/d/table-4", None).await;
    let mark = page.text.split("data-mark=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(String::from_utf8_lossy(&first).contains(&mark), "{mark} is not in {first:?}");
    assert!(first.starts_with(b"event: bill\n"), "{first:?}");
    let added = till.line(SALE, 2, 800);
    till.send_well(&[added]).await;
    let next = live.chunk().await.unwrap().unwrap();
    assert!(next.starts_with(b"event: bill\n") && next != first, "{next:?}");
    drop(live);
    shop.cloud.shutdown().await;
}

#[tokio::test]
async fn an_order_on_a_display_is_claimed_by_one_phone() {
    let (shop, till) = shop_with_bill().await;
    let order = till.order(9, 2600);
    till.bring_order(INTENT, SALE, &order).await;
    let text = till.key.draw(&order).unwrap();
    let page = shop.page(&format!("/O/{text}"), None).await;
    assert!(page.text.contains("¥26.00") && page.text.contains("/pay"), "{}", page.text);
    let sent = shop.post(&format!("/O/{text}/pay"), "", page.cookie.as_deref()).await;
    assert!(sent.to.unwrap().contains("/qr/"));
    let second = shop.post(&format!("/O/{text}/pay"), "", None).await;
    assert!(second.to.unwrap().ends_with("said=other_phone"));
    assert_eq!(shop.page("/O/O1.NOTHING", None).await.status, 404);
}
