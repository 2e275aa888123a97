//! Which books a till opens: the ones it has, if they are whole and all there; else new ones that say what they follow.
//!
//! **Invariant:** no epoch goes on that the cloud has seen further than it is here, or of which it has signed another
//! record: two records would have one number.
//! **Invariant:** damaged books never keep a till from starting.
//!
//! Not here: setting files aside and reading what is left of them (`journal`), what a provisional epoch may do
//! (`counter`).

use super::start::{Error, replay};
use crate::counter::{Before, Context, Till};
use crate::journal::{End, Journal, Lacking, LackingRecord, Salvage};
use crate::record::body::{Body, Parent};
use crate::record::chain::Tip;
use crate::record::epochs::Left;
use crate::record::ids::{Draw, TerminalId};
use crate::record::personal::may_be_erased;
use crate::record::witness::{Contradiction, ReceivedHead, contradiction};
use crate::record::{Epoch, Record};
use crate::view::Attention;
use std::collections::BTreeMap;

/// The journal and its fold, if it is whole; else an empty one in its place.
pub(super) fn whole(
    journal: Journal,
    received: &BTreeMap<Epoch, Tip>,
    signed: &BTreeMap<Epoch, Vec<ReceivedHead>>,
) -> Result<(Journal, Option<Till>), Error> {
    let till = match replay(&journal) {
        Ok(till) => till,
        Err(error) if error.is_damage() => {
            let journal = journal.set_aside(Left::Damaged, &error.to_string())?;
            return Ok((journal, None));
        }
        Err(error) => return Err(error),
    };
    if journal.left().is_some() {
        return Ok((journal, till));
    }
    let mut missing = missing(&journal, till.as_ref(), received)?;
    if let Some(till) = till.as_ref().filter(|_| missing.is_none()) {
        let heads = signed.get(&till.epoch()).map_or(&[][..], Vec::as_slice);
        missing = contradicted(&journal, till, heads)?.map(|found| found.to_string());
    }
    match missing {
        Some(words) => Ok((journal.set_aside(Left::Missing, &words)?, None)),
        None => Ok((journal, till)),
    }
}

/// What the cloud has received and the journal has not, in words.
fn missing(
    journal: &Journal,
    till: Option<&Till>,
    received: &BTreeMap<Epoch, Tip>,
) -> Result<Option<String>, Error> {
    let kept = journal.snapshot_end();
    let Some(till) = till else {
        let last = received.values().map(|tip| tip.seq).max();
        let gone = |seq| format!("the journal is gone; the cloud has received {seq} records of it");
        let lost = |end: End| format!("the journal is gone; it had {} records once", end.tip.seq);
        return Ok(last.map(gone).or(kept.map(lost)));
    };
    if let Some(kept) = kept.filter(|kept| kept.epoch == till.epoch() && kept.tip.seq > till.tip().seq) {
        let (end, seq) = (till.tip().seq, kept.tip.seq);
        return Ok(Some(format!("the journal ends at record {end}; it had {seq} records once")));
    }
    let Some(known) = received.get(&till.epoch()) else { return Ok(None) };
    let (end, seq) = (till.tip().seq, known.seq);
    if seq > end {
        return Ok(Some(format!(
            "the journal ends at record {end}; the cloud has received record {seq} of it"
        )));
    }
    let same = journal.reader()?.holds(End { epoch: till.epoch(), tip: *known })?;
    Ok((!same).then(|| format!("the journal has another record {seq} than the cloud has received")))
}

/// Holds the books against what the cloud has signed of them. What it has may be less and still another's: then this
/// side of a fork went up as a branch of its own, and the watermark is ours.
fn contradicted(
    journal: &Journal,
    till: &Till,
    heads: &[ReceivedHead],
) -> Result<Option<Contradiction>, Error> {
    let (epoch, reader) = (till.epoch(), journal.reader()?);
    let found = contradiction(till.tip().seq, heads, |&ReceivedHead { seq, head, .. }| {
        reader.holds(End { epoch, tip: Tip { seq, head } })
    });
    Ok(found?)
}

