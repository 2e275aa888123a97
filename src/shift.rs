//! A shift: a cashier's turn at a till, its totals a fold over the records.

use crate::money::Money;
use crate::sale::{IntentState, Sale};
use crate::view::ShiftView;
use serde::{Deserialize, Serialize};

/// A shift under way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Shift {
    /// Its number, from 1.
    pub number: u32,
    /// Cash in the drawer when it began.
    pub float: Money,
    /// Sales paid.
    pub sales: u64,
    /// What they came to.
    pub total: Money,
    /// Tax in it.
    pub tax: Money,
    /// What offers took off.
    pub discounts: Money,
    /// Cash taken less change.
    pub cash: Money,
    /// Cash given back.
    pub cash_back: Money,
    /// Wallets.
    pub wallets: Money,
    /// Vouchers.
    pub vouchers: Money,
    /// Given back.
    pub refunds: Money,
}

impl Shift {
    /// A shift that begins with this float.
    pub fn open(number: u32, float: Money) -> Self {
        let zero = Money::zero(float.currency);
        Self {
            number,
            float,
            sales: 0,
            total: zero,
            tax: zero,
            discounts: zero,
            cash: zero,
            cash_back: zero,
            wallets: zero,
            vouchers: zero,
            refunds: zero,
        }
    }

    /// Counts a sale that was just paid.
    pub fn count_sale(&mut self, sale: &Sale, total: Money) {
        self.sales += 1;
        add(&mut self.total, total);
        if let Some(fixed) = &sale.fixed {
            fixed.taxes.iter().for_each(|tax| add(&mut self.tax, tax.tax));
            fixed.discounts.iter().for_each(|discount| add(&mut self.discounts, discount.amount));
        }
        for cash in &sale.cash {
            if let Ok(kept) = cash.received.minus(cash.change) {
                add(&mut self.cash, kept);
            }
        }
        for intent in sale.intents.iter().filter(|intent| intent.state == IntentState::Approved) {
            add(&mut self.wallets, intent.amount);
        }
        for voucher in &sale.vouchers {
            add(&mut self.vouchers, voucher.amount);
        }
    }

    /// Counts money that went back through a wallet.
    pub fn count_refund(&mut self, amount: Money) {
        add(&mut self.refunds, amount);
    }

    /// Counts cash that was given back out of the drawer.
    pub fn count_cash_back(&mut self, amount: Money) {
        add(&mut self.refunds, amount);
        add(&mut self.cash_back, amount);
    }

    /// Cash that should be in the drawer.
    pub fn expected(&self) -> Money {
        let mut expected = self.float;
        add(&mut expected, self.cash);
        if let Ok(left) = expected.minus(self.cash_back) {
            expected = left;
        }
        expected
    }

    /// The totals as screens show them.
    pub fn view(&self) -> ShiftView {
        ShiftView {
            number: self.number,
            sales: self.sales,
            total: self.total,
            tax: self.tax,
            discounts: self.discounts,
            cash: self.cash,
            cash_back: self.cash_back,
            wallets: self.wallets,
            vouchers: self.vouchers,
            refunds: self.refunds,
            expected: self.expected(),
        }
    }
}

/// Adds to a total. A total beyond 64 bits stays where it is: it is for eyes, the records hold the sums.
fn add(total: &mut Money, amount: Money) {
    if let Ok(sum) = total.plus(amount) {
        *total = sum;
    }
}
