//! A till that is cut off from head office and sells by phone all the same: the phone brings the order there, and the
//! proof back.
//!
//! Not here: codes while the line is up (`shown`).

use crate::counter::{Closed, Counter, WATER, says, text};
use till::sim::demo::phone::Phone;

/// A shop whose line is down, and a sale of 4.00 whose code is shown.
struct CutOff {
    counter: Counter,
    sale: String,
    intent: String,
    url: String,
}

async fn cut_off() -> CutOff {
    let counter = Counter::open().await;
    let what_phones_need = async || (counter.view().await["pays_unheard"] == true).then_some(());
    counter.until("what phones need", what_phones_need).await;
    counter.shop.pull_network().await;
    counter.until("a till off line", async || off_line(&counter).await).await;
    counter.basket(&[WATER, WATER]).await;
    counter.press("pay", &[]).await;
    counter.press("show-code", &[]).await;
    let (sale, intent, url) = counter
        .until("a code", async || {
            let front = counter.front().await;
            let payment = front["payments"].as_array()?.last()?.clone();
            let url = payment["code"].as_str()?.to_owned();
            (payment["heard"] == "by_nobody").then(|| (text(&front["id"]), text(&payment["intent"]), url))
        })
        .await;
    CutOff { counter, sale, intent, url }
}

async fn off_line(counter: &Counter) -> Option<()> {
    (counter.view().await["link"]["state"] == "offline").then_some(())
}

impl CutOff {
    /// A phone opens the code and pays: the page that it shows then.
    async fn pay(&self) -> String {
        let phone = Phone::new().unwrap();
        let bill = phone.open(&self.url).await.unwrap().expect("a bill with a button");
        says(&bill.text, "The till is off line just now");
        let wallet = self.counter.wallet(&phone, &bill).await;
        assert!(phone.confirm(&wallet).await.unwrap());
        let page = self.counter.until("a proof", async || {
            let page = phone.read(&self.url).await.unwrap();
            page.contains("class=\"proof\"").then_some(page)
        });
        let page = page.await;
        says(&page, "Show this to the cashier");
        page
    }

    async fn closed(self) -> Closed {
        self.counter.close().await
    }
}

/// What a scanner reads off the page: the symbol is drawn as squares in a path.
fn scanned(page: &str) -> String {
    let svg = page.split("<svg class=\"qr\"").nth(1).unwrap().split("</svg>").next().unwrap();
    let side: usize = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let path = svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
    let dark: Vec<(usize, usize)> = path
        .split('M')
        .skip(1)
        .map(|square| {
            let (x, rest) = square.split_once(' ').unwrap();
            (x.parse().unwrap(), rest.split('h').next().unwrap().parse().unwrap())
        })
        .collect();
    let dots = 4;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side * dots, side * dots, |x, y| {
        if dark.contains(&(x / dots, y / dots)) { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one symbol on the page");
    grids[0].decode().unwrap().1
}

fn digits(page: &str) -> String {
    let shown = page.split("class=\"digits\">").nth(1).unwrap().split('<').next().unwrap();
    shown.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_pays_and_its_proof_is_scanned_before_the_line_is_back_and_the_books_agree() {
    let shop = cut_off().await;
    let page = shop.pay().await;
    let proof = scanned(&page);
    assert!(proof.starts_with("P1.") && proof.len() <= 154, "{proof}");
    shop.counter.shop.scan(&proof).unwrap();
    shop.counter.paid(&shop.sale).await;
    assert_eq!(shop.counter.paper_of(&shop.sale).await, "printed");
    assert_eq!(off_line(&shop.counter).await, Some(()), "all of it without the cloud");
    let kinds = shop.counter.books().kinds_of_sale(&shop.sale);
    assert!(kinds.contains(&"approved".to_owned()));

    let (intent, sale) = (shop.intent.clone(), shop.sale.clone());
    let closed = shop.closed().await;
    assert_eq!(closed.books.money_of(&intent), ["capture 400"]);
    let kinds = closed.books.kinds_of_sale(&sale);
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "approved").count(),
        1,
        "the cloud's word changes nothing"
    );
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_eight_digits_are_typed_and_a_second_scan_of_the_proof_gives_nothing_more() {
    let shop = cut_off().await;
    let page = shop.pay().await;
    let (code, _) = shop.counter.refused("type-proof", &[("intent", &shop.intent), ("digits", "123")]).await;
    assert_eq!(code, "proof");
    shop.counter.press("type-proof", &[("intent", &shop.intent), ("digits", &digits(&page))]).await;
    shop.counter.paid(&shop.sale).await;
    let (code, words) = shop.counter.refused("type-code", &[("code", &scanned(&page))]).await;
    assert_eq!(code, "proof", "{words}");
    let intent = shop.intent.clone();
    let closed = shop.closed().await;
    assert_eq!(closed.books.money_of(&intent), ["capture 400"]);
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_after_the_code_was_taken_back_is_money_that_goes_back() {
    let shop = cut_off().await;
    let page = shop.pay().await;
    shop.counter.press("cancel-payment", &[("intent", &shop.intent)]).await;
    shop.counter.shop.scan(&scanned(&page)).unwrap();
    shop.counter
        .until("late money", async || {
            shop.counter.books().kinds_of_sale(&shop.sale).contains(&"paid_late".to_owned()).then_some(())
        })
        .await;
    shop.counter.press("cash", &[("received", "4.00")]).await;
    shop.counter.paid(&shop.sale).await;
    shop.counter.plug().await;
    shop.counter
        .until("the money to go back", async || {
            (shop.counter.books().money_of(&shop.intent) == ["capture 400", "refund 400"]).then_some(())
        })
        .await;
    let sale = shop.sale.clone();
    shop.counter
        .until("the till to hear of it", async || {
            shop.counter.books().kinds_of_sale(&sale).contains(&"refunded".to_owned()).then_some(())
        })
        .await;
    let closed = shop.closed().await;
    closed.counts("receipts", 1);
}
