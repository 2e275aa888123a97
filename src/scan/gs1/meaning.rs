//! What GS1 data says about the pack in the customer's hand: number, weight, price, dates, lot.
//!
//! Source: GS1 General Specifications, section 3 for each identifier, 7.12 for the century of a year. Not here:
//! what the shop does about it (`counter`).

use super::Gs1;
use crate::record::line::Unit;
use crate::scan::Gtin;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

/// How much is in the pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measure {
    /// Steps.
    pub value: u64,
    /// Decimal places of a step, 0 to 5.
    pub decimals: u8,
    /// What is measured.
    pub unit: Unit,
}

/// An amount of money on a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount {
    /// Steps.
    pub value: u64,
    /// Decimal places of a step, 0 to 9.
    pub decimals: u8,
    /// ISO 4217 numeric code, where the label says it; else the shop's own currency.
    pub currency: Option<u16>,
}

/// What a date on a pack is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByWhen {
    /// Use by (17, 7003): not safe after it.
    UseBy,
    /// Sell by (16).
    SellBy,
    /// Best before (15): a promise of quality.
    BestBefore,
}

/// A date on a pack, and the time of day where it has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    /// What it is about.
    pub by: ByWhen,
    /// The last day.
    pub date: Date,
    /// The last minute of that day, where the pack says it.
    pub time: Option<Time>,
}

impl Expiry {
    /// Whether it has passed at the shop's own time `now`, whose business day is `today`.
    pub fn is_past(&self, today: Date, now: DateTime) -> bool {
        match self.time {
            Some(time) => self.date.to_datetime(time) < now,
            None => self.date < today,
        }
    }
}

impl Gs1 {
    /// The item: its own number (01, 03, 8006), or that of what a case holds (02, 8026).
    pub fn gtin(&self) -> Option<Gtin> {
        let digits = ["01", "03", "8006", "02", "8026"].into_iter().find_map(|ai| self.get(ai))?;
        digits.get(..14)?.parse().ok()
    }

    /// Whether it is the label of a case or a pallet, not of something for sale.
    pub fn is_of_a_case(&self) -> bool {
        ["00", "02", "8026"].into_iter().any(|ai| self.get(ai).is_some())
    }

    /// Pieces in it: of a pack whose count varies (30), or of a case (37).
    pub fn count(&self) -> Option<u64> {
        ["30", "37"].into_iter().find_map(|ai| self.get(ai))?.parse().ok()
    }

    /// Its lot or batch (10).
    pub fn lot(&self) -> Option<&str> {
        self.get("10")
    }

    /// Its serial number (21).
    pub fn serial(&self) -> Option<&str> {
        self.get("21")
    }

    /// Its net weight in kilograms (310n), net volume in litres (315n) or length in metres (311n).
    pub fn measure(&self) -> Option<Measure> {
        let units = [("310", Unit::Kilogram), ("315", Unit::Litre), ("311", Unit::Metre)];
        units.into_iter().find_map(|(family, unit)| {
            let (decimals, value) = self.of_family(family)?;
            Some(Measure { value: value.parse().ok()?, decimals, unit })
        })
    }

    /// What the pack costs (392n, or 393n with its currency).
    pub fn price(&self) -> Option<Amount> {
        if let Some((decimals, value)) = self.of_family("392") {
            return Some(Amount { value: value.parse().ok()?, decimals, currency: None });
        }
        let (decimals, value) = self.of_family("393")?;
        let (currency, value) = value.split_at_checked(3)?;
        Some(Amount { value: value.parse().ok()?, decimals, currency: Some(currency.parse().ok()?) })
    }

    /// What a coupon takes off in percent (394n): steps and their decimal places.
    pub fn percent_off(&self) -> Option<(u64, u8)> {
        let (decimals, value) = self.of_family("394")?;
        Some((value.parse().ok()?, decimals))
    }

