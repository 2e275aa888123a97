//! Coupons for tests of the cloud and of what calls it: handed out, and as a till spends them.

use super::CouponIssue;
use crate::keys::CloudKeys;
use crate::money::{Currency, Money};
use crate::record::body::Body;
use crate::token::{Token, Worth, parse};
use std::path::Path;

/// The campaign that they are of.
pub(crate) const AUTUMN: u32 = 7;

/// So many coupons worth 5.00 each, good from an hour before `now_ms` for a month.
pub(crate) fn autumn(now_ms: i64, count: usize) -> CouponIssue {
    CouponIssue {
        campaign: AUTUMN,
        name: "Autumn".to_owned(),
        name_zh: None,
        minimum: None,
        worth: Worth::AmountOff(Money::new(500, Currency::CNY)),
        from_s: now_ms / 1000 - 3600,
        until_s: now_ms / 1000 + 30 * 86_400,
        count,
    }
}

/// A coupon's serial, read by the keys in a cloud's folder.
pub(crate) fn serial(cloud: &Path, token: &str, now_ms: i64) -> String {
    let Ok(Token::Coupon(coupon)) = parse(token) else { panic!("{token}") };
    let keys = CloudKeys::load_or_create(&cloud.join("keys")).unwrap();
    coupon.verify(&keys.key_set(0, 0, i64::MAX), now_ms / 1000).unwrap().serial().to_string()
}

/// What a till writes down that took one; its serial stands in the header.
pub(crate) fn redeemed(token: &str) -> Body {
    let discount = Money::new(500, Currency::CNY);
    Body::CouponRedeemed { campaign: AUTUMN, discount, token: token.to_owned() }
}
