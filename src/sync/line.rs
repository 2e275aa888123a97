//! What screens and the till are told of the way to the cloud, and the cloud's clock.
//!
//! Each part says what troubles it under its own topic and takes it back when it is over; the gravest is
//! shown. Not here: deciding when to try again (`pace`).

use super::{Doors, Now};
use crate::inbox::{Link, LinkState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What can be wrong, the gravest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Topic {
    /// The journal and the cloud's copy of it contradict each other.
    Journal,
    /// Pairing was refused.
    Pairing,
    /// A bundle was not taken.
    Bundle,
    /// An order's proof does not hold.
    Order,
    /// Records are not taken.
    Records,
    /// The cloud refuses or misunderstands other questions.
    Answers,
    /// The cloud cannot be reached.
    Reach,
}

/// When something is tried again, in Unix milliseconds of this machine.
#[derive(Clone, Copy, Default)]
struct Next {
    /// The question after one that failed. It finds the line again, and wakes what waits for it.
    asks_ms: Option<i64>,
    /// Records that could not be brought.
    records_ms: Option<i64>,
}

/// The link's state and its troubles.
pub(super) struct Line {
    board: Arc<watch::Sender<Link>>,
    troubles: Mutex<BTreeMap<Topic, String>>,
    next: Mutex<Next>,
    now: Now,
}

impl Line {
    pub(super) fn new(doors: &Doors) -> Self {
        Self {
            board: Arc::clone(&doors.board.link),
            troubles: Mutex::default(),
            next: Mutex::default(),
            now: Arc::clone(&doors.now),
        }
    }

    /// Unix seconds by the cloud's clock where it is known, else by this machine's.
    pub(super) fn unix_s(&self) -> i64 {
        let offset_ms = self.board.borrow().cloud_offset_ms.unwrap_or(0);
        (self.now)().saturating_add(offset_ms).div_euclid(1000)
    }

    /// This till waits for a manager, who compares the fingerprint.
    pub(super) fn pairing(&self, fingerprint: String) {
        self.board.send_modify(|link| link.fingerprint = Some(fingerprint));
        self.enter(LinkState::Pairing);
    }

    /// It is paired; whether the cloud answers is yet to be seen.
    pub(super) fn paired(&self) {
        self.board.send_modify(|link| link.fingerprint = None);
        self.trouble(Topic::Pairing, None);
        if self.board.borrow().state != LinkState::Online {
            self.enter(LinkState::Offline);
        }
    }

    /// The cloud answered.
    pub(super) fn answered(&self) {
        let now = (self.now)();
        self.board.send_modify(|link| link.heard_ms = Some(now));
        self.next(|next| next.asks_ms = None);
        self.trouble(Topic::Reach, None);
        if self.board.borrow().state != LinkState::Pairing {
            self.enter(LinkState::Online);
        }
    }

    /// The cloud does not answer.
    pub(super) fn silent(&self, words: String) {
        self.trouble(Topic::Reach, Some(words));
        if self.board.borrow().state != LinkState::Pairing {
            self.enter(LinkState::Offline);
        }
    }

    /// When it is asked again after a question that failed.
    pub(super) fn next_try(&self, wait: Duration) {
        let at = self.after(wait);
        self.next(|next| next.asks_ms = Some(at));
    }

    /// When records are brought again that could not be brought; none while a try is under way or all are there.
    pub(super) fn records_again(&self, wait: Option<Duration>) {
        let at = wait.map(|wait| self.after(wait));
        self.next(|next| next.records_ms = at);
    }

    /// Changes what is tried when, and shows what comes first: a question that is answered wakes all else.
    fn next(&self, change: impl FnOnce(&mut Next)) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut next);
        let shown = next.asks_ms.or(next.records_ms);
        self.board.send_if_modified(|link| {
            let changed = link.next_try_ms != shown;
            link.next_try_ms = shown;
            changed
        });
    }

    fn after(&self, wait: Duration) -> i64 {
        (self.now)().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
    }

    /// How far the cloud has the journal's current epoch.
    pub(super) fn received(&self, seq: u64) {
        self.board.send_if_modified(|link| {
            let changed = link.received != seq;
            link.received = seq;
            changed
        });
    }

    /// How far the cloud has ruled on the journal's current epoch.
    pub(super) fn ruled(&self, seq: u64) {
        self.board.send_if_modified(|link| {
            let changed = link.ruled != seq;
            link.ruled = seq;
            changed
        });
    }

    /// The cloud's clock, and this machine's before and after the call that told it.
    pub(super) fn cloud_time(&self, cloud_ms: i64, sent_ms: i64, got_ms: i64) {
        let midpoint = sent_ms.saturating_add(got_ms.saturating_sub(sent_ms) / 2);
        let offset_ms = cloud_ms.saturating_sub(midpoint);
        self.board.send_if_modified(|link| {
            let changed = link.cloud_offset_ms != Some(offset_ms);
            link.cloud_offset_ms = Some(offset_ms);
            changed
        });
    }

    /// Says what is wrong, or that it no longer is.
    pub(super) fn trouble(&self, topic: Topic, words: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match words {
            Some(words) => troubles.insert(topic, words),
            None => troubles.remove(&topic),
        };
        let gravest = troubles.values().next().cloned();
        drop(troubles);
        self.board.send_if_modified(|link| {
            let changed = link.trouble != gravest;
            link.trouble = gravest;
            changed
        });
    }

    fn enter(&self, state: LinkState) {
        let now = (self.now)();
        self.board.send_if_modified(|link| {
            let changed = link.state != state;
            if changed {
                tracing::info!(?state, "The way to the cloud changed.");
                (link.state, link.since_ms) = (state, now);
            }
            changed
        });
    }
}
