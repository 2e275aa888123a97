//! Uses of campaigns with a quota: what a till holds leases for, as offers are held against it.
//!
//! Not here: where leases come from and go (`counter`, `cloud`).

use std::collections::{BTreeMap, VecDeque};

/// The uses that are at hand. A campaign that is not named in it has no quota.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allotted {
    campaigns: BTreeMap<u32, VecDeque<(u64, u32)>>,
}

/// Whether one more use may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// The campaign has no quota.
    Free,
    /// Out of the lease of this number.
    Of(u64),
    /// Nothing is left at hand.
    NoneLeft,
}

impl Use {
    /// The lease that it draws on.
    pub fn lease(self) -> Option<u64> {
        match self {
            Self::Of(lease) => Some(lease),
            Self::Free | Self::NoneLeft => None,
        }
    }
}

impl Allotted {
    /// From here on the campaign has a quota, and nothing at hand.
    pub fn limit(&mut self, campaign: u32) {
        self.campaigns.entry(campaign).or_default();
    }

    /// Adds what is left of a lease.
    pub fn add(&mut self, campaign: u32, lease: u64, uses: u32) {
        if uses > 0 {
            self.campaigns.entry(campaign).or_default().push_back((lease, uses));
        }
    }

    /// The next use of a campaign, not yet made. An offer of no campaign is free.
    pub fn next(&self, campaign: Option<u32>) -> Use {
        match campaign.and_then(|campaign| self.campaigns.get(&campaign)) {
            None => Use::Free,
            Some(leases) => leases.front().map_or(Use::NoneLeft, |(lease, _)| Use::Of(*lease)),
        }
    }

    /// Makes that use.
    pub(super) fn make(&mut self, campaign: Option<u32>) {
        let leases = campaign.and_then(|campaign| self.campaigns.get_mut(&campaign));
        if let Some(leases) = leases
            && let Some((_, uses)) = leases.front_mut()
        {
            *uses -= 1;
            if *uses == 0 {
                leases.pop_front();
            }
        }
    }
}
