//! The queue to head office as a person understands it: items, where each stands, why, and what may be done.
//!
//! A sale is a dozen records and one *item*. An item's state comes from three things that are kept apart: how far head
//! office has received and ruled (`Marks`), what it said about single records, and what managers did (`Cases`). Nothing
//! here can lose or change a record: it is a way of looking.
//!
//! Not here: reading the journal (`journal`), deciding acts (`counter`), and the page (`pages`).

pub mod allowed;
pub mod cases;
pub mod checklist;
pub mod filter;
pub mod state;
#[cfg(test)]
mod tests;
pub mod words;

use crate::money::Money;
use crate::record::ids::{SaleId, StaffId, StationId};
use crate::record::queue_act::{QueueAct, Subject};
use crate::record::{Epoch, Header, Mode};
pub use allowed::allowed;
pub use cases::{Acted, Case, Cases, Step};
pub use filter::{Filter, FilterError};
use serde::Serialize;
pub use state::{Head, Marks, Standing, State, Tries};

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A receipt: goods out, money in.
    Sale,
    /// A receipt of money given back.
    Return,
    /// A coupon spent.
    Coupon,
    /// A voucher spent.
    Voucher,
    /// A member came in.
    CheckIn,
    /// Money that goes back through a wallet.
    Refund,
    /// Money that came after the payment was given up.
    LateMoney,
    /// A shift was closed.
    Shift,
    /// A manager's act on the queue.
    Act,
    /// Any other record; shown by itself only where something is the matter with it.
    Other,
}

impl ItemKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::Sale,
        Self::Return,
        Self::Coupon,
        Self::Voucher,
        Self::CheckIn,
        Self::Refund,
        Self::LateMoney,
        Self::Shift,
        Self::Act,
        Self::Other,
    ];

    /// What a record is: its kind, and whether its amount is money out.
    pub fn of(record_kind: &str, amount: Option<Money>) -> Self {
        let sort = RECORD_KINDS.iter().find(|(name, _)| *name == record_kind).map(|(_, kind)| *kind);
        match sort {
            Some(Self::Sale) if amount.is_some_and(Money::is_negative) => Self::Return,
            Some(kind) => kind,
            None => Self::Other,
        }
    }

    /// A stable word for addresses and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Return => "return",
            Self::Coupon => "coupon",
            Self::Voucher => "voucher",
            Self::CheckIn => "check_in",
            Self::Refund => "refund",
            Self::LateMoney => "late_money",
            Self::Shift => "shift",
            Self::Act => "act",
            Self::Other => "other",
        }
    }

    /// The kind of a word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Kinds of records that are of this kind of item.
    pub fn record_kinds(self) -> impl Iterator<Item = &'static str> {
        let sort = if self == Self::Return { Self::Sale } else { self };
        RECORD_KINDS.iter().filter(move |(_, kind)| *kind == sort).map(|(name, _)| *name)
    }
}

/// Kinds of records that are items by themselves. The others belong to one of these, or to none. The journal has an
/// index over just these: a kind added here is added there, by a migration.
/// (`voucher_taken` is in the index and is no item: a voucher counts once, with the receipt that spends it.)
pub const RECORD_KINDS: [(&str, ItemKind); 8] = [
    ("receipt_issued", ItemKind::Sale),
    ("coupon_redeemed", ItemKind::Coupon),
    ("voucher_redeemed", ItemKind::Voucher),
    ("member_recognised", ItemKind::CheckIn),
    ("refund_drawn", ItemKind::Refund),
    ("paid_late", ItemKind::LateMoney),
    ("shift_closed", ItemKind::Shift),
    ("queue_acted", ItemKind::Act),
];

