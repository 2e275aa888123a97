//! Links: what carries bytes to a device and back.
//!
//! A `Link` is opened from an `Address`: a serial port, a printer on USB or on the network, or one end of a pair in
//! memory. `port` keeps a link open, frames what comes in and writes what goes out; `watch` hears when a device comes
//! back. Meaning is not here: bytes only.

mod clock;
mod file;
pub mod list;
pub mod memory;
pub mod port;
pub mod serial;
pub mod tcp;
pub mod usb;
mod watch;

use std::io;
use std::time::Duration;

pub use clock::{Deadline, Stopwatch};
pub use port::{
    Decode, Port, PortConfig, PortEvent, PortHandle, PortSender, Raw, Remains, UnderWay, WriteFailure,
    Written,
};
pub use serial::FlowControl;

/// Where a device is reached.
#[derive(Debug, Clone)]
pub enum Address {
    /// A serial port.
    Serial(serial::SerialAddress),
    /// A network printer's raw port.
    Tcp(tcp::TcpAddress),
    /// A printer of the kernel's USB printer class.
    Usb(usb::UsbAddress),
    /// A socket in memory, for tests and for devices that live in the same process.
    Memory(memory::Socket),
}

impl Address {
    /// Opens it.
    ///
    /// # Errors
    /// `LinkError` says why it cannot be opened and what to do.
    pub fn open(&self) -> Result<Box<dyn Link>, LinkError> {
        match self {
            // A stable name such as /dev/till/printer may lead to either.
            Address::Serial(address) if usb::UsbAddress::is_printer(&address.path) => {
                usb::open(&usb::UsbAddress::new(&address.path))
            }
            Address::Serial(address) => serial::open(address),
            Address::Usb(address) => usb::open(address),
            Address::Tcp(address) => tcp::open(address),
            Address::Memory(socket) => socket.open(),
        }
    }

    /// A watch over the device's name, where it has one in the file system and the system has a watch to give.
    fn watch(&self) -> Option<watch::Watch> {
        match self {
            Address::Serial(address) => watch::Watch::new(&address.path),
            Address::Usb(address) => watch::Watch::new(&address.path),
            Address::Tcp(_) | Address::Memory(_) => None,
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Serial(address) => write!(f, "{}", address.path.display()),
            Address::Usb(address) => write!(f, "{}", address.path.display()),
            Address::Tcp(address) => write!(f, "{}:{}", address.host, address.port),
            Address::Memory(_) => f.write_str("memory"),
        }
    }
}

/// An open line to a device.
///
/// One thread may read from one clone while another writes to the other. Nothing here waits for bytes to leave the
/// machine: a printer without paper would hold the caller for ever.
pub trait Link: Send {
    /// Reads what has come, waiting at most `wait`. `Ok(0)` means that nothing came.
    ///
    /// # Errors
    /// `Gone` when the device is no longer there.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError>;

    /// Writes as much as the line takes within `wait`, and says how much that was. `Ok(0)` means that it took
    /// nothing: the device holds the line.
    ///
    /// # Errors
    /// `Gone` when the device is no longer there.
    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError>;

    /// Another handle on the same line.
    ///
    /// # Errors
    /// When the system has no handle to give.
    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError>;

    /// Throws away what was written and has not left yet, so that closing does not wait for it. A line that the device
    /// held is free afterwards.
    fn discard(&mut self);

    /// Lets a line go that the device holds by XOFF: its XON may have been lost on the way, and nothing else would ever
    /// free the line. False where no such word holds a line.
    fn let_go(&mut self) -> bool {
        false
    }
}

/// Why a link does not work. None of it is for ever: a port looks for its device again whatever the reason.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no device at the address.
    #[error("{address} is not there; plug the device in or correct its path")]
    NotFound {
        /// The address.
        address: String,
    },
    /// Another program has it.
    #[error("{address} is in use by another program; close that program first")]
    InUse {
        /// The address.
        address: String,
    },
    /// This user may not use it.
    #[error("{address} may not be opened by this user; add the user to the group that owns it")]
    Denied {
        /// The address.
        address: String,
    },
    /// The port does not do what it was asked to.
    #[error(
        "{address} cannot be set to {wanted}, it is at {found}; set the device and the port to something both can do"
    )]
    Settings {
        /// The address.
        address: String,
        /// What was asked for.
        wanted: String,
        /// What it says it does instead.
        found: String,
    },
    /// It was there and is no longer.
    #[error("the device went away")]
    Gone,
    /// Anything else the system says.
    #[error("{address} does not work")]
    Io {
        /// The address.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl LinkError {
    /// What the system said while opening, in our words.
    fn while_opening(address: String, source: io::Error) -> LinkError {
        const ENXIO: i32 = 6;
        const EBUSY: i32 = 16;
        const ENODEV: i32 = 19;
        match (source.kind(), source.raw_os_error()) {
            (io::ErrorKind::NotFound, _) | (_, Some(ENXIO | ENODEV)) => LinkError::NotFound { address },
            (io::ErrorKind::PermissionDenied, _) => LinkError::Denied { address },
            (_, Some(EBUSY)) => LinkError::InUse { address },
            _ => LinkError::Io { address, source },
        }
    }
}
