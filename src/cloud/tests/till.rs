//! A till for tests: a device key, a stream of sealed records, signed requests; and a cloud to send them to.

use crate::cloud::{
    Account, AlipayFiles, Clock, Config, Decision, Elsewhere, Running, ShopDefaults, WeChatPhones, start,
};
use crate::keys::DeviceKey;
use crate::keys::request::{Parameters, sign_request};
use crate::money::{Currency, Money};
use crate::record::body::{Body, Place, SaleKind};
use crate::record::chain::{Hash, Tip};
use crate::record::ids::{IntentId, SaleId};
use crate::record::line::{Line, LineId, LineKind, PriceFrom, Quantity};
use crate::record::{Epoch, FORMAT, Header, Mode, Moment, Record};
use crate::sim::gateway;
use crate::tax::TaxRate;
use crate::token::{Order, TerminalTag, fingerprint};
use crate::wallet::http::{Timeouts, client};
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::openid::{AppSecret, OpenIds};
use crate::wallet::wechat::{self, ApiV3Key, PlatformKeys, WeChat};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(super) const START_MS: i64 = 1_795_000_000_000;

/// A cloud at work, its clock, and a gateway where one is wanted.
pub(super) struct Shop {
    pub(super) cloud: Running,
    pub(super) now_ms: Arc<AtomicI64>,
    pub(super) gateway: Option<gateway::Running>,
    pub(super) folder: TempDir,
    pub(super) http: reqwest::Client,
}

pub(super) fn clock_of(now_ms: &Arc<AtomicI64>) -> Clock {
    let now_ms = Arc::clone(now_ms);
    Arc::new(move || now_ms.load(Ordering::SeqCst))
}

pub(super) fn defaults() -> ShopDefaults {
    ShopDefaults { name: "Morning Cafe".to_owned(), ..ShopDefaults::default() }
}

fn timeouts() -> Timeouts {
    Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(30) }
}

/// A merchant's accounts at both wallets of a gateway.
fn accounts(gateway: &gateway::Running, clock: &Clock) -> Vec<Account> {
    let paths = gateway.key_paths();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let alipay = AlipayFiles {
        gateway: format!("http://{}/gateway.do", gateway.address()),
        app_id: "2021000000000001".to_owned(),
        merchant_key: paths.merchant_private.clone().unwrap(),
        gateway_key: paths.gateway_public.clone().unwrap(),
    };
    let key = VerifyingKey::read(&read(paths.gateway_public.as_ref().unwrap())).unwrap();
    let wallet = WeChat::new(wechat::Config {
        gateway: format!("http://{}", gateway.address()),
        app_id: "wxd678efh567hg6787".to_owned(),
        merchant_id: "1900009191".to_owned(),
        merchant_serial: "1DDE55AD".to_owned(),
        merchant_key: SigningKey::read(&read(paths.merchant_private.as_ref().unwrap())).unwrap(),
        platform_keys: PlatformKeys::new().with_public_key("PUB_KEY_ID_TILL_SIMULATOR", key).unwrap(),
        notify_url: None,
        device_ip: "127.0.0.1".to_owned(),
        timeouts: timeouts(),
        now: Arc::clone(clock),
        chance: Arc::new(crate::clock::draw),
    })
    .unwrap();
    let api_v3_key = Some(ApiV3Key::read(&read(&paths.api_v3_key)).unwrap());
    vec![alipay.read(clock).unwrap(), Account::WeChat { wallet, api_v3_key, phones: phones(gateway) }]
}

