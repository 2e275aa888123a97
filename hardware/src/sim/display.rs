//! A customer display that keeps what it shows.
//!
//! It reads its bytes with an interpreter of its own, set to one family of commands as a real display is by its
//! switches; bytes of the other family are errors. Sources as in `display`, read again for this side.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use encoding_rs::GBK;

use super::pty::Pty;
use crate::link::Deadline;

/// How long a read waits, and so how soon the display notices that it is stopped or unplugged.
const TICK: Duration = Duration::from_millis(50);
/// Cells of a line.
const WIDTH: usize = 20;

/// Which commands it obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisplayFamily {
    /// Epson's ESC/POS for displays.
    EscPos,
    /// CD5220.
    Cd5220,
}

/// What a display shows and has heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its two lines, twenty cells each, read as GB 2312; stray bytes above ASCII come out as U+FFFD.
    pub lines: [String; 2],
    /// Bytes taken in since it was started.
    pub received: u64,
    /// What it could not make sense of.
    pub errors: Vec<String>,
}

/// The screen and the command that is half read.
pub(super) struct Screen {
    family: DisplayFamily,
    cells: [[u8; WIDTH]; 2],
    at: (usize, usize),
    pending: Vec<u8>,
    string_mode: bool,
    received: u64,
    errors: Vec<String>,
}

impl Screen {
    pub(super) fn new(family: DisplayFamily) -> Screen {
        Screen {
            family,
            cells: [[b' '; WIDTH]; 2],
            at: (0, 0),
            pending: Vec::new(),
            string_mode: false,
            received: 0,
            errors: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.cells = [[b' '; WIDTH]; 2];
        self.at = (0, 0);
        self.string_mode = false;
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.received += 1;
        self.pending.push(byte);
        if self.obey() {
            self.pending.clear();
        }
    }

    /// Obeys what is pending; false while it is not whole.
    fn obey(&mut self) -> bool {
        let pending = std::mem::take(&mut self.pending);
        let whole = match (self.family, pending.as_slice()) {
            (_, [0x0c]) => {
                self.clear();
                true
            }
            (_, [0x1b] | [0x1b, b'=']) | (DisplayFamily::EscPos, [0x1f] | [0x1f, b'$'] | [0x1f, b'$', _]) => {
                false
            }
            (_, [0x1b, b'=', 1..=3]) => true,
            (_, [0x1b, b'@']) if !self.string_mode => {
                self.clear();
                true
            }
            (DisplayFamily::EscPos, [0x1b, b't'] | [0x1f, b'C']) => false,
            (DisplayFamily::EscPos, [0x1b, b't', 0..=5] | [0x1f, b'C', 0 | 1] | [0x1f, 0x01]) => true,
            (DisplayFamily::EscPos, [0x1f, b'$', x @ 1..=20, y @ 1..=2]) => {
                self.at = (usize::from(*x) - 1, usize::from(*y) - 1);
                true
            }
            (DisplayFamily::Cd5220, [0x1b, b'_'] | [0x1b, b'l'] | [0x1b, b'l', _]) => false,
            (DisplayFamily::Cd5220, [0x1b, 0x11]) if !self.string_mode => true,
            (DisplayFamily::Cd5220, [0x1b, b'l', x @ 1..=20, y @ 1..=2]) if !self.string_mode => {
                self.at = (usize::from(*x) - 1, usize::from(*y) - 1);
                true
            }
            (DisplayFamily::Cd5220, [0x1b, b'_', 0 | 1]) if !self.string_mode => true,
            (DisplayFamily::Cd5220, [0x1b, b'Q'] | [0x1b, b'Q', b'A' | b'B']) => false,
            (DisplayFamily::Cd5220, [0x1b, b'Q', row @ (b'A' | b'B'), text @ ..]) => self.string(*row, text),
            (_, [byte @ 0x20..=0xff]) if !self.string_mode => {
                self.put(*byte);
                true
            }
            (_, other) => {
                self.errors.push(format!("{other:02x?}"));
                true
            }
        };
        self.pending = pending;
        whole
    }

    /// `ESC Q`: twenty characters and CR.
    fn string(&mut self, row: u8, text: &[u8]) -> bool {
        match text {
            [text @ .., 0x0d] if text.len() == WIDTH => {
                self.cells[usize::from(row == b'B')].copy_from_slice(text);
                self.string_mode = true;
                true
            }
            [.., 0..=0x1f] => {
                self.errors.push(format!("a string of {} characters", text.len() - 1));
                true
            }
            _ => {
                text.len() > WIDTH && {
                    self.errors.push("a string without its end".to_owned());
                    true
                }
            }
        }
    }

    /// Overwrite mode: the end of a line goes on in the other one.
    fn put(&mut self, byte: u8) {
        let (x, y) = self.at;
        self.cells[y][x] = byte;
        self.at = if x + 1 < WIDTH { (x + 1, y) } else { (0, 1 - y) };
    }

    pub(super) fn shown(&self) -> Shown {
        let text = |cells: &[u8; WIDTH]| GBK.decode_without_bom_handling(cells).0.into_owned();
        Shown {
            lines: [text(&self.cells[0]), text(&self.cells[1])],
            received: self.received,
            errors: self.errors.clone(),
        }
    }
}

/// A virtual display behind a link. Dropping it pulls it out.
pub struct Display {
    link: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    stop: bool,
    pty: Option<Pty>,
    screen: Screen,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display {
    /// Plugs a display in at `link`.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn start(link: &Path, family: DisplayFamily) -> io::Result<Display> {
        let state = State { stop: false, pty: Some(Pty::plug(link)?), screen: Screen::new(family) };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let for_thread = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("virtual display".to_owned()).spawn(move || run(&for_thread))?;
        Ok(Display { link: link.to_owned(), shared, thread: Some(thread) })
    }

