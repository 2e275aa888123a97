//! Proofs of phones that paid a till which cannot hear the cloud: scanned, and typed.

use super::*;
use crate::counter::order_of;
use crate::record::money_moves::{Advice, Carrier, Heard};
use crate::token::{Order, Proof};
use crate::view::{Phase, SafeAct};

const URL: &str = "HTTPS://PAY.EXAMPLE/O/O1.ABC";

/// A latte for 28.00 whose code is shown, and the cloud has not heard of it.
fn unheard() -> (TestTill, IntentId) {
    let mut bench = TestTill::open();
    let intent = show(&mut bench);
    (bench, intent)
}

fn show(bench: &mut TestTill) -> IntentId {
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::ShowCode { at: None }).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::ShownUnheard(URL.to_owned())).unwrap();
    intent
}

/// The order that the till signed for a payment.
pub(super) fn order(bench: &TestTill, intent: IntentId) -> Order {
    let drawn = |record: &Record| match &record.body {
        Body::IntentDrawn { intent: of, amount, carrier: Carrier::Order(terms), .. } if *of == intent => {
            Some(order_of(&record.header.terminal, record.header.epoch, *amount, terms))
        }
        _ => None,
    };
    bench.records.iter().find_map(drawn).expect("an order")
}

/// The cloud's proof that an order was paid with so much.
pub(super) fn proof(order: &Order, settled_minor: i64) -> String {
    shop::issued(&told(order, settled_minor), shop::PROOFS, shop::PROOFS)
}

fn told(order: &Order, settled_minor: i64) -> Proof {
    Proof { order: order.hash().unwrap(), settled_minor, paid_at: shop::NOW_S + 20 }
}

pub(super) fn digits(order: &Order) -> String {
    order.typed_proof(&PROOF_KEY).unwrap()
}

/// Other eight digits.
fn wrong(digits: &str) -> String {
    let last = digits.as_bytes()[7] - b'0';
    format!("{}{}", &digits[..7], (last + 1) % 10)
}

fn typed(bench: &mut TestTill, intent: IntentId, digits: &str) -> Answer {
    bench.act(Act::TypeProof { intent, digits: digits.to_owned() })
}

fn says(answer: &Answer, words: &str) {
    let refusal = answer.as_ref().unwrap_err();
    assert_eq!(refusal.code(), "proof");
    assert!(refusal.to_string().contains(words), "{refusal}");
}

#[test]
fn an_order_is_its_own_intent_so_that_the_cloud_finds_the_same_number() {
    let (bench, intent) = unheard();
    assert_eq!(intent.0, order(&bench, intent).hash().unwrap().0);
}

#[test]
fn a_scanned_proof_closes_the_sale_and_what_the_cloud_says_later_changes_nothing() {
    let (mut bench, intent) = unheard();
    assert_eq!(bench.payment().safe, SafeAct::ScanProof);
    let text = proof(&order(&bench, intent), 2_800);
    let made = bench.scan(&text).unwrap();
    assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
    let Body::Approved { settled, .. } = &made[0].body else { panic!() };
    assert_eq!((settled.proven_by, settled.proof.as_deref()), (ProvenBy::PaidProof, Some(text.as_str())));
    assert_eq!((settled.total, settled.trade.as_str()), (fen(2_800), ""));
    for report in [ProviderReport::Pending, approved(fen(2_800)), gone()] {
        assert!(bench.report(intent, report).unwrap().is_empty());
    }
    bench.finish_devices();
    // Its sale has left memory: the journal says what became of it.
    let sale = Sale::fold(&bench.of_sale(made[0].header.sale.unwrap())).unwrap();
    says(&rescan(&mut bench, &text, &sale), "counted already");
    assert_eq!(bench.count("receipt_issued"), 1);
}

