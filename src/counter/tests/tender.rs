//! Pay, Back, cash and drawer: how a total is fixed and paid at the counter.

use super::*;
use crate::view::Phase;

/// A latte at 28.00, its total fixed.
fn latte_to_pay() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench
}

#[test]
fn pay_fixes_the_basket_and_back_opens_it() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(Act::Pay)), "no_sale");
    assert_eq!(word(&bench.act(Act::Back)), "no_sale");
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.act(Act::Back)), "not_now");
    bench.act(Act::Pay).unwrap();
    assert_eq!(bench.front().phase, Phase::Tender);
    assert_eq!(word(&bench.act(Act::Pay)), "total_is_fixed");
    assert_eq!(word(&bench.scan(COLA)), "total_is_fixed");
    assert_eq!(word(&bench.press("latte")), "total_is_fixed");
    let line = crate::record::line::LineId(1);
    assert_eq!(word(&bench.act(Act::SetQuantity { line, value: 2 })), "total_is_fixed");
    bench.act(Act::Back).unwrap();
    bench.scan(COLA).unwrap();
    assert_eq!(bench.front().total, fen(3_150));
}

#[test]
fn a_pay_code_in_the_basket_asks_for_pay_first() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.scan(&pay_code(1))), "no_sale");
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.scan(&pay_code(1))), "press_pay_first");
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    assert_eq!(bench.front().phase, Phase::Paying);
}

#[test]
fn codes_of_wallets_that_are_not_set_up_are_refused() {
    let mut bench = latte_to_pay();
    assert_eq!(word(&bench.scan("134567890123456789")), "scan");
    assert_eq!(word(&bench.scan("6212345678901234567")), "scan");
    assert_eq!(bench.front().phase, Phase::Tender);
}

#[test]
fn exact_cash_pays_prints_and_opens_the_drawer() {
    let mut bench = latte_to_pay();
    let sale = bench.front().id;
    let made = bench.cash(2_800).unwrap();
    assert_eq!(kinds(&made), ["cash_taken", "receipt_issued", "print_ordered", "drawer_ordered"]);
    assert_eq!(bench.owed(), ["print", "kick"]);
    assert!(!bench.till.holds(sale), "nothing is owed on it");
    let view = bench.view();
    let paid = view.stations[&bench.station].paid.as_ref().unwrap();
    assert_eq!((paid.receipt, paid.change, paid.wallet.as_deref()), (1, Some(fen(0)), None));
    bench.scan(COLA).unwrap();
    assert!(bench.view().stations[&bench.station].paid.is_none(), "the next sale has begun");
}

#[test]
fn cash_is_counted_and_slips_of_the_finger_are_refused() {
    for (received, refusal) in [
        (0, "not_enough"),
        (2_799, "not_enough"),
        (-1, "amount"),
        (i64::MIN, "amount"),
        (100_001, "too_much"),
        (i64::MAX, "too_much"),
        (2_801, "ok"),
        (100_000, "ok"),
    ] {
        let mut bench = latte_to_pay();
        let answer = bench.cash(received);
        assert_eq!(word(&answer), refusal, "{received}");
        if refusal == "ok" {
            assert_eq!(bench.view().recent[0].change, Some(fen(received - 2_800)));
        }
    }
    let mut bench = latte_to_pay();
    let yen = Act::Cash { received: Money::new(2_800, Currency::JPY) };
    assert_eq!(word(&bench.act(yen)), "amount");
    let missing = bench.cash(2_000).unwrap_err().to_string();
    assert_eq!(missing, "CNY 8.00 are missing.");
}

#[test]
fn cash_may_follow_straight_on_the_basket() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.cash(100)), "no_sale");
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.cash(100)), "not_enough");
    assert_eq!(bench.front().phase, Phase::Basket, "refused cash fixes nothing");
    let made = bench.cash(3_000).unwrap();
    assert_eq!(kinds(&made)[..2], ["total_fixed", "cash_taken"]);
}

#[test]
fn cash_for_what_costs_nothing_is_not_taken() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.scan(&shop::five_off(1)).unwrap();
    assert_eq!(word(&bench.cash(1_000)), "nothing_to_pay");
    bench.act(Act::Pay).unwrap();
    assert_eq!(bench.till.last_receipt(), 1);
}

#[test]
fn the_drawer_opens_without_a_sale_for_a_manager_with_a_reason() {
    let mut bench = TestTill::open();
    let open = |reason: &str| Act::NoSale { reason: reason.to_owned() };
    assert_eq!(word(&bench.act(open("change"))), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.act(open("  "))), "not_now");
    assert_eq!(kinds(&bench.act(open("change")).unwrap()), ["sale_opened", "drawer_ordered", "sale_voided"]);
    assert_eq!(bench.owed(), ["kick"]);
    assert!(bench.view().held.is_empty() && !bench.has_front());
    bench.finish_devices();
    assert!(bench.owed().is_empty());
}

#[test]
fn a_fixed_sale_is_held_with_its_total_and_given_up() {
    let mut bench = latte_to_pay();
    let sale = bench.front().id;
    bench.act(Act::Hold).unwrap();
    bench.act(Act::Recall { sale }).unwrap();
    assert_eq!(bench.front().phase, Phase::Tender);
    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    assert!(!bench.till.holds(sale));
}

#[test]
fn two_receipts_never_share_a_number() {
    let mut bench = TestTill::open();
    for number in 1..=25 {
        bench.scan(COLA).unwrap();
        bench.cash(350).unwrap();
        assert_eq!(bench.view().recent[0].receipt, number);
        if number % 5 == 0 {
            bench.restart();
        }
    }
    assert_eq!(bench.view().recent.len(), 20);
}
