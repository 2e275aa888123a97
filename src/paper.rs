//! Paper: a receipt's facts laid out as a printable document, in Chinese, English or both.
//!
//! Pure. Nothing of a printer is known but how many columns its paper has; bytes are made in `hardware`.
//! Not here: which facts stand on a receipt (`receipt`), and pictures of paper.

mod layout;
mod text;
mod words;
mod wrap;

pub use layout::layout;
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

#[cfg(test)]
mod tests;
