//! Looks at the files after a power cut with the till's own recovery, and compares with what was acknowledged.

use crate::story::{Story, understood};
use std::path::Path;
use till::journal::Journal;
use till::journal::edge::EdgeStore;
use till::record::Record;

/// What is wrong with the files after a cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// Something acknowledged is not there.
    Lost(String),
    /// Something there is not as it was written, or cannot be read.
    Corrupt(String),
}

/// Opens the files as the till does after a cut.
pub(crate) fn judge(dir: &Path, story: &Story, told: u64) -> Result<(), Wrong> {
    let (records, cloud) = understood(told);
    let corrupt = |words: String| Wrong::Corrupt(words);
    let journal = Journal::open(dir).map_err(|error| corrupt(error.to_string()))?;
    if let Some(left) = journal.left() {
        return Err(corrupt(left.words.clone()));
    }
    let whole = journal.load_whole().map_err(|error| corrupt(error.to_string()))?;
    // Records up to a state that was brought forward may be gone: it stands for them.
    let carried = match &whole.snapshot {
        Some(state) if state.bytes == b"what it came to" => {
            let stands = story.written.iter().position(|written| written.hash == state.tip.head);
            1 + stands.ok_or_else(|| corrupt("a state is there that was never brought forward".to_owned()))?
        }
        Some(_) => return Err(corrupt("a state is there that says something else".to_owned())),
        None => 0,
    };
    let found: Result<Vec<Record>, _> = whole.tail.collect();
    let found = found.map_err(|error| corrupt(error.to_string()))?;
    let after = &story.written[carried..];
    let same = found.iter().zip(after).all(|(found, written)| found.hash == written.hash);
    if !same || found.len() > after.len() {
        return Err(corrupt("records are there that were never written so".to_owned()));
    }
    if carried + found.len() < records {
        return Err(Wrong::Lost(format!("{} of {records} records are there", carried + found.len())));
    }
    if let Some(state) = &whole.snapshot {
        let kept = journal.reader().and_then(|reader| reader.kept_from(state.epoch));
        if kept.map_err(|error| corrupt(error.to_string()))? != state.tip.seq {
            return Err(corrupt("the chain does not begin at the state".to_owned()));
        }
    }
    let loaded = journal.load().map_err(|error| corrupt(error.to_string()))?;
    let mut tail = loaded.tail;
    let kept = loaded.snapshot.map_or(0, |snapshot| snapshot.tip.seq);
    let end = tail.try_fold(kept, |_, record| record.map(|record| record.header.seq));
    let end = end.map_err(|error| corrupt(error.to_string()))?;
    let last = carried + found.len();
    if end != last.checked_sub(1).map_or(0, |last| story.written[last].header.seq) {
        return Err(corrupt("state and records do not meet".to_owned()));
    }
    drop(journal);
    check_pages(&dir.join("journal.db")).map_err(corrupt)?;
    if cloud > 0 {
        let edge = EdgeStore::open(dir).map_err(|error| corrupt(error.to_string()))?;
        let known =
            edge.watermark(story.written[0].header.epoch).map_err(|error| corrupt(error.to_string()))?;
        if dir.join("aside").exists() {
            return Err(corrupt("the edge store was set aside".to_owned()));
        }
        if known.seq < cloud {
            return Err(Wrong::Lost(format!("the cloud's {cloud} is {}", known.seq)));
        }
    }
    Ok(())
}

fn check_pages(path: &Path) -> Result<(), String> {
    let connection = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
    let words = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    match words {
        Ok(words) if words == "ok" => Ok(()),
        Ok(words) => Err(words),
        Err(error) => Err(error.to_string()),
    }
}
