//! Brings a database to the schema of this build, or leaves it exactly as it was.
//!
//! The files are `sql/till/*/NNNN_*.sql`; one that was released is never edited, and its checksum is kept
//! in every database it made. All that is due runs in one transaction, after a copy of a file that
//! already existed. A file of a newer Till, or of something else, is refused before anything is written.

use super::{Error, settings};
use ring::digest;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::fs::{self, File};
use std::path::Path;

/// One step of a schema.
pub(super) struct Migration {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

/// A sort of database: who made it and how it grew. Migration n is the nth of the list.
pub(super) struct Schema {
    /// In the file's header (`application_id`), so that a stranger's file is known.
    pub(super) application_id: i32,
    pub(super) migrations: &'static [Migration],
}

macro_rules! migrations {
    ($($path:literal),+ $(,)?) => {
        &[$(Migration { name: $path, sql: include_str!(concat!("../../sql/till/", $path)) }),+]
    };
}

/// `journal.db`: "TilJ".
pub(super) const JOURNAL: Schema = Schema {
    application_id: 0x5469_6c4a,
    migrations: migrations![
        "journal/0001_records.sql",
        "journal/0002_sealed.sql",
        "journal/0003_items.sql",
        "journal/0004_pruned.sql",
    ],
};

/// `edge.db`: "TilE".
pub(super) const EDGE: Schema = Schema {
    application_id: 0x5469_6c45,
    migrations: migrations!["edge/0001_edge.sql", "edge/0002_delivery.sql"],
};

/// What every database of ours begins with.
const CHECKSUMS: &str = "CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT";

impl Schema {
    /// The version that this build knows.
    pub(super) fn version(&self) -> u32 {
        u32::try_from(self.migrations.len()).expect("a schema has few migrations")
    }

    /// The version of a database of this sort; zero for an empty file. Writes nothing.
    pub(super) fn identify(&self, connection: &Connection, path: &Path) -> Result<u32, Error> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let open = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => {
                Error::Damaged { path: path.to_owned(), words: source.to_string() }
            }
            Some(_) | None => Error::Open { path: path.to_owned(), source },
        };
        let tables = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            .map_err(open)?;
        let application = number("application_id").map_err(open)?;
        let version = number("user_version").map_err(open)?;
        if application == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        let not_ours = || Error::NotOurs { path: path.to_owned() };
        let version = u32::try_from(version).map_err(|_| not_ours())?;
        if application != i64::from(self.application_id) || version == 0 {
            return Err(not_ours());
        }
        if version > self.version() {
            return Err(Error::Newer { path: path.to_owned(), found: version, known: self.version() });
        }
        Ok(version)
    }

    /// Applies what is missing, all of it or nothing.
    pub(super) fn migrate(
        &self,
        connection: &mut Connection,
        path: &Path,
        backups: &Path,
    ) -> Result<(), Error> {
        let version = self.identify(connection, path)?;
        self.check_history(connection, path, version)?;
        if version == self.version() {
            return Ok(());
        }
        if version > 0 {
            settings::quick_check(connection, path)?;
            back_up(connection, path, backups, version)?;
        }
        let applied = usize::try_from(version).expect("a version is a small number");
        let failed = |name| move |source| Error::Migrate { path: path.to_owned(), name, source };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed(self.migrations[applied].name))?;
        if version == 0 {
            transaction.execute_batch(CHECKSUMS).map_err(failed("checksums"))?;
            let id = self.application_id;
            transaction.pragma_update(None, "application_id", id).map_err(failed("application_id"))?;
        }
        for (number, migration) in (version + 1..).zip(&self.migrations[applied..]) {
            apply(&transaction, number, migration).map_err(failed(migration.name))?;
        }
        transaction.commit().map_err(failed("commit"))
    }

    fn check_history(&self, connection: &Connection, path: &Path, version: u32) -> Result<(), Error> {
        for (number, migration) in (1..=version).zip(self.migrations) {
            let kept = connection
                .query_row("SELECT sha256 FROM migration WHERE number = ?1", [number], |row| {
                    row.get::<_, [u8; 32]>(0)
                })
                .optional()
                .map_err(Error::open(path))?;
            if kept != Some(checksum(migration)) {
                return Err(Error::Altered { path: path.to_owned(), number });
            }
        }
        Ok(())
    }
}

fn apply(connection: &Connection, number: u32, migration: &Migration) -> rusqlite::Result<()> {
    connection.execute_batch(migration.sql)?;
    connection.execute(
        "INSERT INTO migration (number, name, sha256) VALUES (?1, ?2, ?3)",
        (number, migration.name, checksum(migration)),
    )?;
    connection.pragma_update(None, "user_version", number)
}

fn checksum(migration: &Migration) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest::digest(&digest::SHA256, migration.sql.as_bytes()).as_ref());
    sum
}

/// Copies a database page by page through SQLite, the log included, checks the copy, and only then
/// gives it its name: `backups/journal.db.1` is the last copy of a journal of version 1.
fn back_up(connection: &Connection, path: &Path, backups: &Path, version: u32) -> Result<(), Error> {
    fs::create_dir_all(backups).map_err(Error::prepare(backups))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let copy = backups.join(format!("{name}.{version}"));
    let unfinished = backups.join(format!("{name}.{version}.unfinished"));
    remove_database(&unfinished)?;
    let failed = |source| Error::Backup { path: copy.clone(), source };
    let mut target = settings::open_to_write(&unfinished)?;
    let step = Backup::new(connection, &mut target).and_then(|backup| backup.step(-1)).map_err(failed)?;
    if step != StepResult::Done {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(failed(rusqlite::Error::SqliteFailure(busy, None)));
    }
    settings::quick_check(&target, &unfinished)?;
    target.close().map_err(|(_, source)| failed(source))?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(Error::prepare(&unfinished))?;
    fs::rename(&unfinished, &copy).map_err(Error::prepare(&copy))?;
    File::open(backups).and_then(|dir| dir.sync_all()).map_err(Error::prepare(backups))
}

