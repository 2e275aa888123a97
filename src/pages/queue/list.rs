//! The list of items: its filter as plain links, one page of it, and totals that follow the filter.

use super::scene::{Count, Scene, add};
use crate::journal::reader::Sum;
use crate::journal::{Error as JournalError, Reader};
use crate::locales::Msg;
use crate::money::{Currency, Money};
use crate::pages::voice::Voice;
use crate::queue::filter::Which;
use crate::queue::{Filter, Item, ItemKind, Standing};
use crate::record::Epoch;

/// Items on one page.
pub(super) const PAGE: u32 = 50;

/// Ages that are offered, in hours.
const AGES_H: [u32; 4] = [1, 24, 72, 168];

/// One page of the list.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) items: Vec<Item>,
    pub(super) sums: Vec<Sum>,
    /// The number to go on below; none on the last page.
    pub(super) next: Option<u64>,
}

/// Which list it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) currency: Currency,
    /// Where it is not that of today.
    pub(super) epoch: Option<Epoch>,
}

/// A link that chooses a state.
#[derive(Clone, Debug)]
pub(super) struct Tab {
    pub(super) words: String,
    pub(super) address: String,
    pub(super) chosen: bool,
}

impl List {
    /// The page below `before`.
    pub(super) fn read(
        journal: &Reader,
        scene: &Scene,
        filter: &Filter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Self, JournalError> {
        let chosen = filter.selection(scene.epoch, &scene.marks, &scene.view.cases, scene.now_ms);
        let headers = journal.items(&chosen, before, limit.saturating_add(1))?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = headers.len() > shown;
        let item = |header: &_| Item::of(header, &scene.marks, &scene.view.cases);
        let items: Vec<Item> = headers.iter().take(shown).map(item).collect();
        let next = items.last().filter(|_| more).map(|item| item.seq);
        Ok(Self { items, sums: journal.sums(&chosen)?, next })
    }

    /// What the filter takes in all these epochs: its first items, and how many there are.
    pub(super) fn of_all(
        journal: &Reader,
        epochs: &[Scene],
        filter: &Filter,
        limit: u32,
    ) -> Result<(Vec<Item>, u64), JournalError> {
        let (mut items, mut count) = (Vec::new(), 0_u64);
        for scene in epochs {
            let list = Self::read(journal, scene, filter, None, limit)?;
            count = count.saturating_add(list.count());
            items.extend(list.items);
        }
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((items, count))
    }

    /// How many items the filter takes.
    pub(super) fn count(&self) -> u64 {
        self.sums.iter().fold(0, |all, sum| all.saturating_add(sum.count))
    }

    /// The sums in words, one for each kind of item and currency.
    pub(super) fn totals(&self, v: &Voice) -> Vec<String> {
        let total = |sum: &Sum| {
            let kind = v.kind_of_items(&sum.kind);
            match &sum.worth {
                Some(worth) => format!("{kind} {} · {}", sum.count, v.money(worth)),
                None => format!("{kind} {}", sum.count),
            }
        };
        self.sums.iter().map(total).collect()
    }
}

/// Sums of receipts and returns alone: what the shop took.
pub(super) fn taken(sums: &[Sum]) -> Vec<Money> {
    let mut taken = Vec::new();
    for sum in sums.iter().filter(|sum| matches!(sum.kind, ItemKind::Sale | ItemKind::Return)) {
        add(&mut taken, sum.worth);
    }
    taken
}

/// The links that choose a state, each with how many items are in it.
pub(super) fn tabs(filter: &Filter, place: Place, counts: &[Count], v: &Voice) -> Vec<Tab> {
    let count_of = |which: Which| {
        let taken = counts.iter().filter(|count| which.takes(count.state));
        taken.fold(0_u64, |all, count| all.saturating_add(count.count))
    };
    let tab = |which: Which, words: &str| {
        let words = match (which, count_of(which)) {
            (Which::All | Which::One(Standing::Settled), _) | (_, 0) => words.to_owned(),
            (_, count) => format!("{words} {count}"),
        };
        let address = address(&Filter { which, ..*filter }, place, None);
        Tab { words, address, chosen: filter.which == which }
    };
    let mut tabs = vec![
        tab(Which::All, v.say(Msg::AllItems)),
        tab(Which::Open, v.say(Msg::OpenItems)),
        tab(Which::Needs, v.say(Msg::NeedsDecision)),
    ];
    for standing in Standing::ALL {
        let which = Which::One(standing);
        tabs.push(tab(which, v.standing(standing)));
    }
    tabs
}

/// The address of a list.
pub(super) fn address(filter: &Filter, place: Place, before: Option<u64>) -> String {
    let mut fields: Vec<String> = Vec::new();
    let amount = |minor: i64| Money::new(minor, place.currency).decimal();
    fields.extend(place.epoch.map(|epoch| format!("epoch={epoch}")));
    if filter.which != Which::All {
        fields.push(format!("state={}", filter.which.word()));
    }
    fields.extend(filter.kind.map(|kind| format!("kind={}", kind.word())));
    fields.extend(filter.older_h.map(|hours| format!("older={hours}")));
    fields.extend(filter.newer_h.map(|hours| format!("newer={hours}")));
    fields.extend(filter.min_minor.map(|minor| format!("min={}", amount(minor))));
    fields.extend(filter.max_minor.map(|minor| format!("max={}", amount(minor))));
    fields.extend(before.map(|seq| format!("before={seq}")));
    if fields.is_empty() { "/queue#items".to_owned() } else { format!("/queue?{}#items", fields.join("&")) }
}

/// A choice of a filter's field.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
    pub(super) chosen: bool,
}

/// Kinds that can be chosen.
pub(super) fn kinds(filter: &Filter, v: &Voice) -> Vec<Choice> {
    let any = Choice {
        value: String::new(),
        words: v.say(Msg::AllItems).to_owned(),
        chosen: filter.kind.is_none(),
    };
    let kind = |kind: ItemKind| Choice {
        value: kind.word().to_owned(),
        words: v.kind_of_items(&kind).to_owned(),
        chosen: filter.kind == Some(kind),
    };
    std::iter::once(any).chain(ItemKind::ALL.into_iter().map(kind)).collect()
}

/// Ages that can be chosen.
pub(super) fn ages(filter: &Filter, v: &Voice) -> Vec<Choice> {
    let any = Choice {
        value: String::new(),
        words: v.say(Msg::AnyAge).to_owned(),
        chosen: filter.older_h.is_none(),
    };
    let age = |hours: u32| Choice {
        value: hours.to_string(),
        words: v.with(Msg::OlderThan, v.age(i64::from(hours) * 3_600_000)),
        chosen: filter.older_h == Some(hours),
    };
    std::iter::once(any).chain(AGES_H.map(age)).collect()
}

/// An amount of a filter as it is typed.
pub(super) fn typed(minor: Option<i64>, currency: Currency) -> String {
    minor.map(|minor| Money::new(minor, currency).decimal()).unwrap_or_default()
}
