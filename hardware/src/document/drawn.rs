//! Symbols as bars and modules, for printers that do not draw them by themselves, and for pictures.
//!
//! The quiet zone is left out: paper is white. Which bars a digit is made of is in `symbol`.
//! How a printer is told to draw a symbol by itself is in `printer::escpos`.

use qrcode::{Color, EcLevel, QrCode};

use super::{Barcode, Bitmap, Qr, QrLevel, Symbology};
use crate::symbol::{START_B, START_C, TO_B, TO_C, code128_bars, ean13_bars};

/// Why a bar code cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BarcodeError {
    /// EAN-13 has twelve or thirteen digits.
    #[error("an EAN-13 code is 12 digits, or 13 with the check digit")]
    NotEan13,
    /// The thirteenth digit is not the one that follows from the twelve.
    #[error("the EAN-13 check digit should be {right}")]
    CheckDigit {
        /// What it should be.
        right: u8,
    },
    /// Code 128 holds printable ASCII here.
    #[error("a Code 128 symbol holds 1 to {MAX_CODE128} printable ASCII characters")]
    NotCode128,
    /// A bar's width or the height cannot be printed.
    #[error("bars of {module_dots} dots, {height_dots} high, cannot be printed; choose 2 to 6, and 1 to 255")]
    Size {
        /// Width asked for.
        module_dots: u8,
        /// Height asked for.
        height_dots: u8,
    },
    /// Even with the narrowest bars it is wider than the paper.
    #[error("the bar code is {modules} bars wide and does not fit the paper; shorten it")]
    TooWide {
        /// Its width in narrowest bars.
        modules: usize,
    },
}

/// The longest Code 128 symbol. No receipt paper is wide enough for more.
pub const MAX_CODE128: usize = 60;

/// The narrowest bar that a printer's `GS w` can be set to, and the narrowest that reads well.
pub const MODULE_DOTS_MIN: u8 = 2;

/// A stretch of a Code 128 symbol in one code set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// Code set B: printable ASCII.
    B(Vec<u8>),
    /// Code set C: pairs of digits as numbers from 0 to 99.
    C(Vec<u8>),
}

/// The twelve digits and the check digit of an EAN-13 code.
///
/// # Errors
/// When it is none.
pub fn ean13_digits(data: &str) -> Result<[u8; 13], BarcodeError> {
    let mut digits = [0; 13];
    if !matches!(data.len(), 12 | 13) || !data.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BarcodeError::NotEan13);
    }
    for (digit, byte) in digits.iter_mut().zip(data.bytes()) {
        *digit = byte - b'0';
    }
    // Every second digit counts three times; the check digit fills up to ten.
    let sum: u8 =
        digits[..12].chunks(2).map(|pair| pair[0] + 3 * pair[1]).fold(0, |sum, add| (sum + add) % 10);
    let right = (10 - sum) % 10;
    if data.len() == 13 && digits[12] != right {
        return Err(BarcodeError::CheckDigit { right });
    }
    digits[12] = right;
    Ok(digits)
}

/// The stretches of a Code 128 symbol: all of it in set B where that fits the paper, digits in pairs where it does not.
///
/// Set B is preferred because printers agree on its bytes. For digits in pairs Epson wants the numbers 0 to 99, and
/// others the digits themselves, so a symbol that needs them is drawn.
///
/// # Errors
/// When it is too long or not printable ASCII.
pub fn code128(barcode: &Barcode, width_dots: u16) -> Result<Vec<Stretch>, BarcodeError> {
    let bytes = barcode.data.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_CODE128 || !bytes.iter().all(|byte| (0x20..0x7f).contains(byte))
    {
        return Err(BarcodeError::NotCode128);
    }
    let plain = vec![Stretch::B(bytes.to_vec())];
    let modules = code128_bars(&code128_values(&plain)).len();
    let fits = modules * usize::from(barcode.module_dots) <= usize::from(width_dots);
    Ok(if fits { plain } else { shortest(bytes) })
}

fn shortest(bytes: &[u8]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut plain = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let at_an_end = plain.is_empty() && stretches.is_empty() || run == rest.len();
        // A change of set costs a symbol on each side: four digits pay for one, six for two.
        if run >= if at_an_end { 4 } else { 6 } {
            if run % 2 == 1 {
                plain.push(rest[0]);
                rest = &rest[1..];
            }
            if !plain.is_empty() {
                stretches.push(Stretch::B(std::mem::take(&mut plain)));
            }
            let pairs = run / 2;
            let number = |pair: &[u8]| (pair[0] - b'0') * 10 + (pair[1] - b'0');
            stretches.push(Stretch::C(rest[..pairs * 2].chunks(2).map(number).collect()));
            rest = &rest[pairs * 2..];
        } else {
            let taken = run.max(1);
            plain.extend_from_slice(&rest[..taken]);
            rest = &rest[taken..];
        }
    }
    if !plain.is_empty() {
        stretches.push(Stretch::B(plain));
    }
    stretches
}

