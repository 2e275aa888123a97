//! Books kept from the records alone, in another way than the till keeps them, and what must hold of them.

use super::super::duty_word;
use crate::counter::Till;
use crate::money::Money;
use crate::record::Record;
use crate::record::body::{Body, Place, SaleKind};
use crate::record::giving_back::{CashBack, Finding, Means, ReturnWhy};
use crate::record::ids::{IntentId, JobId, RefundId, SaleId};
use crate::record::money_moves::{Carrier, Heard, ProviderName};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds without which the days prove little.
pub(super) const EVERY_DAY: [&str; 43] = [
    "sale_opened",
    "sale_moved",
    "line_added",
    "line_quantity",
    "line_voided",
    "price_overridden",
    "coupon_taken",
    "coupon_returned",
    "coupon_redeemed",
    "total_fixed",
    "total_released",
    "sale_voided",
    "intent_drawn",
    "approved",
    "declined",
    "pending",
    "unsure",
    "cancelling",
    "cancelled",
    "cancel_unsure",
    "tombstoned",
    "abandoned",
    "paid_late",
    "refund_drawn",
    "refunded",
    "refund_refused",
    "refund_pending",
    "refund_retried",
    "refund_settled",
    "payment_resolved",
    "part_chosen",
    "cash_returned",
    "return_opened",
    "return_drawn",
    "note_seen",
    "cash_taken",
    "receipt_issued",
    "print_settled",
    "drawer_ended",
    "code_shown",
    "proof_mistyped",
    "voucher_taken",
    "voucher_redeemed",
];

/// One sale in the books.
#[derive(Default)]
struct Account {
    drawer_only: bool,
    /// A return: of which sale, if one.
    back: Option<Option<SaleId>>,
    /// A return that ends without a receipt.
    late: bool,
    cash: i64,
    cash_back: i64,
    vouchers: i64,
    redeemed: i64,
    returned: i64,
    paid: i64,
    total: Option<i64>,
    receipt: bool,
    void: bool,
}

/// One intent in the books.
struct Attempt {
    sale: SaleId,
    amount: Money,
    order: bool,
    last: &'static str,
}

/// One refund in the books.
struct GoingBack {
    sale: SaleId,
    intent: IntentId,
    amount: Money,
    last: &'static str,
}

/// What the records say.
#[derive(Default)]
pub(super) struct Books {
    sales: BTreeMap<SaleId, Account>,
    intents: BTreeMap<IntentId, Attempt>,
    refunds: BTreeMap<RefundId, GoingBack>,
    late: BTreeSet<IntentId>,
    jobs: BTreeMap<JobId, &'static str>,
    codes_on_paper: BTreeMap<JobId, IntentId>,
    /// Codes that were shown, and whether the cloud had heard.
    shown: BTreeSet<(IntentId, Heard)>,
    mistyped: BTreeMap<IntentId, u8>,
    kicks: BTreeMap<JobId, &'static str>,
    serials: BTreeSet<String>,
    codes: BTreeSet<String>,
    verdict: u64,
    /// Intents, oldest first.
    pub(super) drawn: Vec<IntentId>,
    /// Refunds, oldest first.
    pub(super) backs: Vec<RefundId>,
    /// Papers and drawers, oldest first.
    pub(super) ordered: Vec<JobId>,
}

impl Books {
    /// Every sale there was.
    pub(super) fn sales_known(&self) -> Vec<SaleId> {
        self.sales.keys().copied().collect()
    }

    pub(super) fn amount_of(&self, intent: IntentId) -> Money {
        self.intents[&intent].amount
    }

    /// Refunds that their wallet refused and nobody has ended.
    pub(super) fn refused(&self) -> Vec<RefundId> {
        let refused = self.refunds.iter().filter(|(_, refund)| refund.last == "refund_refused");
        refused.map(|(id, _)| *id).collect()
    }

    /// Intents that phones pay at the cloud.
    pub(super) fn orders(&self) -> Vec<IntentId> {
        self.drawn.iter().filter(|intent| self.intents[intent].order).copied().collect()
    }

    pub(super) fn sale_of(&self, intent: IntentId) -> Option<SaleId> {
        self.intents.get(&intent).map(|attempt| attempt.sale)
    }

