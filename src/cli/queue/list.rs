//! Looking at the queue: a table or JSON, and one item in full.

use super::{Books, Place, lacking};
use crate::cli::put;
use crate::journal::{End, Lacking, LackingSum};
use crate::locales::Lang;
use crate::queue::filter::Selection;
use crate::queue::{Cases, Filter, Item, Marks, words};
use crate::record::Epoch;
use crate::record::queue_act::QueueAct;
use clap::Args;
use serde::Serialize;
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
    /// By state: open, needs, all, or one of the states; open if none is named
    #[arg(long)]
    state: Option<String>,
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

/// What was chosen, by one look at the clock and at what head office and managers said.
pub(super) struct Choice {
    epoch: Epoch,
    marks: Marks,
    cases: Cases,
    selection: Selection,
}

impl Chosen {
    pub(super) fn choose(&self, books: &Books) -> anyhow::Result<Choice> {
        let value = |name| match name {
            "state" => Some(self.state.as_deref().unwrap_or("open")),
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
        Ok(Choice { epoch, marks, cases, selection })
    }

    /// The first option that was given and is about items alone.
    pub(super) fn items_only(&self) -> Option<&'static str> {
        let options = [
            ("--state", &self.state),
            ("--kind", &self.kind),
            ("--older", &self.older),
            ("--newer", &self.newer),
            ("--min", &self.min),
            ("--max", &self.max),
        ];
        options.into_iter().find(|(_, value)| value.is_some()).map(|(name, _)| name)
    }
}

impl Choice {
    /// Items below a number, newest first.
    pub(super) fn items(&self, books: &Books, before: Option<u64>, limit: u32) -> anyhow::Result<Vec<Item>> {
        let headers = books.reader.items(&self.selection, before, limit)?;
        Ok(headers.iter().map(|header| Item::of(header, &self.marks, &self.cases)).collect())
    }
}

/// Another epoch of the same journal of which something is left to do.
#[derive(Serialize)]
struct Elsewhere {
    epoch: Epoch,
    end: u64,
    received: u64,
    /// Items about which a person has to decide.
    needs: usize,
}

/// Of `others`, where `received` is how far head office has the epoch that is listed.
fn elsewhere(books: &Books, others: &[End], received: u64, cases: &Cases) -> anyhow::Result<Vec<Elsewhere>> {
    let of = |end: &End| {
        let (epoch, received) = (end.epoch, books.marks(end.epoch)?.received);
        let needs = cases.of_epoch(epoch).filter(|(_, case)| case.step.needs_a_person()).count();
        Ok(Elsewhere { epoch, end: end.tip.seq, received, needs })
    };
    let mut all: Vec<Elsewhere> = others.iter().map(of).collect::<anyhow::Result<_>>()?;
    // A till without a head office brings nothing anywhere.
    let is_heard = received > 0 || all.iter().any(|of| of.received > 0);
    all.retain(|of| of.needs > 0 || is_heard && of.received < of.end);
    Ok(all)
}

impl Elsewhere {
    fn lines(&self) -> String {
        let Self { epoch, end, received, needs } = self;
        let mut text = String::new();
        if received < end {
            let _ = writeln!(text, "Epoch {epoch}: {received} of {end} records received by head office.");
        }
        if *needs > 0 {
            let items = if *needs == 1 { "item needs" } else { "items need" };
            let _ = writeln!(
                text,
                "Epoch {epoch}: {needs} {items} a person: till queue list --state needs --epoch {epoch}"
            );
        }
        text
    }
}

pub(super) fn list(asked: &List) -> anyhow::Result<ExitCode> {
    let books = asked.place.open()?;
    let choice = asked.chosen.choose(&books)?;
    let items = choice.items(&books, asked.before, asked.limit)?;
    let sums = books.reader.sums(&choice.selection)?;
    let epoch = choice.epoch;
    let (this, others): (Vec<End>, Vec<End>) =
        books.reader.epochs()?.into_iter().partition(|end| end.epoch == epoch);
    let end = this.first().map_or(0, |end| end.tip.seq);
    let received = choice.marks.received;
    let elsewhere = elsewhere(&books, &others, received, &choice.cases)?;
    let (adopted, lists) = (books.standing(epoch)?, books.reader.lacking());
    if asked.json {
        let lacking: Vec<LackingSum> = lists.iter().map(Lacking::sum).collect();
        let items: Vec<serde_json::Value> = items.iter().map(|item| json(&books, item)).collect();
        let json = serde_json::json!({
            "standing": adopted, "lacking": lacking, "epoch": epoch, "end": end, "received": received,
            "ruled": choice.marks.ruled, "elsewhere": elsewhere, "sums": sums, "items": items,
        });
        return put(format!("{}\n", serde_json::to_string_pretty(&json)?).as_bytes());
    }
    let mut text = String::new();
    let _ = writeln!(text, "Epoch {epoch}: {received} of {end} records received by head office.");
    elsewhere.iter().for_each(|of| text.push_str(&of.lines()));
    text.push_str(&lacking::lines(adopted, &lists));
    if items.is_empty() {
        text.push_str("There is no such item.\n");
        return put(text.as_bytes());
    }
    let _ = writeln!(
        text,
        "\n{:>8}  {:<16}  {:<12} {:>8}  {:>14}  where it stands",
        "number", "when", "what", "receipt", "amount"
    );
    for item in &items {
        let amount = item.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let receipt = item.receipt.map(|number| number.to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>8}  {:<16}  {:<12} {receipt:>8}  {amount:>14}  {}",
            item.seq,
            at(&books, item.corrected_ms),
            words::kind(item.kind, Lang::En),
            state(&books, item)
        );
    }
    text.push('\n');
    for sum in &sums {
        let worth = sum.worth.map(|worth| format!(", {worth}")).unwrap_or_default();
        let _ = writeln!(text, "{} × {}{worth}", sum.count, words::kind(sum.kind, Lang::En));
    }
    let in_all: u64 = sums.iter().map(|sum| sum.count).sum();
    let shown = u64::try_from(items.len()).unwrap_or(u64::MAX);
    if in_all > shown
        && let Some(last) = items.last()
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
    if standing(&books, &item).is_none() {
        allowed.clear();
    }
    if asked.json {
        let json = serde_json::json!({ "item": json(&books, &item), "allowed": allowed });
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
    line("Stands", state(&books, &item));
    if standing(&books, &item).is_some() {
        line("Means", words::meaning(item.state.standing(), Lang::En).to_owned());
    }
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

/// Where an item stands, in a word; none where nobody here can know. Head office's word and managers' acts are bodies:
/// without the key that opens them, whatever follows from how far head office is may be overruled.
pub(super) fn standing(books: &Books, item: &Item) -> Option<&'static str> {
    books.reader.opens_bodies().then(|| item.state.standing().word())
}

/// The same for a person.
fn state(books: &Books, item: &Item) -> String {
    standing(books, item).map_or("not known without the key".to_owned(), |_| words::state(item, Lang::En))
}

/// The same with all of the item, for programs.
fn json(books: &Books, item: &Item) -> serde_json::Value {
    let mut json = serde_json::json!(item);
    if standing(books, item).is_none() {
        json["state"] = serde_json::Value::Null;
    }
    json
}

/// A time by the shop's clock.
pub(super) fn at(books: &Books, ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(books.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}