/// The modules of a bar code from the left, true for a bar.
///
/// # Errors
/// When its data are not of its kind.
pub fn bars(barcode: &Barcode, width_dots: u16) -> Result<Vec<bool>, BarcodeError> {
    match barcode.symbology {
        Symbology::Ean13 => Ok(ean13_bars(ean13_digits(&barcode.data)?)),
        Symbology::Code128 => Ok(code128_bars(&code128_values(&code128(barcode, width_dots)?))),
    }
}

/// What stands below the bars.
///
/// # Errors
/// When its data are not of its kind.
pub fn barcode_text(barcode: &Barcode) -> Result<String, BarcodeError> {
    match barcode.symbology {
        Symbology::Ean13 => {
            Ok(ean13_digits(&barcode.data)?.iter().map(|digit| char::from(b'0' + digit)).collect())
        }
        Symbology::Code128 => Ok(barcode.data.clone()),
    }
}

/// The dots that each narrowest bar takes on this paper: as wished, or as many as fit.
///
/// # Errors
/// When its data are not of its kind, its size cannot be printed, or nothing fits.
pub fn bar_dots(barcode: &Barcode, width_dots: u16) -> Result<u8, BarcodeError> {
    let Barcode { module_dots, height_dots, .. } = *barcode;
    if !(MODULE_DOTS_MIN..=6).contains(&module_dots) || height_dots == 0 {
        return Err(BarcodeError::Size { module_dots, height_dots });
    }
    let modules = bars(barcode, width_dots)?.len();
    let fit = u8::try_from(usize::from(width_dots) / modules).unwrap_or(u8::MAX);
    if fit < MODULE_DOTS_MIN { Err(BarcodeError::TooWide { modules }) } else { Ok(fit.min(module_dots)) }
}

/// A bar code as dots.
///
/// # Errors
/// As `bar_dots`.
pub fn barcode(barcode: &Barcode, width_dots: u16) -> Result<Bitmap, BarcodeError> {
    let dots = u16::from(bar_dots(barcode, width_dots)?);
    let bars = bars(barcode, width_dots)?;
    let width = u16::try_from(bars.len()).unwrap_or(u16::MAX).saturating_mul(dots);
    let mut bitmap = Bitmap::blank(width, u16::from(barcode.height_dots));
    for (at, _) in (0_u16..).zip(&bars).filter(|(_, bar)| **bar) {
        bitmap.fill(at * dots, 0, dots, u16::from(barcode.height_dots));
    }
    Ok(bitmap)
}

/// The modules of a QR symbol in rows, true for dark, and how many a row has. None if no symbol holds the payload.
#[must_use]
pub fn modules(qr: &Qr) -> Option<(u16, Vec<bool>)> {
    let level = match qr.level {
        QrLevel::Low => EcLevel::L,
        QrLevel::Medium => EcLevel::M,
        QrLevel::Quartile => EcLevel::Q,
        QrLevel::High => EcLevel::H,
    };
    let code = QrCode::with_error_correction_level(&qr.payload, level).ok()?;
    let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
    Some((u16::try_from(code.width()).ok()?, dark))
}

/// Bytes that a symbol of each version, 1 to 25, holds at each level. ISO/IEC 18004, table 7.
const QR_BYTES: [[u16; 25]; 4] = [
    [
        17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858, 929,
        1003, 1091, 1171, 1273,
    ],
    [
        14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666, 711,
        779, 857, 911, 997,
    ],
    [
        11, 20, 32, 46, 60, 74, 86, 108, 130, 151, 177, 203, 241, 258, 292, 322, 364, 394, 442, 482, 509,
        565, 611, 661, 715,
    ],
    [
        7, 14, 24, 34, 44, 58, 64, 84, 98, 119, 137, 155, 177, 194, 220, 250, 280, 310, 338, 382, 403, 439,
        461, 511, 535,
    ],
];

