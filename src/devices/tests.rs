//! Devices on real pseudo-terminals: what is posted, what is printed, and what waits.

mod beside;
mod counter;

use super::*;
use crate::counter::Refusal;
use crate::counter::duty::KickDuty;
use crate::inbox::{PortState, Reply};
use crate::paper::{Codes, Form, Lang, TypeSize, layout};
use crate::record::ids::{JobId, KickId};
use beside::drawer_in_turn;
use counter::{Counter, LONG, print, reference, scanned, yes};
use hardware::Profile;
use hardware::printer::escpos::encode;
use hardware::sim::{Fault, Happening, PrinterOptions};
use std::time::Duration;

#[test]
fn our_layout_of_the_reference_receipt_is_within_its_budget() {
    let profile = Profile::by_name("epson-tm-t88").unwrap();
    let form = Form { lang: Lang::En, size: TypeSize::Normal, columns: profile.columns, codes: Codes::Qr };
    let bytes = encode(&layout(&reference(), form), profile).unwrap();
    assert!(bytes.len() <= 440, "{} bytes", bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_arrive_whole_and_in_order_with_their_symbology() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.scanner_is(|state| *state == PortState::Ready).await;
    counter.scans(b"]E06901234567892\r\n]Q3010690");
    counter.scans(b"1234567892\r");
    counter.scans(b"281234567890123456\r");
    assert_eq!(counter.event().await, scanned("6901234567892", Some(b"]E0")));
    assert_eq!(counter.event().await, scanned("0106901234567892", Some(b"]Q3")));
    assert_eq!(counter.event().await, scanned("281234567890123456", None));
    assert_eq!(counter.stop().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_the_till_refuses_holds_up_no_other() {
    let mut counter = Counter::new(PrinterOptions::default(), |_| Err(Refusal::NoSale));
    counter.scanner_is(|state| *state == PortState::Ready).await;
    let all: String = (0..200).map(|number| format!("{number}\r")).collect();
    counter.scans(all.as_bytes());
    for number in 0..200 {
        assert_eq!(counter.event().await, scanned(&number.to_string(), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_is_pulled_out_is_missed_and_found_again() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.scanner_is(|state| *state == PortState::Ready).await;
    counter.scanner.unplug();
    counter.scanner_is(|state| matches!(state, PortState::Gone(_))).await;
    counter.scanner.replug().unwrap();
    counter.scanner_is(|state| *state == PortState::Ready).await;
    counter.scans(b"6901234567892\r");
    assert_eq!(counter.event().await, scanned("6901234567892", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_the_cable_cut_off_is_said_until_the_next() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.scanner_is(|state| *state == PortState::Ready).await;
    let lost = "The scanner was unplugged in the middle of a scan: scan again.";
    // In one piece with a whole scan: when that has arrived, half a scan has too.
    counter.scans(b"6901234567892\r69012");
    assert_eq!(counter.event().await, scanned("6901234567892", None));
    counter.scanner.unplug();
    counter
        .scanner_is(|state| matches!(state, PortState::Gone(words) if words.contains("middle of a scan")))
        .await;
    counter.scanner.replug().unwrap();
    counter.scanner_is(|state| *state == PortState::Asks(lost.to_owned())).await;
    counter.scans(b"4006381333931\r");
    assert_eq!(counter.event().await, scanned("4006381333931", None));
    counter.scanner_is(|state| *state == PortState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_code_in_a_moment_is_marked_and_not_swallowed() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.scanner_is(|state| *state == PortState::Ready).await;
    counter.scans(b"6901234567892\r6901234567892\r]E06901234567892\r");
    assert_eq!(counter.event().await, scanned("6901234567892", None));
    let Event::Scanned { scan, .. } = counter.event().await else { panic!("a scan was expected") };
    assert!(scan.repeat_of_ms.is_some_and(|ms| ms < 800), "{:?}", scan.repeat_of_ms);
    assert_eq!(counter.event().await, scanned("6901234567892", Some(b"]E0")), "another symbol");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_waits_for_a_word_is_told_after_the_till_has_the_scan_and_not_heard_twice() {
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| {
        let scanner = config.stations.values_mut().find_map(|station| station.scanner.as_mut()).unwrap();
        scanner.profile = ScannerProfile::by_name("honeywell").unwrap().clone();
        scanner.acknowledge = Acknowledging::On;
    });
    counter.scanner_is(|state| *state == PortState::Ready).await;
    // The second is what a scanner sends whose patience ended before the word came.
    counter.scans(b"690\r690\r691\r");
    assert_eq!(counter.event().await, scanned("690", None));
    assert_eq!(counter.event().await, scanned("691", None));
    for _ in 0..3 {
        assert_eq!(counter.scanner.heard(LONG).unwrap(), Some(0x06));
    }
    counter.scans(&[b'~'; 5000]);
    counter.scans(b"\r");
    assert_eq!(counter.scanner.heard(LONG).unwrap(), Some(0x15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_sends_noise_asks_for_a_person_until_it_scans() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.scanner_is(|state| *state == PortState::Ready).await;
    let noise = [b'~'; 3000];
    counter.scans(&noise);
    counter.scans(&noise);
    counter.scans(b"\r");
    counter.scanner_is(|state| matches!(state, PortState::Asks(words) if words.contains("baud rate"))).await;
    counter.scans(b"6901234567892\r");
    assert_eq!(counter.event().await, scanned("6901234567892", None));
    counter.scanner_is(|state| *state == PortState::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_announced_printed_and_confirmed() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.print(7, 5).await;
    assert_eq!(counter.report().await, "paper 7 starts");
    assert_eq!(counter.report().await, "paper 7 Confirmed");
    let paper = counter.printer.paper();
    assert_eq!(paper.errors, []);
    assert_eq!(paper.cut_sheets().count(), 1);
    let text = paper.to_text(504);
    assert!(text.contains("9f3c-000007") && text.contains("Coffee beans 250g"), "{text}");
    assert!(!text.contains("??"), "a western printer prints English, not question marks: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_waits_for_paper_and_is_printed_once() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.set_fault(Fault::PaperOut);
    let out = "The paper has run out: put in a new roll.";
    counter.print(1, 5).await;
    counter.printer_is(|state| *state == PortState::Asks(out.to_owned())).await;
    counter.print(2, 5).await;
    counter.printer.set_fault(Fault::None);
    for report in ["paper 1 starts", "paper 1 Confirmed", "paper 2 starts", "paper 2 Confirmed"] {
        assert_eq!(counter.report().await, report);
    }
    assert_eq!(counter.printer.paper().cut_sheets().count(), 2);
    counter.printer_is(|state| *state == PortState::Ready).await;
    assert_eq!(counter.stop().await, [], "nothing is said twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_held_by_the_end_of_the_paper_is_printed_once_when_a_roll_is_loaded() {
    let shortly = Duration::from_millis(50);
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| {
        config.drawer_wait = shortly;
        drawer_in_turn(config);
    });
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.after_lines(3, Happening::PaperOut);
    counter.print(1, 5).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    let held = "The paper has run out: put in a new roll. The receipt goes on by itself.";
    counter.printer_is(|state| *state == PortState::Held(held.to_owned())).await;
    // The till goes on: the next receipt waits, and a drawer is not kept waiting for a roll.
    counter.print(2, 5).await;
    counter.kick(3).await;
    assert_eq!(
        counter.report().await,
        "drawer 3 FailedBefore The drawer could not be opened: the paper has run out: put in a new roll. \
         Open it with its key."
    );
    counter.printer.happen(Happening::PaperLoaded);
    for report in ["paper 1 Confirmed", "paper 2 starts", "paper 2 Confirmed"] {
        assert_eq!(counter.report().await, report);
    }
    let paper = counter.printer.paper();
    assert_eq!((paper.errors.len(), paper.pulses.len()), (0, 0));
    assert_eq!(paper.cut_sheets().count(), 2);
    assert_eq!(paper.to_text(504).matches("Coffee beans 250g").count(), 2);
    counter.printer_is(|state| *state == PortState::Ready).await;
    assert_eq!(counter.stop().await, [], "nothing is said twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_held_can_be_given_up_and_the_next_is_printed_when_there_is_paper() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.printer_is(|state| *state == PortState::Ready).await;
    let press = |counter: &Counter| {
        let station: StationId = "front".parse().unwrap();
        counter.board.paper_given_up.send_modify(|presses| *presses.entry(station).or_default() += 1);
    };
    // Nothing stands still: a press is about nothing that comes later.
    press(&counter);
    counter.printer.after_lines(3, Happening::PaperOut);
    counter.print(1, 5).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    counter.printer_is(|state| matches!(state, PortState::Held(_))).await;
    press(&counter);
    let report = counter.report().await;
    let words = "The wait for the printer was given up: look at the paper.";
    assert!(
        [format!("paper 1 Unconfirmed {words}"), format!("paper 1 FailedPartWay {words}")]
            .iter()
            .any(|begin| report.starts_with(begin)),
        "{report}"
    );
    counter.print(2, 5).await;
    counter.printer_is(|state| matches!(state, PortState::Asks(_))).await;
    counter.printer.happen(Happening::PaperLoaded);
    assert_eq!(counter.report().await, "paper 2 starts");
    assert_eq!(counter.report().await, "paper 2 Confirmed");
    assert_eq!(counter.printer.paper().to_text(504).matches("000002").count(), 1);
    assert_eq!(counter.stop().await, [], "it is not printed again by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_waits_for_a_printer_that_is_not_there() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.printer.unplug();
    counter.printer_is(|state| matches!(state, PortState::Gone(_))).await;
    counter.print(1, 5).await;
    counter.printer.replug().unwrap();
    assert_eq!(counter.report().await, "paper 1 starts");
    assert_eq!(counter.report().await, "paper 1 Confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_pulled_within_a_receipt_fails_it_part_way_and_it_is_not_printed_again_by_itself() {
    let options = PrinterOptions { baud: 115_200, ..PrinterOptions::default() };
    let mut counter = Counter::new(options, yes);
    counter.printer_is(|state| *state == PortState::Ready).await;
    let before = counter.printer.received();
    counter.print(1, 1500).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    let printer = &counter.printer;
    tokio::task::block_in_place(|| {
        assert!(printer.wait_for_received(LONG, before + 2000));
        printer.unplug();
    });
    let report = counter.report().await;
    assert!(report.starts_with("paper 1 FailedPartWay The printer is not connected"), "{report}");
    counter.printer_is(|state| matches!(state, PortState::Gone(_))).await;
    counter.printer.replug().unwrap();
    counter.print(2, 5).await;
    assert_eq!(counter.report().await, "paper 2 starts");
    assert_eq!(counter.report().await, "paper 2 Confirmed");
    assert_eq!(counter.printer.paper().cut_sheets().count(), 1);
    assert_eq!(counter.stop().await, []);
}

#[tokio::test]
async fn the_drawer_opens_before_receipts_that_wait() {
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| {
        config.drawer_wait = LONG;
        drawer_in_turn(config);
    });
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.set_fault(Fault::CoverOpen);
    counter.printer_is(|state| matches!(state, PortState::Asks(_))).await;
    counter.print(1, 5).await;
    counter.kick(2).await;
    counter.printer.set_fault(Fault::None);
    for report in ["drawer 2 starts", "drawer 2 Confirmed", "paper 1 starts", "paper 1 Confirmed"] {
        assert_eq!(counter.report().await, report);
    }
    assert_eq!(counter.printer.paper().pulses.len(), 1);
    assert_eq!(counter.printer.paper().errors, []);
}

#[tokio::test]
async fn the_drawer_of_a_cash_sale_opens_before_its_receipt() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.print(1, 5).await;
    counter.kick(2).await;
    for report in ["drawer 2 starts", "drawer 2 Confirmed", "paper 1 starts", "paper 1 Confirmed"] {
        assert_eq!(counter.report().await, report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_that_is_wanted_while_the_printer_is_asked_still_opens_first() {
    // At 300 baud the four questions before a receipt take 400 ms.
    let options = PrinterOptions { baud: 300, ..PrinterOptions::default() };
    let mut counter = Counter::with(options, yes, |config| {
        config.printer_poll = LONG;
        config.patience.stall = LONG;
        config.patience.answer = LONG;
    });
    counter.printer_is(|state| *state == PortState::Ready).await;
    let before = counter.printer.received();
    counter.print(1, 5).await;
    assert!(tokio::task::block_in_place(|| counter.printer.wait_for_received(LONG, before + 1)));
    counter.kick(2).await;
    for report in ["drawer 2 starts", "drawer 2 Confirmed", "paper 1 starts"] {
        assert_eq!(counter.report().await, report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_that_cannot_be_opened_is_given_up_while_its_receipt_goes_on_waiting() {
    let shortly = Duration::from_millis(50);
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| {
        config.drawer_wait = shortly;
        drawer_in_turn(config);
    });
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.set_fault(Fault::PaperOut);
    counter.printer_is(|state| matches!(state, PortState::Asks(_))).await;
    counter.print(1, 5).await;
    counter.kick(2).await;
    assert_eq!(
        counter.report().await,
        "drawer 2 FailedBefore The drawer could not be opened: the paper has run out: put in a new roll. \
         Open it with its key."
    );
    counter.printer.set_fault(Fault::None);
    assert_eq!(counter.report().await, "paper 1 starts");
    assert_eq!(counter.report().await, "paper 1 Confirmed");
    assert_eq!(counter.printer.paper().pulses, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_till_does_not_allow_is_neither_printed_nor_opened() {
    let mut counter = Counter::new(PrinterOptions::default(), |event| {
        let settled = matches!(event, Event::Print(JobId([1, ..]), _) | Event::Drawer(..));
        if settled { Err(Refusal::NotNow("Settled already.")) } else { Ok(Reply::default()) }
    });
    counter.print(1, 5).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    counter.kick(2).await;
    assert_eq!(counter.report().await, "drawer 2 starts");
    counter.print(3, 5).await;
    assert_eq!(counter.report().await, "paper 3 starts");
    assert_eq!(counter.report().await, "paper 3 Confirmed");
    let paper = counter.printer.paper();
    assert_eq!((paper.cut_sheets().count(), paper.pulses.len()), (1, 0));
    assert!(!paper.to_text(504).contains("000001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_without_a_printer_says_so() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    let elsewhere: StationId = "back".parse().unwrap();
    counter.work.send(print(&elsewhere, 1, 5)).await.unwrap();
    assert_eq!(counter.report().await, "paper 1 FailedBefore No printer is set up at this station.");
    let duty = KickDuty { kick: KickId([2; 16]), station: elsewhere };
    counter.work.send(DeviceWork::Kick(duty)).await.unwrap();
    assert_eq!(
        counter.report().await,
        "drawer 2 FailedBefore The drawer could not be opened: no drawer is set up at this station. \
         Open it with its key."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_the_receipt_under_way_and_begins_no_other() {
    // A receipt takes a second.
    let options = PrinterOptions { baud: 4_800, ..PrinterOptions::default() };
    let mut counter = Counter::with(options, yes, |config| {
        config.stop_wait = LONG;
        config.patience.stall = LONG;
    });
    counter.print(1, 5).await;
    counter.print(2, 5).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    let rest = counter.stop().await;
    assert_eq!(
        rest,
        [Event::Print(JobId([1; 16]), PrintReport::Ended(PaperOutcome::Confirmed, String::new()))]
    );
    let printed = std::fs::read(counter.folder.path().join("printed.bin")).unwrap();
    let has = |number: &[u8]| printed.windows(6).any(|part| part == number);
    assert!(has(b"000001") && !has(b"000002"), "{}", String::from_utf8_lossy(&printed));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_receipt_that_does_not_end() {
    let options = PrinterOptions { baud: 9600, ..PrinterOptions::default() };
    let shortly = Duration::from_millis(50);
    let mut counter = Counter::with(options, yes, |config| config.stop_wait = shortly);
    counter.print(1, 1500).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    let rest = counter.stop().await;
    let [Event::Print(_, PrintReport::Ended(outcome, _))] = rest.as_slice() else { panic!("{rest:?}") };
    assert!(matches!(outcome, PaperOutcome::FailedPartWay | PaperOutcome::FailedBefore), "{outcome:?}");
}
