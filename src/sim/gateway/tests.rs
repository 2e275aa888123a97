//! The gateway through its public doors: HTTP on loopback, the ledger file, the fault switch.

mod client;
mod faults;
mod phone;
mod trades;
mod wire;
