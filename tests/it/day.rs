//! Whole days by the demonstration's script, on the clock of real processes: figures, and the books behind them.
//!
//! `TILL_KILLS=200` cuts the power that often instead of twelve times, and prints the figures.

use crate::books::Books;
use crate::counter::{audited, both, till};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Power cuts in a run that is short enough for every day.
const KILLS: usize = 12;

/// Plays scripted customers into `dir`; the figures.
fn play(dir: &Path, arguments: &[&str]) -> Value {
    let (json, kept) = (dir.join("figures.json"), dir.join("kept"));
    let (json_text, kept_text) = (json.to_string_lossy(), kept.to_string_lossy());
    let mut all = vec!["demo", "--json", &json_text, "--keep", &kept_text];
    all.extend_from_slice(arguments);
    let output = till(&all);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

#[track_caller]
fn at_least(figures: &Value, name: &str, least: u64) {
    let found = figures[name].as_u64().unwrap_or_else(|| panic!("no figure {name} in {figures:#}"));
    assert!(found >= least, "{name} is {found}, not {least} or more: {figures:#}");
}

#[test]
fn a_day_of_customers_ends_with_everything_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let figures = play(folder.path(), &["--customers", "20", "--seed", "5"]);
    assert_eq!(figures["customers"], 20);
    at_least(&figures, "sales_paid", 18);
    at_least(&figures, "sales_abandoned", 1);
    at_least(&figures, "desk_sales", 2);
    at_least(&figures, "offline_sales", 1);
    at_least(&figures, "coupons_redeemed", 1);
    at_least(&figures, "vouchers_redeemed", 2);
    at_least(&figures, "check_ins", 1);
    assert_eq!(figures["receipts_printed"], figures["sales_paid"]);
    all_at_head_office(&figures);
    assert_eq!((&figures["unmatched"], &figures["sales_lost"]), (&Value::from(0), &Value::from(0)));
    let faults =
        ["delay", "drop_request", "drop_answer", "wrong_signature", "paying_then_paid", "unknown", "refuse"];
    for fault in faults {
        at_least(&figures["faults"], fault, 1);
    }
    assert!(figures["seconds"].is_u64(), "{figures:#}");
    audited(&folder.path().join("kept"));
    check_books(&folder.path().join("kept"), &figures);
}

/// A cloud that is slow at the end gets the last record at the next start.
fn all_at_head_office(figures: &Value) {
    let count = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!(count("records"), count("records_acknowledged") + count("stops_to_send"), "{figures:#}");
}

#[test]
fn power_cuts_at_random_moments_lose_nothing_and_double_nothing() {
    let wanted = std::env::var("TILL_KILLS").ok();
    let kills = wanted.as_ref().map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let figures = play(folder.path(), &["--customers", "12", "--kills", &kills.to_string(), "--seed", "3"]);
    assert_eq!(figures["kills"].as_u64(), u64::try_from(kills).ok());
    at_least(&figures, "customers", 12);
    assert_eq!((&figures["unmatched"], &figures["sales_lost"]), (&Value::from(0), &Value::from(0)));
    all_at_head_office(&figures);
    let report = audited(&folder.path().join("kept"));
    let slips = check_books(&folder.path().join("kept"), &figures);
    let boots = Books::of(&folder.path().join("kept")).bodies("booted");
    let unclean = boots.iter().filter(|boot| boot["shutdown"] == "unclean").count();
    assert_eq!(unclean, kills, "each cut is seen by the start after it");
    if wanted.is_some() {
        println!("{figures:#}\n{:#}\nslips on paper: {slips}", report["counts"]);
    }
}

/// Holds the figures against journal, ledger and paper; how many slips are on paper.
fn check_books(kept: &Path, figures: &Value) -> usize {
    let books = Books::of(kept);
    let receipts = books.receipts();
    let wanted: Vec<u64> = (1..).take(receipts.len()).collect();
    assert_eq!(receipts, wanted, "receipt numbers have no gaps");
    assert_eq!(u64::try_from(receipts.len()).ok(), figures["sales_paid"].as_u64());

    let captures = books.captures();
    let once: BTreeSet<&String> = captures.iter().collect();
    assert_eq!(once.len(), captures.len(), "an intent was captured twice: {captures:?}");
    let kept = books.captures_kept();
    for (sale, intents) in books.intents_by_sale() {
        let paid = intents.iter().filter(|intent| kept.contains(intent)).count();
        assert!(paid <= 1, "sale {sale} was paid {paid} times: {intents:?}");
    }

    let slips = books.slips();
    let mut seen = BTreeSet::new();
    for slip in slips.iter().filter(|slip| !slip.copy) {
        assert!(receipts.contains(&slip.number), "{slip:?} is on paper and not in the journal");
        assert!(seen.insert(slip.number), "receipt {} was printed twice by itself", slip.number);
    }
    assert!(!seen.is_empty(), "no number is found on the paper: look at how it is read");
    slips.len()
}
