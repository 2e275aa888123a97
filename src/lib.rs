//! Till.
