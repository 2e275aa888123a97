//! `till devices list`: ports, names, users, and what the configuration makes of them.

use super::{CONFIG, config, daemon};
use crate::cli::say;
use clap::Args;
use hardware::link::Address;
use hardware::link::list::{Found, Kind, Lock, System, list};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub(in crate::cli) struct List {
    /// The configuration whose devices are marked [default: /etc/till/till.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// A device of the configuration.
struct Configured {
    station: String,
    device: &'static str,
    port: PathBuf,
}

impl List {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let configured = self.configured()?;
        let ports: Vec<PathBuf> = configured.iter().map(|device| device.port.clone()).collect();
        let found = list(&System::default(), &ports)?;
        if self.json {
            say(&serde_json::to_string_pretty(&as_json(&found, &configured))?);
        } else {
            say(&as_text(&found, &configured));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn configured(&self) -> anyhow::Result<Vec<Configured>> {
        let file = self.config.as_deref().unwrap_or(Path::new(CONFIG));
        if self.config.is_none() && !file.exists() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (id, station) in daemon::devices(&config::Config::read(file)?).stations {
            let scanner = station.scanner.map(|scanner| ("scanner", scanner.address));
            let printer = station.printer.map(|printer| ("printer", printer.address));
            let display = station.display.and_then(|display| Some(("display", display.address?)));
            let drawer = station.drawer.map(|drawer| ("drawer", drawer.address));
            for (device, address) in scanner.into_iter().chain(printer).chain(display).chain(drawer) {
                if let Address::Serial(serial) = address {
                    all.push(Configured { station: id.to_string(), device, port: serial.path });
                }
            }
        }
        Ok(all)
    }
}

/// The devices of the configuration that are at this port.
fn at<'a>(port: &'a Found, configured: &'a [Configured]) -> impl Iterator<Item = &'a Configured> {
    let node = port.path.canonicalize().ok();
    configured.iter().filter(move |device| {
        device.port == port.path || node.is_some() && device.port.canonicalize().ok() == node
    })
}

fn missing(configured: &[Configured]) -> impl Iterator<Item = &Configured> {
    configured.iter().filter(|device| !device.port.exists())
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::UsbSerial => "usb_serial",
        Kind::Serial => "serial",
        Kind::UsbPrinter => "usb_printer",
        Kind::Other => "other",
    }
}

fn as_json(found: &[Found], configured: &[Configured]) -> Value {
    let port = |port: &Found| {
        let usb = port.usb.as_ref();
        json!({
            "port": port.path,
            "kind": kind(port.kind),
            "vendor_id": usb.map(|usb| &usb.vendor_id),
            "product_id": usb.map(|usb| &usb.product_id),
            "maker": usb.and_then(|usb| usb.maker.as_ref()),
            "product": usb.and_then(|usb| usb.product.as_ref()),
            "serial": usb.and_then(|usb| usb.serial.as_ref()),
            "names": port.names,
            "used_by": port.users.iter().map(|user| json!({
                "pid": user.pid,
                "program": user.program,
                "locked": user.lock == Lock::Held,
            })).collect::<Vec<_>>(),
            "configured": at(port, configured).map(|device| json!({
                "station": device.station,
                "device": device.device,
            })).collect::<Vec<_>>(),
        })
    };
    json!({
        "ports": found.iter().map(port).collect::<Vec<_>>(),
        "missing": missing(configured).map(|device| json!({
            "station": device.station,
            "device": device.device,
            "port": device.port,
        })).collect::<Vec<_>>(),
    })
}

fn as_text(found: &[Found], configured: &[Configured]) -> String {
    let mut lines = Vec::new();
    for port in found {
        lines.push(format!("{}  {}", port.path.display(), what(port)));
        for name in &port.names {
            lines.push(format!("    named    {}", name.display()));
        }
        for device in at(port, configured) {
            lines.push(format!("    is       the {} of station {}", device.device, device.station));
        }
        for user in &port.users {
            let program = user.program.as_deref().unwrap_or("a program");
            let lock = match user.lock {
                Lock::Held => ", which has locked it",
                Lock::None => "",
            };
            lines.push(format!("    in use   by {program} (process {}){lock}", user.pid));
        }
    }
    if found.is_empty() {
        lines.push("No serial port and no USB printer is there. A scanner must be set to show itself as a serial port (its manual: USB COM port emulation, or CDC), not as a keyboard.".to_owned());
    }
    for device in missing(configured) {
        lines.push(format!(
            "{}  is not there: the {} of station {}. Plug it in, or correct its port.",
            device.port.display(),
            device.device,
            device.station
        ));
    }
    lines.join("\n")
}

fn what(port: &Found) -> String {
    let Some(usb) = &port.usb else {
        return match port.kind {
            Kind::Serial | Kind::UsbSerial => "serial port of this machine".to_owned(),
            Kind::UsbPrinter => "USB printer".to_owned(),
            Kind::Other => "no serial hardware, such as a virtual device".to_owned(),
        };
    };
    let words: Vec<&str> = usb.maker.iter().chain(&usb.product).map(String::as_str).collect();
    let serial = usb.serial.as_ref().map(|serial| format!(", serial number {serial}")).unwrap_or_default();
    let name = if words.is_empty() { "USB device".to_owned() } else { words.join(" ") };
    format!("{name} (USB {}:{}{serial})", usb.vendor_id, usb.product_id)
}
