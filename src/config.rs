//! The whole configuration, checked before anything opens.
//!
//! An error names the file, the line and the reason. Keys that are not known are errors: a misspelt key
//! would otherwise be a setting that silently does nothing. Not here: opening what is configured (`daemon`).

mod display;
mod drawer;
mod journal;
mod ports;
mod wallets;

pub use wallets::{Alipay, AlipayTrust, Named, Section, Wallets, WalletsFile, WeChat};

use crate::counter::CODE_MS_MAX;
use crate::money::Currency;
use crate::record::ids::{StationId, TerminalId};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::Spanned;

pub use display::{Display, DisplayProfileName, Through};
pub use drawer::{Drawer, DrawerProfileName};
pub use journal::Journal;
pub use ports::{Codes, Flow, Language, Printer, ProfileName, Scanner, Switch, TypeSize};

/// Stations at one till.
pub const STATIONS_MAX: usize = 8;

/// Everything that the daemon is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which till this is.
    #[serde(deserialize_with = "parsed")]
    pub terminal: TerminalId,
    /// The file itself.
    #[serde(skip)]
    pub source: Source,
    /// Where the journal and the keys are.
    pub state_dir: PathBuf,
    /// The shop's money and time.
    pub shop: Shop,
    /// Where people stand.
    #[serde(rename = "station")]
    stations: Vec<Spanned<Station>>,
    /// The till's own pages.
    pub pages: Pages,
    /// Head office, if there is one.
    pub cloud: Option<Cloud>,
    /// Wallets that the till calls itself.
    #[serde(default)]
    pub wallet: Wallets,
    /// How long things take; the defaults are the field's.
    #[serde(default)]
    pub timing: Timing,
    /// The room that the journal needs.
    #[serde(default)]
    pub journal: Journal,
}

/// A file that was read: relative paths begin at its folder, and errors name its lines.
#[derive(Clone, Debug, Default)]
pub struct Source {
    file: PathBuf,
    /// Where its lines end.
    line_ends: Vec<usize>,
}

impl Source {
    fn new(file: &Path, text: &str) -> Self {
        Self { file: file.to_owned(), line_ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// A path that the file names, begun at its folder.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// An error of this file that shows only when what it names is looked at.
    pub fn error(&self, reason: String) -> ConfigError {
        ConfigError { file: self.file.clone(), line: None, reason }
    }

    /// The same, at a place in the file's text.
    pub fn error_at(&self, at: usize, reason: String) -> ConfigError {
        let line = self.line_ends.iter().take_while(|end| **end < at).count() + 1;
        ConfigError { file: self.file.clone(), line: Some(line), reason }
    }

    fn wrong(&self, (at, reason): (Option<usize>, String)) -> ConfigError {
        match at {
            Some(at) => self.error_at(at, reason),
            None => self.error(reason),
        }
    }
}

/// The whole of a file's text.
fn text_of(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|error| {
        let reason = format!("the file cannot be read: {error}");
        ConfigError { file: file.to_owned(), line: None, reason }
    })
}

/// The shop's money and time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// ISO 4217 code.
    #[serde(deserialize_with = "currency")]
    pub currency: Currency,
    /// IANA name.
    #[serde(deserialize_with = "parsed")]
    pub time_zone: Zone,
    /// When its day ends: `04:00`.
    #[serde(default, deserialize_with = "parsed")]
    pub day_cut: DayCut,
}

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The name.
    pub name: String,
    /// The zone.
    pub zone: TimeZone,
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        match TimeZone::get(name) {
            Ok(zone) => Ok(Self { name: name.to_owned(), zone }),
            Err(_) => Err(format!("{name:?} is not a time zone: use an IANA name such as Asia/Shanghai")),
        }
    }
}

/// When the shop's day ends, in minutes after midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCut(pub u16);

impl FromStr for DayCut {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a time of day: write hours and minutes such as 04:00");
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let hours: u16 = hours.parse().map_err(|_| wrong())?;
        let minutes: u16 = minutes.parse().map_err(|_| wrong())?;
        if hours < 24 && minutes < 60 { Ok(Self(hours * 60 + minutes)) } else { Err(wrong()) }
    }
}

