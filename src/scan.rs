//! What a scan is: an item, a code of ours, a desk, a wallet's pay code, or words about what is wrong with it.
//!
//! The same bytes mean the same whatever the sale is doing: where two readings are possible both are returned, and
//! the sale, which knows what it waits for, chooses. Not here: framing (`hardware`), what an item is
//! (`catalogue`), believing a code (`token`), and GS1 element strings, which are recognised but not read.
//!
//! A scan may be a pay code that no rule here knows: never write scanned text to a log.

mod gtin;
mod own;
mod paycode;

pub use gtin::{Gtin, GtinError};
pub use paycode::{PayCode, Scene, Wallet};

use crate::token::{Token, TokenError};

/// No code on a counter is longer, in bytes; the longest of ours has 195.
pub const SCAN_MAX_BYTES: usize = 1024;

/// What was scanned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scanned {
    /// A trade item's number, with a right check digit.
    Item(Gtin),
    /// A code of ours, bare or in the address of an order or a receipt. Nothing in it is verified yet.
    Token(Token),
    /// The code that sticks on a desk: the address of its page.
    Desk {
        /// Host and port of the address, lower case.
        host: String,
        /// The desk, lower case.
        desk: String,
    },
    /// A wallet's pay code.
    PayCode(PayCode),
    /// One of two things.
    Ambiguous(Ambiguous),
    /// Anything else that can be read: perhaps a number of the shop's own.
    Text(String),
    /// Something known that this program does not read.
    Unsupported(Unsupported),
    /// It has the form of something known but is not right. The text is kept: the shop's own numbers may look
    /// like this, and the catalogue is asked first.
    Misread {
        /// As scanned.
        text: String,
        /// What is wrong with it.
        why: Misreading,
    },
    /// Nothing that can be read.
    Garbage(Garbage),
}

/// A scan with two readings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ambiguous {
    /// Eight digits that are right both as an EAN-8 and as a UPC-E: the catalogue knows which one is sold.
    TwoItems {
        /// Read as EAN-8.
        ean_8: Gtin,
        /// Read as UPC-E and expanded.
        upc_e: Gtin,
    },
    /// Eighteen digits that begin like a wallet's and end like the label of a counter scale.
    ///
    /// While goods are scanned it is a label; while a pay code is awaited the cashier is asked.
    PayCodeOrLabel {
        /// Read as a pay code; the label's text is the same.
        pay_code: PayCode,
    },
}

/// Something known that this program does not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsupported {
    /// GS1 application identifiers: GTIN with batch, expiry, weight, price.
    #[error(
        "this label carries more than an item's number, which the till does not read: scan the item's EAN code"
    )]
    Gs1ElementString,
    /// A card scheme's consumer-presented QR code (EMVCo).
    #[error(
        "this is a card scheme's payment code, which this shop does not take: ask for another way to pay"
    )]
    CardSchemeQr,
}

/// What is wrong with a scan that has a known form.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Misreading {
    /// The item's number is not one.
    #[error(transparent)]
    Gtin(#[from] GtinError),
    /// A damaged code of ours.
    #[error(transparent)]
    OwnCode(#[from] TokenError),
}

/// Why nothing could be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Garbage {
    /// No bytes, or only spaces.
    #[error("the scanner sent nothing: scan again")]
    Empty,
    /// More than [`SCAN_MAX_BYTES`].
    #[error("the scan is too long for anything sold or paid here: check what was scanned")]
    TooLong,
    /// Not UTF-8.
    #[error(
        "the scan is not readable text: scan again, and check the scanner's line settings if it happens often"
    )]
    NotText,
    /// Control characters inside.
    #[error(
        "the scan holds control characters: scan again, and check the scanner's line settings if it happens often"
    )]
    ControlBytes,
}

/// Classifies one scan.
///
/// `data` is what stood between two terminators, `aim` the AIM symbology identifier (ISO/IEC 15424) if the scanner
/// sends it, with or without its `]`: `]E0`, `Q1`. It narrows the readings: a label of a scale is never a QR code,
/// and a Code 128 with thirteen digits need not be an EAN.
pub fn classify(data: &[u8], aim: Option<&[u8]>) -> Scanned {
    let carrier = Carrier::of(aim);
    let text = match readable(data) {
        Ok(text) => text,
        Err(garbage) => return Scanned::Garbage(garbage),
    };
    let separated = text.as_bytes().contains(&GS);
    if carrier == Carrier::Gs1 || (separated && carrier == Carrier::Unsaid) {
        return Scanned::Unsupported(Unsupported::Gs1ElementString);
    }
    if separated {
        return Scanned::Garbage(Garbage::ControlBytes);
    }
    if let Some(own) = own::read(text) {
        return own;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text, carrier);
    }
    if paycode::is_card_scheme_qr(text) {
        return Scanned::Unsupported(Unsupported::CardSchemeQr);
    }
    match PayCode::read(text) {
        Some(pay_code) => Scanned::PayCode(pay_code),
        None => Scanned::Text(text.to_owned()),
    }
}

