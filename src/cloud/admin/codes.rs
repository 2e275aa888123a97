//! Codes that head office hands out: coupons of campaigns, and value vouchers.
//!
//! Not here: their layout and signatures (`token`, `keys`), and who spent them (`store`).

use super::{Admin, AdminError};
use crate::bundle::{Campaign, CampaignState};
use crate::cloud::publish::{self, PublishError};
use crate::money::Money;
use crate::token::{Coupon, Validity, Voucher, Worth};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Coupons in one order: what is printed on a sheet or sent in one mailing.
pub const COUPONS_AT_ONCE: usize = 10_000;

/// Coupons to hand out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CouponIssue {
    /// The campaign that owns them; it is added to the bundle when it is new.
    pub campaign: u32,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// The least basket.
    pub minimum: Option<Money>,
    /// What each takes off.
    pub worth: Worth,
    /// First second of use, Unix time.
    pub from_s: i64,
    /// First second after it.
    pub until_s: i64,
    /// How many.
    pub count: usize,
}

/// Value vouchers to hand out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoucherIssue {
    /// What each is worth, in the shop's currency.
    pub value: Money,
    /// First second of use, Unix time.
    pub from_s: i64,
    /// First second after it.
    pub until_s: i64,
    /// How many.
    pub count: usize,
}

impl Admin {
    /// Hands out coupons: their texts, each good once. The campaign is published first where it is new.
    ///
    /// # Errors
    /// [`AdminError`] naming what does not fit; no coupon is good then.
    pub async fn issue_coupons(&self, wanted: &CouponIssue) -> Result<Vec<String>, AdminError> {
        if !(1..=COUPONS_AT_ONCE).contains(&wanted.count) {
            return Err(AdminError::Count(wanted.count));
        }
        let validity = Validity::covering(wanted.from_s, wanted.until_s)?;
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        let mut coupons = Vec::with_capacity(wanted.count);
        for _ in 0..wanted.count {
            coupons.push(Coupon {
                issuer: content.shop.issuer,
                serial: draw().ok_or(AdminError::NoSerials)?,
                campaign: wanted.campaign,
                validity,
                worth: wanted.worth,
            });
        }
        let texts = coupons.iter().map(|coupon| self.keys.issue(coupon)).collect::<Result<Vec<_>, _>>()?;
        if !content.campaigns.iter().any(|campaign| campaign.number == wanted.campaign) {
            let campaign = Campaign {
                number: wanted.campaign,
                name: wanted.name.clone(),
                name_zh: wanted.name_zh.clone(),
                minimum: wanted.minimum,
                terms: None,
                quota: None,
                state: CampaignState::Running,
            };
            self.publish(|content| {
                // One that somebody else has added meanwhile is theirs.
                if !content.campaigns.iter().any(|known| known.number == campaign.number) {
                    content.campaigns.push(campaign.clone());
                }
            })
            .await?;
        }
        let serials = coupons.iter().map(|coupon| coupon.serial().to_string()).collect();
        if self.store.issue(serials, wanted.campaign, (self.clock)()).await? {
            Ok(texts)
        } else {
            Err(AdminError::NoSerials)
        }
    }

    /// Hands out value vouchers: their texts, each good once.
    ///
    /// # Errors
    /// [`AdminError`] naming what does not fit; no voucher is good then.
    pub async fn issue_vouchers(&self, wanted: &VoucherIssue) -> Result<Vec<String>, AdminError> {
        if !(1..=COUPONS_AT_ONCE).contains(&wanted.count) {
            return Err(AdminError::Count(wanted.count));
        }
        let content = publish::latest(self.store.as_ref()).await?.ok_or(PublishError::Nothing)?;
        if !wanted.value.is_positive() || wanted.value.currency != content.currency {
            return Err(AdminError::Value(wanted.value));
        }
        let validity = Validity::covering(wanted.from_s, wanted.until_s)?;
        let mut vouchers = Vec::with_capacity(wanted.count);
        for _ in 0..wanted.count {
            let (issuer, serial) = (content.shop.issuer, draw().ok_or(AdminError::NoSerials)?);
            vouchers.push(Voucher { issuer, serial, validity, value: wanted.value });
        }
        let texts = vouchers.iter().map(|voucher| self.keys.issue(voucher)).collect::<Result<Vec<_>, _>>()?;
        let serials = vouchers.iter().map(|voucher| voucher.serial().to_string()).collect();
        if self.store.issue_vouchers(serials, wanted.value, (self.clock)()).await? {
            Ok(texts)
        } else {
            Err(AdminError::NoSerials)
        }
    }
}

/// Sixty-four random bits.
pub(crate) fn draw() -> Option<u64> {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(u64::from_be_bytes(bytes))
}
