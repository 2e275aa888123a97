//! X.509 certificates as the wallets use them: a name for a public key, and the number it goes by.
//!
//! WeChat Pay names a key by its certificate's serial number in hexadecimal, Alipay by the MD5 of issuer and
//! serial number. Sources: RFC 5280; RFC 2253, 2 (an issuer as text); Alipay open platform, "computing the
//! serial number of a certificate"; WeChat Pay APIv3, "viewing a certificate's serial number".
//!
//! Not here: chains and revocation. A certificate is believed because the merchant downloaded it from the
//! wallet's console, like a public key.

use super::signing::{KeyError, VerifyingKey};
use md5::{Digest, Md5};
use std::fmt::Write;
use x509_parser::der_parser::asn1_rs::ToDer;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The most certificates that one file may hold; the wallets' own bundles have four.
const MOST_CERTIFICATES: usize = 16;

/// Object identifiers 1.2.840.113549.1.1.x: RSA (RFC 8017, appendix A.2).
const RSA_SIGNATURES: &str = "1.2.840.113549.1.1.";

/// One certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    issuer: String,
    serial_decimal: String,
    serial_hex: String,
    public_key: Vec<u8>,
    signed_with: Signed,
    holder: Holder,
    not_after_s: i64,
}

/// What the issuer signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Signed {
    Rsa,
    Otherwise,
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// It signs other certificates.
    Authority,
    /// It signs messages.
    Signer,
}

impl Certificate {
    /// Reads every certificate of a PEM file, in its order.
    ///
    /// # Errors
    /// [`KeyError::NotACertificate`] when there is none, when one is damaged, or when there are more than 16.
    pub fn read_all(text: &str) -> Result<Vec<Self>, KeyError> {
        let mut found = Vec::new();
        for pem in Pem::iter_from_buffer(text.as_bytes()) {
            let pem = pem.map_err(|_| KeyError::NotACertificate)?;
            if pem.label != "CERTIFICATE" || found.len() == MOST_CERTIFICATES {
                return Err(KeyError::NotACertificate);
            }
            found.push(Self::from_der(&pem.contents)?);
        }
        if found.is_empty() { Err(KeyError::NotACertificate) } else { Ok(found) }
    }

    /// Reads the first certificate of a PEM file: what follows it is the chain that it comes from.
    ///
    /// # Errors
    /// [`KeyError::NotACertificate`].
    pub fn read(text: &str) -> Result<Self, KeyError> {
        Self::read_all(text).map(|mut all| all.swap_remove(0))
    }

    /// Reads a certificate from DER.
    ///
    /// # Errors
    /// [`KeyError::NotACertificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(der).map_err(|_| KeyError::NotACertificate)?;
        Ok(Self {
            issuer: name(parsed.issuer()),
            serial_decimal: parsed.tbs_certificate.serial.to_string(),
            serial_hex: serial_hex(&parsed),
            public_key: parsed.public_key().raw.to_vec(),
            signed_with: if parsed.signature_algorithm.algorithm.to_id_string().starts_with(RSA_SIGNATURES) {
                Signed::Rsa
            } else {
                Signed::Otherwise
            },
            holder: if parsed.is_ca() { Holder::Authority } else { Holder::Signer },
            not_after_s: parsed.validity().not_after.timestamp(),
        })
    }

    /// Its public key.
    ///
    /// # Errors
    /// [`KeyError`] for anything but RSA of at least 2048 bits.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::from_der(&self.public_key)
    }

    /// WeChat Pay's name for it: the serial number in capital hexadecimal digits, two for each byte.
    pub fn serial_hex(&self) -> &str {
        &self.serial_hex
    }

    /// Alipay's name for it (`app_cert_sn`, `alipay_cert_sn`): MD5 over the issuer, most specific part first,
    /// and the serial number in decimal digits.
    pub fn alipay_number(&self) -> String {
        let digest = Md5::digest(format!("{}{}", self.issuer, self.serial_decimal));
        digest.iter().fold(String::new(), |mut text, byte| {
            let _never_fails = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether it signs other certificates or messages.
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// The last second at which it holds, in Unix seconds.
    pub fn not_after_s(&self) -> i64 {
        self.not_after_s
    }
}

/// Alipay's name for a bundle of roots (`alipay_root_cert_sn`): the names of those that are signed with RSA,
/// joined by `_`. The bundle's SM2 and ECDSA roots do not count. Nothing when none counts.
pub fn alipay_root_number(bundle: &[Certificate]) -> Option<String> {
    let counted = bundle.iter().filter(|certificate| certificate.signed_with == Signed::Rsa);
    let numbers: Vec<String> = counted.map(Certificate::alipay_number).collect();
    if numbers.is_empty() { None } else { Some(numbers.join("_")) }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({} of {})", self.serial_hex, self.issuer)
    }
}

/// DER puts a zero in front of a serial number whose first bit is set; the number does not have it.
fn serial_hex(parsed: &X509Certificate<'_>) -> String {
    let raw = parsed.raw_serial();
    let digits = match raw {
        [0, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    };
    digits.iter().fold(String::new(), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02X}");
        text
    })
}

