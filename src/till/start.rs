//! The start: snapshot and tail, or genesis; then what was under way is settled, before any edge runs.

use super::{Loop, Sources, books, contact::Watch, memory::Presses, nothing_in_force, retention};
use crate::bundle::Bundle;
use crate::counter::{Contact, Context, Event, PhonesPay, Till};
use crate::inbox::{Board, InForce, Letter, Outbox};
use crate::journal::{self, Journal, Room, Snapshot};
use crate::money::Currency;
use crate::receipt::Stamp;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::ids::{StationId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::record::witness::ReceivedHead;
use crate::record::{Epoch, Record};
use crate::view::{Selling, View};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Receiver;
use tokio::sync::watch;

/// Records between two snapshots: replaying as many takes some tens of milliseconds.
const SNAPSHOT_EVERY: u64 = 2_000;

/// Version of the shape of a state. A snapshot of another shape is left out and the journal replayed; a state that was
/// brought forward cannot be replayed. So a field that is derived from history comes with a raised number, and whoever raises
/// it also teaches [`state_of`] to read shape 6, the first that was ever brought forward (tests/data/till).
const SNAPSHOT_SHAPE: u16 = 6;

/// What a till starts from.
pub struct Opening {
    /// Which till this is; the journal must say the same.
    pub terminal: TerminalId,
    /// Its stations.
    pub stations: Vec<StationId>,
    /// What is in force before the first bundle from the cloud.
    pub bundle: Bundle,
    /// What an earlier start kept of the cloud's bundle, verified again.
    pub kept: Option<InForce>,
    /// The till's own key for hashes of pay codes.
    pub code_key: [u8; 32],
    /// What makes the codes on receipts.
    pub stamp: Stamp,
    /// Wallets that take pay codes here.
    pub wallets: BTreeSet<ProviderName>,
    /// Where a phone pays what it scans here.
    pub phones: PhonesPay,
    /// How long a code that a phone scans is shown before it is renewed.
    pub code_ms: u64,
    /// Clocks and chance.
    pub sources: Sources,
    /// The room that the journal needs on its disk.
    pub room: Room,
    /// What the cloud has said that it has of each epoch.
    pub received: BTreeMap<Epoch, Tip>,
    /// What the cloud has signed of each epoch. The signatures were verified when they came.
    pub signed: BTreeMap<Epoch, Vec<ReceivedHead>>,
}

/// Why the till cannot start or stop in order.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The directory belongs to another till.
    #[error(
        "the state directory belongs to till {found}, the configuration says {configured}: use a directory of its own for each till"
    )]
    OtherTerminal {
        /// Whose journal it is.
        found: TerminalId,
        /// Who the configuration says.
        configured: TerminalId,
    },
    /// The currency changed under a journal that has amounts in it.
    #[error(
        "the journal is in {found}, the configuration says {configured}: a till keeps its currency for life"
    )]
    OtherCurrency {
        /// The journal's.
        found: &'static str,
        /// The configuration's.
        configured: &'static str,
    },
    /// A journal that does not begin with a genesis.
    #[error("the journal does not begin with its first record: restore a backup")]
    NoGenesis,
    /// An epoch begins in a way that this build does not know. Nothing is wrong with the file.
    #[error(
        "the journal has an epoch that a newer Till began (record {seq} of epoch {epoch}): install the newer Till again"
    )]
    NewerGenesis {
        /// Which epoch.
        epoch: Epoch,
        /// Its number.
        seq: u64,
    },
    /// The state that stands for pruned records is one of another version.
    #[error(
        "the journal begins with a state after record {seq} of epoch {epoch} that this Till cannot read: install the Till that wrote it, or a newer one"
    )]
    OtherState {
        /// Which epoch.
        epoch: Epoch,
        /// After which record.
        seq: u64,
    },
    /// A state that cannot be written down.
    #[error("the till's state cannot be written down: {0}")]
    State(serde_json::Error),
    /// What was decided at the start could not be written.
    #[error("the till cannot write its journal, and so does not start: {0}")]
    FirstCommit(journal::Error),
}

impl Error {
    /// Whether the journal itself is damaged, so that it is set aside.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Journal(error) => error.is_damage(),
            Self::NoGenesis => true,
            Self::OtherTerminal { .. }
            | Self::OtherCurrency { .. }
            | Self::NewerGenesis { .. }
            | Self::OtherState { .. }
            | Self::State(_)
            | Self::FirstCommit(_) => false,
        }
    }
}