/// Scans a proof whose sale is in the journal.
fn rescan(bench: &mut TestTill, text: &str, sale: &Sale) -> Answer {
    let scan = RawScan { data: text.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
    let event = Event::Scanned { station: bench.station.clone(), scan };
    bench.post_about(&event, Some(sale))
}

fn gone() -> ProviderReport {
    ProviderReport::Cancelled("nobody has paid it".to_owned())
}

#[test]
fn the_clouds_word_first_and_then_the_proof_is_one_payment() {
    let (mut bench, intent) = unheard();
    let made = bench.report(intent, approved(fen(2_800))).unwrap();
    let sale = Sale::fold(&bench.of_sale(made[0].header.sale.unwrap())).unwrap();
    let text = proof(&order(&bench, intent), 2_800);
    says(&rescan(&mut bench, &text, &sale), "counted already");
    let spoken = digits(&order(&bench, intent));
    says(&typed(&mut bench, intent, &spoken), "No payment waits");
    assert_eq!((bench.count("approved"), bench.count("refund_drawn")), (1, 0));
}

#[test]
fn a_proof_of_something_else_closes_nothing() {
    let (mut bench, intent) = unheard();
    let mine = order(&bench, intent);
    let other_till = Order { terminal: crate::token::TerminalTag::of("till-2"), ..mine.clone() };
    let other_life = Order { epoch: 7, ..mine.clone() };
    let other_order = Order { nonce: mine.nonce ^ 1, ..mine.clone() };
    for other in [other_till, other_life, other_order] {
        says(&bench.scan(&proof(&other, 2_800)), "did not ask for that payment");
    }
    says(&bench.scan(&proof(&mine, 2_799)), "The phone paid CNY 27.99 where CNY 28.00 was due");
    says(&bench.scan(&proof(&mine, 2_801)), "CNY 28.01");
    let forged = shop::issued(&told(&mine, 2_800), shop::PROOFS, 9);
    assert_eq!(word(&bench.scan(&forged)), "token");
    let by_another_key = shop::issued(&told(&mine, 2_800), shop::VOUCHERS, shop::VOUCHERS);
    assert_eq!(word(&bench.scan(&by_another_key)), "token");
    assert_eq!(word(&bench.scan(&shop::issued(&told(&mine, 2_800), 9, 9))), "token", "an unknown key");
    assert_eq!((bench.count("approved"), bench.front().phase), (0, Phase::Paying));
    bench.scan(&proof(&mine, 2_800)).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn a_proof_by_a_key_that_was_withdrawn_or_is_out_of_its_time_closes_nothing() {
    for change in [
        |key: &mut crate::token::Key| key.revoked = crate::token::Revocation::Revoked,
        |key: &mut crate::token::Key| key.not_after = shop::NOW_S,
    ] {
        let (mut bench, intent) = unheard();
        bench.keys.keys.values_mut().for_each(change);
        assert_eq!(word(&bench.scan(&proof(&order(&bench, intent), 2_800))), "token");
        assert_eq!(bench.count("approved"), 0);
    }
}

#[test]
fn a_proof_after_the_order_was_given_up_is_a_refund_and_never_goods() {
    for by_digits in [false, true] {
        let (mut bench, intent) = unheard();
        bench.act(Act::CancelPayment { intent }).unwrap();
        let order = order(&bench, intent);
        let made = if by_digits {
            typed(&mut bench, intent, &digits(&order)).unwrap()
        } else {
            bench.scan(&proof(&order, 2_800)).unwrap()
        };
        assert_eq!(kinds(&made), ["paid_late", "refund_drawn"]);
        assert_eq!((bench.count("receipt_issued"), bench.front().phase), (0, Phase::Tender));
        assert_eq!(bench.view().notices[0].code, "late_money");
        says(&bench.scan(&proof(&order, 2_800)), "goes back");
        assert!(bench.report(intent, approved(fen(2_800))).unwrap().is_empty(), "the cloud says the same");
        bench.cash(2_800).unwrap();
        assert_eq!((bench.count("receipt_issued"), bench.count("refund_drawn")), (1, 1));
    }
}

/// The ways in which money that a phone paid comes to be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Scanned,
    Typed,
    Answered,
    Told,
}

/// How a till gives an order up, or hears that it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    ByHand,
    InTime,
    ByHandAndConfirmed,
    EndedByTheCloud,
}

/// Makes the money known, whether the sale is in memory or has to be looked up.
fn known(bench: &mut TestTill, intent: IntentId, how: Known) -> Answer {
    let archived = bench.till.past_sale(intent).map(|sale| Sale::fold(&bench.of_sale(sale)).unwrap());
    let order = order(bench, intent);
    let event = match how {
        Known::Scanned => {
            let data = proof(&order, 2_800).into_bytes();
            let scan = RawScan { data, aim: None, repeat_of_ms: None };
            Event::Scanned { station: bench.station.clone(), scan }
        }
        Known::Typed => {
            let digits = digits(&order);
            return bench.act(Act::TypeProof { intent, digits });
        }
        Known::Answered => Event::Provider(intent, approved(fen(2_800))),
        Known::Told => {
            let ProviderReport::Approved(settled) = approved(fen(2_800)) else { panic!() };
            Event::Provider(intent, ProviderReport::Told(settled))
        }
    };
    bench.post_about(&event, archived.as_ref())
}

