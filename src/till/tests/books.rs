//! Books that are damaged, gone or too short: the till opens new ones, and the counter goes on.

use super::{act, bench, bench_known, first_manager, records};
use crate::counter::Refusal;
use crate::counter::event::{Act, Event};
use crate::journal::{End, Journal, Reader, lacking};
use crate::money::{Currency, Money};
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::epochs::{Found, Left, Standing};
use crate::record::{Epoch, Hash, Record};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A till is used, and ends without saying so.
async fn use_till(dir: &Path) -> End {
    let mut bench = bench(dir);
    let thread = bench.run();
    bench.inbox.ask(first_manager()).await.unwrap();
    bench.inbox.ask(act(Act::SignIn)).await.unwrap();
    for _ in 0..100 {
        let cny = Money::new(20_000, Currency::CNY);
        bench.inbox.ask(act(Act::OpenShift { float: cny })).await.unwrap();
        bench.inbox.ask(act(Act::CloseShift { counted: cny })).await.unwrap();
    }
    drop(bench);
    thread.join().unwrap();
    Reader::open(dir).unwrap().end().unwrap().unwrap()
}

fn scramble(path: &Path, from: usize, length: usize) {
    let mut bytes = fs::read(path).unwrap();
    for (index, byte) in bytes[from..from + length].iter_mut().enumerate() {
        *byte = u8::try_from(index % 251).unwrap() ^ 0xa5;
    }
    fs::write(path, bytes).unwrap();
}

/// A way to lose books, and whether the people in them can still be read.
type Damage = (&'static str, fn(&Path), bool);

const DAMAGES: [Damage; 7] = [
    ("not a database", |path| fs::write(path, "a shopping list".repeat(999)).unwrap(), false),
    ("its first page is gone", |path| scramble(path, 0, 4096), true),
    ("its schema is gone", |path| scramble(path, 100, 900), true),
    (
        "pages towards the end are gone",
        |path| scramble(path, fs::read(path).unwrap().len() * 2 / 3 / 4096 * 4096, 20_480),
        true,
    ),
    (
        "all pages but the first are gone",
        |path| scramble(path, 4096, fs::read(path).unwrap().len() - 4096),
        false,
    ),
    (
        "cut in half",
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        true,
    ),
    ("a few bytes of it are left", |path| fs::write(path, "SQLite format 3").unwrap(), false),
];

fn genesis(dir: &Path) -> (Record, Found) {
    let epoch = Reader::open(dir).unwrap().end().unwrap().unwrap().epoch;
    let record = Reader::open(dir).unwrap().records(epoch, 1, 1, usize::MAX).unwrap().remove(0);
    let Body::Genesis { found: Some(found), .. } = record.body.clone() else { panic!("it follows no books") };
    (record, found)
}

#[tokio::test]
async fn damaged_books_are_set_aside_as_they_are_and_the_counter_goes_on_with_cash() {
    for (name, damage, people) in DAMAGES {
        let dir = tempfile::tempdir().unwrap();
        let end = use_till(dir.path()).await;
        let path = dir.path().join("journal.db");
        damage(&path);
        let damaged = fs::read(&path).unwrap();

        let received = BTreeMap::from([(end.epoch, Tip { seq: 100, head: Hash([1; 32]) })]);
        let mut bench = bench_known(dir.path(), received.clone());
        let board = bench.ready.as_ref().unwrap().board.clone();
        let view = board.view.borrow().clone();
        assert_eq!(view.standing, Standing::Provisional, "{name}");
        assert_ne!(view.epoch, end.epoch, "{name}");
        assert_eq!(fs::read(dir.path().join("aside/0001/journal.db")).unwrap(), damaged, "{name}");
        assert_eq!(view.staff.len(), usize::from(people), "{name}");
        let (record, found) = genesis(dir.path());
        assert_eq!((record.header.epoch, found.why), (view.epoch, Left::Damaged), "{name}");
        assert_eq!(found.received, Some(100), "{name}");

        let thread = bench.run();
        if !people {
            bench.inbox.ask(first_manager()).await.unwrap();
        }
        bench.inbox.ask(act(Act::SignIn)).await.unwrap();
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        // The next start finds good books and begins no others.
        let again = bench_known(dir.path(), received);
        assert_eq!(again.ready.as_ref().unwrap().board.view.borrow().epoch, view.epoch, "{name}");
        assert!(!dir.path().join("aside/0002").exists(), "{name}");
    }
}

#[tokio::test]
async fn what_the_cloud_lacks_of_damaged_books_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    scramble(&dir.path().join("journal.db"), 0, 4096);
    let received = BTreeMap::from([(end.epoch, Tip { seq: 190, head: Hash([1; 32]) })]);
    drop(bench_known(dir.path(), received));
    let list = lacking(dir.path()).remove(0);
    assert_eq!((list.epoch, list.received, list.readable_to), (Some(end.epoch), 190, end.tip.seq));
    let listed: Vec<u64> = list.records.iter().map(|record| record.seq).collect();
    assert_eq!(listed, (191..=end.tip.seq).collect::<Vec<_>>());
    assert_eq!(list.unreadable, []);
    assert_eq!(list.records[0].kind, "shift_opened");
    assert_eq!(list.records[0].amount, Some(Money::new(20_000, Currency::CNY)));
    let (record, _) = genesis(dir.path());
    let Body::Genesis { parent: Some(parent), .. } = record.body else { panic!("its parent is known") };
    assert_eq!((parent.epoch, parent.seq, parent.head), (end.epoch, end.tip.seq, end.tip.head));
}

