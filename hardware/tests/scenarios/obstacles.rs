//! What a person sees to while a job waits: paper, cover, knife, a hot head.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::mpsc::channel;
use std::time::Duration;

use hardware::link::PortConfig;
use hardware::printer::escpos::encode;
use hardware::printer::{
    Fault, JobOutcome, Patience, Printer, PrinterConfig, PrinterEvent, PrinterStatus, Why,
};
use hardware::sim::{self, Handshake, Happening, PrinterOptions};

use crate::counter::{Counter, LONG, LONG_RECEIPT, PATIENCE, SECOND, Speech, address, each, receipt};

#[test]
fn paper_that_runs_out_within_a_job_holds_it_and_the_new_roll_lets_it_go_on_where_it_stopped() {
    each(&Speech::ALL, |speech| {
        for lines in [20, LONG_RECEIPT] {
            let counter =
                Counter::with(speech, PrinterOptions::default(), Patience { stall: LONG, ..PATIENCE });
            counter.device.after_bytes(300, Happening::PaperOut);
            let outcome = counter.print_while(&receipt("held", lines), || {
                // Without a word of its own the printer only stops taking bytes.
                counter.until(|event| {
                    matches!(event, PrinterEvent::Held(Why::PaperOut | Why::Stalled | Why::Silent))
                });
                counter.device.happen(Happening::PaperLoaded);
            });
            let blind = speech == Speech::FencesOnly && lines == LONG_RECEIPT;
            let expected =
                if blind { JobOutcome::Unconfirmed { why: Why::HeldUp } } else { JobOutcome::Confirmed };
            assert_eq!(outcome, expected, "{speech:?} {lines}");
            counter.has_all("held", lines);
            counter.is_well_after();
        }
    });
}

#[test]
fn a_cover_that_is_opened_and_closed_and_a_hot_head_hold_a_job() {
    each(&Speech::ALL, |speech| {
        for (begins, why, ends) in [
            (Happening::CoverOpened, Why::CoverOpen, Happening::CoverClosed),
            (Happening::HeadHot, Why::Fault(Fault::Passing), Happening::HeadCool),
        ] {
            let counter = Counter::new(speech);
            counter.device.after_lines(5, begins);
            let outcome = counter.print_while(&receipt("held", 20), || {
                counter.until_held(why);
                assert_eq!(counter.device.paper().cut_sheets().count(), 0);
                counter.device.happen(ends);
            });
            assert_eq!(outcome, JobOutcome::Confirmed, "{speech:?} {why}");
            counter.has_all("held", 20);
            counter.is_well_after();
        }
    });
}

#[test]
fn paper_that_nobody_loads_ends_the_job_with_its_reason_and_it_is_not_sent_again() {
    each(&[Speech::Ids, Speech::Fences, Speech::Clean], |speech| {
        let patience = Patience { hold: SECOND, ..PATIENCE };
        let counter = Counter::with(speech, PrinterOptions::default(), patience);
        counter.device.after_lines(5, Happening::PaperOut);
        assert_eq!(counter.print(&receipt("held", 20)), JobOutcome::Unconfirmed { why: Why::PaperOut });
        assert_eq!(
            counter.print(&receipt("refused", 3)),
            JobOutcome::FailedBefore { why: Why::PaperOut },
            "{speech:?}"
        );
        counter.device.happen(Happening::PaperLoaded);
        counter.until_well();
        // The late word of the first job confirms no other; its paper comes out because the printer had it all.
        counter.is_well_after();
        counter.has_all("held", 20);
        assert!(!counter.lines().keys().any(|line| line.starts_with("refused")));
    });
}

#[test]
fn a_long_job_that_is_given_up_fails_part_way_and_the_next_comes_out_clean() {
    for speech in [Speech::Ids, Speech::Fences] {
        let counter = Counter::new(speech);
        counter.device.after_lines(5, Happening::PaperOut);
        let outcome = counter.print_while(&receipt("held", LONG_RECEIPT), || {
            counter.until_held(Why::PaperOut);
            counter.printer.give_up();
        });
        assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::GivenUp, .. }), "{outcome:?}");
        counter.device.happen(Happening::PaperLoaded);
        counter.until_well();
        assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed, "{speech:?}");
        let lines = counter.lines();
        assert!(lines.values().all(|count| *count == 1), "{lines:?}");
        assert!(lines.contains_key("next line 0002 of a receipt"));
    }
}

