//! Serial ports, raw, with an exclusive lock.
//!
//! `serialport` sets the line up and holds the lock; the bytes go through a file that never blocks, because a
//! blocking write to a line that the device holds cannot be given a deadline. Modem lines are not watched here.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serialport::{ClearBuffer, SerialPort, TTYPort};

use super::{Link, LinkError};

/// `O_NONBLOCK` and `O_NOCTTY` on Linux.
const O_NONBLOCK: i32 = 0o4000;
const O_NOCTTY: i32 = 0o400;

/// Who may stop the flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlowControl {
    /// Nobody.
    #[default]
    None,
    /// RTS and CTS lines. A printer's DTR is wired to the host's CTS for this.
    RtsCts,
    /// XON and XOFF bytes, which then never reach the reader.
    XonXoff,
}

/// A serial port and how it is set up: eight bits, no parity, one stop bit.
#[derive(Debug, Clone)]
pub struct SerialAddress {
    /// The device, or a link to it: names below /dev/serial/by-id stay the same when the device is plugged in anew.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Who may stop the flow.
    pub flow: FlowControl,
}

impl SerialAddress {
    /// 9,600 baud without flow control, as most devices come.
    pub fn new(path: impl Into<PathBuf>) -> SerialAddress {
        SerialAddress { path: path.into(), baud: 9600, flow: FlowControl::None }
    }
}

struct SerialLink {
    address: String,
    file: File,
    /// Holds the lock and the settings as long as any clone lives.
    port: Arc<Mutex<TTYPort>>,
}

/// Opens the port and takes the lock. What had come before is thrown away: it was meant for somebody else.
pub(super) fn open(address: &SerialAddress) -> Result<Box<dyn Link>, LinkError> {
    let name = address.path.display().to_string();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(&address.path)
        .map_err(|source| LinkError::while_opening(name.clone(), source))?;
    // Through the open file, not the path: a device plugged in anew meanwhile must not give us two halves.
    let same_file = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flow = match address.flow {
        FlowControl::None => serialport::FlowControl::None,
        FlowControl::RtsCts => serialport::FlowControl::Hardware,
        FlowControl::XonXoff => serialport::FlowControl::Software,
    };
    let port = serialport::new(same_file, address.baud)
        .flow_control(flow)
        .open_native()
        .map_err(|error| while_locking(name.clone(), error))?;
    let _ = port.clear(ClearBuffer::All);
    Ok(Box::new(SerialLink { address: name, file, port: Arc::new(Mutex::new(port)) }))
}

fn while_locking(address: String, error: serialport::Error) -> LinkError {
    match error.kind() {
        // `serialport` says "no device" when another program holds the lock; the file itself is open already.
        serialport::ErrorKind::NoDevice => LinkError::InUse { address },
        serialport::ErrorKind::InvalidInput
        | serialport::ErrorKind::Unknown
        | serialport::ErrorKind::Io(_) => LinkError::while_opening(address, error.into()),
    }
}

impl SerialLink {
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

impl Link for SerialLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        if !self.ready(PollFlags::POLLIN, wait)? {
            return Ok(0);
        }
        match self.file.read(buffer) {
            // Readable and nothing to read: a device that was pulled out says this for ever.
            Ok(0) => Err(LinkError::Gone),
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
        Ok(Box::new(SerialLink { address: self.address.clone(), file, port: Arc::clone(&self.port) }))
    }

    fn discard(&mut self) {
        if let Ok(port) = self.port.lock() {
            let _ = port.clear(ClearBuffer::Output);
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
