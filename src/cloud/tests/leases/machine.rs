//! A till of the quota's tests: a real counter with a journal in memory, selling one thing under one offer.

use crate::bundle::{Bundle, Campaign, CampaignState, Content, Shop};
use crate::catalogue::Item;
use crate::cloud::store::sqlite::Sqlite;
use crate::cloud::store::{
    Batch, Decision, Ingested, NewLease, Pairing, PairingState, StoredRecord, Streams as _, Terminals as _,
};
use crate::counter::event::{Act, Command, Event};
use crate::counter::{CODE_MS_MAX, Contact, Context, PhonesPay, Till};
use crate::limits::Limits;
use crate::money::{Currency, Money};
use crate::offer::{Funder, Offer, Rule};
use crate::record::body::{Body, Shutdown};
use crate::record::chain::Hash;
use crate::record::ids::TerminalId;
use crate::record::lease::Lease;
use crate::record::line::Unit;
use crate::record::moment::BootId;
use crate::record::{Epoch, Moment, Record};
use crate::staff::PinHash;
use crate::tax::TaxRate;
use crate::token::KeySet;
use crate::view::{Selling, View};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::LazyLock;

/// The campaign with a quota.
pub(super) const CAMPAIGN: u32 = 9;

/// How often it is given: few, so that schedules reach it.
pub(super) const QUOTA: u64 = 8;

/// Head office is heard.
const HEARD: Contact = Contact { silent_ms: Some(0), received: 0, timed: None };

/// What the cloud lets out at once.
const MOST: u32 = 6;

pub(super) struct Machine {
    till: Till,
    records: Vec<Record>,
    sent: usize,
    moment: Moment,
    draws: u64,
    pub(super) life: u64,
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let wine = Item {
        sku: "wine".to_owned(),
        name: "Wine".to_owned(),
        name_zh: None,
        gtins: vec![],
        price: Some(yuan(10_000)),
        unit: Unit::Piece,
        tax: TaxRate::none(),
        least_age: None,
        modifiers: vec![],
    };
    let offer = Offer {
        id: "first".to_owned(),
        name: "First customers".to_owned(),
        name_zh: None,
        campaign: Some(CAMPAIGN),
        funder: Funder::Merchant,
        from_s: 0,
        until_s: u64::MAX,
        rule: Rule::SpendSave { spend: yuan(5_000), save: yuan(1_000) },
    };
    let campaign = Campaign {
        number: CAMPAIGN,
        name: "First customers".to_owned(),
        name_zh: None,
        minimum: None,
        terms: None,
        quota: Some(QUOTA),
        state: CampaignState::Running,
    };
    let content = Content {
        version: 1,
        issued_at_s: 1_795_000_000,
        shop: Shop { name: "Cafe".to_owned(), address: vec![], thanks: String::new(), issuer: 1 },
        currency: Currency::CNY,
        time_zone: "Asia/Shanghai".to_owned(),
        day_cut_minutes: 0,
        items: vec![wine],
        menu: vec![],
        offers: vec![offer],
        campaigns: vec![campaign],
        desks: vec![],
        keys: serde_json::Value::Null,
        revoked_serials: vec![],
        limits: Limits::default(),
        labels: None,
    };
    Bundle::open(&serde_json::to_vec(&content).unwrap()).unwrap()
});
static KEYS: LazyLock<KeySet> = LazyLock::new(|| KeySet::new(1, 0, i64::MAX));
static NO_WALLETS: BTreeSet<crate::record::money_moves::ProviderName> = BTreeSet::new();

impl Machine {
    pub(super) fn new(number: usize, life: u64, now_ms: i64) -> Self {
        let mut boot = [u8::try_from(number).unwrap(); 16];
        boot[0] = u8::try_from(life % 200).unwrap();
        let moment =
            Moment { wall_ms: now_ms, boot: BootId(boot), monotonic_ms: 1_000, cloud_offset_ms: Some(0) };
        let epoch = Epoch(u64::try_from(number).unwrap() << 32 | (life + 1));
        let terminal: TerminalId = format!("till-{number}").parse().unwrap();
        let genesis = Till::genesis(terminal, epoch, None, "0.1.0", &context(moment, 0));
        let till = Till::begin(&genesis).unwrap();
        let mut machine = Self { till, records: vec![genesis], sent: 0, moment, draws: 0, life };
        let pin = PinHash::with_rounds("4071", [3; 16], NonZeroU32::MIN).unwrap();
        machine.act(Act::FirstManager { staff: "mei".parse().unwrap(), name: "Mei".to_owned(), pin });
        machine.act(Act::SignIn);
        machine
    }

    pub(super) fn terminal(&self) -> TerminalId {
        self.till.terminal().clone()
    }

    /// Decides, applies, writes down. A refusal does nothing.
    fn post(&mut self, event: &Event) {
        self.draws += 1;
        let made = self.till.step(event, &context(self.moment, self.draws)).unwrap_or_default();
        made.iter().for_each(|record| self.till.apply(record));
        self.records.extend(made);
    }

    fn act(&mut self, act: Act) {
        let staff = Some("mei".parse().unwrap());
        let station = "front".parse().unwrap();
        self.post(&Event::Act(Command { station, staff, approver: None, seen: None, act }));
    }

    /// As the loop does it at each turn.
    fn look(&mut self) {
        if self.till.has_leases_over(&self.moment, &BUNDLE, HEARD) {
            self.post(&Event::LeasesOver);
        }
    }

    pub(super) fn pass_ms(&mut self, ms: u64) {
        self.moment.monotonic_ms += ms;
        self.moment.wall_ms += i64::try_from(ms).unwrap();
        self.look();
    }

