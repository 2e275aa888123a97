//! The parts that the value of an application identifier is made of: characters, length, checks.
//!
//! Source: GS1 General Specifications, section 7.11 (character sets 82, 39 and base64url) and figure 3.2-1. Not
//! here: which identifier has which parts (`table`), and the checks themselves (`check`).

/// Which characters a part may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CharSet {
    /// Digits.
    Digits,
    /// GS1's set of 82: letters, digits and punctuation without `#`, `$`, `@` and space.
    Set82,
    /// GS1's set of 39: capital letters, digits, `#`, `-` and `/`.
    Set39,
    /// File-safe base64, with its padding.
    Set64,
}

impl CharSet {
    /// Whether a character belongs to it.
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Set82 => {
                byte.is_ascii_graphic()
                    && !matches!(byte, b'#' | b'$' | b'@' | b'[' | b'\\' | b']' | b'^' | b'`' | b'{'..=b'~')
            }
            Self::Set39 => {
                byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'#' | b'-' | b'/')
            }
            Self::Set64 => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='),
        }
    }
}

/// A check on a part beyond its characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Check {
    Csum,
    CsumAlpha,
    Gcp1,
    Gcp2,
    Yymmdd,
    Yymmd0,
    Yyyymmdd,
    Hh,
    Mi,
    Ss,
    Hhmi,
    Iso3166,
    Iso3166Or999,
    Iso3166Alpha2,
    Iso4217,
    Iso5218,
    Zero,
    NonZero,
    Iban,
    Winding,
    PieceOfTotal,
    Latitude,
    Longitude,
    PercentEncoded,
    YesNo,
    Hyphen,
    ImporterIndex,
    PackageType,
    MediaType,
    PositionInSequence,
    NoZeroPrefix,
    HasNonDigit,
    Coupon,
    PositiveOffer,
}

/// One part of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) set: CharSet,
    pub(super) min: usize,
    pub(super) max: usize,
    optional: bool,
    pub(super) checks: &'static [Check],
}

impl Part {
    const fn new(set: CharSet, min: usize, max: usize) -> Self {
        Self { set, min, max, optional: false, checks: &[] }
    }

    pub(super) const fn check(self, checks: &'static [Check]) -> Self {
        Self { checks, ..self }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// Whether it may be absent, with all that follows it.
    pub(super) fn is_optional(&self) -> bool {
        self.optional
    }

    /// Whether it always has the same length.
    #[cfg(test)]
    pub(super) fn is_of_one_length(&self) -> bool {
        self.min == self.max
    }
}

/// So many digits.
pub(super) const fn n(length: usize) -> Part {
    Part::new(CharSet::Digits, length, length)
}

/// One digit, or up to so many.
pub(super) const fn n_to(max: usize) -> Part {
    Part::new(CharSet::Digits, 1, max)
}

/// So many characters of the set of 82.
pub(super) const fn x(length: usize) -> Part {
    Part::new(CharSet::Set82, length, length)
}

/// One character of the set of 82, or up to so many.
pub(super) const fn x_to(max: usize) -> Part {
    Part::new(CharSet::Set82, 1, max)
}

/// One character of the set of 39, or up to so many.
pub(super) const fn y_to(max: usize) -> Part {
    Part::new(CharSet::Set39, 1, max)
}

/// One character of base64, or up to so many.
pub(super) const fn z_to(max: usize) -> Part {
    Part::new(CharSet::Set64, 1, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_have_as_many_characters_as_they_are_called_after() {
        let count = |set: CharSet| (0..=u8::MAX).filter(|byte| set.has(*byte)).count();
        assert_eq!(count(CharSet::Digits), 10);
        assert_eq!(count(CharSet::Set82), 82);
        assert_eq!(count(CharSet::Set39), 39);
        assert_eq!(count(CharSet::Set64), 65, "64 and the padding");
    }
}
