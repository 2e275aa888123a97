//! An order as a phone brings it: known to the cloud since its till brought it, or heard of for the first time.
//!
//! A till that cannot reach the cloud shows what it signed. **Invariant:** an order that only a phone has brought counts
//! by the signature of its terminal's device key, is claimed by the same unique key as any other, and is not begun more
//! than five minutes after it was drawn. Looking at it changes nothing.
//!
//! Not here: paying it (`pay`, `settler`), and the proof that goes back to the till (`bill`).

use crate::cloud::Cloud;
use crate::cloud::store::{NewOrder, OrderRow, OrderState, StoreError};
use crate::record::Epoch;
use crate::record::ids::{IntentId, TerminalId};
use crate::record::money_moves::ProviderName;
use crate::token::{ORDER_LIFETIME_S, Order, TerminalTag, Token, Unverified};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often the tags of tills are made anew for an order of a till that is not among them.
const ANEW_MS: i64 = 1_000;

/// Which tills have which tag: an order names its terminal by four bytes of a hash.
#[derive(Default)]
pub(crate) struct Tags(Mutex<Known>);

#[derive(Default)]
struct Known {
    tills: BTreeMap<TerminalTag, Vec<TerminalId>>,
    made_ms: Option<i64>,
}

impl Tags {
    fn of(&self, tag: TerminalTag) -> Vec<TerminalId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.tills.get(&tag).cloned().unwrap_or_default()
    }

    /// Whether they may be made anew: strangers' orders must not make the cloud count its tills all the time.
    fn are_old(&self, now_ms: i64) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = known.made_ms.is_none_or(|made_ms| now_ms.saturating_sub(made_ms) >= ANEW_MS);
        if old {
            known.made_ms = Some(now_ms);
        }
        old
    }

    fn set(&self, tills: BTreeMap<TerminalTag, Vec<TerminalId>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tills = tills;
    }
}

/// The order behind an address: as it stands here, or as its till signed it. None for what no till of ours signed.
pub(super) async fn look_up(cloud: &Cloud, text: &str) -> Result<Option<OrderRow>, StoreError> {
    if let Some(known) = cloud.store.order_by_text(text.to_owned()).await? {
        return Ok(Some(known));
    }
    let Ok(Token::Order(signed)) = crate::token::parse(text) else { return Ok(None) };
    let Some((terminal, order)) = signer(cloud, &signed).await? else { return Ok(None) };
    let Ok(hash) = order.hash() else { return Ok(None) };
    let intent = IntentId(hash.0);
    // The till brought the same order under another text: it is that one.
    if let Some(known) = cloud.store.order(intent).await? {
        return Ok(Some(known));
    }
    let now_ms = cloud.now_ms();
    let state = match order.check_age(cloud.now_s()) {
        Ok(()) => OrderState::Open,
        Err(_) => OrderState::Ended,
    };
    Ok(Some(OrderRow {
        terminal,
        epoch: Epoch(order.epoch),
        nonce: order.nonce,
        intent,
        sale: None,
        order_text: text.to_owned(),
        amount: order.amount,
        issued_at_s: order.issued_at,
        provider: ProviderName::Alipay,
        desk: None,
        phone: None,
        opens: None,
        state,
        asked_by_till: false,
        words: String::new(),
        qr_text: None,
        settled: None,
        proof: None,
        changed_ms: now_ms,
        started_ms: None,
    }))
}

/// Writes an order down that a phone is about to pay, unless it is here already.
pub(super) async fn bring(cloud: &Cloud, order: &OrderRow, provider: ProviderName) -> Result<(), StoreError> {
    if order.sale.is_some() || order.state != OrderState::Open {
        return Ok(());
    }
    let new = NewOrder {
        terminal: order.terminal.clone(),
        epoch: order.epoch,
        nonce: order.nonce,
        intent: order.intent,
        sale: None,
        order_text: order.order_text.clone(),
        amount: order.amount,
        issued_at_s: order.issued_at_s,
        provider,
        state: OrderState::Open,
        answers: None,
        due_ms: order.issued_at_s.saturating_add(ORDER_LIFETIME_S).saturating_mul(1000),
        now_ms: cloud.now_ms(),
    };
    // Whoever was first counts: the claim that follows is guarded.
    cloud.store.register_order(new).await.map(drop)
}

/// The till that signed an order.
async fn signer(
    cloud: &Cloud,
    signed: &Unverified<Order>,
) -> Result<Option<(TerminalId, Order)>, StoreError> {
    let tag = signed.stream().terminal;
    if cloud.tags.of(tag).is_empty() && cloud.tags.are_old(cloud.now_ms()) {
        let mut tills: BTreeMap<TerminalTag, Vec<TerminalId>> = BTreeMap::new();
        for till in cloud.store.terminals().await? {
            tills.entry(TerminalTag::of(till.id.as_str())).or_default().push(till.id);
        }
        cloud.tags.set(tills);
    }
    for id in cloud.tags.of(tag) {
        let Some(till) = cloud.store.terminal(id).await? else { continue };
        if let Ok(order) = signed.verify_with(&till.public_key) {
            return Ok(Some((till.id, order.into_inner())));
        }
    }
    Ok(None)
}
