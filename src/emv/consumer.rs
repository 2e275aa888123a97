//! A customer's payment code: base64 of BER-TLV.
//!
//! Source: EMVCo QR Code Specification for Payment Systems, Consumer-Presented Mode, 4; EMV Book 3, annex B
//! (BER-TLV). Only the bit that says so makes a field one of fields: what looks like fields inside a card's
//! identifier is none.

use super::EmvError;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// Fields within fields within fields: the standard has three levels.
const DEPTH_MAX: usize = 6;

/// Base64 of the field 85, its length 5, and `CPV0`, which stands at the beginning of every such code.
const BEGINS: &str = "hQVDUFYw";

/// A customer's code: a tree of fields.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsumerCode {
    /// The outermost fields, in order.
    pub fields: Vec<Node>,
}

/// One field.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Its tag in capital hexadecimal digits.
    pub tag: String,
    /// What it holds.
    pub value: Value,
}

/// What a field holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Fields.
    Fields(Vec<Node>),
}

impl ConsumerCode {
    /// The application's identifier (4F) in capital hexadecimal digits.
    pub fn application(&self) -> Option<String> {
        let templates = self.fields.iter().filter(|field| field.tag == "61");
        let inner = templates.filter_map(|template| match &template.value {
            Value::Fields(fields) => fields.iter().find(|field| field.tag == "4F"),
            Value::Bytes(_) => None,
        });
        inner.into_iter().find_map(|field| match &field.value {
            Value::Bytes(bytes) => Some(hex(bytes)),
            Value::Fields(_) => None,
        })
    }

    /// The scheme, by the registered part of the application's identifier (ISO/IEC 7816-5).
    pub fn scheme(&self) -> Option<&'static str> {
        let schemes = [
            ("A000000003", "Visa"),
            ("A000000004", "Mastercard"),
            ("A000000025", "American Express"),
            ("A000000065", "JCB"),
            ("A000000333", "UnionPay"),
            ("A000000615", "MyDebit"),
        ];
        let application = self.application()?;
        schemes.into_iter().find(|(registered, _)| application.starts_with(registered)).map(|(_, name)| name)
    }
}

impl fmt::Debug for ConsumerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsumerCode({})", self.application().unwrap_or_default())
    }
}

/// The tag only: fields may hold a card number.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.tag)
    }
}

/// Whether text begins as every such code does.
pub(super) fn looks_like(text: &str) -> bool {
    text.starts_with(BEGINS)
}

/// Reads the fields.
pub(super) fn read(text: &str) -> Result<ConsumerCode, EmvError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let bytes = engine.decode(text).map_err(|_| EmvError::NotBase64)?;
    let fields = fields(&bytes, 0, DEPTH_MAX)?;
    let first = fields.first().filter(|field| field.tag == "85");
    match first.map(|field| &field.value) {
        Some(Value::Bytes(version)) if version.starts_with(b"CPV") && fields.len() > 1 => {
            Ok(ConsumerCode { fields })
        }
        Some(_) | None => Err(EmvError::Damaged { at: bytes.len() + 1 }),
    }
}

/// All fields of `bytes`; `base` is where they begin in the whole.
fn fields(bytes: &[u8], base: usize, depth: usize) -> Result<Vec<Node>, EmvError> {
    let mut nodes = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        // Bytes of zero between fields mean nothing (EMV Book 3, annex B).
        if bytes[at] == 0 {
            at += 1;
            continue;
        }
        let damaged = EmvError::Damaged { at: base + at + 1 };
        let (tag, value_at, length) = head(&bytes[at..]).ok_or(damaged.clone())?;
        let from = at + value_at;
        let value =
            from.checked_add(length).and_then(|until| bytes.get(from..until)).ok_or(damaged.clone())?;
        let is_of_fields = bytes[at] & 0x20 != 0;
        let value = match (is_of_fields, depth.checked_sub(1)) {
            (false, _) => Value::Bytes(value.to_vec()),
            (true, Some(depth)) => Value::Fields(fields(value, base + from, depth)?),
            (true, None) => return Err(damaged),
        };
        nodes.push(Node { tag, value });
        at = from + length;
    }
    Ok(nodes)
}

