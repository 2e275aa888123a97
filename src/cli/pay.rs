//! `till pay code`: whose pay code something is, by the rules that the counter uses.
//!
//! A pay code is worth money for about a minute: it is neither logged nor shown again, only how long it is and how
//! it begins. Not here: sending it anywhere.

use super::say;
use crate::scan::label::LabelProfile;
use crate::scan::{self, Ambiguous, Scanned, Scene, Wallet};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::io::{BufRead, Read};
use std::process::ExitCode;

/// Exit code for what is no one wallet's code.
const NOT_ONE_WALLET: u8 = 1;

/// How many of its first characters tell whose a code is.
const SHOWN_CHARACTERS: usize = 2;

#[derive(Subcommand)]
pub(super) enum Pay {
    /// Say which wallet a pay code belongs to; exits 1 when it is none's, or could be something else
    #[command(
        after_help = "Examples:\n  till pay code -                        type the code, so that it stays out of the shell's history\n  till pay code 286802123456789012 --json"
    )]
    Code(Code),
}

#[derive(Args)]
pub(super) struct Code {
    /// The code as the phone shows it; spaces do not matter. A dash reads it from standard input
    #[arg(value_name = "DIGITS")]
    digits: String,
    /// Print one JSON object instead of a sentence
    #[arg(long)]
    json: bool,
}

pub(super) fn act(pay: Pay) -> anyhow::Result<ExitCode> {
    match pay {
        Pay::Code(code) => whose(code),
    }
}

fn whose(arguments: Code) -> anyhow::Result<ExitCode> {
    let text = if arguments.digits == "-" { from_stdin()? } else { arguments.digits };
    let judgement = Judgement::of(&text);
    say(&if arguments.json { judgement.json() } else { judgement.words.clone() });
    Ok(if judgement.verdict == "wallet" { ExitCode::SUCCESS } else { ExitCode::from(NOT_ONE_WALLET) })
}

/// One line, and no more than any code on a counter has.
fn from_stdin() -> anyhow::Result<String> {
    let limit = u64::try_from(scan::SCAN_MAX_BYTES).unwrap_or(u64::MAX).saturating_add(2);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit).read_until(b'\n', &mut bytes);
    read.context("standard input cannot be read")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whose a code is.
#[derive(Debug, PartialEq, Eq)]
struct Judgement {
    /// `wallet`, `ambiguous` or `none`.
    verdict: &'static str,
    wallet: Option<&'static str>,
    scene: Option<&'static str>,
    words: String,
    characters: usize,
}

impl Judgement {
    fn of(text: &str) -> Self {
        // Phones show codes in groups of four, and people type what they see.
        let bare: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let characters = bare.chars().count();
        let none = |words: String| Self { verdict: "none", wallet: None, scene: None, words, characters };
        let scanned = scan::classify(bare.as_bytes(), None, &LabelProfile::usual());
        if let Scanned::PayCode(code) = &scanned {
            let (wallet, name) = named(code.wallet());
            let (scene, how) = shown(code.scene());
            let words = format!("{name}: {}, {how}.", described(&bare));
            return Self { verdict: "wallet", wallet: Some(wallet), scene: Some(scene), words, characters };
        }
        if let Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code, .. }) = &scanned {
            let (wallet, name) = named(pay_code.wallet());
            let words = format!(
                "Ambiguous, {}: a pay code of {name}, or the label of a counter scale. Before Pay it is the label's \
                 item; once Pay was pressed the till asks for a fresh code, unless nothing is sold under that label.",
                described(&bare)
            );
            let scene = Some(shown(pay_code.scene()).0);
            return Self { verdict: "ambiguous", wallet: Some(wallet), scene, words, characters };
        }
        if let Scanned::Emv(_) = &scanned {
            let said = described(&bare);
            return none(format!(
                "No wallet's pay code, {said}: a card scheme's, which this shop does not take."
            ));
        }
        if bare.is_empty() {
            return none("No wallet's pay code: there is nothing.".to_owned());
        }
        none(format!(
            "No wallet's pay code, {}. Alipay's have 16 to 24 digits and begin with 25 to 30; WeChat Pay's have 18 \
             and begin with 10 to 15; UnionPay's have 19 and begin with 62. Ask the customer to show the pay code.",
            described(&bare)
        ))
    }

    fn json(&self) -> String {
        serde_json::json!({
            "verdict": self.verdict,
            "wallet": self.wallet,
            "scene": self.scene,
            "characters": self.characters,
            "words": self.words,
        })
        .to_string()
    }
}

/// Enough to know again what was typed, and too little to pay with.
fn described(bare: &str) -> String {
    let what = if bare.bytes().all(|byte| byte.is_ascii_digit()) { "digits" } else { "characters" };
    let first: String =
        bare.chars().filter(|character| !character.is_control()).take(SHOWN_CHARACTERS).collect();
    format!("{} {what} beginning with {first}", bare.chars().count())
}

fn named(wallet: Wallet) -> (&'static str, &'static str) {
    match wallet {
        Wallet::Alipay => ("alipay", "Alipay"),
        Wallet::WeChat => ("wechat", "WeChat Pay"),
        Wallet::UnionPay => ("unionpay", "UnionPay (not taken yet)"),
    }
}

fn shown(scene: Scene) -> (&'static str, &'static str) {
    match scene {
        Scene::BarCode => ("bar_code", "a pay code from the phone's screen"),
        Scene::SecurityCode => ("security_code", "a code from a face terminal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_published_list_is_judged_as_there() {
        let list: Vec<(String, String)> =
            serde_json::from_str(include_str!("../../tests/data/auth_codes.json")).unwrap();
        assert_eq!(list.len(), 13);
        for (code, told) in list {
            let judgement = Judgement::of(&code);
            let expected =
                ["alipay", "wechat", "unionpay"].into_iter().find(|wallet| told.starts_with(wallet));
            assert_eq!(judgement.wallet, expected, "{code}: {judgement:?}");
            assert_eq!(judgement.verdict == "none", expected.is_none(), "{code}: {judgement:?}");
            assert_ne!(judgement.verdict, "ambiguous", "{code}");
            let said = judgement.json();
            assert!(!said.contains(&code), "a code is not repeated: {said}");
            assert!(!said.contains(code.get(3..7).unwrap()), "nor a part of it: {said}");
        }
        assert_eq!(Judgement::of("fp0012345678901234567890123456789abc").scene, Some("security_code"));
    }

    #[test]
    fn spaces_do_not_matter_and_overlapping_shapes_are_told() {
        assert_eq!(Judgement::of(" 2868 0212 3456 7890 12\n"), Judgement::of("286802123456789012"));
        // Eighteen digits whose last is the check digit of a counter scale's label.
        let labelled = (0..10).map(|digit| format!("28680212345678901{digit}"));
        let ambiguous: Vec<Judgement> =
            labelled.map(|code| Judgement::of(&code)).filter(|one| one.verdict == "ambiguous").collect();
        assert_eq!(ambiguous.len(), 1);
        assert_eq!(ambiguous[0].wallet, Some("alipay"));
    }

    #[test]
    fn whatever_is_typed_is_answered() {
        for text in ["", "   ", "hello", "4006381333931", "\u{1}\u{2}", &"9".repeat(5000), "咖啡"] {
            let judgement = Judgement::of(text);
            assert_eq!(judgement.verdict, "none", "{judgement:?}");
            assert!(judgement.words.ends_with('.') && judgement.words.len() < 500);
        }
    }
}
