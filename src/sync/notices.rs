//! Hears the cloud: verdicts, phones that ask to pay, orders that were paid, and that a new bundle is there.
//!
//! A long poll of its own, so that nothing waits behind the upload. **Invariant:** the cursor moves past a
//! notice only when the till has answered, which is after its records are durable; a refusal is an answer.
//! Notices may come twice: the till takes each once.

use super::http::Failure;
use super::line::Topic;
use super::pace::Backoff;
use super::upload::BatchLimits;
use super::{Around, bundle, orders, pairing, phones};
use crate::counter::event::{Event, ProviderReport};
use crate::counter::refusal::Refusal;
use crate::record::Epoch;
use crate::record::chain::Tip;
use crate::record::ids::{IntentId, SaleId};
use crate::record::money_moves::{Advice, ProviderName, Settled, Verdict};
use crate::token::MemberRef;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The cloud may set the longest wait between these, in milliseconds.
const RETRY_CAP_MS: std::ops::RangeInclusive<u64> = 1_000..=3_600_000;

/// Streams that a cloud tells of at most which does not say whether they are all; with as many there may be more.
const STREAMS_TOLD: usize = 8;

#[derive(Deserialize)]
struct Heard {
    notices: Vec<serde_json::Value>,
    bundle_version: Option<u64>,
    retry_cap_ms: Option<u64>,
    batch_records: Option<u32>,
    batch_bytes: Option<usize>,
    /// How far the streams of this till are ruled on; only beside all the verdicts that belong to it.
    streams: Option<Vec<Standing>>,
    /// Whether those are all that the cloud has of this till; an older cloud does not say.
    all_streams: Option<bool>,
}

