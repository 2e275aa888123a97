//! What a record says: one variant for each kind.
//!
//! The bytes are JSON with the kind as a tag, equal to the kind in the header. Adding a field with a
//! default keeps the kind's version; anything else raises it. Kinds are never taken away.

use crate::money::Money;
use crate::offer::Discount;
use crate::record::chain::Hash;
use crate::record::epochs::{Found, Standing};
use crate::record::giving_back::{CashBack, Finding, LineShare, Original, RefundEnd, ReturnWhy, TenderShare};
use crate::record::header::Epoch;
use crate::record::ids::{DeskId, IntentId, JobId, KickId, RefundId, SaleId, StaffId};
use crate::record::lease::{Lease, LeaseEnd};
use crate::record::line::{Line, LineId, Quantity};
use crate::record::moment::{Deadline, Doubt};
use crate::record::queue_act::{QueueAct, Subject};
use crate::staff::{PinHash, Role};
use crate::tax::{TaxAmount, Taxed};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::record::money_moves::{
    Advice, Carrier, CouponTaken, Heard, ProviderName, Settled, Verdict, VoucherHeld,
};

/// The stream that an epoch follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parent {
    /// Epoch before.
    pub epoch: Epoch,
    /// Its last known number.
    pub seq: u64,
    /// And that record's hash.
    pub head: Hash,
}

/// How the daemon ended before this start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shutdown {
    /// It said `stopped`.
    Clean,
    /// It did not: power, kill or crash.
    Unclean,
}

/// What sort of business a sale is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleKind {
    /// Goods out, money in.
    Sale,
    /// Goods back, money out, against a sale.
    Refund,
    /// Money out without the sale at hand.
    RefundWithoutOriginal,
    /// Only the drawer.
    NoSale,
    /// Money put into the drawer.
    PaidIn,
    /// Money taken from it.
    PaidOut,
}

/// Where a sale stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In front of its station.
    Front,
    /// Put aside by the cashier.
    Held,
    /// On a desk, where a phone can open it.
    Desk(DeskId),
}

/// One line's part of the fixed total.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineTotal {
    /// Which line.
    pub line: LineId,
    /// Quantity times price.
    pub gross: Money,
    /// What offers took off.
    pub discount: Money,
    /// Its tax.
    pub taxed: Taxed,
}

/// How one job on paper ended. Exactly one of these for each job that started.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperOutcome {
    /// The printer says that it is on paper.
    Confirmed,
    /// Sent, and nobody knows.
    Unconfirmed,
    /// Not one byte was sent.
    FailedBefore,
    /// It stopped part-way.
    FailedPartWay,
}

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// The receipt.
    Receipt,
    /// The same again, marked COPY with its count.
    Copy(u32),
    /// The code that a phone scans to pay, on paper. Since version 2 of the kind.
    ShownCode(IntentId),
}

/// How large paper is printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeSize {
    /// As the printer is set.
    #[default]
    Normal,
    /// For tired eyes: goods and amounts in double size, each on lines of their own; nothing is left out.
    Large,
}

impl TypeSize {
    fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// Why the drawer opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KickReason {
    /// Cash was taken.
    Cash,
    /// Without a sale.
    NoSale,
}

/// How a member was recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberSource {
    /// The rotating code on the phone, read by the till: identifies, verified later.
    Code,
    /// The phone opened the desk page as this member.
    Desk,
}

/// What a record says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)] // each field is named by the type it has; the kinds are described below
pub enum Body {
    /// The first record of an epoch.
    Genesis {
        parent: Option<Parent>,
        currency: crate::money::Currency,
        time_zone: String,
        day_cut_minutes: u16,
        version: String,
        #[serde(default, skip_serializing_if = "Standing::is_regular")]
        standing: Standing,
        /// What is known of the books before, where they were set aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<Found>,
    },
    /// A manager has looked at how this epoch began: from here on it is like any other.
    EpochAdopted { words: String },
    /// The daemon started.
    Booted { version: String, shutdown: Shutdown },
    /// The daemon stopped in order.
    Stopped {},
    /// A bundle came into force.
    BundleAdopted { version: u64, hash: Hash },

