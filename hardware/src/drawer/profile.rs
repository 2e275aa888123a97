//! Drawer profiles: which bytes open a drawer that has a port of its own, and how it says that it is open.
//!
//! A profile is a TOML file with its source; those that ship are compiled in, and a shop may name a file of its own. A
//! key that is not known is an error.

use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::profile_file::{self, InFile, ProfileError};
use crate::scanner::profile::{LineSettings, Mark};

/// The profiles that ship, in the order people should look at them.
const SHIPPED: [(&str, &str); 4] = [
    ("bell", include_str!("../../profiles/drawers/bell.toml")),
    ("bell-second", include_str!("../../profiles/drawers/bell-second.toml")),
    ("glancetron-8005", include_str!("../../profiles/drawers/glancetron-8005.toml")),
    ("glancetron-8005-second", include_str!("../../profiles/drawers/glancetron-8005-second.toml")),
];

/// One kind of drawer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawerProfile {
    /// The name in a configuration.
    pub name: String,
    /// For people who choose one.
    pub description: String,
    /// Where its facts are written down.
    pub source: String,
    /// What opens it.
    pub open: Mark,
    /// How it says whether it is open, if it does.
    pub switch: Option<Switch>,
    /// The serial line, as the drawer comes from its maker.
    pub line: LineSettings,
}

/// How a drawer is asked whether it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The question.
    pub ask: Mark,
    /// The answer of a drawer that is shut.
    pub is_shut: Mark,
    /// The answer of one that is open.
    pub is_open: Mark,
}

impl DrawerProfile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static DrawerProfile> {
        DrawerProfile::list().iter().find(|profile| profile.name == name)
    }

    /// All profiles that ship, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [DrawerProfile] {
        static ALL: LazyLock<Vec<DrawerProfile>> = LazyLock::new(|| {
            // A test reads each of them, so that none is missing.
            SHIPPED.iter().filter_map(|(name, text)| DrawerProfile::parse(name, text).ok()).collect()
        });
        &ALL
    }

    /// Reads a profile from a file of the shop's own.
    ///
    /// # Errors
    /// [`ProfileError`] names the file, the line and what to write.
    pub fn read(path: &Path) -> Result<DrawerProfile, ProfileError> {
        profile_file::read(path)
    }

    /// Reads a profile from its text. `file` is what errors call it.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<DrawerProfile, ProfileError> {
        profile_file::parse(file, text)
    }
}

impl InFile for DrawerProfile {
    const WHAT: &'static str = "drawer";

    fn check(&self) -> Result<(), String> {
        profile_file::check_head(&self.name, &self.source, self.line.baud)?;
        match &self.switch {
            Some(switch) if switch.is_open == switch.is_shut => {
                Err("is_open and is_shut are the same: write what the manual says, or leave switch out"
                    .to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_that_ships_is_read_and_found_by_its_name() {
        for (name, text) in SHIPPED {
            let profile = DrawerProfile::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(profile.name, name);
            assert_eq!(DrawerProfile::by_name(name), Some(&profile));
            assert!(!profile.description.is_empty());
        }
        assert_eq!(DrawerProfile::by_name("nothing of ours"), None);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/drawers");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), SHIPPED.len());
    }

    #[test]
    fn each_mistake_in_a_profile_says_where_and_what_to_write() {
        const GOOD: &str = "name = \"own\"\ndescription = \"x\"\nsource = \"manual\"\nopen = \"1B 70\"\n[line]\nbaud = 9600\n[switch]\nask = \"ENQ\"\nis_shut = \"30\"\nis_open = \"31\"\n";
        assert_eq!(DrawerProfile::parse("own.toml", GOOD).unwrap().open.as_slice(), b"\x1bp");
        let error = |from: &str, to: &str| {
            DrawerProfile::parse("own.toml", &GOOD.replace(from, to)).unwrap_err().to_string()
        };
        for (found, expected) in [
            (error("baud =", "bauds ="), "own.toml:6: unknown field `bauds`"),
            (error("open = \"1B 70\"\n", ""), "own.toml:1: missing field `open`"),
            (error("\"1B 70\"", "\"\""), "own.toml:4: a mark is 1 to 8 bytes"),
            (error("9600", "0"), "own.toml: baud is 0"),
            (error("\"31\"", "\"30\""), "own.toml: is_open and is_shut are the same"),
            (error("\"manual\"", "\" \""), "own.toml: source is empty"),
            (error("\"own\"", "\"My Own\""), "own.toml: the name"),
        ] {
            assert!(found.starts_with(expected), "{found:?} should begin with {expected:?}");
        }
    }
}
