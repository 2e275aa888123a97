//! A sale: one basket from first scan to receipt, as a fold over its records.
//!
//! The till and the cloud fold the same records with the same code: the bill on a phone is the sale that
//! the cashier sees. Not here: deciding (`counter`), and laying out paper (`paper`).

pub mod back;
pub mod intent;
pub mod quote;
mod show;

use crate::money::{Money, MoneyError};
use crate::record::body::{Body, LineTotal, Paper, Place, SaleKind, TypeSize};
use crate::record::giving_back::ReturnWhy;
use crate::record::ids::{DeskId, IntentId, RefundId, SaleId, StaffId, StationId};
use crate::record::line::{Line, LineId, PriceFrom};
use crate::record::money_moves::{CouponTaken, VoucherHeld};
use crate::record::{Mode, Moment, Record};
use crate::tax::TaxAmount;
use crate::view::{LineState, Phase};
pub use back::Back;
pub use intent::{GivenUp, Intent, IntentState};
use serde::{Deserialize, Serialize};

/// Lines of one sale, voided ones too: more is another customer's basket.
pub const LINES_MAX: usize = 500;

/// One basket.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sale {
    /// Which.
    pub id: SaleId,
    /// What sort of business.
    pub kind: SaleKind,
    /// Whose.
    pub station: StationId,
    /// Where it stands.
    pub place: Place,
    /// When it began.
    pub opened: Moment,
    /// Business or practice.
    pub mode: Mode,
    /// How many records it has.
    pub version: u64,
    /// Who touched it last before its receipt: the cashier on paper.
    pub staff: Option<StaffId>,
    /// Its lines.
    pub lines: Vec<(Line, LineState)>,
    /// Its coupons.
    pub coupons: Vec<CouponTaken>,
    /// The member.
    pub member: Option<String>,
    /// The one-time number by which the till recognised the member, and when.
    pub member_proof: Option<MemberProof>,
    /// The total, once fixed.
    pub fixed: Option<Fixed>,
    /// What the next tender takes of what is due, where it is not all.
    pub part: Option<Money>,
    /// Attempts to move money.
    pub intents: Vec<Intent>,
    /// Cash taken.
    pub cash: Vec<Cash>,
    /// Vouchers that pay a part of it.
    pub vouchers: Vec<VoucherHeld>,
    /// Money that goes back.
    pub refunds: Vec<Refund>,
    /// What it is a return of, and what was returned of it.
    pub back: Back,
    /// Its receipt.
    pub receipt: Option<Issued>,
    /// Copies ordered so far.
    pub copies: u32,
    /// How large its customer wants the paper.
    #[serde(default)]
    pub size: TypeSize,
    /// Why it was given up.
    pub void: Option<String>,
    /// It holds a record that this build cannot read.
    pub frozen: bool,
    /// What a manager said about it.
    pub acknowledged: Option<String>,
}

/// What a member's code said besides who it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MemberProof {
    /// The eight digits.
    pub digits: String,
    /// When they were read.
    pub at: Moment,
}

/// A fixed total.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fixed {
    /// By line.
    pub lines: Vec<LineTotal>,
    /// What came off.
    pub discounts: Vec<crate::offer::Discount>,
    /// Tax by rate.
    pub taxes: Vec<TaxAmount>,
    /// What is to pay.
    pub total: Money,
}

/// Cash taken.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cash {
    /// What the customer handed over.
    pub received: Money,
    /// What went back.
    pub change: Money,
}

/// Money that goes back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// Which.
    pub id: RefundId,
    /// Of which intent.
    pub intent: IntentId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub why: String,
    /// Where it stands.
    pub state: RefundState,
}

/// Where a refund stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Owed.
    Drawn,
    /// The wallet has taken it on; it is asked until the money is back.
    Pending,
    /// It went back.
    Done,
    /// Refused: a person must.
    Refused(String),
    /// A person ended it.
    Settled(String),
}

