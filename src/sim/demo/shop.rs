//! The shop: cloud, wallet, devices and the till's daemon, each started for real and wired together.

use super::cashier::Cashier;
use super::http::{Browser, base};
use super::program::{Program, call};
use super::stopwatch::Measured;
use super::wire::Wire;
use crate::clock::Clock;
use hardware::sim::{Fault, Paper, Printer, PrinterOptions, Scanner};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// The desk that customers sit at.
pub const DESK: &str = "table-4";

/// Coupons issued for the day.
const COUPONS: usize = 60;

/// Value vouchers issued for the day, and what each is worth: less than most baskets.
const VOUCHERS: usize = 30;
const VOUCHER_WORTH: &str = "20.00";

/// The wallet app's number; the gateway takes any.
const APP: &str = "2021000000000001";

/// How fast the virtual printer's line is, in bits a second.
const PRINTER_BAUD: u32 = 19_200;

/// Starts of the till before its failure is believed, as systemd would try again.
const START_TRIES: u32 = 4;

/// Between two of them.
const BETWEEN_STARTS: Duration = Duration::from_millis(250);

/// How long the till may take to come up or the cloud to hear of it.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// Everything that runs.
pub struct Shop {
    binary: PathBuf,
    pub dir: PathBuf,
    pub cloud_url: String,
    pub wallet_url: String,
    pub till_url: String,
    pub scanner: Scanner,
    pub printer: Printer,
    pub coupons: VecDeque<String>,
    pub vouchers: VecDeque<String>,
    pub members: Vec<Value>,
    pub clock: Clock,
    pub kills: usize,
    pub(super) measured: Measured,
    cloud: Option<Program>,
    wallets: Option<Program>,
    daemon: Option<Program>,
    to_cloud: Wire,
    to_wallet: Wire,
    browser: Browser,
    _tasks: JoinSet<()>,
}

impl Shop {
    /// Builds the shop in an empty folder and opens it: paired, stocked, staffed.
    pub async fn open(binary: &Path, dir: &Path, seed: u64, frame: &str) -> io::Result<(Self, Cashier)> {
        for part in ["till", "gateway", "cloud", "devices"] {
            std::fs::create_dir_all(dir.join(part))?;
        }
        let mut tasks = JoinSet::new();
        let (wallets, wallet_url) = start_wallets(binary, dir, seed).await?;
        let (cloud, cloud_url) = start_cloud(binary, dir, &wallet_url).await?;
        let to_cloud = Wire::start(address_of(&cloud_url)?, &mut tasks).await?;
        let to_wallet = Wire::start(address_of(&wallet_url)?, &mut tasks).await?;
        let scanner = Scanner::start(&dir.join("devices/scanner"))?;
        let options = PrinterOptions { baud: PRINTER_BAUD, ..PrinterOptions::default() };
        let printer = Printer::start(&dir.join("devices/printer"), &dir.join("devices"), options)?;
        let till_url = base(free_port()?);
        let browser = Browser::of_cashier().map_err(io::Error::other)?;
        let mut shop = Self {
            binary: binary.to_owned(),
            dir: dir.to_owned(),
            cloud_url,
            wallet_url,
            till_url,
            scanner,
            printer,
            coupons: VecDeque::new(),
            vouchers: VecDeque::new(),
            members: Vec::new(),
            clock: Clock::new(),
            kills: 0,
            measured: Measured::default(),
            cloud: Some(cloud),
            wallets: Some(wallets),
            daemon: None,
            to_cloud,
            to_wallet,
            browser,
            _tasks: tasks,
        };
        shop.stock().await?;
        shop.write_config(frame)?;
        shop.start_daemon().await?;
        let cashier = shop.open_till(seed).await?;
        Ok((shop, cashier))
    }

