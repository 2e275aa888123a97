//! The counter: the state of one till, and the four verbs that it knows.
//!
//! `step` decides what an event means and cannot change anything; `apply` is the only change and cannot
//! fail; `owed` says what must be under way outside; `next_deadline` says when to look again. The state is
//! a fold over the records: replaying them gives the same state.
//!
//! Not here: clocks, chance, disks and devices. The loop (`till`) brings moments and draws, makes records
//! durable, and only then lets duties go.

mod acts;
mod basket;
mod clock;
pub mod duty;
mod endings;
pub mod event;
mod exposure;
mod leases;
mod orders;
mod outcomes;
mod owed;
mod packs;
mod paid;
mod papers;
mod pay;
mod people;
mod proofs;
mod queue_acts;
mod receipts;
mod recorder;
pub mod refusal;
mod repeat;
mod retention;
mod returns;
mod show;
mod shown;
mod standing;
mod stored_value;
mod tender;
#[cfg(test)]
mod tests;
mod vouchers;

use crate::bundle::Bundle;
use crate::money::Currency;
use crate::queue::Cases;
use crate::record::body::{Body, KickReason, Paper, PaperOutcome, Parent, Place, SaleKind, TypeSize};
use crate::record::chain::Tip;
use crate::record::epochs::{Found, Standing};
use crate::record::giving_back::CashBack;
use crate::record::header::Epoch;
use crate::record::ids::{Draw, IntentId, JobId, KickId, SaleId, StaffId, StationId, TerminalId};
use crate::record::moment::BootId;
use crate::record::money_moves::{Carrier, ProviderName};
use crate::record::{Hash, Moment, Record};
use crate::sale::Sale;
use crate::shift::Shift;
use crate::staff::{PinHash, Role};
use crate::token::KeySet;
pub use event::Event;
pub use exposure::{Contact, OFFLINE_AFTER_MS};
pub use proofs::order_of;
pub use refusal::Refusal;
use serde::{Deserialize, Serialize};
pub use shown::{CODE_MS_MAX, PhonesPay};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
#[cfg(test)]
pub(crate) use tests::days::days_of_a_shop;

use paid::Paid;
use recorder::Recorder;

/// What a decision may depend on besides the state and the event.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// When.
    pub moment: Moment,
    /// Chance for ids and salts.
    pub draw: Draw,
    /// Prices, offers, desks.
    pub bundle: &'a Bundle,
    /// Keys that our codes are verified with.
    pub keys: &'a KeySet,
    /// The till's own key for hashes of pay codes.
    pub code_key: &'a [u8; 32],
    /// Wallets that take pay codes here.
    pub wallets: &'a BTreeSet<ProviderName>,
    /// Where a phone pays what it scans here.
    pub phones: PhonesPay,
    /// How long a code is shown before it is renewed, at most [`CODE_MS_MAX`].
    pub code_ms: u64,
    /// What is known of the way to the cloud.
    pub contact: Contact,
    /// The sale that the event is about, folded from the journal, where it left memory.
    pub archived: Option<&'a Sale>,
    /// The public key of this device, which signs what the till draws.
    pub device: &'a [u8; 32],
    /// Sales under the number of a receipt that the event shows, folded from the journal.
    pub found: &'a [Sale],
    /// What till and cloud share for digits that a customer reads out; none before the cloud was heard.
    pub proof_key: Option<&'a [u8; 32]>,
}

/// What is known of the books before an epoch that the till begins by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Before {
    /// Where they ended, if that is known.
    pub parent: Option<Parent>,
    /// Why they were left, and where they are.
    pub found: Found,
}

/// Keyed hashes of the last pay codes: a code lives a minute, and a till serves fewer customers in one.
const RECENT_CODES: usize = 64;

/// Receipts that screens can still show and print again without asking for a number.
const RECENT_RECEIPTS: usize = 20;

/// Payments of sales that left memory, so that money which comes yet finds its sale: some days of a busy till.
/// What is older is in the journal and at the wallet, and the audit compares the two.
const PAST_INTENTS: usize = 2048;

