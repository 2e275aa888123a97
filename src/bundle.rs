//! The bundle: prices, menu, offers, keys and limits, signed by the cloud, one version at a time.
//!
//! Its exact bytes are signed and hashed; a sale records the version and the hash it was computed with.
//! Versions never fall. Not here: fetching it (`sync`) and publishing it (`cloud`).

use crate::catalogue::{Catalogue, CatalogueError, Item, MenuKey};
use crate::limits::Limits;
use crate::money::Currency;
use crate::offer::{Allotted, OFFERS_MAX, Offer};
use crate::record::Hash;
use crate::record::ids::DeskId;
use crate::record::money_moves::CouponTerms;
use crate::scan::label::{LabelProfile, PROFILES_MAX};
use jiff::tz::TimeZone;
use ring::digest;
use serde::{Deserialize, Serialize};

/// The largest bundle in bytes: 200,000 items at some 150 bytes.
pub const BUNDLE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What stands at the head of a receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The shop's name.
    pub name: String,
    /// Its address, a line each.
    #[serde(default)]
    pub address: Vec<String>,
    /// What the receipt ends with.
    #[serde(default)]
    pub thanks: String,
    /// The number of the chain or shop that issues our codes.
    pub issuer: u16,
}

/// A campaign whose coupons the tills take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its number, as in the coupon.
    pub number: u32,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<String>,
    /// The least basket for its coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<crate::money::Money>,
    /// What its coupons take off, where they do not say so themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<CouponTerms>,
    /// How often its offers and coupons are given in all shops together, where that is limited: tills then give
    /// them against leases only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Whether tills still take its coupons and give its offers.
    pub state: CampaignState,
}

/// Whether a campaign's coupons are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// They are.
    Running,
    /// It ended early; its coupons are refused.
    Stopped,
}

/// A desk with a code that customers scan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Its slug, as in the code's address.
    pub id: DeskId,
    /// What people call it: `Table 4`.
    pub name: String,
}

/// What the cloud signs, as JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Version, from 1; zero is the till's own empty bundle.
    pub version: u64,
    /// When it was made, Unix seconds.
    pub issued_at_s: u64,
    /// The shop.
    pub shop: Shop,
    /// Its currency.
    pub currency: Currency,
    /// Its time zone, an IANA name.
    pub time_zone: String,
    /// Minutes after midnight at which its day is cut.
    pub day_cut_minutes: u16,
    /// What it sells.
    pub items: Vec<Item>,
    /// Keys on the cashier's screen.
    pub menu: Vec<MenuKey>,
    /// Automatic offers.
    pub offers: Vec<Offer>,
    /// Coupon campaigns.
    pub campaigns: Vec<Campaign>,
    /// Desks.
    pub desks: Vec<Desk>,
    /// The key set, signed by the root: [`crate::token::SignedKeySet`] as JSON.
    pub keys: serde_json::Value,
    /// Serials that must not be taken any more.
    #[serde(default)]
    pub revoked_serials: Vec<String>,
    /// What a till may do without the cloud.
    pub limits: Limits,
    /// Forms of labels that its counter scales print, in the order in which they are tried; none said means
    /// [`LabelProfile::usual`], an empty list no labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<LabelProfile>>,
}

/// A bundle in force: its content, checked and indexed.
#[derive(Clone, PartialEq, Debug)]
pub struct Bundle {
    /// What the cloud signed.
    pub content: Content,
    /// SHA-256 over the domain tag and the exact bytes.
    pub hash: Hash,
    /// Items and menu, indexed.
    pub catalogue: Catalogue,
    /// The shop's zone.
    pub zone: TimeZone,
    /// Forms of labels, in order.
    pub labels: Vec<LabelProfile>,
}

/// Why bytes are not a bundle that a till takes.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not the JSON it should be.
    #[error("the bundle cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Too large.
    #[error("the bundle has {0} bytes, more than the {BUNDLE_BYTES_MAX} that a till takes")]
    TooLarge(usize),
    /// Its catalogue contradicts itself.
    #[error("the bundle's catalogue is wrong: {0}")]
    Catalogue(#[from] CatalogueError),
    /// Its zone is not one.
    #[error("the bundle's time zone {0:?} is unknown: use an IANA name such as Asia/Shanghai")]
    TimeZone(String),
    /// Something in it cannot be.
    #[error("the bundle is wrong: {0}")]
    Contradiction(String),
}