    /// Fills the cloud: catalogue, desk, offer, coupons, vouchers, members.
    async fn stock(&mut self) -> io::Result<()> {
        let catalogue = self.dir.join("catalogue.csv");
        std::fs::write(&catalogue, include_str!("catalogue.csv"))?;
        self.head_office(&["catalogue", "import", &text(&catalogue)]).await?;
        self.head_office(&["desk", "add", DESK, "Table 4"]).await?;
        self.head_office(&["desk", "add", "table-5", "Table 5"]).await?;
        self.head_office(&[
            "offer",
            "add",
            "spend-50",
            "--spend",
            "50.00",
            "--save",
            "5.00",
            "--name",
            "5 off 50",
            "--name-zh",
            "满50减5",
        ])
        .await?;
        self.head_office(&["campaign", "add", "7", "--name", "Autumn coupon", "--name-zh", "秋日优惠券"])
            .await?;
        let issued = self
            .head_office(&[
                "coupon",
                "issue",
                "--campaign",
                "7",
                "--amount",
                "3.00",
                "--count",
                &COUPONS.to_string(),
            ])
            .await?;
        self.coupons = issued.lines().map(str::to_owned).filter(|line| line.starts_with("C1.")).collect();
        let vouchers = VOUCHERS.to_string();
        let issue = ["voucher", "issue", "--value", VOUCHER_WORTH, "--count", &vouchers];
        let issued = self.head_office(&issue).await?;
        self.vouchers = issued.lines().map(str::to_owned).filter(|line| line.starts_with("G1.")).collect();
        let members = self.head_office(&["member", "add", "--count", "12"]).await?;
        self.members = members.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(())
    }

    /// Runs a command of head office on the cloud's folder.
    pub async fn head_office(&self, arguments: &[&str]) -> io::Result<String> {
        let folder = text(&self.dir.join("cloud"));
        let mut all = vec!["cloud", "--dir", folder.as_str()];
        all.extend_from_slice(arguments);
        call(&self.binary, &all).await
    }

    fn write_config(&self, frame: &str) -> io::Result<()> {
        let devices = self.dir.join("devices");
        let keys = self.dir.join("gateway");
        let config = format!(
            r#"# Written for the demonstration.
terminal = "till-1"
state_dir = "till"

[shop]
currency = "CNY"
time_zone = "Asia/Shanghai"
day_cut = "04:00"

[[station]]
id = "front"
[station.scanner]
# This scanner reads once; what it reads again, somebody shows again, faster than people do.
repeat_ms = 0
port = {scanner:?}
[station.printer]
port = {printer:?}
baud = {PRINTER_BAUD}
profile = "epson-tm-t88-chinese"
language = "both"

[pages]
listen = "{listen}"
frame_ancestors = [{frame:?}]

[cloud]
url = "{cloud}"
name = "Till 1, Corner Cafe"

[wallet.alipay]
gateway = "{wallet}/gateway.do"
app_id = "{APP}"
app_key = {app_key:?}
alipay_key = {alipay_key:?}

[timing]
query_first_ms = 200
query_fast_ms = 300
query_slow_ms = 1000
watch_after_ms = 1500
wallet_answer_ms = 1500
cloud_retry_max_ms = 1000
reopen_ms = 100
printer_poll_ms = 300
"#,
            scanner = text(&devices.join("scanner")),
            printer = text(&devices.join("printer")),
            listen = self.till_url.trim_start_matches("http://"),
            cloud = base(self.to_cloud.address()),
            wallet = base(self.to_wallet.address()),
            app_key = text(&keys.join("merchant.pkcs8.pem")),
            alipay_key = text(&keys.join("gateway.pub.pem")),
        );
        std::fs::write(self.dir.join("till.toml"), config)
    }

    /// Starts the till, and waits until it says that it is ready.
    pub async fn start_daemon(&mut self) -> io::Result<()> {
        let config = text(&self.dir.join("till.toml"));
        let log = self.dir.join("till.log");
        let mut tries = 0;
        // While the till is down, some other connection of this machine may stand on its port for a moment.
        let daemon = loop {
            tries += 1;
            match Program::start(&self.binary, "the till", &["run", "--config", &config], &log).await {
                Ok((daemon, _)) => break daemon,
                Err(error) if tries == START_TRIES => return Err(error),
                Err(_) => tokio::time::sleep(BETWEEN_STARTS).await,
            }
        };
        self.daemon = Some(daemon);
        Ok(())
    }

