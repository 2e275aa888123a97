//! The same code twice in a moment: one scan or two, as the sale stands.

use super::*;
use crate::view::Phase;

#[test]
fn two_bottles_are_two_and_one_pay_code_held_too_long_is_one() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.scan_again(COLA, 300).unwrap();
    assert_eq!(bench.front().total, fen(700));

    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    assert_eq!(bench.front().phase, Phase::Paying);
    assert_eq!(bench.scan_again(&pay_code(1), 300).unwrap(), []);
    assert_eq!(word(&bench.scan(&pay_code(1))), "payment_under_way", "later it is told");
}

#[test]
fn a_pay_code_that_comes_again_after_its_sale_says_nothing() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.scan(&pay_code(1))), "no_sale");
    assert_eq!(bench.scan_again(&pay_code(1), 100).unwrap(), []);
}

#[test]
fn an_item_read_twice_after_pay_is_refused_once() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.scan(COLA)), "total_is_fixed");
    assert_eq!(bench.scan_again(COLA, 100).unwrap(), []);
}
