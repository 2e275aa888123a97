//! What a phone is told after it did something: a slug in the address, words on the page.

use super::words::Words;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Stale,
    OtherPhone,
    TillSilent,
    NoWallet,
    Ended,
    GoesBack,
    CouponUnreadable,
    CouponUsed,
    CouponTaken,
    CouponWaiting,
}

impl Said {
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::OtherPhone => "other_phone",
            Self::TillSilent => "till_silent",
            Self::NoWallet => "no_wallet",
            Self::Ended => "ended",
            Self::GoesBack => "goes_back",
            Self::CouponUnreadable => "coupon_unreadable",
            Self::CouponUsed => "coupon_used",
            Self::CouponTaken => "coupon_taken",
            Self::CouponWaiting => "coupon_waiting",
        }
    }

    pub(super) fn words(self, words: &Words) -> &'static str {
        match self {
            Self::Stale => words.stale,
            Self::OtherPhone => words.other_phone,
            Self::TillSilent => words.counter,
            Self::NoWallet => words.no_wallet_here,
            Self::Ended => words.not_paid,
            Self::GoesBack => words.goes_back,
            Self::CouponUnreadable => words.coupon_unreadable,
            Self::CouponUsed => words.coupon_used,
            Self::CouponTaken => words.coupon_taken,
            Self::CouponWaiting => words.coupon_waiting,
        }
    }
}
