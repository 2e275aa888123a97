//! Managers' acts on records on their way to head office.

use super::*;
use crate::counter::event::OnItsWay;
use crate::queue::Marks;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::queue_act::{QueueAct, Resolution};

/// The manager of the bench.
const MANAGER: &str = "mei";

/// An act on the last receipt, of which head office has everything up to `received` and has ruled up to `ruled`.
fn command(bench: &TestTill, act: QueueAct, (received, ruled): (u64, u64), approver: Option<&str>) -> Event {
    let receipt = bench.records.iter().rev().find(|record| record.header.receipt.is_some());
    let header = receipt.unwrap().header.clone();
    let marks = Marks { received, ruled, ..Marks::default() };
    let about = (act != QueueAct::SendNow).then(|| Box::new(OnItsWay { header, marks }));
    Event::Act(Command {
        station: "office".parse().unwrap(),
        staff: None,
        approver: approver.map(|staff| staff.parse().unwrap()),
        seen: None,
        act: Act::Queue { about, act, reason: "the customer paid".to_owned() },
    })
}

fn paid() -> TestTill {
    let mut bench = TestTill::open();
    bench.press("latte").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::Cash { received: Money::new(10_000, Currency::CNY) }).unwrap();
    bench
}

fn receipt_seq(bench: &TestTill) -> u64 {
    bench.records.iter().rev().find(|record| record.header.receipt.is_some()).unwrap().header.seq
}

#[test]
fn an_act_is_one_record_with_the_pins_owner_and_changes_nothing_else() {
    let mut bench = paid();
    let hold = command(&bench, QueueAct::Hold, (0, 0), Some(MANAGER));
    let shift = bench.view().shift;
    let made = bench.post(&hold).unwrap();
    assert_eq!(kinds(&made), ["queue_acted"]);
    let header = &made[0].header;
    assert_eq!(header.approver.as_ref().map(|staff| staff.as_str()), Some(MANAGER));
    assert_eq!((header.amount, header.sale, header.station.clone()), (None, None, None));
    assert_eq!(bench.view().shift, shift);
    assert_eq!(word(&bench.post(&hold)), "queue");
}

#[test]
fn nobody_but_a_manager_acts_on_the_queue() {
    let mut bench = paid();
    for approver in [None, Some("nobody")] {
        let hold = command(&bench, QueueAct::Hold, (0, 0), approver);
        assert_eq!(word(&bench.post(&hold)), "needs_manager");
    }
}

#[test]
fn a_refusal_is_ended_by_a_manager_and_stays_ended_after_a_replay() {
    let mut bench = paid();
    let (epoch, seq) = (bench.till.epoch(), receipt_seq(&bench));
    let resolve = QueueAct::Resolve { how: Resolution::PaidOtherwise };
    let early = command(&bench, resolve, (99, 0), Some(MANAGER));
    assert_eq!(word(&bench.post(&early)), "queue", "nothing is resolved that was not refused");
    let (ruling, code, words) = (Ruling::Refused, "sums_differ".to_owned(), "They differ.".to_owned());
    let verdict = Verdict { number: 1, epoch, seq, sale: None, ruling, code, words };
    bench.post(&Event::Ruled(verdict)).unwrap();
    assert_eq!(bench.view().attention[0].code, "verdict_refused");
    let end = command(&bench, resolve, (99, 99), Some(MANAGER));
    bench.post(&end).unwrap();
    assert!(bench.view().attention.is_empty());
    assert_eq!(word(&bench.post(&end)), "queue");
    let mut replayed = Till::begin(&bench.records[0]).unwrap();
    bench.records[1..].iter().for_each(|record| replayed.apply(record));
    assert_eq!(replayed, bench.till);
    let kept = serde_json::to_value(&bench.till).unwrap();
    assert_eq!(serde_json::from_value::<Till>(kept).unwrap(), bench.till);
}

#[test]
fn send_now_is_about_no_record_and_all_else_is_about_one() {
    let mut bench = paid();
    let send = command(&bench, QueueAct::SendNow, (0, 0), Some(MANAGER));
    assert_eq!(kinds(&bench.post(&send).unwrap()), ["queue_acted"]);
    let Event::Act(mut command) = command(&bench, QueueAct::Retry, (0, 0), Some(MANAGER)) else { panic!() };
    command.act = Act::Queue { about: None, act: QueueAct::Retry, reason: "x".to_owned() };
    assert_eq!(word(&bench.post(&Event::Act(command))), "queue");
}
