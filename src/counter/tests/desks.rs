//! Desks, and bills that phones pay: one bill, one version, one capture.

use super::super::duty::CapturedBy;
use super::super::event::RefundReport;
use super::*;
use crate::record::ids::DeskId;
use crate::view::Phase;

fn desk(id: &str) -> DeskId {
    id.parse().unwrap()
}

/// The bill on desk d1.
fn bill(bench: &TestTill) -> SaleView {
    bench.view().desks[0].sale.clone().expect("a bill on d1")
}

fn ask(bench: &mut TestTill) -> Answer {
    let bill = bill(bench);
    bench.post(&Event::OrderRequested {
        sale: bill.id,
        bill_version: bill.version,
        provider: ProviderName::Alipay,
    })
}

/// A latte for 28.00 on desk d1.
fn on_desk() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::PutOnDesk { desk: desk("d1") }).unwrap();
    bench
}

/// And a phone that pays it.
fn phone_pays() -> (TestTill, IntentId) {
    let mut bench = on_desk();
    let made = ask(&mut bench).unwrap();
    assert_eq!(kinds(&made), ["total_fixed", "intent_drawn"]);
    let intent = bench.last_intent();
    (bench, intent)
}

#[test]
fn a_bill_goes_to_a_desk_and_comes_back_to_be_added_to() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: desk("d1") })), "no_sale");
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: desk("d9") })), "desk");
    bench.act(Act::Pay).unwrap();
    bench.scan("https://shop.example/D/D1").unwrap();
    assert_eq!(bill(&bench).phase, Phase::Basket, "the total is open again");
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: desk("d1") })), "desk");
    assert_eq!(word(&bench.act(Act::TakeDesk { desk: desk("d1") })), "not_now");
    bench.act(Act::PutOnDesk { desk: desk("d2") }).unwrap();
    assert_eq!(word(&bench.act(Act::TakeDesk { desk: desk("d9") })), "desk");
    bench.act(Act::TakeDesk { desk: desk("d1") }).unwrap();
    assert_eq!(word(&bench.act(Act::TakeDesk { desk: desk("d1") })), "desk");
    bench.scan(COLA).unwrap();
    assert_eq!(bench.front().total, fen(3_150));
    bench.act(Act::Hold).unwrap();
    assert_eq!(word(&bench.act(Act::TakeDesk { desk: desk("d1") })), "desk");
}

#[test]
fn an_empty_basket_goes_to_no_desk() {
    let mut bench = TestTill::open();
    bench.scan(&shop::five_off(1)).unwrap();
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: desk("d1") })), "nothing_to_pay");
}

#[test]
fn a_phone_pays_the_bill_that_it_saw() {
    let (mut bench, intent) = phone_pays();
    let [Duty::Offer(duty)] = &bench.till.owed()[..] else { panic!("not offered") };
    assert_eq!((duty.intent, duty.amount, duty.terms.desk.clone()), (intent, fen(2_800), Some(desk("d1"))));
    bench.report(intent, ProviderReport::Pending).unwrap();
    assert_eq!(bench.owed(), ["offer"]);
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
    assert!(bench.view().desks[0].sale.is_none());
}

#[test]
fn a_page_that_is_behind_pays_nothing() {
    let mut bench = on_desk();
    let old = bill(&bench);
    bench.act(Act::TakeDesk { desk: desk("d1") }).unwrap();
    let gone = Event::OrderRequested {
        sale: old.id,
        bill_version: bench.front().version,
        provider: ProviderName::Alipay,
    };
    assert_eq!(word(&bench.post(&gone)), "sale_moved");
    bench.scan(COLA).unwrap();
    bench.act(Act::PutOnDesk { desk: desk("d1") }).unwrap();
    let behind =
        Event::OrderRequested { sale: old.id, bill_version: old.version, provider: ProviderName::Alipay };
    assert_eq!(word(&bench.post(&behind)), "sale_moved");
    assert_eq!(bench.count("intent_drawn"), 0);
    let unknown =
        Event::OrderRequested { sale: SaleId([0; 16]), bill_version: 1, provider: ProviderName::Alipay };
    assert_eq!(word(&bench.post(&unknown)), "no_sale");
    ask(&mut bench).unwrap();
}

#[test]
fn while_a_phone_pays_the_bill_is_frozen() {
    let (mut bench, _) = phone_pays();
    let sale = bill(&bench).id;
    for answer in [
        ask(&mut bench),
        bench.act(Act::TakeDesk { desk: desk("d1") }),
        bench.scan("https://shop.example/d/d1"),
        bench.post(&Event::CouponOffered { sale, token: shop::five_off(1) }),
    ] {
        assert_eq!(word(&answer), "phone_is_paying");
    }
    assert_eq!(word(&bench.act(Act::Recall { sale })), "not_now");
    bench.restart();
    assert_eq!(bench.owed(), ["offer"], "an order outlives a restart");
}

