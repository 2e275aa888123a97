//! A rule as it is written in a fault file or posted as JSON, read and checked.
//!
//! [`HELP`] is the description for people; the program prints it, and a test holds it against this file.
//! Deliberately not here: what a rule does.

use serde::{Deserialize, Serialize};

use super::{
    super::{
        customer::{Discount, MAX_AFTER_MS, Manner},
        verb::{Verb, Wallet},
        yuan,
    },
    BadRule,
    rule::{Ending, Fault, Money, PayCode, Rule, Stage},
};

/// The longest delay: more than any client waits.
const MAX_DELAY_MS: u64 = 600_000;
/// The slowest a byte may be.
const MAX_BYTE_MS: u64 = 10_000;
/// The furthest an amount may be off: a million yuan.
const MAX_OFF_FEN: u64 = 100_000_000;

/// The file's format, for people.
pub const HELP: &str = "\
A fault file is TOML: one [[rule]] for each fault, tried from the top at every request.

  [[rule]]                        # the answer to the first pay of every order is lost, for 5 % of them
  kind = \"drop_answer\"
  method = \"pay\"
  rate_per_mille = 50

  [[rule]]                        # order A1: a password for three seconds, then paid
  kind = \"confirm_after\"
  after_ms = 3000
  out_trade_no = \"A1\"

What a rule strikes; each key narrows it, and without any it strikes every request the kind is made for:
  wallet = \"alipay\" or \"wechat\"    merchant = app id or mchid    out_trade_no = order number
  method = pay, precreate, query, cancel, close, refund, refund_query, certificate or notify at either wallet,
           or the wallet's own: alipay.trade.pay, alipay.trade.cancel ...; wechat.codepay, wechat.native,
           wechat.query, wechat.reverse, wechat.close, wechat.refund, wechat.refund_query
           (certificate and notify are struck only by rules that name them)
  amount = \"12.30\"    min_amount, max_amount = yuan    pay_code = \"28...\"    pay_code_prefix = \"28\"
  nth = 2               only the second call of that method for that order
  times = 1             at most so often in all
  rate_per_mille = 50   of 1000 matching requests so many, the same ones for the same --seed

The line:
  drop_request       the line dies, nothing is done            (notify: it does not arrive, and is sent again)
  drop_answer        all is done, the line dies                (notify: the reply is lost, it is sent again)
  duplicate          it arrives twice
  delay              delay_ms = 3000, stage = \"work\" (nothing is done yet) or \"answer\" (the default)
  slow_bytes         byte_ms = 50 for each byte of the answer
  truncate           keep = 40 bytes (default half), ending = \"cut\" (the line dies) or \"short\"
  http_error         status = 502, money = \"moved\" or \"not_moved\" (the default)
  notify_first       the notification arrives before this request's answer
The answer:
  unknown            20000 or SYSTEM_ERROR, money = \"moved\" or \"not_moved\" (the default)
  wrong_signature, missing_signature
  wrong_amount       by_fen = 1, rightly signed
  slow_refund        delay_ms = 5000: the refund is under way for so long (WeChat Pay)
The customer:
  pay, refuse, walk_away
  confirm_after, refuse_after            after_ms = 3000
  paying_then_paid                       after_queries = 2; without it until somebody confirms on /play
  pay_after_cancel                       after_ms = 0: the money moves after a cancel that said \"closed\"
  paid_before                            the buyer pays just before this request: method = \"cancel\"
  late                                   a cancel of an unknown number does not stop a pay that comes later
  discount                               merchant_part = \"10.00\", platform_part = \"5.00\", points_part = \"2.00\"

Of the rules that match, the first of each of these strikes: delay; customer; discount; paid_before or
notify_first; any other.
";

/// A rule as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleText {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_fen: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_queries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_part: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_part: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    points_part: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet: Option<Wallet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_code_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_per_mille: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
}

fn bad<T>(words: impl Into<String>) -> Result<T, BadRule> {
    Err(BadRule(words.into()))
}

impl TryFrom<RuleText> for Rule {
    type Error = BadRule;

