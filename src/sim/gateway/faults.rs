//! The fault switch: which request goes wrong, how, and how often it did.
//!
//! A rule names a fault and what it strikes: a wallet, an order, an amount, a pay code, a method, the n-th call,
//! a share of the requests, a number of times. Of the rules that match a request the first of each slot strikes:
//! a delay, a customer's manner, a discount, something that happens just before, and one other fault.
//! Chance comes from the seed, the rule, the order and how often that method was called for it, so the same
//! run meets the same faults whatever the timing. Deliberately not here: carrying the faults out.

mod rule;
#[cfg(test)]
mod tests;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

pub(super) use rule::Target;
pub use rule::{Ending, Fault, Money, PayCode, Rule, Stage};
pub use text::{HELP, RuleText};

use super::{
    Error, chance,
    customer::{Discount, Manner},
};
use rule::Slot;

/// Rules beyond this are refused: each is tried at every request.
pub const MAX_RULES: usize = 1_000;
/// Order numbers whose calls are counted; beyond it counting starts anew.
const MAX_COUNTED: usize = 65_536;

/// The switch. Cheap to clone; all clones are the same switch.
#[derive(Debug, Clone)]
pub struct Faults {
    seed: u64,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Standing>,
    next_id: u64,
    calls: BTreeMap<(&'static str, String), u64>,
    hits: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Standing {
    id: u64,
    rule: Rule,
    hits: u64,
}

/// One rule and how often it struck.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport {
    /// The number `add` gave.
    pub id: u64,
    /// How often it struck.
    pub hits: u64,
    /// The rule as it would be written.
    #[serde(flatten)]
    pub rule: RuleText,
}

/// A rule was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRule(pub String);

/// What strikes one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) delay: Option<(u64, Stage)>,
    pub(super) customer: Option<Manner>,
    pub(super) discount: Option<Discount>,
    pub(super) timing: Option<Fault>,
    pub(super) line: Option<Fault>,
}

impl Strike {
    fn has(&self, slot: Slot) -> bool {
        match slot {
            Slot::Delay => self.delay.is_some(),
            Slot::Customer => self.customer.is_some(),
            Slot::Discount => self.discount.is_some(),
            Slot::Timing => self.timing.is_some(),
            Slot::Line => self.line.is_some(),
        }
    }

    fn take(&mut self, fault: Fault) {
        match fault.slot() {
            Slot::Delay => {
                if let Fault::Delay { ms, stage } = fault {
                    self.delay = Some((ms, stage));
                }
            }
            Slot::Customer => self.customer = fault.manner(),
            Slot::Discount => {
                if let Fault::Discounted(discount) = fault {
                    self.discount = Some(discount);
                }
            }
            Slot::Timing => self.timing = Some(fault),
            Slot::Line => self.line = Some(fault),
        }
    }
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults { seed, inner: Arc::default() }
    }

    /// Takes the rules of a TOML file: `[[rule]]` tables of [`RuleText`]. All of them, or none with the line of
    /// the mistake.
    pub(super) fn load(&self, path: &Path) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            rule: Vec<toml::Spanned<RuleText>>,
        }
        let text =
            fs::read_to_string(path).map_err(|source| Error::ReadFaults { path: path.to_owned(), source })?;
        let bad = |reason: String| Error::BadFaults { path: path.to_owned(), reason };
        let file: File = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let mut rules = Vec::new();
        for (rule, nth) in file.rule.into_iter().zip(1_usize..) {
            let before = text.get(..rule.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let rule = Rule::try_from(rule.into_inner());
            rules.push(rule.map_err(|error| bad(format!("line {line}, rule {nth}: {error}")))?);
        }
        for rule in rules {
            self.add(rule).map_err(|error| bad(error.to_string()))?;
        }
        Ok(())
    }

    /// Adds a rule behind those there are; returns its number.
    pub fn add(&self, rule: Rule) -> Result<u64, BadRule> {
        let mut inner = self.lock();
        if inner.rules.len() >= MAX_RULES {
            return Err(BadRule(format!("there are {MAX_RULES} rules already; clear them first")));
        }
        inner.next_id += 1;
        let id = inner.next_id;
        inner.rules.push(Standing { id, rule, hits: 0 });
        Ok(id)
    }

    /// Takes all rules away. What was counted stays.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// How often each kind of fault struck since the start, by its name.
    pub fn hits(&self) -> BTreeMap<&'static str, u64> {
        self.lock().hits.clone()
    }

    /// The rules in force.
    pub fn rules(&self) -> Vec<RuleReport> {
        let report = |standing: &Standing| RuleReport {
            id: standing.id,
            hits: standing.hits,
            rule: RuleText::from(&standing.rule),
        };
        self.lock().rules.iter().map(report).collect()
    }

    /// What strikes this request; counted as struck.
    pub(super) fn strike(&self, target: &Target<'_>) -> Strike {
        let inner = &mut *self.lock();
        if inner.calls.len() >= MAX_COUNTED {
            inner.calls.clear();
        }
        let name = target.verb.name(target.wallet);
        let nth = inner.calls.entry((name, target.number.to_owned())).or_default();
        *nth += 1;
        let nth = *nth;

        let mut strike = Strike::default();
        for standing in &mut inner.rules {
            let rule = &standing.rule;
            let is_over = rule.times.is_some_and(|times| standing.hits >= times);
            if is_over || strike.has(rule.fault.slot()) || !rule.matches(target, nth) {
                continue;
            }
            let parts = ["fault", &standing.id.to_string(), name, target.number, &nth.to_string()];
            if chance::draw(self.seed, &parts) % 1000 >= u64::from(rule.rate_per_mille) {
                continue;
            }
            standing.hits += 1;
            *inner.hits.entry(rule.fault.kind()).or_default() += 1;
            strike.take(rule.fault);
        }
        strike
    }

    /// Takes one rule away. False: it is not there.
    pub fn remove(&self, id: u64) -> bool {
        let rules = &mut self.lock().rules;
        let before = rules.len();
        rules.retain(|standing| standing.id != id);
        rules.len() < before
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