    pub(super) fn fix(&mut self) {
        self.act(Act::PressKey { sku: "wine".to_owned(), modifiers: vec![], price: None, quantity: 1 });
        self.act(Act::Pay);
        self.act(Act::Hold);
    }

    fn view(&self) -> View {
        self.till.view(&BUNDLE, self.moment.unix_s(), &[], &BTreeMap::new(), Selling::Open)
    }

    /// Whether a sale is put aside.
    pub(super) fn has_held(&self) -> bool {
        !self.view().held.is_empty()
    }

    /// Pays or gives up a sale that is put aside.
    pub(super) fn settle(&mut self, paid: bool) {
        let Some(sale) = self.view().held.first().map(|sale| sale.id) else { return };
        self.act(Act::Recall { sale });
        if paid {
            self.act(Act::Cash { received: yuan(10_000) });
        } else {
            self.act(Act::VoidSale { reason: "left".to_owned() });
        }
        self.look();
    }

    pub(super) fn sell(&mut self) {
        self.act(Act::PressKey { sku: "wine".to_owned(), modifiers: vec![], price: None, quantity: 1 });
        self.act(Act::Cash { received: yuan(10_000) });
    }

    pub(super) fn restart(&mut self) {
        self.till = replay(&self.records);
        self.post(&Event::Booted(Shutdown::Unclean));
    }

    pub(super) fn wants(&self, until_s: u64) -> NewLease {
        let view = self.view();
        NewLease {
            terminal: self.terminal(),
            epoch: self.till.epoch(),
            campaign: CAMPAIGN,
            has: view.leases[0].last,
            most: MOST,
            until_s,
            now_ms: 0,
        }
    }

    pub(super) fn take(&mut self, lease: Lease) {
        self.post(&Event::LeaseGranted(lease));
        self.look();
    }

    /// Customers who had the offer: by what they paid, not by what the till says of leases.
    pub(super) fn given(&self) -> u64 {
        let paid =
            |record: &&Record| matches!(&record.body, Body::ReceiptIssued { total } if total.minor == 9_000);
        u64::try_from(self.records.iter().filter(paid).count()).unwrap()
    }

    pub(super) fn check(&self) {
        assert_eq!(replay(&self.records), self.till, "replaying the records gives the state in memory");
    }

    pub(super) async fn pair(&self, store: &Sqlite) {
        let key = [u8::try_from(self.till.epoch().0 >> 32).unwrap() + 1; 32];
        let terminal = self.terminal();
        let pairing = Pairing {
            terminal: terminal.clone(),
            public_key: key,
            name: "Counter".to_owned(),
            state: PairingState::Pending,
            asked_ms: 0,
        };
        store.ask_pairing(pairing).await.unwrap();
        assert!(store.decide_pairing(terminal, key, Decision::Approve, 0).await.unwrap());
    }

    /// Brings the next records, in one batch; from where the cloud wants them if it has less than it had said.
    pub(super) async fn send(&mut self, store: &Sqlite, count: usize, now_ms: i64) {
        if let Some(expected) = self.send_some(store, count, now_ms).await {
            self.sent = usize::try_from(expected).unwrap() - 1;
            assert_eq!(self.send_some(store, count, now_ms).await, None);
        }
    }

    /// Where the cloud wants to be sent from instead.
    async fn send_some(&mut self, store: &Sqlite, count: usize, now_ms: i64) -> Option<u64> {
        let end = self.sent.saturating_add(count).min(self.records.len());
        // What is there already may be sent again: so a till finds out what a cloud has lost.
        let first = self.sent.min(end.saturating_sub(1));
        let records = self.records[first..end].iter().map(stored).collect();
        let previous = match first {
            0 => Hash::NONE,
            sent => self.records[sent - 1].hash,
        };
        let batch = Batch {
            terminal: self.terminal(),
            epoch: self.till.epoch(),
            first_seq: u64::try_from(first).unwrap() + 1,
            previous,
            records,
            held: vec![],
            taken_back: vec![],
            beginning: None,
            now_ms,
        };
        match store.ingest(batch).await.unwrap() {
            Ingested::Received { .. } => {
                self.sent = end;
                None
            }
            Ingested::Gap { expected } => Some(expected),
            answer @ (Ingested::Forked { .. } | Ingested::Stranger) => panic!("{answer:?}"),
        }
    }
}

fn stored(record: &Record) -> StoredRecord {
    StoredRecord {
        seq: record.header.seq,
        hash: record.hash,
        kind: record.header.kind.clone(),
        sale: record.header.sale,
        head: record.head.clone(),
        salt: record.salt,
        body: record.bytes.clone(),
        desk: None,
    }
}

fn replay(records: &[Record]) -> Till {
    let mut till = Till::begin(&records[0]).unwrap();
    records[1..].iter().for_each(|record| till.apply(record));
    till
}

fn context(moment: Moment, draws: u64) -> Context<'static> {
    let mut draw = [0xD7; 32];
    draw[..8].copy_from_slice(&draws.to_be_bytes());
    draw[8..24].copy_from_slice(&moment.boot.0);
    Context {
        proof_key: None,
        moment,
        contact: HEARD,
        draw,
        bundle: &BUNDLE,
        keys: &KEYS,
        code_key: &[0x5C; 32],
        wallets: &NO_WALLETS,
        phones: PhonesPay::AtTheCloud,
        code_ms: CODE_MS_MAX,
        archived: None,
        device: &[1; 32],
        found: &[],
    }
}
