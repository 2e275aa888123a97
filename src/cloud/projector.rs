//! Judges records after they are safe: each stream's next records at a time, with a cursor that moves in the
//! same transaction as what they mean.
//!
//! It takes no input: it compares how far streams have come with how far they are judged.

use super::Cloud;
use super::bells::{Bell, rung};
use super::judge::Judge;
use super::store::{Again, Effect, Judgement, StoreError};
use crate::record::Epoch;
use crate::record::ids::TerminalId;
use jiff::tz::TimeZone;
use std::sync::Arc;

pub(crate) async fn run(cloud: Arc<Cloud>) {
    let mut bell = cloud.bells.listen(Bell::Projector);
    loop {
        match judge_round(&cloud).await {
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

/// Judges the next records of every stream that waits; false when nothing moved. A stream whose records cannot be judged
/// is passed over: it holds up nobody else's verdicts.
async fn judge_round(cloud: &Cloud) -> Result<bool, StoreError> {
    let mut moved = false;
    for (terminal, epoch) in cloud.store.waiting().await? {
        match judge_some(cloud, (terminal.clone(), epoch)).await {
            Ok(some) => moved |= some,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%terminal, %epoch, error, "records wait for their verdicts");
            }
        }
    }
    Ok(moved)
}

/// Judges the next records of one stream; false when there are none.
async fn judge_some(cloud: &Cloud, stream: (TerminalId, Epoch)) -> Result<bool, StoreError> {
    let Some(next) = cloud.store.unjudged(stream.clone()).await? else { return Ok(false) };
    let zone = cloud.bundle().await.map_or(TimeZone::UTC, |bundle| bundle.zone.clone());
    let judge = Judge { keys: &cloud.key_set, zone: &zone };
    let mut judgements: Vec<Judgement> = next.records.iter().map(|record| judge.judge(record)).collect();
    for effect in judgements.iter_mut().flat_map(|judgement| &mut judgement.effects) {
        // A manager asks again about an earlier record: it is judged by what is known now.
        if let Effect::Act { subject, again, .. } = effect {
            let record = match cloud.store.record_at(stream.clone(), *subject).await {
                Ok(record) => record,
                // A number that no record can have, or a record that cannot be read any more: the act is in vain.
                Err(StoreError::Damaged(_)) => None,
                Err(error) => return Err(error),
            };
            *again = Again(record.map(|record| Box::new(judge.judge(&record))));
        }
    }
    let judged = cloud.store.judge(stream.clone(), next.judged, judgements, cloud.now_ms()).await?;
    if judged.verdicts > 0 {
        cloud.ring_till(&stream.0);
    }
    if judged.abandoned > 0 {
        cloud.bells.ring(&Bell::Settler);
    }
    Ok(true)
}
