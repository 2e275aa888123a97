//! Money that goes back of a paid sale: what is left of it, and the shares of lines, taxes and tenders.
//!
//! **Invariant:** whatever is returned in whatever order, no line, no tax and no tender gives back more than
//! it had, and the last return takes exactly the rest. Each share is a part of what is left, not of what
//! there was; the parts of one return are split by largest remainder (`money::allocate`).
//!
//! Not here: who may ask for it (`counter`), and bringing it to a wallet (`provider`).

use super::{Fixed, IntentState, Sale};
use crate::money::{Currency, Money, MoneyError, allocate, scale};
use crate::offer::{Discount, Funder};
use crate::record::Record;
use crate::record::body::{Body, LineTotal, SaleKind};
use crate::record::giving_back::{CapturedBy, CashBack, LineShare, Means, Original, ReturnWhy, TenderShare};
use crate::record::ids::SaleId;
use crate::record::line::{Line, LineId, LineKind, PriceFrom, Quantity};
use crate::tax::{TaxAmount, TaxIn, TaxRate, Taxed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a sale knows of money that went back.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Back {
    /// What it is a return of, where it is one.
    pub opened: Option<Return>,
    /// Returns that were begun of it.
    pub drawn: Vec<Drawn>,
    /// Cash that left the drawer for it.
    pub cash: Vec<(Money, CashBack)>,
}

/// What a return is of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Return {
    /// The sale; none without a receipt.
    pub of: Option<Original>,
    /// Why it goes back.
    pub why: ReturnWhy,
    /// The reason given.
    pub words: String,
    /// How it goes back.
    pub shares: Vec<TenderShare>,
}

/// A return that was begun.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Drawn {
    /// The sale that it is.
    pub by: SaleId,
    /// What of which line.
    pub lines: Vec<LineShare>,
    /// By which means.
    pub shares: Vec<TenderShare>,
    /// How much in all.
    pub total: Money,
}

/// What somebody wants back.
#[derive(Clone, PartialEq, Debug)]
pub enum Wanted {
    /// All that is left.
    Whole,
    /// Of these lines so many steps of their quantity.
    Lines(Vec<(LineId, i64)>),
    /// An amount.
    Amount(Money),
}

/// Why it cannot go back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotLeft {
    /// It was never paid, or all went back.
    #[error("Nothing is left to give back of this sale.")]
    Nothing,
    /// The line has not so much left.
    #[error("Line {0} has not so many left to give back. Look at what went back already.")]
    Line(LineId),
    /// More than is left.
    #[error("{left} is left of this sale. Type an amount up to that.")]
    Amount {
        /// What is left.
        left: Money,
    },
    /// A sum does not fit.
    #[error("That amount cannot be: {0}.")]
    Money(#[from] MoneyError),
}

/// What is left of a paid sale.
#[derive(Clone, PartialEq, Debug)]
pub struct Left {
    /// Of each line.
    pub lines: Vec<LineShare>,
    /// Of each means.
    pub shares: Vec<TenderShare>,
    /// In all.
    pub total: Money,
}

/// What goes back in one return.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    /// Of each line.
    pub lines: Vec<LineShare>,
    /// By each means; none of nothing.
    pub shares: Vec<TenderShare>,
    /// In all.
    pub total: Money,
}

impl Sale {
    /// What is left to give back of a sale that has its receipt.
    ///
    /// # Errors
    /// [`NotLeft`] when it was never paid or a sum does not fit.
    pub fn left(&self) -> Result<Left, NotLeft> {
        let (Some(fixed), Some(_), SaleKind::Sale) = (&self.fixed, &self.receipt, self.kind) else {
            return Err(NotLeft::Nothing);
        };
        let mut lines = Vec::with_capacity(fixed.lines.len());
        for of in &fixed.lines {
            let steps = self.line(of.line).map_or(0, |line| line.quantity.value);
            let total = of.taxed.base.plus(of.taxed.tax)?;
            let mut left = LineShare { line: of.line, steps, total, tax: of.taxed.tax };
            for gone in
                self.back.drawn.iter().flat_map(|drawn| &drawn.lines).filter(|gone| gone.line == of.line)
            {
                left.steps -= gone.steps;
                left.total = left.total.minus(gone.total)?;
                left.tax = left.tax.minus(gone.tax)?;
            }
            lines.push(left);
        }
        let mut shares = self.tenders(fixed.total.currency)?;
        for gone in self.back.drawn.iter().flat_map(|drawn| &drawn.shares) {
            if let Some(share) = shares.iter_mut().find(|share| share.means == gone.means) {
                share.amount = share.amount.minus(gone.amount)?;
            }
        }
        let total = Money::sum(shares.iter().map(|share| share.amount), fixed.total.currency)?;
        Ok(Left { lines, shares, total })
    }

