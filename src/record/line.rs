//! A line of a sale: what, how much of it, at which price and why at that price.

use crate::money::{Money, MoneyError};
use crate::tax::TaxRate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A line's stable number within its sale, from 1. A void refers to it and never deletes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineId(pub u32);

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What sort of thing a line charges for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Goods and services.
    Goods,
    /// A deposit on a bottle or a crate.
    Deposit,
    /// A deposit given back.
    DepositReturn,
    /// For the staff.
    Tip,
    /// A service or packaging fee.
    Fee,
    /// Value loaded onto a card.
    StoredValue,
    /// Bringing it home.
    Delivery,
}

/// What a quantity counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Pieces.
    Piece,
    /// Kilograms.
    Kilogram,
    /// Litres.
    Litre,
    /// Metres.
    Metre,
}

impl Unit {
    /// Its sign behind a number; pieces have none.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Piece => "",
            Self::Kilogram => "kg",
            Self::Litre => "L",
            Self::Metre => "m",
        }
    }
}

/// A quantity as a whole number of steps: 1.250 kg is 1250 with 3 decimals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quantity {
    /// Steps.
    pub value: i64,
    /// Decimal places of a step, 0 to 3.
    pub decimals: u8,
    /// What is counted.
    pub unit: Unit,
}

/// The largest quantity of a line in whole units: beyond it, it is a slip of the finger or of the
/// scanner (a bar code read into the quantity field).
pub const QUANTITY_MAX: i64 = 999;

impl Quantity {
    /// So many pieces.
    pub fn pieces(value: i64) -> Self {
        Self { value, decimals: 0, unit: Unit::Piece }
    }

    /// Steps in one whole unit.
    pub fn steps_per_unit(self) -> i64 {
        10_i64.pow(u32::from(self.decimals.min(3)))
    }

    /// Whether a line may carry it: more than nothing and at most [`QUANTITY_MAX`] units.
    pub fn is_sensible(self) -> bool {
        self.value > 0 && self.decimals <= 3 && self.value <= QUANTITY_MAX * self.steps_per_unit()
    }

    /// With its unit, as people write it: `1.250 kg`, `2`.
    pub fn with_unit(self) -> String {
        match self.unit.sign() {
            "" => self.to_string(),
            sign => format!("{self} {sign}"),
        }
    }

    /// Price of this quantity at `price` for one unit, rounded once.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn at(self, price: Money) -> Result<Money, MoneyError> {
        price.times(self.value, self.steps_per_unit())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps_per_unit();
        if steps == 1 {
            return write!(f, "{}", self.value);
        }
        let places = usize::from(self.decimals.min(3));
        write!(f, "{}.{:0places$}", self.value / steps, (self.value % steps).abs())
    }
}

/// Where a price came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceFrom {
    /// The catalogue of the bundle.
    Catalogue,
    /// Typed by the cashier for an item without a price.
    Open,
    /// Changed by the cashier, with a reason.
    Override,
    /// Read from a label.
    Label,
}

/// A choice on an item: oat milk, extra shot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modifier {
    /// Its slug within the item.
    pub id: String,
    /// Its name in English.
    pub name: String,
    /// Its name in Chinese, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<String>,
    /// What it adds to the price of one.
    pub price: Money,
}

/// A line of a sale.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its number.
    pub id: LineId,
    /// What sort of thing.
    pub kind: LineKind,
    /// The item's number in the catalogue; none for what was never there.
    pub sku: Option<String>,
    /// The GTIN that was scanned, 14 digits.
    pub gtin: Option<String>,
    /// Name as sold, in English or whatever the shop writes.
    pub name: String,
    /// Name in Chinese, if there is one.
    pub name_zh: Option<String>,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of one in the catalogue when it was added, modifiers included.
    pub listed: Option<Money>,
    /// Price of one as charged.
    pub price: Money,
    /// Where the charged price came from.
    pub price_from: PriceFrom,
    /// Why it was changed, where it was.
    pub override_reason: Option<String>,
    /// Choices made.
    pub modifiers: Vec<Modifier>,
    /// How it is taxed.
    pub tax: TaxRate,
    /// The line that this one belongs to: the bottle of a deposit.
    pub linked: Option<LineId>,
    /// The buyer's least age in years, where there is one.
    pub least_age: Option<u8>,
    /// Lot or batch from the label.
    pub lot: Option<String>,
    /// Expiry from the label, as printed: YYYY-MM-DD.
    pub expiry: Option<String>,
    /// Serial number from the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What is in the pack, where it is charged by the price on its label and not by this: kilograms, mostly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Quantity>,
}

impl Line {
    /// Quantity times price, before offers.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.quantity.at(self.price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn weighed_goods_are_priced_by_the_step_and_rounded_once() {
        let quantity = Quantity { value: 1255, decimals: 3, unit: Unit::Kilogram };
        let price = Money::new(999, Currency::CNY);
        assert_eq!(quantity.at(price).unwrap().minor, 1254);
        assert_eq!(quantity.to_string(), "1.255");
    }

    #[test]
    fn a_bar_code_typed_as_a_quantity_is_not_sensible() {
        assert!(!Quantity::pieces(6_901_234_567_892).is_sensible());
        assert!(!Quantity::pieces(0).is_sensible());
        assert!(!Quantity::pieces(-1).is_sensible());
        assert!(Quantity::pieces(QUANTITY_MAX).is_sensible());
    }
}
