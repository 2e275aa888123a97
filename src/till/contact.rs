//! How long the cloud has been silent, and when its time was heard: read off the board, measured by the monotonic clock.
//!
//! The board says when in wall time, which may jump; what counts is how long ago the loop saw it change. It looks at
//! least once a second. Not here: what silence and a doubtful clock stop (`counter`).

use super::Loop;
use crate::counter::Contact;
use crate::inbox::Link;
use crate::record::Moment;

/// A screen's time of silence may be so old, in milliseconds, before it is drawn again by itself.
const STALE_MS: u64 = 60_000;

/// What the loop has seen of the link.
#[derive(Default)]
pub(super) struct Watch {
    heard: Option<(i64, Moment)>,
    offset_ms: Option<i64>,
    timed: Option<Moment>,
}

impl Watch {
    /// A watch that knows this offset from an earlier start: nobody has heard it since.
    pub(super) fn with_offset(offset_ms: Option<i64>) -> Self {
        Self { offset_ms, ..Self::default() }
    }

    fn look(&mut self, link: &Link, now: Moment) {
        if let Some(heard_ms) = link.heard_ms
            && self.heard.is_none_or(|(before_ms, _)| before_ms != heard_ms)
        {
            self.heard = Some((heard_ms, now));
        }
        if link.cloud_offset_ms != self.offset_ms {
            self.offset_ms = link.cloud_offset_ms;
            self.timed = Some(now).filter(|now| now.cloud_offset_ms.is_some());
        }
    }

    fn contact(&self, link: &Link, now: &Moment) -> Contact {
        Contact {
            silent_ms: self.heard.map(|(_, at)| now.since_ms(&at)),
            received: link.received,
            timed: self.timed,
        }
    }
}

impl Loop {
    /// Looks at the board, and says what a decision now may depend on.
    pub(super) fn contact(&mut self) -> (Moment, Contact) {
        let link = self.board.link.borrow().clone();
        let now = self.sources.clock.moment(link.cloud_offset_ms);
        self.watch.look(&link, now);
        (now, self.watch.contact(&link, &now))
    }

    /// Whether what screens show of silence, risk or clock has changed by time alone.
    pub(super) fn has_aged(&mut self) -> bool {
        let (now, contact) = self.contact();
        let fresh = self.till.exposure(&self.in_force.bundle, &now, contact);
        let view = self.view.borrow();
        let silent_ms = |silent_ms: Option<u64>| silent_ms.map(|silent_ms| silent_ms / STALE_MS);
        fresh.standing != view.exposure.standing
            || silent_ms(fresh.silent_ms) != silent_ms(view.exposure.silent_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_ms: u64, offset_ms: Option<i64>) -> Moment {
        Moment { monotonic_ms, cloud_offset_ms: offset_ms, ..Moment::default() }
    }

    #[test]
    fn silence_is_measured_by_the_monotonic_clock_whatever_the_wall_clock_says() {
        let mut watch = Watch::default();
        let mut link = Link::default();
        let look = |watch: &mut Watch, link: &Link, now: Moment| {
            watch.look(link, now);
            watch.contact(link, &now).silent_ms
        };
        assert_eq!(look(&mut watch, &link, at(1_000, None)), None);
        link.heard_ms = Some(9_000_000);
        assert_eq!(look(&mut watch, &link, at(2_000, None)), Some(0));
        assert_eq!(look(&mut watch, &link, at(5_000, None)), Some(3_000));
        // The wall clock was put back an hour, and the cloud was heard again.
        link.heard_ms = Some(5_400_000);
        assert_eq!(look(&mut watch, &link, at(6_000, None)), Some(0));
    }

    #[test]
    fn the_clouds_time_counts_as_heard_when_its_offset_is_told_anew() {
        let mut watch = Watch::with_offset(Some(7));
        let known = Link { cloud_offset_ms: Some(7), ..Link::default() };
        watch.look(&known, at(1_000, Some(7)));
        assert_eq!(watch.contact(&known, &at(1_000, Some(7))).timed, None, "an earlier start heard it");
        let told = Link { cloud_offset_ms: Some(9), received: 4, ..Link::default() };
        watch.look(&told, at(2_000, Some(9)));
        watch.look(&told, at(3_000, Some(9)));
        let contact = watch.contact(&told, &at(3_000, Some(9)));
        assert_eq!((contact.timed, contact.received), (Some(at(2_000, Some(9))), 4));
    }
}
