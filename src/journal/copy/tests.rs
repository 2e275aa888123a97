//! Copies of real journals in real folders: made, found wanting, and put back.

use super::*;
use crate::journal::Journal;
use crate::journal::sample::Pen;
use crate::record::Hash;

fn till() -> TerminalId {
    "till-3".parse().unwrap()
}

fn used(dir: &Path) -> (Journal, Pen) {
    let (mut journal, mut pen) = (Journal::open(dir).unwrap(), Pen::new(1));
    journal.append(&pen.many(300)).unwrap();
    (journal, pen)
}

#[test]
fn a_copy_is_made_while_the_till_writes_and_is_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, mut pen) = used(dir.path());
    let to = dir.path().join("copy.db");
    let sale = crate::journal::sample::sale(7);
    let mut words = Vec::new();
    let copied = journal.reader().unwrap().back_up(&to, |done, all| {
        journal.append(&[pen.moved(sale)]).unwrap();
        words.push((done, all));
    });
    let copied = copied.unwrap();
    assert_eq!((copied.records, copied.end.unwrap().tip.seq), (301, 301));
    assert_eq!(copied.terminal, Some(till()));
    assert!(words.last().is_some_and(|(done, all)| done == all && *all > 0), "{words:?}");
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("unfinished")), "{names:?}");
    let again = journal.reader().unwrap().back_up(&to, |_, _| ()).unwrap_err();
    assert!(matches!(again, Error::CopyExists { .. }), "{again}");
}

#[test]
fn a_copy_that_does_not_verify_has_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = used(dir.path());
    let reader = journal.reader().unwrap();
    journal.close().unwrap();
    let thief = settings::open_to_write(&journal_path(dir.path())).unwrap();
    let trick = "DROP TRIGGER record_is_not_changed; UPDATE record SET body = zeroblob(9) WHERE seq = 70";
    thief.execute_batch(trick).unwrap();
    let to = dir.path().join("copy.db");
    let error = reader.back_up(&to, |_, _| ()).unwrap_err();
    assert!(matches!(error, Error::Chain { seq: 70, .. }), "{error}");
    assert!(!to.exists());
}

#[test]
fn what_cannot_be_counted_is_not_set_aside_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = used(dir.path());
    let to = dir.path().join("copy.db");
    journal.reader().unwrap().back_up(&to, |_, _| ()).unwrap();
    journal.close().unwrap();
    let newer = settings::open_to_write(&journal_path(dir.path())).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    let refused = put_back(dir.path(), &to, &till(), Unsent::Refuse).unwrap_err();
    assert!(matches!(refused, Error::Uncounted(_)), "{refused}");
    assert!(refused.to_string().contains("--even-unsent"), "{refused}");
    assert!(!dir.path().join("aside").exists(), "nothing was changed");
    put_back(dir.path(), &to, &till(), Unsent::SetAside).unwrap();
    assert!(dir.path().join("aside/0001/journal.db").exists());
}

#[test]
fn a_copy_that_is_no_good_is_said_to_be_it_and_not_the_till() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (journal, _) = used(dir.path());
    journal.close().unwrap();
    let foreign = other.path().join("copy.db");
    used(other.path()).0.reader().unwrap().back_up(&foreign, |_, _| ()).unwrap();
    let refused = |from: &Path, till: &str| {
        put_back(dir.path(), from, &till.parse().unwrap(), Unsent::SetAside).unwrap_err()
    };
    // Another till has another key; that is not what is wrong.
    let words = refused(&foreign, "till-9").to_string();
    assert!(words.contains("is of till-3, and this is till-9"), "{words}");
    let words = refused(&foreign, "till-3").to_string();
    assert!(words.contains("copy.db cannot be put back") && words.contains("the key"), "{words}");

    let empty = other.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    let words = refused(&empty, "till-3").to_string();
    assert!(words.contains("the copy is empty"), "{words}");

    let damaged = other.path().join("damaged.db");
    let mut bytes = fs::read(&foreign).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&damaged, bytes).unwrap();
    let words = refused(&damaged, "till-3").to_string();
    assert!(words.contains("damaged.db cannot be put back") && words.contains("take another"), "{words}");
    assert!(!words.contains("restored"), "{words}");
    assert!(!dir.path().join("aside").exists(), "nothing was changed");
}

#[test]
fn a_damaged_journal_is_said_to_be_it_and_not_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = used(dir.path());
    let reader = journal.reader().unwrap();
    journal.close().unwrap();
    let path = journal_path(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = reader.back_up(&dir.path().join("copy.db"), |_, _| ()).unwrap_err();
    assert!(error.is_damage() && !error.to_string().contains("unfinished"), "{error}");
}

