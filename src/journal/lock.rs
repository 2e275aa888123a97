//! One Till on one state directory: a lock that the system gives back however the process ends.

use super::Error;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Holds the state directory until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the directory if there is none, for its owner alone, and takes its lock.
    pub(super) fn take(dir: &Path) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::prepare(dir))?;
        let path = dir.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::prepare(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::AnotherInstance { dir: dir.to_owned(), process: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(Error::prepare(&path)(source)),
        }
        sign(&mut file).map_err(Error::prepare(&path))?;
        Ok(Self { _file: file })
    }
}

/// Leaves our process number for the words of whoever comes second.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
