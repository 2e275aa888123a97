//! A receipt that somebody shows: which sale it is of, or a sentence why it opens none.
//!
//! The square code is believed by its signature and by what the books say under its number. The bar code is as good
//! as the number typed by hand: it only looks the receipt up. Not here: reading the journal (`till`, `pages`), and
//! what is left to give back (`sale::back`).

use super::stamp::named;
use crate::record::body::SaleKind;
use crate::record::ids::TerminalId;
use crate::record::{Epoch, Mode};
use crate::sale::Sale;
use crate::token::{self, ReceiptNumber, TerminalTag, Token, Unverified};

/// A receipt by what stands on it. Nothing of it is to be believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Its square code.
    Code(Unverified<token::Receipt>),
    /// The number in its bar code.
    Number(ReceiptNumber),
}

/// Why a receipt opens no sale here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotOurs {
    /// The code names another terminal.
    #[error("This receipt is of another till. Only the till that sold gives back: take it there.")]
    OtherTill,
    /// The signature is not this device's.
    #[error(
        "The code on this receipt was not made by this till. Give nothing back on it, and tell the manager."
    )]
    Forged,
    /// No such receipt in this till's books.
    #[error(
        "This till's books have no such receipt. Look at its number: it may be of another till, or of a time before this till's disk was replaced."
    )]
    Unknown,
    /// A number that stands on two receipts.
    #[error("Two receipts of this till have this number. Scan the square code on the receipt instead.")]
    Two,
    /// The signed facts are not those of the books.
    #[error(
        "This receipt does not say what the till's books say under its number. Give nothing back on it, and tell the manager."
    )]
    Differs,
    /// Practice.
    #[error("This receipt was printed for practice: nothing was paid, and nothing goes back.")]
    Practice,
    /// A code that is damaged or incomplete.
    #[error("The code on this receipt was not read whole. Scan it again, or type the receipt's number.")]
    Misread,
    /// The receipt of a return.
    #[error("This is the receipt of money given back. Scan the receipt of the sale itself.")]
    OfAReturn,
}

/// Beginnings of the codes on receipts.
const PREFIXES: [&str; 2] = ["R1.", "N1."];

/// Whether a text begins like the code on a receipt, in either case, bare or in an address.
pub fn looks_like_a_code(text: &str) -> bool {
    // An address of ours has its code behind the last slash.
    let code = text.rsplit('/').next().unwrap_or(text);
    let begins =
        |prefix: &&str| code.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    PREFIXES.iter().any(begins)
}

impl Shown {
    /// The receipt that a code of ours names, if it names one.
    pub fn of(token: &Token) -> Option<Self> {
        match token {
            Token::Receipt(code) => Some(Self::Code(code.clone())),
            Token::Number(number) => Some(Self::Number(*number)),
            Token::Coupon(_) | Token::Voucher(_) | Token::Proof(_) | Token::Order(_) | Token::Member(_) => {
                None
            }
        }
    }

    /// What to look up, if this till's receipts can have it: the number, and whether an epoch can be its own. Whoever
    /// looks up is told nothing by a code that was not signed here.
    pub fn wanted(&self, device: &[u8; 32]) -> Option<(u32, impl Fn(Epoch) -> bool + use<>)> {
        let (exact, number) = match self {
            Self::Code(code) => {
                let receipt = code.verify_with(device).ok()?;
                (Some(Epoch(receipt.epoch)), ReceiptNumber::of(receipt.epoch, receipt.number.into())?)
            }
            Self::Number(number) => (None, *number),
        };
        Some((number.number, move |epoch: Epoch| {
            exact.map_or_else(|| number.is_of(epoch.0), |exact| exact == epoch)
        }))
    }

    /// The one sale among those that were found under what was [`wanted`](Self::wanted).
    ///
    /// # Errors
    /// [`NotOurs`], each with its sentence.
    pub fn sale<'a>(
        &self,
        terminal: &TerminalId,
        device: &[u8; 32],
        found: &'a [Sale],
    ) -> Result<&'a Sale, NotOurs> {
        let signed = match self {
            Self::Number(_) => None,
            Self::Code(code) if code.stream().terminal != TerminalTag::of(terminal.as_str()) => {
                return Err(NotOurs::OtherTill);
            }
            Self::Code(code) => Some(code.verify_with(device).map_err(|_| NotOurs::Forged)?.into_inner()),
        };
        let sale = match found {
            [] => return Err(NotOurs::Unknown),
            [sale] => sale,
            [_, _, ..] => return Err(NotOurs::Two),
        };
        if sale.mode == Mode::Training {
            return Err(NotOurs::Practice);
        }
        if signed.is_some() && signed != named(sale, terminal) {
            return Err(NotOurs::Differs);
        }
        match sale.kind {
            SaleKind::Sale => Ok(sale),
            SaleKind::Refund | SaleKind::RefundWithoutOriginal => Err(NotOurs::OfAReturn),
            SaleKind::NoSale | SaleKind::PaidIn | SaleKind::PaidOut => Err(NotOurs::Unknown),
        }
    }
}
