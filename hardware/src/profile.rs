//! What a printer can do: width, commands it obeys, characters it owns.
//!
//! A profile is plain data in a fixed table. How a document becomes bytes is in `printer::escpos`; which profile
//! a shop uses is said in its configuration. Characters come from Font A (12 dots wide), so no other font is
//! described here.

/// Dots a single-width cell of Font A takes. Epson ESC/POS command reference, ESC M.
pub const CELL_DOTS: u16 = 12;

/// The characters a printer has in its memory, beyond ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Code page 437, page 0 of `ESC t`, in force after `ESC @`.
    Cp437,
    /// GB18030 between `FS &` and `FS .`; every character of it is two cells wide.
    Gb18030,
}

/// What ends a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// `ESC $` moves to a dot even when text is already in the line.
    ByDot,
    /// `ESC $` is missing or ignored within a line, so runs of spaces are sent.
    BySpaces,
}

/// Whether the printer draws QR symbols by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QrSupport {
    /// `GS ( k`, model 2.
    Native,
    /// Not at all: the payload is printed as text, so that nothing on the receipt is lost.
    TextOnly,
}

/// Which questions the printer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The name in a configuration.
    pub name: &'static str,
    /// For people who choose one.
    pub description: &'static str,
    /// Single-width characters in a line.
    pub columns: u8,
    /// Printable width in dots.
    pub width_dots: u16,
    /// Dots per inch across; the unit of `ESC $`.
    pub dpi: u16,
    /// How columns are reached.
    pub positioning: Columns,
    /// QR symbols.
    pub qr: QrSupport,
    /// Characters beyond ASCII.
    pub charset: Charset,
    /// What ends a sheet.
    pub cutter: Cutter,
    /// Whether it has a connector for a cash drawer.
    pub drawer: bool,
    /// Which questions it answers.
    pub replies: Replies,
    /// Whether `GS a` makes it tell of changes by itself (Automatic Status Back).
    pub status_back: bool,
}

/// Widths and resolutions: escpos-printer-db (CC BY 4.0), TM-T88V, TM-T70II-CH, default and POS-5890 entries.
/// That 58 mm clones ignore `ESC $` within a line and have no knife: calibration of the NT-5890K in escpost.
const PROFILES: &[Profile] = &[
    Profile {
        name: "epson-tm-t88",
        description: "Epson TM-T88 III to VII and what emulates it, 80 mm, 42 columns, western",
        columns: 42,
        width_dots: 512,
        dpi: 180,
        positioning: Columns::ByDot,
        qr: QrSupport::Native,
        charset: Charset::Cp437,
        cutter: Cutter::Knife,
        drawer: true,
        replies: Replies::Fenced,
        status_back: true,
    },
    Profile {
        name: "epson-tm-t88-chinese",
        description: "Epson TM-T88 with simplified Chinese characters, 80 mm, 42 columns",
        columns: 42,
        width_dots: 512,
        dpi: 180,
        positioning: Columns::ByDot,
        qr: QrSupport::Native,
        charset: Charset::Gb18030,
        cutter: Cutter::Knife,
        drawer: true,
        replies: Replies::Fenced,
        status_back: true,
    },
    Profile {
        name: "generic-80mm",
        description: "80 mm printers of Chinese make with a knife, 48 columns",
        columns: 48,
        width_dots: 576,
        dpi: 203,
        positioning: Columns::ByDot,
        qr: QrSupport::Native,
        charset: Charset::Gb18030,
        cutter: Cutter::Knife,
        drawer: true,
        replies: Replies::Fenced,
        status_back: true,
    },
    Profile {
        name: "chinese-58mm",
        description: "58 mm printers of Chinese make with a tear bar, 32 columns",
        columns: 32,
        width_dots: 384,
        dpi: 203,
        positioning: Columns::BySpaces,
        qr: QrSupport::Native,
        charset: Charset::Gb18030,
        cutter: Cutter::TearBar { feed_lines: 4 },
        drawer: true,
        replies: Replies::Fenced,
        status_back: true,
    },
    Profile {
        name: "mute-80mm",
        description: "80 mm printers that only listen: no status, no confirmation, no QR of their own",
        columns: 48,
        width_dots: 576,
        dpi: 203,
        positioning: Columns::BySpaces,
        qr: QrSupport::TextOnly,
        charset: Charset::Cp437,
        cutter: Cutter::Knife,
        drawer: true,
        replies: Replies::Never,
        status_back: false,
    },
];

impl Profile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// All profiles, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [Profile] {
        PROFILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name_and_its_columns_fit_its_paper() {
        for profile in Profile::list() {
            assert_eq!(Profile::by_name(profile.name), Some(profile));
            assert!(u16::from(profile.columns) * CELL_DOTS <= profile.width_dots, "{}", profile.name);
            assert!(u16::from(profile.columns + 1) * CELL_DOTS > profile.width_dots, "{}", profile.name);
        }
        assert_eq!(Profile::by_name("nothing of ours"), None);
    }
}
