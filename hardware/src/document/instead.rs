//! What is printed in place of a character that a printer does not have: letters without their marks, names of
//! currencies, plain quotation marks.
//!
//! Better than a question mark, and still counted as not printed as it was meant.

/// Characters and what stands for them. Where a German umlaut is written `ae` by Germans, a Turk or a Swede writes
/// the bare letter; the bare letter is read by all.
const INSTEAD: &[(&str, &str)] = &[
    ("ÀÁÂÃÄÅĀĂĄǍ", "A"),
    ("àáâãäåāăąǎ", "a"),
    ("ÇĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ĎĐÐ", "D"),
    ("ďđð", "d"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("èéêëēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ĤĦ", "H"),
    ("ĥħ", "h"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ìíîïĩīĭįı", "i"),
    ("Ĵ", "J"),
    ("ĵ", "j"),
    ("Ķ", "K"),
    ("ķĸ", "k"),
    ("ĹĻĽĿŁ", "L"),
    ("ĺļľŀł", "l"),
    ("ÑŃŅŇ", "N"),
    ("ñńņňŉ", "n"),
    ("ÒÓÔÕÖØŌŎŐ", "O"),
    ("òóôõöøōŏő", "o"),
    ("ŔŖŘ", "R"),
    ("ŕŗř", "r"),
    ("ŚŜŞŠȘ", "S"),
    ("śŝşšș", "s"),
    ("ŢŤŦȚ", "T"),
    ("ţťŧț", "t"),
    ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
    ("ùúûüũūŭůűų", "u"),
    ("Ŵ", "W"),
    ("ŵ", "w"),
    ("ÝŶŸ", "Y"),
    ("ýÿŷ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
    ("Æ", "AE"),
    ("æ", "ae"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ß", "ss"),
    ("ẞ", "SS"),
    ("Þ", "Th"),
    ("þ", "th"),
    ("Ŋ", "NG"),
    ("ŋ", "ng"),
    ("Ĳ", "IJ"),
    ("ĳ", "ij"),
    ("ﬁ", "fi"),
    ("ﬂ", "fl"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("₹", "INR"),
    ("₽", "RUB"),
    ("₩", "KRW"),
    ("₺", "TRY"),
    ("₫", "VND"),
    ("₴", "UAH"),
    ("₪", "ILS"),
    ("₱", "PHP"),
    ("฿", "THB"),
    ("₸", "KZT"),
    ("₦", "NGN"),
    ("‘’‚‛′´ʼ", "'"),
    ("“”„‟″«»", "\""),
    ("‹", "<"),
    ("›", ">"),
    ("‐‑‒–—―−﹣", "-"),
    ("…", "..."),
    ("•·●∙", "*"),
    ("×✕", "x"),
    ("÷⁄∕", "/"),
    ("™", "TM"),
    ("®", "(R)"),
    ("©", "(C)"),
    ("№", "No"),
    ("½", "1/2"),
    ("¼", "1/4"),
    ("¾", "3/4"),
    ("¹", "1"),
    ("²", "2"),
    ("³", "3"),
    ("°º", "o"),
    ("ª", "a"),
    ("µ", "u"),
    ("±", "+-"),
    ("→", "->"),
    ("←", "<-"),
    ("≈", "~"),
    ("≤", "<="),
    ("≥", ">="),
    ("。", "."),
    ("、", ","),
    ("「『【", "["),
    ("」』】", "]"),
    ("─━═", "-"),
    ("│┃║", "|"),
];

/// All of printable ASCII, to point into.
const ASCII: &str = concat!(
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
);

/// What ASCII says instead of a character, if anything near it.
#[must_use]
pub fn instead(character: char) -> Option<&'static str> {
    if ('\u{ff01}'..='\u{ff5e}').contains(&character) {
        // Full-width forms stand in the order of ASCII.
        let at = usize::try_from(u32::from(character) - 0xff00).ok()?;
        return ASCII.get(at..=at);
    }
    INSTEAD.iter().find(|(characters, _)| characters.contains(character)).map(|(_, ascii)| *ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_character_is_printable_ascii_and_each_stands_once() {
        assert_eq!(ASCII.len(), 95);
        let mut seen = std::collections::BTreeSet::new();
        for (characters, ascii) in INSTEAD {
            assert!(ascii.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !ascii.is_empty(), "{ascii}");
            for character in characters.chars() {
                assert!(!character.is_ascii() && seen.insert(character), "{character}");
            }
        }
        for (character, ascii) in
            [('€', "EUR"), ('ő', "o"), ('！', "!"), ('Ａ', "A"), ('～', "~"), ('’', "'")]
        {
            assert_eq!(instead(character), Some(ascii));
        }
        assert_eq!(instead('牛'), None);
    }
}
