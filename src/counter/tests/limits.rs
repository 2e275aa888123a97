//! Limits while the cloud is silent: what they refuse, what they never touch, and when they let go.

use super::shop::{coupon_of, five_off, signed, voucher};
use super::*;
use crate::counter::event::OnItsWay;
use crate::limits::{Limits, Standing};
use crate::queue::Marks;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::queue_act::{QueueAct, Resolution};
use crate::token::{Coupon, Worth};

/// Silent for this long, with nothing received.
fn silent(ms: u64) -> Contact {
    Contact { silent_ms: Some(ms), received: 0, timed: None }
}

const HOUR_MS: u64 = 3_600_000;

/// A till that heard the cloud an hour ago, under limits of its own.
fn alone(limits: Limits) -> TestTill {
    let mut bench = TestTill::open();
    bench.bundle.content.limits = limits;
    bench.contact = silent(HOUR_MS);
    bench.wait_ms(HOUR_MS);
    bench
}

fn worth(serial: u64, minor: i64) -> String {
    signed(&Coupon { worth: Worth::AmountOff(fen(minor)), ..coupon_of(serial, 7) })
}

/// Sells a latte with coupon `serial` of five off, for cash.
fn sell(bench: &mut TestTill, serial: u64) {
    bench.press("latte").unwrap();
    bench.scan(&five_off(serial)).unwrap();
    bench.cash(2_300).unwrap();
}

fn rule(bench: &mut TestTill, number: u64, seq: u64, ruling: Ruling) {
    let (epoch, code) = (bench.till.epoch(), "coupon_redeemed".to_owned());
    let verdict = Verdict { number, epoch, seq, sale: None, ruling, code, words: "Said.".to_owned() };
    bench.post(&Event::Ruled(verdict)).unwrap();
}

fn redeemed(bench: &TestTill) -> Vec<u64> {
    let redeemed = bench.records.iter().filter(|record| record.body.kind() == "coupon_redeemed");
    redeemed.map(|record| record.header.seq).collect()
}

#[test]
fn what_is_taken_is_at_risk_until_the_cloud_has_ruled_on_it() {
    let mut bench = TestTill::open();
    sell(&mut bench, 1);
    bench.wait_ms(5_000);
    sell(&mut bench, 2);
    let exposure = bench.view().exposure;
    assert_eq!((exposure.items, exposure.at_risk), (2, fen(1_000)));
    assert_eq!(exposure.oldest_ms, Some(bench.moment.wall_ms - 5_000));
    assert_eq!(exposure.silent_ms, Some(0));
    let seqs = redeemed(&bench);
    rule(&mut bench, 1, seqs[0], Ruling::Accepted);
    assert_eq!(bench.view().exposure.at_risk, fen(500));
    rule(&mut bench, 2, seqs[1], Ruling::Refused);
    assert_eq!((bench.view().exposure.items, bench.view().exposure.oldest_ms), (0, None));
    bench.restart();
    assert_eq!(bench.view().exposure.items, 0);
}

#[test]
fn one_coupon_over_the_limit_for_each_is_refused_offline_and_taken_online() {
    let mut bench = alone(Limits { each_minor: 500, ..Limits::default() });
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.scan(&worth(1, 501))), "limit_each");
    bench.scan(&worth(2, 500)).unwrap();
    bench.contact = silent(0);
    bench.scan(&worth(1, 501)).unwrap();
    assert_eq!(bench.front().coupons.len(), 2);
}

#[test]
fn a_percentage_is_held_to_the_limit_by_what_it_takes_off_when_the_total_is_fixed() {
    let mut bench = alone(Limits { each_minor: 500, ..Limits::default() });
    bench.press("wine").unwrap();
    let tenth = signed(&Coupon { worth: Worth::BasisPointsOff(1_000), ..coupon_of(5, 7) });
    bench.scan(&tenth).unwrap();
    assert_eq!(word(&bench.act(Act::Pay)), "limit_each");
    assert_eq!(word(&bench.cash(10_000)), "limit_each");
    let serial = bench.front().coupons[0].serial.clone();
    bench.act(Act::ReturnCoupon { serial }).unwrap();
    bench.cash(9_000).unwrap();
}

