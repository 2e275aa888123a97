//! Printers that are not on a serial line: on the network, where connections break in their own ways, and on USB.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::document::{Cut, Document, Line};
use hardware::link::serial::SerialAddress;
use hardware::link::tcp::TcpAddress;
use hardware::link::usb::UsbAddress;
use hardware::link::{Address, PortConfig};
use hardware::printer::escpos::encode;
use hardware::printer::{
    JobOutcome, Patience, Printer, PrinterConfig, PrinterEvent, PrinterHandle, PrinterStatus, Why,
};
use hardware::profile::Profile;
use hardware::sim::{self, PrinterOptions};

const LONG: Duration = Duration::from_secs(30);

fn profile() -> &'static Profile {
    Profile::by_name("epson-tm-t88").unwrap()
}

fn job(lines: usize) -> Vec<u8> {
    let mut document = Document::new();
    for line in 0..lines {
        document.line(Line::left(format!("line {line:05} of a receipt")));
    }
    document.cut(Cut::Partial);
    encode(&document, profile()).unwrap()
}

fn start(address: Address) -> (PrinterHandle, Receiver<PrinterEvent>) {
    let (events, inbox) = channel();
    let patience = Patience { answer: Duration::from_millis(500), ..Patience::default() };
    let port = PortConfig { reopen: Duration::from_millis(20), ..PortConfig::new(address) };
    let poll = Duration::from_millis(100);
    let config = PrinterConfig { patience, poll, ..PrinterConfig::new(port, profile()) };
    let printer = Printer::start(config, move |event| {
        let _ = events.send(event);
    });
    (printer.unwrap(), inbox)
}

fn until(events: &Receiver<PrinterEvent>, wanted: impl Fn(&PrinterEvent) -> bool) {
    while !wanted(&events.recv_timeout(LONG).expect("the event never came")) {}
}

fn until_ready(events: &Receiver<PrinterEvent>) {
    until(events, |event| matches!(event, PrinterEvent::Status(status) if status.can_print()));
}

/// A virtual printer behind one connection at a time.
fn bridge(listener: TcpListener, device: std::path::PathBuf) {
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let Ok(mut line) = Address::Serial(SerialAddress::new(&device)).open() else { return };
            let mut back = line.clone_link().unwrap();
            let mut out = stream.try_clone().unwrap();
            let answers = std::thread::spawn(move || {
                let mut buffer = [0; 256];
                while let Ok(count) = back.read(&mut buffer, Duration::from_millis(50)) {
                    if out.write_all(&buffer[..count]).is_err() || out.peer_addr().is_err() {
                        return;
                    }
                }
            });
            let mut buffer = [0; 256];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let mut sent = 0;
                while sent < count {
                    match line.write(&buffer[sent..count], LONG) {
                        Ok(more) => sent += more,
                        Err(_) => break,
                    }
                }
            }
            let _ = stream.shutdown(Shutdown::Both);
            drop(stream);
            answers.join().unwrap();
        }
    });
}

fn listen() -> (TcpListener, Address) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, Address::Tcp(TcpAddress { host: "127.0.0.1".to_owned(), port }))
}

#[test]
fn a_printer_on_the_network_confirms_and_is_found_again_and_serves_one_host_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let device = sim::Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let (listener, address) = listen();
    bridge(listener, link);
    let (printer, events) = start(address.clone());
    until_ready(&events);
    assert_eq!(printer.submit(job(20)), JobOutcome::Confirmed);
    // A second host is let in by the network and not by the printer: to it the printer is silent.
    let (second, _) = start(address.clone());
    let refused = second.submit(job(3));
    assert!(
        matches!(refused, JobOutcome::FailedBefore { why: Why::Silent | Why::NotConnected }),
        "{refused}"
    );
    drop(second);
    drop(printer);
    let (printer, events) = start(address);
    until_ready(&events);
    assert_eq!(printer.submit(job(30)), JobOutcome::Confirmed);
    let paper = device.paper();
    assert_eq!(paper.errors, []);
    let lines: Vec<usize> = paper.cut_sheets().map(|sheet| sheet.lines.len()).collect();
    assert_eq!(lines, [20, 30]);
}

#[test]
fn a_connection_that_is_reset_within_a_job_never_leaves_it_confirmed_and_is_made_anew() {
    let (listener, address) = listen();
    let (printer, events) = start(address);
    // Answers questions, and resets the connection in the midst of a job: closing with bytes unread does that.
    let answer = |stream: &mut TcpStream, until: usize| {
        let (mut last, mut byte, mut taken) = ([0; 3], [0], 0);
        while taken < until && stream.read_exact(&mut byte).is_ok() {
            last = [last[1], last[2], byte[0]];
            taken += 1;
            if matches!(last, [0x10, 0x04, 1..=4]) && stream.write_all(&[0x12]).is_err() {
                return;
            }
        }
    };
    let (mut stream, _) = listener.accept().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || answer(&mut stream, 5000));
        until_ready(&events);
        let long = job(9000);
        let outcome = printer.submit(long);
        // How much of it the network had taken by then is the system's affair.
        let (JobOutcome::FailedPartWay { why, .. } | JobOutcome::Unconfirmed { why }) = outcome else {
            panic!("{outcome}");
        };
        assert_eq!(why, Why::NotConnected);
        until(&events, |event| matches!(event, PrinterEvent::Gone { .. }));
        let (mut stream, _) = listener.accept().unwrap();
        scope.spawn(move || answer(&mut stream, usize::MAX));
        until_ready(&events);
        printer.stop();
        drop(printer);
    });
}

#[test]
fn a_host_that_does_not_answer_at_all_is_silent_and_gets_no_byte_of_a_job() {
    let (listener, address) = listen();
    let (printer, events) = start(address);
    let (mut stream, _) = listener.accept().unwrap();
    until(&events, |event| *event == PrinterEvent::Opened);
    assert_eq!(printer.submit(job(3)), JobOutcome::FailedBefore { why: Why::Silent });
    assert_eq!(printer.status(), PrinterStatus::SILENT);
    drop(printer);
    let mut sent = Vec::new();
    stream.read_to_end(&mut sent).unwrap();
    assert!(sent.chunks(3).all(|question| question == [0x10, 0x04, 1]), "{sent:02x?}");
}

#[test]
fn a_printer_on_usb_is_a_file_that_is_written_and_read() {
    // A terminal is as much of a character device as there is here.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let device = sim::Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let (printer, events) = start(Address::Usb(UsbAddress::new(&link)));
    until_ready(&events);
    assert_eq!(printer.submit(job(20)), JobOutcome::Confirmed);
    assert_eq!(device.paper().errors, []);
    device.unplug();
    until(&events, |event| matches!(event, PrinterEvent::Gone { .. }));
    assert_eq!(printer.submit(job(3)), JobOutcome::FailedBefore { why: Why::NotConnected });
    device.replug().unwrap();
    until_ready(&events);
    assert_eq!(printer.submit(job(30)), JobOutcome::Confirmed);
}

#[test]
fn a_usb_printer_is_known_by_its_name_and_a_terminal_is_none() {
    assert!(UsbAddress::is_printer("/dev/usb/lp0".as_ref()));
    assert!(!UsbAddress::is_printer("/dev/ptmx".as_ref()));
    assert!(!UsbAddress::is_printer("/dev/null".as_ref()));
    assert!(!UsbAddress::is_printer("/nowhere".as_ref()));
}
