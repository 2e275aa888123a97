//! The line between till and printer, its power, and the words that are lost on the way.

use std::time::Duration;

use hardware::printer::{JobOutcome, Patience, PrinterEvent, Why};
use hardware::sim::{Handshake, Happening, PrinterOptions};

use crate::counter::{Counter, LONG, LONG_RECEIPT, PATIENCE, Speech, each, receipt};

#[test]
fn all_that_is_well_is_confirmed_by_the_best_word_the_printer_has() {
    for speech in Speech::ALL {
        let counter = Counter::new(speech);
        for round in 0..3 {
            let name = format!("round {round}");
            assert_eq!(counter.print(&receipt(&name, 20)), JobOutcome::Confirmed, "{speech:?}");
            counter.has_all(&name, 20);
        }
        assert_eq!(counter.device.paper().errors, []);
    }
}

#[test]
fn power_that_is_lost_within_a_job_never_leaves_it_confirmed() {
    let cases: Vec<_> = Speech::ALL
        .into_iter()
        .flat_map(|speech| [20, LONG_RECEIPT].map(|lines| (speech, lines)))
        .flat_map(|(speech, lines)| {
            [Handshake::Line, Handshake::Nothing].map(|handshake| (speech, lines, handshake))
        })
        .collect();
    each(&cases, |(speech, lines, handshake)| lose_power(speech, lines, handshake));
}

fn lose_power(speech: Speech, lines: usize, handshake: Handshake) {
    let options = PrinterOptions { handshake, baud: 115_200, ..PrinterOptions::default() };
    let counter = Counter::with(speech, options, PATIENCE);
    counter.device.after_lines(5, Happening::PowerOff);
    let outcome = counter.print_while(&receipt("dark", lines), || {
        counter.until(|event| matches!(event, PrinterEvent::Held(Why::Silent | Why::Stalled)));
        counter.device.happen(Happening::PowerOn);
    });
    assert!(
        matches!(outcome, JobOutcome::Unconfirmed { .. } | JobOutcome::FailedPartWay { .. }),
        "{speech:?} {lines} {handshake:?} {outcome:?}"
    );
    // What the line still held came out when the power was back, and nothing of it twice.
    assert!(counter.lines().values().all(|count| *count == 1), "{:?}", counter.lines());
    assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed, "{speech:?}");
    counter.has_all("next", 3);
}

#[test]
fn power_that_is_lost_after_the_last_byte_leaves_the_job_unconfirmed() {
    each(&Speech::ALL, |speech| {
        let counter = Counter::new(speech);
        counter.device.at_next_cut(Happening::PowerOff);
        let outcome = counter.print(&receipt("dark", 20));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Silent }, "{speech:?}");
        assert_eq!(counter.print(&receipt("refused", 3)), JobOutcome::FailedBefore { why: Why::Silent });
        counter.device.happen(Happening::PowerOn);
        counter.until_well();
        counter.has_all("dark", 20);
        counter.is_well_after();
    });
}

#[test]
fn answers_that_are_lost_leave_one_job_unconfirmed_and_spoil_no_other() {
    each(&Speech::ALL, |speech| {
        let counter = Counter::new(speech);
        counter.device.at_next_cut(Happening::LosesAnswers(None));
        let outcome = counter.print(&receipt("unheard", 20));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Silent }, "{speech:?}");
        counter.device.happen(Happening::AnswersArrive);
        counter.has_all("unheard", 20);
        counter.is_well_after();

        // The one word that counts is lost, and all else is well.
        counter.device.at_next_cut(Happening::LosesAnswers(Some(2)));
        let outcome = counter.print(&receipt("unheard too", 20));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::NoWord }, "{speech:?}");
        counter.has_all("unheard too", 20);
        assert_eq!(counter.print(&receipt("after", 3)), JobOutcome::Confirmed);
    });
}

#[test]
fn a_printer_that_holds_its_host_by_xoff_for_long_is_waited_for() {
    each(&Speech::ALL, |speech| {
        let options = PrinterOptions { handshake: Handshake::XonXoff, ..PrinterOptions::default() };
        let stall = Duration::from_millis(500);
        let patience = Patience { stall, ..PATIENCE };
        let counter = Counter::with(speech, options, patience);
        counter.device.after_lines(5, Happening::Stalls);
        let outcome = counter.print_while(&receipt("slow", LONG_RECEIPT), || {
            counter.until_held(Why::Stalled);
            // Three times as long as a line is waited for about which nothing is known.
            assert!(!counter.device.wait_for(stall * 3, |paper| paper.cut_sheets().count() > 0));
            counter.device.happen(Happening::GoesOn);
        });
        assert_eq!(outcome, JobOutcome::Confirmed, "{speech:?}");
        assert_eq!(counter.device.overrun(), 0);
        counter.has_all("slow", LONG_RECEIPT);
        counter.is_well_after();
    });
}

#[test]
fn an_old_packet_within_the_word_does_not_spoil_it() {
    let counter = Counter::new(Speech::Ids);
    for round in 0..3 {
        counter.device.happen(Happening::PacketSlipsIn);
        let name = format!("round {round}");
        assert_eq!(counter.print(&receipt(&name, 5)), JobOutcome::Confirmed);
    }
    // Paper is low: the packet that slips in has news.
    counter.device.happen(Happening::PaperNearEnd);
    counter.device.happen(Happening::PacketSlipsIn);
    assert_eq!(counter.print(&receipt("low", 5)), JobOutcome::Confirmed);
    assert_eq!(counter.printer.status().paper, hardware::printer::Paper::NearEnd);
}

#[test]
fn a_cable_pulled_within_a_job_fails_it_part_way_and_it_is_not_sent_again() {
    each(&Speech::ALL, |speech| {
        let counter = Counter::new(speech);
        let outcome = counter.print_while(&receipt("cut off", LONG_RECEIPT), || {
            assert!(counter.device.wait_for(LONG, |paper| !paper.sheets.is_empty()));
            counter.device.unplug();
        });
        let JobOutcome::FailedPartWay { sent, of, why } = outcome else { panic!("{outcome:?}") };
        assert!(sent > 0 && sent < of);
        assert_eq!(why, Why::NotConnected);
        counter.device.replug().unwrap();
        counter.until_well();
        assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed, "{speech:?}");
        assert!(counter.lines().values().all(|count| *count == 1), "{:?}", counter.lines());
        counter.has_all("next", 3);
    });
}