#[test]
fn value_at_risk_counts_what_is_in_hand_on_every_open_sale() {
    let mut bench = alone(Limits { at_risk_minor: 1_200, ..Limits::default() });
    sell(&mut bench, 1);
    bench.press("latte").unwrap();
    bench.scan(&five_off(2)).unwrap();
    bench.act(Act::Hold).unwrap();
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.scan(&five_off(3))), "limit_value");
    bench.scan(&worth(4, 200)).unwrap();
    assert_eq!(word(&bench.scan(&worth(5, 1))), "limit_value");
    bench.cash(2_600).unwrap();
    let exposure = bench.view().exposure;
    assert_eq!((exposure.at_risk, exposure.standing.value), (fen(700), Standing::Fine));
    let seq = redeemed(&bench)[0];
    rule(&mut bench, 1, seq, Ruling::Accepted);
    bench.press("latte").unwrap();
    bench.scan(&five_off(6)).unwrap();
}

#[test]
fn so_many_wait_for_the_cloud_and_no_more_and_the_last_but_one_warns() {
    let mut bench = alone(Limits { items_max: 5, ..Limits::default() });
    for serial in 1..=3 {
        sell(&mut bench, serial);
    }
    assert_eq!(bench.view().exposure.standing.items, Standing::Fine);
    sell(&mut bench, 4);
    assert_eq!(bench.view().exposure.standing.items, Standing::Near);
    sell(&mut bench, 5);
    assert_eq!(bench.view().exposure.standing.items, Standing::Reached);
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.scan(&five_off(6))), "limit_items");
    bench.cash(2_800).unwrap();
    bench.contact = silent(0);
    assert_eq!(bench.view().exposure.standing.gravest(), Standing::Fine);
    sell(&mut bench, 6);
}

#[test]
fn the_oldest_that_waits_stops_others_until_it_is_ruled_on() {
    let mut bench = alone(Limits { oldest_s: 1_000, ..Limits::default() });
    sell(&mut bench, 1);
    bench.wait_ms(800_000);
    bench.scan(&five_off(2)).unwrap();
    assert_eq!(bench.view().exposure.standing.oldest, Standing::Near);
    bench.wait_ms(200_000);
    assert_eq!(word(&bench.scan(&five_off(3))), "limit_oldest");
    let seq = redeemed(&bench)[0];
    rule(&mut bench, 1, seq, Ruling::Accepted);
    bench.scan(&five_off(3)).unwrap();
}

#[test]
fn silence_stops_coupons_after_its_limit_and_cash_and_wallets_never() {
    let mut bench = alone(Limits { silent_s: 10 * 3600, ..Limits::default() });
    bench.contact = silent(8 * HOUR_MS);
    // What the records tell of the cloud is older still.
    bench.wait_ms(10 * HOUR_MS);
    bench.press("latte").unwrap();
    bench.scan(&five_off(1)).unwrap();
    assert_eq!(bench.view().exposure.standing.silence, Standing::Near);
    bench.contact = silent(10 * HOUR_MS);
    let refusal = bench.scan(&five_off(2)).unwrap_err();
    assert_eq!(refusal.code(), "limit_silence");
    assert!(refusal.to_string().contains("10 hours"), "{refusal}");
    assert_eq!(word(&bench.act(Act::Pay)), "limit_silence", "nor is what was put on before");
    let serial = bench.front().coupons[0].serial.clone();
    bench.act(Act::ReturnCoupon { serial }).unwrap();
    bench.cash(2_800).unwrap();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.scan(&pay_code(1)).unwrap();
}

#[test]
fn a_till_counts_as_offline_after_a_minute_of_silence_or_when_nothing_is_received() {
    let mut bench = alone(Limits { at_risk_minor: 500, ..Limits::default() });
    bench.contact = silent(59_999);
    // The records tell of the cloud at this till's beginning.
    bench.wait_ms(HOUR_MS);
    sell(&mut bench, 1);
    bench.press("latte").unwrap();
    bench.scan(&five_off(2)).unwrap();
    bench.contact = silent(60_000);
    assert_eq!(word(&bench.scan(&five_off(3))), "limit_value");
    // Heard, but what was taken ten minutes ago has not arrived.
    bench.wait_ms(600_000);
    bench.contact = silent(0);
    assert_eq!(word(&bench.scan(&five_off(3))), "limit_value");
    bench.contact = Contact { received: u64::MAX, ..silent(0) };
    bench.scan(&five_off(3)).unwrap();
    bench.contact = Contact::default();
    bench.wait_ms(HOUR_MS);
    assert_eq!(word(&bench.scan(&five_off(4))), "limit_value", "never heard since the start is offline");
}

