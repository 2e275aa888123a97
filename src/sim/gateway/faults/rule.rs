//! One rule of the fault switch, as it is written in TOML or JSON and as it is once checked.
//!
//! ```toml
//! [[rule]]
//! kind = "drop_answer"          # delay, drop_request, drop_answer, wrong_signature, missing_signature,
//!                               # paying_then_paid, unknown, refuse, late
//! method = "alipay.trade.pay"   # each of these narrows the rule; without any it strikes everything
//! out_trade_no = "A1"
//! pay_code = "286802123456789012"
//! pay_code_prefix = "2868"
//! rate_per_mille = 50
//! times = 1
//! # delay only: delay_ms = 3000, stage = "work" (before anything is done) or "answer" (the default)
//! # paying_then_paid only: after_queries = 2; without it a person confirms
//! # unknown only: money = "moved" or "not_moved" (the default)
//! ```

use serde::{Deserialize, Serialize};

use super::{super::request::Method, BadRule};

/// The longest delay: more than any client waits.
const MAX_DELAY_MS: u64 = 600_000;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes this long.
    Delay {
        /// Milliseconds.
        ms: u64,
        /// Where the time is lost.
        stage: Stage,
    },
    /// The connection closes before anything is done.
    DropRequest,
    /// All is done, and the connection closes without an answer.
    DropAnswer,
    /// The answer's signature is over other bytes.
    WrongSignature,
    /// The answer has no signature.
    MissingSignature,
    /// The buyer types a password first.
    PayingThenPaid {
        /// Queries that still find the trade waiting; none: until a person confirms.
        after_queries: Option<u32>,
    },
    /// Code 20000: nobody knows.
    Unknown {
        /// What really happened.
        money: Money,
    },
    /// The buyer has not enough money.
    Refuse,
    /// A cancel of an unknown order number leaves it open for a pay that arrives later.
    Late,
}

/// Where a delay loses its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before anything is done.
    Work,
    /// After all is done.
    Answer,
}

/// What an unknown answer hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Money {
    /// The request was carried out.
    Moved,
    /// It was not.
    NotMoved,
}

/// The pay codes that a rule strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayCode {
    /// This one.
    Exactly(String),
    /// All that begin so.
    StartsWith(String),
}

/// A fault and what it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Only this order.
    pub out_trade_no: Option<String>,
    /// Only requests that carry such a pay code.
    pub code: Option<PayCode>,
    /// Only this method, by its full name.
    pub method: Option<String>,
    /// How many of a thousand matching requests, 0 to 1000.
    pub rate_per_mille: u16,
    /// At most so often.
    pub times: Option<u64>,
}

impl Rule {
    /// A rule that strikes every request that this fault makes sense for.
    pub fn of(fault: Fault) -> Rule {
        Rule { fault, out_trade_no: None, code: None, method: None, rate_per_mille: 1000, times: None }
    }

    pub(super) fn matches(&self, method: Method, number: &str, code: Option<&str>) -> bool {
        let makes_sense = match self.fault {
            Fault::PayingThenPaid { .. } | Fault::Refuse => method == Method::Pay,
            Fault::Late => method == Method::Cancel,
            Fault::Delay { .. }
            | Fault::DropRequest
            | Fault::DropAnswer
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::Unknown { .. } => true,
        };
        let same_code = match &self.code {
            None => true,
            Some(PayCode::Exactly(wanted)) => code == Some(wanted.as_str()),
            Some(PayCode::StartsWith(wanted)) => code.is_some_and(|code| code.starts_with(wanted)),
        };
        makes_sense
            && same_code
            && self.out_trade_no.as_ref().is_none_or(|wanted| wanted == number)
            && self.method.as_ref().is_none_or(|wanted| wanted == method.name())
    }
}

