//! What providers report, and what deadlines and restarts mean for money on its way.
//!
//! **Invariant:** money that arrives while a sale waits for it pays the sale; money that arrives after the
//! intent was given up goes back by itself. Goods are released in neither case but the first.

use super::acts::short;
use super::event::ProviderReport;
use super::recorder::{About, Recorder};
use super::{JobState, Refusal, Till};
use crate::record::body::{Body, PaperOutcome, Shutdown};
use crate::record::ids::{IntentId, RefundId};
use crate::record::money_moves::{Heard, Ruling, Settled, Verdict};
use crate::sale::{Intent, IntentState, Sale};

impl Till {
    /// What was under way when the daemon ended is not known to have happened, nor not to have.
    pub(super) fn boot(&self, shutdown: Shutdown, out: &mut Recorder<'_>) {
        out.note(Body::Booted { version: env!("CARGO_PKG_VERSION").to_owned(), shutdown });
        for sale in self.sales.values() {
            out.at(&sale.station);
            for intent in &sale.intents {
                // The pay code went with the old process: whether it was sent can only be asked.
                if intent.state == IntentState::Drawn && intent.is_shown() && !intent.is_order() {
                    self.give_up(sale, intent, "the till restarted before its code was shown", out);
                } else if intent.state == IntentState::Drawn && !intent.is_order() {
                    let why = "the till restarted".to_owned();
                    out.push(
                        Body::Unsure { intent: intent.id, why },
                        About::sale(sale.id).amount(intent.amount),
                    );
                }
            }
        }
        for (job, paper) in self.papers.iter().filter(|(_, paper)| paper.state == JobState::Started) {
            out.at(&paper.station);
            let words = "The till stopped while this was printing.".to_owned();
            let body = Body::PrintEnded { job: *job, outcome: PaperOutcome::Unconfirmed, words };
            out.push(body, About::sale(paper.sale));
        }
        for (kick, drawer) in &self.kicks {
            // Nobody stands ready at a drawer that opens by itself when the till comes up.
            let (outcome, words) = match drawer.state {
                JobState::Ordered => {
                    (PaperOutcome::FailedBefore, "The till stopped before the drawer opened.")
                }
                JobState::Started => (PaperOutcome::Unconfirmed, "The till stopped while the drawer opened."),
                JobState::Asks(..) => continue,
            };
            out.at(&drawer.station);
            out.note(Body::DrawerEnded { kick: *kick, outcome, words: words.to_owned() });
        }
    }

    pub(super) fn reported(&self, id: IntentId, report: &ProviderReport, out: &mut Recorder<'_>) {
        let Some(sale) = self.sale_of_intent(id) else { return self.reported_of_archived(id, report, out) };
        let Some(intent) = sale.intent(id) else { return };
        out.at(&sale.station);
        let about = || About::sale(sale.id).amount(intent.amount);
        match report {
            ProviderReport::Approved(settled) => self.money_came(sale, intent, settled, out),
            // What a phone paid comes with a proof, as an answer.
            ProviderReport::Told(_) if intent.is_order() => {}
            // The money may be on its way back already, by the hand of whoever takes it back.
            ProviderReport::Told(settled) => match intent.state {
                IntentState::Cancelling | IntentState::CancelUnsure => {}
                IntentState::Drawn
                | IntentState::Pending
                | IntentState::Unsure
                | IntentState::Cancelled
                | IntentState::Tombstoned
                | IntentState::Abandoned
                | IntentState::Approved
                | IntentState::Declined
                | IntentState::PaidLate
                | IntentState::Resolved => self.money_came(sale, intent, settled, out),
            },
            ProviderReport::Shown(text) => self.code_came(sale, intent, text, Heard::ByTheCloud, out),
            ProviderReport::ShownUnheard(text) => self.code_came(sale, intent, text, Heard::ByNobody, out),
            ProviderReport::Declined { code, words, advice, left } => {
                match intent.state {
                    IntentState::Drawn
                    | IntentState::Pending
                    | IntentState::Unsure
                    | IntentState::Cancelling
                    | IntentState::CancelUnsure => {}
                    // It was given up before, and now it is known that nothing will come.
                    IntentState::Cancelled | IntentState::Abandoned => {
                        return self.bury(sale, intent, out);
                    }
                    IntentState::Tombstoned
                    | IntentState::Approved
                    | IntentState::Declined
                    | IntentState::PaidLate
                    | IntentState::Resolved => return,
                }
                let (code, words, advice, left) = (short(code), short(words), *advice, *left);
                out.push(Body::Declined { intent: id, code, words, advice, left }, about());
                self.free_desk(sale, intent, out);
            }
            ProviderReport::Pending => {
                if matches!(intent.state, IntentState::Drawn | IntentState::Unsure) {
                    out.push(Body::Pending { intent: id }, about());
                }
            }
            // Nobody has seen its code: there is nothing to wait for.
            ProviderReport::Unsure(_) if intent.is_shown() && intent.state == IntentState::Drawn => {
                if !intent.is_order() {
                    self.give_up(sale, intent, "the wallet made no code", out);
                }
            }
            ProviderReport::Unsure(why) => {
                if matches!(intent.state, IntentState::Drawn | IntentState::Pending) && !intent.is_order() {
                    out.push(Body::Unsure { intent: id, why: short(why) }, about());
                }
            }
            ProviderReport::Cancelled(action) => match intent.state {
                IntentState::Abandoned => self.bury(sale, intent, out),
                IntentState::Cancelling | IntentState::CancelUnsure => {
                    out.push(Body::Cancelled { intent: id, action: short(action) }, about());
                    self.renew(sale, intent, out);
                }
                // After an approval this says nothing of the money that paid: the payments' edge asks before
                // it takes back, and takes nothing back once it has posted an approval.
                IntentState::Drawn
                | IntentState::Pending
                | IntentState::Unsure
                | IntentState::Cancelled
                | IntentState::Tombstoned
                | IntentState::Approved
                | IntentState::Declined
                | IntentState::PaidLate
                | IntentState::Resolved => {}
            },
            ProviderReport::CancelUnsure(why) => {
                if intent.state == IntentState::Cancelling {
                    out.push(Body::CancelUnsure { intent: id, why: short(why) }, about());
                }
            }
            ProviderReport::NothingLate => {
                if intent.state == IntentState::Cancelled {
                    out.push(Body::Tombstoned { intent: id }, about());
                }
            }
        }
    }

