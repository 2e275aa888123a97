//! What scans and keys put into the basket, and what is refused with nothing done.

use super::*;
use crate::money::AMOUNT_MINOR_MAX;
use crate::record::line::LineId;
use crate::sale::LINES_MAX;
use crate::view::{LineState, Phase};

fn key(sku: &str, modifiers: &[&str], price: Option<i64>, quantity: i64) -> Act {
    let modifiers = modifiers.iter().map(|id| (*id).to_owned()).collect();
    Act::PressKey { sku: sku.to_owned(), modifiers, price: price.map(fen), quantity }
}

#[test]
fn a_scan_opens_a_sale_and_adds_a_line() {
    let mut bench = TestTill::open();
    assert_eq!(kinds(&bench.scan(COLA).unwrap()), ["sale_opened", "line_added"]);
    assert_eq!(kinds(&bench.scan(COLA).unwrap()), ["line_added"]);
    let sale = bench.front();
    assert_eq!((sale.lines.len(), sale.total, sale.phase), (2, fen(700), Phase::Basket));
}

#[test]
fn a_scan_that_says_nothing_known_changes_nothing() {
    let mut bench = TestTill::open();
    for (scan, refusal) in [
        (&b"6901234567885"[..], "unknown_item"),
        (b"6901234567893", "scan"),
        (b"no such thing", "unknown_item"),
        (b"\xff\xfe\x00", "scan"),
        (b"", "scan"),
        (b"\x02\x03", "scan"),
        (b"C1.", "scan"),
        (b"C1.GARBAGE", "scan"),
        (b"c1.garbage", "scan"),
        (b"hQVDUFYwMWFvEU", "scan"),
        (b"https://shop.example/D/d9", "desk"),
        (b"https://shop.example/D/a-desk-with-a-very-long-name", "desk"),
        (b"https://shop.example/D/d1-0123456789abcdef", "desk"),
    ] {
        assert_eq!(word(&bench.scan_bytes(scan)), refusal, "{:?}", String::from_utf8_lossy(scan));
    }
    assert_eq!(word(&bench.scan_bytes(&[b'7'; 4_000])), "scan");
    assert!(!bench.has_front());
}

#[test]
fn a_wrong_check_digit_says_what_to_do() {
    let mut bench = TestTill::open();
    let refusal = bench.scan("6901234567893").unwrap_err().to_string();
    assert!(refusal.contains("should be 2") && refusal.contains("again"), "{refusal}");
}

#[test]
fn a_typed_code_is_read_as_a_scan() {
    let mut bench = TestTill::open();
    bench.act(Act::TypeCode(COLA.to_owned())).unwrap();
    bench.act(Act::TypeCode("latte".to_owned())).unwrap();
    assert_eq!(bench.front().total, fen(3_150));
}

#[test]
fn a_menu_key_adds_its_choices_once_each() {
    let mut bench = TestTill::open();
    bench.act(key("latte", &["oat", "shot", "oat"], None, 2)).unwrap();
    let sale = bench.front();
    assert_eq!(sale.lines[0].price, fen(3_700));
    assert_eq!((sale.lines[0].modifiers.len(), sale.total), (2, fen(7_400)));
}

#[test]
fn a_key_is_refused_where_it_makes_no_sense() {
    let mut bench = TestTill::open();
    for (act, refusal) in [
        (key("tea", &[], None, 1), "key"),
        (key("latte", &["soy"], None, 1), "key"),
        (key("latte", &[], Some(100), 1), "key"),
        (key("cake", &[], None, 1), "price_missing"),
        (key("cake", &[], Some(0), 1), "amount"),
        (key("cake", &[], Some(-5), 1), "amount"),
        (key("cake", &[], Some(i64::MAX), 2), "amount"),
        (key("latte", &[], None, 0), "quantity"),
        (key("latte", &[], None, -1), "quantity"),
        (key("latte", &[], None, 1_000), "quantity"),
        (key("latte", &[], None, i64::MAX), "quantity"),
        (key("apples", &[], None, i64::MAX), "quantity"),
    ] {
        assert_eq!(word(&bench.act(act.clone())), refusal, "{act:?}");
    }
    let yen = Some(Money::new(100, Currency::JPY));
    let cake = Act::PressKey { sku: "cake".to_owned(), modifiers: vec![], price: yen, quantity: 1 };
    assert_eq!(word(&bench.act(cake)), "amount");
    assert!(!bench.has_front(), "nothing half done");
}

#[test]
fn an_open_price_is_typed() {
    let mut bench = TestTill::open();
    bench.act(key("cake", &[], Some(1_234), 1)).unwrap();
    assert_eq!(bench.front().total, fen(1_234));
}

