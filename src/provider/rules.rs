//! A provider's rules in numbers: when a wallet is asked, from when on a payment may be taken back, and how
//! long it is tried. Wallets' own guides differ in numbers and agree in form: ask soon, then at even steps,
//! then take the payment back.
//!
//! Not here: when a payment is given up; the till says so with a duty.

use crate::record::money_moves::ProviderName;
use std::time::Duration;

/// For how long a cancellation or refund without an answer is tried at the shorter gaps: somebody may stand
/// at the counter. After that it is a matter of days.
const SOON: Duration = Duration::from_secs(3600);

/// When one wallet is asked, and from when on it lets a payment be taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProviderRules {
    /// From the beginning to the first question.
    pub query_first: Duration,
    /// Between questions while the customer may be typing the password.
    pub query_fast: Duration,
    /// For how long it is asked fast.
    pub query_fast_until: Duration,
    /// Between questions after that.
    pub query_slow: Duration,
    /// From the payment's request to the first cancellation. Until then it is asked instead.
    pub cancel_not_before: Duration,
    /// From a cancellation or refund without a clear answer to the next try; doubles each time.
    pub cancel_retry: Duration,
    /// The longest such gap in the first hour.
    pub cancel_retry_most: Duration,
    /// The longest such gap after that.
    pub cancel_retry_days: Duration,
    /// From a payment's being taken back to the last look: longer than a request can be on its way.
    pub watch_after: Duration,
}

impl ProviderRules {
    /// The rules of a provider.
    pub fn of(provider: ProviderName) -> Self {
        let cancel_not_before = match provider {
            // Face to face, "after the last query, cancel at once": no gap in which the customer could still pay.
            ProviderName::Alipay | ProviderName::House => Duration::ZERO,
            // Reverse an order, v3: not before 15 s after the payment was submitted (4013637903).
            ProviderName::Wechat => Duration::from_secs(15),
        };
        Self {
            query_first: Duration::from_secs(1),
            query_fast: Duration::from_secs(2),
            query_fast_until: Duration::from_secs(30),
            query_slow: Duration::from_secs(5),
            cancel_not_before,
            cancel_retry: Duration::from_secs(2),
            cancel_retry_most: Duration::from_secs(60),
            // The trade guard of Alipay's own demonstration looks every 900 s.
            cancel_retry_days: Duration::from_secs(900),
            watch_after: Duration::from_secs(10),
        }
    }

    /// The gap to the next question, so long after the beginning.
    pub(super) fn query_gap(&self, since: Duration) -> Duration {
        if since < self.query_fast_until { self.query_fast } else { self.query_slow }
    }

    /// The gaps between tries, from the first on.
    pub(super) fn retries(&self) -> Gaps {
        Gaps {
            next: self.cancel_retry,
            most: self.cancel_retry_most,
            days: self.cancel_retry_days,
            waited: Duration::ZERO,
        }
    }
}

/// Gaps that double up to a longest, which grows once the first hour is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gaps {
    next: Duration,
    most: Duration,
    days: Duration,
    waited: Duration,
}

impl Gaps {
    /// Waits for the next gap.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.step()).await;
    }

    fn step(&mut self) -> Duration {
        let most = if self.waited < SOON { self.most } else { self.days };
        let gap = self.next.min(most);
        self.next = gap.saturating_mul(2);
        self.waited = self.waited.saturating_add(gap);
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_to_a_minute_for_an_hour_and_to_a_quarter_of_an_hour_for_days() {
        let mut gaps = ProviderRules::of(ProviderName::Alipay).retries();
        let seconds: Vec<u64> = (0..80).map(|_| gaps.step().as_secs()).collect();
        assert_eq!(seconds[..8], [2, 4, 8, 16, 32, 60, 60, 60]);
        let soon = seconds.iter().take_while(|gap| **gap <= 60).sum::<u64>();
        assert!((3600..3660).contains(&soon), "{soon}");
        assert_eq!(seconds[69..], [900; 11]);
    }

    #[test]
    fn the_wallet_is_asked_fast_for_half_a_minute_and_then_slowly() {
        let rules = ProviderRules::of(ProviderName::Wechat);
        assert_eq!(rules.query_gap(Duration::from_secs(29)).as_secs(), 2);
        assert_eq!(rules.query_gap(Duration::from_secs(30)).as_secs(), 5);
    }

    #[test]
    fn wechat_lets_nothing_be_taken_back_in_the_first_fifteen_seconds() {
        assert_eq!(ProviderRules::of(ProviderName::Wechat).cancel_not_before.as_secs(), 15);
        assert_eq!(ProviderRules::of(ProviderName::Alipay).cancel_not_before, Duration::ZERO);
    }
}
