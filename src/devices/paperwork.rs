//! One printer's work: drawers first, then receipts, one at a time, each announced before it begins.
//!
//! A receipt waits here while the printer is gone, open or without paper: nothing of it was sent, so it
//! is simply printed later. A drawer does not wait long: the customer stands there.

use super::printer::Running;
use super::words::{Answers, drawer_stays_shut, of_drawer, of_paper, sentence};
use super::{Config, PrinterConfig, told_to_stop};
use crate::counter::Refusal;
use crate::counter::duty::{KickDuty, PrintDuty};
use crate::counter::event::{Event, PrintReport};
use crate::inbox::{Board, DeviceWork, Inbox};
use crate::receipt::Receipt;
use crate::record::body::PaperOutcome;
use crate::record::ids::StationId;
use hardware::document::Document;
use hardware::printer::escpos::encode;
use hardware::printer::{JobOutcome, Why};
use hardware::profile::Replies;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Between two tries to announce something to a till that cannot write just now.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// How often a drawer that waits behind a receipt looks whether that stands still.
const HELD_LOOK: Duration = Duration::from_millis(100);

/// Tells when a person gives up the receipt that stands still in one station's printer.
#[derive(Clone)]
pub(super) struct GivenUp {
    station: StationId,
    presses: watch::Receiver<BTreeMap<StationId, u64>>,
    seen: u64,
}

impl GivenUp {
    pub(super) fn new(board: &Board, station: &StationId) -> Self {
        Self { station: station.clone(), presses: board.paper_given_up.subscribe(), seen: 0 }
    }

    /// Takes all presses so far as seen. True if there was another since the last look.
    fn look(&mut self) -> bool {
        let presses = self.presses.borrow_and_update().get(&self.station).copied().unwrap_or(0);
        presses != std::mem::replace(&mut self.seen, presses)
    }

