//! Till: the program on a shop's counter that lets people pay by scanning.
//!
//! docs/ARCHITECTURE.md has the map; `tests/tidy.rs` has the table of who may import whom.

// Core: no clock, no I/O, no async, no randomness.
pub mod bundle;
pub mod catalogue;
pub mod counter;
pub mod emv;
pub mod limits;
pub mod locales;
pub mod money;
pub mod offer;
pub mod queue;
pub mod receipt;
pub mod record;
pub mod sale;
pub mod scan;
pub mod shift;
pub mod staff;
pub mod tax;
pub mod token;
pub mod view;

// Shared by edges.
pub mod clock;
pub mod inbox;
pub mod keys;
pub mod paper;
pub mod wallet;

// The loop.
pub mod till;

// Edges: one outside thing each.
pub mod devices;
pub mod journal;
pub mod pages;
pub mod provider;
pub mod sync;

// The other side.
pub mod audit;
pub mod cloud;
pub mod sim;

// Everything together.
pub mod cli;
pub mod config;
pub mod daemon;
