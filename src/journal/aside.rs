//! Books that cannot be trusted any more are set aside: renamed as they are, never repaired, never deleted.
//!
//! `aside/0001` in the state directory has the files of the first time, and so on. A mark says that it was begun and how
//! far it came, so that a power cut in the middle changes nothing: the next start goes on where this one ended. The mark
//! stays until the new epoch's first record is on disk.
//!
//! Not here: reading what is left in such files (`carve`), and what the new epoch may do (`counter`).

use super::Error;
use crate::record::epochs::{Found, Left};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Says that books were set aside and no new epoch has begun yet.
const MARK: &str = "begin-anew";

/// Wants every page and every record looked at when the journal is opened next.
const CHECK: &str = "check-journal";

/// A copy that takes the place of the journal that is set aside.
const RESTORED: &str = "journal.db.restored";

/// What belongs to a journal, the database itself first: without it its logs are nothing.
const JOURNAL_FILES: [&str; 5] =
    ["journal.db", "journal.db-wal", "journal.db-shm", "journal.db-journal", "snapshot"];

/// What belongs to the edge store.
const EDGE_FILES: [&str; 4] = ["edge.db", "edge.db-wal", "edge.db-shm", "edge.db-journal"];

/// Times that one directory is begun anew by itself; a disk that damages files this often needs a person.
const ASIDE_MAX: u32 = 9_999;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Mark {
    why: Left,
    words: String,
    aside: String,
    /// Every file is where it belongs; what stands in the journal's place now is the new one.
    moved: bool,
}

/// Sets the journal's files aside. What stands in their place afterwards is nothing, or a copy that was prepared.
pub(super) fn set_aside(dir: &Path, why: Left, words: &str) -> Result<(), Error> {
    let aside = next_free(dir)?;
    write_mark(dir, &Mark { why, words: words.to_owned(), aside, moved: false })?;
    finish(dir).map(drop)
}

/// Goes on where an earlier process was cut off, and says what the new epoch follows, if it has not begun yet.
pub(super) fn finish(dir: &Path) -> Result<Option<Found>, Error> {
    let path = dir.join(MARK);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::prepare(&path)(error)),
    };
    let Ok(mark) = serde_json::from_slice::<Mark>(&text) else {
        // It is written whole or not at all; what else stands here says nothing.
        tracing::warn!(file = %path.display(), "This file is not ours and is left out.");
        return Ok(None);
    };
    if !mark.moved {
        let aside = dir.join(&mark.aside);
        let restored = dir.join(RESTORED);
        // The copy is there before the mark is. Where it is not, it stands in the journal's place already, and all that
        // was there before is moved.
        if mark.why != Left::Restored || restored.exists() {
            move_files(dir, &aside, &JOURNAL_FILES)?;
            sync(&aside)?;
            sync(dir)?;
        }
        if mark.why == Left::Restored && restored.exists() {
            rename(&restored, &dir.join("journal.db"))?;
            sync(dir)?;
        }
        write_mark(dir, &Mark { moved: true, ..mark.clone() })?;
    }
    Ok(Some(Found { why: mark.why, words: mark.words, aside: mark.aside, received: None }))
}

/// Whether setting aside was begun: what was prepared for it is part of it then.
pub(super) fn is_begun(dir: &Path) -> bool {
    dir.join(MARK).exists()
}

/// The new epoch has begun.
pub(super) fn begun(dir: &Path) -> Result<(), Error> {
    let path = dir.join(MARK);
    match fs::remove_file(&path) {
        Ok(()) => sync(dir),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::prepare(&path)(error)),
    }
}

/// Has the next start look at every page and every record, however this one ends.
///
/// # Errors
/// [`Error::Prepare`] when that cannot be written down.
pub fn check_at_start(dir: &Path) -> Result<(), Error> {
    let path = dir.join(CHECK);
    File::create(&path).and_then(|file| file.sync_all()).map_err(Error::prepare(&path))?;
    sync(dir)
}

/// Whether somebody wants every page and every record looked at.
pub(super) fn is_check_wanted(dir: &Path) -> bool {
    dir.join(CHECK).exists()
}

/// They were looked at.
pub(super) fn checked(dir: &Path) -> Result<(), Error> {
    let path = dir.join(CHECK);
    match fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::prepare(&path)(error)),
    }
}

/// Sets the edge store's files aside; returns where they are.
pub(super) fn set_edge_aside(dir: &Path) -> Result<PathBuf, Error> {
    let aside = dir.join(next_free(dir)?);
    // The logs first: an edge store that lost its last writes fetches them again, logs without it are nothing.
    let mut files = EDGE_FILES;
    files.reverse();
    move_files(dir, &aside, &files)?;
    sync(&aside)?;
    sync(dir)?;
    Ok(aside)
}

/// Where a copy is prepared before it takes the journal's place.
pub(super) fn restored_path(dir: &Path) -> PathBuf {
    dir.join(RESTORED)
}

fn next_free(dir: &Path) -> Result<String, Error> {
    for number in 1..=ASIDE_MAX {
        let name = format!("aside/{number:04}");
        let path = dir.join(&name);
        if path.exists() {
            continue;
        }
        fs::create_dir_all(&path).map_err(Error::prepare(&path))?;
        sync(&dir.join("aside"))?;
        sync(dir)?;
        return Ok(name);
    }
    let full = std::io::Error::other("too many files were set aside: look why this disk damages them");
    Err(Error::prepare(&dir.join("aside"))(full))
}

/// Moves what is there and is not set aside yet: what was set aside is never written over.
fn move_files(from: &Path, to: &Path, names: &[&str]) -> Result<(), Error> {
    for name in names {
        let (file, aside) = (from.join(name), to.join(name));
        if fs::symlink_metadata(&file).is_ok() && fs::symlink_metadata(&aside).is_err() {
            rename(&file, &aside)?;
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::prepare(from))
}

fn write_mark(dir: &Path, mark: &Mark) -> Result<(), Error> {
    put_whole(dir, MARK, &serde_json::to_vec(mark).expect("a mark is plain text"))
}

/// Written beside, then put in its place: the whole of it is there, durably, or what was there before.
pub(super) fn put_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let (unfinished, path) = (dir.join(format!("{name}.unfinished")), dir.join(name));
    let write = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)
    };
    write().map_err(Error::prepare(&path))?;
    sync(dir)
}

pub(super) fn sync(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::prepare(dir))
}
