//! Commands in the order of the job that the printer answers, or that change what it says.
//!
//! What the answers are depends on the printer's health and is in `sim::printer`. Epson's command reference: GS r,
//! GS a, GS I, GS ( H functions 48 and 49, GS ( D.

use super::GS;

/// What a command asks of its printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Answer {
    /// `GS r 1`: how much paper is left.
    PaperSensor,
    /// `GS r 2`: the drawer's line.
    DrawerSensor,
    /// `GS a n`: of which changes it tells by itself.
    StatusBack(u8),
    /// `GS I n`: who it is.
    Identity(u8),
    /// `GS ( H` function 48: say this when all before it is printed.
    ProcessId([u8; 4]),
    /// `GS ( H` function 49: say this when it goes off line.
    OfflineId([u8; 4]),
    /// `GS ( D`: whether `DLE DC4` functions 1 and 2 are obeyed.
    RealTime {
        /// The function of `DLE DC4`.
        function: u8,
        /// Whether it is obeyed from now on.
        obeyed: bool,
    },
}

/// What a whole command asks; none if it is not of these.
pub(super) fn answer(command: &[u8]) -> Option<Answer> {
    Some(match *command {
        [GS, b'r', 1 | b'1'] => Answer::PaperSensor,
        [GS, b'r', 2 | b'2'] => Answer::DrawerSensor,
        [GS, b'a', n] => Answer::StatusBack(n),
        [GS, b'I', n @ (1..=3 | 49..=51 | 65..=69)] => Answer::Identity(n),
        [GS, b'(', b'H', 6, 0, function @ (48 | 49), 48, a, b, c, d]
            if [a, b, c, d].iter().all(|byte| (0x20..=0x7e).contains(byte)) =>
        {
            match function {
                48 => Answer::ProcessId([a, b, c, d]),
                _ => Answer::OfflineId([a, b, c, d]),
            }
        }
        [GS, b'(', b'D', 3, 0, 20, function @ (1 | 2), on @ (0 | 1 | 48 | 49)] => {
            Answer::RealTime { function, obeyed: on & 1 == 1 }
        }
        _ => return None,
    })
}
