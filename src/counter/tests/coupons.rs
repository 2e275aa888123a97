//! Coupons: taken once, spent once, refused with a reason.

use super::shop::{WITHDRAWN, coupon_of, five_off, forged, signed};
use super::*;
use crate::token::{Coupon, Validity, Worth};
use crate::view::Phase;

#[test]
fn a_coupon_is_spent_with_the_receipt_and_never_again() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.scan(&five_off(1)).unwrap();
    assert_eq!(bench.front().total, fen(2_300));
    let made = bench.cash(2_300).unwrap();
    let redeemed = made.iter().find(|record| record.body.kind() == "coupon_redeemed").unwrap();
    assert_eq!(redeemed.header.serial.as_deref(), Some("C1-002a-0000000000000001"));
    assert_eq!(redeemed.header.amount, Some(fen(500)));
    let Body::CouponRedeemed { campaign, token, .. } = &redeemed.body else { panic!("not redeemed") };
    assert_eq!((*campaign, token), (7, &five_off(1)));
    assert_eq!(word(&bench.scan(&five_off(1))), "coupon");
    bench.restart();
    assert_eq!(word(&bench.scan(&five_off(1))), "coupon");
}

#[test]
fn a_coupon_that_cannot_be_taken_is_refused_with_a_reason() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    let version = bench.front().version;
    let good = || coupon_of(1, 7);
    let validity = |from, until| Validity::covering(shop::NOW_S + from, shop::NOW_S + until).unwrap();
    for (text, refusal, words) in [
        (forged(&good()), "token", "not signed by us"),
        (signed(&Coupon { validity: validity(-9_000, -5_000), ..good() }), "token", "expired"),
        (signed(&Coupon { validity: validity(5_000, 9_000), ..good() }), "token", "not valid yet"),
        (signed(&Coupon { issuer: 43, ..good() }), "coupon", "another shop's"),
        (five_off(WITHDRAWN), "coupon", "withdrawn"),
        (signed(&coupon_of(1, 8)), "coupon", "ended"),
        (signed(&coupon_of(1, 99)), "coupon", "does not know"),
        (signed(&coupon_of(1, 10)), "coupon", "currency"),
        (signed(&Coupon { worth: Worth::AmountOff(fen(5)), ..coupon_of(1, 11) }), "coupon", "currency"),
        (
            signed(&Coupon { worth: Worth::AmountOff(Money::new(5, Currency::JPY)), ..good() }),
            "coupon",
            "currency",
        ),
    ] {
        let answer = bench.scan(&text);
        assert_eq!(word(&answer), refusal, "{words}");
        let said = answer.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(bench.front().version, version, "nothing half done");
}

#[test]
fn a_coupon_is_on_one_open_sale_at_a_time() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.scan(&five_off(1)).unwrap();
    assert_eq!(word(&bench.scan(&five_off(1))), "coupon");
    bench.act(Act::Hold).unwrap();
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.scan(&five_off(1))), "coupon");
    let held = bench.view().held[0].id;
    bench.act(Act::Hold).unwrap();
    bench.act(Act::Recall { sale: held }).unwrap();
    let serial = bench.front().coupons[0].serial.clone();
    bench.act(Act::ReturnCoupon { serial: serial.clone() }).unwrap();
    assert_eq!(word(&bench.act(Act::ReturnCoupon { serial })), "not_now");
    assert_eq!(bench.front().total, fen(2_800));
    bench.scan(&five_off(1)).unwrap();
    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    bench.press("latte").unwrap();
    bench.scan(&five_off(1)).unwrap();
    assert_eq!(bench.front().total, fen(2_300));
}

#[test]
fn a_coupon_below_its_minimum_waits_and_is_not_spent() {
    let mut bench = TestTill::open();
    let coupon = signed(&Coupon { worth: Worth::BasisPointsOff(1_000), ..coupon_of(5, 9) });
    assert_eq!(kinds(&bench.scan(&coupon).unwrap()), ["sale_opened", "coupon_taken"]);
    bench.press("latte").unwrap();
    assert_eq!(bench.front().coupons[0].missing, Some(fen(2_200)));
    let made = bench.cash(2_800).unwrap();
    assert!(!kinds(&made).contains(&"coupon_redeemed"));
    bench.press("latte").unwrap();
    bench.press("latte").unwrap();
    bench.scan(&coupon).unwrap();
    assert_eq!(bench.front().total, fen(5_040));
}

#[test]
fn coupons_follow_offers_and_take_from_what_is_left() {
    let mut bench = TestTill::open();
    bench.press("wine").unwrap();
    bench.scan(&signed(&Coupon { worth: Worth::BasisPointsOff(1_000), ..coupon_of(5, 7) })).unwrap();
    assert_eq!(bench.front().total, fen(8_100));
}

#[test]
fn a_sale_that_coupons_pay_in_full_is_paid_by_pressing_pay() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.scan(&five_off(1)).unwrap();
    let made = bench.act(Act::Pay).unwrap();
    assert_eq!(kinds(&made), ["total_fixed", "coupon_redeemed", "receipt_issued", "print_ordered"]);
    assert!(!bench.has_front());
    assert_eq!(bench.view().recent[0].total, fen(0));
}

#[test]
fn a_coupon_after_pay_needs_back_first() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.scan(&five_off(1))), "total_is_fixed");
    bench.act(Act::Back).unwrap();
    bench.scan(&five_off(1)).unwrap();
    assert_eq!(bench.front().phase, Phase::Basket);
}

#[test]
fn so_many_coupons_fit_and_no_more() {
    let mut bench = TestTill::open();
    bench.press("wine").unwrap();
    for serial in 0..8 {
        bench.scan(&five_off(serial)).unwrap();
    }
    assert_eq!(word(&bench.scan(&five_off(8))), "coupon");
}

#[test]
fn a_bill_that_does_not_fit_into_a_record_is_refused_and_not_written() {
    let mut bench = TestTill::open();
    for _ in 0..crate::sale::LINES_MAX {
        bench.press("wine").unwrap();
    }
    for serial in 0..8 {
        bench.scan(&signed(&Coupon { worth: Worth::AmountOff(fen(2_000)), ..coupon_of(serial, 7) })).unwrap();
    }
    let offer = bench.bundle.content.offers[0].clone();
    bench.bundle.content.offers = vec![offer; 60];
    let answer = bench.act(Act::Pay);
    assert_eq!(word(&answer), "bill_too_long");
    bench.bundle.content.offers.truncate(1);
    bench.act(Act::Pay).unwrap();
    let longest = bench.records.iter().map(|record| record.bytes.len()).max().unwrap();
    assert!(longest <= crate::record::BODY_BYTES_MAX, "{longest} bytes");
}
