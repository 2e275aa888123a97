//! The gateway's own books, in `gateway.db`: who asked for what, and which money moved, once.
//!
//! **Invariant:** money is captured at most once for an `out_trade_no`: the trade's guarded update, its check
//! and the unique index over capture entries each forbid a second one.
//! **Invariant:** refunds of a trade never exceed its total, by the same three means.
//! **Invariant:** an answer leaves only after the transaction it speaks of is on disk.
//!
//! Deliberately not here: the rules of each method, and any memory of a trade outside the file.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

/// The tables. Amounts are integer fen of `currency`; times are Unix milliseconds.
///
/// - `trade`: one row an order number that reached the wallet. `status` is the wallet's `trade_status`.
///   `captures` is 1 once money was taken, and stays 1 after refunds. `refunded` is the sum of its refunds.
///   `scanned_ms` is when a phone first opened a precreated trade: before that, a query does not find it.
///   `queries_left` is set while the buyer is typing a password: queries until the money moves, -1 for a
///   person's word.
/// - `refund`: one row an `out_request_no`. A cancel that gives money back is written as `cancel:` and the
///   order number, which no merchant's request number can be.
/// - `tombstone`: order numbers cancelled before they were known; a pay that comes later is refused.
/// - `pay_code`: hashes of codes issued here and of codes used, each of which pays once.
/// - `event`: append-only. `request`: a verified request that may move money was worked on, with the method;
///   `capture`, `refund`: money moved, with the amount; `close`: a trade ended unpaid; `refuse`: the buyer's
///   side said no.
pub const SCHEMA: &str = "
CREATE TABLE trade (
    out_trade_no TEXT PRIMARY KEY,
    trade_no TEXT NOT NULL UNIQUE,
    app_id TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('pay', 'precreate')),
    subject TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (total > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('WAIT_BUYER_PAY', 'TRADE_SUCCESS', 'TRADE_FINISHED', 'TRADE_CLOSED')),
    buyer TEXT,
    auth_code_hash TEXT,
    qr_token TEXT UNIQUE,
    created_ms INTEGER NOT NULL,
    scanned_ms INTEGER,
    expires_ms INTEGER NOT NULL,
    paid_ms INTEGER,
    queries_left INTEGER,
    captures INTEGER NOT NULL DEFAULT 0 CHECK (captures IN (0, 1)),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total * captures),
    CHECK ((captures = 1) = (paid_ms IS NOT NULL)),
    CHECK (captures = 1 OR status IN ('WAIT_BUYER_PAY', 'TRADE_CLOSED')),
    CHECK (captures = 0 OR status <> 'WAIT_BUYER_PAY')
) STRICT;

CREATE TABLE refund (
    out_trade_no TEXT NOT NULL REFERENCES trade,
    out_request_no TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    refunded_ms INTEGER NOT NULL,
    PRIMARY KEY (out_trade_no, out_request_no)
) STRICT;

CREATE TABLE tombstone (
    out_trade_no TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE pay_code (
    code_hash TEXT PRIMARY KEY,
    issued_ms INTEGER,
    used_ms INTEGER,
    out_trade_no TEXT
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    out_trade_no TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('request', 'capture', 'refund', 'close', 'refuse')),
    method TEXT,
    amount INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_capture_a_trade ON event (out_trade_no) WHERE kind = 'capture';
CREATE INDEX events_of_a_trade ON event (out_trade_no);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
PRAGMA user_version = 1;
";

/// The schema's number, in `user_version`.
const FORMAT: i64 = 1;
/// The file's name in the gateway's directory.
const FILE: &str = "gateway.db";
/// A reader of the file may hold it for a moment; longer than this is a fault.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// What can go wrong with the books.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite failed.
    #[error("the gateway's ledger failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by another version.
    #[error("{path} has ledger format {found}, and this program knows {FORMAT}; give another --dir")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its `user_version`.
        found: i64,
    },
    /// The file system does not take the settings that make a commit durable.
    #[error("{path} does not accept {setting}; put --dir on a local disk")]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// The pragma that was not taken.
        setting: &'static str,
    },
    /// The work was dropped at shutdown.
    #[error("the gateway is shutting down")]
    Stopped,
}

/// The books. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    connection: Arc<Mutex<Connection>>,
    pub(super) path: PathBuf,
}

impl Ledger {
    /// Opens the books in `dir`, making them if there are none.
    pub(super) fn open(dir: &Path) -> Result<Ledger, LedgerError> {
        let path = dir.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = Connection::open_with_flags(&path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(LedgerError::NotDurable { path, setting: "journal_mode=WAL" });
        }
        if synchronous != 2 {
            return Err(LedgerError::NotDurable { path, setting: "synchronous=FULL" });
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        match found {
            0 => transaction.execute_batch(SCHEMA)?,
            FORMAT => {}
            found => return Err(LedgerError::Format { path, found }),
        }
        transaction.commit()?;
        Ok(Ledger { connection: Arc::new(Mutex::new(connection)), path })
    }

    /// Does `work` in one transaction, and returns when that is on disk. An error leaves nothing behind.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            // A panic rolled its transaction back, so the connection behind a poisoned lock is sound.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        done.await.map_err(|_| LedgerError::Stopped)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = "INSERT INTO trade VALUES ('A', '1', 'app', 'pay', 's', 100, 'CNY', 'TRADE_SUCCESS',
        NULL, NULL, NULL, 0, 0, 1, 0, NULL, 1, 0)";

    #[tokio::test]
    async fn the_file_itself_forbids_a_second_capture_and_too_much_refund() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let capture = "INSERT INTO event (at_ms, out_trade_no, kind, amount) VALUES (0, 'A', 'capture', 100)";
        ledger.run(move |books| books.execute_batch(&format!("{PAID}; {capture}"))).await.unwrap();
        for forbidden in [
            capture,
            "UPDATE trade SET captures = 2",
            "UPDATE trade SET refunded = 101",
            "UPDATE trade SET status = 'WAIT_BUYER_PAY'",
            "UPDATE event SET amount = 1",
            "DELETE FROM event",
        ] {
            assert!(ledger.run(move |books| books.execute(forbidden, [])).await.is_err(), "{forbidden}");
        }
    }

    #[test]
    fn a_ledger_of_another_format_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        ledger.connection.lock().unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
        drop(ledger);
        assert!(matches!(Ledger::open(dir.path()), Err(LedgerError::Format { found: 9, .. })));
    }
}
