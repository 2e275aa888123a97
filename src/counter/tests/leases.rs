//! Leases at the till: drawn on, reserved, spent with the receipt, given back when they are over.

use super::shop::five_off;
use super::*;
use crate::bundle::CampaignState;
use crate::record::lease::{Lease, LeaseEnd};
use crate::view::{Demand, Selling};

const HOUR_S: u64 = 3600;

/// A till whose offer "hundred" is for the first few customers, and whose campaign 7 has a quota, too.
fn limited() -> TestTill {
    let mut bench = TestTill::open();
    for campaign in &mut bench.bundle.content.campaigns {
        campaign.quota = matches!(campaign.number, 7 | 9).then_some(100);
    }
    bench.bundle.content.offers[0].campaign = Some(9);
    bench
}

fn lease(bench: &TestTill, campaign: u32, number: u64, uses: u32) -> Lease {
    let until_s = bench.moment.unix_s() + HOUR_S;
    let (terminal, epoch) = (bench.till.terminal().clone(), bench.till.epoch());
    Lease { terminal, epoch, campaign, number, uses, until_s }
}

fn grant(bench: &mut TestTill, campaign: u32, number: u64, uses: u32) -> Vec<&'static str> {
    let lease = lease(bench, campaign, number, uses);
    kinds(&bench.post(&Event::LeaseGranted(lease)).unwrap())
}

fn left(bench: &TestTill, campaign: u32) -> u32 {
    bench.view().leases.iter().find(|lease| lease.campaign == campaign).unwrap().left
}

/// As the loop does it.
fn give_back(bench: &mut TestTill) -> Vec<(u64, u32, LeaseEnd)> {
    let due = bench.till.has_leases_over(&bench.moment, &bench.bundle, bench.contact);
    let made = bench.post(&Event::LeasesOver).unwrap();
    assert_eq!(due, !made.is_empty());
    let of = |record: &Record| match &record.body {
        Body::LeaseReturned { lease, uses, why, .. } => (*lease, *uses, *why),
        other => panic!("{other:?}"),
    };
    made.iter().map(of).collect()
}

#[test]
fn the_first_customers_get_the_offer_and_the_next_one_is_told_why_not() {
    let mut bench = limited();
    assert_eq!(grant(&mut bench, 9, 1, 2), ["lease_received"]);
    for _ in 0..2 {
        bench.press("wine").unwrap();
        assert!(bench.front().without.is_empty());
        let made = bench.cash(9_000).unwrap();
        assert!(kinds(&made).contains(&"lease_used"), "{:?}", kinds(&made));
    }
    bench.press("wine").unwrap();
    let sale = bench.front();
    assert_eq!((sale.total, sale.without.len()), (fen(10_000), 1));
    assert_eq!(sale.without[0].name, "Spend 100, save 10");
    let made = bench.cash(10_000).unwrap();
    assert!(!kinds(&made).contains(&"lease_used"));
    assert_eq!(left(&bench, 9), 0);
    assert_eq!(grant(&mut bench, 9, 2, 1), ["lease_received"]);
    bench.press("wine").unwrap();
    assert_eq!(bench.front().total, fen(9_000));
}

#[test]
fn a_use_is_reserved_while_a_total_is_fixed_and_free_again_when_it_is_not() {
    let mut bench = limited();
    grant(&mut bench, 9, 1, 1);
    bench.press("wine").unwrap();
    bench.act(Act::Pay).unwrap();
    assert_eq!((bench.front().total, left(&bench, 9)), (fen(9_000), 0));
    bench.act(Act::Hold).unwrap();
    bench.press("wine").unwrap();
    assert_eq!(bench.front().total, fen(10_000));
    bench.cash(10_000).unwrap();
    let held = bench.view().held[0].id;
    bench.act(Act::Recall { sale: held }).unwrap();
    bench.act(Act::Back).unwrap();
    assert_eq!(left(&bench, 9), 1);
    bench.restart();
    bench.cash(9_000).unwrap();
    assert_eq!(bench.count("lease_used"), 1);
}

