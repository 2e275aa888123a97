//! Money that lands after an order was given up: looked for, shown, and given back by itself.
//!
//! Not here: the order's life before that (`settler`).

use super::{AGAIN_MS, proved};
use crate::cloud::Cloud;
use crate::cloud::store::{LATE_REFUSED, NewTask, OrderRow, OrderState, RefundState, StoreError};
use crate::cloud::tills::orders::{self, refunded};
use crate::wallet::{Answer, OrderNumber, RefundAnswer, RefundNumber, RefundRequest, Wallet};

/// How often an unpaid end is looked at again, and for how long: money in flight lands within it.
pub(super) const EVERY_MS: i64 = 10_000;
const FOR_MS: i64 = 120_000;

/// How often after that, while the wallet cannot be asked.
const LATER_MS: i64 = 60_000;

/// How often the wallet is asked again for what it refuses to give back: the shop may have filled its account.
const REFUSED_MS: i64 = 3_600_000;

/// After an unpaid end, money that was in flight may still land.
pub(super) async fn look(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    order: &OrderRow,
    number: OrderNumber,
) -> Result<(), StoreError> {
    let ended = &[OrderState::Withdrawn, OrderState::Ended];
    match wallet.query(&number, order.amount).await {
        Answer::Approved(approval) => {
            let mut step = cloud.step_from(order, ended, OrderState::PaidLate);
            step.settled = proved(cloud, order, &approval)?;
            step.due_ms = Some(cloud.now_ms());
            step.task = Some(NewTask {
                code: "paid_late",
                subject: order.intent.to_string(),
                words: format!(
                    "{} arrived after the bill was given up. It goes back by itself.",
                    order.amount
                ),
                terminal: Some(order.terminal.clone()),
            });
            cloud.step(step, order).await.map(|_| ())
        }
        Answer::Closed | Answer::Declined(_) => {
            cloud.store.put_off(order.intent, order.state, None).await.map(|_| ())
        }
        answer @ (Answer::Pending | Answer::NotFound | Answer::NotSent { .. } | Answer::Unsure(_)) => {
            let now_ms = cloud.now_ms();
            let soon = now_ms < order.changed_ms.saturating_add(FOR_MS);
            // Only an answer ends the search, and "not found" is one once nothing can land any more.
            let due = match answer {
                _ if soon => Some(now_ms + EVERY_MS),
                Answer::NotFound => None,
                Answer::Approved(_)
                | Answer::Closed
                | Answer::Declined(_)
                | Answer::Pending
                | Answer::NotSent { .. }
                | Answer::Unsure(_) => Some(now_ms + LATER_MS),
            };
            cloud.store.put_off(order.intent, order.state, due).await.map(|_| ())
        }
    }
}

/// Paid, and somebody said that it goes back. What the till asked for by itself is found out first, under its own number.
pub(super) async fn paid(cloud: &Cloud, wallet: &dyn Wallet, order: &OrderRow) -> Result<(), StoreError> {
    let pending = cloud.store.pending_refunds(order.intent).await?;
    if pending.is_empty() && order.asked_by_till {
        return unshown(cloud, order).await;
    }
    let mut due_ms = (!pending.is_empty()).then(|| cloud.now_ms());
    for refund in pending {
        let amount = refund.amount;
        let (state, words) = orders::give_back(cloud, wallet, order.intent, refund).await?;
        match state {
            RefundState::Pending => due_ms = Some(cloud.now_ms() + LATER_MS),
            RefundState::Refused => {
                let task = NewTask {
                    code: "till_refund_refused",
                    subject: order.intent.to_string(),
                    words: format!(
                        "{words} The till {} asked for {amount} and has it on its list. If that till is gone and nobody has \
                         given the money back, run till cloud order give-back {}.",
                        order.terminal, order.intent
                    ),
                    terminal: Some(order.terminal.clone()),
                };
                cloud.store.raise(task, cloud.now_ms()).await?;
            }
            RefundState::Refunded => {}
        }
    }
    cloud.store.put_off(order.intent, OrderState::Paid, due_ms).await.map(|_| ())
}

/// Paid by a phone that never showed the proof, and given up by the till: it goes back.
async fn unshown(cloud: &Cloud, order: &OrderRow) -> Result<(), StoreError> {
    let mut step = cloud.step_from(order, &[OrderState::Paid], OrderState::PaidLate);
    step.words = Some("It was paid, and nobody showed that to the till. It goes back.".to_owned());
    step.due_ms = Some(cloud.now_ms());
    cloud.step(step, order).await.map(|_| ())
}

/// Gives late money back under one number, until the wallet says that it did, or a manager that somebody else did.
pub(super) async fn give_back(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    order: &OrderRow,
    number: OrderNumber,
) -> Result<(), StoreError> {
    if cloud.store.late_is_dealt_with(order.intent).await? {
        return cloud.store.put_off(order.intent, OrderState::PaidLate, None).await.map(|_| ());
    }
    let refund = RefundNumber::parse(&format!("late_{}", order.intent));
    let refund = refund.map_err(|_| StoreError::Damaged(format!("the intent {}", order.intent)))?;
    let reason = Some("Paid after the bill was given up".to_owned());
    let amount = order.settled.as_ref().map_or(order.amount, |settled| settled.total);
    let request = RefundRequest { order: number, refund, amount, reason };
    let again = AGAIN_MS * 5;
    match refunded(wallet, &request).await {
        RefundAnswer::Refunded => {
            let step = cloud.step_from(order, &[OrderState::PaidLate], OrderState::Refunded);
            cloud.step(step, order).await.map(|_| ())
        }
        RefundAnswer::Declined(decline) => {
            let task = NewTask {
                code: LATE_REFUSED,
                subject: order.intent.to_string(),
                words: format!(
                    "The wallet refuses to give {amount} back: {}. It is asked again every hour: fill the shop's account, or \
                     give the money back in another way and settle this task.",
                    decline.message
                ),
                terminal: Some(order.terminal.clone()),
            };
            cloud.store.raise(task, cloud.now_ms()).await?;
            let due = Some(cloud.now_ms() + REFUSED_MS);
            cloud.store.put_off(order.intent, OrderState::PaidLate, due).await.map(|_| ())
        }
        RefundAnswer::Pending
        | RefundAnswer::NotFound
        | RefundAnswer::NotSent { .. }
        | RefundAnswer::Unsure(_) => {
            let due = Some(cloud.now_ms() + again);
            cloud.store.put_off(order.intent, OrderState::PaidLate, due).await.map(|_| ())
        }
    }
}