/// One station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Station {
    /// Its slug.
    #[serde(deserialize_with = "parsed")]
    pub id: StationId,
    /// Its scanner.
    pub scanner: Option<Scanner>,
    /// Its printer, with the drawer on it.
    pub printer: Option<Printer>,
    /// Its customer display of two lines, where it has one besides the screen.
    pub display: Option<Display>,
    /// Its drawer, where that has a port of its own.
    pub drawer: Option<Drawer>,
}

/// The till's own pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Where they listen.
    #[serde(deserialize_with = "parsed")]
    pub listen: SocketAddr,
    /// Names by which browsers may call them, besides the address itself.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// Origins that may frame them.
    #[serde(default)]
    pub frame_ancestors: Vec<String>,
}

/// Head office.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Its address.
    #[serde(deserialize_with = "parsed")]
    pub url: WebAddress,
    /// What head office calls this till.
    pub name: Option<String>,
}

/// An `https` address, or an `http` one on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebAddress(pub String);

impl FromStr for WebAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match crate::wallet::http::endpoint(text) {
            Ok(_) => Ok(Self(text.trim_end_matches('/').to_owned())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// How long things take, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Until the first question after an answer was lost.
    pub query_first_ms: u64,
    /// Between questions in the first half minute.
    pub query_fast_ms: u64,
    /// Between questions after that.
    pub query_slow_ms: u64,
    /// Until a payment that was taken back is looked at once more.
    pub watch_after_ms: u64,
    /// Until the wallet's answer is given up and asked for.
    pub wallet_answer_ms: u64,
    /// The most between two tries to reach the cloud.
    pub cloud_retry_max_ms: u64,
    /// Until a code that a phone scans is renewed; at most 285000, because no phone may begin after five minutes.
    pub shown_code_ms: u64,
    /// Until a port that is gone is tried again.
    pub reopen_ms: u64,
    /// Between two looks at an idle printer.
    pub printer_poll_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            query_first_ms: 1_000,
            query_fast_ms: 2_000,
            query_slow_ms: 5_000,
            watch_after_ms: 10_000,
            wallet_answer_ms: 10_000,
            cloud_retry_max_ms: 300_000,
            shown_code_ms: CODE_MS_MAX,
            reopen_ms: 250,
            printer_poll_ms: 2_000,
        }
    }
}

/// What is wrong with a configuration: file, line, reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    reason: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.reason),
            None => write!(f, "{}: {}", self.file.display(), self.reason),
        }
    }
}

