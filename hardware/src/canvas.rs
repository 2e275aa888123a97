//! Paper as a picture, dot for dot: text in the font of `font`, blocks, and PNG.
//!
//! For previews and for the virtual printer's paper. What stands where is decided by them.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

use crate::font::{self, Glyph};

const INK: Luma<u8> = Luma([0]);
const PAPER: Luma<u8> = Luma([255]);
const CUT: Luma<u8> = Luma([160]);
/// White around the paper, and on both sides of a cut.
pub(crate) const MARGIN: u32 = 12;
/// Dots from one line of text to the next: 1/6 inch at 180 dpi (ESC 2).
pub(crate) const LINE_HEIGHT: u32 = 30;
/// Height of a character at its usual size.
pub(crate) const TEXT_HEIGHT: u32 = 24;
/// The longest picture: two metres of paper. What is above it is left out.
pub(crate) const MAX_HEIGHT: u32 = 20_000;

/// How characters look.
#[derive(Clone, Copy)]
pub(crate) struct Strokes {
    /// Times as wide.
    pub(crate) width: u32,
    /// Times as tall.
    pub(crate) height: u32,
    /// Each dot once more, one to the right: how printers make bold.
    pub(crate) bold: bool,
}

/// Paper of some width, with white around it.
pub(crate) struct Canvas {
    image: GrayImage,
    /// Dots of paper above the picture's top.
    above: u32,
}

impl Canvas {
    /// Blank paper. Of more than `MAX_HEIGHT` the lower part is kept.
    pub(crate) fn new(width_dots: u32, height: u32) -> Canvas {
        let shown = (height + 2 * MARGIN).min(MAX_HEIGHT);
        Canvas {
            image: GrayImage::from_pixel(width_dots + 2 * MARGIN, shown, PAPER),
            above: height + 2 * MARGIN - shown,
        }
    }

    fn dot(&mut self, x: u32, y: u32, ink: Luma<u8>) {
        if let Some(y) = (y + MARGIN).checked_sub(self.above)
            && x + MARGIN < self.image.width()
            && y < self.image.height()
        {
            self.image.put_pixel(x + MARGIN, y, ink);
        }
    }

    /// A rectangle of ink.
    pub(crate) fn block(&mut self, x: u32, y: u32, width: u32, height: u32) {
        for down in 0..height {
            for across in 0..width {
                self.dot(x + across, y + down, INK);
            }
        }
    }

    /// Where the paper was cut: a grey line.
    pub(crate) fn cut(&mut self, y: u32) {
        for x in (0..self.image.width() - 2 * MARGIN).filter(|x| x % 12 < 8) {
            self.dot(x, y, CUT);
        }
    }

    /// Characters with the cells each takes, from a dot on.
    pub(crate) fn text(
        &mut self,
        characters: impl Iterator<Item = (char, usize)>,
        (x, y): (u32, u32),
        cell_dots: u32,
        strokes: Strokes,
    ) {
        let mut x = x;
        for (character, cells) in characters {
            self.glyph(&font::glyph(character, cells), x, y, strokes);
            x += u32::try_from(cells).unwrap_or(1) * cell_dots * strokes.width;
        }
    }

    fn glyph(&mut self, glyph: &Glyph, x: u32, y: u32, strokes: Strokes) {
        for down in 0..font::HEIGHT {
            for across in (0..glyph.width()).filter(|across| glyph.is_ink(*across, down)) {
                let (left, top) =
                    (x + u32::from(across) * strokes.width, y + u32::from(down) * strokes.height);
                self.block(left, top, strokes.width + u32::from(strokes.bold), strokes.height);
            }
        }
    }

    /// The picture as PNG.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub(crate) fn to_png(&self) -> Result<Vec<u8>, image::ImageError> {
        let mut out = Cursor::new(Vec::new());
        self.image.write_to(&mut out, ImageFormat::Png)?;
        Ok(out.into_inner())
    }
}
