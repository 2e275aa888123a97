//! What is at risk while the cloud has not ruled on it, whether the clock is believed, and which leases are held, as
//! screens show it.

use crate::limits::{Limits, Standings};
use crate::money::{Currency, Money};
use crate::record::moment::Doubt;
use serde::Serialize;

/// What is at risk until the cloud has ruled on it, against the limits of the bundle.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Exposure {
    /// How many items.
    pub items: u64,
    /// What they are worth together.
    pub at_risk: Money,
    /// When the oldest of them was taken: Unix milliseconds, so that it is its age before the wall clock's now.
    pub oldest_ms: Option<i64>,
    /// How long the cloud has been silent; none if it was never heard.
    pub silent_ms: Option<u64>,
    /// The limits in force.
    pub limits: Limits,
    /// Where it stands against each; all fine while the cloud is heard.
    pub standing: Standings,
}

/// Whether the till believes its clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ClockView {
    /// Why it does not.
    pub distrusted: Option<Doubt>,
    /// Since when: Unix milliseconds, so that it is that long before the wall clock's now.
    pub since_ms: Option<i64>,
    /// How far the cloud's clock is ahead of this machine's, in milliseconds, when it was last heard.
    pub ahead_ms: Option<i64>,
}

impl Exposure {
    /// Nothing at risk, nothing known of the cloud: until the till has looked.
    pub fn none(currency: Currency) -> Self {
        Self {
            items: 0,
            at_risk: Money::zero(currency),
            oldest_ms: None,
            silent_ms: None,
            limits: Limits::default(),
            standing: Standings::default(),
        }
    }
}

/// What a till holds of a campaign's quota.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeaseView {
    /// The campaign's number.
    pub campaign: u32,
    /// What it is called.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// Uses at hand that no open sale has reserved.
    pub left: u32,
    /// Number of the last lease that was taken in.
    pub last: u64,
    /// Whether more is wanted when little is left.
    pub demand: Demand,
}

/// Whether a till has a use for more of a quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It sells.
    Selling,
    /// It gave back what nobody used, and nobody has begun a basket or shown a coupon since.
    Quiet,
}
