//! Scanners, printers, drawers and customer displays: bytes to events, receipts to paper, the view to two lines.
//!
//! Each scanner has a port whose reader posts every scan before it reads on: none is lost, none overtakes
//! another. Each printer has one queue: drawers before receipts, and one thing at a time.
//!
//! **Invariant:** no byte of a receipt and no pulse leaves before the till has it durable that it may.
//!
//! Not here: what a scan means, and what is done about paper whose outcome is open; both are the till's.

mod config;
mod display;
mod drawer;
mod lamp;
mod paperwork;
mod presses;
mod printer;
mod repeat;
mod scanner;
mod words;

use crate::counter::event::{Event, PrintReport};
use crate::inbox::{Board, DeviceWork, Inbox, WORK_MAX};
use crate::record::body::PaperOutcome;
use crate::record::ids::StationId;
pub use config::{
    Acknowledging, Config, DISPLAY_PAID, DisplayConfig, DrawerConfig, PrinterConfig, REPEAT_WINDOW,
    ScannerConfig, StationConfig,
};
pub use hardware::display::DisplayProfile;
/// What a configuration is made of, so that whoever makes one need not know the drivers.
pub use hardware::document::{DrawerPin, DrawerPulse};
pub use hardware::drawer::DrawerProfile;
use hardware::link::PortHandle;
pub use hardware::link::serial::SerialAddress;
pub use hardware::link::tcp::TcpAddress;
pub use hardware::link::{Address, FlowControl};
use hardware::printer::Shared;
pub use hardware::printer::driver::Patience;
pub use hardware::profile::Profile;
pub use hardware::scanner::profile::LineSettings;
pub use hardware::scanner::{AimPrefix, ScannerProfile};
use lamp::{Device, Lamp};
use paperwork::Paperwork;
use presses::Presses;
use std::collections::BTreeMap;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Drives the devices of all stations until the till is told to stop or is gone. A job under way is then
/// finished as long as [`Config::stop_wait`] allows; what waits stays owed and is printed after the next
/// start.
pub async fn run(
    config: Config,
    work: mpsc::Receiver<DeviceWork>,
    inbox: Inbox,
    board: Board,
    shutdown: watch::Receiver<bool>,
) {
    let mut scanners = Vec::new();
    let mut queues = BTreeMap::new();
    let mut workers = JoinSet::new();
    for (station, wanted) in &config.stations {
        scanners.extend(start_scanner(&config, station, wanted, &inbox, &board));
        let mut doors = Queues::default();
        let mut on_line = None;
        if let Some(printer) = &wanted.printer {
            let lamp = Lamp::new(&board, station, Device::Printer);
            let shared = match &wanted.display {
                Some(display) if display.address.is_none() => Shared::WithDisplay,
                Some(_) | None => Shared::No,
            };
            match printer::start(&config, printer, shared, &lamp) {
                Ok(running) => {
                    on_line = Some(display::Way::of_printer(&running));
                    let (queue, arrivals) = mpsc::channel(WORK_MAX);
                    let presses = [&board.paper_given_up, &board.jam_cleared]
                        .map(|counts| Presses::new(counts, station));
                    let (inbox, shutdown) = (inbox.clone(), shutdown.clone());
                    let paperwork =
                        Paperwork::new(&config, printer, running, arrivals, inbox, shutdown, presses);
                    workers.spawn(paperwork.run());
                    doors.paper = Some(queue);
                }
                Err(error) => lamp.failed(&error),
            }
        }
        if let Some(display) = &wanted.display {
            let lamp = Lamp::new(&board, station, Device::Display);
            match display::start(&config, display, on_line, station, &board, &lamp) {
                Ok(running) => {
                    workers.spawn(running.run(shutdown.clone()));
                }
                Err(error) => lamp.failed(&error),
            }
        }
        if let Some(drawer) = &wanted.drawer {
            let lamp = Lamp::new(&board, station, Device::Drawer);
            match drawer::start(&config, drawer, &lamp) {
                Ok(running) => {
                    let (queue, arrivals) = mpsc::channel(WORK_MAX);
                    workers.spawn(running.run(arrivals, inbox.clone(), shutdown.clone()));
                    doors.drawer = Some(queue);
                }
                Err(error) => lamp.failed(&error),
            }
        } else {
            doors.drawer.clone_from(&doors.paper);
        }
        queues.insert(station.clone(), doors);
    }
    hand_out(work, &queues, &inbox, shutdown).await;
    drop(queues);
    for port in &scanners {
        port.stop();
    }
    while workers.join_next().await.is_some() {}
    let closed = tokio::task::spawn_blocking(move || drop(scanners));
    if tokio::time::timeout(config.stop_wait, closed).await.is_err() {
        tracing::warn!("A scanner's port did not close in time.");
    }
}

