//! Which devices stand where, and how long they are waited for.

use crate::paper::{Lang, Stock};
use crate::record::ids::StationId;
use hardware::display::DisplayProfile;
use hardware::document::DrawerPulse;
use hardware::drawer::DrawerProfile;
use hardware::link::Address;
use hardware::printer::driver::Patience;
use hardware::scanner::ScannerProfile;
use std::collections::BTreeMap;
use std::time::Duration;

/// All devices of a till.
#[derive(Clone, Debug)]
pub struct Config {
    /// By station.
    pub stations: BTreeMap<StationId, StationConfig>,
    /// How often a device that is gone is looked for.
    pub reopen: Duration,
    /// How often an idle printer is asked after its health.
    pub printer_poll: Duration,
    /// How long a printer is waited for within one job.
    pub patience: Patience,
    /// How long a drawer waits for a printer that is not ready: the customer waits for change.
    pub drawer_wait: Duration,
    /// How long a job under way may take when the till stops.
    pub stop_wait: Duration,
}

impl Config {
    /// These stations, with the usual times: ports four times a second, printers every two seconds, three
    /// seconds for a drawer, five at the end.
    pub fn new(stations: BTreeMap<StationId, StationConfig>) -> Self {
        Self {
            stations,
            reopen: Duration::from_millis(250),
            printer_poll: Duration::from_secs(2),
            patience: Patience::default(),
            drawer_wait: Duration::from_secs(3),
            stop_wait: Duration::from_secs(5),
        }
    }
}

/// The devices of one station.
#[derive(Clone, Debug, Default)]
pub struct StationConfig {
    /// Its scanner.
    pub scanner: Option<ScannerConfig>,
    /// Its printer, with the drawer on it.
    pub printer: Option<PrinterConfig>,
    /// Its customer display, where it has one on a line.
    pub display: Option<DisplayConfig>,
    /// Its drawer, where that has a port of its own and does not hang on the printer.
    pub drawer: Option<DrawerConfig>,
}

/// Within how long the same code may be the same scan, unless a shop says otherwise: longer than a hand that holds a
/// phone before a scanner too long, shorter than taking up the next bottle and finding its code.
pub const REPEAT_WINDOW: Duration = Duration::from_millis(800);

/// A scanner.
#[derive(Clone, Debug)]
pub struct ScannerConfig {
    /// Where it is.
    pub address: Address,
    /// How it frames, marks and separates its scans.
    pub profile: ScannerProfile,
    /// Whether it is told that a scan was taken.
    pub acknowledge: Acknowledging,
    /// Within how long the same code may be the same scan.
    pub repeat_window: Duration,
}

/// Whether a scanner is told that a scan was taken: only one that was set up to wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledging {
    /// It is, in the words of its profile.
    On,
    /// It is not.
    Off,
}

impl ScannerConfig {
    /// A scanner of the generic profile that is told nothing.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            profile: ScannerProfile::generic(),
            acknowledge: Acknowledging::Off,
            repeat_window: REPEAT_WINDOW,
        }
    }
}

/// A receipt printer and the drawer on it.
#[derive(Clone, Debug)]
pub struct PrinterConfig {
    /// Where it is.
    pub address: Address,
    /// What it can do, and how its paper looks.
    pub stock: Stock,
    /// What opens the drawer.
    pub drawer: DrawerPulse,
}

/// A customer display of two lines.
#[derive(Clone, Debug)]
pub struct DisplayConfig {
    /// Where it is; none on the printer's line.
    pub address: Option<Address>,
    /// What it can do.
    pub profile: &'static DisplayProfile,
    /// The language of its words; a display without Chinese characters shows English whatever it says.
    pub lang: Lang,
    /// What it shows while nobody buys; empty for the shop's name and a welcome.
    pub idle: Vec<String>,
    /// How long a payment is shown.
    pub paid: Duration,
}

/// A drawer on a port of its own.
#[derive(Clone, Debug)]
pub struct DrawerConfig {
    /// Where it is.
    pub address: Address,
    /// What opens it.
    pub profile: DrawerProfile,
}

/// How long a payment is shown: time to count the change.
pub const DISPLAY_PAID: Duration = Duration::from_secs(15);
