//! Brings the store's layout up to date, all of it or nothing, after a copy of what was there.
//!
//! **Invariant:** a copy has its name only when it is whole and on disk, and nobody changes the layout under a server that
//! runs. Several processes may start at once: they take turns, and the second one finds it done. Not here: the till's own
//! databases (`journal`).

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Migrations in order; never edited, only added to.
const MIGRATIONS: [&str; 9] = [
    include_str!("../../../../sql/cloud/0001_start.sql"),
    include_str!("../../../../sql/cloud/0002_wallets.sql"),
    include_str!("../../../../sql/cloud/0003_notifications.sql"),
    include_str!("../../../../sql/cloud/0004_phone_wallets.sql"),
    include_str!("../../../../sql/cloud/0005_leases.sql"),
    include_str!("../../../../sql/cloud/0006_vouchers.sql"),
    include_str!("../../../../sql/cloud/0007_forgotten.sql"),
    include_str!("../../../../sql/cloud/0008_branches.sql"),
    include_str!("../../../../sql/cloud/0009_granted.sql"),
];

/// What a server holds as long as it runs. Programs before this one hold it, too.
const SERVER_LOCK: &str = "cloud.lock";

/// What a process holds while it brings the layout up to date.
const TURN: &str = "cloud.turn";

/// Who opens the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opener {
    /// The server: it holds its lock and the turn.
    Server,
    /// Anybody else: a server may run.
    Beside,
}

/// The lock of the one server of a folder; nothing when another one has it.
pub(crate) fn server_lock(dir: &Path) -> Result<Option<File>, StoreError> {
    let file = lock_file(dir, SERVER_LOCK)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(dir, source)),
    }
}

/// The turn to bring the layout up to date. Blocks while another process does, which ends when it has done it or has died.
pub(crate) fn turn(dir: &Path) -> Result<File, StoreError> {
    let file = lock_file(dir, TURN)?;
    file.lock().map_err(|source| failed(dir, source))?;
    Ok(file)
}

/// Brings the layout up to date.
pub(super) fn migrate(connection: &mut Connection, dir: &Path, opener: Opener) -> Result<(), StoreError> {
    let known = known();
    if readable(connection)? == known {
        return Ok(());
    }
    let _turn = match opener {
        Opener::Server => None,
        Opener::Beside => Some(turn(dir)?),
    };
    // Another process may have been quicker.
    let found = readable(connection)?;
    if found == known {
        return Ok(());
    }
    let _no_server = match opener {
        Opener::Server => None,
        Opener::Beside if found == 0 => None,
        Opener::Beside => Some(server_lock(dir)?.ok_or(StoreError::ServerRuns { found, known })?),
    };
    if found > 0 {
        back_up(connection, dir, known).map_err(|error| error.at(dir))?;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let found = readable(&transaction)?;
    for (number, sql) in (1_i64..).zip(MIGRATIONS) {
        if number > found {
            transaction.execute_batch(sql)?;
        }
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// The newest layout that this program knows.
fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The layout of a store, if this program can read it.
fn readable(connection: &Connection) -> Result<i64, StoreError> {
    let (found, known) = (connection.query_row("PRAGMA user_version", [], |row| row.get(0))?, known());
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

/// Why there is no copy.
enum NoCopy {
    Sql(rusqlite::Error),
    Disk(io::Error),
}

impl NoCopy {
    fn at(self, dir: &Path) -> StoreError {
        match self {
            Self::Sql(error) => error.into(),
            Self::Disk(source) => failed(dir, source),
        }
    }
}

/// Copies the store as `cloud.before-N.db`, N being the layout that it is about to get. One of that name from an earlier
/// time is replaced: the way back is to what is there now.
fn back_up(connection: &Connection, dir: &Path, known: i64) -> Result<(), NoCopy> {
    let copy = dir.join(format!("cloud.before-{known}.db"));
    let unfinished = dir.join(format!("cloud.before-{known}.db.unfinished"));
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(NoCopy::Disk(error)),
        Ok(()) | Err(_) => {}
    }
    connection.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()]).map_err(NoCopy::Sql)?;
    let put = || -> io::Result<()> {
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &copy)?;
        File::open(dir)?.sync_all()
    };
    put().map_err(NoCopy::Disk)
}

fn lock_file(dir: &Path, name: &str) -> Result<File, StoreError> {
    let path: PathBuf = dir.join(name);
    // One that another user has made is as good: a lock needs no right to write.
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).and_then(|()| File::create(&path))
        }
        opened => opened,
    };
    file.map_err(|source| failed(dir, source))
}

