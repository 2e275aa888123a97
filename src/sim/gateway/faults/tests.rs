//! The switch by itself: which rule strikes what, and what a mistake in a file is told.

use std::{collections::BTreeMap, fs};

use super::*;
use crate::sim::gateway::verb::{Verb, Wallet};

fn target(verb: Verb, number: &str) -> Target<'_> {
    let code = Some("286802123456789012");
    Target { wallet: Wallet::Alipay, verb, merchant: "app", number, code, amount: Some(1_000) }
}

fn struck(faults: &Faults, number: &str) -> Option<Fault> {
    let strike = faults.strike(&target(Verb::Pay, number));
    strike.line.or(strike.customer.map(Fault::Customer))
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
    let strike = faults.strike(&target(Verb::Query, "A"));
    let expected =
        Strike { delay: Some((5, Stage::Answer)), line: Some(Fault::DropAnswer), ..Strike::default() };
    assert_eq!(strike, expected);
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

#[test]
fn a_rule_is_narrowed_by_amount_call_wallet_and_merchant() {
    let struck = |rule: Rule, calls: usize| {
        let faults = Faults::new(1);
        faults.add(rule).unwrap();
        let strikes = (0..calls).map(|_| faults.strike(&target(Verb::Pay, "A")).line.is_some());
        strikes.collect::<Vec<_>>()
    };
    let rule = || Rule::of(Fault::DropAnswer);
    assert_eq!(struck(Rule { nth: Some(2), ..rule() }, 3), [false, true, false]);
    assert_eq!(struck(Rule { min_fen: Some(1_000), max_fen: Some(1_000), ..rule() }, 1), [true]);
    assert_eq!(struck(Rule { min_fen: Some(1_001), ..rule() }, 1), [false]);
    assert_eq!(struck(Rule { max_fen: Some(999), ..rule() }, 1), [false]);
    assert_eq!(struck(Rule { wallet: Some(Wallet::Wechat), ..rule() }, 1), [false]);
    assert_eq!(struck(Rule { merchant: Some("app".into()), ..rule() }, 1), [true]);
    for (method, hit) in
        [("pay", true), ("alipay.trade.pay", true), ("wechat.codepay", false), ("query", false)]
    {
        assert_eq!(struck(Rule { method: Some(method.into()), ..rule() }, 1), [hit], "{method}");
    }
}

#[test]
fn a_mistake_in_a_rule_is_told_with_its_line_and_nothing_of_the_file_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("faults.toml");
    fs::write(&path, "[[rule]]\nkind = 'refuse'\n\n[[rule]]\nkind = 'confirm_after'\nbyte_ms = 3\n").unwrap();
    let faults = Faults::new(1);
    let error = faults.load(&path).unwrap_err().to_string();
    assert!(error.contains("line 4") && error.contains("after_ms"), "{error}");
    assert!(faults.rules().is_empty());
}

#[test]
fn every_kind_that_the_help_names_is_read_and_written_alike() {
    let kinds = [
        "pay",
        "refuse",
        "walk_away",
        "drop_request",
        "drop_answer",
        "duplicate",
        "http_error",
        "notify_first",
        "truncate",
        "unknown",
        "wrong_signature",
        "missing_signature",
        "wrong_amount",
        "paying_then_paid",
        "paid_before",
        "late",
        "discount",
    ];
    let with_time = [
        ("confirm_after", "after_ms"),
        ("refuse_after", "after_ms"),
        ("pay_after_cancel", "after_ms"),
        ("delay", "delay_ms"),
        ("slow_refund", "delay_ms"),
        ("slow_bytes", "byte_ms"),
    ];
    let texts = kinds.iter().map(|kind| (*kind, format!("kind = '{kind}'")));
    let timed = with_time.iter().map(|(kind, name)| (*kind, format!("kind = '{kind}'\n{name} = 7")));
    for (kind, text) in texts.chain(timed) {
        assert!(HELP.contains(kind), "the help leaves {kind} out");
        let rule = Rule::try_from(toml::from_str::<RuleText>(&text).unwrap()).unwrap();
        assert_eq!(rule.fault.kind(), kind);
        assert_eq!(Rule::try_from(RuleText::from(&rule)).unwrap(), rule, "{kind}");
    }
}
