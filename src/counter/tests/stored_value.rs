//! Stored value: the member's code pays once Pay was pressed, and what it pays goes back to it.

use super::*;
use crate::record::money_moves::Advice;
use crate::sale::back::Wanted;
use crate::token::{MemberRef, member_code};
use crate::view::{Phase, SafeAct};

fn code(at_s: i64) -> String {
    member_code(MemberRef([7; 10]), b"secret", at_s)
}

/// A latte for 28.00 at a till whose cloud keeps stored value.
fn basket() -> TestTill {
    let mut bench = TestTill::open();
    bench.wallets.insert(ProviderName::House);
    bench.press("latte").unwrap();
    bench
}

fn too_little(minor: i64) -> ProviderReport {
    ProviderReport::Declined {
        code: "HOUSE.TOO_LITTLE".to_owned(),
        words: "There is too little on the member's account.".to_owned(),
        advice: Advice::OtherMeans,
        left: Some(fen(minor)),
    }
}

#[test]
fn a_members_code_says_who_in_a_basket_and_pays_after_pay() {
    let mut bench = basket();
    assert_eq!(kinds(&bench.scan(&code(shop::NOW_S)).unwrap()), ["member_recognised"]);
    bench.act(Act::Pay).unwrap();
    let made = bench.scan(&code(shop::NOW_S + 30)).unwrap();
    let Body::IntentDrawn { provider, amount, .. } = &made[0].body else { panic!() };
    assert_eq!((*provider, *amount), (ProviderName::House, fen(2_800)));
    assert_eq!(bench.owed(), ["submit"]);
    assert_eq!(word(&bench.scan(&code(shop::NOW_S + 60))), "not_now", "one payment at a time");
    bench.report(bench.last_intent(), approved(fen(2_800))).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn without_stored_value_a_members_code_never_pays() {
    let mut bench = basket();
    bench.wallets.remove(&ProviderName::House);
    bench.act(Act::Pay).unwrap();
    bench.scan(&code(shop::NOW_S)).unwrap();
    assert_eq!(bench.count("intent_drawn"), 0);
    assert_eq!(word(&bench.act(Act::StoredValue)), "no_code_here");
}

#[test]
fn a_press_pays_with_the_code_that_was_read_while_it_is_fresh() {
    let mut bench = basket();
    assert_eq!(word(&bench.act(Act::StoredValue)), "press_pay_first");
    bench.act(Act::Pay).unwrap();
    assert_eq!(word(&bench.act(Act::StoredValue)), "no_member_code", "nobody was recognised");
    bench.act(Act::Back).unwrap();
    bench.scan(&code(shop::NOW_S)).unwrap();
    bench.act(Act::Pay).unwrap();
    bench.wait_ms(60_000);
    bench.act(Act::StoredValue).unwrap();
    let sale = bench.front().id;
    assert_eq!(bench.till.member_code(sale), Some(code(shop::NOW_S)), "what the wallet is sent");
    bench.report(bench.last_intent(), declined()).unwrap();
    bench.wait_ms(1);
    assert_eq!(word(&bench.act(Act::StoredValue)), "no_member_code", "ask for a fresh one");
}

#[test]
fn too_little_takes_what_there_is_and_the_rest_otherwise() {
    let mut bench = basket();
    bench.act(Act::Pay).unwrap();
    let text = code(shop::NOW_S);
    bench.scan(&text).unwrap();
    bench.report(bench.last_intent(), too_little(500)).unwrap();
    let payment = bench.payment();
    assert_eq!((payment.safe, payment.left), (SafeAct::Split, Some(fen(500))));
    bench.act(Act::Part { amount: payment.left }).unwrap();
    bench.scan(&text).unwrap();
    assert_eq!(bench.payment().amount, fen(500), "a code that paid nothing is still good");
    bench.report(bench.last_intent(), approved(fen(500))).unwrap();
    assert_eq!((bench.front().phase, bench.front().due), (Phase::Tender, Some(fen(2_300))));
    bench.cash(2_300).unwrap();
    let tenders: Vec<_> = bench.records.iter().filter(|r| r.body.kind() == "receipt_issued").collect();
    assert_eq!(tenders.len(), 1);
}

#[test]
fn an_empty_account_proposes_no_part() {
    let mut bench = basket();
    bench.act(Act::Pay).unwrap();
    bench.scan(&code(shop::NOW_S)).unwrap();
    bench.report(bench.last_intent(), too_little(0)).unwrap();
    assert_eq!(bench.payment().safe, SafeAct::OtherMeans);
}

#[test]
fn a_lost_answer_is_asked_for_and_pays_once() {
    let mut bench = basket();
    bench.act(Act::Pay).unwrap();
    bench.scan(&code(shop::NOW_S)).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::Unsure("no answer".to_owned())).unwrap();
    assert_eq!(bench.owed(), ["ask"]);
    assert_eq!(word(&bench.cash(2_800)), "payment_under_way");
    bench.restart();
    assert_eq!(bench.owed(), ["ask"]);
    bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn what_stored_value_paid_goes_back_to_it() {
    let mut bench = basket();
    bench.act(Act::Pay).unwrap();
    bench.scan(&code(shop::NOW_S)).unwrap();
    bench.report(bench.last_intent(), approved(fen(2_800))).unwrap();
    bench.finish_devices();
    let sale = bench.view().recent[0].sale;
    let archived = Sale::fold(&bench.of_sale(sale)).unwrap();
    bench.approver = Some("mei".parse().unwrap());
    let act = Act::GiveBack { sale, returns_seen: 0, wanted: Wanted::Whole, reason: "cold".to_owned() };
    let event = Event::Act(bench.command(act));
    bench.post_about(&event, Some(&archived)).unwrap();
    let back = bench.till.owed();
    let [Duty::Refund(duty)] = &back[..] else { panic!("no refund: {back:?}") };
    assert_eq!((duty.provider, duty.amount), (ProviderName::House, fen(2_800)));
}