fn failed(dir: &Path, source: io::Error) -> StoreError {
    StoreError::Folder { path: dir.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::super::{Sqlite, connect};
    use super::*;

    fn layout(connection: &Connection) -> Vec<String> {
        let mut statement =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_migrations_lead_to_the_schema_that_readers_are_given() {
        let folder = tempfile::tempdir().unwrap();
        drop(Sqlite::open(folder.path()).unwrap());
        let migrated = connect(&folder.path().join("cloud.db")).unwrap();
        let described = connect(&folder.path().join("described.db")).unwrap();
        described.execute_batch(include_str!("../../../../sql/cloud/schema.sql")).unwrap();
        assert_eq!(layout(&migrated), layout(&described));
    }

    #[test]
    fn a_store_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Sqlite::open(folder.path()).unwrap());
        connect(&folder.path().join("cloud.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let refused = Sqlite::open(folder.path()).map(drop).unwrap_err();
        assert!(
            matches!(refused, StoreError::Newer { found: 99, known: newest } if newest == known()),
            "{refused}"
        );
    }

    /// A store as the program before this one left it, with a task in it.
    fn of_the_program_before(folder: &Path) {
        let before = connect(&folder.join("cloud.db")).unwrap();
        let steps = &MIGRATIONS[..MIGRATIONS.len() - 1];
        for sql in steps {
            before.execute_batch(sql).unwrap();
        }
        before.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap()).unwrap();
        let task = "INSERT INTO task (code, subject, words, raised_ms)
            VALUES ('a', 'b', hex(zeroblob(2000000)), 1)";
        before.execute(task, []).unwrap();
    }

    fn version_and_tasks(path: &Path) -> (i64, i64) {
        let db = connect(path).unwrap();
        let number = |sql: &str| db.query_row(sql, [], |row| row.get(0)).unwrap();
        (number("PRAGMA user_version"), number("SELECT count(*) FROM task"))
    }

    #[test]
    fn a_copy_that_was_cut_short_is_made_again_before_anything_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        of_the_program_before(folder.path());
        let newest = known();
        let copy = folder.path().join(format!("cloud.before-{newest}.db"));
        fs::write(&copy, b"SQLite format 3\0 and then the power went").unwrap();
        drop(Sqlite::open(folder.path()).unwrap());
        assert_eq!(version_and_tasks(&copy), (newest - 1, 1), "the way back");
        assert_eq!(version_and_tasks(&folder.path().join("cloud.db")), (newest, 1));
    }

    #[test]
    fn of_programs_that_start_at_once_one_brings_the_store_up_to_date() {
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            of_the_program_before(folder.path());
            let together = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        together.wait();
                        drop(Sqlite::open(folder.path()).unwrap());
                    });
                }
            });
            let newest = known();
            let copy = folder.path().join(format!("cloud.before-{newest}.db"));
            assert_eq!(version_and_tasks(&copy), (newest - 1, 1), "the way back");
        }
    }

    #[test]
    fn a_store_is_not_brought_up_to_date_under_a_server_that_runs() {
        let folder = tempfile::tempdir().unwrap();
        of_the_program_before(folder.path());
        let running = server_lock(folder.path()).unwrap().unwrap();
        let refused = Sqlite::open(folder.path()).map(drop).unwrap_err();
        assert!(refused.to_string().contains("stop the server first"), "{refused}");
        assert_eq!(version_and_tasks(&folder.path().join("cloud.db")), (known() - 1, 1), "as it was");
        drop(running);
        drop(Sqlite::open(folder.path()).unwrap());
        assert_eq!(version_and_tasks(&folder.path().join("cloud.db")), (known(), 1));
        // One that is up to date already is there for everybody.
        let _running = server_lock(folder.path()).unwrap().unwrap();
        drop(Sqlite::open(folder.path()).unwrap());
    }

    #[tokio::test]
    async fn a_server_of_this_program_brings_its_own_store_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        of_the_program_before(folder.path());
        let config = crate::cloud::Config {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
            dir: folder.path().to_owned(),
            public_base: None,
            accounts: vec![],
            shop: crate::cloud::ShopDefaults::default(),
        };
        let running = crate::cloud::start(config, std::sync::Arc::new(|| 1_795_000_000_000)).await.unwrap();
        assert_eq!(version_and_tasks(&folder.path().join("cloud.db")), (known(), 1));
        running.shutdown().await;
    }
}
