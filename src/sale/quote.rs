//! What a basket comes to at a moment: offers, coupons and tax over its lines.

use super::{Fixed, Sale};
use crate::bundle::Bundle;
use crate::money::{Money, MoneyError};
use crate::offer::{self, Allotted, Offer, Without};
use crate::record::body::LineTotal;
use crate::tax::{TaxIn, tax};

/// What a basket comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Quote {
    /// As it would be fixed.
    pub fixed: Fixed,
    /// Sum of lines before offers.
    pub subtotal: Money,
    /// Coupons that take nothing off, by serial, with what is missing.
    pub idle: Vec<(String, Money)>,
    /// What would come off, had the till a use of its campaign left.
    pub without: Vec<Without>,
}

impl Sale {
    /// Holds the basket against the bundle's offers, its own coupons, and the uses that are at hand.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit or currencies meet.
    pub fn quote(&self, bundle: &Bundle, allotted: &Allotted, now_s: u64) -> Result<Quote, MoneyError> {
        let currency = bundle.content.currency;
        let lines = self.sold();
        let offers: Vec<Offer> =
            bundle.content.offers.iter().filter(|offer| bundle.gives(offer)).cloned().collect();
        let outcome = offer::evaluate(&lines, &offers, &self.coupons, allotted, now_s, currency)?;
        let charged: Vec<_> =
            outcome.charged.iter().zip(&lines).map(|((_, amount), line)| (*amount, &line.tax)).collect();
        let (taxed, taxes) = tax(&charged)?;
        let mut totals = Vec::with_capacity(lines.len());
        for ((line, (_, left)), taxed) in lines.iter().zip(&outcome.charged).zip(taxed) {
            let gross = line.gross()?;
            totals.push(LineTotal { line: line.id, gross, discount: gross.minus(*left)?, taxed });
        }
        let left = Money::sum(outcome.charged.iter().map(|(_, amount)| *amount), currency)?;
        let on_top = taxes.iter().filter(|tax| tax.rate.included == TaxIn::OnTop).map(|tax| tax.tax);
        let total = left.plus(Money::sum(on_top, currency)?)?;
        let subtotal = Money::sum(totals.iter().map(|line| line.gross), currency)?;
        let fixed = Fixed { lines: totals, discounts: outcome.discounts, taxes, total };
        Ok(Quote { fixed, subtotal, idle: outcome.idle, without: outcome.without })
    }

    /// Sum of the lines before offers, as fixed or as they stand.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn subtotal(&self, currency: crate::money::Currency) -> Result<Money, MoneyError> {
        let gross = self.sold().into_iter().map(|line| line.gross()).collect::<Result<Vec<_>, _>>()?;
        Money::sum(gross, currency)
    }
}
