//! Warnings before a limit is reached, and what to do when it is: for the cashier and for the manager; and for the
//! manager those of the disk and the clock.
//!
//! Not here: the limits (`limits`), what is at risk (`counter`).

use super::voice::Voice;
use crate::limits::Standing;
use crate::locales::Msg;
use crate::money::Money;
use crate::record::epochs::Standing as Books;
use crate::view::{Disk, DiskState, Exposure, View};

/// What people are to know of the limits, a sentence each; nothing while all is well or head office is heard.
fn warnings(exposure: &Exposure, v: &Voice) -> Vec<String> {
    let Exposure { limits, standing, .. } = exposure;
    if standing.gravest() == Standing::Reached {
        return vec![v.say(Msg::LimitReached).to_owned()];
    }
    let money = |minor: i64| v.money(&Money::new(minor, exposure.at_risk.currency));
    let age = |ms: u64| v.age(i64::try_from(ms).unwrap_or(i64::MAX));
    let span = |seconds: u64| age(seconds.saturating_mul(1000));
    let near = [
        (standing.value, v.with2(Msg::ValueNear, v.money(&exposure.at_risk), money(limits.at_risk_minor))),
        (standing.items, v.with2(Msg::ItemsNear, exposure.items, limits.items_max)),
        (standing.oldest, v.with(Msg::OldestNear, span(limits.oldest_s))),
        (
            standing.silence,
            v.with2(Msg::SilenceNear, age(exposure.silent_ms.unwrap_or(0)), span(limits.silent_s)),
        ),
    ];
    near.into_iter().filter(|(standing, _)| *standing == Standing::Near).map(|(_, words)| words).collect()
}

/// The same, where more than cash is taken: else no limit matters.
pub(super) fn of_counter(view: &View, v: &Voice) -> Vec<String> {
    match view.standing {
        Books::Regular => warnings(&view.exposure, v),
        Books::Provisional => Vec::new(),
    }
}

/// So far from head office's time, in milliseconds, a clock is said to be wrong: a person would notice it on a receipt.
const CLOCK_FAR_MS: u64 = 60_000;

/// What a manager is to know besides: the disk, and a clock far from head office's; `cloud_ahead_ms` is how far that one
/// is ahead.
pub(super) fn of_till(view: &View, cloud_ahead_ms: Option<i64>, v: &Voice) -> Vec<String> {
    let mut said = of_counter(view, v);
    if let Some(Disk { free_bytes, floor_bytes, state }) = view.disk {
        let words = match state {
            DiskState::Fine => None,
            DiskState::Low => Some(Msg::DiskLowDo),
            DiskState::Stopped => Some(Msg::DiskStoppedDo),
        };
        said.extend(words.map(|words| v.with2(words, v.bytes(free_bytes), v.bytes(floor_bytes))));
    }
    let far = cloud_ahead_ms.filter(|ahead| ahead.unsigned_abs() >= CLOCK_FAR_MS);
    said.extend(far.map(|ahead| {
        let words = if ahead > 0 { Msg::ClockFarBehind } else { Msg::ClockFarAhead };
        v.with(words, v.age(ahead.saturating_abs()))
    }));
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Limits, Standings};
    use crate::locales::Lang;
    use crate::money::Currency;

    #[test]
    fn people_are_warned_of_each_limit_before_it_and_told_what_goes_on_at_it() {
        let quiet = Exposure::none(Currency::CNY);
        let v = Voice::plain(Lang::En);
        assert!(warnings(&quiet, &v).is_empty());
        let near = Exposure {
            at_risk: Money::new(410_000, Currency::CNY),
            silent_ms: Some(60 * 3_600_000),
            limits: Limits::default(),
            standing: Standings { value: Standing::Near, silence: Standing::Near, ..Standings::default() },
            ..quiet
        };
        let said = warnings(&near, &v);
        assert_eq!(said.len(), 2);
        assert!(said[0].contains("¥4100.00") && said[0].contains("¥5000.00"), "{}", said[0]);
        assert!(said[1].contains("2 days") && said[1].contains("3 days"), "{}", said[1]);
        let standing = Standings { items: Standing::Reached, ..near.standing };
        let reached = warnings(&Exposure { standing, ..near }, &Voice::plain(Lang::ZhHans));
        assert_eq!(reached.len(), 1);
        assert!(reached[0].contains("现金"), "{}", reached[0]);
    }
}
