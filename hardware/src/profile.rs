//! What a printer can do: width, commands it obeys, characters it owns, questions it answers.
//!
//! The facts are in `profiles/printers/*.toml`, one file a printer or a family, each with its source. A capability
//! without a source is off: a job that avoids a command prints everywhere, a command that is not understood prints
//! rubbish. How a document becomes bytes is in `printer::escpos`; which profile a shop uses is said in its
//! configuration; how a file is read and checked is in `profile::read`.

use std::sync::LazyLock;

use serde::Deserialize;

mod built_in;
pub mod code_page;
mod read;

pub use code_page::{CodePage, Pages};
pub use read::{ProfileError, WIDTH_DOTS_MAX};

/// Dots a single-width cell of Font A takes on nearly every printer. Epson ESC/POS command reference, ESC M.
pub const CELL_DOTS: u16 = 12;

/// The characters a printer has in its memory, beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Code page 437 alone, in force after `ESC @`: no source says which pages there are.
    Cp437,
    /// Several code pages, changed with `ESC t`; each character of them is one cell wide.
    Pages(Pages),
    /// GB18030 between `FS &` and `FS .`; every character of it is two cells wide.
    Gb18030,
}

/// What ends a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Cutter {
    /// A tear bar: paper is fed past it and torn by hand.
    TearBar {
        /// Lines of paper between the print head and the bar.
        feed_lines: u8,
    },
    /// A knife that obeys `GS V`.
    Knife,
}

/// How a printer that owns columns reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Columns {
    /// `ESC $` moves to a dot even when text is already in the line.
    ByDot,
    /// `ESC $` is missing or ignored within a line, so runs of spaces are sent.
    BySpaces,
}

/// Whether the printer draws QR symbols by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QrSupport {
    /// `GS ( k`, model 2.
    Native,
    /// Not by itself: they are sent as pictures.
    Raster,
    /// Not at all: the payload is printed as text, so that nothing on the receipt is lost.
    #[serde(rename = "text")]
    TextOnly,
}

/// The command by which pictures are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Raster {
    /// `GS v 0`: rows of bytes.
    #[serde(rename = "gs-v-0")]
    GsV0,
    /// `GS ( L`, functions 112 and 50: rows, kept and then printed.
    GsL,
    /// `ESC * 33`: columns of 24 dots.
    #[serde(rename = "esc-star-24")]
    EscStar24,
    /// None that a source vouches for.
    None,
}

/// A linear symbol that the printer draws by itself (`GS k`, function B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeBarcode {
    /// `GS k 67`.
    #[serde(rename = "ean-13")]
    Ean13,
    /// `GS k 73`.
    #[serde(rename = "code-128")]
    Code128,
}

/// Which questions the printer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replies {
    /// It never answers: jobs are sent blind and end unconfirmed.
    Never,
    /// `DLE EOT` only: its health is known, that a job was worked through is not.
    RealTime,
    /// `DLE EOT`, and `GS r` in the order of the job, which fences the job.
    Fenced,
    /// All of that, and `GS ( H`: it says by a number of ours when what came before is on paper.
    ProcessId,
}

/// One model, or a family that behaves alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name in a configuration.
    pub name: String,
    /// For people who choose one.
    pub description: String,
    /// Where the facts come from.
    pub source: String,
    /// Single-width characters in a line.
    pub columns: u8,
    /// Printable width in dots: at most `WIDTH_DOTS_MAX`.
    pub width_dots: u16,
    /// Dots from one single-width character to the next.
    pub cell_dots: u16,
    /// Dots per inch across; the unit of `ESC $`.
    pub dpi: u16,
    /// How columns are reached.
    pub positioning: Columns,
    /// Characters beyond ASCII.
    pub charset: Charset,
    /// The `n` of `ESC t n` for each code page, in the order in which they are tried.
    pub code_pages: Vec<(u8, CodePage)>,
    /// QR symbols.
    pub qr: QrSupport,
    /// Linear symbols it draws by itself; others are sent as pictures.
    pub barcodes: Vec<NativeBarcode>,
    /// Pictures.
    pub raster: Raster,
    /// Whether it swallows one line feed that follows a picture directly.
    pub eats_line_feed: bool,
    /// What ends a sheet.
    pub cutter: Cutter,
    /// Whether it has a connector for a cash drawer.
    pub drawer: bool,
    /// Whether `DLE DC4 1` opens that drawer at once, also while nothing is printed.
    pub drawer_at_once: bool,
    /// Whether `DLE ENQ 1` lets it go on after a jam of its knife that a person has cleared.
    pub recovers: bool,
    /// Whether a sensor tells that the roll is nearly used up.
    pub near_end_sensor: bool,
    /// Which questions it answers.
    pub replies: Replies,
    /// Whether `GS a` makes it tell of changes by itself (Automatic Status Back).
    pub status_back: bool,
}

/// Read once. A test reads every file that is built in, so a broken one never leaves the workshop.
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let read = |(file, text): &(&str, &str)| {
        Profile::parse(text).unwrap_or_else(|error| panic!("profiles/printers/{file}: {error}"))
    };
    built_in::FILES.iter().map(read).collect()
});

impl Profile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// All profiles, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [Profile] {
        &PROFILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name_and_says_where_its_facts_come_from() {
        for profile in Profile::list() {
            assert_eq!(Profile::by_name(&profile.name), Some(profile));
            assert!(profile.source.len() > 20, "{}", profile.name);
        }
        assert_eq!(Profile::by_name("nothing of ours"), None);
    }

    #[test]
    fn every_file_in_the_folder_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/printers");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut built_in: Vec<String> = built_in::FILES.iter().map(|(file, _)| (*file).to_owned()).collect();
        built_in.sort();
        assert_eq!(built_in, there);
        for (file, text) in built_in::FILES {
            assert_eq!(format!("{}.toml", Profile::parse(text).unwrap().name), *file);
        }
    }
}
