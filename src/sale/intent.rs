//! An intent: one attempt to move money, and every way it can end.
//!
//! drawn → approved | declined | pending | unsure; pending and unsure → approved, declined or
//! cancelling → cancelled → tombstoned | cancel-unsure; money after the end → paid-late and a refund.
//! Goods are released in approved alone. A cancel-unsure of which nobody ever learns ends with a person:
//! not charged (as cancelled, and watched) or resolved.

use crate::money::Money;
use crate::record::body::Body;
use crate::record::giving_back::{CapturedBy, Finding};
use crate::record::ids::IntentId;
use crate::record::moment::Deadline;
use crate::record::money_moves::{Advice, Carrier, Heard, ProvenBy, ProviderName, Settled};
use crate::record::{Moment, Record};
use serde::{Deserialize, Serialize};

/// How long after its time an order is heard out that a phone has begun to pay. The cloud gives the customer a
/// minute, and then takes the order back.
const BEGUN_MS: u64 = 90_000;

/// How long after its time an order is heard out of which nobody has heard: a phone may begin until five minutes after
/// it was drawn, has a minute to pay, and is then shown at the counter.
const UNHEARD_MS: u64 = 120_000;

/// How often wrong digits may be typed for one order.
pub const TRIES: u8 = 3;

/// One attempt to move money.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// Which: the wallet's order number.
    pub id: IntentId,
    /// At which wallet.
    pub provider: ProviderName,
    /// How much.
    pub amount: Money,
    /// How it reaches the wallet.
    pub carrier: Carrier,
    /// When it was drawn.
    pub drawn: Moment,
    /// When it is given up.
    pub settle_by: Deadline,
    /// Where it stands.
    pub state: IntentState,
    /// What is known to have been settled.
    pub settled: Option<Settled>,
    /// The provider's last words.
    pub words: String,
    /// What it advised with its no.
    pub advice: Option<Advice>,
    /// What there is, where it was too little.
    #[serde(default)]
    pub left: Option<Money>,
    /// What a phone scans to pay it, once that can be shown.
    #[serde(default)]
    pub code: Option<String>,
    /// How it was given up, if it was.
    #[serde(default)]
    pub given_up: Option<GivenUp>,
    /// Who had heard of it when its code was shown.
    pub heard: Heard,
    /// How often wrong digits were typed for it.
    pub mistyped: u8,
}

/// How an attempt was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// Its time was up.
    InTime,
    /// Somebody took it back, or it could not go on.
    Before,
}

/// Where an intent stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Durable; on its way.
    Drawn,
    /// The provider waits for the customer.
    Pending,
    /// Nobody knows.
    Unsure,
    /// It is being taken back.
    Cancelling,
    /// Whether it was taken back is not known.
    CancelUnsure,
    /// Taken back; one more look is due.
    Cancelled,
    /// Taken back, and nothing came late.
    Tombstoned,
    /// The till gave up an order; the cloud has yet to confirm.
    Abandoned,
    /// The money is the shop's.
    Approved,
    /// It did not move and will not.
    Declined,
    /// It moved after it was given up, and goes back.
    PaidLate,
    /// A person found that the customer was charged, and gave it back by hand.
    Resolved,
}

impl IntentState {
    /// Whether its money may still become the shop's: no other tender meanwhile.
    pub fn may_still_pay(self) -> bool {
        match self {
            Self::Drawn | Self::Pending | Self::Unsure | Self::Cancelling | Self::CancelUnsure => true,
            Self::Cancelled
            | Self::Tombstoned
            | Self::Abandoned
            | Self::Approved
            | Self::Declined
            | Self::PaidLate
            | Self::Resolved => false,
        }
    }

    /// Whether the wallet's word on it is still awaited, and giving it up means something.
    pub fn awaits_answer(self) -> bool {
        match self {
            Self::Drawn | Self::Pending | Self::Unsure => true,
            Self::Cancelling
            | Self::CancelUnsure
            | Self::Cancelled
            | Self::Tombstoned
            | Self::Abandoned
            | Self::Approved
            | Self::Declined
            | Self::PaidLate
            | Self::Resolved => false,
        }
    }

