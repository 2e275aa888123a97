//! Printers on USB as the kernel's printer class shows them: /dev/usb/lp0 and its like.
//!
//! Bytes only. The kernel's own question after paper is an ioctl, which would be unsafe code: what such a printer
//! says is what it sends back, and many send nothing. Those are printed on and never confirmed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Link, LinkError};

/// `O_NONBLOCK` and `O_NOCTTY` on Linux: a write to a printer without paper must not hold its caller.
const O_NONBLOCK: i32 = 0o4000;
const O_NOCTTY: i32 = 0o400;

/// USB character devices. Linux, Documentation/admin-guide/devices.txt: 180 is usblp, whose ports begin at minor 0.
const USB_MAJOR: u64 = 180;

/// A printer's device file.
#[derive(Debug, Clone)]
pub struct UsbAddress {
    /// The device, or a link to it.
    pub path: PathBuf,
}

impl UsbAddress {
    /// The printer at this device file.
    pub fn new(path: impl Into<PathBuf>) -> UsbAddress {
        UsbAddress { path: path.into() }
    }

    /// Whether a path leads to a printer of this kind, by its name or by what is there.
    #[must_use]
    pub fn is_printer(path: &Path) -> bool {
        let named = path.to_str().is_some_and(|path| path.starts_with("/dev/usb/lp"));
        named
            || std::fs::metadata(path).is_ok_and(|found| {
                // The upper part of the major number lies above bit 32, and is 0 here.
                found.file_type().is_char_device() && (found.rdev() >> 8) & 0xfff == USB_MAJOR
            })
    }
}

struct UsbLink {
    address: String,
    file: File,
}

pub(super) fn open(address: &UsbAddress) -> Result<Box<dyn Link>, LinkError> {
    let name = address.path.display().to_string();
    // The kernel lets one program at a time open it, and says "busy" to others.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(&address.path)
        .map_err(|source| LinkError::while_opening(name.clone(), source))?;
    Ok(Box::new(UsbLink { address: name, file }))
}

impl UsbLink {
    /// Waits until the file can be read or written. `false`: not within `wait`.
    fn ready(&self, flags: PollFlags, wait: Duration) -> Result<bool, LinkError> {
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX);
        let mut files = [PollFd::new(self.file.as_fd(), flags)];
        match poll(&mut files, wait) {
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

impl Link for UsbLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        if !self.ready(PollFlags::POLLIN, wait)? {
            return Ok(0);
        }
        match self.file.read(buffer) {
            Ok(0) => {
                // A printer that never answers may look readable all the time: do not spin on it.
                let _ = poll(&mut [], PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX));
                Ok(0)
            }
            Ok(count) => Ok(count),
            Err(error) if would_block(&error) => Ok(0),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        if bytes.is_empty() || !self.ready(PollFlags::POLLOUT, wait)? {
            return Ok(0);
        }
        match self.file.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if would_block(&error) => Ok(0),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError> {
        let file = self.file.try_clone().map_err(|error| self.failed(error))?;
        Ok(Box::new(UsbLink { address: self.address.clone(), file }))
    }

    /// What the kernel has taken is on its way; there is nothing that could call it back.
    fn discard(&mut self) {}
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
