//! Books that are damaged, gone or too short: the till opens new ones, and the counter goes on.

use super::{Bench, act, bench, bench_known, bench_with, first_manager, records};
use crate::counter::Refusal;
use crate::counter::event::{Act, Event};
use crate::journal::edge::EdgeStore;
use crate::journal::{End, Journal, Reader, Unsent, copy_into, lacking, put_back};
use crate::money::{Currency, Money};
use crate::queue::Step;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::epochs::{Found, Left, Standing};
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::queue_act::Subject;
use crate::record::witness::ReceivedHead;
use crate::record::{Epoch, Hash, Record};
use crate::token::KeyId;
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
async fn what_a_copy_brings_back_is_not_listed_as_lacking() {
    for received in [0, 150] {
        let dir = tempfile::tempdir().unwrap();
        let end = use_till(dir.path()).await;
        let copy = dir.path().join("copies/monday.db");
        copy_into(&Reader::open(dir.path()).unwrap(), &dir.path().join("copies"), &copy).unwrap();
        let mut bench = bench(dir.path());
        let thread = bench.run();
        bench.inbox.ask(act(Act::SignIn)).await.unwrap();
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        let last = Reader::open(dir.path()).unwrap().end().unwrap().unwrap();
        assert!(last.epoch == end.epoch && last.tip.seq > end.tip.seq);
        let till = super::Opening::blank().terminal;
        put_back(dir.path(), &copy, &till, Unsent::SetAside).unwrap();
        let told = BTreeMap::from([(end.epoch, Tip { seq: received, head: Hash([1; 32]) })]);
        let told = told.into_iter().filter(|(_, tip)| tip.seq > 0).collect();
        drop(bench_known(dir.path(), told));
        let list = lacking(dir.path()).remove(0);
        let listed: Vec<u64> = list.records.iter().map(|record| record.seq).collect();
        assert_eq!(listed, (end.tip.seq + 1..=last.tip.seq).collect::<Vec<_>>(), "{received}");
        assert_eq!((list.unreadable, list.more), (vec![], 0), "{received}");
        assert_eq!(genesis(dir.path()).1.received, (received > 0).then_some(received));
    }
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

/// Changes one bit in the body of an old record. No page is torn by it.
fn flip(dir: &Path, epoch: Epoch) {
    let path = dir.join("journal.db");
    let mut bytes = fs::read(&path).unwrap();
    let record = Reader::open(dir).unwrap().records(epoch, 50, 1, usize::MAX).unwrap().remove(0);
    let at = bytes.windows(record.head.len()).position(|window| window == record.head).unwrap();
    // Within the sealed body, behind its nonce.
    bytes[at + record.head.len() + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_record_that_was_changed_ends_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    flip(dir.path(), end.epoch);
    fs::remove_file(dir.path().join("snapshot")).unwrap();
    let bench = bench(dir.path());
    assert_eq!(bench.ready.as_ref().unwrap().board.view.borrow().standing, Standing::Provisional);
    assert_eq!(genesis(dir.path()).1.why, Left::Damaged);
}

#[tokio::test]
async fn a_record_that_the_nights_copy_finds_changed_ends_the_books_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    flip(dir.path(), end.epoch);
    let standing = || bench(dir.path()).ready.unwrap().board.view.borrow().standing;
    // The state that was kept stands in for all that is older: no start sees it.
    assert!(dir.path().join("snapshot").exists());
    assert_eq!(standing(), Standing::Regular);
    let (reader, folder) = (Reader::open(dir.path()).unwrap(), dir.path().join("backups"));
    reader.quick_check().unwrap();
    let error = copy_into(&reader, &folder, &folder.join("nightly.db")).unwrap_err();
    assert!(error.is_damage(), "{error}");
    drop(reader);

    assert_eq!(standing(), Standing::Provisional);
    let (record, found) = genesis(dir.path());
    assert_eq!(found.why, Left::Damaged);
    assert!(dir.path().join(&found.aside).join("journal.db").exists());
    // The new books are copied, and the next start begins no others.
    let reader = Reader::open(dir.path()).unwrap();
    copy_into(&reader, &folder, &folder.join("nightly.db")).unwrap();
    assert_eq!(standing(), Standing::Provisional);
    assert_eq!(reader.end().unwrap().unwrap().epoch, record.header.epoch);
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
    let opened = super::open(Journal::open(dir.path()).unwrap(), super::Opening::blank(), letters, outbox);
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

#[tokio::test]
async fn a_member_is_not_forgotten_while_books_that_were_set_aside_owe_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench(dir.path());
    let thread = bench.run();
    let forget = Event::MemberForgotten { member: "m-1".to_owned() };
    let last = bench.inbox.ask(forget).await.unwrap().seq;
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
    let epoch = Reader::open(dir.path()).unwrap().end().unwrap().unwrap().epoch;
    fs::remove_file(dir.path().join("journal.db")).unwrap();

    for (has, owes) in [(last - 1, true), (last, false)] {
        let received = BTreeMap::from([(epoch, Tip { seq: has, head: Hash([1; 32]) })]);
        let mut bench = bench_known(dir.path(), received);
        let board = bench.ready.as_ref().unwrap().board.clone();
        assert_ne!(board.view.borrow().epoch, epoch);
        // The new books go up.
        board.link.send_modify(|link| link.received = 1);
        let thread = bench.run();
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        let owed = Journal::open(dir.path()).unwrap().owes_forgetting().unwrap();
        assert_eq!(owed, owes, "the cloud has {has} of {last}");
    }
}

#[tokio::test]
async fn a_member_who_is_forgotten_later_waits_for_books_that_were_set_aside_and_a_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    let mut bench = bench(dir.path());
    let thread = bench.run();
    let owed = bench.inbox.ask(Event::MemberForgotten { member: "m-1".to_owned() }).await.unwrap().seq;
    drop(bench);
    thread.join().unwrap();
    scramble(&dir.path().join("journal.db"), 0, 4096);
    let received = |has| BTreeMap::from([(end.epoch, Tip { seq: has, head: Hash([1; 32]) })]);

    // The list of what the cloud lacks says so; it is torn; the folder is removed.
    let aside = dir.path().join("aside");
    let as_it_is = || {};
    let torn = || fs::write(aside.join("0001/lacking.json"), b"{\"aside\": \"asi").unwrap();
    let removed = || fs::remove_dir_all(&aside).unwrap();
    let cases: [(&str, &dyn Fn(), bool); 3] =
        [("as it is", &as_it_is, true), ("torn", &torn, true), ("removed", &removed, false)];
    for (how, happens, waits) in cases {
        happens();
        let mut bench = bench_known(dir.path(), received(owed - 1));
        let board = bench.ready.as_ref().unwrap().board.clone();
        let thread = bench.run();
        let later = bench.inbox.ask(Event::MemberForgotten { member: "m-2".to_owned() }).await.unwrap().seq;
        board.link.send_modify(|link| link.received = later);
        bench.inbox.ask(Event::DeadlinePassed).await.unwrap();
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        let told = board.view.borrow().attention.iter().any(|item| item.code == "forgetting_waits");
        let owes = Journal::open(dir.path()).unwrap().owes_forgetting().unwrap();
        assert_eq!((told, owes), (waits, waits), "{how}");
    }
}