    /// Whether its money came and counts, is on its way back, or went back by hand: word of it again changes nothing.
    pub fn has_its_money(self) -> bool {
        match self {
            Self::Approved | Self::PaidLate | Self::Resolved => true,
            Self::Drawn
            | Self::Pending
            | Self::Unsure
            | Self::Cancelling
            | Self::CancelUnsure
            | Self::Cancelled
            | Self::Tombstoned
            | Self::Abandoned
            | Self::Declined => false,
        }
    }

    /// Whether nothing is owed on it any more. What was paid late is owed through its refund.
    pub fn is_final(self) -> bool {
        match self {
            Self::Tombstoned | Self::Approved | Self::Declined | Self::PaidLate | Self::Resolved => true,
            Self::Drawn
            | Self::Pending
            | Self::Unsure
            | Self::Cancelling
            | Self::CancelUnsure
            | Self::Cancelled
            | Self::Abandoned => false,
        }
    }

    /// A stable word for pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Pending => "pending",
            Self::Unsure => "unsure",
            Self::Cancelling => "cancelling",
            Self::CancelUnsure => "cancel_unsure",
            Self::Cancelled => "cancelled",
            Self::Tombstoned => "tombstoned",
            Self::Abandoned => "abandoned",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::PaidLate => "paid_late",
            Self::Resolved => "resolved",
        }
    }
}

impl Intent {
    /// Whether a phone carries it.
    pub fn is_order(&self) -> bool {
        match self.carrier {
            Carrier::Order(_) => true,
            Carrier::PayCode { .. } | Carrier::WalletCode {} => false,
        }
    }

    /// Whether the till shows its code in front of the station. An order of a desk is opened there.
    pub fn is_shown(&self) -> bool {
        match &self.carrier {
            Carrier::Order(terms) => terms.desk.is_none(),
            Carrier::WalletCode {} => true,
            Carrier::PayCode { .. } => false,
        }
    }

    /// When the till gives it up. A phone that has begun to pay an order is heard out: the cloud ends it within a
    /// minute and says so. So is a phone that pays an order of which the cloud tells nothing.
    pub fn give_up_at(&self) -> Deadline {
        let later_ms = match (self.is_order(), self.heard, self.state) {
            (true, Heard::ByNobody, _) => UNHEARD_MS,
            (true, Heard::ByTheCloud, IntentState::Pending) => BEGUN_MS,
            (true | false, Heard::ByTheCloud | Heard::ByNobody, _) => 0,
        };
        Deadline { monotonic_ms: self.settle_by.monotonic_ms.saturating_add(later_ms), ..self.settle_by }
    }

    /// A stable word for how it was paid: the wallet, or `phone` where only the customer's proof is known.
    pub fn means(&self) -> &'static str {
        match self.settled.as_ref().map(|settled| settled.proven_by) {
            Some(ProvenBy::PaidProof | ProvenBy::TypedProof) => "phone",
            Some(ProvenBy::Notice) | None => self.provider.word(),
        }
    }

    /// Who called the wallet for it.
    pub fn captured_by(&self) -> CapturedBy {
        if self.is_order() { CapturedBy::Cloud } else { CapturedBy::Till }
    }
}

