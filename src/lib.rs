//! Till.

pub mod sim;
