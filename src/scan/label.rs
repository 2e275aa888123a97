//! Labels that counter scales print: an in-store number with a weight or a price inside, by ordered profiles.
//!
//! No standard says what stands where: GS1 leaves numbers that begin with 20 to 29 to each shop (General
//! Specifications, 2.1.12), so a shop says which forms its scales print and in which order they are tried. A
//! number that no profile fits is an ordinary number of the shop's own; nothing is guessed. Not here: what the
//! item costs (`counter`).

use super::gtin::{self, Gtin};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Profiles of one shop: scales of a few makers.
pub const PROFILES_MAX: usize = 20;

/// The longest label in digits.
const DIGITS_MAX: usize = 24;

/// How the digits of a label are laid out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelProfile {
    /// What people call it.
    pub name: String,
    /// What its labels begin with: `["20", "21"]`.
    pub prefixes: Vec<String>,
    /// One letter for each digit: `F` of the prefix, `P` of the item, `W` weight, `E` price, `Q` pieces, `V` a
    /// check digit over the price or weight behind it (GS1 General Specifications, 7.9.2 to 7.9.4), `X` anything,
    /// `C` the check digit at the end.
    pub pattern: String,
    /// Decimal places of a weight in kilograms.
    #[serde(default = "three")]
    pub weight_decimals: u8,
    /// Decimal places of a price in the shop's currency.
    #[serde(default = "two")]
    pub price_decimals: u8,
    /// From which end the last check digit is counted.
    #[serde(default)]
    pub check: CountFrom,
}

fn three() -> u8 {
    3
}

fn two() -> u8 {
    2
}

/// From which end the weights 3 and 1 of a check digit are counted. It matters for an odd number of digits only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountFrom {
    /// From the right, 3 first, as GS1 does.
    #[default]
    Right,
    /// From the left, 1 first, as EAN-13 looks to whoever counts from the left.
    Left,
}

/// What a label says. Its digits may be a pay code as well: they are not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    /// The profile that it was read by.
    pub profile: String,
    /// What it begins with: often the department.
    pub prefix: String,
    /// The item's number on the scale (PLU), with its zeros.
    pub plu: String,
    /// Weight in kilograms: steps and decimal places.
    pub weight: Option<(u64, u8)>,
    /// Price of the pack: steps and decimal places.
    pub price: Option<(u64, u8)>,
    /// Pieces in it.
    pub pieces: Option<u64>,
    /// All its digits.
    pub digits: String,
    /// The same with zeros for weight, price and pieces, and its check digit: the item's own number.
    pub item_ref: String,
}

impl Label {
    /// The label's item as a trade item number, where it has a length of one.
    pub fn item_gtin(&self) -> Option<Gtin> {
        self.item_ref.parse().ok()
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({}, {} digits)", self.profile, self.digits.len())
    }
}

/// Why a profile cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the label profile {name:?} cannot be used: {why}")]
pub struct ProfileError {
    /// Which.
    pub name: String,
    /// What is wrong, and what would be right.
    pub why: &'static str,
}

impl LabelProfile {
    fn built_in(name: &str, prefixes: &[&str], pattern: &str, check: CountFrom) -> Self {
        Self {
            name: name.to_owned(),
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            pattern: pattern.to_owned(),
            weight_decimals: three(),
            price_decimals: two(),
            check,
        }
    }

    /// The forms of a shop that says nothing: those of Chinese counter scales.
    pub fn usual() -> Vec<Self> {
        Self::all().into_iter().take(2).collect()
    }

    /// The forms that are known, by name. The first two are the usual ones.
    ///
    /// Sources: `cn13-price`, a vendor's note on Chinese counter scales (21 weighed, 20 by piece, price in fen up
    /// to 999.99); `cn18`, the 18 digits of the same scales, price before weight, whose check digit vendors count
    /// from either end; `kg13`, Odoo's `21.....{NNDDD}`; `kg7-5`, seven digits of the item and grams;
    /// `price4-verified` and `price5-verified`, GS1's own recommendation with an inner check digit.
    pub fn all() -> Vec<Self> {
        let in_store = ["20", "21", "22", "23", "24", "25", "26", "27", "28", "29"];
        vec![
            Self::built_in("cn13-price", &["20", "21"], "FFPPPPPEEEEEC", CountFrom::Right),
            Self::built_in("cn18", &in_store, "FFPPPPPEEEEEWWWWWC", CountFrom::Right),
            Self::built_in("cn18-left", &in_store, "FFPPPPPEEEEEWWWWWC", CountFrom::Left),
            Self::built_in("kg13", &["21"], "FFPPPPPWWWWWC", CountFrom::Right),
            Self::built_in("kg7-5", &["2"], "PPPPPPPWWWWWC", CountFrom::Right),
            Self::built_in("price4-verified", &in_store, "FFPPPPPVEEEEC", CountFrom::Right),
            Self::built_in("price5-verified", &in_store, "FFPPPPVEEEEEC", CountFrom::Right),
            Self::built_in("upc-price", &["02"], "FFPPPPPVEEEEC", CountFrom::Right),
        ]
    }

