//! Books that were lost, from a shell: whether the new ones are adopted, and what head office lacks of the old.
//!
//! Not here: setting files aside and reading them (`crate::journal`).

use super::list::at;
use super::{Books, Place};
use crate::cli::put;
use crate::journal::{Lacking, LackingSum};
use crate::locales::{Lang, kind};
use crate::record::epochs::Standing;
use clap::Args;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a list comes to, in one sentence.
fn said(sum: &LackingSum) -> String {
    let worth: Vec<String> = sum.worth.iter().map(ToString::to_string).collect();
    let worth = if worth.is_empty() { String::new() } else { format!(", {}", worth.join(" + ")) };
    let unread = match sum.unreadable {
        0 => String::new(),
        count => format!("; {count} could not be read"),
    };
    format!(
        "Of the books in {}, head office lacks {} records ({} receipts{worth}){unread}.",
        sum.aside, sum.records, sum.receipts
    )
}

/// What `till queue list` says of them above its table.
pub(super) fn lines(standing: Option<Standing>, lists: &[Lacking]) -> String {
    let mut text = String::new();
    if standing == Some(Standing::Provisional) {
        text.push_str(
            "The till lost its books and began these by itself: cash only, until a manager adopts them on the manager's page.\n",
        );
    }
    let wanting = lists.iter().map(Lacking::sum).filter(|sum| sum.records > 0 || sum.unreadable > 0);
    for sum in wanting {
        let _ = writeln!(text, "{} See till queue lacking.", said(&sum));
    }
    text
}

pub(super) fn list(asked: &List) -> anyhow::Result<ExitCode> {
    let books = asked.place.open()?;
    let lists = books.reader.lacking();
    if asked.json {
        return put(format!("{}\n", serde_json::to_string_pretty(&lists)?).as_bytes());
    }
    if lists.is_empty() {
        return put(b"No books of this till were lost.\n");
    }
    let text: Vec<String> = lists.iter().map(|list| one(&books, list)).collect();
    put(text.join("\n").as_bytes())
}

fn one(books: &Books, list: &Lacking) -> String {
    let mut text = format!("{}\nFound: {}\n", said(&list.sum()), list.words);
    for (first, last) in &list.unreadable {
        let _ = writeln!(text, "Could not be read: {first} to {last}");
    }
    for record in &list.records {
        let amount = record.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let receipt = record.receipt.map(|number| number.to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>8}  {:<16}  {:<24} {receipt:>8}  {amount:>14}",
            record.seq,
            at(books, record.wall_ms),
            kind(&record.kind, Lang::En)
        );
    }
    if list.more > 0 {
        let _ = writeln!(text, "{} more are not listed; the files have them.", list.more);
    }
    text
}
