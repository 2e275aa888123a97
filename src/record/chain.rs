//! The chain: contiguous numbers, each record naming the hash of the one before.

use crate::record::Record;
use crate::record::header::{Epoch, HeaderError};
use crate::record::ids::{hex, unhex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first record of an epoch names as the one before.
    pub const NONE: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", hex(&self.0[..4]))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex(&text).map(Self).ok_or_else(|| serde::de::Error::custom("a hash has 64 hexadecimal digits"))
    }
}

/// What is wrong with a record or with its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// The header's bytes are not a header.
    #[error("the header of a record cannot be read")]
    Header(#[from] HeaderError),
    /// The body is not the one that was hashed.
    #[error("the body of record {seq} is not the one that its header names")]
    BodyHash {
        /// Which record.
        seq: u64,
    },
    /// A number is missing or repeated.
    #[error("record {found} stands where {expected} is due")]
    Sequence {
        /// The number that was due.
        expected: u64,
        /// The number that is there.
        found: u64,
    },
    /// The link to the record before does not hold.
    #[error("record {seq} does not follow from the record before it")]
    Link {
        /// Which record.
        seq: u64,
    },
    /// Another till or another epoch.
    #[error("record {seq} belongs to another till or epoch")]
    Stranger {
        /// Which record.
        seq: u64,
    },
}

/// The end of a chain: where the next record goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tip {
    /// Number of the last record; zero before the first.
    pub seq: u64,
    /// Its hash; [`Hash::NONE`] before the first.
    pub head: Hash,
}

impl Tip {
    /// Before the first record.
    pub const START: Self = Self { seq: 0, head: Hash::NONE };

    /// Checks that `record` is the next one of `epoch` and moves on to it.
    ///
    /// # Errors
    /// [`Broken`] with what does not hold; the tip then stays where it was.
    pub fn follow(&mut self, epoch: Epoch, record: &Record) -> Result<(), Broken> {
        let seq = record.header.seq;
        if record.header.epoch != epoch {
            return Err(Broken::Stranger { seq });
        }
        if seq != self.seq + 1 {
            return Err(Broken::Sequence { expected: self.seq + 1, found: seq });
        }
        if record.header.previous != self.head {
            return Err(Broken::Link { seq });
        }
        *self = Self { seq, head: record.hash };
        Ok(())
    }
}
