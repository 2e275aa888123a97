//! Where an item stands, and the marks that say so: how far head office has received and ruled, and what was tried.

use crate::record::queue_act::Resolution;
use serde::Serialize;

/// Where an item stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Safe on this till's disk, not sent yet.
    Recorded,
    /// Sent, and not confirmed: it may have arrived. It is sent again; head office counts it once.
    Sent,
    /// Head office has it and has yet to rule on it.
    Received,
    /// Head office has ruled, and it stands.
    Settled,
    /// Head office has it and says that it does not count.
    Refused {
        /// A stable word such as `coupon_already_used`.
        code: String,
        /// Head office's sentence.
        words: String,
    },
    /// It was past its date when it was used.
    Expired,
    /// A manager holds it: head office gives it no effect.
    Held,
    /// Kept as it is, and not understood: it blocks nothing.
    Parked,
    /// A manager ended it.
    Resolved {
        /// How.
        how: Resolution,
    },
}

impl State {
    /// The state without what belongs to it.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Recorded => Standing::Recorded,
            Self::Sent => Standing::Sent,
            Self::Received => Standing::Received,
            Self::Settled => Standing::Settled,
            Self::Refused { .. } => Standing::Refused,
            Self::Expired => Standing::Expired,
            Self::Held => Standing::Held,
            Self::Parked => Standing::Parked,
            Self::Resolved { .. } => Standing::Resolved,
        }
    }
}

/// A state's name, for filters, tables and words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // `State` says what each means
pub enum Standing {
    Recorded,
    Sent,
    Received,
    Settled,
    Refused,
    Expired,
    Held,
    Parked,
    Resolved,
}

impl Standing {
    /// All of them, in the order of an item's life.
    pub const ALL: [Self; 9] = [
        Self::Recorded,
        Self::Sent,
        Self::Received,
        Self::Settled,
        Self::Refused,
        Self::Expired,
        Self::Held,
        Self::Parked,
        Self::Resolved,
    ];

    /// A stable word for addresses and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Settled => "settled",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Held => "held",
            Self::Parked => "parked",
            Self::Resolved => "resolved",
        }
    }

    /// The state of a word.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.word() == word)
    }

    /// Whether a person has to decide about it.
    pub fn needs_a_person(self) -> bool {
        match self {
            Self::Refused | Self::Expired | Self::Parked => true,
            Self::Recorded | Self::Sent | Self::Received | Self::Settled | Self::Held | Self::Resolved => {
                false
            }
        }
    }
}

/// How far head office is with one epoch, and what was tried.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Marks {
    /// Everything up to here is received.
    pub received: u64,
    /// Everything up to here is ruled on.
    pub ruled: u64,
    /// Batches that left and were not acknowledged.
    pub tries: Vec<Tries>,
    /// When head office had received how much, rising.
    pub heads: Vec<Head>,
}

/// A batch that left and was not acknowledged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Tries {
    /// Its first number.
    pub first: u64,
    /// Its last.
    pub last: u64,
    /// How often it left.
    pub tries: u64,
    /// When it left first, by the wall clock in Unix milliseconds.
    pub first_ms: i64,
    /// And last.
    pub last_ms: i64,
    /// What came of it, where something did.
    pub words: Option<String>,
}

/// A point up to which head office said that it had received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Head {
    /// Up to this number.
    pub seq: u64,
    /// Then, in Unix milliseconds.
    pub at_ms: i64,
}

impl Marks {
    /// The tries of a record: the sum over the batches that it was in, with the words of the last.
    pub fn tries_of(&self, seq: u64) -> Option<Tries> {
        let holds = |tries: &&Tries| (tries.first..=tries.last).contains(&seq);
        let sum = |so_far: Tries, other: &Tries| {
            let latest = if other.last_ms > so_far.last_ms { other } else { &so_far };
            Tries {
                tries: so_far.tries.saturating_add(other.tries),
                first_ms: so_far.first_ms.min(other.first_ms),
                ..latest.clone()
            }
        };
        let mut all = self.tries.iter().filter(holds);
        let first = all.next()?.clone();
        Some(all.fold(first, sum))
    }

    /// When head office had received a record, as far as it is kept: at the latest then.
    pub fn received_ms(&self, seq: u64) -> Option<i64> {
        if seq > self.received {
            return None;
        }
        self.heads.iter().filter(|head| head.seq >= seq).map(|head| head.at_ms).min()
    }

    /// Where the marks alone put a record, were head office's rulings to end at `ruled`.
    pub(super) fn standing(&self, seq: u64, ruled: u64) -> Standing {
        if seq > self.received {
            if self.tries_of(seq).is_some() { Standing::Sent } else { Standing::Recorded }
        } else if seq > ruled {
            Standing::Received
        } else {
            Standing::Settled
        }
    }
}