#[test]
fn a_copy_is_put_back_with_the_present_files_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, mut pen) = used(dir.path());
    let to = dir.path().join("copy.db");
    journal.reader().unwrap().back_up(&to, |_, _| ()).unwrap();
    let running = put_back(dir.path(), &to, &till(), Unsent::Refuse).unwrap_err();
    assert!(matches!(running, Error::AnotherInstance { .. }), "{running}");
    journal.append(&[pen.moved(crate::journal::sample::sale(7))]).unwrap();
    let end = journal.end().unwrap().unwrap();
    journal.close().unwrap();
    let before = fs::read(journal_path(dir.path())).unwrap();

    let other = put_back(dir.path(), &to, &"till-9".parse().unwrap(), Unsent::SetAside).unwrap_err();
    assert!(matches!(other, Error::OtherTills { .. }), "{other}");
    let unsent = put_back(dir.path(), &to, &till(), Unsent::Refuse).unwrap_err();
    assert!(matches!(unsent, Error::Unsent { records: 302 }), "{unsent}");
    assert_eq!(fs::read(journal_path(dir.path())).unwrap(), before, "nothing was changed");

    let edge = EdgeStore::open(dir.path()).unwrap();
    edge.set_watermark(end.epoch, end.tip.seq, Hash([1; 32])).unwrap();
    drop(edge);
    let done = put_back(dir.path(), &to, &till(), Unsent::Refuse).unwrap();
    assert_eq!((done.copied.records, done.beyond), (301, 1));
    assert_eq!(fs::read(dir.path().join("aside/0001/journal.db")).unwrap(), before);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.end().unwrap().unwrap().tip.seq, 301);
    assert_eq!(journal.left().unwrap().why, Left::Restored);
}

#[test]
fn a_copy_that_cannot_be_put_back_takes_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("older.db");
    let first = migrations::Schema {
        application_id: migrations::JOURNAL.application_id,
        migrations: &migrations::JOURNAL.migrations[..1],
    };
    let mut older = settings::open_to_write(&copy).unwrap();
    first.migrate(&mut older, &copy, dir.path()).unwrap();
    older.close().unwrap();
    // There is no place for the copy that goes before a migration.
    fs::write(dir.path().join("backups"), "").unwrap();
    let error = put_back(dir.path(), &copy, &till(), Unsent::Refuse).unwrap_err();
    assert!(matches!(error, Error::Prepare { .. }), "{error}");
    assert!(!dir.path().join("journal.db.restored").exists());

    // Nor for the present files.
    let (journal, _) = used(dir.path());
    let good = dir.path().join("good.db");
    journal.reader().unwrap().back_up(&good, |_, _| ()).unwrap();
    journal.close().unwrap();
    fs::write(dir.path().join("aside"), "").unwrap();
    put_back(dir.path(), &good, &till(), Unsent::SetAside).unwrap_err();
    assert!(!dir.path().join("journal.db.restored").exists());
}

#[test]
fn what_a_restore_left_behind_is_no_copy_to_restore_from() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = used(dir.path());
    let prepared = dir.path().join("journal.db.restored");
    journal.reader().unwrap().back_up(&prepared, |_, _| ()).unwrap();
    journal.close().unwrap();
    let before = fs::read(&prepared).unwrap();
    let other = dir.path().join("another-name.db");
    std::os::unix::fs::symlink(&prepared, &other).unwrap();
    for from in [&prepared, &other] {
        let error = put_back(dir.path(), from, &till(), Unsent::SetAside).unwrap_err();
        assert!(error.to_string().contains("move it"), "{error}");
        assert_eq!(fs::read(&prepared).unwrap(), before);
    }
    let moved = dir.path().join("monday.db");
    fs::rename(&prepared, &moved).unwrap();
    put_back(dir.path(), &moved, &till(), Unsent::SetAside).unwrap();
}

#[test]
fn a_power_cut_while_a_copy_is_put_back_loses_neither_side() {
    // How many of the renames were done, and whether there were books before.
    for (renamed, before) in (0..=3).flat_map(|renamed| [(renamed, true), (renamed, false)]) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let (mut journal, mut pen) = used(dir.path());
        journal.reader().unwrap().back_up(&path("journal.db.restored"), |_, _| ()).unwrap();
        journal.append(&[pen.moved(crate::journal::sample::sale(7))]).unwrap();
        journal.close().unwrap();
        fs::write(path("snapshot"), "a state").unwrap();
        if !before {
            fs::remove_file(path("journal.db")).unwrap();
        }
        let books = fs::read(path("journal.db")).ok();
        fs::create_dir_all(path("aside/0001")).unwrap();
        let mark = r#"{"why":"restored","words":"a test","aside":"aside/0001","moved":false}"#;
        fs::write(path("begin-anew"), mark).unwrap();
        let renames = [
            ("journal.db", "aside/0001/journal.db"),
            ("snapshot", "aside/0001/snapshot"),
            ("journal.db.restored", "journal.db"),
        ];
        for (from, to) in renames.iter().take(renamed) {
            let there = path(from).exists();
            assert_eq!(there, before || *from != "journal.db");
            if there {
                fs::rename(path(from), path(to)).unwrap();
            }
        }

        let journal = Journal::open(dir.path()).unwrap();
        assert_eq!(journal.end().unwrap().unwrap().tip.seq, 301, "{renamed} {before}");
        assert_eq!(journal.left().unwrap().why, Left::Restored, "{renamed} {before}");
        assert_eq!(fs::read(path("aside/0001/journal.db")).ok(), books, "{renamed} {before}");
        assert!(path("aside/0001/snapshot").exists(), "{renamed} {before}");
    }
}
