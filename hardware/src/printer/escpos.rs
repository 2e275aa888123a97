//! A document as ESC/POS bytes for one printer.
//!
//! Pure: bytes out, nothing sent. Layout is in `document::layout`, questions to the printer in `printer::status`.
//! Here are lines, columns, styles, the knife and the drawer; `text` has characters, `codes` symbols, `raster` pictures.
//! Bytes are those of the "ESC/POS Command Reference for TM Printers" (Epson), each named where it is written.
//!
//! **Invariant:** no job holds `DLE EOT`, `DLE ENQ` or `DLE DC4`. Printers obey these wherever they stand, even
//! inside text, a picture or the data of a symbol: a customer's own string could open the drawer or empty the buffer.
//! Text is free of control bytes; counts avoid 10h; a symbol whose data would hold one is drawn as a picture; and
//! pictures are cut so that none arises (`raster`).

mod codes;
mod raster;
mod text;

use crate::document::drawn::BarcodeError;
use crate::document::layout::{Placed, place_line, place_row};
use crate::document::{Align, Cut, Document, DrawerPin, DrawerPulse, Item, Style};
use crate::profile::{CodePage, Columns, Cutter, Profile};

/// The longest payload of a QR symbol. Longer ones are hard to read from thermal paper, and below 1,037 bytes the
/// two length bytes of `GS ( k` can never be `DLE EOT`.
pub const MAX_QR_BYTES: usize = 512;
/// The longest run of bytes that belong to one command of ours, its own bytes included: as many NUL complete whatever
/// a job that broke off left half said. A strip of a picture is as long as the longest payload of a symbol.
pub const MAX_BLOCK_BYTES: usize = raster::MAX_STRIP_BYTES + 32;
/// The longest job: some thousand lines, or a metre of picture. A longer one is a mistake and would block the printer
/// for minutes.
pub const MAX_JOB_BYTES: usize = 256 * 1024;

const DLE: u8 = 0x10;
const LF: u8 = 0x0a;
const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;

/// A document as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// Characters that this printer does not have: others, or `?`, stand in their place.
    pub substituted: usize,
}

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
    /// The module size is outside 1 to 16 dots.
    #[error("a QR module of {module_dots} dots cannot be printed; choose 1 to 16, 6 reads well")]
    QrModule {
        /// The size asked for.
        module_dots: u8,
    },
    /// Even with modules of one dot the symbol is wider than the paper.
    #[error("the QR code does not fit paper of {width_dots} dots; shorten it or lower its error correction")]
    QrTooWide {
        /// The paper.
        width_dots: u16,
    },
    /// The bar code cannot be made.
    #[error(transparent)]
    Barcode(#[from] BarcodeError),
    /// The picture is wider than the paper.
    #[error("the picture is {width} dots wide, the paper {width_dots}; make it for this paper")]
    PictureTooWide {
        /// The picture.
        width: u16,
        /// The paper.
        width_dots: u16,
    },
    /// The profile has no command for pictures.
    #[error("printer profile {profile} prints no pictures; leave it out or choose another profile")]
    NoPictures {
        /// The profile's name.
        profile: String,
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
        profile: String,
    },
    /// The job is longer than `MAX_JOB_BYTES`.
    #[error("the document makes {bytes} bytes for the printer, {MAX_JOB_BYTES} are the most; split it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A command that would be obeyed in the middle of a job got through: a fault of this module, and not printed.
    #[error("byte {offset} of the job is a command that nobody asked for; report this fault")]
    HoldsCommand {
        /// Where in the job.
        offset: usize,
    },
}

/// Encodes a document for the printer of `profile`.
///
/// # Errors
/// Says what in the document cannot be printed; nothing is half encoded.
pub fn encode(document: &Document, profile: &Profile) -> Result<Vec<u8>, EncodeError> {
    encode_counted(document, profile).map(|encoded| encoded.bytes)
}

/// Encodes a document for the printer of `profile`, and counts the characters that it does not have.
///
/// # Errors
/// As `encode`.
pub fn encode_counted(document: &Document, profile: &Profile) -> Result<Encoded, EncodeError> {
    let mut encoder = Encoder {
        out: Vec::with_capacity(1024),
        profile,
        style: Style::PLAIN,
        align: Align::Left,
        two_cell_mode: false,
        page: None,
        substituted: 0,
        picture_ends: None,
    };
    // ESC @: whatever an earlier job left half said is forgotten.
    encoder.out.extend_from_slice(&[ESC, b'@']);
    for item in &document.items {
        encoder.item(item)?;
        if encoder.out.len() > MAX_JOB_BYTES {
            return Err(EncodeError::TooLong { bytes: encoder.out.len() });
        }
    }
    encoder.leave_two_cell_mode();
    match encoder.out.windows(2).position(is_unwanted) {
        Some(offset) => Err(EncodeError::HoldsCommand { offset }),
        None => Ok(Encoded { bytes: encoder.out, substituted: encoder.substituted }),
    }
}

/// Where the first real-time command (`DLE EOT`, `DLE ENQ`, `DLE DC4`) begins in these bytes, if any.
#[must_use]
pub fn real_time_command(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(is_command)
}

fn is_command(pair: &[u8]) -> bool {
    pair[0] == DLE && matches!(pair[1], 0x04 | 0x05 | 0x14)
}

/// What no job may hold anywhere: the beginning of a real-time command, or `ESC =`, by which a display on the way to
/// the printer would keep the rest for itself. It looks for that in every byte that passes.
fn is_unwanted(pair: &[u8]) -> bool {
    is_command(pair) || pair == [ESC, b'=']
}

struct Encoder<'a> {
    out: Vec<u8>,
    profile: &'a Profile,
    style: Style,
    align: Align,
    /// Between FS & and FS .: bytes above 7Fh are GB18030. ASCII prints as ever.
    two_cell_mode: bool,
    /// The code page in force, once one was chosen: which one `ESC @` chooses is a setting of the printer.
    page: Option<CodePage>,
    substituted: usize,
    /// Where the last picture ends in `out`.
    picture_ends: Option<usize>,
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
                self.line_feed();
            }
            Item::Qr(qr) => self.qr(qr)?,
            Item::Barcode(barcode) => self.barcode(barcode)?,
            Item::Picture(picture) => self.picture(picture)?,
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
        self.line_feed();
    }

    /// Some printers swallow a line feed that follows a picture directly; they get one more.
    fn line_feed(&mut self) {
        if self.profile.eats_line_feed && self.picture_ends == Some(self.out.len()) {
            self.out.push(LF);
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
            let dots = u16::try_from(to)
                .unwrap_or(u16::MAX)
                .saturating_mul(self.profile.cell_dots)
                .min(self.profile.width_dots);
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

    fn feed(&mut self, lines: u8) {
        if lines <= 3 {
            for _ in 0..lines {
                self.line_feed();
            }
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
            return Err(EncodeError::NoDrawer { profile: self.profile.name.clone() });
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
