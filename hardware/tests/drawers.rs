//! Drawers alone on a port, on real pseudo-terminals.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::drawer::{Doubt, Drawer, DrawerConfig, DrawerEvent, DrawerOutcome, DrawerProfile};
use hardware::link::serial::SerialAddress;
use hardware::link::{Address, PortConfig, WriteFailure};
use hardware::sim::{self, DrawerKind};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(30);

struct Counter {
    drawer: Drawer,
    events: Mutex<Receiver<DrawerEvent>>,
    device: sim::Drawer,
    _folder: tempfile::TempDir,
}

fn drive(link: &Path, profile: &str) -> (Drawer, Receiver<DrawerEvent>) {
    let address = Address::Serial(SerialAddress::new(link));
    let port = PortConfig { reopen: Duration::from_millis(5), ..PortConfig::new(address) };
    let profile = DrawerProfile::by_name(profile).unwrap().clone();
    let (events, inbox) = channel();
    let drawer = Drawer::start(DrawerConfig { port, profile }, move |event| {
        let _ = events.send(event);
    });
    (drawer.unwrap(), inbox)
}

impl Counter {
    fn new(kind: DrawerKind, profile: &str) -> Counter {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("drawer");
        let device = sim::Drawer::start(&link, kind).unwrap();
        let (drawer, inbox) = drive(&link, profile);
        let counter = Counter { drawer, events: Mutex::new(inbox), device, _folder: folder };
        counter.until_opened();
        counter
    }

    fn until_opened(&self) {
        loop {
            let event = self.events.lock().unwrap().recv_timeout(LONG).expect("the port never opened");
            if event == DrawerEvent::Opened {
                return;
            }
        }
    }
}

#[test]
fn a_drawer_that_says_nothing_is_given_its_byte_once() {
    let counter = Counter::new(DrawerKind::Bell, "bell");
    for kicks in 1..=3 {
        assert_eq!(counter.drawer.open(), DrawerOutcome::Given);
        assert!(counter.device.wait_for_kicks(LONG, kicks));
    }
    let drawn = counter.device.drawn();
    assert_eq!((drawn.kicks, drawn.strays), (3, vec![]));
}

#[test]
fn a_drawer_with_a_switch_is_open_when_it_says_so() {
    let counter = Counter::new(DrawerKind::Switched, "glancetron-8005");
    assert_eq!(counter.drawer.open(), DrawerOutcome::Open);
    counter.device.shut();
    counter.device.stick();
    assert_eq!(counter.drawer.open(), DrawerOutcome::Unsure(Doubt::StillShut));
    let drawn = counter.device.drawn();
    assert_eq!((drawn.kicks, drawn.strays), (2, vec![]));
    // One that knows the byte and not the question.
    let mute = Counter::new(DrawerKind::Bell, "glancetron-8005");
    assert_eq!(mute.drawer.open(), DrawerOutcome::Unsure(Doubt::NoAnswer));
}

#[test]
fn a_drawer_that_is_away_is_not_opened_later_and_works_when_it_is_back() {
    let counter = Counter::new(DrawerKind::Bell, "bell");
    counter.device.unplug();
    let gone = counter.events.lock().unwrap().recv_timeout(LONG).unwrap();
    assert!(matches!(gone, DrawerEvent::Gone { .. }));
    assert_eq!(counter.drawer.open(), DrawerOutcome::NotSent(WriteFailure::Gone));
    counter.device.replug().unwrap();
    counter.until_opened();
    assert_eq!(counter.drawer.open(), DrawerOutcome::Given);
    assert!(counter.device.wait_for_kicks(LONG, 1));
    assert_eq!(counter.device.drawn().kicks, 1);
}

#[test]
fn a_second_opener_of_a_drawer_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("drawer");
    let device = sim::Drawer::start(&link, DrawerKind::Bell).unwrap();
    let (first, events) = drive(&link, "bell");
    assert_eq!(events.recv_timeout(LONG).unwrap(), DrawerEvent::Opened);
    let (second, refused) = drive(&link, "bell");
    let DrawerEvent::Gone { reason } = refused.recv_timeout(LONG).unwrap() else { panic!("it was let in") };
    assert!(reason.contains("in use by another program"), "{reason}");
    assert_eq!(second.open(), DrawerOutcome::NotSent(WriteFailure::Gone));
    assert_eq!(first.open(), DrawerOutcome::Given);
    assert!(device.wait_for_kicks(LONG, 1));
}
