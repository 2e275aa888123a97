//! What readers see of a journal: what is committed, page by page, and nothing else.

use super::*;
use crate::journal::Journal;
use crate::journal::sample::{Pen, sale};
use crate::money::Currency;

fn journal() -> (tempfile::TempDir, Journal, Pen) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path()).unwrap();
    (dir, journal, Pen::new(1))
}

fn cny(minor: i64) -> Option<Money> {
    Some(Money::new(minor, Currency::CNY))
}

#[test]
fn a_reader_on_another_thread_sees_what_is_committed() {
    let (_dir, mut journal, mut pen) = journal();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.end().unwrap(), None);
    let records = pen.many(4);
    journal.append(&records).unwrap();
    let other = reader.clone();
    let seen = std::thread::spawn(move || other.records(Epoch(1), 1, 100, 1 << 20).unwrap());
    assert_eq!(seen.join().unwrap(), records);
    assert_eq!(reader.end().unwrap(), Some(pen.end()));
    assert_eq!(reader.sale(sale(0)).unwrap(), records[1..3]);
    reader.quick_check().unwrap();
}

#[test]
fn a_batch_keeps_to_its_limits_but_is_never_empty_for_nothing() {
    let (_dir, mut journal, mut pen) = journal();
    let records = pen.many(9);
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let seqs = |from, count, bytes| {
        let raw = reader.raw(Epoch(1), from, count, bytes).unwrap();
        raw.iter().map(|raw| raw.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(3, 4, usize::MAX), [3, 4, 5, 6]);
    assert_eq!(seqs(9, 4, usize::MAX), [9, 10]);
    assert_eq!(seqs(3, 4, 0), [3]);
    let two = reader.raw(Epoch(1), 3, 2, usize::MAX).unwrap();
    let bytes = two.iter().map(Raw::len_bytes).sum();
    assert_eq!(seqs(3, 4, bytes), [3, 4]);
    assert_eq!(seqs(3, 4, bytes - 1), [3]);
    assert_eq!(seqs(11, 4, usize::MAX), [0; 0]);
    assert_eq!(two[0].hash, records[2].hash);
    assert_eq!(two[0].clone().open().unwrap(), records[2]);
}

#[test]
fn every_epoch_has_its_end() {
    let (_dir, mut journal, mut pen) = journal();
    journal.append(&pen.many(3)).unwrap();
    let mut next = Pen::new(0);
    journal.append(&next.many(1)).unwrap();
    assert_eq!(journal.reader().unwrap().epochs().unwrap(), [pen.end(), next.end()]);
}

#[test]
fn receipts_come_newest_first_and_lead_to_their_sale() {
    let (_dir, mut journal, mut pen) = journal();
    let mut records = vec![pen.genesis()];
    records.extend((1..=3).map(|number| pen.receipt(sale(number), number, 100)));
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let receipts = reader.receipts(2).unwrap();
    assert_eq!(receipts.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [3, 2]);
    let newest = &receipts[0];
    assert_eq!((newest.sale, newest.total, newest.seq), (Some(sale(3)), cny(100), 4));
    assert_eq!(newest.mode, Mode::Live);
    assert_eq!(reader.sale_of_receipt(Epoch(1), 2).unwrap(), Some(sale(2)));
    assert_eq!(reader.sale_of_receipt(Epoch(1), 4).unwrap(), None);
    assert_eq!(reader.sale_of_receipt(Epoch(2), 2).unwrap(), None);
}

#[test]
fn what_waits_longest_is_what_was_written_first_whatever_the_clock_said() {
    let (_dir, mut journal, mut pen) = journal();
    let mut records = pen.many(2);
    for (number, wall_ms) in [(1, 5_000), (2, 4_000), (3, 6_000)] {
        let total = r#"{"kind":"receipt_issued","total":{"minor":100,"currency":"CNY"}}"#;
        records.push(pen.write(total, |header| {
            (header.receipt, header.amount, header.moment.wall_ms) = (Some(number), cny(100), wall_ms);
        }));
    }
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    assert_eq!(reader.waiting(Epoch(1), 3, 1).unwrap().oldest_wall_ms, Some(5_000));
}

#[test]
fn what_waits_is_counted_and_worth_what_its_receipts_say() {
    let (_dir, mut journal, mut pen) = journal();
    let mut records = pen.many(2);
    records.push(pen.receipt(sale(0), 1, 1280));
    records.push(pen.receipt(sale(1), 2, 20));
    let practice = |header: &mut crate::record::Header| {
        header.receipt = Some(3);
        header.amount = cny(99_999);
        header.mode = Mode::Training;
    };
    let total = r#"{"kind":"receipt_issued","total":{"minor":99999,"currency":"CNY"}}"#;
    records.push(pen.write(total, practice));
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let waiting = reader.waiting(Epoch(1), 2, 2).unwrap();
    assert_eq!((waiting.records, waiting.receipts, waiting.worth), (4, 3, cny(1300)));
    assert_eq!(waiting.oldest_wall_ms, Some(records[2].header.moment.wall_ms));
    let shown: Vec<_> = waiting.entries.iter().map(|entry| (entry.seq, entry.kind.as_str())).collect();
    assert_eq!(shown, [(3, "sale_moved"), (4, "receipt_issued")]);
    assert_eq!((waiting.entries[1].sale, waiting.entries[1].amount), (Some(sale(0)), cny(1280)));
    let counted = reader.waiting(Epoch(1), 2, 0).unwrap();
    assert_eq!((counted.records, counted.entries), (4, Vec::new()));
    assert_eq!(reader.waiting(Epoch(1), 6, 10).unwrap(), Waiting::default());
}

#[test]
fn there_is_nothing_to_read_before_a_writer_came() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Reader::open(dir.path()).unwrap_err(), Error::Open { .. }));
}

#[test]
fn people_can_read_a_journal_with_sql() {
    let (_dir, mut journal, mut pen) = journal();
    journal.append(&[pen.genesis(), pen.receipt(sale(1), 1, 500)]).unwrap();
    let reader = journal.reader().unwrap();
    let sql = "SELECT epoch, sale, at_utc, amount_minor, body IS NULL FROM readable WHERE seq = 2";
    let row = reader.lock().query_row(sql, [], |row| {
        let at: String = row.get(2)?;
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, at, row.get(3)?, row.get::<_, bool>(4)?))
    });
    let at = "2026-11-22 02:00:02".to_owned();
    assert_eq!(row.unwrap(), ("0000000000000001".to_owned(), sale(1).to_string(), at, 500, true));
}

#[test]
fn no_query_walks_through_the_whole_journal() {
    let (_dir, journal, _) = journal();
    let reader = journal.reader().unwrap();
    let connection = reader.lock();
    for sql in [
        stored!("WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"),
        stored!("WHERE sale = ?1 ORDER BY position"),
        stored!("WHERE position > ?1 ORDER BY position LIMIT ?2"),
        EPOCHS,
        TIP_AT,
        SALE_OF_RECEIPT,
        RECEIPTS,
        WAITING,
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(vec![1; statement.parameter_count()]), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        // What waits is sorted once more, and a list of epochs is as long as there are epochs.
        let bounded = |step: &str| step.contains("(subquery") || step.contains("INDEX record_genesis");
        let walks = |step: &String| step.starts_with("SCAN") && !bounded(step);
        assert!(!steps.iter().any(walks), "{sql}: {steps:?}");
    }
}
