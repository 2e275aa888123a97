//! Scanners on real pseudo-terminals and in memory: splits, close neighbours, devices that come and go.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::link::memory::Socket;
use hardware::link::serial::SerialAddress;
use hardware::link::{
    Address, Decode, FlowControl, Link, LinkError, Port, PortConfig, PortEvent, PortHandle, WriteFailure,
    Written,
};
use hardware::scanner::{AimId, AimPrefix, Framing, Scan, ScanDecoder, Scanned, ScannerProfile};
use hardware::sim::{Acknowledged, Garble, Scanner};
use proptest::prelude::*;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(10);

fn serial(path: &Path) -> Address {
    Address::Serial(SerialAddress::new(path))
}

fn start(address: Address, prefix: AimPrefix) -> (PortHandle, Receiver<PortEvent<Scanned>>) {
    let (events, inbox) = channel();
    let config = PortConfig { reopen: Duration::from_millis(5), ..PortConfig::new(address) };
    let port = Port::start(config, ScanDecoder::new(prefix), move |event| {
        let _ = events.send(event);
    });
    (port.unwrap(), inbox)
}

fn scan(text: &str) -> PortEvent<Scanned> {
    PortEvent::Received(Scanned::Scan(Scan { aim: None, data: text.as_bytes().to_vec() }))
}

#[test]
fn two_scans_a_moment_apart_are_both_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = Scanner::start(&link).unwrap();
    let (_port, inbox) = start(serial(&link), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    scanner.scan(b"6901234567892\r").unwrap();
    scanner.scan(b"6909876543210\r\n28763443825664394\n").unwrap();
    for expected in ["6901234567892", "6909876543210", "28763443825664394"] {
        assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan(expected));
    }
}

#[test]
fn a_scanner_that_is_pulled_out_and_plugged_in_works_again_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = Scanner::start(&link).unwrap();
    let (_port, inbox) = start(serial(&link), AimPrefix::NotSent);
    for round in 0..20 {
        assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened, "round {round}");
        scanner.scan(format!("item {round}\r").as_bytes()).unwrap();
        assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan(&format!("item {round}")));
        scanner.unplug();
        assert!(scanner.scan(b"nobody hears this\r").is_err());
        let gone = inbox.recv_timeout(LONG).unwrap();
        assert!(matches!(&gone, PortEvent::Gone { reason } if reason.contains("went away")), "{gone:?}");
        assert!(!link.exists());
        scanner.replug().unwrap();
    }
}

#[test]
fn a_device_that_is_not_there_is_said_once_and_found_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let (_port, inbox) = start(serial(&link), AimPrefix::NotSent);
    let gone = inbox.recv_timeout(LONG).unwrap();
    assert!(matches!(&gone, PortEvent::Gone { reason } if reason.contains("plug the device in")), "{gone:?}");
    let scanner = Scanner::start(&link).unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    scanner.scan(b"x\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("x"));
}

#[test]
fn a_second_program_is_refused_and_gets_the_port_when_the_first_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = Scanner::start(&link).unwrap();
    let (first, inbox) = start(serial(&link), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);

    // The lock counts for root, too, and in whatever process: TIOCEXCL alone lets root in.
    let refused = serial(&link).open().map(|_| ()).unwrap_err();
    assert!(matches!(refused, LinkError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("close that program first"));
    scanner.scan(b"still first\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("still first"));

    drop(first);
    let mut second = serial(&link).open().unwrap();
    scanner.scan(b"now second\r").unwrap();
    let mut buffer = [0; 64];
    let count = second.read(&mut buffer, LONG).unwrap();
    assert_eq!(&buffer[..count], b"now second\r");
}

#[test]
fn what_was_scanned_before_the_port_was_open_is_not_taken_for_news() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let scanner = Scanner::start(&link).unwrap();
    scanner.scan(b"yesterday\r").unwrap();
    let (_port, inbox) = start(serial(&link), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    scanner.scan(b"today\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("today"));
}

#[test]
fn half_a_scan_before_the_cable_came_out_is_not_joined_to_the_next() {
    let socket = Socket::new();
    let mut device = socket.plug();
    let (_port, inbox) = start(Address::Memory(socket.clone()), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    device.write(b"69012", LONG).unwrap();
    drop(device);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Received(Scanned::Cut { bytes: 5 }));
    assert!(matches!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Gone { .. }));
    let mut device = socket.plug();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    device.write(b"34567892\r", LONG).unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("34567892"));
}

