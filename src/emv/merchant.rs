//! A shop's payment code: fields of two digits' number, two digits' length, and text, with a checksum at the end.
//!
//! Source: EMVCo QR Code Specification for Payment Systems, Merchant-Presented Mode, 3.2 and 4.

use super::EmvError;

/// Where the checksum's own number and length begin, from the end.
const CHECKSUM_CHARS: usize = 8;

/// The fields of a shop's code, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MerchantCode {
    /// Number and text of each, the checksum last.
    pub fields: Vec<(String, String)>,
}

impl MerchantCode {
    /// The text of a field: 53 currency, 54 amount, 58 country, 59 name, 60 city.
    pub fn get(&self, number: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == number).map(|(_, text)| text.as_str())
    }

    /// Whether it is made for one payment (field 01 is 12) rather than printed once for all.
    pub fn is_for_one_payment(&self) -> bool {
        self.get("01") == Some("12")
    }

    /// Whose networks it names: the first field inside each of 26 to 51 and 80 to 99.
    pub fn networks(&self) -> Vec<&str> {
        let is_template = |number: &str| matches!(number.parse(), Ok(26..=51_u8 | 80..=99));
        let named = self.fields.iter().filter(|(number, _)| is_template(number));
        named.filter_map(|(_, text)| network(text)).collect()
    }
}

/// The field 00 inside a field, where it is whole.
fn network(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("00")?;
    let length: usize = rest.get(..2)?.parse().ok()?;
    rest.get(2..2 + length)
}

/// Whether text begins with the field 00 of two characters and has more than digits, as every such code has a
/// country: a pallet's number may begin with the same digits.
pub(super) fn looks_like(text: &str) -> bool {
    let Some(version) = text.strip_prefix("0002").and_then(|rest| rest.get(..2)) else { return false };
    let digits = version.bytes().all(|byte| byte.is_ascii_digit());
    let checked = text.len().checked_sub(CHECKSUM_CHARS).and_then(|at| text.get(at..at + 4)) == Some("6304");
    digits && (checked || version == "01") && !text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the fields. Lengths count characters; the checksum is over bytes.
pub(super) fn read(text: &str) -> Result<MerchantCode, EmvError> {
    let fields = fields(text)?;
    let Some((number, sum)) = fields.last().filter(|(number, _)| number == "63") else {
        return Err(EmvError::NoChecksum);
    };
    let covered = text.len() - sum.len();
    let expected = format!("{:04X}", crc(&text.as_bytes()[..covered]));
    if !sum.eq_ignore_ascii_case(&expected) || fields.iter().filter(|(other, _)| other == number).count() > 1
    {
        return Err(EmvError::Checksum { expected });
    }
    Ok(MerchantCode { fields })
}

fn fields(text: &str) -> Result<Vec<(String, String)>, EmvError> {
    let mut fields = Vec::new();
    let mut letters = text.chars();
    let mut at = 1;
    while !letters.as_str().is_empty() {
        let damaged = EmvError::Damaged { at };
        let head: String = letters.by_ref().take(4).collect();
        let whole = head.len() == 4 && head.bytes().all(|byte| byte.is_ascii_digit());
        let (number, length) = head.split_at_checked(2).filter(|_| whole).ok_or(damaged.clone())?;
        let length: usize = length.parse().map_err(|_| damaged.clone())?;
        let value: String = letters.by_ref().take(length).collect();
        if value.chars().count() != length {
            return Err(damaged);
        }
        fields.push((number.to_owned(), value));
        at += 4 + length;
    }
    Ok(fields)
}

/// CRC-16 with the polynomial 1021 and the beginning FFFF (ISO/IEC 13239 as EMVCo uses it).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc: u16, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emv::{self, Emv};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        payload: String,
        crc_ok: bool,
        crc_calc: String,
        parse: String,
        tags: Vec<(String, String)>,
    }

    #[test]
    fn the_checksum_is_the_one_that_everybody_checks_with() {
        assert_eq!(crc(b"123456789"), 0x29B1);
    }

    #[test]
    fn the_vectors_are_read_as_they_say() {
        let text = include_str!("../../tests/data/emv_mpm.json");
        let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 15);
        for vector in vectors {
            let read =
                emv::read(&vector.payload).unwrap_or_else(|| panic!("{} looks like none", vector.name));
            match read {
                Ok(Emv::Merchant(code)) => {
                    assert!(vector.crc_ok && vector.parse == "ok", "{}", vector.name);
                    assert_eq!(code.fields, vector.tags, "{}", vector.name);
                }
                Ok(Emv::Consumer(_)) => panic!("{} is a shop's", vector.name),
                Err(EmvError::Checksum { expected }) => {
                    assert_eq!((vector.crc_ok, expected), (false, vector.crc_calc), "{}", vector.name);
                }
                Err(EmvError::Damaged { .. }) => assert!(vector.parse != "ok", "{}", vector.name),
                Err(other) => panic!("{}: {other}", vector.name),
            }
        }
    }

    #[test]
    fn a_damaged_code_is_never_read_as_another() {
        let good =
            "00020101021138570010A00000072701270006970403011200110123456780208QRIBFTTA53037045802VN6304F4E5";
        assert!(matches!(emv::read(good), Some(Ok(_))));
        for place in 4..good.len() {
            let mut bytes = good.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
            let text = String::from_utf8(bytes).unwrap();
            assert!(!matches!(emv::read(&text), Some(Ok(_))), "{text}");
        }
        assert_eq!(emv::read("00020101021263"), None, "digits only are not taken for one");
        assert_eq!(emv::read("000201A"), Some(Err(EmvError::Damaged { at: 7 })));
        assert_eq!(emv::read("0002015802CN"), Some(Err(EmvError::NoChecksum)));
    }
}