    /// A person was added.
    StaffAdded { staff: StaffId, name: String, role: Role, pin: PinHash },
    /// A person took over the station in the header.
    SignedIn {},
    /// And left it.
    SignedOut {},
    /// A shift began with this float in the drawer.
    ShiftOpened { shift: u32, float: Money },
    /// A shift ended: counted and expected cash.
    ShiftClosed {
        shift: u32,
        counted: Money,
        expected: Money,
        /// Sales that were open then, and payments and refunds that were not settled: they are carried over.
        #[serde(default, skip_serializing_if = "is_none")]
        carried: u32,
    },

    /// A sale began.
    SaleOpened { sale_kind: SaleKind, place: Place },
    /// It was put elsewhere.
    SaleMoved { place: Place },
    /// A line was added.
    LineAdded { line: Line },
    /// A line's quantity changed.
    LineQuantity { line: LineId, quantity: Quantity },
    /// A line was voided.
    LineVoided { line: LineId, reason: Option<String> },
    /// A price was changed by hand.
    PriceOverridden { line: LineId, price: Money, reason: String },
    /// A coupon was attached.
    CouponTaken { coupon: CouponTaken },
    /// And taken off again.
    CouponReturned { serial: String },
    /// A member was recognised: a check-in.
    MemberRecognised { member: String, source: MemberSource, code_proof: Option<String> },
    /// Lines, offers and tax were fixed: the sale can be paid.
    TotalFixed {
        lines: Vec<LineTotal>,
        discounts: Vec<Discount>,
        taxes: Vec<TaxAmount>,
        total: Money,
        bundle_version: u64,
        bundle_hash: Hash,
        engine: u16,
    },
    /// The basket was opened again.
    TotalReleased {},
    /// The whole sale was given up before payment.
    SaleVoided { reason: String },

    /// An attempt to move money, before anyone hears of it.
    IntentDrawn {
        intent: IntentId,
        provider: ProviderName,
        amount: Money,
        carrier: Carrier,
        settle_by: Deadline,
    },
    /// The provider has it approved: the money is the shop's.
    Approved { intent: IntentId, settled: Settled },
    /// The provider says no.
    Declined {
        intent: IntentId,
        code: String,
        words: String,
        advice: Advice,
        /// What there is, where it was too little.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Money>,
    },
    /// From here on a phone can scan this: the address of an order, or a wallet's own text.
    CodeShown {
        intent: IntentId,
        text: String,
        #[serde(default, skip_serializing_if = "Heard::is_by_the_cloud")]
        heard: Heard,
    },
    /// Eight digits were typed that are not the proof of this order.
    ProofMistyped { intent: IntentId },
    /// The provider waits for the customer.
    Pending { intent: IntentId },
    /// Nobody knows.
    Unsure { intent: IntentId, why: String },
    /// It is being taken back.
    Cancelling { intent: IntentId, why: String },
    /// It was taken back: no money moved, or it moved back.
    Cancelled { intent: IntentId, action: String },
    /// Whether it was taken back is not known; it is asked again.
    CancelUnsure { intent: IntentId, why: String },
    /// A last look found nothing late: the end of an intent that was taken back.
    Tombstoned { intent: IntentId },
    /// The till gave up an order that a phone could have paid.
    Abandoned { intent: IntentId, why: String },
    /// Money arrived after it was given up.
    PaidLate { intent: IntentId, settled: Settled },
    /// Money is going back, before anyone hears of it.
    RefundDrawn { refund: RefundId, intent: IntentId, amount: Money, why: String },
    /// It went back.
    Refunded { refund: RefundId },
    /// The provider refuses to give it back: a person must.
    RefundRefused { refund: RefundId, words: String },
    /// The wallet has taken the order to give back and is at it.
    RefundPending { refund: RefundId, words: String },
    /// A refund that was refused is tried again, under its number.
    RefundRetried { refund: RefundId },
    /// A person ended a refund that the wallet refuses.
    RefundSettled { refund: RefundId, end: RefundEnd, words: String },
    /// A person found out about a payment of which the wallet said nothing.
    PaymentResolved { intent: IntentId, finding: Finding, words: String },
    /// The next tender takes this much of what is due; none takes all of it.
    PartChosen { amount: Option<Money> },
    /// Cash was taken and change given.
    CashTaken { received: Money, change: Money },
    /// Cash was given back.
    CashReturned { amount: Money, why: CashBack },
    /// This sale is a return: of what, why, and how the money goes back.
    ReturnOpened { of: Option<Original>, why: ReturnWhy, words: String, shares: Vec<TenderShare> },
    /// A return of this sale was begun: what of it goes back.
    ReturnDrawn { by: SaleId, lines: Vec<LineShare>, shares: Vec<TenderShare>, total: Money },
    /// A manager has seen that the sale holds what this build cannot read.
    FrozenAcknowledged { words: String },
    /// A person has seen how a sale that was not in front ended.
    NoteSeen {},

