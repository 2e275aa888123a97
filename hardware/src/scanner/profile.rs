//! Scanner profiles: how a family of scanners frames what it reads, and what it can be told.
//!
//! A profile is a TOML file; those that ship are compiled in, and a shop may name a file of its own. A key that is
//! not known is an error. A command stands in a profile only with its source: a byte that nobody has written down
//! is not sent to a device. What a scan means is not known here; how a file is read and checked is in `profile::read`.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use super::AimPrefix;

mod mark;
mod read;

pub use mark::Mark;
pub use read::{FILE_BYTES_MAX, ProfileError};

/// The profiles that ship, in the order people should look at them.
const SHIPPED: [(&str, &str); 9] = [
    ("generic", include_str!("../../profiles/scanners/generic.toml")),
    ("generic-marked", include_str!("../../profiles/scanners/generic-marked.toml")),
    ("generic-silent", include_str!("../../profiles/scanners/generic-silent.toml")),
    ("honeywell", include_str!("../../profiles/scanners/honeywell.toml")),
    ("metrologic", include_str!("../../profiles/scanners/metrologic.toml")),
    ("zebra", include_str!("../../profiles/scanners/zebra.toml")),
    ("datalogic", include_str!("../../profiles/scanners/datalogic.toml")),
    ("newland", include_str!("../../profiles/scanners/newland.toml")),
    ("cipherlab", include_str!("../../profiles/scanners/cipherlab.toml")),
];

/// One family of scanners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScannerProfile {
    /// The name in a configuration.
    pub name: String,
    /// For people who choose one.
    pub description: String,
    /// Where its facts are written down.
    pub source: String,
    /// The serial line, as the scanner comes from its maker.
    pub line: LineSettings,
    /// What a scan begins and ends with.
    pub framing: Framing,
    /// Whether it sends AIM identifiers.
    #[serde(default)]
    pub aim: AimPrefix,
    /// What it sends for the separator FNC1 of GS1 codes.
    #[serde(default)]
    pub gs: Separator,
    /// How it is told that a scan was taken, if it can be.
    pub acknowledge: Option<Acknowledge>,
    /// What it can be told besides.
    #[serde(default)]
    pub commands: Commands,
}

/// A serial line's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSettings {
    /// Bits a second.
    pub baud: u32,
    /// Bits in a byte.
    #[serde(default)]
    pub data_bits: DataBits,
    /// The check bit.
    #[serde(default)]
    pub parity: Parity,
    /// Bits after a byte.
    #[serde(default)]
    pub stop_bits: StopBits,
    /// Who may stop the flow.
    #[serde(default)]
    pub flow: crate::link::FlowControl,
}

pub use crate::link::serial::{DataBits, Parity, StopBits};

/// What a scan begins and ends with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Framing {
    /// It ends with CR, LF or both, or stands between STX and ETX: whatever of these the scanner is set to.
    #[default]
    Lines,
    /// It ends with these bytes and no others.
    Terminated {
        /// The bytes.
        end: Mark,
    },
    /// It stands between these bytes. A code may then hold line ends.
    Enclosed {
        /// Before it.
        begin: Mark,
        /// After it.
        end: Mark,
    },
    /// Each has the same length. A code may then hold anything.
    Length {
        /// Bytes, from 1 to 4,096.
        bytes: u16,
    },
    /// It ends when the line goes quiet. The last resort: each scan comes late, and two close ones become one.
    Idle {
        /// Milliseconds, from 10 to 1,000.
        idle_ms: u16,
    },
}

/// What stands for the byte 1D, by which GS1 codes separate their parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Separator {
    /// The byte itself.
    #[default]
    Sent,
    /// Other bytes, put in its place by the scanner.
    Substituted(Mark),
    /// Nothing: parts of variable length cannot be told from what follows.
    Lost,
}

