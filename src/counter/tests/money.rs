//! Intents at the counter: every ending that a payment can have.

use super::*;
use crate::view::Phase;

/// A latte for 28.00, its payment drawn.
fn paying() -> (TestTill, IntentId) {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    (bench, intent)
}

fn unsure() -> ProviderReport {
    ProviderReport::Unsure("no answer".to_owned())
}

fn cancelled() -> ProviderReport {
    ProviderReport::Cancelled("close".to_owned())
}

fn cancel_unsure() -> ProviderReport {
    ProviderReport::CancelUnsure("no answer".to_owned())
}

#[test]
fn an_intent_is_durable_before_it_is_owed_and_hides_its_code() {
    let (bench, intent) = paying();
    let [Duty::Submit(duty)] = &bench.till.owed()[..] else { panic!("not submitted") };
    assert_eq!((duty.intent, duty.amount), (intent, fen(2_800)));
    let written = String::from_utf8(bench.records.last().unwrap().bytes.clone()).unwrap();
    assert!(!written.contains(&pay_code(1)));
}

#[test]
fn an_approved_payment_pays_the_sale_once() {
    let (mut bench, intent) = paying();
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
    assert_eq!(bench.view().recent[0].wallet.as_deref(), Some("alipay"));
    assert!(bench.report(intent, approved(fen(2_800))).unwrap().is_empty());
    assert!(bench.report(intent, declined()).unwrap().is_empty());
    assert_eq!(bench.owed(), ["print"]);
}

#[test]
fn while_a_payment_is_under_way_nothing_else_is_taken() {
    let (mut bench, _) = paying();
    for answer in [
        bench.cash(2_800),
        bench.scan(&pay_code(2)),
        bench.scan(&pay_code(1)),
        bench.scan(COLA),
        bench.act(Act::Pay),
        bench.act(Act::Back),
        bench.act(Act::VoidSale { reason: "left".to_owned() }),
        bench.act(Act::PutOnDesk { desk: "d1".parse().unwrap() }),
        bench.scan(&shop::five_off(1)),
    ] {
        assert_eq!(word(&answer), "payment_under_way");
    }
}

#[test]
fn a_payment_goes_on_while_its_sale_is_put_aside() {
    let (mut bench, intent) = paying();
    bench.act(Act::Hold).unwrap();
    bench.scan(COLA).unwrap();
    bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(bench.front().total, fen(350));
    assert_eq!(bench.view().recent[0].total, fen(2_800));
}

#[test]
fn a_declined_payment_waits_for_a_new_code_and_refuses_the_old() {
    let (mut bench, first) = paying();
    bench.report(first, declined()).unwrap();
    assert_eq!((bench.front().phase, bench.payment().state), (Phase::Tender, "declined"));
    assert_eq!(word(&bench.scan(&pay_code(1))), "code_used");
    bench.scan(&pay_code(2)).unwrap();
    let second = bench.last_intent();
    assert_ne!(first, second);
    bench.report(second, approved(fen(2_800))).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn the_same_code_is_known_again_after_a_restart_and_on_another_sale() {
    let (mut bench, first) = paying();
    bench.report(first, declined()).unwrap();
    bench.restart();
    bench.act(Act::Hold).unwrap();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.scan(&pay_code(1))), "code_used");
}

#[test]
fn pending_and_unsure_are_asked_for_until_the_answer_comes() {
    let (mut bench, intent) = paying();
    for (report, state) in
        [(ProviderReport::Pending, "pending"), (unsure(), "unsure"), (ProviderReport::Pending, "pending")]
    {
        assert_eq!(bench.report(intent, report.clone()).unwrap().len(), 1);
        assert!(bench.report(intent, report).unwrap().is_empty(), "the same again is no news");
        assert_eq!((bench.payment().state, bench.owed()), (state, vec!["ask"]));
    }
    bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(bench.till.last_receipt(), 1);
}

#[test]
fn after_a_restart_a_drawn_intent_is_asked_for_and_never_sent_again() {
    let (mut bench, _) = paying();
    let made = bench.restart();
    assert_eq!(kinds(&made), ["booted", "unsure"]);
    assert_eq!(bench.owed(), ["ask"]);
    assert_eq!(kinds(&bench.restart()), ["booted"]);
}

#[test]
fn a_payment_whose_time_is_up_is_taken_back() {
    let (mut bench, intent) = paying();
    bench.report(intent, unsure()).unwrap();
    bench.wait_ms(59_999);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty());
    bench.wait_ms(1);
    let made = bench.post(&Event::DeadlinePassed).unwrap();
    assert_eq!(kinds(&made), ["cancelling"]);
    assert_eq!(made[0].header.staff, None, "nobody did it");
    assert_eq!((bench.owed(), bench.till.next_deadline()), (vec!["cancel"], None));
}

