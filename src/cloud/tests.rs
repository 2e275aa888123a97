//! The cloud through its public doors: HTTP on loopback, with tills that sign as real ones do.

mod acts;
mod desk;
mod forgotten;
mod ingest;
mod leases;
mod notify;
mod office;
mod pairing;
mod phone_wallets;
mod shop;
mod till;
mod verdicts;
mod wallets;
