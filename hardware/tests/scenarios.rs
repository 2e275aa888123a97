//! What goes wrong while a printer prints, on real pseudo-terminals: each job ends in exactly one of four ways, and
//! nothing is on paper twice. Text is in `obstacles` and `lines`, pictures in `pictures`.
#![cfg(feature = "sim")]

#[path = "scenarios/counter.rs"]
mod counter;
#[path = "scenarios/lines.rs"]
mod lines;
#[path = "scenarios/obstacles.rs"]
mod obstacles;
#[path = "scenarios/pictures.rs"]
mod pictures;
