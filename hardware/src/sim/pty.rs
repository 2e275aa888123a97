//! A pseudo-terminal behind a link of a fixed name.
//!
//! The device's side is the master. Our own handle on the other side stays open, so that a host that closes and
//! opens the port again does not look like a hang-up.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;

use crate::link::Deadline;

/// The device's side of a terminal, with its link. Dropping it pulls the device out.
pub(super) struct Pty {
    master: File,
    slave: OwnedFd,
    link: PathBuf,
    target: PathBuf,
}

impl Pty {
    /// Makes a terminal and points `link` at it, in place of whatever link was there.
    pub(super) fn plug(link: &Path) -> io::Result<Pty> {
        // Only a link of our own kind is replaced: a file of that name is somebody's.
        if std::fs::symlink_metadata(link).is_ok_and(|found| !found.file_type().is_symlink()) {
            let words =
                format!("{} is a file and not a port: name another place for the port", link.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
        let pair = openpty(None, None)?;
        // A program started from here must not hold the device: it would never look unplugged.
        for end in [&pair.master, &pair.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        // A host that stalls must not stall us: writes to it are given up instead.
        fcntl(&pair.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let target = ttyname(&pair.slave)?;
        if let Some(folder) = link.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // Made beside and moved over, so that the name never points nowhere.
        let mut beside = link.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let _ = std::fs::remove_file(&beside);
        symlink(&target, &beside)?;
        std::fs::rename(&beside, link)?;
        Ok(Pty { master: File::from(pair.master), slave: pair.slave, link: link.to_owned(), target })
    }

    /// Reads what the host has sent; 0 when nothing came within `wait`.
    pub(super) fn read(&mut self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        // A host that was killed leaves the terminal claimed. On a real port its last close releases it; here our
        // own handle keeps it open, so we release it. The host's file lock is not touched by this.
        let _ = rustix::termios::ioctl_tiocnxcl(self.slave.as_fd());
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
        let mut files = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut files, wait)? == 0 {
            return Ok(0);
        }
        match self.master.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }

    /// Waits until the host has read all that was sent to it. `false`: not within `wait`.
    pub(super) fn wait_until_read(&self, wait: Duration) -> bool {
        /// The kernel tells nobody that the other side has read, so it is asked as often as this.
        const LOOK_MS: u8 = 1;
        /// So many looks in a row that find nothing are taken for the end.
        const LOOKS_EMPTY: u32 = 5;
        let deadline = Deadline::after(wait);
        let mut looks_empty = 0;
        loop {
            // Bytes pass through a second buffer on their way, which cannot be asked.
            let empty = rustix::io::ioctl_fionread(&self.slave).is_ok_and(|waiting| waiting == 0);
            looks_empty = if empty { looks_empty + 1 } else { 0 };
            if looks_empty >= LOOKS_EMPTY {
                return true;
            }
            if deadline.has_passed() {
                return false;
            }
            let _ = poll(&mut [], LOOK_MS);
        }
    }

    /// Sends to the host. What its buffer does not take within a second is lost, as on a line without flow control.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.master.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut files = [PollFd::new(self.master.as_fd(), PollFlags::POLLOUT)];
                    if poll(&mut files, PollTimeout::from(1000_u16))? == 0 {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Only if it is still ours: another device may have been plugged in under the same name.
        if std::fs::read_link(&self.link).is_ok_and(|target| target == self.target) {
            let _ = std::fs::remove_file(&self.link);
        }
    }
}
