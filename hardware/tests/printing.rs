//! Jobs on a virtual printer that stands on a real pseudo-terminal: the four outcomes, and what the paper says.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::document::{Cut, Document, Line, Row, Style};
use hardware::link::serial::SerialAddress;
use hardware::link::{Address, Link, PortConfig};
use hardware::printer::driver::{LinkWire, Patience};
use hardware::printer::escpos::encode;
use hardware::printer::{
    JobOutcome, Paper, Printer, PrinterConfig, PrinterDriver, PrinterEvent, PrinterHandle, PrinterStatus, Why,
};
use hardware::profile::Profile;
use hardware::sim::paper::{Knife, Printed, Pulse};
use hardware::sim::{self, Fault, PrinterOptions};

#[path = "receipts/reference.rs"]
mod receipts;
use receipts::{QR, reference_receipt};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);

struct Counter {
    printer: PrinterHandle,
    events: Mutex<Receiver<PrinterEvent>>,
    device: sim::Printer,
    profile: &'static Profile,
    folder: tempfile::TempDir,
}

impl Counter {
    fn new(profile: &str, options: PrinterOptions) -> Counter {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("printer");
        let device = sim::Printer::start(&link, folder.path(), options).unwrap();
        let profile = Profile::by_name(profile).unwrap();
        let (events, inbox) = channel();
        let port = PortConfig { reopen: Duration::from_millis(5), ..PortConfig::new(address(&link)) };
        let config = PrinterConfig {
            patience: Patience {
                answer: Duration::from_millis(300),
                stall: Duration::from_secs(2),
                hold: LONG,
                confirm: Duration::from_millis(500),
                settle: Duration::from_millis(10),
            },
            poll: Duration::from_millis(20),
            ..PrinterConfig::new(port, profile)
        };
        let printer = Printer::start(config, move |event| {
            let _ = events.send(event);
        });
        let counter =
            Counter { printer: printer.unwrap(), events: Mutex::new(inbox), device, profile, folder };
        counter.until(|event| *event == PrinterEvent::Opened);
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

    fn until_status(&self, wanted: impl Fn(&PrinterStatus) -> bool) {
        self.until(|event| matches!(event, PrinterEvent::Status(status) if wanted(status)));
    }

    fn print(&self, document: &Document) -> JobOutcome {
        self.printer.submit(encode(document, self.profile).unwrap())
    }
}

fn address(link: &Path) -> Address {
    Address::Serial(SerialAddress::new(link))
}

fn slip(text: &str) -> Document {
    let mut document = Document::new();
    document.line(Line::left(text)).cut(Cut::Partial);
    document
}

/// Some 60 kB: more than a terminal and the printer hold together.
fn endless() -> Document {
    let mut document = Document::new();
    for line in 0..2000 {
        document.line(Line::left(format!("line {line} of a very long report")));
    }
    document
}

#[test]
fn the_reference_receipt_is_confirmed_and_stands_on_the_paper() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions::default());
    assert_eq!(counter.print(&reference_receipt()), JobOutcome::Confirmed);
    let paper = counter.device.paper();
    assert_eq!(paper.errors, []);
    assert_eq!(paper.pulses, [Pulse { pin: 2, on_ms: 50, off_ms: 500 }]);
    assert_eq!(paper.qr_payloads(), [QR.as_bytes()]);
    assert_eq!(paper.sheets[0].cut, Some(Knife::Partial));
    assert_eq!(
        paper.sheets[0].text_lines(504).join("\n"),
        "         CORNER STORE
12 High Street, Springfield
2026-11-22 12:51  Till 3  #004217
Milk 1L                        2      2.40
Bread wholemeal                1      1.85
Apples 1kg                     1      2.30
Coffee beans 250g              1      5.95
Bag                            1      0.30
Subtotal                             12.80
VAT 20%                               2.13
TOTAL                                12.80
Thank you
[QR https://pay.example/t/01HZX9?a=1280&c=CNY]
"
    );
    let spooled = std::fs::read(counter.folder.path().join("printed.bin")).unwrap();
    let job = encode(&reference_receipt(), counter.profile).unwrap();
    assert!(spooled.windows(job.len()).any(|part| part == job));
}

