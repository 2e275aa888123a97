//! Paper: a receipt's facts laid out as a printable document, in Chinese, English or both, in usual or large type.
//!
//! Pure. Nothing of a printer is known but how many columns its paper has; bytes are made in `hardware`.
//! Not here: which facts stand on a receipt (`receipt`), and pictures of paper.

mod code;
mod labels;
mod layout;
mod qr;
mod sheet;
mod slip;
pub mod stickers;
mod text;
mod words;
mod wrap;

pub use code::code_slip;
pub use layout::layout;
pub use qr::svg;
pub use slip::{Slip, SlipError};
pub use text::text;

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

/// How large paper is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TypeSize {
    /// The usual.
    #[default]
    Normal,
    /// For tired eyes: goods and amounts in double size, each on lines of their own; nothing is left out.
    Large,
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
}

#[cfg(test)]
mod tests;
