//! The counter.
pub mod duty;
pub mod event;
pub mod refusal;
