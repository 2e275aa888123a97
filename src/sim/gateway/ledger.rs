//! The gateway's own books, in `gateway.db`: who asked for what, and which money moved, once.
//!
//! **Invariant:** money is captured at most once for an order: the trade's guarded update, its check and the
//! unique index over capture entries each forbid a second one.
//! **Invariant:** refunds of a trade never exceed its total, by the same three means.
//! **Invariant:** an answer leaves only after the transaction it speaks of is on disk.
//!
//! Deliberately not here: the rules of each method, and any memory of a trade outside the file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

/// The tables. Amounts are integer fen of `currency`; times are Unix milliseconds.
///
/// An order is known by `wallet`, `merchant` (Alipay's app id, WeChat Pay's mchid) and `out_trade_no`.
///
/// - `trade`: one row an order that reached the wallet. `status` is Alipay's `trade_status` for either wallet;
///   `ended_by` says why a closed one ended. `captures` is 1 once money was taken, and stays 1 after refunds.
///   `refunded` is the sum of its refunds. `scanned_ms` is when a phone first opened a code on a display.
///   While a trade waits: `pays_ms` and `refuses_ms` are when its customer will; `late_ms` is how long after a
///   cancel; `queries_left` counts queries until the money moves, -1 for a person's word.
///   `merchant_discount`, `platform_discount` and `points` are what goes off the price and who bears it.
/// - `refund`: one row an `out_request_no` (WeChat Pay: `out_refund_no`). A cancel that gives money back is
///   written as `cancel:` and the order number, which no merchant's request number can be.
/// - `tombstone`: orders cancelled before they were known; a pay that comes later is refused.
/// - `pay_code`: hashes of codes issued here and of codes used, each of which pays once.
/// - `notice`: what is to be told to a merchant's address, until it was taken or given up.
/// - `event`: append-only. `request`: a verified request that may move money was worked on, with the method;
///   `capture`, `refund`: money moved, with the amount; `close`: a trade ended unpaid; `refuse`: the buyer's
///   side said no.
pub const SCHEMA: &str = "
CREATE TABLE trade (
    wallet TEXT NOT NULL DEFAULT 'alipay' CHECK (wallet IN ('alipay', 'wechat')),
    merchant TEXT NOT NULL DEFAULT '',
    out_trade_no TEXT NOT NULL,
    trade_no TEXT NOT NULL,
    app_id TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('pay', 'precreate')),
    subject TEXT NOT NULL,
    attach TEXT,
    total INTEGER NOT NULL CHECK (total > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('WAIT_BUYER_PAY', 'TRADE_SUCCESS', 'TRADE_FINISHED', 'TRADE_CLOSED')),
    ended_by TEXT CHECK (ended_by IN ('cancel', 'close', 'time', 'buyer')),
    buyer TEXT,
    auth_code_hash TEXT,
    qr_token TEXT UNIQUE,
    notify_url TEXT,
    key_id TEXT,
    created_ms INTEGER NOT NULL,
    scanned_ms INTEGER,
    expires_ms INTEGER NOT NULL,
    paid_ms INTEGER,
    pays_ms INTEGER,
    refuses_ms INTEGER,
    late_ms INTEGER,
    queries_left INTEGER,
    merchant_discount INTEGER NOT NULL DEFAULT 0 CHECK (merchant_discount >= 0),
    platform_discount INTEGER NOT NULL DEFAULT 0 CHECK (platform_discount >= 0),
    points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0),
    captures INTEGER NOT NULL DEFAULT 0 CHECK (captures IN (0, 1)),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total * captures),
    PRIMARY KEY (wallet, merchant, out_trade_no),
    UNIQUE (wallet, trade_no),
    CHECK (merchant_discount + platform_discount + points <= total),
    CHECK ((captures = 1) = (paid_ms IS NOT NULL)),
    CHECK (captures = 1 OR status IN ('WAIT_BUYER_PAY', 'TRADE_CLOSED')),
    CHECK (captures = 0 OR status <> 'WAIT_BUYER_PAY')
) STRICT;
CREATE INDEX trades_whose_time_comes ON trade (status, captures);

CREATE TABLE refund (
    wallet TEXT NOT NULL DEFAULT 'alipay',
    merchant TEXT NOT NULL DEFAULT '',
    out_trade_no TEXT NOT NULL,
    out_request_no TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT,
    refunded_ms INTEGER NOT NULL,
    told_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (wallet, merchant, out_trade_no, out_request_no),
    FOREIGN KEY (wallet, merchant, out_trade_no) REFERENCES trade
) STRICT;

