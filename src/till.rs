//! The loop: one ordinary thread, the only writer of the journal.
//!
//! It takes what waits at the door, decides and applies it in memory, commits once, and only then lets
//! answers, views and duties go. **Invariant:** nothing is submitted, printed or promised that is not on
//! disk. If the disk refuses, memory is thrown away, the journal is read again and nothing more is sold:
//! a till that cannot remember must not promise.
//!
//! Not here: what an event means (`counter`).

mod blank;
mod books;
mod contact;
mod disk;
mod memory;
mod print;
mod receipts;
mod release;
pub mod retention;
mod start;
#[cfg(test)]
mod tests;
mod write;

use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::counter::duty::DutyId;
use crate::counter::event::{Act, Command, Event, PrintReport, ProviderReport};
use crate::counter::refusal::Told;
use crate::counter::{Context, PhonesPay, Refusal, Till};
use crate::inbox::{Board, CodeInHand, InForce, Letter, Outbox, Reply};
use crate::journal::{Journal, Room};
use crate::receipt::Stamp;
use crate::record::body::Body;
use crate::record::ids::{Draw, IntentId, StaffId, StationId};
use crate::record::money_moves::{Carrier, ProviderName};
use crate::record::{Epoch, Moment, Record};
use crate::sale::Sale;
use crate::staff::PinHash;
use crate::token::{KeySet, Token};
use crate::view::{ReceiptShown, Selling, View};
use memory::Presses;
pub use start::{Error, Opening, Ready, kept_cases, open};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Events taken in one turn and committed together. Waiting customers gain from a shared flush; more than
/// this would make the first of them wait for the last.
pub const EVENTS_A_TURN: usize = 256;

/// The longest sleep: often enough for the watchdog, rare enough for an idle machine.
const PULSE: Duration = Duration::from_millis(1000);

/// Where the loop gets its time and its chance.
pub struct Sources {
    /// Clocks.
    pub clock: Clock,
    /// Thirty-two random bytes.
    pub draw: fn() -> Draw,
}

/// The loop and all it holds.
pub struct Loop {
    journal: Journal,
    till: Till,
    letters: Receiver<Letter>,
    outbox: Outbox,
    board: Board,
    view: watch::Sender<Arc<View>>,
    pins: watch::Sender<Arc<BTreeMap<StaffId, PinHash>>>,
    stations: Vec<StationId>,
    sources: Sources,
    code_key: [u8; 32],
    stamp: Stamp,
    wallets: BTreeSet<ProviderName>,
    phones: PhonesPay,
    code_ms: u64,
    in_force: Arc<InForce>,
    told: BTreeMap<StationId, Told>,
    /// The receipt that was shown last at a station, until something else happens there; and how many were shown.
    shown: BTreeMap<StationId, ReceiptShown>,
    times_shown: u64,
    in_flight: BTreeSet<DutyId>,
    /// Ends of papers and drawers that are not written down yet: the disk was full.
    unwritten: Vec<Event>,
    codes: BTreeMap<IntentId, CodeInHand>,
    presses: Presses,
    room: Room,
    watched: disk::Watched,
    selling: Selling,
    watch: contact::Watch,
    /// The journal can no longer be read either: screens keep what they last showed.
    blind: bool,
    snapshot_at: u64,
    /// How much head office had when members were last forgotten.
    forgotten_to: u64,
    /// The last turn could not be written.
    late: bool,
    /// Records may be left that are not kept any more.
    prunes: bool,
    /// How far each older epoch is there, once the current one goes up.
    older: BTreeMap<Epoch, u64>,
    /// Whether a member waits to be forgotten until somebody has compared books that were set aside.
    forgetting_waits: bool,
    pulse: Arc<AtomicU64>,
}

/// An answer that waits for the commit.
struct Waiting {
    reply: Option<oneshot::Sender<Result<Reply, Refusal>>>,
    command: Option<String>,
    answer: Result<Reply, Refusal>,
}

impl Loop {
    /// Runs until it is told to stop and has drained the door, or until every edge is gone.
    ///
    /// # Errors
    /// [`Error`] when the journal cannot be closed in order; nothing that was answered is lost.
    pub fn run(mut self) -> Result<(), Error> {
        self.look_at_disk();
        self.publish();
        self.release();
        loop {
            self.pulse.fetch_add(1, Ordering::Relaxed);
            let letters = match self.wait() {
                Ok(letters) => letters,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => vec![],
            };
            if self.look_at_disk() {
                self.publish();
            }
            if letters.is_empty() {
                self.look_at_log();
                self.prune_some();
            }
            let stopping = letters.iter().any(|letter| letter.event == Event::Stopping);
            self.turn(letters);
            self.forget();
            if stopping {
                break;
            }
        }
        self.close()
    }