/// One item: a record that means something to a person, and where it stands.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Item {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// The record's number there.
    pub seq: u64,
    /// What it is.
    pub kind: ItemKind,
    /// The record's own kind.
    pub record_kind: String,
    /// When, by this machine's wall clock in Unix milliseconds.
    pub at_ms: i64,
    /// The same by head office's clock, where that was known.
    pub corrected_ms: i64,
    /// The amount it moves.
    pub amount: Option<Money>,
    /// The receipt's number.
    pub receipt: Option<u64>,
    /// The end of the serial that it spends: enough to compare, too little to use.
    pub serial: Option<String>,
    /// The sale it belongs to.
    pub sale: Option<SaleId>,
    /// Where at the till.
    pub station: Option<StationId>,
    /// Who did it.
    pub staff: Option<StaffId>,
    /// Business or practice.
    pub mode: Mode,
    /// Where it stands.
    pub state: State,
    /// Head office's last word, or the till's own: a stable code.
    pub code: Option<String>,
    /// And its sentence, in English.
    pub why: Option<String>,
    /// How often it left without an answer.
    pub tries: Option<Tries>,
    /// When head office had it, at the latest, in Unix milliseconds.
    pub received_ms: Option<i64>,
    /// What managers did about it, oldest first.
    pub acts: Vec<Acted>,
}

impl Item {
    /// The item that a record is, whichever kind it has. `marks` are those of its epoch.
    pub fn of(header: &Header, marks: &Marks, cases: &Cases) -> Self {
        let subject = Subject { epoch: header.epoch, seq: header.seq };
        let case = cases.of(subject);
        let said = |text: fn(&Case) -> &String| case.map(text).filter(|text| !text.is_empty()).cloned();
        Self {
            epoch: header.epoch,
            seq: header.seq,
            kind: ItemKind::of(&header.kind, header.amount),
            record_kind: header.kind.clone(),
            at_ms: header.moment.wall_ms,
            corrected_ms: header.moment.corrected_ms(),
            amount: header.amount,
            receipt: header.receipt,
            serial: header.serial.as_deref().map(masked),
            sale: header.sale,
            station: header.station.clone(),
            staff: header.staff.clone(),
            mode: header.mode,
            state: state_of(subject, case, marks),
            code: said(|case| &case.code),
            why: said(|case| &case.words),
            tries: marks.tries_of(header.seq).filter(|_| header.seq > marks.received),
            received_ms: marks.received_ms(header.seq),
            acts: case.map(|case| case.acts.clone()).unwrap_or_default(),
        }
    }

    /// What it is named by in an act.
    pub fn subject(&self) -> Subject {
        Subject { epoch: self.epoch, seq: self.seq }
    }

    /// The hold that it lies under, where a manager said so last; head office holds without one.
    pub fn held_by(&self) -> Option<&Acted> {
        self.acts.last().filter(|last| last.act == QueueAct::Hold)
    }

    /// The acts that may be done on it while this epoch is the current one.
    pub fn acts_allowed(&self, current: Epoch) -> impl Iterator<Item = QueueAct> {
        allowed::ACTS.into_iter().filter(move |act| allowed(self, *act, current).is_ok())
    }
}

/// Where a record stands: what was said about it comes first, then how far head office is.
fn state_of(subject: Subject, case: Option<&Case>, marks: &Marks) -> State {
    let by_marks = |ruled: u64| match Marks::standing(marks, subject.seq, ruled) {
        Standing::Recorded => State::Recorded,
        Standing::Sent => State::Sent,
        Standing::Received => State::Received,
        Standing::Settled
        | Standing::Refused
        | Standing::Expired
        | Standing::Held
        | Standing::Parked
        | Standing::Resolved => State::Settled,
    };
    let Some(case) = case else { return by_marks(marks.ruled) };
    match case.step {
        Step::Refused => State::Refused { code: case.code.clone(), words: case.words.clone() },
        Step::Expired => State::Expired,
        Step::Parked => State::Parked,
        Step::Held => State::Held,
        Step::Resolved(how) => State::Resolved { how },
        Step::Accepted => by_marks(marks.ruled),
        // Once head office has ruled on the question too, its silence is a yes.
        Step::Asked(by) if by.epoch == subject.epoch && by.seq <= marks.ruled => by_marks(marks.ruled),
        Step::Asked(_) => by_marks(subject.seq.saturating_sub(1).min(marks.ruled)),
    }
}

/// The last four characters of a serial.
fn masked(serial: &str) -> String {
    let keep = serial.chars().count().saturating_sub(4);
    let end: String = serial.chars().skip(keep).collect();
    format!("…{end}")
}
