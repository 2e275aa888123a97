//! The fault switch: which request goes wrong, how, and how often it did.
//!
//! A rule names a fault and what it strikes: an order number, a pay code, a method, a share of the requests, a
//! number of times. Of the rules that match a request the first delay and the first other fault strike it.
//! Chance comes from the seed, the rule, the order and how often that method was called for it, so the same
//! run meets the same faults whatever the timing. Deliberately not here: carrying the faults out.

mod rule;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

pub use rule::{Fault, Money, PayCode, Rule, RuleText, Stage};

use super::{
    Error, chance,
    request::{Call, Method},
};

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) delay: Option<(u64, Stage)>,
    pub(super) fault: Option<Fault>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults { seed, inner: Arc::default() }
    }

    /// Takes the rules of a TOML file: `[[rule]]` tables of [`RuleText`].
    pub(super) fn load(&self, path: &Path) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            rule: Vec<RuleText>,
        }
        let text =
            fs::read_to_string(path).map_err(|source| Error::ReadFaults { path: path.to_owned(), source })?;
        let bad = |reason: String| Error::BadFaults { path: path.to_owned(), reason };
        let file: File = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        for (index, text) in file.rule.into_iter().enumerate() {
            let added = Rule::try_from(text).and_then(|rule| self.add(rule));
            added.map_err(|error| bad(format!("rule {}: {error}", index + 1)))?;
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
    pub(super) fn strike(&self, call: &Call) -> Strike {
        let number = call.out_trade_no().unwrap_or_default();
        let code = call.pay_code();
        self.strike_parts(call.method, &number, code.as_deref())
    }

    fn strike_parts(&self, method: Method, number: &str, code: Option<&str>) -> Strike {
        let inner = &mut *self.lock();
        if inner.calls.len() >= MAX_COUNTED {
            inner.calls.clear();
        }
        let nth = inner.calls.entry((method.name(), number.to_owned())).or_default();
        *nth += 1;
        let nth = nth.to_string();

        let mut strike = Strike::default();
        for standing in &mut inner.rules {
            let rule = &standing.rule;
            let taken = match rule.fault {
                Fault::Delay { .. } => strike.delay.is_some(),
                Fault::DropRequest
                | Fault::DropAnswer
                | Fault::WrongSignature
                | Fault::MissingSignature
                | Fault::PayingThenPaid { .. }
                | Fault::Unknown { .. }
                | Fault::Refuse
                | Fault::Late => strike.fault.is_some(),
            };
            if taken || rule.times.is_some_and(|times| standing.hits >= times) {
                continue;
            }
            let id = standing.id.to_string();
            let chance = chance::draw(self.seed, &["fault", &id, method.name(), number, &nth]) % 1000;
            if !rule.matches(method, number, code) || chance >= u64::from(rule.rate_per_mille) {
                continue;
            }
            standing.hits += 1;
            *inner.hits.entry(rule.fault.kind()).or_default() += 1;
            match rule.fault {
                Fault::Delay { ms, stage } => strike.delay = Some((ms, stage)),
                Fault::DropRequest
                | Fault::DropAnswer
                | Fault::WrongSignature
                | Fault::MissingSignature
                | Fault::PayingThenPaid { .. }
                | Fault::Unknown { .. }
                | Fault::Refuse
                | Fault::Late => strike.fault = Some(rule.fault),
            }
        }
        strike
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(faults: &Faults, number: &str) -> Option<Fault> {
        faults.strike_parts(Method::Pay, number, Some("286802123456789012")).fault
    }

    #[test]
    fn a_rule_strikes_what_it_names_as_often_as_it_says() {
        let faults = Faults::new(1);
        let rule = Rule { out_trade_no: Some("A".into()), times: Some(2), ..Rule::of(Fault::DropAnswer) };
        faults.add(rule).unwrap();
        assert_eq!(struck(&faults, "B"), None);
        assert_eq!(struck(&faults, "A"), Some(Fault::DropAnswer));
        assert_eq!(struck(&faults, "A"), Some(Fault::DropAnswer));
        assert_eq!(struck(&faults, "A"), None);
        assert_eq!(faults.hits(), BTreeMap::from([("drop_answer", 2)]));
    }

    #[test]
    fn a_pay_code_is_matched_whole_or_by_its_beginning() {
        for (code, hit) in [
            (PayCode::Exactly("286802123456789012".into()), true),
            (PayCode::Exactly("2868".into()), false),
            (PayCode::StartsWith("2868".into()), true),
            (PayCode::StartsWith("29".into()), false),
        ] {
            let faults = Faults::new(1);
            faults.add(Rule { code: Some(code.clone()), ..Rule::of(Fault::Refuse) }).unwrap();
            assert_eq!(struck(&faults, "A").is_some(), hit, "{code:?}");
        }
    }

    #[test]
    fn a_rate_is_kept_and_the_same_seed_strikes_the_same_orders() {
        let run = |seed| -> Vec<bool> {
            let faults = Faults::new(seed);
            faults.add(Rule { rate_per_mille: 200, ..Rule::of(Fault::WrongSignature) }).unwrap();
            (0..1000).map(|number| struck(&faults, &format!("N{number}")).is_some()).collect()
        };
        let hits = run(7).into_iter().filter(|hit| *hit).count();
        assert!((150..250).contains(&hits), "{hits}");
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn a_delay_and_another_fault_strike_together() {
        let faults = Faults::new(1);
        faults.add(Rule::of(Fault::Delay { ms: 5, stage: Stage::Answer })).unwrap();
        faults.add(Rule::of(Fault::DropAnswer)).unwrap();
        faults.add(Rule::of(Fault::WrongSignature)).unwrap();
        let strike = faults.strike_parts(Method::Query, "A", None);
        assert_eq!(strike, Strike { delay: Some((5, Stage::Answer)), fault: Some(Fault::DropAnswer) });
    }

    #[test]
    fn a_fault_file_with_a_mistake_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("faults.toml");
        for (text, word) in [
            ("[[rule]]\nkind = 'delay'\n", "delay_ms"),
            ("[[rule]]\nkind = 'explode'\n", "explode"),
            ("[[rule]]\nkind = 'refuse'\ncolour = 1\n", "colour"),
            ("[[rule]]\nkind = 'refuse'\n[[rule]]\nkind = 'refuse'\nrate_per_mille = 1001\n", "rule 2"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Faults::new(1).load(&path).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        fs::write(&path, "[[rule]]\nkind = 'unknown'\nmoney = 'moved'\ntimes = 1\n").unwrap();
        let faults = Faults::new(1);
        faults.load(&path).unwrap();
        assert_eq!(faults.rules().len(), 1);
    }
}
