//! The streams of all tills as head office sees them: how each began, how far it has come, and what is missing.
//!
//! Not here: taking them in (`tills`), and ruling on them (`projector`).

use super::store::{Standing, Store, StoreError, StreamRow};
use crate::record::Epoch;
use crate::record::ids::TerminalId;
use serde::Serialize;

/// One life of a till's journal at head office.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Stream {
    /// The till.
    pub terminal: TerminalId,
    /// The life; of a branch the one that it parted from.
    pub epoch: Epoch,
    /// Whether it is like any other.
    pub standing: Standing,
    /// The last record that is here.
    pub high: u64,
    /// The last one that is ruled on.
    pub ruled: u64,
    /// When something came last, Unix milliseconds.
    pub received_ms: i64,
    /// The life before it, its last number as the till knew it, and the last one that is here.
    pub parent: Option<(Epoch, u64, u64)>,
    /// Of the other side of a fork: its first record that differs.
    pub branch_from: Option<u64>,
}

impl Stream {
    /// How many records of the life before the till had, and are not here: they died with its disk, or are still on
    /// their way from a file that was set aside. None where nothing is missing.
    pub fn lacks(&self) -> Option<u64> {
        let (_, claims, here) = self.parent?;
        claims.checked_sub(here).filter(|lacks| *lacks > 0)
    }

    /// What there is to say of it, a sentence.
    pub fn words(&self) -> String {
        let mut words = format!("{}: {} records", self.epoch, self.high);
        match self.high.saturating_sub(self.ruled) {
            0 => words.push_str(", all ruled on"),
            waiting => words.push_str(&format!(", {waiting} without a verdict yet")),
        }
        if let Some(from) = self.branch_from {
            words.push_str(&format!("; the other side of a fork, from record {from}"));
        }
        match self.standing {
            Standing::Regular => {}
            Standing::Provisional => words.push_str("; began by itself, adopt it at the till"),
            Standing::Adopted => words.push_str("; began by itself and was adopted"),
        }
        if let (Some((_, claims, here)), Some(lacks)) = (self.parent, self.lacks()) {
            words.push_str(&format!(
                "; of the life before, the till claims record {claims} and we hold {here}: {lacks} records are missing"
            ));
        }
        words
    }
}

/// All streams, those of one till together, the latest first.
pub(super) async fn all(store: &dyn Store) -> Result<Vec<Stream>, StoreError> {
    let rows = store.streams().await?;
    let here = |terminal: &TerminalId, epoch: Epoch| {
        rows.iter().find(|row| row.terminal == *terminal && row.epoch == epoch).map_or(0, |row| row.tip.seq)
    };
    let told = |row: &StreamRow| Stream {
        terminal: row.terminal.clone(),
        epoch: row.branch_of.map_or(row.epoch, |(epoch, _)| epoch),
        standing: row.beginning.standing,
        high: row.tip.seq,
        ruled: row.judged,
        received_ms: row.received_ms,
        parent: row.beginning.parent.map(|(epoch, seq)| (epoch, seq, here(&row.terminal, epoch))),
        branch_from: row.branch_of.map(|(_, seq)| seq),
    };
    Ok(rows.iter().map(told).collect())
}
