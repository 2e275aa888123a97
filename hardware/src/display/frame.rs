//! What stands on a display: two lines of twenty cells.
//!
//! **Invariant:** a line is always twenty bytes in twenty cells, none of them a control byte, so that text cannot
//! hold a command. A wide character is two cells and is never split.

use encoding_rs::GBK;

use super::Charset;

/// Cells of a line.
pub const COLUMNS: usize = 20;

/// Stands for a character that the display does not have, in each of its cells.
const SUBSTITUTE: u8 = b'?';

/// Two lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The upper line.
    pub upper: Line,
    /// The lower line.
    pub lower: Line,
}

/// One line: words at the left, an amount at the right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    words: String,
    amount: String,
    centred: bool,
}

impl Line {
    /// Words and an amount. The amount is always shown whole; the words get what room it leaves. An amount that is
    /// wider than the display is shown as stars: a part of it would be another amount.
    #[must_use]
    pub fn amount(words: impl Into<String>, amount: impl Into<String>) -> Line {
        Line { words: words.into(), amount: amount.into(), centred: false }
    }

    /// Words in the middle.
    #[must_use]
    pub fn centred(words: impl Into<String>) -> Line {
        Line { words: words.into(), amount: String::new(), centred: true }
    }

    fn bytes(&self, charset: Charset) -> [u8; COLUMNS] {
        let mut line = [b' '; COLUMNS];
        let amount: Vec<u8> = self.amount.chars().flat_map(|character| cells(character, charset)).collect();
        if amount.len() > COLUMNS {
            return [b'*'; COLUMNS];
        }
        line[COLUMNS - amount.len()..].copy_from_slice(&amount);
        let room = if amount.is_empty() { COLUMNS } else { (COLUMNS - amount.len()).saturating_sub(1) };
        let mut words = Vec::with_capacity(room);
        for character in self.words.trim().chars() {
            let cells = cells(character, charset);
            if words.len() + cells.len() > room {
                break;
            }
            words.extend(cells);
        }
        let from = if self.centred { (room - words.len()) / 2 } else { 0 };
        line[from..from + words.len()].copy_from_slice(&words);
        line
    }
}

impl Frame {
    /// The twenty bytes of each line.
    pub(super) fn bytes(&self, charset: Charset) -> [[u8; COLUMNS]; 2] {
        [self.upper.bytes(charset), self.lower.bytes(charset)]
    }
}

/// A character's bytes, one for each cell.
fn cells(character: char, charset: Charset) -> Vec<u8> {
    let instead = || vec![SUBSTITUTE; if is_wide(character) { 2 } else { 1 }];
    match (character, charset) {
        (' '..='~', _) => u8::try_from(character).map_or_else(|_| instead(), |byte| vec![byte]),
        ('\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}', _) => vec![b' '],
        _ if has_no_width(character) => vec![],
        ('¥' | '￥', Charset::Gb2312) => vec![0xa3, 0xa4],
        (_, Charset::Ascii) => instead(),
        (_, Charset::Cp437) => {
            let known = CP437_LETTERS.iter().find(|(_, letter)| *letter == character);
            known.map_or_else(instead, |(byte, _)| vec![*byte])
        }
        (_, Charset::Gb2312) => gb2312(character).map_or_else(instead, Vec::from),
    }
}

/// Letters and signs of code page 437 that names and amounts have; its line drawings are no words.
const CP437_LETTERS: [(u8, char); 42] = [
    (0x80, 'Ç'),
    (0x81, 'ü'),
    (0x82, 'é'),
    (0x83, 'â'),
    (0x84, 'ä'),
    (0x85, 'à'),
    (0x86, 'å'),
    (0x87, 'ç'),
    (0x88, 'ê'),
    (0x89, 'ë'),
    (0x8a, 'è'),
    (0x8b, 'ï'),
    (0x8c, 'î'),
    (0x8d, 'ì'),
    (0x8e, 'Ä'),
    (0x8f, 'Å'),
    (0x90, 'É'),
    (0x91, 'æ'),
    (0x92, 'Æ'),
    (0x93, 'ô'),
    (0x94, 'ö'),
    (0x95, 'ò'),
    (0x96, 'û'),
    (0x97, 'ù'),
    (0x98, 'ÿ'),
    (0x99, 'Ö'),
    (0x9a, 'Ü'),
    (0x9b, '¢'),
    (0x9c, '£'),
    (0x9d, '¥'),
    (0xa0, 'á'),
    (0xa1, 'í'),
    (0xa2, 'ó'),
    (0xa3, 'ú'),
    (0xa4, 'ñ'),
    (0xa5, 'Ñ'),
    (0xa8, '¿'),
    (0xab, '½'),
    (0xac, '¼'),
    (0xad, '¡'),
    (0xe1, 'ß'),
    (0xf8, '°'),
];

/// Marks and joiners that take no room.
fn has_no_width(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Characters that take two cells where they can be shown.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

/// Two bytes of GB 2312, both above A0h; characters that only its extensions have are not on a display.
fn gb2312(character: char) -> Option<[u8; 2]> {
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = GBK.encode(character.encode_utf8(&mut utf8));
    match *bytes {
        [first @ 0xa1..=0xf7, second @ 0xa1..=0xfe] if !unmappable => Some([first, second]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(line: &Line, charset: Charset) -> String {
        let bytes = line.bytes(charset);
        GBK.decode(&bytes).0.into_owned()
    }

    #[test]
    fn the_amount_wins_over_the_name() {
        for (name, amount, expected) in [
            ("Milk 1L", "2.40", "Milk 1L         2.40"),
            ("Coffee beans 250g, roasted", "5.95", "Coffee beans 25 5.95"),
            ("TOTAL", "92233720368547758.07", "92233720368547758.07"),
            ("TOTAL", "-92233720368547758.08", "********************"),
            ("", "1.00", "                1.00"),
        ] {
            assert_eq!(shown(&Line::amount(name, amount), Charset::Ascii), expected);
        }
    }

    #[test]
    fn wide_characters_take_two_cells_and_are_never_split() {
        let milk = Line::amount("有机牛奶有机牛奶", "12.40");
        assert_eq!(shown(&milk, Charset::Gb2312), "有机牛奶有机牛 12.40");
        assert_eq!(shown(&Line::centred("欢迎光临"), Charset::Gb2312), "      欢迎光临      ");
    }

    #[test]
    fn what_a_display_does_not_have_is_seen() {
        assert_eq!(shown(&Line::centred("Crème"), Charset::Ascii), "       Cr?me        ");
        assert_eq!(Line::centred("é").bytes(Charset::Cp437)[9], 0x82);
        assert_eq!(shown(&Line::amount("牛奶", "2.40"), Charset::Cp437), "????            2.40");
        assert_eq!(shown(&Line::amount("𠮷\u{1b}", "2.40"), Charset::Gb2312), "???             2.40");
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_line_is_twenty_bytes_without_a_command(words in "\\PC{0,40}", amount in "\\PC{0,30}", centred in any::<bool>()) {
            for charset in [Charset::Ascii, Charset::Cp437, Charset::Gb2312] {
                let line = Line { words: words.clone(), amount: amount.clone(), centred };
                let bytes = line.bytes(charset);
                prop_assert!(bytes.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f), "{bytes:?}");
            }
        }
    }
}
