//! Extended channel interpretations: `\000026` before the text of a symbol that says which character set it is in.
//!
//! A scanner that sends them puts a backslash and six digits before what they are about, and doubles every backslash
//! of the data. Sources: ISO/IEC 15424 for the AIM modifiers that announce it; Opticon, Universal Menu Book, "ECI
//! Protocol Output"; Datalogic, knowledge base KA-01228, whose scanners send it unless told otherwise. Not here:
//! character sets beyond UTF-8 and Latin-1, which no code on a counter is in.

use std::borrow::Cow;

/// A backslash and six digits.
const DESIGNATOR: usize = 7;

/// ISO/IEC 8859-1: each byte is the character of its number. 1 is its older number.
const LATIN_1: [&[u8]; 2] = [b"\\000001", b"\\000003"];

/// The data without its designators; as it is where it does not begin with one, or where the symbol is of a kind that
/// has none. `aim` is without its `]`.
pub(super) fn without<'a>(data: &'a [u8], aim: Option<&[u8]>) -> Cow<'a, [u8]> {
    let may = matches!(aim, None | Some(b"Q2" | b"Q4" | b"Q6" | b"d4" | b"d5" | b"d6"));
    if !may || !begins(data) {
        return Cow::Borrowed(data);
    }
    let mut plain = Vec::with_capacity(data.len());
    let (mut rest, mut latin) = (data, false);
    while let Some((first, tail)) = rest.split_first() {
        let taken = if begins(rest) {
            latin = LATIN_1.iter().any(|designator| rest.starts_with(designator));
            DESIGNATOR
        } else {
            match (first, latin) {
                (0x80.., true) => plain.extend(char::from(*first).to_string().bytes()),
                _ => plain.push(*first),
            }
            if *first == b'\\' && tail.first() == Some(&b'\\') { 2 } else { 1 }
        };
        rest = &rest[taken..];
    }
    Cow::Owned(plain)
}

fn begins(data: &[u8]) -> bool {
    data.first() == Some(&b'\\')
        && data.get(1..DESIGNATOR).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designators_are_taken_off_and_backslashes_are_single_again() {
        for (aim, data, plain) in [
            (Some(&b"Q2"[..]), "\\000026热拿铁".as_bytes(), "热拿铁".as_bytes()),
            (Some(b"d4"), b"\\000003caf\xe9\\000026\xc3\xa9\\\\000003x", "caféé\\000003x".as_bytes()),
            (None, b"\\000026a\\\\b", b"a\\b"),
            (None, b"\\00002", b"\\00002"),
            (None, b"a\\000026", b"a\\000026"),
            (Some(b"Q1"), b"\\000026a", b"\\000026a"),
            (Some(b"Q2"), b"a\\\\b", b"a\\\\b"),
            (Some(b"Q2"), b"\\000026", b""),
        ] {
            assert_eq!(without(data, aim), plain, "{}", String::from_utf8_lossy(data));
        }
    }
}
