//! What head office does: approve tills, publish a catalogue, hand out coupons, settle tasks.
//!
//! It works on the store, with or without a server beside it: a running server sees what was published.

mod codes;
mod members;

use super::import::{self, Imported, RowError};
use super::publish::{self, PublishError, ShopDefaults};
use super::store::sqlite::Opener;
use super::store::{Advance, Decision, OrderState, Pairing, PairingState, Quota, Store, StoreError, Task};
use super::streams::{self, Stream};
use super::{Clock, Error};
use crate::bundle::{Campaign, CampaignState, Content, Desk};
use crate::keys::CloudKeys;
use crate::limits::Limits;
use crate::money::{Currency, Money};
use crate::offer::Offer;
use crate::record::ids::{IntentId, TerminalId};
use crate::token::{TokenError, fingerprint};
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;

pub(crate) use codes::draw;
pub use codes::{COUPONS_AT_ONCE, CouponIssue, VoucherIssue};
pub use members::NewMember;

/// What head office can do.
pub struct Admin {
    store: Arc<dyn Store>,
    keys: CloudKeys,
    clock: Clock,
}

/// Why head office was not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Publishing failed.
    #[error("nothing was published")]
    Publish(#[from] PublishError),
    /// The store failed.
    #[error("the cloud's store cannot be used")]
    Store(#[from] StoreError),
    /// The file has mistakes; nothing was imported.
    #[error("{}", import::report(.0))]
    Catalogue(Vec<RowError>),
    /// Nobody asks to be paired so.
    #[error("no till {0} with that fingerprint waits for approval: list the pairings and compare again")]
    NoSuchPairing(TerminalId),
    /// A coupon or a voucher cannot be made.
    #[error("the code cannot be made: {0}")]
    Coupon(#[from] TokenError),
    /// Not what a voucher can be worth.
    #[error("a voucher cannot be worth {0}: type an amount above nothing in the shop's currency")]
    Value(Money),
    /// Too many or none.
    #[error("{0} at once are not between 1 and {COUPONS_AT_ONCE}")]
    Count(usize),
    /// The system's randomness failed, or a serial came twice.
    #[error("no serials could be drawn: try again")]
    NoSerials,
    /// Nobody has this reference.
    #[error(
        "there is no member {0}: the reference has 16 letters and digits, as it was printed when the member was added"
    )]
    NoSuchMember(String),
    /// The account is not empty.
    #[error(
        "the member's account still holds {0}: pay it out or let it be spent first, then forget the member"
    )]
    StillHolds(Money),
    /// Not an amount to load.
    #[error("{0} cannot be loaded: type an amount above nothing in the shop's currency")]
    Amount(Money),
    /// A quota below what tills hold or have spent.
    #[error("{out} uses of campaign {campaign} are spent or in the hands of tills: its quota cannot be less")]
    QuotaSpent {
        /// Which.
        campaign: u32,
        /// How many.
        out: u64,
    },
    /// No campaign of that number.
    #[error("there is no campaign {0}: list them with till cloud campaign list")]
    NoSuchCampaign(u32),
    /// No till of that name.
    #[error("there is no till {0}: list the tills with till cloud pair list")]
    NoSuchTill(TerminalId),
    /// Not an order whose money is to go back.
    #[error("order {0} is not one that a phone paid and its till has not booked: nothing goes back")]
    NoSuchOrder(IntentId),
    /// Nothing to settle.
    #[error("there is no open task {0}")]
    NoSuchTask(i64),
}

impl Admin {
    pub(crate) fn new(store: Arc<dyn Store>, keys: CloudKeys, clock: Clock) -> Self {
        Self { store, keys, clock }
    }

