//! What is owed outwards: each duty has a stable id and is kept in flight exactly once.

use crate::money::Money;
use crate::record::Moment;
use crate::record::body::{Paper, TypeSize};
pub use crate::record::giving_back::CapturedBy;
use crate::record::ids::{IntentId, JobId, KickId, RefundId, SaleId, StationId};
use crate::record::moment::Deadline;
use crate::record::money_moves::{OrderTerms, ProviderName};

/// Something that an edge is to bring about and report on.
#[derive(Clone, PartialEq, Debug)]
pub enum Duty {
    /// Send a payment once: with the pay code that was scanned for it, or to have a code made that is shown.
    Submit(PayDuty),
    /// Ask what became of a payment until it is known.
    Ask(PayDuty),
    /// Take a payment back until that is known.
    Cancel(PayDuty),
    /// Look once more, later, whether money arrived after it was taken back.
    Watch(PayDuty),
    /// Give money back.
    Refund(RefundDuty),
    /// Bring an order to the cloud and report what becomes of it.
    Offer(OrderDuty),
    /// Tell the cloud that an order is given up and report whether it was paid first.
    Withdraw(OrderDuty),
    /// Print.
    Print(PrintDuty),
    /// Open the drawer.
    Kick(KickDuty),
}

/// A duty's stable identity: the same over restarts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DutyId {
    /// [`Duty::Submit`]
    Submit(IntentId),
    /// [`Duty::Ask`]
    Ask(IntentId),
    /// [`Duty::Cancel`]
    Cancel(IntentId),
    /// [`Duty::Watch`]
    Watch(IntentId),
    /// [`Duty::Refund`]
    Refund(RefundId),
    /// [`Duty::Offer`]
    Offer(IntentId),
    /// [`Duty::Withdraw`]
    Withdraw(IntentId),
    /// [`Duty::Print`]
    Print(JobId),
    /// [`Duty::Kick`]
    Kick(KickId),
}

/// Who scans whose code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayBy {
    /// The till has scanned what the customer's phone showed.
    CustomersCode,
    /// The wallet makes a code, the till shows it, and the customer scans.
    ShownCode,
}

/// What a provider needs to know of an intent.
#[derive(Clone, PartialEq, Debug)]
pub struct PayDuty {
    /// Which intent: the wallet's order number.
    pub intent: IntentId,
    /// At which wallet.
    pub provider: ProviderName,
    /// How much.
    pub amount: Money,
    /// Who scans whose code.
    pub by: PayBy,
    /// Where, for the wallet's records.
    pub station: StationId,
    /// When it was drawn.
    pub drawn: Moment,
    /// When it is given up.
    pub settle_by: Deadline,
}

/// What a provider needs to know of a refund.
#[derive(Clone, PartialEq, Debug)]
pub struct RefundDuty {
    /// Which refund: the wallet's refund number.
    pub refund: RefundId,
    /// Of which intent.
    pub intent: IntentId,
    /// At which wallet.
    pub provider: ProviderName,
    /// How much.
    pub amount: Money,
    /// Why, for the wallet's records.
    pub why: String,
    /// What was paid in all, where all of it goes back because it should not have come.
    pub late: Option<Money>,
    /// Whether the till or the cloud made the capture, and so gives it back.
    pub captured_by: CapturedBy,
}

/// What the cloud needs to know of an order.
#[derive(Clone, PartialEq, Debug)]
pub struct OrderDuty {
    /// Which intent.
    pub intent: IntentId,
    /// Of which sale.
    pub sale: SaleId,
    /// How much.
    pub amount: Money,
    /// The wallet that it is for.
    pub provider: ProviderName,
    /// Its terms.
    pub terms: OrderTerms,
}

/// One piece of paper.
#[derive(Clone, PartialEq, Debug)]
pub struct PrintDuty {
    /// Which job.
    pub job: JobId,
    /// Of which sale.
    pub sale: SaleId,
    /// On whose printer.
    pub station: StationId,
    /// What.
    pub paper: Paper,
    /// How large.
    pub size: TypeSize,
}

/// One opening of the drawer.
#[derive(Clone, PartialEq, Debug)]
pub struct KickDuty {
    /// Which.
    pub kick: KickId,
    /// At whose drawer.
    pub station: StationId,
}

impl Duty {
    /// The duty's stable identity.
    pub fn id(&self) -> DutyId {
        match self {
            Self::Submit(duty) => DutyId::Submit(duty.intent),
            Self::Ask(duty) => DutyId::Ask(duty.intent),
            Self::Cancel(duty) => DutyId::Cancel(duty.intent),
            Self::Watch(duty) => DutyId::Watch(duty.intent),
            Self::Refund(duty) => DutyId::Refund(duty.refund),
            Self::Offer(duty) => DutyId::Offer(duty.intent),
            Self::Withdraw(duty) => DutyId::Withdraw(duty.intent),
            Self::Print(duty) => DutyId::Print(duty.job),
            Self::Kick(duty) => DutyId::Kick(duty.kick),
        }
    }
}
