//! What is plugged in: serial ports and USB printers, their names, and who uses them.
//!
//! Read from /sys, /dev and /proc; nothing is opened, because opening a port moves its modem lines and some devices
//! start anew at that. What a device speaks cannot be seen so.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most ports that are listed: no counter has a tenth of it.
pub const PORTS_MAX: usize = 256;

/// Where the system keeps what is read here.
#[derive(Debug, Clone)]
pub struct System {
    /// /sys.
    pub sys: PathBuf,
    /// /dev.
    pub dev: PathBuf,
    /// /proc.
    pub proc: PathBuf,
}

impl Default for System {
    fn default() -> System {
        System { sys: "/sys".into(), dev: "/dev".into(), proc: "/proc".into() }
    }
}

/// What kind of port it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A serial port over USB: a device of its own, or a converter.
    UsbSerial,
    /// A serial port that is built in.
    Serial,
    /// A printer of the USB printer class, without a serial port.
    UsbPrinter,
    /// Something else that a name of ours points to, such as a pseudo-terminal.
    Other,
}

/// What a USB device says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usb {
    /// Four hexadecimal digits.
    pub vendor_id: String,
    /// Four hexadecimal digits.
    pub product_id: String,
    /// In its own words, if it has any.
    pub maker: Option<String>,
    /// In its own words, if it has any.
    pub product: Option<String>,
    /// Its serial number, if it has one.
    pub serial: Option<String>,
}

/// A process that has the port open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Its number.
    pub pid: u32,
    /// Its program, where this user may see it.
    pub program: Option<String>,
    /// Whether it has locked the port, so that nobody else gets it.
    pub lock: Lock,
}

/// Whether a port is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// It is.
    Held,
    /// It is only open.
    None,
}

/// A port that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its node.
    pub path: PathBuf,
    /// What kind it is.
    pub kind: Kind,
    /// What it says of itself, on USB.
    pub usb: Option<Usb>,
    /// Links to it that stay the same, ours first.
    pub names: Vec<PathBuf>,
    /// Who has it open.
    pub users: Vec<User>,
}

/// Lists what is there, and what `also` points to.
///
/// # Errors
/// When the system's folder of terminals cannot be read.
pub fn list(system: &System, also: &[PathBuf]) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for name in names_in(&system.sys.join("class/tty"))? {
        let class = system.sys.join("class/tty").join(&name);
        // What has no device behind it is a console or a terminal; a type of 0 is a built-in port that was not built in.
        let absent = fs::read_to_string(class.join("type")).is_ok_and(|kind| kind.trim() == "0");
        if let Ok(device) = class
            .join("device")
            .canonicalize()
            .map_err(drop)
            .and_then(|device| if absent { Err(()) } else { Ok(device) })
        {
            let usb = usb_of(&device, &system.sys);
            let kind = if usb.is_some() { Kind::UsbSerial } else { Kind::Serial };
            found.push(Found {
                path: system.dev.join(&name),
                kind,
                usb,
                names: Vec::new(),
                users: Vec::new(),
            });
        }
    }
    for name in names_in(&system.sys.join("class/usbmisc")).unwrap_or_default() {
        let device = system.sys.join("class/usbmisc").join(&name).join("device").canonicalize();
        if let (true, Ok(device)) = (name.starts_with("lp"), device) {
            let (path, usb) = (system.dev.join("usb").join(&name), usb_of(&device, &system.sys));
            found.push(Found { path, kind: Kind::UsbPrinter, usb, names: Vec::new(), users: Vec::new() });
        }
    }
    let mut links = Vec::new();
    for folder in ["till", "serial/by-id", "serial/by-path"] {
        let folder = system.dev.join(folder);
        links.extend(names_in(&folder).unwrap_or_default().into_iter().map(|name| folder.join(name)));
    }
    links.extend(also.iter().filter(|path| path.is_symlink()).cloned());
    add_names(&mut found, &links);
    let nodes = also.iter().filter_map(|path| path.canonicalize().ok());
    for node in nodes {
        if !found.iter().any(|port| port.path == node) {
            found.push(Found {
                path: node,
                kind: Kind::Other,
                usb: None,
                names: Vec::new(),
                users: Vec::new(),
            });
        }
    }
    found.truncate(PORTS_MAX);
    add_users(&mut found, &system.proc);
    found.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
    Ok(found)
}

