//! Bills that phones ask to pay, the orders that tills sign for them, and refunds of those.

use super::{NewTask, NoticeBody, Reply};
use crate::money::Money;
use crate::record::Epoch;
use crate::record::ids::{DeskId, IntentId, RefundId, SaleId, TerminalId};
use crate::record::money_moves::{ProviderName, Settled};
use crate::wallet::PhoneBrowser;

/// Where an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OrderState {
    /// No phone has claimed it.
    Open,
    /// A phone has; the wallet has not heard of it.
    Claimed,
    /// The wallet may have heard of it.
    Starting,
    /// The wallet waits for the customer.
    Started,
    /// It is being taken back.
    Withdrawing,
    /// Paid.
    Paid,
    /// Given up by the till; no money moved.
    Withdrawn,
    /// Ended here or at the wallet; no money moved.
    Ended,
    /// Money arrived after that; it goes back by itself.
    PaidLate,
    /// It went back.
    Refunded,
}

impl OrderState {
    pub(crate) const ALL: [Self; 10] = [
        Self::Open,
        Self::Claimed,
        Self::Starting,
        Self::Started,
        Self::Withdrawing,
        Self::Paid,
        Self::Withdrawn,
        Self::Ended,
        Self::PaidLate,
        Self::Refunded,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Withdrawing => "withdrawing",
            Self::Paid => "paid",
            Self::Withdrawn => "withdrawn",
            Self::Ended => "ended",
            Self::PaidLate => "paid_late",
            Self::Refunded => "refunded",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// An order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct OrderRow {
    pub(crate) terminal: TerminalId,
    pub(crate) epoch: Epoch,
    pub(crate) nonce: u64,
    pub(crate) intent: IntentId,
    /// None until the till has said so: a phone may bring the order first.
    pub(crate) sale: Option<SaleId>,
    pub(crate) order_text: String,
    pub(crate) amount: Money,
    pub(crate) issued_at_s: i64,
    /// The wallet that the till drew it for.
    pub(crate) provider: ProviderName,
    pub(crate) desk: Option<DeskId>,
    pub(crate) phone: Option<String>,
    /// Where the phone opens the wallet; kept until the wallet has been called.
    pub(crate) opens: Option<PhoneBrowser>,
    pub(crate) state: OrderState,
    /// Whether the till asked for its end.
    pub(crate) asked_by_till: bool,
    pub(crate) words: String,
    pub(crate) qr_text: Option<String>,
    pub(crate) settled: Option<Settled>,
    pub(crate) proof: Option<String>,
    pub(crate) changed_ms: i64,
    pub(crate) started_ms: Option<i64>,
}

/// An order that a till brings, or a phone.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewOrder {
    pub(crate) terminal: TerminalId,
    pub(crate) epoch: Epoch,
    pub(crate) nonce: u64,
    pub(crate) intent: IntentId,
    /// None where a phone brings it.
    pub(crate) sale: Option<SaleId>,
    pub(crate) order_text: String,
    pub(crate) amount: Money,
    pub(crate) issued_at_s: i64,
    pub(crate) provider: ProviderName,
    /// [`OrderState::Open`], or [`OrderState::Withdrawn`] for one that the till already gave up.
    pub(crate) state: OrderState,
    /// The bill's version that a phone asked to pay, where the order answers a phone.
    pub(crate) answers: Option<u64>,
    /// When to look at it again.
    pub(crate) due_ms: i64,
    pub(crate) now_ms: i64,
}

/// What became of an order that a till brought.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Registered {
    /// It is known, now or since before.
    Known(Box<OrderRow>),
    /// Its number or its intent belongs to another order.
    Taken,
}

/// A wish that is not heard by then is not heard at all: nobody waits for the answer any more.
pub(crate) const WISH_MS: i64 = 10_000;

/// A phone that asks to pay.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewRequest {
    pub(crate) sale: SaleId,
    pub(crate) version: u64,
    pub(crate) terminal: TerminalId,
    pub(crate) desk: DeskId,
    pub(crate) phone: String,
    pub(crate) provider: ProviderName,
    pub(crate) opens: PhoneBrowser,
    pub(crate) notice: NoticeBody,
    pub(crate) now_ms: i64,
}

/// A wish that its phone has given up.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct GivenUp {
    pub(crate) sale: SaleId,
    pub(crate) version: u64,
    pub(crate) phone: String,
    /// When it asked last.
    pub(crate) asked_ms: i64,
}

/// What became of a phone's wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Requested {
    /// The till is asked.
    Asked,
    /// This phone asked before.
    Again,
    /// Another phone did.
    OtherPhone,
    /// Nobody waits for what was asked before: the till is asked anew.
    Anew,
}

