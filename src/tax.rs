//! Tax: rates in parts per million, in the price or on top of it, rounded once for each rate.
//!
//! Not here: which rate an item has (`catalogue`), and printing it (`receipt`).

use crate::money::{Money, MoneyError, allocate, scale};
use serde::{Deserialize, Serialize};

/// Parts per million in one.
pub const PPM: i64 = 1_000_000;

/// The highest rate that is believed: 100 %.
pub const RATE_PPM_MAX: i64 = PPM;

/// Whether the price already contains the tax.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxIn {
    /// The shelf price contains it (China, Europe).
    Price,
    /// It comes on top (United States).
    OnTop,
}

/// How something is taxed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// The shop's code for it, printed beside the line: `A`, `B`.
    pub code: String,
    /// Parts per million: 13 % is 130,000.
    pub rate_ppm: i64,
    /// In the price or on top.
    pub included: TaxIn,
}

impl TaxRate {
    /// No tax.
    pub fn none() -> Self {
        Self { code: "0".to_owned(), rate_ppm: 0, included: TaxIn::Price }
    }

    /// The rate for people: `13%`, `8.875%`.
    pub fn percent(&self) -> String {
        let whole = self.rate_ppm / 10_000;
        let rest = format!("{:04}", self.rate_ppm % 10_000);
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() { format!("{whole}%") } else { format!("{whole}.{rest}%") }
    }
}

/// Tax of one rate over a whole sale.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaxAmount {
    /// Which rate.
    pub rate: TaxRate,
    /// What it was computed on, tax not included.
    pub base: Money,
    /// The tax.
    pub tax: Money,
}

/// One line's part: what it was charged at, and its share of the tax.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taxed {
    /// Net of tax.
    pub base: Money,
    /// The tax in it or on it.
    pub tax: Money,
}

/// Taxes amounts that are each charged at a rate: sums them by rate, rounds once for each rate, and
/// gives every amount its share so that the shares sum exactly.
///
/// Amounts may be negative (a deposit given back); they are taxed as a group of their own.
///
/// # Errors
/// [`MoneyError`] when currencies differ or a sum does not fit.
pub fn tax(charged: &[(Money, &TaxRate)]) -> Result<(Vec<Taxed>, Vec<TaxAmount>), MoneyError> {
    let mut shares: Vec<Option<Taxed>> = vec![None; charged.len()];
    let mut totals: Vec<TaxAmount> = Vec::new();
    let mut groups: Vec<(&TaxRate, bool)> =
        charged.iter().map(|(amount, rate)| (*rate, amount.is_negative())).collect();
    groups.sort();
    groups.dedup();
    for (rate, negative) in groups {
        let members: Vec<usize> = (0..charged.len())
            .filter(|index| charged[*index].1 == rate && charged[*index].0.is_negative() == negative)
            .collect();
        let amounts: Vec<i64> = members.iter().map(|index| charged[*index].0.minor.abs()).collect();
        let currency = charged[members[0]].0.currency;
        let sum = Money::sum(members.iter().map(|index| charged[*index].0), currency)?;
        let tax = tax_of(sum.minor.abs(), rate)?;
        let by_line = allocate(tax, &amounts)?;
        let sign = if negative { -1 } else { 1 };
        for (index, tax) in members.iter().zip(by_line) {
            let amount = charged[*index].0;
            let tax = Money::new(sign * tax, currency);
            let base = match rate.included {
                TaxIn::Price => amount.minus(tax)?,
                TaxIn::OnTop => amount,
            };
            shares[*index] = Some(Taxed { base, tax });
        }
        let tax = Money::new(sign * tax, currency);
        let base = match rate.included {
            TaxIn::Price => sum.minus(tax)?,
            TaxIn::OnTop => sum,
        };
        match totals.iter_mut().find(|total| total.rate == *rate) {
            Some(total) => {
                total.base = total.base.plus(base)?;
                total.tax = total.tax.plus(tax)?;
            }
            None => totals.push(TaxAmount { rate: rate.clone(), base, tax }),
        }
    }
    Ok((shares.into_iter().flatten().collect(), totals))
}

fn tax_of(amount: i64, rate: &TaxRate) -> Result<i64, MoneyError> {
    let tax = match rate.included {
        TaxIn::Price => scale(amount, rate.rate_ppm, PPM + rate.rate_ppm)?,
        TaxIn::OnTop => scale(amount, rate.rate_ppm, PPM)?,
    };
    // A tax above the amounts it is spread over could not be shared out line by line.
    if tax > amount { Err(MoneyError::Overflow) } else { Ok(tax) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn rate(code: &str, rate_ppm: i64, included: TaxIn) -> TaxRate {
        TaxRate { code: code.to_owned(), rate_ppm, included }
    }

    fn fen(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    #[test]
    fn included_tax_is_rounded_once_for_the_whole_sale() {
        let vat = rate("A", 200_000, TaxIn::Price);
        let charged: Vec<_> = [240, 240, 185, 230, 595 - 210, 0].iter().map(|m| (fen(*m), &vat)).collect();
        let (lines, totals) = tax(&charged).unwrap();
        assert_eq!(totals[0].tax, fen(213));
        assert_eq!(totals[0].base, fen(1280 - 213));
        assert_eq!(lines.iter().map(|line| line.tax.minor).sum::<i64>(), 213);
    }

    #[test]
    fn tax_on_top_leaves_the_base_alone() {
        let sales = rate("S", 88_750, TaxIn::OnTop);
        let (lines, totals) = tax(&[(fen(1000), &sales)]).unwrap();
        assert_eq!((lines[0].base, lines[0].tax), (fen(1000), fen(89)));
        assert_eq!(totals[0].rate.percent(), "8.875%");
    }

    #[test]
    fn a_returned_deposit_gives_its_tax_back() {
        let vat = rate("A", 130_000, TaxIn::Price);
        let (lines, totals) = tax(&[(fen(1130), &vat), (fen(-113), &vat)]).unwrap();
        assert_eq!(lines[1].tax, fen(-13));
        assert_eq!(totals, [TaxAmount { rate: vat, base: fen(900), tax: fen(117) }]);
    }

    proptest! {
        #[test]
        fn shares_always_sum_to_the_total(
            amounts in proptest::collection::vec((-5_000_i64..50_000, 0_usize..3), 1..20)
        ) {
            let rates = [rate("A", 130_000, TaxIn::Price), rate("B", 60_000, TaxIn::OnTop), TaxRate::none()];
            let charged: Vec<_> = amounts.iter().map(|(minor, at)| (fen(*minor), &rates[*at])).collect();
            let (lines, totals) = tax(&charged).unwrap();
            prop_assert_eq!(lines.len(), charged.len());
            let of_lines: i64 = lines.iter().map(|line| line.tax.minor).sum();
            let of_totals: i64 = totals.iter().map(|total| total.tax.minor).sum();
            prop_assert_eq!(of_lines, of_totals);
        }
    }
}
