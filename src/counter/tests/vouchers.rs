//! Value vouchers as a tender: verified here, spent once, and never changed into cash.

use super::*;
use crate::record::giving_back::Means;
use crate::sale::back::Wanted;
use crate::token::{Validity, Voucher};
use crate::view::Phase;
use shop::{VOUCHERS, issued, voucher, voucher_of};

/// A latte for 28.00, and Pay pressed.
fn to_pay() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench
}

fn says(answer: &Answer, words: &str) {
    let refusal = answer.as_ref().unwrap_err();
    assert_eq!(refusal.code(), "voucher");
    assert!(refusal.to_string().contains(words), "{refusal}");
}

#[test]
fn a_voucher_pays_a_part_and_other_money_the_rest() {
    let mut bench = to_pay();
    assert_eq!(kinds(&bench.scan(&voucher(1, 2_000)).unwrap()), ["voucher_taken"]);
    let front = bench.front();
    assert_eq!((front.due, front.phase), (Some(fen(800)), Phase::Tender));
    assert_eq!(front.tenders.iter().map(|tender| tender.means).collect::<Vec<_>>(), ["voucher"]);
    let made = bench.cash(1_000).unwrap();
    assert_eq!(
        kinds(&made),
        ["cash_taken", "voucher_redeemed", "receipt_issued", "print_ordered", "drawer_ordered"]
    );
    let redeemed = &made[1].header;
    assert_eq!(
        (redeemed.serial.as_deref(), redeemed.amount),
        (Some("G1-002a-0000000000000001"), Some(fen(2_000)))
    );
}

#[test]
fn a_voucher_worth_more_than_is_due_gives_no_change_and_is_spent() {
    let mut bench = to_pay();
    let made = bench.scan(&voucher(1, 5_000)).unwrap();
    assert_eq!(kinds(&made), ["voucher_taken", "voucher_redeemed", "receipt_issued", "print_ordered"]);
    let Body::VoucherRedeemed { value, .. } = &made[1].body else { panic!() };
    assert_eq!((made[1].header.amount, *value), (Some(fen(2_800)), fen(5_000)));
    assert_eq!(bench.view().recent[0].change, None);
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    says(&bench.scan(&voucher(1, 5_000)), "used here already");
}

#[test]
fn a_voucher_pays_at_most_the_part_that_was_chosen() {
    let mut bench = to_pay();
    bench.act(Act::Part { amount: Some(fen(500)) }).unwrap();
    bench.scan(&voucher(1, 2_000)).unwrap();
    assert_eq!(bench.front().due, Some(fen(2_300)));
    bench.scan(&voucher(2, 2_300)).unwrap();
    assert_eq!(bench.count("voucher_redeemed"), 2);
}

#[test]
fn vouchers_that_do_not_hold_pay_nothing() {
    let mut bench = to_pay();
    let day = Validity::covering(shop::NOW_S - 9_000, shop::NOW_S - 4_000).unwrap();
    let over = Voucher { validity: day, ..voucher_of(3, 2_000) };
    assert_eq!(word(&bench.scan(&issued(&over, VOUCHERS, VOUCHERS))), "token");
    assert_eq!(word(&bench.scan(&issued(&voucher_of(3, 2_000), VOUCHERS, 9))), "token", "forged");
    assert_eq!(word(&bench.scan(&issued(&voucher_of(3, 2_000), 1, 1))), "token", "a key for coupons");
    let elsewhere = Voucher { issuer: 43, ..voucher_of(3, 2_000) };
    says(&bench.scan(&issued(&elsewhere, VOUCHERS, VOUCHERS)), "another shop");
    let yen = Voucher { value: Money::new(2_000, Currency::JPY), ..voucher_of(3, 1) };
    says(&bench.scan(&issued(&yen, VOUCHERS, VOUCHERS)), "another currency");
    says(&bench.scan(&voucher(shop::WITHDRAWN, 2_000)), "withdrawn");
    bench.scan(&voucher(1, 500)).unwrap();
    says(&bench.scan(&voucher(1, 500)), "on an open sale");
    bench.act(Act::Hold).unwrap();
    bench.press("latte").unwrap();
    says(&bench.scan(&voucher(2, 500)), "Press Pay first");
    bench.act(Act::Pay).unwrap();
    says(&bench.scan(&voucher(1, 500)), "on an open sale");
    assert_eq!(bench.count("voucher_taken"), 1);
}

#[test]
fn a_sale_that_is_given_up_lets_its_voucher_go() {
    let mut bench = to_pay();
    bench.scan(&voucher(1, 2_000)).unwrap();
    assert_eq!(word(&bench.act(Act::Back)), "paid_in_part");
    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    assert_eq!((bench.count("voucher_redeemed"), bench.count("refund_drawn")), (0, 0));
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&voucher(1, 2_800)).unwrap();
    assert_eq!(bench.count("voucher_redeemed"), 1, "it was never spent");
}

#[test]
fn a_voucher_stays_on_its_sale_across_a_restart_and_the_shift_counts_it() {
    let mut bench = TestTill::open();
    bench.act(Act::OpenShift { float: fen(1_000) }).unwrap();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&voucher(1, 2_000)).unwrap();
    bench.restart();
    bench.cash(800).unwrap();
    let shift = bench.view().shift.unwrap();
    assert_eq!((shift.vouchers, shift.cash, shift.total), (fen(2_000), fen(800), fen(2_800)));
    assert_eq!(shift.expected, fen(1_800), "no voucher lies in the drawer");
}

#[test]
fn what_a_voucher_paid_does_not_come_back_as_cash() {
    let mut bench = to_pay();
    bench.scan(&voucher(1, 2_000)).unwrap();
    bench.cash(800).unwrap();
    bench.finish_devices();
    let sale = bench.view().recent[0].sale;
    let archived = Sale::fold(&bench.of_sale(sale)).unwrap();
    bench.approver = Some("mei".parse().unwrap());
    let wanted = Wanted::Whole;
    let back = Act::GiveBack { sale, returns_seen: 0, wanted, reason: "cold".to_owned() };
    let command = bench.command(back);
    let made = bench.post_about(&Event::Act(command), Some(&archived)).unwrap();
    let shares = made.iter().find_map(|record| match &record.body {
        Body::ReturnOpened { shares, .. } => Some(shares.clone()),
        _ => None,
    });
    let shares = shares.unwrap();
    let serial = "G1-002a-0000000000000001".to_owned();
    assert_eq!(shares[0].means, Means::Voucher { serial });
    assert_eq!((shares[0].amount, shares[1].amount), (fen(2_000), fen(800)));
    let cash: i64 = made
        .iter()
        .filter_map(|record| match &record.body {
            Body::CashReturned { amount, .. } => Some(amount.minor),
            _ => None,
        })
        .sum();
    assert_eq!((cash, bench.count("refund_drawn")), (800, 0));
}
