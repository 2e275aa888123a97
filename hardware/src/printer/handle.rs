//! A printer on a port: takes jobs one at a time, asks after its health in between, and tells what changes.
//!
//! What a job's outcome means for a receipt is decided by whoever submitted it.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::driver::{JobOutcome, Patience, PrinterDriver, Why, Wire};
use super::status::PrinterStatus;
use crate::link::{Deadline, Port, PortConfig, PortEvent, PortHandle, PortSender, Raw, Written};
use crate::profile::Profile;

/// Jobs that may wait behind the one under way.
const MAX_WAITING_JOBS: usize = 16;
/// Bytes heard and not yet looked at; the oldest go first. A printer says four bytes for each of our questions.
const MAX_HEARD_BYTES: usize = 256;

/// How a printer is driven.
#[derive(Debug, Clone)]
pub struct PrinterConfig {
    /// Its port.
    pub port: PortConfig,
    /// What it can do.
    pub profile: &'static Profile,
    /// How long it is waited for.
    pub patience: Patience,
    /// How often it is asked after its health while it has nothing to do.
    pub poll: Duration,
}

impl PrinterConfig {
    /// The usual patience, and a question every two seconds.
    #[must_use]
    pub fn new(port: PortConfig, profile: &'static Profile) -> PrinterConfig {
        PrinterConfig { port, profile, patience: Patience::default(), poll: Duration::from_secs(2) }
    }
}

/// What changed about a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// Its port is open. A `Status` follows.
    Opened,
    /// Its port is gone and is looked for.
    Gone {
        /// Why, in words.
        reason: String,
    },
    /// Its health changed; `Display` has the words.
    Status(PrinterStatus),
}

/// Starts printers.
#[derive(Debug)]
pub struct Printer;

impl Printer {
    /// Starts driving a printer. `on_event` is called on the printer's own thread, never while a lock is held.
    ///
    /// # Errors
    /// When the system gives no threads. A printer that is not there is no error: it is looked for.
    pub fn start(
        config: PrinterConfig,
        on_event: impl FnMut(PrinterEvent) + Send + 'static,
    ) -> io::Result<PrinterHandle> {
        let inbox = Arc::new(Inbox::default());
        let heard = Arc::clone(&inbox);
        let name = config.port.address.to_string();
        let port = Port::start(config.port.clone(), Raw, move |event| heard.take_in(event))?;
        let wire = PortWire { inbox: Arc::clone(&inbox), port: port.sender() };
        let driver = PrinterDriver::new(wire, config.profile, config.patience);
        let for_thread = Arc::clone(&inbox);
        let thread = std::thread::Builder::new()
            .name(format!("print {name}"))
            .spawn(move || run(&for_thread, driver, config.poll, on_event))?;
        Ok(PrinterHandle { inbox, port, thread: Some(thread) })
    }
}

/// A running printer. Dropping it stops it. Shared by reference: any thread may submit.
pub struct PrinterHandle {
    inbox: Arc<Inbox>,
    port: PortHandle,
    thread: Option<JoinHandle<()>>,
}

impl PrinterHandle {
    /// Prints a job and waits for its outcome. Call it where blocking is allowed. An empty job only asks whether one
    /// could begin now.
    #[must_use]
    pub fn submit(&self, job: Vec<u8>) -> JobOutcome {
        let (done, outcome) = sync_channel(1);
        {
            let mut state = self.inbox.lock();
            if state.stop {
                return JobOutcome::FailedBefore { why: Why::Stopped };
            }
            if state.jobs.len() >= MAX_WAITING_JOBS {
                return JobOutcome::FailedBefore { why: Why::Busy };
            }
            state.jobs.push_back(Job { bytes: job, done });
        }
        self.inbox.changed.notify_all();
        // The thread answers every job it takes; one it never took was not sent.
        outcome.recv().unwrap_or(JobOutcome::FailedBefore { why: Why::Stopped })
    }

