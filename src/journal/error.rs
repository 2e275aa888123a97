//! What can go wrong with the files of a till, each with what to do next.
//!
//! Not here: refusals. The journal has no opinion about business.

use crate::keys::KeyError;
use crate::record::header::HeaderError;
use crate::record::ids::TerminalId;
use crate::record::{Broken, Epoch};
use rusqlite::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the state directory, the journal or the edge store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The lock of the state directory is taken.
    #[error("another Till{} is running on {dir}: stop it first, or give this one a state directory of its own",
        process.map(|id| format!(" (process {id})")).unwrap_or_default())]
    AnotherInstance {
        /// The state directory.
        dir: PathBuf,
        /// The other's process, if it left its number.
        process: Option<u32>,
    },
    /// A file or directory cannot be made, read or locked.
    #[error("{path} cannot be used: check that the disk is there and that Till may write to it")]
    Prepare {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The SQLite inside this program is too old to be trusted with two connections.
    #[error("SQLite {found} has a known fault that can damage a journal: build Till with 3.51.3 or newer")]
    SqliteTooOld {
        /// Its version.
        found: &'static str,
    },
    /// A database cannot be opened.
    #[error("{path} cannot be opened")]
    Open {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A setting that durability rests on did not take.
    #[error("{path} runs with {name}={found} where {wanted} is needed: Till does not sell on it")]
    Setting {
        /// Which database.
        path: PathBuf,
        /// Which setting.
        name: &'static str,
        /// What was asked for.
        wanted: String,
        /// What was read back.
        found: String,
    },
    /// The file is a database of something else.
    #[error("{path} was not made by Till: move it away, nothing in it was changed")]
    NotOurs {
        /// Which file.
        path: PathBuf,
    },
    /// The file was written by a newer Till.
    #[error("{path} has version {found}, this Till knows up to {known}: install the newer Till again")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The last version that this build knows.
        known: u32,
    },
    /// The file is of an older Till and nobody has migrated it yet.
    #[error("{path} has version {found}, which is older than this Till: start the daemon once")]
    NotMigrated {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A migration that was applied is not the one that this build has under its number.
    #[error(
        "{path} was made by another history of migrations (number {number}): install the Till that made it"
    )]
    Altered {
        /// Which file.
        path: PathBuf,
        /// Which migration.
        number: u32,
    },
    /// The copy before a migration could not be made; nothing was migrated.
    #[error("{path} could not be copied before its migration, which was not begun: free some disk space")]
    Backup {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A copy could not be written; nothing has its name.
    #[error("the copy {path} could not be written whole: free some disk space, or write it elsewhere")]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The copy is not good; nothing was changed.
    #[error("{path} cannot be put back, and nothing of this till was changed: {}", no_good(why))]
    NoGoodCopy {
        /// The copy.
        path: PathBuf,
        /// What is the matter with it.
        why: Box<Error>,
    },
    /// There is a file of the copy's name already.
    #[error("{path} is there already: a copy never takes the place of a file, choose another name")]
    CopyExists {
        /// Which file.
        path: PathBuf,
    },
    /// The copy lies where a restore prepares its own.
    #[error(
        "{path} is where a restore prepares its copy and would be overwritten: move it to another folder first, if it is the copy that is wanted"
    )]
    CopyInTheWay {
        /// Which file.
        path: PathBuf,
    },
    /// The copy is not this till's.
    #[error("the copy is {}, and this is {here}: take a copy of this till's journal",
        found.as_ref().map_or("empty".to_owned(), |found| format!("of {found}")))]
    OtherTills {
        /// Whose it is.
        found: Option<TerminalId>,
        /// Who this till is.
        here: TerminalId,
    },
    /// The present journal has records that the cloud has not received.
    #[error(
        "{records} records of the present journal have not reached head office: let the till send them first, or set \
         them aside with --even-unsent"
    )]
    Unsent {
        /// How many.
        records: u64,
    },
    /// The present journal cannot be read, so nobody can tell what of it the cloud has not received.
    #[error(
        "the present journal cannot be read, so what of it has not reached head office cannot be counted: set it aside all \
         the same with --even-unsent; what can be read of it is listed then"
    )]
    Uncounted(#[source] Box<Error>),
    /// A migration failed and was taken back.
    #[error("migration {name} of {path} failed and was taken back: install the Till that ran before")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// Which migration.
        name: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// A database is damaged.
    #[error("{path} is damaged ({words}): keep the file, do not repair it in place")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        words: String,
    },
    /// A stored record does not verify or does not follow from the one before it.
    #[error("the journal is broken at record {seq} of epoch {epoch}: keep the file, do not sell on it")]
    Chain {
        /// Which life of the journal.
        epoch: Epoch,
        /// Which record.
        seq: u64,
        /// What does not hold.
        source: Broken,
    },
    /// A record to be written is not the next one; nothing was written.
    #[error("a record was not written: it is not the next one of the journal")]
    NotNext(#[source] Broken),
    /// A body is longer than a record may carry; nothing was written.
    #[error(
        "a record was not written: its body has {bytes} bytes, {} is the limit",
        crate::record::BODY_BYTES_MAX
    )]
    BodyTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A key file cannot be used.
    #[error(transparent)]
    Key(KeyError),
    /// Bodies are sealed and nothing here opens them.
    #[error(
        "the bodies in {path} are sealed, and the key is not here: put keys/seal back into the state directory, or give the credential till-seal; nothing was changed"
    )]
    NoSeal {
        /// Which journal.
        path: PathBuf,
    },
    /// Bodies lie under keys of members, and the file of those is not there.
    #[error(
        "{path} has bodies that lie under keys of members, and these are not here: put keys/members back into the state directory; if it is lost for good, an empty file in its place gives up what those bodies say; nothing was changed"
    )]
    NoMembers {
        /// Which journal.
        path: PathBuf,
    },
    /// There is a key, and it is not the one.
    #[error(
        "the key that is here does not open {path}: it belongs to another till or another time; put the right one back (keys/seal, or the credential till-seal); nothing was changed"
    )]
    OtherSeal {
        /// Which journal.
        path: PathBuf,
    },
    /// A sealed body does not open with the right key.
    #[error("the sealed body of record {seq} was changed: keep the file, do not sell on it")]
    Unsealable {
        /// Which record.
        seq: u64,
        /// What does not hold.
        source: Broken,
    },
    /// Records could not be written; none of them was.
    #[error("the records were not written to the journal")]
    Append(#[source] rusqlite::Error),
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Read(#[source] rusqlite::Error),
    /// The write-ahead log could not be folded into the journal; nothing is lost.
    #[error("the journal's log could not be folded in")]
    Checkpoint(#[source] rusqlite::Error),
    /// The snapshot could not be saved; the next start replays more.
    #[error("the snapshot could not be saved: the next start takes longer")]
    SaveSnapshot(#[source] io::Error),
    /// The edge store could not be read.
    #[error("the edge store could not be read")]
    ReadEdge(#[source] rusqlite::Error),
    /// The edge store could not be written.
    #[error("the edge store could not be written")]
    WriteEdge(#[source] rusqlite::Error),
    /// A bundle that is not newer than the one in force.
    #[error("bundle {offered} is not newer than {held}, which is in force: bundle versions never fall")]
    BundleNotNewer {
        /// The version in force.
        held: u64,
        /// The version that came.
        offered: u64,
    },
}

/// What is the matter with a copy, in words about the copy and not about this till's own files.
#[allow(clippy::wildcard_enum_match_arm)] // what says itself what it is about needs no other words
fn no_good(why: &Error) -> String {
    match why {
        Error::Damaged { words, .. } => format!("the copy is damaged ({words}); take another"),
        Error::Chain { epoch, seq, .. } => {
            format!("the copy is broken at record {seq} of epoch {epoch}; take another")
        }
        Error::NoSeal { .. } | Error::OtherSeal { .. } => {
            "the key that is here does not open it; put back the key of its time (keys/seal, or the credential till-seal)"
                .to_owned()
        }
        Error::NotOurs { .. } => "it is no journal of Till".to_owned(),
        Error::Newer { found, known, .. } => {
            format!("it has version {found}, this Till knows up to {known}; install the newer Till")
        }
        Error::Read(source) | Error::Open { source, .. } => format!("it cannot be read ({source}); take another"),
        other => match std::error::Error::source(other) {
            Some(source) => format!("{other}: {source}"),
            None => other.to_string(),
        },
    }
}

impl Error {
    /// Whether trying the same again is in vain until a person does something.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::SqliteTooOld { .. }
            | Self::Setting { .. }
            | Self::NotOurs { .. }
            | Self::Newer { .. }
            | Self::Altered { .. }
            | Self::Migrate { .. }
            | Self::Damaged { .. }
            | Self::Chain { .. }
            | Self::NoSeal { .. }
            | Self::NoMembers { .. }
            | Self::OtherSeal { .. }
            | Self::Unsealable { .. }
            | Self::NotNext(_)
            | Self::BodyTooLong { .. }
            | Self::CopyExists { .. }
            | Self::CopyInTheWay { .. }
            | Self::OtherTills { .. }
            | Self::NoGoodCopy { .. }
            | Self::Unsent { .. }
            | Self::Uncounted(_)
            | Self::BundleNotNewer { .. } => true,
            Self::Key(source) => source.is_permanent(),
            Self::AnotherInstance { .. }
            | Self::Prepare { .. }
            | Self::NotMigrated { .. }
            | Self::SaveSnapshot(_) => false,
            Self::Open { source, .. }
            | Self::Backup { source, .. }
            | Self::Copy { source, .. }
            | Self::Append(source)
            | Self::Read(source)
            | Self::Checkpoint(source)
            | Self::ReadEdge(source)
            | Self::WriteEdge(source) => !passes(source),
        }
    }

    /// Whether the file itself is damaged: its pages, its chain, or sectors that cannot be read. It is set aside then.
    ///
    /// A disk that fails while it writes, a lock, a full disk and a file of somebody else are no damage of the file.
    pub fn is_damage(&self) -> bool {
        if let Self::Chain { source, .. } = self {
            // What a newer Till wrote is not damaged.
            return !matches!(source, Broken::Header(HeaderError::Newer(_)));
        }
        matches!(self, Self::Damaged { .. }) || self.sqlite().is_some_and(Self::tells_of_damage)
    }

    /// Whether SQLite found pages that are damaged or cannot be read.
    pub(super) fn tells_of_damage(error: &rusqlite::Error) -> bool {
        error.sqlite_error().is_some_and(|error| {
            matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || UNREADABLE.contains(&error.extended_code)
        })
    }

    /// Whether the disk has no room left. What was written before stands.
    pub fn is_disk_full(&self) -> bool {
        self.is_code(ErrorCode::DiskFull) || self.io().is_some_and(|kind| kind == io::ErrorKind::StorageFull)
    }

    /// Whether the disk itself failed, which a later success does not heal: open again and check.
    pub fn is_disk_failure(&self) -> bool {
        self.is_code(ErrorCode::SystemIoFailure)
    }

    fn is_code(&self, code: ErrorCode) -> bool {
        self.sqlite().and_then(rusqlite::Error::sqlite_error_code) == Some(code)
    }

    fn sqlite(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Open { source, .. }
            | Self::Backup { source, .. }
            | Self::Copy { source, .. }
            | Self::Migrate { source, .. }
            | Self::Append(source)
            | Self::Read(source)
            | Self::Checkpoint(source)
            | Self::ReadEdge(source)
            | Self::WriteEdge(source) => Some(source),
            Self::AnotherInstance { .. }
            | Self::Prepare { .. }
            | Self::SqliteTooOld { .. }
            | Self::Setting { .. }
            | Self::NotOurs { .. }
            | Self::Newer { .. }
            | Self::NotMigrated { .. }
            | Self::Altered { .. }
            | Self::Damaged { .. }
            | Self::Chain { .. }
            | Self::Key(_)
            | Self::NoSeal { .. }
            | Self::NoMembers { .. }
            | Self::OtherSeal { .. }
            | Self::Unsealable { .. }
            | Self::NotNext(_)
            | Self::BodyTooLong { .. }
            | Self::SaveSnapshot(_)
            | Self::CopyExists { .. }
            | Self::CopyInTheWay { .. }
            | Self::OtherTills { .. }
            | Self::NoGoodCopy { .. }
            | Self::Unsent { .. }
            | Self::Uncounted(_)
            | Self::BundleNotNewer { .. } => None,
        }
    }

    fn io(&self) -> Option<io::ErrorKind> {
        if let Self::Prepare { source, .. }
        | Self::SaveSnapshot(source)
        | Self::Key(KeyError::Write { source, .. }) = self
        {
            return Some(source.kind());
        }
        None
    }

    /// Names a file or directory that could not be prepared.
    pub(super) fn prepare(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Prepare { path: path.to_owned(), source }
    }

    /// Names a database that could not be opened.
    pub(super) fn open(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        move |source| Self::Open { path: path.to_owned(), source }
    }
}

/// SQLite's extended codes for what is in the file and cannot be read (rescode, "SQLITE_IOERR_READ" and others).
const UNREADABLE: [i32; 4] = [
    rusqlite::ffi::SQLITE_IOERR_READ,
    rusqlite::ffi::SQLITE_IOERR_SHORT_READ,
    rusqlite::ffi::SQLITE_IOERR_DATA,
    rusqlite::ffi::SQLITE_IOERR_CORRUPTFS,
];

/// Failures that may be gone at the next try: busy, full, and a disk that stumbled.
fn passes(source: &rusqlite::Error) -> bool {
    matches!(
        source.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::CannotOpen
        )
    )
}
