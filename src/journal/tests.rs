//! The journal through its own doors: what was appended is there, nothing else gets in, nobody changes it.

use super::sample::{Pen, sale};
use super::*;

fn open(dir: &tempfile::TempDir) -> Journal {
    Journal::open(dir.path()).unwrap()
}

fn loaded(journal: &Journal) -> Vec<Record> {
    journal.load().unwrap().tail.map(Result::unwrap).collect()
}

#[test]
fn what_was_appended_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(u64::MAX);
    let records = pen.many(5);
    let mut journal = open(&dir);
    assert_eq!(journal.end().unwrap(), None);
    journal.append(&[]).unwrap();
    journal.append(&records[..2]).unwrap();
    journal.append(&records[2..]).unwrap();
    assert_eq!(journal.end().unwrap(), Some(pen.end()));
    drop(journal);
    let journal = open(&dir);
    assert_eq!(loaded(&journal), records);
    assert_eq!(journal.end().unwrap(), Some(pen.end()));
    assert_eq!(journal.sale(sale(1)).unwrap(), records[3..5]);
    assert_eq!(journal.sale(sale(99)).unwrap(), []);
}

#[test]
fn a_second_till_on_the_same_directory_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(&dir);
    let error = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::AnotherInstance { .. }), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    assert!(!error.is_permanent());
    first.close().unwrap();
    open(&dir);
}

#[test]
fn closing_folds_the_log_in_while_an_idle_reader_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let reader = journal.reader().unwrap();
    journal.append(&Pen::new(1).many(3)).unwrap();
    let log = dir.path().join("journal.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    journal.close().unwrap();
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!(reader.end().unwrap().unwrap().tip.seq, 4);
}

#[test]
fn an_end_without_stopped_is_unclean() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let mut journal = open(&dir);
    assert_eq!(journal.shutdown(), Shutdown::Clean, "there was nothing to end");
    journal.append(&pen.many(1)).unwrap();
    drop(journal);
    let mut journal = open(&dir);
    assert_eq!(journal.shutdown(), Shutdown::Unclean);
    journal.append(&[pen.stopped()]).unwrap();
    assert_eq!(journal.shutdown(), Shutdown::Unclean, "it speaks of the daemon before");
    journal.close().unwrap();
    assert_eq!(open(&dir).shutdown(), Shutdown::Clean);
}

#[test]
fn a_long_journal_is_looked_at_after_the_till_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let mut pen = Pen::new(1);
    let mut journal = open(&dir);
    journal.append(&pen.many(1)).unwrap();
    drop(journal);
    assert!(!open(&dir).owes_check(), "a short one was looked at first");
    // Longer than what is looked at first, without anything in it.
    let file = std::fs::OpenOptions::new().write(true).open(journal_path(dir.path())).unwrap();
    file.set_len(CHECKED_FIRST_BYTES + 4096).unwrap();
    let mut journal = open(&dir);
    assert_eq!((journal.shutdown(), journal.owes_check()), (Shutdown::Unclean, true));
    journal.append(&[pen.stopped()]).unwrap();
    journal.close().unwrap();
    assert!(!open(&dir).owes_check(), "after an end in order nothing is owed");
}

#[test]
fn a_record_that_is_not_the_next_one_takes_the_whole_batch_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let records = Pen::new(1).many(4);
    let stranger = Pen::new(2).many(1);
    assert!(matches!(journal.append(&records[1..]).unwrap_err(), Error::NotNext(_)), "no genesis");
    journal.append(&records[..2]).unwrap();
    let gap = [records[2].clone(), records[4].clone()];
    let mut forged = records[2].clone();
    forged.bytes.push(b' ');
    for batch in [&records[..2], &gap[..], &stranger[1..], &[forged]] {
        let error = journal.append(batch).unwrap_err();
        assert!(matches!(error, Error::NotNext(_)) && error.is_permanent(), "{error}");
        assert_eq!(loaded(&journal), records[..2]);
    }
    journal.append(&records[2..]).unwrap();
    assert_eq!(loaded(&journal), records);
}

