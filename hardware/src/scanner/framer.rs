//! Cuts a scanner's bytes into frames, as its profile says: at terminators, between marks, by length or by silence.
//!
//! Pure: it holds only the frame that is not finished. There is no clock here on purpose: whoever moves the bytes
//! says when the line has been quiet for [`Framer::quiet_after`].

use std::time::Duration;

use super::profile::Framing;

/// The longest scan. The largest QR code holds 2,953 bytes.
pub const MAX_SCAN_BYTES: usize = 4096;

/// A scanner sends one scan in one go. What is unfinished after so long will not be finished: its terminator was
/// lost, or the scanner is set up without one. It is given up and said, so that the next scan is not joined to it.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// What came out of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The bytes of a scan without its marks; never empty.
    Scan(Vec<u8>),
    /// A frame that went past `MAX_SCAN_BYTES` and was thrown away up to its end.
    Overlong {
        /// All its bytes.
        bytes: usize,
    },
    /// The line went quiet in the middle of a frame.
    Unfinished {
        /// The bytes that had come.
        bytes: usize,
    },
    /// Bytes outside the marks that enclose a scan.
    Stray {
        /// How many, line ends not counted.
        bytes: usize,
    },
}

/// Where the framer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Between frames that need an opening mark.
    Outside,
    /// In a frame that ends as its framing says.
    Inside,
    /// In a frame that began with STX where frames are lines: it ends at ETX, and CR and LF belong to it.
    Enclosed,
}

/// The framer of one port.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    frame: Vec<u8>,
    mode: Mode,
    /// Bytes of this frame beyond the limit.
    beyond: usize,
    /// The last eight bytes, the latest lowest: marks are compared with it.
    tail: u64,
    /// How many bytes of `tail` belong to this frame, or to the gap before it.
    tail_bytes: usize,
    /// Bytes outside marks.
    stray: usize,
}

impl Default for Framer {
    fn default() -> Framer {
        Framer::new(Framing::Lines)
    }
}

impl Framer {
    /// A framer at the beginning of a line.
    #[must_use]
    pub fn new(framing: Framing) -> Framer {
        let mut framer = Framer {
            framing,
            frame: Vec::new(),
            mode: Mode::Inside,
            beyond: 0,
            tail: 0,
            tail_bytes: 0,
            stray: 0,
        };
        framer.mode = framer.between();
        framer
    }

    /// Takes bytes as they come, split anywhere, and hands out the frames they finish.
    pub fn push(&mut self, bytes: &[u8], mut deliver: impl FnMut(Frame)) {
        for &byte in bytes {
            self.take(byte, &mut deliver);
        }
    }

    /// After how long a silence [`Framer::quiet`] wants to be called; none while nothing is unfinished.
    #[must_use]
    pub fn quiet_after(&self) -> Option<Duration> {
        match self.framing {
            _ if self.held() == 0 => None,
            Framing::Idle { idle_ms } => Some(Duration::from_millis(u64::from(idle_ms))),
            Framing::Lines
            | Framing::Terminated { .. }
            | Framing::Enclosed { .. }
            | Framing::Length { .. } => Some(GIVEN_UP_AFTER),
        }
    }

    /// The line was quiet that long. Only where silence is the framing does it finish a scan.
    pub fn quiet(&mut self, mut deliver: impl FnMut(Frame)) {
        if matches!(self.framing, Framing::Idle { .. }) {
            while self.beyond == 0 && matches!(self.frame.last(), Some(&(CR | LF))) {
                self.frame.pop();
            }
            self.finish(&mut deliver);
        } else if self.stray > 0 {
            deliver(Frame::Stray { bytes: self.stray });
        } else if self.held() > 0 {
            deliver(Frame::Unfinished { bytes: self.held() });
        }
        self.begin_anew();
    }

    /// Forgets what is unfinished, and says how many bytes that was: the device went away.
    pub fn cut(&mut self) -> usize {
        let bytes = if self.stray > 0 { 0 } else { self.held() };
        self.begin_anew();
        bytes
    }

    fn held(&self) -> usize {
        self.frame.len() + self.beyond + self.stray
    }

