//! Books that the till began by itself: cash only, until a manager adopts them.

use super::{COLA, TestTill, add_staff, first_manager, pay_code, word};
use crate::counter::Before;
use crate::counter::event::{Act, Event};
use crate::record::Hash;
use crate::record::body::{Body, Parent};
use crate::record::epochs::{Found, Left, Standing};
use crate::record::header::Epoch;
use crate::record::lease::Lease;
use crate::record::money_moves::ProviderName;
use crate::staff::Role;

fn before() -> Before {
    Before {
        parent: Some(Parent { epoch: Epoch(0xE8), seq: 41, head: Hash([7; 32]) }),
        found: Found {
            why: Left::Damaged,
            words: "file is not a database".to_owned(),
            aside: "aside/0001".to_owned(),
            received: Some(38),
        },
    }
}

/// The cashier Bo at the counter, and the manager Mei somewhere.
fn provisional() -> TestTill {
    let mut bench = TestTill::begun(Some(before()));
    bench.act(first_manager("mei")).unwrap();
    bench.staff = Some("mei".parse().unwrap());
    bench.act(Act::SignIn).unwrap();
    bench.act(add_staff("bo", Role::Cashier)).unwrap();
    bench.staff = Some("bo".parse().unwrap());
    bench.act(Act::SignIn).unwrap();
    bench
}

#[test]
fn books_that_follow_lost_ones_say_so_and_begin_their_receipts_anew() {
    let mut bench = provisional();
    assert_eq!(bench.view().standing, Standing::Provisional);
    let Body::Genesis { parent, found, .. } = &bench.records[0].body else { panic!("a genesis") };
    assert_eq!((parent, found.as_ref()), (&before().parent, Some(&before().found)));
    bench.scan(COLA).unwrap();
    bench.cash(1_000).unwrap();
    assert_eq!(bench.till.last_receipt(), 1);
}

#[test]
fn only_cash_is_taken_until_a_manager_adopts_the_new_books() {
    let mut bench = provisional();
    bench.wallets.insert(ProviderName::House);
    bench.scan(COLA).unwrap();
    bench.act(Act::Pay).unwrap();
    let coupon = super::shop::five_off(1);
    let member = crate::token::member_code(crate::token::MemberRef([7; 10]), b"secret", super::shop::NOW_S);
    for (way, answer) in [
        ("a pay code", bench.scan(&pay_code(1))),
        ("a code to scan", bench.act(Act::ShowCode { at: None })),
        ("stored value", bench.scan(&member)),
    ] {
        assert_eq!(word(&answer), "cash_only", "{way}");
    }
    bench.act(Act::Back).unwrap();
    assert_eq!(word(&bench.scan(&coupon)), "cash_only");
    assert_eq!(word(&bench.act(Act::AdoptEpoch { reason: "new disk".to_owned() })), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.act(Act::AdoptEpoch { reason: " ".to_owned() })), "not_now", "a reason is needed");
    let made = bench.act(Act::AdoptEpoch { reason: "new disk".to_owned() }).unwrap();
    assert_eq!(made[0].header.approver, Some("mei".parse().unwrap()));
    assert_eq!(bench.view().standing, Standing::Regular);
    assert_eq!(word(&bench.act(Act::AdoptEpoch { reason: "again".to_owned() })), "not_now");
    bench.approver = None;
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(2)).unwrap();
    assert_eq!(bench.count("intent_drawn"), 1);
}

#[test]
fn a_voucher_waits_too_and_does_not_keep_the_cash_out() {
    let mut bench = provisional();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.scan(&super::shop::voucher(1, 2_000))), "cash_only");
    assert_eq!(bench.count("voucher_taken"), 0);
    bench.cash(2_800).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn adopting_takes_a_managers_pin_whoever_is_signed_in() {
    let mut bench = provisional();
    bench.staff = Some("mei".parse().unwrap());
    bench.act(Act::SignIn).unwrap();
    let adopt = || Act::AdoptEpoch { reason: "new disk".to_owned() };
    assert_eq!(word(&bench.act(adopt())), "needs_manager", "to stand at the till is not enough");
    bench.approver = Some("bo".parse().unwrap());
    assert_eq!(word(&bench.act(adopt())), "needs_manager", "nor is a cashier's PIN");
    bench.approver = Some("mei".parse().unwrap());
    bench.act(adopt()).unwrap();
    assert_eq!(bench.view().standing, Standing::Regular);
}

#[test]
fn a_phone_at_a_desk_is_told_as_well() {
    let mut bench = provisional();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    bench.act(Act::PutOnDesk { desk: "d1".parse().unwrap() }).unwrap();
    let bill_version = bench.till.sales[&sale].version;
    let asked = Event::OrderRequested { sale, bill_version, provider: ProviderName::Alipay };
    assert_eq!(word(&bench.post(&asked)), "cash_only");
}

#[test]
fn books_that_follow_none_take_everything() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
    assert_eq!(bench.view().standing, Standing::Regular);
}

#[test]
fn no_share_of_a_quota_is_taken_in_until_a_manager_adopts_the_new_books() {
    let mut bench = provisional();
    let lease = Lease {
        terminal: bench.till.terminal().clone(),
        epoch: bench.till.epoch(),
        campaign: 7,
        number: 1,
        uses: 5,
        until_s: u64::MAX,
    };
    assert!(bench.post(&Event::LeaseGranted(lease.clone())).unwrap().is_empty());
    bench.approver = Some("mei".parse().unwrap());
    bench.act(Act::AdoptEpoch { reason: "new disk".to_owned() }).unwrap();
    assert_eq!(super::kinds(&bench.post(&Event::LeaseGranted(lease)).unwrap()), ["lease_received"]);
}

#[test]
fn a_code_that_may_be_in_the_lost_books_is_taken_on_line_only_and_a_newer_one_off_line_as_well() {
    let mut bench = provisional();
    bench.approver = Some("mei".parse().unwrap());
    bench.act(Act::AdoptEpoch { reason: "new disk".to_owned() }).unwrap();
    bench.approver = None;
    bench.wait_ms(7_200_000);
    let silent = crate::counter::Contact { silent_ms: Some(7_200_000), received: 0, timed: None };
    bench.contact = silent;
    bench.restart();
    bench.press("latte").unwrap();
    let refusal = bench.scan(&super::shop::five_off(1)).unwrap_err();
    assert_eq!(refusal.code(), "books_lost");
    assert!(refusal.to_string().contains("Sell without it"), "{refusal}");
    assert!(crate::locales::told("books_lost", "", crate::locales::Lang::ZhHans).contains("总部"));
    let newer =
        crate::token::Validity::covering(super::shop::NOW_S + 3_600, super::shop::NOW_S + 86_400).unwrap();
    let coupon = crate::token::Coupon { validity: newer, ..super::shop::coupon_of(2, 7) };
    bench.scan(&super::shop::signed(&coupon)).unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.scan(&super::shop::voucher(1, 500))), "books_lost");
    bench.contact = super::ONLINE;
    bench.scan(&super::shop::voucher(1, 500)).unwrap();
    assert_eq!(bench.count("voucher_taken"), 1);
}
