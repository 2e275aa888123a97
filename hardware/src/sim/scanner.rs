//! A scanner whose trigger is a function call.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::pty::Pty;

/// A virtual scanner behind a link. Dropping it pulls it out.
pub struct Scanner {
    link: PathBuf,
    pty: Mutex<Option<Pty>>,
}

impl Scanner {
    /// Plugs a scanner in at `link`.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn start(link: &Path) -> io::Result<Scanner> {
        Ok(Scanner { link: link.to_owned(), pty: Mutex::new(Some(Pty::plug(link)?)) })
    }

    /// Sends bytes as a scanner would, terminator and all: they are the caller's.
    ///
    /// # Errors
    /// `NotConnected` while it is pulled out; others when nobody takes the bytes.
    pub fn scan(&self, bytes: &[u8]) -> io::Result<()> {
        match &mut *self.pty.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(pty) => pty.write(bytes),
            None => {
                Err(io::Error::new(io::ErrorKind::NotConnected, "the scanner is unplugged; plug it in first"))
            }
        }
    }

    /// Pulls it out.
    pub fn unplug(&self) {
        *self.pty.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Plugs it in anew, on another terminal under the same link.
    ///
    /// # Errors
    /// When the system has no terminal or the link cannot be made.
    pub fn replug(&self) -> io::Result<()> {
        let mut pty = self.pty.lock().unwrap_or_else(PoisonError::into_inner);
        *pty = None;
        *pty = Some(Pty::plug(&self.link)?);
        Ok(())
    }

    /// Whether it is plugged in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.pty.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
