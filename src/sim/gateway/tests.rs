//! The gateway through its public doors: HTTP on loopback, the ledger file, the fault switch, and without a port.

mod client;
mod customers;
mod faults;
pub(in crate::sim::gateway) mod merchant;
mod notices;
mod phone;
mod trades;
mod wechat;
mod wire;
