//! What managers held back of the journal, as it travels with the records that it is about.
//!
//! Not here: sending (`upload`), and what an act means (`queue`, `cloud`).

use super::Around;
use super::upload::Stop;
use crate::journal::End;
use crate::record::body::Body;
use crate::record::queue_act::QueueAct;
use crate::record::{Epoch, Record};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What managers did about records that the cloud has yet to receive. It travels with the records, since the acts
/// themselves may come in a later batch.
#[derive(Default)]
pub(super) struct Acts {
    /// Acts about records before this one are left out: those were sent with the acts of then.
    from: u64,
    /// Acts up to here are known.
    read: u64,
    /// Records that are on hold, and those that were resolved while they were: neither takes effect when it comes. With
    /// the act that holds each.
    held: BTreeMap<u64, u64>,
    /// Holds that were released again before the cloud heard of them, and those releases, by record: they ask for nothing.
    taken_back: BTreeMap<u64, Vec<u64>>,
}

impl Acts {
    /// Reads what came since the last batch: a manager may hold a record back while those before it are on their way.
    pub(super) async fn read_on(&mut self, around: &Around, end: End, from: u64) -> Result<(), Stop> {
        if self.from == 0 || from < self.from {
            // Gone back for a gap: what was left out counts again.
            *self = Self { from, read: from - 1, ..Self::default() };
        }
        let End { epoch, tip } = end;
        // The view is shown after the commit: whatever it has is read below.
        let shown = around.doors.board.view.borrow().clone();
        loop {
            let next = self.read + 1;
            let records = around.stored(move |reader, _| reader.of_kind(epoch, next, "queue_acted")).await?;
            let Some(last) = records.last().map(|record| record.header.seq) else { break };
            self.read = last;
            for record in records {
                self.take(epoch, &record);
            }
        }
        let since = if shown.epoch == epoch { shown.tip.seq } else { 0 };
        self.read = self.read.max(tip.seq).max(since);
        Ok(())
    }

    /// Those of these records that are on hold.
    pub(super) fn held(&self, of: RangeInclusive<u64>) -> Vec<u64> {
        self.held.range(of).map(|(seq, _)| *seq).collect()
    }

    /// The acts about these records that ask for nothing any more.
    pub(super) fn taken_back(&self, of: RangeInclusive<u64>) -> Vec<u64> {
        self.taken_back.range(of).flat_map(|(_, acts)| acts).copied().collect()
    }

    fn take(&mut self, epoch: Epoch, record: &Record) {
        let Body::QueueActed { subject: Some(subject), act, .. } = &record.body else { return };
        if subject.epoch != epoch || subject.seq < self.from {
            return;
        }
        match act {
            QueueAct::Hold => {
                self.held.entry(subject.seq).or_insert(record.header.seq);
            }
            QueueAct::Release => {
                if let Some(hold) = self.held.remove(&subject.seq) {
                    self.taken_back.entry(subject.seq).or_default().extend([hold, record.header.seq]);
                }
            }
            // A record that was held until a manager ended it another way has no effect: the hold stands.
            QueueAct::Resolve { .. } | QueueAct::SendNow | QueueAct::Retry => {}
        }
    }
}
