//! Pictures of ink and no ink, and how a logo becomes one.
//!
//! Whole numbers only: the same logo makes the same dots on every machine. How dots travel to a printer is in
//! `printer::escpos`.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::Align;

/// The largest file of a logo.
pub const MAX_PNG_BYTES: usize = 2 * 1024 * 1024;
/// The largest side of a logo in the file: four times the widest paper; unpacked it takes 32 MB.
const MAX_PNG_SIDE: u32 = 4096;
/// The longest picture on paper, 25 cm: a longer one is a mistake and burns paper.
pub const MAX_HEIGHT_DOTS: u16 = 2000;

/// Dots in rows; a dot is ink or paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: u16,
    height: u16,
    /// Rows from the top, each padded to whole bytes; the leftmost dot is the highest bit; set is ink.
    rows: Vec<u8>,
}

/// A bitmap and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its dots.
    pub bitmap: Bitmap,
    /// Where it stands on the paper.
    pub align: Align,
}

/// How shades become dots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dither {
    /// Floyd and Steinberg's error diffusion: best for photographs and soft shades.
    #[default]
    Diffused,
    /// Bayer's ordered pattern of 8 by 8: regular, and stable under small changes.
    Ordered,
    /// Dark is ink, light is paper: for line drawings.
    None,
}

/// Why a picture cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The file is larger than `MAX_PNG_BYTES`.
    #[error("the picture is a file of {bytes} bytes, {MAX_PNG_BYTES} are the most; save it smaller")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It cannot be read as PNG.
    #[error("the picture cannot be read as PNG: {0}")]
    Unreadable(#[from] image::ImageError),
    /// It has no dots, or is longer than `MAX_HEIGHT_DOTS` on paper.
    #[error(
        "the picture would be {width} by {height} dots on paper; give it 1 to {MAX_HEIGHT_DOTS} rows and a width"
    )]
    Size {
        /// Width on paper.
        width: u32,
        /// Height on paper.
        height: u32,
    },
}

impl Bitmap {
    /// Blank paper of this size in dots.
    #[must_use]
    pub fn blank(width: u16, height: u16) -> Bitmap {
        let bytes = usize::from(width.div_ceil(8)) * usize::from(height);
        Bitmap { width, height, rows: vec![0; bytes] }
    }

    /// A bitmap of rows already packed, each padded to whole bytes, the leftmost dot in the highest bit. None if
    /// their length does not fit the size. Dots beyond the width are dropped.
    #[must_use]
    pub fn from_rows(width: u16, height: u16, rows: Vec<u8>) -> Option<Bitmap> {
        if rows.len() != usize::from(width.div_ceil(8)) * usize::from(height) {
            return None;
        }
        let mut bitmap = Bitmap { width, height, rows };
        for y in 0..height {
            for x in width..width.div_ceil(8) * 8 {
                bitmap.put(x, y, Dot::Paper);
            }
        }
        Some(bitmap)
    }

    /// Reads a PNG, lays it on white, makes it at most `width_dots` wide, keeping its shape, and turns shades into
    /// dots. A smaller picture keeps its size.
    ///
    /// # Errors
    /// When it is no PNG, or larger than the limits of this module.
    pub fn from_png(png: &[u8], width_dots: u16, dither: Dither) -> Result<Bitmap, PictureError> {
        if png.len() > MAX_PNG_BYTES {
            return Err(PictureError::TooLarge { bytes: png.len() });
        }
        let mut reader = ImageReader::with_format(Cursor::new(png), image::ImageFormat::Png);
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_PNG_SIDE);
        limits.max_image_height = Some(MAX_PNG_SIDE);
        reader.limits(limits);
        let decoder = reader.into_decoder()?;
        let (width, height) = decoder.dimensions();
        let wanted = width.min(u32::from(width_dots));
        let tall = (u64::from(height) * u64::from(wanted)).div_ceil(u64::from(width.max(1)));
        let (Ok(across), Ok(down)) = (u16::try_from(wanted), u16::try_from(tall)) else {
            return Err(PictureError::Size { width: wanted, height });
        };
        if across == 0 || down == 0 || down > MAX_HEIGHT_DOTS {
            return Err(PictureError::Size { width: wanted, height: u32::from(down) });
        }
        let picture = DynamicImage::from_decoder(decoder)?.into_luma_alpha8();
        let shades = shrink(picture.as_raw(), (width, height), (across, down));
        Ok(dots(shades, across, down, dither))
    }

    /// Width in dots.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height in dots.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Whether there is ink at a dot; outside there is none.
    #[must_use]
    pub fn is_ink(&self, x: u16, y: u16) -> bool {
        x < self.width && y < self.height && self.rows[self.at(x, y)] & (0x80 >> (x % 8)) != 0
    }

    /// The bytes of a row.
    #[must_use]
    pub fn row(&self, y: u16) -> &[u8] {
        let bytes = usize::from(self.width.div_ceil(8));
        &self.rows[usize::from(y) * bytes..][..bytes]
    }

    /// Fills a rectangle with ink; what is outside is left out.
    pub fn fill(&mut self, x: u16, y: u16, width: u16, height: u16) {
        for down in y..y.saturating_add(height).min(self.height) {
            for across in x..x.saturating_add(width).min(self.width) {
                self.put(across, down, Dot::Ink);
            }
        }
    }

    fn at(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.width.div_ceil(8)) + usize::from(x / 8)
    }

    fn put(&mut self, x: u16, y: u16, dot: Dot) {
        let at = self.at(x, y);
        let bit = 0x80 >> (x % 8);
        match dot {
            Dot::Ink => self.rows[at] |= bit,
            Dot::Paper => self.rows[at] &= !bit,
        }
    }
}

