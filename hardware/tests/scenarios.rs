//! What goes wrong while a printer prints, on real pseudo-terminals: each job ends in exactly one of four ways, and
//! nothing is on paper twice.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::document::{Align, Bitmap, Cut, Document, Line, Picture};
use hardware::link::serial::{FlowControl, SerialAddress};
use hardware::link::{Address, PortConfig};
use hardware::printer::escpos::encode;
use hardware::printer::{
    Fault, JobOutcome, Patience, Printer, PrinterConfig, PrinterEvent, PrinterHandle, PrinterStatus, Why,
};
use hardware::profile::{Profile, Replies};
use hardware::sim::paper::Printed;
use hardware::sim::{self, Handshake, Happening, PrinterOptions};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

/// Which word a printer gives at the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// Process ids, and changes by itself.
    Ids,
    /// `GS r`, and changes by itself.
    Fences,
    /// `GS r` alone.
    FencesOnly,
    /// Questions, and changes by itself.
    Clean,
}

impl Speech {
    const ALL: [Speech; 4] = [Speech::Ids, Speech::Fences, Speech::FencesOnly, Speech::Clean];

    fn profile(self) -> &'static Profile {
        let (replies, status_back) = match self {
            Speech::Ids => (Replies::ProcessId, true),
            Speech::Fences => (Replies::Fenced, true),
            Speech::FencesOnly => (Replies::Fenced, false),
            Speech::Clean => (Replies::RealTime, true),
        };
        let like = Profile::by_name("epson-tm-t88").unwrap().to_owned();
        Box::leak(Box::new(Profile { replies, status_back, ..like }))
    }
}

const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(300),
    stall: Duration::from_secs(3),
    hold: LONG,
    confirm: Duration::from_millis(1500),
    settle: Duration::from_millis(100),
};

struct Counter {
    printer: PrinterHandle,
    events: Mutex<Receiver<PrinterEvent>>,
    device: sim::Printer,
    profile: &'static Profile,
    _folder: tempfile::TempDir,
}

impl Counter {
    fn new(speech: Speech) -> Counter {
        Counter::with(speech, PrinterOptions::default(), PATIENCE)
    }

    fn with(speech: Speech, options: PrinterOptions, patience: Patience) -> Counter {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("printer");
        let device = sim::Printer::start(&link, folder.path(), options).unwrap();
        let profile = speech.profile();
        let (events, inbox) = channel();
        let reopen = Duration::from_millis(5);
        let port = PortConfig { reopen, ..PortConfig::new(address(&link, options.handshake)) };
        let poll = Duration::from_millis(100);
        let config = PrinterConfig { patience, poll, ..PrinterConfig::new(port, profile) };
        let printer = Printer::start(config, move |event| {
            let _ = events.send(event);
        });
        let events = Mutex::new(inbox);
        let counter = Counter { printer: printer.unwrap(), events, device, profile, _folder: folder };
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        counter
    }

    /// Waits for an event and returns it.
    fn until(&self, wanted: impl Fn(&PrinterEvent) -> bool) -> PrinterEvent {
        loop {
            let event = self.events.lock().unwrap().recv_timeout(LONG).expect("the event never came");
            if wanted(&event) {
                return event;
            }
        }
    }

    fn until_held(&self, why: Why) {
        self.until(|event| *event == PrinterEvent::Held(why));
    }

    /// Prints while `meanwhile` happens.
    fn print_while(&self, document: &Document, meanwhile: impl FnOnce()) -> JobOutcome {
        let job = encode(document, self.profile).unwrap();
        std::thread::scope(|scope| {
            let outcome = scope.spawn(|| self.printer.submit(job));
            meanwhile();
            outcome.join().unwrap()
        })
    }

    fn print(&self, document: &Document) -> JobOutcome {
        self.print_while(document, || ())
    }