    /// Opens the store of a folder; makes it, with its keys and first bundle, when there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn open(dir: &Path, shop: &ShopDefaults, clock: Clock) -> Result<Self, Error> {
        let (store, keys) = super::open(dir, Opener::Beside, shop, &clock).await?;
        Ok(Self::new(store, keys, clock))
    }

    /// The fingerprint of the root that tills pin.
    pub fn root_fingerprint(&self) -> String {
        fingerprint(&self.keys.root_public())
    }

    /// Keys that ask or asked to be tills, the waiting ones first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn pairings(&self) -> Result<Vec<Pairing>, AdminError> {
        Ok(self.store.pairings().await?)
    }

    /// Decides about the waiting key with this fingerprint.
    ///
    /// # Errors
    /// [`AdminError::NoSuchPairing`] when none waits with it.
    pub async fn decide_pairing(
        &self,
        terminal: &TerminalId,
        device_fingerprint: &str,
        decision: Decision,
    ) -> Result<(), AdminError> {
        let waiting = self.store.pairings_of(terminal.clone()).await?;
        let asked = waiting.into_iter().find(|pairing| {
            pairing.state == PairingState::Pending && fingerprint(&pairing.public_key) == device_fingerprint
        });
        let asked = asked.ok_or_else(|| AdminError::NoSuchPairing(terminal.clone()))?;
        let now_ms = (self.clock)();
        if self.store.decide_pairing(terminal.clone(), asked.public_key, decision, now_ms).await? {
            Ok(())
        } else {
            Err(AdminError::NoSuchPairing(terminal.clone()))
        }
    }

    /// Reads a catalogue from CSV and publishes it, whole or not at all.
    ///
    /// # Errors
    /// [`AdminError::Catalogue`] with every broken row.
    pub async fn import_catalogue(&self, csv: &[u8]) -> Result<Imported, AdminError> {
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        let (items, menu) = import::read(csv, content.currency).map_err(AdminError::Catalogue)?;
        let counts = (items.len(), menu.len());
        let version = self
            .publish(move |content| {
                content.items.clone_from(&items);
                content.menu.clone_from(&menu);
            })
            .await?;
        Ok(Imported { version, items: counts.0, menu_keys: counts.1 })
    }

    /// Publishes the latest bundle with a change. Says which version that is.
    ///
    /// # Errors
    /// [`AdminError::Publish`] when no till would take it; nothing is published then.
    pub async fn publish(&self, change: impl FnMut(&mut Content)) -> Result<u64, AdminError> {
        Ok(publish::edit(self.store.as_ref(), &self.keys, (self.clock)(), change).await?)
    }

    /// The same with a change that may say no to what it finds there.
    ///
    /// # Errors
    /// What the change says, or as [`Admin::publish`]; nothing is published then.
    pub async fn publish_if<E: From<AdminError>>(
        &self,
        change: impl FnMut(&mut Content) -> Result<(), E>,
    ) -> Result<u64, E> {
        let published = publish::edit_if(self.store.as_ref(), &self.keys, (self.clock)(), change);
        published.await.map_err(AdminError::from)?
    }

    /// Adds a desk, or renames it.
    ///
    /// # Errors
    /// As [`Admin::publish`].
    pub async fn add_desk(&self, desk: Desk) -> Result<u64, AdminError> {
        self.publish(move |content| {
            content.desks.retain(|known| known.id != desk.id);
            content.desks.push(desk.clone());
        })
        .await
    }

    /// The shop's name, and its desks by their slugs.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn desks(&self) -> Result<(String, Vec<Desk>), AdminError> {
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        let mut desks = content.desks;
        desks.sort_by(|one, other| in_order(one.id.as_str()).cmp(&in_order(other.id.as_str())));
        Ok((content.shop.name, desks))
    }

    /// Adds an automatic offer, or replaces the one with its slug.
    ///
    /// # Errors
    /// As [`Admin::publish`].
    pub async fn add_offer(&self, offer: Offer) -> Result<u64, AdminError> {
        self.publish(move |content| {
            content.offers.retain(|known| known.id != offer.id);
            content.offers.push(offer.clone());
        })
        .await
    }

    /// The shop's currency, as published.
    ///
    /// # Errors
    /// [`AdminError::Publish`].
    pub async fn currency(&self) -> Result<Currency, AdminError> {
        Ok(publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?.currency)
    }

    /// The shop's time zone, as published.
    ///
    /// # Errors
    /// [`AdminError::Publish`].
    pub async fn zone(&self) -> Result<TimeZone, AdminError> {
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        Ok(TimeZone::get(&content.time_zone).unwrap_or(TimeZone::UTC))
    }

    /// The campaign with this number, if it is published.
    ///
    /// # Errors
    /// [`AdminError::Publish`].
    pub async fn campaign(&self, number: u32) -> Result<Option<Campaign>, AdminError> {
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        Ok(content.campaigns.into_iter().find(|campaign| campaign.number == number))
    }

    /// Adds a campaign, or changes the one with its number: a quota or terms that are not said stay as they are.
    ///
    /// # Errors
    /// As [`Admin::publish`].
    pub async fn put_campaign(&self, campaign: Campaign) -> Result<u64, AdminError> {
        self.publish(move |content| {
            let mut campaign = campaign.clone();
            let at = content.campaigns.iter().position(|known| known.number == campaign.number);
            if let Some(known) = at.map(|at| content.campaigns.remove(at)) {
                campaign.quota = campaign.quota.or(known.quota);
                campaign.terms = campaign.terms.or(known.terms);
            }
            content.campaigns.push(campaign);
        })
        .await
    }

    /// Stops a campaign, and leaves the rest of it as it is.
    ///
    /// # Errors
    /// [`AdminError::NoSuchCampaign`], or as [`Admin::publish`].
    pub async fn stop_campaign(&self, number: u32) -> Result<u64, AdminError> {
        self.publish_if(|content| {
            let found = content.campaigns.iter_mut().find(|campaign| campaign.number == number);
            found.ok_or(AdminError::NoSuchCampaign(number))?.state = CampaignState::Stopped;
            Ok(())
        })
        .await
    }

    /// Sets how often a campaign's offers are given in all shops together, before the campaign says so to tills.
    ///
    /// # Errors
    /// [`AdminError::QuotaSpent`] when more than that is let out already.
    pub async fn set_quota(&self, campaign: u32, total: u64) -> Result<(), AdminError> {
        if self.store.set_quota(campaign, total).await? {
            return Ok(());
        }
        let quotas = self.store.quotas().await?;
        let out = quotas.iter().find(|quota| quota.campaign == campaign);
        let out = out.map_or(0, |quota| quota.spent + quota.leased + quota.lost);
        Err(AdminError::QuotaSpent { campaign, out })
    }

    /// The campaigns, and the quotas of those that have one.
    ///
    /// # Errors
    /// [`AdminError::Publish`] or [`AdminError::Store`].
    pub async fn campaigns(&self) -> Result<Vec<(Campaign, Option<Quota>)>, AdminError> {
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        let quotas = self.store.quotas().await?;
        let of = |number: u32| quotas.iter().find(|quota| quota.campaign == number).copied();
        let with = |campaign: Campaign| {
            let quota = of(campaign.number);
            (campaign, quota)
        };
        Ok(content.campaigns.into_iter().map(with).collect())
    }

    /// Declares a till lost: what it holds of quotas stays spent. Says how many uses that were.
    ///
    /// # Errors
    /// [`AdminError::NoSuchTill`].
    pub async fn write_off(&self, terminal: &TerminalId) -> Result<u64, AdminError> {
        if self.store.terminal(terminal.clone()).await?.is_none() {
            return Err(AdminError::NoSuchTill(terminal.clone()));
        }
        Ok(self.store.write_off(terminal.clone(), (self.clock)()).await?)
    }

    /// The limits that tills keep to while they cannot be reached.
    ///
    /// # Errors
    /// [`AdminError::Publish`].
    pub async fn limits(&self) -> Result<Limits, AdminError> {
        Ok(publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?.limits)
    }

    /// Gives back what a phone paid for an order and never showed to its till, on a manager's word instead of the till's.
    /// Says how much; the server does it.
    ///
    /// # Errors
    /// [`AdminError::NoSuchOrder`] where none is paid, its till has booked it, or it goes back already.
    pub async fn give_back_order(&self, intent: IntentId) -> Result<Money, AdminError> {
        let order = self.store.order(intent).await?.ok_or(AdminError::NoSuchOrder(intent))?;
        let now_ms = (self.clock)();
        let mut step = Advance::new(intent, &[OrderState::Paid], OrderState::PaidLate, now_ms);
        step.words = Some("A manager gave it back.".to_owned());
        step.despite_refused = Some(());
        step.due_ms = Some(now_ms);
        if self.store.advance(step).await? {
            return Ok(order.amount);
        }
        // What its till asked for and never heard of is found out now, under its own number.
        let pending = self.store.pending_refunds(intent).await?;
        let amount = Money::sum(pending.iter().map(|refund| refund.amount), order.amount.currency);
        amount.ok().filter(|amount| amount.is_positive()).ok_or(AdminError::NoSuchOrder(intent))
    }

    /// What needs a manager, newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn tasks(&self) -> Result<Vec<Task>, AdminError> {
        Ok(self.store.tasks().await?)
    }

    /// The streams of all tills.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn streams(&self) -> Result<Vec<Stream>, AdminError> {
        Ok(streams::all(self.store.as_ref()).await?)
    }

    /// Says that a task is dealt with.
    ///
    /// # Errors
    /// [`AdminError::NoSuchTask`].
    pub async fn settle_task(&self, number: i64) -> Result<(), AdminError> {
        if self.store.settle_task(number, (self.clock)()).await? {
            Ok(())
        } else {
            Err(AdminError::NoSuchTask(number))
        }
    }
}

/// A slug so that `table-10` comes after `table-9`: the number at its end counts as one.
fn in_order(slug: &str) -> (&str, u64, &str) {
    let word = slug.trim_end_matches(|character: char| character.is_ascii_digit());
    (word, slug[word.len()..].parse().unwrap_or(0), slug)
}