    /// A value voucher pays a part of this sale, or all of it; how much is in the header.
    VoucherTaken { voucher: VoucherHeld },
    /// It was spent with the receipt; its serial and what it paid are in the header.
    VoucherRedeemed { value: Money, token: String },
    /// A coupon was spent with the receipt; its serial is in the header.
    CouponRedeemed { campaign: u32, discount: Money, token: String },
    /// The sale is paid; its number is in the header.
    ReceiptIssued { total: Money },

    /// The customer of this sale wants its paper so large.
    TypeSizeChosen { size: TypeSize },
    /// Paper is wanted.
    PrintOrdered {
        job: JobId,
        paper: Paper,
        #[serde(default, skip_serializing_if = "TypeSize::is_normal")]
        size: TypeSize,
    },
    /// The first byte may have left.
    PrintStarted { job: JobId },
    /// How it ended.
    PrintEnded { job: JobId, outcome: PaperOutcome, words: String },
    /// A person looked at the paper and is satisfied, or gave it up.
    PrintSettled { job: JobId, words: String },
    /// The drawer is to open.
    DrawerOrdered { kick: KickId, reason: KickReason, words: Option<String> },
    /// The pulse may have left.
    DrawerKicked { kick: KickId },
    /// How it ended.
    DrawerEnded { kick: KickId, outcome: PaperOutcome, words: String },

    /// A part of a campaign's quota came into this till's hands.
    LeaseReceived { lease: Lease },
    /// The sale in the header took one use of it.
    LeaseUsed { campaign: u32, lease: u64 },
    /// So many uses of it are the cloud's again: the till makes none of them any more.
    LeaseReturned { campaign: u32, lease: u64, uses: u32, why: LeaseEnd },

    /// The clock is not believed from here on: what has an expiry date is not taken.
    ClockDistrusted { why: Doubt },
    /// It is believed again.
    ClockTrusted {},

    /// What came back from outside; asks for no verdict of its own.
    Noted { verdict: Verdict },
    /// A member asked to be forgotten. Once the cloud has this record, nothing here says any more who it was.
    MemberForgotten { member: String },
    /// A manager did something about a record on its way to head office; the words say why.
    QueueActed { subject: Option<Subject>, act: QueueAct, words: String },

    /// Records of closed days are not kept here any more: all before `through`, which is of `last_day`. Head office has
    /// ruled on each of them; what they came to is brought forward, and `state` is the SHA-256 of that.
    Pruned { through: Parent, last_day: Date, state: Hash },

    /// A body that this build cannot read; its sale freezes.
    #[serde(skip)]
    Unreadable { kind_name: String },
    /// A body that was erased because a member asked to be forgotten: what it did is taken from the header.
    #[serde(skip)]
    Erased { kind_name: String },
}