/// Phones pay by WeChat inside WeChat and elsewhere.
fn phones(gateway: &gateway::Running) -> WeChatPhones {
    let at = format!("http://{}", gateway.address());
    let secret = AppSecret::read("0123456789abcdef0123456789abcdef").unwrap();
    let inside = OpenIds::new("wxd678efh567hg6787", secret, &at, &at, timeouts()).unwrap();
    WeChatPhones { inside: Some(inside), elsewhere: Elsewhere::H5 }
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::start(None).await
    }

    /// A shop whose cloud has a wallet.
    pub(super) async fn with_wallet() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = gateway::Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: folder.path().join("gateway"),
            keys: None,
            faults: None,
            seed: 7,
            public_base: None,
        };
        let gateway = gateway::start(config, || START_MS).await.unwrap();
        Self::start(Some((folder, gateway))).await
    }

    async fn start(wallet: Option<(TempDir, gateway::Running)>) -> Self {
        let (folder, gateway) = match wallet {
            Some((folder, gateway)) => (folder, Some(gateway)),
            None => (tempfile::tempdir().unwrap(), None),
        };
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let clock = clock_of(&now_ms);
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: folder.path().join("cloud"),
            public_base: None,
            accounts: gateway.as_ref().map(|gateway| accounts(gateway, &clock)).unwrap_or_default(),
            shop: defaults(),
        };
        let cloud = start(config, clock).await.unwrap();
        Self { cloud, now_ms, gateway, folder, http: client(timeouts()).unwrap() }
    }

    pub(super) fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// A till that is paired.
    pub(super) async fn till(&self, id: &str) -> Till {
        let till = self.stranger(id);
        let asked = till.ask_pairing().await;
        assert_eq!(asked.0, 202, "{}", asked.1);
        let print = fingerprint(&till.key.public());
        let id = id.parse().unwrap();
        self.cloud.admin().decide_pairing(&id, &print, Decision::Approve).await.unwrap();
        till
    }

    /// A till that nobody has approved.
    pub(super) fn stranger(&self, id: &str) -> Till {
        static SEEDS: AtomicU64 = AtomicU64::new(1);
        let number = SEEDS.fetch_add(1, Ordering::SeqCst);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Till {
            id: id.to_owned(),
            key: DeviceKey::from_seed(&seed).unwrap(),
            base: format!("http://{}", self.cloud.address()),
            http: self.http.clone(),
            now_ms: Arc::clone(&self.now_ms),
            epoch: Epoch(number),
            tip: Tip::START,
            nonces: AtomicU64::new(0),
        }
    }

    /// A page as a phone gets it: status, body, cookie, where it is sent on to.
    pub(super) async fn page(&self, path: &str, cookie: Option<&str>) -> Page {
        let request = self.http.get(self.address(path));
        Page::of(with_cookie(request, cookie).send().await.unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, form: &str, cookie: Option<&str>) -> Page {
        let request = self.http.post(self.address(path));
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        Page::of(with_cookie(request, cookie).send().await.unwrap()).await
    }

    pub(super) fn address(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("http://{}{path}", self.cloud.address())
        }
    }
}

fn with_cookie(request: reqwest::RequestBuilder, cookie: Option<&str>) -> reqwest::RequestBuilder {
    match cookie {
        Some(cookie) => request.header("cookie", cookie),
        None => request,
    }
}

pub(super) struct Page {
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) cookie: Option<String>,
    pub(super) to: Option<String>,
}

impl Page {
    async fn of(response: reqwest::Response) -> Self {
        let field = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let cookie = field("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned());
        let (status, to) = (response.status().as_u16(), field("location"));
        Self { status, cookie, to, text: response.text().await.unwrap() }
    }

    /// The value of a hidden field.
    pub(super) fn field(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let from = self.text.find(&marker).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        self.text[from + marker.len()..].split('"').next().unwrap().to_owned()
    }

    /// The form of the pay button.
    pub(super) fn pay_form(&self) -> String {
        ["sale", "version", "total", "shown"].map(|name| format!("{name}={}", self.field(name))).join("&")
    }
}

pub(super) struct Till {
    pub(super) id: String,
    pub(super) key: DeviceKey,
    base: String,
    http: reqwest::Client,
    now_ms: Arc<AtomicI64>,
    pub(super) epoch: Epoch,
    pub(super) tip: Tip,
    nonces: AtomicU64,
}

pub(super) type Answer = (u16, Value);

impl Till {
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub(super) async fn call(&self, method: &str, target: &str, body: &[u8]) -> Answer {
        let nonce = self.nonces.fetch_add(1, Ordering::SeqCst);
        self.call_with(method, target, body, &format!("nonce-{nonce}"), &self.key).await
    }

    pub(super) async fn call_with(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        nonce: &str,
        key: &DeviceKey,
    ) -> Answer {
        let created = self.now_ms() / 1000;
        let parameters = Parameters { created, nonce: nonce.to_owned(), keyid: self.id.clone() };
        let headers = sign_request(method, target, body, &parameters, key).unwrap();
        let response = self
            .http
            .request(method.parse().unwrap(), format!("{}{target}", self.base))
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body.to_vec())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The same till, now that the cloud listens elsewhere.
    pub(super) fn move_to(&mut self, shop: &Shop) {
        self.base = format!("http://{}", shop.cloud.address());
    }

    pub(super) async fn ask_pairing(&self) -> Answer {
        let body = json!({
            "terminal": self.id, "name": "Counter", "public_key": BASE64.encode(self.key.public()),
        });
        self.call("POST", "/v1/pairings", body.to_string().as_bytes()).await
    }

    fn header(&self) -> Header {
        Header {
            format: FORMAT,
            terminal: self.id.parse().unwrap(),
            epoch: self.epoch,
            seq: self.tip.seq + 1,
            previous: self.tip.head,
            kind: String::new(),
            kind_version: 0,
            sale: None,
            station: Some("front".parse().unwrap()),
            moment: Moment { wall_ms: self.now_ms(), ..Moment::default() },
            business_date: Date::constant(2026, 11, 18),
            shift: None,
            staff: None,
            approver: None,
            mode: Mode::Live,
            receipt: None,
            serial: None,
            amount: None,
            body_hash: Hash::NONE,
        }
    }

    /// Writes the next record of the journal.
    pub(super) fn write(&mut self, body: Body) -> Record {
        self.write_with(body, |_| {})
    }