#[tokio::test]
async fn numbers_that_cannot_be_read_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    let path = dir.path().join("journal.db");
    scramble(&path, 61_440, 8_192);
    fs::remove_file(dir.path().join("snapshot")).unwrap();
    drop(bench_known(dir.path(), BTreeMap::new()));
    let list = lacking(dir.path()).remove(0);
    let missing: u64 = list.unreadable.iter().map(|(first, last)| last - first + 1).sum();
    let listed = u64::try_from(list.records.len()).unwrap();
    assert!(missing > 0 && listed > 100, "{missing} missing, {listed} listed");
    assert_eq!(missing + listed, end.tip.seq);
}

#[tokio::test]
async fn a_record_that_was_changed_ends_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    let path = dir.path().join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    let record = Reader::open(dir.path()).unwrap().records(end.epoch, 50, 1, usize::MAX).unwrap().remove(0);
    let at = bytes.windows(record.head.len()).position(|window| window == record.head).unwrap();
    // Within the sealed body, behind its nonce.
    bytes[at + record.head.len() + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    fs::remove_file(dir.path().join("snapshot")).unwrap();
    let bench = bench(dir.path());
    assert_eq!(bench.ready.as_ref().unwrap().board.view.borrow().standing, Standing::Provisional);
    assert_eq!(genesis(dir.path()).1.why, Left::Damaged);
}

#[tokio::test]
async fn books_that_are_gone_or_end_before_what_the_cloud_has_are_not_gone_on_with() {
    for (name, lose) in [
        ("gone", (|dir| fs::remove_file(dir.join("journal.db")).unwrap()) as fn(&Path)),
        ("empty", |dir| fs::write(dir.join("journal.db"), "").unwrap()),
        ("gone, and no cloud knows of it", |dir| fs::remove_file(dir.join("journal.db")).unwrap()),
        ("an old copy", |dir| {
            fs::rename(dir.join("old.db"), dir.join("journal.db")).unwrap();
        }),
    ] {
        let dir = tempfile::tempdir().unwrap();
        drop(bench(dir.path()));
        fs::copy(dir.path().join("journal.db"), dir.path().join("old.db")).unwrap();
        let end = use_till(dir.path()).await;
        lose(dir.path());
        let mut received = BTreeMap::from([(end.epoch, end.tip)]);
        if name.ends_with("knows of it") {
            received.clear();
        } else {
            fs::remove_file(dir.path().join("snapshot")).unwrap();
        }
        let bench = bench_known(dir.path(), received.clone());
        let view = bench.ready.as_ref().unwrap().board.view.borrow().clone();
        assert_eq!(view.standing, Standing::Provisional, "{name}");
        let (record, found) = genesis(dir.path());
        let known = received.values().next().map(|tip| tip.seq);
        assert_eq!((found.why, found.received), (Left::Missing, known), "{name}");
        if !received.is_empty() {
            let Body::Genesis { parent: Some(parent), .. } = record.body else {
                panic!("its parent is known")
            };
            assert_eq!((parent.seq, parent.head), (end.tip.seq, end.tip.head), "{name}");
        }
        drop(bench);
        let again = bench_known(dir.path(), received);
        assert_eq!(again.ready.as_ref().unwrap().board.view.borrow().epoch, view.epoch, "{name}");
    }
}

