//! Ends for what only a person can end: a payment of which the wallet never says anything, a sale that this
//! build cannot read, a note about a sale that was not in front.
//!
//! Each is a manager's act with a reason, but for the note, which anybody may have seen.
//!
//! Not here: refused refunds (`returns`), paper and drawers (`papers`).

use super::acts::reason_given;
use super::recorder::{About, Recorder};
use super::{Refusal, Till};
use crate::money::Money;
use crate::record::Record;
use crate::record::body::{Body, Place, SaleKind};
use crate::record::giving_back::Finding;
use crate::record::ids::{IntentId, SaleId, StationId};
use crate::sale::{IntentState, Sale};
use serde::{Deserialize, Serialize};

/// Notes kept. More unseen ones than that are a list that nobody looks at; the sales themselves are all there.
const NOTES_MAX: usize = 20;

/// A sale that was not in front, whose payment ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) sale: SaleId,
    pub(super) station: StationId,
    pub(super) ended: Ended,
    pub(super) amount: Money,
    pub(super) at_ms: i64,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    /// It is paid: the goods may go.
    Paid {
        /// Its receipt.
        receipt: u64,
    },
    /// A part of it is paid.
    InPart,
    /// It is not paid.
    Unpaid,
}

impl Till {
    /// A manager says what became of a payment that cannot be learned.
    pub(super) fn resolve_payment(
        &self,
        id: IntentId,
        finding: Finding,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let gone = Refusal::NotNow("That payment is settled already.");
        let sale = self.sale_of_intent(id).ok_or(gone.clone())?;
        let intent = sale.intent(id).filter(|intent| intent.state.may_still_pay()).ok_or(gone)?;
        if intent.state != IntentState::CancelUnsure {
            return Err(Refusal::NotNow("The wallet may still answer. Cancel the payment first."));
        }
        let words = reason_given(reason)?;
        let body = Body::PaymentResolved { intent: id, finding, words };
        out.push(body, About::sale(sale.id).amount(intent.amount));
        Ok(())
    }

    /// A manager has seen that a sale holds what this build cannot read.
    pub(super) fn acknowledge_frozen(
        &self,
        id: SaleId,
        reason: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        let frozen = self.sales.get(&id).filter(|sale| sale.frozen && sale.acknowledged.is_none());
        let sale = frozen.ok_or(Refusal::NotNow("There is nothing to decide about that sale any more."))?;
        if sale.open_intent().is_some() {
            return Err(Refusal::NotNow("A payment of it is under way. Wait until that has ended."));
        }
        let words = reason_given(reason)?;
        out.push(Body::FrozenAcknowledged { words }, About::sale(sale.id));
        Ok(())
    }

    pub(super) fn see_note(&self, id: SaleId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        if !self.notes.iter().any(|note| note.sale == id) {
            return Err(Refusal::NotNow("That note was seen already."));
        }
        out.push(Body::NoteSeen {}, About::sale(id));
        Ok(())
    }

    /// Keeps a note when the payment of a sale ends that is not in front, and drops it once it was seen.
    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    pub(super) fn apply_notes(&mut self, id: SaleId, record: &Record) {
        let Some(sale) = self.sales.get(&id) else {
            if let Body::NoteSeen {} = record.body {
                self.notes.retain(|note| note.sale != id);
            }
            return;
        };
        let ended = match &record.body {
            Body::ReceiptIssued { .. } => Ended::Paid { receipt: record.header.receipt.unwrap_or(0) },
            Body::Approved { .. } if sale.receipt.is_none() => Ended::InPart,
            Body::Declined { .. } | Body::Cancelled { .. } | Body::PaymentResolved { .. } => Ended::Unpaid,
            Body::SaleMoved { .. }
            | Body::SaleVoided { .. }
            | Body::IntentDrawn { .. }
            | Body::FrozenAcknowledged { .. }
            | Body::NoteSeen {} => {
                self.notes.retain(|note| note.sale != id);
                return;
            }
            _ => return,
        };
        self.notes.retain(|note| note.sale != id);
        // A declined order leaves a desk's bill where the phone can try again.
        let watched = match (&sale.place, ended) {
            (Place::Front, _) | (Place::Desk(_), Ended::Unpaid | Ended::InPart) => false,
            (Place::Held, _) | (Place::Desk(_), Ended::Paid { .. }) => true,
        };
        if watched && sale.kind == SaleKind::Sale && sale.void.is_none() {
            let amount = amount_of(sale).unwrap_or(Money::zero(self.currency));
            let (station, at_ms) = (sale.station.clone(), record.header.moment.wall_ms);
            self.notes.push_back(Note { sale: id, station, ended, amount, at_ms });
            while self.notes.len() > NOTES_MAX {
                self.notes.pop_front();
            }
        }
    }
}

fn amount_of(sale: &Sale) -> Option<Money> {
    sale.fixed.as_ref().map(|fixed| fixed.total)
}