#[test]
fn quantities_stay_in_what_a_line_can_carry() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let set = |value| Act::SetQuantity { line: LineId(1), value };
    for value in [0, -1, 1_000, 6_901_234_567_892, i64::MIN, i64::MAX] {
        assert_eq!(word(&bench.act(set(value))), "quantity", "{value}");
    }
    assert_eq!(word(&bench.act(Act::SetQuantity { line: LineId(2), value: 1 })), "no_such_line");
    bench.act(set(999)).unwrap();
    assert_eq!(bench.front().subtotal, fen(999 * 350));
}

#[test]
fn weighed_goods_are_set_in_grams() {
    let mut bench = TestTill::open();
    bench.press("apples").unwrap();
    assert_eq!(bench.front().total, fen(998));
    bench.act(Act::SetQuantity { line: LineId(1), value: 1_255 }).unwrap();
    assert_eq!(bench.front().total, fen(1_252));
}

#[test]
fn a_void_line_stays_visible_and_counts_no_more() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    bench.press("latte").unwrap();
    let void = |line| Act::VoidLine { line, reason: Some("dropped".to_owned()) };
    bench.act(void(LineId(1))).unwrap();
    assert_eq!(word(&bench.act(void(LineId(1)))), "no_such_line");
    assert_eq!(word(&bench.act(Act::SetQuantity { line: LineId(1), value: 2 })), "no_such_line");
    let sale = bench.front();
    assert_eq!((sale.lines[0].state, sale.total), (LineState::Void, fen(2_800)));
    bench.act(void(LineId(2))).unwrap();
    assert_eq!(word(&bench.act(Act::Pay)), "nothing_to_pay");
    assert_eq!(word(&bench.cash(100)), "nothing_to_pay");
    bench.scan(COLA).unwrap();
    assert_eq!(bench.front().lines[2].id, LineId(3), "a void line's number is not used again");
}

#[test]
fn a_price_by_hand_needs_a_manager_and_a_reason() {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    let change =
        |price, reason: &str| Act::OverridePrice { line: LineId(1), price, reason: reason.to_owned() };
    assert_eq!(word(&bench.act(change(fen(1_000), "cold"))), "needs_manager");
    bench.approver = Some("mei".parse().unwrap());
    assert_eq!(word(&bench.act(change(fen(1_000), " \u{7} "))), "not_now");
    assert_eq!(word(&bench.act(change(fen(-1), "cold"))), "amount");
    assert_eq!(word(&bench.act(change(Money::new(1, Currency::JPY), "cold"))), "amount");
    let made = bench.act(change(fen(1_000), "cold")).unwrap();
    assert_eq!(made[0].header.approver.as_ref().unwrap().as_str(), "mei");
    assert_eq!(made[0].header.staff.as_ref().unwrap().as_str(), "bo");
    assert_eq!(bench.front().total, fen(1_000));
}

#[test]
fn a_price_that_does_not_fit_is_refused_before_it_spoils_the_basket() {
    let mut bench = TestTill::open();
    bench.act(key("latte", &[], None, 900)).unwrap();
    bench.approver = Some("mei".parse().unwrap());
    let huge = Act::OverridePrice { line: LineId(1), price: fen(i64::MAX / 2), reason: "slip".to_owned() };
    assert_eq!(word(&bench.act(huge)), "amount");
    assert_eq!(word(&bench.act(key("cake", &[], Some(i64::MAX / 2), 1))), "amount");
    assert_eq!(word(&bench.act(key("cake", &[], Some(AMOUNT_MINOR_MAX + 1), 1))), "amount");
    bench.act(key("cake", &[], Some(AMOUNT_MINOR_MAX), 1)).unwrap();
    assert_eq!(word(&bench.act(Act::Pay)), "amount", "with the latte it is more than a code of ours carries");
    bench.act(Act::VoidLine { line: LineId(2), reason: None }).unwrap();
    bench.act(Act::Pay).unwrap();
}

#[test]
fn a_sale_takes_so_many_lines_and_no_more() {
    let mut bench = TestTill::open();
    for _ in 0..LINES_MAX {
        bench.scan(COLA).unwrap();
    }
    assert_eq!(word(&bench.scan(COLA)), "sale_full");
}

#[test]
fn spending_a_hundred_saves_ten() {
    let mut bench = TestTill::open();
    bench.act(key("cake", &[], Some(9_999), 1)).unwrap();
    assert_eq!(bench.front().total, fen(9_999));
    bench.act(key("cake", &[], Some(1), 1)).unwrap();
    let sale = bench.front();
    assert_eq!((sale.total, sale.discounts[0].amount), (fen(9_000), fen(1_000)));
}

