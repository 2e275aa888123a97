//! Looking at the queue: a table or JSON, and one item in full.

use super::{Books, Place, lacking};
use crate::cli::put;
use crate::journal::reader::Sum;
use crate::journal::{Lacking, LackingSum};
use crate::locales::Lang;
use crate::queue::{Cases, Filter, Item, Marks, words};
use crate::record::Epoch;
use crate::record::queue_act::QueueAct;
use clap::Args;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    chosen: Chosen,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Only below this number: the page after the one that ended there
    #[arg(long, value_name = "SEQ")]
    before: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which items.
#[derive(Args)]
pub(super) struct Chosen {
    /// By state: open, needs, all, or one of the states
    #[arg(long, default_value = "open")]
    state: String,
    /// By kind
    #[arg(long)]
    kind: Option<String>,
    /// At least so many hours old
    #[arg(long, value_name = "HOURS")]
    older: Option<String>,
    /// At most so many hours old
    #[arg(long, value_name = "HOURS")]
    newer: Option<String>,
    /// At least this much money, such as 12.80
    #[arg(long, value_name = "AMOUNT")]
    min: Option<String>,
    /// At most this much money
    #[arg(long, value_name = "AMOUNT")]
    max: Option<String>,
    /// In this epoch instead of the current one
    #[arg(long)]
    pub(super) epoch: Option<Epoch>,
}

#[derive(Args)]
pub(in crate::cli) struct Show {
    /// The item's number, as till queue list shows it
    seq: u64,
    #[command(flatten)]
    place: Place,
    /// In this epoch instead of the current one
    #[arg(long)]
    epoch: Option<Epoch>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Items of one epoch, and what all of their sort come to.
pub(super) struct Found {
    pub(super) epoch: Epoch,
    pub(super) marks: Marks,
    pub(super) items: Vec<Item>,
    pub(super) sums: Vec<Sum>,
    pub(super) end: u64,
}

impl Chosen {
    pub(super) fn find(&self, books: &Books, before: Option<u64>, limit: u32) -> anyhow::Result<Found> {
        let value = |name| match name {
            "state" => Some(self.state.as_str()),
            "kind" => self.kind.as_deref(),
            "older" => self.older.as_deref(),
            "newer" => self.newer.as_deref(),
            "min" => self.min.as_deref(),
            "max" => self.max.as_deref(),
            _ => None,
        };
        let filter = Filter::read(value, books.currency)?;
        let epoch = books.epoch(self.epoch)?;
        let (marks, cases) = (books.marks(epoch)?, books.cases()?);
        let now_ms = crate::clock::Clock::new().unix_ms();
        let selection = filter.selection(epoch, &marks, &cases, now_ms);
        let headers = books.reader.items(&selection, before, limit)?;
        let items = headers.iter().map(|header| Item::of(header, &marks, &cases)).collect();
        let sums = books.reader.sums(&selection)?;
        let end = books.reader.epochs()?.iter().find(|end| end.epoch == epoch).map_or(0, |end| end.tip.seq);
        Ok(Found { epoch, marks, items, sums, end })
    }
}

pub(super) fn list(asked: &List) -> anyhow::Result<ExitCode> {
    let books = asked.place.open()?;
    let found = asked.chosen.find(&books, asked.before, asked.limit)?;
    let (standing, lists) = (books.standing(found.epoch)?, books.reader.lacking());
    if asked.json {
        let sums: Vec<LackingSum> = lists.iter().map(Lacking::sum).collect();
        let json = serde_json::json!({
            "standing": standing, "lacking": sums,
            "epoch": found.epoch, "end": found.end, "received": found.marks.received,
            "ruled": found.marks.ruled, "sums": found.sums, "items": found.items,
        });
        return put(format!("{}\n", serde_json::to_string_pretty(&json)?).as_bytes());
    }
    let mut text = String::new();
    let (received, end) = (found.marks.received, found.end);
    let _ = writeln!(text, "Epoch {}: {received} of {end} records received by head office.", found.epoch);
    text.push_str(&lacking::lines(standing, &lists));
    if found.items.is_empty() {
        text.push_str("There is no such item.\n");
        return put(text.as_bytes());
    }
    let _ = writeln!(
        text,
        "\n{:>8}  {:<16}  {:<12} {:>8}  {:>14}  where it stands",
        "number", "when", "what", "receipt", "amount"
    );
    for item in &found.items {
        let amount = item.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let receipt = item.receipt.map(|number| number.to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>8}  {:<16}  {:<12} {receipt:>8}  {amount:>14}  {}",
            item.seq,
            at(&books, item.corrected_ms),
            words::kind(item.kind, Lang::En),
            words::state(item, Lang::En)
        );
    }
    text.push('\n');
    for sum in &found.sums {
        let worth = sum.worth.map(|worth| format!(", {worth}")).unwrap_or_default();
        let _ = writeln!(text, "{} × {}{worth}", sum.count, words::kind(sum.kind, Lang::En));
    }
    let in_all: u64 = found.sums.iter().map(|sum| sum.count).sum();
    let shown = u64::try_from(found.items.len()).unwrap_or(u64::MAX);
    if in_all > shown
        && let Some(last) = found.items.last()
    {
        let _ = writeln!(text, "{shown} of {in_all} are shown; the next: --before {}", last.seq);
    }
    put(text.as_bytes())
}