    /// What it shows now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.shared.lock().screen.shown()
    }

    /// Waits until it shows what is wanted; `false` if it does not within `wait`.
    #[must_use]
    pub fn wait_for(&self, wait: Duration, wanted: impl Fn(&Shown) -> bool) -> bool {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.lock();
        while !wanted(&state.screen.shown()) {
            if deadline.has_passed() {
                return false;
            }
            let left = deadline.left();
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Pulls it out. Without power it shows nothing.
    pub fn unplug(&self) {
        let mut state = self.shared.lock();
        state.pty = None;
        state.screen.clear();
        state.screen.pending.clear();
        self.shared.changed.notify_all();
    }

    /// Plugs it in anew, on another terminal under the same link.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn replug(&self) -> io::Result<()> {
        self.unplug();
        self.shared.lock().pty = Some(Pty::plug(&self.link)?);
        self.shared.changed.notify_all();
        Ok(())
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared) {
    let mut chunk = [0; 256];
    let mut state = shared.lock();
    while !state.stop {
        // A read within the lock would keep others out, so it takes only what is there already.
        let read = match &mut state.pty {
            Some(pty) => pty.read(&mut chunk, Duration::ZERO).unwrap_or(0),
            None => 0,
        };
        if read == 0 {
            state = shared.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        for byte in &chunk[..read] {
            state.screen.push(*byte);
        }
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(family: DisplayFamily, bytes: &[u8]) -> Shown {
        let mut screen = Screen::new(family);
        bytes.iter().for_each(|byte| screen.push(*byte));
        screen.shown()
    }

    #[test]
    fn a_display_shows_what_its_manual_says_and_faults_the_rest() {
        let shown = after(
            DisplayFamily::EscPos,
            b"\x1b@\x1f\x01\x1fC\0\x1f$\x01\x02TOTAL          12.80\x1f$\x12\x01abc",
        );
        assert_eq!(shown.lines, ["                 abc", "TOTAL          12.80"]);
        assert!(shown.errors.is_empty(), "{:?}", shown.errors);
        let shown = after(DisplayFamily::Cd5220, b"\x0c\x1b@\x1bQATOTAL          12.80\r\x1b@x");
        assert_eq!(shown.lines[0], "TOTAL          12.80");
        assert_eq!(shown.errors.len(), 2, "in string mode nothing else is obeyed: {:?}", shown.errors);
        assert_eq!(after(DisplayFamily::Cd5220, b"\x1bQBshort\r").errors.len(), 1);
        assert!(!after(DisplayFamily::EscPos, b"\x1bQATOTAL\r").errors.is_empty());
    }
}
