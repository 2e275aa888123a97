//! The state at some record, kept so that a start need not replay the whole journal.
//!
//! A cache in a file of its own: losing it costs time and nothing else, so whatever is wrong with it, it
//! is as if there were none. Not here: what the bytes mean (`till`).

use super::vault::Vault;
use super::{End, Error};
use crate::record::chain::Tip;
use crate::record::{Epoch, Hash};
use ring::digest;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const MAGIC: &[u8; 16] = b"till-snapshot-1\n";

/// What the file begins with, and what its sealed rest is bound to: a state says the same as the records.
const SEALED: &[u8; 23] = b"till-sealed-snapshot-1\n";

/// A state is only read by the version that wrote it: another one may fold records differently.
const WRITTEN_BY: &str = env!("CARGO_PKG_VERSION");

/// The state of a till after one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// The last record in it.
    pub tip: Tip,
    /// The state as the till wrote it.
    pub bytes: Vec<u8>,
}

impl Snapshot {
    /// Where it stands.
    pub fn end(&self) -> End {
        End { epoch: self.epoch, tip: self.tip }
    }

    /// Writes it beside the old one, then puts it in its place.
    pub(super) fn save(&self, dir: &Path, vault: &Vault) -> Result<(), Error> {
        let sealed = [SEALED.as_slice(), &vault.seal_bytes(&self.encode(), SEALED)?].concat();
        let write = || {
            let unfinished = dir.join("snapshot.unfinished");
            let mut file = File::create(&unfinished)?;
            file.write_all(&sealed)?;
            file.sync_data()?;
            fs::rename(&unfinished, dir.join("snapshot"))
        };
        write().map_err(Error::SaveSnapshot)
    }

    /// Reads it back; none if there is none or it cannot be used.
    pub(super) fn read(dir: &Path, vault: &Vault) -> Option<Self> {
        let bytes = match fs::read(dir.join("snapshot")) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "The snapshot cannot be read; the whole journal is replayed.");
                return None;
            }
        };
        let snapshot = bytes
            .strip_prefix(SEALED)
            .and_then(|sealed| vault.open_bytes(sealed, SEALED))
            .and_then(|bytes| Self::decode(&bytes));
        if snapshot.is_none() {
            tracing::info!("The snapshot is torn or of another version; the whole journal is replayed.");
        }
        snapshot
    }

    fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.bytes.len() + 128);
        payload.extend(version_mark());
        payload.extend(self.epoch.0.to_be_bytes());
        payload.extend(self.tip.seq.to_be_bytes());
        payload.extend(self.tip.head.0);
        payload.extend(&self.bytes);
        [MAGIC.as_slice(), &checksum(&payload), &payload].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let payload = bytes.strip_prefix(MAGIC.as_slice())?;
        let (sum, payload) = payload.split_first_chunk::<32>()?;
        if *sum != checksum(payload) {
            return None;
        }
        let (mark, payload) = payload.split_first_chunk::<32>()?;
        if *mark != version_mark() {
            return None;
        }
        let (epoch, payload) = payload.split_first_chunk::<8>()?;
        let (seq, payload) = payload.split_first_chunk::<8>()?;
        let (head, payload) = payload.split_first_chunk::<32>()?;
        let tip = Tip { seq: u64::from_be_bytes(*seq), head: Hash(*head) };
        Some(Self { epoch: Epoch(u64::from_be_bytes(*epoch)), tip, bytes: payload.to_vec() })
    }
}

fn version_mark() -> [u8; 32] {
    checksum(WRITTEN_BY.as_bytes())
}

fn checksum(payload: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest::digest(&digest::SHA256, payload).as_ref());
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_back_and_a_torn_one_is_as_none() {
        let dir = tempfile::tempdir().unwrap();
        drop(crate::journal::Journal::open(dir.path()).unwrap());
        let connection = crate::journal::settings::open_to_read(&dir.path().join("journal.db")).unwrap();
        let vault = Vault::to_read(dir.path(), &connection).unwrap();
        assert_eq!(Snapshot::read(dir.path(), &vault), None);
        let snapshot = Snapshot {
            epoch: Epoch(7),
            tip: Tip { seq: 9, head: Hash([4; 32]) },
            bytes: b"{\"sales\":[]}".to_vec(),
        };
        snapshot.save(dir.path(), &vault).unwrap();
        assert_eq!(Snapshot::read(dir.path(), &vault), Some(snapshot.clone()));
        let kept = fs::read(dir.path().join("snapshot")).unwrap();
        assert!(!kept.windows(5).any(|part| part == b"sales"), "a state lies sealed");
        let whole = snapshot.encode();
        for length in 0..whole.len() {
            assert_eq!(Snapshot::decode(&whole[..length]), None, "cut at {length}");
        }
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 1;
            assert_eq!(Snapshot::decode(&flipped), None, "changed at {index}");
        }
    }
}
