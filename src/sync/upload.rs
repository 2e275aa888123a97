//! Brings the cloud's copy of the journal up to its end, oldest life first, one batch at a time.
//!
//! A replay is a success, a gap is gone back to, and a contradiction between the two copies stops the upload
//! and raises an alarm: nothing is ever skipped or sent changed. Not here: verdicts (`notices`).

use super::Around;
use super::http::{Failure, Problem};
use super::line::Topic;
use super::pace::Backoff;
use crate::journal::{End, Raw};
use crate::record::chain::{Hash, Tip};
use crate::record::witness::ReceivedHead;
use crate::record::{Epoch, Hash as RecordHash};
use crate::token::KeyId;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

/// Records in one batch.
const BATCH_RECORDS: u32 = 500;
/// Bytes of records in one batch: with base64 and field names it stays below the 1 MiB that a cloud takes.
const BATCH_BYTES: usize = 640 * 1024;
/// Times that one run goes back for a gap; a cloud that keeps finding another is not well.
const GAPS_MAX: u32 = 3;

/// Why the upload does not go on.
#[derive(Debug)]
enum Stop {
    /// It is tried again.
    Failure(Failure),
    /// A person has to look: the sentence says at what.
    Contradiction(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<crate::journal::Error> for Stop {
    fn from(error: crate::journal::Error) -> Self {
        Self::Failure(Failure::Strange(format!("the journal cannot be read: {error}")))
    }
}

pub(super) async fn run(around: std::sync::Arc<Around>) {
    let timing = &around.config.timing;
    let mut view = around.doors.board.view.clone();
    let mut stir = around.stir.subscribe();
    let mut backoff = Backoff::default();
    loop {
        // What changes from here on is looked at in the next round.
        view.mark_unchanged();
        stir.mark_unchanged();
        match drain(&around).await {
            Ok(()) => {
                backoff.worked();
                around.line.trouble(Topic::Journal, None);
                around.line.trouble(Topic::Records, None);
                tokio::select! {
                    _ = stir.changed() => {}
                    // A till that is gone changes nothing more; shutdown is near.
                    changed = view.changed() => if changed.is_err() { around.pause(timing.period).await },
                    () = tokio::time::sleep(timing.period) => {}
                }
            }
            Err(Stop::Failure(failure)) => {
                let chance = (around.doors.chance)();
                let after = failure.retry_after();
                let wait = backoff.failed(timing.retry_first, around.retry_most(), after, &chance);
                if let Failure::Refused(_) | Failure::Strange(_) = failure {
                    tracing::warn!(error = %failure, "Records could not be brought to the cloud.");
                    around.line.trouble(Topic::Records, Some(failure.to_string()));
                }
                around.line.next_try(wait);
                around.pause(wait).await;
            }
            Err(Stop::Contradiction(words)) => {
                tracing::error!("{words}");
                around.line.trouble(Topic::Journal, Some(words));
                // Send now tries once more; nothing else does.
                let _stopped = stir.changed().await;
            }
        }
    }
}

/// Sends until the cloud has every epoch to its end.
async fn drain(around: &Around) -> Result<(), Stop> {
    let epochs = around.stored(|reader, _| reader.epochs()).await?;
    let current = epochs.last().map(|end| end.epoch);
    let mut gaps = 0;
    for End { epoch, tip } in epochs {
        let mut mark = around.stored(move |_, edge| edge.watermark(epoch)).await?;
        note(around, current, epoch, mark);
        while mark.seq < tip.seq {
            let from = mark.seq + 1;
            let batch =
                around.stored(move |reader, _| reader.raw(epoch, from, BATCH_RECORDS, BATCH_BYTES)).await?;
            let Some(last) = batch.last().map(|raw| raw.seq) else { break };
            let at_ms = (around.doors.now)();
            around.stored(move |_, edge| edge.attempt(epoch, from, last, at_ms)).await?;
            let answer = send(around, epoch, &batch).await;
            if let Err(failure) = &answer {
                let (at_ms, words) = ((around.doors.now)(), failure.to_string());
                around.stored(move |_, edge| edge.attempt_failed(epoch, from, last, at_ms, &words)).await?;
            }
            mark = match answer {
                Ok(ack) if ack.high < last => {
                    return Err(
                        Failure::Strange(format!("{last} was sent and {} is confirmed", ack.high)).into()
                    );
                }
                Ok(ack) => confirmed(around, epoch, ack).await?,
                Err(Failure::Refused(problem)) => {
                    gaps += 1;
                    refused(around, epoch, from, problem, gaps).await?
                }
                Err(failure) => return Err(failure.into()),
            };
            note(around, current, epoch, mark);
        }
    }
    Ok(())
}

/// The link speaks of the current epoch.
fn note(around: &Around, current: Option<Epoch>, epoch: Epoch, mark: Tip) {
    if current == Some(epoch) {
        around.line.received(mark.seq);
    }
}

/// What the cloud says it holds, and its signature for that.
#[derive(Deserialize)]
struct Ack {
    high: u64,
    head: Hash,
    time_ms: i64,
    key_id: KeyId,
    head_signature: String,
}

impl Ack {
    /// The head, if a key of the cloud signed it.
    fn witnessed(self, around: &Around, epoch: Epoch) -> Result<ReceivedHead, Failure> {
        let forged =
            |why: &dyn std::fmt::Display| Failure::Strange(format!("it is not signed by the cloud: {why}"));
        let bytes = BASE64.decode(&self.head_signature).map_err(|error| forged(&error))?;
        let signature = bytes.try_into().map_err(|_| forged(&"a signature has 64 bytes"))?;
        let Self { high: seq, head, time_ms: at_ms, key_id, .. } = self;
        let head = ReceivedHead { seq, head, at_ms, key_id, signature };
        let trust = around.trust().ok_or_else(|| forged(&"this till is not paired"))?;
        head.verify(&around.config.terminal, epoch, &trust.keys).map_err(|error| forged(&error))?;
        Ok(head)
    }
}

async fn send(around: &Around, epoch: Epoch, batch: &[Raw]) -> Result<Ack, Failure> {
    #[derive(Serialize)]
    struct Sent {
        head: String,
        salt: String,
        body: String,
        hash: RecordHash,
    }
    #[derive(Serialize)]
    struct Batch {
        first_seq: u64,
        records: Vec<Sent>,
        batch_signature: String,
    }
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
        return Err(Failure::Strange("an empty batch".to_owned()));
    };
    let sent = |raw: &Raw| Sent {
        head: BASE64.encode(&raw.head),
        salt: BASE64.encode(raw.salt),
        body: BASE64.encode(&raw.body),
        hash: raw.hash,
    };
    let signed = batch_signing_input(around.config.terminal.as_str(), epoch, last.seq, last.hash);
    let body = Batch {
        first_seq: first.seq,
        records: batch.iter().map(sent).collect(),
        batch_signature: BASE64.encode(around.config.device_key.sign(&signed)),
    };
    around.cloud.post(&around.path(&format!("streams/{epoch}/records")), &body).await
}

/// What the device signs of a batch, so that it may come by way of another machine.
pub(super) fn batch_signing_input(terminal: &str, epoch: Epoch, last_seq: u64, last_hash: Hash) -> Vec<u8> {
    let mut input = b"till/batch/1\n".to_vec();
    input.push(u8::try_from(terminal.len()).expect("a terminal's slug has at most 16 characters"));
    input.extend(terminal.as_bytes());
    input.extend(epoch.0.to_be_bytes());
    input.extend(last_seq.to_be_bytes());
    input.extend(last_hash.0);
    input
}

/// Notes what the cloud says it holds, if it is what we hold.
async fn confirmed(around: &Around, epoch: Epoch, ack: Ack) -> Result<Tip, Stop> {
    let head = ack.witnessed(around, epoch)?;
    let high = head.seq;
    let ours = tip_at(around, epoch, high).await?;
    if let Some(ours) = ours.filter(|ours| ours.head == head.head) {
        around.stored(move |_, edge| edge.confirm(epoch, &head)).await?;
        return Ok(ours);
    }
    // Kept as well: the next start finds it, with or without a network.
    around.stored(move |_, edge| edge.received(epoch, &head)).await?;
    match ours {
        Some(_) => Err(Stop::Contradiction(format!(
            "The cloud holds another record {high} of this till's journal. Stop selling on this till and call \
             whoever looks after it: two tills may share one name, or a disk was restored."
        ))),
        None => Err(ahead(high)),
    }
}

fn ahead(high: u64) -> Stop {
    Stop::Contradiction(format!(
        "The cloud holds record {high} of this till's journal, which ends before it here. Was this disk restored \
         from a copy? Call whoever looks after the till before selling on."
    ))
}

/// Where the watermark goes after a refusal that names a place to go back to.
async fn refused(
    around: &Around,
    epoch: Epoch,
    first: u64,
    problem: Problem,
    gaps: u32,
) -> Result<Tip, Stop> {
    match (problem.slug.as_str(), problem.expected) {
        ("gap", Some(expected)) if expected != first && expected > 0 && gaps <= GAPS_MAX => {
            let high = expected - 1;
            let Some(mark) = tip_at(around, epoch, high).await? else { return Err(ahead(high)) };
            tracing::warn!(expected, "The cloud has less than it had said, and is sent the rest again.");
            around.stored(move |_, edge| edge.set_watermark(epoch, mark.seq, mark.head)).await?;
            Ok(mark)
        }
        ("fork" | "broken_chain", _) => Err(Stop::Contradiction(format!(
            "The cloud stopped taking this till's journal: {} Call whoever looks after the till.",
            problem.words
        ))),
        _ => Err(Failure::Refused(problem).into()),
    }
}

/// Our own record at a number; none beyond our end.
async fn tip_at(around: &Around, epoch: Epoch, seq: u64) -> Result<Option<Tip>, Stop> {
    if seq == 0 {
        return Ok(Some(Tip::START));
    }
    let raw = around.stored(move |reader, _| reader.raw(epoch, seq, 1, 0)).await?;
    Ok(raw.into_iter().next().filter(|raw| raw.seq == seq).map(|raw| Tip { seq, head: raw.hash }))
}
