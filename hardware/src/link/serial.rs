//! Serial ports, raw, with an exclusive lock.
//!
//! `serialport` sets the line up and holds the lock; the bytes go through a file that never blocks, because a
//! blocking write to a line that the device holds cannot be given a deadline. What was set is read back: a port that
//! silently keeps another speed turns every scan into noise. Modem lines are not watched here: many ports have none.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serialport::{ClearBuffer, SerialPort, TTYPort};

use super::file::{DeviceFile, Taken};
use super::{Link, LinkError};

/// Who may stop the flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowControl {
    /// Nobody.
    #[default]
    None,
    /// RTS and CTS lines. A printer's DTR is wired to the host's CTS for this.
    RtsCts,
    /// XON and XOFF bytes, which then never reach the reader.
    XonXoff,
}

/// Bits in a byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum DataBits {
    /// Seven.
    Seven,
    /// Eight.
    #[default]
    Eight,
}

impl TryFrom<u8> for DataBits {
    type Error = String;
    fn try_from(bits: u8) -> Result<DataBits, String> {
        match bits {
            7 => Ok(DataBits::Seven),
            8 => Ok(DataBits::Eight),
            _ => Err(format!("{bits} data bits are not possible: write 7 or 8")),
        }
    }
}

/// The check bit of each byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parity {
    /// None.
    #[default]
    None,
    /// It makes the number of ones even.
    Even,
    /// It makes the number of ones odd.
    Odd,
}

/// Bits after each byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum StopBits {
    /// One.
    #[default]
    One,
    /// Two.
    Two,
}

impl TryFrom<u8> for StopBits {
    type Error = String;
    fn try_from(bits: u8) -> Result<StopBits, String> {
        match bits {
            1 => Ok(StopBits::One),
            2 => Ok(StopBits::Two),
            _ => Err(format!("{bits} stop bits are not possible: write 1 or 2")),
        }
    }
}

/// A serial port and how it is set up.
#[derive(Debug, Clone)]
pub struct SerialAddress {
    /// The device, or a link to it: names below /dev/serial/by-id stay the same when the device is plugged in anew.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Who may stop the flow.
    pub flow: FlowControl,
    /// Bits in a byte.
    pub data_bits: DataBits,
    /// The check bit.
    pub parity: Parity,
    /// Bits after a byte.
    pub stop_bits: StopBits,
}

impl SerialAddress {
    /// 9,600 baud, eight bits, no parity, one stop bit, without flow control, as most devices come.
    pub fn new(path: impl Into<PathBuf>) -> SerialAddress {
        SerialAddress {
            path: path.into(),
            baud: 9600,
            flow: FlowControl::None,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
        }
    }
}

struct SerialLink {
    file: DeviceFile,
    flow: FlowControl,
    /// Holds the lock and the settings as long as any clone lives.
    port: Arc<Mutex<TTYPort>>,
}

/// Opens the port and takes the lock. What had come before is thrown away: it was meant for somebody else.
pub(super) fn open(address: &SerialAddress) -> Result<Box<dyn Link>, LinkError> {
    let file = DeviceFile::open(&address.path)?;
    let name = file.address().to_owned();
    // Through the open file, not the path: a device plugged in anew meanwhile must not give us two halves.
    let same_file = format!("/proc/self/fd/{}", file.number());
    let port =
        builder(address, same_file).open_native().map_err(|error| while_locking(name.clone(), error))?;
    read_back(address, &name, &port)?;
    let _ = port.clear(ClearBuffer::All);
    Ok(Box::new(SerialLink { file, flow: address.flow, port: Arc::new(Mutex::new(port)) }))
}

fn builder(address: &SerialAddress, path: String) -> serialport::SerialPortBuilder {
    serialport::new(path, address.baud)
        .flow_control(match address.flow {
            FlowControl::None => serialport::FlowControl::None,
            FlowControl::RtsCts => serialport::FlowControl::Hardware,
            FlowControl::XonXoff => serialport::FlowControl::Software,
        })
        .data_bits(match address.data_bits {
            DataBits::Seven => serialport::DataBits::Seven,
            DataBits::Eight => serialport::DataBits::Eight,
        })
        .parity(match address.parity {
            Parity::None => serialport::Parity::None,
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
        })
        .stop_bits(match address.stop_bits {
            StopBits::One => serialport::StopBits::One,
            StopBits::Two => serialport::StopBits::Two,
        })
}

/// Compares what the port says of itself with what was asked for. What it cannot say is believed.
fn read_back(address: &SerialAddress, name: &str, port: &TTYPort) -> Result<(), LinkError> {
    let wrong =
        |wanted: String, found: String| Err(LinkError::Settings { address: name.to_owned(), wanted, found });
    if let Ok(baud) = port.baud_rate() {
        // A divisor of the port's clock comes near the rate; a receiver bears three parts in a hundred.
        if u64::from(baud.abs_diff(address.baud)) * 100 > u64::from(address.baud) * 3 {
            return wrong(format!("{} baud", address.baud), format!("{baud} baud"));
        }
    }
    // Pseudo-terminals have no bits on a line: the kernel keeps them at eight without parity.
    if std::fs::canonicalize(&address.path).is_ok_and(|real| real.starts_with("/dev/pts")) {
        return Ok(());
    }
    match port.data_bits().ok().zip(port.parity().ok()) {
        Some((bits, parity)) if !same_bits(address, bits, parity) => wrong(
            format!("{:?} data bits with parity {:?}", address.data_bits, address.parity).to_lowercase(),
            format!("{bits:?} data bits with parity {parity:?}").to_lowercase(),
        ),
        Some(_) | None => Ok(()),
    }
}

fn same_bits(address: &SerialAddress, bits: serialport::DataBits, parity: serialport::Parity) -> bool {
    use serialport::{DataBits as Bits, Parity as Check};
    let bits =
        matches!((address.data_bits, bits), (DataBits::Seven, Bits::Seven) | (DataBits::Eight, Bits::Eight));
    let parity = matches!(
        (address.parity, parity),
        (Parity::None, Check::None) | (Parity::Even, Check::Even) | (Parity::Odd, Check::Odd)
    );
    bits && parity
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

impl Link for SerialLink {
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, LinkError> {
        match self.file.read(buffer, wait)? {
            Taken::Some(count) => Ok(count),
            Taken::NotYet => Ok(0),
            // A device that was pulled out says this for ever.
            Taken::Empty => Err(LinkError::Gone),
        }
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> Result<usize, LinkError> {
        self.file.write(bytes, wait)
    }

    fn clone_link(&self) -> Result<Box<dyn Link>, LinkError> {
        Ok(Box::new(SerialLink { file: self.file.another()?, flow: self.flow, port: Arc::clone(&self.port) }))
    }

    fn discard(&mut self) {
        if let Ok(port) = self.port.lock() {
            let _ = port.clear(ClearBuffer::Output);
        }
        let _ = self.let_go();
    }

    /// The kernel starts a stopped line when it is told to heed XON and XOFF no longer: Linux, drivers/tty/n_tty.c,
    /// n_tty_set_termios. `TCOON` does not help, it starts only what `TCOOFF` has stopped.
    fn let_go(&mut self) -> bool {
        if self.flow != FlowControl::XonXoff {
            return false;
        }
        if let Ok(mut port) = self.port.lock() {
            let _ = port.set_flow_control(serialport::FlowControl::None);
            let _ = port.set_flow_control(serialport::FlowControl::Software);
        }
        true
    }
}
