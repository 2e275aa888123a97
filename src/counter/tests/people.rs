//! Who works here: the first manager, signing in, approvals, shifts, verdicts.

use super::*;
use crate::record::money_moves::{Ruling, Verdict};

#[test]
fn the_first_person_is_a_manager_and_there_is_one_first() {
    let mut bench = TestTill::bare();
    assert!(bench.view().staff.is_empty());
    bench.act(first_manager("mei")).unwrap();
    assert_eq!(bench.view().staff[0].role, Role::Manager);
    assert_eq!(word(&bench.act(first_manager("eve"))), "not_the_first");
    assert_eq!(bench.view().staff.len(), 1);
}

#[test]
fn a_person_without_a_name_is_nobody() {
    let mut bench = TestTill::bare();
    let nameless = Act::FirstManager { staff: "mei".parse().unwrap(), name: " \n".to_owned(), pin: pin() };
    assert_eq!(word(&bench.act(nameless)), "staff");
}

#[test]
fn nobody_sells_before_signing_in() {
    let mut bench = TestTill::bare();
    bench.act(first_manager("mei")).unwrap();
    assert_eq!(word(&bench.scan(COLA)), "sign_in_first");
    assert_eq!(word(&bench.press("latte")), "sign_in_first");
    bench.staff = Some("stranger".parse().unwrap());
    assert_eq!(word(&bench.act(Act::SignIn)), "sign_in_first");
    bench.staff = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.press("latte")), "sign_in_first");
    bench.act(Act::SignIn).unwrap();
    assert!(bench.act(Act::SignIn).unwrap().is_empty(), "signing in twice changes nothing");
    bench.scan(COLA).unwrap();
    bench.act(Act::SignOut).unwrap();
    assert_eq!(word(&bench.scan(COLA)), "sign_in_first");
}

#[test]
fn a_page_that_someone_else_signed_over_acts_no_more() {
    let mut bench = TestTill::open();
    bench.staff = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.press("latte")), "sign_in_first");
}

#[test]
fn only_a_manager_adds_people_and_names_are_unique() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(add_staff("li", Role::Cashier))), "needs_manager");
    bench.approver = Some("bo".parse().unwrap());
    assert_eq!(word(&bench.act(add_staff("li", Role::Cashier))), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    bench.act(add_staff("li", Role::Cashier)).unwrap();
    assert_eq!(word(&bench.act(add_staff("li", Role::Manager))), "staff");
}

#[test]
fn an_act_on_a_sale_that_has_changed_since_is_refused() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front();
    let mut pay = bench.command(Act::Pay);
    pay.seen = Some((sale.id, sale.version));
    bench.scan(COLA).unwrap();
    assert_eq!(word(&bench.post(&Event::Act(pay.clone()))), "sale_moved");
    pay.seen = Some((sale.id, bench.front().version));
    bench.post(&Event::Act(pay)).unwrap();
}

#[test]
fn a_shift_sums_what_was_sold_in_it() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(Act::CloseShift { counted: fen(0) })), "shift");
    assert_eq!(word(&bench.act(Act::OpenShift { float: fen(-1) })), "amount");
    bench.act(Act::OpenShift { float: fen(20_000) }).unwrap();
    assert_eq!(word(&bench.act(Act::OpenShift { float: fen(0) })), "shift");
    bench.scan(COLA).unwrap();
    bench.cash(500).unwrap();
    bench.press("wine").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, approved(fen(9_000))).unwrap();
    let shift = bench.view().shift.unwrap();
    assert_eq!((shift.number, shift.sales), (1, 2));
    assert_eq!((shift.total, shift.cash, shift.wallets), (fen(9_350), fen(350), fen(9_000)));
    assert_eq!((shift.discounts, shift.expected), (fen(1_000), fen(20_350)));
    // 13/113 of 3.50 and of 90.00, each rounded once.
    assert_eq!(shift.tax, fen(40 + 1_035));
    let closed = bench.act(Act::CloseShift { counted: fen(20_300) }).unwrap();
    let Body::ShiftClosed { shift, counted, expected, .. } = &closed[0].body else { panic!("not closed") };
    assert_eq!((*shift, *counted, *expected), (1, fen(20_300), fen(20_350)));
    bench.act(Act::OpenShift { float: fen(0) }).unwrap();
    assert_eq!(bench.view().shift.unwrap().number, 2);
}

fn verdict(number: u64, ruling: Ruling, code: &str) -> Event {
    Event::Ruled(Verdict {
        number,
        epoch: Epoch(0xE9),
        seq: 4,
        sale: None,
        ruling,
        code: code.to_owned(),
        words: "The coupon was used at till 3, 10:42.".to_owned(),
    })
}

#[test]
fn a_verdict_is_noted_once_and_waits_for_the_manager() {
    let mut bench = TestTill::open();
    let refused = verdict(5, Ruling::Refused, "coupon_already_used");
    assert_eq!(kinds(&bench.post(&refused).unwrap()), ["noted"]);
    assert!(bench.post(&refused).unwrap().is_empty());
    assert!(bench.post(&verdict(4, Ruling::Refused, "late")).unwrap().is_empty());
    assert!(bench.post(&verdict(6, Ruling::Accepted, "")).unwrap().is_empty());
    let codes = |bench: &TestTill| bench.view().attention.iter().map(|asks| asks.code).collect::<Vec<_>>();
    assert_eq!(codes(&bench), ["verdict_refused"]);
    // Head office has changed its mind about the same record.
    assert_eq!(kinds(&bench.post(&verdict(7, Ruling::Accepted, "coupon_redeemed")).unwrap()), ["noted"]);
    assert_eq!(codes(&bench), [""; 0]);
}
