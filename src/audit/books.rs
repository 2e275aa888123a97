//! What the journal says about money, receipts, coupons, visits and paper: the auditor's own fold.
//!
//! It keeps what later joins ask for and nothing of lines and screens, so that memory is bounded by payments
//! and receipts. Practice is folded into its sales, and kept out of everything that is compared with others.

mod attempts;
mod sales;

pub(super) use attempts::{Attempt, Attempts, GoingBack, Standing};
pub(super) use sales::{Coupon, Sales, Visit};

use sales::sums_hold;

use super::report::{Counts, Findings, Place};
use crate::record::body::PaperOutcome;
use crate::record::giving_back::CashBack;
use crate::record::ids::SaleId;
use crate::record::{Body, Header, Mode};

/// Where a record stands and what its header says of it.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub(super) place: Place,
    pub(super) sale: Option<SaleId>,
    pub(super) mode: Mode,
}

/// What the journal says.
#[derive(Default)]
pub(super) struct Books {
    /// Attempts to move money, and money that goes back.
    pub(super) attempts: Attempts,
    /// Sales, receipts, coupons and visits.
    pub(super) sales: Sales,
    papers_ordered: u64,
    papers_confirmed: u64,
}

impl Books {
    /// Takes the next record in: the one place where kinds of records are told apart.
    pub(super) fn take(&mut self, header: &Header, body: Body, findings: &mut Findings) {
        let about = About {
            place: Place { epoch: header.epoch, seq: header.seq },
            sale: header.sale,
            mode: header.mode,
        };
        let (sales, attempts) = (&mut self.sales, &mut self.attempts);
        match body {
            Body::SaleOpened { sale_kind, .. } => sales.open(about, sale_kind),
            Body::SaleVoided { .. } => sales.void(about),
            Body::TotalFixed { lines, discounts, taxes, total, .. } => {
                let discounts = discounts.iter().map(|discount| discount.amount);
                let taxes = taxes.iter().map(|tax| tax.tax);
                sales.fix(about, total, sums_hold(&lines, discounts, taxes, total), findings);
            }
            Body::TotalReleased {} => sales.release(about),
            Body::CashTaken { received, change } => sales.came_in(about, received.minus(change)),
            Body::ReceiptIssued { total } => sales.issue(header.receipt, about, total, findings),
            Body::VoucherRedeemed { .. } => {
                if let Some(amount) = header.amount {
                    sales.came_in(about, Ok(amount));
                }
                sales.redeem(header.serial.as_deref(), about, findings);
            }
            Body::CouponRedeemed { .. } => sales.redeem(header.serial.as_deref(), about, findings),
            Body::MemberRecognised { member, .. } => sales.visit(about, member, header.business_date),

            Body::IntentDrawn { intent, provider, amount, carrier, .. } => {
                attempts.draw(about, intent, provider, amount, &carrier, findings);
            }
            Body::Approved { intent, settled } => {
                if let Some(amount) = attempts.amount(intent) {
                    sales.came_in(about, Ok(amount));
                }
                attempts.settle(about, intent, Standing::Approved, settled, findings);
            }
            Body::PaidLate { intent, settled } => {
                attempts.settle(about, intent, Standing::PaidLate, settled, findings);
            }
            Body::Declined { intent, .. } => attempts.set(about, intent, Standing::Declined, findings),
            Body::Pending { intent } => attempts.set(about, intent, Standing::Pending, findings),
            Body::Unsure { intent, .. } => attempts.set(about, intent, Standing::Unsure, findings),
            Body::Cancelling { intent, .. } => attempts.set(about, intent, Standing::Cancelling, findings),
            Body::Cancelled { intent, .. } => attempts.set(about, intent, Standing::Cancelled, findings),
            Body::CancelUnsure { intent, .. } => {
                attempts.set(about, intent, Standing::CancelUnsure, findings)
            }
            Body::Tombstoned { intent } => attempts.set(about, intent, Standing::Tombstoned, findings),
            Body::Abandoned { intent, .. } => attempts.set(about, intent, Standing::Abandoned, findings),
            Body::RefundDrawn { refund, intent, amount, .. } => {
                // A sale that was paid in part was given up: that part is not money for it any more.
                if attempts.paid(intent, about.sale) {
                    sales.went_out(about, amount);
                }
                attempts.give_back(about, refund, intent, amount)
            }
            Body::Refunded { refund } => attempts.went_back(about, refund, GoingBack::Refunded, findings),
            Body::RefundRefused { refund, .. } => {
                attempts.went_back(about, refund, GoingBack::Refused, findings);
            }

            Body::CashReturned { amount, why: CashBack::GivenUp } => sales.went_out(about, amount),
            Body::RefundRetried { refund } => {
                attempts.went_back(about, refund, GoingBack::Drawn, findings);
            }
            Body::PaymentResolved { intent, .. } => {
                attempts.set(about, intent, Standing::Cancelled, findings);
            }

            // Its header still says what came in; of which payment is what was open then.
            Body::Erased { kind_name } => {
                let standing = match kind_name.as_str() {
                    "approved" => Standing::Approved,
                    "paid_late" => Standing::PaidLate,
                    _ => return,
                };
                if let (Standing::Approved, Some(amount)) = (standing, header.amount) {
                    sales.came_in(about, Ok(amount));
                }
                attempts.settle_erased(about, standing);
            }

            Body::PrintOrdered { .. } => self.papers_ordered += 1,
            Body::PrintEnded { outcome: PaperOutcome::Confirmed, .. } => self.papers_confirmed += 1,

            Body::CodeShown { .. }
            | Body::ProofMistyped { .. }
            | Body::VoucherTaken { .. }
            | Body::PrintEnded { .. }
            | Body::PrintStarted { .. }
            | Body::PrintSettled { .. }
            | Body::DrawerOrdered { .. }
            | Body::DrawerKicked { .. }
            | Body::DrawerEnded { .. }
            | Body::Genesis { .. }
            | Body::EpochAdopted { .. }
            | Body::Booted { .. }
            | Body::Stopped {}
            | Body::BundleAdopted { .. }
            | Body::StaffAdded { .. }
            | Body::SignedIn {}
            | Body::SignedOut {}
            | Body::ShiftOpened { .. }
            | Body::ShiftClosed { .. }
            | Body::SaleMoved { .. }
            | Body::LineAdded { .. }
            | Body::LineQuantity { .. }
            | Body::LineVoided { .. }
            | Body::PriceOverridden { .. }
            | Body::CouponTaken { .. }
            | Body::CouponReturned { .. }
            | Body::RefundPending { .. }
            | Body::RefundSettled { .. }
            | Body::PartChosen { .. }
            | Body::TypeSizeChosen { .. }
            | Body::CashReturned { .. }
            | Body::ReturnOpened { .. }
            | Body::ReturnDrawn { .. }
            | Body::FrozenAcknowledged { .. }
            | Body::NoteSeen {}
            | Body::LeaseReceived { .. }
            | Body::LeaseUsed { .. }
            | Body::LeaseReturned { .. }
            | Body::ClockDistrusted { .. }
            | Body::ClockTrusted {}
            | Body::Pruned { .. }
            | Body::Noted { .. }
            | Body::MemberForgotten { .. }
            | Body::QueueActed { .. }
            | Body::Unreadable { .. } => {}
        }
    }

    /// Says what can only be said at the end.
    pub(super) fn close(&self, findings: &mut Findings) {
        self.sales.close(findings);
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        self.attempts.count(counts);
        self.sales.count(counts);
        counts.papers_ordered = self.papers_ordered;
        counts.papers_confirmed = self.papers_confirmed;
    }
}