    /// The date after which it must not or should not be sold: the strictest that it has.
    ///
    /// Years have two digits; they are those nearest to `today`, from 49 years before it to 50 after.
    pub fn expiry(&self, today: Date) -> Option<Expiry> {
        if let Some(text) = self.get("7003") {
            let hour = text.get(6..8)?.parse().ok()?;
            let minute = text.get(8..10)?.parse().ok()?;
            let time = Time::new(hour, minute, 0, 0).ok();
            return Some(Expiry { by: ByWhen::UseBy, date: date(text.get(..6)?, today)?, time });
        }
        let kinds = [("17", ByWhen::UseBy), ("16", ByWhen::SellBy), ("15", ByWhen::BestBefore)];
        kinds
            .into_iter()
            .find_map(|(ai, by)| Some(Expiry { by, date: date(self.get(ai)?, today)?, time: None }))
    }

    /// The identifier of a family of four digits whose last says the decimal places, and its value.
    fn of_family(&self, family: &str) -> Option<(u8, &str)> {
        self.elements().iter().find_map(|element| {
            let decimals = element.ai.as_str().strip_prefix(family)?;
            Some((decimals.parse().ok()?, element.value.as_str()))
        })
    }
}

/// Six digits as a date; a day of 00 is the last of its month.
fn date(digits: &str, today: Date) -> Option<Date> {
    let (year, month, day): (i16, i8, i8) =
        (digits.get(..2)?.parse().ok()?, digits.get(2..4)?.parse().ok()?, digits.get(4..6)?.parse().ok()?);
    let this = today.year();
    let century = this - this.rem_euclid(100);
    let year = match year - this.rem_euclid(100) {
        51.. => century - 100 + year,
        ..=-50 => century + 100 + year,
        _ => century + year,
    };
    if day != 0 {
        return Date::new(year, month, day).ok();
    }
    let first = Date::new(year, month, 1).ok()?;
    first.checked_add(1.month()).ok()?.checked_sub(1.day()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Date {
        Date::new(2026, 11, 22).unwrap()
    }

    fn item(more: &str) -> Gs1 {
        Gs1::of_elements(&format!("0109506000134352{more}")).unwrap()
    }

    fn dated(digits: &str) -> String {
        item(&format!("17{digits}")).expiry(today()).unwrap().date.to_string()
    }

    #[test]
    fn years_are_the_nearest_and_day_zero_ends_the_month() {
        for (digits, day) in [
            ("261130", "2026-11-30"),
            ("261200", "2026-12-31"),
            ("280200", "2028-02-29"),
            ("490101", "2049-01-01"),
            ("760101", "2076-01-01"),
            ("770101", "1977-01-01"),
            ("000131", "2000-01-31"),
        ] {
            assert_eq!(dated(digits), day);
        }
        let late = Date::new(2095, 1, 1).unwrap();
        assert_eq!(item("17050101").expiry(late).unwrap().date.to_string(), "2105-01-01");
    }

    #[test]
    fn the_strictest_date_counts_to_its_last_minute() {
        let both = item("1526113017261123");
        let expiry = both.expiry(today()).unwrap();
        assert_eq!((expiry.by, expiry.date), (ByWhen::UseBy, Date::new(2026, 11, 23).unwrap()));
        let noon = |day: i8| Date::new(2026, 11, day).unwrap().at(12, 0, 0, 0);
        assert!(!expiry.is_past(noon(23).date(), noon(23)) && expiry.is_past(noon(24).date(), noon(24)));
        let timed = item("70032611221200").expiry(today()).unwrap();
        assert!(!timed.is_past(today(), noon(22)));
        assert!(timed.is_past(today(), Date::new(2026, 11, 22).unwrap().at(12, 1, 0, 0)));
    }

    #[test]
    fn weights_prices_and_counts_are_read_with_their_points() {
        let pack = item("310300125039222599");
        assert_eq!(pack.measure(), Some(Measure { value: 1250, decimals: 3, unit: Unit::Kilogram }));
        assert_eq!(pack.price(), Some(Amount { value: 2599, decimals: 2, currency: None }));
        let priced = item("30012\u{1d}39321562599");
        assert_eq!(priced.price(), Some(Amount { value: 2599, decimals: 2, currency: Some(156) }));
        assert_eq!(priced.count(), Some(12));
        assert_eq!(item("").price(), None);
    }
}