impl RefundState {
    /// Whether nobody has to do anything about it any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Done | Self::Settled(_) => true,
            Self::Drawn | Self::Pending | Self::Refused(_) => false,
        }
    }

    /// Whether the customer can be told that the money is on its way.
    pub fn is_promised(&self) -> bool {
        match self {
            Self::Pending | Self::Done | Self::Settled(_) => true,
            Self::Drawn | Self::Refused(_) => false,
        }
    }
}

/// A receipt number given to a sale.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Issued {
    /// Number in the series.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// In which series.
    pub epoch: crate::record::Epoch,
}

impl Sale {
    /// Folds the records of one sale, oldest first. None when they do not begin a sale.
    pub fn fold<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<Self> {
        let mut records = records.into_iter();
        let mut sale = Self::begin(records.next()?)?;
        for record in records {
            sale.apply(record);
        }
        Some(sale)
    }

    /// The sale that a record begins: an opening, or an unreadable first record, which freezes it.
    #[allow(clippy::wildcard_enum_match_arm)] // no other kind begins a sale
    pub fn begin(record: &Record) -> Option<Self> {
        let id = record.header.sale?;
        let (kind, place, frozen) = match &record.body {
            Body::SaleOpened { sale_kind, place } => (*sale_kind, place.clone(), false),
            Body::Unreadable { .. } => (SaleKind::Sale, Place::Held, true),
            _ => return None,
        };
        Some(Self {
            id,
            kind,
            station: record.header.station.clone()?,
            place,
            opened: record.header.moment,
            mode: record.header.mode,
            version: 1,
            staff: record.header.staff.clone(),
            lines: vec![],
            coupons: vec![],
            member: None,
            member_proof: None,
            fixed: None,
            part: None,
            intents: vec![],
            cash: vec![],
            vouchers: vec![],
            refunds: vec![],
            back: Back::default(),
            receipt: None,
            copies: 0,
            size: TypeSize::Normal,
            void: None,
            frozen,
            acknowledged: None,
        })
    }

