//! Offers: rules that lower a price, computed purely from the basket.
//!
//! Order of things: automatic offers on the basket's gross, then coupons on what is left, in the order in
//! which they were taken. Every discount has a funder and says which line it came off, by largest
//! remainder; one of a campaign with a quota says which lease it draws on, and comes off only while the till
//! holds one. Not here: where leases come from; audiences and tenders, which are other classes of offer.

mod quota;

pub use quota::{Allotted, Use};

use crate::money::{Money, MoneyError, allocate};
use crate::record::line::{Line, LineId};
use crate::record::money_moves::{CouponTaken, CouponTerms};
use serde::{Deserialize, Serialize};

/// Version of these rules; the cloud computes a sale again only at the same version.
pub const ENGINE: u16 = 1;

/// Offers in one bundle.
pub const OFFERS_MAX: usize = 500;

/// Coupons on one sale.
pub const COUPONS_MAX: usize = 8;

/// Who pays for a discount.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funder {
    /// The shop.
    Merchant,
    /// The wallet.
    Platform,
    /// A bank.
    Bank,
    /// A brand.
    Brand,
}

/// What an offer does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Spend so much, save so much, once a sale.
    SpendSave {
        /// The least gross.
        spend: Money,
        /// What comes off.
        save: Money,
    },
}

/// A rule that every basket is held against.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Its slug.
    pub id: String,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<String>,
    /// The campaign that owns it, where one does: its quota limits how often the offer is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<u32>,
    /// Who pays for it.
    pub funder: Funder,
    /// First second it holds, Unix time.
    pub from_s: u64,
    /// First second it no longer holds.
    pub until_s: u64,
    /// What it does.
    pub rule: Rule,
}

/// What an offer or a coupon took off one sale.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Discount {
    /// Slug of the offer, or `coupon`.
    pub offer: String,
    /// Number of the campaign that owns it.
    pub campaign: Option<u32>,
    /// The lease that it draws on, where the campaign has a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<u64>,
    /// Serial of the coupon.
    pub serial: Option<String>,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// Who pays for it.
    pub funder: Funder,
    /// What came off in all.
    pub amount: Money,
    /// And off which line.
    pub shares: Vec<(LineId, Money)>,
}

/// The outcome over a basket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// What came off, in order.
    pub discounts: Vec<Discount>,
    /// Coupons that took nothing off, by serial, with what is missing to their minimum.
    pub idle: Vec<(String, Money)>,
    /// What would have come off, had the till a use of its campaign left.
    pub without: Vec<Without>,
    /// What each line is charged, in the order of the lines.
    pub charged: Vec<(LineId, Money)>,
}

/// An offer or a coupon that the basket deserves, and that the till has no use left for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Without {
    /// Its campaign.
    pub campaign: u32,
    /// What it is called on the bill.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
}

/// Holds offers and coupons against a basket of lines that are not void.
///
/// # Errors
/// [`MoneyError`] when an amount of another currency meets the basket or a sum does not fit.
pub fn evaluate(
    lines: &[&Line],
    offers: &[Offer],
    coupons: &[CouponTaken],
    allotted: &Allotted,
    now_s: u64,
    currency: crate::money::Currency,
) -> Result<Evaluation, MoneyError> {
    let mut allotted = allotted.clone();
    let mut without = Vec::new();
    let mut charged = Vec::with_capacity(lines.len());
    for line in lines {
        charged.push((line.id, line.gross()?));
    }
    let mut discounts = Vec::new();
    let mut idle = Vec::new();
    let gross = payable(&charged, currency)?;
    for offer in offers.iter().filter(|offer| offer.from_s <= now_s && now_s < offer.until_s) {
        let Rule::SpendSave { spend, save } = &offer.rule;
        if gross.minus(*spend)?.is_negative() {
            continue;
        }
        let draws = allotted.next(offer.campaign);
        if let (Use::NoneLeft, Some(campaign)) = (draws, offer.campaign) {
            without.push(Without { campaign, name: offer.name.clone(), name_zh: offer.name_zh.clone() });
            continue;
        }
        if let Some((amount, shares)) = take_off(&mut charged, *save, currency)? {
            allotted.make(offer.campaign);
            discounts.push(Discount {
                offer: offer.id.clone(),
                campaign: offer.campaign,
                lease: draws.lease(),
                serial: None,
                name: offer.name.clone(),
                name_zh: offer.name_zh.clone(),
                funder: offer.funder,
                amount,
                shares,
            });
        }
    }
    for coupon in coupons {
        let left = payable(&charged, currency)?;
        if let Some(minimum) = coupon.minimum
            && left.minus(minimum)?.is_negative()
        {
            idle.push((coupon.serial.clone(), minimum.minus(left)?));
            continue;
        }
        let campaign = Some(coupon.campaign);
        let draws = allotted.next(campaign);
        if draws == Use::NoneLeft {
            let (name, name_zh) = (coupon.name.clone(), coupon.name_zh.clone());
            without.push(Without { campaign: coupon.campaign, name, name_zh });
            continue;
        }
        let wanted = match &coupon.terms {
            CouponTerms::AmountOff(amount) => *amount,
            CouponTerms::BasisPointsOff(points) => left.times(i64::from((*points).min(10_000)), 10_000)?,
        };
        match take_off(&mut charged, wanted, currency)? {
            Some((amount, shares)) => {
                allotted.make(campaign);
                discounts.push(Discount {
                    offer: "coupon".to_owned(),
                    campaign,
                    lease: draws.lease(),
                    serial: Some(coupon.serial.clone()),
                    name: coupon.name.clone(),
                    name_zh: coupon.name_zh.clone(),
                    funder: Funder::Merchant,
                    amount,
                    shares,
                });
            }
            None => idle.push((coupon.serial.clone(), Money::zero(currency))),
        }
    }
    Ok(Evaluation { discounts, idle, without, charged })
}

