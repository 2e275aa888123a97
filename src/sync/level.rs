//! How the streams of this till stand at the cloud, all of them, with its signature over each end: asked for before the
//! first batch after a start, and after each silence.
//!
//! What the till remembers of it may be wrong, or gone: a cloud may have been put back, and an edge store that was damaged
//! has forgotten what the cloud had signed. **Invariant:** nothing is taken for received that the cloud has not signed and
//! that is not this journal's own. Not here: sending (`upload`), and how the newest stand, which comes with each answer to a
//! question for notices (`notices`).

use super::Around;
use super::http::Failure;
use super::upload::{Ack, Alarm, Stop, ahead, another, over, tip_at};
use crate::journal::End;
use crate::record::chain::Tip;
use crate::record::{Epoch, witness::ReceivedHead};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Pages that are asked for: a till that began its journal anew more often than some thousand times has another trouble.
const PAGES_MAX: usize = 64;

#[derive(Deserialize)]
struct Told {
    streams: Vec<Standing>,
    /// Whether there are more behind the last of these.
    more: bool,
}

#[derive(Deserialize)]
struct Standing {
    epoch: Epoch,
    #[serde(flatten)]
    end: Ack,
}

/// Asks, and brings the till's memory in line with the answer. Says what contradicts this journal.
pub(super) async fn look(around: &Around, lives: &[End]) -> Result<Alarm, Stop> {
    let before = around.stored(|_, edge| edge.watermarks()).await?;
    let (mut alarm, mut after, mut told) = (None, None::<Epoch>, BTreeSet::new());
    for _ in 0..PAGES_MAX {
        let query = after.map_or_else(String::new, |epoch| format!("?after={epoch}"));
        let page: Told =
            match around.cloud.get(&around.path(&format!("streams{query}")), Duration::ZERO).await {
                Ok(page) => page,
                // A cloud of an earlier version does not say; its answers to batches do, one by one.
                Err(Failure::Refused(_)) => return Ok(None),
                Err(failure) => return Err(failure.into()),
            };
        after = page.streams.last().map(|standing| standing.epoch);
        for Standing { epoch, end } in page.streams {
            told.insert(epoch);
            let head = end.witnessed(around, epoch)?;
            let Some(life) = lives.iter().find(|life| life.epoch == epoch) else { continue };
            let mark = before.get(&epoch).map_or(0, |mark| mark.seq);
            let is_current = lives.last().is_some_and(|last| last.epoch == epoch);
            if !is_current && head.seq > life.tip.seq {
                over(around, *life, head).await?;
                continue;
            }
            let found = compare(around, life, mark, head).await?;
            alarm = found.filter(|_| is_current).or(alarm);
        }
        if !page.more || after.is_none() {
            let gone = lives.iter().filter(|life| !told.contains(&life.epoch));
            for &End { epoch, .. } in
                gone.filter(|life| before.get(&life.epoch).is_some_and(|mark| mark.seq > 0))
            {
                go_back(around, epoch, Tip::START).await?;
            }
            return Ok(alarm);
        }
    }
    Ok(alarm)
}

/// Holds one end against the journal's own: what is ours is kept as received, what is less is gone back to.
async fn compare(around: &Around, life: &End, mark: u64, head: ReceivedHead) -> Result<Alarm, Stop> {
    let (epoch, high) = (life.epoch, head.seq);
    if high > life.tip.seq {
        around.stored(move |_, edge| edge.received(epoch, &head)).await?;
        return Ok(Some(ahead(high)));
    }
    let Some(ours) = tip_at(around, epoch, high).await? else { return Ok(None) };
    if ours.head != head.head {
        around.stored(move |_, edge| edge.received(epoch, &head)).await?;
        return Ok(Some(another(high)));
    }
    if high < mark {
        return go_back(around, epoch, ours).await.map(|()| None);
    }
    if high > 0 {
        around.stored(move |_, edge| edge.confirm(epoch, &head)).await?;
    }
    Ok(None)
}

/// The cloud has less than it had said.
async fn go_back(around: &Around, epoch: Epoch, to: Tip) -> Result<(), Stop> {
    // A side that is kept as a branch is not among the streams.
    if around.forked.load(Ordering::Relaxed) {
        return Ok(());
    }
    tracing::warn!(%epoch, high = to.seq, "The cloud has less than it had said, and is sent the rest again.");
    around.stored(move |_, edge| edge.set_watermark(epoch, to.seq, to.head)).await?;
    Ok(())
}
