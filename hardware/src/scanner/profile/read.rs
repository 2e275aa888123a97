//! A scanner profile's file, and what is checked in it.
//!
//! How a profile's file is read is in `profile_file`; what the fields mean is said at `ScannerProfile`.

use super::{Framing, ScannerProfile};
use crate::profile_file::{self, InFile};
pub use crate::profile_file::{FILE_BYTES_MAX, ProfileError};
use crate::scanner::framer::MAX_SCAN_BYTES;

/// The shortest and longest silence that may end a scan, in milliseconds. Less falls between two bytes of a USB
/// frame; more makes the cashier wait and joins scans.
const IDLE_MS: std::ops::RangeInclusive<u16> = 10..=1000;

impl ScannerProfile {
    /// Reads a profile from a file of the shop's own.
    ///
    /// # Errors
    /// [`ProfileError`] names the file, the line and what to write.
    pub fn read(path: &std::path::Path) -> Result<ScannerProfile, ProfileError> {
        profile_file::read(path)
    }

    /// Reads a profile from its text. `file` is what errors call it.
    ///
    /// # Errors
    /// [`ProfileError::Wrong`].
    pub fn parse(file: &str, text: &str) -> Result<ScannerProfile, ProfileError> {
        profile_file::parse(file, text)
    }
}

impl InFile for ScannerProfile {
    const WHAT: &'static str = "scanner";

    fn check(&self) -> Result<(), String> {
        profile_file::check_head(&self.name, &self.source, self.line.baud)?;
        match self.framing {
            Framing::Length { bytes } if bytes == 0 || usize::from(bytes) > MAX_SCAN_BYTES => {
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
