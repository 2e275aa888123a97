//! Records of closed days go, and the till goes on as if they were there.

use super::{act, bench_with, records, seen};
use crate::counter::event::{Act, Event, Forward};
use crate::counter::{Refusal, Till, days_of_a_shop};
use crate::journal::edge::EdgeStore;
use crate::journal::{Journal, Reader, Snapshot};
use crate::money::{Currency, Money};
use crate::queue::Cases;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::{Epoch, Record};
use crate::till::retention::{Asked, Going, Wanted, plan};
use crate::till::start::{carried, snapshot_bytes};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A journal of so many days, and its records.
fn shop(dir: &Path, days: u16) -> (Vec<Record>, Till) {
    let (records, till) = days_of_a_shop(days);
    let mut journal = Journal::open(dir).unwrap();
    for batch in records.chunks(200) {
        journal.append(batch).unwrap();
    }
    journal.close().unwrap();
    (records, till)
}

fn newest(reader: &Reader) -> Date {
    reader.newest_day().unwrap().unwrap()
}

/// What a till that keeps forty days lets go, everything being ruled on.
fn of_forty_days(dir: &Path) -> Forward {
    let reader = Reader::open(dir).unwrap();
    let ruled = BTreeMap::from([(reader.end().unwrap().unwrap().epoch, u64::MAX)]);
    let (today, cases) = (newest(&reader), Cases::default());
    plan(&reader, &Wanted { keep_days: 40, today, ruled: &ruled, cases: &cases }).unwrap().unwrap()
}

fn planned(dir: &Path, keep_days: u16, ruled: u64, cases: &Cases) -> Option<u64> {
    let reader = Reader::open(dir).unwrap();
    let ruled = BTreeMap::from([(reader.end().unwrap().unwrap().epoch, ruled)]);
    let today = newest(&reader);
    let forward = plan(&reader, &Wanted { keep_days, today, ruled: &ruled, cases }).unwrap();
    forward.map(|forward| forward.through.seq)
}

#[test]
fn only_closed_days_that_head_office_has_ruled_on_and_nobody_asks_about_go() {
    let dir = tempfile::tempdir().unwrap();
    let (records, _) = shop(dir.path(), 30);
    let (none, all) = (Cases::default(), u64::MAX);
    let closing = |day: usize| {
        let closed = records.iter().filter(|record| record.body.kind() == "shift_closed");
        closed.map(|record| record.header.seq).nth(day - 1).unwrap()
    };
    assert_eq!(planned(dir.path(), 10, all, &none), Some(closing(19)), "ten days and the newest are kept");
    assert_eq!(planned(dir.path(), 40, all, &none), None, "nothing is so old");
    assert_eq!(planned(dir.path(), 10, 0, &none), None, "head office has ruled on nothing");
    assert_eq!(
        planned(dir.path(), 10, closing(12) + 5, &none),
        Some(closing(12)),
        "not in the middle of a day"
    );
    let refused = |seq| {
        Verdict {
        ruling: Ruling::Refused,
        epoch: records[0].header.epoch,
        seq,
        ..serde_json::from_value(serde_json::json!({
            "number": 1, "epoch": "00000000000000e9", "seq": 1, "ruling": "refused", "code": "coupon_spent", "words": ""
        }))
        .unwrap()
    }
    };
    let mut cases = Cases::default();
    let mut noted = records[1].clone();
    noted.body = Body::Noted { verdict: refused(closing(8) + 3) };
    cases.apply(&noted);
    assert_eq!(planned(dir.path(), 10, all, &cases), Some(closing(8)), "somebody has to look at that one");
    assert_eq!(planned(dir.path(), 28, all, &none), None, "so few are not worth a night");
}