/// Removes what an interrupted copy left, its logs first: they would be played into the next one.
pub(super) fn remove_database(path: &Path) -> Result<(), Error> {
    for suffix in ["-journal", "-wal", "-shm", ""] {
        let mut part = path.as_os_str().to_owned();
        part.push(suffix);
        match fs::remove_file(&part) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::prepare(path)(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const FIRST: Migration = Migration { name: "one", sql: "CREATE TABLE a (b INTEGER) STRICT;" };
    const GOOD: Schema = Schema { application_id: 7, migrations: &[FIRST] };
    const LONGER: Schema = Schema {
        application_id: 7,
        migrations: &[
            FIRST,
            Migration { name: "two", sql: "ALTER TABLE a ADD COLUMN c TEXT; UPDATE a SET c = 'x';" },
        ],
    };
    const FAILING: Schema = Schema {
        application_id: 7,
        migrations: &[
            FIRST,
            Migration { name: "two", sql: "ALTER TABLE a ADD COLUMN c TEXT;" },
            Migration { name: "three", sql: "DROP TABLE a; INSERT INTO nowhere VALUES (1);" },
        ],
    };
    const OTHER: Schema = Schema {
        application_id: 7,
        migrations: &[Migration { name: "one", sql: "CREATE TABLE a (b INTEGER, c TEXT) STRICT;" }],
    };

    struct Room {
        dir: tempfile::TempDir,
    }

    impl Room {
        fn new() -> Self {
            let room = Self { dir: tempfile::tempdir().unwrap() };
            room.migrate(&GOOD).unwrap();
            room.connection().execute("INSERT INTO a VALUES (5)", []).unwrap();
            room
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("some.db")
        }

        fn connection(&self) -> Connection {
            settings::open_to_write(&self.path()).unwrap()
        }

        fn migrate(&self, schema: &Schema) -> Result<(), Error> {
            schema.migrate(&mut self.connection(), &self.path(), &self.dir.path().join("backups"))
        }
    }

    #[test]
    fn a_failed_migration_leaves_the_file_as_it_was() {
        let room = Room::new();
        let before = fs::read(room.path()).unwrap();
        let error = room.migrate(&FAILING).unwrap_err();
        assert!(matches!(error, Error::Migrate { name: "three", .. }), "{error}");
        assert_eq!(fs::read(room.path()).unwrap(), before, "byte for byte");
        room.migrate(&GOOD).unwrap();
    }

    #[test]
    fn a_file_is_copied_before_it_is_migrated() {
        let room = Room::new();
        room.migrate(&LONGER).unwrap();
        let now: String = room.connection().query_row("SELECT c FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(now, "x");
        let copy = settings::open_to_read(&room.dir.path().join("backups/some.db.1")).unwrap();
        assert_eq!(GOOD.identify(&copy, Path::new("copy")).unwrap(), 1);
        let then: i64 = copy.query_row("SELECT b FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(then, 5);
    }

    #[test]
    fn a_new_file_needs_no_copy() {
        let room = Room::new();
        assert!(!room.dir.path().join("backups").exists());
    }

    #[test]
    fn a_newer_or_foreign_or_altered_file_is_refused_untouched() {
        let room = Room::new();
        room.migrate(&LONGER).unwrap();
        let before = fs::read(room.path()).unwrap();
        let newer = room.migrate(&GOOD).unwrap_err();
        assert!(matches!(newer, Error::Newer { found: 2, known: 1, .. }), "{newer}");
        let foreign = room.migrate(&JOURNAL).unwrap_err();
        assert!(matches!(foreign, Error::NotOurs { .. }), "{foreign}");
        assert_eq!(fs::read(room.path()).unwrap(), before);

        let room = Room::new();
        let altered = room.migrate(&OTHER).unwrap_err();
        assert!(matches!(altered, Error::Altered { number: 1, .. }), "{altered}");

        fs::write(room.path(), "a shopping list that is no database at all".repeat(99)).unwrap();
        let damaged = room.migrate(&GOOD).unwrap_err();
        assert!(damaged.is_damage(), "{damaged}");
    }

    #[test]
    fn the_migrations_lead_to_the_schema_for_readers() {
        let schemas = [
            (JOURNAL, include_str!("../../sql/till/journal/schema.sql")),
            (EDGE, include_str!("../../sql/till/edge/schema.sql")),
        ];
        for (schema, for_readers) in schemas {
            let mut migrated = Connection::open_in_memory().unwrap();
            schema.migrate(&mut migrated, Path::new("memory"), Path::new("nowhere")).unwrap();
            let written = Connection::open_in_memory().unwrap();
            written.execute_batch(for_readers).unwrap();
            assert_eq!(shape(&migrated), shape(&written));
        }
    }

    /// Every table, index, trigger and view, without comments and spacing.
    fn shape(connection: &Connection) -> Vec<(String, String, String)> {
        let mut statement = connection
            .prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
            .unwrap();
        let rows = statement.query_map([], |row| {
            let sql: String = row.get(2)?;
            let plain: Vec<&str> = sql.lines().flat_map(|line| line.split("--").take(1)).collect();
            let plain = plain.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            Ok((row.get(0)?, row.get(1)?, plain))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}
