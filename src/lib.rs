//! Till: the program on a shop's counter that lets people pay by scanning.
//!
//! docs/ARCHITECTURE.md has the map; `tests/tidy.rs` has the table of who may import whom.

// Core: no clock, no I/O, no async, no randomness.
pub mod money;
pub mod scan;
pub mod token;

// Shared by edges.
pub mod keys;
