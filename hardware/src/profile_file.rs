//! Files of profiles: TOML, strict, small, and a sentence for each mistake.
//!
//! What a profile says is the affair of its kind: scanners, displays, drawers. Printers have rules of their own, in
//! `profile::read`.

use std::path::Path;

use serde::de::DeserializeOwned;

/// The longest file a shop may name as a profile: a hundred times what one needs.
pub const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a profile is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("the {what} profile {path} cannot be read")]
    Read {
        /// Whose profile it should be.
        what: &'static str,
        /// Which file.
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

impl ProfileError {
    /// The whole of it in one sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// A profile that a file may hold.
pub(crate) trait InFile: DeserializeOwned {
    /// Whose profile it is, for sentences.
    const WHAT: &'static str;

    /// What makes no sense in it, and what to write instead.
    fn check(&self) -> Result<(), String>;
}

/// Reads a file.
pub(crate) fn read<T: InFile>(path: &Path) -> Result<T, ProfileError> {
    let file = path.display().to_string();
    let unreadable = |source| ProfileError::Read { what: T::WHAT, path: file.clone(), source };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        let reason = format!("{length} bytes are no profile; one has at most {FILE_BYTES_MAX}");
        return Err(ProfileError::Wrong { file, line: String::new(), reason });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    parse(&file, &text)
}

/// Reads a text. `file` is what errors call it.
pub(crate) fn parse<T: InFile>(file: &str, text: &str) -> Result<T, ProfileError> {
    let wrong = |line: String, reason: String| ProfileError::Wrong { file: file.to_owned(), line, reason };
    let profile: T = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            format!(":{}", before.iter().filter(|byte| **byte == b'\n').count() + 1)
        });
        wrong(line.unwrap_or_default(), error.message().to_owned())
    })?;
    profile.check().map_err(|reason| wrong(String::new(), reason))?;
    Ok(profile)
}

/// What every profile has: a name that a configuration can say, a source, and a line with a speed.
pub(crate) fn check_head(name: &str, source: &str, baud: u32) -> Result<(), String> {
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(slug) {
        return Err(format!("the name {name:?} is not of small letters, digits and dashes"));
    }
    if source.trim().is_empty() {
        return Err("source is empty: name the manual and page that the settings come from".to_owned());
    }
    if baud == 0 {
        return Err("baud is 0: write the line's speed".to_owned());
    }
    Ok(())
}
