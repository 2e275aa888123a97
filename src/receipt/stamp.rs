//! The code on a receipt: what is signed of a sale, and the hand that signs it.
//!
//! Signing is Ed25519, which knows no chance (RFC 8032): a receipt that is printed again has the same code. It is
//! asked for only once the number is durable. Not here: the private key, which never leaves `keys`.

use crate::record::Mode;
use crate::record::ids::TerminalId;
use crate::sale::Sale;
use crate::token::{self, Kind, TerminalTag, assemble, drawn_payload, signing_input};
use std::fmt;
use std::sync::Arc;

type Sign = dyn Fn(&[u8]) -> [u8; 64] + Send + Sync;

/// What makes the codes of one till's receipts, and the public key that they are known again by.
#[derive(Clone)]
pub struct Stamp {
    public: [u8; 32],
    sign: Arc<Sign>,
}

impl Stamp {
    /// The stamp of a device: its public key, and what signs with the private one.
    pub fn new(public: [u8; 32], sign: impl Fn(&[u8]) -> [u8; 64] + Send + Sync + 'static) -> Self {
        Self { public, sign: Arc::new(sign) }
    }

    /// The device's public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The `R1.` code of a sale that has its receipt. None for practice, whose numbers are not the books', and for
    /// what the code has no room for.
    pub fn code(&self, sale: &Sale, terminal: &TerminalId) -> Option<String> {
        let payload = drawn_payload(&named(sale, terminal)?).ok()?;
        let signature = (self.sign)(&signing_input(Kind::Receipt, &payload));
        Some(assemble(Kind::Receipt, &payload, &signature))
    }
}

/// What the code of a sale's receipt says.
pub(super) fn named(sale: &Sale, terminal: &TerminalId) -> Option<token::Receipt> {
    let issued = sale.receipt.as_ref().filter(|_| sale.mode == Mode::Live)?;
    Some(token::Receipt {
        terminal: TerminalTag::of(terminal.as_str()),
        epoch: issued.epoch.0,
        number: u32::try_from(issued.number).ok()?,
        // A return is fixed at what it gives back.
        total: sale.fixed.as_ref()?.total,
        issued_at: i64::try_from(issued.at.unix_s()).ok()?,
    })
}

/// Shows whose it is: a hand that signs has nothing to show.
impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stamp({})", token::fingerprint(&self.public))
    }
}