    /// Moves on by one record. Cannot fail: what was recorded is so.
    pub fn apply(&mut self, record: &Record) {
        self.version += 1;
        if let Some(staff) = &record.header.staff
            && self.receipt.is_none()
        {
            self.staff = Some(staff.clone());
        }
        match &record.body {
            Body::SaleMoved { place } => {
                self.place = place.clone();
                if let (Place::Front, Some(station)) = (place, &record.header.station) {
                    self.station = station.clone();
                }
            }
            Body::LineAdded { line } => self.lines.push((line.clone(), LineState::Sold)),
            Body::LineQuantity { line, quantity } => {
                if let Some((line, _)) = self.line_mut(*line) {
                    line.quantity = *quantity;
                }
            }
            Body::LineVoided { line, .. } => {
                if let Some((_, state)) = self.line_mut(*line) {
                    *state = LineState::Void;
                }
            }
            Body::PriceOverridden { line, price, reason } => {
                if let Some((line, _)) = self.line_mut(*line) {
                    line.price = *price;
                    line.price_from = PriceFrom::Override;
                    line.override_reason = Some(reason.clone());
                }
            }
            Body::CouponTaken { coupon } => self.coupons.push(coupon.clone()),
            Body::CouponReturned { serial } => self.coupons.retain(|coupon| coupon.serial != *serial),
            Body::MemberRecognised { member, code_proof, .. } => {
                self.member = Some(member.clone());
                let at = record.header.moment;
                self.member_proof = code_proof.clone().map(|digits| MemberProof { digits, at });
            }
            Body::TotalFixed { lines, discounts, taxes, total, .. } => {
                let (lines, discounts, taxes) = (lines.clone(), discounts.clone(), taxes.clone());
                self.fixed = Some(Fixed { lines, discounts, taxes, total: *total });
            }
            Body::TotalReleased {} => (self.fixed, self.part) = (None, None),
            Body::PartChosen { amount } => self.part = *amount,
            Body::SaleVoided { reason } => self.void = Some(reason.clone()),
            Body::CashTaken { received, change } => {
                self.cash.push(Cash { received: *received, change: *change });
                self.part = None;
            }
            Body::VoucherTaken { voucher } => {
                self.vouchers.push(voucher.clone());
                self.part = None;
            }
            Body::CashReturned { .. } | Body::ReturnOpened { .. } | Body::ReturnDrawn { .. } => {
                self.back.apply(record);
            }
            Body::FrozenAcknowledged { words } => self.acknowledged = Some(words.clone()),
            Body::RefundDrawn { refund, intent, amount, why } => self.refunds.push(Refund {
                id: *refund,
                intent: *intent,
                amount: *amount,
                why: why.clone(),
                state: RefundState::Drawn,
            }),
            Body::Refunded { refund } => self.set_refund(*refund, RefundState::Done),
            Body::RefundRefused { refund, words } => {
                self.set_refund(*refund, RefundState::Refused(words.clone()));
            }
            Body::RefundPending { refund, .. } => self.set_refund(*refund, RefundState::Pending),
            Body::RefundRetried { refund } => self.set_refund(*refund, RefundState::Drawn),
            Body::RefundSettled { refund, words, .. } => {
                self.set_refund(*refund, RefundState::Settled(words.clone()));
            }
            Body::ReceiptIssued { .. } => {
                let number = record.header.receipt.unwrap_or(0);
                self.receipt = Some(Issued { number, at: record.header.moment, epoch: record.header.epoch });
            }
            Body::PrintOrdered { paper: Paper::Copy(_), .. } => self.copies += 1,
            Body::TypeSizeChosen { size } => self.size = *size,
            Body::Unreadable { .. } => self.frozen = true,
            Body::Genesis { .. }
            | Body::EpochAdopted { .. }
            | Body::Booted { .. }
            | Body::Stopped {}
            | Body::BundleAdopted { .. }
            | Body::StaffAdded { .. }
            | Body::SignedIn {}
            | Body::SignedOut {}
            | Body::ShiftOpened { .. }
            | Body::ShiftClosed { .. }
            | Body::SaleOpened { .. }
            | Body::CouponRedeemed { .. }
            | Body::VoucherRedeemed { .. }
            | Body::PrintOrdered { .. }
            | Body::PrintStarted { .. }
            | Body::PrintEnded { .. }
            | Body::PrintSettled { .. }
            | Body::DrawerOrdered { .. }
            | Body::DrawerKicked { .. }
            | Body::DrawerEnded { .. }
            | Body::NoteSeen {}
            | Body::LeaseReceived { .. }
            | Body::LeaseUsed { .. }
            | Body::LeaseReturned { .. }
            | Body::ClockDistrusted { .. }
            | Body::ClockTrusted {}
            | Body::Pruned { .. }
            | Body::Noted { .. }
            | Body::MemberForgotten { .. }
            | Body::QueueActed { .. } => {}
            Body::Approved { .. } => {
                intent::apply(&mut self.intents, record);
                self.part = None;
            }
            Body::IntentDrawn { .. }
            | Body::Declined { .. }
            | Body::CodeShown { .. }
            | Body::ProofMistyped { .. }
            | Body::Pending { .. }
            | Body::Unsure { .. }
            | Body::Cancelling { .. }
            | Body::Cancelled { .. }
            | Body::CancelUnsure { .. }
            | Body::Tombstoned { .. }
            | Body::Abandoned { .. }
            | Body::PaymentResolved { .. }
            | Body::PaidLate { .. } => intent::apply(&mut self.intents, record),
            // What was erased named the customer; what it did to the money stands in the header.
            Body::Erased { kind_name } => {
                intent::apply(&mut self.intents, record);
                if kind_name == "approved" {
                    self.part = None;
                }
            }
        }
    }

