//! What is at risk until the cloud has ruled on it, and the limits that hold while the cloud cannot be reached.
//!
//! An item enters with its record and leaves with the verdict on it; which kinds are at risk is one table
//! (`limits::Means`). A till counts as offline when the cloud has been silent for [`OFFLINE_AFTER_MS`], or
//! when it answers and yet has not received what was taken at risk [`STUCK_AFTER_MS`] ago. Online no limit
//! binds: the cloud is there to say no. **Invariant:** nothing that was taken is ever dropped.

use super::recorder::Recorder;
use super::{Refusal, Till};
use crate::bundle::Bundle;
use crate::limits::{ITEMS_MAX, Limited, Means, Over, Risk, Standing, Standings};
use crate::money::{Currency, Money};
use crate::record::body::Body;
use crate::record::ids::SaleId;
use crate::record::money_moves::{CouponTerms, ProvenBy, Ruling, Verdict};
use crate::record::queue_act::QueueAct;
use crate::record::{Moment, Record};
use crate::sale::{Fixed, Sale};
use crate::view::Exposure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Silence after which a till counts as offline: the longest that the cloud holds a question (25 s) and the
/// longest that an answer takes (15 s), with room for one that is lost.
pub const OFFLINE_AFTER_MS: u64 = 60_000;

/// A cloud that is heard, and has not received what was taken at risk so long ago, is no help: the limits hold.
pub(super) const STUCK_AFTER_MS: u64 = 600_000;

/// The verdict on a record that a manager holds back: it says nothing yet.
const HELD: &str = "held";

/// What the edges know of the way to the cloud, as a fact that a decision may depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    /// How long ago the cloud was last heard, by the monotonic clock; none if never since this start.
    pub silent_ms: Option<u64>,
    /// The last number of the journal that the cloud has durably.
    pub received: u64,
    /// The moment at which the cloud's time was last heard, with the offset that it told; none if never since this
    /// start.
    pub timed: Option<Moment>,
}

/// What is at risk, by the number of its record.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Exposed {
    items: BTreeMap<u64, Item>,
}

/// One thing that the cloud has not ruled on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Item {
    amount: Money,
    at: Moment,
}

impl Till {
    /// Follows what is at risk.
    pub(super) fn apply_exposure(&mut self, record: &Record) {
        if let Body::Noted { verdict } = &record.body {
            self.forget_ruled(verdict);
        }
        if let Body::QueueActed { subject: Some(subject), act: QueueAct::Resolve { .. }, .. } = &record.body
            && subject.epoch == self.epoch
        {
            // A manager has dealt with it: nothing is waited for any more.
            self.exposed.items.remove(&subject.seq);
        }
        let Some(amount) = record.header.amount else { return };
        if taken(&record.body).is_some_and(|means| means.risk() == Risk::UntilRuled) {
            let item = Item { amount, at: record.header.moment };
            self.exposed.items.insert(record.header.seq, item);
        }
    }

    fn forget_ruled(&mut self, verdict: &Verdict) {
        if verdict.code == HELD {
            return;
        }
        match verdict.ruling {
            // Refused is known, too: it is a task then, and no longer a risk.
            Ruling::Accepted | Ruling::Refused if verdict.epoch == self.epoch => {
                self.exposed.items.remove(&verdict.seq);
            }
            Ruling::Accepted | Ruling::Refused => {}
        }
    }

    /// How long the cloud has been silent: as the edges know since this start, or as the records tell.
    fn silent_ms(&self, now: &Moment, contact: Contact) -> Option<u64> {
        let told = self.clock.heard().map(|heard| now.since_ms(&heard));
        told.into_iter().chain(contact.silent_ms).min()
    }

    /// Whether the limits hold; see the head of this file.
    pub(super) fn is_offline(&self, now: &Moment, contact: Contact) -> bool {
        let stuck =
            |(seq, item): (&u64, &Item)| *seq > contact.received && now.since_ms(&item.at) >= STUCK_AFTER_MS;
        self.silent_ms(now, contact).is_none_or(|silent_ms| silent_ms >= OFFLINE_AFTER_MS)
            || self.exposed.items.iter().any(stuck)
    }

    /// What is at risk now, and where that stands against the limits.
    pub fn exposure(&self, bundle: &Bundle, now: &Moment, contact: Contact) -> Exposure {
        let limits = bundle.content.limits;
        let items = self.exposed.items.values();
        let at_risk = items.clone().fold(0_i64, |sum, item| sum.saturating_add(item.amount.minor));
        let oldest_ms = items.map(|item| now.since_ms(&item.at)).max();
        let (count, silent_ms) = (self.count_at_risk(), self.silent_ms(now, contact));
        let value = u64::try_from(at_risk).unwrap_or(0);
        let standing = if self.is_offline(now, contact) {
            Standings {
                value: Standing::of(value, u64::try_from(limits.at_risk_minor).unwrap_or(0)),
                items: Standing::of(count, limits.items_max.min(ITEMS_MAX)),
                oldest: oldest_ms.map_or(Standing::Fine, |old_ms| Standing::of(old_ms, ms(limits.oldest_s))),
                silence: silent_ms
                    .map_or(Standing::Reached, |silent_ms| Standing::of(silent_ms, ms(limits.silent_s))),
            }
        } else {
            Standings::default()
        };
        let at = |old_ms: u64| now.wall_ms.saturating_sub(i64::try_from(old_ms).unwrap_or(i64::MAX));
        Exposure {
            items: count,
            at_risk: Money::new(at_risk, self.currency),
            oldest_ms: oldest_ms.map(at),
            silent_ms,
            limits,
            standing,
        }
    }