#[test]
fn chinese_styles_and_columns_arrive_as_they_were_meant() {
    for profile in ["generic-80mm", "chinese-58mm", "epson-tm-t88-chinese"] {
        let columns = Profile::by_name(profile).unwrap().columns;
        let width_dots = u32::from(columns) * 12;
        let counter = Counter::new(profile, PrinterOptions { width_dots, ..PrinterOptions::default() });
        let mut document = Document::new();
        document
            .line(Line::centred("便利店").styled(Style::TITLE))
            .row(Row::new().from(0, "牛奶1L 𠮷").up_to(columns, "12.80").styled(Style::BOLD))
            .rule()
            .cut(Cut::Full);
        assert_eq!(counter.print(&document), JobOutcome::Confirmed, "{profile}");
        let paper = counter.device.paper();
        assert_eq!(paper.errors, [], "{profile}");
        let columns = usize::from(columns);
        let expected = [
            format!("{}便利店", " ".repeat((columns - 12) / 2)),
            format!("牛奶1L 𠮷{}12.80", " ".repeat(columns - 9 - 5)),
            "-".repeat(columns),
        ];
        assert_eq!(paper.sheets[0].text_lines(width_dots)[..3], expected, "{profile}");
        let Printed::Text(title) = &paper.sheets[0].lines[0] else { panic!("no title") };
        let look = title.spans[0].look;
        assert!(look.bold && look.wide() && look.tall());
    }
}

#[test]
fn without_paper_nothing_is_sent_and_the_till_hears_of_the_new_roll() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions::default());
    counter.until_status(PrinterStatus::can_print);
    counter.device.set_fault(Fault::PaperOut);
    counter.until_status(|status| status.paper == Paper::Out);
    assert_eq!(counter.printer.status().to_string(), "the paper has run out: put in a new roll");
    assert_eq!(counter.print(&slip("one")), JobOutcome::FailedBefore { why: Why::PaperOut });
    counter.device.set_fault(Fault::None);
    counter.until_status(PrinterStatus::can_print);
    assert_eq!(counter.print(&slip("two")), JobOutcome::Confirmed);
    let sheets: Vec<Vec<String>> =
        counter.device.paper().sheets.iter().map(|sheet| sheet.text_lines(512)).collect();
    assert_eq!(sheets, [["two"]], "the refused slip must not come out later");
}

#[test]
fn an_open_cover_a_jammed_knife_and_silence_are_told_apart() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions::default());
    for (fault, why) in [
        (Fault::CoverOpen, Why::CoverOpen),
        (Fault::CutterJam, Why::Fault(hardware::printer::Fault::Cutter)),
        (Fault::DropReplies, Why::Silent),
    ] {
        counter.device.set_fault(fault);
        assert_eq!(counter.print(&slip("no")), JobOutcome::FailedBefore { why }, "{fault:?}");
        counter.device.set_fault(Fault::None);
        assert_eq!(counter.print(&slip("yes")), JobOutcome::Confirmed, "after {fault:?}");
    }
    counter.device.set_fault(Fault::PaperNearEnd);
    assert_eq!(counter.print(&slip("yes")), JobOutcome::Confirmed);
    assert_eq!(counter.device.paper().cut_sheets().count(), 4);
}

#[test]
fn a_cable_pulled_within_a_job_fails_part_way_and_the_printer_works_when_it_is_back() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions { baud: 115_200, ..PrinterOptions::default() });
    for round in 0..3 {
        let of = encode(&endless(), counter.profile).unwrap().len();
        let start = counter.device.received();
        let outcome = std::thread::scope(|scope| {
            let job = scope.spawn(|| counter.print(&endless()));
            assert!(counter.device.wait_for_received(LONG, start + 1000));
            counter.device.unplug();
            job.join().unwrap()
        });
        let JobOutcome::FailedPartWay { sent, of: all, why } = outcome else { panic!("{outcome:?}") };
        assert!(sent > 500 && sent < of, "{sent} of {of}");
        assert_eq!((all, why), (of, Why::NotConnected));
        counter.until(|event| matches!(event, PrinterEvent::Gone { .. }));
        assert_eq!(counter.print(&slip("nobody")), JobOutcome::FailedBefore { why: Why::NotConnected });
        counter.device.replug().unwrap();
        counter.until(|event| *event == PrinterEvent::Opened);
        assert_eq!(counter.print(&slip(&format!("back {round}"))), JobOutcome::Confirmed);
    }
    assert_eq!(counter.device.paper().errors, []);
    assert_eq!(counter.device.paper().cut_sheets().count(), 3);
}

