//! What a document will look like, without a printer: as plain text, and as a picture.
//!
//! Both come from the layout that the bytes come from (`document::layout`) and show what the printer of a profile
//! would print, substitutes included. The picture has a font of our own, so its dots are not the printer's; places
//! and sizes are. What a printer has really put on paper is `sim::paper`'s.

use crate::canvas::{Canvas, LINE_HEIGHT, MARGIN, Strokes, TEXT_HEIGHT};
use crate::document::drawn::{barcode, barcode_text, qr};
use crate::document::layout::{Placed, place_line, place_row};
use crate::document::width::shown;
use crate::document::{Align, Barcode, BarcodeText, Bitmap, Document, Item, Line, Qr, Style, Symbology};
use crate::profile::{Cutter, Profile, QrSupport, Raster};

/// A piece of text on a line.
struct Piece {
    text: String,
    style: Style,
    /// Its first dot from the paper's left edge.
    dot: u32,
}

/// What comes out of the printer, top to bottom.
enum Block {
    Text(Vec<Piece>),
    Rule,
    /// Dots from the left edge, and what plain text says instead.
    Bitmap(Bitmap, u32, String),
    Cut,
    Drawer,
}

/// The document as plain text, a line each, ended by line feeds. A symbol is `[QR payload]`, `[EAN-13 digits]` or
/// `[Code 128 data]`, a picture `[picture]`, a cut and the drawer have lines of their own.
#[must_use]
pub fn to_text(document: &Document, profile: &Profile) -> String {
    let mut out = String::new();
    walk(document, profile, |block| {
        match block {
            Block::Text(pieces) => out.push_str(&line_text(&pieces, profile)),
            Block::Rule => out.push_str(&"-".repeat(usize::from(profile.columns))),
            Block::Bitmap(_, _, says) => out.push_str(&says),
            Block::Cut => out.push_str("- - 8< - -"),
            Block::Drawer => out.push_str("[drawer]"),
        }
        out.push('\n');
    });
    out
}

/// The document as a picture in PNG, black on white, a dot a pixel, with white around it; a cut is a grey line. At
/// most two metres of paper; of a longer document the end.
#[must_use]
pub fn to_png(document: &Document, profile: &Profile) -> Vec<u8> {
    let mut height = 0;
    walk(document, profile, |block| height += block_height(&block));
    let mut canvas = Canvas::new(u32::from(profile.width_dots), height);
    let mut y = 0;
    walk(document, profile, |block| {
        draw(&mut canvas, &block, y, profile);
        y += block_height(&block);
    });
    canvas.to_png().expect("writing to memory does not fail")
}

/// Says what comes out, block by block.
fn walk(document: &Document, profile: &Profile, mut each: impl FnMut(Block)) {
    for item in &document.items {
        match item {
            Item::Line(line) => text_line(line, profile, &mut each),
            Item::Row(row) => place_row(row, profile.columns, profile.charset, |pieces| {
                each(Block::Text(placed(pieces, Align::Left, profile)));
            }),
            Item::Rule => each(Block::Rule),
            Item::Qr(symbol) => qr_block(symbol, profile, &mut each),
            Item::Barcode(symbol) => barcode_blocks(symbol, profile, &mut each),
            Item::Picture(picture) => {
                let left = indent(picture.align, u32::from(picture.bitmap.width()), profile);
                each(Block::Bitmap(picture.bitmap.clone(), left, "[picture]".to_owned()));
            }
            Item::Feed { lines } => (0..*lines).for_each(|_| each(Block::Text(Vec::new()))),
            Item::Cut(_) => {
                if let Cutter::TearBar { feed_lines } = profile.cutter {
                    (0..feed_lines).for_each(|_| each(Block::Text(Vec::new())));
                }
                each(Block::Cut);
            }
            Item::Drawer(_) => each(Block::Drawer),
        }
    }
}

fn text_line(line: &Line, profile: &Profile, each: &mut impl FnMut(Block)) {
    place_line(line, profile.columns, profile.charset, |pieces| {
        each(Block::Text(placed(pieces, line.align, profile)));
    });
}

/// Text that is not the document's own, such as what stands below bars, wrapped and in the plain style.
fn own_text(text: &str, align: Align, profile: &Profile, each: &mut impl FnMut(Block)) {
    let line = Line { align, ..Line::left(text) };
    place_line(&line, profile.columns, profile.charset, |pieces| {
        each(Block::Text(placed(pieces, align, profile)));
    });
}

