//! A receipt printer that keeps what it prints.
//!
//! It receives at its own baud rate, answers `DLE EOT` the moment it arrives, works the rest off in order, tells of
//! changes by itself once it is asked to, and stops when its paper is out or its cover is open, as real ones do.
//! Pulling it out takes its power away too.
//!
//! What can be the matter with it is in `health`, its thread in `machine`.

mod health;
mod machine;

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::display::{DisplayFamily, Shown};
use super::paper::Paper;
use super::pty::Pty;
use super::shared_line::SharedLine;
use crate::link::Deadline;
pub use health::Happening;
use health::Health;
use machine::Machine;

/// What is wrong with the printer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The roll is nearly empty; it prints.
    PaperNearEnd,
    /// No paper: it takes bytes in and holds them.
    PaperOut,
    /// The cover is open: it holds as well.
    CoverOpen,
    /// The knife is jammed: it holds as well.
    CutterJam,
    /// The head is too hot: it holds as well.
    Overheated,
    /// It prints, and what it says is lost on the way.
    DropReplies,
}

impl Fault {
    fn happenings(self) -> &'static [Happening] {
        match self {
            Fault::None => &[],
            Fault::PaperNearEnd => &[Happening::PaperNearEnd],
            Fault::PaperOut => &[Happening::PaperOut],
            Fault::CoverOpen => &[Happening::CoverOpened],
            Fault::CutterJam => &[Happening::KnifeJams],
            Fault::Overheated => &[Happening::HeadHot],
            Fault::DropReplies => &[Happening::LosesAnswers(None)],
        }
    }
}

/// How it keeps its host from sending more than it can hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Handshake {
    /// By a line: it takes no more bytes, and the host's writes wait. Without power it takes none either.
    #[default]
    Line,
    /// By XOFF and XON. The host must obey.
    XonXoff,
    /// Not at all: what it cannot hold is lost.
    Nothing,
}

/// When it asks its host to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Busy {
    /// When its buffer is full.
    #[default]
    Full,
    /// When its buffer is full, and while it is off line.
    FullOrOffline,
}

/// How a virtual printer is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterOptions {
    /// The rate at which it takes bytes in; 0 for as fast as they come.
    pub baud: u32,
    /// Printable width.
    pub width_dots: u32,
    /// Bytes it can hold. 4,096 is what many have; some have 68.
    pub buffer_bytes: usize,
    /// How it keeps its host from sending more.
    pub handshake: Handshake,
    /// When it does.
    pub busy: Busy,
    /// A customer display on the way to it, on the same line.
    pub display: Option<DisplayFamily>,
}

impl Default for PrinterOptions {
    /// Unpaced, 512 dots: 42 columns, 4,096 bytes, held by a line when it is full.
    fn default() -> PrinterOptions {
        PrinterOptions {
            baud: 0,
            width_dots: 512,
            buffer_bytes: 4096,
            handshake: Handshake::Line,
            busy: Busy::Full,
            display: None,
        }
    }
}

/// A virtual printer behind a link. Dropping it pulls it out.
pub struct Printer {
    link: PathBuf,
    options: PrinterOptions,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stop: bool,
    fault: Fault,
    health: Health,
    /// Its power was cut, however shortly.
    forgets: bool,
    /// What happens when printing has come so far.
    plans: Vec<(When, Happening)>,
    /// Bytes worked off since it was started.
    worked: u64,
    /// Bytes that came while its buffer was full.
    overrun: u64,
    /// The terminal to use from now on; the thread takes it.
    plugged: Option<Pty>,
    /// Pull out what is plugged.
    unplug: bool,
    is_plugged: bool,
    paper: Paper,
    received: u64,
    /// The display on its line.
    line: Option<SharedLine>,
}

/// How far printing has come when something happens, counted from the printer's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Bytes(u64),
    Lines(usize),
    Cuts(usize),
}

impl State {
    fn happen(&mut self, happening: Happening) {
        self.health.happen(happening);
        self.forgets |= happening == Happening::PowerOff;
    }

