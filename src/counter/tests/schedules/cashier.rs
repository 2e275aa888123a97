//! The person at the counter: sells, takes money in parts, parks, cancels, gives up, gives back.

use super::*;
use crate::record::body::Place;
use crate::record::giving_back::{Finding, RefundEnd};
use crate::sale::back::Wanted;
use crate::sale::{IntentState, RefundState};
use crate::view::Phase;

/// How long a payment may be unsure before the manager looks it up at the wallet.
const LOOKED_UP: Duration = Duration::from_secs(40);

/// What the cashier still means to do.
pub(super) struct Cashier {
    customers: u64,
    returns: u64,
    codes: u32,
    last_code: Option<String>,
}

impl Cashier {
    pub(super) fn new(customers: u64) -> Self {
        Self { customers, returns: 3, codes: 0, last_code: None }
    }

    pub(super) fn is_done(&self) -> bool {
        self.customers == 0
    }
}

/// What the cashier does now, if anything.
pub(super) fn act(evening: &mut Evening) -> Vec<Event> {
    let station: StationId = "front".parse().unwrap();
    let closing = evening.began.elapsed() > CLOSING;
    if let Some(event) = manage(evening) {
        return vec![event];
    }
    let Some(sale) = evening.till.front(&station) else { return next_customer(evening, closing) };
    match sale.phase() {
        Phase::Basket => vec![evening.act(Act::Pay)],
        Phase::Paying => {
            let intent = sale.open_intent().unwrap().id;
            while_paying(evening, intent)
        }
        Phase::Tender => {
            let due = sale.due(sale.fixed.as_ref().unwrap()).unwrap();
            let asked = sale.part.map_or(due, |part| part.min(due));
            tender(evening, due, asked, closing)
        }
        Phase::Paid | Phase::Void | Phase::Frozen => vec![],
    }
}

fn next_customer(evening: &mut Evening, closing: bool) -> Vec<Event> {
    let parked = |sale: &&Sale| {
        sale.place == Place::Held && crate::counter::is_open(sale) && sale.open_intent().is_none()
    };
    if let Some(parked) = evening.till.sales.values().find(parked) {
        return vec![evening.act(Act::Recall { sale: parked.id })];
    }
    if evening.cashier.customers == 0 {
        return vec![];
    }
    evening.cashier.customers -= 1;
    if closing {
        return vec![];
    }
    let sku = if evening.dice.roll(2) == 0 { "latte" } else { "wine" };
    let press = Act::PressKey { sku: sku.to_owned(), modifiers: vec![], price: None, quantity: 1 };
    (0..=evening.dice.roll(2)).map(|_| evening.act(press.clone())).collect()
}

fn while_paying(evening: &mut Evening, intent: IntentId) -> Vec<Event> {
    match evening.dice.roll(60) {
        0..=1 => vec![evening.act(Act::CancelPayment { intent })],
        2..=5 => vec![evening.act(Act::Hold)],
        6..=9 => {
            evening.saw.insert("double_scan");
            let code = evening.cashier.last_code.clone().unwrap_or_default();
            vec![evening.scanned(&code), evening.act(Act::Cash { received: fen(1_000) })]
        }
        _ => vec![],
    }
}

fn tender(evening: &mut Evening, due: Money, asked: Money, closing: bool) -> Vec<Event> {
    match evening.dice.roll(20) {
        // Late in the evening only cash is taken.
        _ if closing => vec![evening.act(Act::Cash { received: asked })],
        0 => vec![evening.act(Act::VoidSale { reason: "left".to_owned() })],
        1 => vec![evening.act(Act::Back)],
        2..=5 => {
            let minor = 1 + i64::try_from(evening.dice.roll(u64::try_from(due.minor).unwrap())).unwrap();
            vec![evening.act(Act::Part { amount: Some(fen(minor)) })]
        }
        6..=8 => {
            let more = i64::try_from(evening.dice.roll(2) * 500).unwrap();
            vec![evening.act(Act::Cash { received: fen(asked.minor + more) })]
        }
        9..=15 => {
            evening.cashier.codes += 1;
            let n = evening.cashier.codes;
            let code = if evening.dice.roll(2) == 0 { pay_code(n) } else { format!("13{n:016}") };
            evening.cashier.last_code = Some(code.clone());
            let scans = 1 + evening.dice.roll(6) / 5;
            (0..scans).map(|_| evening.scanned(&code)).collect()
        }
        _ => vec![],
    }
}

/// What is not about the sale in front: refunds, and what needs a manager.
fn manage(evening: &mut Evening) -> Option<Event> {
    for sale in evening.till.sales.values() {
        for refund in &sale.refunds {
            if matches!(refund.state, RefundState::Refused(_)) {
                return Some(end_refund(evening, refund.id));
            }
        }
        let stuck = |intent: &&crate::sale::Intent| {
            let drawn = intent.drawn.monotonic_ms;
            let since = evening.moment.monotonic_ms.saturating_sub(drawn);
            intent.state == IntentState::CancelUnsure && u128::from(since) > LOOKED_UP.as_millis()
        };
        if let Some(intent) = sale.intents.iter().find(stuck) {
            return Some(look_up(evening, intent.id));
        }
    }
    if evening.cashier.returns > 0 && evening.dice.roll(25) == 0 {
        evening.cashier.returns -= 1;
        return give_back(evening);
    }
    None
}

fn end_refund(evening: &mut Evening, refund: RefundId) -> Event {
    let reason = "the wallet refuses".to_owned();
    match evening.dice.roll(3) {
        0 => evening.act(Act::SettleRefund { refund, end: RefundEnd::Cash, reason }),
        _ => evening.act(Act::RetryRefund { refund }),
    }
}

/// The manager looks at the wallet's own pages and says what is there.
fn look_up(evening: &mut Evening, intent: IntentId) -> Event {
    let paid = evening.wallets.kept(&intent.to_string()) > 0;
    if paid {
        evening.wallets.give_back_by_hand(&intent.to_string());
    }
    let finding = if paid { Finding::GivenBackByHand } else { Finding::NotCharged };
    let reason = "seen at the wallet".to_owned();
    evening.act(Act::ResolvePayment { intent, finding, reason })
}

fn give_back(evening: &mut Evening) -> Option<Event> {
    let receipts: Vec<SaleId> = evening
        .records
        .iter()
        .filter(|record| matches!(record.body, Body::ReceiptIssued { total } if total.is_positive()))
        .filter_map(|record| record.header.sale)
        .collect();
    let sale = evening.dice.pick(&receipts)?;
    let known = Sale::fold(evening.records.iter().filter(|record| record.header.sale == Some(sale)))?;
    let returns = u32::try_from(known.back.drawn.len()).unwrap();
    let returns_seen = returns - returns.min(u32::try_from(evening.dice.roll(8) / 7).unwrap());
    let minor = 1 + i64::try_from(evening.dice.roll(3_000)).unwrap();
    let wanted = match evening.dice.roll(3) {
        0 => Wanted::Whole,
        1 => Wanted::Lines(vec![(crate::record::line::LineId(1), 1)]),
        _ => Wanted::Amount(fen(minor)),
    };
    Some(evening.act(Act::GiveBack { sale, returns_seen, wanted, reason: "cold".to_owned() }))
}
