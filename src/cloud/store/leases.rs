//! Quotas of campaigns, and the parts of them that are in the hands of tills.
//!
//! **Invariant:** what is let out and not given back is never more than the quota; a use that a till makes is
//! out of what was let out to it. So all uses together are never more than the quota, whatever tills do with the
//! time, the network or their disks. Not here: signing leases (`tills`).

use super::Reply;
use crate::record::Epoch;
use crate::record::ids::TerminalId;

/// Beyond every number of a lease: they go up by one, from one.
pub(crate) const BEYOND_NUMBERS: u64 = 1 << 32;

/// A till asks for a part of a quota.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewLease {
    pub(crate) terminal: TerminalId,
    pub(crate) epoch: Epoch,
    pub(crate) campaign: u32,
    /// The last number that the till has: a lease after it that was let out before is told again.
    pub(crate) has: u64,
    /// The most uses in one lease.
    pub(crate) most: u32,
    pub(crate) until_s: u64,
    pub(crate) now_ms: i64,
}

/// A lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeaseRow {
    pub(crate) number: u64,
    pub(crate) uses: u32,
    pub(crate) until_s: u64,
}

/// A quota, and where it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Of which campaign.
    pub campaign: u32,
    /// How often its offers are given in all.
    pub total: u64,
    /// Uses that tills have reported.
    pub spent: u64,
    /// Uses in the hands of tills, spent perhaps without a word yet.
    pub leased: u64,
    /// Uses that went with tills that are lost: they stay spent. So do those of which only their number is known, because
    /// the store was put back to a day before they were let out; they are fewer with each till that brings its records.
    pub lost: u64,
}

impl Quota {
    /// What can still be let out.
    pub fn free(&self) -> u64 {
        self.total.saturating_sub(self.spent).saturating_sub(self.leased).saturating_sub(self.lost)
    }
}

pub(crate) trait Leases {
    /// Sets a quota. False when more than that is let out already.
    fn set_quota(&self, campaign: u32, total: u64) -> Reply<'_, bool>;
    fn quotas(&self) -> Reply<'_, Vec<Quota>>;
    /// Lets out a part of a quota, or tells again one that the till does not have yet. None when nothing is left.
    fn lease(&self, wanted: NewLease) -> Reply<'_, Option<LeaseRow>>;
    /// Writes off what a till holds that will not come back. Says how many uses stay spent.
    fn write_off(&self, terminal: TerminalId, now_ms: i64) -> Reply<'_, u64>;
}
