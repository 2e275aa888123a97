//! How long a scan takes from the wire to the till.
//!
//! Alone in its binary: other tests would take its processor.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::mpsc::channel;
use std::time::Duration;

use hardware::link::serial::SerialAddress;
use hardware::link::{Address, Port, PortConfig, PortEvent, Stopwatch};
use hardware::scanner::{ScanDecoder, Scanned};
use hardware::sim::Scanner;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(20);
const SCANS: usize = 500;
/// A third of what a reader waits that knows a scan's end by silence alone: NielsLeenheer's WebSerialBarcodeScanner
/// waits 300 ms.
const LIMIT: Duration = Duration::from_millis(100);

#[test]
fn a_scan_is_there_with_its_terminator_and_not_after_a_silence() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = Scanner::start(&link).unwrap();
    let (events, inbox) = channel();
    let port = PortConfig::new(Address::Serial(SerialAddress::new(&link)));
    let _port = Port::start(port, ScanDecoder::default(), move |event| {
        let _ = events.send(event);
    });
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    let mut took: Vec<Duration> = (0..SCANS)
        .map(|number| {
            let began = Stopwatch::start();
            scanner.scan(format!("{number:013}\r").as_bytes()).unwrap();
            let event = inbox.recv_timeout(LONG).unwrap();
            assert!(matches!(event, PortEvent::Received(Scanned::Scan(_))), "{event:?}");
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    let (half, p99) = (took[SCANS / 2], took[SCANS * 99 / 100]);
    println!("from the wire to the till: p50 {half:?}, p99 {p99:?}");
    assert!(p99 < LIMIT, "{p99:?}");
}
