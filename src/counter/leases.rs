//! Leases of campaigns with a quota: taken in, drawn on by sales, given back when they are over.
//!
//! A use is reserved when a total is fixed with a discount that draws on a lease, and spent with the receipt.
//! **Invariant:** of each lease, what is spent, given back and left make up what was let out; so whatever the
//! cloud counts by this till's records, the chain never gives an offer more often than its quota. When a lease
//! is over is the till's own matter, by its own clock: the cloud takes back what records say, never by time.
//! Not here: asking for leases (`sync`), letting them out (`cloud`).

use super::recorder::{About, Recorder};
use super::{Context, Refusal, Till};
use crate::bundle::{Bundle, CampaignState};
use crate::offer::{Allotted, Use};
use crate::record::Record;
use crate::record::body::Body;
use crate::record::ids::SaleId;
use crate::record::lease::{Lease, LeaseEnd};
use crate::sale::{Fixed, Sale};
use crate::view::LeaseView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a till holds of the quotas of campaigns.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Leases {
    campaigns: BTreeMap<u32, OfCampaign>,
}

/// The leases of one campaign.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct OfCampaign {
    /// Number of the last lease that was taken in.
    last: u64,
    held: BTreeMap<u64, Held>,
}

/// A lease with something left.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Held {
    left: u32,
    until_s: u64,
}

/// Something to give back.
struct Over {
    campaign: u32,
    lease: u64,
    uses: u32,
    why: LeaseEnd,
}

impl Leases {
    fn apply(&mut self, record: &Record) {
        if let Body::LeaseReceived { lease } = &record.body {
            let of = self.campaigns.entry(lease.campaign).or_default();
            of.last = of.last.max(lease.number);
            of.held.insert(lease.number, Held { left: lease.uses, until_s: lease.until_s });
        }
        if let Body::LeaseUsed { campaign, lease } = &record.body {
            self.take(*campaign, *lease, 1);
        }
        if let Body::LeaseReturned { campaign, lease, uses, .. } = &record.body {
            self.take(*campaign, *lease, *uses);
        }
    }

    fn take(&mut self, campaign: u32, lease: u64, uses: u32) {
        let Some(of) = self.campaigns.get_mut(&campaign) else { return };
        if let Some(held) = of.held.get_mut(&lease) {
            held.left = held.left.saturating_sub(uses);
            if held.left == 0 {
                of.held.remove(&lease);
            }
        }
    }
}

impl Till {
    /// Follows leases.
    pub(super) fn apply_leases(&mut self, record: &Record) {
        self.leases.apply(record);
    }

    /// Takes in a lease that the cloud let out. One that came before, or is another life's, changes nothing.
    pub(super) fn take_lease(&self, lease: &Lease, out: &mut Recorder<'_>) {
        let last = self.leases.campaigns.get(&lease.campaign).map_or(0, |of| of.last);
        let ours = lease.terminal == self.terminal && lease.epoch == self.epoch;
        if ours && lease.number > last && lease.uses > 0 {
            out.note(Body::LeaseReceived { lease: lease.clone() });
        }
    }

    /// Whether something has to be given back ([`super::Event::LeasesOver`]).
    pub fn has_leases_over(&self, now_s: u64, bundle: &Bundle) -> bool {
        self.over(now_s, bundle).next().is_some()
    }

    /// Gives back what is left of leases that are over. What open sales have reserved stays with them.
    pub(super) fn give_leases_back(&self, out: &mut Recorder<'_>) {
        let over: Vec<Over> = self.over(out.reckoned().unix_s(), out.cx.bundle).collect();
        for Over { campaign, lease, uses, why } in over {
            out.note(Body::LeaseReturned { campaign, lease, uses, why });
        }
    }

    fn over<'a>(&'a self, now_s: u64, bundle: &'a Bundle) -> impl Iterator<Item = Over> + 'a {
        self.free(None).filter_map(move |(campaign, lease, uses, until_s)| {
            let running = has_quota(bundle, campaign);
            let why = if running { LeaseEnd::Expired } else { LeaseEnd::Stopped };
            (!running || until_s <= now_s).then_some(Over { campaign, lease, uses, why })
        })
    }