pub(super) fn show(asked: &Show) -> anyhow::Result<ExitCode> {
    let books = asked.place.open()?;
    let epoch = books.epoch(asked.epoch)?;
    let Some(header) = books.reader.header(epoch, asked.seq)? else {
        anyhow::bail!("there is no record {} in epoch {epoch}: look at till queue list", asked.seq);
    };
    let (marks, cases): (Marks, Cases) = (books.marks(epoch)?, books.cases()?);
    let item = Item::of(&header, &marks, &cases);
    // A word stands once, however many ways there are to do it.
    let mut allowed: Vec<&str> = item.acts_allowed(books.epoch(None)?).map(QueueAct::word).collect();
    allowed.dedup();
    if asked.json {
        let json = serde_json::json!({ "item": item, "allowed": allowed });
        return put(format!("{}\n", serde_json::to_string_pretty(&json)?).as_bytes());
    }
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<12} {value}");
        }
    };
    line("Record", format!("{} of epoch {epoch}, {}", item.seq, item.record_kind));
    line("What", words::kind(item.kind, Lang::En).to_owned());
    line("When", at(&books, item.corrected_ms));
    line("Amount", item.amount.map(|amount| amount.to_string()).unwrap_or_default());
    line("Receipt", item.receipt.map(|number| number.to_string()).unwrap_or_default());
    line("Serial", item.serial.clone().unwrap_or_default());
    line("Station", item.station.as_ref().map(ToString::to_string).unwrap_or_default());
    line("By", item.staff.as_ref().map(ToString::to_string).unwrap_or_default());
    line("Sale", item.sale.map(|sale| sale.to_string()).unwrap_or_default());
    line("Stands", words::state(&item, Lang::En));
    line("Means", words::meaning(item.state.standing(), Lang::En).to_owned());
    if let Some(tries) = &item.tries {
        let why = tries.words.clone().unwrap_or_else(|| "no answer yet".to_owned());
        line("Tried", format!("{} times, last at {}: {why}", tries.tries, at(&books, tries.last_ms)));
    }
    line(
        "Received",
        item.received_ms.map(|ms| format!("at {} at the latest", at(&books, ms))).unwrap_or_default(),
    );
    for acted in &item.acts {
        let by = acted.by.as_ref().map(ToString::to_string).unwrap_or_default();
        line("Acted", format!("{} {by}: {} ({})", at(&books, acted.at_ms), acted.act.word(), acted.words));
    }
    for word in allowed {
        let how = if word == "resolve" { " --as paid-otherwise|written-off|duplicate" } else { "" };
        let of = asked.epoch.map(|epoch| format!(" --epoch {epoch}")).unwrap_or_default();
        line("May be done", format!("till queue {word} {}{of}{how} --staff WHO --words WHY", item.seq));
    }
    line("Hash", header_hash(&books, epoch, asked.seq)?);
    put(text.as_bytes())
}

fn header_hash(books: &Books, epoch: Epoch, seq: u64) -> anyhow::Result<String> {
    Ok(books.reader.rows(epoch, seq, 1)?.first().map(|row| row.hash.to_string()).unwrap_or_default())
}

/// A time by the shop's clock.
pub(super) fn at(books: &Books, ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(books.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}
