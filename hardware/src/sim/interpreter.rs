//! Reads a printer's byte stream, one byte at a time, and puts it on paper.
//!
//! Written from Epson's command reference alone and sharing nothing with `printer::escpos`. Real-time commands never
//! come here: the printer picks them out as they arrive. Only commands a till has use for are known; any other is
//! recorded as an error.

mod answers;

pub(super) use answers::Answer;

use super::graphics::{Bars, Graphics};
use super::paper::{
    CELL_DOTS, Knife, Look, Paper, PaperError, Printed, Pulse, QrSymbol, Sheet, Side, Span, TextLine,
};
use crate::profile::CodePage;

/// The longest block of a `GS (` command that is taken in.
const MAX_BLOCK_BYTES: usize = 8192;
/// The largest picture that is taken in at once.
const MAX_PICTURE_BYTES: usize = 64 * 1024;

/// The pages of `ESC t` as Epson numbers them (TM-T88V, TM-m30). Page 0 is in force after `ESC @`.
const PAGES: &[(u8, CodePage)] = &[
    (0, CodePage::Cp437),
    (2, CodePage::Cp850),
    (3, CodePage::Cp860),
    (4, CodePage::Cp863),
    (5, CodePage::Cp865),
    (13, CodePage::Cp857),
    (14, CodePage::Cp737),
    (15, CodePage::Iso8859_7),
    (16, CodePage::Cp1252),
    (17, CodePage::Cp866),
    (18, CodePage::Cp852),
    (19, CodePage::Cp858),
    (33, CodePage::Cp775),
    (34, CodePage::Cp855),
    (35, CodePage::Cp861),
    (38, CodePage::Cp869),
    (39, CodePage::Iso8859_2),
    (40, CodePage::Iso8859_15),
    (45, CodePage::Cp1250),
    (46, CodePage::Cp1251),
    (47, CodePage::Cp1253),
    (48, CodePage::Cp1254),
    (51, CodePage::Cp1257),
];

/// The longest sheet. Noise must not fill the memory.
const MAX_SHEET_LINES: usize = 20_000;

/// The state between two bytes.
pub(super) struct Interpreter {
    width_dots: u32,
    paper: Paper,
    /// Bytes received since the printer was started.
    offset: u64,
    /// A command that is not complete.
    pending: Vec<u8>,
    line: TextLine,
    /// Dot of the next character.
    dot: u32,
    side: Side,
    look: Look,
    /// Between FS & and FS .
    chinese: bool,
    /// A GB18030 character that is not complete.
    character: Vec<u8>,
    qr: QrSymbol,
    /// `ESC =` has sent the bytes to another device, such as a display, until it calls them back.
    elsewhere: bool,
    page: CodePage,
    pages: Vec<(u8, CodePage)>,
    graphics: Graphics,
}

const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

impl Interpreter {
    pub(super) fn new(width_dots: u32) -> Interpreter {
        Interpreter {
            width_dots,
            paper: Paper::default(),
            offset: 0,
            pending: Vec::new(),
            line: TextLine::default(),
            dot: 0,
            side: Side::Left,
            look: PLAIN,
            chinese: false,
            character: Vec::new(),
            qr: NO_SYMBOL,
            elsewhere: false,
            page: CodePage::Cp437,
            pages: PAGES.to_vec(),
            graphics: Graphics::default(),
        }
    }

    /// The same printer with code pages numbered in its own way.
    pub(super) fn with_pages(mut self, pages: &[(u8, CodePage)]) -> Interpreter {
        if !pages.is_empty() {
            self.pages = pages.to_vec();
        }
        self
    }

    /// Takes the paper out, the unfinished line included.
    pub(super) fn into_paper(mut self) -> Paper {
        if !self.line.spans.is_empty() {
            self.feed_line();
        }
        self.paper
    }

    pub(super) fn paper(&mut self) -> &mut Paper {
        &mut self.paper
    }

    /// Power was lost: what was half said is forgotten, paper stays as it is.
    pub(super) fn power_cycle(&mut self) {
        self.pending.clear();
        self.character.clear();
        self.line = TextLine::default();
        self.elsewhere = false;
        self.initialise();
    }

    /// `ESC @`.
    fn initialise(&mut self) {
        if !self.line.spans.is_empty() {
            self.feed_line();
        }
        self.dot = 0;
        self.side = Side::Left;
        self.look = PLAIN;
        self.chinese = false;
        self.qr = NO_SYMBOL;
        self.page = CodePage::Cp437;
        self.graphics = Graphics::default();
    }