    /// How it was paid: each wallet's payment, each voucher, then cash less change.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn tenders(&self, currency: Currency) -> Result<Vec<TenderShare>, MoneyError> {
        let approved = self.intents.iter().filter(|intent| intent.state == IntentState::Approved);
        let mut tenders: Vec<TenderShare> = approved
            .map(|intent| TenderShare {
                means: Means::Wallet {
                    intent: intent.id,
                    provider: intent.provider,
                    captured_by: intent.captured_by(),
                },
                amount: intent.amount,
            })
            .collect();
        tenders.extend(self.vouchers.iter().map(|voucher| TenderShare {
            means: Means::Voucher { serial: voucher.serial.clone() },
            amount: voucher.amount,
        }));
        let kept = self.cash.iter().map(|cash| cash.received.minus(cash.change));
        let kept = Money::sum(kept.collect::<Result<Vec<_>, _>>()?, currency)?;
        if kept.is_positive() {
            tenders.push(TenderShare { means: Means::Cash, amount: kept });
        }
        Ok(tenders)
    }

    /// What the paper and the books of a return say: its lines and their totals.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn as_return(&self, taken: &Taken) -> Result<(Vec<Line>, Fixed), MoneyError> {
        let currency = taken.total.currency;
        let mut sheet = Sheet { lines: vec![], totals: vec![] };
        let mut by_rate: BTreeMap<TaxRate, (Money, Money)> = BTreeMap::new();
        for share in taken.lines.iter().filter(|share| !share.total.is_zero() || share.steps > 0) {
            let Some(line) = self.line(share.line) else { continue };
            if share.steps > 0 {
                let quantity = Quantity { value: share.steps, ..line.quantity };
                sheet.put(Line { quantity, linked: None, ..line.clone() }, share.total, share.tax)?;
            } else {
                let zero = Money::zero(currency);
                let (total, tax) = by_rate.entry(line.tax.clone()).or_insert((zero, zero));
                *total = total.plus(share.total)?;
                *tax = tax.plus(share.tax)?;
            }
        }
        for (rate, (total, tax)) in by_rate {
            let price = charged(&rate, total, tax)?;
            sheet.put(part_of_the_price(rate, price), total, tax)?;
        }
        sheet.close(taken.total)
    }
}

/// Lines of a return as they are written down.
struct Sheet {
    lines: Vec<Line>,
    totals: Vec<LineTotal>,
}

impl Sheet {
    fn put(&mut self, line: Line, total: Money, tax: Money) -> Result<(), MoneyError> {
        let id = LineId(u32::try_from(self.lines.len()).unwrap_or(u32::MAX).saturating_add(1));
        let gross = line.gross()?;
        let discount = gross.minus(charged(&line.tax, total, tax)?)?;
        let taxed = Taxed { base: total.minus(tax)?, tax };
        self.totals.push(LineTotal { line: id, gross, discount, taxed });
        self.lines.push(Line { id, ..line });
        Ok(())
    }

    fn close(self, total: Money) -> Result<(Vec<Line>, Fixed), MoneyError> {
        let mut taxes: Vec<TaxAmount> = Vec::new();
        for (line, of) in self.lines.iter().zip(&self.totals) {
            match taxes.iter_mut().find(|known| known.rate == line.tax) {
                Some(known) => {
                    known.base = known.base.plus(of.taxed.base)?;
                    known.tax = known.tax.plus(of.taxed.tax)?;
                }
                None => {
                    taxes.push(TaxAmount { rate: line.tax.clone(), base: of.taxed.base, tax: of.taxed.tax })
                }
            }
        }
        let off = Money::sum(self.totals.iter().map(|of| of.discount), total.currency)?;
        let shares = self.totals.iter().filter(|of| !of.discount.is_zero());
        let discount = Discount {
            offer: "returned".to_owned(),
            campaign: None,
            lease: None,
            serial: None,
            name: "Discounts".to_owned(),
            name_zh: Some("优惠".to_owned()),
            funder: Funder::Merchant,
            amount: off,
            shares: shares.map(|of| (of.line, of.discount)).collect(),
        };
        let discounts = if discount.shares.is_empty() { vec![] } else { vec![discount] };
        Ok((self.lines, Fixed { lines: self.totals, discounts, taxes, total }))
    }
}

/// What was charged for a line before tax on top.
fn charged(rate: &TaxRate, total: Money, tax: Money) -> Result<Money, MoneyError> {
    match rate.included {
        TaxIn::Price => Ok(total),
        TaxIn::OnTop => total.minus(tax),
    }
}