    /// The profile of that name, or one in the manner of Odoo: `21.....{NNDDD}` is 21, five digits of the item,
    /// kilograms with three decimal places, and a check digit.
    ///
    /// # Errors
    /// [`ProfileError`] when it is neither.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        let known = Self::all().into_iter().find(|profile| profile.name == name);
        let profile = known
            .or_else(|| odoo(name))
            .ok_or_else(|| ProfileError { name: name.to_owned(), why: "no profile has this name" })?;
        profile.check().map(|()| profile)
    }

    /// Checks that the letters fit together.
    ///
    /// # Errors
    /// [`ProfileError`] with what is wrong.
    pub fn check(&self) -> Result<(), ProfileError> {
        let wrong = |why| Err(ProfileError { name: self.name.clone(), why });
        let count = |letter| self.pattern.bytes().filter(|byte| *byte == letter).count();
        if !self.pattern.bytes().all(|letter| b"FPWEQVXC".contains(&letter))
            || self.pattern.len() > DIGITS_MAX
        {
            return wrong(
                "its pattern has a letter other than F, P, W, E, Q, V, X and C, or is longer than 24",
            );
        }
        if count(b'C') != 1 || !self.pattern.ends_with('C') {
            return wrong("its pattern must end with one C, the check digit");
        }
        if count(b'P') == 0 || count(b'W') + count(b'E') + count(b'Q') == 0 {
            return wrong("its pattern needs P for the item, and W, E or Q for what stands inside");
        }
        if b"WEQP".iter().any(|letter| !self.is_in_one_piece(*letter)) {
            return wrong("the digits of each field must stand together");
        }
        let verified = self
            .pattern
            .find('V')
            .map(|at| self.pattern[at + 1..].chars().take_while(|c| *c == 'E' || *c == 'W').count());
        if count(b'V') > 1 || verified.is_some_and(|digits| !matches!(digits, 4 | 5)) {
            return wrong("V stands once, before a price or weight of four or five digits");
        }
        let digits = |prefix: &String| !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let fits = |prefix: &String| {
            prefix.len() <= self.pattern.len() && (count(b'F') == 0 || prefix.len() == count(b'F'))
        };
        if self.prefixes.is_empty() || !self.prefixes.iter().all(|prefix| digits(prefix) && fits(prefix)) {
            return wrong("it needs prefixes of digits, as long as its letters F");
        }
        if self.weight_decimals > 3 || self.price_decimals > 3 {
            return wrong("weights and prices have at most three decimal places");
        }
        Ok(())
    }

    fn is_in_one_piece(&self, letter: u8) -> bool {
        let trimmed = self.pattern.trim_start_matches(|c| c != char::from(letter));
        !trimmed.trim_start_matches(char::from(letter)).contains(char::from(letter))
    }

    /// Reads a label; `None` when it is not of this form, or says nothing: an item's number with zeros for its
    /// weight or price stands for the item itself.
    pub fn read(&self, digits: &str) -> Option<Label> {
        let form = digits.len() == self.pattern.len() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let begins = self.prefixes.iter().any(|prefix| digits.starts_with(prefix.as_str()));
        if !form || !begins || !self.ends_right(digits.as_bytes()) || !self.verifies(digits) {
            return None;
        }
        let field = |letter| self.field(digits, letter);
        let number =
            |letter| field(letter).map(|digits| digits.parse().ok().filter(|value: &u64| *value > 0));
        let (weight, price, pieces) = (number('W'), number('E'), number('Q'));
        if [weight, price, pieces].contains(&Some(None)) {
            return None;
        }
        let plu = field('P').filter(|plu| plu.bytes().any(|byte| byte != b'0'))?;
        Some(Label {
            profile: self.name.clone(),
            prefix: field('F').or_else(|| digits.get(..2)).unwrap_or_default().to_owned(),
            plu: plu.to_owned(),
            weight: weight.flatten().map(|value| (value, self.weight_decimals)),
            price: price.flatten().map(|value| (value, self.price_decimals)),
            pieces: pieces.flatten(),
            item_ref: self.emptied(digits),
            digits: digits.to_owned(),
        })
    }

    fn field<'a>(&self, digits: &'a str, letter: char) -> Option<&'a str> {
        let from = self.pattern.find(letter)?;
        let until = self.pattern.rfind(letter)? + 1;
        digits.get(from..until)
    }

    fn ends_right(&self, digits: &[u8]) -> bool {
        digits.split_last().is_some_and(|(last, body)| *last == b'0' + self.check_digit(body))
    }

    fn check_digit(&self, body: &[u8]) -> u8 {
        match self.check {
            CountFrom::Left if body.len() % 2 == 1 => {
                // Counting from the left begins with 1 where counting from the right begins with 3.
                let shifted: Vec<u8> = body.iter().copied().chain([b'0']).collect();
                gtin::check_digit(&shifted)
            }
            CountFrom::Left | CountFrom::Right => gtin::check_digit(body),
        }
    }

    fn verifies(&self, digits: &str) -> bool {
        let Some(at) = self.pattern.find('V') else { return true };
        let length = self.pattern[at + 1..].chars().take_while(|c| *c == 'E' || *c == 'W').count();
        let value = digits.get(at + 1..at + 1 + length).unwrap_or_default();
        digits.as_bytes().get(at).copied() == verifier(value.as_bytes()).map(|digit| b'0' + digit)
    }

    fn emptied(&self, digits: &str) -> String {
        let body =
            self.pattern.bytes().zip(digits.bytes()).map(|(letter, digit)| {
                if matches!(letter, b'W' | b'E' | b'Q' | b'V') { b'0' } else { digit }
            });
        let mut body: Vec<u8> = body.take(digits.len().saturating_sub(1)).collect();
        body.push(b'0' + self.check_digit(&body));
        String::from_utf8(body).unwrap_or_default()
    }
}

