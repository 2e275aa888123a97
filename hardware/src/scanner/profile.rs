//! Scanner profiles: how a family of scanners frames what it reads, and what it can be told.
//!
//! A profile is a TOML file; those that ship are compiled in, and a shop may name a file of its own. A key that is
//! not known is an error. A command stands in a profile only with its source: a byte that nobody has written down
//! is not sent to a device. What a scan means is not known here.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use super::AimPrefix;

mod mark;
pub use mark::Mark;

/// The longest file a shop may name as a profile: a hundred times what one needs.
pub const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The shortest and longest silence that may end a scan, in milliseconds. Less falls between two bytes of a USB
/// frame; more makes the cashier wait and joins scans.
const IDLE_MS: std::ops::RangeInclusive<u16> = 10..=1000;

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

/// Why a profile is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("the scanner profile {path} cannot be read")]
    Read {
        /// Which.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file does not say what a profile says.
    #[error("{file}{line}: {reason}")]
    Wrong {
        /// Which file or profile.
        file: String,
        /// `:12`, or nothing.
        line: String,
        /// What is wrong and what to write.
        reason: String,
    },
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

    /// Reads a profile from a file of the shop's own.
    ///
    /// # Errors
    /// [`ProfileError`] names the file, the line and what to write.
    pub fn read(path: &std::path::Path) -> Result<ScannerProfile, ProfileError> {
        let file = path.display().to_string();
        let unreadable = |source| ProfileError::Read { path: file.clone(), source };
        let length = std::fs::metadata(path).map_err(unreadable)?.len();
        if length > FILE_BYTES_MAX {
            let reason = format!("{length} bytes are no profile; one has at most {FILE_BYTES_MAX}");
            return Err(ProfileError::Wrong { file, line: String::new(), reason });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        ScannerProfile::parse(&file, &text)
    }

    /// Reads a profile from its text. `file` is what errors call it.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<ScannerProfile, ProfileError> {
        let wrong =
            |line: String, reason: String| ProfileError::Wrong { file: file.to_owned(), line, reason };
        let profile: ScannerProfile = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = &text.as_bytes()[..span.start.min(text.len())];
                format!(":{}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
            });
            wrong(line.unwrap_or_default(), error.message().to_owned())
        })?;
        profile.check().map_err(|reason| wrong(String::new(), reason))?;
        Ok(profile)
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

    fn check(&self) -> Result<(), String> {
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(slug) {
            return Err(format!("the name {:?} is not of small letters, digits and dashes", self.name));
        }
        if self.source.trim().is_empty() {
            return Err("source is empty: name the manual and page that the settings come from".to_owned());
        }
        if self.line.baud == 0 {
            return Err("baud is 0: write the line's speed".to_owned());
        }
        match self.framing {
            Framing::Length { bytes } if bytes == 0 || usize::from(bytes) > super::framer::MAX_SCAN_BYTES => {
                return Err(format!("a length of {bytes} bytes is not from 1 to 4096"));
            }
            Framing::Idle { idle_ms } if !IDLE_MS.contains(&idle_ms) => {
                return Err(format!("a silence of {idle_ms} ms is not from 10 to 1000"));
            }
            Framing::Lines
            | Framing::Terminated { .. }
            | Framing::Enclosed { .. }
            | Framing::Length { .. }
            | Framing::Idle { .. } => {}
        }
        let commands = self.commands.all();
        let sources = commands.iter().map(|(name, command)| (*name, &command.source));
        let acknowledge = self.acknowledge.iter().map(|acknowledge| ("acknowledge", &acknowledge.source));
        match sources.chain(acknowledge).find(|(_, source)| source.trim().is_empty()) {
            Some((name, _)) => {
                Err(format!("{name} has no source: name the manual and page, or leave it out"))
            }
            None => Ok(()),
        }
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
mod tests {
    use super::*;

    #[test]
    fn every_profile_that_ships_is_read_and_found_by_its_name() {
        for (name, text) in SHIPPED {
            let profile = ScannerProfile::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(profile.name, name);
            assert_eq!(ScannerProfile::by_name(name), Some(&profile));
            assert!(!profile.description.is_empty());
        }
        assert_eq!(ScannerProfile::list().len(), SHIPPED.len());
        assert_eq!(ScannerProfile::by_name("nothing of ours"), None);
        let generic = ScannerProfile::by_name("generic").unwrap();
        let (description, source) = (generic.description.clone(), generic.source.clone());
        assert_eq!(*generic, ScannerProfile { description, source, ..ScannerProfile::generic() });
    }

    #[test]
    fn a_scan_that_is_cut_out_already_is_read_with_or_without_its_marks() {
        let of = |name: &str, data: &[u8]| {
            let scan = ScannerProfile::by_name(name).unwrap().scan_of(data);
            (scan.aim.map(|aim| aim.to_string()), String::from_utf8(scan.data).unwrap())
        };
        let bare = |text: &str| (None, text.to_owned());
        let ean = (Some("]E0".to_owned()), "4006381333931".to_owned());
        for data in [&b"]E04006381333931"[..], b"\x02]E04006381333931\x03"] {
            assert_eq!(of("generic-marked", data), ean);
            assert_eq!(of("honeywell", data), ean);
        }
        assert_eq!(of("honeywell", b"]E04006381333931\r\n"), ean);
        assert_eq!(of("generic-silent", b"A\r\n"), bare("A"));
        assert_eq!(of("generic", b"]E04006381333931\r"), bare("]E04006381333931"));
        // Line ends may belong to what stands between marks; half a pair of marks is data.
        assert_eq!(of("generic-marked", b"A\r"), bare("A\r"));
        assert_eq!(of("generic", b"\x02A"), bare("\x02A"));
        let own = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\ngs = \"7C\"\n[line]\nbaud = 9600\n[framing]\nby = \"terminated\"\nend = \"ETX\"\n";
        let own = ScannerProfile::parse("own.toml", own).unwrap();
        assert_eq!(own.scan_of(b"10AB|21C\x03").data, b"10AB\x1d21C");
        assert_eq!(own.scan_of(b"").data, b"");
    }

    #[test]
    fn each_mistake_in_a_profile_says_where_and_what_to_write() {
        const GOOD: &str = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\n[line]\nbaud = 9600\n[framing]\nby = \"enclosed\"\nbegin = \"STX\"\nend = \"ETX\"\n";
        assert!(ScannerProfile::parse("own.toml", GOOD).is_ok());
        let error = |from: &str, to: &str| {
            ScannerProfile::parse("own.toml", &GOOD.replace(from, to)).unwrap_err().to_string()
        };
        for (found, expected) in [
            (error("baud =", "bauds ="), "own.toml:5: unknown field `bauds`"),
            (error("9600", "0"), "own.toml: baud is 0"),
            (error("\"STX\"", "\"\""), "own.toml:6: a mark is 1 to 8 bytes"),
            (error("\"STX\"", "\"<<\""), "own.toml:6: \"<<\" is not a byte"),
            (error("\"enclosed\"", "\"silence\""), "own.toml:7: unknown variant `silence`"),
            (error("\"manual\"", "\" \""), "own.toml: source is empty"),
            (error("\"own\"", "\"My Own\""), "own.toml: the name"),
            (error("[line]", "gs = \"1\"\n[line]"), "own.toml:4: gs is \"sent\", \"lost\", or the bytes"),
            (
                error("[line]", "commands.beep = { bytes = \"07\", source = \"\" }\n[line]"),
                "own.toml: beep has no source",
            ),
            (
                error("by = \"enclosed\"\nbegin = \"STX\"\nend = \"ETX\"", "by = \"idle\"\nidle_ms = 5"),
                "own.toml: a silence of 5 ms",
            ),
        ] {
            assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
        }
    }
}
