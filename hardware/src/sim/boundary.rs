//! Where one of a printer's commands ends and the next begins, told while the bytes arrive.
//!
//! The printer obeys real-time commands wherever they stand; a till that sends one within another command prints rubbish
//! on some printers, so the virtual one keeps it against it.

use super::interpreter::{Need, needed};

const BEGINNINGS: [u8; 3] = [0x1b, 0x1c, 0x1d];

/// Follows the bytes of jobs.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    pending: Vec<u8>,
}

impl Boundary {
    /// Takes in a byte that is no part of a real-time command.
    pub(super) fn push(&mut self, byte: u8) {
        if self.pending.is_empty() && !BEGINNINGS.contains(&byte) {
            return;
        }
        self.pending.push(byte);
        match needed(&self.pending) {
            Need::More => {}
            Need::Whole | Need::Unknown => self.pending.clear(),
        }
    }

    /// Whether what came so far ends within a command.
    pub(super) fn is_within(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What was half said is forgotten.
    pub(super) fn reset(&mut self) {
        self.pending.clear();
    }
}
