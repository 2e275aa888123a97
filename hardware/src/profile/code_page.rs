//! Code pages: which character each byte above 7Fh stands for.
//!
//! Windows and ISO pages are those of `encoding_rs`; the pages of the DOS time are tables here, as Unicode's mapping
//! files have them (MAPPINGS/VENDORS/MICSFT/PC at unicode.org; 858 is 850 with the euro sign). A test compares all of
//! them with what another implementation makes of each byte. Pages whose letters run from right to left or join are
//! left out: they need more than a table. Which number a printer gives a page is in its profile.

use std::fmt;

use encoding_rs::Encoding;
use serde::Deserialize;

/// Stands in a table for a byte that has no character of its own.
const NONE: char = '\u{fffd}';

/// A page of 128 characters above ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodePage {
    /// United States.
    Cp437,
    /// Greek.
    Cp737,
    /// Baltic.
    Cp775,
    /// Western Europe.
    Cp850,
    /// Central Europe.
    Cp852,
    /// Cyrillic.
    Cp855,
    /// Turkish.
    Cp857,
    /// Western Europe with the euro sign.
    Cp858,
    /// Portuguese.
    Cp860,
    /// Icelandic.
    Cp861,
    /// Canadian French.
    Cp863,
    /// Nordic.
    Cp865,
    /// Cyrillic.
    Cp866,
    /// Modern Greek.
    Cp869,
    /// Central Europe, Windows.
    Cp1250,
    /// Cyrillic, Windows.
    Cp1251,
    /// Western Europe, Windows.
    Cp1252,
    /// Greek, Windows.
    Cp1253,
    /// Turkish, Windows.
    Cp1254,
    /// Baltic, Windows.
    Cp1257,
    /// Central Europe, ISO.
    #[serde(rename = "iso8859-2")]
    Iso8859_2,
    /// Greek, ISO.
    #[serde(rename = "iso8859-7")]
    Iso8859_7,
    /// Western Europe with the euro sign, ISO.
    #[serde(rename = "iso8859-15")]
    Iso8859_15,
}

impl CodePage {
    /// All of them.
    pub const ALL: [CodePage; 23] = [
        CodePage::Cp437,
        CodePage::Cp737,
        CodePage::Cp775,
        CodePage::Cp850,
        CodePage::Cp852,
        CodePage::Cp855,
        CodePage::Cp857,
        CodePage::Cp858,
        CodePage::Cp860,
        CodePage::Cp861,
        CodePage::Cp863,
        CodePage::Cp865,
        CodePage::Cp866,
        CodePage::Cp869,
        CodePage::Cp1250,
        CodePage::Cp1251,
        CodePage::Cp1252,
        CodePage::Cp1253,
        CodePage::Cp1254,
        CodePage::Cp1257,
        CodePage::Iso8859_2,
        CodePage::Iso8859_7,
        CodePage::Iso8859_15,
    ];

    /// The character a byte from 80h stands for, if any.
    #[must_use]
    pub fn character(self, byte: u8) -> Option<char> {
        let found = match self.table() {
            Table::Own(characters) => characters.chars().nth(usize::from(byte.checked_sub(0x80)?))?,
            Table::Shared(encoding) => {
                if byte < 0x80 {
                    return None;
                }
                let bytes = [byte];
                let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
                text.chars().next()?
            }
        };
        (found != NONE && found != '\u{ad}' && !found.is_control()).then_some(found)
    }

    /// The byte from 80h that stands for a character, if any.
    #[must_use]
    pub fn byte(self, character: char) -> Option<u8> {
        if character.is_ascii() || character == NONE || character == '\u{ad}' || character.is_control() {
            return None;
        }
        match self.table() {
            Table::Own(characters) => {
                let at = characters.chars().position(|known| known == character)?;
                u8::try_from(0x80 + at).ok()
            }
            Table::Shared(encoding) => {
                let (mut utf8, mut bytes) = ([0; 4], [0; 2]);
                let (result, _, written) = encoding.new_encoder().encode_from_utf8_without_replacement(
                    character.encode_utf8(&mut utf8),
                    &mut bytes,
                    true,
                );
                match result {
                    encoding_rs::EncoderResult::InputEmpty if written == 1 => Some(bytes[0]),
                    encoding_rs::EncoderResult::InputEmpty
                    | encoding_rs::EncoderResult::OutputFull
                    | encoding_rs::EncoderResult::Unmappable(_) => None,
                }
            }
        }
    }

    fn table(self) -> Table {
        match self {
            CodePage::Cp437 => Table::Own(CP437),
            CodePage::Cp737 => Table::Own(CP737),
            CodePage::Cp775 => Table::Own(CP775),
            CodePage::Cp850 => Table::Own(CP850),
            CodePage::Cp852 => Table::Own(CP852),
            CodePage::Cp855 => Table::Own(CP855),
            CodePage::Cp857 => Table::Own(CP857),
            CodePage::Cp858 => Table::Own(CP858),
            CodePage::Cp860 => Table::Own(CP860),
            CodePage::Cp861 => Table::Own(CP861),
            CodePage::Cp863 => Table::Own(CP863),
            CodePage::Cp865 => Table::Own(CP865),
            CodePage::Cp866 => Table::Shared(encoding_rs::IBM866),
            CodePage::Cp869 => Table::Own(CP869),
            CodePage::Cp1250 => Table::Shared(encoding_rs::WINDOWS_1250),
            CodePage::Cp1251 => Table::Shared(encoding_rs::WINDOWS_1251),
            CodePage::Cp1252 => Table::Shared(encoding_rs::WINDOWS_1252),
            CodePage::Cp1253 => Table::Shared(encoding_rs::WINDOWS_1253),
            CodePage::Cp1254 => Table::Shared(encoding_rs::WINDOWS_1254),
            CodePage::Cp1257 => Table::Shared(encoding_rs::WINDOWS_1257),
            CodePage::Iso8859_2 => Table::Shared(encoding_rs::ISO_8859_2),
            CodePage::Iso8859_7 => Table::Shared(encoding_rs::ISO_8859_7),
            CodePage::Iso8859_15 => Table::Shared(encoding_rs::ISO_8859_15),
        }
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{self:?}").to_lowercase().replace('_', "-");
        f.write_str(&name)
    }
}

