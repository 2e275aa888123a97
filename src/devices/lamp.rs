//! One device's place on the board: whether it is ready, asks for a person, or is gone.

use super::words::sentence;
use crate::inbox::{Board, PortState, StationDevices};
use crate::record::ids::StationId;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// Which device of a station.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Device {
    Scanner,
    Printer,
    Display,
    Drawer,
}

/// Shows one device's state.
#[derive(Clone)]
pub(super) struct Lamp {
    board: Arc<watch::Sender<BTreeMap<StationId, StationDevices>>>,
    station: StationId,
    device: Device,
}

impl Lamp {
    /// A lamp for a device that is configured and was not looked at yet.
    pub(super) fn new(board: &Board, station: &StationId, device: Device) -> Self {
        Self { board: Arc::clone(&board.devices), station: station.clone(), device }
    }

    /// Shows a state; whoever watches the board hears of it only if it is another.
    pub(super) fn show(&self, state: PortState) {
        let changed = self.board.send_if_modified(|stations| {
            let devices = stations.entry(self.station.clone()).or_default();
            let shown = match self.device {
                Device::Scanner => &mut devices.scanner,
                Device::Printer => &mut devices.printer,
                Device::Display => &mut devices.display,
                Device::Drawer => &mut devices.drawer,
            };
            let changed = *shown != state;
            *shown = state.clone();
            changed
        });
        if changed {
            self.log(&state);
        }
    }

    /// The system gave no thread to drive it with.
    pub(super) fn failed(&self, error: &io::Error) {
        self.show(PortState::Gone(sentence(&format!("it cannot be driven: {error}; restart the till"))));
    }

    fn log(&self, state: &PortState) {
        let (station, device) = (self.station.as_str(), self.device);
        match state {
            PortState::Absent => {}
            PortState::Ready => tracing::info!(station, ?device, "A device is ready."),
            PortState::Asks(words) | PortState::Held(words) | PortState::Jammed(words) => {
                tracing::warn!(station, ?device, words, "A device asks for a person.")
            }
            PortState::Gone(words) => tracing::warn!(station, ?device, words, "A device is gone."),
        }
    }
}