/// Who does a station's work.
#[derive(Default)]
struct Queues {
    /// Its printer.
    paper: Option<mpsc::Sender<DeviceWork>>,
    /// What opens its drawer: the printer, or the drawer's own port.
    drawer: Option<mpsc::Sender<DeviceWork>>,
}

fn start_scanner(
    config: &Config,
    station: &StationId,
    wanted: &StationConfig,
    inbox: &Inbox,
    board: &Board,
) -> Option<PortHandle> {
    let lamp = Lamp::new(board, station, Device::Scanner);
    let started = scanner::start(config, wanted.scanner.as_ref()?, station, inbox.clone(), lamp.clone());
    started.map_err(|error| lamp.failed(&error)).ok()
}

/// Gives each piece of work to its station's printer until there is no more.
async fn hand_out(
    mut work: mpsc::Receiver<DeviceWork>,
    queues: &BTreeMap<StationId, Queues>,
    inbox: &Inbox,
    mut shutdown: watch::Receiver<bool>,
) {
    loop {
        let next = tokio::select! {
            biased;
            () = told_to_stop(&mut shutdown) => return,
            next = work.recv() => next,
        };
        let Some(next) = next else { return };
        let (queue, none) = match &next {
            DeviceWork::Print(duty, _) | DeviceWork::PrintCode(duty, _) => (
                queues.get(&duty.station).and_then(|at| at.paper.as_ref()),
                "no printer is set up at this station",
            ),
            DeviceWork::Report(report) => (
                queues.get(&report.station).and_then(|at| at.paper.as_ref()),
                "no printer is set up at this station",
            ),
            DeviceWork::Kick(duty) => (
                queues.get(&duty.station).and_then(|at| at.drawer.as_ref()),
                "no drawer is set up at this station",
            ),
        };
        let refused = match queue {
            None => Some((next, none)),
            Some(queue) => match queue.try_send(next) {
                Ok(()) => None,
                Err(mpsc::error::TrySendError::Full(back)) => {
                    Some((back, "too many receipts wait for this printer: look what holds it up"))
                }
                // Its worker ends with the till.
                Err(mpsc::error::TrySendError::Closed(_)) => None,
            },
        };
        if let Some(event) = refused.and_then(|(work, why)| not_begun(&work, why)) {
            inbox.post(event).await;
        }
    }
}

/// The report that not one byte of it was sent.
fn not_begun(work: &DeviceWork, why: &str) -> Option<Event> {
    let event = match work {
        DeviceWork::Report(report) => {
            tracing::warn!(station = %report.station, why, "a list for the manager was not printed");
            return None;
        }
        DeviceWork::Print(duty, _) | DeviceWork::PrintCode(duty, _) => {
            let words = words::sentence(why);
            Event::Print(duty.job, PrintReport::Ended(PaperOutcome::FailedBefore, words))
        }
        DeviceWork::Kick(duty) => {
            let words = words::drawer_stays_shut(why);
            Event::Drawer(duty.kick, PrintReport::Ended(PaperOutcome::FailedBefore, words))
        }
    };
    Some(event)
}

/// Returns once the daemon stops, or is gone without a word.
async fn told_to_stop(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests;