#[test]
fn a_new_epoch_begins_with_its_genesis_and_the_old_one_never_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let (old, new) = (Pen::new(9).many(2), Pen::new(3).many(2));
    journal.append(&old[..2]).unwrap();
    journal.append(&new).unwrap();
    assert_eq!(journal.end().unwrap().unwrap().epoch, Epoch(3));
    assert!(matches!(journal.append(&old[2..]).unwrap_err(), Error::NotNext(_)));
    assert_eq!(loaded(&journal), [&old[..2], &new[..]].concat());
}

#[test]
fn nobody_changes_or_deletes_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    journal.append(&Pen::new(1).many(3)).unwrap();
    for sql in [
        "UPDATE record SET wall_ms = 0",
        "DELETE FROM record WHERE seq = 4",
        "INSERT OR REPLACE INTO record SELECT * FROM record WHERE seq = 2",
        "INSERT OR REPLACE INTO record SELECT 5, epoch, seq, kind, sale, wall_ms, training, receipt,
            serial, amount_minor, currency, hash, salt, head, body, 1 FROM record WHERE seq = 2",
        "UPDATE OR REPLACE record SET position = 1 WHERE position = 2",
    ] {
        let error = journal.connection.execute_batch(sql).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(loaded(&journal).len(), 4);
}

#[test]
fn a_receipt_number_is_not_issued_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let mut pen = Pen::new(1);
    journal.append(&[pen.genesis(), pen.receipt(sale(1), 7, 500)]).unwrap();
    let error = journal.append(&[pen.receipt(sale(2), 7, 500)]).unwrap_err();
    assert!(matches!(error, Error::Append(_)) && error.is_permanent(), "{error}");
}

#[test]
fn a_full_disk_writes_nothing_and_keeps_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let mut pen = Pen::new(1);
    let first = pen.many(20);
    journal.append(&first).unwrap();
    let limit = |journal: &Journal, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        journal.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&journal, 1);
    let more: Vec<Record> = (0..200).map(|number| pen.moved(sale(number))).collect();
    let error = journal.append(&more).unwrap_err();
    assert!(error.is_disk_full() && !error.is_permanent() && !error.is_disk_failure(), "{error}");
    assert_eq!(loaded(&journal), first);
    limit(&journal, 1 << 30);
    journal.append(&more).unwrap();
    drop(journal);
    assert_eq!(loaded(&open(&dir)).len(), 221);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let mut pen = Pen::new(1);
    journal.append(&[pen.genesis()]).unwrap();
    let reason = "x".repeat(BODY_BYTES_MAX);
    let record = pen.write(&format!(r#"{{"kind":"sale_voided","reason":"{reason}"}}"#), |_| ());
    assert!(matches!(journal.append(&[record]).unwrap_err(), Error::BodyTooLong { .. }));
}

#[test]
fn a_journal_of_a_newer_till_or_of_something_else_is_refused_untouched() {
    for (pragma, words) in [("user_version = 5", "newer"), ("application_id = 7", "not made by Till")] {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).close().unwrap();
        let path = journal_path(dir.path());
        let raw = settings::open_to_write(&path).unwrap();
        raw.execute_batch(&format!("PRAGMA {pragma}; PRAGMA wal_checkpoint(TRUNCATE)")).unwrap();
        drop(raw);
        let before = std::fs::read(&path).unwrap();
        let error = Journal::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains(words) && error.is_permanent(), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_damaged_page_is_found_after_an_unclean_end_or_where_a_check_is_wanted_and_the_file_set_aside() {
    for end in [Shutdown::Unclean, Shutdown::Clean] {
        damaged_page(end);
    }
}

fn damaged_page(end: Shutdown) {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let mut pen = Pen::new(1);
    journal.append(&pen.many(400)).unwrap();
    if end == Shutdown::Clean {
        journal.append(&[pen.stopped()]).unwrap();
        check_at_start(dir.path()).unwrap();
    }
    journal.close().unwrap();
    let path = journal_path(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..half + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let journal = open(&dir);
    let left = journal.left().expect("books were left");
    assert_eq!((left.why, left.aside.as_str()), (Left::Damaged, "aside/0001"));
    assert_eq!(journal.end().unwrap(), None);
    assert_eq!(std::fs::read(dir.path().join("aside/0001/journal.db")).unwrap(), bytes);
}
