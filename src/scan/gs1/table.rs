//! GS1's application identifiers: which there are, what stands in each, what it needs beside it and what it refuses.
//!
//! Facts: GS1 General Specifications, section 3 (definitions), figure 3.2-1 (formats), figure 7.8.5-2 (predefined
//! lengths), section 4.13 (pairs); GS1 Digital Link: URI Syntax, section 4 (keys and their qualifiers); gathered
//! in GS1's Barcode Syntax Dictionary, release of 2026. Not here: what a check means (`check`), and reading.

use super::part::Check::*;
use super::part::{Part, n, n_to, x, x_to, y_to, z_to};
use Form::{Attribute, Fixed, FixedAttribute, Plain};

/// Whether a separator follows, and whether it may stand behind the `?` of a Digital Link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Ends with a separator, or is the last.
    Plain,
    /// Its length is predefined: no separator follows.
    Fixed,
    /// Ends with a separator, and is a link's attribute.
    Attribute,
    /// Both.
    FixedAttribute,
}

/// What holds for one application identifier, or for a run of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    first: &'static str,
    last: &'static str,
    last_digit_max: u8,
    form: Form,
    /// What stands in it, in order.
    pub(super) parts: &'static [Part],
    /// Alternatives separated by commas, of which one must be there; `+` joins what must be there together, and
    /// `n` is any digit.
    pub(super) needs: &'static str,
    /// What must not be there, itself apart.
    pub(super) never: &'static str,
    /// For a key of a Digital Link: its qualifiers in order, alternatives separated by `|`.
    pub(super) key: Option<&'static str>,
}

impl Rule {
    /// The rule for the identifier that `data` begins with.
    pub(super) fn of(data: &str) -> Option<&'static Self> {
        let after = RULES.partition_point(|rule| rule.first <= data);
        let rule = RULES.get(after.checked_sub(1)?)?;
        let ai = data.get(..rule.first.len())?;
        let last_digit = ai.bytes().next_back()?;
        let known = ai.bytes().all(|byte| byte.is_ascii_digit())
            && ai <= rule.last
            && last_digit <= rule.last_digit_max;
        known.then_some(rule)
    }

    /// The rule for exactly this identifier.
    pub(super) fn exactly(ai: &str) -> Option<&'static Self> {
        Self::of(ai).filter(|rule| rule.first.len() == ai.len())
    }

    /// Digits of the identifier itself: 2, 3 or 4.
    pub(super) fn digits(&self) -> usize {
        self.first.len()
    }

    /// Whether its length is predefined, so that the next identifier follows without a separator.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.form, Fixed | FixedAttribute)
    }

    /// Whether it may stand behind the `?` of a Digital Link.
    pub(super) fn is_attribute(&self) -> bool {
        matches!(self.form, Attribute | FixedAttribute)
    }
}

const fn ai(first: &'static str, last: &'static str, form: Form, parts: &'static [Part]) -> Rule {
    Rule { first, last, last_digit_max: b'9', form, parts, needs: "", never: "", key: None }
}

/// Measures of six digits, whose last digit of the identifier, 0 to 5, says where the decimal point is. Two
/// readings of the same measure are refused: the pattern is the identifier's own first three digits.
const fn measures(first: &'static str, last: &'static str, needs: &'static str) -> Rule {
    Rule {
        last_digit_max: b'5',
        never: SAME_MEASURE,
        ..ai(first, last, FixedAttribute, SIX_DIGITS).needs(needs)
    }
}

/// Instead of a pattern: the identifier's own first three digits.
pub(super) const SAME_MEASURE: &str = "same";

impl Rule {
    const fn needs(self, needs: &'static str) -> Self {
        Self { needs, ..self }
    }

    const fn never(self, never: &'static str) -> Self {
        Self { never, ..self }
    }

    const fn key(self, qualifiers: &'static str) -> Self {
        Self { key: Some(qualifiers), ..self }
    }
}

const SIX_DIGITS: &[Part] = &[n(6)];
const X20: &[Part] = &[x_to(20)];
const X30: &[Part] = &[x_to(30)];
const COUNTRY: Part = n(3).check(&[Iso3166]);
const COUNTRIES: &[Part] =
    &[COUNTRY, COUNTRY.optional(), COUNTRY.optional(), COUNTRY.optional(), COUNTRY.optional()];