/// The dots that each module takes on this paper: as wished, or as many as fit. None if nothing fits.
///
/// The symbol is not drawn for this unless it is close: drawing takes a hundred times longer than a receipt.
#[must_use]
pub fn module_dots(qr: &Qr, width_dots: u16) -> Option<u8> {
    let table = &QR_BYTES[match qr.level {
        QrLevel::Low => 0,
        QrLevel::Medium => 1,
        QrLevel::Quartile => 2,
        QrLevel::High => 3,
    }];
    let version = table.iter().position(|bytes| usize::from(*bytes) >= qr.payload.len());
    let at_most = version.and_then(|at| u16::try_from(21 + 4 * at).ok());
    if at_most.is_some_and(|modules| modules * u16::from(qr.module_dots) <= width_dots) {
        return Some(qr.module_dots);
    }
    // Digits and capitals take less room than bytes, so the symbol may be smaller than the table says.
    let (modules, _) = modules(qr)?;
    let fit = u8::try_from(width_dots / modules).unwrap_or(u8::MAX);
    (fit > 0).then_some(fit.min(qr.module_dots))
}

/// A QR symbol as dots. None if no symbol holds the payload or the paper is too narrow.
#[must_use]
pub fn qr(qr: &Qr, width_dots: u16) -> Option<Bitmap> {
    let dots = u16::from(module_dots(qr, width_dots)?);
    let (across, dark) = modules(qr)?;
    let mut bitmap = Bitmap::blank(across * dots, across * dots);
    for (y, row) in (0_u16..).zip(dark.chunks(usize::from(across))) {
        for (x, _) in (0_u16..).zip(row).filter(|(_, dark)| **dark) {
            bitmap.fill(x * dots, y * dots, dots, dots);
        }
    }
    Some(bitmap)
}

fn code128_values(stretches: &[Stretch]) -> Vec<u8> {
    let mut values: Vec<u8> = Vec::new();
    for stretch in stretches {
        let first = values.is_empty();
        match stretch {
            Stretch::B(bytes) => {
                values.push(if first { START_B } else { TO_B });
                values.extend(bytes.iter().map(|byte| byte - 0x20));
            }
            Stretch::C(numbers) => {
                values.push(if first { START_C } else { TO_C });
                values.extend_from_slice(numbers);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_go_in_pairs_where_that_is_shorter() {
        let wide = |data: &str, width_dots| code128(&Barcode::code128(data), width_dots).unwrap();
        let stretches = |data| wide(data, 0);
        assert_eq!(wide("1234", 1000), [Stretch::B(b"1234".to_vec())]);
        assert_eq!(stretches("1234"), [Stretch::C(vec![12, 34])]);
        assert_eq!(stretches("R12345"), [Stretch::B(b"R1".to_vec()), Stretch::C(vec![23, 45])]);
        assert_eq!(stretches("a123b"), [Stretch::B(b"a123b".to_vec())]);
        assert_eq!(code128(&Barcode::code128("é"), 512), Err(BarcodeError::NotCode128));
    }

    #[test]
    fn a_wrong_check_digit_is_refused_and_a_missing_one_is_added() {
        assert_eq!(ean13_digits("690123400001").unwrap()[12], 6);
        assert_eq!(ean13_digits("6901234000016").unwrap()[12], 6);
        assert_eq!(ean13_digits("6901234000017"), Err(BarcodeError::CheckDigit { right: 6 }));
        assert_eq!(ean13_digits("12"), Err(BarcodeError::NotEan13));
    }

    #[test]
    fn the_table_of_qr_sizes_is_that_of_the_symbols() {
        for (level, table) in
            [QrLevel::Low, QrLevel::Medium, QrLevel::Quartile, QrLevel::High].iter().zip(QR_BYTES)
        {
            for (version, bytes) in (0_u16..).zip(table) {
                let qr = Qr { payload: vec![b'x'; usize::from(bytes)], module_dots: 1, level: *level };
                assert_eq!(modules(&qr).unwrap().0, 21 + 4 * version, "{bytes}");
            }
        }
    }

    #[test]
    fn a_symbol_that_is_too_wide_gets_smaller_modules() {
        assert_eq!(module_dots(&Qr::new("x"), 384), Some(6));
        assert_eq!(module_dots(&Qr { module_dots: 16, ..Qr::new(vec![b'x'; 300]) }, 384), Some(6));
        assert_eq!(module_dots(&Qr::new(vec![b'x'; 500]), 60), None);
        let long = Barcode::code128("x".repeat(20));
        assert_eq!((bar_dots(&long, 1000), bar_dots(&long, 600)), (Ok(3), Ok(2)));
        assert!(matches!(bar_dots(&long, 384), Err(BarcodeError::TooWide { .. })));
    }
}
