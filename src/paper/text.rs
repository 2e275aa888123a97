//! A document as plain text: for pages, for logs of what was printed, and for tests.
//!
//! Every character is drawn at its usual size, so that columns stand straight; big print is seen on
//! paper alone.
//!
//! `hardware::preview::to_text` is not the same thing: it says what a printer of some profile will put on paper, with
//! `?` for what that printer does not have and the room that large letters take, and is held against virtual paper
//! in tests. A person at a screen wants the shop's own names, links that can be followed, and one column of figures.

use super::wrap::wrap;
use hardware::document::layout::{Placed, place_line, place_row};
use hardware::document::width::text_cells;
use hardware::document::{Align, Document, Item, Style};
use hardware::profile::Charset;
use std::fmt::Write as _;

/// Widths as screens have them: accented letters one cell, Chinese characters two.
const SCREEN: Charset = Charset::Cp437;

/// Draws a document for paper of so many columns, a line each, ended by line feeds. A symbol is what it says,
/// so that a link can be followed; a cut is a line of its own, and a drawer is nothing to read.
pub fn text(document: &Document, columns: u8) -> String {
    let mut out = String::new();
    for item in &document.items {
        match item {
            Item::Line(line) => {
                let plain = line.clone().styled(Style::PLAIN);
                place_line(&plain, columns, SCREEN, |pieces| {
                    put(&mut out, pieces, indent(line.align, pieces, columns));
                });
            }
            Item::Row(row) => {
                let plain = row.clone().styled(Style::PLAIN);
                place_row(&plain, columns, SCREEN, |pieces| put(&mut out, pieces, 0));
            }
            Item::Rule => {
                let _ = writeln!(out, "{}", "-".repeat(usize::from(columns)));
            }
            Item::Qr(qr) => {
                for piece in wrap(&String::from_utf8_lossy(&qr.payload), usize::from(columns)) {
                    let _ = writeln!(out, "{piece}");
                }
            }
            Item::Barcode(barcode) => {
                let _ = writeln!(out, "[{}]", barcode.data);
            }
            Item::Picture(_) => out.push_str("[picture]\n"),
            Item::Feed { lines } => out.push_str(&"\n".repeat(usize::from(*lines))),
            Item::Cut(_) => out.push_str("- - 8< - -\n"),
            Item::Drawer(_) => {}
        }
    }
    out
}

/// A character as it may stand in a text: nothing that ends a line or turns its direction around, for that would
/// move what stands beside it.
pub(super) fn shown(character: char) -> Option<char> {
    match character {
        '\t' => Some(' '),
        _ if character.is_control() => Some('?'),
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => None,
        _ => Some(character),
    }
}

fn indent(align: Align, pieces: &[Placed<'_>], columns: u8) -> usize {
    let used = pieces.last().map_or(0, |piece| piece.column + piece.cells);
    let free = usize::from(columns).saturating_sub(used);
    match align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    }
}

fn put(out: &mut String, pieces: &[Placed<'_>], indent: usize) {
    let mut line = " ".repeat(indent);
    for piece in pieces {
        let gap = (indent + piece.column).saturating_sub(text_cells(&line, SCREEN));
        line.push_str(&" ".repeat(gap));
        line.extend(piece.text.chars().filter_map(shown));
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
