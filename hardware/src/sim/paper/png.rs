//! Paper as a picture, dot for dot.
//!
//! Text is in the font of `font`, not in the printer's; symbols and pictures are as they are.

use super::html::modules;
use super::{BarSymbol, CELL_DOTS, Paper, Picture, Printed, QrSymbol, Sheet, TextLine, indent};
use crate::canvas::{Canvas, LINE_HEIGHT, MARGIN, MAX_HEIGHT, Strokes, TEXT_HEIGHT};

impl Paper {
    /// All sheets below each other, as PNG, each cut as a grey line. At most the last two metres of paper.
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
    /// This sheet alone, as PNG. At most its last two metres.
    ///
    /// # Errors
    /// When the picture cannot be encoded.
    pub fn to_png(&self, width_dots: u32) -> Result<Vec<u8>, image::ImageError> {
        draw(std::slice::from_ref(self), width_dots)
    }
}

fn draw(sheets: &[Sheet], width_dots: u32) -> Result<Vec<u8>, image::ImageError> {
    let mut canvas = Canvas::new(width_dots, sheets.iter().map(sheet_height).sum());
    let mut y = 0;
    for sheet in sheets {
        for printed in &sheet.lines {
            match printed {
                Printed::Text(line) => text(&mut canvas, line, y, width_dots),
                Printed::Qr(symbol) => qr(&mut canvas, symbol, y, width_dots),
                Printed::Bars(symbol) => bars(&mut canvas, symbol, y, width_dots),
                Printed::Picture(image) => picture(&mut canvas, image, y, width_dots),
            }
            y += line_height(printed);
        }
        if sheet.cut.is_some() {
            canvas.cut(y + MARGIN);
            y += 2 * MARGIN;
        }
    }
    canvas.to_png()
}

fn sheet_height(sheet: &Sheet) -> u32 {
    sheet.lines.iter().map(line_height).sum::<u32>() + if sheet.cut.is_some() { 2 * MARGIN } else { 0 }
}

fn line_height(printed: &Printed) -> u32 {
    match printed {
        Printed::Text(line) => LINE_HEIGHT + (tallest(line) - 1) * TEXT_HEIGHT,
        Printed::Qr(symbol) => modules(symbol)
            .and_then(|(width, _)| u32::try_from(width).ok())
            .map_or(LINE_HEIGHT, |width| width * u32::from(symbol.module_dots)),
        Printed::Bars(symbol) => u32::from(symbol.height_dots),
        Printed::Picture(picture) => u32::try_from(picture.rows.len()).unwrap_or(0),
    }
}

fn tallest(line: &TextLine) -> u32 {
    line.spans.iter().map(|span| u32::from(span.look.height.max(1))).max().unwrap_or(1)
}

fn text(canvas: &mut Canvas, line: &TextLine, y: u32, width_dots: u32) {
    let used = line.spans.last().map_or(0, |span| span.dot + span.dots);
    let left = indent(line.side, used, width_dots);
    for span in &line.spans {
        let (width, height) = (u32::from(span.look.width.max(1)), u32::from(span.look.height.max(1)));
        let strokes = Strokes { width, height, bold: span.look.bold };
        // Characters of one line stand on one base line.
        let down = (tallest(line) - height) * TEXT_HEIGHT;
        let cells = cells_of(span.dots, &span.text, width);
        canvas.text(cells, (left + span.dot, y + down), CELL_DOTS, strokes);
    }
}

/// The characters of a span with their cells. A span is printed in one mode of the printer, but ASCII is one cell wide
/// in both, and what else is in it takes what is left of its dots.
fn cells_of(dots: u32, text: &str, width: u32) -> impl Iterator<Item = (char, usize)> + '_ {
    let narrow = text.chars().filter(char::is_ascii).count();
    let others = text.chars().count() - narrow;
    let cells = usize::try_from(dots / (CELL_DOTS * width)).unwrap_or(0);
    let wide = others > 0 && cells > narrow + others;
    text.chars().map(move |character| (character, if wide && !character.is_ascii() { 2 } else { 1 }))
}

fn qr(canvas: &mut Canvas, symbol: &QrSymbol, y: u32, width_dots: u32) {
    let Some((width, dark)) = modules(symbol) else { return };
    let module = u32::from(symbol.module_dots);
    let across = u32::try_from(width).unwrap_or(0) * module;
    let left = indent(symbol.side, across, width_dots);
    for (row, modules) in (0..).zip(dark.chunks(width)) {
        for (column, _) in (0..).zip(modules).filter(|(_, dark)| **dark) {
            canvas.block(left + column * module, y + row * module, module, module);
        }
    }
}

fn bars(canvas: &mut Canvas, symbol: &BarSymbol, y: u32, width_dots: u32) {
    let module = u32::from(symbol.module_dots);
    let across = u32::try_from(symbol.bars.len()).unwrap_or(0) * module;
    let left = indent(symbol.side, across, width_dots);
    for (at, _) in (0..).zip(&symbol.bars).filter(|(_, bar)| **bar) {
        canvas.block(left + at * module, y, module, u32::from(symbol.height_dots));
    }
}

fn picture(canvas: &mut Canvas, picture: &Picture, y: u32, width_dots: u32) {
    for (down, row) in (0..).zip(&picture.rows) {
        let left = indent(picture.side, u32::try_from(row.len()).unwrap_or(0), width_dots);
        for (across, _) in (0..).zip(row).filter(|(_, ink)| **ink) {
            canvas.block(left + across, y + down, 1, 1);
        }
    }
}
