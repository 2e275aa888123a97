//! The queue as CSV for a spreadsheet, and the journal as lines that prove themselves.
//!
//! CSV is RFC 4180. A cell that a spreadsheet would take for a formula has an apostrophe in front (OWASP, "CSV
//! Injection"). Not here: the form of the signed lines (`journal::export`).

#[cfg(test)]
mod tests;
mod unfinished;

use super::list::{Chosen, at, standing};
use super::{Books, Place};
use crate::cli::journal::{progress, progress_ends};
use crate::journal::export::{self, ExportError, Part};
use crate::keys::DeviceKey;
use crate::locales::Lang;
use crate::queue::{Item, words};
use clap::{Args, ValueEnum};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use unfinished::Unfinished;

#[derive(Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    place: Place,
    /// csv: items, filtered as in list; jsonl: records of the journal, signed
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to write it, for its owner's eyes only; - is standard output. A file has its name once it is whole
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// jsonl: from this record on; the chain is checked from there
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// Items of one page of a CSV file.
const PAGE: u32 = 1_000;

/// The first row.
const COLUMNS: [&str; 15] = [
    "epoch",
    "number",
    "kind",
    "when",
    "at_ms",
    "amount",
    "currency",
    "receipt",
    "serial",
    "sale",
    "station",
    "staff",
    "state",
    "why",
    "received_ms",
];

/// An option that the form cannot follow.
#[derive(Debug, thiserror::Error)]
#[error("{option} is for --format {wanted}: {instead}")]
pub(in crate::cli) struct Unfit {
    option: &'static str,
    wanted: &'static str,
    instead: &'static str,
}

pub(super) fn export(asked: &Export) -> anyhow::Result<ExitCode> {
    asked.fits()?;
    let books = asked.place.open()?;
    if asked.output.as_os_str() == "-" {
        asked.write(&books, &mut BufWriter::new(io::stdout().lock()))?;
    } else {
        let mut file = Unfinished::begin(&asked.output)?;
        asked.write(&books, &mut file)?;
        file.finish()?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Export {
    /// Whether the form can do all that is asked: what it would leave out is not left out in silence.
    fn fits(&self) -> Result<(), Unfit> {
        match self.format {
            Format::Csv if self.from.is_some() => {
                let instead = "a list of items is chosen by --state, --kind, --older and --newer";
                Err(Unfit { option: "--from", wanted: "jsonl", instead })
            }
            Format::Jsonl => match self.chosen.items_only() {
                Some(option) => {
                    let instead = "the journal's records are exported as they follow each other; choose by --from and --epoch";
                    Err(Unfit { option, wanted: "csv", instead })
                }
                None => Ok(()),
            },
            Format::Csv => Ok(()),
        }
    }

    fn write(&self, books: &Books, out: &mut impl Write) -> anyhow::Result<()> {
        match self.format {
            Format::Csv => csv(self, books, out),
            Format::Jsonl => jsonl(self, books, out),
        }
    }
}

fn jsonl(asked: &Export, books: &Books, out: &mut impl Write) -> anyhow::Result<()> {
    let path = books.dir.join("keys").join("device");
    let device = DeviceKey::load(&path)?.ok_or_else(|| {
        let words = format!("the device key is not at {}: only the till itself can sign", path.display());
        anyhow::Error::new(io::Error::from(io::ErrorKind::NotFound)).context(words)
    })?;
    let part = Part { epoch: asked.chosen.epoch, from_seq: asked.from };
    let made_ms = crate::clock::Clock::new().unix_ms();
    // Counted as they are written: what the numbers would come to is only right in a journal that holds.
    let mut records = 0;
    let count = |written| {
        records = written;
        progress(written);
    };
    let end = export::write(&books.reader, books.edge.as_ref(), &device, part, made_ms, out, count);
    progress_ends();
    end.map_err(|error| match error {
        ExportError::Write(source) => anyhow::Error::new(source).context("the export is not complete"),
        ExportError::Journal(error) => error.into(),
        ExportError::Nothing => error.into(),
    })?;
    let _ = writeln!(
        io::stderr(),
        "{records} records, signed by the device {}. Check it with till journal verify or docs/verify.py.",
        device.fingerprint()
    );
    Ok(())
}

fn csv(asked: &Export, books: &Books, out: &mut impl Write) -> anyhow::Result<()> {
    let choice = asked.chosen.choose(books)?;
    row(out, &COLUMNS.map(str::to_owned))?;
    let mut before = None;
    loop {
        let items = choice.items(books, before, PAGE)?;
        for item in &items {
            row(out, &cells(books, item))?;
        }
        match items.last() {
            Some(last) if items.len() >= PAGE as usize => before = Some(last.seq),
            Some(_) | None => break,
        }
    }
    out.flush()?;
    Ok(())
}

fn cells(books: &Books, item: &Item) -> [String; 15] {
    let text = |value: &dyn ToString| value.to_string();
    [
        text(&item.epoch),
        text(&item.seq),
        item.kind.word().to_owned(),
        at(books, item.corrected_ms),
        text(&item.corrected_ms),
        item.amount.map(crate::money::Money::decimal).unwrap_or_default(),
        item.amount.map(|amount| amount.currency.code().to_owned()).unwrap_or_default(),
        item.receipt.map(|number| number.to_string()).unwrap_or_default(),
        item.serial.clone().unwrap_or_default(),
        item.sale.map(|sale| sale.to_string()).unwrap_or_default(),
        item.station.as_ref().map(|station| station.to_string()).unwrap_or_default(),
        item.staff.as_ref().map(|staff| staff.to_string()).unwrap_or_default(),
        standing(books, item).unwrap_or_default().to_owned(),
        words::reason(item, Lang::En).unwrap_or_default(),
        item.received_ms.map(|ms| ms.to_string()).unwrap_or_default(),
    ]
}

fn row(out: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let line: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    write!(out, "{}\r\n", line.join(","))
}

/// A cell: harmless for a spreadsheet, and in quotes where it has to be. A number stays one.
fn cell(text: &str) -> String {
    let number = !text.is_empty()
        && text.strip_prefix('-').unwrap_or(text).chars().all(|one| one.is_ascii_digit() || one == '.');
    let formula = !number && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let safe = if formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\r', '\n']) || formula {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}