#[test]
fn once_an_order_is_given_up_no_way_of_knowing_that_it_was_paid_releases_goods() {
    let all = [Known::Scanned, Known::Typed, Known::Answered, Known::Told];
    for over in [Over::ByHand, Over::InTime, Over::ByHandAndConfirmed, Over::EndedByTheCloud] {
        for (first, second) in all.iter().flat_map(|first| all.map(|second| (*first, second))) {
            for put_away in [false, true] {
                let (mut bench, intent) = unheard();
                match over {
                    Over::ByHand | Over::ByHandAndConfirmed => {
                        bench.act(Act::CancelPayment { intent }).unwrap();
                    }
                    Over::InTime => {
                        bench.wait_ms(500_000);
                        bench.post(&Event::DeadlinePassed).unwrap();
                    }
                    Over::EndedByTheCloud => {
                        let (code, words) = ("ended".to_owned(), "nobody paid".to_owned());
                        let ended =
                            ProviderReport::Declined { code, words, advice: Advice::OtherMeans, left: None };
                        bench.report(intent, ended).unwrap();
                    }
                }
                if over == Over::ByHandAndConfirmed {
                    bench.report(intent, gone()).unwrap();
                }
                if put_away {
                    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
                    bench.finish_devices();
                }
                for how in [first, second] {
                    // What is refused, or of no interest, changes nothing; what counts is counted below.
                    let _said = known(&mut bench, intent, how);
                    bench.restart();
                }
                let said = format!("{over:?} {first:?} {second:?} {put_away}");
                assert_eq!((bench.count("approved"), bench.count("receipt_issued")), (0, 0), "{said}");
                let late = (bench.count("paid_late"), bench.count("refund_drawn"));
                let can_tell = |how: Known| match how {
                    Known::Scanned | Known::Answered => true,
                    // Of an order the answer counts, with its proof, and not word of mouth.
                    Known::Told => false,
                    Known::Typed => bench.till.holds(sale_of(&bench, intent)),
                };
                let known = can_tell(first) || can_tell(second);
                assert_eq!(late, if known { (1, 1) } else { (0, 0) }, "{said}");
            }
        }
    }
}

fn sale_of(bench: &TestTill, intent: IntentId) -> crate::record::ids::SaleId {
    let drawn =
        |record: &&Record| matches!(&record.body, Body::IntentDrawn { intent: of, .. } if *of == intent);
    bench.records.iter().find(drawn).unwrap().header.sale.unwrap()
}

#[test]
fn a_proof_for_a_sale_that_is_put_away_is_a_refund() {
    let (mut bench, intent) = unheard();
    bench.act(Act::CancelPayment { intent }).unwrap();
    bench.cash(2_800).unwrap();
    bench.finish_devices();
    bench.report(intent, gone()).unwrap();
    let sale = bench.till.past_sale(intent).expect("a sale that was put away");
    assert!(!bench.till.holds(sale));
    let archived = Sale::fold(&bench.of_sale(sale)).unwrap();
    let text = proof(&order(&bench, intent), 2_800);
    let made = rescan(&mut bench, &text, &archived).unwrap();
    assert_eq!(kinds(&made), ["paid_late", "sale_opened", "return_opened", "refund_drawn"]);
}

#[test]
fn an_order_that_nobody_heard_of_is_waited_for_longer_and_one_that_the_cloud_lost_too() {
    let (mut bench, _) = unheard();
    bench.wait_ms(285_000);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty(), "a phone may be paying");
    bench.wait_ms(119_999);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty());
    bench.wait_ms(1);
    assert_eq!(kinds(&bench.post(&Event::DeadlinePassed).unwrap()), ["abandoned"]);

    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::ShowCode { at: None }).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::Shown(URL.to_owned())).unwrap();
    assert_eq!(bench.payment().safe, SafeAct::LetScan);
    let lost = ProviderReport::ShownUnheard("HTTPS://ELSEWHERE/O/O1.ABC".to_owned());
    assert_eq!(kinds(&bench.report(intent, lost.clone()).unwrap()), ["code_shown"]);
    assert_eq!((bench.payment().safe, bench.payment().heard), (SafeAct::ScanProof, Heard::ByNobody));
    assert_eq!(bench.payment().code.as_deref(), Some(URL), "what phones scan stays");
    assert!(bench.report(intent, lost).unwrap().is_empty());
    bench.wait_ms(300_000);
    assert!(bench.post(&Event::DeadlinePassed).unwrap().is_empty());
}

