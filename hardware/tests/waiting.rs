//! A port whose device is not there yet: it waits without waking.
//!
//! Alone in its binary, because it looks for its own reader among the threads of the process. Devices that come and go
//! are in `replugs`.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::mpsc::channel;
use std::time::Duration;

use hardware::link::serial::SerialAddress;
use hardware::link::{Address, Port, PortConfig, PortEvent};
use hardware::scanner::ScanDecoder;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(10);

#[test]
fn a_port_that_waits_for_its_device_rests() {
    let folder = tempfile::tempdir().unwrap();
    let (events, inbox) = channel();
    let config = PortConfig::new(Address::Serial(SerialAddress::new(folder.path().join("none"))));
    let _port = Port::start(config, ScanDecoder::default(), move |event| {
        let _ = events.send(event);
    });
    assert!(matches!(inbox.recv_timeout(LONG).unwrap(), PortEvent::Gone { .. }));
    let reader = std::fs::read_dir("/proc/self/task").unwrap().find_map(|task| {
        let task = task.unwrap().path();
        std::fs::read_to_string(task.join("comm")).unwrap().starts_with("read /").then_some(task)
    });
    let reader = reader.unwrap();
    let wakes = || {
        let status = std::fs::read_to_string(reader.join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let before = wakes();
    // Nothing is to come: this is the second in which it is watched.
    assert!(inbox.recv_timeout(Duration::from_secs(1)).is_err());
    let woke = wakes() - before;
    assert!(woke <= 20, "it woke {woke} times in a second");
}
