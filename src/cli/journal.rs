//! Checking a journal where it lies or as somebody hands it over, and reading single records of it.
//!
//! Not here: what is checked (`journal::export::verify`), and making exports (`queue`).

use super::put;
use super::queue::Place;
use crate::journal::export::verify::{self, Known, Report};
use crate::record::ids::hex;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Journal {
    /// Check every record, the chain, the signatures and the end; exits 1 when something does not hold
    #[command(
        after_help = "Examples:\n  till journal verify queue.jsonl --device GR2Q-7GF5-LH6P-ZFDN --root Q7MZ-…   a file that was handed over\n  till journal verify --dir /var/lib/till                                        the journal where it lies\n\nThe fingerprints stand at head office: till cloud pair list.\nA reader that shares no code with this one is docs/verify.py."
    )]
    Verify(Verify),
    /// Print one record: its header, its body, its bytes and hash
    #[command(after_help = "Example:\n  till journal show 4711 --config /etc/till/till.toml")]
    Show {
        /// The record's number
        seq: u64,
        #[command(flatten)]
        place: Place,
        /// In this epoch instead of the current one
        #[arg(long)]
        epoch: Option<crate::record::Epoch>,
    },
}

#[derive(Args)]
pub(super) struct Verify {
    /// The exported file; - is standard input
    #[arg(required_unless_present_any = ["dir", "config"], conflicts_with_all = ["dir", "config"])]
    file: Option<PathBuf>,
    /// A state directory, instead of a file
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    dir: Option<PathBuf>,
    /// The state directory that this configuration names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The fingerprint of the till's device key, as head office has it; in a directory, keys/device is compared
    #[arg(long, value_name = "FINGERPRINT")]
    device: Option<String>,
    /// The fingerprint of head office's root
    #[arg(long, value_name = "FINGERPRINT")]
    root: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Records without a body that a person is told one by one.
const ERASED_SHOWN: usize = 200;

/// Faults that a person is told one by one; the number of all stands below them, and `--json` has more.
const FAULTS_SHOWN: usize = 20;

pub(super) fn act(part: &Journal) -> anyhow::Result<ExitCode> {
    match part {
        Journal::Verify(asked) => verify(asked),
        Journal::Show { seq, place, epoch } => show(*seq, place, *epoch),
    }
}

fn verify(asked: &Verify) -> anyhow::Result<ExitCode> {
    // People copy fingerprints in either case.
    let upper = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_uppercase());
    let known = Known { device: upper(&asked.device), root: upper(&asked.root) };
    let report = match (&asked.file, &asked.dir, &asked.config) {
        (Some(file), _, _) => {
            let unread = || format!("{} cannot be read", file.display());
            let from: Box<dyn BufRead> = if file.as_os_str() == "-" {
                Box::new(std::io::stdin().lock())
            } else {
                Box::new(BufReader::new(File::open(file).with_context(unread)?))
            };
            verify::file(from, &known, progress).with_context(unread)?
        }
        (None, dir, config) => {
            let books = Place { dir: dir.clone(), config: config.clone() }.open()?;
            progress_begins("every page of the file …");
            verify::journal(&books.reader, books.edge.as_ref(), &known, progress)?
        }
    };
    progress_ends();
    let text = if asked.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        to_text(&report, asked.file.is_some())
    };
    // What was found stands, whether or not somebody reads it to the end.
    put(text.as_bytes())?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells somebody at a terminal what goes on.
fn progress_begins(words: &str) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        // Nobody is helped by a failure to say this.
        let _ = write!(err, "\r{words:30}");
    }
}

/// Tells somebody at a terminal that it goes on.
pub(super) fn progress(records: u64) {
    progress_begins(&format!("{records} records …"));
}

/// Leaves the line free for what comes.
pub(super) fn progress_ends() {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r{:30}\r", "");
    }
}

