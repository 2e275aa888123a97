//! Paying in parts: what the next tender takes, and giving up a sale of which a part is paid.
//!
//! **Invariant:** the parts of a sale sum to its total: none takes more than is due, and one at a time is
//! under way. Change comes from cash alone.
//!
//! Not here: taking the tenders (`pay`), and refunds of a sale that has its receipt (`returns`).

use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::money::Money;
use crate::record::body::{Body, KickReason};
use crate::record::giving_back::CashBack;
use crate::record::ids::{RefundId, StationId};
use crate::sale::{IntentState, Sale};

impl Till {
    /// Says how much of what is due the next tender takes.
    pub(super) fn choose_part(
        &self,
        station: &StationId,
        amount: Option<Money>,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (sale, due) = self.awaiting(station)?;
        if let Some(amount) = amount {
            if amount.currency != self.currency || !amount.is_positive() {
                return Err(Refusal::Amount("A part of the total is more than nothing.".to_owned()));
            }
            if due < amount {
                return Err(Refusal::Amount(format!("{due} is still to pay. Type a part of that.")));
            }
        }
        let amount = amount.filter(|amount| *amount != due);
        if sale.part != amount {
            out.push(Body::PartChosen { amount }, About::sale(sale.id));
        }
        Ok(())
    }

    /// What goes back when a sale is given up of which a part is paid: to each wallet that paid, and cash.
    pub(super) fn back_out(&self, sale: &Sale, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        for intent in sale.intents.iter().filter(|intent| intent.state == IntentState::Approved) {
            let refund = out.id(RefundId::draw);
            let why = "the sale was given up".to_owned();
            let body = Body::RefundDrawn { refund, intent: intent.id, amount: intent.amount, why };
            out.push(body, About::sale(sale.id).amount(intent.amount));
        }
        let kept = sale.cash.iter().map(|cash| cash.received.minus(cash.change));
        let kept = Money::sum(kept.collect::<Result<Vec<_>, _>>()?, self.currency)?;
        if kept.is_positive() {
            self.return_cash(sale.id, kept, CashBack::GivenUp, out);
        }
        Ok(())
    }

    /// Cash leaves the drawer: written down before it opens.
    pub(super) fn return_cash(
        &self,
        sale: crate::record::ids::SaleId,
        amount: Money,
        why: CashBack,
        out: &mut Recorder<'_>,
    ) {
        out.push(Body::CashReturned { amount, why }, About::sale(sale).amount(amount));
        self.order_kick(sale, KickReason::Cash, None, out);
    }
}

/// What the next tender of a sale takes: the chosen part, or all that is due.
pub(super) fn asked(sale: &Sale, due: Money) -> Money {
    sale.part.map_or(due, |part| part.min(due))
}
