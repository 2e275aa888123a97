//! Wrapping of names: between words, and between Chinese characters, never within either.
//!
//! Widths are those of a Chinese printer, which draws everything beyond ASCII two cells wide: what fits
//! there fits everywhere.

use hardware::document::width::{printed, text_cells};
use hardware::profile::Charset;

/// Single-width cells that a text takes at most.
pub(super) fn cells(text: &str) -> usize {
    text_cells(text, Charset::Gb18030)
}

/// Breaks a text into pieces of at most `room` cells. A word that is longer than the room is broken
/// where it must be. There is always a piece, be it empty.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for part in parts(text) {
        let start = if piece.is_empty() { part.trim_start() } else { part };
        if cells(&piece) + cells(start.trim_end()) <= room {
            piece.push_str(start);
            continue;
        }
        if !piece.trim_end().is_empty() {
            pieces.push(piece.trim_end().to_owned());
        }
        piece.clear();
        for character in part.trim_start().chars() {
            if cells(&piece) + printed(character, Charset::Gb18030).cells() > room {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(character);
        }
    }
    let piece = piece.trim_end();
    if !piece.is_empty() || pieces.is_empty() {
        pieces.push(piece.to_owned());
    }
    pieces
}

/// What must not be broken: a word with the spaces after it, or one wide character.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        let breaks = match before {
            None => false,
            Some(' ') => character != ' ',
            Some(before) => (is_wide(before) || is_wide(character)) && character != ' ',
        };
        if breaks {
            parts.push(&text[start..at]);
            start = at;
        }
        before = Some(character);
    }
    parts.push(&text[start..]);
    parts
}

/// Chinese characters and their full-width punctuation. Accented letters are two cells on a Chinese
/// printer too, but they are letters of words.
fn is_wide(character: char) -> bool {
    character >= '\u{2e80}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_chinese_characters_stay_whole() {
        for (text, room, expected) in [
            ("Coffee beans 250g", 12, vec!["Coffee beans", "250g"]),
            ("Coffee beans 250g", 17, vec!["Coffee beans 250g"]),
            ("有机牛奶", 5, vec!["有机", "牛奶"]),
            ("有机牛奶 Organic milk", 12, vec!["有机牛奶", "Organic milk"]),
            ("Donaudampfschiff", 10, vec!["Donaudampf", "schiff"]),
            ("Crème brûlée", 10, vec!["Crème", "brûlée"]),
            ("", 10, vec![""]),
            ("a", 0, vec!["a"]),
        ] {
            assert_eq!(wrap(text, room), expected, "{text:?} in {room}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_wider_than_its_room(text in "[a-z 牛奶é]{0,60}", room in 2_usize..30) {
            let pieces = wrap(&text, room);
            for piece in &pieces {
                prop_assert!(cells(piece) <= room, "{piece:?}");
            }
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&pieces.concat()), bare(&text));
        }
    }
}