    /// Takes one byte in.
    pub(super) fn push(&mut self, byte: u8) -> Option<Answer> {
        self.offset += 1;
        if self.elsewhere && !self.calls_back(byte) {
            return None;
        }
        if self.pending.is_empty() && !matches!(byte, ESC | FS | GS) {
            self.plain(byte);
            return None;
        }
        self.pending.push(byte);
        match needed(&self.pending) {
            Need::More => None,
            Need::Whole => {
                let command = std::mem::take(&mut self.pending);
                self.obey(&command)
            }
            Need::Unknown => {
                let command = std::mem::take(&mut self.pending);
                self.error(format!("unknown command {command:02x?}"));
                None
            }
        }
    }

    pub(super) fn error(&mut self, what: String) {
        /// A stream of noise must not fill the memory.
        const MAX_ERRORS: usize = 1000;
        if self.paper.errors.len() < MAX_ERRORS {
            self.paper.errors.push(PaperError { offset: self.offset - 1, what });
        }
    }

    fn plain(&mut self, byte: u8) {
        if !self.character.is_empty() {
            self.character.push(byte);
            self.chinese_character();
            return;
        }
        match byte {
            b'\n' => match self.graphics.band(self.side) {
                Some(picture) => self.add(Printed::Picture(picture)),
                None => self.feed_line(),
            },
            // CR alone does nothing on a printer that feeds at LF; NUL is filler.
            b'\r' | 0 => {}
            0x20..=0x7e => self.put(char::from(byte), 1),
            0x80.. if self.chinese => self.character.push(byte),
            0x80.. => {
                let character = self.page.character(byte).unwrap_or('?');
                self.put(character, 1);
            }
            _ => self.error(format!("control byte {byte:02x} in text")),
        }
    }

    /// Tries to make a character of the bytes gathered: two, or four if the second is a digit.
    fn chinese_character(&mut self) {
        let whole = match self.character.as_slice() {
            [_, 0x30..=0x39] | [_, _, _] => return,
            [_, _] | [_, _, _, _] => std::mem::take(&mut self.character),
            _ => return,
        };
        match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(&whole) {
            Some(text) if text.chars().count() == 1 => {
                for character in text.chars() {
                    self.put(character, 2);
                }
            }
            _ => self.error(format!("{whole:02x?} is no character of GB18030")),
        }
    }

    /// Prints one character of so many cells.
    fn put(&mut self, character: char, cells: u32) {
        let dots = cells * CELL_DOTS * u32::from(self.look.width);
        if self.dot + dots > self.width_dots && self.dot > 0 {
            self.feed_line();
        }
        match self.line.spans.last_mut() {
            Some(span) if span.look == self.look && span.dot + span.dots == self.dot => {
                span.text.push(character);
                span.dots += dots;
            }
            _ => self.line.spans.push(Span {
                dot: self.dot,
                dots,
                text: character.to_string(),
                look: self.look,
            }),
        }
        self.dot += dots;
    }

    fn sheet(&mut self) -> &mut Sheet {
        let fresh = self.paper.sheets.last().is_none_or(|sheet| sheet.cut.is_some());
        if fresh {
            self.paper.sheets.push(Sheet::default());
        }
        let last = self.paper.sheets.len() - 1;
        &mut self.paper.sheets[last]
    }

