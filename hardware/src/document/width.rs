//! How many cells a character takes on a given printer, and what is printed in its place if it cannot be.
//!
//! The widths are the printer's, not a terminal's: a Chinese printer draws everything beyond ASCII from its
//! two-cell font, so there `é` is as wide as `中`. Bytes are made in `printer::escpos`, not here.

use encoding_rs::{EncoderResult, GB18030};

use super::instead::instead;
use crate::profile::{Charset, CodePage};

/// Stands for a character that a two-cell font has no glyph for: the geta mark, GB 2312's own stand-in.
pub const SUBSTITUTE_WIDE: char = '〓';
/// Stands for a character that a one-cell font has no glyph for.
pub const SUBSTITUTE: char = '?';

/// What a printer does with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// A printable ASCII byte, one cell.
    Ascii(u8),
    /// A byte above 7Fh of one of the printer's code pages, one cell.
    Paged(char),
    /// A character of the two-cell font, in GB18030.
    Wide(char),
    /// Printable ASCII that says nearly the same, one cell a letter.
    Instead(&'static str),
    /// `?`: there is nothing like it.
    Lost,
    /// Two cells of stand-ins, so that columns stay where they are: for a character that is wide elsewhere.
    LostWide,
    /// Nothing: marks that join or modify and have no width of their own.
    Nothing,
}

impl Printed {
    /// Single-width cells it takes.
    #[must_use]
    pub fn cells(self) -> usize {
        match self {
            Printed::Ascii(_) | Printed::Paged(_) | Printed::Lost => 1,
            Printed::Wide(_) | Printed::LostWide => 2,
            Printed::Instead(text) => text.len(),
            Printed::Nothing => 0,
        }
    }

    /// Whether the paper shows something else than was asked for.
    #[must_use]
    pub fn is_substitute(self) -> bool {
        match self {
            Printed::Instead(_) | Printed::Lost | Printed::LostWide => true,
            Printed::Ascii(_) | Printed::Paged(_) | Printed::Wide(_) | Printed::Nothing => false,
        }
    }
}

/// What a printer with this charset prints for `character`.
///
/// **Invariant:** an `Ascii` is never a control byte, so text cannot hold a command.
#[must_use]
pub fn printed(character: char, charset: Charset) -> Printed {
    match character {
        ' '..='~' => u8::try_from(character).map_or(Printed::Lost, Printed::Ascii),
        '\t' | '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => Printed::Ascii(b' '),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Printed::Lost,
        _ if is_zero_width(character) => Printed::Nothing,
        _ => match charset {
            Charset::Gb18030 => two_cells(character),
            Charset::Cp437 | Charset::Pages(_) if has(charset, narrow_form(character)) => {
                Printed::Paged(narrow_form(character))
            }
            Charset::Cp437 | Charset::Pages(_) => match instead(character) {
                Some(ascii) => Printed::Instead(ascii),
                None if is_wide(character) => Printed::LostWide,
                None => Printed::Lost,
            },
        },
    }
}

/// Single-width cells a text takes on a printer with this charset.
#[must_use]
pub fn text_cells(text: &str, charset: Charset) -> usize {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.len();
    }
    text.chars().map(|character| printed(character, charset).cells()).sum()
}

/// What is seen on paper: each character with the cells it takes.
pub fn shown(text: &str, charset: Charset) -> impl Iterator<Item = (char, usize)> + '_ {
    text.chars().flat_map(move |character| {
        let (text, one) = match printed(character, charset) {
            Printed::Ascii(byte) => ("", Some((char::from(byte), 1))),
            Printed::Paged(character) => ("", Some((character, 1))),
            Printed::Wide(character) => ("", Some((character, 2))),
            Printed::Lost => ("", Some((SUBSTITUTE, 1))),
            Printed::LostWide => match charset {
                Charset::Gb18030 => ("", Some((SUBSTITUTE_WIDE, 2))),
                Charset::Cp437 | Charset::Pages(_) => ("??", None),
            },
            Printed::Instead(ascii) => (ascii, None),
            Printed::Nothing => ("", None),
        };
        one.into_iter().chain(text.chars().map(|character| (character, 1)))
    })
}

/// A character's code in GB18030: two bytes or four, none of them below 30h. None for ASCII and for U+E5E5.
#[must_use]
pub fn gb18030(character: char) -> Option<([u8; 4], usize)> {
    let (mut utf8, mut bytes) = ([0; 4], [0; 8]);
    let (result, _, written) = GB18030.new_encoder().encode_from_utf8_without_replacement(
        character.encode_utf8(&mut utf8),
        &mut bytes,
        true,
    );
    match result {
        EncoderResult::InputEmpty if written == 2 || written == 4 => {
            Some(([bytes[0], bytes[1], bytes[2], bytes[3]], written))
        }
        EncoderResult::InputEmpty | EncoderResult::Unmappable(_) | EncoderResult::OutputFull => None,
    }
}