#[test]
fn a_word_that_is_lost_leaves_one_job_unconfirmed_and_spoils_no_other() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions { baud: 9600, ..PrinterOptions::default() });
    let outcome = std::thread::scope(|scope| {
        let job = scope.spawn(|| counter.print(&reference_receipt()));
        assert!(counter.device.wait_for(LONG, |paper| !paper.sheets.is_empty()));
        counter.device.set_fault(Fault::DropReplies);
        assert!(counter.device.wait_for(LONG, |paper| !paper.pulses.is_empty()));
        job.join().unwrap()
    });
    assert_eq!(outcome, JobOutcome::Unconfirmed { why: Why::Silent });
    counter.device.set_fault(Fault::None);
    assert_eq!(counter.print(&slip("next")), JobOutcome::Confirmed);
}

#[test]
fn a_printer_that_never_speaks_is_printed_on_and_never_confirmed() {
    let counter = Counter::new("mute-80mm", PrinterOptions { width_dots: 576, ..PrinterOptions::default() });
    counter.device.set_fault(Fault::DropReplies);
    let cannot_tell = JobOutcome::Unconfirmed { why: Why::CannotTell };
    assert_eq!(counter.print(&slip("one")), cannot_tell);
    assert!(counter.device.wait_for(LONG, |paper| paper.cut_sheets().count() == 1));
}

#[test]
fn jobs_of_many_threads_come_out_whole_and_one_after_the_other() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions::default());
    std::thread::scope(|scope| {
        for job in 0..8 {
            let counter = &counter;
            scope.spawn(move || {
                assert_eq!(counter.print(&slip(&format!("{job}{job}"))), JobOutcome::Confirmed)
            });
        }
    });
    let mut texts: Vec<String> =
        counter.device.paper().sheets.iter().map(|sheet| sheet.text_lines(512).concat()).collect();
    texts.sort();
    assert_eq!(texts, ["00", "11", "22", "33", "44", "55", "66", "77"]);
}

#[test]
fn stopping_ends_a_job_where_it_stands_and_says_so() {
    let counter = Counter::new("epson-tm-t88", PrinterOptions { baud: 9600, ..PrinterOptions::default() });
    let Counter { printer, device, profile, .. } = counter;
    let job = encode(&endless(), profile).unwrap();
    let printer = std::sync::Arc::new(printer);
    let submitter = std::sync::Arc::clone(&printer);
    let waiting = std::thread::spawn(move || {
        let outcome = submitter.submit(job);
        drop(submitter);
        outcome
    });
    assert!(device.wait_for(LONG, |paper| !paper.sheets.is_empty()));
    printer.stop();
    let outcome = waiting.join().unwrap();
    assert!(matches!(outcome, JobOutcome::FailedPartWay { why: Why::Stopped, .. }), "{outcome:?}");
}

#[test]
fn a_bare_link_prints_without_any_thread() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let device = sim::Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let profile = Profile::by_name("epson-tm-t88").unwrap();
    let wire = LinkWire::new(address(&link).open().unwrap());
    let mut driver = PrinterDriver::new(wire, profile, Patience::default());
    assert_eq!(driver.ask_status().to_string(), "ready");
    assert_eq!(driver.print(&encode(&slip("bare"), profile).unwrap()), JobOutcome::Confirmed);
    assert_eq!(device.paper().sheets[0].text_lines(512), ["bare"]);
    device.set_fault(Fault::CoverOpen);
    let outcome = driver.print(&encode(&slip("bare"), profile).unwrap());
    assert_eq!(outcome, JobOutcome::FailedBefore { why: Why::CoverOpen });
}