    fn feed_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        line.side = self.side;
        self.dot = 0;
        self.add(Printed::Text(line));
    }

    fn add(&mut self, printed: Printed) {
        let lines = &mut self.sheet().lines;
        if lines.len() < MAX_SHEET_LINES {
            lines.push(printed);
        } else {
            self.error(format!("a sheet of more than {MAX_SHEET_LINES} lines"));
        }
    }

    fn feed_lines(&mut self, lines: u8) {
        for _ in 0..lines {
            self.feed_line();
        }
    }

    fn cut(&mut self, knife: Knife) {
        if !self.line.spans.is_empty() {
            self.feed_line();
        }
        self.sheet().cut = Some(knife);
    }

    /// Obeys a whole command.
    fn obey(&mut self, command: &[u8]) -> Option<Answer> {
        match *command {
            [ESC, b'@'] => self.initialise(),
            [ESC, b'!', n] => {
                let times = |bit: u8| if n & bit != 0 { 2 } else { 1 };
                self.look = Look { bold: n & 0x08 != 0, width: times(0x20), height: times(0x10) };
            }
            [ESC, b'E', n] => self.look.bold = n & 1 != 0,
            [GS, b'!', n] => {
                self.look.width = ((n >> 4) & 7) + 1;
                self.look.height = (n & 7) + 1;
            }
            [ESC, b'a', n] => match n {
                0 | b'0' => self.side = Side::Left,
                1 | b'1' => self.side = Side::Centre,
                2 | b'2' => self.side = Side::Right,
                _ => self.error(format!("ESC a {n}")),
            },
            [ESC, b'$', low, high] => self.dot = u32::from(u16::from_le_bytes([low, high])),
            [ESC, b'd', n] => self.feed_lines(n),
            // Dots, not lines: less than a line is no line.
            [ESC, b'J', n] => self.feed_lines(n / 30),
            // Line spacing, page, font and character set do not change what is said on the paper.
            [ESC, b'2'] | [ESC, b'3' | b'R' | b'M' | b'-', _] | [FS, b'!', _] => {}
            [ESC, b't', n] => match self.pages.iter().find(|(number, _)| *number == n) {
                Some((_, page)) => self.page = *page,
                None => self.error(format!("ESC t {n}, a code page that is not there")),
            },
            [ESC, b'*', 33, _, _, ref data @ ..] => self.graphics.columns(data),
            [GS, b'H', 0 | b'0'] => {}
            [GS, b'h', n] if n > 0 => self.graphics.bar_height = n,
            [GS, b'w', n @ 2..=6] => self.graphics.bar_width = n,
            [GS, b'k', kind, _, ref data @ ..] => self.barcode(kind, data),
            [GS, b'v', b'0', mode @ 0..=3, xl, xh, yl, yh, ref data @ ..] => {
                let size = (u16::from_le_bytes([xl, xh]).saturating_mul(8), u16::from_le_bytes([yl, yh]));
                self.graphics.keep(size, (1 + (mode & 1), 1 + (mode >> 1)), data);
                self.picture();
            }
            [GS, b'(', b'L', _, _, b'0', b'p', b'0', bx, by, b'1', xl, xh, yl, yh, ref data @ ..] => {
                let size = (u16::from_le_bytes([xl, xh]), u16::from_le_bytes([yl, yh]));
                self.graphics.keep(size, (bx, by), data);
            }
            [GS, b'(', b'L', 2, 0, b'0', 2 | b'2'] => self.picture(),
            [ESC, b'p', m, on, off] => match m {
                0 | b'0' => self.pulse(2, on, off),
                1 | b'1' => self.pulse(5, on, off),
                _ => self.error(format!("ESC p {m}")),
            },
            [FS, b'&'] => self.chinese = true,
            [FS, b'.'] => self.chinese = false,
            [GS, b'V', 0 | b'0'] | [GS, b'V', b'A', _] => self.cut(Knife::Full),
            [GS, b'V', 1 | b'1'] | [GS, b'V', b'B', _] => self.cut(Knife::Partial),
            [GS, b'(', b'k', _, _, ref block @ ..] => self.symbol(block),
            [ESC, b'=', device] => self.elsewhere = device & 1 == 0,
            _ => {
                let answer = answers::answer(command);
                if answer.is_none() {
                    self.error(format!("command {command:02x?} with wrong parameters"));
                }
                return answer;
            }
        }
        None
    }

    /// Whether a byte belongs to the `ESC =` that calls the bytes back to the printer.
    fn calls_back(&mut self, byte: u8) -> bool {
        match (self.pending.as_slice(), byte) {
            ([], ESC) | ([ESC], b'=') => true,
            ([ESC, b'='], _) => true,
            _ => {
                self.pending.clear();
                if byte == ESC {
                    self.pending.push(ESC);
                }
                false
            }
        }
    }

    fn pulse(&mut self, pin: u8, on: u8, off: u8) {
        self.paper.pulses.push(Pulse { pin, on_ms: u16::from(on) * 2, off_ms: u16::from(off) * 2 });
    }

    /// Prints the picture that was kept.
    fn picture(&mut self) {
        if !self.line.spans.is_empty() {
            self.error("a picture within a line".to_owned());
        }
        match self.graphics.print(self.side) {
            Ok(picture) => self.add(Printed::Picture(picture)),
            Err(what) => self.error(what),
        }
    }

    /// `GS k`, function B.
    fn barcode(&mut self, kind: u8, data: &[u8]) {
        if !self.line.spans.is_empty() {
            self.error("a bar code within a line".to_owned());
        }
        match Bars::read(kind, data, self.side, &self.graphics) {
            Ok(bars) => self.add(Printed::Bars(bars)),
            Err(what) => self.error(what),
        }
    }

    /// `GS ( k` for symbol 49, QR.
    fn symbol(&mut self, block: &[u8]) {
        match *block {
            [49, 65, b'2', 0] => {}
            [49, 65, model, _] => self.error(format!("QR model {model}")),
            [49, 67, dots @ 1..=16] => self.qr.module_dots = dots,
            [49, 69, level @ b'0'..=b'3'] => self.qr.level = char::from(b"LMQH"[usize::from(level - b'0')]),
            [49, 80, 48, ref data @ ..] => self.qr.payload = data.to_vec(),
            [49, 81, 48] if self.qr.payload.is_empty() => self.error("a QR symbol without data".to_owned()),
            [49, 81, 48] if !self.line.spans.is_empty() => self.error("a QR symbol within a line".to_owned()),
            [49, 81, 48] => {
                let symbol = QrSymbol { side: self.side, ..self.qr.clone() };
                self.add(Printed::Qr(symbol));
            }
            _ => self.error(format!("GS ( k with {block:02x?}")),
        }
    }
}

