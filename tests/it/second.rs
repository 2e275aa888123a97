//! A second till of the same shop: a daemon with a screen and no devices, paired with the first one's head office over a
//! line of its own that is never cut.

use crate::TILL;
use crate::counter::{Counter, both, text, till};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use till::sim::demo::cashier::{Cashier, Trouble};

const NAME: &str = "till-2";

/// It, with Mia signed in and a shift begun.
pub(crate) struct Second<'a> {
    counter: &'a Counter,
    cashier: Cashier,
    daemon: Child,
}

impl Drop for Second<'_> {
    fn drop(&mut self) {
        // Gone already, or going now.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl<'a> Second<'a> {
    pub(crate) async fn open(counter: &'a Counter) -> Self {
        let config = counter.dir().join("till-2.toml");
        let text_of = format!(
            r#"terminal = "{NAME}"
state_dir = "till-2"

[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"
day_cut = "04:00"

[[station]]
id = "front"

[pages]
listen = "127.0.0.1:0"

[cloud]
url = "{}"
name = "Till 2, Corner Cafe"

[timing]
cloud_retry_max_ms = 1000
"#,
            counter.shop.cloud_url
        );
        std::fs::write(&config, text_of).unwrap();
        std::fs::create_dir_all(counter.dir().join("till-2")).unwrap();
        let log = std::fs::File::create(counter.dir().join("till-2.log")).unwrap();
        let mut daemon = Command::new(TILL)
            .args(["run", "--config", &config.to_string_lossy()])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
        let ready =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
        let cashier = Cashier::new(ready.expect("the second till is ready"), 2).unwrap();
        let mut second = Self { counter, cashier, daemon };
        let code = std::fs::read_to_string(counter.dir().join("till-2/first-manager-code")).unwrap();
        second.cashier.begin(code.trim()).await.unwrap();
        let fingerprint = second
            .until("to be known at head office", async || {
                let shown = second.view().await["link"]["fingerprint"].as_str()?.to_owned();
                let listed = counter.shop.head_office(&["pair", "list"]).await.ok()?;
                listed.contains(&shown).then_some(shown)
            })
            .await;
        counter.shop.head_office(&["pair", "approve", NAME, &fingerprint]).await.unwrap();
        second
            .until("a bundle", async || {
                second.view().await["till"]["bundle_version"].as_u64().filter(|version| *version > 0)
            })
            .await;
        second.press("open-shift", &[("float", "200.00")]).await.unwrap();
        second
    }

    pub(crate) async fn view(&self) -> Value {
        self.cashier.view().await.unwrap_or(Value::Null)
    }

    async fn front(&self) -> Value {
        self.view().await["till"]["stations"]["front"]["sale"].clone()
    }

    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
        match self.counter.shop.eventually(look).await {
            Some(found) => found,
            None => panic!("{what} did not come to the second till; its screen: {:#}", self.view().await),
        }
    }

    pub(crate) async fn press(&self, act: &str, fields: &[(&str, &str)]) -> Result<(), Trouble> {
        let front = self.front().await;
        self.cashier.press(act, (!front.is_null()).then_some(&front), fields).await
    }

    /// Types a code: there is no scanner here.
    pub(crate) async fn code(&self, code: &str) -> Result<(), Trouble> {
        self.press("type-code", &[("code", code)]).await
    }

    /// One item in front; the sale's id.
    pub(crate) async fn basket(&self, item: &str) -> String {
        self.code(item).await.unwrap();
        text(&self.front().await["id"])
    }

    pub(crate) async fn to_pay(&self, item: &str) -> String {
        let sale = self.basket(item).await;
        self.press("pay", &[]).await.unwrap();
        sale
    }

    /// Pays what is left in cash, and waits for the receipt.
    pub(crate) async fn rest_in_cash(&self, sale: &str) {
        let due = self.front().await["due"]["minor"].as_i64().unwrap();
        let received = format!("{}.{:02}", due / 100, due % 100);
        self.press("cash", &[("received", &received)]).await.unwrap();
        self.until("a receipt", async || {
            let view = self.view().await;
            view["till"]["recent"].as_array()?.iter().find(|paid| paid["sale"] == sale).map(|_| ())
        })
        .await;
    }

    /// Uses of a campaign that it holds.
    pub(crate) async fn lease(&self, campaign: u64) -> Option<u64> {
        lease_in(&self.view().await, campaign)
    }

    /// Waits until head office has everything.
    pub(crate) async fn settled(&self) {
        self.until("everything to be received", async || {
            let view = self.view().await;
            (view["link"]["received"] == view["till"]["tip"]["seq"]).then_some(())
        })
        .await;
    }

    /// Ends it in order; its books are whole.
    pub(crate) fn close(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.daemon.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.daemon.wait().unwrap().success());
        let dir = self.counter.dir().join("till-2").to_string_lossy().into_owned();
        let verified = till(&["journal", "verify", "--dir", &dir]);
        assert_eq!(verified.status.code(), Some(0), "{}", both(&verified));
    }
}

/// Uses of a campaign that a till holds.
pub(crate) fn lease_in(view: &Value, campaign: u64) -> Option<u64> {
    let leases = view["till"]["leases"].as_array()?;
    leases.iter().find(|lease| lease["campaign"] == campaign)?["left"].as_u64().filter(|left| *left > 0)
}
