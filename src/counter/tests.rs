//! A bench for the counter: a till with a small shop around it, a clock that moves by hand, and drawn chance.
//!
//! **Invariant:** whenever a [`TestTill`] goes, replaying its records gives the state in memory, the chain
//! follows, receipts have no gaps, and every record and the state itself survive being written and read.
#![allow(clippy::wildcard_enum_match_arm)] // tests look for the kinds that they speak of

mod basket;
mod clock;
mod coupons;
pub(crate) mod days;
mod desks;
mod dice;
mod leases;
mod limits;
mod model;
mod money;
mod packs;
mod paper;
mod people;
mod proofs;
mod queue_acts;
mod receipts;
mod repeat;
mod returns;
mod schedules;
mod shop;
mod shown;
mod standing;
mod stored_value;
mod tender;
mod vouchers;

use super::duty::{Duty, DutyId};
use super::event::{Act, Command, Event, PrintReport, ProviderReport, RawScan};
use super::{CODE_MS_MAX, Contact, Context, PhonesPay, Refusal, Till};
use crate::bundle::Bundle;
use crate::counter::refusal::Told;
use crate::keys::DeviceKey;
use crate::money::{Currency, Money};
use crate::record::body::{Body, PaperOutcome, Shutdown, TypeSize};
use crate::record::header::Epoch;
use crate::record::ids::{IntentId, JobId, KickId, RefundId, SaleId, StaffId, StationId};
use crate::record::money_moves::{ProvenBy, ProviderName, Settled};
use crate::record::{Moment, Record};
use crate::sale::Sale;
use crate::staff::{PinHash, Role};
use crate::token::KeySet;
use crate::view::{PaymentView, SaleView, Selling, View};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use dice::Dice;

/// An item with a bar code: cola at 3.50.
const COLA: &str = "6901234567892";

/// The cloud was heard just now, and has everything.
const ONLINE: Contact = Contact { silent_ms: Some(0), received: u64::MAX, timed: None };

/// A pay code of Alipay, not a scale label: each `n` is another code.
fn pay_code(n: u32) -> String {
    format!("28{n:015}")
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn kinds(records: &[Record]) -> Vec<&'static str> {
    records.iter().map(|record| record.body.kind()).collect()
}

/// A refusal's stable word, for tables.
fn word<T: std::fmt::Debug>(answer: &Result<T, Refusal>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            refusal.code()
        }
    }
}

type Answer = Result<Vec<Record>, Refusal>;

/// A till on a bench.
struct TestTill {
    till: Till,
    records: Vec<Record>,
    bundle: Bundle,
    keys: KeySet,
    moment: Moment,
    draws: u64,
    station: StationId,
    staff: Option<StaffId>,
    approver: Option<StaffId>,
    contact: Contact,
    phones: PhonesPay,
    wallets: BTreeSet<ProviderName>,
    proof_key: Option<[u8; 32]>,
}

impl TestTill {
    /// A till that was never used: no people, no sale.
    fn bare() -> Self {
        Self::begun(None)
    }

    /// A till that begins an epoch, after books that were left or not.
    fn begun(before: Option<super::Before>) -> Self {
        let (bundle, keys) = (shop::bundle(), shop::keys());
        let moment = Moment {
            wall_ms: shop::NOW_S * 1000,
            monotonic_ms: 5_000,
            cloud_offset_ms: Some(0),
            ..Moment::default()
        };
        let cx = context(&bundle, &keys, moment, 0, None);
        let genesis = Till::genesis("till-1".parse().unwrap(), Epoch(0xE9), before, "0.1.0", &cx);
        let till = Till::begin(&genesis).unwrap();
        Self {
            till,
            records: vec![genesis],
            bundle,
            keys,
            moment,
            draws: 0,
            station: "front".parse().unwrap(),
            staff: None,
            approver: None,
            contact: ONLINE,
            phones: PhonesPay::AtTheCloud,
            wallets: [ProviderName::Alipay].into(),
            proof_key: Some(PROOF_KEY),
        }
    }

