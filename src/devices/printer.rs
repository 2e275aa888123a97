//! A printer that runs, and a bell that rings when something about it changes.

use super::lamp::Lamp;
use super::words::{held, sentence};
use super::{Config, PrinterConfig};
use crate::inbox::PortState;
use hardware::link::PortConfig;
use hardware::printer::{Fault, Paper, Printer, PrinterEvent, PrinterHandle, PrinterStatus, Shared};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// Of a printer that goes on when it is told to.
pub(super) const JAMMED: &str =
    "The knife is jammed: open the cover, free the paper, close it, then press \"Cleared, go on\".";

/// A printer that runs.
pub(super) struct Running {
    /// Takes jobs.
    pub(super) handle: Arc<PrinterHandle>,
    /// Changes whenever the printer came, went, or is in another state of health.
    pub(super) bell: watch::Receiver<u64>,
    /// The number of the opening under way; none while its port is gone.
    pub(super) opening: watch::Receiver<Option<u64>>,
}

/// Starts driving a printer.
pub(super) fn start(
    config: &Config,
    printer: &PrinterConfig,
    shared: Shared,
    lamp: &Lamp,
) -> io::Result<Running> {
    lamp.show(PortState::Gone("The printer is being looked for.".to_owned()));
    let (ring, bell) = watch::channel(0);
    let (openings, opening) = watch::channel(None);
    let (mut opened, recovers) = (0, printer.stock.profile.recovers);
    let lamp = lamp.clone();
    let driven = hardware::printer::PrinterConfig {
        patience: config.patience,
        poll: config.printer_poll,
        shared,
        ..hardware::printer::PrinterConfig::new(
            PortConfig { reopen: config.reopen, ..PortConfig::new(printer.address.clone()) },
            printer.stock.profile,
        )
    };
    let handle = Printer::start(driven, move |event| {
        match event {
            // Its health follows.
            PrinterEvent::Opened => {
                opened += 1;
                openings.send_replace(Some(opened));
            }
            PrinterEvent::Gone { reason } => {
                openings.send_replace(None);
                lamp.show(PortState::Gone(sentence(&reason)));
            }
            PrinterEvent::Status(status) if recovers && status.fault == Fault::Cutter => {
                lamp.show(PortState::Jammed(JAMMED.to_owned()));
            }
            PrinterEvent::Status(status) => lamp.show(shown(status)),
            PrinterEvent::Held(why) => lamp.show(PortState::Held(held(why))),
        }
        ring.send_modify(|rung| *rung += 1);
    })?;
    Ok(Running { handle: Arc::new(handle), bell, opening })
}

fn shown(status: PrinterStatus) -> PortState {
    if !status.can_print() || status.paper == Paper::NearEnd {
        PortState::Asks(sentence(&status.to_string()))
    } else {
        PortState::Ready
    }
}