impl Bundle {
    /// Reads and checks the exact bytes of a bundle. Whoever calls has verified their signature.
    ///
    /// # Errors
    /// [`BundleError`] with the first thing that is wrong; nothing of it is then in force.
    pub fn open(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        let content: Content = serde_json::from_slice(bytes)?;
        let zone = TimeZone::get(&content.time_zone)
            .map_err(|_| BundleError::TimeZone(content.time_zone.clone()))?;
        let catalogue = Catalogue::new(content.items.clone(), content.menu.clone())?;
        check(&content)?;
        let labels = content.labels.clone().unwrap_or_else(LabelProfile::usual);
        Ok(Self { hash: content_hash(bytes), catalogue, zone, labels, content })
    }

    /// The till's own bundle before it has heard of any cloud: nothing to sell, nothing to take off.
    pub fn empty(currency: Currency, zone: TimeZone, time_zone: &str, day_cut_minutes: u16) -> Self {
        let content = Content {
            version: 0,
            issued_at_s: 0,
            shop: Shop { name: String::new(), address: vec![], thanks: String::new(), issuer: 0 },
            currency,
            time_zone: time_zone.to_owned(),
            day_cut_minutes,
            items: vec![],
            menu: vec![],
            offers: vec![],
            campaigns: vec![],
            desks: vec![],
            keys: serde_json::Value::Null,
            revoked_serials: vec![],
            limits: Limits::default(),
            labels: None,
        };
        let labels = LabelProfile::usual();
        Self { content, hash: Hash::NONE, catalogue: Catalogue::default(), zone, labels }
    }

    /// The campaign with this number.
    pub fn campaign(&self, number: u32) -> Option<&Campaign> {
        self.content.campaigns.iter().find(|campaign| campaign.number == number)
    }

    /// The campaigns with a quota, and nothing at hand of any: what whoever holds no leases may give.
    pub fn quotas(&self) -> Allotted {
        let mut allotted = Allotted::default();
        for campaign in self.content.campaigns.iter().filter(|campaign| campaign.quota.is_some()) {
            allotted.limit(campaign.number);
        }
        allotted
    }

    /// Whether an offer may be given: its campaign, if it has one, runs.
    pub fn gives(&self, offer: &Offer) -> bool {
        let campaign = offer.campaign.map(|number| self.campaign(number));
        campaign.is_none_or(|known| known.is_some_and(|known| known.state == CampaignState::Running))
    }

    /// The desk with this slug.
    pub fn desk(&self, id: &DeskId) -> Option<&Desk> {
        self.content.desks.iter().find(|desk| desk.id == *id)
    }
}

/// SHA-256 over a domain tag and a bundle's exact bytes.
pub fn content_hash(bytes: &[u8]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"till/bundle/1\n");
    context.update(bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Hash(hash)
}

fn check(content: &Content) -> Result<(), BundleError> {
    let wrong = |what: String| Err(BundleError::Contradiction(what));
    if content.offers.len() > OFFERS_MAX {
        return wrong(format!("{} offers are more than {OFFERS_MAX}", content.offers.len()));
    }
    if let Err(clause) = content.limits.check() {
        return wrong(clause);
    }
    if content.day_cut_minutes >= 24 * 60 {
        return wrong(format!("the day cannot be cut at minute {}", content.day_cut_minutes));
    }
    let labels = content.labels.iter().flatten();
    if let Some(error) = labels.clone().find_map(|profile| profile.check().err()) {
        return wrong(error.to_string());
    }
    if labels.count() > PROFILES_MAX {
        return wrong(format!("there are more than {PROFILES_MAX} label profiles"));
    }
    for item in &content.items {
        let prices = item.price.iter().chain(item.modifiers.iter().map(|modifier| &modifier.price));
        for price in prices {
            if price.currency != content.currency {
                return wrong(format!("the item {:?} is priced in {}", item.sku, price.currency.code()));
            }
        }
        if item.price.is_some_and(|price| price.is_negative()) {
            return wrong(format!("the item {:?} has a negative price", item.sku));
        }
        if !(0..=crate::tax::RATE_PPM_MAX).contains(&item.tax.rate_ppm) {
            return wrong(format!("the item {:?} is taxed at {}", item.sku, item.tax.percent()));
        }
    }
    for offer in &content.offers {
        let crate::offer::Rule::SpendSave { spend, save } = &offer.rule;
        if spend.currency != content.currency || save.currency != content.currency {
            return wrong(format!("the offer {:?} is in another currency", offer.id));
        }
        let known = |number| content.campaigns.iter().any(|campaign| campaign.number == number);
        if offer.campaign.is_some_and(|number| !known(number)) {
            return wrong(format!("the offer {:?} is of a campaign that is not there", offer.id));
        }
        if !save.is_positive() || spend.is_negative() {
            return wrong(format!("the offer {:?} saves nothing", offer.id));
        }
    }
    Ok(())
}
