//! Scanners: bytes become scans.
//!
//! Pure. The port they come from is in `link`; what a scan means (an item, a pay code, a coupon) is not known
//! here. A scan is delivered at its end and never because the line went quiet, unless a profile says that there is
//! no other way: waiting for silence makes every scan late and joins two that follow each other closely.

pub mod aim;
pub mod framer;
pub mod label;
pub mod profile;
mod separator;

use std::time::Duration;

use serde::Deserialize;

use crate::link::Decode;
pub use aim::AimId;
pub use framer::{Frame, Framer};
pub use profile::{Framing, Mark, ScannerProfile, Separator};

/// Whether the scanner puts an AIM identifier before each scan, as it was set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum AimPrefix {
    /// It does: `]cm` is taken off.
    #[serde(rename = "on")]
    Sent,
    /// It does not: a `]` at the beginning belongs to the data.
    #[default]
    #[serde(rename = "off")]
    NotSent,
    /// Nobody knows: `]`, a letter that ISO/IEC 15424 assigns and a digit are taken off where data follow. A code
    /// whose content begins so is mistaken; no code that a till takes does.
    #[serde(rename = "auto")]
    Either,
}

/// What one pull of the trigger gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The kind of symbol, if the scanner says it.
    pub aim: Option<AimId>,
    /// The symbol's content, which may hold any byte that its framing lets through.
    pub data: Vec<u8>,
}

/// What came from a scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A scan.
    Scan(Scan),
    /// More bytes than any symbol holds without an end: noise, a wrong baud rate, or a missing suffix.
    Overlong {
        /// How many bytes were thrown away, the limit included.
        bytes: usize,
    },
    /// The scanner stopped in the middle of a scan, or ends its scans in another way than it is set up.
    Unfinished {
        /// How many bytes were thrown away.
        bytes: usize,
    },
    /// Bytes that stood outside the marks which enclose a scan.
    Stray {
        /// How many.
        bytes: usize,
    },
    /// The scanner went away in the middle of a scan, which is lost.
    Cut {
        /// How many of its bytes had come.
        bytes: usize,
    },
}

/// A scanner's decoder for a port.
#[derive(Debug, Default)]
pub struct ScanDecoder {
    framer: Framer,
    framing: Framing,
    prefix: AimPrefix,
    gs: Separator,
}

impl ScanDecoder {
    /// A decoder for a scanner of the generic profile that was set up to send, or not to send, AIM identifiers.
    #[must_use]
    pub fn new(prefix: AimPrefix) -> ScanDecoder {
        ScanDecoder { prefix, ..ScanDecoder::default() }
    }

    /// A decoder for a scanner that frames and marks its scans as the profile says.
    #[must_use]
    pub fn of(profile: &ScannerProfile) -> ScanDecoder {
        ScanDecoder {
            framer: Framer::new(profile.framing),
            framing: profile.framing,
            prefix: profile.aim,
            gs: profile.gs,
        }
    }

    fn read(frame: Frame, prefix: AimPrefix, gs: Separator) -> Scanned {
        match frame {
            Frame::Scan(data) => Scanned::Scan(separator::restore(aim::split(data, prefix), gs)),
            Frame::Overlong { bytes } => Scanned::Overlong { bytes },
            Frame::Unfinished { bytes } => Scanned::Unfinished { bytes },
            Frame::Stray { bytes } => Scanned::Stray { bytes },
        }
    }
}

impl Decode for ScanDecoder {
    type Item = Scanned;

    fn decode(&mut self, bytes: &[u8], deliver: &mut dyn FnMut(Scanned)) {
        let (prefix, gs) = (self.prefix, self.gs);
        self.framer.push(bytes, |frame| deliver(Self::read(frame, prefix, gs)));
    }

    fn reset(&mut self) {
        self.framer = Framer::new(self.framing);
    }

    fn quiet_after(&self) -> Option<Duration> {
        self.framer.quiet_after()
    }

    fn quiet(&mut self, deliver: &mut dyn FnMut(Scanned)) {
        let (prefix, gs) = (self.prefix, self.gs);
        self.framer.quiet(|frame| deliver(Self::read(frame, prefix, gs)));
    }

    fn cut(&mut self, deliver: &mut dyn FnMut(Scanned)) {
        let bytes = self.framer.cut();
        if bytes > 0 {
            deliver(Scanned::Cut { bytes });
        }
    }
}
