//! A cash drawer alone on a port: a few bytes open it, and some say whether it is open.
//!
//! `profile` has which bytes. A drawer on a printer is the printer's affair (`printer`). No profile pulses DTR or RTS: no
//! manual was found that opens a drawer by them, and opening a port moves both.

mod profile;

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::link::{Deadline, Port, PortConfig, PortEvent, PortHandle, Raw, Remains, WriteFailure, Written};
pub use crate::profile_file::ProfileError;
pub use profile::{DrawerProfile, Switch};

/// How long a line that takes nothing is waited for: a few bytes need no longer, and the customer waits for change.
const STALL: Duration = Duration::from_secs(1);
/// How long a drawer may take to roll out until its switch says so.
const ROLLS_OUT: Duration = Duration::from_secs(1);
/// How long one answer about the switch may take.
const ANSWER: Duration = Duration::from_millis(200);
/// Bytes heard and not looked at; a drawer says three at a time.
const HEARD_MAX: usize = 64;

/// How a drawer is driven.
#[derive(Debug, Clone)]
pub struct DrawerConfig {
    /// Its port.
    pub port: PortConfig,
    /// What opens it.
    pub profile: DrawerProfile,
}

/// What changed about a drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrawerEvent {
    /// Its port is open.
    Opened,
    /// Its port is gone and is looked for.
    Gone {
        /// Why, in words.
        reason: String,
    },
}

/// What became of opening a drawer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawerOutcome {
    /// Its switch says that it is open.
    Open,
    /// The line took what opens it; this drawer says no more.
    Given,
    /// The line took it, and whether the drawer opened has to be looked at.
    Unsure(Doubt),
    /// Nothing was sent.
    NotSent(WriteFailure),
}

/// Why it is not known whether a drawer opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Its switch says that it is shut.
    #[error("it says that it is still shut")]
    StillShut,
    /// It does not answer.
    #[error("it does not say whether it is open")]
    NoAnswer,
    /// The line took a part.
    #[error("its line took only a part of the command")]
    Partly,
}

/// A drawer on a port. Dropping it closes the port. Shared by reference: any thread may open it.
pub struct Drawer {
    port: PortHandle,
    profile: DrawerProfile,
    heard: Mutex<Receiver<u8>>,
}

impl Drawer {
    /// Starts keeping a drawer's port. `on_event` is called on the port's own thread.
    ///
    /// # Errors
    /// When the system gives no threads. A drawer that is not there is no error: it is looked for.
    pub fn start(
        config: DrawerConfig,
        mut on_event: impl FnMut(DrawerEvent) + Send + 'static,
    ) -> io::Result<Drawer> {
        let (says, heard) = sync_channel(HEARD_MAX);
        let port = Port::start(config.port, Raw, move |event| match event {
            PortEvent::Opened => on_event(DrawerEvent::Opened),
            PortEvent::Gone { reason } => on_event(DrawerEvent::Gone { reason }),
            PortEvent::Received(byte) => {
                // What nobody waits for is dropped when it is too much.
                let _ = says.try_send(byte);
            }
        })?;
        Ok(Drawer { port, profile: config.profile, heard: Mutex::new(heard) })
    }

    /// Opens it, and waits for what came of it. A person's act, given once: nothing is sent twice here.
    #[must_use]
    pub fn open(&self) -> DrawerOutcome {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let command = self.profile.open.as_slice().to_vec();
        match self.port.sender().write_and(command, STALL, Remains::Discarded) {
            Written::All => {}
            Written::Partly { sent: 0, why } => return DrawerOutcome::NotSent(why),
            Written::Partly { .. } => return DrawerOutcome::Unsure(Doubt::Partly),
        }
        let Some(switch) = &self.profile.switch else { return DrawerOutcome::Given };
        let until = Deadline::after(ROLLS_OUT);
        let mut doubt = Doubt::NoAnswer;
        while !until.has_passed() {
            match self.ask(switch, &heard) {
                Some(true) => return DrawerOutcome::Open,
                Some(false) => doubt = Doubt::StillShut,
                None => {}
            }
        }
        DrawerOutcome::Unsure(doubt)
    }

    /// Asks the switch once: open, shut, or nothing that makes sense. Takes as long as an answer may.
    fn ask(&self, switch: &Switch, heard: &Receiver<u8>) -> Option<bool> {
        while heard.try_recv().is_ok() {}
        let until = Deadline::after(ANSWER);
        if self.port.write(switch.ask.as_slice().to_vec(), ANSWER) != Written::All {
            return None;
        }
        let (mut said, mut answer) = (Vec::new(), None);
        while let Ok(byte) = heard.recv_timeout(until.left()) {
            said.push(byte);
            if said.ends_with(switch.is_open.as_slice()) {
                answer = Some(true);
            } else if said.ends_with(switch.is_shut.as_slice()) {
                answer = Some(false);
            }
            if answer == Some(true) || said.len() >= HEARD_MAX {
                break;
            }
        }
        answer
    }

    /// Asks its threads to stop. Dropping it waits for them.
    pub fn stop(&self) {
        self.port.stop();
    }
}