#[tokio::test]
async fn a_till_lets_old_records_go_while_nobody_waits_and_starts_and_sells_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let (records, till) = shop(dir.path(), 60);
    let (reader, edge) = (Reader::open(dir.path()).unwrap(), EdgeStore::open(dir.path()).unwrap());
    let epoch = till.epoch();
    let mut bench = bench_with(dir.path(), |_| ());
    let board = bench.ready.as_ref().unwrap().board.clone();
    let thread = bench.run();
    let inbox = bench.inbox.clone();
    let night = |keep_days| {
        let (reader, edge, board, inbox) = (reader.clone(), edge.clone(), board.clone(), inbox.clone());
        tokio::task::spawn_blocking(move || {
            let today = board.link.borrow().cloud_offset_ms.map(|_| newest(&reader));
            let going = Going { reader: &reader, edge: &edge, board: &board, inbox: &inbox, today };
            going.ask(keep_days).unwrap()
        })
    };
    assert!(matches!(night(40).await.unwrap(), Asked::NoTime), "nobody has said what day it is");
    // Head office's time is that of the day after the last.
    let last_ms = records.last().unwrap().header.moment.wall_ms + 86_400_000;
    let offset_ms = last_ms - crate::clock::Clock::new().unix_ms();
    board.link.send_modify(|link| link.cloud_offset_ms = Some(offset_ms));
    seen(&board, |view| view.clock.distrusted.is_none() && view.clock.ahead_ms.is_some()).await;
    assert!(matches!(night(40).await.unwrap(), Asked::TooFew), "head office has ruled on nothing");
    edge.set_watermark(epoch, till.tip().seq, till.tip().head).unwrap();
    edge.set_ruled(epoch, till.tip().seq).unwrap();
    let Asked::Gone(last_day) = night(40).await.unwrap() else { panic!("there is much to let go") };
    let pruned = reader.of_kind(epoch, 1, "pruned").unwrap().remove(0);
    let Body::Pruned { through, last_day: told, .. } = pruned.body else { panic!("{pruned:?}") };
    assert_eq!(told, last_day);
    let gone = async {
        while reader.of_kind(epoch, 1, "sale_opened").unwrap()[0].header.seq < through.seq {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.expect("they go by themselves");
    assert_eq!(reader.kept_from(epoch).unwrap(), through.seq);
    assert!(matches!(night(40).await.unwrap(), Asked::TooFew), "nothing more is old enough");
    bench.inbox.ask(Event::Stopping).await.unwrap();
    thread.join().unwrap();

    // With the state that was kept, and without it.
    for _ in 0..2 {
        let mut again = bench_with(dir.path(), |_| ());
        let view = again.ready.as_ref().unwrap().board.view.borrow().clone();
        assert_eq!(view.epoch, epoch);
        assert_eq!(view.staff.len(), 2);
        let thread = again.run();
        let float = Money::new(20_000, Currency::CNY);
        again
            .inbox
            .ask(act(Act::OpenShift { float }))
            .await
            .map_err(|refusal| assert_eq!(refusal, Refusal::SignInFirst))
            .ok();
        again.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        std::fs::remove_file(dir.path().join("snapshot")).unwrap();
    }
    assert!(self::records(dir.path()) > records.last().unwrap().header.seq);
}

#[test]
fn a_clock_that_was_wrong_for_a_while_neither_lets_too_much_go_nor_stops_it() {
    let dir = tempfile::tempdir().unwrap();
    let (records, _) = shop(dir.path(), 60);
    let reader = Reader::open(dir.path()).unwrap();
    let ruled = BTreeMap::from([(records[0].header.epoch, u64::MAX)]);
    let planned = |today| {
        let wanted = Wanted { keep_days: 40, today, ruled: &ruled, cases: &Cases::default() };
        plan(&reader, &wanted).unwrap().map(|forward| forward.last_day)
    };
    let day = |count: i64| newest(&reader).checked_add(count.days()).unwrap();
    assert_eq!(planned(day(0)), Some(day(-41)));
    assert_eq!(planned(day(30)), Some(day(-41)), "the newest record counts, not a clock that is ahead");
    assert_eq!(planned(day(-10)), Some(day(-51)), "nor records that are ahead of head office's time");
    assert_eq!(planned(day(-70)), None, "nor a head office that is years behind");
}

#[tokio::test]
async fn a_state_that_was_brought_forward_just_before_the_power_went_is_spoken_of_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (records, till) = shop(dir.path(), 60);
    let (reader, forward) = (Reader::open(dir.path()).unwrap(), of_forty_days(dir.path()));
    let Forward { through, state, .. } = forward;
    let mut journal = Journal::open(dir.path()).unwrap();
    let tip = Tip { seq: through.seq, head: through.head };
    journal.bring_forward(&Snapshot { epoch: through.epoch, tip, bytes: state }).unwrap();
    drop(journal);
    for starts in 1..3 {
        drop(bench_with(dir.path(), |_| ()));
        let said = reader.of_kind(till.epoch(), records.last().unwrap().header.seq, "pruned").unwrap();
        assert_eq!(said.len(), 1, "after {starts} starts");
    }
}

