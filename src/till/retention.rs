//! Which records of closed days need not be kept any more, and letting go of them.
//!
//! A record may go when head office has ruled on it and on all before it, when nobody has anything left to do about any
//! of them, when its business day is older than the shop wants to keep, and when the till was at rest after it. **Invariant:**
//! the state that stands for them is durable, and so is the record that says so, before the first of them is deleted.
//!
//! Not here: what may never be deleted (the journal's own tables say so), and when it is done (`daemon`).

use super::Loop;
use super::start::{Error, carried, fold, snapshot_bytes};
use crate::counter::event::Forward;
use crate::counter::{Event, Refusal, Till};
use crate::inbox::{Board, Inbox};
use crate::journal::edge::EdgeStore;
use crate::journal::{End, Journal, Reader, Snapshot};
use crate::queue::Cases;
use crate::record::body::Parent;
use crate::record::chain::Tip;
use crate::record::{Epoch, Record};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Records deleted at once, in some milliseconds: a scan that comes just then waits for them.
const AT_ONCE: u32 = 500;

/// A plan for fewer records than this waits for the next night.
const FEWEST: u64 = 100;

/// What decides how much may go.
pub struct Wanted<'a> {
    /// Business days that are kept whole, counted back from that of the newest record.
    pub keep_days: u16,
    /// Today's, by head office's time. A record dated later was written by a wrong clock: it goes with its neighbours.
    pub today: Date,
    /// How far head office has ruled on each epoch.
    pub ruled: &'a BTreeMap<Epoch, u64>,
    /// What is open about single records, as of now.
    pub cases: &'a Cases,
}

/// A fold that is under way.
struct Folding {
    till: Option<Till>,
    /// The last place where the till was at rest, with its day.
    rest: Option<(End, Date)>,
    records: u64,
    trouble: Option<Error>,
}

/// What has yet to be written down of a state that was brought forward just before the power went, or that came with a copy:
/// the record that speaks of it.
///
/// # Errors
/// [`Error`] when the journal cannot be read.
pub(super) fn unsaid(journal: &Journal, till: &Till) -> Result<Option<Forward>, Error> {
    let Some(End { epoch, tip: Tip { seq, head } }) = journal.stands_at()? else { return Ok(None) };
    let through = Parent { epoch, seq, head };
    if till.pruned_through() == Some(&through) {
        return Ok(None);
    }
    let Some(state) = journal.brought_forward()? else { return Ok(None) };
    let record = journal.reader()?.records(epoch, seq, 1, 0)?.pop();
    Ok(record.map(|record| {
        let last_day = record.header.business_date;
        Forward { through, last_day, state: state.bytes }
    }))
}

/// Folds the journal up to the last record that may go; none where too few may. Takes some seconds for a million records.
///
/// # Errors
/// [`Error`] when the journal cannot be read, or says what this build cannot fold.
pub fn plan(reader: &Reader, wanted: &Wanted<'_>) -> Result<Option<Forward>, Error> {
    let Some(newest) = reader.newest_day()?.map(|newest| newest.min(wanted.today)) else { return Ok(None) };
    let Ok(last_day) = newest.checked_sub(i64::from(wanted.keep_days).days()) else { return Ok(None) };
    let may_go = |record: &Record| {
        let header = &record.header;
        let ruled = wanted.ruled.get(&header.epoch).is_some_and(|ruled| header.seq <= *ruled);
        let old = header.business_date < last_day || header.business_date > wanted.today;
        let settled = |epoch, seq| wanted.ruled.get(&epoch).is_some_and(|ruled| seq <= *ruled);
        let open = wanted.cases.first_open(header.epoch, settled).is_some_and(|open| header.seq >= open);
        old && ruled && !open
    };
    // Twice: a state is not copied at each place where the till may have been at rest for the last time.
    // A record dated ahead goes only with one behind it that really is old: head office's clock may be wrong, too.
    let rests = |record: &Record| record.header.business_date < last_day;
    let (folded, base) = folded(reader, |_, record| may_go(record), rests)?;
    let Some((rest, last_day)) = folded.rest.filter(|_| folded.records >= FEWEST) else { return Ok(None) };
    if base.is_some_and(|base| base == rest) {
        return Ok(None);
    }
    let before =
        |till: Option<&Till>| till.is_none_or(|till| (till.epoch(), till.tip()) != (rest.epoch, rest.tip));
    let (again, _) = self::folded(reader, |till, _| before(till), |_| false)?;
    let Some(till) = again.till.filter(|till| (till.epoch(), till.tip()) == (rest.epoch, rest.tip)) else {
        return Ok(None);
    };
    let through = Parent { epoch: rest.epoch, seq: rest.tip.seq, head: rest.tip.head };
    let state = snapshot_bytes(&till.brought_forward()).map_err(Error::State)?;
    Ok(Some(Forward { through, last_day, state }))
}

