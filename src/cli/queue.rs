//! The queue to head office from a shell: what a manager's page shows and does.
//!
//! Looking and exporting read the till's own files, so they work while the daemon is stopped. Acts are asked of the
//! running daemon, which is the only writer. Not here: what states mean and what may be done (`crate::queue`).

pub(super) mod act;
pub(super) mod export;
mod lacking;
mod list;

use crate::config::Config;
use crate::journal::Reader;
use crate::journal::edge::EdgeStore;
use crate::locales::Lang;
use crate::money::Currency;
use crate::queue::{Cases, Marks, words};
use crate::record::epochs::Standing;
use crate::record::queue_act::{QueueAct, Resolution};
use crate::record::{Body, Epoch, Record};
use crate::till;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(super) enum Queue {
    /// List items, newest first, with what they come to
    #[command(
        after_help = "Examples:\n  till queue list                                 what is neither settled nor resolved\n  till queue list --state needs                   what a person has to decide about\n  till queue list --state all --kind coupon --older 24 --json\n\nStates: recorded, sent, received, settled, refused, expired, held, parked, resolved; all, open, needs.\nKinds: sale, return, coupon, voucher, check_in, refund, late_money, shift, act, other.\n\nWithout the key that opens bodies (keys/seal) no state is known: it is null in JSON, and a note on standard error says so."
    )]
    List(list::List),
    /// Show one item: where it stands, why, what was tried, and what may be done
    #[command(after_help = "Example:\n  till queue show 4711")]
    Show(list::Show),
    /// Send whatever waits now instead of at the next try
    #[command(after_help = "Example:\n  till queue send --staff mia --words \"line is back\"")]
    Send(act::Send),
    /// Have head office rule once more on an item that it refused
    #[command(
        after_help = "Example:\n  till queue retry 4711 --staff mia --words \"campaign was put right\""
    )]
    Retry(act::One),
    /// Hold an item: head office receives it and gives it no effect
    #[command(after_help = "Example:\n  till queue hold 4711 --staff mia --words \"customer comes back\"")]
    Hold(act::One),
    /// End a hold
    #[command(after_help = "Example:\n  till queue release 4711 --staff mia --words \"customer paid\"")]
    Release(act::One),
    /// Say how an item was dealt with outside the till
    #[command(
        after_help = "Example:\n  till queue resolve 4711 --as written-off --staff mia --words \"shop bears it\""
    )]
    Resolve(act::Resolve),
    /// Write the queue as CSV, or the journal as lines that the device signs
    #[command(
        after_help = "Examples:\n  till queue export --format csv -o queue.csv            items, for a spreadsheet\n  till queue export --format jsonl -o journal.jsonl      records, checked with till journal verify\n  till queue export --format jsonl --from 4000 | gzip > part.jsonl.gz\n\nA file has its name once it is whole; until then it is called FILE.unfinished. --state, --kind, --older, --newer, --min and --max choose items (csv), --from chooses records (jsonl).\nWithout the key that opens bodies (keys/seal) no state is known: the column is empty, and a note on standard error says so."
    )]
    Export(export::Export),
    /// List what head office lacks of books that were lost
    #[command(after_help = "Example:\n  till queue lacking --json")]
    Lacking(lacking::List),
    /// Print the checklist after an outage on the receipt printer
    #[command(after_help = "Example:\n  till queue print --staff mia")]
    Print(act::Print),
}

/// Where a till's files are.
#[derive(Args, Clone, Default)]
pub(super) struct Place {
    /// The state directory; by default the one that the configuration names
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "TILL_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

/// A till's files, open to read.
pub(super) struct Books {
    pub(super) dir: PathBuf,
    pub(super) reader: Reader,
    pub(super) edge: Option<EdgeStore>,
    pub(super) zone: TimeZone,
    pub(super) currency: Currency,
}

/// The configuration file where none is named.
const CONFIG: &str = "/etc/till/till.toml";

/// What a list without the key lacks.
const NO_KEY: &str = "Note: the key that opens bodies is not here. Refusals and acts are not shown, no item's state is \
                      known, and --state goes by what head office has received and ruled on alone.";

/// Records read at once.
const PAGE: u32 = 1_000;

/// Bytes of them.
const PAGE_BYTES: usize = 4 << 20;

impl Place {
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::read(&self.config.clone().unwrap_or_else(|| CONFIG.into()))?)
    }

    pub(super) fn open(&self) -> anyhow::Result<Books> {
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => {
                let unknown = "where the till's files are is not known; name its state directory with --dir, or its configuration with --config";
                self.config().context(unknown)?.state_dir
            }
        };
        let (reader, edge) = (Reader::open(&dir)?, EdgeStore::open_to_read(&dir)?);
        let genesis = match reader.end()? {
            Some(end) if reader.opens_bodies() => reader.records(end.epoch, 1, 1, 0)?.pop(),
            Some(_) | None => None,
        };
        let (mut zone, mut currency) = (TimeZone::UTC, Currency::CNY);
        if let Some(Body::Genesis { time_zone, currency: of_journal, .. }) = genesis.map(|record| record.body)
        {
            (zone, currency) = (TimeZone::get(&time_zone).unwrap_or(TimeZone::UTC), of_journal);
        }
        Ok(Books { dir, reader, edge, zone, currency })
    }
}

