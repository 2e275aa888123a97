//! Copies of a journal: made beside a running till, verified before they have their name, and put back.
//!
//! A copy is made by SQLite from one moment of the journal, the log included; copying the file alone would leave the log
//! behind. **Invariant:** a copy under its name was read from where records are kept to its last, and its chain holds.
//!
//! Not here: copies before a migration (`migrations`), keys (they are not copied), the edge store (it is made again).

use super::edge::EdgeStore;
use super::vault::Vault;
use super::{End, Error, Loaded, Reader, aside, journal_path, lock, migrations, pruned, settings};
use crate::record::Header;
use crate::record::body::Body;
use crate::record::epochs::Left;
use crate::record::ids::TerminalId;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Pages copied between two words about how far it is: 16 MiB.
const STEP_PAGES: i32 = 4_096;

const LAST_HEAD: &str = "SELECT head FROM record ORDER BY position DESC LIMIT 1";

/// What a copy holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Records in it, over all epochs; those before a state that was brought forward are not counted.
    pub records: u64,
    /// Where it ends; none where it is empty.
    pub end: Option<End>,
    /// Whose it is.
    pub terminal: Option<TerminalId>,
    /// Number of the last word of head office about a record that is in it; 0 where there is none.
    pub last_verdict: u64,
}

/// What was done to put a copy back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutBack {
    /// What the copy holds.
    pub copied: Copied,
    /// Records that the cloud has of the same epoch beyond the copy's end.
    pub beyond: u64,
}

/// What happens to records of the present journal that the cloud has not received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsent {
    /// Nothing is put back then.
    Refuse,
    /// They are set aside with it, and listed.
    SetAside,
}

impl Reader {
    /// Copies the journal as it is now into a new file, which has its name once it was verified. `progress` hears how
    /// many of how many pages are copied. The till goes on meanwhile.
    ///
    /// # Errors
    /// [`Error::CopyExists`] for a name that is taken; [`Error::Copy`] and others when the disk refuses or the copy
    /// does not verify. Then there is no file of that name. It is damage only where the journal itself is damaged, not
    /// the copy alone.
    pub fn back_up(&self, to: &Path, progress: impl FnMut(u64, u64)) -> Result<Copied, Error> {
        if to.exists() {
            return Err(Error::CopyExists { path: to.to_owned() });
        }
        let source = settings::open_to_read(&self.path)?;
        let unfinished = beside(to, "unfinished");
        remove(&unfinished)?;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let made = copy(&source, &unfinished, progress).and_then(|()| verify(&unfinished, dir));
        let copied = made.map_err(|error| {
            drop(remove(&unfinished));
            if error.is_damage() { whose_damage(&self.path, to) } else { error }
        })?;
        fs::rename(&unfinished, to).map_err(Error::prepare(to))?;
        match to.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => aside::sync(folder)?,
            Some(_) | None => aside::sync(Path::new("."))?,
        }
        Ok(copied)
    }
}

/// Of a copy that cannot be read back: what is the matter with the journal, or else with the copy's disk.
fn whose_damage(journal: &Path, to: &Path) -> Error {
    verify(journal, journal.parent().unwrap_or(Path::new("."))).err().unwrap_or_else(|| {
        let words = "what was written cannot be read back, and the journal is whole: look at this disk";
        Error::prepare(to)(std::io::Error::other(words))
    })
}

/// Copies a journal into a folder of the state directory, making that if there is none. Where the copy shows that the
/// journal is damaged, the next start looks at every record of it.
///
/// # Errors
/// As [`Reader::back_up`].
pub fn copy_into(reader: &Reader, folder: &Path, to: &Path) -> Result<Copied, Error> {
    fs::create_dir_all(folder).map_err(Error::prepare(folder))?;
    let copied = reader.back_up(to, |_, _| ());
    if copied.as_ref().is_err_and(Error::is_damage) {
        aside::check_at_start(reader.path.parent().unwrap_or(Path::new(".")))?;
    }
    copied
}

/// Puts a copy in the place of a till's journal. The present files are set aside, and the next start begins a new epoch
/// that follows the copy: no number is ever written twice.
///
/// # Errors
/// [`Error::AnotherInstance`] while a till runs on the directory; [`Error::CopyInTheWay`] for what an earlier restore was
/// cut off in; [`Error::OtherTills`] for the copy of another till;
/// [`Error::Unsent`] where records would be set aside that the cloud has not received, [`Error::Uncounted`] where nobody
/// can tell; [`Error::NoGoodCopy`] when the copy is newer, foreign or damaged. Nothing was changed then.
pub fn put_back(dir: &Path, from: &Path, terminal: &TerminalId, unsent: Unsent) -> Result<PutBack, Error> {
    let _lock = lock::Lock::take(dir)?;
    aside::finish(dir)?;
    let prepared = aside::restored_path(dir);
    if let (Ok(from), Ok(prepared)) = (from.canonicalize(), prepared.canonicalize())
        && from == prepared
    {
        return Err(Error::CopyInTheWay { path: from });
    }
    remove(&prepared)?;
    let made = prepare(dir, from, &prepared, terminal).and_then(|copied| {
        let beyond = check(dir, &copied, unsent)?;
        // What head office has said since is lost with the present journal: it is told again.
        let edge = EdgeStore::open(dir)?;
        edge.set_cursor(edge.cursor()?.min(copied.last_verdict))?;
        Ok((copied, beyond))
    });
    // A disk that is full is not left fuller.
    let (copied, beyond) = made.inspect_err(|_| drop(remove(&prepared)))?;
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    let set_aside = aside::set_aside(dir, Left::Restored, &format!("restored from {name}"));
    if set_aside.is_err() && !aside::is_begun(dir) {
        drop(remove(&prepared));
    }
    set_aside?;
    Ok(PutBack { copied, beyond })
}

