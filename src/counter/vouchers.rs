//! Value vouchers, `G1.`: a tender that needs no network, for they are signed, in their time, and spent once.
//!
//! A voucher pays what is due, or the part that was chosen, up to its value. What it is worth beyond that lapses: a
//! voucher gives no change. It is held by its sale until the receipt, which spends its serial; a sale that is given up
//! lets it go. **Invariant:** no voucher is on two open sales, nor on one after it was spent here.
//!
//! Not here: a second use at another till, on which the cloud rules; how much a till takes while it is offline
//! (`exposure`).

use super::recorder::{About, Recorder};
use super::tender::asked;
use super::{Refusal, Till};
use crate::limits::Means;
use crate::record::body::Body;
use crate::record::ids::{SaleId, StationId};
use crate::record::money_moves::VoucherHeld;
use crate::token::{Unverified, Voucher};
use crate::view::Phase;

/// Vouchers on one sale. More is a stack of paper that somebody should look at.
const VOUCHERS_MAX: usize = 10;

/// Why a voucher pays nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoVoucher {
    /// Of another chain.
    #[error("This voucher is another shop's.")]
    OtherShop,
    /// Spent here.
    #[error("This voucher was used here already.")]
    Used,
    /// Head office took it back.
    #[error("This voucher was withdrawn.")]
    Withdrawn,
    /// Held by another sale, or by this one.
    #[error("This voucher is on an open sale already.")]
    Held,
    /// In money that the till does not take.
    #[error("This voucher is in another currency.")]
    OtherCurrency,
    /// Pay was not pressed.
    #[error("Press Pay first, then scan the voucher.")]
    PayFirst,
    /// The sale has many.
    #[error("No more vouchers fit on one sale.")]
    TooMany,
}

impl Till {
    /// Verifies a voucher and pays with it.
    pub(super) fn take_voucher(
        &self,
        station: &StationId,
        shown: &Unverified<Voucher>,
        text: &str,
        out: &mut Recorder<'_>,
    ) -> Result<(), Refusal> {
        self.refuse_without_time(out)?;
        let now = i64::try_from(out.cx.moment.unix_s()).unwrap_or(i64::MAX);
        let voucher = shown.verify(out.cx.keys, now)?.into_inner();
        self.judge_voucher(&voucher, out)?;
        if self.front(station).ok_or(Refusal::NoSale)?.phase() == Phase::Basket {
            return Err(NoVoucher::PayFirst.into());
        }
        let (sale, due) = self.awaiting(station)?;
        if !due.is_positive() {
            return Err(Refusal::NothingToPay);
        }
        if sale.vouchers.len() >= VOUCHERS_MAX {
            return Err(NoVoucher::TooMany.into());
        }
        let amount = asked(sale, due).min(voucher.value);
        self.refuse_if_perhaps_taken_before(voucher.validity, out)?;
        self.refuse_at_limit(Means::Voucher, Some(amount), Some(sale.id), out)?;
        let serial = voucher.serial().to_string();
        let held = VoucherHeld { serial, value: voucher.value, amount, token: text.to_owned() };
        out.push(Body::VoucherTaken { voucher: held.clone() }, About::sale(sale.id).amount(amount));
        if let (true, Some(fixed)) = (amount == due, &sale.fixed) {
            // The sale as this step leaves it: it is applied after the step.
            let mut paid = sale.clone();
            paid.vouchers.push(held);
            self.complete(&paid, fixed, out);
        }
        Ok(())
    }

    fn judge_voucher(&self, voucher: &Voucher, out: &Recorder<'_>) -> Result<(), NoVoucher> {
        let content = &out.cx.bundle.content;
        let serial = voucher.serial().to_string();
        if voucher.issuer != content.shop.issuer {
            return Err(NoVoucher::OtherShop);
        }
        if self.spent.contains(&serial) {
            return Err(NoVoucher::Used);
        }
        if content.revoked_serials.contains(&serial) {
            return Err(NoVoucher::Withdrawn);
        }
        let holders = self.sales.values().filter(|sale| super::is_open(sale));
        if holders.flat_map(|sale| &sale.vouchers).any(|held| held.serial == serial) {
            return Err(NoVoucher::Held);
        }
        if voucher.value.currency != self.currency {
            return Err(NoVoucher::OtherCurrency);
        }
        Ok(())
    }
}

/// Spends a voucher with the receipt.
pub(super) fn redeem(sale: SaleId, voucher: &VoucherHeld, out: &mut Recorder<'_>) {
    let body = Body::VoucherRedeemed { value: voucher.value, token: voucher.token.clone() };
    let about = About::sale(sale).amount(voucher.amount);
    out.push(body, About { serial: Some(voucher.serial.clone()), ..about });
}
