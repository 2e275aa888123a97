//! The lines of an exported file, each no longer than a line may be.
//!
//! Not here: what a line says (`verify`).

use super::super::{EndLine, RecordLine};
use std::io::{self, BufRead};

/// The longest line: a record of the longest body, escaped at its worst, and an end with half a year of heads.
pub(super) const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// One line of a file.
pub(super) enum Line {
    /// A record.
    Record(RecordLine),
    /// The line that the device signs.
    End(EndLine),
    /// Neither.
    Neither,
    /// It is longer than a line may be, and was passed over.
    Long,
}

/// The next line, and whether a line feed ends it; none at the end of the file.
pub(super) fn next(from: &mut impl BufRead) -> io::Result<Option<(Line, bool)>> {
    let mut text = Vec::new();
    let read = io::Read::take(&mut *from, LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
    let whole = text.strip_suffix(b"\n");
    if whole.is_none() && u64::try_from(read).is_ok_and(|read| read == LINE_BYTES_MAX) {
        from.skip_until(b'\n')?;
        return Ok(Some((Line::Long, true)));
    }
    let line = read_as(whole.unwrap_or(&text));
    Ok((read > 0).then_some((line, whole.is_some())))
}

fn read_as(text: &[u8]) -> Line {
    // A list of the values alone would be taken for the object that has them.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Line::Neither;
    }
    if let Ok(line) = serde_json::from_slice(text) {
        return Line::Record(line);
    }
    serde_json::from_slice(text).map_or(Line::Neither, Line::End)
}
