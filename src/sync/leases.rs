//! Leases: asks the cloud for more of a campaign's quota before what is at hand is used up.
//!
//! A till that gave back what nobody used asks again when somebody shops, and one whose books nobody has adopted not at all.
//! It compares what the till holds with what it should hold; a lease whose answer was lost is told again, because
//! the question says which one the till has. **Invariant:** a lease counts only with the cloud's signature over it.
//! Not here: spending and giving back (`counter`), which the cloud learns from records.

use super::Around;
use super::http::Failure;
use super::line::Topic;
use super::pace::Backoff;
use crate::counter::event::Event;
use crate::counter::refusal::Refusal;
use crate::inbox::LinkState;
use crate::record::Epoch;
use crate::record::epochs::Standing;
use crate::record::lease::Lease;
use crate::token::{KeyId, Purpose, TokenError};
use crate::view::{Demand, LeaseView};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the cloud signs in front of a lease.
const DOMAIN: &[u8] = b"till/lease/1\n";

/// More is asked for when so few are left at hand: the customers of some minutes, while an answer takes a second.
const LOW: u32 = 5;

/// After the cloud had nothing to let out it is asked again so much later: others may have given some back.
const NOTHING_LEFT: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Ask {
    epoch: Epoch,
    campaign: u32,
    has: u64,
}

#[derive(Deserialize)]
struct Answer {
    lease: Option<Envelope>,
}

#[derive(Deserialize)]
struct Envelope {
    key_id: KeyId,
    signature: String,
    payload: String,
}

/// Why a lease is not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("its text is damaged")]
    Damaged,
    #[error("its signature does not hold: {0}")]
    Signature(#[source] TokenError),
    #[error("it is another till's")]
    Another,
}

pub(super) async fn run(around: Arc<Around>) {
    let timing = &around.config.timing;
    let mut view = around.doors.board.view.clone();
    let mut link = around.doors.board.link.subscribe();
    let mut wakes = around.wakes();
    let mut backoff = Backoff::default();
    // What the cloud had nothing of, and when it may be asked again, by the wall clock of this machine.
    let mut dry: BTreeMap<u32, i64> = BTreeMap::new();
    loop {
        view.mark_unchanged();
        link.mark_unchanged();
        wakes.listen();
        let wait = match keep_level(&around, &mut dry).await {
            Ok(()) => {
                backoff.worked();
                timing.period
            }
            Err(failure) => {
                let chance = (around.doors.chance)();
                let after = failure.retry_after();
                if let Failure::Strange(words) = &failure {
                    around.line.trouble(Topic::Answers, Some(words.clone()));
                }
                let wait = backoff.failed(timing.retry_first, around.retry_most(), after, &chance);
                wakes.pause_after(wait, after).await;
                continue;
            }
        };
        tokio::select! {
            // A till that is gone changes nothing more; shutdown is near.
            changed = view.changed() => if changed.is_err() { wakes.pause(timing.period).await },
            () = wakes.pause(wait) => {}
        }
    }
}

/// Asks for each campaign of which little is at hand.
async fn keep_level(around: &Around, dry: &mut BTreeMap<u32, i64>) -> Result<(), Failure> {
    if around.doors.board.link.borrow().state != LinkState::Online {
        return Ok(());
    }
    let (epoch, leases) = {
        let view = around.doors.board.view.borrow();
        match view.standing {
            Standing::Regular => {}
            // Cash only: nothing that a lease is for is given.
            Standing::Provisional => return Ok(()),
        }
        (view.epoch, view.leases.clone())
    };
    let now_ms = (around.doors.now)();
    let nothing_ms = i64::try_from(NOTHING_LEFT.as_millis()).unwrap_or(i64::MAX);
    let wanted = |lease: &LeaseView| lease.left <= LOW && lease.demand == Demand::Selling;
    for lease in leases.into_iter().filter(wanted) {
        // A clock that was put back must not silence the question for long.
        let is_dry = |at_ms: &i64| now_ms.saturating_sub(*at_ms) < nothing_ms && now_ms >= *at_ms;
        if dry.get(&lease.campaign).is_some_and(is_dry) {
            continue;
        }
        let ask = Ask { epoch, campaign: lease.campaign, has: lease.last };
        let answer: Answer = match around.cloud.post(&around.path("leases"), &ask).await {
            Ok(answer) => answer,
            // Stopped meanwhile, or not known there yet: asked again later.
            Err(Failure::Refused(_)) => Answer { lease: None },
            Err(failure) => return Err(failure),
        };
        let Some(envelope) = answer.lease else {
            dry.insert(lease.campaign, now_ms);
            continue;
        };
        let lease = open(around, &envelope, epoch)
            .map_err(|error| Failure::Strange(format!("The cloud's lease was not taken: {error}.")))?;
        if let Err(Refusal::Busy | Refusal::DiskFull | Refusal::ReadOnly) =
            around.doors.inbox.ask(Event::LeaseGranted(lease)).await
        {
            // It is told again.
            return Err(Failure::Later { words: "The till is busy.".to_owned(), retry_after: None });
        }
    }
    Ok(())
}

fn open(around: &Around, envelope: &Envelope, epoch: Epoch) -> Result<Lease, NotTaken> {
    let trust = around.trust().ok_or(NotTaken::Signature(TokenError::UnknownKey))?;
    let payload = BASE64.decode(&envelope.payload).map_err(|_| NotTaken::Damaged)?;
    let signature = BASE64.decode(&envelope.signature).map_err(|_| NotTaken::Damaged)?;
    let message = [DOMAIN, payload.as_slice()].concat();
    trust
        .keys
        .check(Purpose::Bundle, envelope.key_id, &message, &signature, around.line.unix_s())
        .map_err(NotTaken::Signature)?;
    let lease: Lease = serde_json::from_slice(&payload).map_err(|_| NotTaken::Damaged)?;
    if lease.terminal != around.config.terminal || lease.epoch != epoch {
        return Err(NotTaken::Another);
    }
    Ok(lease)
}
