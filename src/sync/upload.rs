//! Brings the cloud's copy of the journal up to its end, oldest life first, one batch at a time.
//!
//! A replay is a success and a gap is gone back to; nothing is ever skipped or sent changed. Where the two copies
//! contradict each other the upload goes on as long as the cloud keeps this side as a branch of its own, and an alarm
//! stands: the next start begins a new life of the journal. Not here: verdicts (`notices`).

use super::Around;
use super::acts::Acts;
use super::http::{Branch, Failure, Problem};
use super::level;
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
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Records in one batch.
const BATCH_RECORDS: u32 = 500;
/// Bytes of records in one batch: with base64 and field names it stays below the 1 MiB that a cloud takes.
const BATCH_BYTES: usize = 640 * 1024;
/// A cloud that asks for less than this many bytes is given them all the same: it is about one record.
const BATCH_BYTES_LEAST: usize = 4 * 1024;
/// Times that one run goes back for a gap; a cloud that keeps finding another is not well.
const GAPS_MAX: u32 = 3;

/// How much goes into a batch. The cloud may set less.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BatchLimits {
    records: u32,
    bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { records: BATCH_RECORDS, bytes: BATCH_BYTES }
    }
}

impl BatchLimits {
    /// What the cloud asks for, within what both sides can.
    pub(super) fn of(records: Option<u32>, bytes: Option<usize>) -> Self {
        Self {
            records: records.unwrap_or(BATCH_RECORDS).clamp(1, BATCH_RECORDS),
            // What is sent is longer than what is read by base64 and names, as in the limits here.
            bytes: bytes.map_or(BATCH_BYTES, |bytes| bytes / 8 * 5).clamp(BATCH_BYTES_LEAST, BATCH_BYTES),
        }
    }

    fn half(self) -> Option<Self> {
        let half = Self { records: self.records.div_ceil(2), bytes: (self.bytes / 2).max(BATCH_BYTES_LEAST) };
        (half != self).then_some(half)
    }
}

/// The longest span between tries while the cloud cannot be reached at all.
const SILENT_MOST: Duration = Duration::from_secs(1800);

