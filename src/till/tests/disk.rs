//! A disk that fills up: selling stops while there still is room, what is under way is finished, and it goes on by
//! itself.

use super::{Bench, act, bench, bench_with, first_manager, records, seen};
use crate::counter::Refusal;
use crate::counter::duty::{Duty, PayDuty, PrintDuty};
use crate::counter::event::{Act, Event, PrintReport, ProviderReport};
use crate::inbox::{Board, DeviceWork, InForce, ProviderWork};
use crate::journal::{Journal, Room};
use crate::money::{Currency, Money};
use crate::record::body::PaperOutcome;
use crate::view::{DiskState, Selling, View};
use std::fs;
use std::io;
use std::path::Path;

/// What the disk says is in a file: tests fill it up by writing there.
fn told(dir: &Path) -> io::Result<u64> {
    fs::read_to_string(dir.join("free")).and_then(|text| text.trim().parse().map_err(io::Error::other))
}

const ROOM: Room = Room { warn_bytes: 2_000_000, stop_bytes: 1_000_000, ballast_bytes: 65_536, free: told };

/// Waits until the screens say so.
async fn shows(board: &Board, state: DiskState) {
    let mut view = board.view.clone();
    let shown = view.wait_for(|view| view.disk.is_some_and(|disk| disk.state == state));
    tokio::time::timeout(std::time::Duration::from_secs(20), shown)
        .await
        .expect("the screens say so")
        .unwrap();
}

#[tokio::test]
async fn nothing_new_is_sold_on_a_full_disk_what_was_begun_is_paid_and_it_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let fill = |bytes: u64| {
        fs::write(dir.path().join("free.next"), bytes.to_string()).unwrap();
        fs::rename(dir.path().join("free.next"), dir.path().join("free")).unwrap();
    };
    fill(9_000_000);
    let mut bench = bench_with(dir.path(), |opening| {
        opening.kept = Some(InForce::of_water());
        opening.room = ROOM;
    });
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    let water = || act(Act::TypeCode("6901234000016".to_owned()));
    bench.inbox.ask(first_manager()).await.unwrap();
    bench.inbox.ask(act(Act::SignIn)).await.unwrap();
    bench.inbox.ask(water()).await.unwrap();
    shows(&board, DiskState::Fine).await;
    assert_eq!(fs::metadata(dir.path().join("ballast")).unwrap().len(), 65_536);

    fill(1_500_000);
    shows(&board, DiskState::Low).await;
    bench.inbox.ask(water()).await.unwrap();

    fill(900_000);
    shows(&board, DiskState::Stopped).await;
    assert!(!dir.path().join("ballast").exists(), "it makes room for what is under way");
    assert_eq!(bench.inbox.ask(water()).await, Err(Refusal::DiskFull));
    bench.inbox.ask(act(Act::Cash { received: Money::new(1_000, Currency::CNY) })).await.unwrap();
    assert_eq!(bench.inbox.ask(water()).await, Err(Refusal::DiskFull), "no new sale");

    fill(1_100_000);
    assert_eq!(
        bench.inbox.ask(water()).await,
        Err(Refusal::DiskFull),
        "a little more than the floor is needed"
    );
    fill(9_000_000);
    shows(&board, DiskState::Fine).await;
    bench.inbox.ask(water()).await.unwrap();
    drop(bench);
    thread.join().unwrap();
}

#[tokio::test]
async fn no_state_is_kept_that_the_journal_does_not_hold() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench(dir.path());
    let thread = bench.run();
    bench.inbox.ask(first_manager()).await.unwrap();
    bench.inbox.ask(act(Act::SignIn)).await.unwrap();
    let cny = Money::new(20_000, Currency::CNY);
    let shift = |number: u64| match number % 2 {
        0 => act(Act::CloseShift { counted: cny }),
        _ => act(Act::OpenShift { float: cny }),
    };
    // One record less than the till keeps its state after: 2000 and the two it opened with.
    for seq in 5..2001 {
        bench.inbox.post(shift(seq)).await;
    }
    bench.inbox.ask(shift(2001)).await.unwrap();
    assert_eq!(records(dir.path()), 2001);
    assert!(!dir.path().join("snapshot").exists());

    // The disk loses the end under the till: the next record cannot follow it, nor can the journal be read again.
    let spoil = "DROP TRIGGER record_is_not_changed; UPDATE record SET hash = zeroblob(32) WHERE seq = 2001";
    stranger(dir.path()).execute_batch(spoil).unwrap();
    assert_eq!(bench.inbox.ask(shift(2002)).await, Err(Refusal::ReadOnly));
    bench.inbox.post(Event::Stopping).await;
    thread.join().unwrap();
    assert_eq!(Journal::open(dir.path()).unwrap().snapshot_end(), None);
}

