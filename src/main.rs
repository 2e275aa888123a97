//! Starts Till.
fn main() {}
