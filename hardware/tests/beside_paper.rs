//! What a printer does besides printing, on real pseudo-terminals: its drawer without paper, its knife after a jam, a
//! line whose XON was lost, and a display on the same line.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::display::{DisplayProfile, Frame, Line as Shown, begin, encode as show};
use hardware::document::{Align, Bitmap, Cut, Document, DrawerPulse, Line, Picture};
use hardware::link::serial::{FlowControl, SerialAddress};
use hardware::link::{Address, PortConfig};
use hardware::printer::escpos::{encode, real_time_command};
use hardware::printer::{
    Fault, JobOutcome, Patience, Printer, PrinterConfig, PrinterEvent, PrinterHandle, Shared, Why,
};
use hardware::profile::{Profile, Replies};
use hardware::sim::paper::Pulse;
use hardware::sim::{self, Busy, DisplayFamily, Handshake, Happening, PrinterOptions};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(300),
    stall: Duration::from_secs(2),
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
    fn new(options: PrinterOptions) -> Counter {
        Counter::of(Profile::by_name("epson-tm-t88").unwrap(), options, PATIENCE)
    }

    fn of(profile: &'static Profile, options: PrinterOptions, patience: Patience) -> Counter {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("printer");
        let device = sim::Printer::start(&link, folder.path(), options).unwrap();
        let flow = match options.handshake {
            Handshake::XonXoff => FlowControl::XonXoff,
            Handshake::Line | Handshake::Nothing => FlowControl::None,
        };
        let address = Address::Serial(SerialAddress { flow, ..SerialAddress::new(&link) });
        let port = PortConfig { reopen: Duration::from_millis(5), ..PortConfig::new(address) };
        let shared = options.display.map_or(Shared::No, |_| Shared::WithDisplay);
        let poll = Duration::from_millis(100);
        let config = PrinterConfig { patience, poll, shared, ..PrinterConfig::new(port, profile) };
        let (events, inbox) = channel();
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

    fn until_it_cannot_print(&self) {
        self.until(|event| matches!(event, PrinterEvent::Status(status) if !status.can_print()));
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

    fn kick(&self) -> JobOutcome {
        self.printer.open_drawer_at_once(DrawerPulse::default())
    }

    fn pulses(&self) -> Vec<Pulse> {
        self.device.paper().pulses
    }

    /// A receipt comes out whole at the end of its sheet.
    fn prints(&self) {
        let outcome = self.print_while(&receipt("well", 3), || ());
        assert_eq!(outcome, JobOutcome::Confirmed);
        let paper = self.device.paper();
        let last = paper.cut_sheets().last().unwrap().text_lines(512);
        assert!(last.ends_with(&lines("well", 3)), "{last:?}");
    }

    /// So does this one, and nothing was misunderstood.
    fn is_well(&self) {
        self.prints();
        assert_eq!(self.device.paper().errors, []);
    }
}

fn lines(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|line| format!("{name} line {line:04}")).collect()
}

fn receipt(name: &str, count: usize) -> Document {
    let mut document = Document::new();
    for line in lines(name, count) {
        document.line(Line::left(line));
    }
    document.cut(Cut::Partial);
    document
}

/// More than a terminal and the printer hold together.
const LONG_RECEIPT: usize = 4000;

const AT_ONCE: Pulse = Pulse { pin: 2, on_ms: 100, off_ms: 100 };

#[test]
fn a_drawer_opens_at_once_while_the_printer_has_no_paper_and_its_switch_says_so() {
    for trouble in [Happening::PaperOut, Happening::CoverOpened] {
        let counter = Counter::new(PrinterOptions::default());
        counter.device.happen(trouble);
        counter.until_it_cannot_print();
        assert_eq!(counter.kick(), JobOutcome::Confirmed);
        assert_eq!(counter.pulses(), [AT_ONCE]);
        assert!(counter.device.drawer_is_open());
        // It stands open: the next pulse moves nothing, and nobody knows more than that.
        assert_eq!(counter.kick(), JobOutcome::Unconfirmed { why: Why::NoSign });
        counter.device.happen(Happening::DrawerShut);
        counter.device.happen(Happening::DrawerSticks);
        assert_eq!(counter.kick(), JobOutcome::Unconfirmed { why: Why::NoSign });
        assert!(!counter.device.drawer_is_open());
        counter.device.set_fault(sim::Fault::None);
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        counter.is_well();
    }
}