    fn between(&self) -> Mode {
        match self.framing {
            Framing::Enclosed { .. } => Mode::Outside,
            Framing::Lines | Framing::Terminated { .. } | Framing::Length { .. } | Framing::Idle { .. } => {
                Mode::Inside
            }
        }
    }

    fn take(&mut self, byte: u8, deliver: &mut impl FnMut(Frame)) {
        self.tail = self.tail << 8 | u64::from(byte);
        self.tail_bytes += 1;
        match (self.framing, self.mode) {
            (Framing::Lines, _) => self.take_line(byte, deliver),
            (Framing::Terminated { end }, _) => self.take_until(byte, end, deliver),
            (Framing::Enclosed { begin, .. }, Mode::Outside) => self.take_outside(byte, begin, deliver),
            (Framing::Enclosed { end, .. }, Mode::Inside | Mode::Enclosed) => {
                self.take_until(byte, end, deliver);
            }
            (Framing::Length { bytes }, _) => {
                self.keep(byte);
                if self.frame.len() + self.beyond >= usize::from(bytes) {
                    self.finish(deliver);
                }
            }
            (Framing::Idle { .. }, _) => self.keep(byte),
        }
    }

    /// CR, LF, CR LF, or STX to ETX. CR LF is one terminator however it is split: the LF then ends an empty frame,
    /// and empty frames are nothing.
    fn take_line(&mut self, byte: u8, deliver: &mut impl FnMut(Frame)) {
        let enclosed = self.mode == Mode::Enclosed;
        let ends = if enclosed { byte == ETX } else { matches!(byte, CR | LF) };
        // An enclosed frame that never closes must not swallow what follows for ever.
        let runs_on = self.frame.len() >= MAX_SCAN_BYTES && matches!(byte, CR | LF);
        if ends || runs_on {
            self.beyond += usize::from(enclosed && !ends);
            self.finish(deliver);
        } else if byte == STX && !enclosed && self.held() == 0 {
            // STX begins a frame only where a frame can begin; inside one it is data.
            self.mode = Mode::Enclosed;
        } else {
            self.keep(byte);
        }
    }

    fn take_until(&mut self, byte: u8, end: super::profile::Mark, deliver: &mut impl FnMut(Frame)) {
        self.keep(byte);
        if self.tail_bytes >= end.len() && end.ends(self.tail) {
            // The mark may have come partly within the limit and partly beyond it.
            let beyond = self.beyond.min(end.len());
            self.beyond -= beyond;
            self.frame.truncate(self.frame.len() - (end.len() - beyond));
            self.finish(deliver);
        }
    }

    fn take_outside(&mut self, byte: u8, begin: super::profile::Mark, deliver: &mut impl FnMut(Frame)) {
        self.stray += usize::from(!matches!(byte, CR | LF));
        if self.tail_bytes >= begin.len() && begin.ends(self.tail) {
            let of_mark = begin.bytes().filter(|byte| !matches!(*byte, CR | LF)).count();
            let stray = self.stray.saturating_sub(of_mark);
            self.begin_anew();
            self.mode = Mode::Inside;
            if stray > 0 {
                deliver(Frame::Stray { bytes: stray });
            }
        } else if self.stray >= MAX_SCAN_BYTES {
            deliver(Frame::Stray { bytes: self.stray });
            self.stray = 0;
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.frame.len() < MAX_SCAN_BYTES { self.frame.push(byte) } else { self.beyond += 1 }
    }

    fn finish(&mut self, deliver: &mut impl FnMut(Frame)) {
        let beyond = self.beyond;
        let frame = std::mem::take(&mut self.frame);
        self.begin_anew();
        match (frame.is_empty(), beyond) {
            (true, _) => {}
            (false, 0) => deliver(Frame::Scan(frame)),
            (false, _) => deliver(Frame::Overlong { bytes: frame.len() + beyond }),
        }
    }

    fn begin_anew(&mut self) {
        self.frame.clear();
        (self.beyond, self.tail_bytes, self.stray) = (0, 0, 0);
        self.mode = self.between();
    }
}

#[cfg(test)]
mod tests;
