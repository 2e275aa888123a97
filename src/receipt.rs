//! A receipt's facts, taken from the records of its sale; not how they are laid out (`paper`).

mod code;
mod found;
mod of;
mod stamp;
mod turned;

pub use code::CodeSlip;

use crate::bundle::Shop;
use crate::money::Money;
use crate::record::Mode;
use crate::record::body::{Paper, SaleKind};
use crate::record::header::Epoch;
use crate::record::ids::{StationId, TerminalId};
use crate::record::line::{Quantity, Unit};
use crate::tax::TaxAmount;
use crate::token::ReceiptNumber;
pub use found::{NotOurs, Shown, looks_like_a_code};
pub use of::Issuer;
use serde::{Deserialize, Serialize};
pub use stamp::Stamp;

/// A receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Who sold.
    pub shop: Shop,
    /// At which till.
    pub terminal: TerminalId,
    /// At which of its stations; none on receipts that were kept without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<StationId>,
    /// Goods out, or goods back.
    #[serde(default = "goods_out")]
    pub kind: SaleKind,
    /// Series: receipt numbers are gapless within terminal and epoch.
    pub epoch: Epoch,
    /// Number in the series.
    pub number: u64,
    /// Local date and time, `2026-11-22 12:51`.
    pub at: String,
    /// Who served.
    pub cashier: String,
    /// What was sold.
    pub lines: Vec<ReceiptLine>,
    /// Sum of lines.
    pub subtotal: Money,
    /// What came off: name, Chinese name, amount.
    pub discounts: Vec<(String, Option<String>, Money)>,
    /// What was to pay.
    pub total: Money,
    /// Tax in it, by rate.
    pub taxes: Vec<TaxAmount>,
    /// How it was paid.
    pub tenders: Vec<ReceiptTender>,
    /// Cash handed back.
    pub change: Option<Money>,
    /// What went back later to whoever paid, by means.
    #[serde(default)]
    pub given_back: Vec<ReceiptTender>,
    /// The member's masked reference.
    pub member: Option<String>,
    /// First print or a marked copy.
    pub paper: Paper,
    /// Practice is marked.
    pub mode: Mode,
    /// What the code at the foot says.
    pub code: Option<String>,
    /// The receipt that a return is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalReceipt>,
}

/// The receipt of the sale that money goes back of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OriginalReceipt {
    /// Its number as people write it, `9f3c-004217`; none where money came for a sale that has no receipt.
    pub number: Option<String>,
    /// Local date and time, where its sale can be read.
    pub at: Option<String>,
    /// How it was paid.
    pub tenders: Vec<ReceiptTender>,
}

/// What a receipt is that does not say it.
fn goods_out() -> SaleKind {
    SaleKind::Sale
}

impl Receipt {
    /// The number as people write it, `9f3c-004217`: the first digits of the epoch name the series, so
    /// that the same number of another series at this till is told apart by eye.
    pub fn numbered(&self) -> String {
        numbered(self.epoch, self.number)
    }

    /// What a bar code on it says: none for practice, whose numbers are not the books'.
    pub fn bar_code(&self) -> Option<String> {
        let number = ReceiptNumber::of(self.epoch.0, self.number).filter(|_| self.mode == Mode::Live)?;
        Some(number.code())
    }
}

/// A receipt's number as people write it: `9f3c-004217`.
pub fn numbered(epoch: Epoch, number: u64) -> String {
    match ReceiptNumber::of(epoch.0, number) {
        Some(number) => number.to_string(),
        // No till lives to issue so many.
        None => format!("{}-{number:06}", &epoch.to_string()[..4]),
    }
}

/// A line on paper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceiptLine {
    /// Name as sold.
    pub name: String,
    /// The same in Chinese.
    pub name_zh: Option<String>,
    /// Quantity as people write it.
    pub quantity: String,
    /// What the quantity counts.
    #[serde(default = "pieces")]
    pub unit: Unit,
    /// What is in a pack that is charged by the piece or by the price on its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Quantity>,
    /// Price of one.
    pub price: Money,
    /// Quantity times price.
    pub amount: Money,
    /// Choices, by name and Chinese name.
    pub modifiers: Vec<(String, Option<String>)>,
    /// The tax code beside it.
    pub tax_code: String,
}

/// What a quantity counts that does not say it.
fn pieces() -> Unit {
    Unit::Piece
}

/// One tender on paper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceiptTender {
    /// `cash`, `alipay`.
    pub means: String,
    /// How much.
    pub amount: Money,
    /// The provider's number for it.
    pub trade: Option<String>,
    /// What the wallet took off for the customer.
    pub wallet_discount: Option<Money>,
    /// What is left of the stored value, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
}

/// What a receipt needs besides its sale.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiptAbout {
    /// At which till.
    pub terminal: TerminalId,
    /// Who served.
    pub cashier: String,
    /// First print or copy.
    pub paper: Paper,
    /// What the code at the foot says.
    pub code: Option<String>,
    /// The receipt that it is a return of.
    pub original: Option<OriginalReceipt>,
}
