//! Scanners: bytes become scans.
//!
//! Pure. The port they come from is in `link`; what a scan means (an item, a pay code, a coupon) is not known
//! here. A scan is delivered at its terminator and never because the line went quiet: waiting for silence makes
//! every scan late and joins two that follow each other closely.

pub mod aim;
pub mod framer;

use crate::link::Decode;
pub use aim::AimId;
pub use framer::{Frame, Framer};

/// Whether the scanner puts an AIM identifier before each scan, as it was set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AimPrefix {
    /// It does: `]cm` is taken off.
    Sent,
    /// It does not: a `]` at the beginning belongs to the data.
    #[default]
    NotSent,
}

/// What one pull of the trigger gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The kind of symbol, if the scanner says it.
    pub aim: Option<AimId>,
    /// The symbol's content, which may hold any byte but the terminators.
    pub data: Vec<u8>,
}

/// What came from a scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A scan.
    Scan(Scan),
    /// More bytes than any symbol holds without a terminator: noise, a wrong baud rate, or a missing suffix.
    Overlong {
        /// How many bytes were thrown away, the limit included.
        bytes: usize,
    },
}

/// A scanner's decoder for a port.
#[derive(Debug, Default)]
pub struct ScanDecoder {
    framer: Framer,
    prefix: AimPrefix,
}

impl ScanDecoder {
    /// A decoder for a scanner that was set up to send, or not to send, AIM identifiers.
    #[must_use]
    pub fn new(prefix: AimPrefix) -> ScanDecoder {
        ScanDecoder { framer: Framer::new(), prefix }
    }
}

impl Decode for ScanDecoder {
    type Item = Scanned;

    fn decode(&mut self, bytes: &[u8], deliver: &mut dyn FnMut(Scanned)) {
        let prefix = self.prefix;
        self.framer.push(bytes, |frame| {
            deliver(match frame {
                Frame::Scan(data) => Scanned::Scan(aim::split(data, prefix)),
                Frame::Overlong { bytes } => Scanned::Overlong { bytes },
            });
        });
    }

    fn reset(&mut self) {
        self.framer = Framer::new();
    }
}
