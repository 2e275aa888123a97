//! The cashier and a phone at one bill: while a phone pays, the bill is frozen; given up, its money goes back.
//!
//! Not here: phones among themselves (`desk`).

use crate::counter::{Counter, WATER, says};
use serde_json::Value;
use till::sim::demo::phone::{Phone, Tap};
use till::sim::demo::shop::DESK;

/// A bill of 4.00 on the desk for which a phone has opened the wallet.
struct Paying {
    sale: String,
    intent: String,
    phone: Phone,
    wallet: String,
}

async fn a_phone_pays(counter: &Counter) -> Paying {
    counter.basket(&[WATER, WATER]).await;
    let sale = counter.put_on_desk().await;
    let phone = Phone::new().unwrap();
    let bill = counter.bill(&phone, "4.00").await;
    let wallet = counter.wallet(&phone, &bill).await;
    let intent = counter.intent_of(&sale).await;
    Paying { sale, intent, phone, wallet }
}

/// Takes the bill from the desk and takes cash for it.
async fn pay_cash(counter: &Counter, sale: &str) {
    counter.press("take-desk", &[("desk", DESK)]).await;
    counter.press("cash", &[("received", "10.00")]).await;
    counter.paid(sale).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_waits_until_the_bill_is_taken_back_and_then_the_phone_pays_nothing() {
    let counter = Counter::open().await;
    let paying = a_phone_pays(&counter).await;
    let desk = [("desk", DESK)];
    let (code, words) = counter.refused("take-desk", &desk).await;
    assert_eq!(code, "phone_is_paying");
    assert_eq!(words, "A phone is paying this bill. Wait for it, or take the bill back first.");
    // The bill stays on the desk, so there is nothing in front that cash could pay.
    let (code, _) = counter.refused("cash", &[("received", "10.00")]).await;
    assert_eq!(code, "no_sale");

    counter.press("cancel-payment", &[("intent", &paying.intent)]).await;
    pay_cash(&counter, &paying.sale).await;
    counter
        .until("the wallet to hear of it", async || {
            let page = paying.phone.read(&paying.wallet).await.unwrap();
            page.contains("This payment is closed; nothing was taken").then_some(())
        })
        .await;
    // Whoever still has the button presses it in vain.
    let _answered = paying.phone.confirm(&paying.wallet).await;

    let closed = counter.close().await;
    let empty: [&str; 0] = [];
    assert_eq!(closed.books.money_of(&paying.intent), empty);
    let kinds = closed.books.kinds_of_sale(&paying.sale);
    let at = |kind: &str| kinds.iter().position(|known| known == kind).unwrap();
    assert!(at("abandoned") < at("cash_taken"), "{kinds:?}");
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_confirms_after_cash_was_taken_gets_its_money_back() {
    let counter = Counter::open().await;
    let paying = a_phone_pays(&counter).await;
    // The till gives the bill up where the cloud cannot hear it, and the phone pays what still stands there.
    counter.shop.pull_network().await;
    counter.press("cancel-payment", &[("intent", &paying.intent)]).await;
    pay_cash(&counter, &paying.sale).await;
    assert!(paying.phone.confirm(&paying.wallet).await.unwrap());
    counter
        .until("a capture", async || {
            (counter.books().money_of(&paying.intent) == ["capture 400"]).then_some(())
        })
        .await;

    counter.plug().await;
    counter
        .until("the money to go back", async || {
            (counter.books().money_of(&paying.intent) == ["capture 400", "refund 400"]).then_some(())
        })
        .await;
    counter
        .until("the till to hear of it", async || {
            counter.books().kinds_of_sale(&paying.sale).contains(&"refunded".to_owned()).then_some(())
        })
        .await;
    let closed = counter.close().await;
    assert_eq!(closed.books.money_of(&paying.intent), ["capture 400", "refund 400"]);
    let kinds = closed.books.kinds_of_sale(&paying.sale);
    let once = |kind: &str| assert_eq!(kinds.iter().filter(|known| *known == kind).count(), 1, "{kinds:?}");
    for kind in ["abandoned", "cash_taken", "paid_late", "refund_drawn", "refunded", "receipt_issued"] {
        once(kind);
    }
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_added_to_a_bill_that_a_phone_pays_and_the_phone_is_told_when_it_changed() {
    let counter = Counter::open().await;
    let paying = a_phone_pays(&counter).await;
    let frozen = counter.on_desk().await;
    assert_eq!(frozen["phase"], "paying", "{frozen:#}");

    let (code, _) = counter.refused("take-desk", &[("desk", DESK)]).await;
    assert_eq!(code, "phone_is_paying");
    // A scan goes to a sale of its own in front, and not to the bill.
    let other = counter.basket(&[WATER]).await;
    assert_ne!(other["id"], Value::from(paying.sale.clone()));
    let coupon = counter.shop.coupons[0].clone();
    let answer = paying.phone.show_coupon(&counter.page(), &coupon).await.unwrap();
    let page = counter.said(&paying.phone, &Tap::Said(answer.location.unwrap())).await;
    says(&page, "The till has not taken the coupon.");
    let now = counter.on_desk().await;
    for part in ["id", "lines", "coupons", "discounts", "total", "phase"] {
        assert_eq!(now[part], frozen[part], "the bill is as the phone saw it");
    }

    counter.press("hold", &[]).await;
    counter.press("cancel-payment", &[("intent", &paying.intent)]).await;
    counter.press("take-desk", &[("desk", DESK)]).await;
    counter.basket(&[WATER]).await;
    counter.put_on_desk().await;
    let fresh = counter.bill(&paying.phone, "6.00").await;
    let wallet = counter.wallet(&paying.phone, &fresh).await;
    assert_ne!(wallet, paying.wallet, "another version of the bill is another order");
    assert!(paying.phone.confirm(&wallet).await.unwrap());
    counter.paid(&paying.sale).await;

    let closed = counter.close().await;
    let intents = &closed.books.intents_by_sale()[&paying.sale];
    assert_eq!(intents.len(), 2, "{intents:?}");
    assert_eq!(closed.books.money_of(&intents[1]), ["capture 600"]);
    assert!(closed.books.money_of(&intents[0]).len() != 1, "the first order took no money for good");
    assert_eq!(closed.books.captures_kept(), [intents[1].clone()]);
}