/// The loop, ready to run, the door into it, and the board around it.
pub struct Ready {
    /// Run it on a thread of its own.
    pub till: Loop,
    /// Grows with each turn: the watchdog is fed by it.
    pub pulse: Arc<AtomicU64>,
    /// Where edges read and write what is not history.
    pub board: Board,
}

impl Loop {
    pub(super) fn keep_snapshot(&mut self) {
        if self.till.tip().seq >= self.snapshot_at + SNAPSHOT_EVERY {
            self.save_snapshot();
        }
    }

    /// Keeps the state for the next start, unless memory may be ahead of what is on disk.
    pub(super) fn save_snapshot(&mut self) {
        if self.blind || self.selling != Selling::Open {
            return;
        }
        let tip = self.till.tip();
        let saved = snapshot_bytes(&self.till).map_err(|error| error.to_string()).and_then(|bytes| {
            let saved = self.journal.save_snapshot(self.till.epoch(), tip, bytes);
            saved.map_err(|error| error.to_string())
        });
        if let Err(error) = saved {
            tracing::warn!(error, "The snapshot was not saved; the next start takes longer.");
        }
        self.snapshot_at = tip.seq;
    }
}

/// Opens the journal, folds it, and settles what was under way when the last process ended.
///
/// # Errors
/// [`Error`] when the journal cannot be opened, read or written, or belongs to another till.
pub fn open(
    journal: Journal,
    opening: Opening,
    letters: Receiver<Letter>,
    outbox: Outbox,
) -> Result<Ready, Error> {
    let Opening {
        terminal,
        stations,
        bundle,
        kept,
        code_key,
        stamp,
        wallets,
        phones,
        code_ms,
        sources,
        received,
        signed,
        room,
    } = opening;
    let mut journal = journal;
    let mut received = received;
    received.retain(|_, tip| tip.seq > 0);
    // A bundle in another currency cannot be this till's, whoever signed it.
    let kept = kept.filter(|kept| kept.bundle.content.currency == bundle.content.currency);
    let in_force = kept.map_or_else(|| nothing_in_force(bundle), Arc::new);
    let cx = |draw, offset_ms| Context {
        moment: sources.clock.moment(offset_ms),
        contact: Contact::default(),
        draw,
        bundle: &in_force.bundle,
        keys: &in_force.keys,
        code_key: &code_key,
        wallets: &wallets,
        phones,
        code_ms,
        archived: None,
        device: stamp.public(),
        found: &[],
        proof_key: None,
    };
    let (whole, kept) = books::whole(journal, &received, &signed)?;
    journal = whole;
    journal.checked()?;
    if let Some(till) = &kept {
        check_ours(till, &terminal, in_force.bundle.content.currency)?;
    }
    let mut till = match kept {
        Some(till) if journal.left().is_none() => till,
        before => {
            let make = |draw| cx(draw, None);
            books::begin(&mut journal, before.as_ref(), &terminal, &received, sources.draw, make)?
        }
    };
    let offset_ms = till.offset_of_this_boot(&sources.clock.moment(None));
    let booted = till.step(&Event::Booted(journal.shutdown()), &cx((sources.draw)(), offset_ms));
    let booted = booted.unwrap_or_default();
    booted.iter().for_each(|record| till.apply(record));
    journal.append(&booted).map_err(Error::FirstCommit)?;
    match retention::unsaid(&journal, &till) {
        // Refused while something is open: then the next start says it.
        Ok(unsaid) => {
            let event = unsaid.map(Event::BroughtForward);
            let said = event.and_then(|event| till.step(&event, &cx((sources.draw)(), offset_ms)).ok());
            let said = said.unwrap_or_default();
            said.iter().for_each(|record| till.apply(record));
            journal.append(&said).map_err(Error::FirstCommit)?;
        }
        // Nothing that is needed now is missing; the next start looks at everything.
        Err(error) => {
            tracing::error!(error = %error, "What was brought forward cannot be read.");
            journal::check_at_start(journal.dir())?;
        }
    }

    let first = till.view(&in_force.bundle, 0, &stations, &BTreeMap::new(), Selling::Open);
    let (view, view_out): (_, watch::Receiver<Arc<View>>) = watch::channel(Arc::new(first));
    let (pins, pins_out) = watch::channel(Arc::new(till.pins()));
    let mut board = Board::new(view_out, pins_out);
    board.devices_door = Some(outbox.devices.downgrade());
    board.in_force.send_replace(Some(Arc::clone(&in_force)));
    board.link.send_modify(|link| link.cloud_offset_ms = offset_ms);
    let pulse = Arc::new(AtomicU64::new(0));
    let snapshot_at = till.tip().seq;
    let older = books::older(&journal, &received)?;
    let till = Loop {
        journal,
        till,
        letters,
        outbox,
        board: board.clone(),
        view,
        pins,
        stations,
        sources,
        code_key,
        stamp,
        wallets,
        phones,
        code_ms,
        in_force,
        told: BTreeMap::new(),
        shown: BTreeMap::new(),
        times_shown: 0,
        in_flight: BTreeSet::new(),
        unwritten: Vec::new(),
        codes: BTreeMap::new(),
        presses: Presses::default(),
        watched: super::disk::Watched::default(),
        room,
        selling: Selling::Open,
        watch: Watch::with_offset(offset_ms),
        blind: false,
        snapshot_at,
        forgotten_to: 0,
        older,
        late: false,
        prunes: true,
        forgetting_waits: false,
        pulse: Arc::clone(&pulse),
    };
    Ok(Ready { till, pulse, board })
}

