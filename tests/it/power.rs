//! How the till ends and begins again: told to stop it drains, cut off it finds out where it was.
//!
//! Not here: cuts at random moments (`day`).

use crate::counter::{Counter, WATER, text};
use hardware::sim::{Printer, PrinterOptions};
use serde_json::Value;

/// Slow enough that a receipt takes more than a second, and fast enough that what was on its way at a power cut is
/// through before a printer that says nothing is given up.
const SLOW_BAUD: u32 = 4_800;

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_writes_its_last_record_and_the_next_start_is_clean() {
    let mut counter = Counter::open().await;
    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter.paid(&sale).await;
    // Told while the receipt is being printed: what is under way is finished first.
    counter.shop.stop_daemon().await.unwrap();
    assert_eq!(counter.books().kinds().last().map(String::as_str), Some("stopped"));

    let open = counter.books().kinds().len();
    counter.shop.start_daemon().await.unwrap();
    assert_eq!(counter.books().last_boot(), "clean");
    assert!(counter.books().kinds().len() > open);
    let second = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    assert_eq!(counter.paid(&second).await, 2);
    let closed = counter.close().await;
    closed.counts("receipts", 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_in_the_printer_at_a_power_cut_is_asked_about_and_never_printed_by_itself() {
    let mut counter = Counter::open().await;
    let devices = counter.dir().join("devices");
    counter.shop.printer.unplug();
    let options = PrinterOptions { baud: SLOW_BAUD, ..counter.shop.printer.options() };
    counter.shop.printer = Printer::start(&devices.join("printer"), &devices, options).unwrap();

    let sale = text(&counter.basket(&[WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter
        .until("the receipt in the printer", async || {
            (counter.recent(&sale).await?["paper"] == "printing").then_some(())
        })
        .await;
    counter.shop.kill_daemon().await.unwrap();
    counter.shop.start_daemon().await.unwrap();
    assert_eq!(counter.books().last_boot(), "unclean");
    assert_eq!(counter.paper_of(&sale).await, "unconfirmed");
    let asked = asked_about(&counter, &sale).await.expect("a person is asked");
    assert_eq!(asked["code"], "paper_unconfirmed", "{asked}");

    // Paper goes in order: when the next receipt is out, nothing of the first came again before it.
    let second = text(&counter.basket(&[WATER, WATER]).await["id"]);
    counter.press("cash", &[("received", "5.00")]).await;
    counter
        .until("the second receipt", async || {
            (counter.recent(&second).await?["paper"] == "printed").then_some(())
        })
        .await;
    let plain = |number: u64| {
        counter.books().slips().iter().filter(|slip| slip.number == number && !slip.copy).count()
    };
    assert!(plain(1) <= 1, "{:?}", counter.books().slips());
    assert_eq!(plain(2), 1, "{:?}", counter.books().slips());
    assert!(asked_about(&counter, &sale).await.is_some(), "it is still asked");

    // A person looked, and wants it on paper: as a copy.
    counter.press("reprint", &[("sale", &sale)]).await;
    counter
        .until("the copy", async || {
            counter.books().slips().iter().any(|slip| slip.number == 1 && slip.copy).then_some(())
        })
        .await;
    assert!(asked_about(&counter, &sale).await.is_none(), "nobody is asked any more");
    assert!(plain(1) <= 1, "{:?}", counter.books().slips());
    let closed = counter.close().await;
    closed.counts("receipts", 2);
}

async fn asked_about(counter: &Counter, sale: &str) -> Option<Value> {
    let view = counter.view().await;
    view["till"]["attention"].as_array()?.iter().find(|open| open["sale"] == sale).cloned()
}

/// Kills in a run that is short enough for every day.
const KILLS: u64 = 50;

/// Fast enough that paper never holds the counter up.
const FAST_BAUD: u32 = 2_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn proof_a_daemon_that_is_killed_at_random_moments_keeps_every_sale_that_it_acknowledged() {
    let kills = std::env::var("TILL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let clock = till::clock::Clock::new();
    let begun = clock.monotonic_ms();
    let mut counter = Counter::open().await;
    let devices = counter.dir().join("devices");
    counter.shop.printer.unplug();
    let options = PrinterOptions { baud: FAST_BAUD, ..counter.shop.printer.options() };
    counter.shop.printer = Printer::start(&devices.join("printer"), &devices, options).unwrap();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut acknowledged = 0_u64;
    for kill in 0..kills {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = std::time::Duration::from_millis(5 + (chance >> 33) % 120);
        // However slow the machine is: every other life has had a customer before its time runs.
        if kill % 2 == 0 && sells(&counter).await {
            acknowledged += 1;
        }
        let busy = async {
            // The till may be gone at any of these; what it said before that counts.
            while sells(&counter).await {
                acknowledged += 1;
            }
        };
        // Dropped in the middle, as the power goes in the middle.
        let _ = tokio::time::timeout(moment, busy).await;
        counter.shop.kill_daemon().await.unwrap();
        counter.shop.start_daemon().await.unwrap();
    }
    let (receipts, boots) = (counter.books().receipts(), counter.books().bodies("booted"));
    let unclean = boots.iter().filter(|boot| boot["shutdown"] == "unclean").count();
    assert_eq!(u64::try_from(unclean).unwrap(), kills, "each kill is seen by the start after it");
    let wanted: Vec<u64> = (1..).take(receipts.len()).collect();
    assert_eq!(receipts, wanted, "receipt numbers have no gaps");
    let found = u64::try_from(receipts.len()).unwrap();
    let lost = acknowledged.saturating_sub(found);
    let seconds = (clock.monotonic_ms() - begun) / 1000;
    println!("killed processes: {kills} kills, {acknowledged} sales acknowledged, {lost} lost, {seconds} s");
    assert_eq!(lost, 0);
    assert!(acknowledged > kills / 4, "the counter was busy");
    counter.close().await;
}

/// One customer who pays in cash; whether the till has acknowledged it.
async fn sells(counter: &Counter) -> bool {
    counter.cashier.press("type-code", None, &[("code", WATER)]).await.is_ok()
        && counter.cashier.press("cash", None, &[("received", "50.00")]).await.is_ok()
}