/// A stranger's hand in the journal.
#[allow(clippy::disallowed_methods)] // the stranger that the journal defends itself against
fn stranger(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("journal.db")).unwrap()
}

/// SQLite says "full" where a table has no number left, too: here for one kind of records, and for no other.
fn no_room_for(kind: &str, dir: &Path) {
    let trick = format!(
        "CREATE TABLE no_room (number INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT);
        INSERT INTO no_room VALUES (9223372036854775807, '');
        CREATE TRIGGER no_room BEFORE INSERT ON record WHEN NEW.kind = '{kind}'
        BEGIN INSERT INTO no_room (word) VALUES (''); END;"
    );
    stranger(dir).execute_batch(&trick).unwrap();
}

fn no_room_for_approvals(dir: &Path) {
    no_room_for("approved", dir);
}

fn room_again(dir: &Path) {
    stranger(dir).execute_batch("DROP TRIGGER IF EXISTS no_room").unwrap();
}

/// A disk that has room for approvals once the ballast is gone.
fn told_by_the_ballast(dir: &Path) -> io::Result<u64> {
    if !dir.join("ballast").exists() {
        room_again(dir);
    }
    Ok(9_000_000)
}

/// What is in the journal of a payment's end.
fn ends(dir: &Path) -> Vec<String> {
    let stranger = stranger(dir);
    let sql = "SELECT kind FROM record WHERE kind IN ('approved', 'receipt_issued') ORDER BY position";
    let mut statement = stranger.prepare(sql).unwrap();
    let kinds = statement.query_map([], |row| row.get(0)).unwrap();
    kinds.map(Result::unwrap).collect()
}

async fn errand(bench: &mut Bench) -> ProviderWork {
    let work = tokio::time::timeout(std::time::Duration::from_secs(20), bench.work.provider.recv()).await;
    work.expect("an errand in time").unwrap()
}

/// Sells water to a code, up to where the wallet is called.
async fn submitted(bench: &mut Bench) -> PayDuty {
    bench.inbox.ask(first_manager()).await.unwrap();
    for step in [Act::SignIn, Act::TypeCode("6901234000016".to_owned()), Act::Pay] {
        bench.inbox.ask(act(step)).await.unwrap();
    }
    bench.inbox.ask(act(Act::TypeCode("286802123456789012".to_owned()))).await.unwrap();
    let ProviderWork { duty: Duty::Submit(pay), code: Some(_) } = errand(bench).await else { panic!() };
    pay
}

fn approved(pay: &PayDuty) -> Event {
    let (amount, nothing) = (pay.amount, Money::zero(pay.amount.currency));
    let settled = serde_json::from_value(serde_json::json!({
        "trade": "2026112222001", "total": amount, "received": amount, "buyer_paid": amount, "invoice": amount,
        "merchant_funded": nothing, "platform_funded": nothing,
    }));
    Event::Provider(pay.intent, ProviderReport::Approved(settled.unwrap()))
}

#[tokio::test]
async fn an_approval_that_meets_a_full_disk_is_written_in_the_ballasts_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench_with(dir.path(), |opening| {
        opening.kept = Some(InForce::of_water());
        opening.room = Room { free: told_by_the_ballast, ..ROOM };
    });
    let thread = bench.run();
    let pay = submitted(&mut bench).await;
    no_room_for_approvals(dir.path());
    bench.inbox.ask(approved(&pay)).await.unwrap();
    assert_eq!(ends(dir.path()), ["approved", "receipt_issued"]);
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
}

#[tokio::test]
async fn an_approval_that_could_not_be_written_is_asked_for_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("free"), "9000000").unwrap();
    let mut bench = bench_with(dir.path(), |opening| {
        opening.kept = Some(InForce::of_water());
        opening.room = ROOM;
    });
    let thread = bench.run();
    let pay = submitted(&mut bench).await;
    no_room_for_approvals(dir.path());
    assert_eq!(bench.inbox.ask(approved(&pay)).await, Err(Refusal::DiskFull));
    assert_eq!(ends(dir.path()), [""; 0]);
    // The code is gone: whoever has this errand knows that it was sent before, and asks.
    assert_eq!(errand(&mut bench).await, ProviderWork { duty: Duty::Submit(pay.clone()), code: None });

    room_again(dir.path());
    let unsure = ProviderReport::Unsure("It is not known whether it was sent.".to_owned());
    bench.inbox.ask(Event::Provider(pay.intent, unsure)).await.unwrap();
    assert_eq!(errand(&mut bench).await.duty, Duty::Ask(pay.clone()));
    bench.inbox.ask(approved(&pay)).await.unwrap();
    assert_eq!(ends(dir.path()), ["approved", "receipt_issued"]);
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
}