/// Why the upload does not go on.
#[derive(Debug)]
pub(super) enum Stop {
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

/// Both sides go on although they contradict each other: the alarm's words.
pub(super) type Alarm = Option<String>;

pub(super) async fn run(around: std::sync::Arc<Around>) {
    let timing = &around.config.timing;
    let mut view = around.doors.board.view.clone();
    let mut wakes = around.wakes();
    let mut alarmed = None;
    let mut backoff = Backoff::default();
    loop {
        // What changes from here on is looked at in the next round.
        view.mark_unchanged();
        wakes.listen();
        around.line.records_again(None);
        match drain(&around).await {
            Ok(alarm) => {
                backoff.worked();
                if let Some(words) = alarm.as_ref().filter(|words| alarmed.as_ref() != Some(*words)) {
                    tracing::error!("{words}");
                }
                around.forked.fetch_or(alarm.is_some(), Ordering::Relaxed);
                // Nothing left to send does not end it: only a new life of the journal does.
                alarmed = alarm.or(alarmed);
                around.line.trouble(Topic::Journal, alarmed.clone());
                around.line.trouble(Topic::Records, None);
                tokio::select! {
                    // A till that is gone changes nothing more; shutdown is near.
                    changed = view.changed() => if changed.is_err() { wakes.pause(timing.period).await },
                    () = wakes.pause_as_told(timing.period) => {}
                }
            }
            Err(Stop::Failure(failure)) => {
                let chance = (around.doors.chance)();
                let after = failure.retry_after();
                let is_silent = matches!(failure, Failure::NotSent(_) | Failure::Unreachable(_));
                // The question for notices finds the line again and wakes this: batches are not made in vain.
                let most = if is_silent { around.retry_most().max(SILENT_MOST) } else { around.retry_most() };
                let wait = backoff.failed(timing.retry_first, most, after, &chance);
                match failure {
                    Failure::Refused(_) | Failure::Strange(_) | Failure::Later { .. } => {
                        tracing::warn!(error = %failure, "Records could not be brought to the cloud.");
                        around.line.trouble(Topic::Records, Some(failure.to_string()));
                    }
                    // Then that is what is said of it.
                    Failure::NotSent(_) | Failure::Unreachable(_) => {
                        around.line.trouble(Topic::Records, None);
                    }
                }
                around.line.records_again(Some(wait));
                wakes.pause_after(wait, after).await;
            }
            Err(Stop::Contradiction(words)) => {
                tracing::error!("{words}");
                around.line.trouble(Topic::Journal, Some(words));
                // Send now tries once more; nothing else does.
                let _stopped = wakes.stir.changed().await;
            }
        }
    }
}

/// Sends until the cloud has every epoch to its end.
async fn drain(around: &Around) -> Result<Alarm, Stop> {
    let epochs = around.stored(|reader, _| reader.epochs()).await?;
    let current = epochs.last().map(|end| end.epoch);
    let mut gaps = 0;
    let mut alarm = None;
    if around.unsure.swap(false, Ordering::Relaxed) {
        alarm = level::look(around, &epochs)
            .await
            .inspect_err(|_| around.unsure.store(true, Ordering::Relaxed))?;
    }
    for End { epoch, tip } in epochs {
        let received = around.stored(move |_, edge| edge.watermark(epoch)).await?;
        let kept = around.stored(move |reader, _| reader.going_on_after(epoch, received.seq)).await?;
        let mut mark = kept.unwrap_or(received);
        let mut acts = Acts::default();
        note(around, current, epoch, mark);
        while mark.seq < tip.seq {
            let from = mark.seq + 1;
            let BatchLimits { records, bytes } = around.batch_limits();
            let batch = around.stored(move |reader, _| reader.raw(epoch, from, records, bytes)).await?;
            let Some(last) = batch.last().map(|raw| raw.seq) else { break };
            acts.read_on(around, End { epoch, tip }, from).await?;
            let answer = attempt(around, epoch, &batch, &acts).await?;
            mark = match answer {
                Ok(ack) if ack.high < last => {
                    return Err(
                        Failure::Strange(format!("{last} was sent and {} is confirmed", ack.high)).into()
                    );
                }
                Ok(ack) if current != Some(epoch) && ack.high > tip.seq => {
                    over(around, End { epoch, tip }, ack.witnessed(around, epoch)?).await?
                }
                Ok(ack) => confirmed(around, epoch, ack).await?,
                Err(Failure::Refused(problem)) if problem.slug == "too_large" => {
                    let half = around.batch_limits().half().ok_or(Failure::Refused(problem))?;
                    around.set_batch_limits(half);
                    continue;
                }
                Err(Failure::Refused(problem)) => {
                    gaps += 1;
                    let fork = problem.branch.is_some().then(|| forked(&problem.words));
                    alarm = fork.or(alarm);
                    refused(around, epoch, (from, last), problem, gaps).await?
                }
                Err(failure) => {
                    // The batch may be there: what it carried besides records is not told twice without asking.
                    around.unsure.store(true, Ordering::Relaxed);
                    return Err(failure.into());
                }
            };
            note(around, current, epoch, mark);
        }
    }
    Ok(alarm)
}

/// Notes a batch before it leaves, sends it, and notes why it failed.
async fn attempt(
    around: &Around,
    epoch: Epoch,
    batch: &[Raw],
    acts: &Acts,
) -> Result<Result<Ack, Failure>, Stop> {
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
        return Err(Failure::Strange("an empty batch".to_owned()).into());
    };
    let (first, last, at_ms) = (first.seq, last.seq, (around.doors.now)());
    around.stored(move |_, edge| edge.attempt(epoch, first, last, at_ms)).await?;
    let answer = send(around, epoch, batch, acts).await;
    if let Err(failure) = &answer {
        let (at_ms, words) = ((around.doors.now)(), failure.to_string());
        around.stored(move |_, edge| edge.attempt_failed(epoch, first, last, at_ms, &words)).await?;
    }
    Ok(answer)
}

/// The link speaks of the current epoch.
fn note(around: &Around, current: Option<Epoch>, epoch: Epoch, mark: Tip) {
    if current == Some(epoch) {
        around.line.received(mark.seq);
    }
}

/// What the cloud says it holds, and its signature for that.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Ack {
    high: u64,
    head: Hash,
    time_ms: i64,
    key_id: KeyId,
    head_signature: String,
}

