//! Runs payment duties against a wallet: pay, ask, take back, look once more, give back.
//!
//! One errand at a time for each intent. A later duty on an intent tells the earlier errand to stop, and
//! begins once that has ended: a payment whose request may have left is heard out, and an answer that was
//! read is posted first.
//! **Invariant:** a pay code is in memory here from its duty to its one request, and nowhere else.
//! **Invariant:** nothing is taken back whose approval was posted: the till may have released the goods.
//!
//! Not here: deciding what an answer means for the sale (`counter`), back-off of people, and orders that a
//! phone pays at the cloud (`sync`).

mod payment;
mod refund;
mod report;
mod rules;

#[cfg(test)]
mod tests;

use crate::counter::duty::{Duty, DutyId};
use crate::inbox::{Inbox, ProviderWork, WORK_MAX};
use crate::record::ids::{IntentId, RefundId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::wallet::Wallet;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

pub use rules::ProviderRules;

/// Every provider that there are rules for.
pub const ALL: [ProviderName; 3] = [ProviderName::Alipay, ProviderName::Wechat, ProviderName::House];

/// What it takes to run payment duties.
#[derive(Clone)]
pub struct Config {
    /// The wallets that this till calls itself.
    pub wallets: BTreeMap<ProviderName, Arc<dyn Wallet>>,
    /// This till, for the wallets' records.
    pub terminal: TerminalId,
    /// What the customer reads in the wallet's list: the shop's name.
    pub subject: String,
    /// When each wallet is asked; one that is not named goes by its own rules.
    pub rules: BTreeMap<ProviderName, ProviderRules>,
}

impl Config {
    fn rules(&self, provider: ProviderName) -> ProviderRules {
        self.rules.get(&provider).copied().unwrap_or_else(|| ProviderRules::of(provider))
    }
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

/// How an errand ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// It posted what became of the payment: that it was approved, or that it was declined.
    Concluded,
    /// Anything else.
    Open,
}

/// True once an errand is to stop.
type Stop = watch::Receiver<bool>;

struct Running {
    duty: DutyId,
    task: Id,
    stop: watch::Sender<bool>,
}

struct Errands {
    surroundings: Surroundings,
    tasks: JoinSet<Ending>,
    running: BTreeMap<Lane, Running>,
    /// What comes after an errand that has yet to end; the latest duty counts.
    waiting: BTreeMap<Lane, ProviderWork>,
    /// The last lanes that were concluded. A cancellation that comes now was decided before the till read so.
    concluded: VecDeque<Lane>,
    /// When payments were sent, for wallets that let none be taken back soon after. Of a payment that an earlier
    /// start sent the time is counted anew.
    sent: VecDeque<(IntentId, Instant)>,
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
        concluded: VecDeque::new(),
        sent: VecDeque::new(),
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
            Some(running) => {
                running.stop.send_replace(true);
                self.waiting.insert(lane, work);
            }
            None => self.begin(lane, work),
        }
    }

    /// Begins the next errand of an idle lane, unless the till will read that it is not needed.
    fn begin(&mut self, lane: Lane, work: ProviderWork) {
        if self.concluded.contains(&lane) {
            // Once only: a cancellation that comes again says that the till could not write down what was posted.
            self.concluded.retain(|concluded| *concluded != lane);
            if matches!(work.duty, Duty::Cancel(_)) {
                tracing::info!(duty = ?work.duty.id(), "What became of the payment was posted: it is not taken back.");
                return;
            }
        }
        let duty = work.duty.id();
        let (stop, stopping) = watch::channel(false);
        let sent = self.sent_at(&work.duty);
        let task = self.tasks.spawn(errand(self.surroundings.clone(), work, sent, stopping)).id();
        self.running.insert(lane, Running { duty, task, stop });
    }

    /// When the payment of a duty was sent, or first asked for by this start. None: this start has done neither, so
    /// an earlier one may have been taking it back.
    fn sent_at(&mut self, duty: &Duty) -> Option<Instant> {
        let (intent, is_open) = match duty {
            Duty::Submit(duty) | Duty::Ask(duty) => (duty.intent, true),
            Duty::Cancel(duty) | Duty::Watch(duty) => (duty.intent, false),
            Duty::Refund(_) | Duty::Offer(_) | Duty::Withdraw(_) | Duty::Print(_) | Duty::Kick(_) => {
                return None;
            }
        };
        let known = self.sent.iter().rev().find(|(sent, _)| *sent == intent).map(|(_, at)| *at);
        if known.is_none() && is_open {
            if self.sent.len() >= WORK_MAX {
                self.sent.pop_front();
            }
            self.sent.push_back((intent, Instant::now()));
        }
        known
    }

    fn ended(&mut self, ended: Result<(Id, Ending), JoinError>) {
        let (id, ending) = match ended {
            Ok(ended) => ended,
            // A bug: the daemon ends the process, and the next start asks for what is open.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => (error.id(), Ending::Open),
        };
        let lane = self.running.iter().find(|(_, running)| running.task == id).map(|(lane, _)| *lane);
        let Some(lane) = lane else { return };
        let Some(Running { duty, .. }) = self.running.remove(&lane) else { return };
        // A cancellation after a cancellation was not decided before the till read so: what was posted is lost.
        if ending == Ending::Concluded && !matches!(duty, DutyId::Cancel(_)) {
            self.conclude(lane);
        }
        if let Some(next) = self.waiting.remove(&lane) {
            self.begin(lane, next);
        }
    }

    /// Remembers as many lanes as cancellations can wait at the door. One that comes later yet is still
    /// harmless: it asks before it takes back.
    fn conclude(&mut self, lane: Lane) {
        if self.concluded.len() >= WORK_MAX {
            self.concluded.pop_front();
        }
        self.concluded.push_back(lane);
    }

    /// Everything but a payment in flight can be begun again by the next start. A call that takes back is
    /// heard, too: the next start asks first, and must not be told of a payment that is about to go back.
    async fn hear_out(mut self) {
        for running in self.running.values() {
            running.stop.send_replace(true);
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

async fn errand(
    surroundings: Surroundings,
    work: ProviderWork,
    sent: Option<Instant>,
    mut stop: Stop,
) -> Ending {
    match work.duty {
        // It may have left: nothing stops it.
        Duty::Submit(duty) => payment::submit(&surroundings, &duty, work.code).await,
        Duty::Ask(duty) => payment::ask(&surroundings, &duty, &mut stop).await,
        Duty::Cancel(duty) => payment::cancel(&surroundings, &duty, sent, &mut stop).await,
        Duty::Watch(duty) => {
            unless_stopped(&mut stop, payment::watch(&surroundings, &duty)).await.unwrap_or(Ending::Open)
        }
        Duty::Refund(duty) => {
            let _begun_again = unless_stopped(&mut stop, refund::refund(&surroundings, &duty)).await;
            Ending::Open
        }
        Duty::Offer(_) | Duty::Withdraw(_) | Duty::Print(_) | Duty::Kick(_) => Ending::Open,
    }
}

/// None once it is to stop. What is ready counts before that.
async fn unless_stopped<T>(stop: &mut Stop, what: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        ready = what => Some(ready),
        () = stopped(stop) => None,
    }
}
