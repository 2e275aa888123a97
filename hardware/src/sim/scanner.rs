//! A scanner whose trigger is a function call, and whose mishaps are, too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pty::Pty;
use crate::link::Deadline;
use crate::scanner::{AimId, AimPrefix, Framing, ScannerProfile, Separator};

/// How long an unplugged scanner's last bytes may take to be read by the host. Afterwards they are lost, as on a wire.
const READ_BY_HOST: Duration = Duration::from_secs(1);

/// Sendings of one scan to a host that does not acknowledge it: Symbol LS 9208 Product Reference Guide p. 6-18.
pub const SENDINGS_MAX: u32 = 3;

const ACK: u8 = 0x06;
const NAK: u8 = 0x15;

/// A virtual scanner behind a link. Dropping it pulls it out.
pub struct Scanner {
    link: PathBuf,
    profile: ScannerProfile,
    pty: Mutex<Option<Pty>>,
}

/// How a scan's bytes are spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Garble {
    /// One bit of one byte is the other one.
    Flip,
    /// One byte is missing.
    Lose,
    /// One byte too many.
    Insert,
}

/// What a host said to a scan in a mode with acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It took the scan, which was sent so many times.
    Taken {
        /// Sendings.
        sendings: u32,
    },
    /// It said nothing, or said no to each sending.
    No,
}