#[test]
fn a_sale_that_was_fixed_while_online_is_paid_offline_whatever_the_limits_say() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.scan(&five_off(1)).unwrap();
    bench.act(Act::Pay).unwrap();
    bench.bundle.content.limits = Limits { items_max: 0, at_risk_minor: 0, ..Limits::default() };
    bench.contact = silent(HOUR_MS);
    bench.wait_ms(HOUR_MS);
    bench.cash(2_300).unwrap();
    assert_eq!(bench.view().exposure.items, 1);
}

#[test]
fn vouchers_and_typed_digits_are_limited_and_scanned_proofs_never() {
    let limits =
        Limits { each_minor: 2_000, typed_proof_minor: 5_000, at_risk_minor: 2_500, ..Limits::default() };
    let mut bench = alone(limits);
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    let refusal = bench.scan(&voucher(1, 5_000)).unwrap_err();
    assert_eq!(refusal.code(), "limit_each");
    assert!(refusal.to_string().contains("this voucher can be taken again"), "{refusal}");
    bench.scan(&voucher(2, 2_000)).unwrap();
    assert_eq!(word(&bench.scan(&voucher(3, 600))), "limit_value", "what is in hand counts");
    bench.cash(1_000).unwrap();
    assert_eq!(bench.view().exposure.at_risk, fen(2_000));

    // A latte by phone: the digits are over the limits, the square code is the cloud's word.
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::ShowCode { at: None }).unwrap();
    let intent = bench.last_intent();
    let url = "HTTPS://PAY.EXAMPLE/O/O1.ABC".to_owned();
    bench.report(intent, ProviderReport::ShownUnheard(url)).unwrap();
    let order = proofs::order(&bench, intent);
    let typed = Act::TypeProof { intent, digits: proofs::digits(&order) };
    let refusal = bench.act(typed).unwrap_err();
    assert_eq!(refusal.code(), "limit_each");
    assert!(refusal.to_string().contains("Scan the square code on the phone instead"), "{refusal}");
    bench.scan(&proofs::proof(&order, 2_800)).unwrap();
    assert_eq!(bench.view().exposure.at_risk, fen(2_000), "a scanned proof is no risk");
}

#[test]
fn typed_digits_are_at_risk_until_the_cloud_has_found_the_payment() {
    let mut bench = alone(Limits::default());
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::ShowCode { at: None }).unwrap();
    let intent = bench.last_intent();
    let url = "HTTPS://PAY.EXAMPLE/O/O1.ABC".to_owned();
    bench.report(intent, ProviderReport::ShownUnheard(url)).unwrap();
    let digits = proofs::digits(&proofs::order(&bench, intent));
    bench.act(Act::TypeProof { intent, digits }).unwrap();
    assert_eq!((bench.view().exposure.items, bench.view().exposure.at_risk), (1, fen(2_800)));
    let approved = bench.records.iter().find(|record| record.body.kind() == "approved").unwrap();
    let seq = approved.header.seq;
    rule(&mut bench, 1, seq, Ruling::Accepted);
    assert_eq!(bench.view().exposure.items, 0);
}

#[test]
fn what_a_manager_has_resolved_is_no_longer_at_risk_and_what_is_held_back_is() {
    let mut bench = alone(Limits::default());
    sell(&mut bench, 1);
    sell(&mut bench, 2);
    let seqs = redeemed(&bench);
    let (epoch, code) = (bench.till.epoch(), "held".to_owned());
    let held = Verdict {
        number: 1,
        epoch,
        seq: seqs[0],
        sale: None,
        ruling: Ruling::Accepted,
        code,
        words: "Held back.".to_owned(),
    };
    bench.post(&Event::Ruled(held)).unwrap();
    assert_eq!(bench.view().exposure.items, 2);
    let header = bench.records.iter().find(|record| record.header.seq == seqs[0]).unwrap().header.clone();
    let marks = Marks { received: seqs[0], ..Marks::default() };
    bench.approver = Some("mei".parse().unwrap());
    let resolve = Act::Queue {
        about: Some(Box::new(OnItsWay { header, marks })),
        act: QueueAct::Resolve { how: Resolution::WrittenOff },
        reason: "the customer is known".to_owned(),
    };
    bench.act(resolve).unwrap();
    assert_eq!(bench.view().exposure.items, 1);
}
