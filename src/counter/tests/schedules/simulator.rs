//! The simulated gateways behind the wallets' own adapters, in one process and at one moved clock.
//!
//! A request is built, signed and read by what the till sells; it is verified, carried out, struck by faults and
//! answered by a simulator that shares no code with it; the answer and the notifications are verified again.
//! Requests may arrive long after their caller has given up, also after their caller has died.
//!
//! Not here: sockets. What a line does to a request is played by [`Wire`].

use super::super::Dice;
use super::Wallets;
use super::witness::Notes;
use crate::record::money_moves::ProviderName;
use crate::sim::gateway::{
    Ending, Fault, Gateway, Keys, Line, Manner, Money, Notice, RawRequest, Report, Rule, Settings,
    Wallet as Brand,
};
use crate::wallet::alipay::{self, Alipay};
use crate::wallet::http::{CallError, Carrier, Received, Timeouts};
use crate::wallet::signing::{SigningKey, VerifyingKey};
use crate::wallet::wechat::{self, ApiV3Key, PlatformKeys, WeChat};
use crate::wallet::{Answer, Reply, Wallet};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const APP: &str = "2021000000000001";
const MERCHANT: &str = "1900009191";
const SECRET: &str = "0123456789abcdef0123456789ABCDEF";
/// Loopback in name only: nothing ever connects.
const ADDRESS: &str = "http://127.0.0.1:1";

/// How long a caller waits for an answer.
const GIVES_UP: Duration = Duration::from_secs(3);

/// The longest that a request is on its way: shorter than the till waits before its last look.
const ON_ITS_WAY_MS: u64 = 8_000;

/// Notifications are repeated so many times as fast as wallets do, so that an evening does not last a day.
const NOTIFY_SPEED: u32 = 20;

/// What ten thousand evenings must have suffered, by the simulator's own count.
pub(super) const FAULTS: [&str; 20] = [
    "delay",
    "drop_request",
    "drop_answer",
    "duplicate",
    "http_error",
    "wrong_signature",
    "missing_signature",
    "truncate",
    "wrong_amount",
    "paid_before",
    "notify_first",
    "paying_then_paid",
    "unknown",
    "refuse",
    "confirm_after",
    "refuse_after",
    "pay_after_cancel",
    "walk_away",
    "slow_refund",
    "late",
];

static KEYS: LazyLock<Arc<Keys>> = LazyLock::new(|| {
    let der = |owner: &str, form: &str| STANDARD.decode(key(owner, form)).unwrap();
    let keys = Keys::of(&der("merchant", "spki_der"), &der("gateway", "pkcs8_der"), SECRET);
    Arc::new(keys.unwrap())
});

fn key(owner: &str, form: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/data/keys.json")).unwrap();
    file[owner][form].as_str().unwrap().to_owned()
}

/// Both accounts of the shop, made once for all evenings of a thread: their clients are dear.
pub(super) struct Rig {
    accounts: Arc<Accounts>,
    line: Arc<Switch>,
}

struct Accounts {
    alipay: Arc<Alipay>,
    wechat: Arc<WeChat>,
    seal: ApiV3Key,
}

/// Leads to the wire of the evening that is played.
#[derive(Default)]
struct Switch(Mutex<Option<Arc<Wire>>>);

impl Switch {
    fn wire(&self) -> Arc<Wire> {
        self.0.lock().unwrap().clone().unwrap()
    }
}

impl Carrier for Switch {
    fn carry(&self, request: reqwest::Request, _: usize) -> Reply<'_, Result<Received, CallError>> {
        let wire = self.wire();
        Box::pin(async move { wire.carry(raw(&request)).await })
    }
}

fn raw(request: &reqwest::Request) -> RawRequest {
    let url = request.url();
    let headers = request.headers().iter();
    RawRequest {
        method: request.method().to_string(),
        target: url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path())),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body: request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec(),
    }
}

