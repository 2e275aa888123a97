//! Till's own share of the customer's wait: from the wallet's last word on the wire to "paid" on the screen, and
//! to the paper's being cut.
//!
//! Deliberately not here: what people and wallets take. Only payments without a played fault, a power cut or an
//! empty roll are measured.

use crate::clock::Clock;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// When something passed on a wire last.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWord {
    clock: Clock,
    at_ms: Arc<AtomicU64>,
}

impl LastWord {
    /// Something passes now.
    pub(super) fn pass(&self) {
        self.at_ms.store(self.clock.monotonic_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since then.
    pub(super) fn age_ms(&self) -> u64 {
        self.clock.monotonic_ms().saturating_sub(self.at_ms.load(Ordering::Relaxed))
    }
}

/// How long something took, over many customers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spread {
    /// Customers measured.
    pub count: usize,
    /// Half of them had it within so many milliseconds.
    pub p50_ms: u64,
    /// Nineteen of twenty had.
    pub p95_ms: u64,
}

impl Spread {
    /// Of all that was measured.
    pub(super) fn of(mut measured_ms: Vec<u64>) -> Self {
        measured_ms.sort_unstable();
        let count = measured_ms.len();
        // The smallest that so many of a hundred do not exceed (nearest rank).
        let at = |percent: usize| {
            let rank = (count * percent).div_ceil(100).max(1);
            measured_ms.get(rank - 1).copied().unwrap_or(0)
        };
        Self { count, p50_ms: at(50), p95_ms: at(95) }
    }
}

/// What was measured in a day.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) to_screen_ms: Vec<u64>,
    pub(super) to_cut_ms: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_by_nearest_rank() {
        let spread = Spread::of((1..=20).rev().collect());
        assert_eq!((spread.count, spread.p50_ms, spread.p95_ms), (20, 10, 19));
        let one = Spread::of(vec![7]);
        assert_eq!((one.count, one.p50_ms, one.p95_ms), (1, 7, 7));
        assert_eq!(Spread::of(vec![]).p95_ms, 0);
    }
}
