//! The store on embedded SQLite: one file, one thread that owns the connection.
//!
//! Several processes may open the same file: the server and the command line each do. **Invariant:** WAL and
//! `synchronous=FULL`, read back at start: what was answered is on disk. **Invariant:** what is erased is overwritten in
//! its page, and the log that held it is emptied. Not here: what the rows mean, and how the layout grew (`migrations`).

mod again;
mod forgotten;
mod granted;
mod ingest;
mod judge;
mod leases;
mod ledger;
mod migrations;
mod orders;
mod publish;
mod rows;
mod streams;
mod terminals;

use super::{Reply, Store, StoreError};
use granted::Granted;
pub(crate) use migrations::{Opener, server_lock, turn};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the connection: beyond it, callers wait before they even queue.
const QUEUE_MAX: usize = 256;

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The store on SQLite.
pub(crate) struct Sqlite {
    jobs: Option<mpsc::Sender<Job>>,
    granted: Arc<Mutex<Granted>>,
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
    /// The connection itself, where a test wants each call answered at once and in order.
    #[cfg(test)]
    in_place: Option<Mutex<Connection>>,
}

impl Store for Sqlite {}

impl Sqlite {
    /// Opens or makes `cloud.db` in a folder, perhaps beside a server.
    #[cfg(test)]
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_as(dir, Opener::Beside)
    }

    /// Opens or makes `cloud.db` in a folder. Blocks; call it where blocking is allowed.
    pub(crate) fn open_as(dir: &Path, opener: Opener) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        let mut connection = connect(&dir.join("cloud.db"))?;
        migrations::migrate(&mut connection, dir, opener)?;
        let granted = Arc::new(Mutex::new(Granted::open(dir, &mut connection)?));
        let log = Arc::new(Log::default());
        let kept = Arc::clone(&log);
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("cloud-store".to_owned())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut connection);
                    kept.tidy(&connection);
                }
            })
            .map_err(failed)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            granted,
            log,
            #[cfg(test)]
            in_place: None,
        })
    }

    /// The same without a thread.
    #[cfg(test)]
    pub(crate) fn in_place(dir: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(&dir.join("cloud.db"))?;
        migrations::migrate(&mut connection, dir, Opener::Beside)?;
        let granted = Arc::new(Mutex::new(Granted::open(dir, &mut connection)?));
        let log = Arc::default();
        Ok(Self { jobs: None, thread: None, granted, log, in_place: Some(Mutex::new(connection)) })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.run(move |connection| work(connection))
    }

    /// Several questions to one moment, whatever another process writes meanwhile.
    fn snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.run(move |connection| work(&*connection.transaction()?))
    }

    /// One transaction that takes the write lock first, so that what it read is still so when it writes.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })
    }

    /// The same; what was let out of quotas by then is known beside the database before anybody is answered.
    fn write_granted<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        self.write_and_keep(work, |kept| kept)
    }

    /// The same for what comes again with the records: it is not undone by a file that cannot be written. `work` also
    /// says how many bodies it erased.
    fn write_booked<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<(T, usize), StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        let log = Arc::clone(&self.log);
        let work = move |tx: &Transaction<'_>| {
            let (answer, erased) = work(tx)?;
            if erased > 0 {
                log.holds_erased();
            }
            Ok(answer)
        };
        self.write_and_keep(work, |kept| {
            if let Err(error) = kept {
                tracing::error!(%error, "What is let out of quotas cannot be written beside the database.");
            }
            Ok(())
        })
    }

    fn write_and_keep<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        kept: fn(Result<(), StoreError>) -> Result<(), StoreError>,
    ) -> Reply<'_, T> {
        let granted = Arc::clone(&self.granted);
        self.run(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            kept(granted.lock().unwrap_or_else(PoisonError::into_inner).keep(connection))?;
            Ok(answer)
        })
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Reply<'_, T> {
        #[cfg(test)]
        if let Some(connection) = &self.in_place {
            let mut connection = connection.lock().expect("no call panics");
            let answer = work(&mut connection);
            self.log.tidy(&connection);
            return Box::pin(async move { answer });
        }
        Box::pin(async move {
            let jobs = self.jobs.as_ref().ok_or(StoreError::Stopped)?;
            let (answer, answered) = oneshot::channel();
            let job: Job = Box::new(move |connection| {
                // What unwinds rolls its transaction back, so the connection is as before and the next call has it.
                let done = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|_| {
                    tracing::error!("A call of the store ended in a bug of this program: see above where.");
                    Err(StoreError::Panicked)
                });
                // A caller that has gone away does not undo what it asked for.
                let _ = answer.send(done);
            });
            jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
            answered.await.map_err(|_| StoreError::Stopped)?
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            // It ends after the calls that wait already.
            let _ = thread.join();
        }
    }
}

/// Whether the log (`cloud.db-wal`) may still hold what was erased. At the start it may: the last run can have ended
/// between erasing and taking the log away.
struct Log {
    holds_erased: AtomicBool,
}

impl Default for Log {
    fn default() -> Self {
        Self { holds_erased: AtomicBool::new(true) }
    }
}

impl Log {
    fn holds_erased(&self) {
        self.holds_erased.store(true, Ordering::SeqCst);
    }

    /// Takes the log away if it is due. While another process reads it stays, and is looked at after the next call.
    fn tidy(&self, connection: &Connection) {
        if !self.holds_erased.load(Ordering::SeqCst) {
            return;
        }
        match truncate_log(connection, Duration::ZERO) {
            Ok(gone) => self.holds_erased.store(!gone, Ordering::SeqCst),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "The log beside the database cannot be emptied: it may hold what was erased."
                );
            }
        }
    }
}

/// Writes the log into the database and empties it. False when another process had it open all the time.
fn truncate_log(connection: &Connection, wait: Duration) -> Result<bool, StoreError> {
    connection.busy_timeout(wait)?;
    let gone = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY)?;
    Ok(!gone?)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NotDurable("journal_mode=WAL"));
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    let level: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    if level != 2 {
        return Err(StoreError::NotDurable("synchronous=FULL"));
    }
    // Whichever process erases something, and when: the page is overwritten.
    let overwrites: i64 = connection.query_row("PRAGMA secure_delete = ON", [], |row| row.get(0))?;
    if overwrites != 1 {
        return Err(StoreError::NotDurable("secure_delete=ON"));
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_panics_is_answered_and_the_next_one_is_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path()).unwrap();
        let ask = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let broken = store.write(|tx| -> Result<(), StoreError> {
            tx.execute("INSERT INTO task (code, subject, words, raised_ms) VALUES ('a', 'b', 'c', 1)", [])?;
            panic!("a bug of ours")
        });
        assert!(ask.block_on(broken).is_err());
        let left =
            store.write(|tx| Ok(tx.query_row("SELECT count(*) FROM task", [], |row| row.get::<_, i64>(0))?));
        assert_eq!(ask.block_on(left).unwrap(), 0, "nothing of it was kept");
    }
}
