//! Days of a shop, for whoever needs a journal with a past; and what a till is at rest by.

use super::{TestTill, fen};
use crate::counter::Till;
use crate::counter::event::{Act, Event, Forward};
use crate::record::Record;
use crate::record::body::{Body, Parent};

const DAY_MS: u64 = 86_400_000;

/// What a till writes in so many days: in each a shift with some sales for cash, all of them printed. And its state.
pub(crate) fn days_of_a_shop(days: u16) -> (Vec<Record>, Till) {
    let mut bench = TestTill::open();
    for _ in 0..days {
        bench.act(Act::OpenShift { float: fen(10_000) }).unwrap();
        for _ in 0..4 {
            bench.press("cola").unwrap();
            bench.cash(1_000).unwrap();
            bench.finish_devices();
        }
        bench.act(Act::CloseShift { counted: fen(10_000) }).unwrap();
        bench.wait_ms(DAY_MS);
    }
    (bench.records.clone(), bench.till.clone())
}

#[test]
fn a_till_is_at_rest_only_when_nobody_would_look_anything_up_again() {
    let mut bench = TestTill::open();
    assert!(bench.till.is_at_rest());
    bench.act(Act::OpenShift { float: fen(10_000) }).unwrap();
    assert!(!bench.till.is_at_rest(), "a shift is open");
    bench.act(Act::CloseShift { counted: fen(10_000) }).unwrap();
    bench.press("cola").unwrap();
    assert!(!bench.till.is_at_rest(), "a sale is open");
    bench.cash(1_000).unwrap();
    assert!(!bench.till.is_at_rest(), "its paper is not there yet");
    bench.finish_devices();
    assert!(bench.till.is_at_rest());
}

#[test]
fn a_till_goes_on_from_what_was_brought_forward_as_from_all_records() {
    let (records, whole) = days_of_a_shop(6);
    for cut in (0..records.len()).step_by(7) {
        let fold = |mut till: Till, records: &[Record]| {
            records.iter().for_each(|record| till.apply(record));
            till
        };
        let before = fold(Till::begin(&records[0]).unwrap(), &records[1..=cut]);
        let resting = before.is_at_rest();
        let after = fold(before.brought_forward(), &records[cut + 1..]);
        if resting {
            assert_eq!(after.clone().brought_forward(), whole.clone().brought_forward(), "after {cut}");
            assert_eq!(after.last_receipt(), whole.last_receipt());
        }
    }
}

#[test]
fn that_records_went_is_a_record_that_names_what_stands_for_them() {
    let mut bench = TestTill::open();
    let last = bench.records.last().unwrap();
    let through = Parent { epoch: last.header.epoch, seq: last.header.seq, head: last.hash };
    let last_day = last.header.business_date;
    let state = b"what they came to".to_vec();
    let made =
        bench.post(&Event::BroughtForward(Forward { through: through.clone(), last_day, state })).unwrap();
    let Body::Pruned { through: named, last_day: day, state } = &made[0].body else { panic!("{made:?}") };
    assert_eq!((named, *day), (&through, last_day));
    // By another program: printf 'what they came to' | sha256sum.
    assert_eq!(state.to_string(), "097b9e8d051586c57435fdc16a13844f40b607abd76570b3b329bc4f0303ecc5");
    assert_eq!(bench.till.pruned_through(), Some(&through));
}