#[tokio::test]
async fn a_power_cut_while_books_are_set_aside_changes_nothing() {
    // Each number of file operations after which the power may go, as the next start finds the directory.
    for moved in 0..=3 {
        let dir = tempfile::tempdir().unwrap();
        let end = use_till(dir.path()).await;
        let mark = r#"{"why":"damaged","words":"a test","aside":"aside/0001","moved":false}"#;
        fs::create_dir_all(dir.path().join("aside/0001")).unwrap();
        fs::write(dir.path().join("begin-anew"), mark).unwrap();
        fs::write(dir.path().join("journal.db-wal"), "").unwrap();
        for name in ["journal.db", "journal.db-wal", "snapshot"].iter().take(moved) {
            fs::rename(dir.path().join(name), dir.path().join("aside/0001").join(name)).unwrap();
        }
        let bench = bench(dir.path());
        let view = bench.ready.as_ref().unwrap().board.view.borrow().clone();
        assert_eq!((view.standing, view.staff.len()), (Standing::Provisional, 1), "after {moved}");
        assert_eq!(lacking(dir.path())[0].readable_to, end.tip.seq, "after {moved}");
        drop(bench);
        // Cut after the new epoch's first record, before the mark was taken away.
        let mark = mark.replace("false", "true");
        fs::write(dir.path().join("begin-anew"), mark).unwrap();
        let again = self::bench(dir.path());
        assert_eq!(again.ready.as_ref().unwrap().board.view.borrow().epoch, view.epoch, "after {moved}");
    }
}

#[test]
fn an_epoch_that_a_newer_till_began_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    drop(bench(dir.path()));
    let first = Reader::open(dir.path()).unwrap().end().unwrap().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut header =
        Reader::open(dir.path()).unwrap().records(first.epoch, 1, 1, usize::MAX).unwrap().remove(0).header;
    let bytes = br#"{"kind":"genesis","standing":"half adopted"}"#.to_vec();
    (header.epoch, header.body_hash) = (Epoch(77), crate::record::body_hash(&[0; 16], &bytes));
    let record = Record::open(header.encode(), [0; 16], bytes).unwrap();
    journal.append(&[record]).unwrap();
    journal.close().unwrap();
    let before = fs::read(dir.path().join("journal.db")).unwrap();
    let (_, letters) = crate::inbox::Inbox::new();
    let (outbox, _work) = crate::inbox::doors();
    let opened = super::open(Journal::open(dir.path()).unwrap(), super::opening(), letters, outbox);
    let error = opened.err().expect("it is not opened");
    assert!(error.to_string().contains("install the newer Till"), "{error}");
    assert_eq!(fs::read(dir.path().join("journal.db")).unwrap(), before);
    assert!(!dir.path().join("aside").exists());
}

#[tokio::test]
async fn a_wallet_is_not_asked_while_nobody_has_looked() {
    let dir = tempfile::tempdir().unwrap();
    use_till(dir.path()).await;
    fs::write(dir.path().join("journal.db"), "xx").unwrap();
    let mut bench = bench(dir.path());
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    bench.inbox.ask(first_manager()).await.unwrap();
    bench.inbox.ask(act(Act::SignIn)).await.unwrap();
    assert_eq!(board.view.borrow().ways, crate::view::Ways::default());
    let adopt = |reason: &str| {
        let mut event = act(Act::AdoptEpoch { reason: reason.to_owned() });
        if let Event::Act(command) = &mut event {
            command.approver = command.staff.clone();
        }
        event
    };
    assert!(matches!(bench.inbox.ask(adopt("")).await, Err(Refusal::NotNow(_))));
    bench.inbox.ask(adopt("the disk was replaced")).await.unwrap();
    assert_eq!(board.view.borrow().standing, Standing::Regular);
    assert_ne!(board.view.borrow().ways, crate::view::Ways::default());
    drop(bench);
    thread.join().unwrap();
    assert_eq!(records(dir.path()), 5, "genesis, boot, manager, sign-in, adoption");
}