#[test]
fn a_drawer_opens_at_once_while_a_receipt_waits_for_paper_and_the_receipt_goes_on_whole() {
    for replies in [Replies::ProcessId, Replies::Fenced, Replies::RealTime] {
        let like = Profile::by_name("epson-tm-t88").unwrap().to_owned();
        let profile = Box::leak(Box::new(Profile { replies, ..like }));
        let counter = Counter::of(profile, PrinterOptions::default(), PATIENCE);
        counter.device.after_lines(5, Happening::PaperOut);
        let outcome = counter.print_while(&receipt("held", 30), || {
            counter.until_held(Why::PaperOut);
            assert_eq!(counter.kick(), JobOutcome::Confirmed, "{replies:?}");
            assert_eq!(counter.pulses(), [AT_ONCE]);
            counter.device.happen(Happening::PaperLoaded);
        });
        assert_eq!(outcome, JobOutcome::Confirmed, "{replies:?}");
        let paper = counter.device.paper();
        assert_eq!(paper.cut_sheets().next().unwrap().text_lines(512), lines("held", 30));
        assert_eq!(paper.pulses, [AT_ONCE]);
        counter.is_well();
    }
}

#[test]
fn no_pulse_goes_between_the_bytes_of_a_job_that_the_line_has_not_taken_whole() {
    let counter = Counter::new(PrinterOptions::default());
    let mut document = Document::new();
    let bitmap = bitmap(400, 3000, |x, y| (x * 7 + y * 13) % 11 < 4);
    document.picture(Picture { bitmap, align: Align::Left }).cut(Cut::Partial);
    counter.device.after_bytes(5_000, Happening::PaperOut);
    let outcome = counter.print_while(&document, || {
        counter.until_held(Why::PaperOut);
        assert_eq!(counter.kick(), JobOutcome::FailedBefore { why: Why::PaperOut });
        assert_eq!(counter.pulses(), []);
        counter.printer.give_up();
    });
    assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::GivenUp, .. }), "{outcome:?}");
    // Half a picture is in the printer: whatever comes now would be dots of it.
    assert_eq!(counter.kick(), JobOutcome::FailedBefore { why: Why::PaperOut });
    assert_eq!(counter.pulses(), []);
    counter.device.happen(Happening::PaperLoaded);
    counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
    counter.is_well();
}

#[test]
fn no_pulse_is_left_in_a_line_to_open_the_drawer_later() {
    let options = PrinterOptions { busy: Busy::FullOrOffline, ..PrinterOptions::default() };
    let counter = Counter::new(options);
    counter.device.happen(Happening::PaperOut);
    counter.until_it_cannot_print();
    assert_eq!(
        counter.kick(),
        JobOutcome::FailedBefore { why: Why::Silent },
        "it takes no byte off the line"
    );
    counter.device.happen(Happening::PaperLoaded);
    counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
    counter.is_well();
    assert_eq!(counter.pulses(), []);
}

#[test]
fn a_printer_whose_profile_has_no_pulse_at_once_gets_none() {
    let like = Profile::by_name("epson-tm-t88").unwrap().to_owned();
    let profile = Box::leak(Box::new(Profile { drawer_at_once: false, ..like }));
    let counter = Counter::of(profile, PrinterOptions::default(), PATIENCE);
    counter.device.happen(Happening::PaperOut);
    counter.until_it_cannot_print();
    assert_eq!(counter.kick(), JobOutcome::FailedBefore { why: Why::PaperOut });
    assert_eq!(counter.pulses(), []);
}

#[test]
fn a_printer_with_an_error_obeys_no_pulse_and_nobody_says_that_it_did() {
    let counter = Counter::new(PrinterOptions::default());
    counter.device.happen(Happening::KnifeJams);
    counter.until_it_cannot_print();
    assert_eq!(counter.kick(), JobOutcome::Unconfirmed { why: Why::NoSign });
    assert_eq!(counter.pulses(), []);
    assert_eq!(counter.printer.status().fault, Fault::Cutter);
}