#[test]
fn a_coupon_of_a_campaign_with_a_quota_needs_a_lease_too() {
    let mut bench = limited();
    bench.press("latte").unwrap();
    let refusal = bench.scan(&five_off(1)).unwrap_err();
    assert_eq!(refusal.code(), "quota_spent");
    assert!(refusal.to_string().contains("Sell without it"), "{refusal}");
    grant(&mut bench, 7, 1, 1);
    bench.scan(&five_off(1)).unwrap();
    bench.scan(&five_off(2)).unwrap();
    assert_eq!((bench.front().total, bench.front().without.len()), (fen(2_300), 1));
    let made = bench.cash(2_300).unwrap();
    let redeemed = made.iter().filter(|record| record.body.kind() == "coupon_redeemed");
    assert_eq!(redeemed.map(|record| record.header.serial.clone()).collect::<Vec<_>>().len(), 1);
    // The one that was not given is good another time.
    grant(&mut bench, 7, 2, 1);
    bench.press("latte").unwrap();
    bench.scan(&five_off(2)).unwrap();
}

#[test]
fn a_lease_counts_once_in_order_and_for_this_life_of_the_journal_only() {
    let mut bench = limited();
    assert_eq!(grant(&mut bench, 9, 2, 5), ["lease_received"]);
    assert!(grant(&mut bench, 9, 2, 5).is_empty(), "told again");
    assert!(grant(&mut bench, 9, 1, 5).is_empty(), "older");
    let other = Lease { epoch: Epoch(0xEA), ..lease(&bench, 9, 3, 5) };
    assert!(bench.post(&Event::LeaseGranted(other)).unwrap().is_empty());
    let other = Lease { terminal: "till-2".parse().unwrap(), ..lease(&bench, 9, 3, 5) };
    assert!(bench.post(&Event::LeaseGranted(other)).unwrap().is_empty());
    assert_eq!(left(&bench, 9), 5);
}

#[test]
fn what_is_left_goes_back_when_its_time_is_over_and_what_is_reserved_stays_with_its_sale() {
    let mut bench = limited();
    grant(&mut bench, 9, 1, 3);
    bench.press("wine").unwrap();
    bench.act(Act::Pay).unwrap();
    assert!(give_back(&mut bench).is_empty());
    bench.wait_ms(HOUR_S * 1000);
    assert_eq!(give_back(&mut bench), [(1, 2, LeaseEnd::Expired)]);
    assert!(give_back(&mut bench).is_empty());
    // The customer was promised it: paid after its end, the use is spent all the same.
    bench.act(Act::Hold).unwrap();
    bench.press("wine").unwrap();
    assert_eq!(bench.front().total, fen(10_000), "nobody begins with a lease that is over");
    bench.act(Act::VoidSale { reason: "left".to_owned() }).unwrap();
    let held = bench.view().held[0].id;
    bench.act(Act::Recall { sale: held }).unwrap();
    bench.cash(9_000).unwrap();
    assert_eq!(bench.count("lease_used"), 1);
    assert!(give_back(&mut bench).is_empty());
}

#[test]
fn a_campaign_that_is_stopped_gives_its_leases_back_and_its_offers_no_more() {
    let mut bench = limited();
    grant(&mut bench, 9, 1, 3);
    let stopped = bench.bundle.content.campaigns.iter_mut().find(|campaign| campaign.number == 9).unwrap();
    stopped.state = CampaignState::Stopped;
    bench.press("wine").unwrap();
    assert_eq!((bench.front().total, bench.front().without.len()), (fen(10_000), 0));
    assert_eq!(give_back(&mut bench), [(1, 3, LeaseEnd::Stopped)]);
    assert!(bench.view().leases.iter().all(|lease| lease.campaign != 9));
}

