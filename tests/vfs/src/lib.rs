//! A disk for tests, under SQLite: it records what is written and flushed, fails where it is told to, and replays what a
//! power cut leaves behind.
//!
//! [`Tape::record`] watches one directory; every database that SQLite opens in it, by whatever code, is on the tape.
//! [`replay::Replay`] then makes the files as they are after a cut at any place of the tape: what was flushed is there;
//! of what was not, all, nothing, or each sector of 512 bytes by chance.
//!
//! Not here: what must hold afterwards (the proofs, in `tests/`).

pub mod chance;
pub mod replay;
mod shim;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

/// One thing that SQLite asked of the disk.
#[derive(Clone, Debug)]
pub enum Op {
    /// Bytes from a place on.
    Write {
        /// Which file.
        file: String,
        /// Where.
        at: u64,
        /// What.
        data: Vec<u8>,
    },
    /// The file is cut, or grown with zeros.
    Truncate {
        /// Which file.
        file: String,
        /// To how many bytes.
        size: u64,
    },
    /// Everything of this file is on the disk when it returns.
    Sync {
        /// Which file.
        file: String,
    },
    /// The file's name is taken away.
    Delete {
        /// Which file.
        file: String,
    },
    /// Not the disk's: whoever writes was told that this much is safe.
    Told(u64),
    /// Not the disk's: a file that other code put in its place, written beside and renamed.
    Placed {
        /// Which file.
        file: String,
        /// Its bytes.
        data: Vec<u8>,
    },
}

/// What goes wrong, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// From the nth write on there is no room.
    Full(u64),
    /// The nth flush fails, once.
    Flush(u64),
    /// From the nth write on the disk can only be read.
    ReadOnly(u64),
}

/// A recording of one directory.
#[derive(Default, Debug)]
pub struct Tape {
    /// The files as they were when the recording began.
    pub before: BTreeMap<String, Vec<u8>>,
    /// What was asked of the disk since.
    pub ops: Vec<Op>,
    fault: Option<Fault>,
    writes: u64,
    flushes: u64,
}

/// The tape of a directory, as whoever records holds it.
pub type Shared = Arc<Mutex<Tape>>;

static TAPES: Mutex<BTreeMap<PathBuf, Shared>> = Mutex::new(BTreeMap::new());

/// What is registered once for the whole process: SQLite's default from then on.
static REGISTERED: Once = Once::new();

impl Tape {
    /// Watches a directory from here on. Databases in it have to be opened after this.
    ///
    /// # Panics
    /// When the directory cannot be read.
    pub fn record(dir: &Path) -> Recording {
        REGISTERED.call_once(shim::register);
        let dir = dir.canonicalize().expect("the directory is there");
        let files = std::fs::read_dir(&dir).expect("the directory can be read").flatten();
        let files = files.filter(|entry| is_kept(&entry.file_name().to_string_lossy()));
        let before = files.filter(|entry| entry.path().is_file()).map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).expect("a file can be read"))
        });
        let tape = Self { before: before.collect(), ..Self::default() };
        let tape = Arc::new(Mutex::new(tape));
        lock(&TAPES).insert(dir.clone(), Arc::clone(&tape));
        Recording { dir, tape }
    }

    fn write(&mut self, file: &str, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.writes += 1;
        match self.fault {
            Some(fault @ (Fault::Full(nth) | Fault::ReadOnly(nth))) if self.writes >= nth => {
                return Err(fault);
            }
            Some(_) | None => {}
        }
        self.ops.push(Op::Write { file: file.to_owned(), at, data: data.to_vec() });
        Ok(())
    }

    fn flush(&mut self, file: &str) -> Result<(), Fault> {
        self.flushes += 1;
        if let Some(fault @ Fault::Flush(nth)) = self.fault
            && self.flushes == nth
        {
            return Err(fault);
        }
        self.ops.push(Op::Sync { file: file.to_owned() });
        Ok(())
    }
}

/// A directory that is watched, until this goes.
#[derive(Debug)]
pub struct Recording {
    dir: PathBuf,
    tape: Shared,
}

impl Recording {
    /// Whoever writes was told that this much is safe.
    pub fn told(&self, much: u64) {
        lock(&self.tape).ops.push(Op::Told(much));
    }

    /// Other code put a file in its place.
    pub fn placed(&self, file: &str, data: Vec<u8>) {
        lock(&self.tape).ops.push(Op::Placed { file: file.to_owned(), data });
    }

    /// Writes and flushes so far.
    pub fn counts(&self) -> (u64, u64) {
        let tape = lock(&self.tape);
        (tape.writes, tape.flushes)
    }

    /// From here on this goes wrong, counted from now; none heals the disk.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut tape = lock(&self.tape);
        (tape.writes, tape.flushes, tape.fault) = (0, 0, fault);
    }

    /// The recording so far.
    pub fn end(self) -> Tape {
        std::mem::take(&mut *lock(&self.tape))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        lock(&TAPES).remove(&self.dir);
    }
}

/// The tape of a file's directory, if it is watched, and the file's name there.
fn tape_of(path: &Path) -> Option<(Shared, String)> {
    let tapes = lock(&TAPES);
    let tape = tapes.get(path.parent()?)?;
    Some((Arc::clone(tape), path.file_name()?.to_string_lossy().into_owned()))
}

/// Whether a file is part of a database that outlives a power cut; the log's index in memory does not.
fn is_kept(name: &str) -> bool {
    name.contains(".db") && !name.ends_with("-shm")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
