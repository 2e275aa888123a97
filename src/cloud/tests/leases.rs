//! Quotas: never more is given than the quota, whatever tills, networks, disks and clocks do.
//!
//! Real counters and the real store, under random schedules of asking, selling, losing answers, restarting,
//! losing disks, sending in parts, expiring and writing off. Not here: what a till does with a lease (`counter`).

mod machine;
mod put_back;

use super::shop::{START_MS, Shop};
use crate::bundle::{Campaign, CampaignState};
use crate::cloud::judge::Judge;
use crate::cloud::store::sqlite::Sqlite;
use crate::cloud::store::{Leases as _, NewLease, Streams as _};
use crate::record::body::{Body, SaleKind};
use crate::record::ids::SaleId;
use crate::record::lease::Lease;
use crate::record::queue_act::{QueueAct, Subject};
use crate::token::{Key, KeySet, Purpose, Revocation};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::tz::TimeZone;
use machine::{CAMPAIGN, Machine, QUOTA};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};

/// What may happen next, to the till of that number.
#[derive(Clone, Debug)]
enum Happening {
    /// It asks for more; the answer may be lost.
    Ask(usize, bool),
    /// A customer pays.
    Sell(usize),
    /// A customer's total is fixed, and paid or released later.
    Fix(usize),
    Settle(usize, bool),
    /// It is started again from its journal.
    Restart(usize),
    /// It brings some of what the cloud lacks.
    Send(usize, usize),
    /// Hours pass, and what is over is given back.
    Hours(u64),
    /// Its disk is lost, with all that was not sent: it begins a new life.
    LoseDisk(usize),
    /// A manager declares it lost.
    WriteOff(usize),
    /// Head office's database is copied, and the copy is put back later.
    Copy,
    PutBack,
}

const TILLS: usize = 3;

fn happening() -> impl Strategy<Value = Happening> {
    let till = || 0..TILLS;
    prop_oneof![
        20 => (till(), any::<bool>()).prop_map(|(till, lost)| Happening::Ask(till, lost)),
        30 => till().prop_map(Happening::Sell),
        8 => till().prop_map(Happening::Fix),
        8 => (till(), any::<bool>()).prop_map(|(till, paid)| Happening::Settle(till, paid)),
        2 => till().prop_map(Happening::Restart),
        10 => (till(), 1..40_usize).prop_map(|(till, count)| Happening::Send(till, count)),
        1 => (1..30_u64).prop_map(Happening::Hours),
        1 => till().prop_map(Happening::LoseDisk),
        1 => till().prop_map(Happening::WriteOff),
        1 => Just(Happening::Copy),
        1 => Just(Happening::PutBack),
    ]
}

/// The store, its judge, and the tills around it.
struct Chain {
    store: Option<Sqlite>,
    keys: KeySet,
    tills: Vec<Machine>,
    /// Uses that were made by lives of tills that are over.
    given_before: u64,
    now_ms: i64,
    was_put_back: bool,
    folder: tempfile::TempDir,
}

impl Chain {
    fn store(&self) -> &Sqlite {
        self.store.as_ref().expect("it is closed only while files are copied")
    }

