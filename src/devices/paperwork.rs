//! One printer's work: drawers first, then receipts, one at a time, each announced before it begins.
//!
//! A receipt waits here while the printer is gone, open or without paper: nothing of it was sent, so it
//! is simply printed later. A drawer does not wait long: the customer stands there.

use super::presses::Presses;
use super::printer::Running;
use super::words::{Answers, drawer_stays_shut, of_drawer, of_paper, sentence};
use super::{Config, PrinterConfig, told_to_stop};
use crate::counter::Refusal;
use crate::counter::duty::{KickDuty, PrintDuty};
use crate::counter::event::{Event, PrintReport};
use crate::inbox::{DeviceWork, Inbox, Report};
use crate::receipt::{CodeSlip, Receipt};
use crate::record::body::PaperOutcome;
use hardware::document::Document;
use hardware::printer::escpos::encode;
use hardware::printer::{Fault, JobOutcome, PrinterStatus, Why};
use hardware::profile::Replies;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Between two tries to announce something to a till that cannot write just now.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// How often a drawer that waits behind a receipt looks whether that stands still.
const HELD_LOOK: Duration = Duration::from_millis(100);

/// Lists that wait for one printer. A manager presses again; receipts come first.
const REPORTS_MAX: usize = 3;

/// What is to be on a paper.
enum Wanted {
    Receipt(Box<Receipt>),
    Code(Box<CodeSlip>),
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
    given_up: Presses,
    jam_cleared: Presses,
    /// Drawers, each with the moment at which it is given up.
    kicks: VecDeque<(KickDuty, Instant)>,
    papers: VecDeque<(PrintDuty, Wanted)>,
    /// Lists for the manager: printed when nothing else waits.
    reports: VecDeque<Report>,
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
        [given_up, jam_cleared]: [Presses; 2],
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
            jam_cleared,
            kicks: VecDeque::new(),
            papers: VecDeque::new(),
            reports: VecDeque::new(),
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
            if self.opens_at_once(self.printer.handle.status()) {
                return self.kick_at_once().await;
            }
            if until <= Instant::now() {
                let why = self.printer.handle.status().to_string();
                self.give_up_kick(&why).await;
                return true;
            }
            return false;
        }
        // Health is as old as the last question. It is asked for again before a receipt is announced, so
        // that paper which ran out since holds the receipt up here instead of failing it.
        if self.papers.is_empty() {
            return self.print_report().await;
        }
        if !self.is_ready() {
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

    /// Prints the first paper that waits. False when the till cannot write that down just now.
    async fn print_next(&mut self) -> bool {
        let Some((duty, wanted)) = self.papers.pop_front() else { return false };
        let profile = self.config.stock.profile;
        let document = match &wanted {
            Wanted::Receipt(receipt) => self.config.stock.document(receipt, duty.size),
            Wanted::Code(slip) => self.config.stock.code_slip(slip, duty.size),
        };
        let (outcome, words) = match encode(&document, profile) {
            Ok(bytes) => {
                match self.announce(Event::Print(duty.job, PrintReport::Starting)).await {
                    Leave::Given => {}
                    Leave::Never => return true,
                    Leave::Later => {
                        self.papers.push_front((duty, wanted));
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

    /// Prints a list that waits, if one does and the printer is ready. It is asked for again if it does not come out.
    async fn print_report(&mut self) -> bool {
        if self.reports.is_empty() || !self.is_ready() {
            return false;
        }
        let Some(report) = self.reports.pop_front() else { return false };
        let document = self.config.stock.checklist(&report.list);
        match encode(&document, self.config.stock.profile) {
            Ok(bytes) => {
                let outcome = self.submit(bytes).await;
                if outcome != JobOutcome::Confirmed {
                    let (_, words) = of_paper(&outcome);
                    tracing::warn!(station = %report.station, %words, "a list for the manager");
                }
            }
            Err(error) => tracing::warn!(%error, "a list for the manager cannot be printed here"),
        }
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

    /// Whether the drawer of a printer of this health is opened at once: one that answers, and has no paper, an open
    /// cover, or was taken off line. In an error no printer that we know of obeys.
    fn opens_at_once(&self, status: PrinterStatus) -> bool {
        let why = Why::of_status(status);
        self.config.stock.profile.drawer_at_once
            && matches!(why, Some(Why::PaperOut | Why::CoverOpen | Why::Offline))
    }

    /// Opens the drawer that waits longest although nothing is printed. False when the till cannot write that down just
    /// now.
    async fn kick_at_once(&mut self) -> bool {
        let Some((duty, until)) = self.kicks.pop_front() else { return true };
        match self.announce(Event::Drawer(duty.kick, PrintReport::Starting)).await {
            Leave::Given => {}
            Leave::Never => return true,
            Leave::Later => {
                self.kicks.push_front((duty, until));
                return false;
            }
        }
        let (handle, pulse) = (Arc::clone(&self.printer.handle), self.config.drawer);
        let opened = tokio::task::spawn_blocking(move || handle.open_drawer_at_once(pulse)).await;
        let outcome = opened.unwrap_or(JobOutcome::Unconfirmed { why: Why::Stopped });
        // Well again or not, a printer that was asked for a pulse out of turn says only by the drawer that it gave one.
        let (outcome, words) = of_drawer(&outcome, Answers::No);
        self.inbox.post(Event::Drawer(duty.kick, PrintReport::Ended(outcome, words))).await;
        true
    }

    /// Tells a printer whose knife was jammed to go on, once a person says that it is free.
    async fn clear_jam(&mut self) {
        if !self.config.stock.profile.recovers || self.printer.handle.status().fault != Fault::Cutter {
            return;
        }
        let handle = Arc::clone(&self.printer.handle);
        let recovered = tokio::task::spawn_blocking(move || handle.recover()).await;
        if let Ok(JobOutcome::FailedBefore { why }) = recovered {
            // Its lamp says so as well: it is not free yet.
            tracing::info!(%why, "The printer did not go on after a jam.");
        }
    }

    /// Asks that a beginning be made durable.
    async fn announce(&mut self, starting: Event) -> Leave {
        match self.inbox.ask(starting).await {
            Ok(_) => Leave::Given,
            Err(Refusal::Busy | Refusal::DiskFull | Refusal::ReadOnly) => {
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
        // A press before this job begins is not about it; one from then on may be.
        let mut given_up = self.given_up.clone();
        given_up.look();
        let handle = Arc::clone(&self.printer.handle);
        let mut job = tokio::task::spawn_blocking(move || handle.submit(bytes));
        let mut shutdown = self.shutdown.clone();
        let stop_wait = self.stop_wait;
        let mut grace = std::pin::pin!(async {
            told_to_stop(&mut shutdown).await;
            tokio::time::sleep(stop_wait).await;
        });
        loop {
            // A receipt may wait minutes for paper; a drawer does not wait for that.
            let at_once = self.config.stock.profile.drawer_at_once;
            let next_kick = self.kicks.front().map(|(_, until)| *until);
            let kick_given_up = async {
                match next_kick {
                    // One that can be opened at once need not wait at all.
                    Some(_) if at_once => tokio::time::sleep(HELD_LOOK).await,
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
                () = kick_given_up => self.see_to_held_kick().await,
                work = self.arrivals.recv(), if !self.ended => match work {
                    Some(work) => self.sort_in(work),
                    None => self.ended = true,
                },
            }
        }
        self.printer.handle.stop();
        job.await.unwrap_or(JobOutcome::Unconfirmed { why: Why::Stopped })
    }

    /// Sees to the drawer that waits behind a receipt, if that stands still.
    async fn see_to_held_kick(&mut self) {
        let Some(why) = self.printer.handle.held() else { return };
        let at_once = self.config.stock.profile.drawer_at_once;
        if at_once && matches!(why, Why::PaperOut | Why::CoverOpen | Why::Offline) {
            self.kick_at_once().await;
        } else if next_is_late(&self.kicks) {
            self.give_up_kick(&why.to_string()).await;
        }
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
            DeviceWork::Print(duty, receipt) => self.papers.push_back((duty, Wanted::Receipt(receipt))),
            DeviceWork::PrintCode(duty, slip) => self.papers.push_back((duty, Wanted::Code(slip))),
            DeviceWork::Report(report) => {
                if self.reports.len() < REPORTS_MAX {
                    self.reports.push_back(report);
                }
            }
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
            () = self.jam_cleared.pressed() => {
                self.clear_jam().await;
                None
            }
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

/// Whether the drawer that waits longest has waited long enough.
fn next_is_late(kicks: &VecDeque<(KickDuty, Instant)>) -> bool {
    kicks.front().is_some_and(|(_, until)| *until <= Instant::now())
}