#[derive(Deserialize)]
struct Standing {
    epoch: Epoch,
    high: u64,
    ruled: u64,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Notice {
    Verdict {
        verdict: Verdict,
    },
    /// A cloud that knows one wallet only names none.
    OrderRequested {
        sale: SaleId,
        bill_version: u64,
        #[serde(default = "alipay")]
        provider: ProviderName,
    },
    CouponOffered {
        sale: SaleId,
        token: String,
    },
    OrderClaimed {
        intent: IntentId,
    },
    OrderPaid {
        intent: IntentId,
        settled: Settled,
        proof: String,
    },
    OrderEnded {
        intent: IntentId,
        words: String,
    },
    PaymentTold {
        intent: IntentId,
        settled: Settled,
    },
    MemberForgotten {
        member: String,
    },
}

fn alipay() -> ProviderName {
    ProviderName::Alipay
}

pub(super) async fn run(around: Arc<Around>) {
    let timing = &around.config.timing;
    let mut wakes = around.wakes();
    let mut backoff = Backoff::default();
    // The first question after a silence is answered at once, so that the link is known to be back.
    let mut held = Duration::ZERO;
    let mut asked = phones::Asked::default();
    loop {
        wakes.listen();
        match round(&around, held).await {
            Ok(()) => {
                held = timing.poll_wait;
                phones::refresh(&around, &mut asked).await;
                if backoff.worked() {
                    around.line.paired();
                    around.line.answered();
                    around.line_is_back();
                }
            }
            Err(failure) => {
                held = Duration::ZERO;
                let chance = (around.doors.chance)();
                let after = failure.retry_after();
                let wait = backoff.failed(timing.retry_first, around.retry_most(), after, &chance);
                match &failure {
                    Failure::Refused(problem) if problem.slug == "unpaired" => {
                        pairing::ask_anew(&around).await
                    }
                    Failure::Refused(_) | Failure::Strange(_) => {
                        around.line.trouble(Topic::Answers, Some(failure.to_string()));
                    }
                    Failure::NotSent(_) | Failure::Unreachable(_) | Failure::Later { .. } => {}
                }
                around.line.next_try(wait);
                wakes.pause_as_told(wait).await;
            }
        }
    }
}

/// One question and everything that its answer brings.
async fn round(around: &Around, held: Duration) -> Result<(), Failure> {
    let unreadable = |error: crate::journal::Error| Failure::Strange(error.to_string());
    let after = around.stored(|_, edge| edge.cursor()).await.map_err(unreadable)?;
    // The cloud answers at once when it has another bundle than this, so the one that was last looked at
    // counts, taken or not.
    let seen = around.looked.borrow().map_or_else(|| bundle::held_version(around), |(version, _)| version);
    let epoch = around.doors.board.view.borrow().epoch;
    let ruled = around.stored(move |_, edge| edge.ruled(epoch)).await.map_err(unreadable)?;
    around.line.ruled(ruled);
    let before = around.stored(|_, edge| edge.watermarks()).await.map_err(unreadable)?;
    let wait_ms = held.as_millis();
    let query = format!("after={after}&wait_ms={wait_ms}&bundle={seen}&epoch={epoch}&ruled={ruled}");
    let path = around.path(&format!("notices?{query}"));
    let heard: Heard = around.cloud.get(&path, held).await?;
    around.line.trouble(Topic::Answers, None);
    if let Some(cap_ms) = heard.retry_cap_ms {
        around
            .retry_most_ms
            .store(cap_ms.clamp(*RETRY_CAP_MS.start(), *RETRY_CAP_MS.end()), Ordering::Relaxed);
    }
    if heard.batch_records.is_some() || heard.batch_bytes.is_some() {
        around.set_batch_limits(BatchLimits::of(heard.batch_records, heard.batch_bytes));
    }
    // First the bundle: its keys may be those of a proof among the notices.
    let bundle = match heard.bundle_version {
        Some(version) if version != bundle::held_version(around) => look_at_bundle(around, version).await,
        Some(_) | None => Ok(()),
    };
    let mut cursor = after;
    let mut waiting = false;
    for notice in heard.notices {
        let Ok(Numbered { number }) = Numbered::deserialize(&notice) else {
            return Err(Failure::Strange("a notice has no number".to_owned()));
        };
        if number <= cursor {
            continue;
        }
        if let Err(Refusal::Busy) = take(around, number, notice).await {
            waiting = true;
            break;
        }
        cursor = number;
    }
    if cursor > after {
        around.stored(move |_, edge| edge.set_cursor(cursor)).await.map_err(unreadable)?;
    }
    if let Some(streams) = heard.streams {
        let all = heard.all_streams.unwrap_or(streams.len() < STREAMS_TOLD);
        // What is not among all that there is, is not there.
        let untold = all.then_some(0);
        go_back(around, before, &streams, untold).await.map_err(unreadable)?;
        if !waiting {
            note_ruled(around, streams).await.map_err(unreadable)?;
        }
    }
    if waiting {
        // The till is busy: the rest is asked for again.
        tokio::time::sleep(around.config.timing.retry_first).await;
    }
    bundle
}

/// Lets watermarks fall to what a cloud still has that was put back to an earlier day: the upload then sends the rest
/// again. `before` are those of before the question, so that an upload beside it does not count as a loss;
/// `untold` is how much the cloud has of a stream that it does not tell of, if that is known.
async fn go_back(
    around: &Around,
    before: BTreeMap<Epoch, Tip>,
    streams: &[Standing],
    untold: Option<u64>,
) -> Result<(), crate::journal::Error> {
    for (epoch, Tip { seq: mark, .. }) in before {
        let told = streams.iter().find(|stream| stream.epoch == epoch).map(|stream| stream.high);
        let Some(high) = told.or(untold) else { continue };
        // A side that is kept as a branch is not among the streams.
        if high >= mark || around.forked.load(Ordering::Relaxed) {
            continue;
        }
        let fallen = around
            .stored(move |reader, edge| {
                // A stream of books that were set aside is not here, and nothing of it is sent.
                let ours = reader.going_on_after(epoch, high)?.filter(|ours| ours.seq < mark);
                ours.map_or(Ok(false), |ours| edge.set_watermark(epoch, ours.seq, ours.head).map(|()| true))
            })
            .await?;
        if fallen {
            tracing::warn!(%epoch, high, mark, "The cloud has less than it had said, and is sent the rest again.");
        }
    }
    Ok(())
}

/// Notes how far the cloud has ruled, now that the till has written down every verdict up to there.
async fn note_ruled(around: &Around, streams: Vec<Standing>) -> Result<(), crate::journal::Error> {
    let current = around.doors.board.view.borrow().epoch;
    let now = streams.iter().find(|standing| standing.epoch == current).map_or(0, |standing| standing.ruled);
    around
        .stored(move |_, edge| {
            for Standing { epoch, ruled, .. } in streams {
                if edge.ruled(epoch)? != ruled {
                    edge.set_ruled(epoch, ruled)?;
                }
            }
            Ok(())
        })
        .await?;
    around.line.ruled(now);
    Ok(())
}

/// Fetches another bundle than ours; one that was not taken is not fetched again until the period is over.
async fn look_at_bundle(around: &Around, version: u64) -> Result<(), Failure> {
    let now_ms = (around.doors.now)();
    let period_ms = u64::try_from(around.config.timing.period.as_millis()).unwrap_or(u64::MAX);
    let last = *around.looked.borrow();
    if last.is_some_and(|(of, at_ms)| of == version && now_ms.abs_diff(at_ms) < period_ms) {
        return Ok(());
    }
    around.looked.send_replace(Some((version, now_ms)));
    bundle::fetch(around).await
}

/// The till's answer. Everything is final but a till that is busy, or that cannot write it down now: a disk that is full
/// has room again one day, and what is told today is not told a second time once the cursor is past it.
async fn take(around: &Around, number: u64, notice: serde_json::Value) -> Result<(), Refusal> {
    let notice = match serde_json::from_value::<Notice>(notice) {
        Ok(notice) => notice,
        Err(error) => {
            tracing::warn!(number, %error, "A notice of the cloud is of a kind that this till does not know.");
            return Ok(());
        }
    };
    let over = match &notice {
        Notice::OrderPaid { intent, .. } | Notice::OrderEnded { intent, .. } => Some(*intent),
        Notice::Verdict { .. }
        | Notice::OrderRequested { .. }
        | Notice::CouponOffered { .. }
        | Notice::OrderClaimed { .. }
        | Notice::MemberForgotten { .. }
        | Notice::PaymentTold { .. } => None,
    };
    if let Notice::Verdict { verdict } = &notice {
        let (epoch, seq) = (verdict.epoch, verdict.seq);
        // About a record that went with lost books nobody here could do anything: head office keeps the task. What cannot be
        // read now is asked for again.
        match around.stored(move |reader, _| reader.header(epoch, seq)).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                tracing::info!(number, %epoch, seq, "A word of head office is about a record that is not here.");
                return Ok(());
            }
            Err(_) => return Err(Refusal::Busy),
        }
    }
    let Some(event) = event(around, notice) else { return Ok(()) };
    let answer = around.doors.inbox.ask(event).await;
    if matches!(answer, Err(Refusal::Busy | Refusal::DiskFull | Refusal::ReadOnly)) {
        return Err(Refusal::Busy);
    }
    if let Err(refusal) = &answer {
        tracing::debug!(number, %refusal, "The till refused a notice.");
    }
    if let Some(intent) = over {
        around.offered.forget(intent);
    }
    Ok(())
}

