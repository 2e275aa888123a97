//! A sale as screens show it.

use super::{Intent, IntentState, Sale};
use crate::bundle::Bundle;
use crate::money::Money;
use crate::view::{CouponView, DiscountView, LineState, LineView, PaymentView, SaleView};

impl Sale {
    /// The sale as a screen shows it: fixed amounts where they are fixed, a quote where not.
    pub fn view(&self, bundle: &Bundle, now_s: u64) -> SaleView {
        let currency = bundle.content.currency;
        let zero = Money::zero(currency);
        let quote = self.quote(bundle, now_s).ok();
        let fixed = self.fixed.as_ref().or(quote.as_ref().map(|quote| &quote.fixed));
        let idle = quote.as_ref().map(|quote| quote.idle.clone()).unwrap_or_default();
        let missing = |serial: &str| idle.iter().find(|(idle, _)| idle == serial).map(|(_, amount)| *amount);
        SaleView {
            id: self.id,
            version: self.version,
            station: self.station.clone(),
            desk: self.desk().cloned(),
            lines: self
                .lines
                .iter()
                .map(|(line, state)| LineView {
                    id: line.id,
                    name: line.name.clone(),
                    name_zh: line.name_zh.clone(),
                    quantity: line.quantity.to_string(),
                    price: line.price,
                    amount: line.gross().unwrap_or(zero),
                    modifiers: line.modifiers.clone(),
                    state: *state,
                })
                .collect(),
            coupons: self
                .coupons
                .iter()
                .map(|coupon| CouponView {
                    serial: coupon.serial.clone(),
                    name: coupon.name.clone(),
                    name_zh: coupon.name_zh.clone(),
                    missing: missing(&coupon.serial),
                })
                .collect(),
            member: self.member.clone(),
            subtotal: self.subtotal(currency).unwrap_or(zero),
            discounts: fixed.map_or_else(Vec::new, |fixed| {
                let view = |discount: &crate::offer::Discount| DiscountView {
                    name: discount.name.clone(),
                    name_zh: discount.name_zh.clone(),
                    amount: discount.amount,
                };
                fixed.discounts.iter().map(view).collect()
            }),
            tax: fixed
                .and_then(|fixed| Money::sum(fixed.taxes.iter().map(|tax| tax.tax), currency).ok())
                .unwrap_or(zero),
            total: fixed.map_or(zero, |fixed| fixed.total),
            paid: self.paid(currency).unwrap_or(zero),
            phase: self.phase(),
            payments: self.intents.iter().map(payment).collect(),
        }
    }

    /// Whether it has a line that counts.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|(_, state)| *state == LineState::Void)
    }
}

fn payment(intent: &Intent) -> PaymentView {
    PaymentView {
        intent: intent.id,
        amount: intent.amount,
        carrier: if intent.is_order() { "order" } else { "pay_code" },
        state: intent.state.word(),
        words: words(intent),
        drawn_ms: intent.drawn.wall_ms,
    }
}

fn words(intent: &Intent) -> String {
    let order = intent.is_order();
    match intent.state {
        IntentState::Drawn if order => "The phone is paying.".to_owned(),
        IntentState::Drawn => "Sent to the wallet.".to_owned(),
        IntentState::Pending => "The customer confirms on the phone.".to_owned(),
        IntentState::Unsure => format!("No answer yet: {}. The till keeps asking.", intent.words),
        IntentState::Cancelling => "Being taken back.".to_owned(),
        IntentState::CancelUnsure => {
            format!("Not known whether it was taken back: {}. The till keeps asking.", intent.words)
        }
        IntentState::Cancelled | IntentState::Tombstoned => "Taken back. Nothing was paid.".to_owned(),
        IntentState::Abandoned => "Given up here; the cloud is being told.".to_owned(),
        IntentState::Approved => "Paid.".to_owned(),
        IntentState::Declined => intent.words.clone(),
        IntentState::PaidLate => "Paid after it was given up. The money goes back by itself.".to_owned(),
    }
}