    /// Waits for the first letter, a deadline or the pulse, and takes what else is there.
    fn wait(&mut self) -> Result<Vec<Letter>, RecvTimeoutError> {
        let first = self.letters.recv_timeout(self.patience())?;
        let mut letters = vec![first];
        while letters.len() < EVENTS_A_TURN {
            match self.letters.try_recv() {
                Ok(letter) => letters.push(letter),
                Err(_) => break,
            }
        }
        Ok(letters)
    }

    fn patience(&self) -> Duration {
        if self.late {
            // What is due could not be written: it is tried again, and not in a hurry.
            return PULSE;
        }
        let Some(deadline) = self.till.next_deadline() else { return PULSE };
        if self.selling != Selling::Open {
            return PULSE;
        }
        let now = self.moment();
        if now.is_past(deadline) {
            return Duration::ZERO;
        }
        PULSE.min(Duration::from_millis(deadline.monotonic_ms.saturating_sub(now.monotonic_ms)))
    }

    fn moment(&self) -> Moment {
        self.sources.clock.moment(self.board.link.borrow().cloud_offset_ms)
    }

    /// Writes down what time alone has changed, before anything else is decided by it: a clock that went wrong or
    /// right again, and leases that are over.
    fn watch_time(&mut self, records: &mut Vec<Record>) {
        let (now, contact) = self.contact();
        if self.till.clock_turned(&now, &self.in_force.bundle, contact) {
            // Refusals of a clock do not exist: it changes something or nothing.
            let _ = self.decide(&Event::ClockTurned, records);
        }
        if self.till.has_leases_over(&now, &self.in_force.bundle, contact) {
            // Nor of leases that are over.
            let _ = self.decide(&Event::LeasesOver, records);
        }
    }

    /// One turn: decide and apply in memory, commit once, let go.
    fn turn(&mut self, letters: Vec<Letter>) {
        self.tell_ends_again();
        // Whoever asked has heard what became of it.
        let _ = self.settle(letters);
        self.release();
        self.keep_snapshot();
    }

    /// Decides and applies in memory, commits once, and answers.
    ///
    /// # Errors
    /// Why nothing of it was written.
    fn settle(&mut self, letters: Vec<Letter>) -> Result<(), Refusal> {
        let mut records = Vec::new();
        let mut waiting = Vec::new();
        let mut ends = Vec::new();
        let heard = !letters.is_empty();
        self.adopt_bundle();
        self.watch_time(&mut records);
        for Letter { event, command, reply } in letters {
            let answer = match command.as_deref().and_then(|id| self.presses.answer(id)) {
                Some(answer) => answer,
                None => self.decide(&event, &mut records),
            };
            // Kept at once: the second press may stand in the same turn.
            if let Some(command) = &command {
                self.presses.keep(command.clone(), answer.clone());
            }
            self.tell(&event, &answer);
            if matches!(
                event,
                Event::Print(_, PrintReport::Ended(..)) | Event::Drawer(_, PrintReport::Ended(..))
            ) {
                ends.push(event);
            }
            waiting.push(Waiting { reply, command, answer });
        }
        // After the letters: what arrived in time counts, also if its deadline passed while it waited.
        if self.till.next_deadline().is_some_and(|deadline| self.moment().is_past(deadline)) {
            // Refusals of a deadline do not exist: it changes something or nothing.
            let _ = self.decide(&Event::DeadlinePassed, &mut records);
        }
        let written = self.write_down(&records);
        self.late = written.is_err();
        if let Err(refusal) = &written {
            self.keep_ends(ends);
            for waiting in &mut waiting {
                waiting.answer = Err(refusal.clone());
                if let Some(command) = waiting.command.take() {
                    self.presses.keep(command, Err(refusal.clone()));
                }
            }
        }
        if heard || !records.is_empty() || self.has_aged() {
            self.publish();
        }
        for Waiting { reply, answer, .. } in waiting {
            if let Some(reply) = reply {
                // Whoever asked may be gone; what was decided stays decided.
                let _ = reply.send(answer);
            }
        }
        written
    }

