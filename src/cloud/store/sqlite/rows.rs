//! Values in and out of columns.

use crate::cloud::store::StoreError;
use crate::money::{Currency, Money};
use rusqlite::Row;
use std::str::FromStr;

/// An unsigned number as SQLite keeps it.
pub(super) fn int(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Damaged(format!("the number {value}")))
}

/// And back.
pub(super) fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Damaged(format!("the number {value}")))
}

/// A column that holds an id, a slug, an epoch.
pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged(format!("{text:?}")))
}

/// The same for a column that may be empty.
pub(super) fn parsed_option<T: FromStr>(text: Option<String>) -> Result<Option<T>, StoreError> {
    text.map(|text| parsed(&text)).transpose()
}

/// An amount from two columns.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, StoreError> {
    let currency =
        Currency::by_code(currency).map_err(|_| StoreError::Damaged(format!("the currency {currency:?}")))?;
    Ok(Money::new(minor, currency))
}

/// Exactly so many bytes.
pub(super) fn bytes<const N: usize>(row: &Row<'_>, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("{column} of another length")))
}

/// All rows of a statement, each read by `read`.
pub(super) fn all<T>(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The first row of a statement, if there is one.
pub(super) fn first<T>(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(read).transpose()
}