    fn line_mut(&mut self, id: LineId) -> Option<&mut (Line, LineState)> {
        self.lines.iter_mut().find(|(line, _)| line.id == id)
    }

    fn set_refund(&mut self, id: RefundId, state: RefundState) {
        if let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) {
            refund.state = state;
        }
    }

    /// Lines that count.
    pub fn sold(&self) -> Vec<&Line> {
        self.lines.iter().filter(|(_, state)| *state == LineState::Sold).map(|(line, _)| line).collect()
    }

    /// A line that counts.
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines
            .iter()
            .find(|(line, state)| line.id == id && *state == LineState::Sold)
            .map(|(line, _)| line)
    }

    /// The intent with this id.
    pub fn intent(&self, id: IntentId) -> Option<&Intent> {
        self.intents.iter().find(|intent| intent.id == id)
    }

    /// An intent whose money may still move: while there is one, no other tender is taken.
    pub fn open_intent(&self) -> Option<&Intent> {
        self.intents.iter().find(|intent| intent.state.may_still_pay())
    }

    /// What is paid: approved intents, vouchers, and cash less change.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn paid(&self, currency: crate::money::Currency) -> Result<Money, MoneyError> {
        let approved = self
            .intents
            .iter()
            .filter(|intent| intent.state == IntentState::Approved)
            .map(|intent| intent.amount);
        let cash = self.cash.iter().map(|cash| cash.received.minus(cash.change));
        let cash = cash.collect::<Result<Vec<_>, _>>()?;
        let vouchers = self.vouchers.iter().map(|voucher| voucher.amount);
        Money::sum(approved.chain(vouchers).chain(cash), currency)
    }

    /// What is still to pay of a fixed total.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn due(&self, fixed: &Fixed) -> Result<Money, MoneyError> {
        fixed.total.minus(self.paid(fixed.total.currency)?)
    }

    /// Whether a part of it is paid and kept.
    pub fn is_paid_in_part(&self) -> bool {
        let approved = self.intents.iter().any(|intent| intent.state == IntentState::Approved);
        self.receipt.is_none()
            && self.void.is_none()
            && (approved || !self.cash.is_empty() || !self.vouchers.is_empty())
    }

    /// Where it is on its way.
    pub fn phase(&self) -> Phase {
        if self.frozen {
            Phase::Frozen
        } else if self.receipt.is_some() {
            Phase::Paid
        } else if self.void.is_some() {
            Phase::Void
        } else if self.open_intent().is_some() {
            Phase::Paying
        } else if self.fixed.is_some() {
            Phase::Tender
        } else {
            Phase::Basket
        }
    }

    /// Whether nothing is owed on it: it may leave memory.
    pub fn is_done(&self) -> bool {
        let seen = !self.frozen || self.acknowledged.is_some();
        // Money that came late is given back and nothing more: there is no receipt to wait for.
        let late = self.back.opened.as_ref().is_some_and(|back| back.why == ReturnWhy::Late);
        let over = self.receipt.is_some() || self.void.is_some() || self.acknowledged.is_some();
        (over || (late && !self.refunds.is_empty()))
            && seen
            && self.intents.iter().all(|intent| intent.state.is_final() && self.has_gone_back(intent))
            && self.refunds.iter().all(|refund| refund.state.is_final())
    }

    /// Late money is on its way back from the record after the one that says so: between the two the
    /// sale must not leave memory, or nobody would owe the refund.
    fn has_gone_back(&self, intent: &Intent) -> bool {
        intent.state != IntentState::PaidLate || self.refunds.iter().any(|refund| refund.intent == intent.id)
    }

    /// The desk it stands on.
    pub fn desk(&self) -> Option<&DeskId> {
        match &self.place {
            Place::Desk(desk) => Some(desk),
            Place::Front | Place::Held => None,
        }
    }

    /// The number of its next line.
    pub fn next_line(&self) -> LineId {
        LineId(u32::try_from(self.lines.len()).unwrap_or(u32::MAX).saturating_add(1))
    }
}
