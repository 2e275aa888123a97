//! Pictures in strips.
//!
//! A strip is small enough for a printer with a buffer of four kilobytes, and holds no real-time command. Where two
//! bytes would be one, the strip ends before that row and the next one is laid a few dots wider, which moves every dot
//! to another place within its byte and none on paper. Only where no such place exists is one dot inked that should
//! be white: bit 3 of the byte after 10h. `ESC =`, which a display on the same line would obey, is kept out in the same
//! way. In a symbol of two dots or more a module, one dot does not matter.

use super::{ESC, EncodeError, Encoder, GS, LF, is_unwanted};
use crate::document::{Align, Bitmap, Picture};
use crate::profile::Raster;

/// The most data in one strip, or in one piece of a band: as much as the longest payload of a symbol, and far below the
/// smallest buffer of the printers we know of (4 KB, Star TSP2000). After a job that broke off so many NUL come first,
/// which takes half a second at 9,600 baud; with longer strips the next receipt would wait longer.
pub(super) const MAX_STRIP_BYTES: usize = super::MAX_QR_BYTES;
/// The most columns in one piece of a band: three bytes each.
const MAX_PIECE_COLUMNS: u16 = 170;
/// The most rows in one strip: `yL` alone holds them.
const MAX_STRIP_ROWS: usize = 255;
/// How many whole bytes a strip may be wider than its picture in search of a place.
const MAX_WIDER_BYTES: u16 = 2;
/// Rows of one band of `ESC * 33`.
const BAND_ROWS: u16 = 24;

/// A way to lay rows: so many white dots on the left, so many bytes in all.
#[derive(Clone, Copy)]
struct Lay {
    pad: u16,
    bytes: u16,
}

impl Encoder<'_> {
    pub(super) fn picture(&mut self, picture: &Picture) -> Result<(), EncodeError> {
        let (bitmap, width_dots) = (&picture.bitmap, self.profile.width_dots);
        if bitmap.width() > width_dots {
            return Err(EncodeError::PictureTooWide { width: bitmap.width(), width_dots });
        }
        if bitmap.width() == 0 || bitmap.height() == 0 {
            return Ok(());
        }
        match self.profile.raster {
            Raster::GsV0 | Raster::GsL => {
                self.align(picture.align);
                self.strips(bitmap, &lays(bitmap.width(), picture.align, width_dots));
            }
            Raster::EscStar24 => {
                self.align(picture.align);
                self.bands(bitmap);
            }
            Raster::None => return Err(EncodeError::NoPictures { profile: self.profile.name.clone() }),
        }
        self.picture_ends = Some(self.out.len());
        Ok(())
    }

    fn strips(&mut self, bitmap: &Bitmap, lays: &[Lay]) {
        let mut y = 0;
        while y < bitmap.height() {
            let longest = lays.iter().map(|lay| (strip(bitmap, y, *lay), *lay)).reduce(|best, other| {
                if other.0.len() / usize::from(other.1.bytes) > best.0.len() / usize::from(best.1.bytes) {
                    other
                } else {
                    best
                }
            });
            let Some((mut data, lay)) = longest else { return };
            if data.is_empty() {
                data = row(bitmap, y, lay);
                mend(&mut data);
            }
            let rows = self.strip_rows(data.len(), lay);
            data.truncate(usize::from(rows) * usize::from(lay.bytes));
            self.strip(&data, lay, rows);
            y += rows;
        }
    }

    /// Rows of so many bytes; one fewer where the length of `GS ( L` would begin a command.
    fn strip_rows(&self, bytes: usize, lay: Lay) -> u16 {
        let rows = u16::try_from(bytes / usize::from(lay.bytes)).unwrap_or(1);
        let length = |rows: u16| (rows * lay.bytes + GS_L_HEAD).to_le_bytes();
        match self.profile.raster {
            Raster::GsL if rows > 1 && is_unwanted(&length(rows)) => rows - 1,
            Raster::GsL | Raster::GsV0 | Raster::EscStar24 | Raster::None => rows,
        }
    }

    /// `GS v 0`, or `GS ( L` functions 112 and 50. Width in bytes for the one, in dots for the other.
    fn strip(&mut self, data: &[u8], lay: Lay, rows: u16) {
        let (bytes, height) = (lay.bytes.to_le_bytes(), rows.to_le_bytes());
        if self.profile.raster == Raster::GsL {
            let (length, dots) =
                ((rows * lay.bytes + GS_L_HEAD).to_le_bytes(), (lay.bytes * 8).to_le_bytes());
            self.out.extend_from_slice(&[GS, b'(', b'L', length[0], length[1], b'0', b'p', b'0', 1, 1, b'1']);
            self.out.extend_from_slice(&[dots[0], dots[1], height[0], height[1]]);
            self.out.extend_from_slice(data);
            self.out.extend_from_slice(&[GS, b'(', b'L', 2, 0, b'0', b'2']);
        } else {
            self.out.extend_from_slice(&[GS, b'v', b'0', 0, bytes[0], bytes[1], height[0], height[1]]);
            self.out.extend_from_slice(data);
        }
    }

    /// `ESC * 33` in bands of 24 rows, and `ESC 3` for lines of that height. Line spacing is in vertical motion units:
    /// half a dot on printers of 180 dpi, a dot on those of 203 (GS P, defaults).
    fn bands(&mut self, bitmap: &Bitmap) {
        let spacing = if self.profile.dpi == 180 { 48 } else { 24 };
        self.out.extend_from_slice(&[ESC, b'3', spacing]);
        let mut y = 0;
        while y < bitmap.height() {
            let mut x = 0;
            while x < bitmap.width() {
                x += self.band(bitmap, x, y);
            }
            self.out.push(LF);
            y += BAND_ROWS;
        }
        self.out.extend_from_slice(&[ESC, b'2']);
    }

    /// The columns of a band from `x` on: as many as one piece may hold, and none that would end a command that the one
    /// before began.
    fn band(&mut self, bitmap: &Bitmap, x: u16, y: u16) -> u16 {
        let mut data: Vec<u8> = Vec::new();
        let mut columns = 0_u16;
        for across in x..bitmap.width() {
            let mut column = [0_u8; 3];
            for down in (0..BAND_ROWS).filter(|down| bitmap.is_ink(across, y + down)) {
                column[usize::from(down / 8)] |= 0x80 >> (down % 8);
            }
            mend(&mut column);
            if columns == MAX_PIECE_COLUMNS
                || data.last().is_some_and(|last| is_unwanted(&[*last, column[0]]))
            {
                break;
            }
            data.extend_from_slice(&column);
            columns += 1;
        }
        let [low, high] = columns.to_le_bytes();
        self.out.extend_from_slice(&[ESC, b'*', 33, low, high]);
        self.out.extend_from_slice(&data);
        columns
    }
}

