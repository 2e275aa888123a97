//! A document as ESC/POS bytes for one printer.
//!
//! Pure: bytes out, nothing sent. Layout is in `document::layout`, questions to the printer in `printer::status`.
//! Bytes are those of the "ESC/POS Command Reference for TM Printers" (Epson), each named where it is written.
//!
//! **Invariant:** no job holds `DLE EOT`, `DLE ENQ` or `DLE DC4`. Printers obey these wherever they stand, even
//! inside text or the data of a symbol: a customer's own string could open the drawer or empty the buffer.

use encoding_rs::{EncoderResult, GB18030};

use crate::document::layout::{Placed, place_line, place_row};
use crate::document::width::{Printed, SUBSTITUTE, printed};
use crate::document::{Align, Cut, Document, DrawerPin, DrawerPulse, Item, Qr, QrLevel, Style};
use crate::profile::{CELL_DOTS, Columns, Cutter, Profile, QrSupport};

/// The longest payload of a QR symbol. Longer ones are hard to read from thermal paper, and below 1,037 bytes the
/// two length bytes of `GS ( k` can never be `DLE EOT`.
pub const MAX_QR_BYTES: usize = 512;
/// The longest run of bytes that belong to one command of ours, its own bytes included: as many NUL complete whatever
/// a job that broke off left half said.
pub const MAX_BLOCK_BYTES: usize = MAX_QR_BYTES + 16;
/// The longest job: some thousand lines. A longer one is a mistake and would block the printer for minutes.
pub const MAX_JOB_BYTES: usize = 256 * 1024;

const DLE: u8 = 0x10;
const LF: u8 = 0x0a;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// Why a document cannot be printed as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The symbol's payload is empty.
    #[error("the QR code is empty; leave it out or give it something to say")]
    QrEmpty,
    /// The symbol's payload is longer than `MAX_QR_BYTES`.
    #[error("the QR code holds {bytes} bytes, {MAX_QR_BYTES} are the most; shorten it")]
    QrTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The payload holds a command that the printer would obey while reading it.
    #[error("byte {offset} of the QR code begins a printer command (10 04, 10 05 or 10 14); take it out")]
    QrHoldsCommand {
        /// Where in the payload.
        offset: usize,
    },
    /// The module size is outside 1 to 16 dots.
    #[error("a QR module of {module_dots} dots cannot be printed; choose 1 to 16, 6 reads well")]
    QrModule {
        /// The size asked for.
        module_dots: u8,
    },
    /// The pulse cannot be expressed or would leave the solenoid no rest.
    #[error(
        "a drawer pulse of {on_ms} ms on and {off_ms} ms off cannot be sent; both are 2 to 510, off at least on"
    )]
    DrawerTiming {
        /// Asked on time.
        on_ms: u16,
        /// Asked off time.
        off_ms: u16,
    },
    /// The profile says that there is no connector for a drawer.
    #[error("printer profile {profile} has no drawer connector; choose another profile or set no drawer")]
    NoDrawer {
        /// The profile's name.
        profile: &'static str,
    },
    /// The job is longer than `MAX_JOB_BYTES`.
    #[error("the document makes {bytes} bytes for the printer, {MAX_JOB_BYTES} are the most; split it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Encodes a document for the printer of `profile`.
///
/// # Errors
/// Says what in the document cannot be printed; nothing is half encoded.
pub fn encode(document: &Document, profile: &Profile) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder {
        out: Vec::with_capacity(1024),
        profile,
        style: Style::PLAIN,
        align: Align::Left,
        two_cell_mode: false,
    };
    // ESC @: whatever an earlier job left half said is forgotten.
    encoder.out.extend_from_slice(&[ESC, b'@']);
    for item in &document.items {
        encoder.item(item)?;
    }
    encoder.leave_two_cell_mode();
    if encoder.out.len() > MAX_JOB_BYTES {
        return Err(EncodeError::TooLong { bytes: encoder.out.len() });
    }
    debug_assert_eq!(real_time_command(&encoder.out), None, "a job holds a real-time command");
    Ok(encoder.out)
}

/// Where the first real-time command (`DLE EOT`, `DLE ENQ`, `DLE DC4`) begins in these bytes, if any.
#[must_use]
pub fn real_time_command(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair[0] == DLE && matches!(pair[1], 0x04 | 0x05 | 0x14))
}

