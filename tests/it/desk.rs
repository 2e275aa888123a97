//! A desk's bill and the phones around it: one capture, and the right words on every page.
//!
//! Not here: what the cashier does to a bill meanwhile (`desk_and_counter`).

use crate::counter::{Counter, WATER, says};
use till::sim::demo::phone::{Phone, Tap};

const HOUR_MS: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_phones_that_tap_one_bill_open_one_wallet() {
    let counter = Counter::open().await;
    counter.basket(&[WATER, WATER]).await;
    let sale = counter.put_on_desk().await;
    let (ann, ben) = (Phone::new().unwrap(), Phone::new().unwrap());
    let ann_sees = counter.bill(&ann, "4.00").await;
    let ben_sees = counter.bill(&ben, "4.00").await;

    let (first, second) = tokio::join!(ann.tap(&ann_sees), ben.tap(&ben_sees));
    let (first, second) = (first.unwrap(), second.unwrap());
    let (payer, wallet, other, answer) = match (first, second) {
        (Tap::Wallet(wallet), said @ Tap::Said(_)) => (&ann, wallet, &ben, said),
        (said @ Tap::Said(_), Tap::Wallet(wallet)) => (&ben, wallet, &ann, said),
        both => panic!("not one wallet but {both:?}"),
    };
    says(&counter.said(other, &answer).await, "Another phone is paying this bill.");
    assert!(other.open(&counter.page()).await.unwrap().is_none(), "the other phone has no button");
    let again = if std::ptr::eq(other, &raw const ann) { &ann_sees } else { &ben_sees };
    let later = other.tap(again).await.unwrap();
    says(&counter.said(other, &later).await, "Another phone is paying this bill.");

    assert!(payer.confirm(&wallet).await.unwrap());
    assert_eq!(counter.paid(&sale).await, 1);
    let mine = format!("{}?sale={sale}", counter.page());
    counter
        .until("thanks on the payer's phone", async || {
            let page = payer.read(&mine).await.unwrap();
            (page.contains("Paid. Thank you!") && page.contains("-000001")).then_some(())
        })
        .await;
    says(&other.read(&mine).await.unwrap(), "There is no bill here yet.");

    let intent = counter.intent_of(&sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.intents_by_sale()[&sale], std::slice::from_ref(&intent));
    assert_eq!(closed.books.money_of(&intent), ["capture 400"]);
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_an_hour_old_pays_nothing_and_shows_the_bill_anew() {
    let counter = Counter::open().await;
    counter.basket(&[WATER]).await;
    let sale = counter.put_on_desk().await;
    let phone = Phone::new().unwrap();
    let old = counter.bill(&phone, "2.00").await.aged(HOUR_MS);

    let tap = phone.tap(&old).await.unwrap();
    let page = counter.said(&phone, &tap).await;
    says(&page, "This page is old; here is the current bill.");
    says(&page, "2.00");
    assert!(counter.books().intents_by_sale().is_empty(), "nothing was asked of the till");

    let fresh = counter.bill(&phone, "2.00").await;
    let wallet = counter.wallet(&phone, &fresh).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.captures().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_before_an_item_was_added_pays_nothing_and_shows_the_new_bill() {
    let counter = Counter::open().await;
    counter.basket(&[WATER]).await;
    let sale = counter.put_on_desk().await;
    let phone = Phone::new().unwrap();
    let before = counter.bill(&phone, "2.00").await;

    counter.press("take-desk", &[("desk", "table-4")]).await;
    counter.basket(&[WATER]).await;
    counter.put_on_desk().await;
    let fresh = counter.bill(&phone, "4.00").await;
    let tap = phone.tap(&before).await.unwrap();
    let page = counter.said(&phone, &tap).await;
    says(&page, "This page is old; here is the current bill.");
    says(&page, "4.00");
    assert!(counter.books().intents_by_sale().is_empty(), "nothing was asked of the till");

    let wallet = counter.wallet(&phone, &fresh).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&sale).await;
    let intent = counter.intent_of(&sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.money_of(&intent), ["capture 400"]);
}
