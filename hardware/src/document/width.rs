//! How many cells a character takes on a given printer, and what is printed in its place if it cannot be.
//!
//! The widths are the printer's, not a terminal's: a Chinese printer draws everything beyond ASCII from its
//! two-cell font, so there `é` is as wide as `中`. Bytes are made in `printer::escpos`, not here.

use crate::profile::Charset;

/// Stands for a character that a two-cell font has no glyph for: the geta mark, GB 2312's own stand-in.
pub const SUBSTITUTE_WIDE: char = '〓';
/// Stands for a character that a one-cell font has no glyph for.
pub const SUBSTITUTE: char = '?';

/// The upper half of code page 437, from 80h.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// What a printer does with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// One byte, one cell.
    Single(u8),
    /// A character of the two-cell font, in GB18030.
    Wide(char),
    /// Two stand-ins, so that columns stay where they are: a wide character on a western printer.
    TwoSubstitutes,
    /// Nothing: marks that join or modify and have no width of their own.
    Nothing,
}

impl Printed {
    /// Single-width cells it takes: 0, 1 or 2.
    #[must_use]
    pub fn cells(self) -> usize {
        match self {
            Printed::Single(_) => 1,
            Printed::Wide(_) | Printed::TwoSubstitutes => 2,
            Printed::Nothing => 0,
        }
    }
}

/// What a printer with this charset prints for `character`.
///
/// **Invariant:** a `Single` is never a control byte, so text cannot hold a command.
#[must_use]
pub fn printed(character: char, charset: Charset) -> Printed {
    match character {
        ' '..='~' => Printed::Single(u8::try_from(character).unwrap_or(b'?')),
        '\t' | '\u{a0}' | '\u{2002}'..='\u{200a}' => Printed::Single(b' '),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Printed::Single(b'?'),
        _ if is_zero_width(character) => Printed::Nothing,
        _ => match charset {
            Charset::Gb18030 => Printed::Wide(two_cell_form(character)),
            Charset::Cp437 => match CP437.chars().position(|known| known == character) {
                Some(at) => Printed::Single(u8::try_from(0x80 + at).unwrap_or(b'?')),
                None if is_wide(character) => Printed::TwoSubstitutes,
                None => Printed::Single(b'?'),
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
        _ if has_no_glyph(character) => SUBSTITUTE_WIDE,
        _ => character,
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

    #[test]
    fn code_page_437_has_all_128_characters_at_their_places() {
        assert_eq!(CP437.chars().count(), 128);
        for (character, byte) in
            [('Ç', 0x80), ('£', 0x9c), ('¥', 0x9d), ('é', 0x82), ('░', 0xb0), ('ß', 0xe1)]
        {
            assert_eq!(printed(character, Charset::Cp437), Printed::Single(byte), "{character}");
        }
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
        assert_eq!(printed('\u{10}', Charset::Gb18030), Printed::Single(b'?'));
        assert_eq!(printed('\u{1f370}', Charset::Gb18030), Printed::Wide('〓'));
        assert_eq!(printed('\u{1f370}', Charset::Cp437), Printed::TwoSubstitutes);
        assert_eq!(printed('\u{fe0f}', Charset::Gb18030), Printed::Nothing);
    }
}
