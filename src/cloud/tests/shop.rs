//! A cloud for tests with a gateway where one is wanted, and pages as a phone gets them.
//!
//! Not here: tills (`till`).

use super::till::Till;
use crate::cloud::{
    Account, AlipayFiles, Clock, Config, Decision, Elsewhere, Running, ShopDefaults, WeChatPhones, start,
};
use crate::keys::DeviceKey;
use crate::record::Epoch;
use crate::record::chain::Tip;
use crate::sim::gateway;
use crate::token::fingerprint;
use crate::wallet::http::{Timeouts, client};
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::openid::{AppSecret, OpenIds};
use crate::wallet::wechat::{self, ApiV3Key, PlatformKeys, WeChat};
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
    pub(super) referrer: Option<String>,
}

impl Page {
    pub(super) async fn of(response: reqwest::Response) -> Self {
        let field = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let cookie = field("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned());
        let (status, to) = (response.status().as_u16(), field("location"));
        let referrer = field("referrer-policy");
        Self { status, cookie, to, referrer, text: response.text().await.unwrap() }
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