/// Whether the journal is of this till, and in its money.
fn check_ours(till: &Till, terminal: &TerminalId, currency: Currency) -> Result<(), Error> {
    if till.terminal() != terminal {
        return Err(Error::OtherTerminal { found: till.terminal().clone(), configured: terminal.clone() });
    }
    if till.currency() != currency {
        return Err(Error::OtherCurrency { found: till.currency().code(), configured: currency.code() });
    }
    Ok(())
}

/// Folds the journal: the snapshot if it fits, and every record after it. None for an empty journal.
pub(super) fn replay(journal: &Journal) -> Result<Option<Till>, Error> {
    let loaded = journal.load()?;
    let known = loaded.snapshot.as_ref().map(|snapshot| state_of(&snapshot.bytes));
    let (mut till, tail) = match known {
        Some(Some(till)) => (Some(till), loaded.tail),
        Some(None) => {
            let whole = journal.load_whole()?;
            (whole.snapshot.as_ref().map(carried).transpose()?, whole.tail)
        }
        None => (None, loaded.tail),
    };
    for record in tail {
        fold(&mut till, &record?)?;
    }
    Ok(till)
}

/// A state that was brought forward: nothing else says what it says.
pub(super) fn carried(state: &Snapshot) -> Result<Till, Error> {
    state_of(&state.bytes).ok_or(Error::OtherState { epoch: state.epoch, seq: state.tip.seq })
}

/// Moves a fold on by a record.
pub(super) fn fold(till: &mut Option<Till>, record: &Record) -> Result<(), Error> {
    if let Body::Unreadable { kind_name } = &record.body
        && kind_name == "genesis"
    {
        return Err(Error::NewerGenesis { epoch: record.header.epoch, seq: record.header.seq });
    }
    match (till.as_mut(), Till::begin(record)) {
        (_, Some(begun)) => {
            *till = Some(match till.take() {
                Some(before) => begun.after(before),
                None => begun,
            });
        }
        (Some(till), None) => till.apply(record),
        (None, None) => return Err(Error::NoGenesis),
    }
    Ok(())
}

/// What head office, managers and unreadable bodies made of single records, up to the end of a state that was kept.
pub fn kept_cases(snapshot: &crate::journal::Snapshot) -> Option<crate::queue::Cases> {
    state_of(&snapshot.bytes).map(|till| till.cases().clone())
}

/// A state as the next start reads it.
pub(super) fn snapshot_bytes(till: &Till) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&(SNAPSHOT_SHAPE, till))
}

fn state_of(bytes: &[u8]) -> Option<Till> {
    let (shape, till): (u16, serde_json::Value) = serde_json::from_slice(bytes).ok()?;
    if shape == SNAPSHOT_SHAPE { serde_json::from_value(till).ok() } else { None }
}