/// A printer at the other end of a line in memory: it is well, and `obey` sees all other bytes as they come and says
/// what the printer sends for them. Ends when the host drops its end.
fn scripted(
    mut device: hardware::link::memory::MemoryLink,
    mut obey: impl FnMut(u8) -> Option<u8> + Send + 'static,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let (mut buffer, mut last) = ([0; 1], [0; 3]);
        while let Ok(count) = device.read(&mut buffer, LONG) {
            if count == 0 {
                return;
            }
            last = [last[1], last[2], buffer[0]];
            let answer = match last {
                [0x10, 0x04, 1..=4] => Some(0x12),
                _ => obey(buffer[0]),
            };
            if answer.is_some_and(|byte| device.write(&[byte], LONG).is_err()) {
                return;
            }
        }
    })
}

const QUICK: Patience = Patience {
    answer: Duration::from_millis(400),
    stall: Duration::from_millis(200),
    hold: Duration::from_secs(2),
    confirm: Duration::from_millis(100),
    settle: Duration::from_millis(10),
};

#[test]
fn the_late_word_of_an_older_job_does_not_confirm_the_next() {
    let (device, host) = hardware::link::memory::pair();
    let profile = Profile::by_name("epson-tm-t88").unwrap();
    let (mut job, mut last) = (0, [0; 3]);
    let printer = scripted(device, move |byte| {
        last = [last[1], last[2], byte];
        job += usize::from(last[1..] == [0x1b, b'@']);
        // The answer to the first job's fence comes in the middle of the second job, whose own never comes.
        let late = job == 2 && byte == b'w';
        let in_time = job > 2 && last == [0x1d, b'r', 1];
        (late || in_time).then_some(0)
    });
    let mut driver = PrinterDriver::new(LinkWire::new(Box::new(host)), profile, QUICK);
    assert_eq!(driver.print(b"\x1b@one\n"), JobOutcome::Unconfirmed { why: Why::NoWord });
    assert_eq!(driver.print(b"\x1b@two\n"), JobOutcome::Unconfirmed { why: Why::NoWord });
    assert_eq!(driver.print(b"\x1b@three\n"), JobOutcome::Confirmed);
    assert_eq!(driver.print(b"\x1b@four\n"), JobOutcome::Confirmed);
    drop(driver);
    printer.join().unwrap();
}

#[test]
fn after_a_job_that_broke_off_the_next_is_not_swallowed_as_the_rest_of_a_symbol() {
    let (device, host) = hardware::link::memory::pair();
    let profile = Profile::by_name("epson-tm-t88").unwrap();
    let (bytes, heard) = channel();
    let (go, gone_on) = channel::<()>();
    let mut recovered = false;
    let printer = scripted(device, move |byte| {
        bytes.send(byte).unwrap();
        if byte == b'Z' {
            // The printer's buffer is full: it takes nothing until the host has given up.
            recovered = true;
            gone_on.recv().unwrap();
        }
        (byte == 1 && recovered).then_some(0)
    });
    let mut driver = PrinterDriver::new(LinkWire::new(Box::new(host)), profile, QUICK);
    let job = [b"\x1b@Z".as_slice(), &[b'x'; 20_000]].concat();
    let outcome = driver.print(&job);
    assert!(
        matches!(outcome, JobOutcome::FailedPartWay { sent, of: 20_003, why: Why::Stalled } if sent < 5000),
        "{outcome}"
    );
    go.send(()).unwrap();
    assert_eq!(driver.print(b"\x1b@next\n"), JobOutcome::Confirmed);
    drop(driver);
    printer.join().unwrap();
    let all: Vec<u8> = heard.try_iter().collect();
    let next = all.windows(6).position(|part| part == b"\x1b@next").unwrap();
    // What comes after the rest of the broken job: filler, and questions that print nothing.
    let rest = all.iter().position(|byte| *byte == b'Z').unwrap();
    let filler = all[rest..next].iter().filter(|byte| **byte == 0).count();
    assert!(filler >= hardware::printer::escpos::MAX_BLOCK_BYTES, "{filler}");
}
