//! Findings between the journal and the cloud.

use crate::audit::code;
use crate::audit::sample::{EPOCH, Shop, intent, sale};

#[test]
fn records_that_wait_for_the_cloud_are_one_finding_and_nothing_follows_from_them() {
    let mut shop = Shop::after_a_morning();
    let [first, second] = [r#""booted","version":"1","shutdown":"clean""#, r#""stopped""#];
    for fields in [first, second] {
        let record = shop.seal(fields, |_| ());
        shop.put(&record);
    }
    shop.finds(&[code::RECORD_NOT_AT_CLOUD]);
    assert_eq!(shop.audit().findings.len(), 1);
}

#[test]
fn the_mark_of_a_clean_stop_may_wait_for_the_next_start() {
    let mut shop = Shop::after_a_morning();
    let record = shop.seal(r#""stopped""#, |_| ());
    shop.put(&record);
    shop.finds(&[]);
    assert_eq!(shop.audit().counts.stops_to_send, 1);
}

#[test]
fn a_record_with_other_bytes_at_the_cloud_is_found() {
    for column in ["salt = zeroblob(16)", "head = x'00'", "body = x'00'"] {
        let shop = Shop::after_a_morning();
        shop.at_cloud(&format!("UPDATE record SET {column} WHERE seq = 4"));
        shop.finds(&[code::RECORD_DIFFERS]);
    }
}

#[test]
fn records_that_only_the_cloud_has_are_found() {
    let shop = Shop::after_a_morning();
    shop.bring(&shop.seal(r#""stopped""#, |_| ()));
    shop.finds(&[code::RECORD_ONLY_AT_CLOUD]);
    let shop = Shop::after_a_morning();
    shop.at_cloud(
        "INSERT INTO stream (terminal, epoch, high, head, judged, receipts, opened_ms, received_ms)
             VALUES ('till-3', '00000000000000aa', 5, '', 5, 0, 0, 0)",
    );
    shop.finds(&[code::RECORD_ONLY_AT_CLOUD]);
}

#[test]
fn a_watermark_beside_the_records_is_found() {
    let shop = Shop::after_a_morning();
    shop.at_cloud("UPDATE stream SET high = high + 1, judged = judged + 1");
    shop.finds(&[code::WATERMARK]);
}

#[test]
fn records_that_the_cloud_has_not_booked_are_one_finding() {
    let shop = Shop::after_a_morning();
    shop.at_cloud("UPDATE stream SET judged = 10");
    shop.at_cloud("DELETE FROM receipt WHERE seq > 10");
    shop.at_cloud("DELETE FROM payment WHERE changed_seq > 10");
    shop.finds(&[code::NOT_BOOKED]);
}

#[test]
fn a_second_branch_is_found() {
    let shop = Shop::after_a_morning();
    shop.at_cloud(
        "INSERT INTO fork SELECT terminal, epoch, seq, 'x', head, salt, body, 0 FROM record WHERE seq = 2",
    );
    shop.finds(&[code::FORK]);
}

#[test]
fn a_payment_that_stands_elsewhere_at_the_cloud_is_found() {
    for change in [
        "UPDATE payment SET state = 'unsure' WHERE state = 'tombstoned'",
        "UPDATE payment SET amount_minor = 1 WHERE state = 'declined'",
        "UPDATE payment SET trade = 'x' WHERE state = 'approved'",
        "DELETE FROM payment WHERE state = 'paid_late'",
        "INSERT INTO payment SELECT 'x', terminal, epoch, sale, provider, carrier, 1, currency, state, NULL, NULL, 1
            FROM payment WHERE state = 'declined'",
    ] {
        let shop = Shop::after_a_morning();
        shop.at_cloud(change);
        shop.finds(&[code::PAYMENT_AT_CLOUD]);
    }
}

#[test]
fn a_refund_that_stands_elsewhere_at_the_cloud_is_found() {
    for change in [
        "UPDATE payment_refund SET state = 'drawn' WHERE amount_minor = 300",
        "UPDATE payment_refund SET amount_minor = 301 WHERE amount_minor = 300",
        "DELETE FROM payment_refund WHERE amount_minor = 700",
        "INSERT INTO payment_refund VALUES ('x', 'y', 'till-3', 1, 'CNY', 'drawn')",
        "INSERT INTO refund SELECT refund, intent, terminal, amount_minor, currency, '', 'pending', '', 0
            FROM payment_refund WHERE amount_minor = 300",
    ] {
        let shop = Shop::after_a_morning();
        shop.at_cloud(change);
        shop.finds(&[code::REFUND_AT_CLOUD]);
    }
}

#[test]
fn a_receipt_that_is_another_at_the_cloud_is_found() {
    for change in [
        "UPDATE receipt SET total_minor = 1 WHERE number = 2",
        "DELETE FROM receipt WHERE number = 2",
        "UPDATE receipt SET number = 9 WHERE number = 3",
    ] {
        let shop = Shop::after_a_morning();
        shop.at_cloud(change);
        shop.finds(&[code::RECEIPT_AT_CLOUD]);
    }
}

#[test]
fn a_coupon_is_at_the_cloud_once_or_refused() {
    let shop = Shop::after_a_morning();
    shop.at_cloud("UPDATE coupon_redemption SET terminal = 'till-9'");
    shop.finds(&[code::COUPON_AT_CLOUD]);
    shop.at_cloud(
        "INSERT INTO verdict SELECT terminal, 1, epoch, seq, NULL, 'refused', 'coupon_already_used', '', 0, 0
            FROM record WHERE kind = 'coupon_redeemed'",
    );
    shop.finds(&[]);
    shop.at_cloud(&format!(
        "INSERT INTO coupon_redemption VALUES ('C-1', 7, 'till-3', '{EPOCH}', 2, NULL, 0, '')"
    ));
    shop.finds(&[code::COUPON_AT_CLOUD]);
}

#[test]
fn a_visit_is_counted_at_the_cloud_once_a_day() {
    let mut shop = Shop::after_a_morning();
    shop.write(r#""member_recognised","member":"m-1","source":"desk","code_proof":null"#, |_| ());
    shop.finds(&[]);
    assert_eq!(shop.audit().counts.check_ins, 1);
    shop.at_cloud("UPDATE check_in SET business_date = '2026-11-23'");
    shop.finds(&[code::CHECK_IN_AT_CLOUD]);
    assert_eq!(shop.audit().findings.len(), 3);
}

#[test]
fn an_order_where_the_money_is_elsewhere_is_found() {
    for change in [
        "UPDATE order_claim SET state = 'ended'",
        "UPDATE order_claim SET amount_minor = 1",
        "UPDATE order_claim SET provider = 'wechat'",
        "DELETE FROM order_claim",
        "UPDATE order_claim SET intent = 'x'",
    ] {
        let shop = Shop::after_a_morning();
        shop.at_cloud(change);
        shop.finds(&[code::ORDER_AT_CLOUD]);
        assert!(shop.audit().counts.unmatched > 0);
    }
    let mut shop = Shop::after_a_morning();
    shop.open(8);
    shop.fix(8, 500);
    shop.draw_order(8, 80, 500);
    shop.end(8, 80, r#""abandoned","intent":"{}","why":"w""#);
    shop.order(80, 8, 500, "paid_late");
    let report = shop.audit();
    assert_eq!(report.findings.len(), 1, "{}", report.to_text());
    assert_eq!(report.findings[0].code, code::ORDER_AT_CLOUD);
    assert_eq!((report.findings[0].intent, report.findings[0].sale), (Some(intent(80)), Some(sale(8))));
    shop.at_cloud("UPDATE order_claim SET state = 'refunded' WHERE state = 'paid_late'");
    shop.finds(&[]);
}

#[test]
fn what_other_tills_brought_is_not_this_journals_business() {
    let shop = Shop::after_a_morning();
    for change in [
        "INSERT INTO terminal VALUES ('till-4', zeroblob(32), '', 0, 0)",
        "INSERT INTO stream (terminal, epoch, high, head, judged, receipts, opened_ms, received_ms)
             VALUES ('till-4', '00000000000000aa', 5, '', 5, 0, 0, 0)",
        "INSERT INTO receipt VALUES ('till-4', '00000000000000aa', 1, 1, NULL, '2026-11-22', 5, 'CNY')",
        "INSERT INTO coupon_redemption VALUES ('C-1', 7, 'till-4', '00000000000000aa', 2, NULL, 0, '')",
        "INSERT INTO check_in VALUES ('m-2', '2026-11-22', 'till-4', '00000000000000aa', 3)",
    ] {
        shop.at_cloud(change);
    }
    shop.finds(&[]);
}
