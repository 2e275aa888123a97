//! When a wallet is asked again. Wallets' own guides differ in numbers and agree in form: ask soon, then
//! at even steps, then take the payment back.
//!
//! Not here: when a payment is given up; the till says so with a duty.

use std::time::Duration;

/// When to ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// From the beginning to the first question.
    pub query_first: Duration,
    /// Between questions while the customer may be typing the password.
    pub query_fast: Duration,
    /// For how long it is asked fast.
    pub query_fast_until: Duration,
    /// Between questions after that.
    pub query_slow: Duration,
    /// From a cancellation or refund without a clear answer to the next try; doubles each time.
    pub cancel_retry: Duration,
    /// The longest such gap.
    pub cancel_retry_most: Duration,
    /// From a payment's being taken back to the last look: longer than a request can be on its way.
    pub watch_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            query_first: Duration::from_secs(1),
            query_fast: Duration::from_secs(2),
            query_fast_until: Duration::from_secs(30),
            query_slow: Duration::from_secs(5),
            cancel_retry: Duration::from_secs(2),
            cancel_retry_most: Duration::from_secs(60),
            watch_after: Duration::from_secs(10),
        }
    }
}

impl Timing {
    /// The gap to the next question, so long after the beginning.
    pub(super) fn query_gap(&self, since: Duration) -> Duration {
        if since < self.query_fast_until { self.query_fast } else { self.query_slow }
    }

    /// The gaps between tries, from the first on.
    pub(super) fn retries(&self) -> Gaps {
        Gaps { next: self.cancel_retry, most: self.cancel_retry_most }
    }
}

/// Gaps that double up to a longest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gaps {
    next: Duration,
    most: Duration,
}

impl Gaps {
    /// Waits for the next gap.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.step()).await;
    }

    fn step(&mut self) -> Duration {
        let gap = self.next.min(self.most);
        self.next = gap.saturating_mul(2);
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_from_two_seconds_to_a_minute_and_no_further() {
        let mut gaps = Timing::default().retries();
        let seconds: Vec<u64> = (0..8).map(|_| gaps.step().as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn the_wallet_is_asked_fast_for_half_a_minute_and_then_slowly() {
        let timing = Timing::default();
        assert_eq!(timing.query_gap(Duration::from_secs(29)).as_secs(), 2);
        assert_eq!(timing.query_gap(Duration::from_secs(30)).as_secs(), 5);
    }
}
