//! Tills, the keys that ask to be one, and what each till is to be told.

use super::{Reply, StreamRow};
use crate::record::ids::{IntentId, SaleId, TerminalId};
use crate::record::money_moves::{ProviderName, Settled};
use serde::{Deserialize, Serialize};

/// A paired till.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Terminal {
    pub(crate) id: TerminalId,
    pub(crate) public_key: [u8; 32],
    pub(crate) name: String,
    pub(crate) heard_ms: i64,
}

/// A key that asks to be a till.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pairing {
    /// The till it asks to be.
    pub terminal: TerminalId,
    /// The key.
    pub public_key: [u8; 32],
    /// What people call the till.
    pub name: String,
    /// What was decided.
    pub state: PairingState,
    /// When it first asked, Unix milliseconds.
    pub asked_ms: i64,
}

/// What a manager decided about a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    /// Nothing yet.
    Pending,
    /// It is the till's key.
    Approved,
    /// It is not.
    Refused,
}

impl PairingState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Refused].into_iter().find(|state| state.word() == word)
    }
}

/// A manager's decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Make it the till's key; the key before it no longer counts.
    Approve,
    /// Do not.
    Refuse,
}

/// Something a till is to be told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Notice {
    pub(crate) number: u64,
    pub(crate) kind: String,
    /// The fields beside number and kind, a JSON object.
    pub(crate) body: String,
}

/// What a till hears when it asks.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct News {
    pub(crate) notices: Vec<Notice>,
    /// Whether these are all that there are; else it asks again.
    pub(crate) complete: Complete,
    pub(crate) bundle_version: u64,
    /// The till's streams, the one that received something last first.
    pub(crate) streams: Vec<StreamRow>,
    /// Whether these are all its streams.
    pub(crate) streams_told: Complete,
}

/// Whether an answer has everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Complete {
    All,
    Part,
}

/// A notice before it has a number.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NoticeBody {
    pub(crate) kind: &'static str,
    pub(crate) body: serde_json::Value,
    /// Not worth delivering after this.
    pub(crate) until_ms: Option<i64>,
}

impl NoticeBody {
    /// A phone asks to pay a bill with a wallet; nobody waits for the answer after `until_ms`.
    pub(crate) fn order_requested(
        sale: SaleId,
        bill_version: u64,
        provider: ProviderName,
        until_ms: i64,
    ) -> Self {
        let body = serde_json::json!({ "sale": sale, "bill_version": bill_version, "provider": provider });
        Self { kind: "order_requested", body, until_ms: Some(until_ms) }
    }

    /// A customer adds a coupon on the phone.
    pub(crate) fn coupon_offered(sale: SaleId, token: &str, until_ms: i64) -> Self {
        let body = serde_json::json!({ "sale": sale, "token": token });
        Self { kind: "coupon_offered", body, until_ms: Some(until_ms) }
    }

    /// A phone is paying an order.
    pub(crate) fn order_claimed(intent: IntentId) -> Self {
        Self { kind: "order_claimed", body: serde_json::json!({ "intent": intent }), until_ms: None }
    }

    /// An order is paid; `proof` is the `P1` for it.
    pub(crate) fn order_paid(intent: IntentId, settled: &Settled, proof: &str) -> Self {
        let body = serde_json::json!({ "intent": intent, "settled": settled, "proof": proof });
        Self { kind: "order_paid", body, until_ms: None }
    }

    /// A wallet reported a payment that a till had sent through here, and said so again when it was asked.
    pub(crate) fn payment_told(intent: IntentId, settled: &Settled) -> Self {
        let body = serde_json::json!({ "intent": intent, "settled": settled });
        Self { kind: "payment_told", body, until_ms: None }
    }

    /// A member asked to be forgotten: the till erases what it has.
    pub(crate) fn member_forgotten(member: &str) -> Self {
        Self { kind: "member_forgotten", body: serde_json::json!({ "member": member }), until_ms: None }
    }

    /// An order is over and nothing was paid.
    pub(crate) fn order_ended(intent: IntentId, words: &str) -> Self {
        let body = serde_json::json!({ "intent": intent, "words": words });
        Self { kind: "order_ended", body, until_ms: None }
    }
}

/// Keys that wait for a decision: more are refused, so that a stranger cannot fill the disk.
pub(crate) const PENDING_MAX: i64 = 200;

/// Keys that wait under one name. Whoever asked first stays: a till asks once and then looks what became of it.
pub(crate) const PENDING_OF_NAME_MAX: i64 = 16;

/// Refused keys of one name that still hear so: the latest.
pub(crate) const REFUSED_TOLD: i64 = 16;

pub(crate) trait Terminals {
    /// Records that a key asks; `None` when too many wait already, in all or under its name.
    fn ask_pairing(&self, pairing: Pairing) -> Reply<'_, Option<PairingState>>;
    /// The keys that asked to be this till.
    fn pairings_of(&self, terminal: TerminalId) -> Reply<'_, Vec<Pairing>>;
    /// All keys that ever asked, the waiting ones first.
    fn pairings(&self) -> Reply<'_, Vec<Pairing>>;
    /// Decides about a waiting key; false when none with it waits.
    fn decide_pairing(
        &self,
        terminal: TerminalId,
        key: [u8; 32],
        decision: Decision,
        now_ms: i64,
    ) -> Reply<'_, bool>;
    fn terminal(&self, id: TerminalId) -> Reply<'_, Option<Terminal>>;
    fn terminals(&self) -> Reply<'_, Vec<Terminal>>;
    fn heard(&self, id: TerminalId, now_ms: i64) -> Reply<'_, ()>;
    /// Notices after a number, oldest first, those whose time is over left out, and what else a till is told with
    /// them: all of one moment.
    fn news(&self, terminal: TerminalId, after: u64, now_ms: i64) -> Reply<'_, News>;
}