#[test]
fn a_write_says_how_far_it_came_when_the_device_holds_the_line_or_goes() {
    let socket = Socket::new();
    let device = socket.plug();
    let (port, inbox) = start(Address::Memory(socket.clone()), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    let short = Duration::from_millis(20);
    let written = port.write(vec![0; 10_000], short);
    assert_eq!(written, Written::Partly { sent: 4096, why: WriteFailure::Stalled });
    assert_eq!(port.write(vec![0; 10], LONG), Written::All, "what was given up does not fill the line");
    drop(device);
    assert!(matches!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Gone { .. }));
    assert_eq!(port.write(vec![0; 10], LONG), Written::Partly { sent: 0, why: WriteFailure::Gone });
    let sender = port.sender();
    drop(port);
    assert_eq!(sender.write(vec![0; 10], LONG), Written::Partly { sent: 0, why: WriteFailure::Stopped });
}

#[test]
fn a_device_that_says_xoff_holds_the_line_until_it_says_xon() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("device");
    let device = Scanner::start(&link).unwrap();
    let address = SerialAddress { flow: FlowControl::XonXoff, ..SerialAddress::new(&link) };
    let (port, inbox) = start(Address::Serial(address), AimPrefix::NotSent);
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    let write = || port.write(vec![b'x'], Duration::from_millis(20));
    device.scan(b"\x13").unwrap();
    let held = (0..1000).find_map(|_| match write() {
        Written::All => {
            // What the device says reaches the line in the kernel's own time; nothing comes in meanwhile.
            assert!(inbox.recv_timeout(Duration::from_millis(1)).is_err());
            None
        }
        held @ Written::Partly { .. } => Some(held),
    });
    assert_eq!(held, Some(Written::Partly { sent: 0, why: WriteFailure::Stalled }));
    device.scan(b"\x11after\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("after"), "flow control is not data");
    assert_eq!(port.write(vec![b'x'], LONG), Written::All);
}

#[test]
fn a_network_printer_is_a_link_like_any_other() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address::Tcp(hardware::link::tcp::TcpAddress { host: "127.0.0.1".to_owned(), port });
    let (handle, inbox) = start(address, AimPrefix::NotSent);
    let (mut device, _) = listener.accept().unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    assert_eq!(handle.write(b"hello".to_vec(), LONG), Written::All);
    let mut heard = [0; 5];
    device.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    device.write_all(b"x\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("x"));
    drop(device);
    assert!(matches!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Gone { .. }));
    let _again = listener.accept().unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
}

/// Starts a virtual scanner and a port, both of the same profile.
fn both(folder: &Path, profile: ScannerProfile) -> (Scanner, PortHandle, Receiver<PortEvent<Scanned>>) {
    let link = folder.join("scanner");
    let decoder = ScanDecoder::of(&profile);
    let scanner = Scanner::start_as(&link, profile).unwrap();
    let (events, inbox) = channel();
    let port = Port::start_answering(PortConfig::new(serial(&link)), decoder, |answers| {
        move |event| {
            // The answer goes out first: a scan that is not acknowledged is sent again.
            if let PortEvent::Received(scanned) = &event {
                let byte = if matches!(scanned, Scanned::Scan(_)) { 0x06 } else { 0x15 };
                let _ = answers.write(vec![byte], LONG);
            }
            let _ = events.send(event);
        }
    });
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Opened);
    (scanner, port.unwrap(), inbox)
}

#[test]
fn every_profile_reads_what_its_scanner_sends_split_and_merged() {
    let text = "010950600013435210ABC\u{1d}211";
    for profile in ScannerProfile::list() {
        let folder = tempfile::tempdir().unwrap();
        let (scanner, _port, inbox) = both(folder.path(), profile.clone());
        let aim = AimId::decode(b"]Q3");
        let sent = scanner.framed(aim, text.as_bytes());
        let aim = aim.filter(|_| profile.aim != AimPrefix::NotSent);
        let whole = PortEvent::Received(Scanned::Scan(Scan { aim, data: text.as_bytes().to_vec() }));
        scanner.scan(&sent).unwrap();
        assert_eq!(inbox.recv_timeout(LONG).unwrap(), whole, "{}", profile.name);
        if matches!(profile.framing, Framing::Idle { .. }) {
            continue;
        }
        scanner.split(&sent, 1).unwrap();
        assert_eq!(inbox.recv_timeout(LONG).unwrap(), whole, "{} byte by byte", profile.name);
        scanner.merge(&[sent.clone(), sent]).unwrap();
        for _ in 0..2 {
            assert_eq!(inbox.recv_timeout(LONG).unwrap(), whole, "{} two in one", profile.name);
        }
    }
}

#[test]
fn a_scan_that_lost_its_end_is_told_and_the_next_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (scanner, _port, inbox) = both(folder.path(), ScannerProfile::generic());
    scanner.scan(b"6901234567892").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Received(Scanned::Unfinished { bytes: 13 }));
    scanner.scan(b"6909876543210\r").unwrap();
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("6909876543210"));
}

