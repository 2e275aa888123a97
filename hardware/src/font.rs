//! The bitmap font of pictures of paper: 24 dots high, 12 or 24 wide, with letters of Europe, signs and hanzi.
//!
//! Made by `fonts/make.py` from Noto Sans Mono CJK SC and Noto Sans Mono (SIL Open Font License 1.1, `fonts/OFL.txt`). It shows people
//! what a paper says; a printer has a font of its own, and no dot of this one is ever sent to it.

use std::sync::LazyLock;

/// Height of every character.
pub const HEIGHT: u16 = 24;
/// Width of a single-width character.
pub const HALF_WIDTH: u16 = 12;

const HALF_BYTES: usize = 36;
const FULL_BYTES: usize = 72;
/// What the file unpacks to at most: twice what it is.
const MAX_BYTES: usize = 2 * 1024 * 1024;

static FONT: LazyLock<Font> = LazyLock::new(|| {
    let packed = include_bytes!("../fonts/paper.bin");
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, MAX_BYTES)
        .expect("the font that is built in unpacks; a test does it");
    Font::read(&bytes).expect("the font that is built in is whole; a test reads it")
});

struct Font {
    half: Set<HALF_BYTES>,
    full: Set<FULL_BYTES>,
}

/// Characters of one width, ascending, with their dots.
struct Set<const BYTES: usize> {
    characters: Vec<char>,
    dots: Vec<[u8; BYTES]>,
}

/// A character's dots.
#[derive(Clone, Copy)]
pub struct Glyph {
    /// One row each, the leftmost dot in bit 23.
    rows: [u32; 24],
    /// 12 or 24.
    width: u16,
}

impl Glyph {
    /// Width in dots.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether there is ink at a dot; outside there is none.
    #[must_use]
    pub fn is_ink(&self, x: u16, y: u16) -> bool {
        x < self.width && self.rows.get(usize::from(y)).is_some_and(|row| row & (0x80_0000 >> x) != 0)
    }
}

/// The glyph of a character for so many cells, 1 or 2. What the font lacks is a box of that size.
#[must_use]
pub fn glyph(character: char, cells: usize) -> Glyph {
    let narrow = || FONT.half.find(character).map(half);
    let wide = || FONT.full.find(character).map(full);
    let found = if cells > 1 { wide().or_else(|| narrow().map(widened)) } else { narrow() };
    found.unwrap_or_else(|| boxed(if cells > 1 { 2 * HALF_WIDTH } else { HALF_WIDTH }))
}

/// Whether the font has the character in some width.
#[must_use]
pub fn has(character: char) -> bool {
    FONT.half.find(character).is_some() || FONT.full.find(character).is_some()
}

impl Font {
    fn read(bytes: &[u8]) -> Option<Font> {
        let (half_count, rest) = bytes.split_first_chunk::<2>()?;
        let (full_count, rest) = rest.split_first_chunk::<2>()?;
        let (halves, fulls) =
            (usize::from(u16::from_le_bytes(*half_count)), usize::from(u16::from_le_bytes(*full_count)));
        let (codes, dots) = rest.split_at_checked(3 * (halves + fulls))?;
        let characters = codes
            .chunks_exact(3)
            .map(|code| char::from_u32(u32::from_le_bytes([code[0], code[1], code[2], 0])))
            .collect::<Option<Vec<char>>>()?;
        let (half, full) = characters.split_at(halves);
        let (half_dots, full_dots) = dots.split_at_checked(halves * HALF_BYTES)?;
        Some(Font { half: Set::read(half, half_dots)?, full: Set::read(full, full_dots)? })
    }
}

impl<const BYTES: usize> Set<BYTES> {
    /// Each byte is kept as its difference from the byte three before.
    fn read(characters: &[char], dots: &[u8]) -> Option<Set<BYTES>> {
        let mut all = Vec::with_capacity(characters.len());
        for packed in dots.chunks_exact(BYTES) {
            let mut glyph: [u8; BYTES] = packed.try_into().ok()?;
            for at in 3..BYTES {
                glyph[at] ^= glyph[at - 3];
            }
            all.push(glyph);
        }
        (all.len() == characters.len()).then(|| Set { characters: characters.to_vec(), dots: all })
    }

