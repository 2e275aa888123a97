//! Brings orders to the cloud, takes them back, and has the cloud's captures given back.
//!
//! **Invariant:** a payment counts only with a paid proof whose signature, order and amount hold. Offering an
//! order never concludes anything by itself: a notice does, or taking it back. Calls on one order follow one
//! another and are never cut short.
//!
//! Not here: payments that the till makes itself (`provider`).

use super::Around;
use super::http::Failure;
use super::line::Topic;
use super::notices::ended;
use super::pace::{Backoff, Wakes};
use crate::counter;
use crate::counter::duty::{Duty, OrderDuty, RefundDuty};
use crate::counter::event::{Event, ProviderReport, RefundReport};
use crate::inbox::LinkState;
use crate::money::Money;
use crate::record::Epoch;
use crate::record::ids::{DeskId, IntentId, RefundId, SaleId, TerminalId};
use crate::record::money_moves::{ProviderName, Settled};
use crate::token::{self, Order, Token, TokenError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};

/// How long a customer looks at a screen without a code before the till shows what it has signed.
const PATIENCE: Duration = Duration::from_secs(3);

/// The orders whose end is awaited: what a proof is compared with.
#[derive(Default)]
pub(super) struct Offered(Mutex<BTreeMap<IntentId, Order>>);

impl Offered {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IntentId, Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, intent: IntentId, order: Order) {
        self.lock().insert(intent, order);
    }

    pub(super) fn forget(&self, intent: IntentId) {
        self.lock().remove(&intent);
    }

    fn get(&self, intent: IntentId) -> Option<Order> {
        self.lock().get(&intent).cloned()
    }
}

/// The order that a till signs for a duty, in the life of the journal that drew it.
pub fn order_of(terminal: &TerminalId, epoch: Epoch, duty: &OrderDuty) -> Order {
    counter::order_of(terminal, epoch, duty.amount, &duty.terms)
}

/// One at a time for each order and each refund.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Order(IntentId),
    Refund(RefundId),
}

/// What an order's task is to bring about; the latest counts.
#[derive(Clone, PartialEq)]
enum Aim {
    Offer(OrderDuty),
    Withdraw(OrderDuty),
}

impl Aim {
    fn intent(&self) -> IntentId {
        let (Self::Offer(duty) | Self::Withdraw(duty)) = self;
        duty.intent
    }
}

struct Running {
    task: Id,
    /// None for a refund, whose aim does not change.
    aim: Option<watch::Sender<Aim>>,
}

pub(super) async fn run(around: Arc<Around>, mut work: mpsc::Receiver<Duty>) {
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Lane, Running> = BTreeMap::new();
    loop {
        tokio::select! {
            duty = work.recv() => match duty {
                Some(duty) => take(&around, duty, &mut tasks, &mut running),
                None => return,
            },
            Some(ended) = tasks.join_next_with_id() => match ended {
                Ok((task, ())) => running.retain(|_, lane| lane.task != task),
                Err(error) => super::bug(error),
            },
        }
    }
}

fn take(around: &Arc<Around>, duty: Duty, tasks: &mut JoinSet<()>, running: &mut BTreeMap<Lane, Running>) {
    let (lane, aim) = match duty {
        Duty::Offer(duty) => (Lane::Order(duty.intent), Aim::Offer(duty)),
        Duty::Withdraw(duty) => (Lane::Order(duty.intent), Aim::Withdraw(duty)),
        Duty::Refund(duty) => {
            running.entry(Lane::Refund(duty.refund)).or_insert_with(|| {
                let task = tasks.spawn(give_back(Arc::clone(around), duty)).id();
                Running { task, aim: None }
            });
            return;
        }
        Duty::Submit(_)
        | Duty::Ask(_)
        | Duty::Cancel(_)
        | Duty::Watch(_)
        | Duty::Print(_)
        | Duty::Kick(_) => {
            tracing::error!(duty = ?duty.id(), "A duty for another edge came to the cloud's edge.");
            return;
        }
    };
    if let Some(Running { aim: Some(at_work), .. }) = running.get(&lane)
        && at_work.send(aim.clone()).is_ok()
    {
        return;
    }
    let (sender, aims) = watch::channel(aim);
    let task = tasks.spawn(follow(Arc::clone(around), aims)).id();
    running.insert(lane, Running { task, aim: Some(sender) });
}

