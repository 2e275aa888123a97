//! How the manager's pages say things of the queue. The words themselves are `queue::words`.

use crate::limits::Standing as Limit;
use crate::locales::{self, Msg};
use crate::pages::voice::Voice;
use crate::queue::{Acted, Item, ItemKind, Standing, words};
use crate::record::queue_act::QueueAct;

impl Voice {
    /// A state in a few words.
    pub(super) fn standing(&self, standing: Standing) -> &'static str {
        words::standing(standing, self.lang)
    }

    /// What a state means for the shop.
    pub(super) fn meaning(&self, item: &Item) -> &'static str {
        words::meaning(item.state.standing(), self.lang)
    }

    /// Where an item stands, with why.
    pub(super) fn state(&self, item: &Item) -> String {
        words::state(item, self.lang)
    }

    /// Why, as a sentence.
    pub(super) fn reason(&self, item: &Item) -> Option<String> {
        words::reason(item, self.lang)
    }

    /// What to do about it.
    pub(super) fn advice(&self, item: &Item) -> Option<&'static str> {
        let needs = item.state.standing().needs_a_person();
        let code = item.code.as_deref().unwrap_or("");
        needs.then(|| words::advice(code, self.lang))
    }

    /// A kind of item; of another record what it is.
    pub(super) fn item_kind(&self, item: &Item) -> &'static str {
        if item.kind == ItemKind::Other {
            self.kind(&item.record_kind)
        } else {
            words::kind(item.kind, self.lang)
        }
    }

    pub(super) fn kind_of_items(&self, kind: &ItemKind) -> &'static str {
        words::kind(*kind, self.lang)
    }

    pub(super) fn button(&self, act: &QueueAct) -> &'static str {
        words::act(*act, self.lang)
    }

    pub(super) fn acted(&self, acted: &Acted) -> &'static str {
        words::acted(acted.act, self.lang)
    }

    /// The sign and colour of a state: never colour alone.
    pub(super) fn mark(&self, standing: Standing) -> (&'static str, &'static str) {
        match standing {
            Standing::Recorded => ("wait", "○"),
            Standing::Sent => ("wait", "◔"),
            Standing::Received => ("info", "◑"),
            Standing::Settled => ("good", "✓"),
            Standing::Refused => ("bad", "✕"),
            Standing::Expired => ("bad", "⌛"),
            Standing::Held => ("warn", "‖"),
            Standing::Parked => ("warn", "?"),
            Standing::Resolved => ("calm", "✓"),
        }
    }

    /// A length of time as a clock that runs down: `2:59`, `71:02:59`.
    pub(super) fn clock(&self, ms: i64) -> String {
        let seconds = ms.max(0) / 1000;
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
    }

    /// Why the way to head office does not work, without the words of networks and protocols.
    pub(in crate::pages) fn trouble(&self, words: &str) -> String {
        locales::trouble(words, self.lang)
    }

    /// How far this till's clock is from head office's.
    pub(super) fn offset(&self, cloud_ahead_ms: i64) -> String {
        // Below this nobody can tell, and the way there and back takes as long.
        const ALIKE_MS: u64 = 1000;
        let away = cloud_ahead_ms.unsigned_abs();
        if away < ALIKE_MS {
            return self.say(Msg::ClockAgrees).to_owned();
        }
        let age = self.age(i64::try_from(away).unwrap_or(i64::MAX));
        self.with(if cloud_ahead_ms > 0 { Msg::ClockBehind } else { Msg::ClockAheadOf }, age)
    }
}

/// The class of a figure that has a limit.
pub(super) fn limit_mark(standing: Limit) -> &'static str {
    match standing {
        Limit::Fine => "",
        Limit::Near => "warn",
        Limit::Reached => "bad",
    }
}