#[test]
fn a_line_whose_xon_was_lost_while_nothing_is_printed_is_free_again_by_itself() {
    let options = PrinterOptions {
        handshake: Handshake::XonXoff,
        busy: Busy::FullOrOffline,
        ..PrinterOptions::default()
    };
    for replies in [Replies::Fenced, Replies::RealTime] {
        let like = Profile::by_name("epson-tm-t88").unwrap().to_owned();
        let profile = Box::leak(Box::new(Profile { replies, status_back: false, ..like }));
        let counter = Counter::of(profile, options, PATIENCE);
        counter.device.happen(Happening::XonLost);
        counter.device.happen(Happening::PaperOut);
        counter.until_it_cannot_print();
        counter.device.happen(Happening::PaperLoaded);
        counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
        let outcome = counter.print_while(&receipt("after", 3), || ());
        assert!(matches!(outcome, JobOutcome::Confirmed | JobOutcome::Unconfirmed { why: Why::CannotTell }));
        assert!(counter.device.wait_for(LONG, |paper| paper.cut_sheets().count() == 1));
        assert_eq!(counter.device.paper().errors, []);
    }
}

#[test]
fn a_job_whose_xon_was_lost_has_one_outcome_in_bounded_time_and_the_next_comes_out_clean() {
    // Long ones are held while they are sent, short ones while their word is waited for. A terminal holds 64 KB after the
    // word to stop, where a line holds a byte or two: the printer has room for them.
    for count in [30, 12_000] {
        let options = PrinterOptions {
            buffer_bytes: 128 * 1024,
            handshake: Handshake::XonXoff,
            busy: Busy::FullOrOffline,
            ..PrinterOptions::default()
        };
        let counter = Counter::new(options);
        counter.device.after_lines(5, Happening::XonLost);
        counter.device.after_lines(6, Happening::PaperOut);
        let outcome = counter.print_while(&receipt("lost", count), || {
            counter.until_held(Why::PaperOut);
            counter.device.happen(Happening::PaperLoaded);
        });
        // The printer is well and says so, and no word of its own lets the line go: it is let go, and somebody looks.
        let known = match outcome {
            JobOutcome::Confirmed | JobOutcome::Unconfirmed { why: Why::HeldUp } => true,
            JobOutcome::Unconfirmed { .. }
            | JobOutcome::FailedBefore { .. }
            | JobOutcome::FailedPartWay { .. } => false,
        };
        assert!(known, "{count}: {outcome:?}");
        assert_eq!(counter.device.overrun(), 0);
        let paper = counter.device.paper();
        assert_eq!(paper.cut_sheets().next().unwrap().text_lines(512), lines("lost", count));
        counter.is_well();
    }
}

#[test]
fn a_line_that_is_held_and_given_up_is_free_for_the_next_receipt() {
    let options = PrinterOptions { handshake: Handshake::XonXoff, ..PrinterOptions::default() };
    let counter = Counter::of(
        Profile::by_name("epson-tm-t88").unwrap(),
        options,
        Patience { hold: SECOND * 2, ..PATIENCE },
    );
    // It prints all it has and is well; that it may be sent more was lost, and nothing told of it.
    counter.device.after_lines(5, Happening::XonLost);
    counter.device.after_lines(6, Happening::Pauses);
    let outcome = counter.print_while(&receipt("lost", LONG_RECEIPT), || {
        counter.until_held(Why::Stalled);
        counter.device.happen(Happening::Resumes);
    });
    assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::Stalled, .. }), "{outcome:?}");
    counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
    // What a terminal still held when the printer said stop may have been lost in its small buffer.
    counter.prints();
}

fn frame(number: usize) -> Vec<u8> {
    frame_of("dm-d", number)
}

fn frame_of(name: &str, number: usize) -> Vec<u8> {
    let profile = &DisplayProfile::by_name(name).unwrap().on_shared_line();
    let frame = Frame {
        upper: Shown::amount("Milk 1L", format!("{number}.40")),
        lower: Shown::amount("TOTAL", format!("{number}.80")),
    };
    let mut bytes = begin(profile);
    bytes.extend(show(&frame, None, profile));
    bytes
}

fn shows(number: usize) -> impl Fn(&sim::Shown) -> bool {
    move |shown| shown.lines[1].ends_with(&format!(" {number}.80"))
}

const WITH_DISPLAY: PrinterOptions = PrinterOptions {
    baud: 0,
    width_dots: 512,
    buffer_bytes: 4096,
    handshake: Handshake::Line,
    busy: Busy::Full,
    display: Some(DisplayFamily::EscPos),
};