/// What the TOML reader says, and where.
fn in_toml(error: &toml::de::Error) -> (Option<usize>, String) {
    (error.span().map(|span| span.start), error.message().to_owned())
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(file, &text_of(file)?)
    }

    /// Checks a configuration's text; relative paths are taken from the file's folder.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing that is wrong.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let source = Source::new(file, text);
        let mut config: Self = toml::from_str(text).map_err(|error| source.wrong(in_toml(&error)))?;
        config.source = source;
        config.find_profiles().map_err(|found| config.source.wrong(found))?;
        config.check().map_err(|found| config.source.wrong(found))?;
        config.state_dir = config.beside(&config.state_dir);
        Ok(config)
    }

    /// A path of the configuration, begun at the file's folder.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.source.beside(path)
    }

    /// An error of this file that shows only when what it names is looked at.
    pub fn error(&self, reason: String) -> ConfigError {
        self.source.error(reason)
    }

    /// The stations.
    pub fn stations(&self) -> impl Iterator<Item = &Station> {
        self.stations.iter().map(Spanned::get_ref)
    }

    fn find_profiles(&mut self) -> Result<(), (Option<usize>, String)> {
        let beside = self.source.file.parent().unwrap_or(Path::new("")).to_owned();
        for spanned in &mut self.stations {
            let at = Some(spanned.span().start);
            if let Some(scanner) = &mut spanned.get_mut().scanner {
                scanner.find_profile(&beside).map_err(|reason| (at, reason))?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (Option<usize>, String)> {
        if self.state_dir.as_os_str().is_empty() {
            return Err((None, "state_dir is empty: name a folder".to_owned()));
        }
        self.journal.check().map_err(|reason| (None, format!("[journal]: {reason}")))?;
        if self.stations.is_empty() {
            return Err((None, "no [[station]] is configured: a till has at least one".to_owned()));
        }
        self.wallet.check()?;
        if self.timing.shown_code_ms == 0 || self.timing.shown_code_ms > CODE_MS_MAX {
            return Err((None, format!("timing.shown_code_ms is from 1 to {CODE_MS_MAX}")));
        }
        if self.stations.len() > STATIONS_MAX {
            return Err((None, format!("a till has at most {STATIONS_MAX} stations")));
        }
        let (mut ids, mut ports) = (BTreeSet::new(), BTreeSet::new());
        for spanned in &self.stations {
            let (at, station) = (Some(spanned.span().start), spanned.get_ref());
            if !ids.insert(&station.id) {
                return Err((at, format!("two stations are called {}", station.id)));
            }
            let bauds = [
                station.scanner.as_ref().map(|s| s.known.line.baud),
                station.printer.as_ref().map(|p| p.baud),
                station.display.as_ref().and_then(|d| d.baud),
                station.drawer.as_ref().and_then(|d| d.baud),
            ];
            if bauds.into_iter().flatten().any(|baud| baud == 0) {
                return Err((
                    at,
                    format!("a device of {} has a baud rate of 0: write its line speed", station.id),
                ));
            }
            let scanner = station.scanner.as_ref().map(|scanner| (&scanner.port, &scanner.tcp, "scanner"));
            let printer = station.printer.as_ref().map(|printer| (&printer.port, &printer.tcp, "printer"));
            let drawer = station.drawer.as_ref().map(|drawer| (&drawer.port, &drawer.tcp, "drawer"));
            let display = match &station.display {
                Some(display) if display.through.is_some() => {
                    check_shared(display, station).map_err(|reason| (at, reason))?;
                    None
                }
                display => display.as_ref().map(|display| (&display.port, &display.tcp, "display")),
            };
            if station.display.as_ref().is_some_and(|display| display.idle.len() > 2) {
                return Err((at, format!("the display of {} has two lines: idle has more", station.id)));
            }
            for (port, tcp, what) in scanner.into_iter().chain(printer).chain(display).chain(drawer) {
                let address = match (port, tcp) {
                    (Some(port), None) => port.display().to_string(),
                    (None, Some(tcp)) => tcp.clone(),
                    (Some(_), Some(_)) | (None, None) => {
                        let reason = format!("the {what} of {} needs either port or tcp", station.id);
                        return Err((at, reason));
                    }
                };
                if tcp.as_ref().is_some_and(|tcp| tcp.rsplit_once(':').is_none()) {
                    return Err((at, format!("{address:?} is not an address: write host:port")));
                }
                if !ports.insert(address.clone()) {
                    return Err((at, format!("{address} is used twice: each device has a port of its own")));
                }
            }
        }
        Ok(())
    }
}

/// A display on the printer's line has no other, and is one that gives the line back.
fn check_shared(display: &Display, station: &Station) -> Result<(), String> {
    let profile = display.profile.0;
    if display.port.is_some() || display.tcp.is_some() || display.baud.is_some() {
        let id = &station.id;
        return Err(format!("the display of {id} is on the printer's line: leave out port, tcp and baud"));
    }
    if station.printer.is_none() {
        return Err(format!(
            "the display of {} is on the printer's line, and there is no printer",
            station.id
        ));
    }
    if !profile.shares_line {
        return Err(format!(
            "the display profile {} cannot share a line: give the display a port of its own",
            profile.name
        ));
    }
    Ok(())
}

fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr,
    T::Err: fmt::Display,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
    let code = String::deserialize(deserializer)?;
    Currency::by_code(&code).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