    /// Enters a record, and checks what it must not do to what was entered before.
    pub(super) fn enter(&mut self, record: &Record) {
        let kind = record.body.kind();
        if let Some(serial) = &record.header.serial {
            assert!(self.serials.insert(serial.clone()), "{serial} was spent twice");
        }
        self.enter_sale(record);
        match &record.body {
            Body::IntentDrawn { intent, amount, carrier, provider, .. } => {
                let sale = record.header.sale.unwrap();
                assert!(amount.is_positive());
                // A member's code that paid nothing may be read again: the cloud spends it.
                if let (Carrier::PayCode { keyed_hash }, false) = (carrier, *provider == ProviderName::House)
                {
                    assert!(self.codes.insert(keyed_hash.clone()), "a pay code was sent twice");
                }
                let open = self.intents.values().filter(|other| other.sale == sale);
                assert!(open.clone().all(|other| !may_still_pay(other.last)), "two payments under way");
                let order = matches!(carrier, Carrier::Order(_));
                self.drawn.push(*intent);
                let attempt = Attempt { sale, amount: *amount, order, last: kind };
                assert!(self.intents.insert(*intent, attempt).is_none());
            }
            Body::Approved { intent, .. } => {
                assert!(
                    may_still_pay(self.intents[intent].last),
                    "{} was approved",
                    self.intents[intent].last
                );
                self.mark(*intent, kind);
            }
            Body::PaidLate { intent, .. } => {
                assert!(!may_still_pay(self.intents[intent].last), "it would have paid the sale");
                assert!(self.late.insert(*intent), "late twice");
                self.mark(*intent, kind);
            }
            Body::ProofMistyped { intent } => {
                let tries = self.mistyped.entry(*intent).or_default();
                *tries += 1;
                assert!(*tries <= 3, "digits are tried three times");
            }
            Body::CodeShown { intent, heard, .. } => {
                assert!(!self.shown.contains(&(*intent, Heard::ByNobody)), "nobody heard twice");
                assert!(self.shown.insert((*intent, *heard)), "a code is shown once");
                if !self.intents[intent].order && self.intents[intent].last == "intent_drawn" {
                    self.mark(*intent, "pending");
                }
            }
            Body::Declined { intent, .. }
            | Body::Pending { intent }
            | Body::Unsure { intent, .. }
            | Body::Cancelling { intent, .. }
            | Body::Cancelled { intent, .. }
            | Body::CancelUnsure { intent, .. }
            | Body::Tombstoned { intent }
            | Body::Abandoned { intent, .. } => {
                let was = self.intents[intent].last;
                assert!(
                    !matches!(was, "approved" | "paid_late" | "tombstoned" | "declined" | "resolved"),
                    "{was}, {kind}"
                );
                self.mark(*intent, kind);
            }
            Body::RefundDrawn { refund, intent, amount, .. } => {
                let of = &self.intents[intent];
                assert!(matches!(of.last, "approved" | "paid_late"), "{} goes back", of.last);
                let others = self.refunds.values().filter(|other| other.intent == *intent);
                let before: i64 = others.map(|other| other.amount.minor).sum();
                assert!(before + amount.minor <= of.amount.minor, "more goes back than was paid");
                let (sale, intent, amount) = (record.header.sale.unwrap(), *intent, *amount);
                self.backs.push(*refund);
                assert!(
                    self.refunds.insert(*refund, GoingBack { sale, intent, amount, last: kind }).is_none()
                );
            }
            Body::Refunded { refund }
            | Body::RefundRefused { refund, .. }
            | Body::RefundPending { refund, .. }
            | Body::RefundRetried { refund }
            | Body::RefundSettled { refund, .. } => {
                let back = self.refunds.get_mut(refund).unwrap();
                assert_ne!(back.last, "refunded");
                back.last = kind;
            }
            Body::PaymentResolved { intent, finding, .. } => {
                assert_eq!(self.intents[intent].last, "cancel_unsure");
                self.mark(*intent, if *finding == Finding::NotCharged { "cancelled" } else { "resolved" });
            }
            _ => self.enter_device(record),
        }
        if let Body::Noted { verdict } = &record.body {
            assert!(verdict.number > self.verdict, "a verdict was noted twice");
            self.verdict = verdict.number;
        }
    }

    fn mark(&mut self, intent: IntentId, kind: &'static str) {
        self.intents.get_mut(&intent).unwrap().last = kind;
    }

