//! Why an audit cannot be made at all, each with what to do next.
//!
//! Not here: what does not agree. Those are findings, and an audit with findings is an audit.

use std::path::PathBuf;

/// Why the files could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not there.
    #[error(
        "{what} is missing at {path}: give the directory of `till demo --keep`, or each file by its name"
    )]
    Missing {
        /// Which.
        path: PathBuf,
        /// What was to be there.
        what: &'static str,
    },
    /// A file is something else.
    #[error("{path} is not {what}: check that the files are not mixed up")]
    Foreign {
        /// Which.
        path: PathBuf,
        /// What was to be there.
        what: &'static str,
    },
    /// A file is of a later layout.
    #[error(
        "{path} has version {found}, this Till reads up to {known}: audit it with the Till that wrote it"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// A record is of a later format.
    #[error(
        "record {seq} of {path} has format {found}, this Till reads up to {}: audit it with the Till that wrote it",
        crate::record::FORMAT
    )]
    NewerRecord {
        /// Which file.
        path: PathBuf,
        /// Which record.
        seq: u64,
        /// Its format.
        found: u16,
    },
    /// SQLite cannot read a file.
    #[error(
        "{path} cannot be read: copy it together with its -wal file to a disk that can be written, and audit the copy"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The printed bytes cannot be read.
    #[error("{path} cannot be read: check that it is there and may be read")]
    Printed {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
