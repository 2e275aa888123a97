//! Display profiles: which commands a family of displays obeys, and which characters it has.
//!
//! A profile is a TOML file with its source; those that ship are compiled in, and a shop may name a file of its own. A
//! key that is not known is an error. What the commands are is in `display`.

use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::profile_file::{self, InFile, ProfileError};
use crate::scanner::profile::LineSettings;

/// The profiles that ship, in the order people should look at them.
const SHIPPED: [(&str, &str); 3] = [
    ("dm-d", include_str!("../../profiles/displays/dm-d.toml")),
    ("cd5220", include_str!("../../profiles/displays/cd5220.toml")),
    ("cd5220-chinese", include_str!("../../profiles/displays/cd5220-chinese.toml")),
];

/// Which commands a display obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commands {
    /// Epson's ESC/POS for displays.
    EscPos,
    /// CD5220 in its standard mode, lines by `ESC Q`.
    Cd5220,
    /// The same with lines by `ESC l`: after `ESC Q` nothing is obeyed but another line and what clears, so that a line
    /// shared with a printer would not be given back.
    Cd5220Cursor,
}

/// The characters a display has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Charset {
    /// ASCII alone: what lies above differs from maker to maker.
    Ascii,
    /// Code page 437, page 0 of `ESC t`.
    Cp437,
    /// GB 2312 in two bytes and two cells. The display is set to it by itself: no command for it has a source.
    Gb2312,
}

/// One model, or a family that behaves alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DisplayProfile {
    /// The name in a configuration.
    pub name: String,
    /// For people who choose one.
    pub description: String,
    /// Where its facts are written down.
    pub source: String,
    /// Which commands it obeys.
    pub commands: Commands,
    /// Which characters it has.
    pub charset: Charset,
    /// Whether it knows `ESC =`, and may hang on the printer's line.
    #[serde(default)]
    pub shares_line: bool,
    /// The serial line, as the display comes from its maker.
    pub line: LineSettings,
}

impl DisplayProfile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static DisplayProfile> {
        DisplayProfile::list().iter().find(|profile| profile.name == name)
    }

    /// All profiles that ship, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [DisplayProfile] {
        static ALL: LazyLock<Vec<DisplayProfile>> = LazyLock::new(|| {
            // A test reads each of them, so that none is missing.
            SHIPPED.iter().filter_map(|(name, text)| DisplayProfile::parse(name, text).ok()).collect()
        });
        &ALL
    }

    /// Reads a profile from a file of the shop's own.
    ///
    /// # Errors
    /// [`ProfileError`] names the file, the line and what to write.
    pub fn read(path: &Path) -> Result<DisplayProfile, ProfileError> {
        profile_file::read(path)
    }

    /// Reads a profile from its text. `file` is what errors call it.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<DisplayProfile, ProfileError> {
        profile_file::parse(file, text)
    }

    /// The same display on a line that it shares with a printer.
    #[must_use]
    pub fn on_shared_line(&self) -> DisplayProfile {
        let commands = match self.commands {
            Commands::EscPos => Commands::EscPos,
            Commands::Cd5220 | Commands::Cd5220Cursor => Commands::Cd5220Cursor,
        };
        DisplayProfile { commands, ..self.clone() }
    }
}

impl InFile for DisplayProfile {
    const WHAT: &'static str = "display";

    fn check(&self) -> Result<(), String> {
        profile_file::check_head(&self.name, &self.source, self.line.baud)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_that_ships_is_read_and_found_by_its_name() {
        for (name, text) in SHIPPED {
            let profile = DisplayProfile::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(profile.name, name);
            assert_eq!(DisplayProfile::by_name(name), Some(&profile));
            assert!(!profile.description.is_empty());
        }
        assert_eq!(DisplayProfile::by_name("nothing of ours"), None);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/displays");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SHIPPED.len());
    }

    #[test]
    fn each_mistake_in_a_profile_says_where_and_what_to_write() {
        const GOOD: &str = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\ncommands = \"cd5220\"\ncharset = \"ascii\"\n[line]\nbaud = 9600\n";
        let good = DisplayProfile::parse("own.toml", GOOD).unwrap();
        assert!(!good.shares_line, "what has no source is off");
        let error = |from: &str, to: &str| {
            DisplayProfile::parse("own.toml", &GOOD.replace(from, to)).unwrap_err().to_string()
        };
        for (found, expected) in [
            (error("baud =", "bauds ="), "own.toml:7: unknown field `bauds`"),
            (error("charset", "characters"), "own.toml:5: unknown field `characters`"),
            (error("9600", "0"), "own.toml: baud is 0"),
            (error("\"cd5220\"", "\"cd\""), "own.toml:4: unknown variant `cd`"),
            (error("\"manual\"", "\" \""), "own.toml: source is empty"),
            (error("\"own\"", "\"My Own\""), "own.toml: the name"),
        ] {
            assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
        }
    }
}