impl Rig {
    pub(super) fn new() -> Self {
        let line = Arc::new(Switch::default());
        let signing = || SigningKey::read(&key("merchant", "pkcs8_der")).unwrap();
        let gateway = || VerifyingKey::read(&KEYS.gateway_public_pem()).unwrap();
        let timeouts = Timeouts { connect: GIVES_UP, total: GIVES_UP };
        let clock = || {
            let line = line.clone();
            Arc::new(move || line.wire().now_ms())
        };
        let alipay = alipay::Config {
            gateway: format!("{ADDRESS}/gateway.do"),
            app_id: APP.to_owned(),
            app_key: signing(),
            alipay_key: gateway().into(),
            app_auth_token: None,
            notify_url: Some("https://pos.example.test/alipay".to_owned()),
            timeouts,
            now: clock(),
        };
        let chance = line.clone();
        let wechat = wechat::Config {
            gateway: ADDRESS.to_owned(),
            app_id: "wxd678efh567hg6787".to_owned(),
            merchant_id: MERCHANT.to_owned(),
            merchant_serial: "1dde55ad98ed71d6edd4a4a16996de7b47773a8c".to_owned(),
            merchant_key: signing(),
            platform_keys: PlatformKeys::new().with_public_key(KEYS.public_key_id(), gateway()).unwrap(),
            notify_url: Some("https://pos.example.test/wechat".to_owned()),
            device_ip: "127.0.0.1".to_owned(),
            timeouts,
            now: clock(),
            chance: Arc::new(move || {
                let mut draw = [0; 32];
                draw[..8].copy_from_slice(&chance.wire().roll(u64::MAX).to_be_bytes());
                draw
            }),
        };
        let accounts = Accounts {
            alipay: Arc::new(Alipay::new(alipay).unwrap().carried_by(line.clone())),
            wechat: Arc::new(WeChat::new(wechat).unwrap().carried_by(line.clone())),
            seal: ApiV3Key::read(SECRET).unwrap(),
        };
        Self { accounts: Arc::new(accounts), line }
    }

    /// New gateways with empty books and an evening's share of faults.
    pub(super) fn begin(&self, seed: u64, wall_ms: i64, healthy_from: Instant) -> Simulated {
        let settings = Settings {
            seed,
            public_base: ADDRESS.to_owned(),
            notify_speed: NOTIFY_SPEED,
            report: super::is_told().then(|| Box::new(tell) as Report),
        };
        let gateway = Gateway::in_memory(KEYS.clone(), settings).unwrap();
        let mut dice = Dice(seed ^ 0x5851_F42D_4C95_7F2D);
        dice.roll(2);
        for rule in rules(&mut dice) {
            gateway.faults().add(rule).unwrap();
        }
        let wire = Arc::new(Wire {
            gateway,
            began: Instant::now(),
            wall_ms,
            healthy_from,
            dice: Mutex::new(dice),
            is_calm: AtomicBool::new(false),
            on_the_way: AtomicU64::new(0),
            landing: Mutex::new(JoinSet::new()),
            told: Mutex::new(vec![]),
        });
        *self.line.0.lock().unwrap() = Some(wire.clone());
        Simulated { accounts: self.accounts.clone(), wire }
    }
}

/// One request as the wallet saw it, for who plays one evening again.
fn tell(line: &Line) {
    let Line { at_ms, method, number, fault, answer, .. } = line;
    println!("{at_ms} {method} {number}: {} {}", answer.as_deref().unwrap_or("-"), fault.unwrap_or_default());
}

