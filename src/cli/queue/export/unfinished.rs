//! A file that has its name only once it is whole: until then it is called `NAME.unfinished`, and goes when anything fails.
//!
//! Not here: what is written.

use anyhow::Context as _;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file on its way. Dropped before it is finished, it is removed; cut off, it keeps the name that says so.
pub(super) struct Unfinished {
    out: BufWriter<File>,
    path: PathBuf,
    to: PathBuf,
}

impl Unfinished {
    /// Begins a file that will be called `to`, for its owner's eyes only. One that is there is never overwritten; what an
    /// earlier try was cut off in is.
    pub(super) fn begin(to: &Path) -> anyhow::Result<Self> {
        let mut name = to.as_os_str().to_owned();
        name.push(".unfinished");
        let path = PathBuf::from(name);
        if fs::symlink_metadata(to).is_ok() {
            return Err(taken(to));
        }
        // One that is being written is another export's; it is locked as long as it has this name.
        if let Ok(before) = File::open(&path)
            && matches!(before.try_lock(), Err(TryLockError::WouldBlock))
        {
            let busy = anyhow::Error::new(io::Error::from(io::ErrorKind::WouldBlock));
            let words = "is being written by another export: wait for it, or choose another name";
            return Err(busy.context(format!("{} {words}", to.display())));
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(anyhow::Error::new(error).context(unmade(&path)));
            }
            Ok(()) | Err(_) => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| unmade(&path))?;
        // Where a file system has no locks, two exports to one name are the caller's matter.
        let _ = file.try_lock();
        Ok(Self { out: BufWriter::new(file), path, to: to.to_owned() })
    }

    /// Gives the file its name once the disk has it.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let kept = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        kept.with_context(|| format!("{} could not be written", self.to.display()))?;
        match renameat2(AT_FDCWD, &self.path, AT_FDCWD, &self.to, RenameFlags::RENAME_NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EEXIST) => return Err(taken(&self.to)),
            // A file system that has no such way to rename.
            Err(Errno::EINVAL | Errno::ENOSYS) if fs::symlink_metadata(&self.to).is_err() => {
                fs::rename(&self.path, &self.to).with_context(|| unmade(&self.to))?;
            }
            Err(Errno::EINVAL | Errno::ENOSYS) => return Err(taken(&self.to)),
            Err(error) => return Err(anyhow::Error::new(io::Error::from(error)).context(unmade(&self.to))),
        }
        let folder = self.to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let named = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        named.with_context(|| {
            format!("{} is whole, and a power cut may take its name away", self.to.display())
        })
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // A finished one has another name by now. What cannot be removed says by its name what it is.
        let _ = fs::remove_file(&self.path);
    }
}

fn taken(to: &Path) -> anyhow::Error {
    anyhow::Error::new(io::Error::from(io::ErrorKind::AlreadyExists))
        .context(format!("{} is there already: choose another name", to.display()))
}

fn unmade(path: &Path) -> String {
    format!(
        "{} cannot be made: check that the folder is there and may be written to, or choose another name",
        path.display()
    )
}
