//! Counts the cuts in the bytes that a printer received: information beside the journal's own count.
//!
//! Deliberately not here: what the paper says. A cut is looked for as bytes, so a picture that happens to
//! hold them counts too.

use super::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// GS V m, and GS V m n: source: Epson ESC/POS command reference, GS V.
const GS: u8 = 0x1d;
const V: u8 = b'V';

/// The modes that cut at once or after a feed, in full or leaving a bridge.
const MODES: [u8; 6] = [0, 1, 48, 49, 65, 66];

/// How many times the paper was cut.
pub(super) fn cuts(path: &Path) -> Result<u64, Error> {
    let failed = |source| Error::Printed { path: path.to_owned(), source };
    let mut last = [0; 2];
    let mut cuts = 0;
    for byte in BufReader::new(File::open(path).map_err(failed)?).bytes() {
        let byte = byte.map_err(failed)?;
        if last == [GS, V] && MODES.contains(&byte) {
            cuts += 1;
        }
        last = [last[1], byte];
    }
    Ok(cuts)
}
