//! The paper of a return: the same facts as of a sale, each amount taken away.
//!
//! Not here: what a return is of, and how much (`sale::back`).

use super::{Receipt, ReceiptTender};
use crate::money::{Money, MoneyError};

impl Receipt {
    /// The receipt with every amount turned. The price of one stays what it was.
    ///
    /// # Errors
    /// [`MoneyError`] when an amount has no counterpart.
    pub(super) fn turned(self) -> Result<Self, MoneyError> {
        let tender = |tender: ReceiptTender| -> Result<ReceiptTender, MoneyError> {
            Ok(ReceiptTender { amount: tender.amount.negated()?, ..tender })
        };
        let mut turned = self;
        for line in &mut turned.lines {
            line.amount = line.amount.negated()?;
        }
        for (_, _, off) in &mut turned.discounts {
            *off = off.negated()?;
        }
        for tax in &mut turned.taxes {
            (tax.base, tax.tax) = (tax.base.negated()?, tax.tax.negated()?);
        }
        turned.subtotal = turned.subtotal.negated()?;
        turned.total = turned.total.negated()?;
        turned.change = turned.change.map(Money::negated).transpose()?;
        turned.tenders = turned.tenders.into_iter().map(tender).collect::<Result<_, _>>()?;
        Ok(turned)
    }
}
