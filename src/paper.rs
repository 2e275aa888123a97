//! Paper: a receipt's facts laid out as a printable document, in Chinese, English or both, in usual or large type; and
//! the same document as text and as a picture, so that what a screen shows is what is printed.
//!
//! Pure. Bytes for printers and the dots of pictures are made in `hardware`.
//! Not here: which facts stand on a receipt (`receipt`).

mod checklist;
mod code;
mod labels;
mod layout;
mod logo;
mod qr;
mod sheet;
mod slip;
pub mod stickers;
mod stock;
mod text;
mod voucher;
mod words;
mod wrap;

pub use crate::record::body::TypeSize;
pub use layout::layout;
pub use logo::{LOGO_BYTES_MAX, Logo, LogoError};
pub use qr::svg;
pub use slip::{Slip, SlipError};
pub use stock::{Stock, png};
pub use text::text;
pub use voucher::{VoucherSlip, voucher_png};

/// The language of paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lang {
    /// Simplified Chinese; names without a Chinese form stay as the shop writes them.
    ZhHans,
    /// English, or whatever else the shop writes its names in.
    En,
    /// Both, Chinese first.
    #[default]
    Both,
}

/// What paper a document is laid out for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// In which language.
    pub lang: Lang,
    /// How large.
    pub size: TypeSize,
    /// Single-width characters in a line; fewer than 24 are taken as 24.
    pub columns: u8,
    /// Which codes stand at the foot of a receipt.
    pub codes: Codes,
}

/// Which codes stand at the foot of a receipt, for its return.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Codes {
    /// None: it is found by its number alone.
    None,
    /// The square code, which is signed.
    #[default]
    Qr,
    /// A bar code of its number, for scanners that read no square ones. It takes less paper and is not signed.
    Bar,
    /// Both.
    Both,
}

#[cfg(test)]
mod tests;
