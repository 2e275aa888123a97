//! A sale as screens show it.

use super::{Intent, IntentState, Sale};
use crate::bundle::Bundle;
use crate::money::Money;
use crate::offer::{Allotted, Without};
use crate::record::giving_back::{Means, TenderShare};
use crate::record::line::Quantity;
use crate::record::money_moves::{Advice, Heard};
use crate::sale::intent::TRIES;
use crate::view::{
    CouponView, DiscountView, LineState, LineView, PaymentView, SafeAct, SaleView, TenderView, WithoutView,
};

impl Sale {
    /// The sale as a screen shows it: fixed amounts where they are fixed, a quote where not.
    pub fn view(&self, bundle: &Bundle, allotted: &Allotted, now_s: u64) -> SaleView {
        let currency = bundle.content.currency;
        let zero = Money::zero(currency);
        let quote = self.quote(bundle, allotted, now_s).ok();
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
                    unit: line.quantity.unit,
                    net: line.net.map(Quantity::with_unit),
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
            size: self.size,
            subtotal: self.subtotal(currency).unwrap_or(zero),
            discounts: fixed.map_or_else(Vec::new, |fixed| {
                let view = |discount: &crate::offer::Discount| DiscountView {
                    name: discount.name.clone(),
                    name_zh: discount.name_zh.clone(),
                    amount: discount.amount,
                };
                fixed.discounts.iter().map(view).collect()
            }),
            without: quote.as_ref().filter(|_| self.fixed.is_none()).map_or_else(Vec::new, |quote| {
                let view = |without: &Without| WithoutView {
                    name: without.name.clone(),
                    name_zh: without.name_zh.clone(),
                };
                quote.without.iter().map(view).collect()
            }),
            tax: fixed
                .and_then(|fixed| Money::sum(fixed.taxes.iter().map(|tax| tax.tax), currency).ok())
                .unwrap_or(zero),
            total: fixed.map_or(zero, |fixed| fixed.total),
            paid: self.paid(currency).unwrap_or(zero),
            due: self.fixed.as_ref().and_then(|fixed| self.due(fixed).ok()),
            part: self.part,
            tenders: self.tenders(currency).unwrap_or_default().iter().map(tender).collect(),
            phase: self.phase(),
            payments: self.intents.iter().map(|intent| payment(intent, bundle)).collect(),
        }
    }

    /// Whether it has a line that counts.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|(_, state)| *state == LineState::Void)
    }
}

fn tender(share: &TenderShare) -> TenderView {
    let means = match &share.means {
        Means::Cash => "cash",
        Means::Wallet { provider, .. } => provider.word(),
        Means::Voucher { .. } => "voucher",
    };
    TenderView { means, amount: share.amount }
}

/// What a cashier can safely do while an intent stands as it does.
fn safe(intent: &Intent) -> SafeAct {
    match intent.state {
        IntentState::Drawn if intent.heard == Heard::ByNobody => SafeAct::ScanProof,
        IntentState::Drawn if intent.is_shown() => SafeAct::LetScan,
        IntentState::Pending if intent.is_shown() && !intent.is_order() => SafeAct::LetScan,
        IntentState::Drawn | IntentState::Pending if intent.is_order() => SafeAct::WaitForPhone,
        IntentState::Drawn | IntentState::Pending => SafeAct::Wait,
        IntentState::Unsure => SafeAct::WaitAndAsk,
        IntentState::Cancelling => SafeAct::WaitTakenBack,
        IntentState::CancelUnsure => SafeAct::CallManager,
        IntentState::Cancelled | IntentState::Tombstoned | IntentState::Abandoned | IntentState::Resolved => {
            SafeAct::AnyTender
        }
        IntentState::Declined if intent.left.is_some_and(Money::is_positive) => SafeAct::Split,
        IntentState::Declined => match intent.advice {
            Some(Advice::NewCode) | None => SafeAct::NewCode,
            Some(Advice::OtherMeans) => SafeAct::OtherMeans,
            Some(Advice::TellManager) => SafeAct::TellManager,
            Some(Advice::TryAgain) => SafeAct::TryAgain,
        },
        IntentState::PaidLate => SafeAct::GoesBack,
        IntentState::Approved => SafeAct::Paid,
    }
}

/// How often digits may still be typed for it, where the shop takes them for so much.
fn tries_left(intent: &Intent, bundle: &Bundle) -> Option<u8> {
    let small = intent.amount.minor <= bundle.content.limits.typed_proof_minor;
    let waits = intent.is_order() && intent.is_shown() && intent.state.awaits_answer();
    (small && waits && intent.code.is_some()).then(|| TRIES.saturating_sub(intent.mistyped))
}

fn payment(intent: &Intent, bundle: &Bundle) -> PaymentView {
    PaymentView {
        intent: intent.id,
        amount: intent.amount,
        carrier: match (intent.is_shown(), intent.is_order()) {
            (true, _) => "code",
            (false, true) => "order",
            (false, false) => "pay_code",
        },
        state: intent.state.word(),
        words: words(intent),
        safe: safe(intent),
        drawn_ms: intent.drawn.wall_ms,
        wallet: Some(intent.provider.word()).filter(|_| !intent.is_order()),
        code: intent.code.clone().filter(|_| intent.is_shown() && intent.state.awaits_answer()),
        until_ms: until_ms(intent),
        left: intent.left,
        heard: intent.heard,
        tries_left: tries_left(intent, bundle),
        mistyped: intent.mistyped,
    }
}

/// The end of an intent on the wall clock of the moment at which it was drawn.
fn until_ms(intent: &Intent) -> i64 {
    let open_ms = intent.settle_by.monotonic_ms.saturating_sub(intent.drawn.monotonic_ms);
    intent.drawn.wall_ms.saturating_add(i64::try_from(open_ms).unwrap_or(i64::MAX))
}

fn words(intent: &Intent) -> String {
    let order = intent.is_order();
    match intent.state {
        IntentState::Drawn if intent.is_shown() && intent.code.is_none() => {
            "The code is being made ready.".to_owned()
        }
        IntentState::Drawn | IntentState::Pending if intent.is_shown() && !order => {
            "The code is shown. The customer scans it with the wallet.".to_owned()
        }
        IntentState::Drawn if intent.heard == Heard::ByNobody => {
            "The till is off line. The customer scans the code and pays; the phone then shows a proof."
                .to_owned()
        }
        IntentState::Drawn if intent.is_shown() => "The code is shown. The customer scans it.".to_owned(),
        IntentState::Pending if order => "A phone is paying.".to_owned(),
        IntentState::Drawn if order => "The phone is paying.".to_owned(),
        IntentState::Drawn => "Sent to the wallet.".to_owned(),
        IntentState::Pending => "The customer confirms on the phone.".to_owned(),
        IntentState::Unsure => format!("No answer yet: {}. The till keeps asking.", intent.words),
        IntentState::Cancelling => "Being taken back.".to_owned(),
        IntentState::CancelUnsure => {
            format!("Not known whether it was taken back: {}. The till keeps asking.", intent.words)
        }
        IntentState::Cancelled | IntentState::Tombstoned => "Taken back. Nothing was paid.".to_owned(),
        IntentState::Resolved => "The customer has the money back by hand.".to_owned(),
        IntentState::Abandoned => "Given up here; the cloud is being told.".to_owned(),
        IntentState::Approved => "Paid.".to_owned(),
        IntentState::Declined => intent.words.clone(),
        IntentState::PaidLate => "Paid after it was given up. The money goes back by itself.".to_owned(),
    }
}