/// What offers may take from: lines that give money back do not count.
fn payable(charged: &[(LineId, Money)], currency: crate::money::Currency) -> Result<Money, MoneyError> {
    Money::sum(charged.iter().map(|(_, amount)| *amount).filter(|amount| amount.is_positive()), currency)
}

type Taken = (Money, Vec<(LineId, Money)>);

fn take_off(
    charged: &mut [(LineId, Money)],
    wanted: Money,
    currency: crate::money::Currency,
) -> Result<Option<Taken>, MoneyError> {
    let left = payable(charged, currency)?;
    let amount = if wanted.minus(left)?.is_positive() { left } else { wanted };
    if !amount.is_positive() {
        return Ok(None);
    }
    let weights: Vec<i64> = charged.iter().map(|(_, amount)| amount.minor.max(0)).collect();
    let mut shares = Vec::new();
    for ((line, amount), share) in charged.iter_mut().zip(allocate(amount.minor, &weights)?) {
        let share = Money::new(share, currency);
        if share.is_positive() {
            *amount = amount.minus(share)?;
            shares.push((*line, share));
        }
    }
    Ok(Some((amount, shares)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::record::line::{LineKind, PriceFrom, Quantity};
    use crate::tax::TaxRate;
    use proptest::prelude::*;

    fn fen(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn line(id: u32, minor: i64) -> Line {
        Line {
            id: LineId(id),
            kind: LineKind::Goods,
            sku: None,
            gtin: None,
            name: "thing".to_owned(),
            name_zh: None,
            quantity: Quantity::pieces(1),
            listed: None,
            price: fen(minor),
            price_from: PriceFrom::Open,
            override_reason: None,
            modifiers: vec![],
            tax: TaxRate::none(),
            linked: None,
            least_age: None,
            lot: None,
            expiry: None,
            serial: None,
            net: None,
        }
    }

    fn spend_save(id: &str, spend: i64, save: i64) -> Offer {
        let rule = Rule::SpendSave { spend: fen(spend), save: fen(save) };
        let (id, name) = (id.to_owned(), id.to_owned());
        let campaign = None;
        Offer { id, name, name_zh: None, campaign, funder: Funder::Merchant, from_s: 10, until_s: 20, rule }
    }

    fn coupon(serial: &str, terms: CouponTerms, minimum: Option<i64>) -> CouponTaken {
        CouponTaken {
            serial: serial.to_owned(),
            campaign: 1,
            name: "Coupon".to_owned(),
            name_zh: None,
            terms,
            minimum: minimum.map(fen),
            token: String::new(),
        }
    }

    fn run(prices: &[i64], offers: &[Offer], coupons: &[CouponTaken], now_s: u64) -> Evaluation {
        let lines: Vec<Line> = (1..).zip(prices).map(|(id, price)| line(id, *price)).collect();
        let lines: Vec<&Line> = lines.iter().collect();
        evaluate(&lines, offers, coupons, &Allotted::default(), now_s, Currency::CNY).unwrap()
    }

    fn left(outcome: &Evaluation) -> Vec<i64> {
        outcome.charged.iter().map(|(_, amount)| amount.minor).collect()
    }

    #[test]
    fn an_offer_holds_from_its_first_second_until_its_last() {
        for (now_s, charged) in [(9, 10_000), (10, 9_000), (19, 9_000), (20, 10_000)] {
            assert_eq!(left(&run(&[10_000], &[spend_save("a", 10_000, 1_000)], &[], now_s)), [charged]);
        }
    }

    #[test]
    fn every_offer_is_held_against_the_same_gross_in_any_order() {
        let (low, high) = (spend_save("low", 10_000, 1_000), spend_save("high", 20_000, 2_500));
        let one = run(&[20_000], &[low.clone(), high.clone()], &[], 15);
        let other = run(&[20_000], &[high, low], &[], 15);
        assert_eq!((left(&one), left(&other)), (vec![16_500], vec![16_500]));
    }

    #[test]
    fn lines_that_give_money_back_neither_count_nor_pay() {
        let outcome = run(&[10_000, -500], &[spend_save("a", 10_000, 1_000)], &[], 15);
        assert_eq!(left(&outcome), [9_000, -500]);
        assert!(
            run(&[-500], &[], &[coupon("s", CouponTerms::AmountOff(fen(5)), None)], 15).discounts.is_empty()
        );
    }

    #[test]
    fn what_a_quota_limits_comes_off_while_the_till_holds_a_lease_and_is_named_when_not() {
        let offer = Offer { campaign: Some(4), ..spend_save("first", 1_000, 100) };
        let coupons = ["s", "t"].map(|serial| coupon(serial, CouponTerms::AmountOff(fen(50)), None));
        let lines = [line(1, 5_000)];
        let run = |allotted: &Allotted| {
            let lines: Vec<&Line> = lines.iter().collect();
            evaluate(&lines, std::slice::from_ref(&offer), &coupons, allotted, 15, Currency::CNY).unwrap()
        };
        let drawn = |outcome: &Evaluation| {
            outcome.discounts.iter().map(|off| (off.campaign, off.lease)).collect::<Vec<_>>()
        };
        let mut allotted = Allotted::default();
        allotted.add(4, 7, 1);
        allotted.add(1, 3, 1);
        allotted.add(1, 4, 1);
        let all = run(&allotted);
        assert_eq!(drawn(&all), [(Some(4), Some(7)), (Some(1), Some(3)), (Some(1), Some(4))]);
        assert!(all.without.is_empty());
        let mut spent = Allotted::default();
        spent.limit(4);
        spent.add(1, 9, 1);
        let some = run(&spent);
        assert_eq!(drawn(&some), [(Some(1), Some(9))]);
        assert_eq!(some.without.iter().map(|without| without.campaign).collect::<Vec<_>>(), [4, 1]);
        assert_eq!(left(&some), [4_950]);
    }

    #[test]
    fn a_coupon_takes_no_more_than_is_left() {
        let coupons = ["s", "t"].map(|serial| coupon(serial, CouponTerms::AmountOff(fen(700)), None));
        let outcome = run(&[500, 400], &[], &coupons, 15);
        assert_eq!(outcome.discounts.iter().map(|off| off.amount.minor).collect::<Vec<_>>(), [700, 200]);
        assert_eq!(left(&outcome), [0, 0]);
        let third = coupon("u", CouponTerms::BasisPointsOff(10_001), Some(1));
        assert_eq!(run(&[0], &[], &[third], 15).idle, [("u".to_owned(), fen(1))]);
    }

    proptest! {
        #[test]
        fn what_comes_off_is_what_the_lines_lose(
            prices in proptest::collection::vec(-2_000..20_000_i64, 0..12),
            save in 1..5_000_i64,
            off in 0..9_000_i64,
            points in 0..12_000_u32,
        ) {
            let coupons = [
                coupon("s", CouponTerms::AmountOff(fen(off)), None),
                coupon("t", CouponTerms::BasisPointsOff(points), Some(300)),
            ];
            let outcome = run(&prices, &[spend_save("a", 5_000, save)], &coupons, 15);
            let taken: i64 = outcome.discounts.iter().map(|off| off.amount.minor).sum();
            prop_assert_eq!(left(&outcome).iter().sum::<i64>() + taken, prices.iter().sum::<i64>());
            for ((_, charged), price) in outcome.charged.iter().zip(&prices) {
                prop_assert!(charged.minor <= *price && charged.minor >= (*price).min(0));
            }
            for off in &outcome.discounts {
                prop_assert_eq!(off.shares.iter().map(|(_, share)| share.minor).sum::<i64>(), off.amount.minor);
            }
        }
    }
}