/// Tag, where the value begins, and its length.
fn head(bytes: &[u8]) -> Option<(String, usize, usize)> {
    let mut tag_length = 1;
    if bytes.first()? & 0x1F == 0x1F {
        // Further bytes of the tag, as long as the highest bit says so; no tag of EMV has more than three.
        tag_length += 1;
        if bytes.get(1)? & 0x80 != 0 {
            tag_length += 1;
            if bytes.get(2)? & 0x80 != 0 {
                return None;
            }
        }
    }
    let tag = hex(bytes.get(..tag_length)?);
    let (after, length) = match *bytes.get(tag_length)? {
        short @ 0..=0x7F => (1, usize::from(short)),
        0x81 => (2, usize::from(*bytes.get(tag_length + 1)?)),
        0x82 => {
            let (high, low) = (*bytes.get(tag_length + 1)?, *bytes.get(tag_length + 2)?);
            (3, usize::from(u16::from_be_bytes([high, low])))
        }
        _ => return None,
    };
    Some((tag, tag_length + after, length))
}

/// Capital hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emv::{self, Emv};
    use serde_json::{Value as Json, json};

    fn tree(fields: &[Node]) -> Json {
        let one = |node: &Node| match &node.value {
            Value::Bytes(bytes) => json!([node.tag, hex(bytes)]),
            Value::Fields(inner) => json!([node.tag, tree(inner)]),
        };
        fields.iter().map(one).collect()
    }

    #[test]
    fn the_vectors_are_read_as_they_say() {
        let vectors: Json = serde_json::from_str(include_str!("../../tests/data/emv_cpm.json")).unwrap();
        let vectors = vectors.as_array().unwrap();
        assert_eq!(vectors.len(), 7);
        for vector in vectors {
            let text = vector["base64"].as_str().unwrap();
            let Some(Ok(Emv::Consumer(code))) = emv::read(text) else { panic!("{vector}") };
            assert_eq!(tree(&code.fields), vector["parse"], "{vector}");
            assert_eq!(vector["status"], "ok");
        }
    }

    #[test]
    fn a_scheme_is_known_by_its_registered_number() {
        let text = "hQVDUFYwMWFYTwigAAADMwEBAVcTYpJhA1hEQzVkHSIQIBAAABiAH180AQBjM58mCFaLEtnaC9l/nycBgJ8QEQcAAQOgAAABCDM5OTk5OTk5nzYCAAGCAgAAnzcE6gZYyA==";
        let Some(Ok(Emv::Consumer(code))) = emv::read(text) else { panic!("a customer's code") };
        assert_eq!(code.scheme(), Some("UnionPay"));
        assert!(!format!("{code:?} {:?}", code.fields).contains("6292"), "no card number in a log");
    }

    #[test]
    fn a_code_that_breaks_off_is_refused_wherever_it_does() {
        let text = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=";
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        for length in 8..bytes.len() {
            let cut = base64::engine::general_purpose::STANDARD.encode(&bytes[..length]);
            assert!(matches!(emv::read(&cut), Some(Err(EmvError::Damaged { .. })) | None), "{length}");
        }
        assert_eq!(emv::read("hQVDUFYwM"), Some(Err(EmvError::NotBase64)));
        assert_eq!(emv::read("hQVDUFYwMW!!"), Some(Err(EmvError::NotBase64)));
    }

    #[test]
    fn fields_within_fields_have_an_end() {
        let mut inner = vec![0x4F, 0];
        for _ in 0..40 {
            let length = u8::try_from(inner.len()).unwrap();
            inner = [&[0x61, length][..], &inner].concat();
        }
        let bytes = [&[0x85, 5][..], b"CPV01", &inner].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert!(matches!(emv::read(&text), Some(Err(EmvError::Damaged { .. }))));
    }
}
