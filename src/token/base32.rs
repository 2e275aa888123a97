//! Base32 of RFC 4648 section 6 with its upper-case alphabet and no padding: one text for given bytes.
//!
//! All characters are in the alphanumeric mode of a QR code (5.5 bits a character).
//! Not here: padding, lower case, whitespace: a second spelling of the same bytes is refused.

use super::TokenError;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(encoded_len(bytes.len()));
    let mut held: u32 = 0;
    let mut bits = 0_u32;
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(symbol(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        text.push(symbol(held << (5 - bits)));
    }
    text
}

/// The bytes of `text`.
///
/// **Invariant:** `encode(decode(text)) == text`: what does not round-trip is refused.
///
/// # Errors
/// [`TokenError::Malformed`] for a character outside the alphabet, an impossible length, or unused bits that
/// are not zero.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let mut held: u32 = 0;
    let mut bits = 0_u32;
    for character in text.bytes() {
        let value =
            value(character).ok_or(TokenError::Malformed("it has a character that does not belong"))?;
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            let [.., low] = (held >> bits).to_be_bytes();
            bytes.push(low);
            held &= (1 << bits) - 1;
        }
    }
    if bits >= 5 {
        return Err(TokenError::Malformed("a character is missing or doubled"));
    }
    if held != 0 {
        return Err(TokenError::Malformed("its last character is not the right one"));
    }
    Ok(bytes)
}

/// How many characters `bytes` bytes take.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

fn symbol(value: u32) -> char {
    let [.., low] = value.to_be_bytes();
    char::from(ALPHABET[usize::from(low & 31)])
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'2'..=b'7' => Some(character - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4648 section 10, without the padding.
    const RFC_4648: [(&str, &str); 7] = [
        ("", ""),
        ("f", "MY"),
        ("fo", "MZXQ"),
        ("foo", "MZXW6"),
        ("foob", "MZXW6YQ"),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ];

    #[test]
    fn the_examples_of_rfc_4648_hold() {
        for (plain, text) in RFC_4648 {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
            assert_eq!(encoded_len(plain.len()), text.len());
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        for text in ["MZ", "my", "MY======", "M", "MZX", "MZXW6Y", "MY ", "M1"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn whatever_is_read_is_written_the_same(text in "[A-Z2-7]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
