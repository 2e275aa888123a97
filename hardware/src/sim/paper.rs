//! What a printer has put on paper: sheets of lines, symbols, cuts and drawer pulses.
//!
//! `Paper::to_html` shows it with a browser's own fonts; `Paper::to_png` draws text with the font of `font`, hanzi
//! included, and symbols and pictures dot for dot.

mod html;
mod png;

use std::fmt::Write as _;

use super::interpreter::Interpreter;
use super::real_time::{RealTime, Sorted};
use crate::profile::Profile;

/// Everything a printer has printed since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paper {
    /// Its sheets in order; the last one may not be cut yet.
    pub sheets: Vec<Sheet>,
    /// Pulses to the cash drawer, in order.
    pub pulses: Vec<Pulse>,
    /// Bytes that were no command and no text.
    pub errors: Vec<PaperError>,
}

/// Paper between two cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// What is on it, top to bottom.
    pub lines: Vec<Printed>,
    /// How it was cut off; none while it hangs in the printer.
    pub cut: Option<Knife>,
}

/// How a sheet was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knife {
    /// All the way.
    Full,
    /// Leaving a bridge.
    Partial,
}

/// One thing on a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// A line of text; without spans it is empty paper.
    Text(TextLine),
    /// A QR symbol.
    Qr(QrSymbol),
    /// A bar code.
    Bars(BarSymbol),
    /// A picture, or a strip of one.
    Picture(Picture),
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right.
    Right,
}

/// A line of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextLine {
    /// Where it stands.
    pub side: Side,
    /// Its parts, left to right.
    pub spans: Vec<Span>,
}

/// Text in one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// Its first dot, before alignment.
    pub dot: u32,
    /// Dots it takes.
    pub dots: u32,
    /// The text.
    pub text: String,
    /// How it looks.
    pub look: Look,
}

/// How characters look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Heavier strokes.
    pub bold: bool,
    /// Times as wide, 1 to 8; 0 is not set by any printer and counts as 1.
    pub width: u8,
    /// Times as tall.
    pub height: u8,
}

impl Look {
    /// Whether characters are wider than usual.
    #[must_use]
    pub fn wide(self) -> bool {
        self.width > 1
    }

    /// Whether characters are taller than usual.
    #[must_use]
    pub fn tall(self) -> bool {
        self.height > 1
    }
}

/// A QR symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrSymbol {
    /// Its content.
    pub payload: Vec<u8>,
    /// Dots a module.
    pub module_dots: u8,
    /// Its level: L, M, Q or H.
    pub level: char,
    /// Where it stands.
    pub side: Side,
}

/// A bar code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarSymbol {
    /// Its kind, in words.
    pub name: &'static str,
    /// What it says.
    pub data: String,
    /// Its modules from the left, true for a bar.
    pub bars: Vec<bool>,
    /// Dots a module.
    pub module_dots: u8,
    /// Its height in dots.
    pub height_dots: u8,
    /// Where it stands.
    pub side: Side,
}

/// A picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Where it stands.
    pub side: Side,
    /// Its rows from the top, true for ink.
    pub rows: Vec<Vec<bool>>,
}

/// A pulse to the drawer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Pin 2 or 5.
    pub pin: u8,
    /// Current on.
    pub on_ms: u16,
    /// Rest after it.
    pub off_ms: u16,
}

/// Bytes the printer could not make sense of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperError {
    /// Where in all bytes received since the printer was started.
    pub offset: u64,
    /// What was wrong.
    pub what: String,
}

/// Dots of a single-width cell.
pub(super) const CELL_DOTS: u32 = 12;

impl Sheet {
    /// The sheet as plain text, one string a line, cells at their columns. A symbol is `[QR payload]`, a picture one
    /// `[picture]` for all its strips.
    #[must_use]
    pub fn text_lines(&self, width_dots: u32) -> Vec<String> {
        let is_strip = |line: &Printed| matches!(line, Printed::Picture(_));
        let before = std::iter::once(false).chain(self.lines.iter().map(is_strip));
        self.lines
            .iter()
            .zip(before)
            .filter(|(line, after_strip)| !(is_strip(line) && *after_strip))
            .map(|(line, _)| line_text(line, width_dots))
            .collect()
    }

