//! Drives orders at the wallet: opens them, asks, takes them back, and gives late money back.
//!
//! **Invariant:** for one order, one call at a time, and only from here. Before a call that may move money,
//! the state says so; a crash in between is seen as "may have happened" and is asked for, then taken back.
//! Each step is guarded, so that whoever comes second changes nothing. Not here: money that lands after an end
//! (`late`).

mod late;

use super::Cloud;
use super::bells::{Bell, rung};
use super::store::{Advance, NewTask, NoticeBody, OrderRow, OrderState, StoreError};
use crate::record::ids::IntentId;
use crate::record::money_moves::{ProviderName, Settled};
use crate::token::{ORDER_LIFETIME_S, Order, Proof, TerminalTag};
use crate::wallet::{
    Answer, Approval, CancelAction, CancelAnswer, OrderNumber, PrecreateAnswer, PrecreateRequest, Wallet,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};

/// How long the wallet waits for the customer.
const PAY_MS: i64 = 60_000;

/// How often the wallet is asked meanwhile.
const ASK_MS: i64 = 1_000;

/// After how long a call that brought nothing is made again.
const AGAIN_MS: i64 = 2_000;

/// The longest that a call without an answer is on its way to the wallet.
const IN_FLIGHT_MS: i64 = 10_000;

/// How long an order waits that could not be driven.
const AFTER_ERROR: Duration = Duration::from_secs(2);

/// Orders that are driven at once.
const AT_ONCE: usize = 64;

pub(crate) async fn run(cloud: Arc<Cloud>) {
    let mut bell = cloud.bells.listen(Bell::Settler);
    let mut driving: JoinSet<()> = JoinSet::new();
    // For one order one driver at a time, whatever becomes of the others.
    let mut under_way = BTreeSet::new();
    let mut drivers: BTreeMap<Id, IntentId> = BTreeMap::new();
    loop {
        match cloud.store.orders_due(cloud.now_ms(), 256).await {
            Ok(due) => {
                for order in due {
                    if under_way.len() < AT_ONCE && under_way.insert(order.intent) {
                        let intent = order.intent;
                        drivers.insert(driving.spawn(drive(Arc::clone(&cloud), order)).id(), intent);
                    }
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "orders cannot be read"),
        }
        tokio::select! {
            () = cloud.stopping() => break,
            () = rung(&mut bell) => {}
            // A driver that fell over is taken up again as if the process had.
            Some(ended) = driving.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                if let Some(intent) = drivers.remove(&id) {
                    under_way.remove(&intent);
                }
            }
        }
    }
    while driving.join_next().await.is_some() {}
}

async fn drive(cloud: Arc<Cloud>, order: OrderRow) {
    let intent = order.intent;
    if let Err(error) = one_step(&cloud, &order).await {
        tracing::warn!(intent.id = %intent, error = &error as &dyn std::error::Error, "an order waits");
        // What fails at once fails at once again: a disk that is full, say.
        tokio::select! {
            () = cloud.stopping() => {}
            () = tokio::time::sleep(AFTER_ERROR) => {}
        }
    }
}

