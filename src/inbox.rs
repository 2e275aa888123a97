//! The one bounded door into the till, and the doors through which its duties leave.
//!
//! An edge posts events and may wait for the answer, which comes only after the records it caused are
//! durable. Each edge that works for the till holds one receiver of work. The board is where edges leave
//! what screens and the till want to know of them but what is not history: ports, the link, the watermark.

use crate::bundle::Bundle;
use crate::counter::duty::{Duty, KickDuty, PrintDuty};
use crate::counter::event::Event;
use crate::counter::refusal::Refusal;
use crate::queue::checklist::Checklist;
use crate::receipt::{CodeSlip, Receipt};
use crate::record::ids::{SaleId, StaffId, StationId};
use crate::staff::PinHash;
use crate::token::KeySet;
use crate::view::View;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Events that may wait at the door: some seconds of the busiest till. When it is full, a person is told
/// that the till is busy, and an edge waits.
pub const WAITING_MAX: usize = 4096;

/// Work that may wait at an edge: far more than a till can owe at once. When it is full, the till
/// keeps the duty and offers it again.
pub const WORK_MAX: usize = 1024;

/// How long an edge waits between two tries at a full door.
const DOOR_RETRY: Duration = Duration::from_millis(5);

/// What became of an event, once durable.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Reply {
    /// The journal's last number after it.
    pub seq: u64,
    /// The sale it touched.
    pub sale: Option<SaleId>,
}

/// An event at the door.
#[derive(Debug)]
pub struct Letter {
    /// What happened.
    pub event: Event,
    /// A page's own id for a press of a button: the same id again gets the same answer.
    pub command: Option<String>,
    /// Where the answer goes.
    pub reply: Option<oneshot::Sender<Result<Reply, Refusal>>>,
}

/// The door, as edges hold it.
#[derive(Clone, Debug)]
pub struct Inbox {
    door: SyncSender<Letter>,
}

impl Inbox {
    /// Makes the door; the till holds the other side.
    pub fn new() -> (Self, Receiver<Letter>) {
        let (door, letters) = sync_channel(WAITING_MAX);
        (Self { door }, letters)
    }

    /// Posts an event and waits until its records are durable.
    ///
    /// # Errors
    /// The till's [`Refusal`]; [`Refusal::Busy`] when the door is full or the till is gone.
    pub async fn ask(&self, event: Event) -> Result<Reply, Refusal> {
        self.ask_as(None, event).await
    }

    /// As [`Inbox::ask`], for a press that may arrive twice under one id.
    ///
    /// # Errors
    /// As [`Inbox::ask`].
    pub async fn ask_as(&self, command: Option<String>, event: Event) -> Result<Reply, Refusal> {
        let (reply, answer) = oneshot::channel();
        let letter = Letter { event, command, reply: Some(reply) };
        self.door.try_send(letter).map_err(|_| Refusal::Busy)?;
        answer.await.unwrap_or(Err(Refusal::Busy))
    }

    /// Posts what must not be lost: waits while the door is full. False once the till is gone.
    pub async fn post(&self, event: Event) -> bool {
        let mut letter = Letter { event, command: None, reply: None };
        loop {
            match self.door.try_send(letter) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => letter = back,
            }
            tokio::time::sleep(DOOR_RETRY).await;
        }
    }

    /// As [`Inbox::ask`] from an ordinary thread; waits while the door is full.
    ///
    /// # Errors
    /// As [`Inbox::ask`].
    pub fn ask_blocking(&self, event: Event) -> Result<Reply, Refusal> {
        let (reply, answer) = oneshot::channel();
        let letter = Letter { event, command: None, reply: Some(reply) };
        self.door.send(letter).map_err(|_| Refusal::Busy)?;
        answer.blocking_recv().unwrap_or(Err(Refusal::Busy))
    }
}

/// A pay code on its way to the provider. Never written anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeInHand(pub String);

impl std::fmt::Debug for CodeInHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeInHand")
    }
}

/// Work for the provider.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderWork {
    /// What is owed.
    pub duty: Duty,
    /// The pay code, with [`Duty::Submit`] only.
    pub code: Option<CodeInHand>,
}

/// Work for the devices.
#[derive(Clone, PartialEq, Debug)]
pub enum DeviceWork {
    /// Print this receipt.
    Print(PrintDuty, Box<Receipt>),
    /// Print this code for a phone.
    PrintCode(PrintDuty, Box<CodeSlip>),
    /// Open the drawer.
    Kick(KickDuty),
    /// Print a list for the manager: no receipt, so nothing waits for it and no record says how it ended.
    Report(Report),
}

/// A list for the manager on a station's paper.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Where.
    pub station: StationId,
    /// What.
    pub list: Box<Checklist>,
}

/// The till's side of the doors out.
#[derive(Debug)]
pub struct Outbox {
    /// Payments and refunds that the till itself makes.
    pub provider: mpsc::Sender<ProviderWork>,
    /// Paper and drawer.
    pub devices: mpsc::Sender<DeviceWork>,
    /// Orders and refunds that the cloud makes.
    pub cloud: mpsc::Sender<Duty>,
}

/// The edges' side of the same doors.
#[derive(Debug)]
pub struct Work {
    /// For `provider`.
    pub provider: mpsc::Receiver<ProviderWork>,
    /// For `devices`.
    pub devices: mpsc::Receiver<DeviceWork>,
    /// For `sync`.
    pub cloud: mpsc::Receiver<Duty>,
}