/// How the daemon opens: with all that the edge store has of the cloud.
fn bench_of_edge(dir: &Path) -> Bench {
    let edge = EdgeStore::open(dir).unwrap();
    bench_with(dir, |opening| {
        opening.received = edge.watermarks().unwrap();
        opening.signed = edge.signed().unwrap();
    })
}

/// The cloud's word for a record; its signature was looked at when it came.
fn signed(tip: Tip) -> ReceivedHead {
    ReceivedHead { seq: tip.seq, head: tip.head, at_ms: 1, key_id: KeyId([1; 4]), signature: [1; 64] }
}

#[tokio::test]
async fn a_state_directory_put_back_from_an_image_begins_a_provisional_epoch_at_the_next_start() {
    // Whether the till has come less far than the other side, or further.
    for rounds in [0, 1] {
        let dir = tempfile::tempdir().unwrap();
        drop(bench(dir.path()));
        fs::copy(dir.path().join("journal.db"), dir.path().join("image.db")).unwrap();
        let first = use_till(dir.path()).await;
        // The image is put back, the kept state with it, and the till sells on under the same numbers.
        fs::rename(dir.path().join("image.db"), dir.path().join("journal.db")).unwrap();
        fs::remove_file(dir.path().join("snapshot")).unwrap();
        for _ in 0..rounds {
            use_till(dir.path()).await;
        }
        let end = Reader::open(dir.path()).unwrap().end().unwrap().unwrap();
        assert_eq!(end.epoch, first.epoch);
        let edge = EdgeStore::open(dir.path()).unwrap();
        // Its own side is safe on a branch; the other side is what the cloud has signed.
        edge.set_watermark(end.epoch, end.tip.seq, end.tip.head).unwrap();
        edge.received(first.epoch, &signed(first.tip)).unwrap();

        let view = bench_of_edge(dir.path()).ready.unwrap().board.view.borrow().clone();
        assert_eq!(view.standing, Standing::Provisional);
        assert_ne!(view.epoch, first.epoch);
        let (_, found) = genesis(dir.path());
        assert_eq!((found.why, found.received), (Left::Missing, Some(end.tip.seq)));
        let again = bench_of_edge(dir.path()).ready.unwrap().board.view.borrow().epoch;
        assert_eq!(again, view.epoch, "and no other at the start after that");
    }
}

