//! A printer on a port: takes jobs one at a time, asks after its health in between, and tells what changes.
//!
//! What a job's outcome means for a receipt is decided by whoever submitted it.

mod port_wire;

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::driver::{PrinterDriver, Shared};
use super::outcome::{JobOutcome, Patience, Progress, Why};
use super::status::PrinterStatus;
use crate::document::DrawerPulse;
use crate::link::{Deadline, Port, PortConfig, PortEvent, PortHandle, Raw, Written};
use crate::profile::Profile;
use port_wire::PortWire;

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
    /// Whether a customer display shares its line.
    pub shared: Shared,
}

impl PrinterConfig {
    /// The usual patience, and a question every two seconds.
    #[must_use]
    pub fn new(port: PortConfig, profile: &'static Profile) -> PrinterConfig {
        let (patience, poll) = (Patience::default(), Duration::from_secs(2));
        PrinterConfig { port, profile, patience, poll, shared: Shared::No }
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
    /// The job under way stands still for this reason, and goes on by itself once that is seen to. A `Status` follows
    /// when it does, or when it was given up.
    Held(Why),
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
        let wire = PortWire::new(Arc::clone(&inbox), port.sender(), &config.port.address);
        let driver = PrinterDriver::new(wire, config.profile, config.patience).on_line(config.shared);
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
        self.put(Task::Print(job))
    }

    /// Tells a printer whose knife was jammed and is free again to go on, and waits for what it says. A person's act:
    /// the rest of a job that it holds comes out now. Confirmed when it is well after it.
    #[must_use]
    pub fn recover(&self) -> JobOutcome {
        self.put(Task::Recover)
    }

    /// Opens the drawer of a printer that does not print now, and waits for what came of it. A person's act; only a
    /// printer whose profile has `drawer_at_once` does it. While a job stands still in the printer it is done if the
    /// line has taken all of that job, and refused otherwise: see [`PrinterDriver::open_drawer_at_once`].
    #[must_use]
    pub fn open_drawer_at_once(&self, pulse: DrawerPulse) -> JobOutcome {
        self.put(Task::OpenDrawer(pulse))
    }

    /// Shows something on the display that shares the printer's line, between jobs, and waits for what came of it.
    #[must_use]
    pub fn show(&self, frame: Vec<u8>) -> JobOutcome {
        self.put(Task::Show(frame))
    }

    /// Ends the wait of the job under way, if one is: it is given up where it stands, and its outcome says so.
    pub fn give_up(&self) {
        {
            let mut state = self.inbox.lock();
            state.give_up = state.under_way;
        }
        self.inbox.changed.notify_all();
    }

    fn put(&self, task: Task) -> JobOutcome {
        let (done, outcome) = sync_channel(1);
        {
            let mut state = self.inbox.lock();
            if state.stop {
                return JobOutcome::FailedBefore { why: Why::Stopped };
            }
            if state.jobs.len() >= MAX_WAITING_JOBS {
                return JobOutcome::FailedBefore { why: Why::Busy };
            }
            state.jobs.push_back(Job { task, done });
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

    /// What the job under way stands still for, if it does.
    #[must_use]
    pub fn held(&self) -> Option<Why> {
        self.inbox.lock().held
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

/// What a printer's thread can be asked to do.
enum Task {
    Print(Vec<u8>),
    Recover,
    OpenDrawer(DrawerPulse),
    Show(Vec<u8>),
}

struct Job {
    task: Task,
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
    /// A job is under way.
    under_way: bool,
    /// It is not wanted any longer.
    give_up: bool,
    /// What the job under way stands still for.
    held: Option<Why>,
    /// How the job that is written came out at the port.
    written: Option<Written>,
    jobs: VecDeque<Job>,
    heard: VecDeque<u8>,
    news: VecDeque<PrinterEvent>,
    openings: u64,
    open: bool,
    status: PrinterStatus,
}

impl InboxState {
    /// Tells all who wait for a drawer why it stays shut.
    fn refuse_drawers(&mut self, why: Why) {
        self.jobs.retain(|job| {
            let drawer = matches!(job.task, Task::OpenDrawer(_));
            if drawer {
                let _ = job.done.send(JobOutcome::FailedBefore { why });
            }
            !drawer
        });
    }
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

/// What a printer's thread looks at next.
enum Next {
    News(PrinterEvent),
    Job(Job),
    /// It has said something by itself.
    Heard,
    /// Nothing happened for as long as it may go unasked.
    Quiet,
    Stop,
}

impl Inbox {
    fn next(&self, poll: Duration) -> Next {
        let mut state = self.wait(poll, |state| {
            state.stop || !state.news.is_empty() || !state.jobs.is_empty() || !state.heard.is_empty()
        });
        if state.stop {
            for job in state.jobs.drain(..) {
                let _ = job.done.send(JobOutcome::FailedBefore { why: Why::Stopped });
            }
            return Next::Stop;
        }
        if let Some(news) = state.news.pop_front() {
            return Next::News(news);
        }
        if let Some(job) = state.jobs.pop_front() {
            (state.under_way, state.give_up) = (true, false);
            return Next::Job(job);
        }
        if state.heard.is_empty() { Next::Quiet } else { Next::Heard }
    }
}

fn run(
    inbox: &Inbox,
    mut driver: PrinterDriver<PortWire>,
    poll: Duration,
    mut on_event: impl FnMut(PrinterEvent),
) {
    let mut told = None;
    // Packets and noise must not keep the questions away.
    let mut ask = Deadline::after(poll);
    loop {
        match inbox.next(ask.left()) {
            Next::Stop => return,
            Next::News(news) => {
                told = None;
                let opened = news == PrinterEvent::Opened;
                on_event(news);
                if !opened {
                    inbox.lock().status = PrinterStatus::SILENT;
                    continue;
                }
                // Whether it can print is told below.
                let _ = driver.make_ready();
                ask = Deadline::after(poll);
            }
            Next::Job(Job { task, done }) => {
                let outcome = match task {
                    Task::Recover => driver.recover(),
                    Task::OpenDrawer(pulse) => driver.open_drawer_at_once(pulse),
                    Task::Show(frame) => driver.show(&frame),
                    Task::Print(bytes) => driver.print_watched(&bytes, &mut |progress| {
                        told = None;
                        inbox.lock().held = match progress {
                            Progress::Held(why) => Some(why),
                            Progress::GoesOn => None,
                        };
                        match progress {
                            Progress::Held(why) => on_event(PrinterEvent::Held(why)),
                            // Its health follows when the job has ended.
                            Progress::GoesOn => on_event(PrinterEvent::Status(PrinterStatus {
                                answers: true,
                                online: true,
                                ..PrinterStatus::SILENT
                            })),
                        }
                    }),
                };
                {
                    let mut state = inbox.lock();
                    (state.status, state.held) = (driver.status(), None);
                    (state.under_way, state.give_up) = (false, false);
                }
                let _ = done.send(outcome);
                ask = Deadline::after(poll);
            }
            Next::Heard => driver.overhear(),
            Next::Quiet => {
                if driver.is_open() {
                    let _ = driver.tend();
                }
                ask = Deadline::after(poll);
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
