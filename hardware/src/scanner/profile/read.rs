//! A scanner profile's file: TOML, strict, every field checked, and a sentence for each mistake.
//!
//! What the fields mean is said at `ScannerProfile`.

use super::{Framing, ScannerProfile};
use crate::scanner::framer::MAX_SCAN_BYTES;

/// The longest file a shop may name as a profile: a hundred times what one needs.
pub const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The shortest and longest silence that may end a scan, in milliseconds. Less falls between two bytes of a USB
/// frame; more makes the cashier wait and joins scans.
const IDLE_MS: std::ops::RangeInclusive<u16> = 10..=1000;

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