    fn decide(&mut self, event: &Event, records: &mut Vec<Record>) -> Result<Reply, Refusal> {
        if let Selling::ReadOnly(_) = self.selling {
            return Err(Refusal::ReadOnly);
        }
        let archived = self.recall(event, records);
        let found = self.found(event);
        let in_force = Arc::clone(&self.in_force);
        let (moment, contact) = self.contact();
        let phones = self.board.phones.borrow().clone();
        let cx = Context {
            moment,
            contact,
            draw: (self.sources.draw)(),
            bundle: &in_force.bundle,
            keys: &in_force.keys,
            code_key: &self.code_key,
            wallets: &self.wallets,
            phones: self.phones,
            code_ms: self.code_ms,
            archived: archived.as_ref(),
            device: self.stamp.public(),
            found: found.as_ref().map_or(&[], |(_, sales)| sales),
            proof_key: phones.as_deref().map(|phones| &phones.proof_key),
        };
        let made = self.till.step(event, &cx)?;
        self.check_room(&made)?;
        if let Event::BroughtForward(forward) = event {
            self.bring_forward(forward)?;
        }
        let mut sale = None;
        for record in &made {
            self.till.apply(record);
            sale = record.header.sale.or(sale);
            self.take_code(event, record);
        }
        records.extend(made);
        if let Some((station, sales)) = found {
            self.show(station, &sales);
        }
        Ok(Reply { seq: self.till.tip().seq, sale })
    }

    /// The sale that an event is about, where it has left memory: from the journal, and from what this turn
    /// has yet to commit.
    fn recall(&self, event: &Event, turn: &[Record]) -> Option<Sale> {
        let found = self.recalled(event, turn);
        if let Event::Provider(intent, ProviderReport::Approved(_) | ProviderReport::Told(_)) = event
            && found.is_none()
            && !self.till.owns(*intent)
        {
            tracing::warn!(intent.id = %intent, "Money came for a payment that this till has long put away: compare the books.");
        }
        found
    }

    #[allow(clippy::wildcard_enum_match_arm)] // few events speak of what is archived
    fn recalled(&self, event: &Event, turn: &[Record]) -> Option<Sale> {
        let sale = match event {
            Event::Act(Command { act: Act::Reprint { sale, .. } | Act::GiveBack { sale, .. }, .. }) => *sale,
            Event::Provider(intent, ProviderReport::Approved(_) | ProviderReport::Told(_)) => {
                self.till.past_sale(*intent)?
            }
            _ => self.till.past_sale(proof_in(event)?)?,
        };
        if self.till.holds(sale) {
            return None;
        }
        let kept = self.journal.sale(sale).ok()?;
        Sale::fold(kept.iter().chain(turn.iter().filter(|record| record.header.sale == Some(sale))))
    }

    /// Keeps a pay code in hand until its duty leaves, which is right after this turn's commit.
    fn take_code(&mut self, event: &Event, record: &Record) {
        let Body::IntentDrawn { intent, carrier: Carrier::PayCode { .. }, .. } = &record.body else { return };
        let text = if let Event::Scanned { scan, .. } = event {
            String::from_utf8_lossy(&scan.data).into_owned()
        } else if let Event::Act(Command { act: Act::TypeCode(text), .. }) = event {
            text.clone()
        } else if let (Event::Act(Command { act: Act::StoredValue, .. }), Some(sale)) =
            (event, record.header.sale)
        {
            let Some(text) = self.till.member_code(sale) else { return };
            text
        } else {
            return;
        };
        self.codes.insert(*intent, CodeInHand(text.trim().to_owned()));
    }

    /// Leaves at a station what the till said to it last.
    fn tell(&mut self, event: &Event, answer: &Result<Reply, Refusal>) {
        let station = if let Event::Scanned { station, .. } = event {
            station
        } else if let Event::Act(command) = event {
            &command.station
        } else {
            return;
        };
        match answer {
            // A scan that touches no sale was read twice, or showed a receipt: what was said to it stands.
            Ok(reply) if reply.sale.is_none() && matches!(event, Event::Scanned { .. }) => return,
            Ok(_) => self.told.remove(station),
            Err(refusal) => self.told.insert(station.clone(), Told::from(refusal)),
        };
        // What was shown stays until something else happens here.
        if answer.is_err() || self.receipt_in(event).is_none() {
            self.shown.remove(station);
        }
    }