/// What the wallets and their customers are to suffer this evening.
fn rules(dice: &mut Dice) -> Vec<Rule> {
    let ms = |dice: &mut Dice, most: u64| i64::try_from(dice.roll(most)).unwrap();
    let customers = [
        Fault::Customer(Manner::ConfirmAfter { after_ms: ms(dice, 70_000) }),
        Fault::Customer(Manner::RefuseAfter { after_ms: ms(dice, 30_000) }),
        Fault::PayingThenPaid { after_queries: Some(u32::try_from(dice.roll(4)).unwrap()) },
        Fault::Customer(Manner::PayAfterCancel { after_ms: ms(dice, ON_ITS_WAY_MS) }),
        Fault::Customer(Manner::WalkAway),
        Fault::Refuse,
    ];
    let lines = [
        Fault::DropRequest,
        Fault::DropAnswer,
        Fault::Duplicate,
        Fault::HttpError { status: 502, money: Money::Moved },
        Fault::HttpError { status: 503, money: Money::NotMoved },
        Fault::Unknown { money: Money::Moved },
        Fault::Unknown { money: Money::NotMoved },
        Fault::WrongSignature,
        Fault::MissingSignature,
        Fault::Truncate { keep: None, ending: Ending::Short },
        Fault::Truncate { keep: None, ending: Ending::Cut },
        Fault::WrongAmount { by_fen: 1 },
        Fault::SlowRefund { ms: 1 + dice.roll(40_000) },
        Fault::Late,
    ];
    let rated = |fault: Fault, rate_per_mille: u16| Rule { rate_per_mille, ..Rule::of(fault) };
    let named = |method: &str, rule: Rule| Rule { method: Some(method.to_owned()), ..rule };
    let mut rules: Vec<Rule> = vec![];
    rules.extend(customers.map(|fault| rated(fault, 100)));
    rules.extend(lines.map(|fault| rated(fault, 25)));
    rules.push(named("cancel", rated(Fault::PaidBefore, 200)));
    rules.push(named("query", rated(Fault::PaidBefore, 20)));
    rules.push(named("pay", rated(Fault::NotifyFirst, 100)));
    rules.push(rated(Fault::Delay { ms: dice.roll(6_000), stage: crate::sim::gateway::Stage::Work }, 40));
    for fault in [Fault::DropRequest, Fault::DropAnswer, Fault::Duplicate, Fault::WrongSignature] {
        rules.push(named("notify", rated(fault, 60)));
    }
    rules
}

/// The line between the till and the gateways.
struct Wire {
    gateway: Gateway,
    began: Instant,
    wall_ms: i64,
    healthy_from: Instant,
    dice: Mutex<Dice>,
    is_calm: AtomicBool,
    /// Requests that have left and have not arrived.
    on_the_way: AtomicU64,
    landing: Mutex<JoinSet<()>>,
    /// Notifications on their way: due at.
    told: Mutex<Vec<(Instant, Notice)>>,
}

impl Wire {
    fn now_ms(&self) -> i64 {
        self.wall_ms + i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    fn roll(&self, sides: u64) -> u64 {
        self.dice.lock().unwrap().roll(sides)
    }

    /// From some moment on nothing goes wrong any more.
    fn is_calm(&self) -> bool {
        if Instant::now() < self.healthy_from {
            return false;
        }
        if !self.is_calm.swap(true, Ordering::Relaxed) {
            self.gateway.faults().clear();
        }
        true
    }

    /// Carries a request. It arrives by itself, whether or not anybody still waits.
    async fn carry(self: &Arc<Self>, request: RawRequest) -> Result<Received, CallError> {
        let unknown = |why: &str| Err(CallError::Unknown(why.to_owned()));
        let mut latency = Duration::from_millis(20 + self.roll(300));
        if !self.is_calm() {
            match self.roll(30) {
                0 => return Err(CallError::NotSent("no route".to_owned())),
                1 => latency = Duration::from_millis(self.roll(ON_ITS_WAY_MS)),
                _ => {}
            }
        }
        let (answer, answered) = oneshot::channel();
        self.on_the_way.fetch_add(1, Ordering::Relaxed);
        let wire = self.clone();
        self.landing.lock().unwrap().spawn(async move {
            sleep(latency).await;
            let said = wire.gateway.handle(&request, wire.now_ms());
            wire.on_the_way.fetch_sub(1, Ordering::Relaxed);
            let pace = said.as_ref().map(|said| said.pace).unwrap_or_default();
            let first = if pace.notify_first { Duration::from_millis(1_500) } else { Duration::ZERO };
            sleep(latency + first + Duration::from_millis(pace.delay_ms)).await;
            // Nobody may wait any more.
            let _gone = answer.send(said);
        });
        match timeout(GIVES_UP, answered).await {
            Ok(Ok(Some(said))) if !said.pace.breaks_off => {
                let mut headers = reqwest::header::HeaderMap::new();
                for (name, value) in &said.headers {
                    let name: reqwest::header::HeaderName = name.parse().unwrap();
                    headers.append(name, value.parse().unwrap());
                }
                Ok(Received { status: said.status, headers, body: said.body })
            }
            Ok(Ok(_)) => unknown("the line went dead"),
            Ok(Err(_)) => unknown("the evening is over"),
            Err(_) => unknown("no answer in time"),
        }
    }
}

/// One evening's gateways.
pub(super) struct Simulated {
    accounts: Arc<Accounts>,
    wire: Arc<Wire>,
}

impl Simulated {
    /// What a notification says was paid: nothing if nobody vouches for it. The reply goes back to the wallet.
    fn hear(&self, notice: &Notice, notes: &Notes) -> Option<(String, i64)> {
        let (now_ms, body) = (self.wire.now_ms(), notice.request.body.as_slice());
        let (order, paid) = match notice.wallet {
            Brand::Alipay => {
                let heard = alipay::Notification::verify(body, self.accounts.alipay.trust());
                let Ok(heard) = heard else { return self.reply(notice, (200, alipay::REFUSAL)) };
                let account = alipay::Account { app_id: APP.to_owned(), seller_id: None };
                let order = heard.order().clone();
                let asked = notes.asked(order.as_str())?;
                let paid = heard.payment(&account, &order, asked);
                (order, paid)
            }
            Brand::Wechat => {
                let keys = self.accounts.wechat.platform_keys();
                let header = |name: &'static str| notice.request.header(name);
                let heard = wechat::Notification::open(header, body, keys, &self.accounts.seal, now_ms);
                let Ok(heard) = heard else { return self.reply(notice, (401, "")) };
                let wechat::About::Payment(order) = heard.about().clone() else {
                    return self.reply(notice, (204, ""));
                };
                let asked = notes.asked(order.as_str())?;
                let paid = heard.payment(&self.accounts.wechat.account(), &order, asked);
                (order, paid)
            }
        };
        self.reply(notice, (200, alipay::REPLY));
        let Answer::Approved(approval) = paid else { return None };
        Some((order.as_str().to_owned(), approval.total.minor))
    }

