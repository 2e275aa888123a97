//! What a scan is: an item, a weighed pack, a code of ours, a desk, a wallet's pay code, or words about what is wrong
//! with it.
//!
//! The same bytes mean the same whatever the sale is doing: where two readings are possible both are returned, and
//! the sale, which knows what it waits for, chooses. Not here: framing (`hardware`), what an item is
//! (`catalogue`), believing a code (`token`), and card schemes' codes (`emv`).
//!
//! A scan may be a pay code that no rule here knows: never write scanned text to a log.

mod aim;
mod eci;
pub mod gs1;
mod gtin;
pub mod label;
mod own;
mod paycode;
pub mod report;

pub use aim::symbology;
pub use gs1::{Gs1, Gs1Error};
pub use gtin::{Gtin, GtinError};
pub use label::{Label, LabelProfile};
pub use paycode::{PayCode, Scene, Wallet};

use crate::emv::{self, Emv, EmvError};
use crate::token::{Token, TokenError};
use aim::Carrier;
use gs1::NotALink;

/// No code on a counter is longer, in bytes; the longest of ours has 195.
pub const SCAN_MAX_BYTES: usize = 1024;

/// What was scanned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scanned {
    /// A trade item's number, with a right check digit.
    Item(Gtin),
    /// A periodical: its number, and the two or five digits of its issue or price beside it.
    ItemWithAddOn {
        /// The number.
        gtin: Gtin,
        /// The digits beside it.
        add_on: String,
    },
    /// A label of a counter scale: an item of the shop's own with its weight or price.
    Weighed(Label),
    /// GS1 data: a number with dates, weight, lot; a coupon, a member, a place; all rules of GS1 hold.
    Gs1(Gs1),
    /// A card scheme's payment code, a shop's or a customer's.
    Emv(Emv),
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
    /// While goods are scanned it is a label and never a pay code; while a pay code is awaited it is never a label,
    /// and the cashier is asked.
    PayCodeOrLabel {
        /// Read as a pay code.
        pay_code: PayCode,
        /// Read as a label.
        label: Label,
    },
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
    /// GS1 data that breaks a rule.
    #[error("{0}: scan it again, or the item's EAN code")]
    Gs1(#[from] Gs1Error),
    /// A payment code that was not read right.
    #[error(transparent)]
    Emv(#[from] EmvError),
    /// An AIM identifier that names no symbol, with data that is nothing known.
    #[error(
        "the scanner does not say what kind of symbol it read, and this is nothing known: check its AIM setting"
    )]
    UnclearSymbol,
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
/// and a Code 128 with thirteen digits need not be an EAN. `labels` are the forms that the shop's scales print, in
/// the order in which they are tried.
pub fn classify(data: &[u8], aim: Option<&[u8]>, labels: &[LabelProfile]) -> Scanned {
    let carrier = Carrier::of(aim);
    let data = &eci::without(data, aim.map(aim::bare));
    let text = match readable(data) {
        Ok(text) => text,
        Err(garbage) => return Scanned::Garbage(garbage),
    };
    if carrier == Carrier::Gs1 {
        // A space is none of GS1's characters: at an end it is a misread one.
        let whole = str::from_utf8(data).unwrap_or(text);
        return gs1_or_misread(whole, elements(whole));
    }
    if let Some((primary, beside)) = composite(text, carrier) {
        return composite_of(text, primary, beside);
    }
    if text.as_bytes().contains(&GS) {
        if carrier == Carrier::Unsaid {
            return gs1_or_misread(text, elements(text));
        }
        return Scanned::Garbage(Garbage::ControlBytes);
    }
    if let Some(own) = own::read(text) {
        return own;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text, carrier, labels);
    }
    words(text, carrier)
}

/// What is not digits only.
fn words(text: &str, carrier: Carrier) -> Scanned {
    match Gs1::of_link(text) {
        Ok(read) => return Scanned::Gs1(read),
        Err(NotALink::Broken(why)) => return misread(text, why.into()),
        Err(NotALink::Other) => {}
    }
    if is_in_brackets(text) {
        return gs1_or_misread(text, Gs1::of_brackets(text));
    }
    if let Some(read) = emv::read(text) {
        return read.map_or_else(|why| misread(text, why.into()), Scanned::Emv);
    }
    if let Some(pay_code) = PayCode::read(text) {
        return Scanned::PayCode(pay_code);
    }
    let plain = || Scanned::Text(text.to_owned());
    match carrier {
        Carrier::Unsaid => unseparated(text).map_or_else(plain, Scanned::Gs1),
        Carrier::Unclear => misread(text, Misreading::UnclearSymbol),
        Carrier::Ean | Carrier::EanWithAddOn | Carrier::Ean8 => misread(text, GtinError::Form.into()),
        Carrier::Itf | Carrier::Qr | Carrier::Gs1 | Carrier::Other => plain(),
    }
}

fn misread(text: &str, why: Misreading) -> Scanned {
    Scanned::Misread { text: text.to_owned(), why }
}

fn gs1_or_misread(text: &str, read: Result<Gs1, Gs1Error>) -> Scanned {
    read.map_or_else(|why| misread(text, why.into()), Scanned::Gs1)
}

/// An element string that begins with an item's number and needs no separator, from a scanner that neither says
/// what it read nor sends one. All of it must be right; nothing else is taken for one.
fn unseparated(text: &str) -> Option<Gs1> {
    let whole = text.strip_prefix("01").and_then(|rest| rest.get(..14)).is_some_and(gtin::is_checked_number);
    if whole { Gs1::of_elements(text).ok() } else { None }
}