    fn count_at_risk(&self) -> u64 {
        u64::try_from(self.exposed.items.len()).unwrap_or(u64::MAX)
    }

    /// Refuses something at risk that a limit keeps out. `worth` is what it may be worth at most, none where
    /// that shows only when the total is fixed; `sale` is the one it is for.
    pub(super) fn refuse_at_limit(
        &self,
        means: Means,
        worth: Option<Money>,
        sale: Option<SaleId>,
        out: &Recorder<'_>,
    ) -> Result<(), Refusal> {
        let in_hand = self.in_hand(sale)?;
        let of_sale = sale
            .and_then(|sale| self.sales.get(&sale))
            .map(|sale| held_by(sale, self.currency))
            .transpose()?;
        let (count, value) = of_sale.unwrap_or((0, Money::zero(self.currency)));
        let value = in_hand.1.plus(value)?;
        self.hold_to_limits(means, worth, (in_hand.0.saturating_add(count), value), out)
    }

    /// Refuses to fix a total with coupons on it that a limit keeps out by what they really take off.
    pub(super) fn refuse_coupons_at_limit(
        &self,
        sale: &Sale,
        fixed: &Fixed,
        out: &Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (mut count, mut value) = self.in_hand(Some(sale.id))?;
        for discount in fixed.discounts.iter().filter(|discount| discount.serial.is_some()) {
            self.refuse_without_time(out)?;
            self.hold_to_limits(Means::Coupon, Some(discount.amount), (count, value), out)?;
            (count, value) = (count.saturating_add(1), value.plus(discount.amount)?);
        }
        Ok(())
    }

    /// Coupons and vouchers on open sales but one: they will be at risk once those are paid.
    fn in_hand(&self, but: Option<SaleId>) -> Result<(u64, Money), Refusal> {
        let others = self.sales.values().filter(|sale| super::is_open(sale) && Some(sale.id) != but);
        let mut sum = (0_u64, Money::zero(self.currency));
        for sale in others {
            let (count, value) = held_by(sale, self.currency)?;
            sum = (sum.0.saturating_add(count), sum.1.plus(value)?);
        }
        Ok(sum)
    }

    fn hold_to_limits(
        &self,
        means: Means,
        worth: Option<Money>,
        in_hand: (u64, Money),
        out: &Recorder<'_>,
    ) -> Result<(), Refusal> {
        let (now, contact) = (&out.cx.moment, out.cx.contact);
        let limits = out.cx.bundle.content.limits;
        let Some(each) = limits.each_of(means) else { return Ok(()) };
        if !self.is_offline(now, contact) {
            return Ok(());
        }
        let money = |minor: i64| Money::new(minor, self.currency);
        let exposure = self.exposure(out.cx.bundle, now, contact);
        let value = exposure.at_risk.plus(in_hand.1)?.plus(worth.unwrap_or(money(0)))?;
        let most_items = limits.items_max.min(ITEMS_MAX);
        let over = if exposure.standing.silence == Standing::Reached {
            Some(Over::Silence(limits.silent_s))
        } else if exposure.standing.oldest == Standing::Reached {
            Some(Over::Oldest(limits.oldest_s))
        } else if exposure.items.saturating_add(in_hand.0) >= most_items {
            Some(Over::Items(most_items))
        } else if worth.is_some_and(|worth| worth.minor > each) {
            Some(Over::Each(money(each)))
        } else if value.minor > limits.at_risk_minor {
            Some(Over::Value(money(limits.at_risk_minor)))
        } else {
            None
        };
        over.map_or(Ok(()), |over| Err(Refusal::Limit(Limited { means, over })))
    }
}

/// What a record takes, if it takes anything.
#[allow(clippy::wildcard_enum_match_arm)] // few kinds take something
fn taken(body: &Body) -> Option<Means> {
    match body {
        Body::CashTaken { .. } => Some(Means::Cash),
        Body::Approved { settled, .. } => Some(match settled.proven_by {
            ProvenBy::Notice => Means::Wallet,
            ProvenBy::PaidProof => Means::PaidProof,
            ProvenBy::TypedProof => Means::TypedProof,
        }),
        Body::VoucherRedeemed { .. } => Some(Means::Voucher),
        Body::CouponRedeemed { .. } => Some(Means::Coupon),
        Body::MemberRecognised { .. } => Some(Means::MemberCode),
        _ => None,
    }
}

/// The coupons and vouchers of an open sale and what they are worth: as fixed, or what they say.
fn held_by(sale: &Sale, currency: Currency) -> Result<(u64, Money), Refusal> {
    let says = |terms: &CouponTerms| match terms {
        CouponTerms::AmountOff(amount) => *amount,
        CouponTerms::BasisPointsOff(_) => Money::zero(currency),
    };
    let mut amounts: Vec<Money> = match &sale.fixed {
        Some(fixed) => {
            let coupons = fixed.discounts.iter().filter(|discount| discount.serial.is_some());
            coupons.map(|discount| discount.amount).collect()
        }
        None => sale.coupons.iter().map(|coupon| says(&coupon.terms)).collect(),
    };
    amounts.extend(sale.vouchers.iter().map(|voucher| voucher.amount));
    let count = u64::try_from(amounts.len()).unwrap_or(u64::MAX);
    Ok((count, Money::sum(amounts, currency)?))
}

fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}