#[derive(Clone, Copy)]
enum Dot {
    Ink,
    Paper,
}

/// The mean shade of each dot's share of the picture, laid on white: 0 is black, 255 white.
fn shrink(pixels: &[u8], (width, height): (u32, u32), (across, down): (u16, u16)) -> Vec<i32> {
    let span = |at: u16, of: u16, whole: u32| {
        let begin = u64::from(at) * u64::from(whole) / u64::from(of);
        let end = (u64::from(at) + 1) * u64::from(whole) / u64::from(of);
        begin..end.max(begin + 1)
    };
    let mut shades = Vec::with_capacity(usize::from(across) * usize::from(down));
    for y in 0..down {
        for x in 0..across {
            let (mut sum, mut count) = (0_u64, 0_u64);
            for from_y in span(y, down, height) {
                for from_x in span(x, across, width) {
                    let at = usize::try_from((from_y * u64::from(width) + from_x) * 2).unwrap_or(usize::MAX);
                    let (shade, alpha) = (u64::from(pixels[at]), u64::from(pixels[at + 1]));
                    sum += (shade * alpha + 255 * (255 - alpha)) / 255;
                    count += 1;
                }
            }
            shades.push(i32::try_from(sum / count.max(1)).unwrap_or(255));
        }
    }
    shades
}

/// Bayer's matrix of order 8: each threshold once.
const BAYER: [[i32; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

fn dots(mut shades: Vec<i32>, width: u16, height: u16, dither: Dither) -> Bitmap {
    let mut bitmap = Bitmap::blank(width, height);
    let wide = usize::from(width);
    for y in 0..height {
        for x in 0..width {
            let at = usize::from(y) * wide + usize::from(x);
            let shade = shades[at];
            let is_ink = match dither {
                Dither::None | Dither::Diffused => shade < 128,
                Dither::Ordered => shade < BAYER[usize::from(y % 8)][usize::from(x % 8)] * 4 + 2,
            };
            if is_ink {
                bitmap.put(x, y, Dot::Ink);
            }
            if dither == Dither::Diffused {
                let error = shade - if is_ink { 0 } else { 255 };
                let (first, last, lowest) = (x == 0, x + 1 == width, y + 1 == height);
                // To the right 7/16, below left 3/16, below 5/16, below right 1/16.
                if !last {
                    shades[at + 1] += error * 7 / 16;
                }
                if !lowest {
                    if !first {
                        shades[at + wide - 1] += error * 3 / 16;
                    }
                    shades[at + wide] += error * 5 / 16;
                    if !last {
                        shades[at + wide + 1] += error / 16;
                    }
                }
            }
        }
    }
    bitmap
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, ImageFormat, LumaA};

    fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 2]) -> Vec<u8> {
        let picture = ImageBuffer::from_fn(width, height, |x, y| LumaA(pixel(x, y)));
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn ink(bitmap: &Bitmap) -> usize {
        (0..bitmap.height())
            .flat_map(|y| (0..bitmap.width()).map(move |x| (x, y)))
            .filter(|(x, y)| bitmap.is_ink(*x, *y))
            .count()
    }

    #[test]
    fn a_shade_becomes_its_share_of_dots() {
        for (shade, share) in [(0_u8, 100), (64, 75), (128, 50), (192, 25), (255, 0)] {
            for dither in [Dither::Diffused, Dither::Ordered] {
                let bitmap = Bitmap::from_png(&png(64, 64, |_, _| [shade, 255]), 64, dither).unwrap();
                let percent = ink(&bitmap) * 100 / (64 * 64);
                assert!(percent.abs_diff(share) <= 2, "{shade} {dither:?}: {percent} %");
            }
        }
    }

    #[test]
    fn a_logo_is_made_as_wide_as_the_paper_and_keeps_its_shape() {
        let black_left = png(800, 400, |x, _| [if x < 400 { 0 } else { 255 }, 255]);
        let bitmap = Bitmap::from_png(&black_left, 384, Dither::Diffused).unwrap();
        assert_eq!((bitmap.width(), bitmap.height()), (384, 192));
        assert!(bitmap.is_ink(191, 100) && !bitmap.is_ink(192, 100));
        let small = Bitmap::from_png(&png(20, 10, |_, _| [0, 255]), 384, Dither::None).unwrap();
        assert_eq!((small.width(), small.height(), ink(&small)), (20, 10, 200));
    }

    #[test]
    fn what_is_transparent_is_paper() {
        let bitmap = Bitmap::from_png(&png(16, 16, |_, _| [0, 0]), 16, Dither::Diffused).unwrap();
        assert_eq!(ink(&bitmap), 0);
    }

    #[test]
    fn what_is_no_picture_or_too_long_is_refused_with_words() {
        let told = |bytes: &[u8]| Bitmap::from_png(bytes, 384, Dither::None).unwrap_err().to_string();
        assert!(told(b"GIF89a").contains("cannot be read as PNG"));
        assert!(told(&vec![0; MAX_PNG_BYTES + 1]).contains("save it smaller"));
        assert!(told(&png(10, 2001, |_, _| [0, 255])).contains("1 to 2000 rows"));
        assert_eq!(Bitmap::from_rows(9, 2, vec![0; 3]), None);
    }
}