/// The state of one till.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Till {
    terminal: TerminalId,
    epoch: Epoch,
    standing: Standing,
    /// When books that were begun after a loss were adopted, Unix seconds.
    adopted_s: Option<u64>,
    currency: Currency,
    tip: Tip,
    /// The boot of the last record: deadlines of any other are due.
    boot: BootId,
    sales: BTreeMap<SaleId, Sale>,
    stations: BTreeMap<StationId, Station>,
    staff: BTreeMap<StaffId, Person>,
    shift: Option<Shift>,
    last_shift: u32,
    last_receipt: u64,
    spent: BTreeSet<String>,
    recent_codes: VecDeque<String>,
    papers: BTreeMap<JobId, PaperJob>,
    kicks: BTreeMap<KickId, Kick>,
    recent: VecDeque<Paid>,
    notes: VecDeque<endings::Note>,
    past: VecDeque<(IntentId, SaleId)>,
    /// What was counted while no shift was open: it is in the float that the next shift counts.
    between: Shift,
    last_verdict: u64,
    #[serde(with = "queue_acts")]
    cases: Arc<Cases>,
    adopted: Option<(u64, Hash)>,
    /// What is at risk until the cloud has ruled on it.
    exposed: exposure::Exposed,
    /// What is held of the quotas of campaigns.
    leases: leases::Leases,
    /// What the records tell of time.
    clock: clock::Clock,
    /// The record that stands for all before it, which may be gone.
    pruned: Option<Parent>,
}

/// Who is at a station.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Station {
    staff: Option<StaffId>,
    /// The last sale paid here, until the next begins.
    paid: Option<SaleId>,
}

/// A person who works here.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Person {
    name: String,
    role: Role,
    pin: PinHash,
}

/// A piece of paper that is not settled.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct PaperJob {
    sale: SaleId,
    station: StationId,
    paper: Paper,
    #[serde(default)]
    size: TypeSize,
    state: JobState,
}

/// An opening of the drawer that is not settled.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Kick {
    station: StationId,
    reason: KickReason,
    state: JobState,
}

/// Where a job at a device stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JobState {
    /// Owed.
    Ordered,
    /// The first byte may have left.
    Started,
    /// It did not end well, and a person decides.
    Asks(PaperOutcome, String),
}

impl Till {
    /// The state that a genesis record begins. None for any other record.
    pub fn begin(genesis: &Record) -> Option<Self> {
        let Body::Genesis { currency, standing, .. } = &genesis.body else { return None };
        Some(Self {
            terminal: genesis.header.terminal.clone(),
            epoch: genesis.header.epoch,
            standing: *standing,
            adopted_s: None,
            currency: *currency,
            tip: Tip { seq: genesis.header.seq, head: genesis.hash },
            boot: genesis.header.moment.boot,
            sales: BTreeMap::new(),
            stations: BTreeMap::new(),
            staff: BTreeMap::new(),
            shift: None,
            last_shift: 0,
            last_receipt: 0,
            spent: BTreeSet::new(),
            recent_codes: VecDeque::new(),
            papers: BTreeMap::new(),
            kicks: BTreeMap::new(),
            recent: VecDeque::new(),
            notes: VecDeque::new(),
            past: VecDeque::new(),
            between: Shift::open(0, crate::money::Money::zero(*currency)),
            last_verdict: 0,
            cases: Arc::new(Cases::default()),
            adopted: None,
            exposed: exposure::Exposed::default(),
            leases: leases::Leases::default(),
            clock: clock::Clock::begin(genesis),
            pruned: None,
        })
    }

