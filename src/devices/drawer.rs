//! A drawer on a port of its own: each opening is announced, given once, and reported.
//!
//! Not here: the drawer on a printer (`paperwork`), and the bytes (`hardware::drawer`).

use super::lamp::Lamp;
use super::words::{drawer_stays_shut, of_own_drawer, sentence};
use super::{Config, DrawerConfig, told_to_stop};
use crate::counter::Refusal;
use crate::counter::duty::KickDuty;
use crate::counter::event::{Event, PrintReport};
use crate::inbox::{DeviceWork, Inbox, PortState};
use crate::record::body::PaperOutcome;
use hardware::drawer::{Doubt, Drawer, DrawerEvent, DrawerOutcome};
use hardware::link::PortConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Between two tries to announce something to a till that cannot write just now.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// A drawer that runs.
pub(super) struct Running {
    drawer: Arc<Drawer>,
    /// Whether its port is open.
    is_there: watch::Receiver<bool>,
    /// How long a drawer that is away is waited for: the customer waits for change.
    wait: Duration,
}

/// Starts keeping a drawer's port.
pub(super) fn start(config: &Config, drawer: &DrawerConfig, lamp: &Lamp) -> io::Result<Running> {
    lamp.show(PortState::Gone("The drawer is being looked for.".to_owned()));
    let (there, is_there) = watch::channel(false);
    let lamp = lamp.clone();
    let driven = hardware::drawer::DrawerConfig {
        port: PortConfig { reopen: config.reopen, ..PortConfig::new(drawer.address.clone()) },
        profile: drawer.profile.clone(),
    };
    // Whoever sees the lamp finds the drawer as it says.
    let drawer = Drawer::start(driven, move |event| match event {
        DrawerEvent::Opened => {
            there.send_replace(true);
            lamp.show(PortState::Ready);
        }
        DrawerEvent::Gone { reason } => {
            there.send_replace(false);
            lamp.show(PortState::Gone(sentence(&reason)));
        }
    })?;
    Ok(Running { drawer: Arc::new(drawer), is_there, wait: config.drawer_wait })
}

impl Running {
    /// Opens it as often as it is wanted, until the till stops.
    pub(super) async fn run(
        mut self,
        mut arrivals: mpsc::Receiver<DeviceWork>,
        inbox: Inbox,
        mut shutdown: watch::Receiver<bool>,
    ) {
        loop {
            let work = tokio::select! {
                biased;
                () = told_to_stop(&mut shutdown) => break,
                work = arrivals.recv() => work,
            };
            match work {
                Some(DeviceWork::Kick(duty)) => self.kick(&duty, &inbox, &mut shutdown).await,
                // Paper goes to the printer.
                Some(DeviceWork::Print(..) | DeviceWork::PrintCode(..) | DeviceWork::Report(_)) => {}
                None => break,
            }
        }
        self.drawer.stop();
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Opens the drawer once, unless the till stops or cannot write it down.
    async fn kick(&mut self, duty: &KickDuty, inbox: &Inbox, shutdown: &mut watch::Receiver<bool>) {
        let until = Instant::now() + self.wait;
        let there = self.is_there.wait_for(|there| *there);
        let is_there = tokio::time::timeout_at(until, there).await.is_ok_and(|there| there.is_ok());
        if !is_there {
            let why = drawer_stays_shut("it is not connected: look at its cable");
            return end(duty, inbox, PaperOutcome::FailedBefore, why).await;
        }
        loop {
            match inbox.ask(Event::Drawer(duty.kick, PrintReport::Starting)).await {
                Ok(_) => break,
                Err(Refusal::Busy | Refusal::DiskFull | Refusal::ReadOnly) => {}
                Err(refusal) => {
                    tracing::info!(why = %refusal, "A drawer is not wanted any more.");
                    return;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(ASK_AGAIN) => {}
                () = told_to_stop(shutdown) => return,
            }
        }
        let drawer = Arc::clone(&self.drawer);
        let opened = tokio::task::spawn_blocking(move || drawer.open()).await;
        let outcome = opened.unwrap_or(DrawerOutcome::Unsure(Doubt::NoAnswer));
        let (outcome, words) = of_own_drawer(outcome);
        end(duty, inbox, outcome, words).await;
    }
}

async fn end(duty: &KickDuty, inbox: &Inbox, outcome: PaperOutcome, words: String) {
    inbox.post(Event::Drawer(duty.kick, PrintReport::Ended(outcome, words))).await;
}
