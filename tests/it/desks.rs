//! Several desks and a line that breaks: what phones see while the till is cut off, and that no phone pays another
//! desk's bill.
//!
//! Not here: one desk and its phones (`desk`), the cashier at the same bill (`desk_and_counter`).

use crate::counter::{Counter, WATER, says};
use serde_json::Value;
use till::sim::demo::phone::{Bill, Phone};

/// A desk's page, as its sticker says.
fn page(counter: &Counter, desk: &str) -> String {
    counter.shop.desk_page(desk)
}

/// Puts so many bottles on a desk; the sale's id.
async fn bill_on(counter: &Counter, desk: &str, bottles: usize) -> String {
    let front = counter.basket(&vec![WATER; bottles]).await;
    counter.press("put-on-desk", &[("desk", desk)]).await;
    front["id"].as_str().unwrap().to_owned()
}

async fn seen(counter: &Counter, phone: &Phone, desk: &str, amount: &str) -> Bill {
    let page = page(counter, desk);
    counter
        .until("a bill on the phone", async || {
            phone.open(&page).await.unwrap().filter(|bill| bill.text.contains(amount))
        })
        .await
}

/// Adds desks at head office and waits until the till knows them.
async fn with_desks(counter: &Counter, desks: &[(&str, &str)]) {
    for (id, name) in desks {
        counter.shop.head_office(&["desk", "add", id, name]).await.unwrap();
    }
    counter
        .until("the desks at the till", async || {
            let view = counter.view().await;
            let known = view["till"]["desks"].as_array()?.clone();
            let has = |id: &str| known.iter().any(|desk: &Value| desk["id"] == id);
            desks.iter().all(|(id, _)| has(id)).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_desks_pay_by_phone_while_the_cashier_serves_the_queue() {
    let counter = Counter::open().await;
    with_desks(&counter, &[("table-6", "Table 6")]).await;
    let mut sales = vec![];
    let mut bills = vec![];
    for (desk, bottles, amount) in [("table-4", 1, "2.00"), ("table-5", 2, "4.00"), ("table-6", 3, "6.00")] {
        sales.push(bill_on(&counter, desk, bottles).await);
        let phone = Phone::new().unwrap();
        let bill = seen(&counter, &phone, desk, amount).await;
        bills.push((phone, bill));
    }
    let [(ann, at_4), (ben, at_5), (eve, at_6)] = bills.as_slice() else { panic!("three desks") };
    let serve = async {
        for _ in 0..3 {
            let front = counter.basket(&[WATER]).await;
            counter.press("cash", &[("received", "2.00")]).await;
            counter.paid(front["id"].as_str().unwrap()).await;
        }
    };
    let pay = async |phone: &Phone, bill: &Bill| {
        let wallet = counter.wallet(phone, bill).await;
        assert!(phone.confirm(&wallet).await.unwrap());
    };
    tokio::join!(serve, pay(ann, at_4), pay(ben, at_5), pay(eve, at_6));
    let mut intents = vec![];
    for sale in &sales {
        counter.paid(sale).await;
        intents.push(counter.intent_of(sale).await);
    }
    let closed = counter.close().await;
    for (intent, money) in intents.iter().zip(["capture 200", "capture 400", "capture 600"]) {
        assert_eq!(closed.books.money_of(intent), [money]);
    }
    closed.counts("receipts", 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_cut_off_has_no_pay_button_and_a_tap_from_before_takes_nothing_later() {
    let counter = Counter::open().await;
    let sale = bill_on(&counter, "table-4", 1).await;
    let phone = Phone::new().unwrap();
    let before = seen(&counter, &phone, "table-4", "2.00").await;
    counter.shop.pull_network().await;
    // Still within ten seconds of its last sign of life: the button is there, and the tap waits in vain.
    let tap = phone.tap(&before).await.unwrap();
    says(&counter.said(&phone, &tap).await, "Please pay at the counter.");
    counter
        .until("a page without a button", async || {
            let bill = phone.open(&page(&counter, "table-4")).await.unwrap();
            bill.is_none().then_some(())
        })
        .await;
    says(&phone.read(&page(&counter, "table-4")).await.unwrap(), "Please pay at the counter.");
    let again = phone.tap(&before).await.unwrap();
    says(&counter.said(&phone, &again).await, "Please pay at the counter.");

    counter.plug().await;
    let fresh = seen(&counter, &phone, "table-4", "2.00").await;
    assert!(counter.books().captures().is_empty(), "a wish that nobody waits for any more takes nothing");
    let wallet = counter.wallet(&phone, &fresh).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&sale).await;
    let intent = counter.intent_of(&sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.money_of(&intent), ["capture 200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_at_a_desk_whose_bill_moved_on_pays_no_other_desks_bill() {
    let counter = Counter::open().await;
    let sale = bill_on(&counter, "table-4", 1).await;
    let phone = Phone::new().unwrap();
    let before = seen(&counter, &phone, "table-4", "2.00").await;
    // The guests change tables, and others sit down where they sat, with a bill of the same amount.
    counter.press("take-desk", &[("desk", "table-4")]).await;
    counter.press("put-on-desk", &[("desk", "table-5")]).await;
    let others = bill_on(&counter, "table-4", 1).await;
    counter
        .until("the other bill at the desk", async || {
            let bill = phone.open(&page(&counter, "table-4")).await.unwrap()?;
            bill.is_of(&others).then_some(())
        })
        .await;
    let tap = phone.tap(&before).await.unwrap();
    says(&counter.said(&phone, &tap).await, "This page is old; here is the current bill.");
    assert!(counter.books().intents_by_sale().is_empty(), "nothing was asked of the till");

    // A sticker of another desk shows that desk's name and bill.
    let there = page(&counter, "table-5");
    says(&phone.read(&there).await.unwrap(), "<p class=\"place\">Table 5</p>");
    let moved = seen(&counter, &phone, "table-5", "2.00").await;
    assert!(moved.is_of(&sale));
    let wallet = counter.wallet(&phone, &moved).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&sale).await;
    counter.press("take-desk", &[("desk", "table-4")]).await;
    counter.press("cash", &[("received", "2.00")]).await;
    counter.paid(&others).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.captures().len(), 1);
    closed.counts("receipts", 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sticker_that_is_given_another_desks_name_says_so_and_keeps_to_its_own_bill() {
    let counter = Counter::open().await;
    let sale = bill_on(&counter, "table-4", 1).await;
    let phone = Phone::new().unwrap();
    let before = seen(&counter, &phone, "table-4", "2.00").await;
    with_desks(&counter, &[("table-4", "Window 2")]).await;
    counter
        .until("the new name on the page", async || {
            let text = phone.read(&page(&counter, "table-4")).await.unwrap();
            text.contains("<p class=\"place\">Window 2</p>").then_some(())
        })
        .await;
    // The same bill in the same version: what the phone saw is what it pays.
    let wallet = counter.wallet(&phone, &before).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.captures().len(), 1);
}