/// Whether text begins like identifiers in brackets: `(01)`.
fn is_in_brackets(text: &str) -> bool {
    let digits = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(digits, _)| digits);
    digits.is_some_and(|digits| (2..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// An EAN or UPC symbol and the GS1 data printed above it, which scanners send as one message.
fn composite(text: &str, carrier: Carrier) -> Option<(&str, &str)> {
    let is_ean = matches!(carrier, Carrier::Ean | Carrier::EanWithAddOn | Carrier::Ean8);
    text.split_once("|]e0").filter(|_| is_ean)
}

fn composite_of(text: &str, primary: &str, beside: &str) -> Scanned {
    match primary.parse::<Gtin>() {
        Ok(gtin) => gs1_or_misread(text, Gs1::of_composite(&gtin.to_14_digits(), beside)),
        Err(why) => misread(text, why.into()),
    }
}

/// The separator between GS1 element strings (FNC1 as scanners send it).
const GS: u8 = 0x1D;

/// Reads an element string, with one GS before it or without.
///
/// FNC1 in first position only says that the symbol is one of GS1's: a reader puts it into the AIM identifier and
/// does not send it (GS1 General Specifications, 7.8.1). Some decoders send it all the same, as the GS that it is
/// further back.
fn elements(text: &str) -> Result<Gs1, Gs1Error> {
    match text.strip_prefix(char::from(GS)) {
        Some(behind) => Gs1::of_elements(behind).map_err(|broken| Gs1Error { at: broken.at + 1, ..broken }),
        None => Gs1::of_elements(text),
    }
}

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

fn number(digits: &str, carrier: Carrier, labels: &[LabelProfile]) -> Scanned {
    match (carrier, digits.len()) {
        // UPC-E begins with 0 or 1; some scanners name EAN-8 alike.
        (Carrier::Ean, 8) if digits.starts_with(['0', '1']) => {
            item_or_misread(digits, Gtin::of_upc_e(digits))
        }
        (Carrier::Ean, 8) => item_or_misread(digits, digits.parse()),
        (Carrier::EanWithAddOn, 10 | 13 | 14 | 15 | 17 | 18) => with_add_on(digits),
        (Carrier::Ean, 12 | 13) => item_or_label(digits, labels),
        (Carrier::Ean8, 8) | (Carrier::Itf, 14) => item_or_misread(digits, digits.parse()),
        (Carrier::Ean | Carrier::EanWithAddOn | Carrier::Ean8, _) => misread(digits, GtinError::Form.into()),
        (Carrier::Unsaid, 8) => eight_digits(digits),
        (Carrier::Unsaid, 12..=14) => item_or_label(digits, labels),
        (Carrier::Unsaid, 15 | 18) if is_periodical(digits) => with_add_on(digits),
        // These carry their own checksum, so a wrong check digit means a number of the shop's own.
        (Carrier::Itf | Carrier::Qr | Carrier::Other | Carrier::Unclear | Carrier::Gs1, 8 | 12..=14) => {
            match (digits.parse(), label::read(digits, labels)) {
                (Ok(_), Some(label)) if carrier != Carrier::Qr => Scanned::Weighed(label),
                (Ok(gtin), _) => Scanned::Item(gtin),
                (Err(why), _) if carrier == Carrier::Unclear => misread(digits, why.into()),
                (Err(_), _) => Scanned::Text(digits.to_owned()),
            }
        }
        (Carrier::Itf, _) => match label::read(digits, labels) {
            Some(label) => Scanned::Weighed(label),
            None => Scanned::Text(digits.to_owned()),
        },
        (Carrier::Unsaid | Carrier::Qr | Carrier::Other | Carrier::Unclear | Carrier::Gs1, _) => {
            long_number(digits, carrier, labels)
        }
    }
}

/// Digits that are no item's number: a label, a pay code, perhaps both, or nothing known.
fn long_number(digits: &str, carrier: Carrier, labels: &[LabelProfile]) -> Scanned {
    let label = label::read(digits, labels).filter(|_| carrier != Carrier::Qr);
    match (PayCode::read(digits), label) {
        (Some(pay_code), Some(label)) => Scanned::Ambiguous(Ambiguous::PayCodeOrLabel { pay_code, label }),
        (Some(pay_code), None) => Scanned::PayCode(pay_code),
        (None, Some(label)) => Scanned::Weighed(label),
        (None, None) => words(digits, carrier),
    }
}

/// Twelve to fourteen digits of a symbol that an item's number is printed as.
fn item_or_label(digits: &str, labels: &[LabelProfile]) -> Scanned {
    // A UPC-A is the same number with a zero before it.
    let label = if digits.len() == 12 {
        label::read(&format!("0{digits}"), labels)
    } else {
        label::read(digits, labels)
    };
    match (digits.parse(), label) {
        (Ok(_), Some(label)) => Scanned::Weighed(label),
        (read, _) => item_or_misread(digits, read),
    }
}

/// The number of a periodical with the two or five digits of its add-on behind it.
fn with_add_on(digits: &str) -> Scanned {
    let length = match digits.len() {
        10 => 8,
        14 | 17 => 12,
        13 => return item_or_misread(digits, digits.parse()),
        _ => 13,
    };
    let (number, add_on) = digits.split_at(length);
    let read = if length == 8 { Gtin::of_upc_e(number) } else { number.parse() };
    match read {
        Ok(gtin) => Scanned::ItemWithAddOn { gtin, add_on: add_on.to_owned() },
        Err(why) => misread(digits, why.into()),
    }
}

/// Whether these digits begin with the number of a newspaper, a book or a note (GS1 General Specifications, 1.4.2:
/// 977 to 979), which alone have add-ons. No wallet's code begins so.
fn is_periodical(digits: &str) -> bool {
    let prefix = ["977", "978", "979"].into_iter().any(|prefix| digits.starts_with(prefix));
    prefix && digits.get(..13).is_some_and(gtin::has_check_digit)
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
