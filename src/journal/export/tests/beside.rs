//! A journal where it lies, changed beside its records, and what its epochs say of each other.
//!
//! Not here: what changes a record itself (`tests`).

use super::*;
use crate::journal::settings;

/// A journal that somebody with its file changed, triggers put away.
fn changed(sql: &str) -> (tempfile::TempDir, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(7);
    let mut records = pen.many(10);
    records.push(pen.receipt(sale(9), 1, 1280));
    records.extend(Pen::new(8).many(3));
    journal.append(&records).unwrap();
    journal.close().unwrap();
    let thief = settings::open_to_write(&dir.path().join("journal.db")).unwrap();
    thief.execute_batch(&format!("DROP TRIGGER record_is_not_changed; {sql}")).unwrap();
    drop(thief);
    let reader = Reader::open(dir.path()).unwrap();
    (dir, reader)
}

fn faults(reader: &Reader) -> Vec<(&'static str, Option<u64>)> {
    let report = verify::journal(reader, None, &Known::default(), |_| ()).unwrap();
    report.faults.iter().map(|fault| (fault.code, fault.seq)).collect()
}

#[test]
fn what_lists_and_sums_go_by_is_held_against_the_headers() {
    assert_eq!(faults(&changed("").1), []);
    for column in [
        "amount_minor = 1",
        "currency = 'EUR'",
        "kind = 'stopped'",
        "sale = zeroblob(16)",
        "sale = NULL",
        "wall_ms = 9223372036854775807",
        "training = 1",
        "receipt = 99",
        "receipt = NULL",
        "serial = 'C1'",
    ] {
        let (_dir, reader) = changed(&format!("UPDATE record SET {column} WHERE seq = 12"));
        assert_eq!(faults(&reader), [("column", Some(12))], "{column}");
    }
}

#[test]
fn records_that_changed_places_are_found() {
    let swap = "UPDATE record SET position = -5 WHERE position = 4; UPDATE record SET position = 4 WHERE position = 5;
        UPDATE record SET position = 5 WHERE position = -5";
    let (_dir, reader) = changed(swap);
    assert_eq!(faults(&reader), [("position", Some(5))]);
}

#[test]
fn a_number_ahead_of_its_header_ends_every_reading_and_is_told() {
    for ahead in ["1076", "9223372036854775807"] {
        let (_dir, reader) = changed(&format!("UPDATE record SET seq = {ahead} WHERE position = 12"));
        assert!(faults(&reader).contains(&("column", Some(12))), "{ahead}");
        let error = reader.records(Epoch(7), 12, 100, usize::MAX).unwrap_err();
        assert!(matches!(error, Error::Chain { .. }), "{ahead}: {error}");
    }
}

#[test]
fn a_damaged_page_is_told_whether_or_not_records_are_read_from_it() {
    for (of, told) in [("record_item", vec!["damaged"]), ("record", vec!["damaged", "unread"])] {
        let (dir, reader) = changed("");
        drop(reader);
        let path = dir.path().join("journal.db");
        let thief = settings::open_to_write(&path).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: usize =
            thief.query_row(root, [of], |row| row.get::<_, u32>(0)).unwrap().try_into().unwrap();
        thief.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        drop(thief);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[(page - 1) * 4096..page * 4096].fill(0);
        std::fs::write(&path, bytes).unwrap();
        let codes: Vec<_> =
            faults(&Reader::open(dir.path()).unwrap()).into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, told, "{of}");
    }
}

#[test]
fn a_cut_tail_is_told_once_with_what_the_next_epoch_says_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let first = Pen::new(7).many(10);
    journal.append(&first).unwrap();
    let head = first[10].hash;
    let genesis = format!(
        r#"{{"kind":"genesis","parent":{{"epoch":"{}","seq":11,"head":"{head}"}},"currency":"CNY","time_zone":"Asia/Shanghai",
        "day_cut_minutes":240,"version":"0.1.0","standing":"provisional",
        "found":{{"why":"restored","words":"a copy","aside":"aside/0001","received":14}}}}"#,
        Epoch(7)
    );
    journal.append(&[Pen::new(8).write(&genesis, |_| ())]).unwrap();
    let edge = EdgeStore::open(dir.path()).unwrap();
    edge.set_paired(&trust()).unwrap();
    for seq in 12..=14 {
        edge.received(Epoch(7), &witnessed(Epoch(7), seq, head)).unwrap();
    }
    let shop = Shop { reader: journal.reader().unwrap(), dir, edge };
    let text = joined(&export(&shop, Part::default()));
    let report = ours(&text);
    let words: Vec<&str> = report.faults.iter().map(|fault| fault.words.as_str()).collect();
    let why = format!("The genesis of epoch {} declares a restore after record 11.", Epoch(8));
    assert!(
        words.len() == 1 && words[0].contains("received record 14") && words[0].ends_with(&why),
        "{words:?}"
    );
    let (_, said) = theirs(shop.dir.path(), &text);
    assert_eq!(said.matches("the tail was cut off").count(), 1, "{said}");
}
