//! Paying in parts, giving money back, and ends for what only a person can end.

use super::super::event::RefundReport;
use super::*;
use crate::record::giving_back::{Finding, RefundEnd};
use crate::record::line::LineId;
use crate::sale::back::Wanted;
use crate::view::{Phase, SafeAct};

/// Two lattes for 56.00, their total fixed.
fn to_pay() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench
}

/// 20.00 by wallet, 36.00 in cash; the sale, its receipt 1.
fn paid_in_parts() -> (TestTill, SaleId) {
    let mut bench = to_pay();
    let sale = bench.front().id;
    bench.act(Act::Part { amount: Some(fen(2_000)) }).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, approved(fen(2_000))).unwrap();
    bench.cash(5_000).unwrap();
    bench.finish_devices();
    (bench, sale)
}

fn give_back(bench: &mut TestTill, sale: SaleId, returns_seen: u32, wanted: Wanted) -> Answer {
    let archived = Sale::fold(&bench.of_sale(sale));
    let command = bench.command(Act::GiveBack { sale, returns_seen, wanted, reason: "cold".to_owned() });
    bench.post_about(&Event::Act(command), archived.as_ref())
}

#[test]
fn a_total_is_paid_by_wallet_and_cash_and_change_comes_from_cash() {
    let (bench, sale) = paid_in_parts();
    assert!(!bench.till.holds(sale));
    let paid = &bench.view().recent[0];
    assert_eq!(
        (paid.total, paid.change, paid.wallet.as_deref()),
        (fen(5_600), Some(fen(1_400)), Some("alipay"))
    );
}

#[test]
fn what_is_still_to_pay_is_shown_and_a_part_is_at_most_that() {
    let mut bench = to_pay();
    for (part, answer) in [(0, "amount"), (-1, "amount"), (5_601, "amount"), (2_000, "ok"), (5_600, "ok")] {
        assert_eq!(word(&bench.act(Act::Part { amount: Some(fen(part)) })), answer, "{part}");
    }
    assert_eq!(bench.front().part, None, "all of it is no part");
    bench.act(Act::Part { amount: Some(fen(600)) }).unwrap();
    bench.cash(1_000).unwrap();
    let front = bench.front();
    assert_eq!(
        (front.phase, front.paid, front.due, front.part),
        (Phase::Tender, fen(600), Some(fen(5_000)), None)
    );
    assert_eq!(word(&bench.act(Act::Back)), "paid_in_part");
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: "d1".parse().unwrap() })), "paid_in_part");
    bench.act(Act::OpenShift { float: fen(0) }).unwrap();
    assert_eq!(word(&bench.act(Act::CloseShift { counted: fen(0) })), "shift");
}

#[test]
fn giving_up_a_sale_that_is_paid_in_part_gives_each_part_back() {
    let mut bench = to_pay();
    bench.act(Act::Part { amount: Some(fen(2_000)) }).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, approved(fen(2_000))).unwrap();
    bench.act(Act::Part { amount: Some(fen(1_000)) }).unwrap();
    bench.cash(1_000).unwrap();
    let made = bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    assert_eq!(kinds(&made), ["refund_drawn", "cash_returned", "drawer_ordered", "sale_voided"]);
    assert!(bench.owed().contains(&"refund"));
    let refund = bench.last_refund();
    bench.post(&Event::Refund(refund, RefundReport::Refunded)).unwrap();
    assert!(bench.till.sales.is_empty());
}

#[test]
fn money_goes_back_to_whoever_paid_and_never_more_than_was_paid() {
    let (mut bench, sale) = paid_in_parts();
    assert_eq!(word(&give_back(&mut bench, sale, 0, Wanted::Whole)), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    let made = give_back(&mut bench, sale, 0, Wanted::Lines(vec![(LineId(1), 1)])).unwrap();
    assert!(kinds(&made).contains(&"return_drawn") && kinds(&made).contains(&"cash_returned"));
    assert_eq!(word(&give_back(&mut bench, sale, 0, Wanted::Whole)), "sale_moved", "the same press again");
    let [Duty::Refund(duty)] =
        &bench.till.owed().into_iter().filter(|duty| matches!(duty, Duty::Refund(_))).collect::<Vec<_>>()[..]
    else {
        panic!()
    };
    assert_eq!(duty.amount, fen(1_000), "half of what the wallet paid");
    assert_eq!(bench.till.last_receipt(), 1, "no receipt before the wallet has it");
    bench.restart();
    bench.post(&Event::Refund(bench.last_refund(), RefundReport::Pending("at it".to_owned()))).unwrap();
    assert_eq!((bench.till.last_receipt(), bench.view().recent[0].total), (2, fen(-2_800)));
    assert!(bench.owed().contains(&"refund"), "it is asked for until the money is back");
    assert_eq!(word(&give_back(&mut bench, sale, 1, Wanted::Amount(fen(2_801)))), "back");
    give_back(&mut bench, sale, 1, Wanted::Amount(fen(2_800))).unwrap();
    assert_eq!(word(&give_back(&mut bench, sale, 2, Wanted::Whole)), "back");
}

#[test]
fn a_refused_refund_is_tried_again_or_paid_out_in_cash() {
    let (mut bench, sale) = paid_in_parts();
    bench.approver = Some("mei".parse().unwrap());
    give_back(&mut bench, sale, 0, Wanted::Whole).unwrap();
    let refund = bench.last_refund();
    let refused = Event::Refund(refund, RefundReport::Refused("closed".to_owned()));
    bench.post(&refused).unwrap();
    assert_eq!(bench.view().attention[0].refund, Some(refund));
    bench.act(Act::RetryRefund { refund }).unwrap();
    assert!(bench.owed().contains(&"refund"), "under the same number");
    bench.post(&refused).unwrap();
    let end = Act::SettleRefund { refund, end: RefundEnd::Cash, reason: "closed account".to_owned() };
    let made = bench.act(end.clone()).unwrap();
    assert_eq!(
        kinds(&made),
        ["refund_settled", "cash_returned", "drawer_ordered", "receipt_issued", "print_ordered"]
    );
    assert_eq!(word(&bench.act(end)), "not_now");
    assert!(bench.till.sales.is_empty());
}

#[test]
fn money_for_a_sale_that_was_put_away_goes_back_once() {
    let mut bench = to_pay();
    let sale = bench.front().id;
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, declined()).unwrap();
    bench.cash(5_600).unwrap();
    bench.finish_devices();
    assert!(!bench.till.holds(sale));
    assert_eq!(bench.till.past_sale(intent), Some(sale));
    let late = Event::Provider(intent, approved(fen(5_600)));
    let archived = Sale::fold(&bench.of_sale(sale));
    let made = bench.post_about(&late, archived.as_ref()).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "sale_opened", "return_opened", "refund_drawn"]);
    let archived = Sale::fold(&bench.of_sale(sale));
    assert!(bench.post_about(&late, archived.as_ref()).unwrap().is_empty());
    assert_eq!(bench.view().notices[0].code, "late_money");
    bench.restart();
    bench.post(&Event::Refund(bench.last_refund(), RefundReport::Refunded)).unwrap();
    assert!(bench.till.sales.is_empty());
}