fn to_text(report: &Report, is_file: bool) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{words}");
    };
    let terminal = report.terminal.as_ref().map_or("No till", |terminal| terminal.as_str());
    for stream in &report.streams {
        let (epoch, first, last) = (stream.epoch, stream.first_seq, stream.seq);
        line(format!("{terminal}, epoch {epoch}: records {first} to {last}, ending in {}.", stream.head));
        if first > 1 {
            line(format!(
                "  What is before record {first} is not in it, so the chain is checked from there on."
            ));
        }
    }
    line(format!("Chain      {} records were followed from header to header.", report.records));
    let mut bodies = format!("Bodies     {} are the ones that their headers name.", report.bodies);
    if report.erased > 0 {
        let _ = write!(bodies, " {} were erased because a member asked to be forgotten.", report.erased);
    }
    if report.shut > 0 {
        let _ = write!(bodies, " {} lie sealed and were NOT checked: the key is not here.", report.shut);
    }
    line(bodies);
    for (epoch, erased) in &report.erased_in {
        let shown: Vec<String> = erased.iter().take(ERASED_SHOWN).map(u64::to_string).collect();
        let more = match erased.len().saturating_sub(ERASED_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more (--json names them)"),
        };
        line(format!("           Erased in epoch {epoch}: {}{more}.", shown.join(", ")));
    }
    match (&report.device, is_file) {
        (Some(device), _) => {
            line(format!(
                "Signed     by the device {device}. Compare it with head office: till cloud pair list."
            ));
        }
        (None, true) => line("Signed     by nobody.".to_owned()),
        (None, false) => {}
    }
    match &report.root {
        Some(root) => {
            line(format!(
                "Witness    head office (root {root}) has signed {} heads of it.",
                report.witnessed
            ));
            for (epoch, (seq, at_ms)) in &report.witnessed_to {
                let at = jiff::Timestamp::from_millisecond(*at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                line(format!("           Received up to record {seq} of epoch {epoch} at {at:.0}."));
            }
        }
        None => line(
            "Witness    none: head office has signed nothing of it, so a cut tail would not show.".to_owned(),
        ),
    }
    if report.unknown_heads > 0 {
        line(format!("           {} heads are signed by keys that are not at hand.", report.unknown_heads));
    }
    for fault in report.faults.iter().take(FAULTS_SHOWN) {
        let at = match (fault.line, fault.seq) {
            (Some(number), _) => format!("line {number}: "),
            (None, Some(seq)) => format!("record {seq}: "),
            (None, None) => String::new(),
        };
        line(format!("FAULT      {at}{} [{}]", fault.words, fault.code));
    }
    match report.faults_in_all {
        0 => line("Nothing was found that does not hold.".to_owned()),
        1 => line("One thing does not hold.".to_owned()),
        many => line(format!("{many} things do not hold.")),
    }
    text
}

fn show(seq: u64, place: &Place, epoch: Option<crate::record::Epoch>) -> anyhow::Result<ExitCode> {
    let books = place.open()?;
    let epoch = books.epoch(epoch)?;
    // No record has a number that the journal cannot even ask for.
    let found = if i64::try_from(seq).is_ok() { books.reader.raw(epoch, seq, 1, 0)? } else { Vec::new() };
    let Some(raw) = found.into_iter().find(|raw| raw.seq == seq) else {
        let kept_from = books.reader.kept_from(epoch)?;
        if (1..kept_from).contains(&seq) {
            anyhow::bail!(
                "record {seq} of epoch {epoch} is not kept here any more: head office has it. This journal keeps records from {kept_from} on"
            );
        }
        anyhow::bail!("there is no record {seq} in epoch {epoch}")
    };
    let record = raw.clone().open()?;
    let header = &record.header;
    let body = if raw.is_erased() {
        serde_json::Value::Null
    } else {
        serde_json::from_slice(&raw.body).unwrap_or_else(|_| hex(&raw.body).into())
    };
    let shown = serde_json::json!({
        "terminal": header.terminal, "epoch": header.epoch, "seq": header.seq, "kind": header.kind,
        "kind_version": header.kind_version, "sale": header.sale, "station": header.station,
        "wall_ms": header.moment.wall_ms, "monotonic_ms": header.moment.monotonic_ms,
        "cloud_offset_ms": header.moment.cloud_offset_ms, "business_date": header.business_date.to_string(),
        "shift": header.shift, "staff": header.staff, "approver": header.approver, "mode": header.mode,
        "receipt": header.receipt, "serial": header.serial, "amount": header.amount,
        "previous": header.previous, "body_hash": header.body_hash, "hash": record.hash,
        "body": body, "erased": raw.is_erased(), "salt": hex(&raw.salt), "head": hex(&raw.head),
    });
    put(format!("{}\n", serde_json::to_string_pretty(&shown)?).as_bytes())
}