impl Scanner {
    /// Plugs a scanner of the generic profile in at `link`.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn start(link: &Path) -> io::Result<Scanner> {
        Scanner::start_as(link, ScannerProfile::generic())
    }

    /// Plugs a scanner in that frames, marks and separates its scans as the profile says.
    ///
    /// # Errors
    /// As [`Scanner::start`].
    pub fn start_as(link: &Path, profile: ScannerProfile) -> io::Result<Scanner> {
        Ok(Scanner { link: link.to_owned(), profile, pty: Mutex::new(Some(Pty::plug(link)?)) })
    }

    /// A code's content as this scanner sends it: identifier, separators, marks. Content that cannot be sent so, as
    /// a length that is not the profile's, is sent all the same: scanners do not look.
    #[must_use]
    pub fn framed(&self, aim: Option<AimId>, content: &[u8]) -> Vec<u8> {
        let mut inner = Vec::new();
        match (self.profile.aim, aim) {
            (AimPrefix::Sent | AimPrefix::Either, Some(aim)) => inner.extend(aim.to_string().into_bytes()),
            (AimPrefix::NotSent, _) | (AimPrefix::Sent | AimPrefix::Either, None) => {}
        }
        for byte in content {
            match (byte, self.profile.gs) {
                (0x1d, Separator::Lost) => {}
                (0x1d, Separator::Substituted(mark)) => inner.extend_from_slice(mark.as_slice()),
                (byte, _) => inner.push(*byte),
            }
        }
        match self.profile.framing {
            Framing::Lines => inner.push(b'\r'),
            Framing::Terminated { end } => inner.extend_from_slice(end.as_slice()),
            Framing::Enclosed { begin, end } => {
                inner.splice(0..0, begin.bytes());
                inner.extend_from_slice(end.as_slice());
            }
            Framing::Length { .. } | Framing::Idle { .. } => {}
        }
        inner
    }

    /// Sends bytes as they are, terminator and all: they are the caller's.
    ///
    /// # Errors
    /// `NotConnected` while it is pulled out; others when nobody takes the bytes.
    pub fn scan(&self, bytes: &[u8]) -> io::Result<()> {
        match &mut *self.lock() {
            Some(pty) => pty.write(bytes),
            None => Err(unplugged()),
        }
    }

    /// Sends them in pieces of `piece` bytes, each after the host has read the one before.
    ///
    /// # Errors
    /// As [`Scanner::scan`].
    pub fn split(&self, bytes: &[u8], piece: usize) -> io::Result<()> {
        for part in bytes.chunks(piece.max(1)) {
            match &mut *self.lock() {
                Some(pty) => {
                    pty.write(part)?;
                    pty.wait_until_read(READ_BY_HOST);
                }
                None => return Err(unplugged()),
            }
        }
        Ok(())
    }

    /// Sends several scans in one go.
    ///
    /// # Errors
    /// As [`Scanner::scan`].
    pub fn merge(&self, scans: &[Vec<u8>]) -> io::Result<()> {
        self.scan(&scans.concat())
    }

    /// Sends a scan, waits for the host's word, and sends it again if that is NAK or does not come within `wait`.
    ///
    /// # Errors
    /// As [`Scanner::scan`].
    pub fn scan_acknowledged(&self, bytes: &[u8], wait: Duration) -> io::Result<Acknowledged> {
        for sendings in 1..=SENDINGS_MAX {
            self.scan(bytes)?;
            if self.heard(wait)? == Some(ACK) {
                return Ok(Acknowledged::Taken { sendings });
            }
        }
        Ok(Acknowledged::No)
    }

    /// The next ACK or NAK from the host within `wait`. Anything else it says is passed over.
    ///
    /// # Errors
    /// `NotConnected` while it is pulled out.
    pub fn heard(&self, wait: Duration) -> io::Result<Option<u8>> {
        let deadline = Deadline::after(wait);
        while !deadline.has_passed() {
            let mut byte = [0];
            let count = match &mut *self.lock() {
                Some(pty) => pty.read(&mut byte, deadline.left())?,
                None => return Err(unplugged()),
            };
            if count == 1 && matches!(byte[0], ACK | NAK) {
                return Ok(Some(byte[0]));
            }
        }
        Ok(None)
    }

    /// Sends the beginning of a scan and is pulled out once the host has read it. `false`: the host read it not in
    /// time, and may have lost it.
    ///
    /// # Errors
    /// As [`Scanner::scan`].
    pub fn scan_and_unplug(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut plugged = self.lock();
        let pty = plugged.as_mut().ok_or_else(unplugged)?;
        pty.write(bytes)?;
        let read = pty.wait_until_read(READ_BY_HOST);
        *plugged = None;
        Ok(read)
    }

    /// Pulls it out.
    pub fn unplug(&self) {
        *self.lock() = None;
    }

    /// Plugs it in anew, on another terminal under the same link.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn replug(&self) -> io::Result<()> {
        let mut pty = self.lock();
        *pty = None;
        *pty = Some(Pty::plug(&self.link)?);
        Ok(())
    }

    /// Whether it is plugged in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.lock().is_some()
    }

    /// What it was plugged in as.
    #[must_use]
    pub fn profile(&self) -> &ScannerProfile {
        &self.profile
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pty>> {
        self.pty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unplugged() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the scanner is unplugged; plug it in first")
}

impl Garble {
    /// The bytes with one of them spoiled; which one is drawn from `chance`.
    #[must_use]
    pub fn spoil(self, bytes: &[u8], chance: u64) -> Vec<u8> {
        let mut spoiled = bytes.to_vec();
        let Some(last) = bytes.len().checked_sub(1) else { return spoiled };
        // The multiplier of Knuth's MMIX generator spreads small seeds over all bits.
        let spread = chance.wrapping_add(1).wrapping_mul(6_364_136_223_846_793_005) >> 16;
        let at = usize::try_from(spread >> 8).unwrap_or(0) % (last + 1);
        let [byte, ..] = spread.to_le_bytes();
        match self {
            Garble::Flip => spoiled[at] ^= 1 << (byte % 8),
            Garble::Lose => {
                spoiled.remove(at);
            }
            Garble::Insert => spoiled.insert(at, byte),
        }
        spoiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_garbled_scan_differs_in_one_place_only() {
        let scan = b"6901234567892\r";
        for chance in 0..200 {
            let flipped = Garble::Flip.spoil(scan, chance);
            let bits: u32 = flipped.iter().zip(scan).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert_eq!((flipped.len(), bits), (scan.len(), 1));
            assert_eq!(Garble::Lose.spoil(scan, chance).len(), scan.len() - 1);
            assert_eq!(Garble::Insert.spoil(scan, chance).len(), scan.len() + 1);
        }
        assert_eq!(Garble::Lose.spoil(b"", 1), b"");
    }
}
