//! Records of closed days go, and the till goes on as if they were there.

use super::{act, bench_with, records};
use crate::counter::event::{Act, Event};
use crate::counter::{Refusal, Till, days_of_a_shop};
use crate::journal::edge::EdgeStore;
use crate::journal::{Journal, Reader};
use crate::money::{Currency, Money};
use crate::queue::Cases;
use crate::record::body::Body;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::{Epoch, Record};
use crate::till::retention::{Asked, Going, Wanted, plan};
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

fn planned(dir: &Path, keep_days: u16, ruled: u64, cases: &Cases) -> Option<u64> {
    let reader = Reader::open(dir).unwrap();
    let ruled = BTreeMap::from([(reader.end().unwrap().unwrap().epoch, ruled)]);
    let event = plan(&reader, &Wanted { keep_days, ruled: &ruled, cases }).unwrap()?;
    let Event::BroughtForward { through, .. } = event else { panic!("{event:?}") };
    Some(through.seq)
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
            Going { reader: &reader, edge: &edge, board: &board, inbox: &inbox }.ask(keep_days).unwrap()
        })
    };
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
fn what_a_released_till_has_brought_forward_is_read() {
    let (_, till) = days_of_a_shop(3);
    let wanted = super::super::start::snapshot_bytes(&till.brought_forward()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/till/brought-forward-5.json");
    let kept = std::fs::read(path).unwrap();
    let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let epoch = Epoch(0xE9);
    let state =
        crate::journal::Snapshot { epoch, tip: crate::record::chain::Tip::START, bytes: kept.clone() };
    let read = super::super::start::carried(&state).unwrap();
    assert_eq!(value(&super::super::start::snapshot_bytes(&read).unwrap())[1], value(&wanted)[1]);
}

/// Writes the file where there is none; it never overwrites.
#[test]
#[ignore = "makes the state of a released version"]
fn write_what_is_brought_forward() {
    let (_, till) = days_of_a_shop(3);
    let bytes = super::super::start::snapshot_bytes(&till.brought_forward()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/till/brought-forward-5.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create_new(path).expect("a released state is never overwritten");
    std::io::Write::write_all(&mut file, &bytes).unwrap();
}
