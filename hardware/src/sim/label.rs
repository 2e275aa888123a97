//! Symbols to hold under a scanner, as pictures.

use image::{GrayImage, ImageEncoder, ImageError, Luma};
use qrcode::bits::Bits;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode, Version};

/// Pixels a module takes: three millimetres on most screens, which every imager reads.
const MODULE_PIXELS: u32 = 8;
/// Empty modules around the symbol. ISO/IEC 18004, 9.1.
const QUIET_MODULES: u32 = 4;

/// Why a symbol cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// It does not fit a symbol.
    #[error("the text does not fit a QR code; use at most 2,953 bytes")]
    TooLong(#[source] QrError),
    /// The picture cannot be made.
    #[error("the picture cannot be made")]
    Picture(#[source] ImageError),
}

/// The scanner's test label as a PNG: a GS1 QR code, so that identifier and separator have to be sent.
///
/// # Errors
/// Never for this content; the picture's library is asked all the same.
pub fn test_label() -> Result<Vec<u8>, LabelError> {
    // Version 2 holds 32 bytes at level L; FNC1 in first position makes it a GS1 symbol. ISO/IEC 18004, 7.4.8.
    let mut bits = Bits::new(Version::Normal(2));
    bits.push_fnc1_first_position().map_err(LabelError::TooLong)?;
    bits.push_byte_data(crate::scanner::label::DATA).map_err(LabelError::TooLong)?;
    bits.push_terminator(EcLevel::L).map_err(LabelError::TooLong)?;
    drawn(&QrCode::with_bits(bits, EcLevel::L).map_err(LabelError::TooLong)?)
}

/// Bytes as a QR code in a PNG.
///
/// # Errors
/// [`LabelError::TooLong`].
pub fn qr(bytes: &[u8]) -> Result<Vec<u8>, LabelError> {
    drawn(&QrCode::with_error_correction_level(bytes, EcLevel::M).map_err(LabelError::TooLong)?)
}

fn drawn(code: &QrCode) -> Result<Vec<u8>, LabelError> {
    let modules = u32::try_from(code.width()).unwrap_or(0);
    let side = (modules + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at / MODULE_PIXELS).checked_sub(QUIET_MODULES).filter(|at| *at < modules);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| {
            let at = |n: u32| usize::try_from(n).unwrap_or(0);
            code[(at(x), at(y))] == Color::Dark
        });
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(picture.as_raw(), side, side, image::ExtendedColorType::L8)
        .map_err(LabelError::Picture)?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an independent reader finds in the picture.
    fn read(picture: &[u8]) -> Result<String, rqrr::DeQRError> {
        let picture = image::load_from_memory(picture).unwrap().to_luma8();
        let (width, height) = picture.dimensions();
        let at = |n: usize| u32::try_from(n).unwrap();
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(
            usize::try_from(width).unwrap(),
            usize::try_from(height).unwrap(),
            |x, y| picture.get_pixel(at(x), at(y)).0[0],
        );
        seen.detect_grids()[0].decode().map(|(_, text)| text)
    }

    #[test]
    fn a_picture_of_a_code_is_read_back() {
        let content = crate::scanner::label::DATA;
        assert_eq!(read(&qr(content).unwrap()).unwrap().as_bytes(), content);
        assert!(matches!(qr(&[b'x'; 3000]), Err(LabelError::TooLong(_))));
    }

    #[test]
    fn the_label_is_a_gs1_symbol_and_no_plain_one() {
        // This reader knows no FNC1 and says so; it reads the same bytes without it, above. zxing-cpp reads the label
        // as `]Q3` with the separator in its place.
        assert_eq!(read(&test_label().unwrap()), Err(rqrr::DeQRError::UnknownDataType));
    }
}
