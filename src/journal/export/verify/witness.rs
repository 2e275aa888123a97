//! Who vouches for a journal: the device that signed the file or whose key lies beside it, and head office, which has
//! signed the heads that it received.
//!
//! Not here: the records themselves (`verify`).

use super::super::{End, EndLine, FORMAT, Received, Trust, signing_input};
use super::{Known, Walk};
use crate::keys::DeviceKey;
use crate::record::Epoch;
use crate::record::witness::ReceivedHead;
use crate::token::{KeySet, TokenError, fingerprint, verify_signature};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::path::Path;

/// What stands in front of a key set that the root has signed.
const KEY_SET_DOMAIN: &[u8] = b"till/keyset/1\n";

impl Walk {
    /// Whose key lies beside a journal, held against the one that was named. The records themselves name a till and no
    /// key, so nothing else says which machine they are of.
    pub(super) fn lies_beside(&mut self, path: &Path, known: &Known) {
        self.place = None;
        let Some(named) = &known.device else { return };
        match DeviceKey::load(path) {
            Ok(Some(key)) if key.fingerprint() == *named => {}
            Ok(Some(key)) => {
                let words = format!(
                    "The device key beside the journal is {}, another than the one that was named.",
                    key.fingerprint()
                );
                self.fault("device", words);
            }
            Ok(None) => self.fault(
                "device",
                "The device that was named could not be compared: keys/device is not beside the journal.",
            ),
            Err(error) => {
                self.fault("device", format!("The device that was named could not be compared: {error}."));
            }
        }
    }

    pub(super) fn end(&mut self, line: &EndLine, known: &Known) {
        self.place = None;
        let key = BASE64.decode(&line.device_key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
        let signature = BASE64.decode(&line.signature).ok().and_then(|bytes| bytes.try_into().ok());
        let signed = key.zip(signature).is_some_and(|(key, signature): ([u8; 32], [u8; 64])| {
            verify_signature(&key, &signing_input(&line.end), &signature).is_ok()
        });
        if !signed {
            self.fault("signature", "The device's signature does not hold: what is in the file was changed.");
        }
        self.report.device = key.as_ref().map(fingerprint);
        if known.device.is_some() && known.device != self.report.device {
            self.fault("device", "The file is signed by another device than the one that was named.");
        }
        let end = match serde_json::from_str::<End>(&line.end) {
            Ok(end) if end.export == FORMAT => end,
            Ok(end) => {
                let words = format!("The export has form {}: read it with a newer Till.", end.export);
                return self.fault("format", words);
            }
            Err(_) => return self.fault("end", "What the device signed cannot be read."),
        };
        if Some(&end.terminal) != self.report.terminal.as_ref() {
            self.fault("end", format!("The end is of {}, and the records are not.", end.terminal));
        }
        if end.streams != self.report.streams {
            self.fault(
                "end",
                "The records are not those that the device signed for: some are missing or more.",
            );
        }
        self.witnesses(end.trust.as_ref(), &end.received, known);
    }

    pub(super) fn witnesses(&mut self, trust: Option<&Trust>, received: &[Received], known: &Known) {
        self.place = None;
        let root = trust.and_then(|trust| BASE64.decode(&trust.root).ok()?.try_into().ok());
        let keys = trust.zip(root.as_ref()).and_then(|(trust, root)| keys(trust, root));
        self.report.root = root.as_ref().map(fingerprint);
        if known.root.is_some() && known.root != self.report.root {
            self.fault(
                "root",
                "Head office's keys are vouched for by another root than the one that was named.",
            );
        }
        if trust.is_some() && keys.is_none() {
            self.fault("root", "The root's signature over head office's keys does not hold.");
        }
        let Some(terminal) = self.report.terminal.clone() else { return };
        for received in received {
            self.place = Some((received.epoch, received.seq));
            let signature = BASE64.decode(&received.signature).ok().and_then(|bytes| bytes.try_into().ok());
            let signed = signature.map(|signature| {
                let &Received { epoch, seq, head, at_ms, key_id, .. } = received;
                let head = ReceivedHead { seq, head, at_ms, key_id, signature };
                keys.as_ref().map_or(Err(TokenError::UnknownKey), |keys| head.verify(&terminal, epoch, keys))
            });
            if matches!(signed, Some(Err(TokenError::UnknownKey))) {
                self.report.unknown_heads += 1;
                continue;
            }
            if !matches!(signed, Some(Ok(()))) {
                self.fault("witness", "Head office's signature over a head does not hold.");
                continue;
            }
            self.witness(received);
        }
        for (epoch, seq) in std::mem::take(&mut self.missing) {
            self.cut_tail(epoch, seq);
        }
    }

    /// Head office has this record: it must be here, and the same.
    fn witness(&mut self, received: &Received) {
        let (epoch, seq) = (received.epoch, received.seq);
        let stream = self.report.streams.iter().find(|stream| stream.epoch == epoch).cloned();
        match (self.hashes.get(&(epoch, seq)), stream) {
            (Some(hash), _) if *hash == received.head => {
                self.report.witnessed += 1;
                let to = self.report.witnessed_to.entry(epoch.to_string()).or_default();
                *to = (*to).max((seq, received.at_ms));
            }
            (Some(_), _) => {
                let words = format!("Record {seq} is not the one that head office has signed for.");
                self.fault("changed", words);
            }
            (None, Some(stream)) if seq < stream.first_seq => {}
            (None, _) => {
                let highest = self.missing.entry(epoch).or_default();
                *highest = (*highest).max(seq);
            }
        }
    }

    /// Head office has an epoch up to this record, which is not here: why, where the next epoch says so.
    fn cut_tail(&mut self, epoch: Epoch, seq: u64) {
        self.place = Some((epoch, seq));
        let ends = self.report.streams.iter().find(|stream| stream.epoch == epoch).map(|stream| stream.seq);
        let words = match ends {
            Some(ends) => format!(
                "It ends at record {ends}, and head office has signed that it received record {seq}: the tail was cut off."
            ),
            None => format!("Head office has records of epoch {epoch} up to {seq}, and none is here."),
        };
        let why = self.left.get(&epoch).map(|why| format!(" {why}")).unwrap_or_default();
        self.fault("cut_tail", words + &why);
    }
}

/// The keys that the root has signed. Their dates are not held against them: a head proves what was, not what is.
fn keys(trust: &Trust, root: &[u8; 32]) -> Option<KeySet> {
    let payload = BASE64.decode(&trust.keys.payload).ok()?;
    let signature: [u8; 64] = BASE64.decode(&trust.keys.signature).ok()?.try_into().ok()?;
    verify_signature(root, &[KEY_SET_DOMAIN, &payload].concat(), &signature).ok()?;
    serde_json::from_slice(&payload).ok()
}
