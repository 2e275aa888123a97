//! Whether the clock can be believed, and what time it is when it cannot.
//!
//! The wall clock is held against the monotonic one of the same boot, against the newest record whose time could be
//! believed, against the bundle, and against the time at which this program was made. Once the cloud is heard, its
//! time counts and the doubt is over. **Invariant:** a doubtful clock stops what has an expiry date and nothing else:
//! cash and wallets are taken. Not here: reading clocks (`clock`), hearing the cloud (`sync`).

use super::recorder::Recorder;
use super::{Contact, Context, Refusal, Till};
use crate::bundle::Bundle;
use crate::record::body::Body;
use crate::record::moment::Doubt;
use crate::record::{Moment, Record};
use crate::view::ClockView;
use serde::{Deserialize, Serialize};

/// How far the wall clock may have moved on its own, in milliseconds: as far as the cloud believes an order that is
/// ahead of it. What a time server corrects in steps is seconds; what a person moves is minutes or hours.
const CLOCK_SLIP_MS: u64 = 60_000;

/// This program was not made before 1 November 2026, in Unix milliseconds: a clock that says so lost its battery.
const MADE_MS: i64 = 1_793_491_200_000;

/// Tills and the cloud may be so far apart, in milliseconds, while nobody has compared them: the bundle's time is the
/// cloud's.
const APART_MS: i64 = 300_000;

/// A till that was off for longer than this waits for the cloud before it believes its clock, in milliseconds: a shop
/// that was shut for a month has a network when it opens, and a clock that ran ahead by a year is found.
const AWAY_MS: i64 = 30 * 24 * 3600 * 1000;

/// What the records tell of time.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    /// The last moment whose time could be believed.
    time: Option<Moment>,
    /// The last record's moment.
    last: Option<Moment>,
    /// The cloud's offset on the last record that had one.
    offset_ms: Option<i64>,
    /// A moment at or before which the cloud was last heard.
    heard: Option<Moment>,
    /// Since when the clock is not believed, and why.
    distrusted: Option<(Doubt, Moment)>,
}

impl Clock {
    /// What the first record of an epoch tells.
    pub(super) fn begin(genesis: &Record) -> Self {
        let mut clock = Self::default();
        clock.apply(genesis);
        clock
    }

    /// A moment at or before which the cloud was last heard, as far as records tell.
    pub(super) fn heard(&self) -> Option<Moment> {
        self.heard
    }

    /// Why the clock is not believed, as it was written down.
    pub(super) fn distrusted(&self) -> Option<Doubt> {
        self.distrusted.map(|(why, _)| why)
    }

    /// Why a moment cannot be believed; none if it can. `timed` is when the cloud's time was heard since this start.
    fn doubt(&self, now: &Moment, bundle: Option<&Bundle>, timed: Option<&Moment>) -> Option<Doubt> {
        let timed = timed.filter(|then| then.boot == now.boot && then.cloud_offset_ms == now.cloud_offset_ms);
        let anchor = timed.or(self.time.as_ref());
        let same_boot = anchor.filter(|then| then.boot == now.boot);
        // The cloud heard anew begins anew.
        let is_anew =
            |then: &Moment| now.cloud_offset_ms.is_some() && now.cloud_offset_ms != then.cloud_offset_ms;
        if same_boot.is_some_and(|then| !is_anew(then) && slip_ms(then, now) > CLOCK_SLIP_MS) {
            return Some(Doubt::Jumped);
        }
        if now.cloud_offset_ms.is_some() {
            return None;
        }
        if now.wall_ms < MADE_MS {
            return Some(Doubt::BeforeBuild);
        }
        let now_ms = now.wall_ms.saturating_add(anchor.and_then(|then| then.cloud_offset_ms).unwrap_or(0));
        let made_s = bundle.map(|bundle| bundle.content.issued_at_s).unwrap_or(0);
        let made_ms = i64::try_from(made_s).unwrap_or(i64::MAX).saturating_mul(1000);
        if now_ms < made_ms.saturating_sub(APART_MS) {
            return Some(Doubt::BeforeBundle);
        }
        // A shop without a cloud takes nothing that expires, and nobody could end its doubt.
        if same_boot.is_some() || self.heard.is_none() {
            return None;
        }
        let then_ms = anchor?.corrected_ms();
        let slip_ms = i64::try_from(CLOCK_SLIP_MS).unwrap_or(i64::MAX);
        if now_ms < then_ms.saturating_sub(slip_ms) {
            Some(Doubt::BeforeRecords)
        } else if now_ms > then_ms.saturating_add(AWAY_MS) {
            Some(Doubt::FarAhead)
        } else {
            None
        }
    }

