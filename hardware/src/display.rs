//! Customer displays: two lines of twenty characters, by ESC/POS (DM-D) or by CD5220.
//!
//! Pure: what shall be seen becomes bytes. `frame` sets words and amounts into twenty cells, this module has the
//! commands, `profile` what a display obeys. What is shown when, and the port, are the caller's.
//!
//! Sources: Epson, DM-D110 specification, chapter 5.4 (`ESC @`, `ESC t`, `ESC =`, `CLR`, `US $`, `US C`,
//! `US MD1`); POS-X, XP8200 user manual, 4.1.2 (the same commands) and 4.1.8 (CD5220); Partner Tech, CD5220 user's
//! manual, table 6-1.

mod frame;
mod profile;

pub use crate::profile_file::ProfileError;
pub use frame::{COLUMNS, Frame, Line};
pub use profile::{Charset, Commands, DisplayProfile};

const CLR: u8 = 0x0c;
const DC1: u8 = 0x11;
const CR: u8 = 0x0d;
const ESC: u8 = 0x1b;
const US: u8 = 0x1f;

/// `ESC = 1`: the line is the printer's. Epson, ESC/POS reference for DM-D displays, ESC =; the same in Wincor's TH230
/// guide, p. 52.
pub const PRINTER: [u8; 3] = [ESC, b'=', 1];
/// `ESC = 2`: the line is the display's.
const DISPLAY: [u8; 3] = [ESC, b'=', 2];

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
        // ESC DC1 overwrite: the twentieth character must not scroll.
        Commands::Cd5220Cursor => vec![CLR, ESC, b'@', ESC, DC1, ESC, b'_', 0],
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
            // ESC l x y: column 1 of line 1 or 2.
            Commands::Cd5220Cursor => {
                out.extend([ESC, b'l', 1, if at == 0 { 1 } else { 2 }]);
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
    use proptest::prelude::*;

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
    fn on_a_shared_line_a_display_never_enters_the_mode_in_which_it_obeys_nothing() {
        let shared = profile("cd5220").on_shared_line();
        assert_eq!(begin(&shared), b"\x0c\x1b@\x1b\x11\x1b_\0");
        assert_eq!(
            encode(&frame(), None, &shared),
            b"\x1bl\x01\x01Milk 1L         2.40\x1bl\x01\x02TOTAL          12.80"
        );
        assert_eq!(profile("dm-d").on_shared_line(), *profile("dm-d"));
    }

    proptest! {
        #[test]
        fn no_frame_holds_a_command_for_the_printer(words in "\\PC{0,40}", amount in "\\PC{0,30}") {
            for known in DisplayProfile::list() {
                let shared = known.on_shared_line();
                let now = Frame { upper: Line::amount(&words, &amount), lower: Line::centred(&words) };
                let mut bytes = begin(&shared);
                bytes.extend(encode(&now, None, &shared));
                let out = pass_through(&bytes);
                prop_assert_eq!(crate::printer::escpos::real_time_command(&out), None);
                let turns = out.windows(2).filter(|pair| *pair == [ESC, b'=']).count();
                prop_assert_eq!(turns, 2, "the display's turn and the printer's");
                prop_assert!(out.ends_with(&PRINTER));
            }
        }
    }
}
