//! Presses of buttons that may arrive twice: the same id gets the same answer.

use crate::counter::Refusal;
use crate::inbox::Reply;
use std::collections::{BTreeMap, VecDeque};

/// Presses remembered. A second press follows the first within seconds; after a restart the version of
/// the sale that the page saw guards instead.
const PRESSES_KEPT: usize = 512;

/// The last presses and their answers.
#[derive(Default)]
pub(super) struct Presses {
    answers: BTreeMap<String, Result<Reply, Refusal>>,
    order: VecDeque<String>,
}

impl Presses {
    pub(super) fn answer(&self, id: &str) -> Option<Result<Reply, Refusal>> {
        self.answers.get(id).cloned()
    }

    pub(super) fn keep(&mut self, id: String, answer: Result<Reply, Refusal>) {
        if self.answers.insert(id.clone(), answer).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > PRESSES_KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}
