//! A whole shop through its public doors: a scan, a press, a phone, a signal. The daemon is a process of its
//! own, scanner and printer are pseudo-terminals, cloud and wallet answer on loopback ports.
//!
//! Each test opens a shop of its own in a folder that goes away with it, and looks until there is what it
//! waits for. Not here: what one part does by itself; that is tested beside the part.

#![allow(clippy::unwrap_used)] // a test that cannot go on says so

mod books;
mod browser;
mod commands;
mod counter;
mod day;
mod desk;
mod desk_and_counter;
mod desk_wallets;
mod desks;
mod devices;
mod disks;
mod doubt;
mod power;
mod privacy;
mod queue;
mod quick_fingers;
mod receipts;
mod scans;
mod second;
mod shell;
mod shown;
mod stored_value;
mod unheard;
mod unwritable;
mod vouchers;

/// The program under test.
const TILL: &str = env!("CARGO_BIN_EXE_till");