impl Body {
    /// The kind's name, as in the header and in the bytes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Genesis { .. } => "genesis",
            Self::EpochAdopted { .. } => "epoch_adopted",
            Self::Booted { .. } => "booted",
            Self::Stopped {} => "stopped",
            Self::BundleAdopted { .. } => "bundle_adopted",
            Self::StaffAdded { .. } => "staff_added",
            Self::SignedIn {} => "signed_in",
            Self::SignedOut {} => "signed_out",
            Self::ShiftOpened { .. } => "shift_opened",
            Self::ShiftClosed { .. } => "shift_closed",
            Self::SaleOpened { .. } => "sale_opened",
            Self::SaleMoved { .. } => "sale_moved",
            Self::LineAdded { .. } => "line_added",
            Self::LineQuantity { .. } => "line_quantity",
            Self::LineVoided { .. } => "line_voided",
            Self::PriceOverridden { .. } => "price_overridden",
            Self::CouponTaken { .. } => "coupon_taken",
            Self::CouponReturned { .. } => "coupon_returned",
            Self::MemberRecognised { .. } => "member_recognised",
            Self::TotalFixed { .. } => "total_fixed",
            Self::TotalReleased {} => "total_released",
            Self::SaleVoided { .. } => "sale_voided",
            Self::IntentDrawn { .. } => "intent_drawn",
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::CodeShown { .. } => "code_shown",
            Self::ProofMistyped { .. } => "proof_mistyped",
            Self::VoucherTaken { .. } => "voucher_taken",
            Self::VoucherRedeemed { .. } => "voucher_redeemed",
            Self::Pending { .. } => "pending",
            Self::Unsure { .. } => "unsure",
            Self::Cancelling { .. } => "cancelling",
            Self::Cancelled { .. } => "cancelled",
            Self::CancelUnsure { .. } => "cancel_unsure",
            Self::Tombstoned { .. } => "tombstoned",
            Self::Abandoned { .. } => "abandoned",
            Self::PaidLate { .. } => "paid_late",
            Self::RefundDrawn { .. } => "refund_drawn",
            Self::Refunded { .. } => "refunded",
            Self::RefundRefused { .. } => "refund_refused",
            Self::RefundPending { .. } => "refund_pending",
            Self::RefundRetried { .. } => "refund_retried",
            Self::RefundSettled { .. } => "refund_settled",
            Self::PaymentResolved { .. } => "payment_resolved",
            Self::PartChosen { .. } => "part_chosen",
            Self::CashTaken { .. } => "cash_taken",
            Self::CashReturned { .. } => "cash_returned",
            Self::ReturnOpened { .. } => "return_opened",
            Self::ReturnDrawn { .. } => "return_drawn",
            Self::FrozenAcknowledged { .. } => "frozen_acknowledged",
            Self::NoteSeen {} => "note_seen",
            Self::CouponRedeemed { .. } => "coupon_redeemed",
            Self::ReceiptIssued { .. } => "receipt_issued",
            Self::TypeSizeChosen { .. } => "type_size_chosen",
            Self::PrintOrdered { .. } => "print_ordered",
            Self::PrintStarted { .. } => "print_started",
            Self::PrintEnded { .. } => "print_ended",
            Self::PrintSettled { .. } => "print_settled",
            Self::DrawerOrdered { .. } => "drawer_ordered",
            Self::DrawerKicked { .. } => "drawer_kicked",
            Self::DrawerEnded { .. } => "drawer_ended",
            Self::LeaseReceived { .. } => "lease_received",
            Self::LeaseUsed { .. } => "lease_used",
            Self::LeaseReturned { .. } => "lease_returned",
            Self::ClockDistrusted { .. } => "clock_distrusted",
            Self::ClockTrusted {} => "clock_trusted",
            Self::Noted { .. } => "noted",
            Self::MemberForgotten { .. } => "member_forgotten",
            Self::QueueActed { .. } => "queue_acted",
            Self::Pruned { .. } => "pruned",
            Self::Unreadable { .. } => "unreadable",
            Self::Erased { .. } => "erased",
        }
    }

    /// Version of the kind's body that this build writes.
    #[allow(clippy::wildcard_enum_match_arm)] // a version is raised for what an older build cannot read
    pub fn kind_version(&self) -> u16 {
        match self {
            Self::IntentDrawn { carrier: Carrier::WalletCode {}, .. }
            | Self::PrintOrdered { paper: Paper::ShownCode(_), .. }
            | Self::LeaseReturned { why: LeaseEnd::Unused, .. } => 2,
            _ => 1,
        }
    }

    /// Reads a body's bytes; what does not parse, or is not of the named kind, is unreadable.
    pub fn parse(kind: &str, bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(body) if body.kind() == kind => body,
            Ok(_) | Err(_) => Self::Unreadable { kind_name: kind.to_owned() },
        }
    }
}

/// A count of nothing is not written.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_none(count: &u32) -> bool {
    *count == 0
}