/// The one line of a refund by amount, for each rate of tax.
fn part_of_the_price(tax: TaxRate, price: Money) -> Line {
    Line {
        id: LineId(0),
        kind: LineKind::Goods,
        sku: None,
        gtin: None,
        name: "Part of the price".to_owned(),
        name_zh: Some("部分退款".to_owned()),
        quantity: Quantity::pieces(1),
        listed: None,
        price,
        price_from: PriceFrom::Open,
        override_reason: None,
        modifiers: vec![],
        tax,
        linked: None,
        least_age: None,
        net: None,
        lot: None,
        serial: None,
        expiry: None,
    }
}

impl Left {
    /// What goes back for what is wanted, split over lines and means.
    ///
    /// # Errors
    /// [`NotLeft`] when it is more than is left.
    pub fn take(&self, wanted: &Wanted) -> Result<Taken, NotLeft> {
        if !self.total.is_positive() {
            return Err(NotLeft::Nothing);
        }
        let lines = match wanted {
            Wanted::Whole => self.lines.clone(),
            Wanted::Lines(wanted) => self.of_lines(wanted)?,
            Wanted::Amount(amount) => self.of_amount(*amount)?,
        };
        let total = Money::sum(lines.iter().map(|line| line.total), self.total.currency)?;
        if !total.is_positive() {
            return Err(NotLeft::Nothing);
        }
        if self.total < total {
            return Err(NotLeft::Amount { left: self.total });
        }
        let weights: Vec<i64> = self.shares.iter().map(|share| share.amount.minor).collect();
        let amounts = allocate(total.minor, &weights)?;
        let shares = self.shares.iter().zip(amounts).filter(|(_, minor)| *minor > 0);
        let shares = shares.map(|(share, minor)| TenderShare {
            means: share.means.clone(),
            amount: Money::new(minor, total.currency),
        });
        Ok(Taken { shares: shares.collect(), lines, total })
    }

    fn of_lines(&self, wanted: &[(LineId, i64)]) -> Result<Vec<LineShare>, NotLeft> {
        let mut taken: Vec<LineShare> = Vec::with_capacity(wanted.len());
        for (id, steps) in wanted {
            let left = self.lines.iter().find(|left| left.line == *id && left.steps >= *steps && *steps > 0);
            let left = left.filter(|_| taken.iter().all(|taken| taken.line != *id));
            let left = left.ok_or(NotLeft::Line(*id))?;
            let part = |money: Money| money.times(*steps, left.steps);
            taken.push(LineShare {
                line: *id,
                steps: *steps,
                total: part(left.total)?,
                tax: part(left.tax)?,
            });
        }
        Ok(taken)
    }

    fn of_amount(&self, amount: Money) -> Result<Vec<LineShare>, NotLeft> {
        let (currency, too_much) = (self.total.currency, NotLeft::Amount { left: self.total });
        if amount.currency != currency || !amount.is_positive() || self.total < amount {
            return Err(too_much);
        }
        let weights: Vec<i64> = self.lines.iter().map(|left| left.total.minor.max(0)).collect();
        let amounts = allocate(amount.minor, &weights)?;
        let mut taken = Vec::new();
        for (left, minor) in self.lines.iter().zip(amounts).filter(|(_, minor)| *minor > 0) {
            if left.total.minor < minor {
                return Err(too_much);
            }
            let tax = Money::new(scale(left.tax.minor, minor, left.total.minor)?, currency);
            let total = Money::new(minor, currency);
            taken.push(LineShare { line: left.line, steps: 0, total, tax });
        }
        Ok(taken)
    }
}

impl Back {
    /// Takes in what a record says of money that goes back.
    #[allow(clippy::wildcard_enum_match_arm)] // a fold takes the kinds that concern it and no others
    pub(super) fn apply(&mut self, record: &Record) {
        match &record.body {
            Body::ReturnOpened { of, why, words, shares } => {
                let (of, words, shares) = (of.clone(), words.clone(), shares.clone());
                self.opened = Some(Return { of, why: *why, words, shares });
            }
            Body::ReturnDrawn { by, lines, shares, total } => {
                let (lines, shares) = (lines.clone(), shares.clone());
                self.drawn.push(Drawn { by: *by, lines, shares, total: *total });
            }
            Body::CashReturned { amount, why } => self.cash.push((*amount, *why)),
            _ => {}
        }
    }

    /// The wallet and the caller of the payment that a refund is of, as the return knows them.
    pub fn wallet_of(
        &self,
        intent: crate::record::ids::IntentId,
    ) -> Option<(crate::record::money_moves::ProviderName, CapturedBy)> {
        self.opened.iter().flat_map(|opened| &opened.shares).find_map(|share| match &share.means {
            Means::Wallet { intent: of, provider, captured_by } if *of == intent => {
                Some((*provider, *captured_by))
            }
            Means::Wallet { .. } | Means::Voucher { .. } | Means::Cash => None,
        })
    }
}

#[cfg(test)]
mod tests;
