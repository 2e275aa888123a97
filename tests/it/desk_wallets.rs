//! The customer's four steps at a desk, by each wallet: open the wallet and scan, one tap, done, receipt.
//!
//! Taps of ours are counted where they arrive: what a phone posts to the cloud. Not here: what goes wrong (`desk`,
//! `desks`).

use crate::counter::{Counter, WATER};
use till::sim::demo::phone::{App, Phone, Tap};

/// What a customer did, and when by the shop's clock.
struct Steps<'a> {
    counter: &'a Counter,
    began_ms: u64,
    done: Vec<(&'static str, u64)>,
}

impl<'a> Steps<'a> {
    fn begin(counter: &'a Counter) -> Self {
        let began_ms = counter.shop.clock.monotonic_ms();
        Self { counter, began_ms, done: vec![] }
    }

    fn step(&mut self, what: &'static str) {
        self.done.push((what, self.counter.shop.clock.monotonic_ms() - self.began_ms));
    }
}

/// A customer with this wallet pays the bill on the desk; the steps it took.
async fn pays(counter: &Counter, app: App, wallet: &str) -> (String, Vec<(&'static str, u64)>) {
    counter.basket(&[WATER, WATER]).await;
    let sale = counter.put_on_desk().await;
    let phone = Phone::with(app).unwrap();
    let mut steps = Steps::begin(counter);
    let bill = counter.bill(&phone, "4.00").await;
    steps.step("open the wallet, scan, see the bill");
    assert!(bill.wallets.iter().any(|known| known == wallet), "{:?}", bill.wallets);
    let opened = match phone.tap_on(&bill, wallet).await.unwrap() {
        Tap::Wallet(address) => address,
        // The page itself opens the window, without another tap.
        Tap::Said(place) => {
            let page = format!("{}{place}", counter.shop.cloud_url);
            let window = phone.window(&page, &counter.shop.wallet_url).await.unwrap();
            window.unwrap_or_else(|| panic!("no window opens at {page}"))
        }
    };
    steps.step("tap the wallet's button");
    assert!(phone.confirm(&opened).await.unwrap());
    steps.step("confirm in the wallet");
    let mine = format!("{}?sale={sale}", counter.page());
    counter
        .until("the receipt on the phone", async || {
            let page = phone.read(&mine).await.unwrap();
            (page.contains("Paid. Thank you!") && page.contains("-00000")).then_some(())
        })
        .await;
    steps.step("the receipt is on the phone");
    let taps = (phone.taps_at(&counter.shop.cloud_url), phone.taps_at(&counter.shop.wallet_url));
    assert_eq!(taps, (1, 1), "taps of ours and of the wallet's in {:?}", steps.done);
    (sale, steps.done)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wallet_pays_a_desks_bill_in_four_steps_with_one_tap_of_ours() {
    let counter = Counter::open().await;
    let mut paid = vec![];
    for (app, wallet) in
        [(App::WeChat, "wechat"), (App::Alipay, "alipay"), (App::Camera, "wechat"), (App::Camera, "alipay")]
    {
        let (sale, steps) = pays(&counter, app, wallet).await;
        assert_eq!(steps.len(), 4);
        assert!(steps.is_sorted_by_key(|(_, at_ms)| *at_ms));
        for (what, at_ms) in &steps {
            println!("{app:?} by {wallet}: {at_ms:>6} ms  {what}");
        }
        paid.push((sale, wallet));
    }
    let mut intents = vec![];
    for (sale, wallet) in paid {
        let view = counter.recent(&sale).await.unwrap();
        assert!(view.to_string().contains("400"), "{view}");
        intents.push((counter.intent_of(&sale).await, wallet));
    }
    let closed = counter.close().await;
    for (intent, wallet) in intents {
        assert_eq!(closed.books.money_of(&intent), ["capture 400"], "{wallet}");
    }
    closed.counts("receipts", 4);
}
