//! One open shop, with hands and eyes at its counter and at its desk.
//!
//! Every wait looks until there is what is waited for, and fails with the screen when its time is up. Not
//! here: what a test is about.

use crate::TILL;
use crate::books::Books;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use till::sim::demo::cashier::{Cashier, Trouble};
use till::sim::demo::phone::{Bill, Phone, Tap};
use till::sim::demo::shop::{DESK, Shop};

/// Looks at a sale that moves between look and press.
const LOOKS_AGAIN: usize = 20;

/// Spring water: 2.00.
pub(crate) const WATER: &str = "6901234000016";

/// Coffee beans: 68.00.
pub(crate) const BEANS: &str = "6901234000115";

/// A shop in a folder that goes away with it.
pub(crate) struct Counter {
    // Dropped before the folder that its parts write to.
    pub(crate) shop: Shop,
    pub(crate) cashier: Cashier,
    folder: tempfile::TempDir,
}

impl Counter {
    /// Opens a shop: paired, stocked, Mia signed in, a shift begun.
    pub(crate) async fn open() -> Self {
        // A second test of this process finds it done.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let opened = Shop::open(Path::new(TILL), folder.path(), 1, "http://127.0.0.1").await;
        let (shop, cashier) =
            opened.unwrap_or_else(|error| panic!("the shop does not open: {error}\n{}", log(folder.path())));
        Self { shop, cashier, folder }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn books(&self) -> Books {
        Books::of(self.dir())
    }

    /// Looks until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        match self.shop.eventually(look).await {
            Some(found) => found,
            None => panic!("{what} did not come; the screen: {:#}\n{}", self.view().await, log(self.dir())),
        }
    }

    /// What the cashier's screen shows.
    pub(crate) async fn view(&self) -> Value {
        self.cashier.view().await.unwrap_or_else(|trouble| Value::String(trouble.to_string()))
    }

    /// The sale in front; null if there is none.
    pub(crate) async fn front(&self) -> Value {
        self.view().await["till"]["stations"]["front"]["sale"].clone()
    }

    /// The bill on the desk; null if there is none.
    pub(crate) async fn on_desk(&self) -> Value {
        let view = self.view().await;
        let desks = view["till"]["desks"].as_array().cloned().unwrap_or_default();
        desks.into_iter().find(|desk| desk["id"] == DESK).map_or(Value::Null, |desk| desk["sale"].clone())
    }

    /// Presses a button on what is in front, which must work. Where word of a wallet came between the look and the
    /// press, it looks again, as a person does.
    pub(crate) async fn press(&self, act: &str, fields: &[(&str, &str)]) {
        for _ in 0..LOOKS_AGAIN {
            let front = self.front().await;
            let seen = (!front.is_null()).then_some(&front);
            match self.cashier.press(act, seen, fields).await {
                Ok(()) => return,
                Err(Trouble::No(code, _)) if code == "sale_moved" => {}
                Err(trouble) => panic!("{act}: {trouble}"),
            }
        }
        panic!("{act}: the sale moved at every look");
    }

    /// Plugs the network in again, and waits until head office is heard: a till that has been off line for a while asks
    /// again within the time that head office has set, which is half a minute at least.
    pub(crate) async fn plug(&self) {
        self.shop.plug_network().await;
        let online = async || (self.view().await["link"]["state"] == "online").then_some(());
        if self.shop.eventually(online).await.is_none() {
            self.until("the line", online).await;
        }
    }

    /// Presses a button that is refused; the stable word and the sentence.
    pub(crate) async fn refused(&self, act: &str, fields: &[(&str, &str)]) -> (String, String) {
        match self.cashier.press(act, None, fields).await {
            Err(Trouble::No(code, words)) => (code, words),
            other => panic!("{act} was not refused: {other:?}"),
        }
    }

    /// Scans items until each is a line of the sale in front, which is returned.
    pub(crate) async fn basket(&self, items: &[&str]) -> Value {
        let before = self.front().await["lines"].as_array().map_or(0, Vec::len);
        for item in items {
            self.shop.scan(item).unwrap();
        }
        self.until("a basket", async || {
            let front = self.front().await;
            let lines = front["lines"].as_array().map_or(0, Vec::len);
            (lines == before + items.len()).then_some(front)
        })
        .await
    }

    /// Puts what is in front on the desk; the sale's id.
    pub(crate) async fn put_on_desk(&self) -> String {
        let id = text(&self.front().await["id"]);
        self.press("put-on-desk", &[("desk", DESK)]).await;
        id
    }

    /// The desk's page.
    pub(crate) fn page(&self) -> String {
        self.shop.desk_page(DESK)
    }

    /// The desk's bill of so many minor units, once a phone could pay it.
    pub(crate) async fn bill(&self, phone: &Phone, amount: &str) -> Bill {
        let page = self.page();
        self.until("a bill on the phone", async || {
            phone.open(&page).await.unwrap().filter(|bill| bill.text.contains(amount))
        })
        .await
    }

    /// The wallet that a tap on this bill opens. Where word of an earlier order came between the look and the tap, it
    /// looks again, as a person does.
    pub(crate) async fn wallet(&self, phone: &Phone, bill: &Bill) -> String {
        let mut bill = bill.clone();
        let mut said = String::new();
        for _ in 0..LOOKS_AGAIN {
            let tap = phone.tap(&bill).await.unwrap();
            if let Tap::Wallet(wallet) = tap {
                return wallet;
            }
            said = self.said(phone, &tap).await;
            match bill.anew(&said) {
                Some(fresh) if said.contains("This page is old; here is the current bill.") => bill = fresh,
                _ => break,
            }
        }
        panic!("no wallet opened: {said}; the screen: {:#}\n{}", self.view().await, log(self.dir()))
    }

    /// The text of the page that a tap led to.
    pub(crate) async fn said(&self, phone: &Phone, tap: &Tap) -> String {
        match tap {
            Tap::Said(place) if place.starts_with('/') => {
                phone.read(&format!("{}{place}", self.shop.cloud_url)).await.unwrap()
            }
            Tap::Said(text) => text.clone(),
            Tap::Wallet(wallet) => panic!("the wallet opened: {wallet}"),
        }
    }

    /// Waits until the sale has its receipt, whose number is returned.
    pub(crate) async fn paid(&self, sale: &str) -> u64 {
        self.until("a receipt", async || self.recent(sale).await?["receipt"].as_u64()).await
    }

    /// Waits until the sale's paper has come to an end: `printed`, `unconfirmed` or `failed`.
    pub(crate) async fn paper_of(&self, sale: &str) -> String {
        self.until("an end of printing", async || {
            let word = text(&self.recent(sale).await?["paper"]);
            (!["waiting", "printing"].contains(&word.as_str())).then_some(word)
        })
        .await
    }

    /// A paid sale as the screen remembers it.
    pub(crate) async fn recent(&self, sale: &str) -> Option<Value> {
        let view = self.view().await;
        view["till"]["recent"].as_array()?.iter().find(|paid| paid["sale"] == sale).cloned()
    }

    /// The intent of the last payment of a sale, once there is one.
    pub(crate) async fn intent_of(&self, sale: &str) -> String {
        self.until("an intent", async || self.books().intents_by_sale().get(sale)?.last().cloned()).await
    }

    /// Waits until nothing is printed any more and the cloud has everything. Where that takes longer than one may wait
    /// for anything, how far the journal is by then.
    async fn rest(&self) -> Result<(), u64> {
        let at_rest = async || {
            let view = self.view().await;
            let busy = |paid: &Value| paid["paper"] == "printing" || paid["paper"] == "waiting";
            let printing = view["till"]["recent"].as_array()?.iter().any(busy);
            (!printing && view["link"]["received"] == view["till"]["tip"]["seq"]).then_some(())
        };
        let reached = self.shop.eventually(at_rest).await;
        if reached.is_some() {
            Ok(())
        } else {
            Err(self.view().await["till"]["tip"]["seq"].as_u64().unwrap_or(0))
        }
    }

    /// Waits until the cloud has everything, closes the shop, and has it audited: all must agree.
    pub(crate) async fn close(mut self) -> Closed {
        self.shop.plug_network().await;
        let mut reached = None;
        while let Err(seq) = self.rest().await {
            // A long queue of sheets may take as long as it needs, if only each look finds it shorter.
            assert!(
                reached < Some(seq),
                "rest did not come; the screen: {:#}\n{}",
                self.view().await,
                log(self.dir())
            );
            reached = Some(seq);
        }
        let books = self.books();
        if let Err(error) = self.shop.close().await {
            panic!("the shop does not close: {error}\n{}", log(self.dir()));
        }
        let report = audited(self.dir());
        Closed { report, books, _folder: self.folder }
    }
}

