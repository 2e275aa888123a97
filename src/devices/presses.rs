//! Buttons that a person presses about a station's printer, as its worker hears them.
//!
//! A press is no record: it is counted on the board, and what comes of it is reported like anything that the printer
//! does. Not here: who may press (`pages`).

use crate::record::ids::StationId;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Tells when one button is pressed for one station.
#[derive(Clone)]
pub(super) struct Presses {
    station: StationId,
    counts: watch::Receiver<BTreeMap<StationId, u64>>,
    seen: u64,
}

impl Presses {
    pub(super) fn new(counts: &watch::Sender<BTreeMap<StationId, u64>>, station: &StationId) -> Self {
        Self { station: station.clone(), counts: counts.subscribe(), seen: 0 }
    }

    /// Takes all presses so far as seen. True if there was another since the last look.
    pub(super) fn look(&mut self) -> bool {
        let presses = self.counts.borrow_and_update().get(&self.station).copied().unwrap_or(0);
        presses != std::mem::replace(&mut self.seen, presses)
    }

    /// Returns at the next press.
    pub(super) async fn pressed(&mut self) {
        while !self.look() {
            if self.counts.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
