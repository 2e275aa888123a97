//! Payment codes of card schemes (EMVCo): what a shop's own code says, and what a customer's code says.
//!
//! Source: EMVCo QR Code Specification for Payment Systems, Merchant-Presented Mode and Consumer-Presented Mode.
//! They are read so that the till can say what was scanned. It takes no money by them: that needs an acquirer's
//! terminal. Not here: wallets' own pay codes (`scan`).
//!
//! A customer's code may hold a card number: it is not shown by `Debug`, and must never be written to a log.

mod consumer;
mod merchant;

pub use consumer::{ConsumerCode, Node, Value, hex};
pub use merchant::MerchantCode;

/// A payment code of card schemes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Emv {
    /// A shop's code, for a customer's phone to scan.
    Merchant(MerchantCode),
    /// A customer's code, for a shop's terminal to scan.
    Consumer(ConsumerCode),
}

/// What is wrong with a code that begins like one of these.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EmvError {
    /// The checksum does not fit the rest.
    #[error("the payment code was not read right (its checksum should be {expected}): scan it again")]
    Checksum {
        /// What it should be.
        expected: String,
    },
    /// No checksum at the end.
    #[error("the payment code has no checksum at its end: scan it again")]
    NoChecksum,
    /// A field that is cut off, or whose number or length is none.
    #[error("the payment code breaks off or is damaged at character {at}: scan it again")]
    Damaged {
        /// Where, from 1: of the text, or of the bytes that it stands for.
        at: usize,
    },
    /// Not base64.
    #[error("the payment code is not base64: scan it again")]
    NotBase64,
}

/// Reads a code of either kind; `None` when the text does not look like one.
pub fn read(text: &str) -> Option<Result<Emv, EmvError>> {
    if consumer::looks_like(text) {
        return Some(consumer::read(text).map(Emv::Consumer));
    }
    merchant::looks_like(text).then(|| merchant::read(text).map(Emv::Merchant))
}
