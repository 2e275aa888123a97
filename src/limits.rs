//! What a till may do while the cloud cannot be reached: set by the bundle, refused in plain words.
//!
//! Only the kinds at risk are limited; cash never is. Nothing is dropped to make room.

use serde::{Deserialize, Serialize};

/// The limits of one bundle, in the shop's currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most that coupons may take off one sale while offline, in minor units.
    pub coupon_offline_minor: i64,
    /// The most that coupons taken offline may be worth together, in minor units.
    pub at_risk_minor: i64,
    /// The longest that coupons are taken without hearing the cloud, in seconds.
    pub silent_s: u64,
    /// The most that is paid by eight digits that a customer reads out, in minor units; nothing switches them off.
    #[serde(default = "typed_proof_minor", skip_serializing_if = "is_usual")]
    pub typed_proof_minor: i64,
    /// Up to this a cashier gives back without a manager's PIN, in minor units; none by default.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refund_by_cashier_minor: i64,
    /// The most that a manager gives back without a receipt, in minor units; none by default.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refund_without_receipt_minor: i64,
}

/// A limit of nothing is not written: tills that do not know it yet go on reading the bundle.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

/// As much as a meal for a few: a guess of eight digits in three tries hits once in thirty million.
fn typed_proof_minor() -> i64 {
    20_000
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_usual(minor: &i64) -> bool {
    *minor == typed_proof_minor()
}

impl Default for Limits {
    /// What the field converged on: 250 to 500 for one payment, 5,000 for a till, 72 hours.
    fn default() -> Self {
        Self {
            coupon_offline_minor: 50_000,
            at_risk_minor: 500_000,
            silent_s: 72 * 3600,
            typed_proof_minor: typed_proof_minor(),
            refund_by_cashier_minor: 0,
            refund_without_receipt_minor: 0,
        }
    }
}
