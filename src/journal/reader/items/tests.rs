//! A selection is exactly the records that it says, page by page, and is found along the index.

use super::*;
use crate::journal::Journal;
use crate::journal::sample::{Pen, sale};
use crate::money::Currency;
use crate::queue::{Cases, Filter, Marks, Standing, filter::Which};

/// A genesis and `sales` sales of three records, each third with a coupon; every tenth is a return.
fn journal(sales: u64) -> (tempfile::TempDir, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(1);
    let mut records = vec![pen.genesis()];
    for number in 1..=sales {
        records.push(pen.moved(sale(number)));
        if number % 3 == 0 {
            let json = r#"{"kind":"coupon_redeemed","campaign":1,"discount":{"minor":500,"currency":"CNY"},"token":"C1."}"#;
            records.push(pen.write(json, |header| {
                header.sale = Some(sale(number));
                header.serial = Some(format!("SERIAL{number}"));
                header.amount = Some(Money::new(500, Currency::CNY));
            }));
        }
        let minor = i64::try_from(number).unwrap() * if number % 10 == 0 { -100 } else { 100 };
        records.push(pen.receipt(sale(number), number, minor));
    }
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    (dir, reader)
}

fn marks(received: u64, ruled: u64) -> Marks {
    Marks { received, ruled, ..Marks::default() }
}

#[test]
fn pages_of_a_selection_follow_one_another_without_a_gap() {
    let (_dir, reader) = journal(30);
    let filter = Filter { which: Which::Open, ..Filter::default() };
    let chosen = filter.selection(Epoch(1), &marks(40, 20), &Cases::default(), 0);
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = reader.items(&chosen, before, 7).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        all.extend(page.iter().map(|header| header.seq));
    }
    assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "{all:?}");
    let whole = reader.items(&chosen, None, 1000).unwrap();
    assert_eq!(whole.iter().map(|header| header.seq).collect::<Vec<_>>(), all);
    assert!(whole.iter().all(|header| header.seq > 20 && header.kind != "sale_moved"));
    assert_eq!(reader.items(&chosen, Some(21), 7).unwrap(), []);
}

#[test]
fn sums_follow_the_filter_by_kind() {
    let (_dir, reader) = journal(30);
    let sums = |filter: Filter| {
        let chosen = filter.selection(Epoch(1), &marks(0, 0), &Cases::default(), i64::MAX);
        let sums = reader.sums(&chosen).unwrap();
        sums.iter().map(|sum| (sum.kind, sum.count, sum.worth.unwrap().minor)).collect::<Vec<_>>()
    };
    let returns: i64 = (1..=3).map(|tens| tens * 1000).sum();
    let sales: i64 = (1..=30).map(|number| number * 100).sum::<i64>() - returns;
    let everything =
        [(ItemKind::Sale, 27, sales), (ItemKind::Return, 3, -returns), (ItemKind::Coupon, 10, 5000)];
    assert_eq!(sums(Filter::default()), everything);
    let kind = |kind| Filter { kind: Some(kind), ..Filter::default() };
    assert_eq!(sums(kind(ItemKind::Return)), everything[1..2]);
    assert_eq!(sums(kind(ItemKind::Sale)), everything[..1]);
    assert_eq!(sums(kind(ItemKind::Shift)), []);
    let dear = Filter { min_minor: Some(2500), max_minor: Some(2600), ..Filter::default() };
    assert_eq!(sums(dear), [(ItemKind::Sale, 2, 5100)]);
    let settled = Filter { which: Which::One(Standing::Settled), ..Filter::default() };
    assert_eq!(sums(settled), []);
}

#[test]
fn a_long_queue_is_looked_through_along_the_index() {
    let (_dir, reader) = journal(10);
    let connection = reader.lock();
    for sql in [PAGE_IN_RANGE, SUMS_IN_RANGE] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let names: Vec<String> = (1..=statement.parameter_count())
            .map(|at| statement.parameter_name(at).unwrap().to_owned())
            .collect();
        for name in names {
            let at = statement.parameter_index(&name).unwrap().unwrap();
            statement.raw_bind_parameter(at, "[]").unwrap();
        }
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push_str(&row.get::<_, String>(3).unwrap());
            plan.push('\n');
        }
        assert!(
            plan.contains("USING INDEX record_item") || plan.contains("COVERING INDEX record_item"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN record"), "{plan}");
    }
    drop(connection);
    for (name, _) in RECORD_KINDS {
        assert!(item_kinds!().contains(&format!("'{name}'")), "{name} is not in the index");
    }
}

