//! Whether a scanner delivers the same code again, and how soon after the last time.
//!
//! One rule is decided here: a scanner that waits for an answer and did not hear it sends the same scan again, and
//! that is no scan. Everything else is only measured: whether a second scan of one code is a second bottle or a
//! trigger that bounced depends on the sale, which is not known here.

use std::time::Duration;

/// A scanner that waits for an answer cannot be triggered before it has one, and a hand needs longer than this to
/// bring the next bottle before it. The same code sooner was under way when the answer was given.
const SENT_AGAIN_WITHIN: Duration = Duration::from_millis(200);

/// What a scan is, seen beside the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sight {
    /// Another code, or the same after a while.
    New,
    /// The same code within the window: so long after it.
    Again(Duration),
    /// The same scan, sent again because the answer to it came late.
    SentAgain,
}

/// The last scan of one scanner.
#[derive(Debug)]
pub(super) struct Repeats {
    window: Duration,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    code: Vec<u8>,
    /// When the next could be read: the till had answered.
    done: Duration,
    acknowledged: Option<Duration>,
}

impl Repeats {
    /// Tells scans of the same code apart that are at most `window` apart; nothing is within a window of zero.
    pub(super) fn new(window: Duration) -> Self {
        Self { window, last: None }
    }

    /// Looks at a scan that was read at `now`, counted from any fixed point.
    pub(super) fn sight(&self, code: &[u8], now: Duration) -> Sight {
        let Some(last) = self.last.as_ref().filter(|last| last.code == code) else { return Sight::New };
        if last.acknowledged.is_some_and(|answered| now.saturating_sub(answered) < SENT_AGAIN_WITHIN) {
            return Sight::SentAgain;
        }
        let since = now.saturating_sub(last.done);
        if since < self.window { Sight::Again(since) } else { Sight::New }
    }

    /// The till has taken a scan, at `now`.
    pub(super) fn taken(&mut self, code: Vec<u8>, now: Duration) {
        self.last = Some(Last { code, done: now, acknowledged: None });
    }

    /// The scanner was told so, at `now`.
    pub(super) fn acknowledged(&mut self, now: Duration) {
        if let Some(last) = &mut self.last {
            last.acknowledged = Some(now);
        }
    }

    /// The scanner is to send again what it sent: the next scan is no repetition of one that was taken.
    pub(super) fn refused(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_same_code_is_the_same_for_as_long_as_the_window() {
        let mut repeats = Repeats::new(ms(800));
        assert_eq!(repeats.sight(b"a", ms(0)), Sight::New);
        repeats.taken(b"a".to_vec(), ms(10));
        assert_eq!(repeats.sight(b"a", ms(110)), Sight::Again(ms(100)));
        assert_eq!(repeats.sight(b"a", ms(809)), Sight::Again(ms(799)));
        assert_eq!(repeats.sight(b"a", ms(810)), Sight::New);
        assert_eq!(repeats.sight(b"b", ms(11)), Sight::New);
        repeats.taken(b"b".to_vec(), ms(20));
        assert_eq!(repeats.sight(b"a", ms(21)), Sight::New, "another code came between");
        let mut never = Repeats::new(Duration::ZERO);
        never.taken(b"a".to_vec(), ms(10));
        assert_eq!(never.sight(b"a", ms(10)), Sight::New);
    }

    #[test]
    fn what_crossed_with_its_acknowledgement_is_the_same_scan() {
        let mut repeats = Repeats::new(ms(800));
        repeats.taken(b"a".to_vec(), ms(3000));
        repeats.acknowledged(ms(3001));
        assert_eq!(repeats.sight(b"a", ms(3003)), Sight::SentAgain);
        assert_eq!(repeats.sight(b"a", ms(3300)), Sight::Again(ms(300)), "a second bottle");
        repeats.refused();
        assert_eq!(repeats.sight(b"a", ms(3302)), Sight::New, "what was refused was never taken");
    }
}
