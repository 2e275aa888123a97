//! How much room the disk has for the journal, and a ballast file that is thrown overboard before it has none.
//!
//! With nothing left SQLite can neither commit nor fold its log in (`SQLITE_FULL`), so a till stops selling while there
//! still is some, and the ballast gives back enough to finish what is under way, to stop in order and to bring the queue
//! to the cloud. Not here: what is refused then (`till`).

use super::Error;
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// The ballast, in the state directory.
const BALLAST: &str = "ballast";

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

/// Where a till begins to worry, and where it stops selling.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Below this many free bytes people are told.
    pub warn_bytes: u64,
    /// Below this many nothing new is sold.
    pub stop_bytes: u64,
    /// What the ballast holds back.
    pub ballast_bytes: u64,
    /// How many bytes the disk under a directory has free for this user.
    pub free: fn(&Path) -> io::Result<u64>,
}

impl Default for Room {
    /// 64 MiB are some ten thousand sales: more than a day. The ballast is what the largest log takes.
    fn default() -> Self {
        Self { warn_bytes: 256 * MIB, stop_bytes: 64 * MIB, ballast_bytes: 16 * MIB, free: free_bytes }
    }
}

impl Room {
    /// Free bytes, as if the ballast were there: thrown overboard it is not yet room to sell on. None where the system
    /// does not say.
    pub fn free(&self, dir: &Path) -> Option<u64> {
        let free = (self.free)(dir).ok()?;
        let held = fs::metadata(dir.join(BALLAST)).map_or(0, |ballast| ballast.len());
        Some(free.saturating_sub(self.ballast_bytes.saturating_sub(held)))
    }

    /// Takes the ballast on, if it is not there and the disk has room for it.
    ///
    /// # Errors
    /// [`Error::Prepare`] when the disk refuses; what was begun is taken away again.
    pub fn take_ballast(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(BALLAST);
        let held = fs::metadata(&path).map_or(0, |ballast| ballast.len());
        let free = self.free(dir).unwrap_or(0);
        if held >= self.ballast_bytes || self.ballast_bytes == 0 || free < self.stop_bytes {
            return Ok(());
        }
        let allot = || {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            let length = i64::try_from(self.ballast_bytes).map_err(io::Error::other)?;
            posix_fallocate(&file, 0, length)?;
            file.sync_all()
        };
        allot().map_err(|error| {
            // A part of it would only be in the way.
            let _ = fs::remove_file(&path);
            Error::prepare(&path)(error)
        })
    }

    /// Throws the ballast overboard.
    pub fn drop_ballast(&self, dir: &Path) {
        match fs::remove_file(dir.join(BALLAST)) {
            Ok(()) => {
                tracing::warn!("The ballast is thrown overboard, so that the till can finish what it is at.")
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(error = %error, "The ballast cannot be taken away."),
        }
    }
}

/// What the file system has free for who is not root (POSIX statvfs, `f_bavail` times `f_frsize`).
#[allow(clippy::useless_conversion)] // narrower on machines of 32 bits
fn free_bytes(dir: &Path) -> io::Result<u64> {
    let stat = statvfs(dir)?;
    Ok(u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plenty(_: &Path) -> io::Result<u64> {
        Ok(100 * MIB)
    }

    fn little(_: &Path) -> io::Result<u64> {
        Ok(30 * MIB)
    }

    const ROOM: Room =
        Room { warn_bytes: 90 * MIB, stop_bytes: 60 * MIB, ballast_bytes: 8 * MIB, free: plenty };

    #[test]
    fn the_disk_says_how_much_is_free() {
        assert!(free_bytes(&std::env::temp_dir()).unwrap() > 0);
        assert!(free_bytes(Path::new("/no/such/place")).is_err());
    }

    #[test]
    fn the_ballast_really_takes_room_and_gives_it_back() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ROOM.free(dir.path()), Some(92 * MIB), "what it will take is not room to sell on");
        ROOM.take_ballast(dir.path()).unwrap();
        let ballast = fs::metadata(dir.path().join(BALLAST)).unwrap();
        assert_eq!((ballast.len(), ballast.blocks() * 512 >= 8 * MIB), (8 * MIB, true));
        assert_eq!(ROOM.free(dir.path()), Some(100 * MIB));
        ROOM.drop_ballast(dir.path());
        ROOM.drop_ballast(dir.path());
        assert!(!dir.path().join(BALLAST).exists());
    }

    #[test]
    fn no_ballast_is_taken_where_there_is_no_room_for_it() {
        let dir = tempfile::tempdir().unwrap();
        Room { free: little, ..ROOM }.take_ballast(dir.path()).unwrap();
        Room { ballast_bytes: 0, ..ROOM }.take_ballast(dir.path()).unwrap();
        assert!(!dir.path().join(BALLAST).exists());
    }
}
