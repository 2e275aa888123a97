//! A disk that fills up: selling stops while there still is room, what is under way is finished, and it goes on by
//! itself.

use super::{Bench, act, bench, bench_with, first_manager, records};
use crate::counter::Refusal;
use crate::counter::duty::{Duty, PayDuty};
use crate::counter::event::{Act, Event, ProviderReport};
use crate::inbox::{Board, InForce, ProviderWork};
use crate::journal::{Journal, Room};
use crate::money::{Currency, Money};
use crate::view::DiskState;
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

/// SQLite says "full" where a table has no number left, too: here for approvals, and for nothing else.
fn no_room_for_approvals(dir: &Path) {
    let trick = "CREATE TABLE no_room (number INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT);
        INSERT INTO no_room VALUES (9223372036854775807, '');
        CREATE TRIGGER no_room BEFORE INSERT ON record WHEN NEW.kind = 'approved'
        BEGIN INSERT INTO no_room (word) VALUES (''); END;";
    stranger(dir).execute_batch(trick).unwrap();
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
    let work = tokio::time::timeout(std::time::Duration::from_secs(20), bench._work.provider.recv()).await;
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