/// Bytes that `GS ( L` function 112 counts besides the dots.
const GS_L_HEAD: u16 = 10;

/// Ways to lay a picture that put its dots at the same place on paper: a printer aligns the whole width of what it
/// gets, so each byte more on the right moves a centred picture by four dots, which white dots on the left make good.
fn lays(width: u16, align: Align, width_dots: u16) -> Vec<Lay> {
    let origin = |width: u16| {
        let free = width_dots.saturating_sub(width);
        match align {
            Align::Left => 0,
            Align::Centre => free / 2,
            Align::Right => free,
        }
    };
    let least = width.div_ceil(8);
    (least..=least + MAX_WIDER_BYTES)
        .filter_map(|bytes| {
            let pad = origin(width).checked_sub(origin(bytes * 8))?;
            (pad + width <= bytes * 8 && (bytes == least || bytes * 8 <= width_dots))
                .then_some(Lay { pad, bytes })
        })
        .collect()
}

/// Rows from `y` on until one would make a command.
fn strip(bitmap: &Bitmap, y: u16, lay: Lay) -> Vec<u8> {
    let rows = (MAX_STRIP_BYTES / usize::from(lay.bytes)).clamp(1, MAX_STRIP_ROWS);
    let mut data: Vec<u8> = Vec::with_capacity(rows * usize::from(lay.bytes));
    for down in (y..bitmap.height()).take(rows) {
        let row = row(bitmap, down, lay);
        let joined = data.last().is_some_and(|last| is_unwanted(&[*last, row[0]]));
        if joined || row.windows(2).any(is_unwanted) {
            break;
        }
        data.extend_from_slice(&row);
    }
    data
}

/// A row with its white dots on the left.
fn row(bitmap: &Bitmap, y: u16, lay: Lay) -> Vec<u8> {
    let mut row = vec![0; usize::from(lay.bytes)];
    let (bytes, bits) = (usize::from(lay.pad / 8), lay.pad % 8);
    for (at, byte) in bitmap.row(y).iter().enumerate() {
        row[at + bytes] |= byte >> bits;
        let over = u16::from(*byte) << 8 >> bits & 0xff;
        if let (Some(next), Ok(over)) = (row.get_mut(at + bytes + 1), u8::try_from(over)) {
            *next |= over;
        }
    }
    row
}

/// The last resort: one dot of ink more in each byte that would end a command. 04h, 05h and 14h with bit 3 set end
/// none, and begin none; of `ESC =` the second byte, 3Dh, gets bit 1.
fn mend(data: &mut [u8]) {
    for at in 1..data.len() {
        if is_unwanted(&data[at - 1..=at]) {
            data[at] |= if data[at] == b'=' { 0x02 } else { 0x08 };
        }
    }
}