#[tokio::test]
async fn a_state_that_rotted_keeps_no_till_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path(), 60);
    let event = Event::BroughtForward(of_forty_days(dir.path()));
    for said in [true, false] {
        let mut bench = bench_with(dir.path(), |_| ());
        let thread = bench.run();
        if said {
            bench.inbox.ask(event.clone()).await.unwrap();
        }
        bench.inbox.ask(Event::Stopping).await.unwrap();
        thread.join().unwrap();
        let rot = if said {
            "UPDATE brought_forward SET state = zeroblob(99)"
        } else {
            // As if the power had gone just before the record that speaks of it.
            "UPDATE brought_forward SET position = position + 7"
        };
        #[allow(clippy::disallowed_methods)] // the disk that rots
        let disk = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
        disk.execute_batch(rot).unwrap();
        drop(disk);
        drop(bench_with(dir.path(), |_| ()));
        assert_eq!(dir.path().join("check-journal").exists(), !said, "nobody looks at it without need");
    }
}

/// States in which there is something of everything: each golden chain at its fullest, at its fullest while the clock
/// was not believed, and at its end.
fn full_states() -> Vec<Vec<u8>> {
    let mut full = Vec::new();
    for records in crate::journal::golden_chains() {
        let mut till = Till::begin(&records[0]).unwrap();
        let mut states = vec![snapshot_bytes(&till).unwrap()];
        for record in &records[1..] {
            till.apply(record);
            states.push(snapshot_bytes(&till).unwrap());
        }
        let doubted = |state: &&Vec<u8>| !String::from_utf8_lossy(state).contains("\"distrusted\":null");
        let longest = states.iter().max_by_key(|state| state.len());
        let doubting = states.iter().filter(doubted).max_by_key(|state| state.len());
        full.extend(longest.into_iter().chain(doubting).chain(states.last()).cloned());
    }
    full
}

/// Whether everything in `old` is in `new` as it was: new fields may have come.
fn holds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(name, old)| new.get(name).is_some_and(|new| holds(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| holds(new, old))
        }
        (new, old) => new == old,
    }
}

const KEPT: &str = "tests/data/till/brought-forward-6.jsonl";

#[test]
fn what_a_released_till_has_brought_forward_is_read() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT)).unwrap();
    for kept in text.lines() {
        let state = Snapshot { epoch: Epoch(0), tip: Tip::START, bytes: kept.as_bytes().to_vec() };
        let read = carried(&state).unwrap();
        let again: Value = serde_json::from_slice(&snapshot_bytes(&read).unwrap()).unwrap();
        assert!(holds(&again[1], &serde_json::from_str::<Value>(kept).unwrap()[1]), "{kept}");
    }
    let empty = [
        "\"leases\":{\"campaigns\":{}",
        "\"cases\":{}",
        "\"spent\":[]",
        "\"distrusted\":null",
        "\"pruned\":null",
    ];
    for nothing in empty {
        assert!(text.lines().any(|line| !line.contains(nothing)), "{nothing} in each of them");
    }
}

/// Writes the file where there is none; it never overwrites.
#[test]
#[ignore = "makes the states of a released version"]
fn write_what_is_brought_forward() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create_new(path).expect("a released state is never overwritten");
    for state in full_states() {
        std::io::Write::write_all(&mut file, &[&state[..], b"\n"].concat()).unwrap();
    }
}
