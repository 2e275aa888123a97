//! Customer displays: two lines of twenty characters, by ESC/POS (DM-D) or by CD5220.
//!
//! Pure: what shall be seen becomes bytes. `frame` sets words and amounts into twenty cells, this module has the
//! commands. What is shown when, and the port, are the caller's.
//!
//! Sources: Epson, DM-D110 specification, chapter 5.4 (`ESC @`, `ESC t`, `ESC =`, `CLR`, `US $`, `US C`,
//! `US MD1`); POS-X, XP8200 user manual, 4.1.2 (the same commands) and 4.1.8 (CD5220); Partner Tech, CD5220 user's
//! manual, table 6-1.

mod frame;

pub use frame::{COLUMNS, Frame, Line};

const CLR: u8 = 0x0c;
const CR: u8 = 0x0d;
const ESC: u8 = 0x1b;
const US: u8 = 0x1f;

/// `ESC = 1`: the line is the printer's. Epson, ESC/POS reference for DM-D displays, ESC =; the same in Wincor's TH230
/// guide, p. 52.
pub const PRINTER: [u8; 3] = [ESC, b'=', 1];
/// `ESC = 2`: the line is the display's.
const DISPLAY: [u8; 3] = [ESC, b'=', 2];

/// Which commands a display obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    /// Epson's ESC/POS for displays.
    EscPos,
    /// CD5220 in its standard mode.
    Cd5220,
}

/// The characters a display has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// ASCII alone: what lies above differs from maker to maker.
    Ascii,
    /// Code page 437, page 0 of `ESC t`.
    Cp437,
    /// GB 2312 in two bytes and two cells. The display is set to it by itself: no command for it has a source.
    Gb2312,
}

/// One model, or a family that behaves alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayProfile {
    /// The name in a configuration.
    pub name: &'static str,
    /// For people who choose one.
    pub description: &'static str,
    /// Which commands it obeys.
    pub commands: Commands,
    /// Which characters it has.
    pub charset: Charset,
}

const PROFILES: &[DisplayProfile] = &[
    DisplayProfile {
        name: "dm-d",
        description: "Epson DM-D and displays set to Epson's ESC/POS commands",
        commands: Commands::EscPos,
        charset: Charset::Cp437,
    },
    DisplayProfile {
        name: "cd5220",
        description: "displays set to CD5220, the usual setting of pole displays",
        commands: Commands::Cd5220,
        charset: Charset::Ascii,
    },
    DisplayProfile {
        name: "cd5220-chinese",
        description: "CD5220 displays with simplified Chinese characters, switched to GB 2312 by their own setting",
        commands: Commands::Cd5220,
        charset: Charset::Gb2312,
    },
];

impl DisplayProfile {
    /// The profile of that name, or none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static DisplayProfile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// All profiles, in the order people should look at them.
    #[must_use]
    pub fn list() -> &'static [DisplayProfile] {
        PROFILES
    }
}

/// What a display that was just plugged in is told before its first frame.
#[must_use]
pub fn begin(profile: &DisplayProfile) -> Vec<u8> {
    match profile.commands {
        Commands::EscPos => {
            // ESC @ initialise and clear; US MD1 overwrite; US C 0 no cursor.
            let mut out = vec![ESC, b'@', US, 0x01, US, b'C', 0];
            if profile.charset == Charset::Cp437 {
                // ESC t 0.
                out.extend([ESC, b't', 0]);
            }
            out
        }
        // CLR first: in string mode, where an earlier program may have left it, nothing else is obeyed.
        // ESC @ initialise; ESC _ 0 no cursor.
        Commands::Cd5220 => vec![CLR, ESC, b'@', ESC, b'_', 0],
    }
}

/// The bytes that make a display show `now`, where `before` is what it shows. Lines that stay are not sent.
#[must_use]
pub fn encode(now: &Frame, before: Option<&Frame>, profile: &DisplayProfile) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let shown = before.map(|before| before.bytes(profile.charset));
    for (at, line) in now.bytes(profile.charset).iter().enumerate() {
        if shown.as_ref().is_some_and(|shown| shown[at] == *line) {
            continue;
        }
        match profile.commands {
            // US $ x y: column 1 of line 1 or 2; then twenty characters over what stands there.
            Commands::EscPos => {
                out.extend([US, b'$', 1, if at == 0 { 1 } else { 2 }]);
                out.extend(line);
            }
            // ESC Q A and ESC Q B: twenty characters and CR. They may follow each other in string mode.
            Commands::Cd5220 => {
                out.extend([ESC, b'Q', if at == 0 { b'A' } else { b'B' }]);
                out.extend(line);
                out.push(CR);
            }
        }
    }
    out
}

/// The same bytes for a display that shares a printer's line: `ESC = 2` gives the line to the display, `ESC = 1`
/// back to the printer.
#[must_use]
pub fn pass_through(bytes: &[u8]) -> Vec<u8> {
    [&DISPLAY, bytes, &PRINTER].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { upper: Line::amount("Milk 1L", "2.40"), lower: Line::amount("TOTAL", "12.80") }
    }

    fn profile(name: &str) -> &'static DisplayProfile {
        DisplayProfile::by_name(name).unwrap()
    }

    #[test]
    fn the_bytes_are_those_of_the_manuals() {
        assert_eq!(begin(profile("dm-d")), b"\x1b@\x1f\x01\x1fC\0\x1bt\0");
        assert_eq!(
            encode(&frame(), None, profile("dm-d")),
            b"\x1f$\x01\x01Milk 1L         2.40\x1f$\x01\x02TOTAL          12.80"
        );
        assert_eq!(begin(profile("cd5220")), b"\x0c\x1b@\x1b_\0");
        assert_eq!(
            encode(&frame(), None, profile("cd5220")),
            b"\x1bQAMilk 1L         2.40\r\x1bQBTOTAL          12.80\r"
        );
    }

    #[test]
    fn only_the_line_that_changed_is_sent() {
        let now = Frame { upper: Line::amount("Bag", "0.30"), ..frame() };
        assert_eq!(encode(&now, Some(&frame()), profile("cd5220")), b"\x1bQABag             0.30\r");
        assert!(encode(&frame(), Some(&frame()), profile("dm-d")).is_empty());
    }

    #[test]
    fn a_shared_line_is_given_back_to_the_printer() {
        assert_eq!(pass_through(b"x"), b"\x1b=\x02x\x1b=\x01");
    }

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in DisplayProfile::list() {
            assert_eq!(DisplayProfile::by_name(profile.name), Some(profile));
        }
        assert_eq!(DisplayProfile::by_name("nothing of ours"), None);
    }
}