    /// The first manager, the pairing, the first bundle, a shift.
    async fn open_till(&self, run: u64) -> io::Result<Cashier> {
        let mut cashier = Cashier::new(self.till_url.clone(), run).map_err(io::Error::other)?;
        let code = std::fs::read_to_string(self.dir.join("till/first-manager-code"))?;
        let failed = |trouble: super::cashier::Trouble| io::Error::other(trouble.to_string());
        cashier.begin(code.trim()).await.map_err(failed)?;
        let fingerprint = self.fingerprint_shown_by_the_till(&cashier).await?;
        self.head_office(&["pair", "approve", "till-1", &fingerprint]).await?;
        let paired = self.eventually(async || {
            let view = cashier.view().await.ok()?;
            (view["till"]["bundle_version"].as_u64().unwrap_or(0) > 0).then_some(())
        });
        paired.await.ok_or_else(|| io::Error::other("the till did not get its bundle"))?;
        cashier.press("open-shift", None, &[("float", "200.00")]).await.map_err(failed)?;
        Ok(cashier)
    }

    /// What a manager reads off the till's screen and compares at head office.
    async fn fingerprint_shown_by_the_till(&self, cashier: &Cashier) -> io::Result<String> {
        let shown = self.eventually(async || {
            let view = cashier.view().await.ok()?;
            let listed = self.head_office(&["pair", "list"]).await.ok()?;
            let shown = view["link"]["fingerprint"].as_str()?.to_owned();
            listed.contains(&shown).then_some(shown)
        });
        shown.await.ok_or_else(|| io::Error::other("the till did not ask to be paired"))
    }

    /// Tries until there is something, for as long as a till may take to come up.
    pub async fn eventually<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
        let until = self.clock.monotonic_ms() + u64::try_from(UP_WITHIN.as_millis()).unwrap_or(u64::MAX);
        loop {
            if let Some(found) = look().await {
                return Some(found);
            }
            if self.clock.monotonic_ms() > until {
                return None;
            }
            tokio::time::sleep(super::cashier::GLANCE).await;
        }
    }

    /// Pulls the network of the till. Nothing passes it when this returns.
    pub async fn pull_network(&self) {
        self.to_cloud.pull().await;
        self.to_wallet.pull().await;
    }

    /// Plugs it in again.
    pub async fn plug_network(&self) {
        self.to_cloud.plug().await;
        self.to_wallet.plug().await;
    }

    /// Whether the network is there.
    pub fn is_online(&self) -> bool {
        self.to_cloud.is_plugged()
    }

    /// Cuts the power of the till and starts it again.
    pub async fn cut_power(&mut self) -> io::Result<()> {
        self.kill_daemon().await?;
        self.start_daemon().await
    }

    /// Cuts the power of the till.
    pub async fn kill_daemon(&mut self) -> io::Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().await?;
        }
        self.kills += 1;
        Ok(())
    }

    /// Asks the till to stop in order, and fails if it says that it could not.
    pub async fn stop_daemon(&mut self) -> io::Result<()> {
        match self.daemon.take() {
            Some(daemon) => daemon.stop().await,
            None => Ok(()),
        }
    }

    /// Sets a fault of the wallet.
    pub async fn add_fault(&self, rule: Value) -> io::Result<()> {
        let url = format!("{}/faults", self.wallet_url);
        let answer = self.browser.post_json(&url, &json!({ "add": rule })).await;
        let answer = answer.map_err(io::Error::other)?;
        if answer.status == 200 { Ok(()) } else { Err(io::Error::other(answer.text)) }
    }

    /// What the wallet's faults did so far.
    pub async fn fault_hits(&self) -> io::Result<Value> {
        let answer = self.browser.get(&format!("{}/faults", self.wallet_url)).await;
        Ok(answer.map_err(io::Error::other)?.json()["hits"].clone())
    }

    /// A fresh pay code, as the customer's wallet shows it.
    pub async fn pay_code(&self) -> io::Result<String> {
        let url = format!("{}/play/codes", self.wallet_url);
        let answer = self.browser.post_json(&url, &json!({})).await.map_err(io::Error::other)?;
        let code = answer.json()["code"].as_str().map(str::to_owned);
        code.ok_or_else(|| io::Error::other(format!("the wallet gave no code: {}", answer.text)))
    }

    /// Milliseconds since the wallet last said something.
    pub(super) fn since_wallet_ms(&self) -> u64 {
        self.to_wallet.last_word().age_ms()
    }

    /// Sheets that the printer has cut so far.
    pub(super) fn cuts(&self) -> usize {
        self.printer.paper().cut_sheets().count()
    }

    /// Scans as the scanner does: the code and a carriage return.
    pub fn scan(&self, code: &str) -> io::Result<()> {
        self.scanner.scan(format!("{code}\r").as_bytes())
    }

    /// What is on paper.
    pub fn paper(&self) -> Paper {
        self.printer.paper()
    }

    /// The roll ends, or a new one is in.
    pub fn set_paper(&self, fault: Fault) {
        self.printer.set_fault(fault);
    }

    /// The desk's page, as the sticker's code says.
    pub fn desk_page(&self, desk: &str) -> String {
        format!("{}/d/{desk}", self.cloud_url)
    }

    /// Closes the shop in order: till first, then the world around it.
    pub async fn close(&mut self) -> io::Result<()> {
        for program in [self.daemon.take(), self.cloud.take(), self.wallets.take()].into_iter().flatten() {
            program.stop().await?;
        }
        Ok(())
    }

    /// Whether the till's process runs.
    pub fn till_runs(&mut self) -> bool {
        self.daemon.as_mut().is_some_and(Program::runs)
    }
}

