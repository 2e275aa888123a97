//! Texts of screens in the languages of the shop: every sentence in both, or it does not compile.
//!
//! Not here: names of goods, offers and people, which the shop writes; and English sentences of refusals,
//! which are written beside the rule that they explain (`counter::refusal`).

mod alone;
mod queue;
mod told;
mod trouble;
mod words;

pub use told::{attention, device, doubt, kind, told, wallet};
pub use trouble::trouble;
pub use words::Msg;

/// A language that screens speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese in simplified characters.
    ZhHans,
}

impl Lang {
    /// The BCP 47 tag, for `<html lang>`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhHans => "zh-Hans",
        }
    }

    /// The language that a tag such as `zh`, `zh-CN` or `en-GB` asks for, if screens speak it.
    pub fn by_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or("");
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::ZhHans)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The first language of an `Accept-Language` value that screens speak, by its weights
    /// (RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Option<Self> {
        let mut wanted: Vec<(u16, Self)> = Vec::new();
        for part in header.split(',').take(ACCEPTED_MAX) {
            let mut pieces = part.trim().split(';');
            let Some(lang) = Self::by_tag(pieces.next().unwrap_or("").trim()) else { continue };
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")).map_or(1000, weight);
            if weight > 0 {
                wanted.push((weight, lang));
            }
        }
        // A stable sort: of equal weights the first named wins.
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        wanted.first().map(|(_, lang)| *lang)
    }
}

/// Languages that are looked at in one header.
const ACCEPTED_MAX: usize = 16;

/// A weight such as `0.8` in thousandths; what is not one counts as nothing.
fn weight(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.get(..3).and_then(|digits| digits.parse::<u16>().ok())) {
        ("1", Some(_)) => 1000,
        ("0", Some(thousandths)) => thousandths,
        (_, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_weight_is_spoken() {
        for (header, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::ZhHans)),
            ("en-GB,en;q=0.9,zh;q=0.8", Some(Lang::En)),
            ("fr, en;q=0.3, zh;q=0.7", Some(Lang::ZhHans)),
            ("zh;q=0, en;q=0.1", Some(Lang::En)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Lang::accepted(header), lang, "{header}");
        }
    }

    #[test]
    fn both_languages_have_the_same_places_for_values() {
        for msg in Msg::ALL {
            let places = |lang: Lang| msg.text(lang).matches("{}").count();
            assert_eq!(places(Lang::En), places(Lang::ZhHans), "{msg:?}");
            assert!(!msg.text(Lang::En).is_empty() && !msg.text(Lang::ZhHans).is_empty(), "{msg:?}");
        }
        assert_eq!(Msg::ReceivedOf.with(Lang::En, &["3", "7"]), "3 of 7 received");
    }
}