    fn try_from(text: RuleText) -> Result<Rule, BadRule> {
        let fault = read_fault(&text)?;
        text.check_parameters(fault.kind())?;
        let rate_per_mille = text.rate_per_mille.unwrap_or(1000);
        if rate_per_mille > 1000 {
            return bad("rate_per_mille is at most 1000");
        }
        if text.nth == Some(0) {
            return bad("nth counts from 1");
        }
        if let Some(name) = text.method.as_deref().filter(|name| !Verb::is_known(name)) {
            return bad(format!(
                "there is no method \"{name}\"; write pay, query, cancel ..., or in full, as alipay.trade.pay"
            ));
        }
        let code = match (text.pay_code, text.pay_code_prefix) {
            (Some(_), Some(_)) => return bad("give pay_code or pay_code_prefix, not both"),
            (Some(code), None) => Some(PayCode::Exactly(code)),
            (None, Some(prefix)) => Some(PayCode::StartsWith(prefix)),
            (None, None) => None,
        };
        if text.amount.is_some() && (text.min_amount.is_some() || text.max_amount.is_some()) {
            return bad("give amount, or min_amount and max_amount, not both");
        }
        let min_fen = fen("min_amount", text.min_amount.as_ref().or(text.amount.as_ref()))?;
        let max_fen = fen("max_amount", text.max_amount.as_ref().or(text.amount.as_ref()))?;
        Ok(Rule {
            fault,
            wallet: text.wallet,
            merchant: text.merchant,
            out_trade_no: text.out_trade_no,
            code,
            method: text.method,
            min_fen,
            max_fen,
            nth: text.nth,
            rate_per_mille,
            times: text.times,
        })
    }
}

fn fen(name: &str, text: Option<&String>) -> Result<Option<i64>, BadRule> {
    let read = |text: &String| {
        yuan::parse(text).ok_or_else(|| BadRule(format!("{name} is yuan in quotes, like \"12.30\"")))
    };
    text.map(read).transpose()
}

impl RuleText {
    /// Refuses what belongs to another kind: a rule that says more than it does misleads its reader.
    fn check_parameters(&self, kind: &str) -> Result<(), BadRule> {
        let parameters: [(&str, bool, &[&str]); 13] = [
            ("delay_ms", self.delay_ms.is_some(), &["delay", "slow_refund"]),
            ("stage", self.stage.is_some(), &["delay"]),
            ("byte_ms", self.byte_ms.is_some(), &["slow_bytes"]),
            ("keep", self.keep.is_some(), &["truncate"]),
            ("ending", self.ending.is_some(), &["truncate"]),
            ("status", self.status.is_some(), &["http_error"]),
            ("by_fen", self.by_fen.is_some(), &["wrong_amount"]),
            ("after_ms", self.after_ms.is_some(), &["confirm_after", "refuse_after", "pay_after_cancel"]),
            ("after_queries", self.after_queries.is_some(), &["paying_then_paid"]),
            ("money", self.money.is_some(), &["unknown", "http_error"]),
            ("merchant_part", self.merchant_part.is_some(), &["discount"]),
            ("platform_part", self.platform_part.is_some(), &["discount"]),
            ("points_part", self.points_part.is_some(), &["discount"]),
        ];
        for (name, is_given, kinds) in parameters {
            if is_given && !kinds.contains(&kind) {
                let kinds = kinds.join(" or ");
                return bad(format!("{name} belongs to kind {kinds}, not to {kind}; take it out"));
            }
        }
        Ok(())
    }

    fn after_ms(&self) -> Result<i64, BadRule> {
        match self.after_ms {
            Some(ms @ 0..=MAX_AFTER_MS) => Ok(ms),
            _ => bad(format!("{} needs after_ms, 0 to {MAX_AFTER_MS}", self.kind)),
        }
    }
}