/// Copies the copy to where the journal can take it from, in the form of this build, and reads it.
fn prepare(dir: &Path, from: &Path, prepared: &Path, terminal: &TerminalId) -> Result<Copied, Error> {
    let no_good = |source| Error::NoGoodCopy { path: from.to_owned(), why: Box::new(source) };
    let source = settings::open_to_read(from).map_err(no_good)?;
    let version = migrations::JOURNAL.identify(&source, from).map_err(no_good)?;
    // Of another till's the key would not fit, and it is not the key that is wrong.
    let found = if version == 0 { None } else { owner(&source).map_err(no_good)? };
    let others = |found| Error::OtherTills { found, here: terminal.clone() };
    if version == 0 || found.as_ref().is_some_and(|found| found != terminal) {
        return Err(others(found));
    }
    copy(&source, prepared, |_, _| ())
        .map_err(|error| if error.is_damage() { no_good(error) } else { error })?;
    if version < migrations::JOURNAL.version() {
        bring_up(prepared, dir)?;
    }
    let copied = verify(prepared, dir).map_err(no_good)?;
    if copied.terminal.is_none() { Err(others(None)) } else { Ok(copied) }
}

/// Whose the last record is; none where there is none.
fn owner(connection: &Connection) -> Result<Option<TerminalId>, Error> {
    let last = connection.query_row(LAST_HEAD, [], |row| row.get::<_, Vec<u8>>(0)).optional();
    let last = last.map_err(Error::Read)?.and_then(|head| Header::decode(&head).ok());
    Ok(last.map(|header| header.terminal))
}

/// Whether this copy may take the place of what is there; how much the cloud has beyond it.
fn check(dir: &Path, copied: &Copied, unsent: Unsent) -> Result<u64, Error> {
    let edge = EdgeStore::open(dir)?;
    if unsent == Unsent::Refuse && journal_path(dir).exists() {
        let ends = Reader::open(dir).and_then(|reader| reader.epochs());
        let ends = ends.map_err(|error| {
            // One of an older Till is whole, and can be counted once this one has been started on it.
            let is_older = matches!(error, Error::NotMigrated { found: 1.., .. });
            if is_older { error } else { Error::Uncounted(Box::new(error)) }
        })?;
        let mut waiting = 0;
        for end in ends {
            waiting += end.tip.seq.saturating_sub(edge.watermark(end.epoch)?.seq);
        }
        if waiting > 0 {
            return Err(Error::Unsent { records: waiting });
        }
    }
    let Some(end) = copied.end else { return Ok(0) };
    Ok(edge.watermark(end.epoch)?.seq.saturating_sub(end.tip.seq))
}

/// Copies one moment of a database into a file of its own, without a log.
fn copy(source: &Connection, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<(), Error> {
    let failed = |source| {
        // Damage is found in what is copied, not in what is written.
        if Error::tells_of_damage(&source) {
            return Error::Read(source);
        }
        Error::Copy { path: to.to_owned(), source }
    };
    // One moment: what the till writes meanwhile does not begin the copy anew.
    let moment = source.unchecked_transaction().map_err(failed)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(failed)?;
    let mut target = settings::open_to_write(to)?;
    {
        let backup = Backup::new(source, &mut target).map_err(failed)?;
        loop {
            let step = backup.step(STEP_PAGES).map_err(failed)?;
            let pages = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
            progress(count(pages.pagecount - pages.remaining), count(pages.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                StepResult::Busy | StepResult::Locked | _ => {
                    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                    return Err(failed(rusqlite::Error::SqliteFailure(busy, None)));
                }
            }
        }
    }
    // A copy is one file: its log is folded in and gone.
    target.query_row("PRAGMA journal_mode = delete", [], |_| Ok(())).map_err(failed)?;
    target.close().map_err(|(_, source)| failed(source))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(Error::prepare(to))
}

/// Reads a copy from its first record to its last, with the secret of the state directory `dir`.
fn verify(path: &Path, dir: &Path) -> Result<Copied, Error> {
    let connection = settings::open_to_read(path)?;
    settings::quick_check(&connection, path)?;
    let vault = Vault::to_read(dir, &connection)?;
    let Loaded { snapshot, mut tail } = pruned::kept(&connection, &vault)?;
    // The record at which a state stands was read with it.
    let mut records = u64::from(snapshot.is_some());
    let mut last_verdict = 0;
    for record in tail.by_ref() {
        if let Body::Noted { verdict } = record?.body {
            last_verdict = verdict.number.max(last_verdict);
        }
        records += 1;
    }
    Ok(Copied { records, end: tail.end(), terminal: owner(&connection)?, last_verdict })
}

/// Brings the copy of an older Till to the schema of this build. The copy itself stays as it is elsewhere.
fn bring_up(path: &Path, dir: &Path) -> Result<(), Error> {
    let failed = |source| Error::Copy { path: path.to_owned(), source };
    let mut target = settings::open_to_write(path)?;
    migrations::JOURNAL.migrate(&mut target, path, &dir.join("backups"))?;
    target.query_row("PRAGMA journal_mode = delete", [], |_| Ok(())).map_err(failed)?;
    target.close().map_err(|(_, source)| failed(source))
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    name.into()
}

fn remove(path: &Path) -> Result<(), Error> {
    migrations::remove_database(path)
}

#[cfg(test)]
mod tests;
