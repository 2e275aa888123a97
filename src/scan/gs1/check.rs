//! Checks on the parts of a value: check digits, dates, codes, ranges.
//!
//! Sources: GS1 General Specifications, section 7.9 (check digits and pairs), 7.12 (dates), and section 3 for each
//! identifier; ISO 13616 (IBAN). A failure says where in the part, from 0, and what. Not here: which part has
//! which check (`table`).

mod codes;
mod coupon;

use super::Gs1Fault;
use super::part::Check;
use crate::scan::gtin;

/// Where in the part something is wrong, and what.
pub(super) type Wrong = (usize, Gs1Fault);

/// Holds one check against a part whose characters and length are right.
pub(super) fn check(check: Check, text: &str) -> Result<(), Wrong> {
    let last = text.len().saturating_sub(1);
    match check {
        Check::Csum => must(gtin::has_check_digit(text), last, Gs1Fault::Check("check digit is wrong")),
        Check::CsumAlpha => check_pair(text),
        Check::Gcp1 => company_prefix(text, 0),
        Check::Gcp2 => company_prefix(text, 1),
        Check::Yymmdd => date(text, DayZero::Refused),
        Check::Yymmd0 => date(text, DayZero::EndOfMonth),
        Check::Yyyymmdd => long_date(text),
        Check::Hh => below(text, 24, "there is no such hour"),
        Check::Mi => below(text, 60, "there is no such minute"),
        Check::Ss => below(text, 60, "there is no such second"),
        Check::Hhmi => {
            below(&text[..2], 24, "there is no such hour")?;
            below(&text[2..], 60, "there is no such minute").map_err(|(place, why)| (place + 2, why))
        }
        Check::Iso3166 => {
            value(codes::is_country(text), "it is no country's code in three digits (ISO 3166)")
        }
        Check::Iso3166Or999 => value(
            text == "999" || codes::is_country(text),
            "it is no country's code in three digits (ISO 3166), nor 999",
        ),
        Check::Iso3166Alpha2 => {
            value(codes::is_country_alpha(text), "it is no country's code in two letters (ISO 3166)")
        }
        Check::Iso4217 => {
            value(codes::is_currency(text), "it is no currency's code in three digits (ISO 4217)")
        }
        Check::Iso5218 => one_of(text, "0129", "it is none of 0, 1, 2 and 9 (ISO 5218)"),
        Check::Zero => one_of(text, "0", "it is not zero"),
        Check::NonZero => value(text.bytes().any(|byte| byte != b'0'), "it is zero"),
        Check::Iban => iban(text),
        Check::Winding => one_of(text, "019", "a roll is wound in the direction 0, 1 or 9"),
        Check::PieceOfTotal => piece_of_total(text),
        Check::Latitude => value(number(text) <= 1_800_000_000, "there is no such latitude"),
        Check::Longitude => value(number(text) <= 3_600_000_000, "there is no such longitude"),
        Check::PercentEncoded => percent_encoded(text),
        Check::YesNo => one_of(text, "01", "it is neither 0 nor 1"),
        Check::Hyphen => one_of(text, "-", "only a hyphen may stand there"),
        Check::ImporterIndex => value(
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
            "an importer's index is a letter, a digit, - or _",
        ),
        Check::PackageType => value(codes::is_package(text), "there is no such type of package"),
        Check::MediaType => value(matches!(number(text), 1..=10 | 80..=99), "there is no such type of media"),
        Check::PositionInSequence => position_in_sequence(text),
        Check::NoZeroPrefix => value(!(text.len() > 1 && text.starts_with('0')), "it begins with a zero"),
        Check::HasNonDigit => value(
            text.bytes().any(|byte| !byte.is_ascii_digit()),
            "it has digits only, and needs another character",
        ),
        Check::Coupon => coupon::check(text),
        Check::PositiveOffer => coupon::check_positive_offer(text),
    }
}

fn must(holds: bool, place: usize, why: Gs1Fault) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err((place, why)) }
}

fn value(holds: bool, why: &'static str) -> Result<(), Wrong> {
    must(holds, 0, Gs1Fault::Value(why))
}

