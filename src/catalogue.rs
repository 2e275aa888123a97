//! What the shop sells: items with bar codes, and the menu keys for what has none.
//!
//! Not here: where a catalogue comes from (`bundle`), and reading one from a file (`cloud`).

use crate::money::Money;
use crate::record::line::{Modifier, Unit};
use crate::tax::TaxRate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Items in one catalogue: what a supermarket carries, with room.
pub const ITEMS_MAX: usize = 200_000;

/// Menu keys on all pages: four pages of six by six, with room.
pub const KEYS_MAX: usize = 200;

/// Modifiers of one item.
pub const MODIFIERS_MAX: usize = 24;

/// Something the shop sells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The shop's number for it.
    pub sku: String,
    /// Its name in English or whatever the shop writes.
    pub name: String,
    /// Its name in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_zh: Option<String>,
    /// Its bar codes as 14-digit GTINs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gtins: Vec<String>,
    /// Price of one; none where the cashier types it.
    pub price: Option<Money>,
    /// What one is.
    pub unit: Unit,
    /// How it is taxed.
    pub tax: TaxRate,
    /// The buyer's least age in years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_age: Option<u8>,
    /// Choices on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<Modifier>,
}

/// A key on the cashier's screen that sells an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuKey {
    /// The page it is on: `Coffee`.
    pub page: String,
    /// Row from the top, from 1.
    pub row: u8,
    /// Column from the left, from 1.
    pub column: u8,
    /// The item it sells.
    pub sku: String,
}

/// Items by number and by bar code, and the menu.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Catalogue {
    items: BTreeMap<String, Item>,
    by_gtin: BTreeMap<String, String>,
    menu: Vec<MenuKey>,
}

/// Why a catalogue is refused, whole.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Two items share a number.
    #[error("two items have the number {0:?}: give each its own")]
    SkuTwice(String),
    /// Two items share a bar code.
    #[error("{gtin} is on two items, {first:?} and {second:?}: a bar code names one")]
    GtinTwice {
        /// The bar code.
        gtin: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A key without its item.
    #[error("the menu key at {page} {row},{column} sells {sku:?}, which is not in the catalogue")]
    KeyWithoutItem {
        /// Page of the key.
        page: String,
        /// Its row.
        row: u8,
        /// Its column.
        column: u8,
        /// The number it names.
        sku: String,
    },
    /// Too much of something.
    #[error("{what}: {found} are more than the {limit} that a till carries")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl Catalogue {
    /// Puts items and keys in order and checks them against each other.
    ///
    /// # Errors
    /// [`CatalogueError`] with the first thing that is wrong.
    pub fn new(items: Vec<Item>, mut menu: Vec<MenuKey>) -> Result<Self, CatalogueError> {
        let limit = |what, found, limit| {
            if found > limit { Err(CatalogueError::TooMany { what, found, limit }) } else { Ok(()) }
        };
        limit("items", items.len(), ITEMS_MAX)?;
        limit("menu keys", menu.len(), KEYS_MAX)?;
        let mut catalogue = Self::default();
        for item in items {
            limit("modifiers of one item", item.modifiers.len(), MODIFIERS_MAX)?;
            for gtin in &item.gtins {
                if let Some(first) = catalogue.by_gtin.insert(gtin.clone(), item.sku.clone()) {
                    let second = item.sku.clone();
                    return Err(CatalogueError::GtinTwice { gtin: gtin.clone(), first, second });
                }
            }
            let sku = item.sku.clone();
            if catalogue.items.insert(sku.clone(), item).is_some() {
                return Err(CatalogueError::SkuTwice(sku));
            }
        }
        if let Some(key) = menu.iter().find(|key| !catalogue.items.contains_key(&key.sku)) {
            let MenuKey { page, row, column, sku } = key.clone();
            return Err(CatalogueError::KeyWithoutItem { page, row, column, sku });
        }
        menu.sort_by(|a, b| (&a.page, a.row, a.column).cmp(&(&b.page, b.row, b.column)));
        catalogue.menu = menu;
        Ok(catalogue)
    }

    /// The item with this number.
    pub fn item(&self, sku: &str) -> Option<&Item> {
        self.items.get(sku)
    }

    /// The item with this bar code, a 14-digit GTIN.
    pub fn by_gtin(&self, gtin: &str) -> Option<&Item> {
        self.by_gtin.get(gtin).and_then(|sku| self.items.get(sku))
    }

    /// The menu, by page, row and column.
    pub fn menu(&self) -> &[MenuKey] {
        &self.menu
    }

    /// All items, by number.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }
}
