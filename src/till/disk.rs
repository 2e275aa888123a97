//! The room on the disk, and the length of the log: looked at between turns.
//!
//! Below the floor nothing new is begun; what is under way is finished, for which the ballast gives the room. With room
//! again the till sells on by itself. Not here: how room is measured (`journal`).

use super::Loop;
use crate::counter::Refusal;
use crate::record::Record;
use crate::record::body::{Body, SaleKind};
use crate::view::{Disk, DiskState, Selling};

/// Between two looks at the disk: a till writes a few kilobytes in that time.
const LOOK_MS: u64 = 1_000;

/// A log that is longer than this is folded in as soon as nobody waits, so that no commit has to.
const FOLD_BYTES: u64 = 2 * 1024 * 1024;

/// A log that grows beyond this is held up by a reader that does not end.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the loop knows of its disk.
#[derive(Default)]
pub(super) struct Watched {
    pub(super) disk: Option<Disk>,
    looked_ms: Option<u64>,
    log_is_long: bool,
}

impl Loop {
    /// Looks at the disk, if the last look is a while ago. True when screens should be told.
    pub(super) fn look_at_disk(&mut self) -> bool {
        let now_ms = self.sources.clock.monotonic_ms();
        if self.watched.looked_ms.is_some_and(|looked| now_ms < looked.saturating_add(LOOK_MS)) {
            return false;
        }
        self.watched.looked_ms = Some(now_ms);
        let (room, dir) = (self.room, self.journal.dir());
        let before = self.watched.disk;
        self.watched.disk = room.free(dir).map(|free_bytes| {
            let stopped = before.is_some_and(|disk| disk.state == DiskState::Stopped);
            // Once stopped, it takes a little more than the floor: no flicker at the edge.
            let floor = room.stop_bytes.saturating_add(if stopped { room.stop_bytes / 4 } else { 0 });
            let state = match free_bytes {
                free if free < floor => DiskState::Stopped,
                free if free < room.warn_bytes => DiskState::Low,
                _ => DiskState::Fine,
            };
            Disk { free_bytes, floor_bytes: room.stop_bytes, state }
        });
        let (was, is) = (before.map(|disk| disk.state), self.watched.disk.map(|disk| disk.state));
        match is {
            Some(DiskState::Stopped) => room.drop_ballast(dir),
            Some(DiskState::Fine | DiskState::Low) => {
                if let Err(error) = room.take_ballast(dir) {
                    tracing::warn!(error = %error, "The ballast cannot be taken on.");
                }
            }
            None => {}
        }
        if was != is {
            tell(is);
        }
        was != is
    }

    /// Folds the log in while nobody waits, and says so once when it grows all the same.
    pub(super) fn look_at_log(&mut self) {
        let long = self.journal.log_bytes();
        if long < FOLD_BYTES || self.selling != Selling::Open {
            return;
        }
        if let Err(error) = self.journal.checkpoint() {
            tracing::warn!(error = %error, "The log was not folded in; nothing is lost.");
        }
        let is_long = self.journal.log_bytes() > LOG_BYTES_MAX;
        if is_long && !self.watched.log_is_long {
            tracing::warn!(
                bytes = long,
                "The journal's log is long: a reader keeps it from being folded in."
            );
        }
        self.watched.log_is_long = is_long;
    }

    /// Refuses to begin what there is no room for.
    pub(super) fn check_room(&self, made: &[Record]) -> Result<(), Refusal> {
        let begins = |record: &Record| {
            let opens = matches!(record.body, Body::SaleOpened { sale_kind: SaleKind::Sale, .. });
            opens || matches!(record.body, Body::LineAdded { .. })
        };
        let stopped = self.watched.disk.is_some_and(|disk| disk.state == DiskState::Stopped);
        if stopped && made.iter().any(begins) { Err(Refusal::DiskFull) } else { Ok(()) }
    }

    /// The disk had no room for a turn: nothing of it is there, what is under way is finished in the ballast's room.
    pub(super) fn make_room(&mut self) {
        let dir = self.journal.dir();
        self.room.drop_ballast(dir);
        let free_bytes = self.room.free(dir).unwrap_or(0);
        let floor_bytes = self.room.stop_bytes;
        self.watched.disk = Some(Disk { free_bytes, floor_bytes, state: DiskState::Stopped });
    }
}

fn tell(state: Option<DiskState>) {
    match state {
        Some(DiskState::Fine) => tracing::info!("There is room on the disk."),
        Some(DiskState::Low) => tracing::warn!("The disk is getting full: make room today."),
        Some(DiskState::Stopped) => {
            tracing::error!("The disk is nearly full. Nothing new is sold until there is room.");
        }
        None => tracing::warn!("The system does not say how much room the disk has."),
    }
}
