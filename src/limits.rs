//! What a till may do while the cloud cannot be reached: set by the bundle, refused in plain words.
//!
//! Only the kinds at risk are limited; cash never is. Nothing is dropped to make room. Not here: what is at
//! risk right now and when a till counts as offline (`counter`).

mod over;
mod risk;

pub use over::{Limited, Over};
pub use risk::{Means, Risk};

use serde::{Deserialize, Serialize};

/// Items at risk that a till keeps in mind at most, whatever the bundle says: each is in its memory.
pub const ITEMS_MAX: u64 = 10_000;

/// The longest that the bundle may let a till take coupons alone, and the longest that one may wait, in seconds.
/// Longer than a coupon's campaign, and still a time that clocks and people can speak of.
pub const ALONE_S_MAX: u64 = 90 * 24 * 3600;

/// What one till may have at risk: more is no limit, and sums of it still fit.
const MINOR_MAX: i64 = crate::money::AMOUNT_MINOR_MAX;

/// Unconfirmed items that a till takes when nothing else is said: what the field allows (Moneris Go: 500).
const ITEMS: u64 = 500;

/// How old the oldest may be when nothing else is said: what the field calls the hard stop (72 hours).
const OLDEST_S: u64 = 72 * 3600;

/// What one typed proof may be worth when nothing else is said: eight digits are weaker than a signature.
const TYPED_PROOF_MINOR: i64 = 20_000;

/// The limits of one bundle, in the shop's currency. A limit of nothing takes nothing while offline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most that one coupon or voucher may be worth while offline, in minor units.
    #[serde(rename = "coupon_offline_minor")]
    pub each_minor: i64,
    /// The most that everything at risk may be worth together, in minor units.
    pub at_risk_minor: i64,
    /// The longest that anything at risk is taken without hearing the cloud, in seconds.
    pub silent_s: u64,
    /// The most that one typed proof may be worth while offline, in minor units; never more than `each_minor`.
    #[serde(default = "typed_proof", skip_serializing_if = "is_usual_typed_proof")]
    pub typed_proof_minor: i64,
    /// How many items at risk may wait for the cloud's word.
    #[serde(default = "items", skip_serializing_if = "is_usual_items")]
    pub items_max: u64,
    /// How old the oldest of them may be, in seconds.
    #[serde(default = "oldest", skip_serializing_if = "is_usual_oldest")]
    pub oldest_s: u64,
    /// Up to this a cashier gives back without a manager's PIN, in minor units; none by default.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refund_by_cashier_minor: i64,
    /// The most that a manager gives back without a receipt, in minor units; none by default.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refund_without_receipt_minor: i64,
}

impl Limits {
    /// Whether a till can keep to these.
    ///
    /// # Errors
    /// A clause that names the limit and its range.
    pub fn check(&self) -> Result<(), String> {
        let amounts = [
            ("one coupon or voucher", self.each_minor),
            ("everything at risk", self.at_risk_minor),
            ("one typed proof", self.typed_proof_minor),
            ("a cashier's refund", self.refund_by_cashier_minor),
            ("a refund without a receipt", self.refund_without_receipt_minor),
        ];
        for (what, minor) in amounts {
            if !(0..=MINOR_MAX).contains(&minor) {
                return Err(format!("the limit for {what} is from nothing to {MINOR_MAX} minor units"));
            }
        }
        if self.items_max > ITEMS_MAX {
            return Err(format!("no more than {ITEMS_MAX} items may wait for the cloud's word"));
        }
        for (what, seconds) in
            [("without contact", self.silent_s), ("that the oldest may wait", self.oldest_s)]
        {
            if seconds > ALONE_S_MAX {
                return Err(format!("the time {what} is at most {} days", ALONE_S_MAX / 86_400));
            }
        }
        Ok(())
    }

    /// What one of these may be worth while offline, in minor units; none where nothing is at risk.
    pub fn each_of(&self, means: Means) -> Option<i64> {
        match means.risk() {
            Risk::Never => None,
            Risk::UntilRuled if means == Means::TypedProof => {
                Some(self.typed_proof_minor.min(self.each_minor))
            }
            Risk::UntilRuled => Some(self.each_minor),
        }
    }
}

