//! Attempts to move money as the journal tells of them: each intent, where it stands, and what went back.

use super::About;
use crate::audit::code;
use crate::audit::report::{Counts, Finding, Findings, Place};
use crate::money::Money;
use crate::record::Mode;
use crate::record::ids::{IntentId, RefundId, SaleId};
use crate::record::money_moves::{Carrier, ProviderName, Settled};
use std::collections::BTreeMap;

/// Where an intent stands by its last record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::audit) enum Standing {
    Drawn,
    Pending,
    Unsure,
    Cancelling,
    CancelUnsure,
    Cancelled,
    Tombstoned,
    Abandoned,
    Declined,
    Approved,
    PaidLate,
}

impl Standing {
    /// The kind of the record that put it there.
    pub(in crate::audit) fn word(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Pending => "pending",
            Self::Unsure => "unsure",
            Self::Cancelling => "cancelling",
            Self::CancelUnsure => "cancel_unsure",
            Self::Cancelled => "cancelled",
            Self::Tombstoned => "tombstoned",
            Self::Abandoned => "abandoned",
            Self::Declined => "declined",
            Self::Approved => "approved",
            Self::PaidLate => "paid_late",
        }
    }
}

/// One attempt to move money.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Attempt {
    pub(in crate::audit) provider: ProviderName,
    pub(in crate::audit) amount: Money,
    /// Whether a phone carries it: how the cloud names the carrier.
    pub(in crate::audit) carrier: &'static str,
    pub(in crate::audit) sale: Option<SaleId>,
    pub(in crate::audit) standing: Standing,
    /// What the wallet is said to have settled: its own number, and the amount.
    pub(in crate::audit) settled: Option<(String, Money)>,
    pub(in crate::audit) drawn: Place,
    pub(in crate::audit) last: Place,
}

impl Attempt {
    /// Whether the journal knows which wallet took the money: a till that was shown a phone's proof does not.
    pub(in crate::audit) fn knows_wallet(&self) -> bool {
        let proven = self.settled.as_ref().is_some_and(|(trade, _)| trade.is_empty());
        !(proven && self.carrier == "order")
    }

    /// Whether it is settled and the journal does not say any more how, because a member asked to be forgotten.
    pub(in crate::audit) fn is_erased(&self) -> bool {
        self.settled.is_none() && matches!(self.standing, Standing::Approved | Standing::PaidLate)
    }
}

/// Where a refund stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::audit) enum GoingBack {
    Drawn,
    Refunded,
    Refused,
}

impl GoingBack {
    /// How the cloud names it.
    pub(in crate::audit) fn word(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Refunded => "refunded",
            Self::Refused => "refused",
        }
    }
}

/// Money that goes back.
#[derive(Clone, Debug)]
pub(in crate::audit) struct GivenBack {
    pub(in crate::audit) intent: IntentId,
    pub(in crate::audit) amount: Money,
    pub(in crate::audit) state: GoingBack,
    pub(in crate::audit) last: Place,
}

/// All of them, practice left out.
#[derive(Default)]
pub(in crate::audit) struct Attempts {
    pub(in crate::audit) by_id: BTreeMap<IntentId, Attempt>,
    pub(in crate::audit) refunds: BTreeMap<RefundId, GivenBack>,
    practice: BTreeMap<IntentId, Money>,
}

impl Attempts {
    /// The amount that an intent was drawn for.
    pub(super) fn amount(&self, intent: IntentId) -> Option<Money> {
        let live = self.by_id.get(&intent).map(|attempt| attempt.amount);
        live.or_else(|| self.practice.get(&intent).copied())
    }

    /// Whether an intent has paid for this very sale.
    pub(super) fn paid(&self, intent: IntentId, sale: Option<SaleId>) -> bool {
        let paid = |attempt: &&Attempt| attempt.standing == Standing::Approved && attempt.sale == sale;
        self.by_id.get(&intent).filter(paid).is_some()
    }

    /// What the journal says went back of an intent, in minor units of its currency.
    pub(in crate::audit) fn refunded_minor(&self) -> BTreeMap<IntentId, i64> {
        let mut sums = BTreeMap::new();
        for refund in self.refunds.values().filter(|refund| refund.state == GoingBack::Refunded) {
            let sum: &mut i64 = sums.entry(refund.intent).or_default();
            *sum = sum.saturating_add(refund.amount.minor);
        }
        sums
    }

    pub(super) fn give_back(&mut self, about: About, refund: RefundId, intent: IntentId, amount: Money) {
        if about.mode == Mode::Live {
            let last = about.place;
            self.refunds.insert(refund, GivenBack { intent, amount, state: GoingBack::Drawn, last });
        }
    }

