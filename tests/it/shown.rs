//! A code at the counter: shown by the till, opened on the cloud's page, paid by a phone; and its failures.
//!
//! Not here: a desk's bill (`desk`), and codes of a wallet at a till without a cloud (`provider`, `counter`).

use crate::counter::{Counter, WATER, says, text};
use till::sim::demo::phone::{Phone, Tap};

/// A sale of 4.00 in front whose code is on the screens.
struct Shown {
    sale: String,
    intent: String,
    url: String,
}

async fn show(counter: &Counter) -> Shown {
    counter.basket(&[WATER, WATER]).await;
    counter.press("pay", &[]).await;
    counter.press("show-code", &[]).await;
    shown(counter, "").await
}

/// The code in front, once there is one of another payment than `before`.
async fn shown(counter: &Counter, before: &str) -> Shown {
    counter
        .until("a code", async || {
            let front = counter.front().await;
            let payment = front["payments"].as_array()?.last()?.clone();
            let url = payment["code"].as_str()?.to_owned();
            let intent = text(&payment["intent"]);
            (intent != before).then(|| Shown { sale: text(&front["id"]), intent, url })
        })
        .await
}

async fn opens_wallet(counter: &Counter, phone: &Phone, url: &str) -> String {
    let bill = counter.until("a bill on the phone", async || phone.open(url).await.unwrap()).await;
    counter.wallet(phone, &bill).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_pays_the_code_on_the_clouds_page_and_the_till_prints() {
    let counter = Counter::open().await;
    let shown = show(&counter).await;
    assert!(shown.url.len() <= 195 && shown.url == shown.url.to_uppercase(), "QR version 6: {}", shown.url);
    let (code, _) = counter.refused("cash", &[("received", "10.00")]).await;
    assert_eq!(code, "phone_is_paying", "one payment at a time");
    counter.press("print-code", &[("intent", &shown.intent)]).await;
    counter.until("a slip with the code", async || on_paper(&counter, &shown.url)).await;

    let (ann, ben) = (Phone::new().unwrap(), Phone::new().unwrap());
    let ben_sees = counter.until("a bill for Ben", async || ben.open(&shown.url).await.unwrap()).await;
    says(&ben.read(&shown.url).await.unwrap(), "4.00");
    let wallet = opens_wallet(&counter, &ann, &shown.url).await;
    let Tap::Said(_) = ben.tap(&ben_sees).await.unwrap() else { panic!("two phones opened the wallet") };
    says(&ben.read(&shown.url).await.unwrap(), "Another phone is paying this bill.");
    assert!(ann.confirm(&wallet).await.unwrap());
    counter.paid(&shown.sale).await;

    let closed = counter.close().await;
    assert_eq!(closed.books.money_of(&shown.intent), ["capture 400"]);
    assert_eq!(closed.books.intents_by_sale()[&shown.sale], [shown.intent]);
    closed.counts("receipts", 1);
}

/// Dots across the paper of the demonstration's printer.
const PAPER_DOTS: u32 = 512;

fn on_paper(counter: &Counter, url: &str) -> Option<()> {
    let symbol = format!("[QR {url}]");
    let is_there = |line: &String| line.contains(&symbol);
    let sheets = counter.shop.paper().sheets;
    sheets.iter().any(|sheet| sheet.text_lines(PAPER_DOTS).iter().any(is_there)).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_taken_back_while_a_phone_pays_gives_the_phone_its_money_back() {
    let counter = Counter::open().await;
    let shown = show(&counter).await;
    let phone = Phone::new().unwrap();
    let wallet = opens_wallet(&counter, &phone, &shown.url).await;
    // The cashier gives up where the cloud cannot hear it.
    counter.shop.pull_network().await;
    counter.press("cancel-payment", &[("intent", &shown.intent)]).await;
    let (code, _) = counter.refused("show-code", &[]).await;
    assert_eq!(code, "code_unsettled", "the old one may still be paid");
    counter.press("cash", &[("received", "10.00")]).await;
    counter.paid(&shown.sale).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.plug().await;
    counter
        .until("the money to go back", async || {
            (counter.books().money_of(&shown.intent) == ["capture 400", "refund 400"]).then_some(())
        })
        .await;
    counter
        .until("the till to hear of it", async || {
            counter.books().kinds_of_sale(&shown.sale).contains(&"refunded".to_owned()).then_some(())
        })
        .await;
    let closed = counter.close().await;
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn power_that_fails_while_a_code_is_shown_leaves_it_shown_and_payable() {
    let mut counter = Counter::open().await;
    let before = show(&counter).await;
    counter.shop.cut_power().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    let after = shown(&counter, "").await;
    assert_eq!((&after.intent, &after.url), (&before.intent, &before.url));
    let phone = Phone::new().unwrap();
    let wallet = opens_wallet(&counter, &phone, &after.url).await;
    assert!(phone.confirm(&wallet).await.unwrap());
    counter.paid(&after.sale).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.money_of(&after.intent), ["capture 400"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_runs_out_is_renewed_and_the_old_one_pays_nothing() {
    let mut counter = Counter::open().await;
    let config = counter.dir().join("till.toml");
    let written = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, written.replace("[timing]", "[timing]\nshown_code_ms = 4000")).unwrap();
    counter.shop.cut_power().await.unwrap();
    counter.cashier.sign_in().await.unwrap();
    counter
        .until("the cloud", async || (counter.view().await["link"]["state"] == "online").then_some(()))
        .await;

    let first = show(&counter).await;
    let second = shown(&counter, &first.intent).await;
    assert_ne!(first.url, second.url);
    let phone = Phone::new().unwrap();
    assert!(phone.open(&first.url).await.unwrap().is_none(), "the old code has no button");
    counter
        .until("twice renewed, and then nobody is there", async || {
            let kinds = counter.books().kinds_of_sale(&first.sale);
            (kinds.iter().filter(|kind| *kind == "tombstoned").count() == 3).then_some(())
        })
        .await;
    counter.press("cash", &[("received", "4.00")]).await;
    counter.paid(&first.sale).await;
    let closed = counter.close().await;
    assert!(closed.books.captures().is_empty());
    let kinds = closed.books.kinds_of_sale(&first.sale);
    let open: Vec<&String> =
        kinds.iter().filter(|kind| ["intent_drawn", "tombstoned"].contains(&kind.as_str())).collect();
    assert_eq!(
        open,
        ["intent_drawn", "tombstoned", "intent_drawn", "tombstoned", "intent_drawn", "tombstoned"]
    );
}
