//! Cuts a scanner's bytes into frames at CR, LF, CR LF, or between STX and ETX.
//!
//! Pure: it holds only the frame that is not finished. There is no clock here on purpose.

/// The longest scan. The largest QR code holds 2,953 bytes.
pub const MAX_SCAN_BYTES: usize = 4096;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// A finished frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The bytes before a terminator; never empty.
    Scan(Vec<u8>),
    /// A frame that went past `MAX_SCAN_BYTES` and was thrown away up to its terminator.
    Overlong {
        /// All its bytes.
        bytes: usize,
    },
}

/// Where the framer stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    /// A frame ends at CR or LF.
    #[default]
    Line,
    /// After STX: the frame ends at ETX, and CR and LF belong to it, so that codes with line ends in them pass.
    Enclosed,
}

/// The framer of one port.
#[derive(Debug, Default)]
pub struct Framer {
    frame: Vec<u8>,
    mode: Mode,
    /// Bytes of this frame beyond the limit.
    beyond: usize,
}

impl Framer {
    /// A framer at the beginning of a line.
    #[must_use]
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes bytes as they come, split anywhere, and hands out the frames they finish.
    ///
    /// CR LF is one terminator however it is split: the LF then ends an empty frame, and empty frames are nothing.
    pub fn push(&mut self, bytes: &[u8], mut deliver: impl FnMut(Frame)) {
        for &byte in bytes {
            match (self.mode, byte) {
                (Mode::Line, CR | LF) | (Mode::Enclosed, ETX) => {
                    self.mode = Mode::Line;
                    if let Some(frame) = self.finish() {
                        deliver(frame);
                    }
                }
                // STX begins a frame only where a frame can begin; inside one it is data.
                (Mode::Line, STX) if self.frame.is_empty() && self.beyond == 0 => self.mode = Mode::Enclosed,
                (Mode::Line | Mode::Enclosed, _) if self.frame.len() < MAX_SCAN_BYTES => {
                    self.frame.push(byte)
                }
                (Mode::Line | Mode::Enclosed, _) => {
                    self.beyond += 1;
                    // An enclosed frame that never closes must not swallow what follows for ever.
                    if self.mode == Mode::Enclosed && matches!(byte, CR | LF) {
                        self.mode = Mode::Line;
                        if let Some(frame) = self.finish() {
                            deliver(frame);
                        }
                    }
                }
            }
        }
    }

    fn finish(&mut self) -> Option<Frame> {
        let beyond = std::mem::take(&mut self.beyond);
        let frame = std::mem::take(&mut self.frame);
        match (frame.is_empty(), beyond) {
            (true, _) => None,
            (false, 0) => Some(Frame::Scan(frame)),
            (false, _) => Some(Frame::Overlong { bytes: frame.len() + beyond }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let (mut framer, mut all) = (Framer::new(), Vec::new());
        for piece in pieces {
            framer.push(piece, |frame| all.push(frame));
        }
        all
    }

    fn scan(text: &str) -> Frame {
        Frame::Scan(text.as_bytes().to_vec())
    }

    #[test]
    fn every_terminator_ends_a_scan_and_crlf_is_one() {
        assert_eq!(
            frames(&[b"a\rb\nc\r\nd\r", b"\n\x02e\rf\x03g\r"]),
            [scan("a"), scan("b"), scan("c"), scan("d"), scan("e\rf"), scan("g")]
        );
    }

    #[test]
    fn nothing_is_delivered_before_its_terminator() {
        assert_eq!(frames(&[b"6901234567892"]), []);
        assert_eq!(frames(&[b"\r\n\r\n\x02\x03"]), []);
    }

    #[test]
    fn noise_without_a_terminator_is_reported_once_and_the_next_scan_is_whole() {
        let noise = vec![b'x'; MAX_SCAN_BYTES + 5];
        assert_eq!(
            frames(&[&noise, b"\r690\r"]),
            [Frame::Overlong { bytes: MAX_SCAN_BYTES + 5 }, scan("690")]
        );
        let exact = vec![b'x'; MAX_SCAN_BYTES];
        assert_eq!(frames(&[&exact, b"\r"]), [Frame::Scan(exact.clone())]);
        assert_eq!(
            frames(&[b"\x02", &noise, b"\r690\r"]),
            [Frame::Overlong { bytes: MAX_SCAN_BYTES + 6 }, scan("690")]
        );
    }
}
