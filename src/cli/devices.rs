//! `till devices`: what is plugged in, and whether it does what it should.
//!
//! Not here: driving devices while the till sells; a port that a running till has is refused to this command.

mod drawer;
mod list;
mod printer;
mod scanner;

use crate::{config, daemon, devices};
use anyhow::Context;
use clap::{Args, Subcommand};
use hardware::link::{Address, LinkError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where a counter's configuration is, if nothing else is said.
const CONFIG: &str = "/etc/till/till.toml";

#[derive(Subcommand)]
pub(super) enum Devices {
    /// List serial ports and USB printers, their names, and who uses them
    #[command(
        after_help = "Examples:\n  till devices list\n  till devices list --config /etc/till/till.toml --json\n\nNothing is opened. Programs of other users are seen by root only."
    )]
    List(list::List),
    /// Try one device, or draw the label to try a scanner with
    #[command(subcommand)]
    Test(Test),
}

#[derive(Subcommand)]
pub(super) enum Test {
    /// Read what a scanner sends, and say how it is set up
    #[command(
        after_help = "Examples:\n  till devices test label -o label.png           show it on a phone or print it\n  till devices test scanner --port /dev/till/scanner --count 1\n  till devices test scanner --config till.toml --station front\n  till devices test scanner --port /dev/ttyACM0 --profile honeywell --trigger\n\nExit codes: 0 it was read and nothing is wrong, 1 nothing came or the separator of GS1 codes is lost,\n69 another program has the port, 74 the port is not there or does not work, 78 the configuration is wrong."
    )]
    Scanner(scanner::Scanner),
    /// Ask a printer what it answers, then print a test page
    #[command(
        after_help = "Examples:\n  till devices test printer --port /dev/till/printer --profile epson-tm-t88\n  till devices test printer --tcp 192.0.2.8:9100 --profile generic-80mm\n  till devices test printer --config till.toml --no-page      only ask\n\nExit codes: 0 printed, or sent to a printer that cannot say, 1 not printed, 69 another program has the port,\n74 the port is not there or does not work, 78 the configuration is wrong."
    )]
    Printer(printer::Printer),
    /// Open a drawer that has a port of its own
    #[command(
        after_help = "Examples:\n  till devices test drawer --port /dev/till/drawer --profile bell\n  till devices test drawer --config till.toml --station front\n\nA drawer that hangs on the printer is opened by the printer: sign in and press No sale.\n\nExit codes: 0 it is open, or the command was given to one that cannot say, 1 it stayed shut or nothing was\nsent, 69 another program has the port, 74 the port is not there or does not work, 78 the configuration is wrong."
    )]
    Drawer(drawer::Drawer),
    /// Draw the label to try scanners with: a GS1 QR code with a separator in it
    #[command(
        after_help = "Example:\n  till devices test label -o label.png\n\nIt says (01)09506000134352(10)ABC(21)1: an item, a batch and a serial number. Between batch and serial\nnumber stands the separator that some scanners swallow or replace."
    )]
    Label {
        /// Where the picture goes, a PNG
        #[arg(short, long, value_name = "FILE", default_value = "label.png")]
        output: PathBuf,
    },
}

/// Which device: one of a configuration, or one at a port.
#[derive(Args)]
struct Which {
    /// The configuration that names the device [default: /etc/till/till.toml, if no port is named]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "tcp"])]
    config: Option<PathBuf>,
    /// The station whose device it is, if there are several
    #[arg(long, value_name = "ID", conflicts_with_all = ["port", "tcp"])]
    station: Option<String>,
    /// Its serial port
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    port: Option<PathBuf>,
    /// Its network address, host:port
    #[arg(long, value_name = "ADDRESS")]
    tcp: Option<String>,
    /// Bits a second, where not as its profile says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    baud: Option<u32>,
}

impl Which {
    /// The device that is named on the command line, if one is.
    fn named(&self, baud: u32) -> anyhow::Result<Option<Address>> {
        if let Some(port) = &self.port {
            let baud = self.baud.unwrap_or(baud);
            return Ok(Some(Address::Serial(devices::SerialAddress {
                baud,
                ..devices::SerialAddress::new(port)
            })));
        }
        let Some(tcp) = &self.tcp else { return Ok(None) };
        let wrong = || Usage(format!("{tcp:?} is not an address: write host:port, such as 192.0.2.8:9100"));
        let (host, port) = tcp.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        Ok(Some(Address::Tcp(devices::TcpAddress { host: host.to_owned(), port })))
    }

    /// The station of the configuration that has such a device.
    fn configured<T>(
        &self,
        what: &str,
        device: impl Fn(devices::StationConfig) -> Option<T>,
    ) -> anyhow::Result<T> {
        let file = self.config.as_deref().unwrap_or(Path::new(CONFIG));
        if self.config.is_none() && !file.exists() {
            let words = format!("say which {what}: --port PATH, --tcp ADDRESS, or --config FILE");
            return Err(Usage(words).into());
        }
        let config = config::Config::read(file)?;
        let stations = daemon::devices(&config).stations;
        let mut found = Vec::new();
        for (id, station) in stations {
            let wanted = self.station.as_ref().is_none_or(|wanted| wanted == id.as_str());
            if let Some(device) = wanted.then(|| device(station)).flatten() {
                found.push((id, device));
            }
        }
        match (found.len(), found.pop()) {
            (1, Some((_, device))) => Ok(device),
            (0, _) | (_, None) => {
                Err(config.error(format!("no {what} is configured there; name another --station")).into())
            }
            (_, Some(_)) => {
                Err(Usage(format!("there are several stations with a {what}: name one with --station"))
                    .into())
            }
        }
    }
}

/// A command line that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

pub(super) fn act(command: Devices) -> anyhow::Result<ExitCode> {
    match command {
        Devices::List(list) => list.run(),
        Devices::Test(Test::Scanner(scanner)) => scanner.run(),
        Devices::Test(Test::Printer(printer)) => printer.run(),
        Devices::Test(Test::Drawer(drawer)) => drawer.run(),
        Devices::Test(Test::Label { output }) => {
            let written = std::fs::write(&output, hardware::sim::label::test_label()?);
            written.with_context(|| format!("{} cannot be written", output.display()))?;
            super::say(&format!(
                "{}: {}. Show it to the scanner, then look at: till devices test scanner",
                output.display(),
                hardware::scanner::label::TEXT
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Opens a port for a try. A running till has its ports to itself.
fn open(address: &Address) -> anyhow::Result<Box<dyn hardware::link::Link>> {
    address.open().map_err(|error| {
        let held = matches!(error, LinkError::InUse { .. });
        let error = anyhow::Error::new(error);
        if held {
            error.context("a till that runs has its ports to itself (systemctl stop till)")
        } else {
            error
        }
    })
}
