//! Which items somebody wants to see, and the same as ranges and numbers that a journal can be asked for.
//!
//! Not here: asking it (`journal`).

use super::{Cases, ItemKind, Marks, RECORD_KINDS, Standing, state_of};
use crate::money::{Currency, Money};
use crate::record::Epoch;
use crate::record::queue_act::Subject;

/// The longest age that is asked for, in hours: ten years.
const HOURS_MAX: u32 = 10 * 366 * 24;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What of the queue somebody wants to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// By state.
    pub which: Which,
    /// By kind.
    pub kind: Option<ItemKind>,
    /// At least this old, in hours.
    pub older_h: Option<u32>,
    /// At most this old, in hours.
    pub newer_h: Option<u32>,
    /// At least this much, in either direction, in minor units.
    pub min_minor: Option<i64>,
    /// At most this much.
    pub max_minor: Option<i64>,
}

/// Which states.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Neither settled nor resolved.
    Open,
    /// What a person has to decide about.
    Needs,
    /// One.
    One(Standing),
}

impl Which {
    /// A stable word for addresses and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Open => "open",
            Self::Needs => "needs",
            Self::One(standing) => standing.word(),
        }
    }

    /// Of a word; none for one that is not known.
    pub fn by_word(word: &str) -> Option<Self> {
        match word {
            "" | "all" => Some(Self::All),
            "open" => Some(Self::Open),
            "needs" => Some(Self::Needs),
            word => Standing::by_word(word).map(Self::One),
        }
    }

    /// Whether it takes this state.
    pub fn takes(self, standing: Standing) -> bool {
        match self {
            Self::All => true,
            Self::Open => !matches!(standing, Standing::Settled | Standing::Resolved),
            Self::Needs => standing.needs_a_person(),
            Self::One(one) => one == standing,
        }
    }
}

/// Why a filter is not one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FilterError {
    /// No such state.
    #[error(
        "There is no state {0:?}. Use all, open, needs, recorded, sent, received, settled, refused, expired, held, parked or resolved."
    )]
    State(String),
    /// No such kind.
    #[error(
        "There is no kind {0:?}. Use sale, return, coupon, voucher, check_in, refund, late_money, shift, act or other."
    )]
    Kind(String),
    /// Not a number of hours.
    #[error("{0:?} is not a number of hours. Write a whole number, such as 24.")]
    Hours(String),
    /// Not an amount.
    #[error("{0:?} is not an amount. Write it such as 12.80.")]
    Amount(String),
}

impl Filter {
    /// Reads a filter from named values: `state`, `kind`, `older` and `newer` in hours, `min` and `max` as amounts in
    /// the till's currency. What is empty or missing limits nothing.
    ///
    /// # Errors
    /// [`FilterError`] with what can be written instead.
    pub fn read<'a>(
        value: impl Fn(&'static str) -> Option<&'a str>,
        currency: Currency,
    ) -> Result<Self, FilterError> {
        let given = |name| value(name).map(str::trim).filter(|text| !text.is_empty());
        let hours = |name| {
            let read = |text: &str| {
                let hours = text.parse().ok().filter(|hours| *hours <= HOURS_MAX);
                hours.ok_or_else(|| FilterError::Hours(text.to_owned()))
            };
            given(name).map(read).transpose()
        };
        let amount = |name| {
            let read = |text: &str| {
                let money = Money::parse(text, currency).ok().filter(|money| !money.is_negative());
                money.map(|money| money.minor).ok_or_else(|| FilterError::Amount(text.to_owned()))
            };
            given(name).map(read).transpose()
        };
        let which = given("state").unwrap_or("all");
        let kind = |word: &str| ItemKind::by_word(word).ok_or_else(|| FilterError::Kind(word.to_owned()));
        Ok(Self {
            which: Which::by_word(which).ok_or_else(|| FilterError::State(which.to_owned()))?,
            kind: given("kind").filter(|word| *word != "all").map(kind).transpose()?,
            older_h: hours("older")?,
            newer_h: hours("newer")?,
            min_minor: amount("min")?,
            max_minor: amount("max")?,
        })
    }

