//! What must hold once an evening is over: the till's records against the wallet's books, intent by intent.

use super::*;
use crate::record::body::SaleKind;
use crate::record::giving_back::{CashBack, Means};
use crate::sale::{IntentState, RefundState};

/// What ten thousand schedules must have had, or they prove little.
pub(super) const EVERY_TIME: [&str; 27] = [
    "approved",
    "declined",
    "pending",
    "unsure",
    "cancelling",
    "cancelled",
    "cancel_unsure",
    "tombstoned",
    "paid_late",
    "payment_resolved",
    "refund_drawn",
    "refunded",
    "refund_pending",
    "refund_refused",
    "refund_retried",
    "refund_settled",
    "part_chosen",
    "cash_returned",
    "return_drawn",
    "sale_voided",
    "sale_moved",
    "note_kept",
    "crash_before_commit",
    "crash_after_commit",
    "crash_after_release",
    "notice",
    "double_scan",
];

/// Judges an evening, and says what it had.
pub(super) fn judge(evening: &Evening) -> BTreeSet<&'static str> {
    let (books, notes) = (&evening.wallets, evening.notes.lock().unwrap());
    assert!(notes.wrong.is_empty(), "{:?}", notes.wrong);
    let mut ids: Vec<SaleId> = evening.records.iter().filter_map(|record| record.header.sale).collect();
    ids.sort();
    ids.dedup();
    let of = |id: SaleId| evening.records.iter().filter(move |record| record.header.sale == Some(id));
    let sales: Vec<Sale> = ids.into_iter().map(|id| Sale::fold(of(id)).unwrap()).collect();
    // What went back of each intent by the till's word, wherever it was asked for.
    let mut back: BTreeMap<IntentId, i64> = BTreeMap::new();
    for refund in sales.iter().flat_map(|sale| &sale.refunds) {
        let minor = match &refund.state {
            RefundState::Done => refund.amount.minor,
            RefundState::Settled(_) => 0,
            open => panic!("a refund has no end: {open:?}"),
        };
        *back.entry(refund.intent).or_default() += minor;
    }
    for sale in &sales {
        for intent in &sale.intents {
            let order = intent.id.to_string();
            let kept = books.kept(&order);
            let gone = back.get(&intent.id).copied().unwrap_or(0);
            match intent.state {
                IntentState::Approved | IntentState::PaidLate => {
                    assert_eq!(kept, intent.amount.minor - gone, "{:?}", intent);
                }
                IntentState::Declined | IntentState::Tombstoned | IntentState::Resolved => {
                    assert_eq!((kept, gone), (0, 0), "{:?}", intent);
                }
                IntentState::Drawn
                | IntentState::Pending
                | IntentState::Unsure
                | IntentState::Cancelling
                | IntentState::CancelUnsure
                | IntentState::Cancelled
                | IntentState::Abandoned => panic!("a payment has no end: {intent:?}"),
            }
            let asked = notes.asked_back(&order);
            assert!(asked <= intent.amount.minor, "{asked} was asked back of {:?}", intent);
        }
        sale_holds(sale);
    }
    let known: BTreeSet<String> =
        sales.iter().flat_map(|sale| &sale.intents).map(|intent| intent.id.to_string()).collect();
    for order in books.orders() {
        assert!(known.contains(&order), "the wallet has {order}, the till has not");
    }
    let mut saw: BTreeSet<&'static str> =
        evening.records.iter().map(|record| record.body.kind()).chain(evening.saw.iter().copied()).collect();
    saw.extend(books.struck());
    if !evening.till.notes.is_empty() {
        saw.insert("note_kept");
    }
    saw
}

/// What one sale must add up to.
fn sale_holds(sale: &Sale) {
    let approved = sale.intents.iter().filter(|intent| intent.state == IntentState::Approved);
    let by_wallet: i64 = approved.map(|intent| intent.amount.minor).sum();
    let cash: i64 = sale.cash.iter().map(|cash| cash.received.minor - cash.change.minor).sum();
    match (sale.kind, &sale.receipt, &sale.fixed) {
        (SaleKind::Sale, Some(_), Some(fixed)) => {
            assert_eq!(by_wallet + cash, fixed.total.minor, "goods went for what was paid");
            let returned: i64 = sale.back.drawn.iter().map(|drawn| drawn.total.minor).sum();
            assert!(returned <= fixed.total.minor, "more was returned than sold");
            let in_cash = |share: &&crate::record::giving_back::TenderShare| share.means == Means::Cash;
            let shares = sale.back.drawn.iter().flat_map(|drawn| &drawn.shares).filter(in_cash);
            assert!(shares.map(|share| share.amount.minor).sum::<i64>() <= cash, "more cash than came");
        }
        (SaleKind::Sale, _, _) => {
            // Given up: every part that was paid went back, or a manager has ended it.
            let given = sale.back.cash.iter().filter(|(_, why)| *why == CashBack::GivenUp);
            assert_eq!(given.map(|(amount, _)| amount.minor).sum::<i64>(), cash, "cash of a sale given up");
            let refunds = sale.refunds.iter().filter(|refund| {
                sale.intent(refund.intent).is_some_and(|intent| intent.state == IntentState::Approved)
            });
            let refunds: i64 = refunds.map(|refund| refund.amount.minor).sum();
            assert_eq!(refunds, by_wallet, "wallet money of a sale given up");
        }
        (SaleKind::Refund, _, _) => {
            let opened = sale.back.opened.as_ref().unwrap();
            let cash = opened.shares.iter().filter(|share| share.means == Means::Cash);
            let given = sale.back.cash.iter().filter(|(_, why)| *why == CashBack::Refund);
            assert_eq!(
                given.map(|(amount, _)| amount.minor).sum::<i64>(),
                cash.map(|share| share.amount.minor).sum::<i64>()
            );
        }
        (SaleKind::RefundWithoutOriginal | SaleKind::NoSale | SaleKind::PaidIn | SaleKind::PaidOut, _, _) => {
        }
    }
}
