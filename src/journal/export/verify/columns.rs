//! The columns beside a record, which lists and sums go by, held against the header that they were taken from.
//!
//! Not here: reading them (`journal::row`).

use crate::record::{Header, Mode};

/// A row's columns as they lie, nothing believed yet. One that a header has no place for is no column of it.
#[derive(Debug)]
pub struct Columns {
    /// In the order of writing, over all epochs.
    pub position: i64,
    /// The epoch as text.
    pub epoch: String,
    /// The number in it.
    pub seq: u64,
    /// The kind's name.
    pub kind: String,
    /// Which sale it belongs to.
    pub sale: Option<Vec<u8>>,
    /// By the till's wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// 1 for practice.
    pub training: i64,
    /// The receipt number that it issues.
    pub receipt: Option<i64>,
    /// The serial that it consumes.
    pub serial: Option<String>,
    /// The amount that it moves, in minor units.
    pub amount_minor: Option<i64>,
    /// And in which currency.
    pub currency: Option<String>,
}

impl Columns {
    /// Those that are not what the header says, by name.
    pub fn unlike(&self, header: &Header) -> Vec<&'static str> {
        let amount = header.amount.map(|amount| (amount.minor, amount.currency.code()));
        let receipt = header.receipt.and_then(|number| i64::try_from(number).ok());
        let mode = match header.mode {
            Mode::Live => 0,
            Mode::Training => 1,
        };
        let same = [
            ("epoch", self.epoch == header.epoch.to_string()),
            ("seq", self.seq == header.seq),
            ("kind", self.kind == header.kind),
            ("sale", self.sale.as_deref() == header.sale.as_ref().map(|sale| sale.0.as_slice())),
            ("wall_ms", self.wall_ms == header.moment.wall_ms),
            ("training", self.training == mode),
            ("receipt", self.receipt == receipt),
            ("serial", self.serial == header.serial),
            ("amount_minor", self.amount_minor == amount.map(|(minor, _)| minor)),
            ("currency", self.currency.as_deref() == amount.map(|(_, code)| code)),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}
