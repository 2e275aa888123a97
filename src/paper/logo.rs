//! The shop's logo on top of its receipts, made for one printer's paper.
//!
//! It is read and checked before the till opens; from then on it is dots in memory, and nothing that happens to the
//! file stops a receipt. Not here: how shades become dots (`hardware`), and finding the file (`config`, `cli`).

use hardware::document::picture::{Bitmap, Dither, PictureError};
use hardware::document::{Align, Document, Item, Picture};
use hardware::profile::{Profile, Raster};

/// The largest file of a logo.
pub const LOGO_BYTES_MAX: usize = hardware::document::picture::MAX_PNG_BYTES;

/// The tallest logo, in dots: four centimetres at 203 dots an inch. It is paid for in paper and, on a line of 19,200
/// baud, in more than ten seconds on every receipt.
const ROWS_MAX: u16 = 320;

/// A logo in the dots of one printer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logo(Bitmap);

/// Why a file cannot be a logo.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// The file is no PNG, or too large a one.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// It would take too much paper.
    #[error(
        "the logo would be {rows} dots high on this paper, {ROWS_MAX} (4 cm) are the most: make it wider or lower"
    )]
    TooTall {
        /// How high.
        rows: u16,
    },
    /// There is nothing to see.
    #[error("the logo is white all over: nothing of it would be seen on paper")]
    White,
    /// The printer prints no pictures.
    #[error("printer profile {profile} prints no pictures: leave the logo out, or choose another profile")]
    NoPictures {
        /// Its name.
        profile: String,
    },
}

impl Logo {
    /// Reads a PNG for the paper of a printer: shrunk to its width where it is wider, never made larger.
    ///
    /// # Errors
    /// [`LogoError`].
    pub fn read(png: &[u8], profile: &Profile) -> Result<Self, LogoError> {
        if profile.raster == Raster::None {
            return Err(LogoError::NoPictures { profile: profile.name.clone() });
        }
        let bitmap = Bitmap::from_png(png, profile.width_dots, Dither::Diffused)?;
        if bitmap.height() > ROWS_MAX {
            return Err(LogoError::TooTall { rows: bitmap.height() });
        }
        if (0..bitmap.height()).all(|row| bitmap.row(row).iter().all(|byte| *byte == 0)) {
            return Err(LogoError::White);
        }
        Ok(Self(bitmap))
    }

    /// Bytes that it adds to a receipt, about: what a slow line pays for it.
    pub fn bytes(&self) -> usize {
        (0..self.0.height()).map(|row| self.0.row(row).len()).sum()
    }

    /// Puts it on top of a document, with a line of air below.
    pub fn head(&self, document: &mut Document) {
        let picture = Picture { bitmap: self.0.clone(), align: Align::Centre };
        document.items.splice(0..0, [Item::Picture(picture), Item::Feed { lines: 1 }]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hardware::document::Line;
    use image::{GrayImage, ImageFormat, Luma};

    fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        GrayImage::from_pixel(width, height, Luma([shade])).write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn profile(name: &str) -> &'static Profile {
        Profile::by_name(name).unwrap()
    }

    #[test]
    fn a_logo_stands_on_top_of_the_paper_and_is_no_wider() {
        for name in ["chinese-58mm", "epson-tm-t88", "generic-80mm"] {
            let profile = profile(name);
            let logo = Logo::read(&png(1000, 250, 0), profile).unwrap();
            let mut document = Document::new();
            document.line(Line::left("Tea"));
            logo.head(&mut document);
            let [Item::Picture(picture), Item::Feed { lines: 1 }, Item::Line(_)] = &document.items[..] else {
                panic!("{document:?}")
            };
            assert_eq!(picture.bitmap.width(), profile.width_dots);
            let bytes = hardware::printer::escpos::encode(&document, profile).unwrap();
            assert!(bytes.len() >= logo.bytes(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_a_logo_is_refused_with_words() {
        let said = |png: &[u8], name: &str| Logo::read(png, profile(name)).unwrap_err().to_string();
        assert!(said(b"GIF89a", "generic-80mm").contains("cannot be read as PNG"));
        assert!(said(&vec![0; LOGO_BYTES_MAX + 1], "generic-80mm").contains("save it smaller"));
        assert!(said(&png(100, 321, 0), "generic-80mm").contains("321 dots high"));
        assert!(said(&png(100, 100, 255), "generic-80mm").contains("white all over"));
        let without = Profile { raster: Raster::None, ..profile("generic-80mm").clone() };
        let said = Logo::read(&png(9, 9, 0), &without).unwrap_err().to_string();
        assert!(said.contains("prints no pictures"));
    }
}
