//! Findings in the chain.

use crate::audit::sample::{EPOCH, Shop};
use crate::audit::{Error, code};
use crate::record::body::{Body, Parent};
use crate::record::{Epoch, Hash};

#[test]
fn a_record_that_is_gone_leaves_a_gap() {
    let shop = Shop::after_a_morning();
    shop.tamper("DELETE FROM record WHERE kind = 'print_started'");
    shop.finds(&[code::SEQUENCE, code::POSITION, code::RECORD_ONLY_AT_CLOUD]);
}

#[test]
fn a_record_of_another_history_does_not_follow() {
    let mut shop = Shop::new();
    shop.write(r#""stopped""#, |header| header.previous = Hash([9; 32]));
    shop.finds(&[code::LINK]);
}

#[test]
fn a_hash_column_that_was_changed_is_found() {
    let shop = Shop::after_a_morning();
    shop.tamper("UPDATE record SET hash = zeroblob(32) WHERE seq = 3");
    shop.finds(&[code::HASH]);
}

#[test]
fn a_body_that_was_changed_is_found_here_and_at_the_cloud() {
    let shop = Shop::after_a_morning();
    shop.tamper(
        "UPDATE record SET body = CAST(replace(body, 'gone', 'nope') AS BLOB) WHERE kind = 'sale_voided'",
    );
    shop.finds(&[code::BODY, code::RECORD_DIFFERS]);
}

#[test]
fn a_header_that_cannot_be_read_is_found() {
    let shop = Shop::after_a_morning();
    shop.tamper("UPDATE record SET head = x'0001ff' WHERE kind = 'print_ordered'");
    let report = shop.audit();
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [code::HASH, code::HEADER, code::LINK, code::RECORD_DIFFERS]);
}

#[test]
fn a_body_that_says_nothing_known_is_found() {
    let mut shop = Shop::new();
    let mut record = shop.seal(r#""stopped""#, |_| ());
    record.bytes = b"{\"kind\":\"of a later day\"}".to_vec();
    record.header.body_hash = crate::record::body_hash(&record.salt, &record.bytes);
    record.head = record.header.encode();
    record.hash = crate::record::header_hash(&record.head);
    shop.put(&record);
    shop.bring(&record);
    shop.finds(&[code::UNREADABLE]);
}

#[test]
fn columns_that_are_not_what_the_header_says_are_found() {
    for change in [
        "kind = 'booted'",
        "sale = zeroblob(16)",
        "wall_ms = 1",
        "training = 1",
        "receipt = 99",
        "serial = 'x'",
        "amount_minor = 1, currency = 'KWD'",
    ] {
        let shop = Shop::after_a_morning();
        shop.tamper(&format!("UPDATE record SET {change} WHERE kind = 'stopped' OR seq = 2"));
        let report = shop.audit();
        assert!(report.findings.iter().all(|finding| finding.code == code::COLUMN), "{}", report.to_text());
        assert!(!report.agrees(), "{change}");
    }
}

#[test]
fn a_record_of_another_till_is_found() {
    let mut shop = Shop::new();
    let record = shop.seal(r#""stopped""#, |header| header.terminal = "till-4".parse().unwrap());
    shop.put(&record);
    shop.bring(&record);
    shop.finds(&[code::STRANGER]);
}

#[test]
fn an_epoch_begins_with_its_genesis_where_its_parent_ends() {
    let mut shop = Shop::new();
    let end = shop.tip;
    for (seq, codes) in [(end.seq, &[][..]), (end.seq + 7, &[code::GENESIS][..])] {
        shop.tip = crate::record::chain::Tip::START;
        let mut record = shop.seal(r#""stopped""#, |header| header.epoch = Epoch(seq));
        let parent = Some(Parent { epoch: EPOCH, seq, head: end.head });
        let (currency, version) = (crate::money::Currency::CNY, String::new());
        let time_zone = "Asia/Shanghai".to_owned();
        let body = Body::Genesis {
            parent,
            currency,
            time_zone,
            day_cut_minutes: 0,
            version,
            standing: crate::record::epochs::Standing::Regular,
            found: None,
        };
        record = crate::record::Record::seal(record.header, body, record.salt);
        shop.put(&record);
        shop.bring(&record);
        shop.finds(codes);
    }
}

#[test]
fn an_epoch_without_a_genesis_is_found() {
    let mut shop = Shop::new();
    shop.tip = crate::record::chain::Tip::START;
    let record = shop.seal(r#""stopped""#, |header| header.epoch = Epoch(5));
    shop.put(&record);
    shop.bring(&record);
    shop.finds(&[code::GENESIS]);
}

#[test]
fn a_record_of_a_newer_format_is_refused_with_what_to_do() {
    let mut shop = Shop::new();
    let record = shop.seal(r#""stopped""#, |header| header.format = 9);
    shop.put(&record);
    let error = crate::audit::run(&shop.paths()).unwrap_err();
    assert!(matches!(error, Error::NewerRecord { seq: 2, found: 9, .. }), "{error}");
    assert!(error.to_string().ends_with("audit it with the Till that wrote it"), "{error}");
}