    /// The records of an epoch that this takes, as a journal can be asked for them.
    pub fn selection(&self, epoch: Epoch, marks: &Marks, cases: &Cases, now_ms: i64) -> Selection {
        let before = |hours: u32| now_ms.saturating_sub(i64::from(hours).saturating_mul(HOUR_MS));
        let (mut only, mut except) = (Vec::new(), Vec::new());
        for (seq, case) in cases.of_epoch(epoch) {
            let state = state_of(Subject { epoch, seq }, Some(case), marks);
            except.push(seq);
            if self.which.takes(state.standing()) {
                only.push(seq);
            }
        }
        let kinds = match self.kind {
            Some(kind) => kind.record_kinds().collect(),
            None => RECORD_KINDS.map(|(name, _)| name).to_vec(),
        };
        Selection {
            epoch,
            ranges: self.ranges(marks),
            except,
            only,
            kinds,
            other_kinds: matches!(self.kind, None | Some(ItemKind::Other)),
            sign: match self.kind {
                Some(ItemKind::Sale) => Sign::In,
                Some(ItemKind::Return) => Sign::Out,
                Some(_) | None => Sign::Any,
            },
            from_ms: self.newer_h.map(before),
            to_ms: self.older_h.map(before),
            min_minor: self.min_minor,
            max_minor: self.max_minor,
        }
    }

    /// Where the records lie whose state follows from the marks alone.
    fn ranges(&self, marks: &Marks) -> Vec<(u64, u64)> {
        let last = i64::MAX.unsigned_abs();
        let next = marks.received.saturating_add(1);
        let ruled = marks.ruled.min(marks.received);
        let mut sent: Vec<(u64, u64)> =
            marks.tries.iter().map(|tries| (tries.first.max(next), tries.last)).collect();
        sent.sort_unstable();
        let mut ranges = Vec::new();
        if self.which.takes(Standing::Settled) {
            ranges.push((1, ruled));
        }
        if self.which.takes(Standing::Received) {
            ranges.push((ruled.saturating_add(1), marks.received));
        }
        let mut at = next;
        for (first, end) in sent {
            if self.which.takes(Standing::Recorded) {
                ranges.push((at, first.saturating_sub(1)));
            }
            if self.which.takes(Standing::Sent) {
                ranges.push((first.max(at), end));
            }
            at = at.max(end.saturating_add(1));
        }
        if self.which.takes(Standing::Recorded) {
            ranges.push((at, last));
        }
        ranges.retain(|(first, end)| first <= end);
        joined(&ranges)
    }
}

/// Ranges that touch are one.
fn joined(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut out: Vec<(u64, u64)> = Vec::new();
    for &(first, end) in ranges {
        match out.last_mut() {
            Some(before) if before.1.saturating_add(1) >= first => before.1 = before.1.max(end),
            Some(_) | None => out.push((first, end)),
        }
    }
    out
}

/// Which way money goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// Either.
    Any,
    /// In, or none.
    In,
    /// Out.
    Out,
}

/// Records that a journal is asked for: those of `kinds` in `ranges` but for `except`, and those of `only`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Of which life of the journal.
    pub epoch: Epoch,
    /// First and last numbers, rising, apart.
    pub ranges: Vec<(u64, u64)>,
    /// Numbers with a case, rising: none of them is taken for its range.
    pub except: Vec<u64>,
    /// Numbers with a case that is wanted, rising.
    pub only: Vec<u64>,
    /// Kinds of records.
    pub kinds: Vec<&'static str>,
    /// Whether `only` may have records of other kinds.
    pub other_kinds: bool,
    /// Which way their money goes.
    pub sign: Sign,
    /// Not before, by the wall clock in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Not after.
    pub to_ms: Option<i64>,
    /// At least this much in either direction.
    pub min_minor: Option<i64>,
    /// At most this much.
    pub max_minor: Option<i64>,
}