/// Moves the intent that a record speaks of.
#[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
pub(super) fn apply(intents: &mut Vec<Intent>, record: &Record) {
    let mut set = |id: &IntentId, state: IntentState, words: &str| {
        if let Some(intent) = intents.iter_mut().find(|intent| intent.id == *id) {
            intent.state = state;
            words.clone_into(&mut intent.words);
        }
    };
    match &record.body {
        Body::Declined { intent, words, advice, left, .. } => {
            set(intent, IntentState::Declined, words);
            if let Some(intent) = intents.iter_mut().find(|known| known.id == *intent) {
                (intent.advice, intent.left) = (Some(*advice), *left);
            }
        }
        Body::ProofMistyped { intent } => {
            if let Some(intent) = intents.iter_mut().find(|known| known.id == *intent) {
                intent.mistyped = intent.mistyped.saturating_add(1);
            }
        }
        Body::CodeShown { intent, text, heard } => {
            if let Some(intent) = intents.iter_mut().find(|known| known.id == *intent) {
                intent.code = Some(text.clone());
                intent.heard = *heard;
                // The wallet waits from here on. An order waits until a phone has opened it.
                if intent.carrier == (Carrier::WalletCode {}) && intent.state == IntentState::Drawn {
                    intent.state = IntentState::Pending;
                }
            }
        }
        Body::Pending { intent } => set(intent, IntentState::Pending, ""),
        Body::Unsure { intent, why } => set(intent, IntentState::Unsure, why),
        Body::Cancelling { intent, why } => {
            set(intent, IntentState::Cancelling, why);
            give_up(intents, intent, record);
        }
        Body::Cancelled { intent, action } => set(intent, IntentState::Cancelled, action),
        Body::CancelUnsure { intent, why } => set(intent, IntentState::CancelUnsure, why),
        Body::Tombstoned { intent } => set(intent, IntentState::Tombstoned, ""),
        // Nothing was charged as far as a person can see: should money come after all, it goes back.
        Body::PaymentResolved { intent, finding: Finding::NotCharged, words } => {
            set(intent, IntentState::Cancelled, words);
        }
        Body::PaymentResolved { intent, finding: Finding::GivenBackByHand, words } => {
            set(intent, IntentState::Resolved, words);
        }
        Body::Abandoned { intent, why } => {
            set(intent, IntentState::Abandoned, why);
            give_up(intents, intent, record);
        }
        Body::Approved { intent, settled } => settle(intents, intent, IntentState::Approved, settled),
        Body::PaidLate { intent, settled } => settle(intents, intent, IntentState::PaidLate, settled),
        Body::IntentDrawn { intent, provider, amount, carrier, settle_by } => intents.push(Intent {
            id: *intent,
            provider: *provider,
            amount: *amount,
            carrier: carrier.clone(),
            drawn: record.header.moment,
            settle_by: *settle_by,
            state: IntentState::Drawn,
            settled: None,
            words: String::new(),
            advice: None,
            left: None,
            code: None,
            given_up: None,
            heard: Heard::ByTheCloud,
            mistyped: 0,
        }),
        Body::Erased { kind_name } => settle_erased(intents, kind_name, record),
        // `Sale::apply` sends only the kinds above here.
        _ => {}
    }
}

/// A deadline is nobody's act.
fn give_up(intents: &mut [Intent], id: &IntentId, record: &Record) {
    if let Some(intent) = intents.iter_mut().find(|intent| intent.id == *id) {
        let by_time = record.header.staff.is_none() && record.header.moment.is_past(intent.settle_by);
        intent.given_up = Some(if by_time { GivenUp::InTime } else { GivenUp::Before });
    }
}

/// What is left of an approval whose body was erased: that it was, and the amount in its header. One intent at a
/// time may pay a sale, so it is of the one that was open, or, where money came late, of the last that was over.
fn settle_erased(intents: &mut [Intent], kind: &str, record: &Record) {
    let late = kind == "paid_late";
    let meant = |intent: &&mut Intent| {
        let paid =
            [IntentState::Approved, IntentState::PaidLate, IntentState::Resolved].contains(&intent.state);
        !paid && intent.state.may_still_pay() != late
    };
    if kind != "approved" && !late {
        return;
    }
    let Some(intent) = intents.iter_mut().rev().find(meant) else { return };
    let total = record.header.amount.unwrap_or(intent.amount);
    let nothing = Money::zero(total.currency);
    intent.state = if late { IntentState::PaidLate } else { IntentState::Approved };
    intent.settled = Some(Settled {
        trade: String::new(),
        total,
        received: total,
        buyer_paid: total,
        invoice: total,
        merchant_funded: nothing,
        platform_funded: nothing,
        buyer: None,
        proof: None,
        proven_by: crate::record::money_moves::ProvenBy::Notice,
        balance: None,
        wallet: None,
        funds: vec![],
        vouchers: vec![],
    });
}

fn settle(intents: &mut [Intent], id: &IntentId, state: IntentState, settled: &Settled) {
    if let Some(intent) = intents.iter_mut().find(|intent| intent.id == *id) {
        intent.state = state;
        intent.provider = settled.wallet.unwrap_or(intent.provider);
        intent.settled = Some(settled.clone());
    }
}