    /// A till with a manager, Mei, and a cashier, Bo, who is signed in.
    fn open() -> Self {
        let mut bench = Self::bare();
        bench.act(first_manager("mei")).unwrap();
        bench.staff = Some("mei".parse().unwrap());
        bench.act(Act::SignIn).unwrap();
        bench.act(add_staff("bo", Role::Cashier)).unwrap();
        bench.staff = Some("bo".parse().unwrap());
        bench.act(Act::SignIn).unwrap();
        bench
    }

    /// As the loop does it: decide, then apply each record.
    fn post(&mut self, event: &Event) -> Answer {
        self.post_about(event, None)
    }

    /// As [`TestTill::post`] with a sale that has left memory.
    fn post_about(&mut self, event: &Event, archived: Option<&Sale>) -> Answer {
        self.post_with(event, archived, &[])
    }

    /// As [`TestTill::post`] with the sales that the journal has under the number of a receipt.
    fn post_found(&mut self, event: &Event, found: &[Sale]) -> Answer {
        self.post_with(event, None, found)
    }

    fn post_with(&mut self, event: &Event, archived: Option<&Sale>, found: &[Sale]) -> Answer {
        self.draws += 1;
        let cx = Context {
            contact: self.contact,
            phones: self.phones,
            wallets: &self.wallets,
            found,
            proof_key: self.proof_key.as_ref(),
            ..context(&self.bundle, &self.keys, self.moment, self.draws, archived)
        };
        let before = self.till.tip();
        let made = self.till.step(event, &cx);
        assert_eq!(self.till.tip(), before, "a step changes nothing");
        let made = made?;
        made.iter().for_each(|record| self.till.apply(record));
        self.records.extend(made.iter().cloned());
        Ok(made)
    }

    fn command(&self, act: Act) -> Command {
        Command {
            station: self.station.clone(),
            staff: self.staff.clone(),
            approver: self.approver.clone(),
            seen: None,
            act,
        }
    }

    fn act(&mut self, act: Act) -> Answer {
        let command = self.command(act);
        self.post(&Event::Act(command))
    }

    fn scan(&mut self, data: &str) -> Answer {
        self.scan_bytes(data.as_bytes())
    }

    fn scan_bytes(&mut self, data: &[u8]) -> Answer {
        let scan = RawScan { data: data.to_vec(), aim: None, repeat_of_ms: None };
        self.post(&Event::Scanned { station: self.station.clone(), scan })
    }

    fn scan_again(&mut self, data: &str, after_ms: u64) -> Answer {
        let scan = RawScan { data: data.as_bytes().to_vec(), aim: None, repeat_of_ms: Some(after_ms) };
        self.post(&Event::Scanned { station: self.station.clone(), scan })
    }

    fn press(&mut self, sku: &str) -> Answer {
        self.act(Act::PressKey { sku: sku.to_owned(), modifiers: vec![], price: None, quantity: 1 })
    }

    fn cash(&mut self, minor: i64) -> Answer {
        self.act(Act::Cash { received: fen(minor) })
    }

    fn report(&mut self, intent: IntentId, report: ProviderReport) -> Answer {
        self.post(&Event::Provider(intent, report))
    }

    fn print(&mut self, job: JobId, report: PrintReport) -> Answer {
        self.post(&Event::Print(job, report))
    }

    /// Moves the clock of this boot.
    fn wait_ms(&mut self, ms: u64) {
        self.moment.monotonic_ms += ms;
        self.moment.wall_ms += i64::try_from(ms).unwrap();
    }

    /// The daemon dies and starts again on the same boot of the machine.
    fn restart(&mut self) -> Vec<Record> {
        self.till = replay(&self.records);
        self.post(&Event::Booted(Shutdown::Unclean)).unwrap()
    }