/// Sells water for cash; what the devices are given is the receipt's paper, once it stands for long enough.
async fn sold_for_cash(bench: &mut Bench) {
    bench.inbox.ask(first_manager()).await.unwrap();
    for step in [Act::SignIn, Act::TypeCode("6901234000016".to_owned())] {
        bench.inbox.ask(act(step)).await.unwrap();
    }
    bench.inbox.ask(act(Act::Cash { received: Money::new(200, Currency::CNY) })).await.unwrap();
}

/// The next paper that the devices are given; drawers are passed over.
async fn paper(bench: &mut Bench) -> PrintDuty {
    for _ in 0..3 {
        let work = tokio::time::timeout(std::time::Duration::from_secs(20), bench.work.devices.recv()).await;
        if let DeviceWork::Print(print, _) = work.expect("a paper in time").unwrap() {
            return print;
        }
    }
    panic!("no paper came")
}

/// Papers that the devices were given and have not looked at.
fn papers_left(bench: &mut Bench) -> usize {
    let given = std::iter::from_fn(|| bench.work.devices.try_recv().ok());
    given.filter(|work| matches!(work, DeviceWork::Print(..))).count()
}

fn kinds(dir: &Path, like: &str) -> Vec<String> {
    let stranger = stranger(dir);
    let sql = format!("SELECT kind FROM record WHERE kind LIKE '{like}' ORDER BY position");
    let mut statement = stranger.prepare(&sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_paper_that_cannot_be_and_a_disk_that_stays_full_leave_the_door_open() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("free"), "9000000").unwrap();
    let mut bench = bench_with(dir.path(), |opening| {
        opening.kept = Some(InForce::of_water());
        opening.room = ROOM;
    });
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    // The facts of the receipt are gone as soon as its paper is ordered.
    let lose = "DROP TRIGGER record_is_not_changed;
        CREATE TRIGGER lost AFTER INSERT ON record WHEN NEW.kind = 'print_ordered'
        BEGIN UPDATE record SET sale = NULL WHERE sale IS NOT NULL; END;";
    stranger(dir.path()).execute_batch(lose).unwrap();
    no_room_for("print_ended", dir.path());
    sold_for_cash(&mut bench).await;
    assert_eq!(bench.inbox.ask(act(Act::OpenShift { float: Money::zero(Currency::CNY) })).await.err(), None);
    assert_eq!(kinds(dir.path(), "print_%"), ["print_ordered"]);

    room_again(dir.path());
    let asks = |view: &View| view.attention.iter().any(|open| open.code == "paper_failed");
    seen(&board, asks).await;
    assert_eq!(kinds(dir.path(), "print_%"), ["print_ordered", "print_ended"]);
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
}

#[tokio::test]
async fn the_end_of_a_paper_that_met_a_full_disk_is_told_again_and_after_a_restart_a_person_looks() {
    for restarted in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("free"), "9000000").unwrap();
        let mut first = bench_with(dir.path(), |opening| {
            opening.kept = Some(InForce::of_water());
            opening.room = ROOM;
        });
        let thread = first.run();
        sold_for_cash(&mut first).await;
        let job = paper(&mut first).await.job;
        first.inbox.ask(Event::Print(job, PrintReport::Starting)).await.unwrap();
        no_room_for("print_ended", dir.path());
        let ended = Event::Print(job, PrintReport::Ended(PaperOutcome::Confirmed, String::new()));
        assert_eq!(first.inbox.ask(ended).await, Err(Refusal::DiskFull));
        assert_eq!(kinds(dir.path(), "print_%"), ["print_ordered", "print_started"]);
        if !restarted {
            room_again(dir.path());
            let written = || kinds(dir.path(), "print_%").len() == 3;
            for _ in 0..2_000 {
                if written() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            assert_eq!(
                kinds(dir.path(), "print_ended"),
                ["print_ended"],
                "the loop tells it again by itself"
            );
        }
        first.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        assert_eq!(papers_left(&mut first), 0, "it is printed once");

        room_again(dir.path());
        let mut again = bench(dir.path());
        let view = again.ready.as_ref().unwrap().board.view.borrow().clone();
        let codes = view.attention.iter().map(|open| open.code);
        let asked: Vec<&str> = codes.filter(|code| code.starts_with("paper")).collect();
        assert_eq!(asked, if restarted { vec!["paper_unconfirmed"] } else { vec![] });
        let thread = again.run();
        again.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        assert_eq!(papers_left(&mut again), 0, "nor is it printed again");
    }
}

#[tokio::test]
async fn a_journal_that_lost_all_that_was_in_it_sells_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut till = bench(dir.path()).ready.unwrap().till;
    let gone = "DROP TRIGGER record_is_not_deleted; DELETE FROM record;";
    stranger(dir.path()).execute_batch(gone).unwrap();
    till.read_again();
    assert_eq!(till.selling, Selling::ReadOnly("nothing is in the journal any more".to_owned()));
}
