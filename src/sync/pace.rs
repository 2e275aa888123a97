//! When to try again: full jitter under a cap, so that a chain of tills does not come back in step.
//!
//! Source of the form: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015. The cap is
//! large, and the cloud can set it, because it must be fleet size over what the cloud can take at once.

use crate::record::ids::Draw;
use std::time::Duration;
use tokio::sync::watch;

/// The longest that a Retry-After is obeyed: a slip in it must not silence a till for longer than a day.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// When to try again and how long to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// The span of the first wait after a failure; it doubles each time.
    pub retry_first: Duration,
    /// The longest span; the cloud may set another.
    pub retry_most: Duration,
    /// The longest span while a phone waits for an order.
    pub order_retry_most: Duration,
    /// The longest that the cloud holds a question for notices.
    pub poll_wait: Duration,
    /// The longest that any other call takes.
    pub call: Duration,
    /// Between two looks whether the manager has approved this till.
    pub pairing: Duration,
    /// The journal is compared with the cloud at least so often.
    pub period: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_secs(300),
            order_retry_most: Duration::from_secs(5),
            poll_wait: Duration::from_secs(25),
            call: Duration::from_secs(15),
            pairing: Duration::from_secs(2),
            period: Duration::from_secs(30),
        }
    }
}

/// How often it has failed in a row.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked. True when it had failed before.
    pub(super) fn worked(&mut self) -> bool {
        std::mem::take(&mut self.failures) > 0
    }

    /// It failed: how long to wait. `most` caps the span; what the other side asked for is a lower bound.
    pub(super) fn failed(
        &mut self,
        first: Duration,
        most: Duration,
        retry_after: Option<Duration>,
        chance: &Draw,
    ) -> Duration {
        let doubled = first.saturating_mul(1_u32.checked_shl(self.failures.min(20)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let least = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        // After an explicit time only the first span is added, to keep tills apart.
        let span = if retry_after.is_some() { first } else { doubled.min(most) };
        least + part_of(span, chance)
    }
}

/// What ends a wait before its time. Whoever tries listens from before the try ([`Wakes::listen`]): what happens while a
/// try is under way is not forgotten when it fails.
pub(super) struct Wakes {
    /// A person wants everything tried now.
    pub(super) stir: watch::Receiver<u64>,
    /// The cloud answers after a silence.
    pub(super) back: watch::Receiver<u64>,
}

impl Wakes {
    /// A try begins.
    pub(super) fn listen(&mut self) {
        self.stir.mark_unchanged();
        self.back.mark_unchanged();
    }

    /// Waits, but not when everything is to be tried now, or when the cloud answers again.
    pub(super) async fn pause(&mut self, wait: Duration) {
        tokio::select! {
            _ = self.stir.changed() => {}
            _ = self.back.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// Waits as long as the cloud asked for: only a person is quicker.
    pub(super) async fn pause_as_told(&mut self, wait: Duration) {
        tokio::select! {
            _ = self.stir.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// After a try that failed: as told where the cloud named a time.
    pub(super) async fn pause_after(&mut self, wait: Duration, named: Option<Duration>) {
        match named {
            Some(_) => self.pause_as_told(wait).await,
            None => self.pause(wait).await,
        }
    }
}

/// An even choice from nothing to the whole span.
fn part_of(span: Duration, chance: &Draw) -> Duration {
    let mut word = [0; 8];
    word.copy_from_slice(&chance[..8]);
    let span_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX - 1);
    Duration::from_millis(u64::from_be_bytes(word) % (span_ms + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const CAP: Duration = Duration::from_secs(300);
    /// Just below a multiple of every span here, so that the choice is near its whole.
    const HIGH: Draw = [0xff; 32];

    fn longest(failures: u32) -> Duration {
        let draws = (0..=255_u8).map(|byte| [byte; 32]);
        draws.map(|chance| Backoff { failures }.failed(SECOND, CAP, None, &chance)).max().unwrap()
    }

    #[test]
    fn the_span_doubles_up_to_the_cap_and_any_part_of_it_may_come() {
        assert!(longest(0) <= SECOND && longest(0) > SECOND / 2);
        assert!(longest(4) <= SECOND * 16 && longest(4) > SECOND * 8);
        assert!(longest(40) <= CAP && longest(40) > CAP / 2);
        assert_eq!(Backoff { failures: 9 }.failed(SECOND, CAP, None, &[0; 32]), Duration::ZERO);
    }

    #[test]
    fn a_retry_after_is_waited_for_but_not_for_ever() {
        let asked = Duration::from_secs(40);
        let wait = Backoff { failures: 9 }.failed(SECOND, CAP, Some(asked), &HIGH);
        assert!(wait >= asked && wait <= asked + SECOND, "{wait:?}");
        let year = Duration::from_secs(365 * 86_400);
        assert!(Backoff::default().failed(SECOND, CAP, Some(year), &HIGH) <= RETRY_AFTER_MAX + SECOND);
    }

    #[test]
    fn a_success_begins_anew() {
        let mut backoff = Backoff::default();
        assert!(!backoff.worked());
        backoff.failed(SECOND, CAP, None, &HIGH);
        assert!(backoff.worked() && !backoff.worked());
    }
}