    /// The printer's health as last heard.
    #[must_use]
    pub fn status(&self) -> PrinterStatus {
        self.inbox.lock().status
    }

    /// Asks the printer's threads to stop: a job under way ends where it stands, waiting ones are not begun, and all
    /// say so. Dropping the handle waits for the threads.
    pub fn stop(&self) {
        self.inbox.lock().stop = true;
        self.inbox.changed.notify_all();
        self.port.stop();
    }
}

impl Drop for PrinterHandle {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

struct Job {
    bytes: Vec<u8>,
    done: SyncSender<JobOutcome>,
}

/// What waits for the printer's thread.
#[derive(Default)]
struct Inbox {
    state: Mutex<InboxState>,
    changed: Condvar,
}

#[derive(Default)]
struct InboxState {
    stop: bool,
    jobs: VecDeque<Job>,
    heard: VecDeque<u8>,
    news: VecDeque<PrinterEvent>,
    openings: u64,
    open: bool,
    status: PrinterStatus,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On the port's reader thread.
    fn take_in(&self, event: PortEvent<u8>) {
        let mut state = self.lock();
        match event {
            PortEvent::Opened => {
                state.open = true;
                state.openings += 1;
                state.heard.clear();
                state.news.push_back(PrinterEvent::Opened);
            }
            PortEvent::Gone { reason } => {
                state.open = false;
                state.heard.clear();
                state.news.push_back(PrinterEvent::Gone { reason });
            }
            PortEvent::Received(byte) => {
                if state.heard.len() == MAX_HEARD_BYTES {
                    state.heard.pop_front();
                }
                state.heard.push_back(byte);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until `ready` says so or `wait` is over.
    fn wait(&self, wait: Duration, ready: impl Fn(&InboxState) -> bool) -> MutexGuard<'_, InboxState> {
        let deadline = Deadline::after(wait);
        let mut state = self.lock();
        while !ready(&state) && !deadline.has_passed() {
            let left = deadline.left();
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

struct PortWire {
    inbox: Arc<Inbox>,
    port: PortSender,
}

impl Wire for PortWire {
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written {
        self.port.write(bytes.to_vec(), stall)
    }

    fn hear(&mut self, wait: Duration) -> Option<u8> {
        let lost = |state: &InboxState| state.stop || !state.open;
        self.inbox.wait(wait, |state| !state.heard.is_empty() || lost(state)).heard.pop_front()
    }

    fn opening(&self) -> Option<u64> {
        let state = self.inbox.lock();
        (state.open && !state.stop).then_some(state.openings)
    }
}

fn run(
    inbox: &Inbox,
    mut driver: PrinterDriver<PortWire>,
    poll: Duration,
    mut on_event: impl FnMut(PrinterEvent),
) {
    let mut told = None;
    loop {
        let (news, job) = {
            let mut state =
                inbox.wait(poll, |state| state.stop || !state.news.is_empty() || !state.jobs.is_empty());
            if state.stop {
                for job in state.jobs.drain(..) {
                    let _ = job.done.send(JobOutcome::FailedBefore { why: Why::Stopped });
                }
                return;
            }
            match state.news.pop_front() {
                Some(news) => (Some(news), None),
                None => (None, state.jobs.pop_front()),
            }
        };
        match (news, job) {
            (Some(news), _) => {
                told = None;
                let opened = news == PrinterEvent::Opened;
                on_event(news);
                if opened {
                    driver.ask_status();
                } else {
                    inbox.lock().status = PrinterStatus::SILENT;
                    continue;
                }
            }
            (None, Some(job)) => {
                let outcome = driver.print(&job.bytes);
                inbox.lock().status = driver.status();
                let _ = job.done.send(outcome);
            }
            (None, None) => {
                if driver.is_open() {
                    driver.ask_status();
                }
            }
        }
        let status = driver.status();
        inbox.lock().status = status;
        if driver.is_open() && told != Some(status) {
            told = Some(status);
            on_event(PrinterEvent::Status(status));
        }
    }
}
