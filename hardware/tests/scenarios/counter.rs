//! A till and its virtual printer, on each rung of the ladder by which a job is confirmed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::document::{Cut, Document, Line};
use hardware::link::serial::{FlowControl, SerialAddress};
use hardware::link::{Address, PortConfig};
use hardware::printer::escpos::encode;
use hardware::printer::{JobOutcome, Patience, Printer, PrinterConfig, PrinterEvent, PrinterHandle, Why};
use hardware::profile::{Profile, Raster, Replies};
use hardware::sim::{self, Handshake, PrinterOptions};

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Which word a printer gives at the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
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
    pub(crate) const ALL: [Speech; 4] = [Speech::Ids, Speech::Fences, Speech::FencesOnly, Speech::Clean];

    pub(crate) fn profile(self) -> &'static Profile {
        self.drawing_by(Raster::GsV0)
    }

    /// The same that gets its pictures by this command.
    pub(crate) fn drawing_by(self, raster: Raster) -> &'static Profile {
        let (replies, status_back) = match self {
            Speech::Ids => (Replies::ProcessId, true),
            Speech::Fences => (Replies::Fenced, true),
            Speech::FencesOnly => (Replies::Fenced, false),
            Speech::Clean => (Replies::RealTime, true),
        };
        let like = Profile::by_name("epson-tm-t88").unwrap().to_owned();
        Box::leak(Box::new(Profile { replies, status_back, raster, ..like }))
    }
}

pub(crate) const PATIENCE: Patience = Patience {
    answer: Duration::from_millis(300),
    stall: Duration::from_secs(3),
    hold: LONG,
    confirm: Duration::from_millis(1500),
    settle: Duration::from_millis(100),
};

pub(crate) struct Counter {
    pub(crate) printer: PrinterHandle,
    events: Mutex<Receiver<PrinterEvent>>,
    pub(crate) device: sim::Printer,
    profile: &'static Profile,
    _folder: tempfile::TempDir,
}

impl Counter {
    pub(crate) fn new(speech: Speech) -> Counter {
        Counter::with(speech, PrinterOptions::default(), PATIENCE)
    }

    pub(crate) fn with(speech: Speech, options: PrinterOptions, patience: Patience) -> Counter {
        Counter::of(speech.profile(), options, patience)
    }

    pub(crate) fn of(profile: &'static Profile, options: PrinterOptions, patience: Patience) -> Counter {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("printer");
        let device = sim::Printer::start(&link, folder.path(), options).unwrap();
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
        counter.until_well();
        counter
    }

    /// Waits for an event and returns it.
    pub(crate) fn until(&self, wanted: impl Fn(&PrinterEvent) -> bool) -> PrinterEvent {
        loop {
            let event = self.events.lock().unwrap().recv_timeout(LONG).expect("the event never came");
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Waits until the printer says that it can print.
    pub(crate) fn until_well(&self) {
        self.until(|event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
    }

    pub(crate) fn until_held(&self, why: Why) {
        self.until(|event| *event == PrinterEvent::Held(why));
    }

    /// Prints while `meanwhile` happens.
    pub(crate) fn print_while(&self, document: &Document, meanwhile: impl FnOnce()) -> JobOutcome {
        let job = encode(document, self.profile).unwrap();
        std::thread::scope(|scope| {
            let outcome = scope.spawn(|| self.printer.submit(job));
            meanwhile();
            outcome.join().unwrap()
        })
    }

    pub(crate) fn print(&self, document: &Document) -> JobOutcome {
        self.print_while(document, || ())
    }

    /// Every line on paper, with how often it stands there.
    pub(crate) fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        let paper = self.device.paper();
        let texts = paper.sheets.iter().flat_map(|sheet| sheet.text_lines(512));
        for line in texts.filter(|line| line != "[picture]") {
            *lines.entry(line).or_default() += 1;
        }
        lines
    }

    /// No line stands on paper twice, and a job after it comes out clean.
    pub(crate) fn is_well_after(&self) {
        assert!(self.lines().values().all(|count| *count == 1), "{:?}", self.lines());
        assert_eq!(self.print(&receipt("next", 3)), JobOutcome::Confirmed);
        let paper = self.device.paper();
        let last = paper.cut_sheets().last().unwrap().text_lines(512);
        assert_eq!(last, expected("next", 3), "the next job stands alone on its sheet");
        assert!(self.lines().values().all(|count| *count == 1), "{:?}", self.lines());
        assert_eq!(paper.pulses, []);
    }

    /// All lines of a receipt are on paper, once each.
    pub(crate) fn has_all(&self, name: &str, lines: usize) {
        let on_paper = self.lines();
        for line in expected(name, lines) {
            assert_eq!(on_paper.get(&line), Some(&1), "{line}");
        }
    }
}

pub(crate) fn address(link: &Path, handshake: Handshake) -> Address {
    let flow = match handshake {
        Handshake::XonXoff => FlowControl::XonXoff,
        Handshake::Line | Handshake::Nothing => FlowControl::None,
    };
    Address::Serial(SerialAddress { flow, ..SerialAddress::new(link) })
}

pub(crate) fn expected(name: &str, lines: usize) -> Vec<String> {
    (0..lines).map(|line| format!("{name} line {line:04} of a receipt")).collect()
}

pub(crate) fn receipt(name: &str, lines: usize) -> Document {
    let mut document = Document::new();
    for line in expected(name, lines) {
        document.line(Line::left(line));
    }
    document.cut(Cut::Partial);
    document
}

/// More than a terminal and the printer hold together.
pub(crate) const LONG_RECEIPT: usize = 1000;

/// Jobs on so many printers at a time: each waits for most of its time, and each has threads of its own.
const AT_ONCE: usize = 8;

/// Tries each case on a printer of its own, some at a time.
pub(crate) fn each<T: Copy + Send + Sync>(cases: &[T], check: impl Fn(T) + Sync) {
    for some in cases.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            some.iter().for_each(|case| {
                scope.spawn(|| check(*case));
            });
        });
    }
}