    fn reply(&self, notice: &Notice, (status, body): (u16, &str)) -> Option<(String, i64)> {
        self.wire.gateway.noticed(notice, Some((status, body.as_bytes())), self.wire.now_ms()).unwrap();
        None
    }

    fn kept_by(&self, brand: Brand, merchant: &str, order: &str) -> i64 {
        let account = self.wire.gateway.account(brand, merchant, order, self.wire.now_ms()).unwrap();
        account.map_or(0, |account| account.captured - account.refunded)
    }
}

impl Wallets for Simulated {
    fn of(&self, provider: ProviderName) -> Arc<dyn Wallet> {
        match provider {
            ProviderName::Alipay => self.accounts.alipay.clone(),
            ProviderName::Wechat => self.accounts.wechat.clone(),
            ProviderName::House => panic!("the house has no gateway"),
        }
    }

    fn notices(&self, notes: &Notes) -> Vec<(String, i64)> {
        self.wire.is_calm();
        let (now, now_ms) = (Instant::now(), self.wire.now_ms());
        let mut told = self.wire.told.lock().unwrap();
        for notice in self.wire.gateway.notices(now_ms).unwrap() {
            let due =
                now + Duration::from_millis(notice.delay_ms + self.wire.roll(2) * self.wire.roll(4_000));
            told.extend((0..notice.copies).map(|_| (due, notice.clone())));
        }
        let (due, later) = std::mem::take(&mut *told).into_iter().partition(|(due, _)| *due <= now);
        *told = later;
        due.iter().filter_map(|(_, notice): &(Instant, Notice)| self.hear(notice, notes)).collect()
    }

    fn is_quiet(&self) -> bool {
        self.wire.on_the_way.load(Ordering::Relaxed) == 0
            && self.wire.told.lock().unwrap().is_empty()
            && self.wire.gateway.next_act_ms(self.wire.now_ms()).unwrap().is_none()
    }

    fn orders(&self) -> Vec<String> {
        self.wire.gateway.orders(self.wire.now_ms()).unwrap()
    }

    fn kept(&self, order: &str) -> i64 {
        self.kept_by(Brand::Alipay, APP, order) + self.kept_by(Brand::Wechat, MERCHANT, order)
    }

    fn give_back_by_hand(&self, order: &str) {
        self.wire.gateway.give_back(order, self.wire.now_ms()).unwrap();
    }

    fn struck(&self) -> Vec<&'static str> {
        self.wire.gateway.faults().hits().into_keys().collect()
    }
}
