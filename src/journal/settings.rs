//! How a database is opened: every setting that durability rests on is set and read back.
//!
//! SQLite documentation, "PRAGMA Statements" and "Write-Ahead Logging"; the fault of versions before
//! 3.51.3 is in WAL's section "The WAL-Reset Bug". Not here: tables (`migrations`).

use super::Error;
use rusqlite::config::DbConfig;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// SQLite 3.51.3, the first without the WAL-reset fault, as `sqlite3_libversion_number` gives it.
const SQLITE_MIN: i32 = 3_051_003;

/// Longer than any checkpoint or backup holds another connection up.
const BUSY: Duration = Duration::from_secs(5);

/// Pages of 4 KiB in the log before a commit folds in what it can without waiting.
const CHECKPOINT_PAGES: i64 = 1000;

/// What a log that once grew is cut back to.
const LOG_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// Opens a database to write, making it if there is none. Changes nothing in it yet.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags)
}

/// Opens a database to read; it has to be there.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    harden(&connection, path)?;
    set(&connection, path, "query_only", 1_i64)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(Error::SqliteTooOld { found: rusqlite::version() });
    }
    let connection = Connection::open_with_flags(path, flags).map_err(Error::open(path))?;
    connection.busy_timeout(BUSY).map_err(Error::open(path))?;
    Ok(connection)
}

/// Makes a connection durable: what a commit has returned survives a power cut.
///
/// **Invariant:** no record is written over a connection that did not pass here.
pub(super) fn make_durable(connection: &Connection, path: &Path) -> Result<(), Error> {
    set(connection, path, "journal_mode", "wal".to_owned())?;
    set(connection, path, "synchronous", 2_i64)?;
    set(connection, path, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    set(connection, path, "journal_size_limit", LOG_BYTES_KEPT)?;
    harden(connection, path)
}

fn harden(connection: &Connection, path: &Path) -> Result<(), Error> {
    set(connection, path, "foreign_keys", 1_i64)?;
    set(connection, path, "trusted_schema", 0_i64)?;
    set(connection, path, "cell_size_check", 1_i64)?;
    set(connection, path, "temp_store", 2_i64)
}

/// What closing a database does with its log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AtClose {
    /// Folds it in, as is usual.
    Fold,
    /// Nothing: the files stay as they are.
    Leave,
}

/// Says what closing does with the log.
pub(super) fn fold_at_close(connection: &Connection, path: &Path, at_close: AtClose) -> Result<(), Error> {
    let leave = at_close == AtClose::Leave;
    let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave);
    set.map(drop).map_err(Error::open(path))
}

/// Sets a pragma and refuses to go on if it reads back as anything else.
fn set<T>(connection: &Connection, path: &Path, name: &'static str, wanted: T) -> Result<(), Error>
where
    T: FromSql + PartialEq + std::fmt::Display,
{
    // Some pragmas answer when they are set and some do not; only what is read back counts.
    connection.execute_batch(&format!("PRAGMA {name} = {wanted}")).map_err(Error::open(path))?;
    let found: T = connection.pragma_query_value(None, name, |row| row.get(0)).map_err(Error::open(path))?;
    if found == wanted {
        return Ok(());
    }
    let (wanted, found) = (wanted.to_string(), found.to_string());
    Err(Error::Setting { path: path.to_owned(), name, wanted, found })
}

/// Whether every page of the database is sound.
pub(super) fn quick_check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let checked = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    let damaged = |words| Err(Error::Damaged { path: path.to_owned(), words });
    match checked {
        Ok(words) if words == "ok" => Ok(()),
        Ok(words) => damaged(words),
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                damaged(error.to_string())
            }
            Some(_) | None => Err(Error::Open { path: path.to_owned(), source: error }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_does_not_take_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.db");
        let connection = open_to_write(&path).unwrap();
        make_durable(&connection, &path).unwrap();
        let error = set(&connection, &path, "synchronous", 77_i64).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "synchronous", .. }), "{error}");
        // A database in memory has no log, so it can never be durable.
        let memory = Connection::open_in_memory().unwrap();
        let error = make_durable(&memory, Path::new("memory")).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "journal_mode", .. }), "{error}");
        assert!(error.is_permanent());
    }

    #[test]
    fn a_reader_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.db");
        assert!(open_to_read(&path).is_err(), "nothing there to read");
        let writer = open_to_write(&path).unwrap();
        make_durable(&writer, &path).unwrap();
        writer.execute_batch("CREATE TABLE a (b INTEGER) STRICT").unwrap();
        let reader = open_to_read(&path).unwrap();
        assert!(reader.execute("INSERT INTO a VALUES (1)", []).is_err());
    }
}
