//! A document as plain text: for pages, for logs of what was printed, and for tests.
//!
//! Every character is drawn at its usual size, so that columns stand straight; big print is seen on
//! paper alone.

use hardware::document::layout::{Placed, place_line, place_row};
use hardware::document::width::text_cells;
use hardware::document::{Align, Document, Item, Style};
use hardware::profile::Charset;
use std::fmt::Write as _;

/// Widths as screens have them: accented letters one cell, Chinese characters two.
const SCREEN: Charset = Charset::Cp437;

/// Draws a document for paper of so many columns, a line each, ended by line feeds. A symbol is
/// `[QR payload]`; a cut is a line of its own.
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
                let _ = writeln!(out, "[QR {}]", String::from_utf8_lossy(&qr.payload));
            }
            Item::Barcode(barcode) => {
                let _ = writeln!(out, "[{}]", barcode.data);
            }
            Item::Picture(_) => out.push_str("[picture]\n"),
            Item::Feed { lines } => out.push_str(&"\n".repeat(usize::from(*lines))),
            Item::Cut(_) => out.push_str("- - 8< - -\n"),
            Item::Drawer(_) => out.push_str("[drawer]\n"),
        }
    }
    out
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
        line.push_str(piece.text);
    }
    let _ = writeln!(out, "{}", line.trim_end());
}