#[tokio::test]
async fn books_that_the_cloud_has_signed_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    let edge = EdgeStore::open(dir.path()).unwrap();
    for record in Reader::open(dir.path()).unwrap().records(end.epoch, 100, 50, usize::MAX).unwrap() {
        edge.confirm(end.epoch, &signed(Tip { seq: record.header.seq, head: record.hash })).unwrap();
    }
    let view = bench_of_edge(dir.path()).ready.unwrap().board.view.borrow().clone();
    assert_eq!((view.epoch, view.standing), (end.epoch, Standing::Regular));
}

#[tokio::test]
async fn what_head_office_has_said_of_a_series_is_known_in_the_one_that_follows_a_copy_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let end = use_till(dir.path()).await;
    let of = Subject { epoch: end.epoch, seq: 5 };
    let refused = |number| Verdict {
        number,
        epoch: of.epoch,
        seq: of.seq,
        sale: None,
        ruling: Ruling::Refused,
        code: "sums_differ".to_owned(),
        words: "The sums differ.".to_owned(),
    };
    let mut bench = bench(dir.path());
    let thread = bench.run();
    bench.inbox.ask(Event::Ruled(refused(7))).await.unwrap();
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
    let copy = dir.path().join("monday.db");
    copy_into(&Reader::open(dir.path()).unwrap(), dir.path(), &copy).unwrap();
    // Told since, and lost with the present books.
    EdgeStore::open(dir.path()).unwrap().set_cursor(30).unwrap();
    put_back(dir.path(), &copy, &"till-1".parse().unwrap(), Unsent::SetAside).unwrap();
    assert_eq!(EdgeStore::open(dir.path()).unwrap().cursor().unwrap(), 7, "the rest is told again");

    for snapshot in ["none yet", "read", "gone"] {
        if snapshot == "gone" {
            fs::remove_file(dir.path().join("snapshot")).unwrap();
        }
        let mut bench = bench_of_edge(dir.path());
        let view = bench.ready.as_ref().unwrap().board.view.borrow().clone();
        assert_ne!(view.epoch, of.epoch);
        assert_eq!(view.cases.of(of).map(|case| case.step), Some(Step::Refused), "{snapshot}");
        let thread = bench.run();
        // Not by this one: it is known.
        bench.inbox.ask(Event::Ruled(refused(7))).await.unwrap();
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
    }
    let reader = Reader::open(dir.path()).unwrap();
    let epochs = reader.epochs().unwrap();
    let noted = epochs.iter().map(|end| reader.of_kind(end.epoch, 1, "noted").unwrap().len());
    assert_eq!(noted.collect::<Vec<_>>(), [1, 0]);
}
