//! A cash drawer on a port of its own, which opens on its bytes and on no others.
//!
//! Written from the manuals once more: BEL as an APG 484A, `ESC` and a number as a Glancetron 8005-U, which also says
//! whether it is open.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::pty::Pty;
use crate::link::Deadline;

/// How long a read waits, and so how soon the drawer notices that it is stopped or unplugged.
const TICK: Duration = Duration::from_millis(20);

/// Which drawer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawerKind {
    /// It opens on BEL and says nothing.
    Bell,
    /// It opens on `ESC 34h`, and says whether it is open when it is asked with `ESC 3Ah`.
    Switched,
}

/// What a drawer has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// How often it was told to open.
    pub kicks: u32,
    /// Whether it is open.
    pub open: bool,
    /// Bytes that it could not make sense of.
    pub strays: Vec<u8>,
}

#[derive(Default)]
struct State {
    stop: bool,
    pty: Option<Pty>,
    sticks: bool,
    pending: Vec<u8>,
    drawn: Drawn,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A virtual drawer behind a link. Dropping it pulls it out.
pub struct Drawer {
    link: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drawer {
    /// Plugs a drawer in at `link`.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn start(link: &Path, kind: DrawerKind) -> io::Result<Drawer> {
        let state = State { pty: Some(Pty::plug(link)?), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("virtual drawer".to_owned())
            .spawn(move || run(&for_thread, kind))?;
        Ok(Drawer { link: link.to_owned(), shared, thread: Some(thread) })
    }

    /// What it has done.
    #[must_use]
    pub fn drawn(&self) -> Drawn {
        self.shared.lock().drawn.clone()
    }

    /// Waits until it was told to open so often; `false` if it was not within `wait`.
    #[must_use]
    pub fn wait_for_kicks(&self, wait: Duration, kicks: u32) -> bool {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.lock();
        while state.drawn.kicks < kicks {
            let left = deadline.left();
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Somebody shuts it.
    pub fn shut(&self) {
        self.shared.lock().drawn.open = false;
    }

    /// Its lock sticks: from now on nothing opens it.
    pub fn stick(&self) {
        self.shared.lock().sticks = true;
    }

    /// Pulls it out.
    pub fn unplug(&self) {
        let mut state = self.shared.lock();
        state.pty = None;
        state.pending.clear();
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

impl Drop for Drawer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, kind: DrawerKind) {
    let mut chunk = [0; 64];
    let mut state = shared.lock();
    while !state.stop {
        let read = match &mut state.pty {
            Some(pty) => pty.read(&mut chunk, Duration::ZERO).unwrap_or(0),
            None => 0,
        };
        if read == 0 {
            state = shared.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        for byte in &chunk[..read] {
            state.pending.push(*byte);
            obey(&mut state, kind);
        }
        shared.changed.notify_all();
    }
}

/// Obeys what is pending once it is whole.
fn obey(state: &mut State, kind: DrawerKind) {
    match (kind, state.pending.as_slice()) {
        (DrawerKind::Switched, [0x1b]) => return,
        (DrawerKind::Bell, [0x07]) | (DrawerKind::Switched, [0x1b, 0x34]) => {
            state.drawn.kicks += 1;
            state.drawn.open |= !state.sticks;
        }
        (DrawerKind::Switched, [0x1b, 0x3a]) => {
            let word = [0x1b, 0x34, if state.drawn.open { b'B' } else { b'A' }];
            if let Some(pty) = &mut state.pty {
                let _ = pty.write(&word);
            }
        }
        (DrawerKind::Bell | DrawerKind::Switched, strays) => {
            let strays = strays.to_vec();
            state.drawn.strays.extend(strays);
        }
    }
    state.pending.clear();
}