    /// Returns at the next press.
    async fn pressed(&mut self) {
        while !self.look() {
            if self.presses.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The work of one printer.
pub(super) struct Paperwork {
    printer: Running,
    config: PrinterConfig,
    poll: Duration,
    drawer_wait: Duration,
    stop_wait: Duration,
    arrivals: mpsc::Receiver<DeviceWork>,
    inbox: Inbox,
    shutdown: watch::Receiver<bool>,
    given_up: GivenUp,
    /// Drawers, each with the moment at which it is given up.
    kicks: VecDeque<(KickDuty, Instant)>,
    receipts: VecDeque<(PrintDuty, Box<Receipt>)>,
    /// When the till, which could not write just now, is asked again.
    ask_again: Option<Instant>,
    /// No more work can come: the till is gone.
    ended: bool,
}

/// What the till says to a beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leave {
    /// It is durable that this may have begun.
    Given,
    /// The till cannot write just now.
    Later,
    /// It was begun before, or a person settled it.
    Never,
}

impl Paperwork {
    pub(super) fn new(
        config: &Config,
        wanted: &PrinterConfig,
        printer: Running,
        arrivals: mpsc::Receiver<DeviceWork>,
        inbox: Inbox,
        shutdown: watch::Receiver<bool>,
        given_up: GivenUp,
    ) -> Self {
        Self {
            printer,
            config: wanted.clone(),
            poll: config.printer_poll,
            drawer_wait: config.drawer_wait,
            stop_wait: config.stop_wait,
            arrivals,
            inbox,
            shutdown,
            given_up,
            kicks: VecDeque::new(),
            receipts: VecDeque::new(),
            ask_again: None,
            ended: false,
        }
    }

    /// Works until the till stops.
    pub(super) async fn run(mut self) {
        while !self.ended && !*self.shutdown.borrow() {
            // Seen before the printer's state is looked at: a change after that look rings again.
            self.printer.bell.borrow_and_update();
            self.take_in();
            if !self.ended && !self.turn().await {
                self.wait().await;
            }
        }
        self.printer.handle.stop();
        // Dropping it waits for its threads.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Does one thing, if one can be done.
    async fn turn(&mut self) -> bool {
        if let Some((kick, until)) = self.kicks.pop_front() {
            if self.is_ready() {
                return self.kick(kick, until).await;
            }
            self.kicks.push_front((kick, until));
            if until <= Instant::now() {
                let why = self.printer.handle.status().to_string();
                self.give_up_kick(&why).await;
                return true;
            }
            return false;
        }
        // Health is as old as the last question. It is asked for again before a receipt is announced, so
        // that paper which ran out since holds the receipt up here instead of failing it.
        if self.receipts.is_empty() || !self.is_ready() {
            return false;
        }
        if self.submit(Vec::new()).await != JobOutcome::Confirmed {
            return false;
        }
        self.take_in();
        if !self.kicks.is_empty() {
            // The drawer of the same sale has arrived meanwhile.
            return true;
        }
        self.print_next().await
    }

    fn is_ready(&self) -> bool {
        self.printer.handle.status().can_print()
    }

    /// Prints the first receipt that waits. False when the till cannot write that down just now.
    async fn print_next(&mut self) -> bool {
        let Some((duty, receipt)) = self.receipts.pop_front() else { return false };
        let profile = self.config.stock.profile;
        let document = self.config.stock.document(&receipt, duty.size);
        let (outcome, words) = match encode(&document, profile) {
            Ok(bytes) => {
                match self.announce(Event::Print(duty.job, PrintReport::Starting)).await {
                    Leave::Given => {}
                    Leave::Never => return true,
                    Leave::Later => {
                        self.receipts.push_front((duty, receipt));
                        return false;
                    }
                }
                of_paper(&self.submit(bytes).await)
            }
            Err(error) => (PaperOutcome::FailedBefore, sentence(&error.to_string())),
        };
        self.inbox.post(Event::Print(duty.job, PrintReport::Ended(outcome, words))).await;
        true
    }

    /// Opens the drawer. False when the till cannot write that down just now.
    async fn kick(&mut self, duty: KickDuty, until: Instant) -> bool {
        let mut document = Document::new();
        document.drawer(self.config.drawer);
        let (outcome, words) = match encode(&document, self.config.stock.profile) {
            Ok(bytes) => {
                match self.announce(Event::Drawer(duty.kick, PrintReport::Starting)).await {
                    Leave::Given => {}
                    Leave::Never => return true,
                    Leave::Later => {
                        self.kicks.push_front((duty, until));
                        return false;
                    }
                }
                let outcome = self.submit(bytes).await;
                of_drawer(&outcome, self.answers())
            }
            Err(error) => (PaperOutcome::FailedBefore, drawer_stays_shut(&error.to_string())),
        };
        self.inbox.post(Event::Drawer(duty.kick, PrintReport::Ended(outcome, words))).await;
        true
    }

    /// Asks that a beginning be made durable.
    async fn announce(&mut self, starting: Event) -> Leave {
        match self.inbox.ask(starting).await {
            Ok(_) => Leave::Given,
            Err(Refusal::Busy | Refusal::ReadOnly) => {
                self.ask_again = Some(Instant::now() + ASK_AGAIN);
                Leave::Later
            }
            Err(refusal) => {
                tracing::info!(why = %refusal, "Paper or drawer is not wanted any more.");
                Leave::Never
            }
        }
    }

    /// Gives a job to the printer and waits for its outcome. When the till stops meanwhile, the job may
    /// go on for a while and is then ended where it stands.
    async fn submit(&mut self, bytes: Vec<u8>) -> JobOutcome {
        let handle = Arc::clone(&self.printer.handle);
        let mut job = tokio::task::spawn_blocking(move || handle.submit(bytes));
        let mut shutdown = self.shutdown.clone();
        let stop_wait = self.stop_wait;
        // A press before this job began was not about it.
        let mut given_up = self.given_up.clone();
        given_up.look();
        let mut grace = std::pin::pin!(async {
            told_to_stop(&mut shutdown).await;
            tokio::time::sleep(stop_wait).await;
        });
        loop {
            // A receipt may wait minutes for paper; a drawer does not wait for that.
            let next_kick = self.kicks.front().map(|(_, until)| *until);
            let kick_given_up = async {
                match next_kick {
                    Some(until) => tokio::time::sleep_until(until.max(Instant::now() + HELD_LOOK)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The thread was lost, and with it the outcome.
                done = &mut job => return done.unwrap_or(JobOutcome::Unconfirmed { why: Why::Stopped }),
                () = &mut grace => break,
                () = given_up.pressed() => {
                    if self.printer.handle.held().is_some() {
                        self.printer.handle.give_up();
                    }
                }
                () = kick_given_up => {
                    if let Some(why) = self.printer.handle.held() {
                        self.give_up_kick(&why.to_string()).await;
                    }
                }
                work = self.arrivals.recv(), if !self.ended => match work {
                    Some(work) => self.sort_in(work),
                    None => self.ended = true,
                },
            }
        }
        self.printer.handle.stop();
        job.await.unwrap_or(JobOutcome::Unconfirmed { why: Why::Stopped })
    }

    /// Leaves the drawer that waits longest shut, and says so.
    async fn give_up_kick(&mut self, why: &str) {
        let Some((kick, _)) = self.kicks.pop_front() else { return };
        let ended = PrintReport::Ended(PaperOutcome::FailedBefore, drawer_stays_shut(why));
        self.inbox.post(Event::Drawer(kick.kick, ended)).await;
    }

    /// Whether the printer speaks, and what it says after a pulse.
    fn answers(&self) -> Answers {
        match self.config.stock.profile.replies {
            Replies::Never => Answers::No,
            Replies::RealTime | Replies::Fenced | Replies::ProcessId if self.is_ready() => Answers::Well,
            Replies::RealTime | Replies::Fenced | Replies::ProcessId => Answers::No,
        }
    }

    /// Takes in what has arrived.
    fn take_in(&mut self) {
        loop {
            match self.arrivals.try_recv() {
                Ok(work) => self.sort_in(work),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.ended = true;
                    return;
                }
            }
        }
    }

    fn sort_in(&mut self, work: DeviceWork) {
        match work {
            DeviceWork::Print(duty, receipt) => self.receipts.push_back((duty, receipt)),
            DeviceWork::Kick(duty) => self.kicks.push_back((duty, Instant::now() + self.drawer_wait)),
        }
    }

    /// Waits until something may be different.
    async fn wait(&mut self) {
        let now = Instant::now();
        let given_up = self.kicks.front().map(|(_, until)| *until).filter(|until| *until > now);
        let times = [Some(now + self.poll), given_up, self.ask_again.take()];
        let until = times.into_iter().flatten().min().unwrap_or(now);
        let bell = async {
            if self.printer.bell.changed().await.is_err() {
                // Its threads are gone; there is nothing more to hear.
                std::future::pending::<()>().await;
            }
        };
        let arrived = tokio::select! {
            work = self.arrivals.recv() => Some(work),
            () = bell => None,
            () = tokio::time::sleep_until(until) => None,
            () = told_to_stop(&mut self.shutdown) => None,
        };
        match arrived {
            None => {}
            Some(Some(work)) => self.sort_in(work),
            Some(None) => self.ended = true,
        }
    }
}
