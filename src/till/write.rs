//! A turn's records on their way to the disk, and what is left where it refuses them.
//!
//! **Invariant:** after a refusal memory is what the journal says, or the till is blind and sells nothing. Not here: how
//! records are written (`journal`), and the room on the disk (`disk`).

use super::{Loop, start};
use crate::counter::Refusal;
use crate::counter::duty::{Duty, DutyId};
use crate::counter::event::Event;
use crate::inbox::Letter;
use crate::journal::Error;
use crate::record::Record;
use crate::view::{DiskState, Selling};
use std::collections::BTreeSet;

/// Why nothing is sold where the journal has lost all that was in it under the running till.
const EMPTY: &str = "nothing is in the journal any more";

impl Loop {
    /// Commits a turn. On a full disk once more in the ballast's room: a payment that was approved is not told again.
    pub(super) fn write_down(&mut self, records: &[Record]) -> Result<(), Refusal> {
        let Err(error) = self.journal.append(records) else { return Ok(()) };
        if !error.is_disk_full() {
            return Err(self.not_written(&error));
        }
        tracing::error!(error = %error, "The disk is full: this turn is written in the ballast's room.");
        self.make_room();
        self.journal.append(records).map_err(|error| self.not_written(&error))
    }

    /// The disk refused: memory is what the journal says. Where it only was full, what is under way can be finished once
    /// there is some room; after any other failure nothing more is sold until a person looks.
    fn not_written(&mut self, error: &Error) -> Refusal {
        tracing::error!(error = %error, "The journal cannot be written. Selling stopped.");
        let refusal = if error.is_disk_full() {
            Refusal::DiskFull
        } else {
            self.selling = Selling::ReadOnly(error.to_string());
            Refusal::ReadOnly
        };
        self.read_again();
        refusal
    }

    /// Throws memory away: it is what the journal says. What an edge had ended in what is lost is owed again, and is
    /// given to it again; what memory still owed is still with its edge.
    pub(super) fn read_again(&mut self) {
        let owed: BTreeSet<DutyId> = self.till.owed().iter().map(Duty::id).collect();
        self.in_flight.retain(|id| owed.contains(id));
        match start::replay(&self.journal) {
            Ok(Some(till)) => self.till = till,
            Ok(None) => {
                tracing::error!("The journal is there, and nothing is in it.");
                self.selling = Selling::ReadOnly(EMPTY.to_owned());
                self.blind = true;
            }
            Err(error) => {
                tracing::error!(error = %error, "Nor can it be read.");
                self.selling = Selling::ReadOnly(error.to_string());
                self.blind = true;
            }
        }
        self.codes.clear();
    }

    /// Keeps the ends of papers and drawers that met a full disk: no edge tells one twice. What has not begun is owed
    /// again as it is.
    pub(super) fn keep_ends(&mut self, ends: Vec<Event>) {
        let till = &self.till;
        self.unwritten.extend(ends.into_iter().filter(|event| till.awaits_end(event)));
    }

    /// Tells them again once there is room, in a turn of their own. Where the till ends before that, they are
    /// unconfirmed at the next start, and a person looks.
    pub(super) fn tell_ends_again(&mut self) {
        let stopped = self.watched.disk.is_some_and(|disk| disk.state == DiskState::Stopped);
        if self.unwritten.is_empty() || stopped || self.selling != Selling::Open {
            return;
        }
        let again = std::mem::take(&mut self.unwritten);
        let letter = |event| Letter { event, command: None, reply: None };
        // What meets the full disk once more has been kept once more.
        let _ = self.settle(again.into_iter().map(letter).collect());
    }
}
