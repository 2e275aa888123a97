//! What an audit must find, one thing at a time in a shop where all else agrees.

mod chain;
mod cloud;
mod files;
mod gateway;
mod sales;

use super::sample::Shop;

#[test]
fn a_morning_in_which_everything_happened_agrees() {
    let shop = Shop::after_a_morning();
    let printed = shop.dir.path().join("devices");
    std::fs::create_dir(&printed).unwrap();
    std::fs::write(printed.join("printed.bin"), b"Thank you\n\x1dV\x42\x00\x1dVx").unwrap();
    let report = shop.audit();
    assert!(report.agrees(), "{}", report.to_text());
    let counts = &report.counts;
    assert_eq!(counts.records_at_cloud, Some(counts.records));
    assert_eq!((counts.receipts, counts.coupons, counts.check_ins), (3, 1, 1));
    assert_eq!((counts.intents, counts.approved, counts.declined), (6, 2, 1));
    assert_eq!((counts.given_up, counts.paid_late, counts.open), (2, 1, 0));
    assert_eq!((counts.captured, counts.refunded, counts.unmatched), (Some(4), Some(3), 0));
    assert_eq!((counts.papers_ordered, counts.papers_confirmed, counts.papers_cut), (1, 1, Some(1)));
    let sum = &counts.sums[0];
    assert_eq!(sum.journal.minor, 1280 - 300 + 900);
    assert_eq!(sum.gateway, Some(sum.journal));
    let text = report.to_text();
    assert!(text.starts_with("Audit of till-3\n") && text.ends_with("Everything agrees.\n"), "{text}");
    assert!(serde_json::to_string(&report).unwrap().contains("\"unmatched\":0"));
}

#[test]
fn what_does_not_agree_is_counted_and_listed_at_the_end() {
    let shop = Shop::after_a_morning();
    shop.at_cloud("UPDATE payment SET state = 'drawn' WHERE state = 'declined'");
    let report = shop.audit();
    assert_eq!((report.findings.len(), report.counts.unmatched), (1, 1));
    let text = report.to_text();
    assert!(text.contains("1 thing does not agree:\n   1. The payment of CNY 9.00 is declined"), "{text}");
    assert!(text.contains("[payment_at_cloud]\n      payment 0202"), "{text}");
}

#[test]
fn a_file_that_is_broken_all_through_is_not_listed_to_its_end() {
    let mut shop = Shop::new();
    for _ in 0..300 {
        shop.write(r#""stopped""#, |_| ());
    }
    shop.tamper("UPDATE record SET wall_ms = 5");
    let report = shop.audit();
    assert_eq!((report.findings.len(), report.left_out), (200, 101));
    assert!(report.to_text().contains("301 things do not agree:"));
}

#[test]
fn the_journal_alone_is_audited_too() {
    let shop = Shop::after_a_morning();
    let paths = super::Paths { gateway: None, cloud: None, ..shop.paths() };
    let report = super::run(&paths).unwrap();
    assert!(report.agrees(), "{}", report.to_text());
    assert_eq!((report.counts.captured, report.counts.records_at_cloud), (None, None));
    assert!(report.to_text().contains("not given"));
}