    fn find(&self, character: char) -> Option<&[u8; BYTES]> {
        self.characters.binary_search(&character).ok().map(|at| &self.dots[at])
    }
}

/// Two rows of twelve dots are three bytes.
fn half(dots: &[u8; HALF_BYTES]) -> Glyph {
    let mut rows = [0; 24];
    for (pair, bytes) in rows.chunks_exact_mut(2).zip(dots.chunks_exact(3)) {
        let both = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        pair[0] = both & 0xff_f000;
        pair[1] = both << 12 & 0xff_f000;
    }
    Glyph { rows, width: HALF_WIDTH }
}

fn full(dots: &[u8; FULL_BYTES]) -> Glyph {
    let mut rows = [0; 24];
    for (row, bytes) in rows.iter_mut().zip(dots.chunks_exact(3)) {
        *row = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
    }
    Glyph { rows, width: 2 * HALF_WIDTH }
}

/// A narrow glyph in the middle of two cells.
fn widened(glyph: Glyph) -> Glyph {
    Glyph { rows: glyph.rows.map(|row| row >> (HALF_WIDTH / 2)), width: 2 * HALF_WIDTH }
}

/// A frame two dots thick, with two dots of air around.
fn boxed(width: u16) -> Glyph {
    let mut rows = [0; 24];
    let line = |from: u16, to: u16| (from..to).fold(0_u32, |row, x| row | 0x80_0000 >> x);
    for (y, row) in rows.iter_mut().enumerate() {
        *row = match y {
            2 | 3 | 20 | 21 => line(2, width - 2),
            4..20 => line(2, 4) | line(width - 4, width - 2),
            _ => 0,
        };
    }
    Glyph { rows, width }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::CodePage;

    fn picture(glyph: &Glyph) -> Vec<String> {
        let dot = |x, y| if glyph.is_ink(x, y) { '#' } else { '.' };
        (0..HEIGHT).map(|y| (0..glyph.width()).map(|x| dot(x, y)).collect()).collect()
    }

    #[test]
    fn every_character_of_gb_2312_and_of_every_code_page_has_a_glyph() {
        let hanzi = (0xb0..=0xf7_u8).flat_map(|row| (0xa1..=0xfe_u8).map(move |cell| [row, cell]));
        let mut count = 0;
        for bytes in hanzi {
            let text = encoding_rs::GBK.decode_without_bom_handling(&bytes).0;
            let character = text.chars().next().unwrap();
            // The five last places of row 55 are empty in GB 2312.
            if !('\u{e000}'..='\u{f8ff}').contains(&character) {
                assert!(FONT.full.find(character).is_some(), "{character}");
                count += 1;
            }
        }
        assert_eq!(count, 6763);
        for page in CodePage::ALL {
            let characters = (0x80..=0xff).filter_map(|byte| page.character(byte)).filter(|c| *c != '\u{a0}');
            for character in characters {
                assert!(FONT.half.find(character).is_some(), "{page} {character:?}");
            }
        }
    }

    #[test]
    fn a_hanzi_looks_like_itself_and_what_is_missing_like_a_box() {
        let ten = picture(&glyph('十', 2));
        let widest = ten.iter().map(|row| row.matches('#').count()).max().unwrap();
        assert!(widest > 18 && ten[3].matches('#').count() == 2, "{ten:#?}");
        assert_eq!(glyph('A', 1).width(), 12);
        assert_eq!(glyph('A', 2).width(), 24);
        let missing = picture(&glyph('\u{10ffff}', 2));
        assert_eq!(missing[2], "..####################..");
        assert_eq!(missing[10], "..##................##..");
        assert!(!has('\u{10ffff}') && has('十'));
    }
}
