//! A disk that fills up: selling stops while there still is room, what is under way is finished, and it goes on by
//! itself.

use super::{act, bench_with, first_manager};
use crate::bundle::{Bundle, Content};
use crate::counter::Refusal;
use crate::counter::event::Act;
use crate::inbox::{Board, InForce};
use crate::journal::Room;
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