/// A distinguished name as RFC 2253 writes it: the most specific part first.
fn name(name: &X509Name<'_>) -> String {
    let parts: Vec<String> =
        name.iter().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    // RFC 2253, 2.3.
    let keyword = match oid.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        other => return format!("{other}=#{}", encoded(attribute)),
    };
    match attribute.as_str() {
        Ok(value) => format!("{keyword}={}", escaped(value)),
        Err(_) => format!("{keyword}=#{}", encoded(attribute)),
    }
}

/// RFC 2253, 2.4: what has no text form is written as its DER.
fn encoded(attribute: &AttributeTypeAndValue<'_>) -> String {
    let der = attribute.attr_value().to_der_vec().unwrap_or_default();
    der.iter().fold(String::new(), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 2253, 2.4.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::new();
    for (at, character) in value.chars().enumerate() {
        let special = matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (at == 0 && matches!(character, '#' | ' '))
            || (at == last && character == ' ');
        if special {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::signing::SigningKey;

    const ROOTS: &str = include_str!("../../tests/data/alipay_root_bundle.pem");

    fn made() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/data/wallet_certificates.json")).unwrap()
    }

    fn read(owner: &str) -> Certificate {
        Certificate::read(made()[owner]["pem"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn the_published_root_bundle_has_its_published_number() {
        let roots = Certificate::read_all(ROOTS).unwrap();
        assert_eq!(roots.len(), 4, "SM2, RSA, ECDSA and RSA with SHA-1 are all read");
        // In use by merchants since 2018 and printed by the published clients.
        let expected = "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6";
        assert_eq!(alipay_root_number(&roots).as_deref(), Some(expected));
        assert_eq!(roots[2].alipay_number(), "8af620707e5ddd8c7e76747e86a604dc");
        assert_eq!(alipay_root_number(&roots[..1]), None, "an SM2 root does not count");
    }

    #[test]
    fn a_certificate_is_numbered_as_openssl_and_md5sum_number_it() {
        for owner in ["app", "alipay", "wechat_platform", "wechat_merchant", "ca"] {
            let certificate = read(owner);
            let expected = &made()[owner];
            assert_eq!(certificate.alipay_number(), expected["md5_of_issuer_and_serial"], "{owner}");
            assert_eq!(certificate.serial_hex(), expected["serial"], "{owner}");
        }
        assert_eq!((read("ca").holder(), read("app").holder()), (Holder::Authority, Holder::Signer));
    }

    #[test]
    fn a_certificates_key_is_that_of_its_pair() {
        let keys: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/alipay_keys.json")).unwrap();
        let merchant = SigningKey::read(keys["merchant"]["pkcs8_der"].as_str().unwrap()).unwrap();
        assert_eq!(read("app").verifying_key().unwrap(), merchant.verifying_key());
        assert_ne!(read("alipay").verifying_key().unwrap(), merchant.verifying_key());
        let roots = Certificate::read_all(ROOTS).unwrap();
        assert_eq!(roots[0].verifying_key().unwrap_err(), KeyError::NotRsa);
    }

    #[test]
    fn what_is_no_certificate_gets_a_sentence_and_no_panic() {
        let whole = made()["app"]["pem"].as_str().unwrap().to_owned();
        let cut = whole.replace("MII", "MI");
        let key = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n";
        for text in ["", "hello", cut.as_str(), key, &whole.repeat(MOST_CERTIFICATES + 1)] {
            assert_eq!(Certificate::read_all(text).unwrap_err(), KeyError::NotACertificate);
        }
        let der = x509_parser::pem::parse_x509_pem(whole.as_bytes()).unwrap().1.contents;
        for length in 0..der.len() {
            assert!(Certificate::from_der(&der[..length]).is_err());
        }
    }

    #[test]
    fn a_name_is_escaped_as_the_standard_says() {
        assert_eq!(escaped(r##"#A, "B" + C\D;<E> "##), r##"\#A\, \"B\" \+ C\\D\;\<E\>\ "##);
        assert_eq!(escaped("支付宝 R1"), "支付宝 R1");
    }
}
