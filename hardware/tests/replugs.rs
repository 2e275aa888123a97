//! A scanner that is pulled out and plugged in, over and over: nothing is lost, nothing spins, nothing leaks.
//!
//! `TILL_REPLUGS=1000` makes it as long as one wishes. Alone in its binary, because it counts what the
//! process uses: a second test beside it would be counted, too.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::mpsc::channel;
use std::time::Duration;

use hardware::link::serial::SerialAddress;
use hardware::link::{Address, Port, PortConfig, PortEvent, Stopwatch};
use hardware::scanner::{ScanDecoder, Scanned, ScannerProfile};
use hardware::sim::Scanner;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(10);

/// The processor time of this process in milliseconds: fields 14 and 15 of proc(5) stat, in hundredths of a second.
fn processor_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn a_thousand_replugs_lose_no_scan_and_keep_no_machine_busy() {
    let rounds: u32 = std::env::var("TILL_REPLUGS").map_or(100, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    // A folder that goes with its device, as /dev/serial/by-id does.
    let link = folder.path().join("by-id/scanner");
    let scanner = Scanner::start(&link).unwrap();
    let (events, inbox) = channel();
    let before_port = (open_files(), threads());
    let config = PortConfig::new(Address::Serial(SerialAddress::new(&link)));
    let decoder = ScanDecoder::of(ScannerProfile::by_name("generic").unwrap());
    let port = Port::start(config, decoder, move |event| {
        let _ = events.send(event);
    });
    let port = port.unwrap();
    let next = || inbox.recv_timeout(LONG).unwrap();
    assert_eq!(next(), PortEvent::Opened);
    let (began, used, held) = (Stopwatch::start(), processor_ms(), (open_files(), threads()));
    let (mut longest, mut cuts) = (Duration::ZERO, 0);
    for round in 0..rounds {
        // In the middle of a scan: that scan is lost, and it is said. Its half goes out in one piece with a whole scan,
        // so that it has arrived when that has: a terminal drops what was not read with the plug.
        let half = if round % 10 == 9 { "69012345" } else { "" };
        let wanted = format!("before {round}");
        scanner.scan(format!("{wanted}\r{half}").as_bytes()).unwrap();
        assert!(matches!(next(), PortEvent::Received(Scanned::Scan(scan)) if scan.data == wanted.as_bytes()));
        scanner.unplug();
        std::fs::remove_dir(link.parent().unwrap()).unwrap();
        let mut went = next();
        if went == PortEvent::Received(Scanned::Cut { bytes: 8 }) {
            cuts += 1;
            went = next();
        }
        assert!(matches!(went, PortEvent::Gone { .. }), "round {round}: {went:?}");
        let away = Stopwatch::start();
        scanner.replug().unwrap();
        assert_eq!(next(), PortEvent::Opened, "round {round}");
        longest = longest.max(away.elapsed());
        let wanted = format!("after {round}");
        scanner.scan(format!("{wanted}\r").as_bytes()).unwrap();
        assert!(matches!(next(), PortEvent::Received(Scanned::Scan(scan)) if scan.data == wanted.as_bytes()));
    }
    let (took, used) = (began.elapsed(), processor_ms() - used);
    println!(
        "{rounds} replugs in {took:?}: reopened in {longest:?} at most, {used} ms of processor, {cuts} scans cut and told"
    );
    assert_eq!(cuts, rounds / 10);
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    // Two terminals are made and removed in each round; a loop that spins takes as long as the clock on the wall.
    assert!(u128::from(used) <= took.as_millis() * 3 / 4 + 100, "{used} ms in {took:?}");
    assert_eq!((open_files(), threads()), held, "files and threads");
    drop(port);
    // A thread that has ended stands in the list until the kernel has put it away.
    let ended = Stopwatch::start();
    while (open_files(), threads()) != before_port && ended.elapsed() < LONG {
        std::thread::yield_now();
    }
    assert_eq!((open_files(), threads()), before_port, "files and threads of a port that was dropped");
}