    /// The same after another life in the same journal: what head office and managers have said of its records stands.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        Self { cases: before.cases, last_verdict: before.last_verdict, ..self }
    }

    /// The first record of an epoch. One that follows books that were left is provisional.
    pub fn genesis(
        terminal: TerminalId,
        epoch: Epoch,
        before: Option<Before>,
        version: &str,
        cx: &Context<'_>,
    ) -> Record {
        let (parent, found) = before.map_or((None, None), |before| (before.parent, Some(before.found)));
        let body = Body::Genesis {
            parent,
            currency: cx.bundle.content.currency,
            time_zone: cx.bundle.content.time_zone.clone(),
            day_cut_minutes: cx.bundle.content.day_cut_minutes,
            version: version.to_owned(),
            standing: if found.is_some() { Standing::Provisional } else { Standing::Regular },
            found,
        };
        recorder::genesis(terminal, epoch, body, cx)
    }

    /// Decides what an event means: the records that make it so, or a refusal with nothing done.
    ///
    /// # Errors
    /// [`Refusal`] with words for the cashier.
    pub fn step(&self, event: &Event, cx: &Context<'_>) -> Result<Vec<Record>, Refusal> {
        let mut out = Recorder::new(self, cx);
        match event {
            Event::Booted(shutdown) => self.boot(*shutdown, &mut out),
            Event::Stopping => out.note(Body::Stopped {}),
            Event::BundleArrived { version, hash } => {
                // Only what is in force is a fact, and each time it came into force is one.
                let in_force = (cx.bundle.content.version, cx.bundle.hash);
                if in_force == (*version, *hash) && self.adopted != Some(in_force) {
                    out.note(Body::BundleAdopted { version: *version, hash: *hash });
                }
            }
            Event::Scanned { station, scan } => self.scanned(station, scan, &mut out)?,
            Event::Act(command) => self.act(command, &mut out)?,
            Event::Provider(intent, report) => self.reported(*intent, report, &mut out),
            Event::Refund(refund, report) => self.refund_reported(*refund, report, &mut out),
            Event::Print(job, report) => self.printed(*job, report, &mut out)?,
            Event::Drawer(kick, report) => self.kicked(*kick, report, &mut out)?,
            Event::OrderRequested { sale, bill_version, provider } => {
                self.order_requested(*sale, *bill_version, *provider, &mut out)?;
            }
            Event::CouponOffered { sale, token } => self.coupon_offered(*sale, token, &mut out)?,
            Event::Ruled(verdict) => self.ruled(verdict, &mut out),
            Event::MemberForgotten { member } => out.note(Body::MemberForgotten { member: member.clone() }),
            Event::DeadlinePassed => self.deadline_passed(&mut out),
            Event::LeaseGranted(lease) => self.take_lease(lease, &mut out),
            Event::LeasesOver => self.give_leases_back(&mut out),
            Event::ClockTurned => self.look_at_clock(&mut out),
            Event::BroughtForward(forward) => self.prune(forward, &mut out)?,
        }
        let made = out.finish();
        self.check_cash_only(&made)?;
        Ok(made)
    }

    /// Moves on by one record. Cannot fail: what was recorded is so.
    pub fn apply(&mut self, record: &Record) {
        self.tip = Tip { seq: record.header.seq, head: record.hash };
        self.boot = record.header.moment.boot;
        self.apply_time(record);
        self.apply_exposure(record);
        self.apply_leases(record);
        self.keep_counts(record);
        self.apply_people(record);
        self.apply_papers(record);
        self.apply_cases(record);
        self.apply_pruning(record);
        if let Some(id) = record.header.sale {
            match self.sales.get_mut(&id) {
                Some(sale) => sale.apply(record),
                None => {
                    if let Some(sale) = Sale::begin(record) {
                        self.sales.insert(id, sale);
                    }
                }
            }
            self.apply_notes(id, record);
            self.after_sale_record(id, record);
            self.drop_codes_on_paper();
        }
    }

    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    fn keep_counts(&mut self, record: &Record) {
        if let Some(number) = record.header.receipt {
            self.last_receipt = self.last_receipt.max(number);
        }
        if let Some(serial) = &record.header.serial {
            self.spent.insert(serial.clone());
        }
        match &record.body {
            Body::IntentDrawn { carrier: Carrier::PayCode { keyed_hash }, .. } => {
                self.recent_codes.push_back(keyed_hash.clone());
                while self.recent_codes.len() > RECENT_CODES {
                    self.recent_codes.pop_front();
                }
            }
            Body::EpochAdopted { .. } => {
                self.standing = Standing::Regular;
                self.adopted_s = Some(record.header.moment.unix_s());
            }
            Body::BundleAdopted { version, hash } => self.adopted = Some((*version, *hash)),
            // What is still in front goes on without a name.
            Body::MemberForgotten { member } => {
                let theirs = |sale: &&mut Sale| sale.member.as_ref() == Some(member);
                for sale in self.sales.values_mut().filter(theirs) {
                    (sale.member, sale.member_proof) = (None, None);
                }
            }
            Body::Noted { verdict } => self.last_verdict = self.last_verdict.max(verdict.number),
            _ => {}
        }
    }

    fn after_sale_record(&mut self, id: SaleId, record: &Record) {
        let Some(sale) = self.sales.get(&id) else { return };
        if let Body::SaleOpened { place: Place::Front, .. } = &record.body {
            self.stations.entry(sale.station.clone()).or_default().paid = None;
        }
        if let Body::ReceiptIssued { total } = &record.body {
            self.recent.push_front(Paid::of(sale, record, *total));
            self.recent.truncate(RECENT_RECEIPTS);
            if sale.kind == SaleKind::Sale {
                self.stations.entry(sale.station.clone()).or_default().paid = Some(id);
                self.shift.as_mut().unwrap_or(&mut self.between).count_sale(sale, *total);
            }
        }
        if let Body::Refunded { .. } | Body::CashReturned { .. } = &record.body {
            let shift = self.shift.as_mut().unwrap_or(&mut self.between);
            match (&record.body, record.header.amount) {
                // What was given up before it was sold was never counted.
                (Body::CashReturned { why: CashBack::GivenUp, .. }, _) | (_, None) => {}
                (Body::CashReturned { .. }, Some(amount)) => shift.count_cash_back(amount),
                (_, Some(amount)) => shift.count_refund(amount),
            }
        }
        if self.sales.get(&id).is_some_and(Sale::is_done)
            && let Some(gone) = self.sales.remove(&id)
        {
            self.past.extend(gone.intents.iter().map(|intent| (intent.id, id)));
            while self.past.len() > PAST_INTENTS {
                self.past.pop_front();
            }
        }
    }

    /// The sale of a payment, where it left memory not too long ago.
    pub fn past_sale(&self, intent: IntentId) -> Option<SaleId> {
        self.past.iter().rev().find(|(known, _)| *known == intent).map(|(_, sale)| *sale)
    }

    /// Which till.
    pub fn terminal(&self) -> &TerminalId {
        &self.terminal
    }

    /// Which life of its journal.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The journal's end.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Whether this sale is in memory.
    pub fn holds(&self, sale: SaleId) -> bool {
        self.sales.contains_key(&sale)
    }

    /// Hashes that the edges check PINs against.
    pub fn pins(&self) -> BTreeMap<StaffId, PinHash> {
        self.staff.iter().map(|(id, person)| (id.clone(), person.pin.clone())).collect()
    }

    /// The currency of its journal.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// A person's name.
    pub fn name_of(&self, staff: &StaffId) -> Option<String> {
        self.staff.get(staff).map(|person| person.name.clone())
    }

    /// Number of the last receipt.
    pub fn last_receipt(&self) -> u64 {
        self.last_receipt
    }

    fn front(&self, station: &StationId) -> Option<&Sale> {
        let in_front = |sale: &&Sale| sale.place == Place::Front && sale.station == *station && is_open(sale);
        self.sales.values().find(in_front)
    }

    fn on_desk(&self, desk: &crate::record::ids::DeskId) -> Option<&Sale> {
        self.sales.values().find(|sale| sale.desk() == Some(desk) && is_open(sale))
    }

    /// Whether the payment's sale is in memory.
    pub fn owns(&self, intent: IntentId) -> bool {
        self.sale_of_intent(intent).is_some()
    }

    fn sale_of_intent(&self, intent: IntentId) -> Option<&Sale> {
        self.sales.values().find(|sale| sale.intent(intent).is_some())
    }
}

/// Whether a sale still waits to be paid or given up.
fn is_open(sale: &Sale) -> bool {
    sale.receipt.is_none() && sale.void.is_none() && sale.kind == SaleKind::Sale
}
