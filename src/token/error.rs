//! Why a code of ours was refused, in words for the person who holds the scanner.
//!
//! Not here: business refusals ("already used", "wrong shop"): those are the sale's.

use super::Kind;

/// Why a code, a key or a key set was refused. A refusal is a value of the domain, not a failure.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Not one of our forms, or damaged on the way.
    #[error("this is not a complete code of ours ({0}): scan it again, or ask for a fresh one")]
    Malformed(&'static str),
    /// The layout is newer than this program.
    #[error("this code has version {0}, which this till does not know: update the till")]
    UnknownVersion(u8),
    /// The signature does not match: made up or changed.
    #[error("this code was not signed by us: do not accept it, and tell the manager")]
    Forged,
    /// Before its first moment.
    #[error("this code is not valid yet: it can be used later")]
    NotYetValid,
    /// After its last moment.
    #[error("this code has expired")]
    Expired,
    /// No key with that id in the key set.
    #[error("this code was signed with a key this till does not have: connect the till, then scan again")]
    UnknownKey,
    /// The key was withdrawn.
    #[error("this code was signed with a withdrawn key: do not accept it, and tell the manager")]
    RevokedKey,
    /// The key is outside its own dates.
    #[error("the key of this code is not in use at this time: check the till's clock, then connect it")]
    KeyOutOfDate,
    /// The key is good, but for another job.
    #[error("this code was signed with a key that is meant for something else: tell the manager")]
    WrongPurpose,
    /// A good code of another kind than asked for.
    #[error("this is {found}, and {wanted} is needed here")]
    WrongKind {
        /// What was scanned.
        found: Kind,
        /// What would have fitted.
        wanted: Kind,
    },
    /// The proof belongs to another order, or to another amount.
    #[error("this proof is for another payment: look for the one that belongs to this sale")]
    OtherOrder,
    /// The one-time digits of a member code do not match the time.
    #[error("this member code has run out: ask the customer to refresh it")]
    StaleMemberCode,
    /// The key set itself cannot be trusted or read.
    #[error("the list of keys is not usable ({0}): connect the till to fetch it again")]
    BadKeySet(&'static str),
    /// A value does not fit the layout.
    #[error("{0} does not fit into a code")]
    DoesNotFit(&'static str),
}