    /// What must be under way, by kind of duty.
    fn owed(&self) -> Vec<&'static str> {
        self.till.owed().iter().map(|duty| duty_word(duty.id())).collect()
    }

    fn view(&self) -> View {
        let now_s = self.moment.unix_s();
        let stations = [self.station.clone()];
        let told: BTreeMap<StationId, Told> = BTreeMap::new();
        View {
            exposure: self.till.exposure(&self.bundle, &self.moment, self.contact),
            clock: self.till.clock_view(&self.moment),
            ..self.till.view(&self.bundle, now_s, &stations, &told, Selling::Open)
        }
    }

    /// The sale in front.
    fn front(&self) -> SaleView {
        self.view().stations[&self.station].sale.clone().expect("a sale in front")
    }

    fn has_front(&self) -> bool {
        self.view().stations[&self.station].sale.is_some()
    }

    /// The latest payment of the sale in front.
    fn payment(&self) -> PaymentView {
        self.front().payments.last().cloned().expect("a payment")
    }

    /// How many records of this kind there are.
    fn count(&self, kind: &str) -> usize {
        self.records.iter().filter(|record| record.body.kind() == kind).count()
    }

    fn last_intent(&self) -> IntentId {
        let intent = |record: &Record| match &record.body {
            Body::IntentDrawn { intent, .. } => Some(*intent),
            _ => None,
        };
        self.records.iter().rev().find_map(intent).expect("an intent")
    }

    fn last_refund(&self) -> RefundId {
        let refund = |record: &Record| match &record.body {
            Body::RefundDrawn { refund, .. } => Some(*refund),
            _ => None,
        };
        self.records.iter().rev().find_map(refund).expect("a refund")
    }

    fn last_job(&self) -> JobId {
        let job = |record: &Record| match &record.body {
            Body::PrintOrdered { job, .. } => Some(*job),
            _ => None,
        };
        self.records.iter().rev().find_map(job).expect("a paper")
    }

    fn last_kick(&self) -> KickId {
        let kick = |record: &Record| match &record.body {
            Body::DrawerOrdered { kick, .. } => Some(*kick),
            _ => None,
        };
        self.records.iter().rev().find_map(kick).expect("a drawer")
    }

    /// Prints and kicks everything that waits, as good devices do.
    fn finish_devices(&mut self) {
        for duty in self.till.owed() {
            match duty {
                Duty::Print(print) => {
                    self.print(print.job, PrintReport::Starting).unwrap();
                    self.print(print.job, ended(PaperOutcome::Confirmed)).unwrap();
                }
                Duty::Kick(kick) => {
                    self.post(&Event::Drawer(kick.kick, PrintReport::Starting)).unwrap();
                    self.post(&Event::Drawer(kick.kick, ended(PaperOutcome::Confirmed))).unwrap();
                }
                Duty::Submit(_)
                | Duty::Ask(_)
                | Duty::Cancel(_)
                | Duty::Watch(_)
                | Duty::Refund(_)
                | Duty::Offer(_)
                | Duty::Withdraw(_) => {}
            }
        }
    }

    /// The records of one sale, as the journal gives them.
    fn of_sale(&self, sale: SaleId) -> Vec<Record> {
        self.records.iter().filter(|record| record.header.sale == Some(sale)).cloned().collect()
    }

    /// What must hold of any till at any moment.
    fn check(&self) {
        assert_eq!(replay(&self.records), self.till, "replaying the records gives the state in memory");
        let mut tip = crate::record::chain::Tip::START;
        for record in &self.records {
            tip.follow(self.till.epoch(), record).expect("the chain follows");
        }
        assert_eq!(tip, self.till.tip());
        let receipts: Vec<u64> = self.records.iter().filter_map(|record| record.header.receipt).collect();
        assert_eq!(receipts, (1..=self.till.last_receipt()).collect::<Vec<_>>(), "receipts without gaps");
        for record in &self.records {
            let read = Record::open(record.head.clone(), record.salt, record.bytes.clone()).unwrap();
            if let Body::Unreadable { .. } = record.body {
                continue;
            }
            assert_eq!(read, *record, "a record survives being written");
        }
        let written = serde_json::to_vec(&self.till).unwrap();
        assert_eq!(serde_json::from_slice::<Till>(&written).unwrap(), self.till, "a snapshot is the state");
        let owed = self.till.owed();
        let ids: BTreeSet<DutyId> = owed.iter().map(Duty::id).collect();
        assert_eq!(ids.len(), owed.len(), "each duty is owed once");
    }
}