    fn lines(&self) -> usize {
        self.paper.sheets.iter().map(|sheet| sheet.lines.len()).sum()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Printer {
    /// Plugs a printer in at `link`. Every byte it takes in is also added to `spool/printed.bin`.
    ///
    /// # Errors
    /// When the system has no terminal, or the link or the file cannot be made.
    pub fn start(link: &Path, spool: &Path, options: PrinterOptions) -> io::Result<Printer> {
        std::fs::create_dir_all(spool)?;
        let spool = OpenOptions::new().create(true).append(true).open(spool.join("printed.bin"))?;
        let shared = Arc::new(Shared::default());
        {
            let mut state = shared.lock();
            state.plugged = Some(Pty::plug(link)?);
            state.is_plugged = true;
            state.line = options.display.map(SharedLine::new);
        }
        let machine = Machine::new(Arc::clone(&shared), options, spool);
        let thread =
            std::thread::Builder::new().name("virtual printer".to_owned()).spawn(|| machine.run())?;
        Ok(Printer { link: link.to_owned(), options, shared, thread: Some(thread) })
    }

    /// What is on paper so far.
    #[must_use]
    pub fn paper(&self) -> Paper {
        self.shared.lock().paper.clone()
    }

    /// Bytes taken off the line so far, questions included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.shared.lock().received
    }

    /// Waits until the paper is as wanted; `false` if it is not within `wait`.
    #[must_use]
    pub fn wait_for(&self, wait: Duration, wanted: impl Fn(&Paper) -> bool) -> bool {
        self.wait_until(wait, |state| wanted(&state.paper))
    }

    /// Waits until so many bytes were taken in; `false` if they were not within `wait`.
    #[must_use]
    pub fn wait_for_received(&self, wait: Duration, bytes: u64) -> bool {
        self.wait_until(wait, |state| state.received >= bytes)
    }

    fn wait_until(&self, wait: Duration, wanted: impl Fn(&State) -> bool) -> bool {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.lock();
        while !wanted(&state) {
            let left = deadline.left();
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What the display on its line shows, if there is one.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        self.shared.lock().line.as_ref().map(SharedLine::shown)
    }

    /// Waits until the display on its line shows what is wanted; `false` if it does not within `wait`.
    #[must_use]
    pub fn wait_for_shown(&self, wait: Duration, wanted: impl Fn(&Shown) -> bool) -> bool {
        self.wait_until(wait, |state| state.line.as_ref().is_some_and(|line| wanted(&line.shown())))
    }

    /// Whether its drawer is open.
    #[must_use]
    pub fn drawer_is_open(&self) -> bool {
        self.shared.lock().health.drawer_level()
    }

    /// Breaks something, or mends everything with `Fault::None`.
    pub fn set_fault(&self, fault: Fault) {
        let mut state = self.shared.lock();
        state.fault = fault;
        state.health = Health::default();
        fault.happenings().iter().for_each(|happening| state.happen(*happening));
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Lets something happen now.
    pub fn happen(&self, happening: Happening) {
        self.shared.lock().happen(happening);
        self.shared.changed.notify_all();
    }

    /// Lets something happen when so many more bytes have been worked off: within a line, a symbol, a picture.
    pub fn after_bytes(&self, bytes: u64, happening: Happening) {
        let mut state = self.shared.lock();
        let at = When::Bytes(state.worked + bytes);
        state.plans.push((at, happening));
    }

    /// Lets something happen when so many more lines are on paper.
    pub fn after_lines(&self, lines: usize, happening: Happening) {
        let mut state = self.shared.lock();
        let at = When::Lines(state.lines() + lines);
        state.plans.push((at, happening));
    }

    /// Lets something happen at the next cut.
    pub fn at_next_cut(&self, happening: Happening) {
        let mut state = self.shared.lock();
        let at = When::Cuts(state.paper.cut_sheets().count() + 1);
        state.plans.push((at, happening));
    }

    /// The printer's own words about its health: the four bytes of automatic status.
    #[must_use]
    pub fn packet(&self) -> [u8; 4] {
        self.shared.lock().health.packet()
    }

    /// Whether it has power.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.shared.lock().health.powered
    }

    /// Bytes that were lost because they came while its buffer was full.
    #[must_use]
    pub fn overrun(&self) -> u64 {
        self.shared.lock().overrun
    }

    /// What was last broken with `set_fault`.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.shared.lock().fault
    }

    /// Pulls it out. What it had taken in and not printed is lost.
    pub fn unplug(&self) {
        let mut state = self.shared.lock();
        state.plugged = None;
        state.unplug = true;
        state.is_plugged = false;
        self.shared.changed.notify_all();
        // Out when this returns, as a cable is.
        while state.unplug && !state.stop {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Plugs it in anew, on another terminal under the same link.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn replug(&self) -> io::Result<()> {
        self.unplug();
        let pty = Pty::plug(&self.link)?;
        let mut state = self.shared.lock();
        state.plugged = Some(pty);
        state.is_plugged = true;
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Whether it is plugged in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.shared.lock().is_plugged
    }

    /// How it is built.
    #[must_use]
    pub fn options(&self) -> PrinterOptions {
        self.options
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
