//! Network printers: a raw stream, usually on port 9100.
//!
//! No discovery and no printing protocol above the stream.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{Link, LinkError};

/// The raw port of printers that follow JetDirect.
pub const RAW_PORT: u16 = 9100;

/// How long a printer may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A network printer.
#[derive(Debug, Clone)]
pub struct TcpAddress {
    /// Its name or number.
    pub host: String,
    /// Its port.
    pub port: u16,
}

struct TcpLink {
    address: String,
    stream: TcpStream,
}

pub(super) fn open(address: &TcpAddress) -> Result<Box<dyn Link>, LinkError> {
    let name = format!("{}:{}", address.host, address.port);
    let found = (address.host.as_str(), address.port)
        .to_socket_addrs()
        .map_err(|source| LinkError::Io { address: name.clone(), source })?;
    let mut last = None;
    for candidate in found {
        match TcpStream::connect_timeout(&candidate, CONNECT_TIMEOUT) {
            Ok(stream) => {
                // Small questions must not wait for a full packet.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(TcpLink { address: name, stream }));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(source) => LinkError::while_opening(name, source),
        None => LinkError::NotFound { address: name },
    })
}

impl TcpLink {
    fn failed(&self, source: io::Error) -> LinkError {
        let gone = matches!(
            source.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
                // Sent again for minutes and never acknowledged: the printer, or the way to it, is gone.
                | io::ErrorKind::TimedOut
        );
        if gone { LinkError::Gone } else { LinkError::Io { address: self.address.clone(), source } }
    }
}

/// A socket takes zero for "no limit", which is never meant.
fn at_least(wait: Duration) -> Option<Duration> {
    Some(wait.max(Duration::from_millis(1)))
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Link for TcpLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        self.stream.set_read_timeout(at_least(wait)).map_err(|error| self.failed(error))?;
        match self.stream.read(buffer) {
            Ok(0) => Err(LinkError::Gone),
            Ok(count) => Ok(count),
            Err(error) if timed_out(&error) => Ok(0),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.stream.set_write_timeout(at_least(wait)).map_err(|error| self.failed(error))?;
        match self.stream.write(bytes) {
            Ok(0) => Err(LinkError::Gone),
            Ok(count) => Ok(count),
            Err(error) if timed_out(&error) => Ok(0),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError> {
        let stream = self.stream.try_clone().map_err(|error| self.failed(error))?;
        Ok(Box::new(TcpLink { address: self.address.clone(), stream }))
    }

    /// What the network has taken cannot be called back; the stream is closed instead.
    fn discard(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
