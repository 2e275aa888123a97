//! Sales as the journal tells of them: totals, money in, receipts in their series, coupons and visits.

use super::About;
use crate::audit::code;
use crate::audit::report::{Counts, Finding, Findings, Place};
use crate::money::{Money, MoneyError};
use crate::record::body::{LineTotal, SaleKind};
use crate::record::ids::SaleId;
use crate::record::{Epoch, Mode};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// A receipt that was issued.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Issued {
    pub(in crate::audit) seq: u64,
    pub(in crate::audit) sale: Option<SaleId>,
    pub(in crate::audit) total: Money,
}

/// How serials of value vouchers begin.
const VOUCHERS: &str = "G1-";

/// A coupon or a voucher that was redeemed.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Coupon {
    pub(in crate::audit) serial: String,
    pub(in crate::audit) sale: Option<SaleId>,
}

/// A member who came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::audit) struct Visit {
    pub(in crate::audit) member: String,
    pub(in crate::audit) business_date: String,
}

/// What is remembered of a sale.
struct Told {
    kind: SaleKind,
    place: Place,
    fixed: Option<Money>,
    /// Nothing came in yet: none. Sums that do not add up: an error.
    money_in: Option<Result<Money, MoneyError>>,
    receipt: Option<(u64, Money)>,
    void: bool,
}

/// All of them.
#[derive(Default)]
pub(in crate::audit) struct Sales {
    by_id: BTreeMap<SaleId, Told>,
    /// Receipts of business, by series and number.
    pub(in crate::audit) receipts: BTreeMap<(Epoch, u64), Issued>,
    /// The last number of each series: of business, and of practice.
    last: BTreeMap<Epoch, [u64; 2]>,
    /// Redemptions of business, by record.
    pub(in crate::audit) coupons: BTreeMap<Place, Coupon>,
    serials: BTreeMap<String, Place>,
    /// Visits of business, by record.
    pub(in crate::audit) visits: BTreeMap<Place, Visit>,
}

impl Sales {
    pub(super) fn open(&mut self, about: About, kind: SaleKind) {
        let Some(sale) = about.sale else { return };
        let place = about.place;
        let told = Told { kind, place, fixed: None, money_in: None, receipt: None, void: false };
        self.by_id.entry(sale).or_insert(told);
    }

    fn told(&mut self, about: About) -> Option<&mut Told> {
        self.by_id.get_mut(&about.sale?)
    }

    pub(super) fn void(&mut self, about: About) {
        if let Some(told) = self.told(about) {
            told.void = true;
        }
    }

    pub(super) fn fix(
        &mut self,
        about: About,
        total: Money,
        sums: Result<bool, MoneyError>,
        findings: &mut Findings,
    ) {
        if sums != Ok(true) {
            let words = format!("The total {total} is not the sum of its lines, discounts and taxes.");
            findings.add(Finding::new(code::TOTAL_SUM, words).sale(about.sale).at(about.place));
        }
        if let Some(told) = self.told(about) {
            told.fixed = Some(total);
        }
    }

    pub(super) fn release(&mut self, about: About) {
        if let Some(told) = self.told(about) {
            told.fixed = None;
        }
    }

    pub(super) fn came_in(&mut self, about: About, money: Result<Money, MoneyError>) {
        if let Some(told) = self.told(about) {
            told.money_in = Some(match told.money_in.take() {
                None => money,
                Some(before) => before.and_then(|before| before.plus(money?)),
            });
        }
    }

    /// Money that goes back of a sale without a receipt. What goes back later leaves the receipt as it is.
    pub(super) fn went_out(&mut self, about: About, money: Money) {
        if self.told(about).is_some_and(|told| told.receipt.is_none()) {
            self.came_in(about, money.negated());
        }
    }

    pub(super) fn issue(&mut self, number: Option<u64>, about: About, total: Money, findings: &mut Findings) {
        let mut add = |code, words: String| {
            findings.add(Finding::new(code, words).sale(about.sale).at(about.place));
        };
        let Place { epoch, seq } = about.place;
        let Some(number) = number else {
            let words = format!("Record {seq} issues a receipt without a number.");
            return add(code::RECEIPT_WITHOUT_NUMBER, words);
        };
        if let Some(told) = self.told(about) {
            if let Some((first, _)) = told.receipt {
                add(code::RECEIPT_TWICE, format!("One sale has the receipts {first} and {number}."));
            }
            told.receipt = told.receipt.or(Some((number, total)));
        }
        let last = self.last.entry(epoch).or_default();
        let own = usize::from(about.mode == Mode::Training);
        // Practice may count in the series of business or in one of its own: both are without gaps.
        let due = [last[own].saturating_add(1), last[0].max(last[1]).saturating_add(1)];
        if number <= last[own] {
            let words =
                format!("Receipt {number} was issued after receipt {}: twice, or out of order.", last[own]);
            add(code::RECEIPT_TWICE, words);
        } else if !due.contains(&number) {
            let words =
                format!("Receipt {number} was issued where {} was due: look for the sales between.", due[1]);
            add(code::RECEIPT_GAP, words);
        }
        last[own] = last[own].max(number);
        if about.mode == Mode::Live {
            self.receipts.entry((epoch, number)).or_insert(Issued { seq, sale: about.sale, total });
        }
    }

