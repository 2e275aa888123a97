//! Opens the three databases to read and nothing else, and makes sure of what each is.
//!
//! Every file is read in one transaction, so that what is seen of it is one moment.

use super::Error;
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, Row};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A writer may hold a file for a moment; longer than this, it was not stopped.
const BUSY: Duration = Duration::from_secs(5);

/// `application_id` of a journal: "TilJ".
const JOURNAL_ID: i64 = 0x5469_6c4a;

/// The last versions of the layouts that the SQL here is written for.
const JOURNAL_VERSION: i64 = 4;
/// The first version of the journal's layout in which bodies lie sealed.
const SEALED_VERSION: i64 = 2;
const GATEWAY_VERSION: i64 = 2;
const CLOUD_VERSION: i64 = 9;

/// A database that is only read.
pub(super) struct File {
    path: PathBuf,
    pub(super) connection: Connection,
}

impl File {
    /// Names the file in a failure of SQLite.
    pub(super) fn failed(&self, source: rusqlite::Error) -> Error {
        Error::Read { path: self.path.clone(), source }
    }

    /// Whether bodies lie sealed in this journal. One of an older layout knows nothing of that.
    pub(super) fn seals(&self) -> Result<bool, Error> {
        if pragma(self, "user_version")? < SEALED_VERSION {
            return Ok(false);
        }
        let any = "SELECT EXISTS (SELECT 1 FROM record WHERE sealed = 1)";
        self.connection.query_row(any, [], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    /// Whether it has a table of this name.
    pub(super) fn has(&self, table: &str) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
        self.connection.query_row(sql, [table], |row| row.get(0)).map_err(|source| self.failed(source))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `each` for every row of a query.
    pub(super) fn each<P: Params>(
        &self,
        sql: &str,
        params: P,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            Ok(())
        };
        read().map_err(|source| self.failed(source))
    }
}

/// The till's journal.
pub(super) fn journal(path: &Path) -> Result<File, Error> {
    let what = "a till's journal";
    let file = open(path, what)?;
    if pragma(&file, "application_id")? != JOURNAL_ID {
        return Err(Error::Foreign { path: path.to_owned(), what });
    }
    known(file, what, JOURNAL_VERSION, &["record"])
}

/// The wallet gateway's ledger.
pub(super) fn gateway(path: &Path) -> Result<File, Error> {
    let what = "a wallet gateway's ledger";
    known(open(path, what)?, what, GATEWAY_VERSION, &["trade", "refund", "tombstone", "event"])
}

/// The cloud's database.
pub(super) fn cloud(path: &Path) -> Result<File, Error> {
    let what = "the cloud's database";
    let tables = ["stream", "record", "verdict", "payment", "payment_refund", "receipt", "order_claim"];
    known(open(path, what)?, what, CLOUD_VERSION, &tables)
}

fn open(path: &Path, what: &'static str) -> Result<File, Error> {
    if !path.is_file() {
        return Err(Error::Missing { path: path.to_owned(), what });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.execute_batch("PRAGMA query_only = ON; BEGIN;")?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    match connect() {
        Ok(connection) => Ok(File { path: path.to_owned(), connection }),
        Err(source) if is_no_database(&source) => Err(Error::Foreign { path: path.to_owned(), what }),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::NotADatabase)
}

fn known(file: File, what: &'static str, version: i64, tables: &[&str]) -> Result<File, Error> {
    let path = || file.path.clone();
    let found = pragma(&file, "user_version")?;
    let foreign = Error::Foreign { path: path(), what };
    for table in tables {
        if !file.has(table)? {
            return Err(foreign);
        }
    }
    if found > version {
        return Err(Error::Newer { path: path(), found, known: version });
    }
    Ok(file)
}

fn pragma(file: &File, name: &str) -> Result<i64, Error> {
    file.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|source| file.failed(source))
}
