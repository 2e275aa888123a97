//! How much room the disk has, as screens show it.

use serde::Serialize;

/// The room on the disk that the journal is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Disk {
    /// Bytes to sell on.
    pub free_bytes: u64,
    /// Below this many nothing new is sold.
    pub floor_bytes: u64,
    /// What that means.
    pub state: DiskState,
}

/// Whether there is room to sell on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskState {
    /// There is.
    Fine,
    /// Somebody should make room today.
    Low,
    /// What is under way is finished; nothing new is begun.
    Stopped,
}
