//! The drawer of a station on a port of its own, as a configuration has it.

use super::parsed;
use hardware::drawer::DrawerProfile;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A drawer that does not hang on the printer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawer {
    /// Its serial port.
    pub port: Option<PathBuf>,
    /// Or its network address, `host:port`.
    pub tcp: Option<String>,
    /// Bits a second, where not as its profile says.
    pub baud: Option<u32>,
    /// What opens it.
    #[serde(default = "bell", deserialize_with = "parsed")]
    pub profile: DrawerProfileName,
}

/// A drawer profile that exists: a name of ours, or the whole path of a shop's own file, which ends in `.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DrawerProfileName(pub &'static DrawerProfile);

impl FromStr for DrawerProfileName {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        if name.ends_with(".toml") {
            let path = Path::new(name);
            if !path.is_absolute() {
                return Err(format!("give the whole path of the drawer profile {name:?}, from / on"));
            }
            let own = DrawerProfile::read(path).map_err(|error| error.in_words())?;
            // Read once in a process's life and used until its end.
            return Ok(Self(Box::leak(Box::new(own))));
        }
        DrawerProfile::by_name(name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = DrawerProfile::list().iter().map(|known| known.name.as_str()).collect();
            format!(
                "there is no drawer profile {name:?}: use one of {}, or the whole path of a file that ends in .toml",
                names.join(", ")
            )
        })
    }
}

/// The byte that most drawers and triggers open on.
fn bell() -> DrawerProfileName {
    DrawerProfileName(&DrawerProfile::list()[0])
}