/// A guarded step of an order, with everything that becomes true with it.
#[derive(Clone, Debug)]
pub(crate) struct Advance {
    pub(crate) intent: IntentId,
    pub(crate) from: &'static [OrderState],
    pub(crate) to: OrderState,
    pub(crate) words: Option<String>,
    pub(crate) qr_text: Option<String>,
    pub(crate) settled: Option<(Settled, String)>,
    pub(crate) asked_by_till: Option<()>,
    /// A manager says so, who knows what became of a refund that the wallet refused. By itself nobody does: the till may
    /// have given that in cash.
    pub(crate) despite_refused: Option<()>,
    pub(crate) phone: Option<(String, PhoneBrowser)>,
    /// The wallet that the phone chose.
    pub(crate) provider: Option<ProviderName>,
    pub(crate) started_ms: Option<i64>,
    pub(crate) due_ms: Option<i64>,
    pub(crate) notice: Option<NoticeBody>,
    pub(crate) task: Option<NewTask>,
    pub(crate) now_ms: i64,
}

impl Advance {
    pub(crate) fn new(intent: IntentId, from: &'static [OrderState], to: OrderState, now_ms: i64) -> Self {
        Self {
            intent,
            from,
            to,
            words: None,
            qr_text: None,
            settled: None,
            asked_by_till: None,
            despite_refused: None,
            phone: None,
            provider: None,
            started_ms: None,
            due_ms: None,
            notice: None,
            task: None,
            now_ms,
        }
    }
}

/// Money that a till wants back to a payer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewRefund {
    pub(crate) refund: RefundId,
    pub(crate) intent: IntentId,
    pub(crate) terminal: TerminalId,
    pub(crate) amount: Money,
    pub(crate) why: String,
    pub(crate) now_ms: i64,
}

/// Where a refund stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RefundState {
    Pending,
    Refunded,
    Refused,
}

impl RefundState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Refunded => "refunded",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Refunded, Self::Refused].into_iter().find(|state| state.word() == word)
    }
}

/// A refund.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RefundRow {
    pub(crate) intent: IntentId,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
    pub(crate) words: String,
}

/// A refund that is to be asked for again under its number.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PendingRefund {
    pub(crate) refund: RefundId,
    pub(crate) amount: Money,
    pub(crate) why: String,
}

/// The code of the task of late money that the wallet refuses to give back; its subject is the intent.
pub(crate) const LATE_REFUSED: &str = "late_refund_refused";

/// Whether a refund may be sent to the wallet.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Reserved {
    /// It is on record, now or since before, and the sum of refunds is within the payment.
    Known(RefundRow),
    /// It came after the order was over and goes back, or went, without the till; refused where the wallet did and a manager
    /// has dealt with it.
    GoesBack(RefundState),
    /// No paid order of this till has that intent.
    NoSuchPayment,
    /// More than was paid.
    TooMuch { left: Money },
}

pub(crate) trait Orders {
    /// A phone asks to pay a version of a bill; the till is told in the same transaction.
    fn request_payment(&self, request: NewRequest) -> Reply<'_, Requested>;
    /// Tells a till of what a phone offers; false when it is told so already.
    fn offer(&self, terminal: TerminalId, offered: NoticeBody, now_ms: i64) -> Reply<'_, bool>;
    /// The phone that asked then waits for the till's answer no more; false when it was answered, or somebody has asked since.
    fn give_up_request(&self, given_up: GivenUp) -> Reply<'_, bool>;
    /// Registers an order. Where a phone waits for it, it is claimed for that phone at once.
    fn register_order(&self, order: NewOrder) -> Reply<'_, Registered>;
    fn order(&self, intent: IntentId) -> Reply<'_, Option<OrderRow>>;
    fn order_by_text(&self, text: String) -> Reply<'_, Option<OrderRow>>;
    /// The latest order of a sale.
    fn order_of_sale(&self, sale: SaleId) -> Reply<'_, Option<OrderRow>>;
    /// Orders that somebody should look at by now.
    fn orders_due(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<OrderRow>>;
    /// Puts the next look at an order off; false when it is not in that state any more.
    fn put_off(&self, intent: IntentId, state: OrderState, due_ms: Option<i64>) -> Reply<'_, bool>;
    /// Takes a step; false when the order was not in a state for it.
    fn advance(&self, step: Advance) -> Reply<'_, bool>;
    fn reserve_refund(&self, refund: NewRefund) -> Reply<'_, Reserved>;
    /// Refunds of an order of which nobody knows yet whether the wallet made them.
    fn pending_refunds(&self, intent: IntentId) -> Reply<'_, Vec<PendingRefund>>;
    /// Whether a manager has dealt with late money that the wallet refuses to give back.
    fn late_is_dealt_with(&self, intent: IntentId) -> Reply<'_, bool>;
    fn end_refund(&self, refund: RefundId, state: RefundState, words: String, now_ms: i64) -> Reply<'_, ()>;
}
