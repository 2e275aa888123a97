//! Proofs on a disk that is cut off, full, or failing: what was acknowledged is there, and nothing is corrupt.
//!
//! `TILL_POWER_POINTS=100000` makes the power cuts as many as one wishes; `TILL_POWER_SEED=7` begins elsewhere. A failing
//! point is told with its seed and place, and comes again with them. Each proof prints its figure at its end.
#![allow(clippy::disallowed_methods)] // a proof looks at files with its own connection, and measures how long it took

mod fault;
mod judge;
mod pen;
mod power;
mod story;
