//! Clocks that run back, jump or are years off: noticed, told, and over by themselves.

use super::shop::five_off;
use super::*;
use crate::record::moment::{BootId, Doubt};
use crate::token::{MemberRef, member_code};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// As the loop does it, before anything else.
fn look(bench: &mut TestTill) -> Vec<&'static str> {
    let turned = bench.till.clock_turned(&bench.moment, &bench.bundle, bench.contact);
    let made = bench.post(&Event::ClockTurned).unwrap();
    assert_eq!(turned, !made.is_empty(), "the loop is told whenever there is something to write");
    kinds(&made)
}

fn why(bench: &TestTill) -> Option<Doubt> {
    bench.view().clock.distrusted
}

/// The machine starts again, without network, with its wall clock this far from right.
fn reboot(bench: &mut TestTill, off_ms: i64) {
    bench.restart();
    bench.moment = Moment {
        wall_ms: bench.moment.wall_ms + 60_000 + off_ms,
        boot: BootId([bench.moment.boot.0[0] + 1; 16]),
        monotonic_ms: 9_000,
        cloud_offset_ms: None,
    };
    bench.restart();
}

fn takes_coupons(bench: &mut TestTill) -> bool {
    let serial = u64::from(u32::try_from(bench.records.len()).unwrap());
    match bench.scan(&five_off(serial)) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.code(), "clock_distrusted", "{refusal}");
            false
        }
    }
}

#[test]
fn a_clock_that_jumps_within_a_boot_stops_what_expires_and_nothing_else() {
    for by_ms in [-HOUR_MS, HOUR_MS, 365 * DAY_MS, -365 * DAY_MS] {
        let mut bench = TestTill::open();
        bench.press("latte").unwrap();
        bench.scan(&five_off(1)).unwrap();
        let date = bench.records.last().unwrap().header.business_date;
        bench.moment.wall_ms += by_ms;
        assert_eq!(look(&mut bench), ["clock_distrusted"], "{by_ms}");
        assert_eq!(why(&bench), Some(Doubt::Jumped));
        assert!(look(&mut bench).is_empty(), "it is said once");
        assert!(!takes_coupons(&mut bench));
        assert_eq!(word(&bench.act(Act::Pay)), "clock_distrusted", "nor is a coupon fixed");
        let member = member_code(MemberRef([7; 10]), &[9; 20], shop::NOW_S);
        assert_eq!(word(&bench.scan(&member)), "clock_distrusted");
        let serial = bench.front().coupons[0].serial.clone();
        bench.act(Act::ReturnCoupon { serial }).unwrap();
        let made = bench.cash(2_800).unwrap();
        assert_eq!(made[0].header.business_date, date, "the day goes on as it was");
        bench.press("latte").unwrap();
        bench.act(Act::Pay).unwrap();
        assert_eq!(word(&bench.act(Act::ShowCode { at: None })), "clock_unsure");
        bench.scan(&pay_code(1)).unwrap();
        bench.restart();
        assert_eq!(why(&bench), Some(Doubt::Jumped), "a restart does not forgive it");
        // The cloud is heard: its time counts, and the doubt is over.
        bench.moment.cloud_offset_ms = Some(-by_ms);
        assert_eq!(look(&mut bench), ["clock_trusted"]);
        assert_eq!(why(&bench), None);
    }
}

#[test]
fn a_clock_that_is_put_right_again_is_believed_again() {
    let mut bench = TestTill::open();
    bench.moment.wall_ms -= HOUR_MS;
    assert_eq!(look(&mut bench), ["clock_distrusted"]);
    bench.wait_ms(600_000);
    assert!(!takes_coupons(&mut bench));
    bench.moment.wall_ms += HOUR_MS;
    assert_eq!(look(&mut bench), ["clock_trusted"]);
    assert!(takes_coupons(&mut bench));
}

#[test]
fn some_seconds_of_a_time_server_are_no_jump() {
    let mut bench = TestTill::open();
    for by_ms in [4_000, -9_000, 30_000, -40_000] {
        bench.moment.wall_ms += by_ms;
        bench.wait_ms(3_600_000);
        assert!(look(&mut bench).is_empty(), "{by_ms}");
        assert!(takes_coupons(&mut bench));
        bench.act(Act::VoidSale { reason: "a try".to_owned() }).unwrap();
    }
}