/// Folds what is kept for as long as `more` says so, asked before each record with the state so far; a place where the till
/// was at rest counts if `rests` says so of its record. Gives the place of a state that was brought forward, too.
fn folded(
    reader: &Reader,
    mut more: impl FnMut(Option<&Till>, &Record) -> bool,
    rests: impl Fn(&Record) -> bool,
) -> Result<(Folding, Option<End>), Error> {
    let mut base = None;
    let begin = |state: Option<&Snapshot>| {
        base = state.map(Snapshot::end);
        let (till, trouble) = match state.map(carried).transpose() {
            Ok(till) => (till, None),
            Err(error) => (None, Some(error)),
        };
        Folding { till, rest: None, records: 0, trouble }
    };
    let folding = reader.replay(begin, |folding, record| {
        if folding.trouble.is_some() || !more(folding.till.as_ref(), &record) {
            return ControlFlow::Break(());
        }
        folding.records += 1;
        if let Err(error) = fold(&mut folding.till, &record) {
            folding.trouble = Some(error);
            return ControlFlow::Break(());
        }
        if rests(&record) && folding.till.as_ref().is_some_and(Till::is_at_rest) {
            let tip = Tip { seq: record.header.seq, head: record.hash };
            folding.rest = Some((End { epoch: record.header.epoch, tip }, record.header.business_date));
        }
        ControlFlow::Continue(())
    })?;
    match folding.trouble {
        Some(error) => Err(error),
        None => Ok((folding, base)),
    }
}

/// Who is asked for what.
pub struct Going<'a> {
    /// Reads the journal.
    pub reader: &'a Reader,
    /// Says what head office has ruled on.
    pub edge: &'a EdgeStore,
    /// Says what is open.
    pub board: &'a Board,
    /// Goes to the till.
    pub inbox: &'a Inbox,
    /// Today's business day by head office's time; none before it was heard.
    pub today: Option<Date>,
}

/// What came of it.
pub enum Asked {
    /// Records up to this business day are let go.
    Gone(Date),
    /// Too few may go.
    TooFew,
    /// Nobody can say for sure what day it is.
    NoTime,
    /// The till did not take it.
    Refused(Refusal),
}

impl Going<'_> {
    /// Has the till let go of what is older than so many days and may go. Not from the till's own thread: it waits for it.
    ///
    /// # Errors
    /// As [`plan`].
    pub fn ask(&self, keep_days: u16) -> Result<Asked, Error> {
        let view = Arc::clone(&self.board.view.borrow());
        let Some(today) = self.today.filter(|_| view.clock.distrusted.is_none()) else {
            return Ok(Asked::NoTime);
        };
        if view.shift.is_some() {
            // It would be refused; what is folded for it is not folded for nothing.
            return Ok(Asked::Refused(Refusal::NotNow(
                "A shift is open: close it, and old records go then.",
            )));
        }
        let mut ruled = BTreeMap::new();
        for end in self.reader.epochs()? {
            let received = self.edge.watermark(end.epoch)?.seq;
            ruled.insert(end.epoch, self.edge.ruled(end.epoch)?.min(received));
        }
        let wanted = Wanted { keep_days, today, ruled: &ruled, cases: &view.cases };
        let Some(forward) = plan(self.reader, &wanted)? else { return Ok(Asked::TooFew) };
        let last_day = forward.last_day;
        Ok(match self.inbox.ask_blocking(Event::BroughtForward(forward)) {
            Ok(_) => Asked::Gone(last_day),
            Err(refusal) => Asked::Refused(refusal),
        })
    }
}

impl Loop {
    /// Makes the state durable, before the record that speaks of it.
    pub(super) fn bring_forward(&mut self, forward: &Forward) -> Result<(), Refusal> {
        let Parent { epoch, seq, head } = forward.through;
        let state = Snapshot { epoch, tip: Tip { seq, head }, bytes: forward.state.clone() };
        self.journal.bring_forward(&state).map_err(|error| {
            tracing::warn!(error = %error, "Old records are kept: what they come to was not brought forward.");
            Refusal::NotNow("Old records are kept: the journal did not take what they come to.")
        })?;
        self.prunes = true;
        Ok(())
    }

    /// Deletes the next records that are not kept any more, while nobody waits.
    pub(super) fn prune_some(&mut self) {
        let Some(&Parent { epoch, seq, head }) = self.till.pruned_through().filter(|_| self.prunes) else {
            return;
        };
        if self.blind || self.selling != crate::view::Selling::Open {
            return;
        }
        match self.journal.prune(End { epoch, tip: Tip { seq, head } }, AT_ONCE) {
            Ok(0) => self.prunes = false,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %error, "Old records were not deleted; it is tried again after the next start.");
                self.prunes = false;
            }
        }
    }
}
