//! What the manager's pages are drawn from: the view, the link, and how far head office is.
//!
//! Not here: drawing.

use crate::inbox::{Link, LinkState};
use crate::journal::End;
use crate::journal::edge::EdgeStore;
use crate::journal::reader::Sum;
use crate::journal::{Error as JournalError, Reader};
use crate::locales::Msg;
use crate::money::Money;
use crate::pages::Pages;
use crate::pages::answer::Sorry;
use crate::queue::filter::Which;
use crate::queue::{Filter, ItemKind, Marks, Standing};
use crate::record::Epoch;
use crate::view::View;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

/// Epochs that are looked at together; a till begins one after each mishap.
const EPOCHS_MAX: usize = 64;

/// One look at the till.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) view: Arc<View>,
    pub(super) link: Link,
    pub(super) epoch: Epoch,
    pub(super) marks: Marks,
    /// The last record of the epoch.
    pub(super) last: u64,
    pub(super) now_ms: i64,
}

/// What head office has not received.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(super) struct Waiting {
    /// How many records.
    pub(super) count: u64,
    /// How many receipts among them, returns too.
    pub(super) receipts: u64,
    /// What they come to, by currency.
    pub(super) value: Vec<Money>,
    /// When the oldest item among them was made, by this machine's wall clock.
    pub(super) oldest_ms: Option<i64>,
}

/// How many items are in a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Count {
    pub(super) state: Standing,
    pub(super) count: u64,
}

impl Scene {
    /// Looks at an epoch; at that of today where none is named.
    pub(super) async fn of(pages: &Pages, epoch: Option<Epoch>) -> Result<Self, Sorry> {
        let view = pages.view();
        let link = pages.parts.board.link.borrow().clone();
        let epoch = epoch.unwrap_or(view.epoch);
        let now_ms = pages.now_ms();
        let (seen, edge) = (Arc::clone(&view), pages.parts.edge.clone());
        let heard = link.clone();
        pages
            .read(move |journal| {
                let marks = marks(&seen, &heard, epoch, &edge)?;
                let last = if epoch == seen.epoch {
                    seen.tip.seq
                } else {
                    let ends = journal.epochs()?;
                    ends.iter().find(|end| end.epoch == epoch).map_or(0, |end| end.tip.seq)
                };
                Ok((marks, last))
            })
            .await
            .map(|(marks, last)| Self { view, link, epoch, marks, last, now_ms })
    }

    /// The same look at every epoch of the journal, the newest first.
    pub(super) fn all(&self, journal: &Reader, edge: &EdgeStore) -> Result<Vec<Self>, JournalError> {
        let ends = journal.epochs()?;
        let look = |end: &End| {
            let marks = marks(&self.view, &self.link, end.epoch, edge)?;
            Ok(Self { epoch: end.epoch, marks, last: end.tip.seq, ..self.clone() })
        };
        ends.iter().rev().take(EPOCHS_MAX).map(look).collect()
    }

    /// How many records head office has not received.
    pub(super) fn unsent(&self) -> u64 {
        self.last.saturating_sub(self.marks.received)
    }

    /// What head office has not received, from sums along the index.
    pub(super) fn waiting(&self, journal: &Reader) -> Result<Waiting, JournalError> {
        let mut waiting = Waiting { count: self.unsent(), ..Waiting::default() };
        let whole = Marks { received: self.marks.received, ..Marks::default() };
        let unsent = Filter { which: Which::One(Standing::Recorded), ..Filter::default() };
        // Held or not, tried or not: what was not received was not received.
        let none = crate::queue::Cases::default();
        let sums = journal.sums(&unsent.selection(self.epoch, &whole, &none, self.now_ms))?;
        let oldest = sums.iter().filter_map(Sum::oldest).min_by_key(|(seq, _)| *seq);
        waiting.oldest_ms = oldest.map(|(_, at_ms)| at_ms);
        for sum in sums {
            if matches!(sum.kind, ItemKind::Sale | ItemKind::Return) {
                waiting.receipts = waiting.receipts.saturating_add(sum.count);
                add(&mut waiting.value, sum.worth);
            }
        }
        Ok(waiting)
    }

    /// Items by state; of what is settled there may be a million, and nobody counts them.
    pub(super) fn counts(&self, journal: &Reader) -> Result<Vec<Count>, JournalError> {
        let mut counts = Vec::new();
        for state in Standing::ALL.into_iter().filter(|state| *state != Standing::Settled) {
            let filter = Filter { which: Which::One(state), ..Filter::default() };
            let sums = self.sums(journal, &filter)?;
            let count = sums.iter().fold(0_u64, |all, sum| all.saturating_add(sum.count));
            if count > 0 {
                counts.push(Count { state, count });
            }
        }
        Ok(counts)
    }

    pub(super) fn sums(&self, journal: &Reader, filter: &Filter) -> Result<Vec<Sum>, JournalError> {
        journal.sums(&filter.selection(self.epoch, &self.marks, &self.view.cases, self.now_ms))
    }
}

/// What the receipts come to that head office has not received, by currency, for the sheet of an open shift. Nothing where
/// that cannot be read: the cashier's page needs no disk to be drawn.
pub(in crate::pages) async fn worth_not_sent(pages: &Pages, view: &Arc<View>) -> Vec<Money> {
    let link = pages.parts.board.link.borrow().clone();
    let (epoch, last, now_ms) = (view.epoch, view.tip.seq, pages.now_ms());
    let marks = Marks { received: link.received, ..Marks::default() };
    if view.shift.is_none() || link.state == LinkState::Absent || marks.received >= last {
        return Vec::new();
    }
    let scene = Scene { view: Arc::clone(view), link, epoch, marks, last, now_ms };
    let read = pages.read(move |journal| scene.waiting(journal)).await;
    read.map(|waiting| waiting.value).unwrap_or_default()
}

/// How far head office is with an epoch, and what was tried.
fn marks(view: &View, link: &Link, epoch: Epoch, edge: &EdgeStore) -> Result<Marks, JournalError> {
    let kept = edge.marks(epoch)?;
    let (received, said) =
        if epoch == view.epoch { (link.received, link.ruled) } else { (kept.received, kept.ruled) };
    // Head office rules in the stream's order: a verdict on a record shows that all before it are ruled on.
    let ruled = view.cases.ruled(epoch).max(said).min(received);
    Ok(Marks { received, ruled, ..kept })
}

/// Adds to the sum of its currency. What is beyond 64 bits stays where it is: it is for eyes.
pub(super) fn add(sums: &mut Vec<Money>, more: Option<Money>) {
    let Some(more) = more else { return };
    match sums.iter_mut().find(|sum| sum.currency == more.currency) {
        Some(sum) => *sum = sum.plus(more).unwrap_or(*sum),
        None => sums.push(more),
    }
}

impl Pages {
    /// Runs a short reading of the journal away from the threads that serve.
    pub(in crate::pages) async fn read<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Sorry> {
        let journal = self.parts.journal.clone();
        match tokio::task::spawn_blocking(move || call(&journal)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Sorry::disk(&error)),
            Err(_) => Err(Sorry::of(StatusCode::SERVICE_UNAVAILABLE, "disk", Msg::DiskTrouble)),
        }
    }
}