    /// Every line on paper, with how often it stands there.
    fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for line in self.device.paper().sheets.iter().flat_map(|sheet| sheet.text_lines(512)) {
            *lines.entry(line).or_default() += 1;
        }
        lines
    }

    /// No line stands on paper twice, and a job after it comes out clean.
    fn is_well_after(&self) {
        assert!(self.lines().values().all(|count| *count == 1), "{:?}", self.lines());
        assert_eq!(self.print(&receipt("next", 3)), JobOutcome::Confirmed);
        let paper = self.device.paper();
        let last = paper.cut_sheets().last().unwrap().text_lines(512);
        assert_eq!(last, expected("next", 3), "the next job stands alone on its sheet");
        assert!(self.lines().values().all(|count| *count == 1), "{:?}", self.lines());
        assert_eq!(paper.pulses, []);
    }

    /// All lines of a receipt are on paper, once each.
    fn has_all(&self, name: &str, lines: usize) {
        let on_paper = self.lines();
        for line in expected(name, lines) {
            assert_eq!(on_paper.get(&line), Some(&1), "{line}");
        }
    }
}

fn address(link: &Path, handshake: Handshake) -> Address {
    let flow = match handshake {
        Handshake::XonXoff => FlowControl::XonXoff,
        Handshake::Line | Handshake::Nothing => FlowControl::None,
    };
    Address::Serial(SerialAddress { flow, ..SerialAddress::new(link) })
}

fn expected(name: &str, lines: usize) -> Vec<String> {
    (0..lines).map(|line| format!("{name} line {line:04} of a receipt")).collect()
}

fn receipt(name: &str, lines: usize) -> Document {
    let mut document = Document::new();
    for line in expected(name, lines) {
        document.line(Line::left(line));
    }
    document.cut(Cut::Partial);
    document
}

/// More than a terminal and the printer hold together.
const LONG_RECEIPT: usize = 2500;

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
fn paper_that_runs_out_within_a_job_holds_it_and_the_new_roll_lets_it_go_on_where_it_stopped() {
    for speech in Speech::ALL {
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
    }
}

/// A picture of more than a terminal and the printer hold together, no two rows of which are alike.
fn poster() -> Bitmap {
    let mut bitmap = Bitmap::blank(512, 1200);
    for y in 0..1200 {
        for bit in (0..11).filter(|bit| y >> bit & 1 == 1) {
            bitmap.fill(bit * 40, y, 30, 1);
        }
    }
    bitmap
}

#[test]
fn a_picture_that_is_stopped_in_the_middle_of_a_strip_comes_out_once_or_spoils_no_other_job() {
    for given_up in [None, Some(Why::GivenUp)] {
        let counter = Counter::new(Speech::Fences);
        let mut document = Document::new();
        document.picture(Picture { bitmap: poster(), align: Align::Left });
        counter.device.after_bytes(5000, Happening::PaperOut);
        let outcome = counter.print_while(&document, || {
            counter.until_held(Why::PaperOut);
            match given_up {
                None => counter.device.happen(Happening::PaperLoaded),
                Some(_) => counter.printer.give_up(),
            }
        });
        let rows = || -> Vec<Vec<bool>> {
            let paper = counter.device.paper();
            let lines = paper.sheets.iter().flat_map(|sheet| &sheet.lines);
            lines
                .filter_map(
                    |line| if let Printed::Picture(picture) = line { Some(&picture.rows) } else { None },
                )
                .flatten()
                .cloned()
                .collect()
        };
        let bitmap = poster();
        let wanted: Vec<Vec<bool>> =
            (0..1200).map(|y| (0..512).map(|x| bitmap.is_ink(x, y)).collect()).collect();
        if let Some(why) = given_up {
            assert!(
                matches!(outcome, JobOutcome::FailedPartWay { why: told, .. } if told == why),
                "{outcome:?}"
            );
            counter.device.happen(Happening::PaperLoaded);
            counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
            assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed);
            counter.has_all("next", 3);
            // The rest of the strip that was open is filled up with white.
            let printed = rows();
            let whole = printed.iter().zip(&wanted).take_while(|(row, wanted)| row == wanted).count();
            assert!(whole > 0 && printed.len() - whole <= 8, "{whole} of {}", printed.len());
        } else {
            assert_eq!(outcome, JobOutcome::Confirmed);
            assert!(rows() == wanted, "each row once, in order");
        }
        assert_eq!(counter.device.paper().errors, []);
    }
}

