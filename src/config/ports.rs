//! The scanner and the printer of a station, as a configuration has them.

use super::parsed;
use crate::devices::{AimPrefix, ScannerProfile};
use serde::Deserialize;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::Spanned;

/// The longest window in which the same code may be the same scan: in more, a customer pays for a second sale.
const REPEAT_MS_MAX: u64 = 5_000;

/// A scanner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    /// Its serial port.
    pub port: Option<PathBuf>,
    /// Or its network address, `host:port`.
    pub tcp: Option<String>,
    /// Name of its profile, or a file of the shop's own.
    #[serde(default = "scanner_profile")]
    pub profile: String,
    /// Bits a second, where not as its profile says.
    pub baud: Option<u32>,
    /// Whether it sends AIM symbology identifiers, where not as its profile says.
    pub aim: Option<AimPrefix>,
    /// Whether it waits for a word that its scan was taken.
    #[serde(default)]
    pub acknowledge: Switch,
    /// Within how many milliseconds the same code may be the same scan.
    #[serde(default = "repeat_ms")]
    pub repeat_ms: u64,
    /// The profile itself, with what is said here put into it.
    #[serde(skip, default = "ScannerProfile::generic")]
    pub known: ScannerProfile,
}

impl Scanner {
    /// Finds the profile; `beside` is where a file of the shop's own begins.
    pub(super) fn find_profile(&mut self, beside: &Path) -> Result<(), String> {
        let mut known = match ScannerProfile::by_name(&self.profile) {
            Some(known) => known.clone(),
            None if self.profile.ends_with(".toml") => ScannerProfile::read(&beside.join(&self.profile))
                .map_err(|error| match error.source() {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                })?,
            None => {
                let names: Vec<&str> =
                    ScannerProfile::list().iter().map(|known| known.name.as_str()).collect();
                return Err(format!(
                    "there is no scanner profile {:?}: use one of {}, or a file that ends in .toml",
                    self.profile,
                    names.join(", ")
                ));
            }
        };
        known.line.baud = self.baud.unwrap_or(known.line.baud);
        known.aim = self.aim.unwrap_or(known.aim);
        if self.acknowledge == Switch::On && known.acknowledge.is_none() {
            return Err(format!(
                "acknowledge is on, but the scanner profile {} does not know with which bytes: turn it off here and at the scanner",
                known.name
            ));
        }
        if self.repeat_ms > REPEAT_MS_MAX {
            return Err(format!("repeat_ms is {}: at most {REPEAT_MS_MAX}", self.repeat_ms));
        }
        self.known = known;
        Ok(())
    }
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    #[default]
    Off,
}

/// A receipt printer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printer {
    /// Its serial port.
    pub port: Option<PathBuf>,
    /// Or its network address, `host:port`.
    pub tcp: Option<String>,
    /// Bits a second.
    #[serde(default = "printer_baud")]
    pub baud: u32,
    /// Flow control of the serial line.
    #[serde(default)]
    pub flow: Flow,
    /// Name of its profile.
    #[serde(deserialize_with = "parsed")]
    pub profile: ProfileName,
    /// Language of its paper.
    #[serde(default)]
    pub language: Language,
    /// How large its paper is printed.
    #[serde(default, rename = "type")]
    pub size: TypeSize,
    /// Which codes stand at the foot of a receipt.
    #[serde(default)]
    pub codes: Codes,
    /// A picture for the top of every receipt: a PNG, begun at the configuration's folder.
    pub logo: Option<Spanned<PathBuf>>,
}

/// Codes at the foot of a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codes {
    /// None.
    None,
    /// The square one, which is signed.
    #[default]
    Qr,
    /// A bar code of the receipt's number.
    Bar,
    /// Both.
    Both,
}

/// How large paper is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeSize {
    /// The usual.
    #[default]
    Normal,
    /// Goods and amounts in double size.
    Large,
}

/// Flow control.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// None.
    #[default]
    None,
    /// The RTS and CTS lines.
    RtsCts,
    /// XON and XOFF characters.
    XonXoff,
}

/// Language of paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans")]
    Chinese,
    /// Both, Chinese first.
    #[default]
    #[serde(rename = "both")]
    Both,
}

/// A printer profile that exists: a name of ours, or the whole path of a shop's own file, which ends in `.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProfileName(pub &'static hardware::Profile);

impl FromStr for ProfileName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        use hardware::Profile;
        if name.ends_with(".toml") {
            let path = std::path::Path::new(name);
            if !path.is_absolute() {
                return Err(format!("give the whole path of the printer profile {name:?}, from / on"));
            }
            let own = Profile::read(path).map_err(|error| error.to_string())?;
            // Read once in a process's life and used until its end.
            return Ok(Self(Box::leak(Box::new(own))));
        }
        Profile::by_name(name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = Profile::list().iter().map(|profile| profile.name.as_str()).collect();
            format!(
                "there is no printer profile {name:?}: use one of {}, or the whole path of a file that ends in .toml",
                names.join(", ")
            )
        })
    }
}

fn scanner_profile() -> String {
    "generic".to_owned()
}

fn repeat_ms() -> u64 {
    u64::try_from(crate::devices::REPEAT_WINDOW.as_millis()).unwrap_or(REPEAT_MS_MAX)
}

fn printer_baud() -> u32 {
    19_200
}
