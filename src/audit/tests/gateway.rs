//! Findings between the journal and the gateway.

use crate::audit::code;
use crate::audit::sample::Shop;

/// A sale whose payment is drawn for five yuan.
fn paying(shop: &mut Shop) {
    shop.open(8);
    shop.fix(8, 500);
    shop.draw(8, 80, 500);
}

#[test]
fn approved_money_that_the_wallet_never_took_is_found() {
    let mut shop = Shop::after_a_morning();
    paying(&mut shop);
    shop.approve(8, 80, 500);
    shop.issue(8, 500);
    shop.finds(&[code::APPROVED_NOT_CAPTURED, code::SUMS]);
    shop.trade(80, 500);
    shop.finds(&[code::APPROVED_NOT_CAPTURED, code::SUMS]);
    assert_eq!(shop.audit().counts.unmatched, 1);
}

#[test]
fn another_amount_at_the_wallet_is_found() {
    let mut shop = Shop::after_a_morning();
    paying(&mut shop);
    shop.capture(80, 510);
    shop.approve(8, 80, 500);
    shop.issue(8, 500);
    shop.finds(&[code::AMOUNT_DIFFERS, code::SUMS]);
}

#[test]
fn another_amount_in_the_answer_is_found() {
    let mut shop = Shop::after_a_morning();
    paying(&mut shop);
    shop.capture(80, 500);
    shop.approve(8, 80, 499);
    shop.issue(8, 500);
    // The header's copy of the amount is what the answer said, so the sums differ, too.
    shop.finds(&[code::AMOUNT_DIFFERS, code::SUMS]);
}

#[test]
fn another_trade_number_is_found() {
    let shop = Shop::after_a_morning();
    shop.gateway.execute_batch("UPDATE trade SET trade_no = 'x' WHERE out_trade_no LIKE '0101%'").unwrap();
    shop.finds(&[code::TRADE_DIFFERS]);
}

#[test]
fn money_that_went_back_at_one_side_only_is_found() {
    let shop = Shop::after_a_morning();
    shop.give_back(4, 900);
    shop.finds(&[code::REFUND_DIFFERS, code::SUMS]);
}

#[test]
fn late_money_that_the_wallet_keeps_is_found_with_the_reason() {
    let mut shop = Shop::after_a_morning();
    paying(&mut shop);
    shop.end(8, 80, r#""cancelling","intent":"{}","why":"slow""#);
    shop.end(8, 80, r#""cancelled","intent":"{}","action":"close""#);
    shop.capture(80, 500);
    shop.pay_late(8, 80, 500);
    shop.finds(&[code::LATE_MONEY_KEPT]);
    shop.draw_refund(8, 9, 80, 500);
    shop.write(r#""refund_refused","refund":"09090909090909090909090909090909","words":"no""#, |_| ());
    let report = shop.audit();
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].words.contains("the wallet refuses"), "{}", report.findings[0].words);
}

#[test]
fn money_of_a_payment_that_was_given_up_is_found_until_it_went_back() {
    for ending in [
        r#""declined","intent":"{}","code":"C","words":"no","advice":"new_code""#,
        r#""cancelled","intent":"{}","action":"close""#,
        r#""tombstoned","intent":"{}""#,
        r#""abandoned","intent":"{}","why":"w""#,
    ] {
        let mut shop = Shop::after_a_morning();
        paying(&mut shop);
        shop.end(8, 80, ending);
        shop.finds(&[]);
        shop.capture(80, 500);
        shop.finds(&[code::GIVEN_UP_BUT_KEPT, code::SUMS]);
        shop.give_back(80, 500);
        shop.finds(&[]);
    }
}

#[test]
fn money_of_a_payment_that_is_still_open_is_found() {
    let mut shop = Shop::after_a_morning();
    paying(&mut shop);
    shop.finds(&[]);
    assert_eq!(shop.audit().counts.open, 1);
    shop.capture(80, 500);
    shop.finds(&[code::OPEN_BUT_CAPTURED, code::SUMS]);
}

#[test]
fn money_that_the_journal_knows_nothing_of_is_found() {
    let shop = Shop::after_a_morning();
    shop.trade(80, 500);
    shop.finds(&[]);
    shop.capture(81, 500);
    shop.finds(&[code::CAPTURE_WITHOUT_INTENT, code::SUMS]);
}

#[test]
fn money_that_was_taken_twice_is_found() {
    let shop = Shop::after_a_morning();
    shop.gateway.execute_batch("DROP INDEX one_capture_a_trade").unwrap();
    shop.entry(4, "capture", 900);
    shop.finds(&[code::CAPTURED_TWICE, code::SUMS]);
}

#[test]
fn books_of_the_wallet_that_contradict_themselves_are_found() {
    let shop = Shop::after_a_morning();
    shop.gateway.execute_batch("UPDATE trade SET refunded = 1 WHERE out_trade_no LIKE '0404%'").unwrap();
    shop.finds(&[code::LEDGER]);
    let shop = Shop::after_a_morning();
    shop.entry(90, "capture", 5);
    shop.finds(&[code::LEDGER]);
    let shop = Shop::after_a_morning();
    shop.gateway
        .execute_batch(
            "INSERT INTO tombstone (out_trade_no, at_ms) SELECT out_trade_no, 0 FROM trade LIMIT 1",
        )
        .unwrap();
    shop.finds(&[code::LEDGER]);
    assert_eq!(shop.audit().counts.tombstones, Some(1));
}
