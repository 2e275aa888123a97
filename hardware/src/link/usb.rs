//! Printers on USB as the kernel's printer class shows them: /dev/usb/lp0 and its like.
//!
//! Bytes only. The kernel's own question after paper is an ioctl, which would be unsafe code: what such a printer
//! says is what it sends back, and many send nothing. Those are printed on and never confirmed.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{DeviceFile, Taken, rest};
use super::{Link, LinkError};

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
    file: DeviceFile,
}

/// The kernel lets one program at a time open it, and says "busy" to others.
pub(super) fn open(address: &UsbAddress) -> Result<Box<dyn Link>, LinkError> {
    Ok(Box::new(UsbLink { file: DeviceFile::open(&address.path)? }))
}

impl Link for UsbLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        match self.file.read(buffer, wait)? {
            Taken::Some(count) => Ok(count),
            Taken::NotYet => Ok(0),
            Taken::Empty => {
                // A printer that never answers may look readable all the time: do not spin on it.
                rest(wait);
                Ok(0)
            }
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        self.file.write(bytes, wait)
    }

    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError> {
        Ok(Box::new(UsbLink { file: self.file.another()? }))
    }

    /// What the kernel has taken is on its way; there is nothing that could call it back.
    fn discard(&mut self) {}
}