/// Where a till stands against one limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Well below.
    #[default]
    Fine,
    /// At four fifths of it or more: people are warned.
    Near,
    /// At the limit: what is at risk is refused.
    Reached,
}

impl Standing {
    /// Where `have` stands against `most`.
    pub fn of(have: u64, most: u64) -> Self {
        let four_fifths = u128::from(have) * 5 >= u128::from(most) * 4;
        match (have >= most, four_fifths) {
            (true, _) => Self::Reached,
            (false, true) => Self::Near,
            (false, false) => Self::Fine,
        }
    }
}

/// Where a till stands against each limit that fills up. All are fine while the cloud is heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Standings {
    /// Value at risk.
    pub value: Standing,
    /// How many.
    pub items: Standing,
    /// Age of the oldest.
    pub oldest: Standing,
    /// Time without contact.
    pub silence: Standing,
}

impl Standings {
    /// The gravest of them.
    pub fn gravest(&self) -> Standing {
        self.value.max(self.items).max(self.oldest).max(self.silence)
    }
}

/// What is at its usual value is not written: tills that do not know the limit yet go on reading the bundle.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_usual_typed_proof(minor: &i64) -> bool {
    *minor == TYPED_PROOF_MINOR
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_usual_items(count: &u64) -> bool {
    *count == ITEMS
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_usual_oldest(seconds: &u64) -> bool {
    *seconds == OLDEST_S
}

fn typed_proof() -> i64 {
    TYPED_PROOF_MINOR
}

fn items() -> u64 {
    ITEMS
}

fn oldest() -> u64 {
    OLDEST_S
}

impl Default for Limits {
    /// What the field converged on: 250 to 500 for one payment, 5,000 and 500 records for a till, 72 hours.
    fn default() -> Self {
        Self {
            each_minor: 50_000,
            at_risk_minor: 500_000,
            silent_s: 72 * 3600,
            typed_proof_minor: TYPED_PROOF_MINOR,
            items_max: ITEMS,
            oldest_s: OLDEST_S,
            refund_by_cashier_minor: 0,
            refund_without_receipt_minor: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_from_before_these_limits_is_read_and_the_usual_ones_are_not_written() {
        let old = r#"{"coupon_offline_minor":50000,"at_risk_minor":500000,"silent_s":259200}"#;
        let limits: Limits = serde_json::from_str(old).unwrap();
        assert_eq!(limits, Limits::default());
        assert_eq!(serde_json::to_string(&limits).unwrap(), old);
        let others = Limits { items_max: 3, oldest_s: 60, typed_proof_minor: 1, ..limits };
        let written = serde_json::to_string(&others).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&written).unwrap(), others);
    }

    #[test]
    fn people_are_warned_at_four_fifths_and_refused_at_the_whole() {
        for (have, most, standing) in [
            (0, 5, Standing::Fine),
            (3, 5, Standing::Fine),
            (4, 5, Standing::Near),
            (5, 5, Standing::Reached),
            (6, 5, Standing::Reached),
            (0, 0, Standing::Reached),
            (u64::MAX - 1, u64::MAX, Standing::Near),
        ] {
            assert_eq!(Standing::of(have, most), standing, "{have} of {most}");
        }
    }

    #[test]
    fn limits_that_no_till_can_keep_to_are_named() {
        let good = Limits::default();
        good.check().unwrap();
        for (wrong, words) in [
            (Limits { each_minor: -1, ..good }, "one coupon"),
            (Limits { at_risk_minor: i64::MAX, ..good }, "everything at risk"),
            (Limits { typed_proof_minor: -5, ..good }, "typed proof"),
            (Limits { items_max: ITEMS_MAX + 1, ..good }, "items"),
            (Limits { silent_s: ALONE_S_MAX + 1, ..good }, "without contact"),
            (Limits { oldest_s: u64::MAX, ..good }, "oldest"),
        ] {
            let said = wrong.check().unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