#[test]
fn a_printer_whose_job_was_given_up_is_well_again_with_the_new_roll() {
    // One that tells nothing by itself is known by its answers alone.
    let counter = Counter::new(Speech::FencesOnly);
    counter.device.after_lines(5, Happening::PaperOut);
    let outcome = counter.print_while(&receipt("held", LONG_RECEIPT), || {
        counter.until(|event| matches!(event, PrinterEvent::Held(_)));
        counter.printer.give_up();
    });
    assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::GivenUp, .. }), "{outcome:?}");
    let until_it_can = |can| {
        while counter.printer.status().can_print() != can {
            counter.until(|event| matches!(event, PrinterEvent::Status(_)));
        }
    };
    until_it_can(false);
    counter.device.happen(Happening::PaperLoaded);
    until_it_can(true);
    // Given up while nothing is under way: that is about nothing.
    counter.printer.give_up();
    assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed);
}

#[test]
fn a_knife_that_jams_on_the_last_cut_is_told_and_the_printer_goes_on_when_a_person_has_freed_it() {
    each(&Speech::ALL, |speech| {
        let counter = Counter::new(speech);
        counter.device.at_next_cut(Happening::KnifeJams);
        let outcome = counter.print(&receipt("jam", 20));
        let jammed = Why::Fault(Fault::Cutter);
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: jammed }, "{speech:?}");
        assert_eq!(counter.print(&receipt("refused", 3)), JobOutcome::FailedBefore { why: jammed });
        assert_eq!(counter.printer.recover(), JobOutcome::FailedBefore { why: jammed }, "it is still jammed");
        counter.device.happen(Happening::KnifeFreed);
        assert_eq!(counter.printer.recover(), JobOutcome::Confirmed);
        counter.has_all("jam", 20);
        counter.is_well_after();
    });
}

#[test]
fn a_knife_that_jams_after_the_word_is_still_noticed() {
    let counter =
        Counter::with(Speech::Fences, PrinterOptions::default(), Patience { settle: SECOND * 2, ..PATIENCE });
    let outcome = counter.print_while(&receipt("jam", 5), || {
        assert!(counter.device.wait_for(LONG, |paper| paper.cut_sheets().count() == 1));
        counter.device.happen(Happening::KnifeJams);
    });
    assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Fault(Fault::Cutter) });
}

#[test]
fn a_job_is_refused_before_its_first_byte_while_the_printer_says_that_something_is_wrong() {
    // The printer is not asked for long: only its own word can have told.
    let counter = Counter::new(Speech::Fences);
    for (happening, why, mended) in [
        (Happening::PaperOut, Why::PaperOut, Happening::PaperLoaded),
        (Happening::CoverOpened, Why::CoverOpen, Happening::CoverClosed),
        (Happening::HeadHot, Why::Fault(Fault::Passing), Happening::HeadCool),
        (Happening::Breaks, Why::Fault(Fault::Lasting), Happening::PowerOn),
    ] {
        counter.device.happen(happening);
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if !status.can_print()));
        assert_eq!(counter.print(&receipt("refused", 3)), JobOutcome::FailedBefore { why });
        counter.device.happen(mended);
        counter.until_well();
    }
    assert_eq!(counter.device.paper().sheets.len(), 0);
}

#[test]
fn what_happens_to_an_idle_printer_is_told_at_once_and_not_at_the_next_question() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let device = sim::Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let (events, inbox) = channel();
    let port = PortConfig::new(address(&link, Handshake::Line));
    let never = Duration::from_secs(3600);
    let config = PrinterConfig { poll: never, ..PrinterConfig::new(port, Speech::Fences.profile()) };
    let profile = config.profile;
    let printer = Printer::start(config, move |event| {
        let _ = events.send(event);
    })
    .unwrap();
    let until = |wanted: &dyn Fn(PrinterStatus) -> bool| loop {
        match inbox.recv_timeout(LONG).expect("the event never came") {
            PrinterEvent::Status(status) if wanted(status) => return,
            PrinterEvent::Opened
            | PrinterEvent::Gone { .. }
            | PrinterEvent::Held(_)
            | PrinterEvent::Status(_) => {}
        }
    };
    until(&|status| status.can_print());
    // Behind this job the printer has read that it shall tell.
    let job = encode(&receipt("first", 3), profile).unwrap();
    assert_eq!(printer.submit(job), JobOutcome::Confirmed);
    device.happen(Happening::CoverOpened);
    until(&|status| status.cover_open);
    device.happen(Happening::CoverClosed);
    until(&|status| status.can_print());
}

#[test]
fn stopping_ends_a_held_job_and_says_so() {
    let counter = Counter::new(Speech::Fences);
    counter.device.after_lines(5, Happening::PaperOut);
    let outcome = counter.print_while(&receipt("held", 20), || {
        counter.until_held(Why::PaperOut);
        counter.printer.stop();
    });
    assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Stopped });
}
