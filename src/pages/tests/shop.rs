//! A till with its pages on a real port: journal in a temporary directory, doors held by the test.

use crate::bundle::Bundle;
use crate::clock::{self, Clock};
use crate::counter::event::{Act, Command, Event};
use crate::inbox::{Board, Inbox, Work, doors};
use crate::journal::edge::EdgeStore;
use crate::journal::{Journal, Reader};
use crate::keys::DeviceKey;
use crate::pages::{Config, Parts, Running, start};
use crate::paper::Stock;
use crate::receipt::Stamp;
use crate::record::Moment;
use crate::record::ids::StaffId;
use crate::staff::{PinHash, Role};
use crate::till::{Opening, Sources, open};
use crate::wallet::http::{Timeouts, client};
use jiff::tz::TimeZone;
use reqwest::header::{ACCEPT, COOKIE};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;

/// Longer than any answer on loopback takes; only a broken test waits so long.
const LONG: std::time::Duration = std::time::Duration::from_secs(30);

pub(super) const PIN: &str = "4071";
pub(super) const CODE: &str = "one-time-code";
/// Chosen so that 12:51 in the shop is on the page.
pub(super) const NOW_MS: i64 = 1_795_323_060_000;

/// A shop of one till with the stations `front` and `bar`.
pub(super) struct Shop {
    pub(super) running: Running,
    pub(super) board: Board,
    pub(super) inbox: Inbox,
    pub(super) work: Work,
    pub(super) now_ms: Arc<AtomicI64>,
    pub(super) client: reqwest::Client,
    till: Option<JoinHandle<()>>,
    dir: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) cookie: Option<String>,
    pub(super) location: Option<String>,
    pub(super) policy: String,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), |_| ()).await
    }

    /// One that opens otherwise than most, with the files of a directory.
    pub(super) async fn open_in(dir: tempfile::TempDir, change: impl FnOnce(&mut Opening)) -> Self {
        let (inbox, letters) = Inbox::new();
        let (outbox, work) = doors();
        let journal = Journal::open(dir.path()).unwrap();
        let mut opening = Opening {
            terminal: "till-1".parse().unwrap(),
            stations: vec!["front".parse().unwrap(), "bar".parse().unwrap()],
            bundle: bundle(),
            kept: None,
            code_key: [7; 32],
            wallets: [crate::record::money_moves::ProviderName::Alipay].into(),
            phones: crate::counter::PhonesPay::AtTheWallet,
            code_ms: crate::counter::CODE_MS_MAX,
            stamp: stamp(),
            sources: Sources { clock: Clock::new(), draw: clock::draw },
            received: std::collections::BTreeMap::new(),
            signed: std::collections::BTreeMap::new(),
            room: crate::journal::Room { ballast_bytes: 0, ..Default::default() },
        };
        change(&mut opening);
        let ready = open(journal, opening, letters, outbox).unwrap();
        let board = ready.board.clone();
        let till = std::thread::spawn(move || ready.till.run().unwrap());
        let now_ms = Arc::new(AtomicI64::new(NOW_MS));
        let shown = now_ms.clone();
        let parts = Parts {
            inbox: inbox.clone(),
            board: board.clone(),
            edge: EdgeStore::open(dir.path()).unwrap(),
            journal: Reader::open(dir.path()).unwrap(),
            clock: Arc::new(move || Moment { wall_ms: shown.load(Ordering::SeqCst), ..Moment::default() }),
            chance: Arc::new(clock::draw),
            stamp: stamp(),
        };
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            allowed_hosts: vec!["till.shop.example".to_owned()],
            frame_ancestors: vec!["http://127.0.0.1:9".to_owned()],
            bootstrap_code: Some(CODE.to_owned()),
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            stocks: [(
                "front".parse().unwrap(),
                Stock::new(hardware::Profile::by_name("generic-80mm").unwrap()),
            )]
            .into(),
        };
        let running = start(config, parts).await.unwrap();
        let client = client(Timeouts { connect: LONG, total: LONG }).unwrap();
        Self { running, board, inbox, work, now_ms, client, till: Some(till), dir }
    }

    /// With a manager `mia` and a cashier `tom` who is signed in at `front`; his cookie.
    pub(super) async fn with_people() -> (Self, String) {
        let shop = Self::open().await.staffed().await;
        let tom = shop.sign_in("front", "tom").await;
        (shop, tom)
    }

    /// With these two, and nobody signed in.
    pub(super) async fn staffed(self) -> Self {
        let shop = self;
        // One round: these tests are about pages, and a real hash takes a tenth of a second each time.
        let pin = PinHash::with_rounds(PIN, [1; 16], NonZeroU32::MIN).unwrap();
        let (mia, tom): (StaffId, StaffId) = ("mia".parse().unwrap(), "tom".parse().unwrap());
        let first = Act::FirstManager { staff: mia.clone(), name: "Mia".to_owned(), pin: pin.clone() };
        let second = Act::AddStaff { staff: tom, name: "Tom".to_owned(), role: Role::Cashier, pin };
        for (staff, act) in [(None, first), (Some(mia.clone()), Act::SignIn), (Some(mia), second)] {
            let station = "front".parse().unwrap();
            let command = Command { station, staff, approver: None, seen: None, act };
            shop.inbox.ask(Event::Act(command)).await.unwrap();
        }
        shop
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub(super) async fn sign_in(&self, station: &str, staff: &str) -> String {
        let path = format!("/s/{station}/sign-in");
        let answer = self.post(&path, None, &[("staff", staff), ("pin", PIN)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.cookie.unwrap()
    }

    /// A page as a browser without scripts gets it.
    pub(super) async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        self.send(self.client.get(self.url(path)), cookie).await
    }

    /// A form as a program sends it.
    pub(super) async fn post(&self, path: &str, cookie: Option<&str>, form: &[(&str, &str)]) -> Answer {
        let request = self.client.post(self.url(path)).header(ACCEPT, "application/json");
        self.send(with_form(request, form), cookie).await
    }

    /// A form as a browser without scripts sends it.
    pub(super) async fn submit(&self, path: &str, cookie: Option<&str>, form: &[(&str, &str)]) -> Answer {
        self.send(with_form(self.client.post(self.url(path)), form), cookie).await
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder, cookie: Option<&str>) -> Answer {
        let request = match cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: response.status().as_u16(),
            cookie: header("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned()),
            location: header("location"),
            policy: header("content-security-policy").unwrap_or_default(),
            text: response.text().await.unwrap(),
        }
    }

    /// What the cashier's page at `front` is drawn from.
    pub(super) async fn here(&self, cookie: &str) -> serde_json::Value {
        let request = self.client.get(self.url("/s/front/view.json"));
        self.send(request, Some(cookie)).await.json()["here"].clone()
    }

    pub(super) async fn close(self) {
        self.close_and_keep().await;
    }

    /// Stops, and hands over its files.
    pub(super) async fn close_and_keep(mut self) -> tempfile::TempDir {
        assert!(self.inbox.post(Event::Stopping).await);
        let till = self.till.take().unwrap();
        tokio::task::spawn_blocking(move || till.join().unwrap()).await.unwrap();
        self.running.shutdown().await;
        self.dir
    }
}

fn with_form(request: reqwest::RequestBuilder, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let encode = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(pairs.join("&"))
}

/// The device's stamp.
fn stamp() -> Stamp {
    let key = DeviceKey::from_seed(&[9; 32]).unwrap();
    Stamp::new(key.public(), move |message| key.sign(message))
}

/// Coffee, and cake by weight; two desks.
fn bundle() -> Bundle {
    let mut bytes: serde_json::Value = serde_json::from_str(include_str!("shop.json")).unwrap();
    bytes["limits"] = serde_json::to_value(crate::limits::Limits::default()).unwrap();
    Bundle::open(&serde_json::to_vec(&bytes).unwrap()).unwrap()
}