/// What the code was printed as, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    /// The scanner does not say.
    Unsaid,
    /// `]E0`: EAN-13, UPC-A, and UPC-E.
    Ean,
    /// `]E3`: EAN-13 with an add-on of two or five digits.
    EanWithAddOn,
    /// `]E4`
    Ean8,
    /// `]I`: interleaved two of five.
    Itf,
    /// `]Q`: QR code.
    Qr,
    /// `]C1`, `]e`, `]d2`, `]Q3`, `]J1`: GS1 element strings.
    Gs1,
    /// Anything else.
    Other,
}

impl Carrier {
    fn of(aim: Option<&[u8]>) -> Self {
        let Some(aim) = aim else { return Self::Unsaid };
        match aim.strip_prefix(b"]").unwrap_or(aim) {
            b"E0" => Self::Ean,
            b"E3" => Self::EanWithAddOn,
            b"E4" => Self::Ean8,
            b"C1" | b"d2" | b"Q3" | b"J1" | [b'e', _] => Self::Gs1,
            [b'I', _] => Self::Itf,
            [b'Q', _] => Self::Qr,
            _ => Self::Other,
        }
    }
}

/// The separator between GS1 element strings (FNC1 as scanners send it).
const GS: u8 = 0x1D;

fn readable(data: &[u8]) -> Result<&str, Garbage> {
    if data.len() > SCAN_MAX_BYTES {
        return Err(Garbage::TooLong);
    }
    let text = str::from_utf8(data).map_err(|_| Garbage::NotText)?.trim_matches(' ');
    if text.is_empty() {
        return Err(Garbage::Empty);
    }
    if text.chars().any(|character| character.is_control() && character != char::from(GS)) {
        return Err(Garbage::ControlBytes);
    }
    Ok(text)
}

fn number(digits: &str, carrier: Carrier) -> Scanned {
    match (carrier, digits.len()) {
        (Carrier::Ean, 8) => item_or_misread(digits, Gtin::of_upc_e(digits)),
        (Carrier::EanWithAddOn, 15 | 18) => item_or_misread(digits, digits[..13].parse()),
        (Carrier::Ean | Carrier::EanWithAddOn, 12 | 13) | (Carrier::Ean8, 8) | (Carrier::Itf, 14) => {
            item_or_misread(digits, digits.parse())
        }
        (Carrier::Unsaid, 8) => eight_digits(digits),
        (Carrier::Unsaid, 12..=14) => item_or_misread(digits, digits.parse()),
        // These carry their own checksum, so a wrong check digit means a number of the shop's own.
        (Carrier::Itf | Carrier::Qr | Carrier::Other, 8 | 12..=14) => {
            digits.parse().map_or_else(|_| Scanned::Text(digits.to_owned()), Scanned::Item)
        }
        (Carrier::Unsaid | Carrier::Qr | Carrier::Other, _) => match PayCode::read(digits) {
            Some(pay_code) if carrier != Carrier::Qr && gtin::ends_like_scale_label(digits) => {
                Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code })
            }
            Some(pay_code) => Scanned::PayCode(pay_code),
            None => Scanned::Text(digits.to_owned()),
        },
        (Carrier::Ean | Carrier::EanWithAddOn | Carrier::Ean8 | Carrier::Itf | Carrier::Gs1, _) => {
            Scanned::Text(digits.to_owned())
        }
    }
}

fn item_or_misread(digits: &str, read: Result<Gtin, GtinError>) -> Scanned {
    match read {
        Ok(gtin) => Scanned::Item(gtin),
        Err(why) => Scanned::Misread { text: digits.to_owned(), why: why.into() },
    }
}

/// A scanner that does not say what it read sends EAN-8 and UPC-E alike.
fn eight_digits(digits: &str) -> Scanned {
    match (digits.parse::<Gtin>(), Gtin::of_upc_e(digits)) {
        (Ok(ean_8), Ok(upc_e)) => Scanned::Ambiguous(Ambiguous::TwoItems { ean_8, upc_e }),
        (Ok(gtin), Err(_)) | (Err(_), Ok(gtin)) => Scanned::Item(gtin),
        (Err(why), Err(_)) => Scanned::Misread { text: digits.to_owned(), why: why.into() },
    }
}

#[cfg(test)]
mod tests;