    fn adopt_bundle(&mut self) {
        let latest = self.board.bundle.borrow().clone();
        if let Some(latest) = latest
            && latest.bundle.content.version > self.in_force.bundle.content.version
            && latest.bundle.content.currency == self.till.currency()
        {
            self.in_force = latest;
            self.board.in_force.send_replace(Some(Arc::clone(&self.in_force)));
        }
    }

    fn publish(&mut self) {
        if self.blind {
            let selling = self.selling.clone();
            self.view.send_modify(|view| Arc::make_mut(view).selling = selling);
            return;
        }
        let (now, contact) = self.contact();
        let bundle = &self.in_force.bundle;
        let now_s = self.till.reckoned_at(&now, bundle, contact).unix_s();
        let mut view = self.till.view(bundle, now_s, &self.stations, &self.told, self.selling.clone());
        view.ways = self.ways();
        view.exposure = self.till.exposure(bundle, &now, contact);
        view.clock = self.till.clock_view(&now);
        view.disk = self.watched.disk;
        if self.forgetting_waits {
            view.attention.push(books::forgetting_waits());
        }
        for (station, shown) in &self.shown {
            if let Some(here) = view.stations.get_mut(station) {
                here.shown = Some(shown.clone());
            }
        }
        self.view.send_replace(Arc::new(view));
        let pins = self.till.pins();
        self.pins.send_if_modified(|old| {
            let changed = **old != pins;
            if changed {
                *old = Arc::new(pins);
            }
            changed
        });
    }

    /// Once head office has all that speaks of a member who is to be forgotten, it cannot be read here any more. The
    /// epochs of this journal go up one after the other; of books that were set aside only what went up before is
    /// there. While those owe something that may speak of the member, that waits, and a manager is told; it ends when
    /// they have been compared and are removed.
    fn forget(&mut self) {
        let received = self.board.link.borrow().received;
        if received == self.forgotten_to || self.selling != Selling::Open {
            return;
        }
        let forgotten = match self.journal.owes_forgetting() {
            Ok(false) => Ok(0),
            Ok(true) => self.forget_what_is_there(received),
            Err(error) => Err(error),
        };
        match forgotten {
            Ok(0) => {}
            Ok(members) => {
                tracing::info!(
                    members,
                    "What spoke of a member who asked to be forgotten cannot be read any more."
                );
                // The state that was kept before may have said who it was.
                self.save_snapshot();
            }
            Err(error) => {
                tracing::warn!(error = %error, "A member is not forgotten yet; it is tried again.");
                return;
            }
        }
        self.forgotten_to = received;
    }

    fn forget_what_is_there(&mut self, received: u64) -> Result<usize, crate::journal::Error> {
        let (epoch, older) = (self.till.epoch(), &self.older);
        let aside = self.journal.lacking();
        let owed = books::owe_what_speaks_of_members(&aside, older);
        let here: Vec<Epoch> = self.journal.reader()?.epochs()?.into_iter().map(|life| life.epoch).collect();
        let safe = |of: Epoch, seq: u64| {
            let there = if of == epoch { received } else { older.get(&of).copied().unwrap_or(0) };
            let is_there = seq <= there && !(owed && here.contains(&of));
            // Books that a manager has removed owe nothing any more.
            let is_gone = !here.contains(&of) && aside.is_empty();
            received > 0 && (is_there || is_gone)
        };
        let forgotten = self.journal.forget(safe)?;
        let waits = owed && self.journal.owes_forgetting()?;
        if waits != self.forgetting_waits {
            self.forgetting_waits = waits;
            self.publish();
        }
        Ok(forgotten)
    }

    fn close(mut self) -> Result<(), Error> {
        self.save_snapshot();
        self.journal.close().map_err(Error::Journal)
    }
}

/// The payment of the paid proof that an event shows: an order's hash is its intent.
fn proof_in(event: &Event) -> Option<IntentId> {
    let text = if let Event::Scanned { scan, .. } = event {
        std::str::from_utf8(&scan.data).ok()?
    } else if let Event::Act(Command { act: Act::TypeCode(text), .. }) = event {
        text
    } else {
        return None;
    };
    match crate::token::parse(text.trim()) {
        Ok(Token::Proof(proof)) => Some(IntentId(proof.order().0)),
        Ok(_) | Err(_) => None,
    }
}

/// The bundle and the key set before the first one arrives.
fn nothing_in_force(bundle: Bundle) -> Arc<InForce> {
    Arc::new(InForce { bundle, keys: KeySet::new(0, 0, i64::MAX) })
}