#[test]
fn a_garbled_scan_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (scanner, _port, inbox) = both(folder.path(), ScannerProfile::generic());
    let clean = b"6901234567892\r";
    for chance in 0..60 {
        for garble in [Garble::Flip, Garble::Lose, Garble::Insert] {
            // The line end that follows is the last of the garbled scan, if it lost its own.
            scanner.merge(&[garble.spoil(clean, chance), b"\r".to_vec(), clean.to_vec()]).unwrap();
            let last = std::iter::from_fn(|| inbox.recv_timeout(LONG).ok())
                .find(|event| *event == scan("6901234567892"));
            assert!(last.is_some(), "{garble:?} {chance}");
        }
    }
}

#[test]
fn a_scanner_that_waits_for_a_word_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (scanner, _port, inbox) = both(folder.path(), ScannerProfile::by_name("honeywell").unwrap().clone());
    let taken = scanner.scan_acknowledged(b"690\r", LONG).unwrap();
    assert_eq!(taken, Acknowledged::Taken { sendings: 1 });
    assert_eq!(inbox.recv_timeout(LONG).unwrap(), scan("690"));
    // More than any symbol holds: sent again each time, and taken never.
    let noise = [vec![b'x'; 5000], b"\r".to_vec()].concat();
    assert_eq!(scanner.scan_acknowledged(&noise, LONG).unwrap(), Acknowledged::No);
}

#[test]
fn usual_and_unusual_speeds_are_set_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let _scanner = Scanner::start(&link).unwrap();
    for baud in [1_200, 9_600, 115_200, 250_000] {
        let address = SerialAddress { baud, ..SerialAddress::new(&link) };
        assert!(Address::Serial(address).open().is_ok(), "{baud}");
    }
}

/// Decodes bytes given in these pieces.
fn decoded(prefix: AimPrefix, pieces: &[&[u8]]) -> Vec<Scanned> {
    let (mut decoder, mut all) = (ScanDecoder::new(prefix), Vec::new());
    for piece in pieces {
        decoder.decode(piece, &mut |scanned| all.push(scanned));
    }
    all
}

#[test]
fn the_thirteen_identifiers_of_a_till_are_taken_off_wherever_the_bytes_are_split() {
    const IDS: [&str; 13] =
        ["]E0", "]E3", "]E4", "]C0", "]C1", "]A0", "]I1", "]Q1", "]Q3", "]d1", "]d2", "]e0", "]L2"];
    for id in IDS {
        let data = "010952123454321310ABC123\u{1d}21456";
        let stream = format!("{id}{data}\r\n{id}7\r").into_bytes();
        let aim = AimId::decode(id.as_bytes());
        assert_eq!(aim.unwrap().to_string(), id);
        let expected = [data, "7"].map(|data| Scanned::Scan(Scan { aim, data: data.as_bytes().to_vec() }));
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(decoded(AimPrefix::Sent, &[head, tail]), expected, "{id} split at {at}");
        }
    }
}

#[test]
fn a_bracket_is_data_when_the_scanner_sends_no_identifier_or_none_is_there() {
    let whole = |data: &str| [Scanned::Scan(Scan { aim: None, data: data.as_bytes().to_vec() })];
    assert_eq!(decoded(AimPrefix::NotSent, &[b"]E0690\r"]), whole("]E0690"));
    assert_eq!(decoded(AimPrefix::Sent, &[b"690]E0\r"]), whole("690]E0"));
    assert_eq!(decoded(AimPrefix::Sent, &[b"]\r"]), whole("]"));
}

proptest! {
    #[test]
    fn scans_are_the_same_however_the_bytes_are_split(
        stream in prop::collection::vec(
            prop_oneof![prop::sample::select(vec![b'\r', b'\n', 0x02, 0x03, b']', b'E', b'0']), any::<u8>()],
            0..60,
        ),
        cuts in prop::collection::vec(0_usize..60, 0..6),
    ) {
        for profile in ScannerProfile::list() {
            let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
                let (mut decoder, mut all) = (ScanDecoder::of(profile), Vec::new());
                for piece in pieces {
                    decoder.decode(piece, &mut |scanned| all.push(scanned));
                }
                decoder.quiet(&mut |scanned| all.push(scanned));
                all
            };
            prop_assert_eq!(read(&mut stream.chunks(1)), read(&mut stream.chunks(60)), "{}", &profile.name);
        }
        let whole = decoded(AimPrefix::Sent, &[&stream]);
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&decoded(AimPrefix::Sent, &single), &whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&decoded(AimPrefix::Sent, &pieces), &whole);
    }
}
