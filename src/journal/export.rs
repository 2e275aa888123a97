//! A journal as a file that proves itself: a line for each record, and a last line that the device signs.
//!
//! docs/PROTOCOL.md, "Export", has the form; `docs/verify.py` reads it and shares no code with this. Not here: reading
//! such a file (`verify`), and lists for people (`cli`).

#[cfg(test)]
mod tests;
pub mod verify;

use super::edge::EdgeStore;
use super::{End as JournalEnd, Error, Raw, Reader};
use crate::keys::DeviceKey;
use crate::record::ids::{TerminalId, hex};
use crate::record::witness::ReceivedHead;
use crate::record::{Epoch, Hash, Header};
use crate::token::{KeyId, SignedKeySet};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize};
use std::io::{self, Write};

/// The form of the file.
pub const FORMAT: u16 = 1;

/// What the device's signature stands over, followed by the text of the end.
const DOMAIN: &[u8] = b"till/export/1\n";

/// Records read at once, and the bytes that they may have.
const PAGE: (u32, usize) = (500, 4 * 1024 * 1024);

/// One record on a line, as in the golden journals.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordLine {
    hash: String,
    head: String,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// For a body that is no text.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// True where a member asked to be forgotten: there is no salt and no body then.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
}

/// A field that is there has a value: null is not another way to leave it out.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    /// [`End`] as JSON in a text: its bytes are what is signed.
    end: String,
    /// The device's public key, base64.
    device_key: String,
    /// Ed25519 over [`DOMAIN`] and the bytes of `end`, base64.
    signature: String,
}

/// What the last line says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct End {
    /// [`FORMAT`].
    pub export: u16,
    /// Whose journal it is.
    pub terminal: TerminalId,
    /// When it was made, by the till's wall clock in Unix milliseconds.
    pub made_ms: i64,
    /// The streams in the file, in its order.
    pub streams: Vec<Stream>,
    /// The root that the till pins and the keys it has signed; none for a till that was never paired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// What head office has signed for.
    pub received: Vec<Received>,
}

/// One stream in the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stream {
    /// Which life of the journal.
    pub epoch: Epoch,
    /// Its first record in the file.
    pub first_seq: u64,
    /// Its last.
    pub seq: u64,
    /// And that record's hash.
    pub head: Hash,
}

/// Whom the till trusts, as pairing left it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trust {
    /// The root's public key, base64.
    pub root: String,
    /// Keys that it has signed.
    pub keys: SignedKeySet,
}

/// Head office's word that it holds a stream up to a number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Received {
    /// Of which stream.
    pub epoch: Epoch,
    /// Up to this record.
    pub seq: u64,
    /// Its hash.
    pub head: Hash,
    /// When, by head office's clock in Unix milliseconds.
    pub at_ms: i64,
    /// Which key signed.
    pub key_id: KeyId,
    /// As docs/PROTOCOL.md, "Records", says; base64.
    pub signature: String,
}

/// What of a journal is exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// This life of it only.
    pub epoch: Option<Epoch>,
    /// From this record on; earlier ones are left out.
    pub from_seq: Option<u64>,
}

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] Error),
    /// Nothing to export.
    #[error("there is no such record: look at what there is with till queue list")]
    Nothing,
    /// Where it goes takes no more.
    #[error("the export could not be written: it is not complete, and has no signature")]
    Write(#[source] io::Error),
}

/// Writes what is there, and tells how many records were written so far.
///
/// # Errors
/// [`ExportError`]; a file that was begun has no last line then.
pub fn write(
    reader: &Reader,
    edge: Option<&EdgeStore>,
    device: &DeviceKey,
    part: Part,
    made_ms: i64,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<End, ExportError> {
    let (mut streams, mut written, mut terminal) = (Vec::new(), 0, None);
    let wanted = |end: &JournalEnd| part.epoch.is_none_or(|epoch| epoch == end.epoch);
    for end in reader.epochs()?.into_iter().filter(wanted) {
        // Islands before that are no chain.
        let first_seq = part.from_seq.unwrap_or(1).max(reader.kept_from(end.epoch)?);
        let mut next = first_seq;
        let mut last = None;
        while next <= end.tip.seq {
            for raw in reader.raw(end.epoch, next, PAGE.0, PAGE.1)? {
                next = raw.seq + 1;
                // What was written since the beginning is for the next export.
                if raw.seq > end.tip.seq {
                    break;
                }
                if terminal.is_none() {
                    terminal = Header::decode(&raw.head).ok().map(|header| header.terminal);
                }
                last = Some((raw.seq, raw.hash));
                let line = serde_json::to_string(&line(&raw)).expect("texts can be written as JSON");
                writeln!(out, "{line}").map_err(ExportError::Write)?;
                written += 1;
            }
            progress(written);
        }
        streams.extend(last.map(|(seq, head)| Stream { epoch: end.epoch, first_seq, seq, head }));
    }
    let Some(terminal) = terminal else { return Err(ExportError::Nothing) };
    let (trust, received) = witnesses(edge, &streams)?;
    let end = End { export: FORMAT, terminal, made_ms, streams, trust, received };
    let text = serde_json::to_string(&end).expect("texts and numbers can be written as JSON");
    let signature = BASE64.encode(device.sign(&signing_input(&text)));
    let last = EndLine { end: text, device_key: BASE64.encode(device.public()), signature };
    let last = serde_json::to_string(&last).expect("texts can be written as JSON");
    writeln!(out, "{last}").and_then(|()| out.flush()).map_err(ExportError::Write)?;
    Ok(end)
}

/// Whom the till trusts, and what head office has signed of these streams.
fn witnesses(edge: Option<&EdgeStore>, streams: &[Stream]) -> Result<(Option<Trust>, Vec<Received>), Error> {
    let Some(edge) = edge else { return Ok((None, vec![])) };
    let trust = edge.paired()?.and_then(|bytes| serde_json::from_slice::<Trust>(&bytes).ok());
    let mut received = Vec::new();
    for stream in streams {
        let heads = edge.received_heads(stream.epoch)?;
        received.extend(heads.iter().map(|head| Received::of(stream.epoch, head)));
    }
    Ok((trust, received))
}

impl Received {
    fn of(epoch: Epoch, head: &ReceivedHead) -> Self {
        let ReceivedHead { seq, head, at_ms, key_id, signature } = head.clone();
        Self { epoch, seq, head, at_ms, key_id, signature: BASE64.encode(signature) }
    }
}

fn line(raw: &Raw) -> RecordLine {
    let (hash, head) = (raw.hash.to_string(), hex(&raw.head));
    let nothing = RecordLine { hash, head, salt: None, body: None, body_base64: None, erased: None };
    if raw.is_erased() {
        return RecordLine { erased: Some(true), ..nothing };
    }
    let salt = Some(hex(&raw.salt));
    match String::from_utf8(raw.body.clone()) {
        Ok(body) => RecordLine { salt, body: Some(body), ..nothing },
        Err(_) => RecordLine { salt, body_base64: Some(BASE64.encode(&raw.body)), ..nothing },
    }
}

fn signing_input(end: &str) -> Vec<u8> {
    [DOMAIN, end.as_bytes()].concat()
}