/// What a notice is to the till; none for a payment that is not proved.
fn event(around: &Around, notice: Notice) -> Option<Event> {
    Some(match notice {
        Notice::Verdict { verdict } => Event::Ruled(verdict),
        Notice::OrderRequested { sale, bill_version, provider } => {
            Event::OrderRequested { sale, bill_version, provider }
        }
        Notice::CouponOffered { sale, token } => Event::CouponOffered { sale, token },
        Notice::OrderClaimed { intent } => Event::Provider(intent, ProviderReport::Pending),
        Notice::OrderPaid { intent, settled, proof } => {
            Event::Provider(intent, ProviderReport::Approved(orders::proved(around, intent, settled, proof)?))
        }
        Notice::OrderEnded { intent, words } => Event::Provider(intent, ended(words)),
        Notice::MemberForgotten { member } => {
            // Only what is a reference can be a member's.
            let known: MemberRef = member.parse().ok()?;
            Event::MemberForgotten { member: known.to_string() }
        }
        Notice::PaymentTold { intent, settled } => Event::Provider(intent, ProviderReport::Told(settled)),
    })
}

/// An order that is over without money.
pub(super) fn ended(words: String) -> ProviderReport {
    ProviderReport::Declined { code: "ended".to_owned(), words, advice: Advice::OtherMeans, left: None }
}
