//! The test label for scanners: what it says, and what a scanner made of it.
//!
//! Pure: bytes in, findings out. The label is drawn in `sim`, and who asks for it is not known here.

use super::AimId;

/// What the label holds, as people write it. The item is an example of GS1's, the batch is of variable length, so a
/// separator must stand after it.
pub const TEXT: &str = "(01)09506000134352(10)ABC(21)1";

/// The same as bytes: what a scanner sends that leaves everything as it is. GS1 General Specifications 7.8.
pub const DATA: &[u8] = b"010950600013435210ABC\x1d211";

/// The identifier of a GS1 QR code. ISO/IEC 15424.
pub const AIM: &str = "]Q3";

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With CR.
    Cr,
    /// With LF.
    Lf,
    /// With CR LF.
    CrLf,
    /// Between STX and ETX.
    StxEtx,
    /// With silence only.
    Silence,
}

/// What became of the separator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeparatorFound {
    /// It is the byte 1D.
    Sent,
    /// These bytes stand in its place.
    Substituted(Vec<u8>),
    /// There is nothing in its place.
    Lost,
}

/// What a scanner sent, looked at without knowing its setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// How it ended.
    pub ending: Ending,
    /// The AIM identifier, if one stands first.
    pub aim: Option<AimId>,
    /// What is left.
    pub data: Vec<u8>,
}

/// What a scanner made of the test label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is the label, and the separator came so.
    Label(SeparatorFound),
    /// It is another code, or the label with bytes that are wrong.
    Other,
}

/// Takes the marks and the identifier off the bytes of one scan.
#[must_use]
pub fn hear(bytes: &[u8]) -> Heard {
    let (ending, inner) = if let Some(inner) = enclosed(bytes) {
        (Ending::StxEtx, inner)
    } else if let Some(inner) = bytes.strip_suffix(b"\r\n") {
        (Ending::CrLf, inner)
    } else if let Some(inner) = bytes.strip_suffix(b"\r") {
        (Ending::Cr, inner)
    } else if let Some(inner) = bytes.strip_suffix(b"\n") {
        (Ending::Lf, inner)
    } else {
        (Ending::Silence, bytes)
    };
    match AimId::decode(inner).filter(|aim| aim.is_assigned() && inner.len() > 3) {
        Some(aim) => Heard { ending, aim: Some(aim), data: inner[3..].to_vec() },
        None => Heard { ending, aim: None, data: inner.to_vec() },
    }
}

fn enclosed(bytes: &[u8]) -> Option<&[u8]> {
    let trimmed = bytes.strip_suffix(b"\r\n").or(bytes.strip_suffix(b"\r")).or(bytes.strip_suffix(b"\n"));
    trimmed.unwrap_or(bytes).strip_prefix(b"\x02")?.strip_suffix(b"\x03")
}

/// Compares what came with the label.
#[must_use]
pub fn compare(heard: &Heard) -> Finding {
    /// More is not a substitute for one character.
    const SUBSTITUTE_BYTES_MAX: usize = 8;
    let (Some(head), Some(tail)) = (DATA.get(..21), DATA.get(22..)) else { return Finding::Other };
    // Some scanners send the FNC1 that stands first as well.
    let from = heard.data.windows(2).position(|pair| pair == b"01").unwrap_or(0);
    if from > SUBSTITUTE_BYTES_MAX {
        return Finding::Other;
    }
    let Some(rest) = heard.data[from..].strip_prefix(head) else { return Finding::Other };
    match rest.strip_suffix(tail) {
        Some(b"") => Finding::Label(SeparatorFound::Lost),
        Some(b"\x1d") => Finding::Label(SeparatorFound::Sent),
        Some(other) if other.len() <= SUBSTITUTE_BYTES_MAX => {
            Finding::Label(SeparatorFound::Substituted(other.to_vec()))
        }
        Some(_) | None => Finding::Other,
    }
}

/// Bytes as a person can read and type them: what is not printable ASCII as `\xNN`.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> (Ending, Option<String>, Finding) {
        let heard = hear(bytes);
        let finding = compare(&heard);
        (heard.ending, heard.aim.map(|aim| aim.to_string()), finding)
    }

    #[test]
    fn the_label_tells_ending_identifier_and_separator() {
        use SeparatorFound::{Lost, Sent, Substituted};
        let aim = || Some("]Q3".to_owned());
        let label = |separator| Finding::Label(separator);
        for (bytes, expected) in [
            (&b"]Q3010950600013435210ABC\x1d211\r"[..], (Ending::Cr, aim(), label(Sent))),
            (b"010950600013435210ABC211\r\n", (Ending::CrLf, None, label(Lost))),
            (
                b"\x02]Q3\x1d010950600013435210ABC^]211\x03\r\n",
                (Ending::StxEtx, aim(), label(Substituted(b"^]".to_vec()))),
            ),
            (b"|010950600013435210ABC|211\n", (Ending::Lf, None, label(Substituted(b"|".to_vec())))),
            (b"010950600013435210ABC\x1d211", (Ending::Silence, None, label(Sent))),
            (b"0109506000134352\r", (Ending::Cr, None, Finding::Other)),
            (b"6901234567892\r", (Ending::Cr, None, Finding::Other)),
            (b"", (Ending::Silence, None, Finding::Other)),
        ] {
            assert_eq!(found(bytes), expected, "{}", readable(bytes));
        }
    }

    #[test]
    fn what_cannot_be_printed_is_shown_by_its_number() {
        assert_eq!(readable(b"a\\b\x1d\x00\xff~ "), "a\\\\b\\x1d\\x00\\xff~ ");
    }
}
