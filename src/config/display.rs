//! The customer display of a station, as a configuration has it.

use super::{Language, parsed};
use hardware::display::DisplayProfile;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// A customer display of two lines on a line of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Its serial port.
    pub port: Option<PathBuf>,
    /// Or its network address, `host:port`.
    pub tcp: Option<String>,
    /// Bits a second.
    #[serde(default = "display_baud")]
    pub baud: u32,
    /// Name of its profile.
    #[serde(deserialize_with = "parsed")]
    pub profile: DisplayProfileName,
    /// Language of its words.
    #[serde(default)]
    pub language: Language,
    /// What it shows while nobody buys, two lines at most.
    #[serde(default)]
    pub idle: Vec<String>,
}

/// The name of a display profile that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisplayProfileName(pub String);

impl FromStr for DisplayProfileName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        if DisplayProfile::by_name(name).is_some() {
            return Ok(Self(name.to_owned()));
        }
        let names: Vec<&str> = DisplayProfile::list().iter().map(|profile| profile.name).collect();
        Err(format!("there is no display profile {name:?}: use one of {}", names.join(", ")))
    }
}

fn display_baud() -> u32 {
    9_600
}