const ANY_GTIN: &str = "01,02,03";
const ITEM_OR_CASE: &str = "01,02,03,8006,8026";

/// In the order of the digits.
const RULES: &[Rule] = &[
    ai("00", "00", FixedAttribute, &[n(18).check(&[Csum, Gcp2])]).key(""),
    ai("01", "01", FixedAttribute, &[n(14).check(&[Csum, Gcp2])]).never("255,37").key("22,10,21|235"),
    ai("02", "02", FixedAttribute, &[n(14).check(&[Csum, Gcp2])]).needs("37").never("01,03"),
    ai("03", "03", Fixed, &[n(14).check(&[Csum, Gcp2])]).never("01,02,37,235"),
    ai("10", "10", Attribute, X20).needs(ITEM_OR_CASE),
    ai("11", "11", FixedAttribute, &[n(6).check(&[Yymmd0])]).needs(ITEM_OR_CASE),
    ai("12", "12", FixedAttribute, &[n(6).check(&[Yymmd0])]).needs("8020"),
    ai("13", "13", FixedAttribute, &[n(6).check(&[Yymmd0])]).needs(ITEM_OR_CASE),
    ai("15", "16", FixedAttribute, &[n(6).check(&[Yymmd0])]).needs(ITEM_OR_CASE),
    ai("17", "17", FixedAttribute, &[n(6).check(&[Yymmd0])]).needs("01,02,03,255,8006,8026"),
    ai("20", "20", FixedAttribute, &[n(2)]).needs(ITEM_OR_CASE),
    ai("21", "21", Plain, X20).needs("01,03,8006").never("235"),
    ai("22", "22", Plain, X20).needs("01"),
    ai("235", "235", Plain, &[x_to(28)]).needs("01"),
    ai("240", "241", Attribute, X30).needs(ITEM_OR_CASE),
    ai("242", "242", Attribute, &[n_to(6)]).needs("01,02,8006,8026"),
    ai("243", "243", Attribute, X20).needs("01,03"),
    ai("250", "250", Attribute, X30).needs("01+21,03+21,8006+21"),
    ai("251", "251", Attribute, X30).needs("01,03,8006"),
    ai("253", "253", Attribute, &[n(13).check(&[Csum, Gcp1]), x_to(17).optional()]).key(""),
    ai("254", "254", Plain, X20).needs("414"),
    ai("255", "255", Attribute, &[n(13).check(&[Csum, Gcp1]), n_to(12).optional()])
        .never("01,02,415,8006,8020,8026")
        .key(""),
    ai("30", "30", Attribute, &[n_to(8)]).needs("01,02"),
    measures("3100", "3165", "01,02"),
    measures("3200", "3295", "01,02"),
    measures("3300", "3365", "00,01"),
    measures("3370", "3375", "01"),
    measures("3400", "3495", "00,01"),
    measures("3500", "3525", "01,02"),
    measures("3530", "3555", "00,01"),
    measures("3560", "3575", "01,02"),
    measures("3600", "3615", "01,02"),
    measures("3620", "3635", "00,01"),
    measures("3640", "3665", "01,02"),
    measures("3670", "3695", "00,01"),
    ai("37", "37", Attribute, &[n_to(8)]).needs("00+02,00+8026"),
    ai("3900", "3909", Attribute, &[n_to(15)]).needs("255,8020").never("390n,391n,394n,8111"),
    ai("3910", "3919", Attribute, &[n(3).check(&[Iso4217]), n_to(15)]).needs("8020").never("391n"),
    ai("3920", "3929", Attribute, &[n_to(15)])
        .needs("01+30,01+31nn,01+32nn,01+35nn,01+36nn")
        .never("392n,393n"),
    ai("3930", "3939", Attribute, &[n(3).check(&[Iso4217]), n_to(15)])
        .needs("30,31nn,32nn,35nn,36nn")
        .never("393n"),
    ai("3940", "3943", Attribute, &[n(4)]).needs("255").never("394n,8111"),
    ai("3950", "3955", Attribute, &[n(6)]).needs("30,31nn,32nn,35nn,36nn").never("392n,393n,395n,8005"),
    ai("400", "400", Attribute, X30),
    ai("401", "401", Attribute, &[x_to(30).check(&[Gcp1])]).key(""),
    ai("402", "402", Attribute, &[n(17).check(&[Csum, Gcp1])]).key(""),
    ai("403", "403", Attribute, X30).needs("00"),
    ai("410", "413", FixedAttribute, &[n(13).check(&[Csum, Gcp1])]),
    ai("414", "414", FixedAttribute, &[n(13).check(&[Csum, Gcp1])]).key("254|7040"),
    ai("415", "415", FixedAttribute, &[n(13).check(&[Csum, Gcp1])]).needs("8020").key("8020"),
    ai("416", "416", FixedAttribute, &[n(13).check(&[Csum, Gcp1])]),
    ai("417", "417", FixedAttribute, &[n(13).check(&[Csum, Gcp1])]).key("7040"),
    ai("420", "420", Attribute, X20).never("421"),
    ai("421", "421", Attribute, &[n(3).check(&[Iso3166]), x_to(9)]).never("4307"),
    ai("422", "422", Attribute, &[n(3).check(&[Iso3166])]).needs(ITEM_OR_CASE).never("426"),
    ai("423", "423", Attribute, COUNTRIES).needs(ANY_GTIN).never("426"),
    ai("424", "424", Attribute, &[n(3).check(&[Iso3166])]).needs(ANY_GTIN).never("426"),
    ai("425", "425", Attribute, COUNTRIES).needs(ANY_GTIN).never("426"),
    ai("426", "426", Attribute, &[n(3).check(&[Iso3166])]).needs(ANY_GTIN),
    ai("427", "427", Attribute, &[x_to(3)]).needs("01+422,02+422,03+422"),
    ai("4300", "4301", Attribute, &[x_to(35).check(&[PercentEncoded])]).needs("00"),
    ai("4302", "4302", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("00"),
    ai("4303", "4303", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("4302"),
    ai("4304", "4306", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("00"),
    ai("4307", "4307", Attribute, &[x(2).check(&[Iso3166Alpha2])]).needs("00"),
    ai("4308", "4308", Attribute, X30).needs("00"),
    ai("4309", "4309", Attribute, &[n(10).check(&[Latitude]), n(10).check(&[Longitude])]).needs("00"),
    ai("4310", "4311", Attribute, &[x_to(35).check(&[PercentEncoded])]).needs("00"),
    ai("4312", "4312", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("00"),
    ai("4313", "4313", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("4312"),
    ai("4314", "4316", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("00"),
    ai("4317", "4317", Attribute, &[x(2).check(&[Iso3166Alpha2])]).needs("00"),
    ai("4318", "4318", Attribute, X20).needs("00"),
    ai("4319", "4319", Attribute, X30).needs("00"),
    ai("4320", "4320", Attribute, &[x_to(35).check(&[PercentEncoded])]).needs("00"),
    ai("4321", "4323", Attribute, &[n(1).check(&[YesNo])]).needs("00"),
    ai("4324", "4325", Attribute, &[n(6).check(&[Yymmd0]), n(4).check(&[Hhmi])]).needs("00"),
    ai("4326", "4326", Attribute, &[n(6).check(&[Yymmdd])]).needs("00"),
    ai("4330", "4330", Attribute, &[n(6), x(1).check(&[Hyphen]).optional()]).needs("00").never("4331"),
    ai("4331", "4331", Attribute, &[n(6), x(1).check(&[Hyphen]).optional()]).needs("00").never("4330"),
    ai("4332", "4332", Attribute, &[n(6), x(1).check(&[Hyphen]).optional()]).needs("00").never("4333"),
    ai("4333", "4333", Attribute, &[n(6), x(1).check(&[Hyphen]).optional()]).needs("00").never("4332"),
    ai("7001", "7001", Attribute, &[n(13)]).needs("01,02,8006,8026"),
    ai("7002", "7002", Attribute, X30).needs("01,02"),
    ai("7003", "7003", Attribute, &[n(6).check(&[Yymmdd]), n(4).check(&[Hhmi])]).needs(ANY_GTIN),
    ai("7004", "7004", Attribute, &[n_to(4)]).needs("01+10,03+10"),
    ai("7005", "7005", Attribute, &[x_to(12)]).needs("01,02"),
    ai("7006", "7006", Attribute, &[n(6).check(&[Yymmdd])]).needs("01,02"),
    ai("7007", "7007", Attribute, &[n(6).check(&[Yymmdd]), n(6).check(&[Yymmdd]).optional()]).needs("01,02"),
    ai("7008", "7008", Attribute, &[x_to(3)]).needs("01,02"),
    ai("7009", "7009", Attribute, &[x_to(10)]).needs("01,02"),
    ai("7010", "7010", Attribute, &[x_to(2)]).needs(ANY_GTIN),
    ai("7011", "7011", Attribute, &[n(6).check(&[Yymmdd]), n(4).check(&[Hhmi]).optional()]).needs(ANY_GTIN),
    ai("7020", "7020", Attribute, X20).needs("01+416,03+416,8006+416"),
    ai("7021", "7021", Attribute, X20).needs("01,03,8006"),
    ai("7022", "7022", Attribute, X20).needs("01+7021,03+7021,8006+7021"),
    ai("7023", "7023", Attribute, &[x_to(30).check(&[Gcp1])]),
    ai("7030", "7039", Attribute, &[n(3).check(&[Iso3166Or999]), x_to(27)]).needs("01,02"),
    ai("7040", "7040", Plain, &[n(1), x(1), x(1), x(1).check(&[ImporterIndex])]),
    ai("7041", "7041", Plain, &[x_to(4).check(&[PackageType])]).needs("00"),
    ai("710", "717", Attribute, X20).needs("01"),
    ai("7230", "7239", Attribute, &[x(2), x_to(28)]).needs("01,8004"),
    ai("7240", "7240", Attribute, X20).needs("01,8006").never("03"),
    ai("7241", "7241", Attribute, &[n(2).check(&[MediaType])]).needs("8017,8018"),
    ai("7242", "7242", Attribute, &[x_to(25)]).needs("8017,8018"),
    ai("7250", "7250", Attribute, &[n(8).check(&[Yyyymmdd])]).needs("8018").never("7251"),
    ai("7251", "7251", Attribute, &[n(8).check(&[Yyyymmdd]), n(4).check(&[Hhmi])])
        .needs("8018")
        .never("7250"),
    ai("7252", "7252", Attribute, &[n(1).check(&[Iso5218])]).needs("8018"),
    ai("7253", "7254", Attribute, &[x_to(40).check(&[PercentEncoded])]).needs("8017,8018").never("7256,7259"),
    ai("7255", "7255", Attribute, &[x_to(10)]).needs("8017,8018").never("7256,7259"),
    ai("7256", "7256", Attribute, &[x_to(90).check(&[PercentEncoded])]).needs("8017,8018"),
    ai("7257", "7257", Attribute, &[x_to(70).check(&[PercentEncoded])]).needs("8018"),
    ai("7258", "7258", Attribute, &[x(3).check(&[PositionInSequence])]).needs("8018+7259"),
    ai("7259", "7259", Attribute, &[x_to(40).check(&[PercentEncoded])]).needs("8018").never("7256"),
    ai(
        "8001",
        "8001",
        Attribute,
        &[
            n(4).check(&[NonZero]),
            n(5).check(&[NonZero]),
            n(3).check(&[NonZero]),
            n(1).check(&[Winding]),
            n(1),
        ],
    )
    .needs("01"),
    ai("8002", "8002", Attribute, X20),
    ai("8003", "8003", Attribute, &[n(1).check(&[Zero]), n(13).check(&[Csum, Gcp1]), x_to(16).optional()])
        .key(""),
    ai("8004", "8004", Attribute, &[x_to(30).check(&[Gcp1])]).key("7040"),
    ai("8005", "8005", Attribute, &[n(6)]).needs("01,02"),
    ai("8006", "8006", Attribute, &[n(14).check(&[Csum, Gcp2]), n(4).check(&[PieceOfTotal])])
        .never("01,03,37")
        .key("22,10,21"),
    ai("8007", "8007", Attribute, &[x_to(34).check(&[Iban])]).needs("415"),
    ai(
        "8008",
        "8008",
        Attribute,
        &[
            n(6).check(&[Yymmdd]),
            n(2).check(&[Hh]),
            n(2).check(&[Mi]).optional(),
            n(2).check(&[Ss]).optional(),
        ],
    )
    .needs(ANY_GTIN),
    ai("8009", "8009", Attribute, &[x_to(50)]).needs("00,01,03"),
    ai("8010", "8010", Attribute, &[y_to(30).check(&[Gcp1])]).key("8011"),
    ai("8011", "8011", Plain, &[n_to(12).check(&[NoZeroPrefix])]).needs("8010"),
    ai("8012", "8012", Attribute, X20).needs("01,03,8006"),
    ai("8013", "8013", Attribute, &[x_to(25).check(&[CsumAlpha, Gcp1])]).key(""),
    ai("8014", "8014", Plain, &[x_to(25).check(&[CsumAlpha, Gcp1, HasNonDigit])]).needs("01"),
    ai("8017", "8017", Attribute, &[n(18).check(&[Csum, Gcp1])]).never("8018").key("8019"),
    ai("8018", "8018", Attribute, &[n(18).check(&[Csum, Gcp1])]).never("8017").key("8019"),
    ai("8019", "8019", Plain, &[n_to(10)]).needs("8017,8018"),
    ai("8020", "8020", Plain, &[x_to(25)]).needs("415"),
    ai("8026", "8026", Attribute, &[n(14).check(&[Csum, Gcp2]), n(4).check(&[PieceOfTotal])])
        .needs("37")
        .never("02,03,8006"),
    ai("8030", "8030", Attribute, &[z_to(90)])
        .needs("00,01+21,03+21,253,255,8003,8004,8006+21,8010+8011,8017,8018"),
    ai("8040", "8040", Plain, &[n(15)]).needs("01+21"),
    ai("8041", "8041", Plain, &[n(15)]).needs("01+21+8040"),
    ai("8042", "8042", Plain, &[n(32)]).needs("01+21+8040"),
    ai("8043", "8043", Plain, &[n(18), n_to(2).optional()]).needs("01+21+8040"),
    ai("8110", "8110", Attribute, &[x_to(70).check(&[Coupon])]),
    ai("8111", "8111", Attribute, &[n(4)]).needs("255"),
    ai("8112", "8112", Attribute, &[x_to(70).check(&[PositiveOffer])]),
    ai("8200", "8200", Plain, &[x_to(70)]).needs("01"),
    ai("90", "90", Attribute, X30),
    ai("91", "99", Attribute, &[x_to(90)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_runs_do_not_meet() {
        for pair in RULES.windows(2) {
            assert!(pair[0].last < pair[1].first, "{} {}", pair[0].last, pair[1].first);
        }
        for rule in RULES {
            assert_eq!(rule.first.len(), rule.last.len());
            assert!(rule.first <= rule.last);
        }
    }

    #[test]
    fn only_the_last_part_may_vary_and_nothing_needed_follows_what_may_be_absent() {
        for rule in RULES {
            for pair in rule.parts.windows(2) {
                assert!(pair[0].is_of_one_length(), "{}", rule.first);
                assert!(!pair[0].is_optional() || pair[1].is_optional(), "{}", rule.first);
            }
        }
    }

    #[test]
    fn identifiers_are_found_by_their_first_digits() {
        let found = |data: &str| Rule::of(data).map(Rule::digits);
        for (data, digits) in [
            ("0109506000134352", Some(2)),
            ("235ABC", Some(3)),
            ("3103001250", Some(4)),
            ("3106001250", None),
            ("3170001250", None),
            ("3950001250", Some(4)),
            ("8912345", None),
            ("8200x", Some(4)),
            ("99", Some(2)),
            ("9", None),
            ("", None),
            ("0é", None),
        ] {
            assert_eq!(found(data), digits, "{data}");
        }
        assert!(Rule::exactly("371").is_none() && Rule::exactly("37").is_some());
    }

    /// Predefined lengths (GS1 General Specifications, figure 7.8.5-2) go by the first two digits.
    #[test]
    fn predefined_lengths_go_by_the_first_two_digits() {
        let fixed = [
            "00", "01", "02", "03", "11", "12", "13", "15", "16", "17", "20", "31", "32", "33", "34", "35",
            "36", "41",
        ];
        for rule in RULES {
            assert_eq!(rule.is_fixed(), fixed.contains(&&rule.first[..2]), "{}", rule.first);
        }
    }
}
