//! Leases: a part of a campaign's quota that one till may spend by itself.

use crate::record::header::Epoch;
use crate::record::ids::TerminalId;
use serde::{Deserialize, Serialize};

/// What the cloud signs when it lets out a part of a quota, as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// To which till.
    pub terminal: TerminalId,
    /// To which life of its journal: a till that lost its disk has none of the leases it had.
    pub epoch: Epoch,
    /// Of which campaign.
    pub campaign: u32,
    /// Its number within these three, from 1: a till takes each once, in order.
    pub number: u64,
    /// How many uses.
    pub uses: u32,
    /// First second at which the till uses it no more and gives back what is left, Unix time.
    pub until_s: u64,
}

/// Why a till gives uses back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseEnd {
    /// Its time is over.
    Expired,
    /// The campaign was stopped, or has no quota any more.
    Stopped,
    /// Nobody used it for a while, or the shift is closed: another till may.
    Unused,
}