/// Brings about the latest aim of one order, until it is concluded.
async fn follow(around: Arc<Around>, mut aims: watch::Receiver<Aim>) {
    let timing = &around.config.timing;
    let mut backoff = Backoff::default();
    let mut accepted = false;
    let mut unheard = Unheard::NotShown;
    let mut wakes = around.wakes();
    loop {
        wakes.listen();
        let aim = aims.borrow_and_update().clone();
        let tried = match &aim {
            Aim::Offer(_) if accepted => Ok(Tried::Open),
            Aim::Offer(duty) => offer_or_show(&around, duty, &mut unheard).await,
            Aim::Withdraw(duty) => withdraw(&around, duty).await,
        };
        match (tried, &aim) {
            (Ok(Tried::Concluded(report)), Aim::Offer(duty) | Aim::Withdraw(duty)) => {
                around.offered.forget(duty.intent);
                post(&around, duty.intent, *report).await;
                return;
            }
            (Ok(Tried::Open), Aim::Offer(_)) => {
                accepted = true;
                unheard = Unheard::NotShown;
                backoff.worked();
                // A notice ends it, or the till takes it back. A sender that is gone means shutdown.
                tokio::select! {
                    changed = aims.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    // The notice may have been lost, or could not be proved when it came.
                    () = tokio::time::sleep(timing.order_retry_most) => {
                        if around.offered.get(aim.intent()).is_none() {
                            return;
                        }
                        accepted = false;
                    }
                }
            }
            (Ok(Tried::Open), Aim::Withdraw(_)) => {
                wait(&mut wakes, &mut aims, timing.retry_first, None).await;
            }
            (Err(failure), Aim::Offer(duty) | Aim::Withdraw(duty)) => {
                let chance = (around.doors.chance)();
                let after = failure.retry_after();
                let pause = backoff.failed(timing.retry_first, timing.order_retry_most, after, &chance);
                if let Failure::Refused(_) | Failure::Strange(_) = failure {
                    tracing::warn!(intent.id = %duty.intent, error = %failure, "An order is not settled yet.");
                }
                wait(&mut wakes, &mut aims, pause, after).await;
            }
        }
    }
}

/// Waits, but not when the till wants something else or the line has come back.
async fn wait(wakes: &mut Wakes, aims: &mut watch::Receiver<Aim>, pause: Duration, named: Option<Duration>) {
    tokio::select! {
        () = wakes.pause_after(pause, named) => {}
        changed = aims.changed() => if changed.is_err() { std::future::pending().await },
    }
}

/// Whether the till was told to show an order of which the cloud has not heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unheard {
    NotShown,
    Shown,
}

/// Offers an order; where the cloud is silent, or slower than a customer waits, the till shows it all the same.
async fn offer_or_show(around: &Around, duty: &OrderDuty, unheard: &mut Unheard) -> Result<Tried, Failure> {
    if around.doors.board.link.borrow().state == LinkState::Offline {
        show_unheard(around, duty, unheard).await;
    }
    let offered = offer(around, duty);
    tokio::pin!(offered);
    let offered = tokio::select! {
        offered = &mut offered => offered,
        () = tokio::time::sleep(PATIENCE) => {
            show_unheard(around, duty, unheard).await;
            offered.await
        }
    };
    match &offered {
        Err(Failure::NotSent(_) | Failure::Unreachable(_) | Failure::Later { .. }) => {
            show_unheard(around, duty, unheard).await;
        }
        Ok(_) | Err(Failure::Refused(_) | Failure::Strange(_)) => {}
    }
    offered
}

/// Shows an order that the cloud has not heard of: a phone brings it there, and brings the proof back. An order of a desk
/// answers a phone that waits at the cloud; one of an earlier build is not known there by its hash.
async fn show_unheard(around: &Around, duty: &OrderDuty, unheard: &mut Unheard) {
    let phones = around.doors.board.phones.borrow().clone();
    let (Some(phones), Unheard::NotShown, None) = (phones, *unheard, &duty.terms.desk) else { return };
    let epoch = around.doors.board.view.borrow().epoch;
    let hash = order_of(&around.config.terminal, epoch, duty).hash();
    if hash.ok().map(|hash| IntentId(hash.0)) != Some(duty.intent) {
        return;
    }
    let Ok(order) = signed(around, duty) else { return };
    if let Some(url) = address(around, duty, &phones.base, &order) {
        *unheard = Unheard::Shown;
        post(around, duty.intent, ProviderReport::ShownUnheard(url)).await;
    }
}