    /// Copies a database while nobody has it open.
    fn copy(&mut self, from: &str, to: &str) {
        drop(self.store.take());
        let home = self.folder.path();
        if home.join(from).exists() {
            std::fs::copy(home.join(from), home.join(to)).unwrap();
        }
        self.store = Some(Sqlite::open(home).unwrap());
    }

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path()).unwrap();
        assert!(store.set_quota(CAMPAIGN, QUOTA).await.unwrap());
        let mut tills = Vec::new();
        for number in 0..TILLS {
            let till = Machine::new(number, 0, START_MS);
            till.pair(&store).await;
            tills.push(till);
        }
        let keys = KeySet::new(1, 0, i64::MAX);
        let store = Some(store);
        Self { store, keys, tills, given_before: 0, now_ms: START_MS, was_put_back: false, folder }
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Ask(till, lost) => {
                let wanted = self.tills[till].wants(u64::try_from(self.now_ms / 1000).unwrap() + 24 * 3600);
                let row =
                    self.store().lease(NewLease { now_ms: self.now_ms, ..wanted.clone() }).await.unwrap();
                let Some(row) = row.filter(|_| !lost) else { return };
                let NewLease { terminal, epoch, campaign, .. } = wanted;
                let (number, uses, until_s) = (row.number, row.uses, row.until_s);
                self.tills[till].take(Lease { terminal, epoch, campaign, number, uses, until_s });
            }
            Happening::Sell(till) => self.tills[till].sell(),
            Happening::Fix(till) => self.tills[till].fix(),
            Happening::Settle(till, paid) => self.tills[till].settle(paid),
            Happening::Restart(till) => self.tills[till].restart(),
            Happening::Send(till, count) => self.send(till, count).await,
            Happening::Hours(hours) => {
                self.now_ms += i64::try_from(hours * 3_600_000).unwrap();
                for till in &mut self.tills {
                    till.pass_ms(hours * 3_600_000);
                }
            }
            Happening::LoseDisk(till) => {
                let gone = &self.tills[till];
                self.given_before += gone.given();
                self.tills[till] = Machine::new(till, gone.life + 1, self.now_ms);
            }
            Happening::WriteOff(till) => {
                let terminal = self.tills[till].terminal();
                self.store().write_off(terminal, self.now_ms).await.unwrap();
            }
            Happening::Copy => self.copy("cloud.db", "copy.db"),
            Happening::PutBack => {
                self.copy("copy.db", "cloud.db");
                self.was_put_back = true;
            }
        }
    }

    async fn send(&mut self, till: usize, count: usize) {
        let Self { store: Some(store), tills, now_ms, .. } = self else { panic!("the store is closed") };
        tills[till].send(store, count, *now_ms).await;
        let judge = Judge { keys: &self.keys, zone: &TimeZone::UTC };
        while let Some(stream) = self.store().waiting().await.unwrap().pop() {
            let next = self.store().unjudged(stream.clone()).await.unwrap().unwrap();
            let judgements = next.records.iter().map(|record| judge.judge(record)).collect();
            self.store().judge(stream, next.judged, judgements, self.now_ms).await.unwrap();
        }
    }

    /// Uses that customers had, all over the chain.
    fn given(&self) -> u64 {
        self.given_before + self.tills.iter().map(Machine::given).sum::<u64>()
    }

    /// What must hold at any moment.
    async fn check(&self) {
        let quota = self.store().quotas().await.unwrap()[0];
        assert!(self.given() <= QUOTA, "{} were given of {QUOTA}", self.given());
        // A store that was put back has forgotten what tills gave back, too, until they bring it again.
        assert!(self.was_put_back || quota.spent + quota.leased + quota.lost <= QUOTA, "{quota:?}");
        assert!(quota.spent <= self.given(), "{quota:?}, {} given", self.given());
        for till in &self.tills {
            till.check();
        }
    }
}

/// Schedules in an ordinary run: some seconds of flushes.
const SCHEDULES: u32 = 48;

