//! A limit that is reached, in a sentence that says what to do.

use super::Means;
use crate::money::Money;
use std::fmt;

/// Something at risk that a limit keeps out while the cloud cannot be reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limited {
    /// What was offered.
    pub means: Means,
    /// Which limit.
    pub over: Over,
}

/// The limit that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// One of these may be worth at most this while offline.
    Each(Money),
    /// With it, more than this would wait for the cloud's word.
    Value(Money),
    /// So many wait already.
    Items(u64),
    /// The oldest has waited so many seconds or more.
    Oldest(u64),
    /// The cloud has not been heard for so many seconds or more.
    Silence(u64),
}

impl Limited {
    /// A stable word for pages and tests.
    pub fn code(&self) -> &'static str {
        match self.over {
            Over::Each(_) => "limit_each",
            Over::Value(_) => "limit_value",
            Over::Items(_) => "limit_items",
            Over::Oldest(_) => "limit_oldest",
            Over::Silence(_) => "limit_silence",
        }
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.means.word();
        match self.over {
            Over::Each(most) => {
                write!(
                    f,
                    "Head office cannot be reached, and until then one {what} counts for {most} at most."
                )
            }
            Over::Value(most) => {
                write!(f, "Head office cannot be reached, and no more than {most} may wait for its word.")
            }
            Over::Items(most) => {
                write!(
                    f,
                    "Head office cannot be reached, and {most} coupons and codes wait for its word already."
                )
            }
            Over::Oldest(most_s) => {
                write!(f, "A coupon or code has waited {} for the word of head office.", span(most_s))
            }
            Over::Silence(most_s) => write!(f, "Head office has not been reached for {}.", span(most_s)),
        }?;
        if self.means == Means::TypedProof {
            // The customer has paid: other money would be paid twice.
            return f.write_str(
                " Scan the square code on the phone instead; the digits can be taken again once head office is reached.",
            );
        }
        write!(
            f,
            " Take another means of payment; this {what} can be taken again once head office is reached."
        )
    }
}

/// A time as people say it: `3 days`, `5 hours`, `20 minutes`.
fn span(seconds: u64) -> String {
    match seconds {
        0..3_600 => format!("{} minutes", seconds / 60),
        3_600..172_800 => format!("{} hours", seconds / 3_600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}