struct Encoder<'a> {
    out: Vec<u8>,
    profile: &'a Profile,
    style: Style,
    align: Align,
    /// Between FS & and FS .: bytes above 7Fh are GB18030. ASCII prints as ever.
    two_cell_mode: bool,
}

impl Encoder<'_> {
    fn item(&mut self, item: &Item) -> Result<(), EncodeError> {
        let (columns, charset) = (self.profile.columns, self.profile.charset);
        match item {
            Item::Line(line) => {
                self.align(line.align);
                place_line(line, columns, charset, |pieces| self.pieces(pieces));
            }
            Item::Row(row) => {
                self.align(Align::Left);
                place_row(row, columns, charset, |pieces| self.pieces(pieces));
            }
            Item::Rule => {
                self.align(Align::Left);
                self.style(Style::PLAIN);
                self.out.extend(std::iter::repeat_n(b'-', usize::from(columns)));
                self.out.push(LF);
            }
            Item::Qr(qr) => self.qr(qr)?,
            Item::Feed { lines } => self.feed(*lines),
            Item::Cut(cut) => self.cut(*cut),
            Item::Drawer(pulse) => self.drawer(*pulse)?,
        }
        Ok(())
    }

    /// One physical line.
    fn pieces(&mut self, pieces: &[Placed<'_>]) {
        let mut column = 0;
        for piece in pieces {
            self.move_to(column, piece.column);
            self.style(piece.style);
            self.text(piece.text);
            column = piece.column + piece.cells;
        }
        self.out.push(LF);
    }

    /// Moves the print position right, by `ESC $` where that is shorter than spaces.
    fn move_to(&mut self, from: usize, to: usize) {
        const ESC_DOLLAR_BYTES: usize = 4;
        let gap = to.saturating_sub(from);
        let by_dot = self.profile.positioning == Columns::ByDot;
        if gap == 0 {
            return;
        }
        if by_dot && (gap > ESC_DOLLAR_BYTES || self.style.wide) {
            let dots =
                u16::try_from(to).unwrap_or(u16::MAX).saturating_mul(CELL_DOTS).min(self.profile.width_dots);
            let [low, high] = dots.to_le_bytes();
            self.out.extend_from_slice(&[ESC, b'$', low, high]);
        } else {
            if self.style.wide {
                self.style(Style::PLAIN);
            }
            self.out.extend(std::iter::repeat_n(b' ', gap));
        }
    }

    /// `ESC a`, at the beginning of a line only.
    fn align(&mut self, align: Align) {
        if self.align != align {
            self.align = align;
            let n = match align {
                Align::Left => 0,
                Align::Centre => 1,
                Align::Right => 2,
            };
            self.out.extend_from_slice(&[ESC, b'a', n]);
        }
    }

    /// `ESC E` and `GS !`, which unlike the bits of `ESC !` hold for two-cell characters too.
    fn style(&mut self, style: Style) {
        if self.style.bold != style.bold {
            self.out.extend_from_slice(&[ESC, b'E', u8::from(style.bold)]);
        }
        if (self.style.wide, self.style.tall) != (style.wide, style.tall) {
            self.out.extend_from_slice(&[GS, b'!', (u8::from(style.wide) << 4) | u8::from(style.tall)]);
        }
        self.style = style;
    }

    fn text(&mut self, text: &str) {
        if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            self.out.extend_from_slice(text.as_bytes());
            return;
        }
        for character in text.chars() {
            match printed(character, self.profile.charset) {
                Printed::Single(byte) => {
                    if byte >= 0x80 {
                        self.leave_two_cell_mode();
                    }
                    self.out.push(byte);
                }
                Printed::Wide(character) => self.two_cells(character),
                Printed::TwoSubstitutes => self.out.extend_from_slice(b"??"),
                Printed::Nothing => {}
            }
        }
    }

    /// One character in GB18030: two bytes, or four. None of them is below 30h.
    fn two_cells(&mut self, character: char) {
        if !self.two_cell_mode {
            // FS &: bytes above 7Fh begin a two-cell character from here on.
            self.out.extend_from_slice(&[FS, b'&']);
            self.two_cell_mode = true;
        }
        let (mut utf8, mut bytes) = ([0; 4], [0; 8]);
        let (result, _, written) = GB18030.new_encoder().encode_from_utf8_without_replacement(
            character.encode_utf8(&mut utf8),
            &mut bytes,
            true,
        );
        match result {
            EncoderResult::InputEmpty => self.out.extend_from_slice(&bytes[..written]),
            // U+E5E5 alone has no code; private use never comes this far.
            EncoderResult::Unmappable(_) | EncoderResult::OutputFull => {
                self.out.push(u8::try_from(SUBSTITUTE).unwrap_or(b'?'));
            }
        }
    }

    fn leave_two_cell_mode(&mut self) {
        if self.two_cell_mode {
            // FS .
            self.out.extend_from_slice(&[FS, b'.']);
            self.two_cell_mode = false;
        }
    }

    /// `GS ( k` functions 165, 167, 169, 180 and 181: model 2, module, level, store, print.
    fn qr(&mut self, qr: &Qr) -> Result<(), EncodeError> {
        if qr.payload.is_empty() {
            return Err(EncodeError::QrEmpty);
        }
        if qr.payload.len() > MAX_QR_BYTES {
            return Err(EncodeError::QrTooLong { bytes: qr.payload.len() });
        }
        if let Some(offset) = real_time_command(&qr.payload) {
            return Err(EncodeError::QrHoldsCommand { offset });
        }
        if !(1..=16).contains(&qr.module_dots) {
            return Err(EncodeError::QrModule { module_dots: qr.module_dots });
        }
        match self.profile.qr {
            QrSupport::Native => {}
            QrSupport::TextOnly => {
                let line = crate::document::Line::left(String::from_utf8_lossy(&qr.payload).into_owned());
                return self.item(&Item::Line(line));
            }
        }
        self.align(Align::Centre);
        let level = match qr.level {
            QrLevel::Low => b'0',
            QrLevel::Medium => b'1',
            QrLevel::Quartile => b'2',
            QrLevel::High => b'3',
        };
        let length = u16::try_from(qr.payload.len() + 3).unwrap_or(u16::MAX).to_le_bytes();
        self.out.extend_from_slice(&[GS, b'(', b'k', 4, 0, b'1', b'A', b'2', 0]);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'C', qr.module_dots]);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'E', level]);
        self.out.extend_from_slice(&[GS, b'(', b'k', length[0], length[1], b'1', b'P', b'0']);
        self.out.extend_from_slice(&qr.payload);
        self.out.extend_from_slice(&[GS, b'(', b'k', 3, 0, b'1', b'Q', b'0']);
        Ok(())
    }

    fn feed(&mut self, lines: u8) {
        if lines <= 3 {
            self.out.extend(std::iter::repeat_n(LF, usize::from(lines)));
        } else {
            // ESC d.
            self.out.extend_from_slice(&[ESC, b'd', not_dle(lines)]);
        }
    }

    fn cut(&mut self, cut: Cut) {
        match self.profile.cutter {
            // GS V, function B: feed to the knife, then cut. The next sheet starts in the plain state anyway.
            Cutter::Knife => {
                let mode = match cut {
                    Cut::Full => b'A',
                    Cut::Partial => b'B',
                };
                self.out.extend_from_slice(&[GS, b'V', mode, 0]);
            }
            Cutter::TearBar { feed_lines } => self.feed(feed_lines),
        }
    }

    /// `ESC p m t1 t2`: all five bytes. With two fewer the printer takes the next command for the times.
    fn drawer(&mut self, pulse: DrawerPulse) -> Result<(), EncodeError> {
        let DrawerPulse { pin, on_ms, off_ms } = pulse;
        if !self.profile.drawer {
            return Err(EncodeError::NoDrawer { profile: self.profile.name });
        }
        let units = |ms: u16| u8::try_from(ms / 2).ok().filter(|units| *units > 0);
        let (Some(on), Some(off)) = (units(on_ms), units(off_ms)) else {
            return Err(EncodeError::DrawerTiming { on_ms, off_ms });
        };
        if off < on {
            return Err(EncodeError::DrawerTiming { on_ms, off_ms });
        }
        let m = match pin {
            DrawerPin::Two => 0,
            DrawerPin::Five => 1,
        };
        self.out.extend_from_slice(&[ESC, b'p', m, not_dle(on), not_dle(off)]);
        Ok(())
    }
}

/// A count that is never 10h, which with the byte after it could be a real-time command: one more is as good.
fn not_dle(count: u8) -> u8 {
    if count == DLE { DLE + 1 } else { count }
}