#[test]
fn what_was_said_about_records_is_read_in_steps() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(1);
    let mut records = vec![pen.genesis()];
    for seq in 1..=5 {
        let json = format!(
            r#"{{"kind":"queue_acted","subject":{{"epoch":"0000000000000001","seq":{seq}}},"act":"hold","words":"why"}}"#
        );
        records.push(pen.write(&json, |_| ()));
        records.push(pen.stopped());
    }
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let (first, after) = reader.rulings(0, 3).unwrap();
    let (rest, end) = reader.rulings(after, 100).unwrap();
    assert_eq!((first.len(), rest.len()), (3, 2));
    assert_eq!(reader.rulings(end, 100).unwrap(), (Vec::new(), end));
    assert_eq!(reader.header(Epoch(1), 3).unwrap().unwrap().kind, "stopped");
    assert_eq!(reader.header(Epoch(2), 3).unwrap(), None);
}

/// A till that was cut off for days. The time is printed and not judged: machines differ, the plan above does not.
#[test]
#[allow(clippy::disallowed_methods)] // a measurement
fn ten_thousand_items_are_looked_through_at_once() {
    const SALES: u64 = 7_500;
    let (_dir, reader) = journal(SALES);
    let filter = Filter { which: Which::Open, ..Filter::default() };
    let chosen = filter.selection(Epoch(1), &marks(10, 10), &Cases::default(), 0);
    let started = std::time::Instant::now();
    let page = reader.items(&chosen, None, 50).unwrap();
    let paged = started.elapsed();
    let middle = reader.items(&chosen, Some(9_000), 50).unwrap();
    let sums = reader.sums(&chosen).unwrap();
    let count: u64 = sums.iter().map(|sum| sum.count).sum();
    assert_eq!((page.len(), middle.len()), (50, 50));
    assert!(count > 9_990, "{count}");
    println!("{count} items: first page {paged:?}, two pages and all sums {:?}", started.elapsed());
}

#[test]
fn the_oldest_is_what_was_written_first_whatever_the_clock_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(1);
    let mut records = vec![pen.genesis()];
    for (number, wall_ms, minor) in [(1, 5_000, 100), (2, 4_000, 100), (3, 6_000, -100)] {
        let total = format!(r#"{{"kind":"receipt_issued","total":{{"minor":{minor},"currency":"CNY"}}}}"#);
        records.push(pen.write(&total, |header| {
            header.receipt = Some(number);
            header.amount = Some(Money::new(minor, Currency::CNY));
            header.moment.wall_ms = wall_ms;
        }));
    }
    journal.append(&records).unwrap();
    let filter = Filter { which: Which::Open, ..Filter::default() };
    let chosen = filter.selection(Epoch(1), &marks(0, 0), &Cases::default(), i64::MAX);
    let sums = journal.reader().unwrap().sums(&chosen).unwrap();
    let oldest: Vec<_> = sums.iter().map(|sum| (sum.kind, sum.count, sum.oldest())).collect();
    let sales = (ItemKind::Sale, 2, Some((2, 5_000)));
    assert_eq!(oldest, [sales, (ItemKind::Return, 1, Some((4, 6_000)))]);
}

#[test]
fn a_voucher_is_one_item_and_worth_what_it_paid_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let mut pen = Pen::new(1);
    let mut records = vec![pen.genesis()];
    let worth = r#"{"minor":2000,"currency":"CNY"}"#;
    let taken = format!(
        r#"{{"kind":"voucher_taken","voucher":{{"serial":"G1-1","value":{worth},"amount":{worth},"token":"G1."}}}}"#
    );
    let redeemed = format!(r#"{{"kind":"voucher_redeemed","value":{worth},"token":"G1."}}"#);
    for json in [taken, redeemed] {
        records.push(pen.write(&json, |header| {
            (header.sale, header.amount) = (Some(sale(1)), Some(Money::new(2_000, Currency::CNY)));
        }));
    }
    journal.append(&records).unwrap();
    let reader = journal.reader().unwrap();
    let vouchers = Filter { which: Which::All, kind: Some(ItemKind::Voucher), ..Filter::default() };
    let chosen = vouchers.selection(Epoch(1), &marks(0, 0), &Cases::default(), i64::MAX);
    let sums: Vec<_> = reader.sums(&chosen).unwrap().iter().map(|sum| (sum.count, sum.worth)).collect();
    assert_eq!(sums, [(1, Some(Money::new(2_000, Currency::CNY)))]);
    assert_eq!(
        reader.items(&chosen, None, 9).unwrap().iter().map(|header| header.seq).collect::<Vec<_>>(),
        [3]
    );
}
