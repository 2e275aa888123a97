//! systemd's eyes: ready, the watchdog fed by the till's own loop, and a status line for the shopkeeper.

use super::Pulse;
use crate::inbox::{Board, LinkState};
use sd_notify::NotifyState;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two looks at the loop's pulse. The loop turns at least once a second.
const LOOK: Duration = Duration::from_secs(3);

/// Says that the till is ready, and feeds the watchdog for as long as the loop turns.
///
/// `first_manager_code` is removed once somebody works here.
pub(super) async fn feed(
    pulse: Pulse,
    board: Board,
    first_manager_code: PathBuf,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    notify(&[NotifyState::Ready]);
    let mut last = None;
    loop {
        let turns = pulse.load(Ordering::Relaxed);
        if last != Some(turns) {
            notify(&[NotifyState::Watchdog, NotifyState::Status(&status(&board))]);
        }
        last = Some(turns);
        if !board.view.borrow().staff.is_empty() {
            // It is gone already but once.
            let _ = std::fs::remove_file(&first_manager_code);
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Says that the till stops in order.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(error = %error, "systemd cannot be told.");
    }
}

fn status(board: &Board) -> String {
    let link = board.link.borrow();
    let seq = board.view.borrow().tip.seq;
    let waiting = seq.saturating_sub(link.received);
    match link.state {
        LinkState::Absent => format!("Selling. {seq} records; no cloud is configured."),
        LinkState::Pairing => "Selling. A manager has yet to approve this till at the cloud.".to_owned(),
        LinkState::Online if waiting == 0 => "Selling. The cloud has everything.".to_owned(),
        LinkState::Online => format!("Selling. {waiting} records on their way to the cloud."),
        LinkState::Offline => format!("Selling. The cloud cannot be reached; {waiting} records wait."),
    }
}
