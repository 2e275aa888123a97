//! A device file that is read and written without ever blocking: what serial ports and USB printers have in common.
//!
//! Not here: how a port is set up and locked (`serial`), which files are printers (`usb`), and what it means when a
//! file is readable and has nothing to say: on a serial port the device is gone, a printer may do so all the time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::LinkError;

/// `O_NONBLOCK` and `O_NOCTTY` on Linux: a write to a device that holds its line must not hold the caller.
const O_NONBLOCK: i32 = 0o4000;
const O_NOCTTY: i32 = 0o400;

/// An open device file.
pub(super) struct DeviceFile {
    address: String,
    file: File,
}

/// What a look at the file brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many bytes.
    Some(usize),
    /// Nothing within the time.
    NotYet,
    /// The file said that there is something, and there was nothing.
    Empty,
}

impl DeviceFile {
    /// Opens a device for reading and writing.
    pub(super) fn open(path: &Path) -> Result<DeviceFile, LinkError> {
        let address = path.display().to_string();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(O_NONBLOCK | O_NOCTTY)
            .open(path)
            .map_err(|source| LinkError::while_opening(address.clone(), source))?;
        Ok(DeviceFile { address, file })
    }

    /// What errors call it.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Its number in this process.
    pub(super) fn number(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Reads what has come, waiting at most `wait`.
    pub(super) fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<Taken, LinkError> {
        if !self.ready(PollFlags::POLLIN, wait)? {
            return Ok(Taken::NotYet);
        }
        match self.file.read(buffer) {
            Ok(0) => Ok(Taken::Empty),
            Ok(count) => Ok(Taken::Some(count)),
            Err(error) if would_block(&error) => Ok(Taken::NotYet),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Writes as much as the device takes within `wait`.
    pub(super) fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        if bytes.is_empty() || !self.ready(PollFlags::POLLOUT, wait)? {
            return Ok(0);
        }
        match self.file.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if would_block(&error) => Ok(0),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Another handle on the same open file.
    pub(super) fn another(&self) -> Result<DeviceFile, LinkError> {
        let file = self.file.try_clone().map_err(|error| self.failed(error))?;
        Ok(DeviceFile { address: self.address.clone(), file })
    }

    /// Waits until the file can be read or written. `false`: not within `wait`.
    fn ready(&self, flags: PollFlags, wait: Duration) -> Result<bool, LinkError> {
        let mut files = [PollFd::new(self.file.as_fd(), flags)];
        match poll(&mut files, at_most(wait)) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => Ok(false),
            Ok(_) => match files[0].revents() {
                Some(found) if found.intersects(flags) => Ok(true),
                _ => Err(LinkError::Gone),
            },
            Err(error) => Err(self.failed(error.into())),
        }
    }

    fn failed(&self, source: io::Error) -> LinkError {
        const EIO: i32 = 5;
        const ENXIO: i32 = 6;
        const ENODEV: i32 = 19;
        match source.raw_os_error() {
            Some(EIO | ENXIO | ENODEV) => LinkError::Gone,
            _ => LinkError::Io { address: self.address.clone(), source },
        }
    }
}

/// Waits, without looking at anything.
pub(super) fn rest(wait: Duration) {
    let _ = poll(&mut [], at_most(wait));
}

fn at_most(wait: Duration) -> PollTimeout {
    PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