fn qr_block(symbol: &Qr, profile: &Profile, each: &mut impl FnMut(Block)) {
    let says = String::from_utf8_lossy(&symbol.payload).into_owned();
    let draws = match profile.qr {
        QrSupport::Native => true,
        QrSupport::Raster => profile.raster != Raster::None,
        QrSupport::TextOnly => false,
    };
    match qr(symbol, profile.width_dots).filter(|_| draws) {
        Some(bitmap) => {
            let left = indent(Align::Centre, u32::from(bitmap.width()), profile);
            each(Block::Bitmap(bitmap, left, format!("[QR {says}]")));
        }
        None => own_text(&says, Align::Left, profile, each),
    }
}

fn barcode_blocks(symbol: &Barcode, profile: &Profile, each: &mut impl FnMut(Block)) {
    let text = barcode_text(symbol).unwrap_or_else(|_| symbol.data.clone());
    let draws = !profile.barcodes.is_empty() || profile.raster != Raster::None;
    let bitmap = barcode(symbol, profile.width_dots).ok().filter(|_| draws);
    let drawn = bitmap.is_some();
    if let Some(bitmap) = bitmap {
        let kind = match symbol.symbology {
            Symbology::Ean13 => "EAN-13",
            Symbology::Code128 => "Code 128",
        };
        let left = indent(Align::Centre, u32::from(bitmap.width()), profile);
        each(Block::Bitmap(bitmap, left, format!("[{kind} {text}]")));
    }
    if symbol.text == BarcodeText::Below || !drawn {
        own_text(&text, Align::Centre, profile, each);
    }
}

fn placed(pieces: &[Placed<'_>], align: Align, profile: &Profile) -> Vec<Piece> {
    let dots = |columns: usize| u32::try_from(columns).unwrap_or(0) * u32::from(profile.cell_dots);
    let used = pieces.last().map_or(0, |piece| dots(piece.column + piece.cells));
    let left = indent(align, used, profile);
    pieces
        .iter()
        .map(|piece| Piece {
            text: piece.text.to_owned(),
            style: piece.style,
            dot: left + dots(piece.column),
        })
        .collect()
}

/// White dots on the left of something so wide.
fn indent(align: Align, used: u32, profile: &Profile) -> u32 {
    let free = u32::from(profile.width_dots).saturating_sub(used);
    match align {
        Align::Left => 0,
        Align::Centre => free / 2,
        Align::Right => free,
    }
}

fn line_text(pieces: &[Piece], profile: &Profile) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for piece in pieces {
        let at = usize::try_from(piece.dot / u32::from(profile.cell_dots)).unwrap_or(0);
        out.extend(std::iter::repeat_n(' ', at.saturating_sub(column)));
        column = at.max(column);
        for (character, cells) in shown(&piece.text, profile.charset) {
            out.push(character);
            column += cells * if piece.style.wide { 2 } else { 1 };
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn times(doubled: bool) -> u32 {
    if doubled { 2 } else { 1 }
}

fn block_height(block: &Block) -> u32 {
    match block {
        Block::Text(pieces) => LINE_HEIGHT + (tallest(pieces) - 1) * TEXT_HEIGHT,
        Block::Rule => LINE_HEIGHT,
        Block::Bitmap(bitmap, _, _) => u32::from(bitmap.height()),
        Block::Cut => 2 * MARGIN,
        Block::Drawer => 0,
    }
}

fn tallest(pieces: &[Piece]) -> u32 {
    pieces.iter().map(|piece| times(piece.style.tall)).max().unwrap_or(1)
}

fn draw(canvas: &mut Canvas, block: &Block, y: u32, profile: &Profile) {
    let cell_dots = u32::from(profile.cell_dots);
    match block {
        Block::Text(pieces) => {
            let tallest = tallest(pieces);
            for piece in pieces {
                let style = piece.style;
                let strokes =
                    Strokes { width: times(style.wide), height: times(style.tall), bold: style.bold };
                // Characters of one line stand on one base line.
                let down = (tallest - strokes.height) * TEXT_HEIGHT;
                canvas.text(shown(&piece.text, profile.charset), (piece.dot, y + down), cell_dots, strokes);
            }
        }
        Block::Rule => {
            let dashes = std::iter::repeat_n(('-', 1), usize::from(profile.columns));
            canvas.text(dashes, (0, y), cell_dots, Strokes { width: 1, height: 1, bold: false });
        }
        Block::Bitmap(bitmap, left, _) => {
            for down in 0..bitmap.height() {
                for across in (0..bitmap.width()).filter(|across| bitmap.is_ink(*across, down)) {
                    canvas.block(left + u32::from(across), y + u32::from(down), 1, 1);
                }
            }
        }
        Block::Cut => canvas.cut(y + MARGIN),
        Block::Drawer => {}
    }
}