async fn start_wallets(binary: &Path, dir: &Path, seed: u64) -> io::Result<(Program, String)> {
    let folder = text(&dir.join("gateway"));
    let seed = seed.to_string();
    let arguments = ["sim", "wallets", "--listen", "127.0.0.1:0", "--dir", &folder, "--seed", &seed];
    Program::start(binary, "the wallet", &arguments, &dir.join("gateway.log")).await
}

async fn start_cloud(binary: &Path, dir: &Path, wallet_url: &str) -> io::Result<(Program, String)> {
    let folder = text(&dir.join("cloud"));
    let wallets = text(&dir.join("wallets.toml"));
    std::fs::write(&wallets, accounts(wallet_url))?;
    std::fs::write(dir.join("app.secret"), "0123456789abcdef0123456789abcdef\n")?;
    let arguments = [
        "cloud",
        "--dir",
        &folder,
        "--listen",
        "127.0.0.1:0",
        "--shop",
        "Corner Cafe",
        "--currency",
        "CNY",
        "--time-zone",
        "Asia/Shanghai",
        "--wallets",
        &wallets,
    ];
    Program::start(binary, "the cloud", &arguments, &dir.join("cloud.log")).await
}

/// The merchant's accounts at both wallets; phones pay by WeChat inside WeChat and elsewhere.
fn accounts(wallet_url: &str) -> String {
    format!(
        r#"# Written for the demonstration.
[wallet.alipay]
gateway = "{wallet_url}/gateway.do"
app_id = "{APP}"
app_key = "gateway/merchant.pkcs8.pem"
alipay_key = "gateway/gateway.pub.pem"

[wallet.wechat]
gateway = "{wallet_url}"
app_id = "wxd678efh567hg6787"
merchant_id = "1900009191"
merchant_key = "gateway/merchant.pkcs8.pem"
merchant_serial = "1DDE55AD"
wechat_key = "gateway/gateway.pub.pem"
wechat_key_id = "PUB_KEY_ID_TILL_SIMULATOR"
api_v3_key = "gateway/apiv3.key"
app_secret = "app.secret"
authorize_at = "{wallet_url}"
exchange_at = "{wallet_url}"
h5 = true
"#
    )
}

fn address_of(url: &str) -> io::Result<SocketAddr> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.trim_end_matches('/').parse().map_err(|_| io::Error::other(format!("{url:?} is not an address")))
}

/// A port that was free a moment ago: the till keeps it over its restarts.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
