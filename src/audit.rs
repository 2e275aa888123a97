//! The reader that is not the writer: compares what a till, a wallet gateway and the cloud each wrote down.
//!
//! The journal is verified record by record, then joined with the gateway's ledger by intent, which is the
//! wallet's order number, and with the cloud's database by record, receipt, coupon and visit. Money is summed
//! a second way as well, because two errors can cancel in a sum and a join can overlook what it does not ask.
//!
//! **Invariant:** no database is changed, though SQLite may leave its -shm beside one. Nothing of the
//! journal's, the cloud's or the simulator's code is used: what is known of their files is the SQL below and
//! the record format of docs/PROTOCOL.md.
//!
//! Deliberately not here: repairing anything, and reading what is on paper.

mod books;
mod chain;
mod cloud;
mod code;
mod error;
mod file;
mod gateway;
mod mirror;
mod paper;
mod report;
mod sealed;
mod sums;
mod text;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use report::{Counts, Finding, Report, Sum};

use books::Books;
use report::Findings;
use std::path::{Path, PathBuf};

/// Which files are compared. What is not given is left out of the comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// The till's `journal.db`.
    pub journal: PathBuf,
    /// The wallet gateway's `gateway.db`.
    pub gateway: Option<PathBuf>,
    /// The cloud's `cloud.db`.
    pub cloud: Option<PathBuf>,
    /// The bytes that the printer received.
    pub printed: Option<PathBuf>,
    /// The key that opens the journal's bodies; by default `keys/seal` beside the journal.
    pub seal: Option<PathBuf>,
}

impl Paths {
    /// The files as `till demo --keep DIR` leaves them. The printed bytes are taken if they are there.
    pub fn kept_in(dir: &Path) -> Self {
        let printed = dir.join("devices").join("printed.bin");
        Self {
            journal: dir.join("till").join("journal.db"),
            gateway: Some(dir.join("gateway").join("gateway.db")),
            cloud: Some(dir.join("cloud").join("cloud.db")),
            printed: printed.is_file().then_some(printed),
            seal: None,
        }
    }
}

/// Compares the files. Stop the programs that write them first: each file is read at one moment, but not all
/// of them at the same one.
///
/// # Errors
/// [`Error`] when a file is missing, is not what it should be, or is newer than this build.
pub fn run(paths: &Paths) -> Result<Report, Error> {
    let journal = file::journal(&paths.journal)?;
    let gateway = paths.gateway.as_deref().map(file::gateway).transpose()?;
    let cloud = paths.cloud.as_deref().map(file::cloud).transpose()?;
    let mut findings = Findings::default();
    let mut counts = Counts::default();
    let mut books = Books::default();

    let keys = if journal.seals()? {
        Some(sealed::Keys::read(&paths.journal, paths.seal.as_deref())?)
    } else {
        None
    };
    let sources = chain::Sources { journal: &journal, keys: keys.as_ref(), cloud: cloud.as_ref() };
    let streams = chain::read(&sources, &mut books, &mut findings, &mut counts)?;
    books.close(&mut findings);
    books.count(&mut counts);
    if let Some(gateway) = &gateway {
        gateway::join(gateway, &books, &mut findings, &mut counts)?;
    }
    if let Some(cloud) = &cloud {
        cloud::join(cloud, &streams, &books, &mut findings, &mut counts)?;
    }
    sums::compare(&journal, &streams, gateway.as_ref(), &books, &mut findings, &mut counts)?;
    counts.papers_cut = paths.printed.as_deref().map(paper::cuts).transpose()?;
    Ok(findings.report(streams.terminal, counts))
}
