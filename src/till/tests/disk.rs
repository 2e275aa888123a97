//! A disk that fills up: selling stops while there still is room, what is under way is finished, and it goes on by
//! itself.

use super::{act, bench, bench_with, first_manager, records};
use crate::bundle::{Bundle, Content};
use crate::counter::Refusal;
use crate::counter::event::{Act, Event};
use crate::inbox::{Board, InForce};
use crate::journal::{Journal, Room};
use crate::money::{Currency, Money};
use crate::token::KeySet;
use crate::view::DiskState;
use std::fs;
use std::io;
use std::path::Path;

/// What the disk says is in a file: tests fill it up by writing there.
fn told(dir: &Path) -> io::Result<u64> {
    fs::read_to_string(dir.join("free")).and_then(|text| text.trim().parse().map_err(io::Error::other))
}

const ROOM: Room = Room { warn_bytes: 2_000_000, stop_bytes: 1_000_000, ballast_bytes: 65_536, free: told };

fn in_force() -> InForce {
    let content = Content {
        version: 1,
        items: serde_json::from_value(serde_json::json!([{
            "sku": "water", "name": "Water", "gtins": ["06901234000016"], "unit": "piece",
            "price": {"minor": 200, "currency": "CNY"},
            "tax": {"code": "A", "rate_ppm": 130_000, "included": "price"},
        }]))
        .unwrap(),
        ..Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0).content
    };
    let bundle = Bundle::open(&serde_json::to_vec(&content).unwrap()).unwrap();
    InForce { bundle, keys: KeySet::new(1, 0, i64::MAX) }
}

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
        opening.kept = Some(in_force());
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
    #[allow(clippy::disallowed_methods)] // the stranger that the journal defends itself against
    let stranger = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    let spoil = "DROP TRIGGER record_is_not_changed; UPDATE record SET hash = zeroblob(32) WHERE seq = 2001";
    stranger.execute_batch(spoil).unwrap();
    drop(stranger);
    assert_eq!(bench.inbox.ask(shift(2002)).await, Err(Refusal::ReadOnly));
    bench.inbox.post(Event::Stopping).await;
    thread.join().unwrap();
    assert_eq!(Journal::open(dir.path()).unwrap().snapshot_end(), None);
}
