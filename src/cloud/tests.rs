//! The cloud through its public doors: HTTP on loopback, with tills that sign as real ones do.

mod desk;
mod ingest;
mod notify;
mod office;
mod till;
mod verdicts;
mod wallets;
