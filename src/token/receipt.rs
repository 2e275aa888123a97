//! `R1.` receipts: the code on the paper, signed by the till that printed it, so that a refund finds the sale.
//!
//! Not here: the receipt's lines, which the cloud or the till that sold has.

use super::{Drawn, Kind, Layout, Reader, Stream, TerminalTag, TokenError, Writer};
use crate::money::Money;

/// One numbered receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Which terminal printed it.
    pub terminal: TerminalTag,
    /// In which epoch; receipts are numbered without gaps within (terminal, epoch).
    pub epoch: u64,
    /// Its number.
    pub number: u32,
    /// The total: not below nothing; a refund's receipt carries what was given back.
    pub total: Money,
    /// When it was issued, in unix seconds.
    pub issued_at: i64,
}

impl Layout for Receipt {
    const KIND: Kind = Kind::Receipt;

    fn write(&self, out: &mut Writer) -> Result<(), TokenError> {
        out.bytes(&self.terminal.0);
        out.bytes(&self.epoch.to_be_bytes());
        out.bytes(&self.number.to_be_bytes());
        out.money(self.total)?;
        out.seconds(self.issued_at)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, TokenError> {
        Ok(Self {
            terminal: TerminalTag(from.take()?),
            epoch: from.u64()?,
            number: from.u32()?,
            total: from.money()?,
            issued_at: from.seconds()?,
        })
    }
}

impl Drawn for Receipt {
    fn stream(&self) -> Stream {
        Stream { terminal: self.terminal, epoch: self.epoch }
    }
}
