//! The one place of this crate that reads a clock, for deadlines only: nothing a device says or a document holds
//! depends on it.

use std::time::{Duration, Instant};

/// A point in time until which something may be waited for.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that lies `wait` ahead.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "deadlines of device I/O start here and nowhere else")]
    pub fn after(wait: Duration) -> Deadline {
        Deadline(Instant::now() + wait)
    }

    /// How long it still is; zero when it has passed.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "deadlines of device I/O are compared here and nowhere else"
    )]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.left().is_zero()
    }
}

/// Counts from where it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at nothing.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "waiting times of device I/O are counted here and nowhere else"
    )]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long ago it was started.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