#[test]
fn a_payment_that_nobody_learns_of_is_ended_by_a_manager() {
    for finding in [Finding::NotCharged, Finding::GivenBackByHand] {
        let mut bench = to_pay();
        bench.scan(&pay_code(1)).unwrap();
        let intent = bench.last_intent();
        let resolve = |reason: &str| Act::ResolvePayment { intent, finding, reason: reason.to_owned() };
        bench.approver = Some("mei".parse().unwrap());
        assert_eq!(word(&bench.act(resolve("seen"))), "not_now", "the wallet may still answer");
        bench.act(Act::CancelPayment { intent }).unwrap();
        bench.report(intent, ProviderReport::CancelUnsure("no answer".to_owned())).unwrap();
        assert_eq!(bench.payment().safe, SafeAct::CallManager);
        assert_eq!(word(&bench.act(resolve("  "))), "not_now");
        bench.act(resolve("seen at the wallet")).unwrap();
        assert_eq!((bench.front().phase, bench.payment().safe), (Phase::Tender, SafeAct::AnyTender));
        let made = bench.report(intent, approved(fen(5_600))).unwrap();
        let late: &[&str] = if finding == Finding::NotCharged { &["paid_late", "refund_drawn"] } else { &[] };
        assert_eq!(kinds(&made), late);
        bench.approver = None;
    }
}

#[test]
fn word_of_a_payment_that_is_being_taken_back_counts_for_nothing() {
    let mut bench = to_pay();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.act(Act::CancelPayment { intent }).unwrap();
    let ProviderReport::Approved(settled) = approved(fen(5_600)) else { panic!() };
    assert!(bench.report(intent, ProviderReport::Told(settled.clone())).unwrap().is_empty());
    bench.report(intent, ProviderReport::Cancelled("refunded".to_owned())).unwrap();
    let made = bench.report(intent, ProviderReport::Told(settled)).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "refund_drawn"]);
}

#[test]
fn a_parked_sale_comes_back_as_a_note_when_its_payment_ends() {
    let mut bench = to_pay();
    let sale = bench.front().id;
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.act(Act::Hold).unwrap();
    bench.scan(COLA).unwrap();
    bench.report(intent, approved(fen(5_600))).unwrap();
    let note = bench.view().notices[0].clone();
    assert_eq!((note.code, note.sale, note.receipt), ("parked_paid", sale, Some(1)));
    bench.act(Act::SeeNote { sale }).unwrap();
    assert!(bench.view().notices.is_empty());
    assert_eq!(word(&bench.act(Act::SeeNote { sale })), "not_now");
}

#[test]
fn without_a_receipt_nothing_goes_back_beyond_the_shops_limit() {
    let mut bench = TestTill::open();
    let back = || Act::GiveBackWithoutReceipt { amount: fen(900), reason: "broken".to_owned() };
    assert_eq!(word(&bench.act(back())), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.act(back())), "back");
    bench.bundle.content.limits.refund_without_receipt_minor = 900;
    let made = bench.act(back()).unwrap();
    assert!(kinds(&made).ends_with(&["cash_returned", "drawer_ordered", "receipt_issued", "print_ordered"]));
}

#[test]
fn cash_that_comes_while_no_shift_is_open_is_told_to_the_next() {
    let mut bench = to_pay();
    bench.cash(5_600).unwrap();
    assert_eq!(bench.view().between_shifts.unwrap().cash, fen(5_600));
    bench.act(Act::OpenShift { float: fen(5_600) }).unwrap();
    assert_eq!(bench.view().between_shifts, None);
    bench.approver = Some("mei".parse().unwrap());
    let sale = bench.view().recent[0].sale;
    give_back(&mut bench, sale, 0, Wanted::Amount(fen(600))).unwrap();
    let shift = bench.view().shift.unwrap();
    assert_eq!((shift.cash_back, shift.refunds, shift.expected), (fen(600), fen(600), fen(5_000)));
}
