//! Symbols for scanners: what they say and how large they are.
//!
//! Which bars and modules that makes is in `document::drawn`; whether a printer draws them by itself is in its
//! profile.

/// How much of a QR symbol may be lost before it cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QrLevel {
    /// About 7 %.
    #[default]
    Low,
    /// About 15 %.
    Medium,
    /// About 25 %.
    Quartile,
    /// About 30 %.
    High,
}

/// A QR symbol (model 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    /// The bytes to read back. At most `printer::escpos::MAX_QR_BYTES`.
    pub payload: Vec<u8>,
    /// Dots each module is wide: 1 to 16. 6 reads well from thermal paper. Where the symbol would be wider than
    /// the paper it gets the largest module that fits.
    pub module_dots: u8,
    /// Its error correction.
    pub level: QrLevel,
}

impl Qr {
    /// The usual symbol on a receipt: module of 6 dots, level L.
    pub fn new(payload: impl Into<Vec<u8>>) -> Qr {
        Qr { payload: payload.into(), module_dots: 6, level: QrLevel::Low }
    }
}

/// A kind of bar code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbology {
    /// EAN-13: twelve digits, or thirteen with the right check digit.
    Ean13,
    /// Code 128: printable ASCII, in code sets B and C.
    Code128,
}

/// Whether a bar code's data stands below it for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BarcodeText {
    /// Bars alone.
    None,
    /// A line of text below, centred.
    #[default]
    Below,
}

/// A bar code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barcode {
    /// Its kind.
    pub symbology: Symbology,
    /// What it says.
    pub data: String,
    /// Dots of its narrowest bar: 2 to 6. Where the symbol would be wider than the paper it gets narrower bars.
    pub module_dots: u8,
    /// Its height in dots: 1 to 255. A scanner that is held askew wants 60 or more.
    pub height_dots: u8,
    /// The text for people.
    pub text: BarcodeText,
}

impl Barcode {
    /// An EAN-13 symbol of the usual size with its digits below.
    pub fn ean13(digits: impl Into<String>) -> Barcode {
        Barcode { symbology: Symbology::Ean13, ..Barcode::code128(digits) }
    }

    /// A Code 128 symbol of the usual size with its text below.
    pub fn code128(data: impl Into<String>) -> Barcode {
        Barcode {
            symbology: Symbology::Code128,
            data: data.into(),
            module_dots: 3,
            height_dots: 80,
            text: BarcodeText::Below,
        }
    }
}