    /// A report on an intent whose sale left memory: the edge heard late. Money that came is never passed over.
    fn reported_of_archived(&self, id: IntentId, report: &ProviderReport, out: &mut Recorder<'_>) {
        let archived = out.cx.archived.and_then(|sale| Some((sale, sale.intent(id)?)));
        let (Some((sale, intent)), ProviderReport::Approved(settled) | ProviderReport::Told(settled)) =
            (archived, report)
        else {
            return;
        };
        if intent.is_order() && matches!(report, ProviderReport::Told(_)) {
            // What a phone paid comes with a proof, as an answer.
            return;
        }
        if !intent.state.has_its_money() {
            out.at(&sale.station);
            self.late_for_archived(sale, intent, settled, out);
        }
    }

    /// Money is known to have moved: it pays the sale if the sale still waits for it, else it goes back.
    pub(super) fn money_came(&self, sale: &Sale, intent: &Intent, settled: &Settled, out: &mut Recorder<'_>) {
        if intent.state.has_its_money() {
            return;
        }
        let about = || About::sale(sale.id).amount(intent.amount);
        let settled = settled.clone();
        let waits = intent.state.may_still_pay() && sale.receipt.is_none() && sale.void.is_none();
        match (&sale.fixed, waits) {
            (Some(fixed), true) => {
                out.push(Body::Approved { intent: intent.id, settled }, about());
                let paid = sale.paid(self.currency).and_then(|paid| paid.plus(intent.amount));
                // What a frozen sale holds is not known: its money is kept, a person decides on the goods.
                if !sale.frozen && paid.is_ok_and(|paid| paid.minor >= fixed.total.minor) {
                    self.complete(sale, fixed, out);
                }
            }
            (Some(_) | None, _) => {
                out.push(Body::PaidLate { intent: intent.id, settled }, about());
                let refund = out.id(RefundId::draw);
                let why = "paid after it was given up".to_owned();
                let body = Body::RefundDrawn { refund, intent: intent.id, amount: intent.amount, why };
                out.push(body, about());
            }
        }
    }

    /// Nothing was paid and nothing will be: the end of an attempt that was given up.
    fn bury(&self, sale: &Sale, intent: &Intent, out: &mut Recorder<'_>) {
        out.push(Body::Tombstoned { intent: intent.id }, About::sale(sale.id).amount(intent.amount));
        if intent.is_order() {
            self.renew(sale, intent, out);
        }
    }

    /// After a phone's payment came to nothing, the bill on the desk is open again. One in front stays as it is,
    /// for the next tender.
    pub(super) fn free_desk(&self, sale: &Sale, intent: &Intent, out: &mut Recorder<'_>) {
        if intent.is_order() && !intent.is_shown() && sale.fixed.is_some() {
            out.push(Body::TotalReleased {}, About::sale(sale.id));
        }
    }

    /// A person gives up a payment that is not settled.
    pub(super) fn cancel_payment(&self, id: IntentId, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        let gone = Refusal::NotNow("That payment is settled already.");
        let sale = self.sale_of_intent(id).ok_or(gone.clone())?;
        let intent = sale.intent(id).filter(|intent| intent.state.may_still_pay()).ok_or(gone)?;
        if !intent.state.awaits_answer() {
            return Err(Refusal::NotNow("It is being taken back. The till keeps at it."));
        }
        self.give_up(sale, intent, "the cashier gave it up", out);
        Ok(())
    }

    fn give_up(&self, sale: &Sale, intent: &Intent, why: &str, out: &mut Recorder<'_>) {
        let about = About::sale(sale.id).amount(intent.amount);
        let why = why.to_owned();
        if intent.is_order() {
            out.push(Body::Abandoned { intent: intent.id, why }, about);
            self.free_desk(sale, intent, out);
        } else {
            out.push(Body::Cancelling { intent: intent.id, why }, about);
        }
    }

    pub(super) fn deadline_passed(&self, out: &mut Recorder<'_>) {
        for sale in self.sales.values() {
            for intent in &sale.intents {
                let waiting = intent.state.awaits_answer();
                if waiting && out.cx.moment.is_past(intent.give_up_at()) {
                    out.at(&sale.station);
                    out.by(None);
                    self.give_up(sale, intent, "its time is up", out);
                }
            }
        }
    }

    /// Takes each verdict once, in order: a repeated or older number changes nothing.
    pub(super) fn ruled(&self, verdict: &Verdict, out: &mut Recorder<'_>) {
        if verdict.number <= self.last_verdict {
            return;
        }
        if verdict.ruling == Ruling::Accepted && verdict.code.is_empty() {
            return;
        }
        out.note(Body::Noted { verdict: Verdict { words: short(&verdict.words), ..verdict.clone() } });
    }
}
