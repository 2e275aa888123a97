//! Records of closed days that are not kept here any more.
//!
//! What they came to is brought forward: a state without anything of which a record would be looked up again. Not here:
//! which records may go (`till`), and deleting them (`journal`).

use super::event::Forward;
use super::recorder::Recorder;
use super::{Refusal, Till};
use crate::record::body::{Body, Parent};
use crate::record::{Hash, Record};
use ring::digest;

impl Till {
    /// Whether nothing is open here whose records anybody would look up again: no shift, no sale, no paper, no drawer, no
    /// note that nobody has seen.
    pub fn is_at_rest(&self) -> bool {
        self.shift.is_none()
            && self.sales.is_empty()
            && self.papers.is_empty()
            && self.kicks.is_empty()
            && self.notes.is_empty()
    }

    /// The state as it stands for all records up to its tip. What only says where to look for them is left out: the last
    /// receipts, and the sales of payments that were put away.
    #[must_use]
    pub fn brought_forward(mut self) -> Self {
        self.recent.clear();
        self.past.clear();
        self.recent_codes.clear();
        self.stations.values_mut().for_each(|station| station.paid = None);
        self
    }

    /// The record that stands for all before it, which may be gone.
    pub fn pruned_through(&self) -> Option<&Parent> {
        self.pruned.as_ref()
    }

    /// Says that records may go. Not while something is open that might look one of them up: a paper or a return of now
    /// may be of a sale of then.
    pub(super) fn prune(&self, forward: &Forward, out: &mut Recorder<'_>) -> Result<(), Refusal> {
        if !self.is_at_rest() {
            return Err(Refusal::NotNow(
                "A shift, a sale or a paper is open: close it, and let records go then.",
            ));
        }
        let mut sum = [0; 32];
        sum.copy_from_slice(digest::digest(&digest::SHA256, &forward.state).as_ref());
        let (through, last_day) = (forward.through.clone(), forward.last_day);
        out.note(Body::Pruned { through, last_day, state: Hash(sum) });
        Ok(())
    }

    pub(super) fn apply_pruning(&mut self, record: &Record) {
        if let Body::Pruned { through, .. } = &record.body {
            std::sync::Arc::make_mut(&mut self.cases).prune(self.epoch, through);
            self.pruned = Some(through.clone());
        }
    }
}