impl Books {
    /// The epoch that was asked for, or the current one.
    pub(super) fn epoch(&self, asked: Option<Epoch>) -> anyhow::Result<Epoch> {
        let current = self.reader.end()?.map(|end| end.epoch);
        asked.or(current).ok_or_else(|| anyhow::anyhow!("the journal is empty"))
    }

    /// How far head office is with an epoch.
    pub(super) fn marks(&self, epoch: Epoch) -> anyhow::Result<Marks> {
        Ok(self.edge.as_ref().map(|edge| edge.marks(epoch)).transpose()?.unwrap_or_default())
    }

    /// Whether a manager has to adopt how an epoch began. Without the key nobody can tell.
    pub(super) fn standing(&self, epoch: Epoch) -> anyhow::Result<Option<Standing>> {
        if !self.reader.opens_bodies() {
            return Ok(None);
        }
        let genesis = self.reader.records(epoch, 1, 1, 0)?.pop().map(|record| record.body);
        let Some(Body::Genesis { standing, .. }) = genesis else { return Ok(None) };
        let adopted = || self.reader.of_kind(epoch, 1, "epoch_adopted").map(|records| !records.is_empty());
        Ok(Some(if standing == Standing::Provisional && adopted()? { Standing::Regular } else { standing }))
    }

    /// What head office and managers said about single records, and which of them nobody here can read. Without the key
    /// nobody can tell.
    pub(super) fn cases(&self) -> anyhow::Result<Cases> {
        if !self.reader.opens_bodies() {
            // For whoever reads along; a reader that went away changes nothing.
            let _ = writeln!(std::io::stderr(), "{NO_KEY}");
            return Ok(Cases::default());
        }
        let mut cases = self.unreadable()?;
        let mut after = 0;
        loop {
            let (records, next) = self.reader.rulings(after, PAGE)?;
            records.iter().for_each(|record| cases.apply(record));
            if next == after {
                return Ok(cases);
            }
            after = next;
        }
    }

    /// Bodies that this build cannot read. They are in no index: the daemon finds them while it folds, and keeps them
    /// with its state; what came after that state is looked through here.
    fn unreadable(&self) -> anyhow::Result<Cases> {
        let (mut cases, epochs) = (Cases::default(), self.reader.epochs()?);
        let (mut first, mut folded) = (0, 0);
        if let Some(snapshot) = self.reader.snapshot()
            && let Some(at) = epochs.iter().position(|end| end.epoch == snapshot.epoch)
            && let Some(kept) = till::kept_cases(&snapshot)
        {
            (first, folded) = (at, snapshot.tip.seq);
            kept.unreadable().for_each(|(subject, case)| cases.park(subject, case.told_ms, case.sale));
        }
        for (index, end) in epochs.iter().enumerate().skip(first) {
            let mut next = if index == first { folded + 1 } else { 1 };
            while next <= end.tip.seq {
                let records = self.reader.records(end.epoch, next, PAGE, PAGE_BYTES)?;
                let Some(last) = records.last() else { break };
                next = last.header.seq + 1;
                let shut = |record: &&Record| matches!(record.body, Body::Unreadable { .. });
                records.iter().filter(shut).for_each(|record| cases.apply(record));
            }
        }
        Ok(cases)
    }
}

pub(super) fn act(part: &Queue) -> anyhow::Result<ExitCode> {
    match part {
        Queue::List(asked) => list::list(asked),
        Queue::Show(asked) => list::show(asked),
        Queue::Lacking(asked) => lacking::list(asked),
        Queue::Export(asked) => export::export(asked),
        Queue::Send(asked) => act::send(asked),
        Queue::Print(asked) => act::print(asked),
        Queue::Retry(asked) => act::one(asked, QueueAct::Retry),
        Queue::Hold(asked) => act::one(asked, QueueAct::Hold),
        Queue::Release(asked) => act::one(asked, QueueAct::Release),
        Queue::Resolve(asked) => act::one(&asked.one, QueueAct::Resolve { how: asked.how.into() }),
    }
}

/// How something was dealt with, as a shell's user reads it.
fn words_of(how: Resolution) -> &'static str {
    words::resolution(how, Lang::En)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::journal::sample::Pen;
    use crate::queue::Standing;
    use crate::record::Header;

    #[test]
    fn a_record_that_only_this_build_cannot_read_is_listed_as_parked() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path()).unwrap();
        let mut pen = Pen::new(1);
        let first = pen.genesis();
        let known = pen.write(r#"{"kind":"stopped"}"#, |_| ());
        let header = Header { kind: "from_the_future".to_owned(), ..known.header };
        let strange = Record::open(header.encode(), known.salt, known.bytes).unwrap();
        journal.append(&[first, strange]).unwrap();
        let place = Place { dir: Some(dir.path().to_owned()), config: None };
        let books = place.open().unwrap();
        let cases = books.cases().unwrap();
        let parked: Vec<u64> = cases.unreadable().map(|(subject, _)| subject.seq).collect();
        assert_eq!(parked, [2]);
        let epoch = books.epoch(None).unwrap();
        let header = books.reader.header(epoch, 2).unwrap().unwrap();
        let item = crate::queue::Item::of(&header, &books.marks(epoch).unwrap(), &cases);
        assert_eq!(item.state.standing(), Standing::Parked);
        assert_eq!(books.standing(epoch).unwrap(), Some(crate::record::epochs::Standing::Regular));
    }
}