impl Ack {
    /// The head, if a key of the cloud signed it.
    pub(super) fn witnessed(self, around: &Around, epoch: Epoch) -> Result<ReceivedHead, Failure> {
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

async fn send(around: &Around, epoch: Epoch, batch: &[Raw], acts: &Acts) -> Result<Ack, Failure> {
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
        #[serde(skip_serializing_if = "Vec::is_empty")]
        held: Vec<u64>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        taken_back: Vec<u64>,
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
    let there = first.seq..=last.seq;
    let (held, taken_back) = (acts.held(there.clone()), acts.taken_back(there));
    let signed = batch_signing_input(around.config.terminal.as_str(), epoch, last.seq, last.hash);
    let body = Batch {
        first_seq: first.seq,
        records: batch.iter().map(sent).collect(),
        batch_signature: BASE64.encode(around.config.device_key.sign(&signed)),
        held,
        taken_back,
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
        Some(_) => Err(Stop::Contradiction(another(high))),
        None => Err(Stop::Contradiction(ahead(high))),
    }
}

/// The cloud has more of an epoch that is over than is here: a copy was put back, and what is here is all there.
pub(super) async fn over(around: &Around, End { epoch, tip }: End, head: ReceivedHead) -> Result<Tip, Stop> {
    around
        .stored(move |_, edge| {
            edge.received(epoch, &head)?;
            let known = edge.watermark(epoch)?.seq >= tip.seq;
            if known { Ok(()) } else { edge.set_watermark(epoch, tip.seq, tip.head) }
        })
        .await?;
    Ok(tip)
}

/// What is to be done about records that neither side has any more.
fn let_go(epoch: Epoch, kept_from: u64) -> String {
    format!(
        "Head office cannot go on from record {kept_from} of epoch {epoch}: it lacks records before that which it had \
         ruled on, or has others in their place. This till has let them go and keeps what came after. Put head office \
         back from a newer copy, and see that no other till has this one's name; then send the queue (till queue send)."
    )
}

pub(super) fn another(high: u64) -> String {
    format!(
        "The cloud holds another record {high} of this till's journal: two tills share one name or one disk, or a \
         disk was restored. Stop selling on this till, see that no other has its name, and restart it (systemctl \
         restart till): it begins new books by itself and takes cash until a manager adopts them."
    )
}

pub(super) fn ahead(high: u64) -> String {
    format!(
        "The cloud holds record {high} of this till's journal, which ends before it here: this disk was restored from \
         a copy, or lost the end. Restart the till (systemctl restart till): it begins new books by itself and takes \
         cash until a manager adopts them."
    )
}

/// Where the watermark goes after a refusal that names a place to go back to, or a branch to go on with.
async fn refused(
    around: &Around,
    epoch: Epoch,
    (first, last): (u64, u64),
    problem: Box<Problem>,
    gaps: u32,
) -> Result<Tip, Stop> {
    // The cloud's word for the other side of a fork is kept, so that the next start finds it.
    let other = problem.witness.clone().filter(|_| problem.slug == "fork");
    if let Some(head) = other.and_then(|ack| ack.witnessed(around, epoch).ok()) {
        around.stored(move |_, edge| edge.received(epoch, &head)).await?;
    }
    match (problem.slug.as_str(), problem.expected, problem.branch) {
        ("gap", Some(expected), _) if expected != first && expected > 0 && gaps <= GAPS_MAX => {
            let high = expected - 1;
            let ours = around.stored(move |reader, _| reader.going_on_after(epoch, high)).await?;
            let mark = ours.ok_or_else(|| Stop::Contradiction(ahead(high)))?;
            // As far back as there is anything: if that does not go on from what the cloud has, nothing does.
            if mark.seq + 1 == first {
                return Err(Stop::Contradiction(let_go(epoch, first)));
            }
            tracing::warn!(expected, "The cloud has less than it had said, and is sent the rest again.");
            around.stored(move |_, edge| edge.set_watermark(epoch, mark.seq, mark.head)).await?;
            Ok(mark)
        }
        ("fork", _, Some(Branch { high, head })) if high >= last => {
            // Everything is safe at the cloud, on a branch of its own.
            let ours = tip_at(around, epoch, high).await?.filter(|ours| ours.head == head);
            let Some(mark) = ours else { return Err(Stop::Contradiction(forked(&problem.words))) };
            around.stored(move |_, edge| edge.set_watermark(epoch, mark.seq, mark.head)).await?;
            Ok(mark)
        }
        ("fork" | "broken_chain", _, _) => Err(Stop::Contradiction(forked(&problem.words))),
        _ => Err(Failure::Refused(problem).into()),
    }
}

fn forked(words: &str) -> String {
    format!(
        "The cloud holds other records of this till under the same numbers: {words} Start this till again: it then \
         begins its journal anew, for cash only, until a manager has looked at it."
    )
}

/// Our own record at a number; none beyond our end.
pub(super) async fn tip_at(around: &Around, epoch: Epoch, seq: u64) -> Result<Option<Tip>, Stop> {
    if seq == 0 {
        return Ok(Some(Tip::START));
    }
    Ok(around.stored(move |reader, _| reader.tip_at(epoch, seq)).await?)
}

impl Around {
    pub(super) fn batch_limits(&self) -> BatchLimits {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_batch_limits(&self, limits: BatchLimits) {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }
}