impl Fault {
    /// The name that hits are counted under.
    pub fn kind(self) -> &'static str {
        match self {
            Fault::Delay { .. } => "delay",
            Fault::DropRequest => "drop_request",
            Fault::DropAnswer => "drop_answer",
            Fault::WrongSignature => "wrong_signature",
            Fault::MissingSignature => "missing_signature",
            Fault::PayingThenPaid { .. } => "paying_then_paid",
            Fault::Unknown { .. } => "unknown",
            Fault::Refuse => "refuse",
            Fault::Late => "late",
        }
    }
}

/// A rule as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after_queries: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    money: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pay_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pay_code_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_per_mille: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
}

impl TryFrom<RuleText> for Rule {
    type Error = BadRule;

    fn try_from(text: RuleText) -> Result<Rule, BadRule> {
        let bad = |words: &str| Err(BadRule(words.to_owned()));
        let fault = read_fault(&text)?;
        let parameters = [
            ("delay_ms", text.delay_ms.is_some(), "delay"),
            ("stage", text.stage.is_some(), "delay"),
            ("after_queries", text.after_queries.is_some(), "paying_then_paid"),
            ("money", text.money.is_some(), "unknown"),
        ];
        for (name, is_given, kind) in parameters {
            if is_given && fault.kind() != kind {
                return bad(&format!("{name} belongs to kind \"{kind}\" only; take it out"));
            }
        }
        let rate_per_mille = text.rate_per_mille.unwrap_or(1000);
        if rate_per_mille > 1000 {
            return bad("rate_per_mille is at most 1000");
        }
        if let Some(name) = text.method.as_deref().filter(|name| Method::named(name).is_none()) {
            return bad(&format!("there is no method \"{name}\"; write it in full, as alipay.trade.pay"));
        }
        let code = match (text.pay_code, text.pay_code_prefix) {
            (Some(_), Some(_)) => return bad("give pay_code or pay_code_prefix, not both"),
            (Some(code), None) => Some(PayCode::Exactly(code)),
            (None, Some(prefix)) => Some(PayCode::StartsWith(prefix)),
            (None, None) => None,
        };
        let (out_trade_no, method, times) = (text.out_trade_no, text.method, text.times);
        Ok(Rule { fault, out_trade_no, code, method, rate_per_mille, times })
    }
}

fn read_fault(text: &RuleText) -> Result<Fault, BadRule> {
    Ok(match text.kind.as_str() {
        "delay" => match text.delay_ms {
            Some(ms @ 0..=MAX_DELAY_MS) => Fault::Delay { ms, stage: text.stage.unwrap_or(Stage::Answer) },
            _ => return Err(BadRule(format!("a delay needs delay_ms, 0 to {MAX_DELAY_MS}"))),
        },
        "drop_request" => Fault::DropRequest,
        "drop_answer" => Fault::DropAnswer,
        "wrong_signature" => Fault::WrongSignature,
        "missing_signature" => Fault::MissingSignature,
        "paying_then_paid" => Fault::PayingThenPaid { after_queries: text.after_queries },
        "unknown" => Fault::Unknown { money: text.money.unwrap_or(Money::NotMoved) },
        "refuse" => Fault::Refuse,
        "late" => Fault::Late,
        other => return Err(BadRule(format!("there is no fault of kind \"{other}\""))),
    })
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> RuleText {
        let mut text = RuleText {
            kind: rule.fault.kind().to_owned(),
            out_trade_no: rule.out_trade_no.clone(),
            method: rule.method.clone(),
            rate_per_mille: Some(rule.rate_per_mille),
            times: rule.times,
            ..RuleText::default()
        };
        match rule.fault {
            Fault::Delay { ms, stage } => (text.delay_ms, text.stage) = (Some(ms), Some(stage)),
            Fault::PayingThenPaid { after_queries } => text.after_queries = after_queries,
            Fault::Unknown { money } => text.money = Some(money),
            Fault::DropRequest
            | Fault::DropAnswer
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::Refuse
            | Fault::Late => {}
        }
        match &rule.code {
            Some(PayCode::Exactly(code)) => text.pay_code = Some(code.clone()),
            Some(PayCode::StartsWith(prefix)) => text.pay_code_prefix = Some(prefix.clone()),
            None => {}
        }
        text
    }
}