    pub(super) fn redeem(&mut self, serial: Option<&str>, about: About, findings: &mut Findings) {
        if about.mode == Mode::Training {
            return;
        }
        let serial = serial.unwrap_or_default().to_owned();
        if let Some(first) = self.serials.get(&serial) {
            let words = format!("The coupon {serial} was redeemed in record {} already.", first.seq);
            findings.add(Finding::new(code::COUPON_TWICE, words).sale(about.sale).at(about.place));
        }
        self.serials.entry(serial.clone()).or_insert(about.place);
        self.coupons.insert(about.place, Coupon { serial, sale: about.sale });
    }

    pub(super) fn visit(&mut self, about: About, member: String, day: Date) {
        if about.mode == Mode::Live {
            self.visits.insert(about.place, Visit { member, business_date: day.to_string() });
        }
    }

    /// Holds each sale's receipt against the money that came in for it.
    pub(super) fn close(&self, findings: &mut Findings) {
        for (sale, told) in self.by_id.iter().filter(|(_, told)| told.kind == SaleKind::Sale) {
            let mut add = |code, words: String| {
                findings.add(Finding::new(code, words).sale(Some(*sale)).at(told.place));
            };
            let money = match &told.money_in {
                Some(Ok(money)) => Some(*money),
                Some(Err(error)) => {
                    add(code::RECEIPT_MONEY, format!("The money for a sale cannot be summed: {error}."));
                    continue;
                }
                None => None,
            };
            let Some((number, total)) = told.receipt else {
                let covers = |money: Money| told.fixed.is_some_and(|fixed| money.minor >= fixed.minor);
                if let Some(money) =
                    money.filter(|money| money.is_positive() && (told.void || covers(*money)))
                {
                    add(
                        code::MONEY_WITHOUT_RECEIPT,
                        format!("{money} came in for a sale that has no receipt."),
                    );
                }
                continue;
            };
            if told.fixed.is_some_and(|fixed| fixed != total) {
                let fixed = told.fixed.unwrap_or(total);
                add(
                    code::RECEIPT_TOTAL,
                    format!("Receipt {number} says {total}, the fixed total was {fixed}."),
                );
            }
            let money = money.unwrap_or(Money::zero(total.currency));
            if money != total {
                add(
                    code::RECEIPT_MONEY,
                    format!("Receipt {number} says {total}, and {money} came in for it."),
                );
            }
        }
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        counts.receipts = count(self.receipts.len());
        let vouchers = self.coupons.values().filter(|code| code.serial.starts_with(VOUCHERS)).count();
        counts.vouchers = count(vouchers);
        counts.coupons = count(self.coupons.len() - vouchers);
        let visits: BTreeSet<_> = self.visits.values().collect();
        counts.check_ins = count(visits.len());
    }
}

/// Whether a total is the sum of its lines: gross less discount, with tax inside or on top, and whether the
/// discounts and taxes beside it are those of its lines.
pub(super) fn sums_hold(
    lines: &[LineTotal],
    discounts: impl Iterator<Item = Money>,
    taxes: impl Iterator<Item = Money>,
    total: Money,
) -> Result<bool, MoneyError> {
    let currency = total.currency;
    let mut due = Money::zero(currency);
    let mut off = Money::zero(currency);
    let mut tax = Money::zero(currency);
    for line in lines {
        let charged = line.gross.minus(line.discount)?;
        let with_tax = line.taxed.base.plus(line.taxed.tax)?;
        if charged != with_tax && charged != line.taxed.base {
            return Ok(false);
        }
        due = due.plus(with_tax)?;
        off = off.plus(line.discount)?;
        tax = tax.plus(line.taxed.tax)?;
    }
    Ok(due == total && off == Money::sum(discounts, currency)? && tax == Money::sum(taxes, currency)?)
}