    fn enter_sale(&mut self, record: &Record) {
        let Some(id) = record.header.sale else { return };
        let account = self.sales.entry(id).or_default();
        match &record.body {
            Body::SaleOpened { sale_kind, .. } => {
                account.drawer_only = *sale_kind == SaleKind::NoSale;
                let back = matches!(sale_kind, SaleKind::Refund | SaleKind::RefundWithoutOriginal);
                account.back = back.then_some(None);
            }
            Body::ReturnOpened { of, why, .. } => {
                account.back = Some(of.as_ref().map(|of| of.sale));
                account.late = *why == ReturnWhy::Late;
            }
            Body::ReturnDrawn { total, shares, .. } => {
                assert!(account.receipt && !account.void && account.back.is_none());
                account.returned += total.minor;
                assert!(account.returned <= account.total.unwrap(), "more was returned than sold");
                let cash = shares.iter().filter(|share| share.means == Means::Cash);
                account.cash_back += cash.map(|share| share.amount.minor).sum::<i64>();
                assert!(account.cash_back <= account.cash, "more cash goes back than came");
            }
            Body::CashReturned { amount, why: CashBack::GivenUp } => {
                assert!(!account.receipt && !account.void);
                assert_eq!(amount.minor, account.cash, "what was taken goes back");
            }
            Body::CashTaken { received, change } => {
                assert!(!account.receipt && !account.void, "cash for a sale that is over");
                account.paid += received.minus(*change).unwrap().minor;
                account.cash += received.minus(*change).unwrap().minor;
                assert!(account.paid <= account.total.unwrap(), "more was taken than is due");
            }
            Body::VoucherTaken { voucher } => {
                assert!(!account.receipt && !account.void, "a voucher for a sale that is over");
                assert!(voucher.amount.minor <= voucher.value.minor && voucher.amount.is_positive());
                account.paid += voucher.amount.minor;
                account.vouchers += voucher.amount.minor;
                assert!(account.paid <= account.total.unwrap(), "more was taken than is due");
            }
            Body::VoucherRedeemed { .. } => {
                account.redeemed += record.header.amount.unwrap().minor;
                assert!(account.redeemed <= account.vouchers, "what was taken is spent");
            }
            Body::Approved { intent, .. } => {
                assert!(!account.receipt && !account.void, "money for a sale that is over");
                account.paid += self.intents[intent].amount.minor;
                assert!(account.paid <= account.total.unwrap(), "more was taken than is due");
            }
            Body::IntentDrawn { .. } | Body::SaleVoided { .. } | Body::LineAdded { .. } => {
                assert!(!account.receipt && !account.void, "{} on a sale that is over", record.body.kind());
                account.void = matches!(record.body, Body::SaleVoided { .. });
            }
            Body::TotalFixed { total, .. } => {
                assert!(account.total.is_none(), "fixed twice");
                account.total = Some(total.minor);
            }
            Body::TotalReleased {} => {
                assert!(account.total.take().is_some(), "released twice");
                assert_eq!(account.paid, 0, "the basket opened again after a part was paid");
            }
            Body::ReceiptIssued { total } => {
                assert!(!account.receipt && !account.void);
                if account.back.is_some() {
                    assert_eq!(account.total, Some(-total.minor), "a return's receipt takes away");
                } else {
                    assert_eq!(account.total, Some(total.minor));
                    assert_eq!(account.paid, total.minor, "a receipt says what was paid");
                    assert_eq!(account.redeemed, account.vouchers, "its vouchers are spent");
                }
                account.receipt = true;
            }
            _ => {}
        }
    }

    fn enter_device(&mut self, record: &Record) {
        let kind = record.body.kind();
        match &record.body {
            Body::PrintOrdered { job, paper, .. } => {
                if let crate::record::body::Paper::ShownCode(intent) = paper {
                    self.codes_on_paper.insert(*job, *intent);
                }
                self.ordered.push(*job);
                assert!(self.jobs.insert(*job, kind).is_none());
            }
            Body::PrintStarted { job } => {
                assert_eq!(self.jobs.insert(*job, kind), Some("print_ordered"), "started once");
            }
            Body::PrintEnded { job, .. } => {
                let was = self.jobs.insert(*job, kind);
                assert!(matches!(was, Some("print_ordered" | "print_started")), "{was:?}");
            }
            Body::DrawerOrdered { kick, .. } => {
                self.ordered.push(JobId(kick.0));
                assert!(self.kicks.insert(JobId(kick.0), kind).is_none());
            }
            Body::DrawerKicked { kick } => {
                assert_eq!(self.kicks.insert(JobId(kick.0), kind), Some("drawer_ordered"), "kicked once");
            }
            Body::DrawerEnded { kick, .. } => {
                self.kicks.insert(JobId(kick.0), kind);
            }
            _ => {}
        }
    }

