//! Wakes those who wait: long polls, phones, tasks. A bell only says "look again"; what is so is in the store.
//!
//! Another process may change the store without ringing, so everybody who waits also looks from time to time.

use super::Cloud;
use crate::record::ids::{DeskId, TerminalId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often the store is looked at for what another process did.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Bells that nobody waits at are taken down beyond this many.
const BELLS_MAX: usize = 4096;

/// Whom a bell wakes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Bell {
    /// A till's long poll.
    Till(TerminalId),
    /// Phones that look at a desk.
    Desk(DeskId),
    /// The task that judges records.
    Projector,
    /// The task that drives orders at the wallet.
    Settler,
    /// Everybody who cares for the bundle.
    Bundle,
    /// Whoever waits for an order to move on.
    Orders,
}

pub(crate) struct Bells {
    bells: Mutex<BTreeMap<Bell, watch::Sender<u64>>>,
    look_again: Duration,
}

/// Somebody who waits for a bell.
pub(crate) struct Listener {
    rings: watch::Receiver<u64>,
    look_again: Duration,
}

impl Bells {
    /// Bells beside which the store is looked at so often.
    pub(crate) fn new(look_again: Duration) -> Self {
        Self { bells: Mutex::default(), look_again }
    }

    pub(crate) fn ring(&self, bell: &Bell) {
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = bells.get(bell) {
            sender.send_modify(|rung| *rung = rung.wrapping_add(1));
        }
    }

    /// Listens from now on: a ring between this call and the wait is not lost.
    pub(crate) fn listen(&self, bell: Bell) -> Listener {
        Listener { rings: self.rings(bell), look_again: self.look_again }
    }

    /// The same as a stream of rings only.
    pub(crate) fn rings(&self, bell: Bell) -> watch::Receiver<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if bells.len() >= BELLS_MAX {
            bells.retain(|_, sender| sender.receiver_count() > 0);
        }
        let mut receiver = bells.entry(bell).or_insert_with(|| watch::channel(0).0).subscribe();
        receiver.mark_unchanged();
        receiver
    }
}

/// Waits for a ring, at most until it is time to look again.
pub(crate) async fn rung(bell: &mut Listener) {
    // A bell that was taken down is as good as silence.
    let waited = tokio::time::timeout(bell.look_again, bell.rings.changed()).await;
    if let Ok(Err(_)) = waited {
        tokio::time::sleep(bell.look_again).await;
    }
}

/// Rings when a bundle was published by another process.
pub(crate) async fn watch_bundle(cloud: Arc<Cloud>) {
    let mut seen = None;
    loop {
        match cloud.store.bundle_version().await {
            Ok(version) if seen != Some(version) => {
                if seen.is_some() {
                    tracing::info!(version, "a bundle was published");
                }
                seen = Some(version);
                cloud.bells.ring(&Bell::Bundle);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store does not answer")
            }
        }
        tokio::select! {
            () = cloud.stopping() => return,
            () = tokio::time::sleep(cloud.bells.look_again) => {}
        }
    }
}
