//! Judges records after they are safe: one stream's next records at a time, with a cursor that moves in the
//! same transaction as what they mean.
//!
//! It takes no input: it compares how far streams have come with how far they are judged.

use super::Cloud;
use super::bells::{Bell, rung};
use super::judge::Judge;
use super::store::{Again, Effect, Judgement, StoreError};
use jiff::tz::TimeZone;
use std::sync::Arc;

pub(crate) async fn run(cloud: Arc<Cloud>) {
    let mut bell = cloud.bells.listen(Bell::Projector);
    loop {
        match judge_some(&cloud).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "records wait for their verdicts");
            }
        }
        tokio::select! {
            () = cloud.stopping() => return,
            () = rung(&mut bell) => {}
        }
    }
}

/// Judges the next records of one stream; false when there are none.
async fn judge_some(cloud: &Cloud) -> Result<bool, StoreError> {
    let Some(next) = cloud.store.unjudged().await? else { return Ok(false) };
    let zone = cloud.bundle().await.map_or(TimeZone::UTC, |bundle| bundle.zone.clone());
    let judge = Judge { keys: &cloud.key_set, zone: &zone };
    let mut judgements: Vec<Judgement> = next.records.iter().map(|record| judge.judge(record)).collect();
    let stream = (next.terminal.clone(), next.epoch);
    for effect in judgements.iter_mut().flat_map(|judgement| &mut judgement.effects) {
        // A manager asks again about an earlier record: it is judged by what is known now.
        if let Effect::Act { subject, again, .. } = effect {
            let record = cloud.store.record_at(stream.clone(), *subject).await?;
            *again = Again(record.map(|record| Box::new(judge.judge(&record))));
        }
    }
    let judged = cloud.store.judge(stream, next.judged, judgements, cloud.now_ms()).await?;
    if judged.verdicts > 0 {
        cloud.ring_till(&next.terminal);
    }
    if judged.abandoned > 0 {
        cloud.bells.ring(&Bell::Settler);
    }
    Ok(true)
}
