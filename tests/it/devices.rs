//! `till devices`: what is plugged in, what a scanner sends, and a port that another process has.

use crate::TILL;
use hardware::link::Address;
use hardware::link::serial::SerialAddress;
use hardware::sim::{Printer, PrinterOptions, Scanner};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

fn till(arguments: &[&str]) -> Output {
    Command::new(TILL).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_scanner_is_told_how_it_is_set_up_and_its_port_is_refused_to_a_second_process() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let port = link.to_str().unwrap();
    let scanner = Scanner::start(&link).unwrap();
    let mut first = Command::new(TILL)
        .args(["devices", "test", "scanner", "--port", port, "--count", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(first.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("Hold the test label"), "{line}");

    let second = till(&["devices", "test", "scanner", "--port", port]);
    assert_eq!(second.status.code(), Some(69));
    assert!(text(&second.stderr).contains("in use by another program"), "{}", text(&second.stderr));

    let whole = b"]Q3010950600013435210ABC\x1d211\r";
    scanner.scan(whole).unwrap();
    line.clear();
    while !line.contains("test label") {
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended: {line}");
    }
    assert!(line.contains("CR: the generic profile") && line.contains("]Q3 arrives"), "{line}");
    assert!(line.contains("arrives as it should"), "{line}");
    scanner.scan(b"\x02010950600013435210ABC^]211\x03").unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("STX to ETX") && rest.contains("set gs = \"5E 5D\""), "{rest}");
    assert_eq!(first.wait().unwrap().code(), Some(0));

    drop(scanner);
    let gone = till(&["devices", "test", "scanner", "--port", port]);
    assert_eq!(gone.status.code(), Some(74));
    assert_eq!(till(&["devices", "test", "scanner", "--tcp", "nowhere"]).status.code(), Some(64));
}

#[test]
fn a_port_is_listed_with_the_station_that_it_belongs_to_and_who_has_locked_it() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let _scanner = Scanner::start(&link).unwrap();
    let _held = Address::Serial(SerialAddress::new(&link)).open().unwrap();
    let config = folder.path().join("till.toml");
    let words = format!(
        "terminal = \"till-1\"\nstate_dir = \"state\"\n[shop]\ncurrency = \"CNY\"\ntime_zone = \"Asia/Shanghai\"\n[[station]]\nid = \"front\"\n[station.scanner]\nport = \"{}\"\n[station.printer]\nport = \"/dev/till/none\"\nprofile = \"epson-tm-t88\"\n[pages]\nlisten = \"127.0.0.1:0\"\n",
        link.display()
    );
    std::fs::write(&config, words).unwrap();
    let listed = till(&["devices", "list", "--json", "--config", config.to_str().unwrap()]);
    assert_eq!(listed.status.code(), Some(0), "{}", text(&listed.stderr));
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let port = listed["ports"]
        .as_array()
        .unwrap()
        .iter()
        .find(|port| port["names"].as_array().unwrap().iter().any(|name| name.as_str() == link.to_str()));
    let port = port.unwrap_or_else(|| panic!("{listed}"));
    assert_eq!(port["configured"][0]["station"], "front");
    assert_eq!(port["used_by"][0]["locked"], true, "{port}");
    assert_eq!(port["used_by"][0]["pid"], std::process::id());
    assert_eq!(listed["missing"][0]["device"], "printer");
}

#[test]
fn a_printer_says_what_it_answers_and_prints_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let printer = Printer::start(&link, folder.path(), PrinterOptions::default()).unwrap();
    let tried = till(&[
        "devices",
        "test",
        "printer",
        "--port",
        link.to_str().unwrap(),
        "--profile",
        "epson-tm-t88-chinese",
    ]);
    let said = text(&tried.stdout);
    assert_eq!(tried.status.code(), Some(0), "{said}{}", text(&tried.stderr));
    assert!(said.contains("DLE EOT 4  12") && said.contains("Test page: printed."), "{said}");
    assert_eq!(printer.paper().cut_sheets().count(), 1);
    assert!(printer.paper().to_text(512).contains("收银"));
}