async fn one_step(cloud: &Cloud, order: &OrderRow) -> Result<(), StoreError> {
    let number = OrderNumber::parse(&order.intent.to_string());
    let number = number.map_err(|_| StoreError::Damaged(format!("the intent {}", order.intent)))?;
    match (cloud.accounts.wallets.get(&order.provider), order.state) {
        (_, OrderState::Open) => expire(cloud, order).await,
        (None, OrderState::Claimed) => {
            end(cloud, order, &[OrderState::Claimed], "Phones cannot pay here yet.", Look::No).await
        }
        (Some(wallet), OrderState::Claimed) => begin(cloud, wallet.as_ref(), order, number).await,
        // Nobody is at it, so whoever was is gone: the wallet may have heard of it.
        (_, OrderState::Starting) => {
            let mut step = cloud.step_from(order, &[OrderState::Starting], OrderState::Withdrawing);
            step.words = Some("The wallet could not be reached.".to_owned());
            step.due_ms = Some(cloud.now_ms());
            cloud.step(step, order).await.map(|_| ())
        }
        (Some(wallet), OrderState::Started) => ask(cloud, wallet.as_ref(), order, number).await,
        (Some(wallet), OrderState::Withdrawing) => take_back(cloud, wallet.as_ref(), order, number).await,
        (Some(wallet), OrderState::Withdrawn | OrderState::Ended) => {
            late::look(cloud, wallet.as_ref(), order, number).await
        }
        (Some(wallet), OrderState::PaidLate) => late::give_back(cloud, wallet.as_ref(), order, number).await,
        (Some(wallet), OrderState::Paid) => late::paid(cloud, wallet.as_ref(), order).await,
        (None, _) | (_, OrderState::Refunded) => {
            let known = cloud.accounts.wallets.contains_key(&order.provider);
            let due = (!known).then(|| cloud.now_ms() + 60_000);
            cloud.store.put_off(order.intent, order.state, due).await.map(|_| ())
        }
    }
}

/// No phone came within five minutes.
async fn expire(cloud: &Cloud, order: &OrderRow) -> Result<(), StoreError> {
    end(cloud, order, &[OrderState::Open], "No phone paid in time.", Look::No).await
}

/// Announces the call, then opens the order at the wallet.
async fn begin(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    order: &OrderRow,
    number: OrderNumber,
) -> Result<(), StoreError> {
    if order.issued_at_s.saturating_add(ORDER_LIFETIME_S) < cloud.now_s() {
        return end(cloud, order, &[OrderState::Claimed], "The bill is too old to be paid.", Look::No).await;
    }
    let mut step = cloud.step_from(order, &[OrderState::Claimed], OrderState::Starting);
    step.started_ms = Some(cloud.now_ms());
    step.due_ms = Some(cloud.now_ms());
    step.notice = Some(NoticeBody::order_claimed(order.intent));
    if !cloud.step(step, order).await? {
        return Ok(());
    }
    let shop = cloud.bundle().await.map_or_else(String::new, |bundle| bundle.content.shop.name.clone());
    let request = PrecreateRequest {
        order: number,
        amount: order.amount,
        subject: if shop.is_empty() { "Till".to_owned() } else { shop },
        terminal: order.terminal.to_string(),
        store: None,
        expires_in_s: 120,
    };
    let starting = &[OrderState::Starting];
    let opened = match &order.opens {
        Some(browser) => wallet.open_on_phone(&request, browser).await,
        None => wallet.precreate(&request).await,
    };
    match opened {
        PrecreateAnswer::Ready { qr_text } => {
            let mut step = cloud.step_from(order, starting, OrderState::Started);
            step.qr_text = Some(qr_text);
            step.due_ms = Some(cloud.now_ms() + ASK_MS);
            cloud.step(step, order).await.map(|_| ())
        }
        PrecreateAnswer::Declined(decline) => {
            let words = format!("The wallet refuses: {} ({}).", decline.message, decline.code);
            end(cloud, order, starting, &words, Look::No).await
        }
        PrecreateAnswer::NotSent { why } => {
            tracing::warn!(intent.id = %order.intent, why, "the wallet cannot be reached");
            end(cloud, order, starting, "The wallet cannot be reached.", Look::No).await
        }
        PrecreateAnswer::Unsure(doubt) => {
            tracing::warn!(intent.id = %order.intent, why = doubt.why, "the wallet's answer is missing");
            let mut step = cloud.step_from(order, starting, OrderState::Withdrawing);
            step.words = Some("The wallet did not answer.".to_owned());
            step.due_ms = Some(cloud.now_ms());
            cloud.step(step, order).await.map(|_| ())
        }
    }
}