impl Drop for TestTill {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

/// Folds records from the first.
fn replay(records: &[Record]) -> Till {
    let mut till = Till::begin(&records[0]).unwrap();
    records[1..].iter().for_each(|record| till.apply(record));
    till
}

fn context<'a>(
    bundle: &'a Bundle,
    keys: &'a KeySet,
    moment: Moment,
    draws: u64,
    archived: Option<&'a Sale>,
) -> Context<'a> {
    let mut draw = [0xD7; 32];
    draw[..8].copy_from_slice(&draws.to_be_bytes());
    static WALLETS: std::sync::LazyLock<BTreeSet<ProviderName>> =
        std::sync::LazyLock::new(|| [ProviderName::Alipay].into());
    static DEVICE: std::sync::LazyLock<[u8; 32]> = std::sync::LazyLock::new(|| device().public());
    Context {
        moment,
        contact: ONLINE,
        draw,
        bundle,
        keys,
        code_key: &[0x5C; 32],
        wallets: &WALLETS,
        phones: PhonesPay::AtTheCloud,
        code_ms: CODE_MS_MAX,
        archived,
        device: &DEVICE,
        found: &[],
        proof_key: Some(&PROOF_KEY),
    }
}

/// What the till shares with the cloud for digits that a customer reads out.
const PROOF_KEY: [u8; 32] = [0x99; 32];

/// The key of the device that the till runs on.
fn device() -> DeviceKey {
    DeviceKey::from_seed(&[8; 32]).unwrap()
}

fn pin() -> PinHash {
    PinHash::with_rounds("4071", [3; 16], NonZeroU32::MIN).unwrap()
}

fn first_manager(id: &str) -> Act {
    Act::FirstManager { staff: id.parse().unwrap(), name: "Mei".to_owned(), pin: pin() }
}

fn add_staff(id: &str, role: Role) -> Act {
    Act::AddStaff { staff: id.parse().unwrap(), name: id.to_owned(), role, pin: pin() }
}

fn ended(outcome: PaperOutcome) -> PrintReport {
    PrintReport::Ended(outcome, "as the printer says".to_owned())
}

fn approved(amount: Money) -> ProviderReport {
    ProviderReport::Approved(Settled {
        trade: "2026112222001".to_owned(),
        total: amount,
        received: amount,
        buyer_paid: amount,
        invoice: amount,
        merchant_funded: fen(0),
        platform_funded: fen(0),
        buyer: None,
        proof: None,
        balance: None,
        wallet: None,
        funds: vec![],
        vouchers: vec![],
        proven_by: ProvenBy::Notice,
    })
}

fn declined() -> ProviderReport {
    ProviderReport::Declined {
        code: "ACQ.PAYMENT_AUTH_CODE_INVALID".to_owned(),
        words: "The code has run out. Ask for a fresh one.".to_owned(),
        advice: crate::record::money_moves::Advice::NewCode,
        left: None,
    }
}

fn duty_word(id: DutyId) -> &'static str {
    match id {
        DutyId::Submit(_) => "submit",
        DutyId::Ask(_) => "ask",
        DutyId::Cancel(_) => "cancel",
        DutyId::Watch(_) => "watch",
        DutyId::Refund(_) => "refund",
        DutyId::Offer(_) => "offer",
        DutyId::Withdraw(_) => "withdraw",
        DutyId::Print(_) => "print",
        DutyId::Kick(_) => "kick",
    }
}
