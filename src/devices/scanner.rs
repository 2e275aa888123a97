//! A scanner's port: each scan becomes an event.

use super::lamp::Lamp;
use super::repeat::{Repeats, Sight};
use super::words::sentence;
use super::{Acknowledging, Config, ScannerConfig};
use crate::counter::event::{Event, RawScan};
use crate::inbox::{Inbox, PortState};
use crate::record::ids::StationId;
use hardware::link::{Port, PortConfig, PortEvent, PortHandle, PortSender, Stopwatch};
use hardware::scanner::profile::Acknowledge;
use hardware::scanner::{Scan, ScanDecoder, Scanned};
use std::io;
use std::time::Duration;

/// How long an answer to the scanner may hold up the next scan: one byte, on a line that is clear.
const ANSWER_STALL: Duration = Duration::from_millis(200);

const CUT_AND_GONE: &str = "The scanner was unplugged in the middle of a scan: plug it in, then scan again.";
const CUT_AND_BACK: &str = "The scanner was unplugged in the middle of a scan: scan again.";

/// Starts reading a scanner.
///
/// A scan waits on the reader's own thread until the till has answered, so the next one is read only
/// then; meanwhile the system keeps what the scanner sends. A refusal is shown by the till itself.
pub(super) fn start(
    config: &Config,
    scanner: &ScannerConfig,
    station: &StationId,
    inbox: Inbox,
    lamp: Lamp,
) -> io::Result<PortHandle> {
    lamp.show(PortState::Gone("The scanner is being looked for.".to_owned()));
    let port = PortConfig { reopen: config.reopen, ..PortConfig::new(scanner.address.clone()) };
    let acknowledge = match scanner.acknowledge {
        Acknowledging::On => scanner.profile.acknowledge.clone(),
        Acknowledging::Off => None,
    };
    let decoder = ScanDecoder::of(&scanner.profile);
    let (station, window) = (station.clone(), scanner.repeat_window);
    Port::start_answering(port, decoder, |answers| {
        let mut reading = Reading {
            station,
            inbox,
            lamp,
            answers: acknowledge.map(|words| (words, answers)),
            repeats: Repeats::new(window),
            clock: Stopwatch::start(),
            cut: false,
        };
        move |event| reading.on(event)
    })
}

/// What is kept between two events of one scanner.
struct Reading {
    station: StationId,
    inbox: Inbox,
    lamp: Lamp,
    /// What the scanner is told, and how, if it wants to be told.
    answers: Option<(Acknowledge, PortSender)>,
    repeats: Repeats,
    clock: Stopwatch,
    /// A scan was lost with the cable, and none has come since.
    cut: bool,
}

impl Reading {
    fn on(&mut self, event: PortEvent<Scanned>) {
        match event {
            PortEvent::Opened if self.cut => self.lamp.show(PortState::Asks(CUT_AND_BACK.to_owned())),
            PortEvent::Opened => self.lamp.show(PortState::Ready),
            PortEvent::Gone { .. } if self.cut => self.lamp.show(PortState::Gone(CUT_AND_GONE.to_owned())),
            PortEvent::Gone { reason } => self.lamp.show(PortState::Gone(sentence(&reason))),
            PortEvent::Received(Scanned::Scan(scan)) => self.scanned(scan),
            PortEvent::Received(Scanned::Cut { .. }) => self.cut = true,
            PortEvent::Received(Scanned::Overlong { bytes }) => self.asks(format!(
                "The scanner sent {bytes} bytes without an end: check its baud rate, and that it ends each scan as its profile says, usually with CR."
            )),
            PortEvent::Received(Scanned::Unfinished { bytes }) => self.asks(format!(
                "The scanner sent {bytes} bytes and no end: scan again. If this stays so, set it to end each scan as its profile says, usually with CR."
            )),
            PortEvent::Received(Scanned::Stray { bytes }) => self.asks(format!(
                "The scanner sent {bytes} bytes outside its marks: scan again. If this stays so, check its prefix and suffix."
            )),
        }
    }

    fn scanned(&mut self, scan: Scan) {
        self.lamp.show(PortState::Ready);
        self.cut = false;
        let raw = raw(scan);
        let code = [raw.aim.as_ref().map_or(&[][..], |aim| &aim[..]), &raw.data].concat();
        let repeat_of_ms = match self.repeats.sight(&code, self.clock.elapsed()) {
            Sight::New => None,
            Sight::Again(since) => Some(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            Sight::SentAgain => return self.acknowledge(),
        };
        let scanned = Event::Scanned { station: self.station.clone(), scan: RawScan { repeat_of_ms, ..raw } };
        // Shown by the till itself, whatever it is.
        let _answer = self.inbox.ask_blocking(scanned);
        self.repeats.taken(code, self.clock.elapsed());
        self.acknowledge();
    }

    /// Tells the scanner that the till has the scan.
    fn acknowledge(&mut self) {
        if let Some((words, answers)) = &self.answers {
            // A scanner that cannot be told sends it again.
            let _ = answers.write(words.taken.as_slice().to_vec(), ANSWER_STALL);
            self.repeats.acknowledged(self.clock.elapsed());
        }
    }

    /// Asks a person, and the scanner for the same once more.
    fn asks(&mut self, words: String) {
        self.lamp.show(PortState::Asks(words));
        if let Some((words, answers)) = &self.answers {
            self.repeats.refused();
            let _ = answers.write(words.again.as_slice().to_vec(), ANSWER_STALL);
        }
    }
}

fn raw(scan: Scan) -> RawScan {
    RawScan { data: scan.data, aim: scan.aim.map(|aim| [b']', aim.code, aim.modifier]), repeat_of_ms: None }
}
