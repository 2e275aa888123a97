//! A printer's port as a driver sees it.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::{Inbox, InboxState, Task};
use crate::link::{Address, FlowControl, PortSender, Remains, Written};
use crate::printer::outcome::{JobOutcome, Why};
use crate::printer::wire::{Errand, Go, HeldBy, LOOK, Moment, Wire};

/// Nothing waits this long: who looks at the write decides when it is given up.
const ANY_TIME: Duration = Duration::from_secs(24 * 3600);

/// Writes to a port, and hears what its reader has put into the printer's inbox.
pub(super) struct PortWire {
    inbox: Arc<Inbox>,
    port: PortSender,
    held_by: HeldBy,
    /// That word is XOFF, which the kernel heeds.
    by_xoff: bool,
    /// Who waits for the errand under way.
    errand: Option<SyncSender<JobOutcome>>,
}

impl PortWire {
    pub(super) fn new(inbox: Arc<Inbox>, port: PortSender, address: &Address) -> PortWire {
        let held_by = match address {
            Address::Serial(serial) => match serial.flow {
                FlowControl::XonXoff => HeldBy::ItsWord,
                FlowControl::None | FlowControl::RtsCts => HeldBy::ItsLine,
            },
            // A printer that was off does not know its old connection any more, and is gone from its bus.
            Address::Tcp(_) | Address::Usb(_) => HeldBy::ItsWord,
            Address::Memory(_) => HeldBy::ItsLine,
        };
        let by_xoff = matches!(address, Address::Serial(serial) if serial.flow == FlowControl::XonXoff);
        PortWire { inbox, port, held_by, by_xoff, errand: None }
    }
}

impl Wire for PortWire {
    fn write(&mut self, bytes: &[u8], stall: Duration) -> Written {
        self.port.write_and(bytes.to_vec(), stall, Remains::Kept)
    }

    fn write_job(&mut self, job: &[u8], look: &mut dyn FnMut(Moment) -> Go) -> Written {
        self.inbox.lock().written = None;
        let inbox = Arc::clone(&self.inbox);
        let under_way = self.port.begin(job.to_vec(), ANY_TIME, Remains::Discarded, move |written| {
            inbox.lock().written = Some(written);
            inbox.changed.notify_all();
        });
        let mut given_up = false;
        loop {
            let (heard, not_wanted) = {
                let mut state = self.inbox.wait(LOOK, |state| {
                    let news = !state.heard.is_empty() || state.give_up;
                    state.written.is_some() || (news && !given_up)
                });
                if let Some(written) = state.written.take() {
                    return written;
                }
                // The job is not whole on the line: nothing may go between.
                if let Some(why) = state.held {
                    state.refuse_drawers(why);
                }
                (state.heard.pop_front(), state.give_up)
            };
            if given_up {
                continue;
            }
            let go = if not_wanted { Go::GiveUp } else { look(Moment { heard, sent: under_way.sent() }) };
            match go {
                Go::On => {}
                Go::LetGo => under_way.let_go(),
                Go::GiveUp => {
                    // The port ends the write within its next look, and says how far it came.
                    under_way.give_up();
                    given_up = true;
                }
            }
        }
    }

    fn hear(&mut self, wait: Duration) -> Option<u8> {
        let lost = |state: &InboxState| state.stop || !state.open;
        self.inbox.wait(wait, |state| !state.heard.is_empty() || lost(state)).heard.pop_front()
    }

    fn opening(&self) -> Option<u64> {
        let state = self.inbox.lock();
        (state.open && !state.stop).then_some(state.openings)
    }

    fn ended(&self) -> Option<Why> {
        let state = self.inbox.lock();
        if state.stop {
            Some(Why::Stopped)
        } else if state.give_up {
            Some(Why::GivenUp)
        } else {
            (!state.open).then_some(Why::NotConnected)
        }
    }

    fn held_by(&self) -> HeldBy {
        self.held_by
    }

    fn let_go(&mut self) -> bool {
        if self.by_xoff {
            self.port.let_go();
        }
        self.by_xoff
    }

    fn errand(&mut self) -> Option<Errand> {
        let mut state = self.inbox.lock();
        let wanted = |task: &Task| matches!(task, Task::OpenDrawer(_) | Task::Show(_));
        let at = state.jobs.iter().position(|job| wanted(&job.task)).filter(|_| !state.stop)?;
        let job = state.jobs.remove(at)?;
        let errand = match job.task {
            Task::OpenDrawer(pulse) => Errand::OpenDrawer(pulse),
            Task::Show(frame) => Errand::Show(frame),
            Task::Print(_) | Task::Recover => return None,
        };
        drop(state);
        self.errand = Some(job.done);
        Some(errand)
    }

    fn errand_done(&mut self, outcome: JobOutcome) {
        if let Some(done) = self.errand.take() {
            let _ = done.send(outcome);
        }
    }
}