#[test]
fn frames_and_receipts_share_a_line_and_each_goes_where_it_belongs() {
    let counter = Counter::new(WITH_DISPLAY);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..40 {
                assert_eq!(counter.printer.show(frame(number)), JobOutcome::Confirmed);
            }
        });
        for round in 0..10 {
            let name = format!("round {round}");
            assert_eq!(counter.print_while(&receipt(&name, 20), || ()), JobOutcome::Confirmed);
        }
    });
    assert!(counter.device.wait_for_shown(LONG, shows(39)));
    let paper = counter.device.paper();
    for (round, sheet) in paper.cut_sheets().enumerate() {
        assert_eq!(sheet.text_lines(512), lines(&format!("round {round}"), 20));
    }
    assert_eq!(paper.cut_sheets().count(), 10);
    assert_eq!(paper.errors, []);
    assert_eq!(counter.device.shown().unwrap().errors, [] as [String; 0]);
}

#[test]
fn a_display_is_shown_the_change_while_the_receipt_waits_for_paper() {
    let counter = Counter::new(WITH_DISPLAY);
    counter.device.after_lines(5, Happening::PaperOut);
    let outcome = counter.print_while(&receipt("held", 30), || {
        counter.until_held(Why::PaperOut);
        assert_eq!(counter.printer.show(frame(7)), JobOutcome::Confirmed);
        assert!(counter.device.wait_for_shown(LONG, shows(7)));
        counter.device.happen(Happening::PaperLoaded);
    });
    assert_eq!(outcome, JobOutcome::Confirmed);
    counter.is_well();
}

#[test]
fn a_display_of_another_family_gives_the_line_back_too() {
    let counter = Counter::new(PrinterOptions { display: Some(DisplayFamily::Cd5220), ..WITH_DISPLAY });
    for number in 1..4 {
        assert_eq!(counter.printer.show(frame_of("cd5220", number)), JobOutcome::Confirmed);
        assert!(counter.device.wait_for_shown(LONG, shows(number)), "{:?}", counter.device.shown());
        counter.is_well();
    }
    assert_eq!(counter.device.shown().unwrap().errors, [] as [String; 0]);
}

#[test]
fn a_display_that_was_switched_off_and_on_gives_the_line_back() {
    let counter = Counter::new(WITH_DISPLAY);
    assert_eq!(counter.printer.show(frame(1)), JobOutcome::Confirmed);
    // It has the line to itself when it comes back.
    counter.device.happen(Happening::PowerOff);
    counter.until_it_cannot_print();
    counter.device.happen(Happening::PowerOn);
    counter.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
    counter.is_well();
    assert_eq!(counter.printer.show(frame(2)), JobOutcome::Confirmed);
    assert!(counter.device.wait_for_shown(LONG, shows(2)));
}

#[test]
fn no_picture_gives_the_line_to_the_display() {
    // Dots that spell ESC = 2 wherever a strip may begin.
    let word: [u8; 4] = [0x1b, 0x3d, 0x02, 0xff];
    let bitmap = bitmap(384, 120, |x, y| {
        let byte = word[usize::from((x / 8 + y) % 4)];
        byte & (0x80 >> (x % 8)) != 0
    });
    let mut document = Document::new();
    document.picture(Picture { bitmap, align: Align::Left }).cut(Cut::Partial);
    let counter = Counter::new(WITH_DISPLAY);
    let job = encode(&document, counter.profile).unwrap();
    assert!(!job.windows(2).any(|pair| pair == [0x1b, b'=']), "the job holds ESC =");
    assert_eq!(real_time_command(&job), None);
    assert_eq!(counter.print_while(&document, || ()), JobOutcome::Confirmed);
    counter.is_well();
}

fn bitmap(width: u16, height: u16, ink: impl Fn(u16, u16) -> bool) -> Bitmap {
    let row = |y: u16| (0..width / 8).map(move |byte| (byte, y)).collect::<Vec<_>>();
    let rows: Vec<u8> = (0..height)
        .flat_map(row)
        .map(|(byte, y)| {
            (0..8).fold(0, |dots, x| if ink(byte * 8 + x, y) { dots | (0x80 >> x) } else { dots })
        })
        .collect();
    Bitmap::from_rows(width, height, rows).unwrap()
}
