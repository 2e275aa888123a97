//! Puts the separator of GS1 codes back where a scanner sends other bytes for it.
//!
//! Only where a GS1 code can be: the same bytes in an address or a wallet's code are data.

use super::{AimId, Scan, Separator};

const GS: u8 = 0x1d;

/// The scan with its separators restored, if it is of a kind that has any.
pub(super) fn restore(mut scan: Scan, separator: Separator) -> Scan {
    match separator {
        Separator::Sent | Separator::Lost => {}
        Separator::Substituted(mark) if may_have_separators(&scan, mark.as_slice()) => {
            scan.data = replaced(&scan.data, mark.as_slice());
        }
        Separator::Substituted(_) => {}
    }
    scan
}

/// The symbologies that carry GS1 element strings, GS1 General Specifications 5.1.2: GS1-128, DataBar and
/// composites, GS1 DataMatrix, GS1 QR, GS1 DotCode. Without an identifier: what begins with two digits, as every
/// element string does, or with the separator itself.
fn may_have_separators(scan: &Scan, mark: &[u8]) -> bool {
    match scan.aim {
        Some(AimId { code, modifier }) => {
            matches!(
                (code, modifier),
                (b'C' | b'J', b'1') | (b'e', b'0'..=b'3') | (b'd', b'2') | (b'Q', b'3')
            )
        }
        None => {
            let data = scan.data.strip_prefix(mark).unwrap_or(&scan.data);
            matches!(data, [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
        }
    }
}

fn replaced(data: &[u8], mark: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(data.len()), data);
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(mark) {
            Some(after_mark) => {
                out.push(GS);
                rest = after_mark;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(aim: Option<&str>, data: &str, mark: &[u8]) -> String {
        let aim = aim.and_then(|aim| AimId::decode(aim.as_bytes()));
        let mark = Separator::Substituted(super::super::Mark::new(mark).unwrap());
        String::from_utf8(restore(Scan { aim, data: data.as_bytes().to_vec() }, mark).data).unwrap()
    }

    #[test]
    fn a_substitute_becomes_the_separator_in_gs1_codes_and_nowhere_else() {
        assert_eq!(restored(Some("]C1"), "10ABC|21456", b"|"), "10ABC\u{1d}21456");
        assert_eq!(restored(Some("]d2"), "10ABC^]21^]", b"^]"), "10ABC\u{1d}21\u{1d}");
        assert_eq!(restored(None, "{GS}10ABC{GS}21", b"{GS}"), "\u{1d}10ABC\u{1d}21");
        assert_eq!(restored(Some("]Q1"), "https://cloud.example/a|b", b"|"), "https://cloud.example/a|b");
        assert_eq!(restored(None, "C1.a|b", b"|"), "C1.a|b");
        assert_eq!(restored(Some("]Q1"), "10ABC|21456", b"|"), "10ABC|21456");
    }

    #[test]
    fn what_is_sent_or_lost_is_left_alone() {
        for separator in [Separator::Sent, Separator::Lost] {
            let scan = Scan { aim: None, data: b"10A|B\x1d21".to_vec() };
            assert_eq!(restore(scan.clone(), separator), scan);
        }
    }
}