#[test]
fn several_tills_never_give_more_than_the_quota() {
    let config = ProptestConfig { cases: SCHEDULES, max_shrink_iters: 200, ..ProptestConfig::default() };
    let (given, reached) = (AtomicU64::new(0), AtomicU64::new(0));
    let happenings = proptest::collection::vec(happening(), 20..120);
    let ran = TestRunner::new(config).run(&happenings, |happenings| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = runtime.block_on(play(happenings));
        given.fetch_add(all, Ordering::Relaxed);
        reached.fetch_add(u64::from(all == QUOTA), Ordering::Relaxed);
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    println!(
        "{SCHEDULES} schedules of {TILLS} tills: {} offers given, {} times the whole quota of {QUOTA}, never more",
        given.into_inner(),
        reached.into_inner()
    );
}

/// Plays a schedule to its end; says how often the offer was given.
async fn play(happenings: Vec<Happening>) -> u64 {
    let mut chain = Chain::new().await;
    let mut lost = false;
    for happening in happenings {
        lost |= matches!(happening, Happening::LoseDisk(_) | Happening::WriteOff(_) | Happening::PutBack);
        chain.happen(happening).await;
        chain.check().await;
    }
    // In the end everything is paid, sent, and a day old: what nobody used is free again.
    for till in 0..TILLS {
        for _ in 0..120 {
            chain.happen(Happening::Settle(till, true)).await;
        }
        assert!(!chain.tills[till].has_held(), "every sale that was put aside is paid");
        chain.happen(Happening::Ask(till, false)).await;
    }
    chain.happen(Happening::Hours(25)).await;
    for till in 0..TILLS {
        chain.send(till, usize::MAX).await;
    }
    chain.check().await;
    let quota = chain.store().quotas().await.unwrap()[0];
    if !lost {
        assert_eq!((quota.spent, quota.leased, quota.lost), (chain.given(), 0, 0), "{quota:?}");
        assert_eq!(quota.free(), QUOTA - chain.given());
    }
    chain.given()
}

fn campaign(quota: Option<u64>) -> Campaign {
    Campaign {
        number: CAMPAIGN,
        name: "First hundred".to_owned(),
        name_zh: None,
        minimum: None,
        terms: None,
        quota,
        state: CampaignState::Running,
    }
}

#[tokio::test]
async fn a_till_is_given_a_signed_part_of_a_quota_and_told_it_again_until_it_has_it() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    admin.set_quota(CAMPAIGN, 100).await.unwrap();
    admin.put_campaign(campaign(Some(100))).await.unwrap();
    let mut till = shop.till("till-1").await;
    let target = "/v1/terminals/till-1/leases";
    let ask = |has: u64, epoch| json!({ "epoch": epoch, "campaign": CAMPAIGN, "has": has }).to_string();
    let epoch = till.epoch;
    let (status, early) = till.call("POST", target, ask(0, epoch).as_bytes()).await;
    assert_eq!(status, 409, "{early}");
    let opened = till.write_in(
        SaleId([1; 16]),
        Body::SaleOpened { sale_kind: SaleKind::Sale, place: crate::record::body::Place::Held },
    );
    till.send_well(&[opened]).await;
    let (status, first) = till.call("POST", target, ask(0, epoch).as_bytes()).await;
    assert_eq!(status, 200, "{first}");
    let (_, again) = till.call("POST", target, ask(0, epoch).as_bytes()).await;
    assert_eq!(first["lease"], again["lease"]);
    let payload = BASE64.decode(first["lease"]["payload"].as_str().unwrap()).unwrap();
    let lease: Lease = serde_json::from_slice(&payload).unwrap();
    assert_eq!((lease.number, lease.uses, lease.campaign), (1, 20, CAMPAIGN));
    let keys = crate::keys::CloudKeys::load_or_create(&shop.folder.path().join("cloud/keys")).unwrap();
    let mut set = KeySet::new(1, 0, i64::MAX);
    set.insert(Key {
        purpose: Purpose::Bundle,
        public_key: keys.key(Purpose::Bundle).public(),
        not_before: 0,
        not_after: i64::MAX,
        revoked: Revocation::Good,
    });
    let id = first["lease"]["key_id"].as_str().unwrap().parse().unwrap();
    let signature = BASE64.decode(first["lease"]["signature"].as_str().unwrap()).unwrap();
    let signed = [b"till/lease/1\n", payload.as_slice()].concat();
    set.check(Purpose::Bundle, id, &signed, &signature, 1).unwrap();
    let (_, second) = till.call("POST", target, ask(1, epoch).as_bytes()).await;
    let payload = BASE64.decode(second["lease"]["payload"].as_str().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Lease>(&payload).unwrap().number, 2);
    assert!(admin.set_quota(CAMPAIGN, 39).await.is_err(), "forty are let out");
    admin.set_quota(CAMPAIGN, 40).await.unwrap();
    let (_, none) = till.call("POST", target, ask(2, epoch).as_bytes()).await;
    assert!(none["lease"].is_null(), "{none}");
    assert_eq!(admin.write_off(&"till-1".parse().unwrap()).await.unwrap(), 40);
    assert!(admin.write_off(&"till-9".parse().unwrap()).await.is_err());
    let (_, quota) = admin.campaigns().await.unwrap().remove(0);
    let quota = quota.unwrap();
    assert_eq!((quota.lost, quota.leased, quota.free()), (40, 0, 0));
}