    pub(super) fn draw(
        &mut self,
        about: About,
        intent: IntentId,
        provider: ProviderName,
        amount: Money,
        carrier: &Carrier,
        findings: &mut Findings,
    ) {
        if self.amount(intent).is_some() {
            let words = format!("The payment {intent} was begun a second time.");
            findings
                .add(Finding::new(code::INTENT_TWICE, words).intent(intent).sale(about.sale).at(about.place));
            return;
        }
        if about.mode == Mode::Training {
            self.practice.insert(intent, amount);
            return;
        }
        let carrier = match carrier {
            Carrier::PayCode { .. } | Carrier::WalletCode {} => "pay_code",
            Carrier::Order(_) => "order",
        };
        let (sale, drawn, last) = (about.sale, about.place, about.place);
        let standing = Standing::Drawn;
        let attempt = Attempt { provider, amount, carrier, sale, standing, settled: None, drawn, last };
        self.by_id.insert(intent, attempt);
    }

    pub(super) fn set(
        &mut self,
        about: About,
        intent: IntentId,
        standing: Standing,
        findings: &mut Findings,
    ) {
        if about.mode == Mode::Training && self.practice.contains_key(&intent) {
            return;
        }
        let Some(attempt) = self.by_id.get_mut(&intent) else {
            let words =
                format!("Record {} tells how {intent} ended, which was never begun.", about.place.seq);
            let finding = Finding::new(code::OUTCOME_WITHOUT_INTENT, words);
            findings.add(finding.intent(intent).sale(about.sale).at(about.place));
            return;
        };
        attempt.standing = standing;
        attempt.last = about.place;
    }

    pub(super) fn settle(
        &mut self,
        about: About,
        intent: IntentId,
        standing: Standing,
        settled: Settled,
        findings: &mut Findings,
    ) {
        self.set(about, intent, standing, findings);
        let Some(attempt) = self.by_id.get_mut(&intent) else { return };
        attempt.provider = settled.wallet.unwrap_or(attempt.provider);
        if attempt.settled.is_some() {
            let words = format!("The money of {intent} was booked a second time.");
            findings.add(
                Finding::new(code::APPROVED_TWICE, words).intent(intent).sale(about.sale).at(about.place),
            );
        }
        if settled.total != attempt.amount {
            let words = format!("{} was asked for and {} booked as paid.", attempt.amount, settled.total);
            findings.add(
                Finding::new(code::AMOUNT_DIFFERS, words).intent(intent).sale(about.sale).at(about.place),
            );
        }
        attempt.settled = Some((settled.trade, settled.total));
    }

    /// An approval whose body was erased: of the payment of its sale that was open, or over where money came late.
    pub(super) fn settle_erased(&mut self, about: About, standing: Standing) {
        let open = |known: Standing| {
            use Standing::{CancelUnsure, Cancelling, Drawn, Pending, Unsure};
            matches!(known, Drawn | Pending | Unsure | Cancelling | CancelUnsure)
        };
        let late = standing == Standing::PaidLate;
        let meant = |attempt: &&mut Attempt| {
            attempt.sale == about.sale
                && !matches!(attempt.standing, Standing::Approved | Standing::PaidLate)
                && open(attempt.standing) != late
        };
        if let Some(attempt) = self.by_id.values_mut().filter(meant).max_by_key(|attempt| attempt.drawn) {
            (attempt.standing, attempt.last) = (standing, about.place);
        }
    }

    pub(super) fn went_back(
        &mut self,
        about: About,
        refund: RefundId,
        state: GoingBack,
        findings: &mut Findings,
    ) {
        if about.mode == Mode::Training {
            return;
        }
        let Some(known) = self.refunds.get_mut(&refund) else {
            let words =
                format!("Record {} tells how refund {refund} ended, which was never begun.", about.place.seq);
            let finding = Finding::new(code::OUTCOME_WITHOUT_INTENT, words);
            findings.add(finding.sale(about.sale).at(about.place));
            return;
        };
        known.state = state;
        known.last = about.place;
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        for attempt in self.by_id.values() {
            counts.intents += 1;
            let of_its_end = match attempt.standing {
                Standing::Approved => &mut counts.approved,
                Standing::Declined => &mut counts.declined,
                Standing::Cancelled | Standing::Tombstoned | Standing::Abandoned => &mut counts.given_up,
                Standing::PaidLate => &mut counts.paid_late,
                Standing::Drawn
                | Standing::Pending
                | Standing::Unsure
                | Standing::Cancelling
                | Standing::CancelUnsure => &mut counts.open,
            };
            *of_its_end += 1;
        }
    }
}
