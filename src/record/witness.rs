//! What the cloud has signed of a journal, and what that proves about the disk the journal is on.
//!
//! With each batch that it has received the cloud signs where the stream then ends. The till keeps these heads
//! apart from the journal, so that a tail that was cut off or a disk that was put back shows at the next start,
//! without a network. Not here: keeping them (`journal::edge`), making the signature (`cloud`), and what a till does
//! about it (`till`).

use super::chain::{Hash, Tip};
use super::header::Epoch;
use super::ids::TerminalId;
use crate::token::{KeyId, KeySet, Purpose, TokenError};

/// What stands in front of a head that is signed.
const DOMAIN: &[u8] = b"till/head/1\n";

/// The cloud's word that it holds a stream up to a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedHead {
    /// The last record that is received.
    pub seq: u64,
    /// Its hash.
    pub head: Hash,
    /// When, by the cloud's clock: Unix milliseconds.
    pub at_ms: i64,
    /// Which of the cloud's keys signed it.
    pub key_id: KeyId,
    /// Ed25519 over [`signing_input`].
    pub signature: [u8; 64],
}

/// A journal that is not the one that the cloud has received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Contradiction {
    /// It ends before what was received.
    #[error(
        "this journal ends at record {ends}, and head office has signed that it received record {received}: \
         the end of the journal was cut off, or the disk was put back to an earlier day"
    )]
    Cut {
        /// Where it ends.
        ends: u64,
        /// What was received.
        received: u64,
        /// When, by the cloud's clock.
        at_ms: i64,
    },
    /// It has other records under the same numbers.
    #[error(
        "record {seq} of this journal is not the one that head office has signed for: the disk was put back to an \
         earlier day, or two machines share one name"
    )]
    Changed {
        /// The number at which it shows.
        seq: u64,
        /// When the other was received, by the cloud's clock.
        at_ms: i64,
    },
}

/// What the cloud signs: the domain, the terminal's name with its length in one byte, epoch, number, hash and time;
/// integers are big-endian (docs/PROTOCOL.md, "Records").
pub fn signing_input(terminal: &TerminalId, epoch: Epoch, tip: Tip, at_ms: i64) -> Vec<u8> {
    let name = terminal.as_str().as_bytes();
    let mut input = DOMAIN.to_vec();
    input.push(u8::try_from(name.len()).expect("a terminal's name has at most 16 letters"));
    input.extend(name);
    input.extend(epoch.0.to_be_bytes());
    input.extend(tip.seq.to_be_bytes());
    input.extend(tip.head.0);
    input.extend(at_ms.to_be_bytes());
    input
}

impl ReceivedHead {
    /// Whether a key of the cloud signed this head of this stream.
    ///
    /// The key's own dates are not held against it: a head proves what was received, not that it is fresh.
    ///
    /// # Errors
    /// [`TokenError`] `UnknownKey`, `WrongPurpose`, `RevokedKey` or `Forged`.
    pub fn verify(&self, terminal: &TerminalId, epoch: Epoch, keys: &KeySet) -> Result<(), TokenError> {
        let tip = Tip { seq: self.seq, head: self.head };
        let input = signing_input(terminal, epoch, tip, self.at_ms);
        let at_s = self.at_ms.div_euclid(1000);
        match keys.check(Purpose::Head, self.key_id, &input, &self.signature, at_s) {
            Err(TokenError::KeyOutOfDate) => Ok(()),
            other => other,
        }
    }
}

/// Holds a journal's epoch, which ends at `ends` here, against the heads that the cloud has signed of it, each verified
/// when it was kept. `is_ours` says whether the journal holds the record that a head names.
///
/// None where the journal is the one that was received; a cut comes before a change.
///
/// # Errors
/// Those of `is_ours`.
pub fn contradiction<E>(
    ends: u64,
    heads: &[ReceivedHead],
    mut is_ours: impl FnMut(&ReceivedHead) -> Result<bool, E>,
) -> Result<Option<Contradiction>, E> {
    let beyond = heads.iter().filter(|head| head.seq > ends).max_by_key(|head| head.seq);
    if let Some(&ReceivedHead { seq: received, at_ms, .. }) = beyond {
        return Ok(Some(Contradiction::Cut { ends, received, at_ms }));
    }
    for head in heads {
        if !is_ours(head)? {
            return Ok(Some(Contradiction::Changed { seq: head.seq, at_ms: head.at_ms }));
        }
    }
    Ok(None)
}
