//! What a manager does about a record on its way to head office.
//!
//! An act names its subject by epoch and number and changes nothing of it: amounts and records stay as they are.
//! Not here: what may be done in which state (`queue`), and what head office makes of it (`cloud`).

use crate::record::header::Epoch;
use serde::{Deserialize, Serialize};

/// A record, by its place in the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Subject {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// Its number there.
    pub seq: u64,
}

/// What a manager wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueAct {
    /// Whatever waits is sent at once. About no record.
    SendNow,
    /// Head office rules on it once more.
    Retry,
    /// Head office receives it and gives it no effect until it is released.
    Hold,
    /// The hold ends: head office rules on it.
    Release,
    /// It is dealt with outside the till and leaves the list of what needs a person.
    Resolve {
        /// How.
        how: Resolution,
    },
}

impl QueueAct {
    /// A stable word for pages and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::SendNow => "send_now",
            Self::Retry => "retry",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Resolve { .. } => "resolve",
        }
    }

    /// How, where the act is to resolve.
    pub fn how(self) -> Option<Resolution> {
        match self {
            Self::Resolve { how } => Some(how),
            Self::SendNow | Self::Retry | Self::Hold | Self::Release => None,
        }
    }

    /// The act of a word; `how` is asked for where the act is to resolve.
    pub fn by_word(word: &str, how: Option<&str>) -> Option<Self> {
        match word {
            "send_now" => Some(Self::SendNow),
            "retry" => Some(Self::Retry),
            "hold" => Some(Self::Hold),
            "release" => Some(Self::Release),
            "resolve" => how.and_then(Resolution::by_word).map(|how| Self::Resolve { how }),
            _ => None,
        }
    }
}

/// How a record was dealt with outside the till.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The money came in another way.
    PaidOtherwise,
    /// The shop bears it.
    WrittenOff,
    /// The same was counted already.
    Duplicate,
}

impl Resolution {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::PaidOtherwise, Self::WrittenOff, Self::Duplicate];

    /// A stable word for pages and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::PaidOtherwise => "paid_otherwise",
            Self::WrittenOff => "written_off",
            Self::Duplicate => "duplicate",
        }
    }

    /// The resolution of a word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|how| how.word() == word)
    }
}