#[test]
fn a_till_that_starts_again_takes_the_proof_of_the_order_that_it_showed_before() {
    let (mut bench, intent) = unheard();
    bench.restart();
    assert_eq!(bench.payment().code.as_deref(), Some(URL));
    bench.scan(&proof(&order(&bench, intent), 2_800)).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1);
}

#[test]
fn a_proof_closes_a_sale_that_was_put_aside_and_a_part_of_one() {
    let (mut bench, intent) = unheard();
    bench.act(Act::Hold).unwrap();
    let made = bench.scan(&proof(&order(&bench, intent), 2_800)).unwrap();
    assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
    assert_eq!(bench.view().notices[0].code, "parked_paid");

    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::Part { amount: Some(fen(1_000)) }).unwrap();
    bench.act(Act::ShowCode { at: None }).unwrap();
    let intent = bench.last_intent();
    bench.report(intent, ProviderReport::ShownUnheard(URL.to_owned())).unwrap();
    assert_eq!(kinds(&bench.scan(&proof(&order(&bench, intent), 1_000)).unwrap()), ["approved"]);
    bench.cash(1_800).unwrap();
    assert_eq!(bench.count("receipt_issued"), 2);
}

#[test]
fn eight_digits_close_the_sale_however_they_are_written() {
    for write in [
        |digits: &str| digits.to_owned(),
        |digits: &str| format!("{} {}", &digits[..4], &digits[4..]),
        |digits: &str| format!(" {}-{} ", &digits[..4], &digits[4..]),
    ] {
        let (mut bench, intent) = unheard();
        assert_eq!(bench.payment().tries_left, Some(3));
        let right = write(&digits(&order(&bench, intent)));
        let made = typed(&mut bench, intent, &right).unwrap();
        assert_eq!(kinds(&made), ["approved", "receipt_issued", "print_ordered"]);
        let Body::Approved { settled, .. } = &made[0].body else { panic!() };
        assert_eq!((settled.proven_by, &settled.proof), (ProvenBy::TypedProof, &None));
    }
}

#[test]
fn wrong_digits_are_counted_and_three_of_them_end_it_across_restarts() {
    let (mut bench, intent) = unheard();
    let right = digits(&order(&bench, intent));
    for half in ["", "1234567", "123456789", "1234567a", "１２３４５６７８"] {
        says(&typed(&mut bench, intent, half), "eight digits");
    }
    assert_eq!(bench.payment().tries_left, Some(3), "a slip is no try");
    for left in [2, 1, 0] {
        assert_eq!(kinds(&typed(&mut bench, intent, &wrong(&right)).unwrap()), ["proof_mistyped"]);
        bench.restart();
        assert_eq!((bench.payment().tries_left, bench.payment().mistyped), (Some(left), 3 - left));
    }
    says(&typed(&mut bench, intent, &right), "three times");
    bench.scan(&proof(&order(&bench, intent), 2_800)).unwrap();
    assert_eq!(bench.count("receipt_issued"), 1, "the square code counts all the same");
}

#[test]
fn digits_are_taken_up_to_the_shops_limit_and_not_without_the_shared_key() {
    let (mut bench, intent) = unheard();
    let right = digits(&order(&bench, intent));
    bench.bundle.content.limits.typed_proof_minor = 2_799;
    assert_eq!(bench.payment().tries_left, None);
    says(&typed(&mut bench, intent, &right), "Digits are taken up to CNY 27.99");
    bench.bundle.content.limits.typed_proof_minor = 2_800;
    bench.proof_key = None;
    says(&typed(&mut bench, intent, &right), "has not heard from head office");
    bench.proof_key = Some([0x98; 32]);
    assert_eq!(kinds(&typed(&mut bench, intent, &right).unwrap()), ["proof_mistyped"], "another till's key");
}

#[test]
fn digits_belong_to_one_order() {
    let (mut bench, first) = unheard();
    let of_first = digits(&order(&bench, first));
    bench.act(Act::Hold).unwrap();
    let second = show(&mut bench);
    assert_eq!(kinds(&typed(&mut bench, second, &of_first).unwrap()), ["proof_mistyped"]);
    bench.scan(&pay_code(1)).unwrap_err();
    says(&typed(&mut bench, IntentId([9; 16]), &of_first), "No payment waits");
}