    /// All its pictures as rows of dots over the paper's whole width, strips joined.
    #[must_use]
    pub fn dots(&self, width_dots: u32) -> Vec<Vec<bool>> {
        let mut all = Vec::new();
        for line in &self.lines {
            let Printed::Picture(picture) = line else { continue };
            for row in &picture.rows {
                let used = u32::try_from(row.len()).unwrap_or(u32::MAX);
                let left = usize::try_from(indent(picture.side, used, width_dots)).unwrap_or(0);
                let mut dots = vec![false; left];
                dots.extend_from_slice(row);
                dots.resize(usize::try_from(width_dots).unwrap_or(0), false);
                all.push(dots);
            }
        }
        all
    }
}

impl Paper {
    /// What a printer of this width makes of these bytes: a job, or all a virtual printer has spooled.
    #[must_use]
    pub fn read(bytes: &[u8], width_dots: u32) -> Paper {
        Paper::read_with(bytes, Interpreter::new(width_dots))
    }

    /// What the printer of a profile makes of these bytes: its width, and its numbers of code pages.
    #[must_use]
    pub fn read_as(bytes: &[u8], profile: &Profile) -> Paper {
        let interpreter = Interpreter::new(u32::from(profile.width_dots)).with_pages(&profile.code_pages);
        Paper::read_with(bytes, interpreter)
    }

    fn read_with(bytes: &[u8], mut interpreter: Interpreter) -> Paper {
        let mut real_time = RealTime::default();
        for byte in bytes {
            match real_time.push(*byte) {
                Sorted::Bytes(bytes) => {
                    for byte in bytes {
                        let _ = interpreter.push(byte);
                    }
                }
                Sorted::Pulse { pin, tenths } => interpreter.paper().pulse_at_once(pin, tenths),
                Sorted::Question(_) | Sorted::Recover | Sorted::RecoverEmpty | Sorted::Clear => {}
            }
        }
        interpreter.into_paper()
    }

    /// A pulse that no command of the job asked for.
    pub(super) fn pulse_at_once(&mut self, pin: u8, tenths: u8) {
        let ms = u16::from(tenths) * 100;
        self.pulses.push(Pulse { pin, on_ms: ms, off_ms: ms });
    }

    /// All QR payloads, in order.
    #[must_use]
    pub fn qr_payloads(&self) -> Vec<Vec<u8>> {
        let lines = self.sheets.iter().flat_map(|sheet| &sheet.lines);
        lines
            .filter_map(|line| match line {
                Printed::Qr(symbol) => Some(symbol.payload.clone()),
                Printed::Text(_) | Printed::Bars(_) | Printed::Picture(_) => None,
            })
            .collect()
    }

    /// Sheets that were cut off.
    pub fn cut_sheets(&self) -> impl Iterator<Item = &Sheet> {
        self.sheets.iter().filter(|sheet| sheet.cut.is_some())
    }

    /// All paper as plain text.
    #[must_use]
    pub fn to_text(&self, width_dots: u32) -> String {
        let mut out = String::new();
        for sheet in &self.sheets {
            for line in sheet.text_lines(width_dots) {
                let _ = writeln!(out, "{line}");
            }
            if sheet.cut.is_some() {
                out.push_str("- - - 8< - - -\n");
            }
        }
        out
    }
}

fn line_text(line: &Printed, width_dots: u32) -> String {
    match line {
        Printed::Qr(symbol) => format!("[QR {}]", String::from_utf8_lossy(&symbol.payload)),
        Printed::Bars(symbol) => format!("[{} {}]", symbol.name, symbol.data),
        Printed::Picture(_) => "[picture]".to_owned(),
        Printed::Text(line) => {
            let used = line.spans.last().map_or(0, |span| span.dot + span.dots);
            let mut column = indent(line.side, used, width_dots) / CELL_DOTS;
            let mut out = " ".repeat(usize::try_from(column).unwrap_or(0));
            let start = column;
            for span in &line.spans {
                let at = start + span.dot / CELL_DOTS;
                out.push_str(&" ".repeat(usize::try_from(at.saturating_sub(column)).unwrap_or(0)));
                out.push_str(&span.text);
                column = at + span.dots / CELL_DOTS;
            }
            out.truncate(out.trim_end().len());
            out
        }
    }
}

/// Dots to the left of something `used` dots wide.
fn indent(side: Side, used: u32, width_dots: u32) -> u32 {
    let free = width_dots.saturating_sub(used);
    match side {
        Side::Left => 0,
        Side::Centre => free / 2,
        Side::Right => free,
    }
}
