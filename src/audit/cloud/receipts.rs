//! Receipts, redeemed coupons and counted visits: each at the cloud once, or refused by a verdict.

use super::Side;
use crate::audit::books::{Coupon, Visit};
use crate::audit::report::{Finding, Findings, Place};
use crate::audit::{Error, code};
use crate::record::ids::SaleId;
use std::collections::{BTreeMap, BTreeSet};

/// The place that a row of the cloud names, if its words can be read.
fn place(epoch: &str, seq: i64) -> Option<Place> {
    Some(Place { epoch: epoch.parse().ok()?, seq: u64::try_from(seq).ok()? })
}

/// Who redeemed a coupon or brought a member, by the cloud: the till and the record.
struct First {
    terminal: String,
    place: Option<Place>,
}

impl Side<'_> {
    pub(super) fn receipts(&self, findings: &mut Findings) -> Result<(), Error> {
        let sql = "SELECT epoch, number, seq, sale, total_minor, currency FROM receipt WHERE terminal = ?1
            ORDER BY epoch, number";
        let mut seen = BTreeSet::new();
        self.cloud.each(sql, [self.terminal], |row| {
            let (epoch, number, seq): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let sale: Option<String> = row.get(3)?;
            let (total, currency): (i64, String) = (row.get(4)?, row.get(5)?);
            let key = epoch.parse().ok().zip(u64::try_from(number).ok());
            let known = key.and_then(|key| Some((key, self.books.sales.receipts.get(&key)?)));
            let Some((key, issued)) = known else {
                let words = format!(
                    "The cloud has receipt {number} of epoch {epoch}, which the journal did not issue."
                );
                findings.add(Finding::new(code::RECEIPT_AT_CLOUD, words));
                return Ok(());
            };
            seen.insert(key);
            let same = Ok(issued.seq) == u64::try_from(seq)
                && issued.sale.map(|sale| sale.to_string()) == sale
                && issued.total.minor == total
                && issued.total.currency.code() == currency;
            if !same {
                let words =
                    format!("Receipt {number} is {} in the journal and another at the cloud.", issued.total);
                let place = Place { epoch: key.0, seq: issued.seq };
                findings.add(Finding::new(code::RECEIPT_AT_CLOUD, words).sale(issued.sale).at(place));
            }
            Ok(())
        })?;
        for (key, issued) in &self.books.sales.receipts {
            let place = Place { epoch: key.0, seq: issued.seq };
            if self.has_booked(place) && !seen.contains(key) {
                let words = format!("The cloud does not have receipt {}.", key.1);
                findings.add(Finding::new(code::RECEIPT_AT_CLOUD, words).sale(issued.sale).at(place));
            }
        }
        Ok(())
    }

    /// Coupons and vouchers: their serials say which.
    pub(super) fn coupons(&self, findings: &mut Findings) -> Result<(), Error> {
        let mut spent: BTreeMap<String, First> = BTreeMap::new();
        let sql = "SELECT serial, terminal, epoch, seq FROM coupon_redemption
                   UNION ALL SELECT serial, terminal, epoch, seq FROM voucher_redemption";
        self.cloud.each(sql, [], |row| {
            let epoch: String = row.get(2)?;
            spent.insert(row.get(0)?, First { terminal: row.get(1)?, place: place(&epoch, row.get(3)?) });
            Ok(())
        })?;
        for (place, Coupon { serial, sale }) in &self.books.sales.coupons {
            if !self.has_booked(*place)
                || self.is_first(spent.get(serial), *place)
                || self.has_refused(*place)?
            {
                continue;
            }
            let words = format!(
                "The code {serial} was redeemed here, and the cloud neither has that nor refused it."
            );
            findings.add(Finding::new(code::COUPON_AT_CLOUD, words).sale(*sale).at(*place));
        }
        for (serial, first) in spent.iter().filter(|(_, first)| first.terminal == self.terminal) {
            let ours = first.place.and_then(|place| self.books.sales.coupons.get(&place));
            if ours.is_none_or(|coupon| coupon.serial != *serial) {
                let words =
                    format!("The cloud has the code {serial} as redeemed here, the journal does not.");
                findings.add(Finding::new(code::COUPON_AT_CLOUD, words));
            }
        }
        Ok(())
    }

    pub(super) fn visits(&self, findings: &mut Findings) -> Result<(), Error> {
        let mut counted: BTreeMap<Visit, First> = BTreeMap::new();
        let sql = "SELECT member, business_date, terminal, epoch, seq FROM check_in";
        self.cloud.each(sql, [], |row| {
            let visit = Visit { member: row.get(0)?, business_date: row.get(1)? };
            let epoch: String = row.get(3)?;
            counted.insert(visit, First { terminal: row.get(2)?, place: place(&epoch, row.get(4)?) });
            Ok(())
        })?;
        for (place, visit) in &self.books.sales.visits {
            // A member counts once a day: a second record of the day is covered by the first, wherever it is.
            if !self.has_booked(*place) || counted.contains_key(visit) || self.has_refused(*place)? {
                continue;
            }
            let words = format!(
                "A member was recognised on {}, and the cloud did not count it.",
                visit.business_date
            );
            findings.add(Finding::new(code::CHECK_IN_AT_CLOUD, words).at(*place));
        }
        for (visit, first) in counted.iter().filter(|(_, first)| first.terminal == self.terminal) {
            if first.place.and_then(|place| self.books.sales.visits.get(&place)) != Some(visit) {
                let words = format!(
                    "The cloud counted a visit here on {} that the journal does not have.",
                    visit.business_date
                );
                findings.add(Finding::new(code::CHECK_IN_AT_CLOUD, words));
            }
        }
        Ok(())
    }

    fn is_first(&self, first: Option<&First>, place: Place) -> bool {
        first.is_some_and(|first| first.terminal == self.terminal && first.place == Some(place))
    }

    /// The sale that an order of the cloud names.
    pub(super) fn sale_named(text: &str) -> Option<SaleId> {
        text.parse().ok()
    }
}