/// Asks whether the customer has paid; after a minute the order is taken back.
async fn ask(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    order: &OrderRow,
    number: OrderNumber,
) -> Result<(), StoreError> {
    match wallet.query(&number, order.amount).await {
        Answer::Approved(approval) => pay(cloud, order, &[OrderState::Started], &approval).await,
        Answer::Declined(decline) => {
            let words = format!("The wallet refuses: {}.", decline.message);
            end(cloud, order, &[OrderState::Started], &words, Look::Yes).await
        }
        Answer::Closed => {
            end(cloud, order, &[OrderState::Started], "The payment was not made.", Look::Yes).await
        }
        // "Not found" is what a wallet says until the customer has opened the order.
        Answer::Pending | Answer::NotFound | Answer::NotSent { .. } | Answer::Unsure(_) => {
            let now_ms = cloud.now_ms();
            if now_ms < order.started_ms.unwrap_or(now_ms).saturating_add(PAY_MS) {
                return cloud
                    .store
                    .put_off(order.intent, OrderState::Started, Some(now_ms + ASK_MS))
                    .await
                    .map(|_| ());
            }
            let mut step = cloud.step_from(order, &[OrderState::Started], OrderState::Withdrawing);
            step.words = Some("The phone did not pay in time.".to_owned());
            step.due_ms = Some(now_ms);
            cloud.step(step, order).await.map(|_| ())
        }
    }
}

/// Asks once more, then ends the order at the wallet. What was paid by then stands as paid.
async fn take_back(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    order: &OrderRow,
    number: OrderNumber,
) -> Result<(), StoreError> {
    let withdrawing = &[OrderState::Withdrawing];
    let again = |why: &str| {
        tracing::warn!(intent.id = %order.intent, why, "an order is not taken back yet");
        cloud.store.put_off(order.intent, OrderState::Withdrawing, Some(cloud.now_ms() + AGAIN_MS))
    };
    match wallet.query(&number, order.amount).await {
        Answer::Approved(approval) => return pay(cloud, order, withdrawing, &approval).await,
        Answer::NotSent { why } => return again(&why).await.map(|_| ()),
        Answer::Unsure(doubt) => return again(&doubt.why).await.map(|_| ()),
        Answer::Closed => return end(cloud, order, withdrawing, &order.words, Look::Yes).await,
        Answer::Pending | Answer::NotFound | Answer::Declined(_) => {}
    }
    // Announced before the call: while it may be on its way it can undo what a question finds paid, so none is asked.
    let until = Some(cloud.now_ms() + IN_FLIGHT_MS);
    if !cloud.store.put_off(order.intent, OrderState::Withdrawing, until).await? {
        return Ok(());
    }
    // An order that nobody has scanned is unknown to Alipay until then, so that it can be cancelled but not closed;
    // WeChat Pay reverses only what a pay code began (see `wallet`).
    let ended = match order.provider {
        ProviderName::Wechat => wallet.close(&number).await,
        ProviderName::Alipay | ProviderName::House => wallet.cancel(&number).await,
    };
    match ended {
        CancelAnswer::Cancelled { action } => {
            let words = match action {
                CancelAction::Closed | CancelAction::Nothing => order.words.clone(),
                CancelAction::Ended | CancelAction::Refunded => {
                    format!("{} What was paid goes back.", order.words)
                }
            };
            end(cloud, order, withdrawing, &words, Look::Yes).await
        }
        CancelAnswer::Declined(decline) => again(&decline.code).await.map(|_| ()),
        CancelAnswer::Retry => again("the wallet asks to be called again").await.map(|_| ()),
        CancelAnswer::NotSent { why } => again(&why).await.map(|_| ()),
        CancelAnswer::Unsure(doubt) => {
            tracing::warn!(intent.id = %order.intent, why = doubt.why, "an order is not taken back yet");
            let until = Some(cloud.now_ms() + IN_FLIGHT_MS);
            cloud.store.put_off(order.intent, OrderState::Withdrawing, until).await.map(|_| ())
        }
    }
}