/// Makes the doors out.
pub fn doors() -> (Outbox, Work) {
    let (provider, provider_work) = mpsc::channel(WORK_MAX);
    let (devices, device_work) = mpsc::channel(WORK_MAX);
    let (cloud, cloud_work) = mpsc::channel(WORK_MAX);
    let work = Work { provider: provider_work, devices: device_work, cloud: cloud_work };
    (Outbox { provider, devices, cloud }, work)
}

/// Where a port stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortState {
    /// None is configured.
    #[default]
    Absent,
    /// Open and answering.
    Ready,
    /// Open, and asks for a person: the sentence says what for.
    Asks(String),
    /// Open, and a receipt stands still in it, which goes on once a person has seen to what the sentence says, and
    /// which a person may give up.
    Held(String),
    /// Open, and stopped by a jam that a person clears: the printer goes on when that person says so.
    Jammed(String),
    /// Gone: the sentence says why; it is tried again by itself.
    Gone(String),
}

/// The devices of one station.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StationDevices {
    /// The scanner.
    pub scanner: PortState,
    /// The printer.
    pub printer: PortState,
    /// The customer display on a line; the one in a browser is no device.
    pub display: PortState,
    /// The drawer on a port of its own; the one on the printer is the printer's.
    pub drawer: PortState,
}

/// How far the cloud has the journal, and when it was heard.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Link {
    /// Where it stands.
    pub state: LinkState,
    /// Since when, Unix milliseconds by the wall clock.
    pub since_ms: i64,
    /// When the cloud was last heard, if ever.
    pub heard_ms: Option<i64>,
    /// The last number that the cloud has durably.
    pub received: u64,
    /// The cloud has ruled on everything up to here, and each verdict is in the journal.
    pub ruled: u64,
    /// When it is tried again, if it waits.
    pub next_try_ms: Option<i64>,
    /// Why it does not work, a sentence.
    pub trouble: Option<String>,
    /// Cloud time minus wall time.
    pub cloud_offset_ms: Option<i64>,
    /// The fingerprint to compare while pairing.
    pub fingerprint: Option<String>,
}

/// Where the way to the cloud stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// No cloud is configured.
    #[default]
    Absent,
    /// A manager has yet to approve this till at the cloud.
    Pairing,
    /// Answers.
    Online,
    /// Does not answer.
    Offline,
}

/// The bundle in force and the keys that our codes are verified with.
#[derive(Clone, PartialEq, Debug)]
pub struct InForce {
    /// Prices, menu, offers, desks.
    pub bundle: Bundle,
    /// Verified against the pinned root.
    pub keys: KeySet,
}

/// Where edges leave what is not history, and where everybody reads.
#[derive(Clone, Debug)]
pub struct Board {
    /// The latest view; the till writes it.
    pub view: watch::Receiver<Arc<View>>,
    /// Ports by station; `devices` writes it.
    pub devices: Arc<watch::Sender<BTreeMap<StationId, StationDevices>>>,
    /// The last bundle that was verified; `sync` writes it before it posts `BundleArrived`.
    pub bundle: Arc<watch::Sender<Option<Arc<InForce>>>>,
    /// What is in force at the till; the till writes it, from its opening on.
    pub in_force: Arc<watch::Sender<Option<Arc<InForce>>>>,
    /// Hashes that PINs are checked against; the till writes it.
    pub pins: watch::Receiver<Arc<BTreeMap<StaffId, PinHash>>>,
    /// The link; `sync` writes it.
    pub link: Arc<watch::Sender<Link>>,
    /// What phones need that pay an order of which the cloud has not heard; `sync` writes it.
    pub phones: Arc<watch::Sender<Option<Arc<Phones>>>>,
    /// Pressing Send now raises it; `sync` reads it.
    pub nudge: Arc<tokio::sync::Notify>,
    /// How often a receipt that stands still in a station's printer was given up: each press counts one on, and
    /// `devices` sees to it. The outcome comes through the door like any other.
    pub paper_given_up: Arc<watch::Sender<BTreeMap<StationId, u64>>>,
    /// How often a jam in a station's printer was said to be cleared: each press counts one on, and `devices` tells the
    /// printer to go on.
    pub jam_cleared: Arc<watch::Sender<BTreeMap<StationId, u64>>>,
    /// The door to `devices` for lists that a manager wants on paper; it does not keep the door open. None where the
    /// till has no devices.
    pub devices_door: Option<mpsc::WeakSender<DeviceWork>>,
}

/// How a phone pays a till that the cloud cannot hear, as the cloud last said.
#[derive(Clone, PartialEq, Eq)]
pub struct Phones {
    /// Scheme and host under which a phone opens an order.
    pub base: String,
    /// What till and cloud share for the digits that a customer reads out.
    pub proof_key: [u8; 32],
}

impl std::fmt::Debug for Phones {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Phones({})", self.base)
    }
}

impl Board {
    /// Makes the board around what the till writes.
    pub fn new(
        view: watch::Receiver<Arc<View>>,
        pins: watch::Receiver<Arc<BTreeMap<StaffId, PinHash>>>,
    ) -> Self {
        Self {
            view,
            pins,
            bundle: Arc::new(watch::Sender::new(None)),
            in_force: Arc::new(watch::Sender::new(None)),
            devices: Arc::new(watch::Sender::new(BTreeMap::new())),
            link: Arc::new(watch::Sender::new(Link::default())),
            phones: Arc::new(watch::Sender::new(None)),
            nudge: Arc::new(tokio::sync::Notify::new()),
            paper_given_up: Arc::new(watch::Sender::new(BTreeMap::new())),
            jam_cleared: Arc::new(watch::Sender::new(BTreeMap::new())),
            devices_door: None,
        }
    }
}