fn one_of(text: &str, allowed: &str, why: &'static str) -> Result<(), Wrong> {
    match text.bytes().position(|byte| !allowed.as_bytes().contains(&byte)) {
        Some(place) => Err((place, Gs1Fault::Value(why))),
        None => Ok(()),
    }
}

/// The digits as a number; parts have at most eighteen where this is asked.
fn number(digits: &str) -> u64 {
    digits.bytes().fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

fn below(digits: &str, limit: u64, why: &'static str) -> Result<(), Wrong> {
    value(number(digits) < limit, why)
}

/// A company's prefix has at least four digits.
fn company_prefix(text: &str, from: usize) -> Result<(), Wrong> {
    let prefix = text.as_bytes().get(from..from + 4);
    let prefix = prefix.ok_or((0, Gs1Fault::Value("it is too short for a company's prefix")))?;
    match prefix.iter().position(|byte| !byte.is_ascii_digit()) {
        Some(place) => Err((from + place, Gs1Fault::Value("it does not begin with a company's prefix"))),
        None => Ok(()),
    }
}

/// What a day of 00 means.
#[derive(Clone, Copy)]
enum DayZero {
    Refused,
    /// The last day of the month (GS1 General Specifications, 3.4).
    EndOfMonth,
}

fn date(text: &str, zero: DayZero) -> Result<(), Wrong> {
    // Leap years are those that four divides: 2000 was one, and two digits reach no other century's end.
    day_of_month(number(&text[..2]), &text[2..4], &text[4..], zero).map_err(|(place, why)| (place + 2, why))
}

fn long_date(text: &str) -> Result<(), Wrong> {
    let wrong = |(place, why)| (place + 4, why);
    day_of_month(number(&text[..4]), &text[4..6], &text[6..], DayZero::Refused).map_err(wrong)
}

fn day_of_month(year: u64, month: &str, day: &str, zero: DayZero) -> Result<(), Wrong> {
    let leap =
        year.is_multiple_of(4) && (year < 100 || !year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match number(month) {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return Err((0, Gs1Fault::Value("there is no such month"))),
    };
    let least = match zero {
        DayZero::Refused => 1,
        DayZero::EndOfMonth => 0,
    };
    must((least..=days).contains(&number(day)), 2, Gs1Fault::Value("there is no such day"))
}

/// Piece and total of an item in several pieces, two digits each.
fn piece_of_total(text: &str) -> Result<(), Wrong> {
    let (piece, total) = (number(&text[..2]), number(&text[2..]));
    value(piece != 0, "there is no piece 00")?;
    must(total != 0, 2, Gs1Fault::Value("there is no total of 00"))?;
    value(piece <= total, "the piece's number is beyond their total")
}

/// `1/3`
fn position_in_sequence(text: &str) -> Result<(), Wrong> {
    let wrong = Gs1Fault::Value("it is not a place and a total such as 1/3");
    let (place, total) = text.split_once('/').ok_or((0, wrong.clone()))?;
    let digit =
        |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit() && byte != b'0');
    must(digit(place) && digit(total) && place <= total, 0, wrong)
}

fn percent_encoded(text: &str) -> Result<(), Wrong> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = bytes.get(at + 1..at + 3);
            let good = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            must(good, at, Gs1Fault::Value("behind % two hexadecimal digits are missing"))?;
            at += 2;
        }
        at += 1;
    }
    Ok(())
}

/// ISO 13616: the country's two letters, and a remainder of one after moving four characters to the end.
fn iban(text: &str) -> Result<(), Wrong> {
    const SHORTEST: usize = 11;
    let country = text.get(..2).unwrap_or_default();
    value(codes::is_country_alpha(country), "it does not begin with a country's two letters")?;
    value(text.len() >= SHORTEST, "it is too short for an IBAN")?;
    let (head, tail) = text.split_at(4);
    let mut remainder = 0;
    for (place, byte) in tail.bytes().chain(head.bytes()).enumerate() {
        let digit = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' => u32::from(byte - b'A') + 10,
            _ => {
                let place = (place + 4) % text.len();
                return Err((place, Gs1Fault::Value("an IBAN has capital letters and digits only")));
            }
        };
        remainder = (remainder * if digit < 10 { 10 } else { 100 } + digit) % 97;
    }
    must(remainder == 1, 2, Gs1Fault::Check("check digits are wrong"))
}