/// Reads a label by the first profile that fits.
pub(super) fn read(digits: &str, profiles: &[LabelProfile]) -> Option<Label> {
    profiles.iter().find_map(|profile| profile.read(digits))
}

/// GS1's check digit over four or five digits of a price or a weight (General Specifications, 7.9.2 to 7.9.4).
fn verifier(value: &[u8]) -> Option<u8> {
    const TWO_MINUS: [u8; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
    const THREE: [u8; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
    const FIVE_PLUS: [u8; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
    const FIVE_MINUS: [u8; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];
    let weighed = |tables: &[[u8; 10]]| -> u8 {
        value.iter().zip(tables).map(|(digit, table)| table[usize::from(digit - b'0')]).sum()
    };
    match value.len() {
        4 => Some(weighed(&[TWO_MINUS, TWO_MINUS, THREE, FIVE_MINUS]) * 3 % 10),
        5 => {
            let sum = weighed(&[FIVE_PLUS, TWO_MINUS, FIVE_MINUS, FIVE_PLUS, TWO_MINUS]);
            let missing = (10 - sum % 10) % 10;
            FIVE_MINUS
                .iter()
                .position(|product| *product == missing)
                .and_then(|digit| u8::try_from(digit).ok())
        }
        _ => None,
    }
}

/// `21.....{NNDDD}`: literal digits, a dot for each digit of the item, kilograms in braces; the check digit
/// follows.
fn odoo(text: &str) -> Option<LabelProfile> {
    let (item, inside) = text.strip_suffix('}')?.split_once('{')?;
    let prefix: String = item.chars().take_while(char::is_ascii_digit).collect();
    let dots = item.strip_prefix(prefix.as_str())?;
    let whole = inside.chars().take_while(|c| *c == 'N').count();
    let decimals = inside.len() - whole;
    if prefix.is_empty() || !dots.bytes().all(|c| c == b'.') || !inside[whole..].bytes().all(|c| c == b'D') {
        return None;
    }
    let pattern =
        format!("{}{}{}C", "F".repeat(prefix.len()), "P".repeat(dots.len()), "W".repeat(inside.len()));
    let profile = LabelProfile::built_in(text, &[prefix.as_str()], &pattern, CountFrom::Right);
    Some(LabelProfile { weight_decimals: u8::try_from(decimals).ok()?, ..profile })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by(name: &str, digits: &str) -> Option<Label> {
        LabelProfile::named(name).unwrap().read(digits)
    }

    #[test]
    fn every_known_profile_is_in_order() {
        for profile in LabelProfile::all() {
            assert_eq!(profile.check(), Ok(()));
        }
    }

    #[test]
    fn chinese_labels_of_13_digits_carry_a_price() {
        let label = by("cn13-price", "2110001005008").unwrap();
        assert_eq!((label.prefix.as_str(), label.plu.as_str(), label.price), ("21", "10001", Some((500, 2))));
        assert_eq!(by("cn13-price", "2010001999997").unwrap().price, Some((99_999, 2)));
        for not in ["2900001000000", "2110001005007", "2110001000003", "2100000005001", "211000100500"] {
            assert_eq!(by("cn13-price", not), None, "{not}");
        }
    }

    #[test]
    fn chinese_labels_of_18_digits_carry_price_and_weight_and_two_readings_of_the_check_digit() {
        let label = by("cn18", "261000101250006257").unwrap();
        assert_eq!(
            (label.plu.as_str(), label.price, label.weight),
            ("10001", Some((1250, 2)), Some((625, 3)))
        );
        assert_eq!(by("cn18", "261000101250006259"), None);
        assert!(by("cn18-left", "261000101250006259").is_some());
        assert_eq!(by("cn18-left", "261000101250006257"), None);
    }

    #[test]
    fn a_profile_can_be_written_as_odoo_does() {
        let label = by("21.....{NNDDD}", "2100001027506").unwrap();
        assert_eq!((label.weight, label.item_ref.as_str()), (Some((2750, 3)), "2100001000004"));
        assert_eq!(by("kg13", "2100001027506").unwrap().weight, label.weight);
        for wrong in ["no-such", "21{}", "{NNDDD}", "21.....{NNDDX}", "21x....{NN}", "", "}{"] {
            assert!(LabelProfile::named(wrong).is_err(), "{wrong}");
        }
    }

    /// 2875 and 14685 are GS1's own examples.
    #[test]
    fn inner_check_digits_are_held_against_published_examples() {
        assert_eq!((verifier(b"2875"), verifier(b"14685")), (Some(9), Some(6)));
        let with_check = |body: &str| format!("{body}{}", gtin::check_digit(body.as_bytes()));
        let good = by("price4-verified", &with_check("201234592875")).unwrap();
        assert_eq!((good.plu.as_str(), good.price), ("12345", Some((2875, 2))));
        assert_eq!(by("price4-verified", &with_check("201234582875")), None);
        assert_eq!(by("price5-verified", &with_check("201234614685")).unwrap().price, Some((14_685, 2)));
    }

    #[test]
    fn a_profile_that_contradicts_itself_says_so() {
        let wrong = |pattern: &str, prefixes: &[&str]| {
            LabelProfile::built_in("x", prefixes, pattern, CountFrom::Right).check().is_err()
        };
        for pattern in
            ["", "FFPPPPPEEEEE", "FFPPPPPC", "FFEEEEEC", "FFPEPEEEEC", "FFPPVEEEC", "FFPZEC", "FPPPEEEC"]
        {
            assert!(wrong(pattern, &["20"]), "{pattern}");
        }
        assert!(
            wrong("FFPPPPPEEEEEC", &[]) && wrong("FFPPPPPEEEEEC", &["2x"]) && wrong("FFPPPPPEEEEEC", &["2"])
        );
    }

    proptest! {
        #[test]
        fn a_label_is_never_read_when_one_digit_is_wrong(
            plu in 1_u32..100_000, price in 1_u32..100_000, weight in 1_u32..100_000, at in 0_usize..18, by in 1_u8..10,
        ) {
            let body = format!("26{plu:05}{price:05}{weight:05}");
            let mut digits = format!("{body}{}", gtin::check_digit(body.as_bytes())).into_bytes();
            let profile = LabelProfile::named("cn18").unwrap();
            let read = profile.read(str::from_utf8(&digits).unwrap()).unwrap();
            prop_assert_eq!((read.price, read.weight), (Some((u64::from(price), 2)), Some((u64::from(weight), 3))));
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert_eq!(profile.read(str::from_utf8(&digits).unwrap()), None);
        }
    }
}
