//! The customer display of a station, as a configuration has it.

use super::{Language, parsed};
use hardware::display::DisplayProfile;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A customer display of two lines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Its serial port.
    pub port: Option<PathBuf>,
    /// Or its network address, `host:port`.
    pub tcp: Option<String>,
    /// Or whose line it shares.
    pub through: Option<Through>,
    /// Bits a second, where not as its profile says.
    pub baud: Option<u32>,
    /// What it obeys.
    #[serde(deserialize_with = "parsed")]
    pub profile: DisplayProfileName,
    /// Language of its words.
    #[serde(default)]
    pub language: Language,
    /// What it shows while nobody buys, two lines at most.
    #[serde(default)]
    pub idle: Vec<String>,
}

/// Whose line a display shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Through {
    /// The printer's of the same station.
    Printer,
}

/// A display profile that exists: a name of ours, or the whole path of a shop's own file, which ends in `.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DisplayProfileName(pub &'static DisplayProfile);

impl FromStr for DisplayProfileName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        if name.ends_with(".toml") {
            let path = Path::new(name);
            if !path.is_absolute() {
                return Err(format!("give the whole path of the display profile {name:?}, from / on"));
            }
            let own = DisplayProfile::read(path).map_err(|error| error.in_words())?;
            // Read once in a process's life and used until its end.
            return Ok(Self(Box::leak(Box::new(own))));
        }
        DisplayProfile::by_name(name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = DisplayProfile::list().iter().map(|known| known.name.as_str()).collect();
            format!(
                "there is no display profile {name:?}: use one of {}, or the whole path of a file that ends in .toml",
                names.join(", ")
            )
        })
    }
}
