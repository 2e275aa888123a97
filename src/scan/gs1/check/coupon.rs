//! Coupons of North America (8110) and coupons of a positive offer file (8112): their inner fields.
//!
//! Source: GS1 US, North American Coupon Application Guideline, and GS1 General Specifications 3.9.9 and 3.9.11.
//! Only the form is checked; what such a coupon takes off is decided elsewhere.

use super::{DayZero, Wrong, date};
use crate::scan::gs1::Gs1Fault;

/// Digits that are taken from the front.
struct Fields<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Fields<'a> {
    fn new(text: &'a str) -> Result<Self, Wrong> {
        match text.bytes().position(|byte| !byte.is_ascii_digit()) {
            Some(place) => Err((place, Gs1Fault::Value("a coupon has digits only"))),
            None => Ok(Self { text, at: 0 }),
        }
    }

    fn take(&mut self, length: usize, what: &'static str) -> Result<&'a str, Wrong> {
        let taken = self.text.get(self.at..self.at + length).ok_or((self.at, Gs1Fault::Value(what)))?;
        self.at += length;
        Ok(taken)
    }

    /// One digit that must be among those allowed.
    fn digit(&mut self, allowed: &str, what: &'static str) -> Result<usize, Wrong> {
        let at = self.at;
        let digit = self.take(1, what)?;
        if !allowed.contains(digit) {
            return Err((at, Gs1Fault::Value(what)));
        }
        Ok(digit.bytes().fold(0, |_, byte| usize::from(byte - b'0')))
    }

    /// A digit that says how long the field behind it is, beyond `least`.
    fn counted(&mut self, allowed: &str, least: usize, what: &'static str) -> Result<(), Wrong> {
        let length = self.digit(allowed, what)? + least;
        self.take(length, what).map(|_| ())
    }

    fn is_done(&self) -> bool {
        self.at == self.text.len()
    }
}

/// 8110.
pub(super) fn check(text: &str) -> Result<(), Wrong> {
    let mut fields = Fields::new(text)?;
    fields.counted("0123456", 6, "the coupon's company prefix is not right")?;
    fields.take(6, "the coupon's offer code is shorter than six digits")?;
    fields.counted("12345", 0, "the coupon's save value is not right")?;
    fields.counted("12345", 0, "the coupon's first purchase requirement is not right")?;
    fields.digit("012349", "the coupon's first purchase requirement code is not right")?;
    fields.take(3, "the coupon's first family code is shorter than three digits")?;
    optional_fields(&mut fields)?;
    if !fields.is_done() {
        return Err((fields.at, Gs1Fault::Value("the coupon has more digits than it should")));
    }
    Ok(())
}

/// Fields that begin with their number, each at most once and in order.
fn optional_fields(fields: &mut Fields<'_>) -> Result<(), Wrong> {
    let (mut start, mut expiry) = (None, None);
    for number in ["1", "2", "3", "4", "5", "6", "9"] {
        if !fields.text[fields.at..].starts_with(number) {
            continue;
        }
        fields.at += 1;
        match number {
            "1" => {
                fields.digit("0123", "the coupon's additional purchase rules code is not right")?;
                purchase(fields)?;
            }
            "2" => purchase(fields)?,
            "3" => expiry = Some(day(fields)?),
            "4" => start = Some(day(fields)?),
            "5" => fields.counted("0123456789", 6, "the coupon's serial number is not right")?,
            "6" => fields.counted("1234567", 6, "the coupon's retailer is not right")?,
            _ => miscellaneous(fields)?,
        }
    }
    if start.zip(expiry).is_some_and(|(start, expiry)| expiry < start) {
        return Err((0, Gs1Fault::Value("the coupon ends before it begins")));
    }
    Ok(())
}

/// A further purchase: requirement, its code, family code, company prefix or 9 for none.
fn purchase(fields: &mut Fields<'_>) -> Result<(), Wrong> {
    fields.counted("12345", 0, "the coupon's further purchase requirement is not right")?;
    fields.digit("012349", "the coupon's further purchase requirement code is not right")?;
    fields.take(3, "the coupon's further family code is shorter than three digits")?;
    let what = "the coupon's further company prefix is not right";
    match fields.digit("01234569", what)? {
        9 => Ok(()),
        length => fields.take(length + 6, what).map(|_| ()),
    }
}

fn day<'a>(fields: &mut Fields<'a>) -> Result<&'a str, Wrong> {
    let at = fields.at;
    let text = fields.take(6, "the coupon's date is shorter than six digits")?;
    date(text, DayZero::Refused).map(|()| text).map_err(|(place, why)| (at + place, why))
}

/// Save value code, what it applies to, store coupon flag, don't-multiply flag.
fn miscellaneous(fields: &mut Fields<'_>) -> Result<(), Wrong> {
    fields.digit("01256", "the coupon's save value code is not right")?;
    fields.digit("012", "what the coupon's save value applies to is not right")?;
    fields.digit("0123456789", "the coupon's store flag is missing")?;
    fields.digit("01", "the coupon's don't-multiply flag is not right").map(|_| ())
}

/// 8112.
pub(super) fn check_positive_offer(text: &str) -> Result<(), Wrong> {
    let mut fields = Fields::new(text)?;
    fields.digit("01", "the coupon's format code is neither 0 nor 1")?;
    fields.counted("0123456", 6, "the coupon's funder is not right")?;
    fields.take(6, "the coupon's offer code is shorter than six digits")?;
    fields.counted("0123456789", 6, "the coupon's serial number is not right")?;
    if !fields.is_done() {
        return Err((fields.at, Gs1Fault::Value("the coupon has more digits than it should")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the published test suites of GS1's syntax dictionary.
    #[test]
    fn coupons_are_held_against_published_examples() {
        for text in ["001234561234560123456", "061234567890121234569123456789012345", "101234561234560123456"]
        {
            assert!(check_positive_offer(text).is_ok(), "{text}");
        }
        for text in
            ["201234561234560123456", "0", "07", "01123456", "00123456123456", "0012345612345601234567"]
        {
            assert!(check_positive_offer(text).is_err(), "{text}");
        }
        for text in ["01234561234561111091230", "012345612345611110123", "0123456123456111101239001", "0"] {
            // A shortest coupon has prefix, offer, save value, requirement, code and family.
            assert_eq!(check(text).is_ok(), text == "012345612345611110123", "{text}");
        }
        for text in [
            "71234567890123",
            "012345",
            "0123456123456",
            "01234561234560",
            "012345612345611115",
            "012345612345611110123101231",
            "0123456123456111101233200010",
            "01234561234561111012335006064500607",
            "01234561234561111012360",
            "01234561234561111012393",
            "01234561234561111012390002",
            "012345612345611110123900000",
            "01234561234561111012A",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        for text in [
            "0123456123456111101233260607",
            "0123456123456111101233260607",
            "01234561234561111012390001",
            "0123456123456111101232110123911",
        ] {
            let good = !text.ends_with("911");
            assert_eq!(check(text).is_ok(), good, "{text}");
        }
    }
}
