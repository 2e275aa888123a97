//! Runs payment duties against a wallet: pay, ask, take back, look once more, give back.
//!
//! One errand at a time for each intent. A later duty on an intent ends the earlier errand, except a
//! payment whose request may have left: that one is heard out, reported, and only then the next begins.
//! **Invariant:** a pay code is in memory here from its duty to its one request, and nowhere else.
//!
//! Not here: deciding what an answer means for the sale (`counter`), back-off of people, and orders that a
//! phone pays at the cloud (`sync`).

mod payment;
mod refund;
mod report;
mod timing;

#[cfg(test)]
mod tests;

use crate::counter::duty::{Duty, DutyId};
use crate::inbox::{Inbox, ProviderWork};
use crate::record::ids::{IntentId, RefundId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

pub use timing::Timing;

/// What it takes to run payment duties.
#[derive(Clone)]
pub struct Config {
    /// The wallets that this till calls itself.
    pub wallets: BTreeMap<ProviderName, Arc<dyn Wallet>>,
    /// This till, for the wallets' records.
    pub terminal: TerminalId,
    /// What the customer reads in the wallet's list: the shop's name.
    pub subject: String,
    /// When to ask again.
    pub timing: Timing,
}

/// What one errand needs of its surroundings.
#[derive(Clone)]
struct Surroundings {
    config: Arc<Config>,
    inbox: Inbox,
}

/// What may have one errand at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Lane {
    Payment(IntentId),
    Refund(RefundId),
}

struct Running {
    duty: DutyId,
    abort: AbortHandle,
}

struct Errands {
    surroundings: Surroundings,
    tasks: JoinSet<()>,
    running: BTreeMap<Lane, Running>,
    /// What comes after a payment that must be heard out; the latest duty counts.
    waiting: BTreeMap<Lane, ProviderWork>,
}

/// Takes duties until `shutdown` or until the till is gone, then hears out payments that may have left.
pub async fn run(
    config: Config,
    mut work: mpsc::Receiver<ProviderWork>,
    inbox: Inbox,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut errands = Errands {
        surroundings: Surroundings { config: Arc::new(config), inbox },
        tasks: JoinSet::new(),
        running: BTreeMap::new(),
        waiting: BTreeMap::new(),
    };
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            received = work.recv() => match received {
                Some(work) => errands.take(work),
                None => break,
            },
            Some(ended) = errands.tasks.join_next_with_id() => errands.ended(ended),
        }
    }
    errands.hear_out().await;
}

/// A sender that is gone means stop, too.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _gone = shutdown.wait_for(|stop| *stop).await;
}

impl Errands {
    fn take(&mut self, work: ProviderWork) {
        let Some(lane) = lane(&work.duty) else {
            tracing::error!(duty = ?work.duty.id(), "A duty for another edge came to the payments' edge.");
            return;
        };
        match self.running.get(&lane) {
            // Kept in flight exactly once.
            Some(running) if running.duty == work.duty.id() => {}
            Some(Running { duty: DutyId::Submit(_), .. }) => {
                self.waiting.insert(lane, work);
            }
            Some(running) => {
                running.abort.abort();
                self.start(lane, work);
            }
            None => self.start(lane, work),
        }
    }

    fn start(&mut self, lane: Lane, work: ProviderWork) {
        let duty = work.duty.id();
        let abort = self.tasks.spawn(errand(self.surroundings.clone(), work));
        self.running.insert(lane, Running { duty, abort });
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            // A bug: the daemon ends the process, and the next start asks for what is open.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => error.id(),
        };
        let lane = self.running.iter().find(|(_, running)| running.abort.id() == id).map(|(lane, _)| *lane);
        let Some(lane) = lane else { return };
        self.running.remove(&lane);
        if let Some(next) = self.waiting.remove(&lane) {
            self.start(lane, next);
        }
    }

    /// Everything but a payment in flight can be begun again by the next start.
    async fn hear_out(mut self) {
        for running in self.running.values() {
            if !matches!(running.duty, DutyId::Submit(_)) {
                running.abort.abort();
            }
        }
        self.waiting.clear();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
    }
}

/// None for duties of other edges.
fn lane(duty: &Duty) -> Option<Lane> {
    match duty {
        Duty::Submit(duty) | Duty::Ask(duty) | Duty::Cancel(duty) | Duty::Watch(duty) => {
            Some(Lane::Payment(duty.intent))
        }
        Duty::Refund(duty) => Some(Lane::Refund(duty.refund)),
        Duty::Offer(_) | Duty::Withdraw(_) | Duty::Print(_) | Duty::Kick(_) => None,
    }
}

async fn errand(surroundings: Surroundings, work: ProviderWork) {
    match work.duty {
        Duty::Submit(duty) => payment::submit(&surroundings, &duty, work.code).await,
        Duty::Ask(duty) => payment::ask(&surroundings, &duty).await,
        Duty::Cancel(duty) => payment::cancel(&surroundings, &duty).await,
        Duty::Watch(duty) => payment::watch(&surroundings, &duty).await,
        Duty::Refund(duty) => refund::refund(&surroundings, &duty).await,
        Duty::Offer(_) | Duty::Withdraw(_) | Duty::Print(_) | Duty::Kick(_) => {}
    }
}