    fn apply(&mut self, record: &Record) {
        let now = record.header.moment;
        // A bundle may be one that an earlier start kept; a verdict comes from the cloud alone.
        if let Body::Noted { .. } = &record.body {
            self.heard = Some(now);
        } else if now.cloud_offset_ms.is_some() && now.cloud_offset_ms != self.offset_ms {
            // Heard at some time since the record before: the earlier end is the safe one.
            self.heard = Some(self.last.unwrap_or(now));
        }
        if let Body::ClockDistrusted { why } = &record.body {
            self.distrusted = Some((*why, now));
        }
        if let Body::ClockTrusted {} = &record.body {
            (self.distrusted, self.time) = (None, Some(now));
        }
        if self.distrusted.is_none() && self.doubt(&now, None, None).is_none() {
            self.time = Some(now);
        }
        self.offset_ms = now.cloud_offset_ms.or(self.offset_ms);
        self.last = Some(now);
    }
}

impl Till {
    /// Follows the clock.
    pub(super) fn apply_time(&mut self, record: &Record) {
        self.clock.apply(record);
    }

    /// Whether the clock has to be looked at: it went wrong, or right again, and no record says so yet.
    pub fn clock_turned(&self, now: &Moment, bundle: &Bundle, contact: Contact) -> bool {
        self.clock.doubt(now, Some(bundle), contact.timed.as_ref()).is_some()
            != self.clock.distrusted.is_some()
    }

    /// Writes down that the clock is not believed any more, or that it is again.
    pub(super) fn look_at_clock(&self, out: &mut Recorder<'_>) {
        match (self.doubt(out.cx), self.clock.distrusted) {
            (Some(why), None) => out.note(Body::ClockDistrusted { why }),
            (None, Some(_)) => out.note(Body::ClockTrusted {}),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Refuses what has an expiry date while nobody knows the time.
    pub(super) fn refuse_without_time(&self, out: &Recorder<'_>) -> Result<(), Refusal> {
        match self.doubt(out.cx) {
            Some(_) => Err(Refusal::ClockDistrusted),
            None => Ok(()),
        }
    }

    /// Whether the corrected time is right to the minute: the cloud was heard, and the wall clock has not been moved
    /// since.
    pub(super) fn is_sure_of_the_time(&self, cx: &Context<'_>) -> bool {
        cx.moment.cloud_offset_ms.is_some() && self.doubt(cx).is_none()
    }

    fn doubt(&self, cx: &Context<'_>) -> Option<Doubt> {
        self.clock.doubt(&cx.moment, Some(cx.bundle), cx.contact.timed.as_ref())
    }

    /// How far the cloud's clock is ahead, where an earlier start on this boot of the machine heard it and nobody has
    /// moved the clock since.
    pub fn offset_of_this_boot(&self, now: &Moment) -> Option<i64> {
        let then = self.clock.time.as_ref().filter(|then| then.boot == now.boot)?;
        if self.clock.distrusted.is_some() || slip_ms(then, now) > CLOCK_SLIP_MS {
            return None;
        }
        then.cloud_offset_ms
    }

    /// The moment that counts for dates: as read, or, while the clock is not believed, the last one that was, moved
    /// on by the time that has certainly passed since.
    pub fn reckoned_at(&self, now: &Moment, bundle: &Bundle, contact: Contact) -> Moment {
        let Some(then) = self.clock.time else { return *now };
        if self.clock.doubt(now, Some(bundle), contact.timed.as_ref()).is_none() {
            return *now;
        }
        let passed_ms = if then.boot == now.boot { now.since_ms(&then) } else { now.monotonic_ms };
        let wall_ms = then.wall_ms.saturating_add(i64::try_from(passed_ms).unwrap_or(0));
        Moment { wall_ms, cloud_offset_ms: then.cloud_offset_ms, ..*now }
    }

    pub(super) fn reckoned(&self, cx: &Context<'_>) -> Moment {
        self.reckoned_at(&cx.moment, cx.bundle, cx.contact)
    }

    /// The clock as screens show it.
    pub fn clock_view(&self, now: &Moment) -> ClockView {
        ClockView {
            distrusted: self.clock.distrusted.map(|(why, _)| why),
            since_ms: self.clock.distrusted.map(|(_, since)| {
                let passed_ms = i64::try_from(now.since_ms(&since)).unwrap_or(i64::MAX);
                now.wall_ms.saturating_sub(passed_ms)
            }),
            ahead_ms: now.cloud_offset_ms,
        }
    }
}

/// How far the wall clock moved otherwise than the monotonic one of the same boot, in milliseconds.
fn slip_ms(then: &Moment, now: &Moment) -> u64 {
    let wall_ms = now.wall_ms.saturating_sub(then.wall_ms);
    let ran_ms = i64::try_from(now.monotonic_ms.saturating_sub(then.monotonic_ms)).unwrap_or(i64::MAX);
    wall_ms.abs_diff(ran_ms)
}
