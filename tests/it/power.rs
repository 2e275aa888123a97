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
    let sheets = counter.shop.paper().cut_sheets().count();
    assert_eq!(sheets, 0, "the power went before the receipt was cut");
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