#[tokio::test]
async fn a_use_that_is_ruled_on_again_is_still_one_use() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    admin.set_quota(CAMPAIGN, 100).await.unwrap();
    admin.put_campaign(campaign(Some(100))).await.unwrap();
    let mut till = shop.till("till-1").await;
    let sale = SaleId([1; 16]);
    let place = crate::record::body::Place::Held;
    let opened = till.write_in(sale, Body::SaleOpened { sale_kind: SaleKind::Sale, place });
    till.send_well(&[opened]).await;
    let ask = json!({ "epoch": till.epoch, "campaign": CAMPAIGN, "has": 0 }).to_string();
    let (status, answer) = till.call("POST", "/v1/terminals/till-1/leases", ask.as_bytes()).await;
    assert_eq!(status, 200, "{answer}");
    let used = till.write_in(sale, Body::LeaseUsed { campaign: CAMPAIGN, lease: 1 });
    let subject = Some(Subject { epoch: till.epoch, seq: 2 });
    let words = "Asked again.".to_owned();
    let retry = till.write(Body::QueueActed { subject, act: QueueAct::Retry, words });
    till.send_well(&[used, retry]).await;
    assert_eq!(till.verdicts(1).await[0]["code"], "ruled_again");
    let (_, quota) = admin.campaigns().await.unwrap().remove(0);
    assert_eq!(quota.unwrap().spent, 1);
}

#[tokio::test]
async fn a_use_without_a_lease_is_a_task_and_blocks_nothing() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let used = till.write_in(SaleId([1; 16]), Body::LeaseUsed { campaign: CAMPAIGN, lease: 7 });
    till.send_well(&[used]).await;
    let verdict = till.verdicts(1).await.remove(0);
    assert_eq!(
        (verdict["ruling"].as_str(), verdict["code"].as_str()),
        (Some("refused"), Some("quota_exceeded"))
    );
}

#[tokio::test]
async fn a_till_whose_books_nobody_has_adopted_is_let_out_nothing() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    admin.set_quota(CAMPAIGN, 100).await.unwrap();
    admin.put_campaign(campaign(Some(100))).await.unwrap();
    let mut till = shop.till("till-1").await;
    let genesis = json!({
        "kind": "genesis", "parent": null, "currency": "CNY", "time_zone": "Asia/Shanghai", "day_cut_minutes": 0,
        "version": "0", "standing": "provisional",
    });
    let first = till.write_raw("genesis", &genesis.to_string());
    till.send_well(&[first]).await;
    let ask = json!({ "epoch": till.epoch, "campaign": CAMPAIGN, "has": 0 }).to_string();
    let (status, refused) = till.call("POST", "/v1/terminals/till-1/leases", ask.as_bytes()).await;
    assert_eq!((status, refused["type"].as_str()), (409, Some("unadopted")), "{refused}");
    let adopted = till.write_raw("epoch_adopted", r#"{"kind":"epoch_adopted","words":"New disk."}"#);
    till.send_well(&[adopted]).await;
    let (status, answer) = till.call("POST", "/v1/terminals/till-1/leases", ask.as_bytes()).await;
    assert_eq!((status, answer["lease"].is_object()), (200, true), "{answer}");
}

#[tokio::test]
async fn a_till_that_says_it_has_a_lease_of_an_impossible_number_is_refused() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    admin.set_quota(CAMPAIGN, 100).await.unwrap();
    admin.put_campaign(campaign(Some(100))).await.unwrap();
    let mut till = shop.till("till-1").await;
    let place = crate::record::body::Place::Held;
    let opened = till.write_in(SaleId([1; 16]), Body::SaleOpened { sale_kind: SaleKind::Sale, place });
    till.send_well(&[opened]).await;
    let (id, number) = ("till-1".parse().unwrap(), i64::MAX.unsigned_abs());
    let lease = Lease { terminal: id, epoch: till.epoch, campaign: CAMPAIGN, number, uses: 1, until_s: 1 };
    let received = till.write(Body::LeaseReceived { lease });
    till.send_well(&[received]).await;
    assert_eq!(till.verdicts(1).await[0]["code"], "parked");
    for has in [i64::MAX.unsigned_abs(), u64::MAX] {
        let ask = json!({ "epoch": till.epoch, "campaign": CAMPAIGN, "has": has }).to_string();
        let (status, answer) = till.call("POST", "/v1/terminals/till-1/leases", ask.as_bytes()).await;
        assert_eq!((status, answer["type"].as_str()), (400, Some("malformed")), "{answer}");
    }
    assert_eq!(admin.campaigns().await.unwrap()[0].1.unwrap().free(), 100, "nothing was let out");
    let ask = json!({ "epoch": till.epoch, "campaign": CAMPAIGN, "has": 0 }).to_string();
    let (status, answer) = till.call("POST", "/v1/terminals/till-1/leases", ask.as_bytes()).await;
    assert_eq!((status, answer["lease"].is_object()), (200, true), "the server goes on: {answer}");
}