fn read_fault(text: &RuleText) -> Result<Fault, BadRule> {
    let delay = || match text.delay_ms {
        Some(ms @ 0..=MAX_DELAY_MS) => Ok(ms),
        _ => bad(format!("{} needs delay_ms, 0 to {MAX_DELAY_MS}", text.kind)),
    };
    let money = text.money.unwrap_or(Money::NotMoved);
    Ok(match text.kind.as_str() {
        "delay" => Fault::Delay { ms: delay()?, stage: text.stage.unwrap_or(Stage::Answer) },
        "drop_request" => Fault::DropRequest,
        "drop_answer" => Fault::DropAnswer,
        "duplicate" => Fault::Duplicate,
        "http_error" => match text.status.unwrap_or(502) {
            status @ 400..=599 => Fault::HttpError { status, money },
            _ => return bad("an HTTP error's status is from 400 to 599"),
        },
        "wrong_signature" => Fault::WrongSignature,
        "missing_signature" => Fault::MissingSignature,
        "truncate" => Fault::Truncate { keep: text.keep, ending: text.ending.unwrap_or(Ending::Cut) },
        "slow_bytes" => match text.byte_ms {
            Some(byte_ms @ 1..=MAX_BYTE_MS) => Fault::SlowBytes { byte_ms },
            _ => return bad(format!("slow_bytes needs byte_ms, 1 to {MAX_BYTE_MS}")),
        },
        "wrong_amount" => match text.by_fen.unwrap_or(1) {
            by_fen if by_fen.unsigned_abs() <= MAX_OFF_FEN => Fault::WrongAmount { by_fen },
            _ => return bad(format!("by_fen is from -{MAX_OFF_FEN} to {MAX_OFF_FEN}")),
        },
        "paid_before" => Fault::PaidBefore,
        "notify_first" => Fault::NotifyFirst,
        "paying_then_paid" => Fault::PayingThenPaid { after_queries: text.after_queries },
        "unknown" => Fault::Unknown { money },
        "refuse" => Fault::Refuse,
        "late" => Fault::Late,
        "pay" => Fault::Customer(Manner::Pay),
        "walk_away" => Fault::Customer(Manner::WalkAway),
        "confirm_after" => Fault::Customer(Manner::ConfirmAfter { after_ms: text.after_ms()? }),
        "refuse_after" => Fault::Customer(Manner::RefuseAfter { after_ms: text.after_ms()? }),
        "pay_after_cancel" => Fault::Customer(Manner::PayAfterCancel { after_ms: text.after_ms()? }),
        "slow_refund" => Fault::SlowRefund { ms: delay()? },
        "discount" => Fault::Discounted(Discount {
            merchant: fen("merchant_part", text.merchant_part.as_ref())?.unwrap_or(0),
            platform: fen("platform_part", text.platform_part.as_ref())?.unwrap_or(0),
            points: fen("points_part", text.points_part.as_ref())?.unwrap_or(0),
        }),
        "" => return bad("a rule needs a kind, as kind = \"drop_answer\""),
        other => {
            return bad(format!(
                "there is no fault of kind \"{other}\"; `till sim wallets --help` lists them"
            ));
        }
    })
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> RuleText {
        let mut text = RuleText {
            kind: rule.fault.kind().to_owned(),
            wallet: rule.wallet,
            merchant: rule.merchant.clone(),
            out_trade_no: rule.out_trade_no.clone(),
            method: rule.method.clone(),
            min_amount: rule.min_fen.map(yuan::format),
            max_amount: rule.max_fen.map(yuan::format),
            nth: rule.nth,
            rate_per_mille: Some(rule.rate_per_mille),
            times: rule.times,
            ..RuleText::default()
        };
        match rule.fault {
            Fault::Delay { ms, stage } => (text.delay_ms, text.stage) = (Some(ms), Some(stage)),
            Fault::SlowRefund { ms } => text.delay_ms = Some(ms),
            Fault::PayingThenPaid { after_queries } | Fault::Customer(Manner::Password { after_queries }) => {
                text.after_queries = after_queries;
            }
            Fault::Unknown { money } => text.money = Some(money),
            Fault::HttpError { status, money } => (text.status, text.money) = (Some(status), Some(money)),
            Fault::Truncate { keep, ending } => (text.keep, text.ending) = (keep, Some(ending)),
            Fault::SlowBytes { byte_ms } => text.byte_ms = Some(byte_ms),
            Fault::WrongAmount { by_fen } => text.by_fen = Some(by_fen),
            Fault::Customer(
                Manner::ConfirmAfter { after_ms }
                | Manner::RefuseAfter { after_ms }
                | Manner::PayAfterCancel { after_ms },
            ) => text.after_ms = Some(after_ms),
            Fault::Discounted(discount) => {
                text.merchant_part = Some(yuan::format(discount.merchant));
                text.platform_part = Some(yuan::format(discount.platform));
                text.points_part = Some(yuan::format(discount.points));
            }
            Fault::DropRequest
            | Fault::DropAnswer
            | Fault::Duplicate
            | Fault::WrongSignature
            | Fault::MissingSignature
            | Fault::PaidBefore
            | Fault::NotifyFirst
            | Fault::Refuse
            | Fault::Customer(Manner::Pay | Manner::Refuse | Manner::WalkAway)
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