/// The names in a folder, sorted.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> =
        fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// What the nearest USB device above a device says of itself.
fn usb_of(device: &Path, sys: &Path) -> Option<Usb> {
    let sys = sys.canonicalize().ok()?;
    let above = device.ancestors().take_while(|folder| folder.starts_with(&sys));
    let usb = above.into_iter().find(|folder| folder.join("idVendor").is_file())?;
    let says = |what: &str| {
        let text = fs::read(usb.join(what)).ok()?;
        let text = String::from_utf8_lossy(&text);
        // A device may say anything: what is not printable would write over the table.
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(120).collect();
        (!text.is_empty()).then_some(text)
    };
    Some(Usb {
        vendor_id: says("idVendor")?,
        product_id: says("idProduct")?,
        maker: says("manufacturer"),
        product: says("product"),
        serial: says("serial"),
    })
}

fn add_names(found: &mut Vec<Found>, links: &[PathBuf]) {
    for link in links {
        let Ok(node) = link.canonicalize() else { continue };
        let port = match found.iter_mut().find(|port| port.path.canonicalize().is_ok_and(|path| path == node))
        {
            Some(port) => port,
            None => {
                found.push(Found {
                    path: node,
                    kind: Kind::Other,
                    usb: None,
                    names: Vec::new(),
                    users: Vec::new(),
                });
                let Some(port) = found.last_mut() else { continue };
                port
            }
        };
        if !port.names.contains(link) {
            port.names.push(link.clone());
        }
    }
}

/// Finds out who has the ports open, as far as this user may see it.
fn add_users(found: &mut [Found], proc: &Path) {
    let locks = fs::read_to_string(proc.join("locks")).unwrap_or_default();
    let program = |pid: u32| {
        let comm = fs::read_to_string(proc.join(pid.to_string()).join("comm")).ok()?;
        Some(comm.trim().to_owned())
    };
    for port in found.iter_mut() {
        let Ok(about) = fs::metadata(&port.path) else { continue };
        for pid in locks.lines().filter_map(|line| locker(line, &about)) {
            port.users.push(User { pid, program: program(pid), lock: Lock::Held });
        }
    }
    for pid in names_in(proc).unwrap_or_default().iter().filter_map(|name| name.parse::<u32>().ok()) {
        for open in fs::read_dir(proc.join(pid.to_string()).join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(open.path()) else { continue };
            if let Some(port) = found.iter_mut().find(|port| port.path == target)
                && !port.users.iter().any(|user| user.pid == pid)
            {
                port.users.push(User { pid, program: program(pid), lock: Lock::None });
            }
        }
    }
    for port in found.iter_mut() {
        port.users.sort();
    }
}

/// The process of a line of proc(5) locks, if it is a lock of flock(2) on this file.
/// `1: FLOCK  ADVISORY  WRITE 708 00:05:123 0 EOF`: device numbers in hexadecimal, the inode in decimal.
fn locker(line: &str, about: &fs::Metadata) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let ["FLOCK", _, _, pid, file, ..] = fields.get(1..)? else { return None };
    let mut parts = file.split(':');
    let major = u64::from_str_radix(parts.next()?, 16).ok()?;
    let minor = u64::from_str_radix(parts.next()?, 16).ok()?;
    let inode: u64 = parts.next()?.parse().ok()?;
    let device = about.dev();
    let same_device = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00) == (major, minor);
    if same_device && inode == about.ino() { pid.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