enum Table {
    Own(&'static str),
    Shared(&'static Encoding),
}

/// A set of code pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pages(u32);

impl Pages {
    /// Whether any of them has this character.
    #[must_use]
    pub fn have(self, character: char) -> bool {
        CodePage::ALL.iter().any(|page| self.0 & page.bit() != 0 && page.byte(character).is_some())
    }
}

impl FromIterator<CodePage> for Pages {
    fn from_iter<I: IntoIterator<Item = CodePage>>(pages: I) -> Pages {
        Pages(pages.into_iter().fold(0, |set, page| set | page.bit()))
    }
}

const CP437: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP737: &str = concat!(
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθ",
    "ικλμνξοπρσςτυφχψ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "ωάέήϊίόύϋώΆΈΉΊΌΎΏ±≥≤ΪΫ÷≈°∙·√ⁿ²■\u{a0}",
);
const CP775: &str = concat!(
    "ĆüéāäģåćłēŖŗīŹÄÅÉæÆōöĢ¢ŚśÖÜø£Ø×¤",
    "ĀĪóŻżź”¦©®¬½¼Ł«»░▒▓│┤ĄČĘĖ╣║╗╝ĮŠ┐",
    "└┴┬├─┼ŲŪ╚╔╩╦╠═╬Žąčęėįšųūž┘┌█▄▌▐▀",
    "ÓßŌŃõÕµńĶķĻļņĒŅ’\u{fffd}±“¾¶§÷„°∙·¹³²■\u{a0}",
);
const CP850: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{fffd}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
);
const CP852: &str = concat!(
    "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č",
    "áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐",
    "└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀",
    "ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{fffd}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
);
const CP855: &str = concat!(
    "ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪ",
    "аАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐",
    "└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀",
    "ЯрРсСтТуУжЖвВьЬ№\u{fffd}ыЫзЗшШэЭщЩчЧ§■\u{a0}",
);
const CP857: &str = concat!(
    "ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞş",
    "áíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ\u{fffd}ÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµ\u{fffd}×ÚÛÙìÿ¯´\u{fffd}±\u{fffd}¾¶§÷¸°¨·¹³²■\u{a0}",
);
const CP858: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ",
    "áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐",
    "└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀",
    "ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{fffd}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
);
const CP860: &str = concat!(
    "ÇüéâãàÁçêÊèÍÔìÃÂÉÀÈôõòÚùÌÕÜ¢£Ù₧Ó",
    "áíóúñÑªº¿Ò¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP861: &str = concat!(
    "ÇüéâäàåçêëèÐðÞÄÅÉæÆôöþûÝýÖÜø£Ø₧ƒ",
    "áíóúÁÍÓÚ¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP863: &str = concat!(
    "ÇüéâÂà¶çêëèïî‗À§ÉÈÊôËÏûù¤ÔÜ¢£ÙÛƒ",
    "¦´óú¨¸³¯Î⌐¬½¼¾«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP865: &str = concat!(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«¤░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
);
const CP869: &str = concat!(
    "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}Ά\u{fffd}·¬¦‘’Έ―ΉΊΪΌ\u{fffd}\u{fffd}ΎΫ©Ώ²³ά£έήί",
    "ϊΐόύΑΒΓΔΕΖΗ½ΘΙ«»░▒▓│┤ΚΛΜΝ╣║╗╝ΞΟ┐",
    "└┴┬├─┼ΠΡ╚╔╩╦╠═╬ΣΤΥΦΧΨΩαβγ┘┌█▄δε▀",
    "ζηθικλμνξοπρσςτ΄\u{fffd}±υφχ§ψ΅°¨ωϋΰώ■\u{a0}",
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Page, byte in hexadecimal, code point in hexadecimal; one a line, made with Python's codecs.
    const MAPPING: &str = include_str!("../../tests/data/code_pages.txt");

    #[test]
    fn every_byte_of_every_page_is_the_character_that_others_say() {
        let mut known = std::collections::BTreeMap::new();
        for line in MAPPING.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split(' ').collect();
            let byte = u8::from_str_radix(fields[1], 16).unwrap();
            known.insert(
                (fields[0], byte),
                char::from_u32(u32::from_str_radix(fields[2], 16).unwrap()).unwrap(),
            );
        }
        for page in CodePage::ALL {
            for byte in 0x80..=0xff {
                let expected = known.get(&(page.to_string().as_str(), byte)).copied();
                assert_eq!(page.character(byte), expected, "{page} {byte:02x}");
                if let Some(character) = expected {
                    let back = page.byte(character).unwrap();
                    assert_eq!(page.character(back), Some(character), "{page} {byte:02x}");
                }
            }
        }
        assert_eq!(CodePage::Cp437.character(0x41), None);
        assert_eq!(CodePage::Cp1252.byte('A'), None);
    }
}