#[test]
fn a_coupon_from_the_phone_lowers_the_bill() {
    let mut bench = on_desk();
    let sale = bill(&bench).id;
    let offer = |token: String| Event::CouponOffered { sale, token };
    assert_eq!(word(&bench.post(&offer("C1.NO".to_owned()))), "token");
    let member = crate::token::member_code(crate::token::MemberRef([7; 10]), b"secret", shop::NOW_S);
    assert_eq!(word(&bench.post(&offer(member))), "token");
    bench.post(&offer(shop::five_off(1))).unwrap();
    assert_eq!(bill(&bench).total, fen(2_300));
    ask(&mut bench).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, approved(fen(2_300))).unwrap();
    assert_eq!(bench.count("coupon_redeemed"), 1);
    assert_eq!(word(&bench.post(&offer(shop::five_off(2)))), "no_sale");
}

#[test]
fn a_bill_that_a_coupon_pays_in_full_needs_no_wallet() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.scan(&shop::five_off(1)).unwrap();
    bench.act(Act::PutOnDesk { desk: desk("d1") }).unwrap();
    let made = ask(&mut bench).unwrap();
    assert_eq!(kinds(&made), ["total_fixed", "coupon_redeemed", "receipt_issued", "print_ordered"]);
}

#[test]
fn a_declined_phone_opens_the_bill_again() {
    let (mut bench, first) = phone_pays();
    let made = bench.report(first, declined()).unwrap();
    assert_eq!(kinds(&made), ["declined", "total_released"]);
    assert_eq!(bill(&bench).phase, Phase::Basket);
    ask(&mut bench).unwrap();
    assert!(bench.report(first, declined()).unwrap().is_empty(), "the first order is over");
    assert_eq!(bill(&bench).phase, Phase::Paying);
}

#[test]
fn an_order_runs_out_and_frees_the_bill() {
    let (mut bench, intent) = phone_pays();
    bench.wait_ms(300_000);
    let made = bench.post(&Event::DeadlinePassed).unwrap();
    assert_eq!(kinds(&made), ["abandoned", "total_released"]);
    assert_eq!(bench.owed(), ["withdraw"]);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty());
    bench.report(intent, ProviderReport::Cancelled("closed".to_owned())).unwrap();
    assert!(bench.owed().is_empty());
    ask(&mut bench).unwrap();
}

#[test]
fn cash_after_the_order_is_given_up_and_the_phones_late_money_goes_back() {
    let (mut bench, intent) = phone_pays();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.act(Act::TakeDesk { desk: desk("d1") }).unwrap();
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    bench.restart();
    assert_eq!(bench.owed(), ["withdraw"]);
    assert_eq!(kinds(&bench.report(intent, approved(fen(2_800))).unwrap()), ["paid_late", "refund_drawn"]);
    let [Duty::Refund(duty)] = &bench.till.owed()[..] else { panic!("no refund") };
    assert_eq!((duty.intent, duty.captured_by), (intent, CapturedBy::Cloud));
    let refund = duty.refund;
    bench.post(&Event::Refund(refund, RefundReport::Refunded)).unwrap();
    assert!(bench.owed().is_empty());
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn an_order_that_is_given_up_ends_when_the_cloud_says_it_was_declined() {
    let (mut bench, intent) = phone_pays();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.act(Act::TakeDesk { desk: desk("d1") }).unwrap();
    let sale = bench.front().id;
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    assert_eq!(kinds(&bench.report(intent, declined()).unwrap()), ["tombstoned"]);
    assert!(bench.owed().is_empty() && !bench.till.holds(sale));
}

#[test]
fn a_bill_stays_in_reach_when_its_desk_is_taken_off_the_plan() {
    let mut bench = on_desk();
    bench.bundle.content.desks.clear();
    let desks = bench.view().desks;
    assert_eq!(desks.len(), 1);
    assert!(desks[0].sale.is_some());
    bench.act(Act::TakeDesk { desk: desk("d1") }).unwrap();
    assert_eq!(word(&bench.act(Act::PutOnDesk { desk: desk("d1") })), "desk");
    bench.cash(2_800).unwrap();
}

#[test]
fn a_frozen_bill_that_is_paid_waits_for_a_person() {
    let (mut bench, intent) = phone_pays();
    let mut strange = bench.report(intent, ProviderReport::Pending).unwrap().pop().unwrap();
    bench.records.pop();
    strange.body = Body::Unreadable { kind_name: "pending".to_owned() };
    bench.records.push(strange);
    bench.till = replay(&bench.records);
    assert_eq!(word(&ask(&mut bench)), "frozen");
    assert_eq!(kinds(&bench.report(intent, approved(fen(2_800))).unwrap()), ["approved"]);
    assert_eq!(bench.till.last_receipt(), 0, "what the sale holds is not known, so no goods");
    assert_eq!(bench.view().attention[0].code, "sale_frozen");
}