/// The set of 82 in the order of its weights, and the set of 32 that check characters are from (GS1 General
/// Specifications, 7.9.5).
const SET_82: &[u8; 82] =
    b"!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const SET_32: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// One weight for each of the 23 characters before the pair: the first primes, from the right.
const PRIMES: [usize; 23] =
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];

fn check_pair(text: &str) -> Result<(), Wrong> {
    let short = (0, Gs1Fault::Value("it is too short for its check characters"));
    let (body, pair) = text.len().checked_sub(2).and_then(|cut| text.split_at_checked(cut)).ok_or(short)?;
    let weight = |byte: u8| SET_82.iter().position(|known| *known == byte).unwrap_or_default();
    let sum: usize = body.bytes().rev().zip(PRIMES).map(|(byte, prime)| weight(byte) * prime).sum();
    let sum = sum % 1021;
    let expected = [SET_32[sum >> 5], SET_32[sum & 31]];
    must(pair.as_bytes() == expected, body.len(), Gs1Fault::Check("check characters are wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(which: Check, text: &str) -> bool {
        check(which, text).is_ok()
    }

    #[test]
    fn dates_are_of_the_calendar() {
        for (text, strict, lenient) in [
            ("261231", true, true),
            ("261200", false, true),
            ("261301", false, false),
            ("260001", false, false),
            ("240229", true, true),
            ("260229", false, false),
            ("000229", true, true),
            ("260431", false, false),
        ] {
            assert_eq!((good(Check::Yymmdd, text), good(Check::Yymmd0, text)), (strict, lenient), "{text}");
        }
        assert!(good(Check::Yyyymmdd, "20000229") && !good(Check::Yyyymmdd, "19000229"));
        assert!(good(Check::Hhmi, "2359") && !good(Check::Hhmi, "2400") && !good(Check::Hhmi, "2360"));
        assert_eq!(check(Check::Yymmdd, "261301").unwrap_err().0, 2);
    }

    /// Examples of the published test suites of GS1's syntax dictionary.
    #[test]
    fn check_characters_and_ibans_are_held_against_published_examples() {
        for text in ["1987654Ad4X4bL5ttr2310c2K", "12345678901234567890123NT", "12345_ABCDEFGHIJKLMCP", "22"]
        {
            assert!(good(Check::CsumAlpha, text), "{text}");
        }
        for text in ["1987654Ad4X4bL5ttr2310cXK", "1987654Ad4X4bL5ttr2310c2X", "33", "2", ""] {
            assert!(!good(Check::CsumAlpha, text), "{text}");
        }
        for text in ["FR7630006000011234567890189", "BE71096123456769", "MT90MALT011000012345MTLCAST001SABC"]
        {
            assert!(good(Check::Iban, text), "{text}");
        }
        for text in ["BE71096123456760", "XX361234567890", "BE71", "B", "FR12_45678901234"] {
            assert!(!good(Check::Iban, text), "{text}");
        }
    }

    #[test]
    fn ranges_and_forms_hold_at_their_borders() {
        for (which, right, wrong) in [
            (Check::PieceOfTotal, "0202", "0302"),
            (Check::PieceOfTotal, "0101", "0001"),
            (Check::Latitude, "1800000000", "1800000001"),
            (Check::Longitude, "3600000000", "3600000001"),
            (Check::PositionInSequence, "3/3", "3/2"),
            (Check::PositionInSequence, "1/1", "0/1"),
            (Check::MediaType, "10", "11"),
            (Check::MediaType, "80", "79"),
            (Check::PercentEncoded, "A%20B", "A%2"),
            (Check::NoZeroPrefix, "0", "01"),
            (Check::HasNonDigit, "12A", "123"),
            (Check::NonZero, "0001", "0000"),
            (Check::Winding, "9", "2"),
            (Check::Hyphen, "-", "X"),
            (Check::Gcp1, "1234A", "123A5"),
            (Check::Gcp2, "A1234", "1234"),
        ] {
            assert!(good(which, right) && !good(which, wrong), "{which:?} {right} {wrong}");
        }
    }
}
