//! Drawers without paper or on a port of their own, a jam that is cleared, and a display on the printer's line.

use super::counter::{Counter, LONG, front, yes};
use crate::counter::Refusal;
use crate::counter::event::{Event, PrintReport};
use crate::devices::{Config, DISPLAY_PAID, DisplayConfig, DisplayProfile, DrawerConfig, DrawerProfile};
use crate::inbox::PortState;
use crate::paper::Lang;
use hardware::Profile;
use hardware::link::Address;
use hardware::link::serial::SerialAddress;
use hardware::sim::{self, DisplayFamily, DrawerKind, Happening, PrinterOptions};
use std::path::PathBuf;
use std::time::Duration;

/// A printer whose manual knows no pulse in real time.
pub(super) fn drawer_in_turn(config: &mut Config) {
    for printer in config.stations.values_mut().filter_map(|station| station.printer.as_mut()) {
        let like = printer.stock.profile.clone();
        printer.stock.profile = Box::leak(Box::new(Profile { drawer_at_once: false, ..like }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_opens_without_paper_and_its_receipt_waits() {
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| config.drawer_wait = LONG);
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.happen(Happening::PaperOut);
    counter.printer_is(|state| matches!(state, PortState::Asks(_))).await;
    counter.print(1, 5).await;
    counter.kick(2).await;
    assert_eq!(counter.report().await, "drawer 2 starts");
    assert_eq!(counter.report().await, "drawer 2 Confirmed");
    assert!(counter.printer.drawer_is_open());
    // It was not shut: whether it opened again nobody can say, and nobody does.
    counter.kick(3).await;
    assert_eq!(counter.report().await, "drawer 3 starts");
    assert_eq!(
        counter.report().await,
        "drawer 3 Unconfirmed It is not known whether the drawer opened: nothing shows that the drawer moved: \
         look at it."
    );
    counter.printer.happen(Happening::PaperLoaded);
    assert_eq!(counter.report().await, "paper 1 starts");
    assert_eq!(counter.report().await, "paper 1 Confirmed");
    assert_eq!((counter.printer.paper().pulses.len(), counter.printer.paper().errors.len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_opens_while_a_receipt_stands_half_printed() {
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| config.drawer_wait = LONG);
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.after_lines(5, Happening::PaperOut);
    counter.print(1, 30).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    counter.printer_is(|state| matches!(state, PortState::Held(_))).await;
    counter.kick(2).await;
    assert_eq!(counter.report().await, "drawer 2 starts");
    assert_eq!(counter.report().await, "drawer 2 Confirmed");
    assert!(counter.printer.drawer_is_open());
    counter.printer.happen(Happening::PaperLoaded);
    assert_eq!(counter.report().await, "paper 1 Confirmed");
    let paper = counter.printer.paper();
    assert_eq!((paper.cut_sheets().count(), paper.pulses.len(), paper.errors.len()), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_drawer_opens_without_paper_that_the_till_has_not_written_down() {
    let mut counter = Counter::new(PrinterOptions::default(), |event| {
        let begins = matches!(event, Event::Drawer(_, PrintReport::Starting));
        if begins { Err(Refusal::NotNow("Settled already.")) } else { yes(event) }
    });
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.happen(Happening::PaperOut);
    counter.printer_is(|state| matches!(state, PortState::Asks(_))).await;
    counter.kick(2).await;
    assert_eq!(counter.report().await, "drawer 2 starts");
    counter.printer.happen(Happening::PaperLoaded);
    counter.print(3, 5).await;
    assert_eq!(counter.report().await, "paper 3 starts");
    assert_eq!(counter.report().await, "paper 3 Confirmed");
    assert_eq!(counter.printer.paper().pulses, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jam_that_is_cleared_lets_the_printer_go_on_at_a_press() {
    let mut counter = Counter::new(PrinterOptions::default(), yes);
    counter.printer_is(|state| *state == PortState::Ready).await;
    counter.printer.after_lines(5, Happening::KnifeJams);
    counter.print(1, 10).await;
    assert_eq!(counter.report().await, "paper 1 starts");
    let report = counter.report().await;
    assert!(report.starts_with("paper 1 Unconfirmed") && report.contains("knife"), "{report}");
    counter.printer_is(|state| matches!(state, PortState::Jammed(words) if words.contains("go on"))).await;
    // Nobody has freed it yet: the press changes nothing.
    let press = || counter.board.jam_cleared.send_modify(|all| *all.entry(front()).or_default() += 1);
    press();
    counter.printer_is(|state| matches!(state, PortState::Jammed(_))).await;
    counter.printer.happen(Happening::KnifeFreed);
    press();
    counter.printer_is(|state| *state == PortState::Ready).await;
    let all = |paper: &sim::Paper| paper.cut_sheets().count() == 1;
    assert!(tokio::task::block_in_place(|| counter.printer.wait_for(LONG, all)), "the rest came out");
    counter.print(2, 5).await;
    assert_eq!(counter.report().await, "paper 2 starts");
    assert_eq!(counter.report().await, "paper 2 Confirmed");
    assert_eq!(counter.stop().await, [], "one outcome each");
}

fn with_drawer(config: &mut Config, port: PathBuf, profile: &str) {
    let address = Address::Serial(SerialAddress::new(port));
    let profile = DrawerProfile::by_name(profile).unwrap().clone();
    for station in config.stations.values_mut() {
        station.drawer = Some(DrawerConfig { address: address.clone(), profile: profile.clone() });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_on_a_port_of_its_own_opens_whatever_the_printer_does() {
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("drawer");
    let drawer = sim::Drawer::start(&port, DrawerKind::Switched).unwrap();
    let shortly = Duration::from_millis(100);
    let mut counter = Counter::with(PrinterOptions::default(), yes, |config| {
        config.drawer_wait = shortly;
        with_drawer(config, port, "glancetron-8005");
    });
    let is_at = |all: &std::collections::BTreeMap<_, crate::inbox::StationDevices>, state: &PortState| {
        all.get(&front()).is_some_and(|at| at.drawer == *state)
    };
    counter.devices(|all| is_at(all, &PortState::Ready)).await;
    counter.printer.unplug();
    counter.kick(1).await;
    assert_eq!(counter.report().await, "drawer 1 starts");
    assert_eq!(counter.report().await, "drawer 1 Confirmed");
    assert_eq!(drawer.drawn().kicks, 1);
    drawer.shut();
    drawer.stick();
    counter.kick(2).await;
    assert_eq!(counter.report().await, "drawer 2 starts");
    assert_eq!(
        counter.report().await,
        "drawer 2 Unconfirmed It is not known whether the drawer opened: it says that it is still shut."
    );
    drawer.unplug();
    counter.devices(|all| all.get(&front()).is_some_and(|at| matches!(at.drawer, PortState::Gone(_)))).await;
    counter.kick(3).await;
    assert_eq!(
        counter.report().await,
        "drawer 3 FailedBefore The drawer could not be opened: it is not connected: look at its cable. \
         Open it with its key."
    );
    drawer.replug().unwrap();
    counter.devices(|all| is_at(all, &PortState::Ready)).await;
    assert_eq!(drawer.drawn().kicks, 2, "what was given up is not done later");
    assert_eq!(counter.printer.paper().pulses, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_on_the_printers_line_follows_the_view_between_receipts() {
    let options = PrinterOptions { display: Some(DisplayFamily::Cd5220), ..PrinterOptions::default() };
    let mut counter = Counter::with(options, yes, |config| {
        for station in config.stations.values_mut() {
            station.display = Some(DisplayConfig {
                address: None,
                profile: DisplayProfile::by_name("cd5220").unwrap(),
                lang: Lang::En,
                idle: vec!["Example Street".to_owned(), "Welcome".to_owned()],
                paid: DISPLAY_PAID,
            });
        }
    });
    let idle =
        |shown: &sim::Shown| shown.lines.each_ref().map(|line| line.trim()) == ["Example Street", "Welcome"];
    let seen = tokio::task::block_in_place(|| counter.printer.wait_for_shown(LONG, idle));
    assert!(seen, "{:?} {:?}", counter.printer.shown(), counter.board.devices);
    for job in 1..=3 {
        counter.print(job, 5).await;
        assert_eq!(counter.report().await, format!("paper {job} starts"));
        assert_eq!(counter.report().await, format!("paper {job} Confirmed"));
    }
    let shown = counter.printer.shown().unwrap();
    assert!(idle(&shown) && shown.errors.is_empty(), "{shown:?}");
    assert_eq!(counter.printer.paper().errors, []);
    counter.devices(|all| all.get(&front()).is_some_and(|at| at.display == PortState::Ready)).await;
    assert_eq!(counter.stop().await, []);
}
