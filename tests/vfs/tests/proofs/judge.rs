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
    let found: Result<Vec<Record>, _> = journal.load_whole().tail.collect();
    let found = found.map_err(|error| corrupt(error.to_string()))?;
    let same = found.iter().zip(&story.written).all(|(found, written)| found.hash == written.hash);
    if !same || found.len() > story.written.len() {
        return Err(corrupt("records are there that were never written so".to_owned()));
    }
    if found.len() < records {
        return Err(Wrong::Lost(format!("{} of {records} records are there", found.len())));
    }
    let loaded = journal.load().map_err(|error| corrupt(error.to_string()))?;
    let mut tail = loaded.tail;
    let kept = loaded.snapshot.map_or(0, |snapshot| snapshot.tip.seq);
    let end = tail.try_fold(kept, |_, record| record.map(|record| record.header.seq));
    let end = end.map_err(|error| corrupt(error.to_string()))?;
    if end != found.last().map_or(0, |record| record.header.seq) {
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
