//! Findings in sales, receipts and intents, by the journal alone.

use crate::audit::code;
use crate::audit::sample::{Shop, intent};
use crate::record::Mode;

fn cash_sale(shop: &mut Shop, receipt: Option<u64>) {
    shop.open(8);
    shop.fix(8, 500);
    shop.cash(8, 500, 0);
    shop.issue_as(8, receipt, 500);
}

#[test]
fn a_receipt_number_that_was_left_out_is_found() {
    let mut shop = Shop::after_a_morning();
    cash_sale(&mut shop, Some(5));
    shop.finds(&[code::RECEIPT_GAP]);
}

#[test]
fn a_receipt_number_that_came_twice_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.journal.execute_batch("DROP INDEX record_by_receipt").unwrap();
    cash_sale(&mut shop, Some(3));
    shop.finds(&[code::RECEIPT_TWICE]);
}

#[test]
fn a_sale_with_two_receipts_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.issue(2, 500);
    shop.finds(&[code::RECEIPT_TWICE]);
}

#[test]
fn a_receipt_without_a_number_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    let record = shop.seal(r#""receipt_issued","total":{"minor":0,"currency":"CNY"}"#, |_| ());
    shop.put(&record);
    shop.bring(&record);
    shop.finds(&[code::RECEIPT_WITHOUT_NUMBER]);
}

#[test]
fn a_receipt_over_another_sum_than_came_in_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    shop.fix(8, 500);
    shop.cash(8, 500, 100);
    shop.issue(8, 500);
    shop.finds(&[code::RECEIPT_MONEY]);
}

#[test]
fn a_receipt_over_another_sum_than_was_fixed_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    shop.fix(8, 400);
    shop.cash(8, 500, 0);
    shop.issue(8, 500);
    shop.finds(&[code::RECEIPT_TOTAL]);
}

#[test]
fn money_without_a_receipt_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    shop.fix(8, 500);
    shop.cash(8, 300, 0);
    shop.finds(&[]);
    shop.cash(8, 200, 0);
    shop.finds(&[code::MONEY_WITHOUT_RECEIPT]);
}

#[test]
fn a_total_that_is_not_the_sum_of_its_lines_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    shop.fix_as(8, 500, 610);
    shop.finds(&[code::TOTAL_SUM]);
}

#[test]
fn a_coupon_that_was_redeemed_twice_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.redeem(2, "C-77");
    let verdict =
        "INSERT INTO verdict SELECT 'till-3', 1, epoch, seq, NULL, 'refused', 'coupon_already_used', '', 0, 0
        FROM record WHERE kind = 'coupon_redeemed' ORDER BY seq DESC LIMIT 1";
    shop.at_cloud(verdict);
    shop.finds(&[code::COUPON_TWICE]);
    assert_eq!(shop.audit().counts.verdicts_refused, Some(1));
}

#[test]
fn an_intent_that_was_drawn_twice_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.draw(4, 6, 700);
    shop.finds(&[code::INTENT_TWICE]);
}

#[test]
fn an_outcome_without_its_intent_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.end(4, 99, r#""pending","intent":"{}""#);
    shop.finds(&[code::OUTCOME_WITHOUT_INTENT]);
}

#[test]
fn money_that_was_booked_twice_is_found() {
    let mut shop = Shop::after_a_morning();
    shop.approve(1, 1, 1280);
    shop.finds(&[code::APPROVED_TWICE, code::RECEIPT_MONEY, code::SUMS]);
}

#[test]
fn practice_counts_nowhere() {
    let mut shop = Shop::after_a_morning();
    let before = shop.audit().counts;
    shop.mode = Mode::Training;
    shop.open(8);
    shop.fix(8, 500);
    shop.draw(8, 50, 500);
    shop.approve(8, 50, 500);
    shop.redeem(8, "C-77");
    shop.issue_as(8, Some(1), 500);
    shop.write(r#""member_recognised","member":"m-9","source":"desk","code_proof":null"#, |_| ());
    shop.finds(&[]);
    let after = shop.audit().counts;
    assert_eq!((after.intents, after.receipts, &after.sums), (before.intents, before.receipts, &before.sums));
    shop.capture(50, 500);
    let report = shop.audit();
    assert_eq!(report.findings[0].code, code::CAPTURE_WITHOUT_INTENT);
    assert!(report.findings[0].words.contains(&intent(50).to_string()));
}
