//! Files that cannot be audited, and one that is long.

use crate::audit::sample::Shop;
use crate::audit::{Error, Paths, run};

#[test]
fn a_missing_file_is_named_with_what_to_do() {
    let shop = Shop::new();
    let paths = Paths { gateway: Some(shop.dir.path().join("nowhere.db")), ..shop.paths() };
    let error = run(&paths).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
    let words = error.to_string();
    assert!(words.starts_with("a wallet gateway's ledger is missing at "), "{words}");
    assert!(!shop.dir.path().join("nowhere.db").exists());
}

#[test]
fn files_that_are_mixed_up_are_refused() {
    let shop = Shop::new();
    let right = shop.paths();
    let (gateway, cloud) = (right.gateway.clone().unwrap(), right.cloud.clone().unwrap());
    for paths in [
        Paths { journal: gateway.clone(), ..right.clone() },
        Paths { gateway: Some(cloud.clone()), ..right.clone() },
        Paths { cloud: Some(gateway), ..right.clone() },
    ] {
        assert!(matches!(run(&paths).unwrap_err(), Error::Foreign { .. }));
    }
    let text = shop.dir.path().join("till.toml");
    std::fs::write(&text, "till = 3\n".repeat(100)).unwrap();
    let error = run(&Paths { cloud: Some(text), ..right }).unwrap_err();
    assert!(
        error.to_string().ends_with("is not the cloud's database: check that the files are not mixed up")
    );
}

#[test]
fn a_newer_layout_is_refused() {
    let shop = Shop::new();
    for (database, layout) in [(&shop.journal, 4), (&shop.gateway, 2), (&shop.cloud, 9)] {
        database.execute_batch("PRAGMA user_version = 77").unwrap();
        let error = run(&shop.paths()).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 77, known, .. } if known == layout), "{error}");
        database.execute_batch(&format!("PRAGMA user_version = {layout}")).unwrap();
    }
}

#[test]
fn nothing_is_written() {
    let shop = Shop::after_a_morning();
    let version = |path: &std::path::Path| std::fs::read(path).unwrap();
    let paths = shop.paths();
    let before = version(&paths.journal);
    shop.audit();
    assert_eq!(version(&paths.journal), before);
}

/// What it takes is read off the test's own time: machines differ, so nothing is asserted of it.
#[test]
#[ignore = "long: run it in a release build"]
fn a_long_journal_streams_past() {
    let mut shop = Shop::new();
    for database in [&shop.journal, &shop.cloud] {
        database.execute_batch("BEGIN").unwrap();
    }
    for _ in 0..100_000 {
        shop.write(r#""line_voided","line":1,"reason":null"#, |_| ());
    }
    for database in [&shop.journal, &shop.cloud] {
        database.execute_batch("COMMIT").unwrap();
    }
    let report = shop.audit();
    assert!(report.agrees());
    assert_eq!(report.counts.records_at_cloud, Some(100_001));
}

/// Brings forward what the journal has up to its `kept_from`th record, and lets those before it go, of which so many
/// are left for later.
fn prune(shop: &Shop, kept_from: u64, left: u64) {
    shop.journal
        .execute_batch(&format!(
            "INSERT INTO brought_forward VALUES (1, {kept_from}, zeroblob(9));
            DELETE FROM record WHERE position < {kept_from} - {left} AND kind NOT IN ('genesis', 'epoch_adopted', 'staff_added')"
        ))
        .unwrap();
}

#[test]
fn records_that_the_till_keeps_no_longer_are_read_from_the_cloud() {
    let whole = Shop::after_a_morning();
    let before = whole.audit();
    let end: u64 = whole.tip.seq;
    for (kept_from, left) in [(2, 0), (end / 2, 0), (end / 2, 5), (end, 0), (end, end)] {
        let shop = Shop::after_a_morning();
        prune(&shop, kept_from, left);
        let mut after = shop.audit();
        assert_eq!(after.findings, before.findings, "kept from {kept_from}");
        assert_eq!(after.counts.records, end - kept_from + 1);
        assert_eq!(after.counts.records_pruned, kept_from - 1);
        assert_eq!(after.counts.sums, before.counts.sums);
        after.counts.records = before.counts.records;
        after.counts.records_at_cloud = before.counts.records_at_cloud;
        after.counts.records_pruned = 0;
        assert_eq!(after.counts, before.counts, "kept from {kept_from}");
    }
}

#[test]
fn records_that_neither_side_has_are_found() {
    let shop = Shop::after_a_morning();
    prune(&shop, 6, 0);
    let alone = run(&Paths { cloud: None, gateway: None, ..shop.paths() }).unwrap();
    let codes: Vec<&str> = alone.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes.first(), Some(&"pruned"), "{:?}", alone.findings);
    shop.at_cloud("DELETE FROM record WHERE seq = 4");
    assert!(shop.audit().findings.iter().any(|finding| finding.code == "sequence"));
    let shop = Shop::after_a_morning();
    prune(&shop, 6, 0);
    shop.tamper("DELETE FROM record WHERE seq = 8");
    assert!(shop.audit().findings.iter().any(|finding| finding.code == "position"));
}
