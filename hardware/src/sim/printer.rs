//! A receipt printer that keeps what it prints.
//!
//! It receives at its own baud rate, answers `DLE EOT` the moment it arrives, works the rest off in order, and
//! stops when its paper is out or its cover is open, as real ones do. Pulling it out takes its power away too.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::interpreter::{Answer, Interpreter};
use super::paper::Paper;
use super::pty::Pty;
use super::real_time::{RealTime, Sorted};
use crate::link::Deadline;

/// Bytes received and not yet worked off. When it is full the printer takes no more, as with flow control.
const BUFFER_BYTES: usize = 4096;
/// How long a read waits, and so how soon the printer notices that it is stopped or unplugged.
const TICK: Duration = Duration::from_millis(50);
/// A start bit, eight bits, a stop bit.
const BITS_A_BYTE: u64 = 10;

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
    /// It prints, and what it says is lost on the way.
    DropReplies,
}

impl Fault {
    fn holds(self) -> bool {
        match self {
            Fault::PaperOut | Fault::CoverOpen | Fault::CutterJam => true,
            Fault::None | Fault::PaperNearEnd | Fault::DropReplies => false,
        }
    }
}

/// How a virtual printer is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterOptions {
    /// The rate at which it takes bytes in; 0 for as fast as they come.
    pub baud: u32,
    /// Printable width.
    pub width_dots: u32,
}

impl Default for PrinterOptions {
    /// Unpaced, 512 dots: 42 columns.
    fn default() -> PrinterOptions {
        PrinterOptions { baud: 0, width_dots: 512 }
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
    /// The terminal to use from now on; the thread takes it.
    plugged: Option<Pty>,
    /// Pull out what is plugged.
    unplug: bool,
    is_plugged: bool,
    paper: Paper,
    received: u64,
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
        }
        let for_thread = Arc::clone(&shared);
        let machine = Machine {
            shared: for_thread,
            options,
            spool,
            interpreter: Interpreter::new(options.width_dots),
            buffer: VecDeque::new(),
            real_time: RealTime::default(),
        };
        let thread =
            std::thread::Builder::new().name("virtual printer".to_owned()).spawn(|| machine.run())?;
        Ok(Printer { link: link.to_owned(), options, shared, thread: Some(thread) })
    }

    /// What is on paper so far.
    #[must_use]
    pub fn paper(&self) -> Paper {
        self.shared.lock().paper.clone()
    }

    /// Bytes taken in so far, questions included.
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

    /// Breaks something, or mends everything with `Fault::None`.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.lock().fault = fault;
        self.shared.changed.notify_all();
    }

    /// What is broken.
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

/// The printer's own thread and what only it touches.
struct Machine {
    shared: Arc<Shared>,
    options: PrinterOptions,
    spool: File,
    interpreter: Interpreter,
    buffer: VecDeque<u8>,
    real_time: RealTime,
}

impl Machine {
    fn run(mut self) {
        let mut pty: Option<Pty> = None;
        let mut chunk = [0; 256];
        let at_once = self.bytes_at_once().min(chunk.len());
        loop {
            let unplugged = {
                let mut state = self.shared.lock();
                if state.stop {
                    return;
                }
                let unplugged = std::mem::take(&mut state.unplug);
                if unplugged {
                    pty = None;
                    self.buffer.clear();
                    self.real_time = RealTime::default();
                    std::mem::swap(&mut state.paper, self.interpreter.paper());
                    self.interpreter.power_cycle();
                    std::mem::swap(&mut state.paper, self.interpreter.paper());
                }
                if let Some(fresh) = state.plugged.take() {
                    pty = Some(fresh);
                }
                unplugged
            };
            if unplugged {
                self.shared.changed.notify_all();
            }
            let Some(open) = &mut pty else {
                self.rest(TICK);
                continue;
            };
            self.work_off(open);
            if self.buffer.len() >= BUFFER_BYTES {
                self.rest(TICK);
                continue;
            }
            match open.read(&mut chunk[..at_once], TICK) {
                Ok(0) => {}
                Ok(count) => {
                    self.take_in(open, &chunk[..count]);
                    self.work_off(open);
                    self.pace(count);
                }
                // The host's side cannot hang up while we hold it open; whatever this is, do not spin on it.
                Err(_) => self.rest(TICK),
            }
        }
    }

    /// What arrives in about 10 ms at the printer's rate.
    fn bytes_at_once(&self) -> usize {
        match self.options.baud {
            0 => usize::MAX,
            baud => usize::try_from(u64::from(baud) / BITS_A_BYTE / 100).unwrap_or(1).max(1),
        }
    }

    fn pace(&self, count: usize) {
        if self.options.baud > 0 {
            let bits = u64::try_from(count).unwrap_or(0) * BITS_A_BYTE;
            self.rest(Duration::from_micros(bits * 1_000_000 / u64::from(self.options.baud)));
        }
    }

    /// Waits, or until somebody stops or unplugs the printer.
    fn rest(&self, wait: Duration) {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.lock();
        while !state.stop && !state.unplug && state.plugged.is_none() {
            let left = deadline.left();
            if left.is_zero() {
                return;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes bytes off the line: real-time commands are obeyed here and now, the rest waits its turn.
    fn take_in(&mut self, pty: &mut Pty, bytes: &[u8]) {
        let _ = self.spool.write_all(bytes);
        for &byte in bytes {
            match self.real_time.push(byte) {
                Sorted::Bytes(bytes) => self.buffer.extend(bytes),
                Sorted::Question(n) => {
                    let fault = self.shared.lock().fault;
                    say(pty, fault, answer(n, fault));
                }
            }
        }
        let mut state = self.shared.lock();
        state.received += u64::try_from(bytes.len()).unwrap_or(0);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Prints what waits, unless something holds the printer.
    fn work_off(&mut self, pty: &mut Pty) {
        if self.buffer.is_empty() {
            return;
        }
        let mut answers = Vec::new();
        let fault = {
            // The paper lives where others can look at it, and moves over here for the time of printing.
            let mut state = self.shared.lock();
            if state.fault.holds() {
                return;
            }
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            while let Some(byte) = self.buffer.pop_front() {
                answers.extend(self.interpreter.push(byte));
            }
            std::mem::swap(&mut state.paper, self.interpreter.paper());
            state.fault
        };
        self.shared.changed.notify_all();
        for answer in answers {
            match answer {
                Answer::PaperSensor => say(pty, fault, if fault == Fault::PaperNearEnd { 0x03 } else { 0 }),
            }
        }
    }
}

/// Sends one byte to the host. One that cannot be sent is lost, as on a real line.
fn say(pty: &mut Pty, fault: Fault, byte: u8) {
    if fault != Fault::DropReplies {
        let _ = pty.write(&[byte]);
    }
}

/// The answer to `DLE EOT n`.
fn answer(n: u8, fault: Fault) -> u8 {
    const FIXED: u8 = 0x12;
    let bits = match (n, fault) {
        (1, fault) if fault.holds() => 0x08,
        (2, Fault::CoverOpen) => 0x04,
        (2, Fault::PaperOut) => 0x20,
        (2, Fault::CutterJam) => 0x40,
        (3, Fault::CutterJam) => 0x08,
        (4, Fault::PaperOut) => 0x6c,
        (4, Fault::PaperNearEnd) => 0x0c,
        _ => 0,
    };
    FIXED | bits
}