/// Begins an epoch: the very first, or one that follows books that were left. `before` is the fold of a copy that was
/// put in their place.
pub(super) fn begin<'a>(
    journal: &mut Journal,
    before: Option<&Till>,
    terminal: &TerminalId,
    received: &BTreeMap<Epoch, Tip>,
    draw: fn() -> Draw,
    cx: impl Fn(Draw) -> Context<'a>,
) -> Result<Till, Error> {
    // What a copy that was put back holds goes up by itself: only what is beyond it is lacking.
    let salvage = match before {
        Some(_) => journal.salvage(&there_or_here(journal, received)?)?,
        None => journal.salvage(received)?,
    };
    let left = journal.left().cloned().map(|found| match before {
        Some(before) => {
            let (epoch, tip) = (before.epoch(), before.tip());
            let received = received.get(&epoch).map(|tip| tip.seq);
            (Some(End { epoch, tip }), crate::record::epochs::Found { received, ..found })
        }
        None => (salvage.end, crate::record::epochs::Found { received: salvage.received, ..found }),
    });
    let follows = left.map(|(end, found)| Before {
        parent: end.map(|End { epoch, tip }| Parent { epoch, seq: tip.seq, head: tip.head }),
        found,
    });
    if let Some(Before { found, .. }) = &follows {
        let (words, aside) = (&found.words, &found.aside);
        tracing::error!(words, aside, "New books are begun: cash only, until a manager adopts them.");
    }
    let (epoch, version) = (new_epoch(draw()), env!("CARGO_PKG_VERSION"));
    let genesis = Till::genesis(terminal.clone(), epoch, follows, version, &cx(draw()));
    let begun = Till::begin(&genesis).ok_or(Error::NoGenesis)?;
    let mut till = match before {
        Some(before) => begun.after(before.clone()),
        None => begun,
    };
    let mut records = vec![genesis];
    for person in people(before, salvage) {
        let record: Record = till.taken_over(person, &cx(draw()));
        till.apply(&record);
        records.push(record);
    }
    journal.begin(&records).map_err(Error::FirstCommit)?;
    Ok(till)
}

/// How far the cloud has each older epoch by the time that it has any of the current one: all of what is in this journal,
/// and of books that were set aside what it has said before.
pub(super) fn older(
    journal: &Journal,
    received: &BTreeMap<Epoch, Tip>,
) -> Result<BTreeMap<Epoch, u64>, Error> {
    let ends = there_or_here(journal, received)?;
    Ok(ends.into_iter().map(|(epoch, tip)| (epoch, tip.seq)).collect())
}

/// How far each epoch is at the cloud, or here if that is further.
fn there_or_here(journal: &Journal, received: &BTreeMap<Epoch, Tip>) -> Result<BTreeMap<Epoch, Tip>, Error> {
    let mut ends = received.clone();
    for End { epoch, tip } in journal.reader()?.epochs()? {
        let known = ends.entry(epoch).or_insert(tip);
        if tip.seq > known.seq {
            *known = tip;
        }
    }
    Ok(ends)
}

/// Whether books that were set aside may hold what speaks of a member and the cloud lacks.
pub(super) fn owe_what_speaks_of_members(aside: &[Lacking], older: &BTreeMap<Epoch, u64>) -> bool {
    let there = |epoch: &Epoch| older.get(epoch).copied().unwrap_or(0);
    aside.iter().any(|books| {
        let readable =
            |record: &LackingRecord| record.seq > there(&record.epoch) && may_be_erased(&record.kind);
        let last_there = books.epoch.as_ref().map_or(0, there);
        books.records.iter().any(readable)
            || books.unreadable.iter().any(|(_, last)| *last > last_there)
            || books.more > 0
    })
}

/// Who worked here before, so that they can sign in with their PINs.
fn people(before: Option<&Till>, salvage: Salvage) -> Vec<Body> {
    before.map_or(salvage.staff, Till::people)
}

fn new_epoch(draw: [u8; 32]) -> Epoch {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&draw[..8]);
    Epoch(u64::from_be_bytes(bytes))
}

/// For the manager, while a member waits for books that were set aside.
pub(super) fn forgetting_waits() -> Attention {
    Attention {
        code: "forgetting_waits",
        words: "A member asked to be forgotten. That waits for the books in the folder aside, which head office lacks: \
                compare them, then remove the folder."
            .to_owned(),
        sale: None,
        job: None,
        intent: None,
        refund: None,
    }
}
