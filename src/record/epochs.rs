//! How a life of a journal begins when it is not the first: what is known of the one before, and whether a manager has
//! to look before more than cash is taken.
//!
//! Not here: setting files aside (`journal`), and what a provisional till refuses (`counter`).

use serde::{Deserialize, Serialize};

/// Whether an epoch needs a manager before it is like any other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is like any other.
    #[default]
    Regular,
    /// The till began it by itself, because its books were lost: cash only, until a manager adopts it.
    Provisional,
}

impl Standing {
    /// A regular standing is not written: an epoch from before there was another kind reads the same.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
    pub(super) fn is_regular(&self) -> bool {
        *self == Self::Regular
    }
}

/// Why the books before were left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// They are damaged.
    Damaged,
    /// They are gone, or end before what the cloud has received of them.
    Missing,
    /// A copy was put in their place.
    Restored,
}

/// What is known of the books before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Why they were left.
    pub why: Left,
    /// What was found, in words.
    pub words: String,
    /// Where their files are, in the state directory: `aside/0001`.
    pub aside: String,
    /// Up to which number the cloud had said that it has the epoch before; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
}
