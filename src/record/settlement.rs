//! Where a settled payment came from, part by part, each with whoever bears it.
//!
//! The shop's books want to know it for as long as they are kept; a wallet tells it once. Not here: the sums
//! ([`super::money_moves::Settled`]), and any one wallet's words for them (`wallet`).

use crate::money::Money;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A voucher that the customer used at the wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Voucher {
    /// The wallet's number of it.
    pub id: String,
    /// What the customer reads.
    pub name: String,
    /// How much it took off.
    pub amount: Money,
    /// Who bears how much of it.
    pub funded: BTreeMap<Funder, Money>,
}

/// A part of the total and where it came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fund {
    /// The wallet's name of the source.
    pub channel: String,
    /// How much.
    pub amount: Money,
    /// At whose cost.
    pub funder: Funder,
    /// The card's bank, where a card paid.
    pub bank_code: Option<String>,
}

/// At whose cost a part of the total is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funder {
    /// The customer, or whoever pays for the customer.
    Buyer,
    /// The merchant.
    Merchant,
    /// The wallet.
    Platform,
    /// Somebody else, such as a bank or a brand; the wallet does not say who.
    Other,
}
