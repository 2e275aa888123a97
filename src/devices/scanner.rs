//! A scanner's port: each scan becomes an event.

use super::lamp::Lamp;
use super::words::sentence;
use super::{Config, ScannerConfig};
use crate::counter::event::{Event, RawScan};
use crate::inbox::{Inbox, PortState};
use crate::record::ids::StationId;
use hardware::link::{Port, PortConfig, PortEvent, PortHandle};
use hardware::scanner::{Scan, ScanDecoder, Scanned};
use std::io;

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
    let station = station.clone();
    Port::start(port, ScanDecoder::new(scanner.aim), move |event| {
        match event {
        PortEvent::Opened => lamp.show(PortState::Ready),
        PortEvent::Gone { reason } => lamp.show(PortState::Gone(sentence(&reason))),
        PortEvent::Received(Scanned::Scan(scan)) => {
            lamp.show(PortState::Ready);
            let scanned = Event::Scanned { station: station.clone(), scan: raw(scan) };
            let _shown_by_the_till = inbox.ask_blocking(scanned);
        }
        PortEvent::Received(Scanned::Overlong { bytes }) => lamp.show(PortState::Asks(format!(
            "The scanner sent {bytes} bytes without an end: check its baud rate, and that it ends each scan with CR."
        ))),
    }
    })
}

fn raw(scan: Scan) -> RawScan {
    RawScan { data: scan.data, aim: scan.aim.map(|aim| [b']', aim.code, aim.modifier]) }
}