    pub(super) fn write_in(&mut self, sale: SaleId, body: Body) -> Record {
        self.write_with(body, |header| header.sale = Some(sale))
    }

    pub(super) fn write_with(&mut self, body: Body, edit: impl FnOnce(&mut Header)) -> Record {
        let mut header = self.header();
        edit(&mut header);
        let record = Record::seal(header, body, [7; 16]);
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        record
    }

    pub(super) fn batch(&self, records: &[Record]) -> Value {
        let last = records.last().unwrap();
        let id = self.id.parse().unwrap();
        let input = crate::cloud::tills::signing_input(&id, self.epoch, last.header.seq, &last.hash);
        let sent: Vec<Value> = records
            .iter()
            .map(|record| {
                json!({
                    "head": BASE64.encode(&record.head), "salt": BASE64.encode(record.salt),
                    "body": BASE64.encode(&record.bytes), "hash": record.hash,
                })
            })
            .collect();
        json!({
            "first_seq": records[0].header.seq, "records": sent,
            "batch_signature": BASE64.encode(self.key.sign(&input)),
        })
    }

    pub(super) fn records_target(&self) -> String {
        format!("/v1/terminals/{}/streams/{}/records", self.id, self.epoch)
    }

    pub(super) async fn send(&self, records: &[Record]) -> Answer {
        self.call("POST", &self.records_target(), self.batch(records).to_string().as_bytes()).await
    }

    pub(super) async fn send_well(&self, records: &[Record]) {
        let (status, answer) = self.send(records).await;
        assert_eq!((status, &answer["high"]), (200, &json!(self.tip.seq)), "{answer}");
    }

    pub(super) async fn notices(&self, after: u64, wait_ms: u64) -> Value {
        let target = format!("/v1/terminals/{}/notices?after={after}&wait_ms={wait_ms}", self.id);
        let (status, answer) = self.call("GET", &target, b"").await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Waits for a notice of a kind; bounded.
    pub(super) async fn notice(&self, kind: &str) -> Value {
        for _ in 0..20 {
            let answer = self.notices(0, 1_000).await;
            let notices = answer["notices"].as_array().unwrap();
            if let Some(notice) = notices.iter().rev().find(|notice| notice["kind"] == kind) {
                return notice.clone();
            }
        }
        panic!("no notice {kind} came");
    }

    /// Verdicts so far, once there are `count`; bounded.
    pub(super) async fn verdicts(&self, count: usize) -> Vec<Value> {
        for _ in 0..50 {
            let answer = self.notices(0, 200).await;
            let notices = answer["notices"].as_array().unwrap().iter();
            let verdicts: Vec<Value> = notices
                .filter(|notice| notice["kind"] == "verdict")
                .map(|notice| notice["verdict"].clone())
                .collect();
            if verdicts.len() >= count {
                return verdicts;
            }
        }
        panic!("fewer than {count} verdicts came");
    }

    /// Opens a bill on a desk with one line.
    pub(super) fn bill(&mut self, sale: SaleId, desk: &str, minor: i64) -> Vec<Record> {
        let place = Place::Desk(desk.parse().unwrap());
        let opened = self.write_in(sale, Body::SaleOpened { sale_kind: SaleKind::Sale, place });
        vec![opened, self.line(sale, 1, minor)]
    }

    pub(super) fn line(&mut self, sale: SaleId, number: u32, minor: i64) -> Record {
        let price = Money::new(minor, Currency::CNY);
        let line = Line {
            id: LineId(number),
            kind: LineKind::Goods,
            sku: Some("latte".to_owned()),
            gtin: None,
            name: "Latte".to_owned(),
            name_zh: Some("拿铁".to_owned()),
            quantity: Quantity::pieces(1),
            listed: Some(price),
            price,
            price_from: PriceFrom::Catalogue,
            override_reason: None,
            modifiers: vec![],
            tax: TaxRate::none(),
            linked: None,
            least_age: None,
            lot: None,
            expiry: None,
            serial: None,
            net: None,
        };
        self.write_in(sale, Body::LineAdded { line })
    }

    /// Signs an order as the till does.
    pub(super) fn order(&self, nonce: u64, minor: i64) -> Order {
        Order {
            terminal: TerminalTag::of(&self.id),
            epoch: self.epoch.0,
            nonce,
            amount: Money::new(minor, Currency::CNY),
            issued_at: self.now_ms() / 1000,
        }
    }

    pub(super) async fn bring_order(&self, intent: IntentId, sale: SaleId, order: &Order) -> Answer {
        let text = self.key.draw(order).unwrap();
        let body = json!({ "intent": intent, "sale": sale, "order": text });
        self.call("POST", &format!("/v1/terminals/{}/orders", self.id), body.to_string().as_bytes()).await
    }

    pub(super) async fn withdraw(&self, intent: IntentId) -> Answer {
        let target = format!("/v1/terminals/{}/orders/{intent}/withdraw", self.id);
        self.call("POST", &target, b"").await
    }
}