enum Tried {
    Concluded(Box<ProviderReport>),
    Open,
}

#[derive(Deserialize)]
struct OrderState {
    state: String,
    settled: Option<Settled>,
    proof: Option<String>,
    words: Option<String>,
    /// Where a phone opens it, while it is open.
    url: Option<String>,
}

async fn offer(around: &Around, duty: &OrderDuty) -> Result<Tried, Failure> {
    #[derive(Serialize)]
    struct Offer<'a> {
        intent: IntentId,
        sale: SaleId,
        order: String,
        desk: Option<&'a DeskId>,
        bill_version: u64,
        provider: ProviderName,
    }
    let body = Offer {
        intent: duty.intent,
        sale: duty.sale,
        order: signed(around, duty)?,
        desk: duty.terms.desk.as_ref(),
        bill_version: duty.terms.bill_version,
        provider: duty.provider,
    };
    let answer: OrderState = around.cloud.post(&around.path("orders"), &body).await?;
    match answer.state.as_str() {
        // Paid while nobody listened, and its notice is behind us.
        "paid" => paid(around, duty, answer),
        "withdrawn" | "ended" | "paid_late" | "refunded" => {
            let words = answer.words.filter(|words| !words.is_empty());
            let words = words.unwrap_or_else(|| "The order is over; nothing was paid.".to_owned());
            Ok(Tried::Concluded(Box::new(ended(words))))
        }
        // Only now that the cloud has it can a phone open it.
        "open" => {
            show(around, duty, &body.order, answer.url).await;
            Ok(Tried::Open)
        }
        _ => Ok(Tried::Open),
    }
}

/// Tells the till what phones scan. An order of a desk is opened on the desk's page.
async fn show(around: &Around, duty: &OrderDuty, order: &str, url: Option<String>) {
    if duty.terms.desk.is_some() {
        return;
    }
    // A cloud that names no address is where this till calls it.
    let base = url.as_deref().and_then(|url| url.split_once("/O/")).map(|(base, _)| base.to_owned());
    let base = base.unwrap_or_else(|| around.config.url.clone());
    if let Some(url) = address(around, duty, &base, order) {
        post(around, duty.intent, ProviderReport::Shown(url)).await;
    }
}

/// What a phone scans; none for an address that no code holds, which is then said.
fn address(around: &Around, duty: &OrderDuty, base: &str, order: &str) -> Option<String> {
    match token::order_url(base, order) {
        Ok(url) => {
            around.line.trouble(Topic::Order, None);
            Some(url)
        }
        Err(error) => {
            let words = format!("The code for phones cannot be shown: {error}.");
            tracing::error!(intent.id = %duty.intent, "{words}");
            around.line.trouble(Topic::Order, Some(words));
            None
        }
    }
}

async fn withdraw(around: &Around, duty: &OrderDuty) -> Result<Tried, Failure> {
    /// The order comes along, so that a cloud that never had it can rule it out.
    #[derive(Serialize)]
    struct Withdrawal {
        sale: SaleId,
        order: String,
    }
    let body = Withdrawal { sale: duty.sale, order: signed(around, duty)? };
    let path = around.path(&format!("orders/{}/withdraw", duty.intent));
    let answer: OrderState = around.cloud.post(&path, &body).await?;
    let words = match answer.state.as_str() {
        "paid" => return paid(around, duty, answer),
        "withdrawn" | "ended" => "The cloud ended the order; nobody has paid it.",
        "unknown_order" => "The cloud never had this order; nobody has paid it.",
        "paid_late" | "refunded" => "A phone paid after the order was over; the cloud gives the money back.",
        _ => return Ok(Tried::Open),
    };
    Ok(Tried::Concluded(Box::new(ProviderReport::Cancelled(words.to_owned()))))
}

