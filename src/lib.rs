<<<<<<< HEAD
//! Till: the program on a shop's counter that lets people pay by scanning.
//!
//! docs/ARCHITECTURE.md has the map; `tests/tidy.rs` has the table of who may import whom.

// Core: no clock, no I/O, no async, no randomness.
pub mod bundle;
pub mod catalogue;
pub mod counter;
pub mod inbox;
pub mod limits;
pub mod money;
pub mod offer;
pub mod receipt;
pub mod record;
pub mod sale;
pub mod staff;
pub mod tax;
pub mod view;
=======
//! Till.

pub mod sim;
>>>>>>> gateway
