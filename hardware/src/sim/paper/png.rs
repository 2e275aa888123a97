//! Paper as a picture, dot for dot: ASCII from a small font of ours, symbols as they are.
//!
//! A two-cell character is a box of its size: it shows that something is printed there and how much room it takes.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

use super::super::font;
use super::html::modules;
use super::{CELL_DOTS, Look, Paper, Printed, QrSymbol, Sheet, TextLine, indent};

/// Height of a cell and of a line at the usual spacing.
const CELL_HEIGHT: u32 = 24;
const LINE_HEIGHT: u32 = 30;
/// White around the paper, and between two sheets.
const MARGIN: u32 = 12;
const INK: Luma<u8> = Luma([0]);
const PAPER: Luma<u8> = Luma([255]);
const CUT: Luma<u8> = Luma([160]);
/// The longest picture; older lines are left out above it.
const MAX_HEIGHT: u32 = 20_000;

impl Paper {
    /// All sheets below each other, as PNG, each cut as a grey line. At most the last 20,000 dots of paper.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn to_png(&self, width_dots: u32) -> Result<Vec<u8>, image::ImageError> {
        let mut height = 0;
        let shown = self.sheets.iter().rev().take_while(|sheet| {
            let fits = height < MAX_HEIGHT;
            height += sheet_height(sheet);
            fits
        });
        draw(&self.sheets[self.sheets.len() - shown.count()..], width_dots)
    }
}

impl Sheet {
    /// This sheet alone, as PNG. At most its last 20,000 dots.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn to_png(&self, width_dots: u32) -> Result<Vec<u8>, image::ImageError> {
        draw(std::slice::from_ref(self), width_dots)
    }
}

fn draw(sheets: &[Sheet], width_dots: u32) -> Result<Vec<u8>, image::ImageError> {
    let total: u32 = sheets.iter().map(sheet_height).sum::<u32>() + 2 * MARGIN;
    let hidden = total.saturating_sub(MAX_HEIGHT);
    let mut canvas = Canvas {
        image: GrayImage::from_pixel(width_dots + 2 * MARGIN, total - hidden, PAPER),
        above: i64::from(hidden),
        width: width_dots,
    };
    let mut y = MARGIN;
    for sheet in sheets {
        y = canvas.sheet(sheet, y);
    }
    let mut out = Cursor::new(Vec::new());
    canvas.image.write_to(&mut out, ImageFormat::Png)?;
    Ok(out.into_inner())
}

fn sheet_height(sheet: &Sheet) -> u32 {
    sheet.lines.iter().map(line_height).sum::<u32>() + if sheet.cut.is_some() { 2 * MARGIN } else { 0 }
}

fn line_height(printed: &Printed) -> u32 {
    match printed {
        Printed::Text(line) => {
            let tallest = line.spans.iter().map(|span| u32::from(span.look.height.max(1))).max().unwrap_or(1);
            LINE_HEIGHT + (tallest - 1) * CELL_HEIGHT
        }
        Printed::Qr(symbol) => modules(symbol)
            .and_then(|(width, _)| u32::try_from(width).ok())
            .map_or(LINE_HEIGHT, |width| width * u32::from(symbol.module_dots) + LINE_HEIGHT),
    }
}

struct Canvas {
    image: GrayImage,
    /// Dots of paper above the picture's top.
    above: i64,
    width: u32,
}

impl Canvas {
    fn dot(&mut self, x: u32, y: u32, ink: Luma<u8>) {
        if let Ok(y) = u32::try_from(i64::from(y) - self.above)
            && x + MARGIN < self.image.width()
            && y < self.image.height()
        {
            self.image.put_pixel(x + MARGIN, y, ink);
        }
    }

    fn block(&mut self, x: u32, y: u32, width: u32, height: u32) {
        for down in 0..height {
            for across in 0..width {
                self.dot(x + across, y + down, INK);
            }
        }
    }

    fn sheet(&mut self, sheet: &Sheet, mut y: u32) -> u32 {
        for printed in &sheet.lines {
            match printed {
                Printed::Text(line) => self.text(line, y),
                Printed::Qr(symbol) => self.qr(symbol, y),
            }
            y += line_height(printed);
        }
        if sheet.cut.is_some() {
            for x in 0..self.width {
                self.dot(x, y + MARGIN, CUT);
            }
            y += 2 * MARGIN;
        }
        y
    }

    fn text(&mut self, line: &TextLine, y: u32) {
        let used = line.spans.last().map_or(0, |span| span.dot + span.dots);
        let left = indent(line.side, used, self.width);
        for span in &line.spans {
            let mut x = left + span.dot;
            for character in span.text.chars() {
                x += self.character(character, span.look, x, y);
            }
        }
    }

    /// Draws one character and says how wide it was. Two dots each way make one of the font's.
    fn character(&mut self, character: char, look: Look, x: u32, y: u32) -> u32 {
        let (width, height) = (u32::from(look.width.max(1)), u32::from(look.height.max(1)));
        let (dot_width, dot_height) = (2 * width, 3 * height);
        let Some(rows) = font::glyph(character) else {
            let box_width = 2 * CELL_DOTS * width;
            let (inner_width, inner_height) = (box_width - 4, CELL_HEIGHT * height - 4);
            self.block(x + 2, y + 2, inner_width, 2);
            self.block(x + 2, y + inner_height, inner_width, 2);
            self.block(x + 2, y + 2, 2, inner_height);
            self.block(x + box_width - 4, y + 2, 2, inner_height);
            return box_width;
        };
        for (down, row) in (0..font::HEIGHT).zip(rows) {
            for across in 0..font::WIDTH {
                if row & (0x10 >> across) != 0 {
                    let (at_x, at_y) = (x + across * dot_width, y + 2 * height + down * dot_height);
                    self.block(at_x, at_y, dot_width + u32::from(look.bold), dot_height);
                }
            }
        }
        CELL_DOTS * width
    }

    fn qr(&mut self, symbol: &QrSymbol, y: u32) {
        let Some((width, dark)) = modules(symbol) else { return };
        let module = u32::from(symbol.module_dots);
        let across = u32::try_from(width).unwrap_or(0) * module;
        let left = indent(symbol.side, across, self.width);
        for (row, modules) in (0..).zip(dark.chunks(width)) {
            for (column, dark) in (0..).zip(modules) {
                if *dark {
                    self.block(left + column * module, y + row * module, module, module);
                }
            }
        }
    }
}
