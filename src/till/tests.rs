//! The loop through its door: what one turn promises, and what it does when the disk refuses.

mod books;
mod disk;
mod retention;

use super::{Opening, Ready, open};
use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::counter::Refusal;
use crate::counter::event::{Act, Command, Event};
use crate::inbox::{Inbox, Work, doors};
use crate::journal::{Journal, Reader};
use crate::money::{Currency, Money};
use crate::record::Epoch;
use crate::record::chain::Tip;
use crate::staff::PinHash;
use crate::view::Selling;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::thread::JoinHandle;

struct Bench {
    inbox: Inbox,
    ready: Option<Ready>,
    work: Work,
}

fn bench(dir: &Path) -> Bench {
    bench_known(dir, BTreeMap::new())
}

/// A till whose cloud has said that it has this much of each epoch.
fn bench_known(dir: &Path, received: BTreeMap<Epoch, Tip>) -> Bench {
    bench_with(dir, |opening| opening.received = received)
}

/// A till that opens otherwise than most.
fn bench_with(dir: &Path, change: impl FnOnce(&mut Opening)) -> Bench {
    let (inbox, letters) = Inbox::new();
    let (outbox, work) = doors();
    let wallets = [crate::record::money_moves::ProviderName::Alipay].into();
    let mut opening = Opening { wallets, ..Opening::blank() };
    change(&mut opening);
    let ready = open(Journal::open(dir).unwrap(), opening, letters, outbox).unwrap();
    Bench { inbox, ready: Some(ready), work }
}

impl Bench {
    fn run(&mut self) -> JoinHandle<()> {
        let till = self.ready.take().unwrap().till;
        std::thread::spawn(move || till.run().unwrap())
    }
}

fn act(act: Act) -> Event {
    let station = "front".parse().unwrap();
    let staff = Some("mia".parse().unwrap());
    Event::Act(Command { station, staff, approver: None, seen: None, act })
}

fn first_manager() -> Event {
    let pin = PinHash::with_rounds("4071", [1; 16], NonZeroU32::MIN).unwrap();
    act(Act::FirstManager { staff: "mia".parse().unwrap(), name: "Mia".to_owned(), pin })
}

fn records(dir: &Path) -> u64 {
    Reader::open(dir).unwrap().end().unwrap().unwrap().tip.seq
}

#[tokio::test]
async fn two_presses_of_one_button_in_one_turn_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench(dir.path());
    let float = || act(Act::OpenShift { float: Money::new(100, Currency::CNY) });
    // All of it waits at the door before the loop takes its first turn.
    let waiting = [
        (None, first_manager()),
        (None, act(Act::SignIn)),
        (Some("press-1"), float()),
        (Some("press-1"), float()),
        (Some("press-2"), float()),
    ]
    .map(|(id, event)| {
        let inbox = bench.inbox.clone();
        async move { inbox.ask_as(id.map(str::to_owned), event).await }
    });
    let [manager, sign_in, first, second, third] = waiting;
    let asked = async { tokio::join!(biased; manager, sign_in, first, second, third) };
    let turn = async {
        // `join!` polls in order: every letter stands at the door by now.
        bench.run()
    };
    let ((_, _, first, second, third), thread) = tokio::join!(biased; asked, turn);
    assert_eq!(first.clone().unwrap().seq, 5);
    assert_eq!(first, second);
    assert_eq!(third, Err(Refusal::Shift("A shift is open already.")));
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
    assert_eq!(records(dir.path()), 6, "genesis, boot, manager, sign-in, shift, stop");
}

/// Waits until the till shows what is looked for; bounded.
async fn seen(board: &crate::inbox::Board, look: impl Fn(&crate::view::View) -> bool) {
    let mut view = board.view.clone();
    let shown = view.wait_for(|view| look(view));
    tokio::time::timeout(std::time::Duration::from_secs(20), shown).await.expect("shown in time").unwrap();
}

#[tokio::test]
async fn a_clock_behind_the_bundle_is_written_down_and_so_is_the_clouds_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench(dir.path());
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    let mut bundle = Bundle::empty(Currency::CNY, jiff::tz::TimeZone::UTC, "UTC", 0);
    let now_s = u64::try_from(Clock::new().unix_ms() / 1000).unwrap();
    (bundle.content.version, bundle.content.issued_at_s) = (1, now_s + 86_400);
    let keys = crate::token::KeySet::new(0, 0, i64::MAX);
    board.bundle.send_replace(Some(std::sync::Arc::new(crate::inbox::InForce { bundle, keys })));
    // Nothing else happens at this till: it looks by itself.
    seen(&board, |view| view.clock.distrusted == Some(crate::record::moment::Doubt::BeforeBundle)).await;
    board.link.send_modify(|link| link.cloud_offset_ms = Some(86_400_000));
    seen(&board, |view| view.clock.distrusted.is_none() && view.clock.ahead_ms.is_some()).await;
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
    assert_eq!(records(dir.path()), 5, "genesis, boot, distrusted, trusted, stop");
    // The next start knows the cloud's time before it has heard it.
    let again = self::bench(dir.path());
    let link = again.ready.as_ref().unwrap().board.link.borrow().clone();
    assert_eq!(link.cloud_offset_ms, Some(86_400_000));
}

#[tokio::test]
async fn a_disk_that_refuses_stops_selling_and_nothing_of_that_turn_remains() {
    let dir = tempfile::tempdir().unwrap();
    let mut bench = bench(dir.path());
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    bench.inbox.ask(first_manager()).await.unwrap();
    let before = records(dir.path());

    // Somebody else holds the file: the commit fails once its patience is over.
    #[allow(clippy::disallowed_methods)] // the stranger that the journal defends itself against
    let stranger = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(bench.inbox.ask(act(Act::SignIn)).await, Err(Refusal::ReadOnly));
    stranger.execute_batch("ROLLBACK").unwrap();

    let view = board.view.borrow().clone();
    assert!(matches!(view.selling, Selling::ReadOnly(_)), "every screen says so");
    assert_eq!(view.staff.len(), 1, "what was durable is still shown");
    assert!(view.stations.values().all(|station| station.staff.is_none()), "nothing of the turn remains");
    assert_eq!(bench.inbox.ask(act(Act::SignIn)).await, Err(Refusal::ReadOnly), "until it is started anew");
    assert_eq!(records(dir.path()), before);
    drop(bench);
    thread.join().unwrap();

    let mut again = self::bench(dir.path());
    let thread = again.run();
    again.inbox.ask(act(Act::SignIn)).await.unwrap();
    again.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();
}