#[test]
fn a_cover_that_is_opened_and_closed_and_a_hot_head_hold_a_job() {
    for speech in Speech::ALL {
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
    }
}

#[test]
fn paper_that_nobody_loads_ends_the_job_with_its_reason_and_it_is_not_sent_again() {
    for speech in [Speech::Ids, Speech::Fences, Speech::Clean] {
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
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        // The late word of the first job confirms no other; its paper comes out because the printer had it all.
        counter.is_well_after();
        counter.has_all("held", 20);
        assert!(!counter.lines().keys().any(|line| line.starts_with("refused")));
    }
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
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
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
fn power_that_is_lost_within_a_job_never_leaves_it_confirmed() {
    std::thread::scope(|scope| {
        for speech in Speech::ALL {
            for lines in [20, LONG_RECEIPT] {
                for handshake in [Handshake::Line, Handshake::Nothing] {
                    scope.spawn(move || lose_power(speech, lines, handshake));
                }
            }
        }
    });
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
    for speech in Speech::ALL {
        let counter = Counter::new(speech);
        counter.device.at_next_cut(Happening::PowerOff);
        let outcome = counter.print(&receipt("dark", 20));
        assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Silent }, "{speech:?}");
        assert_eq!(counter.print(&receipt("refused", 3)), JobOutcome::FailedBefore { why: Why::Silent });
        counter.device.happen(Happening::PowerOn);
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        counter.has_all("dark", 20);
        counter.is_well_after();
    }
}

#[test]
fn answers_that_are_lost_leave_one_job_unconfirmed_and_spoil_no_other() {
    for speech in Speech::ALL {
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
    }
}

#[test]
fn a_printer_that_holds_its_host_by_xoff_for_long_is_waited_for() {
    for speech in Speech::ALL {
        let options = PrinterOptions { handshake: Handshake::XonXoff, ..PrinterOptions::default() };
        let patience = Patience { stall: SECOND, ..PATIENCE };
        let counter = Counter::with(speech, options, patience);
        counter.device.after_lines(5, Happening::Stalls);
        let outcome = counter.print_while(&receipt("slow", LONG_RECEIPT), || {
            counter.until_held(Why::Stalled);
            // Three times as long as a line is waited for about which nothing is known.
            assert!(!counter.device.wait_for(SECOND * 3, |paper| paper.cut_sheets().count() > 0));
            counter.device.happen(Happening::GoesOn);
        });
        assert_eq!(outcome, JobOutcome::Confirmed, "{speech:?}");
        assert_eq!(counter.device.overrun(), 0);
        counter.has_all("slow", LONG_RECEIPT);
        counter.is_well_after();
    }
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
fn a_knife_that_jams_on_the_last_cut_is_told_and_the_printer_goes_on_when_a_person_has_freed_it() {
    for speech in Speech::ALL {
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
    }
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
fn a_cable_pulled_within_a_job_fails_it_part_way_and_it_is_not_sent_again() {
    for speech in Speech::ALL {
        let counter = Counter::new(speech);
        let outcome = counter.print_while(&receipt("cut off", LONG_RECEIPT), || {
            assert!(counter.device.wait_for(LONG, |paper| !paper.sheets.is_empty()));
            counter.device.unplug();
        });
        let JobOutcome::FailedPartWay { sent, of, why } = outcome else { panic!("{outcome:?}") };
        assert!(sent > 0 && sent < of);
        assert_eq!(why, Why::NotConnected);
        counter.device.replug().unwrap();
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        assert_eq!(counter.print(&receipt("next", 3)), JobOutcome::Confirmed, "{speech:?}");
        assert!(counter.lines().values().all(|count| *count == 1), "{:?}", counter.lines());
        counter.has_all("next", 3);
    }
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
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
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