    /// What is left of each lease and reserved by no open sale but `but`: campaign, lease, uses, end.
    fn free(&self, but: Option<SaleId>) -> impl Iterator<Item = (u32, u64, u32, u64)> + '_ {
        let reserved = self.reserved(but);
        let held = self.leases.campaigns.iter().flat_map(|(campaign, of)| of_campaign(*campaign, of));
        held.filter_map(move |(campaign, lease, held)| {
            let reserved = reserved.get(&(campaign, lease)).copied().unwrap_or(0);
            let uses = held.left.saturating_sub(reserved);
            (uses > 0).then_some((campaign, lease, uses, held.until_s))
        })
    }

    fn reserved(&self, but: Option<SaleId>) -> BTreeMap<(u32, u64), u32> {
        let mut reserved = BTreeMap::new();
        let open = self.sales.values().filter(|sale| super::is_open(sale) && Some(sale.id) != but);
        for discount in open.filter_map(|sale| sale.fixed.as_ref()).flat_map(|fixed| &fixed.discounts) {
            if let (Some(campaign), Some(lease)) = (discount.campaign, discount.lease) {
                *reserved.entry((campaign, lease)).or_insert(0_u32) += 1;
            }
        }
        reserved
    }

    /// What a sale may draw on.
    pub(super) fn allotted(&self, now_s: u64, bundle: &Bundle, sale: Option<SaleId>) -> Allotted {
        let mut allotted = bundle.quotas();
        for (campaign, lease, uses, until_s) in self.free(sale) {
            if until_s > now_s && has_quota(bundle, campaign) {
                allotted.add(campaign, lease, uses);
            }
        }
        allotted
    }

    /// Refuses a coupon of a campaign with a quota when the till has no use of it left.
    pub(super) fn refuse_without_lease(
        &self,
        campaign: u32,
        sale: Option<&Sale>,
        cx: &Context<'_>,
    ) -> Result<(), Refusal> {
        let now_s = self.reckoned(cx).unix_s();
        match self.allotted(now_s, cx.bundle, sale.map(|sale| sale.id)).next(Some(campaign)) {
            Use::Free | Use::Of(_) => Ok(()),
            Use::NoneLeft => Err(Refusal::QuotaSpent),
        }
    }

    /// Spends what a sale that is paid has reserved.
    pub(super) fn spend_leases(sale: SaleId, fixed: &Fixed, out: &mut Recorder<'_>) {
        for discount in &fixed.discounts {
            if let (Some(campaign), Some(lease)) = (discount.campaign, discount.lease) {
                let about = About::sale(sale).amount(discount.amount);
                out.push(Body::LeaseUsed { campaign, lease }, about);
            }
        }
    }

    /// What is at hand of each running campaign with a quota, for whoever asks the cloud for more.
    pub(super) fn lease_views(&self, now_s: u64, bundle: &Bundle) -> Vec<LeaseView> {
        let with_quota =
            bundle.content.campaigns.iter().filter(|campaign| has_quota(bundle, campaign.number));
        let view = |campaign: &crate::bundle::Campaign| {
            let number = campaign.number;
            let live = self.free(None).filter(|(of, _, _, until_s)| *of == number && *until_s > now_s);
            LeaseView {
                campaign: number,
                name: campaign.name.clone(),
                name_zh: campaign.name_zh.clone(),
                left: live.fold(0, |sum: u32, (_, _, uses, _)| sum.saturating_add(uses)),
                last: self.leases.campaigns.get(&number).map_or(0, |of| of.last),
            }
        };
        with_quota.map(view).collect()
    }
}

fn of_campaign(campaign: u32, of: &OfCampaign) -> impl Iterator<Item = (u32, u64, &Held)> {
    of.held.iter().map(move |(lease, held)| (campaign, *lease, held))
}

fn has_quota(bundle: &Bundle, campaign: u32) -> bool {
    let known = bundle.campaign(campaign);
    known.is_some_and(|known| known.quota.is_some() && known.state == CampaignState::Running)
}
