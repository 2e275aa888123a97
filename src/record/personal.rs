//! Which bodies say who a customer is, and of whom.
//!
//! Each of them lies under a key of that member, so that destroying the key makes them unreadable and leaves the
//! books as they are: what was sold, taxed and paid is in other bodies and in the headers. Not here: the keys
//! (`keys`), and where they are used (`journal`).

use crate::record::{Body, Record};

/// Whom a body speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// Nobody: it lies under the till's key.
    Nobody,
    /// This member, by its reference.
    Member(String),
    /// The member of its sale, if the sale has one.
    MemberOfSale,
}

/// Kinds that speak of a customer, each with what it says. Goods, tax and the amounts of a sale speak of nobody once
/// these cannot be read.
pub const PERSONAL: [(&str, &str); 4] = [
    ("member_recognised", "the member's reference and the number on the phone's screen"),
    (
        "approved",
        "the buyer as the wallet names them, the wallet's trade number, what is left of stored value",
    ),
    ("paid_late", "the same, for money that came late"),
    ("member_forgotten", "the reference of the member who is forgotten"),
];

/// Whom a record's body speaks of.
#[allow(clippy::wildcard_enum_match_arm)] // `PERSONAL` has every kind that speaks of somebody
pub fn about(record: &Record) -> About {
    match &record.body {
        Body::MemberRecognised { member, .. } | Body::MemberForgotten { member } => {
            About::Member(member.clone())
        }
        Body::Approved { .. } | Body::PaidLate { .. } => About::MemberOfSale,
        _ => About::Nobody,
    }
}

/// Whether a body of this kind may have been erased.
pub fn may_be_erased(kind: &str) -> bool {
    PERSONAL.iter().any(|(personal, _)| *personal == kind)
}