#[test]
fn a_sale_is_put_aside_and_taken_back() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(Act::Hold)), "no_sale");
    bench.scan(COLA).unwrap();
    let first = bench.front().id;
    bench.act(Act::Hold).unwrap();
    assert!(!bench.has_front());
    assert_eq!(bench.view().held.len(), 1);
    bench.press("latte").unwrap();
    assert_eq!(word(&bench.act(Act::Recall { sale: first })), "not_now");
    bench.act(Act::Hold).unwrap();
    bench.act(Act::Recall { sale: first }).unwrap();
    assert_eq!(bench.front().total, fen(350));
    assert_eq!(word(&bench.act(Act::Recall { sale: first })), "not_now");
}

#[test]
fn so_many_sales_are_put_aside_and_no_more() {
    let mut bench = TestTill::open();
    for _ in 0..30 {
        bench.scan(COLA).unwrap();
        bench.act(Act::Hold).unwrap();
    }
    bench.scan(COLA).unwrap();
    assert_eq!(word(&bench.act(Act::Hold)), "not_now");
}

#[test]
fn a_sale_is_given_up_with_a_reason_and_leaves_memory() {
    let mut bench = TestTill::open();
    assert_eq!(word(&bench.act(Act::VoidSale { reason: "gone".to_owned() })), "no_sale");
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    assert_eq!(word(&bench.act(Act::VoidSale { reason: String::new() })), "not_now");
    bench.act(Act::VoidSale { reason: "the customer left".to_owned() }).unwrap();
    assert!(!bench.till.holds(sale));
}

#[test]
fn a_member_is_recognised_once_a_sale() {
    let mut bench = TestTill::open();
    let code = crate::token::member_code(crate::token::MemberRef([7; 10]), b"secret", shop::NOW_S);
    let other = crate::token::member_code(crate::token::MemberRef([8; 10]), b"secret", shop::NOW_S);
    assert_eq!(kinds(&bench.scan(&code).unwrap()), ["sale_opened", "member_recognised"]);
    assert_eq!(word(&bench.scan(&code)), "not_now");
    assert_eq!(word(&bench.scan(&other)), "not_now");
    assert!(bench.front().member.is_some());
    assert_eq!(word(&bench.act(Act::Pay)), "nothing_to_pay");
}

#[test]
fn a_member_who_is_forgotten_goes_on_as_a_customer_without_a_name() {
    let mut bench = TestTill::open();
    let code = crate::token::member_code(crate::token::MemberRef([7; 10]), b"secret", shop::NOW_S);
    bench.scan(&code).unwrap();
    bench.scan(COLA).unwrap();
    let member = crate::token::MemberRef([7; 10]).to_string();
    assert!(bench.front().member.is_some_and(|shown| shown.len() < member.len()), "no screen has all of it");
    let forget = Event::MemberForgotten { member };
    assert_eq!(kinds(&bench.post(&forget).unwrap()), ["member_forgotten"]);
    assert_eq!(bench.front().member, None);
    assert_eq!(kinds(&bench.post(&forget).unwrap()), ["member_forgotten"], "told twice, it says so twice");
    bench.act(Act::Pay).unwrap();
}

#[test]
fn a_second_station_has_its_own_sale_and_takes_over_held_ones() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    bench.act(Act::Hold).unwrap();
    bench.station = "back".parse().unwrap();
    assert_eq!(word(&bench.scan(COLA)), "sign_in_first");
    bench.act(Act::SignIn).unwrap();
    bench.act(Act::Recall { sale }).unwrap();
    bench.cash(350).unwrap();
    assert_eq!(bench.view().stations[&bench.station].paid.as_ref().unwrap().sale, sale);
}

#[test]
fn a_body_that_cannot_be_read_freezes_its_sale_and_no_other() {
    let mut bench = TestTill::open();
    bench.scan(COLA).unwrap();
    let sale = bench.front().id;
    let mut strange = bench.scan(COLA).unwrap().pop().unwrap();
    bench.records.pop();
    strange.body = Body::parse("line_added", b"{\"kind\":\"line_added\",\"new\":1}");
    assert!(matches!(strange.body, Body::Unreadable { .. }));
    bench.records.push(strange);
    bench.till = replay(&bench.records);
    assert_eq!(bench.front().phase, Phase::Frozen);
    for answer in [
        bench.scan(COLA),
        bench.act(Act::Pay),
        bench.cash(700),
        bench.act(Act::Back),
        bench.scan(&pay_code(1)),
        bench.act(Act::VoidSale { reason: "frozen".to_owned() }),
        bench.act(Act::PutOnDesk { desk: "d1".parse().unwrap() }),
    ] {
        assert_eq!(word(&answer), "frozen");
    }
    bench.act(Act::Hold).unwrap();
    bench.scan(COLA).unwrap();
    bench.cash(350).unwrap();
    assert!(bench.till.holds(sale), "a frozen sale waits for a person");
}