/// A shop after its last day.
pub(crate) struct Closed {
    /// What the audit said.
    pub(crate) report: Value,
    pub(crate) books: Books,
    _folder: tempfile::TempDir,
}

impl Closed {
    /// A count of the audit.
    #[track_caller]
    pub(crate) fn counts(&self, name: &str, wanted: u64) {
        assert_eq!(self.report["counts"][name].as_u64(), Some(wanted), "{name} in {:#}", self.report);
    }
}

/// Runs the audit over a folder; it must find nothing.
pub(crate) fn audited(dir: &Path) -> Value {
    let output = till(&["audit", &dir.to_string_lossy(), "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("the audit said nothing that can be read: {}", both(&output)));
    assert_eq!(
        report["findings"].as_array().map(Vec::len),
        Some(0),
        "the audit finds {:#}",
        report["findings"]
    );
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    report
}

/// Runs the program to its end.
pub(crate) fn till(arguments: &[&str]) -> Output {
    Command::new(TILL).args(arguments).output().unwrap()
}

/// What a program said, on both ways out.
pub(crate) fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A JSON text.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// That a text has these words.
#[track_caller]
pub(crate) fn says(text: &str, words: &str) {
    assert!(text.contains(words), "no {words:?} in:\n{text}");
}

/// The end of the till's log.
pub(crate) fn log(dir: &Path) -> String {
    let log = std::fs::read_to_string(dir.join("till.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