#[test]
fn summer_time_is_no_jump() {
    let mut bench = TestTill::open();
    bench.bundle.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    // Over the last Sunday of March 2027, in whole days of the monotonic clock.
    bench.wait_ms(128 * 24 * 3_600_000);
    assert!(look(&mut bench).is_empty());
}

#[test]
fn a_jump_right_after_the_cloud_told_the_time_is_noticed() {
    let mut bench = TestTill::open();
    bench.wait_ms(60_000);
    // Heard again; no record has this offset yet.
    bench.moment.cloud_offset_ms = Some(15);
    bench.contact.timed = Some(bench.moment);
    bench.wait_ms(60_000);
    assert!(look(&mut bench).is_empty());
    bench.moment.wall_ms += HOUR_MS;
    assert_eq!(look(&mut bench), ["clock_distrusted"]);
    assert!(!takes_coupons(&mut bench));
}

#[test]
fn a_machine_that_starts_in_1970_sells_and_takes_nothing_that_expires() {
    let mut bench = TestTill::open();
    let date = bench.records.last().unwrap().header.business_date;
    let since_1970 = bench.moment.wall_ms + 60_000;
    reboot(&mut bench, -since_1970);
    assert_eq!(bench.moment.wall_ms, 0);
    assert_eq!(look(&mut bench), ["clock_distrusted"]);
    assert_eq!(why(&bench), Some(Doubt::BeforeBuild));
    assert!(!takes_coupons(&mut bench));
    bench.press("latte").unwrap();
    let made = bench.cash(2_800).unwrap();
    assert_eq!(made[0].header.business_date, date, "not in 1970");
    let codes: Vec<_> = bench.view().attention.iter().map(|item| item.code).collect();
    assert_eq!(codes, ["clock_distrusted"]);
    // A time server puts it right, still without the cloud.
    bench.moment.wall_ms += since_1970 + 60_000;
    assert_eq!(look(&mut bench), ["clock_trusted"]);
    assert!(takes_coupons(&mut bench));
    assert!(bench.view().attention.is_empty());
}

#[test]
fn a_machine_that_starts_behind_or_far_ahead_without_network_is_not_believed() {
    for (off_ms, doubt) in [
        (0, None),
        (-30_000, None),
        (20 * DAY_MS, None),
        (-HOUR_MS, Some(Doubt::BeforeRecords)),
        (-10 * DAY_MS, Some(Doubt::BeforeBundle)),
        (-365 * DAY_MS, Some(Doubt::BeforeBuild)),
        (365 * DAY_MS, Some(Doubt::FarAhead)),
    ] {
        let mut bench = TestTill::open();
        reboot(&mut bench, off_ms);
        look(&mut bench);
        assert_eq!(why(&bench), doubt, "{off_ms}");
        // Twenty days later the coupon itself is over.
        if off_ms < DAY_MS || doubt.is_some() {
            assert_eq!(takes_coupons(&mut bench), doubt.is_none(), "{off_ms}");
        }
        bench.moment.cloud_offset_ms = Some(-off_ms);
        look(&mut bench);
        assert_eq!(why(&bench), None, "the cloud has told the time");
    }
}

#[test]
fn the_clouds_offset_outlives_a_restart_on_the_same_boot_while_nobody_moves_the_clock() {
    let mut bench = TestTill::open();
    bench.moment.cloud_offset_ms = Some(1_234);
    bench.press("latte").unwrap();
    let bare = |bench: &TestTill| Moment { cloud_offset_ms: None, ..bench.moment };
    bench.wait_ms(300_000);
    assert_eq!(replay(&bench.records).offset_of_this_boot(&bare(&bench)), Some(1_234));
    let moved = Moment { wall_ms: bench.moment.wall_ms + HOUR_MS, ..bare(&bench) };
    assert_eq!(bench.till.offset_of_this_boot(&moved), None);
    let rebooted = Moment { boot: BootId([9; 16]), ..bare(&bench) };
    assert_eq!(bench.till.offset_of_this_boot(&rebooted), None);
}
