//! A payment as screens show it: where it stands, what to do now, and what a phone scans to pay it.

use crate::money::Money;
use crate::record::ids::IntentId;
use crate::record::money_moves::Heard;
use serde::Serialize;

/// One attempt to move money.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PaymentView {
    /// Which.
    pub intent: IntentId,
    /// How much.
    pub amount: Money,
    /// `pay_code`; `order` that a phone opened at a desk; `code` that the till shows.
    pub carrier: &'static str,
    /// Stable word for its state.
    pub state: &'static str,
    /// A sentence for the cashier.
    pub words: String,
    /// The one safe thing to do now.
    pub safe: SafeAct,
    /// When it was drawn, Unix milliseconds by the till's wall clock.
    pub drawn_ms: i64,
    /// The wallet that it is at, `alipay`, `wechat`, `house`; none where the phone chooses.
    pub wallet: Option<&'static str>,
    /// What a phone scans to pay it, while that may be shown.
    pub code: Option<String>,
    /// When that ends, Unix milliseconds by the till's wall clock.
    pub until_ms: i64,
    /// What the payer has, where it was too little.
    pub left: Option<Money>,
    /// Who has heard of the order whose code is shown.
    pub heard: Heard,
    /// How often eight digits of a phone may still be typed for it; none where they are not taken.
    pub tries_left: Option<u8>,
    /// How often wrong ones were.
    pub mistyped: u8,
}

impl PaymentView {
    /// Whether the customer is to scan a code, now or as soon as it is there.
    pub fn lets_scan(&self) -> bool {
        matches!(self.safe, SafeAct::LetScan | SafeAct::ScanProof)
    }
}

/// The one safe thing to do while a payment stands as it does. Each is a sentence in both languages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeAct {
    /// Wait; the customer may have to confirm. No goods yet.
    Wait,
    /// Nothing is known: keep the goods, scan nothing more.
    WaitAndAsk,
    /// Wait for the phone, or take the bill back.
    WaitForPhone,
    /// Have the customer scan the code; or take it back for other money.
    LetScan,
    /// Have the customer scan the code and pay; then scan the proof on the phone, or type its digits.
    ScanProof,
    /// Take what there is, and the rest otherwise.
    Split,
    /// Wait until it is taken back; or put the sale aside and serve the next.
    WaitTakenBack,
    /// Nobody knows for long: put the sale aside and call the manager.
    CallManager,
    /// Ask for a fresh code.
    NewCode,
    /// Ask for other money.
    OtherMeans,
    /// Nothing a cashier can do: other money now, and tell the manager.
    TellManager,
    /// It never left the till: try again, or cash.
    TryAgain,
    /// Nothing was taken: any tender may follow.
    AnyTender,
    /// It goes back by itself; take other money as if it had not come.
    GoesBack,
    /// It is paid, or this part of it is.
    Paid,
}