/// The money is the shop's: signs the proof and tells the till, in one step.
async fn pay(
    cloud: &Cloud,
    order: &OrderRow,
    from: &'static [OrderState],
    approval: &Approval,
) -> Result<(), StoreError> {
    if approval.total != order.amount {
        return another_amount(cloud, order, from, approval).await;
    }
    let mut step = cloud.step_from(order, from, OrderState::Paid);
    step.settled = proved(cloud, order, approval)?;
    step.notice =
        step.settled.as_ref().map(|(settled, proof)| NoticeBody::order_paid(order.intent, settled, proof));
    tracing::info!(intent.id = %order.intent, "a phone paid");
    cloud.step(step, order).await.map(|_| ())
}

/// Another amount than was asked for pays nothing: no till takes a proof of it. It goes back whole.
async fn another_amount(
    cloud: &Cloud,
    order: &OrderRow,
    from: &'static [OrderState],
    approval: &Approval,
) -> Result<(), StoreError> {
    let words = format!("{} was paid where {} was due. It goes back.", approval.total, order.amount);
    let mut step = cloud.step_from(order, from, OrderState::PaidLate);
    step.settled = proved(cloud, order, approval)?;
    step.due_ms = Some(cloud.now_ms());
    step.words = Some(words.clone());
    step.notice = Some(NoticeBody::order_ended(order.intent, &words));
    let (code, subject, terminal) =
        ("other_amount_paid", order.intent.to_string(), Some(order.terminal.clone()));
    step.task = Some(NewTask { code, subject, words, terminal });
    cloud.step(step, order).await.map(|_| ())
}

/// What the wallet settled, and the proof of it.
fn proved(
    cloud: &Cloud,
    order: &OrderRow,
    approval: &Approval,
) -> Result<Option<(Settled, String)>, StoreError> {
    let damaged = || StoreError::Damaged(format!("the order of {}", order.intent));
    let asked = Order {
        terminal: TerminalTag::of(order.terminal.as_str()),
        epoch: order.epoch.0,
        nonce: order.nonce,
        amount: order.amount,
        issued_at: order.issued_at_s,
    };
    let proof = Proof {
        order: asked.hash().map_err(|_| damaged())?,
        settled_minor: approval.total.minor,
        paid_at: cloud.now_s(),
    };
    let proof = cloud.keys.issue(&proof).map_err(|_| damaged())?;
    // What answers a desk's phone was drawn for its wallet.
    let wallet = order.desk.is_none().then_some(order.provider);
    Ok(Some((Settled { wallet, ..approval.settled(Some(proof.clone())) }, proof)))
}

/// Whether money may still land after an end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Yes,
    No,
}

/// Ends an order unpaid: withdrawn where the till asked for it, told to the till where it did not.
async fn end(
    cloud: &Cloud,
    order: &OrderRow,
    from: &'static [OrderState],
    words: &str,
    look: Look,
) -> Result<(), StoreError> {
    let now_ms = cloud.now_ms();
    // The till may have asked in the meantime: its wish is in the store, not in what was read before.
    let asked = cloud.store.order(order.intent).await?.is_some_and(|order| order.asked_by_till);
    let to = if asked { OrderState::Withdrawn } else { OrderState::Ended };
    let mut step = cloud.step_from(order, from, to);
    step.words = Some(words.to_owned());
    step.due_ms = (look == Look::Yes).then_some(now_ms + late::EVERY_MS);
    step.notice = (!asked).then(|| NoticeBody::order_ended(order.intent, words));
    cloud.step(step, order).await.map(|_| ())
}

impl Cloud {
    fn step_from(&self, order: &OrderRow, from: &'static [OrderState], to: OrderState) -> Advance {
        Advance::new(order.intent, from, to, self.now_ms())
    }

    /// Takes a guarded step and wakes whoever waits for it.
    pub(crate) async fn step(&self, step: Advance, order: &OrderRow) -> Result<bool, StoreError> {
        let told = step.notice.is_some();
        let moved = self.store.advance(step).await?;
        if moved {
            self.bells.ring(&Bell::Orders);
            self.bells.ring(&Bell::Settler);
            if told {
                self.ring_till(&order.terminal);
            }
            if let Some(desk) = &order.desk {
                self.bells.ring(&Bell::Desk(desk.clone()));
            }
        }
        Ok(moved)
    }
}
