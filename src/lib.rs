//! Till: the program on a shop's counter that lets people pay by scanning.
//!
//! docs/ARCHITECTURE.md has the map; `tests/tidy.rs` has the table of who may import whom.

// Core: no clock, no I/O, no async, no randomness.
pub mod bundle;
pub mod catalogue;
pub mod limits;
pub mod money;
pub mod offer;
pub mod record;
pub mod staff;
pub mod tax;

// Edges: one outside thing each.
pub mod journal;