    /// What must hold between the books and the till at any moment between two events.
    pub(super) fn check(&self, till: &Till) {
        for intent in &self.late {
            // As the till promised it; the wallet's answer comes in its own time.
            let back = self.refunds.values().filter(|refund| refund.intent == *intent);
            let amounts: Vec<Money> = back.map(|refund| refund.amount).collect();
            assert_eq!(amounts, [self.intents[intent].amount], "late money goes back once, and whole");
        }
        assert_eq!(self.owed(), till_owes(till), "what is owed");
        let held: BTreeSet<SaleId> = till.sales.keys().copied().collect();
        let open = self.sales.iter().filter(|(id, account)| self.is_open(**id, account));
        assert_eq!(
            held,
            open.map(|(id, _)| *id).collect(),
            "sales in memory are those that wait for something"
        );
        let mut places: Vec<_> =
            till.sales.values().filter(|sale| super::super::super::is_open(sale)).collect();
        places.retain(|sale| sale.place != Place::Held);
        let key = |place: &Place, station: &str| match place {
            Place::Desk(desk) => format!("desk {desk}"),
            Place::Front | Place::Held => format!("front {station}"),
        };
        let keys: BTreeSet<String> =
            places.iter().map(|sale| key(&sale.place, sale.station.as_str())).collect();
        assert_eq!(keys.len(), places.len(), "one sale a place");
    }

    fn is_open(&self, id: SaleId, account: &Account) -> bool {
        if account.drawer_only {
            return false;
        }
        let moving = self.intents.values().any(|intent| {
            let over = ["approved", "declined", "tombstoned", "paid_late", "resolved"];
            intent.sale == id && !over.contains(&intent.last)
        });
        let back = self
            .refunds
            .values()
            .any(|refund| refund.sale == id && !matches!(refund.last, "refunded" | "refund_settled"));
        !(account.receipt || account.void || account.late) || moving || back
    }

    /// Words and ids of what must be under way outside.
    fn owed(&self) -> BTreeSet<(&'static str, [u8; 16])> {
        let mut owed = BTreeSet::new();
        for (id, intent) in &self.intents {
            let word = match (intent.order, intent.last) {
                (false, "intent_drawn") => "submit",
                (false, "pending" | "unsure") => "ask",
                (false, "cancelling" | "cancel_unsure") => "cancel",
                (false, "cancelled") => "watch",
                (true, "intent_drawn" | "pending") => "offer",
                (true, "abandoned") => "withdraw",
                _ => continue,
            };
            owed.insert((word, id.0));
        }
        let under_way = ["refund_drawn", "refund_pending", "refund_retried"];
        let refunds = self.refunds.iter().filter(|(_, refund)| under_way.contains(&refund.last));
        owed.extend(refunds.map(|(id, _)| ("refund", id.0)));
        // A code that is over is printed no more.
        let over = |job: &JobId| {
            let intent = self.codes_on_paper.get(job).map(|intent| self.intents[intent].last);
            intent.is_some_and(|last| !matches!(last, "intent_drawn" | "pending" | "unsure"))
        };
        let jobs = self.jobs.iter().filter(|(id, last)| **last == "print_ordered" && !over(id));
        owed.extend(jobs.map(|(id, _)| ("print", id.0)));
        let kicks = self.kicks.iter().filter(|(_, last)| **last == "drawer_ordered");
        owed.extend(kicks.map(|(id, _)| ("kick", id.0)));
        owed
    }
}

fn may_still_pay(last: &str) -> bool {
    matches!(last, "intent_drawn" | "pending" | "unsure" | "cancelling" | "cancel_unsure")
}

fn till_owes(till: &Till) -> BTreeSet<(&'static str, [u8; 16])> {
    use crate::counter::duty::DutyId;
    let owed = till.owed();
    let named: BTreeSet<_> = owed
        .iter()
        .map(|duty| {
            let id = match duty.id() {
                DutyId::Submit(id)
                | DutyId::Ask(id)
                | DutyId::Cancel(id)
                | DutyId::Watch(id)
                | DutyId::Offer(id)
                | DutyId::Withdraw(id) => id.0,
                DutyId::Refund(id) => id.0,
                DutyId::Print(id) => id.0,
                DutyId::Kick(id) => id.0,
            };
            (duty_word(duty.id()), id)
        })
        .collect();
    assert_eq!(named.len(), owed.len(), "each duty is owed once");
    named
}