#[test]
fn a_cancelled_payment_is_watched_and_tombstoned() {
    let (mut bench, intent) = paying();
    bench.act(Act::CancelPayment { intent }).unwrap();
    assert_eq!(word(&bench.act(Act::CancelPayment { intent })), "not_now");
    assert_eq!(word(&bench.cash(2_800)), "payment_under_way");
    bench.report(intent, cancel_unsure()).unwrap();
    assert!(bench.report(intent, cancel_unsure()).unwrap().is_empty());
    let codes: Vec<&str> = bench.view().attention.iter().map(|asks| asks.code).collect();
    assert_eq!((bench.owed(), codes), (vec!["cancel"], vec!["payment_unsure"]));
    bench.restart();
    assert_eq!(bench.owed(), ["cancel"]);
    bench.report(intent, cancelled()).unwrap();
    assert_eq!((bench.owed(), bench.front().phase), (vec!["watch"], Phase::Tender));
    let sale = bench.front().id;
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    assert!(bench.till.holds(sale), "it is still watched");
    bench.report(intent, ProviderReport::NothingLate).unwrap();
    assert!(bench.owed().is_empty() && !bench.till.holds(sale));
}

#[test]
fn a_payment_approved_while_it_was_taken_back_pays_the_sale() {
    for report in [None, Some(cancel_unsure())] {
        let (mut bench, intent) = paying();
        bench.act(Act::CancelPayment { intent }).unwrap();
        if let Some(report) = report {
            bench.report(intent, report).unwrap();
        }
        let made = bench.report(intent, approved(fen(2_800))).unwrap();
        assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
        assert!(bench.report(intent, cancelled()).unwrap().is_empty());
    }
}

#[test]
fn a_payment_declined_while_it_was_taken_back_is_over() {
    let (mut bench, intent) = paying();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.report(intent, declined()).unwrap();
    assert!(bench.owed().is_empty());
    bench.cash(2_800).unwrap();
}

#[test]
fn money_that_comes_late_goes_back_by_itself() {
    let (mut bench, intent) = paying();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.report(intent, cancelled()).unwrap();
    let sale = bench.front().id;
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "refund_drawn"]);
    assert!(bench.report(intent, approved(fen(2_800))).unwrap().is_empty());
    assert!(bench.report(intent, ProviderReport::NothingLate).unwrap().is_empty());
    let [Duty::Refund(duty)] = &bench.till.owed()[..] else { panic!("no refund") };
    assert_eq!((duty.amount, duty.captured_by), (fen(2_800), super::super::duty::CapturedBy::Till));
    bench.restart();
    assert_eq!(bench.owed(), ["refund"]);
    let refund = bench.last_refund();
    bench.post(&Event::Refund(refund, super::super::event::RefundReport::Refunded)).unwrap();
    assert!(bench.owed().is_empty() && !bench.till.holds(sale));
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn a_sale_paid_in_cash_after_late_money_says_cash() {
    let (mut bench, intent) = paying();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.report(intent, cancelled()).unwrap();
    bench.report(intent, approved(fen(2_800))).unwrap();
    bench.cash(2_800).unwrap();
    let paid = &bench.view().recent[0];
    assert_eq!((paid.wallet.as_deref(), paid.change), (None, Some(fen(0))));
}

#[test]
fn a_refused_refund_waits_for_a_person() {
    use super::super::event::RefundReport;
    let (mut bench, intent) = paying();
    bench.report(intent, declined()).unwrap();
    bench.report(intent, approved(fen(2_800))).unwrap();
    let (refund, sale) = (bench.last_refund(), bench.front().id);
    let refused = || Event::Refund(refund, RefundReport::Refused("account closed".to_owned()));
    assert_eq!(bench.post(&refused()).unwrap().len(), 1);
    assert!(bench.post(&refused()).unwrap().is_empty());
    assert!(bench.owed().is_empty());
    assert_eq!(bench.view().attention[0].code, "refund_refused");
    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    assert!(bench.till.holds(sale));
    bench.post(&Event::Refund(refund, RefundReport::Refunded)).unwrap();
    assert!(bench.post(&refused()).unwrap().is_empty());
    assert!(!bench.till.holds(sale));
}

#[test]
fn a_report_on_a_payment_that_nobody_knows_changes_nothing() {
    let mut bench = TestTill::open();
    let stranger = IntentId([9; 16]);
    assert!(bench.report(stranger, approved(fen(1))).unwrap().is_empty());
    assert_eq!(word(&bench.act(Act::CancelPayment { intent: stranger })), "not_now");
}

#[test]
fn a_deadline_of_another_boot_comes_before_any_of_this_one() {
    let (mut bench, first) = paying();
    bench.moment.monotonic_ms += 30_000;
    bench.act(Act::Hold).unwrap();
    // The machine starts anew: its clock begins at zero, and what was drawn before is due at once.
    bench.moment.boot = crate::record::moment::BootId([1; 16]);
    bench.moment.monotonic_ms = 100;
    bench.restart();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(2)).unwrap();
    assert!(bench.moment.is_past(bench.till.next_deadline().unwrap()));
    bench.post(&Event::DeadlinePassed).unwrap();
    assert!(!bench.moment.is_past(bench.till.next_deadline().unwrap()));
    assert_eq!(bench.view().held[0].payments[0].state, "cancelling");
    bench.report(first, cancelled()).unwrap();
}
