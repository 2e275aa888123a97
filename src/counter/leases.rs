//! Leases of campaigns with a quota: taken in, drawn on by sales, given back when they are over.
//!
//! A use is reserved when a total is fixed with a discount that draws on a lease, and spent with the receipt.
//! **Invariant:** of each lease, what is spent, given back and left make up what was let out; so whatever the
//! cloud counts by this till's records, the chain never gives an offer more often than its quota. When a lease
//! is over is the till's own matter, by its own clock: the cloud takes back what records say, never by time. What
//! nobody uses goes back early, while head office is heard and more can be had when somebody shops again.
//! Not here: asking for leases (`sync`), letting them out (`cloud`).

use super::recorder::{About, Recorder};
use super::{Contact, Context, Refusal, Till};
use crate::bundle::{Bundle, CampaignState};
use crate::offer::{Allotted, Use};
use crate::record::body::Body;
use crate::record::epochs::Standing;
use crate::record::ids::SaleId;
use crate::record::lease::{Lease, LeaseEnd};
use crate::record::{Moment, Record};
use crate::sale::{Fixed, Sale};
use crate::view::{Demand, LeaseView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was not used for so long goes back: another till may have its rush hour. More is had within seconds.
const UNUSED_S: u64 = 3600;

/// What a till holds of the quotas of campaigns.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Leases {
    campaigns: BTreeMap<u32, OfCampaign>,
    /// Whether a shift was closed, and nobody has begun anything since.
    closed: bool,
}

/// The leases of one campaign.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct OfCampaign {
    /// Number of the last lease that was taken in.
    last: u64,
    held: BTreeMap<u64, Held>,
    /// When a use was taken in or made last, Unix seconds by the till.
    used_s: u64,
    /// Whether it was given back unused, and nobody has begun a basket since.
    quiet: bool,
}

/// A lease with something left.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Held {
    left: u32,
    until_s: u64,
}

/// Whether head office is heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Online,
    Offline,
}

/// Something to give back.
struct Over {
    campaign: u32,
    lease: u64,
    uses: u32,
    why: LeaseEnd,
}

impl Leases {
    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    fn apply(&mut self, record: &Record) {
        match &record.body {
            Body::ShiftClosed { .. } => self.closed = true,
            // Somebody begins to work here, or to sell.
            Body::ShiftOpened { .. } | Body::SignedIn {} | Body::LineAdded { .. } => {
                self.closed = false;
                self.campaigns.values_mut().for_each(|of| of.quiet = false);
            }
            _ => {}
        }
        if let Body::LeaseReceived { lease } = &record.body {
            let of = self.campaigns.entry(lease.campaign).or_default();
            (of.used_s, of.quiet) = (record.header.moment.unix_s(), false);
            of.last = of.last.max(lease.number);
            of.held.insert(lease.number, Held { left: lease.uses, until_s: lease.until_s });
        }
        if let Body::LeaseUsed { campaign, lease } = &record.body {
            self.take(*campaign, *lease, 1);
            if let Some(of) = self.campaigns.get_mut(campaign) {
                of.used_s = record.header.moment.unix_s();
            }
        }
        if let Body::LeaseReturned { campaign, lease, uses, why } = &record.body {
            self.take(*campaign, *lease, *uses);
            if let Some(of) = self.campaigns.get_mut(campaign) {
                of.quiet |= *why == LeaseEnd::Unused;
            }
        }
    }

    /// Whether the till has had no use for its part of a campaign's quota.
    fn is_unused(&self, campaign: u32, now_s: u64) -> bool {
        let used_s = self.campaigns.get(&campaign).map_or(0, |of| of.used_s);
        self.closed || now_s.saturating_sub(used_s) >= UNUSED_S
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
        let adopted = self.standing == Standing::Regular;
        if ours && adopted && lease.number > last && lease.uses > 0 {
            out.note(Body::LeaseReceived { lease: lease.clone() });
        }
    }

    /// Whether something has to be given back ([`super::Event::LeasesOver`]).
    pub fn has_leases_over(&self, now: &Moment, bundle: &Bundle, contact: Contact) -> bool {
        let now_s = self.reckoned_at(now, bundle, contact).unix_s();
        self.over(now_s, bundle, self.reach(now, contact)).next().is_some()
    }

    /// Whether more could be had.
    fn reach(&self, now: &Moment, contact: Contact) -> Reach {
        if self.is_offline(now, contact) { Reach::Offline } else { Reach::Online }
    }

    /// Gives back what is left of leases that are over. What open sales have reserved stays with them.
    pub(super) fn give_leases_back(&self, out: &mut Recorder<'_>) {
        let reach = self.reach(&out.cx.moment, out.cx.contact);
        let over: Vec<Over> = self.over(out.reckoned().unix_s(), out.cx.bundle, reach).collect();
        for Over { campaign, lease, uses, why } in over {
            out.note(Body::LeaseReturned { campaign, lease, uses, why });
        }
    }

    fn over<'a>(&'a self, now_s: u64, bundle: &'a Bundle, reach: Reach) -> impl Iterator<Item = Over> + 'a {
        self.free(None).filter_map(move |(campaign, lease, uses, until_s)| {
            let why = if !has_quota(bundle, campaign) {
                LeaseEnd::Stopped
            } else if until_s <= now_s {
                LeaseEnd::Expired
            } else if reach == Reach::Online
                && !self.has_open_basket()
                && self.leases.is_unused(campaign, now_s)
            {
                LeaseEnd::Unused
            } else {
                return None;
            };
            Some(Over { campaign, lease, uses, why })
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

    /// Whether a basket is open that was shown a price and may yet be paid at it.
    fn has_open_basket(&self) -> bool {
        self.sales.values().any(|sale| super::is_open(sale) && sale.fixed.is_none())
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

    /// What is at hand of each running campaign with a quota, for whoever asks the cloud for more. `refused` are the codes
    /// of what stations were told last: a coupon may be shown before anything else.
    pub(super) fn lease_views<'a>(
        &self,
        now_s: u64,
        bundle: &Bundle,
        mut refused: impl Iterator<Item = &'a str>,
    ) -> Vec<LeaseView> {
        let somebody_shops = self.has_open_basket()
            || !self.leases.closed && refused.any(|code| code == Refusal::QuotaSpent.code());
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
                demand: match self.leases.campaigns.get(&number) {
                    Some(of) if of.quiet && !somebody_shops => Demand::Quiet,
                    Some(_) | None => Demand::Selling,
                },
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
