//! What is owed outwards, from the state alone: recovery asks the same question as any other moment.

use super::duty::{Duty, KickDuty, OrderDuty, PayBy, PayDuty, PrintDuty, RefundDuty};
use super::{JobState, Till};
use crate::record::giving_back::ReturnWhy;
use crate::record::moment::Deadline;
use crate::record::money_moves::Carrier;
use crate::sale::{Intent, IntentState, Refund, RefundState, Sale};

impl Till {
    /// Everything that must be under way outside, each with a stable id.
    pub fn owed(&self) -> Vec<Duty> {
        let mut owed = Vec::new();
        for sale in self.sales.values() {
            owed.extend(sale.intents.iter().filter_map(|intent| of_intent(sale, intent)));
            owed.extend(refunds(sale));
        }
        for (job, paper) in self.papers.iter().filter(|(_, paper)| paper.state == JobState::Ordered) {
            let (station, size) = (paper.station.clone(), paper.size);
            let (sale, paper) = (paper.sale, paper.paper);
            owed.push(Duty::Print(PrintDuty { job: *job, sale, station, paper, size }));
        }
        for (kick, drawer) in self.kicks.iter().filter(|(_, drawer)| drawer.state == JobState::Ordered) {
            owed.push(Duty::Kick(KickDuty { kick: *kick, station: drawer.station.clone() }));
        }
        owed
    }

    /// The next moment at which [`super::Event::DeadlinePassed`] would change something.
    pub fn next_deadline(&self) -> Option<Deadline> {
        let intents = self.sales.values().flat_map(|sale| &sale.intents);
        let waiting = intents.filter(|intent| intent.state.awaits_answer());
        // A deadline of an earlier boot is due, whatever that boot's clock said.
        let deadlines = waiting.map(Intent::give_up_at);
        deadlines.min_by_key(|deadline| (deadline.boot == self.boot, deadline.monotonic_ms))
    }
}

fn of_intent(sale: &Sale, intent: &Intent) -> Option<Duty> {
    let pay = || PayDuty {
        intent: intent.id,
        provider: intent.provider,
        amount: intent.amount,
        station: sale.station.clone(),
        by: match intent.carrier {
            Carrier::WalletCode {} => PayBy::ShownCode,
            Carrier::PayCode { .. } | Carrier::Order(_) => PayBy::CustomersCode,
        },
        drawn: intent.drawn,
        settle_by: intent.settle_by,
    };
    match &intent.carrier {
        Carrier::PayCode { .. } | Carrier::WalletCode {} => match intent.state {
            IntentState::Drawn => Some(Duty::Submit(pay())),
            IntentState::Pending | IntentState::Unsure => Some(Duty::Ask(pay())),
            IntentState::Cancelling | IntentState::CancelUnsure => Some(Duty::Cancel(pay())),
            IntentState::Cancelled => Some(Duty::Watch(pay())),
            IntentState::Tombstoned
            | IntentState::Abandoned
            | IntentState::Approved
            | IntentState::Declined
            | IntentState::PaidLate
            | IntentState::Resolved => None,
        },
        Carrier::Order(terms) => {
            let order = OrderDuty {
                intent: intent.id,
                sale: sale.id,
                amount: intent.amount,
                provider: intent.provider,
                terms: terms.clone(),
            };
            match intent.state {
                IntentState::Drawn | IntentState::Pending => Some(Duty::Offer(order)),
                IntentState::Abandoned => Some(Duty::Withdraw(order)),
                IntentState::Unsure
                | IntentState::Cancelling
                | IntentState::CancelUnsure
                | IntentState::Cancelled
                | IntentState::Tombstoned
                | IntentState::Approved
                | IntentState::Declined
                | IntentState::PaidLate
                | IntentState::Resolved => None,
            }
        }
    }
}

fn refunds(sale: &Sale) -> impl Iterator<Item = Duty> {
    let owed = |refund: &&Refund| matches!(refund.state, RefundState::Drawn | RefundState::Pending);
    sale.refunds.iter().filter(owed).filter_map(|refund| {
        // A return knows the payment by its shares, the sale itself by its intents.
        let own = sale.intent(refund.intent).map(|intent| (intent.provider, intent.captured_by()));
        let (provider, captured_by) = own.or_else(|| sale.back.wallet_of(refund.intent))?;
        Some(Duty::Refund(RefundDuty {
            refund: refund.id,
            intent: refund.intent,
            provider,
            amount: refund.amount,
            why: refund.why.clone(),
            late: Some(refund.amount).filter(|_| is_late(sale, refund)),
            captured_by,
        }))
    })
}

/// Whether a refund is of money that came after its payment was over: all of it goes back.
pub(super) fn is_late(sale: &Sale, refund: &Refund) -> bool {
    let opened = sale.back.opened.as_ref().is_some_and(|back| back.why == ReturnWhy::Late);
    opened || sale.intent(refund.intent).is_some_and(|intent| intent.state == IntentState::PaidLate)
}