impl<'de> Deserialize<'de> for Separator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "sent" | "1D" | "GS" => Ok(Separator::Sent),
            "lost" => Ok(Separator::Lost),
            bytes => bytes.parse().map(Separator::Substituted).map_err(|error| {
                serde::de::Error::custom(format!(
                    "gs is \"sent\", \"lost\", or the bytes sent instead; {error}"
                ))
            }),
        }
    }
}

/// How a scanner is told that a scan was taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Taken.
    pub taken: Mark,
    /// Not understood: send it again.
    pub again: Mark,
    /// How long it waits for either, in milliseconds.
    pub wait_ms: u16,
    /// The manual and its page.
    pub source: String,
}

/// What a scanner can be told. What has no source is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Begin to read, as the trigger does.
    pub trigger_on: Option<Command>,
    /// Stop reading.
    pub trigger_off: Option<Command>,
    /// Take scans from now on.
    pub enable: Option<Command>,
    /// Take none.
    pub disable: Option<Command>,
    /// Make the sound of a good read.
    pub beep: Option<Command>,
}

/// A command and where it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What is sent.
    pub bytes: Mark,
    /// The manual and its page.
    pub source: String,
    /// What the scanner must be set to for it, if anything.
    pub needs: Option<String>,
}

impl ScannerProfile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static ScannerProfile> {
        ScannerProfile::list().iter().find(|profile| profile.name == name)
    }

    /// All profiles that ship, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [ScannerProfile] {
        static ALL: LazyLock<Vec<ScannerProfile>> = LazyLock::new(|| {
            // A test reads each of them, so that none is missing.
            SHIPPED.iter().filter_map(|(name, text)| ScannerProfile::parse(name, text).ok()).collect()
        });
        &ALL
    }

    /// The profile for scanners that nothing is known of: CR, LF, both, or STX to ETX, without AIM identifiers.
    #[must_use]
    pub fn generic() -> ScannerProfile {
        ScannerProfile {
            name: "generic".to_owned(),
            description: String::new(),
            source: String::new(),
            line: LineSettings {
                baud: 9600,
                data_bits: DataBits::Eight,
                parity: Parity::None,
                stop_bits: StopBits::One,
                flow: crate::link::FlowControl::None,
            },
            framing: Framing::Lines,
            aim: AimPrefix::NotSent,
            gs: Separator::Sent,
            acknowledge: None,
            commands: Commands::default(),
        }
    }

    /// Reads one scan that is cut out already, as it stands in a file or is typed by hand: its marks are taken off
    /// if they are there, then its AIM identifier, and its separators are put back.
    ///
    /// A device's bytes go through [`super::ScanDecoder`], which cuts them.
    #[must_use]
    pub fn scan_of(&self, data: &[u8]) -> super::Scan {
        let data = match self.framing {
            Framing::Lines => unmarked(data, b"\x02", b"\x03").unwrap_or_else(|| without_line_ends(data)),
            Framing::Terminated { end } => data.strip_suffix(end.as_slice()).unwrap_or(data),
            Framing::Enclosed { begin, end } => {
                unmarked(data, begin.as_slice(), end.as_slice()).unwrap_or(data)
            }
            Framing::Length { .. } => data,
            Framing::Idle { .. } => without_line_ends(data),
        };
        super::separator::restore(super::aim::split(data.to_vec(), self.aim), self.gs)
    }
}

fn unmarked<'a>(data: &'a [u8], begin: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    data.strip_prefix(begin)?.strip_suffix(end)
}

fn without_line_ends(mut data: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = data {
        data = rest;
    }
    data
}

impl Commands {
    /// Those that there are, by their names in a profile.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, &Command)> {
        [
            ("trigger_on", &self.trigger_on),
            ("trigger_off", &self.trigger_off),
            ("enable", &self.enable),
            ("disable", &self.disable),
            ("beep", &self.beep),
        ]
        .into_iter()
        .filter_map(|(name, command)| command.as_ref().map(|command| (name, command)))
        .collect()
    }
}

#[cfg(test)]
mod tests;