/// What a Chinese printer has: every character of two bytes, and hanzi of four. Other characters of four bytes
/// (most accented letters among them) are in the standard but in no printer's font.
fn two_cells(character: char) -> Printed {
    // The hanzi of GBK all have two bytes; looking each up several times would cost more than the rest of a receipt.
    if ('\u{4e00}'..='\u{9fa5}').contains(&character) {
        return Printed::Wide(character);
    }
    let character = two_cell_form(character);
    if has_no_glyph(character) {
        return Printed::LostWide;
    }
    match gb18030(character) {
        Some((_, 2)) => Printed::Wide(character),
        Some(_) if is_wide(character) => Printed::Wide(character),
        Some(_) | None => instead(character).map_or(Printed::LostWide, Printed::Instead),
    }
}

/// Marks and joiners that take no room: combining marks, zero-width and direction marks, variation selectors.
fn is_zero_width(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The character a two-cell font has for this one. Currency signs of Latin 1 have four-byte codes that printers
/// lack; their full-width forms are in every one of them.
fn two_cell_form(character: char) -> char {
    match character {
        '¥' => '￥',
        '£' => '￡',
        '¢' => '￠',
        _ => character,
    }
}

/// The form that western code pages have of a currency sign that is full-width in Chinese texts.
fn narrow_form(character: char) -> char {
    match character {
        '￥' => '¥',
        '￡' => '£',
        '￠' => '¢',
        _ => character,
    }
}

/// Whether one of a printer's code pages has a character.
fn has(charset: Charset, character: char) -> bool {
    match charset {
        Charset::Cp437 => CodePage::Cp437.byte(character).is_some(),
        Charset::Pages(pages) => pages.have(character),
        Charset::Gb18030 => false,
    }
}

/// Characters that GB18030 can write but no printer draws: private use, pictographs, unassigned ends of planes.
fn has_no_glyph(character: char) -> bool {
    matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' | '\u{10000}'..='\u{1ffff}' | '\u{f0000}'..)
}

/// East Asian wide and fullwidth characters. Unicode Standard Annex 11, in blocks.
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Pages;

    fn western() -> Charset {
        Charset::Pages([CodePage::Cp437, CodePage::Cp858].into_iter().collect::<Pages>())
    }

    #[test]
    fn a_chinese_character_is_two_cells_on_either_printer() {
        assert_eq!(text_cells("牛奶1L", Charset::Gb18030), 6);
        assert_eq!(text_cells("牛奶1L", Charset::Cp437), 6);
        assert_eq!(text_cells("é", Charset::Gb18030), 2);
        assert_eq!(text_cells("é", Charset::Cp437), 1);
    }

    #[test]
    fn what_cannot_be_printed_is_seen() {
        assert_eq!(printed('\u{10}', Charset::Gb18030), Printed::Lost);
        assert_eq!(printed('\u{1f370}', Charset::Gb18030), Printed::LostWide);
        assert_eq!(printed('\u{1f370}', Charset::Cp437), Printed::LostWide);
        assert_eq!(printed('\u{fe0f}', Charset::Gb18030), Printed::Nothing);
    }

    #[test]
    fn what_has_a_near_likeness_in_ascii_is_printed_as_that() {
        assert_eq!(printed('€', Charset::Cp437), Printed::Instead("EUR"));
        assert_eq!(printed('€', western()), Printed::Paged('€'));
        assert_eq!(printed('￥', western()), Printed::Paged('¥'));
        assert_eq!(printed('€', Charset::Gb18030), Printed::Wide('€'));
        assert_eq!(printed('ñ', Charset::Gb18030), Printed::Instead("n"));
        assert_eq!(text_cells("€ 5", Charset::Cp437), 5);
        let seen =
            |text: &str, charset| shown(text, charset).map(|(character, _)| character).collect::<String>();
        assert_eq!(seen("5 € 牛\u{301}ő", Charset::Cp437), "5 EUR ??o");
        assert_eq!(seen("5 € 牛\u{301}ő🍰", Charset::Gb18030), "5 € 牛o〓");
    }

    #[test]
    fn the_hanzi_of_gbk_all_have_two_bytes() {
        for character in '\u{4e00}'..='\u{9fa5}' {
            assert_eq!(gb18030(character).map(|(_, length)| length), Some(2), "{character}");
        }
    }

    #[test]
    fn no_byte_of_gb18030_is_below_30h() {
        for character in '\u{80}'..=char::MAX {
            if let Some((bytes, length)) = gb18030(character) {
                assert!(bytes[..length].iter().all(|byte| *byte >= 0x30), "{character:?}");
            }
        }
    }
}