#[test]
fn what_nobody_used_for_an_hour_goes_back_while_head_office_is_heard() {
    let mut bench = limited();
    let day = |bench: &TestTill, number| Lease {
        until_s: bench.moment.unix_s() + 24 * HOUR_S,
        ..lease(bench, 9, number, 3)
    };
    let first = day(&bench, 1);
    bench.post(&Event::LeaseGranted(first)).unwrap();
    bench.wait_ms(HOUR_S * 500);
    bench.press("wine").unwrap();
    bench.cash(9_000).unwrap();
    bench.wait_ms(HOUR_S * 600);
    assert!(give_back(&mut bench).is_empty(), "it was used half an hour ago");
    bench.wait_ms(HOUR_S * 400);
    bench.contact = Contact { silent_ms: Some(HOUR_S * 1000), received: u64::MAX, timed: None };
    assert!(give_back(&mut bench).is_empty(), "off line it may be needed, and no other could be had");
    bench.contact = ONLINE;
    assert_eq!(give_back(&mut bench), [(1, 2, LeaseEnd::Unused)]);
    assert_eq!(bench.records.last().unwrap().header.kind_version, 2, "version 1 has no word for it");
    assert!(give_back(&mut bench).is_empty());
    let demand =
        |bench: &TestTill| bench.view().leases.iter().find(|lease| lease.campaign == 9).unwrap().demand;
    assert_eq!((left(&bench, 9), demand(&bench)), (0, Demand::Quiet), "nobody asks for it again at once");
    bench.restart();
    assert_eq!(demand(&bench), Demand::Quiet);
    bench.press("latte").unwrap();
    assert_eq!(demand(&bench), Demand::Selling, "somebody shops: it is asked for again");
    let second = day(&bench, 2);
    assert_eq!(kinds(&bench.post(&Event::LeaseGranted(second)).unwrap()), ["lease_received"]);
}

#[test]
fn a_coupon_that_is_shown_first_after_a_quiet_hour_is_what_more_is_asked_for() {
    let mut bench = limited();
    bench.act(Act::OpenShift { float: fen(0) }).unwrap();
    let first = Lease { until_s: bench.moment.unix_s() + 24 * HOUR_S, ..lease(&bench, 7, 1, 3) };
    bench.post(&Event::LeaseGranted(first)).unwrap();
    bench.wait_ms(HOUR_S * 1000);
    bench.contact = ONLINE;
    assert_eq!(give_back(&mut bench), [(1, 3, LeaseEnd::Unused)]);
    let refusal = bench.scan(&five_off(1)).unwrap_err();
    assert_eq!(refusal.code(), "quota_spent");
    let told = BTreeMap::from([(bench.station.clone(), Told::from(&refusal))]);
    let demand = |bench: &TestTill, told| {
        let stations = [bench.station.clone()];
        let view = bench.till.view(&bench.bundle, bench.moment.unix_s(), &stations, told, Selling::Open);
        view.leases.iter().find(|lease| lease.campaign == 7).unwrap().demand
    };
    assert_eq!(bench.view().leases[0].demand, Demand::Quiet);
    assert_eq!(demand(&bench, &told), Demand::Selling);
    // What still stands on another station's screen in the evening asks for nothing.
    bench.act(Act::CloseShift { counted: fen(0) }).unwrap();
    assert_eq!(demand(&bench, &told), Demand::Quiet);
}

#[test]
fn a_shift_that_closes_gives_back_what_no_open_sale_has_been_promised() {
    let mut bench = limited();
    bench.act(Act::OpenShift { float: fen(0) }).unwrap();
    grant(&mut bench, 9, 1, 3);
    bench.press("wine").unwrap();
    bench.act(Act::Pay).unwrap();
    bench.act(Act::Hold).unwrap();
    assert!(give_back(&mut bench).is_empty());
    bench.act(Act::CloseShift { counted: fen(0) }).unwrap();
    assert_eq!(give_back(&mut bench), [(1, 2, LeaseEnd::Unused)]);
    let held = bench.view().held[0].id;
    bench.act(Act::Recall { sale: held }).unwrap();
    bench.cash(9_000).unwrap();
    assert_eq!(bench.count("lease_used"), 1, "the promise stood");
}

#[test]
fn a_basket_that_was_shown_a_price_keeps_what_it_needs_however_long_it_is_parked() {
    let mut bench = limited();
    let until_s = bench.moment.unix_s() + 24 * HOUR_S;
    bench.post(&Event::LeaseGranted(Lease { until_s, ..lease(&bench, 9, 1, 3) })).unwrap();
    bench.press("wine").unwrap();
    bench.act(Act::Hold).unwrap();
    bench.wait_ms(HOUR_S * 2_000);
    assert!(give_back(&mut bench).is_empty());
    let held = bench.view().held[0].id;
    bench.act(Act::Recall { sale: held }).unwrap();
    bench.act(Act::Pay).unwrap();
    bench.cash(9_000).unwrap();
    assert_eq!(bench.count("lease_used"), 1);
}