CREATE TABLE tombstone (
    wallet TEXT NOT NULL DEFAULT 'alipay',
    merchant TEXT NOT NULL DEFAULT '',
    out_trade_no TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (wallet, merchant, out_trade_no)
) STRICT;

CREATE TABLE pay_code (
    code_hash TEXT PRIMARY KEY,
    wallet TEXT NOT NULL DEFAULT 'alipay',
    issued_ms INTEGER,
    used_ms INTEGER,
    out_trade_no TEXT
) STRICT;

CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    wallet TEXT NOT NULL,
    merchant TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    out_request_no TEXT,
    url TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'taken', 'given_up'))
) STRICT;
CREATE INDEX notices_that_are_due ON notice (due_ms) WHERE state = 'due';

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    wallet TEXT NOT NULL DEFAULT 'alipay',
    merchant TEXT NOT NULL DEFAULT '',
    out_trade_no TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('request', 'capture', 'refund', 'close', 'refuse')),
    method TEXT,
    amount INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_capture_a_trade ON event (wallet, merchant, out_trade_no) WHERE kind = 'capture';
CREATE INDEX events_of_a_trade ON event (out_trade_no);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
PRAGMA user_version = 2;
";

/// The schema's number, in `user_version`.
const FORMAT: i64 = 2;
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
    /// Another gateway works here.
    #[error("another wallet gateway works in {dir}; stop it, or give another --dir")]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// The work was dropped at shutdown.
    #[error("the gateway is shutting down")]
    Stopped,
    /// The lock cannot be made.
    #[error("cannot lock {path}; give a --dir that can be written")]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The books. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    connection: Arc<Mutex<Connection>>,
    pub(super) path: PathBuf,
    _lock: Option<Arc<File>>,
}

impl Ledger {
    /// Opens the books in `dir`, making them if there are none, and keeps every other gateway out of them.
    pub(super) fn open(dir: &Path) -> Result<Ledger, LedgerError> {
        let lock = take_lock(dir)?;
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
        Ok(Ledger { connection: Arc::new(Mutex::new(connection)), path, _lock: Some(Arc::new(lock)) })
    }

    /// Books in memory, for a gateway that is run inside a test.
    pub(super) fn in_memory() -> Result<Ledger, LedgerError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("PRAGMA foreign_keys = ON;")?;
        connection.execute_batch(SCHEMA)?;
        let connection = Arc::new(Mutex::new(connection));
        Ok(Ledger { connection, path: PathBuf::from(":memory:"), _lock: None })
    }

    /// Does `work` in one transaction, and returns when that is on disk. An error leaves nothing behind.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        // A panic rolled its transaction back, so the connection behind a poisoned lock is sound.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

fn take_lock(dir: &Path) -> Result<File, LedgerError> {
    let path = dir.join("lock");
    let failed = |source| LedgerError::Lock { path: path.clone(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = "INSERT INTO trade (out_trade_no, trade_no, app_id, origin, subject, total, currency,
        status, created_ms, expires_ms, paid_ms, captures)
        VALUES ('A', '1', 'app', 'pay', 's', 100, 'CNY', 'TRADE_SUCCESS', 0, 1, 0, 1)";

    #[test]
    fn the_file_itself_forbids_a_second_capture_and_too_much_refund() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let capture = "INSERT INTO event (at_ms, out_trade_no, kind, amount) VALUES (0, 'A', 'capture', 100)";
        ledger.run(|books| books.execute_batch(&format!("{PAID}; {capture}"))).unwrap();
        for forbidden in [
            capture,
            "UPDATE trade SET captures = 2",
            "UPDATE trade SET refunded = 101",
            "UPDATE trade SET status = 'WAIT_BUYER_PAY'",
            "UPDATE event SET amount = 1",
            "DELETE FROM event",
        ] {
            assert!(ledger.run(|books| books.execute(forbidden, [])).is_err(), "{forbidden}");
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

    #[test]
    fn a_second_gateway_on_the_same_directory_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = Ledger::open(dir.path()).unwrap();
        let refused = Ledger::open(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("another wallet gateway works in"), "{refused}");
        drop(first);
        Ledger::open(dir.path()).unwrap();
    }
}