fn paid(around: &Around, duty: &OrderDuty, answer: OrderState) -> Result<Tried, Failure> {
    let (Some(settled), Some(proof)) = (answer.settled, answer.proof) else {
        return Err(Failure::Strange("an order is said to be paid, without its proof".to_owned()));
    };
    let settled = proved(around, duty.intent, settled, proof)
        .ok_or_else(|| Failure::Strange("the proof of a payment does not hold".to_owned()))?;
    Ok(Tried::Concluded(Box::new(ProviderReport::Approved(settled))))
}

/// The text of a duty's order, which is kept for the proof that may come.
fn signed(around: &Around, duty: &OrderDuty) -> Result<String, Failure> {
    let epoch = around.doors.board.view.borrow().epoch;
    let order = order_of(&around.config.terminal, epoch, duty);
    around.offered.remember(duty.intent, order.clone());
    around.config.device_key.draw(&order).map_err(|error| Failure::Strange(error.to_string()))
}

/// What was settled, if the proof is the cloud's word about this very order and its whole amount.
pub(super) fn proved(around: &Around, intent: IntentId, settled: Settled, proof: String) -> Option<Settled> {
    let Some(order) = around.offered.get(intent) else {
        // Whatever the till still owes on it asks the cloud again.
        tracing::warn!(intent.id = %intent, "An order was paid that this till does not wait for.");
        return None;
    };
    match check(around, &order, &settled, &proof) {
        Ok(()) => {
            around.line.trouble(Topic::Order, None);
            Some(Settled { proof: Some(proof), ..settled })
        }
        Err(error) => {
            let words =
                format!("The cloud says that an order is paid, but its proof does not hold: {error}.");
            tracing::error!(intent.id = %intent, "{words}");
            around.line.trouble(Topic::Order, Some(words));
            None
        }
    }
}

fn check(around: &Around, order: &Order, settled: &Settled, proof: &str) -> Result<(), TokenError> {
    let trust = around.trust().ok_or(TokenError::UnknownKey)?;
    let Token::Proof(proof) = token::parse(proof)? else {
        return Err(TokenError::Malformed("it is no proof"));
    };
    let proof = proof.verify(&trust.keys, around.line.unix_s())?;
    proof.settles(order)?;
    // What the shop itself gives at the wallet lowers what it receives, not what is settled of the order.
    if settled.total == order.amount { Ok(()) } else { Err(TokenError::OtherOrder) }
}

async fn post(around: &Around, intent: IntentId, report: ProviderReport) {
    if !around.doors.inbox.post(Event::Provider(intent, report)).await {
        tracing::warn!(intent.id = %intent, "The till is gone; the next start asks for this order.");
    }
}

/// Has the cloud give back what it took, until it says that it did or will not.
async fn give_back(around: Arc<Around>, duty: RefundDuty) {
    let timing = &around.config.timing;
    let (mut wakes, mut backoff) = (around.wakes(), Backoff::default());
    loop {
        wakes.listen();
        let (report, after) = match ask_refund(&around, &duty).await {
            Ok(report) => (report, None),
            Err(failure) => {
                if let Failure::Refused(_) | Failure::Strange(_) = failure {
                    tracing::warn!(refund.id = %duty.refund, error = %failure, "A refund is not settled yet.");
                }
                (None, failure.retry_after())
            }
        };
        if let Some(report) = report {
            around.doors.inbox.post(Event::Refund(duty.refund, report)).await;
            return;
        }
        let chance = (around.doors.chance)();
        let pause = backoff.failed(timing.retry_first, around.retry_most(), after, &chance);
        wakes.pause_after(pause, after).await;
    }
}

async fn ask_refund(around: &Around, duty: &RefundDuty) -> Result<Option<RefundReport>, Failure> {
    #[derive(Serialize)]
    struct Refund<'a> {
        refund: RefundId,
        intent: IntentId,
        amount: Money,
        why: &'a str,
    }
    #[derive(Deserialize)]
    struct State {
        state: String,
        words: Option<String>,
    }
    let body = Refund { refund: duty.refund, intent: duty.intent, amount: duty.amount, why: &duty.why };
    let answer: State = around.cloud.post(&around.path("refunds"), &body).await?;
    Ok(match answer.state.as_str() {
        "refunded" => Some(RefundReport::Refunded),
        "refused" => {
            let unsaid = || "The cloud refuses to give this back.".to_owned();
            Some(RefundReport::Refused(answer.words.unwrap_or_else(unsaid)))
        }
        _ => None,
    })
}