const PLAIN: Look = Look { bold: false, width: 1, height: 1 };
const NO_SYMBOL: QrSymbol = QrSymbol { payload: Vec::new(), module_dots: 3, level: 'L', side: Side::Left };

/// Whether a command is complete.
pub(super) enum Need {
    More,
    Whole,
    Unknown,
}

/// Looks up how long the command is that begins so.
pub(super) fn needed(command: &[u8]) -> Need {
    let whole_at = |length: usize| if command.len() >= length { Need::Whole } else { Need::More };
    match *command {
        [_] => Need::More,
        [ESC, b'@' | b'2', ..] | [FS, b'&' | b'.', ..] => Need::Whole,
        [ESC, b'!' | b'E' | b'a' | b'd' | b'J' | b'3' | b't' | b'R' | b'M' | b'-', ..] => whole_at(3),
        [FS, b'!', ..] | [GS, b'!' | b'r' | b'a' | b'I' | b'H' | b'h' | b'w', ..] | [ESC, b'=', ..] => {
            whole_at(3)
        }
        [ESC, b'*', 33, low, high, ..] => whole_at(5 + 3 * usize::from(u16::from_le_bytes([low, high]))),
        [ESC, b'*'] | [ESC, b'*', 33] | [ESC, b'*', 33, _] => Need::More,
        // Function A, up to a NUL, is not known.
        [GS, b'k'] | [GS, b'k', 65..=79] => Need::More,
        [GS, b'k', 65..=79, length, ..] => whole_at(4 + usize::from(length)),
        [GS, b'v', b'0', _, xl, xh, yl, yh, ..] => {
            let (x, y) = (u16::from_le_bytes([xl, xh]), u16::from_le_bytes([yl, yh]));
            let length = usize::from(x) * usize::from(y);
            if length > MAX_PICTURE_BYTES { Need::Unknown } else { whole_at(8 + length) }
        }
        [GS, b'v'] | [GS, b'v', b'0', ..] => Need::More,
        [ESC, b'$', ..] => whole_at(4),
        [ESC, b'p', ..] => whole_at(5),
        [GS, b'V'] => Need::More,
        [GS, b'V', b'A' | b'B', ..] => whole_at(4),
        [GS, b'V', ..] => Need::Whole,
        [GS, b'('] => Need::More,
        [GS, b'(', b'k' | b'L' | b'H' | b'D', low, high, ..] => {
            let length = usize::from(u16::from_le_bytes([low, high]));
            if length > MAX_BLOCK_BYTES { Need::Unknown } else { whole_at(5 + length) }
        }
        [GS, b'(', b'k' | b'L' | b'H' | b'D', ..] => Need::More,
        _ => Need::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(bytes: &[u8]) -> Paper {
        let mut interpreter = Interpreter::new(512);
        for byte in bytes {
            interpreter.push(*byte);
        }
        interpreter.paper().clone()
    }

    #[test]
    fn a_drawer_pulse_with_three_bytes_eats_the_cut_as_it_does_on_a_real_printer() {
        let paper = print(b"x\n\x1bp\x00\x1dV\x41\x00");
        assert_eq!(paper.pulses, [Pulse { pin: 2, on_ms: 58, off_ms: 172 }]);
        assert_eq!(paper.cut_sheets().count(), 0);
    }

    #[test]
    fn stray_bytes_and_unknown_commands_are_recorded_with_their_place() {
        let paper = print(b"ab\x07c\x1b\x99\n");
        let at: Vec<u64> = paper.errors.iter().map(|error| error.offset).collect();
        assert_eq!(at, [2, 5]);
        assert_eq!(paper.sheets[0].text_lines(512), ["abc"]);
    }

    #[test]
    fn chinese_needs_its_mode() {
        let paper = print(b"\x1c&\xc5\xa3\xc4\xcc1L\x95\x34\xb2\x35\x1c.\n");
        assert_eq!(paper.sheets[0].text_lines(512), ["牛奶1L𠮷"]);
        assert_eq!(print(b"\xc5\xa3\n").sheets[0].text_lines(512), ["┼ú"]);
    }
}
