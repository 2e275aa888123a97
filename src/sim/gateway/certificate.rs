//! X.509 certificates for clients in certificate mode: a root, the gateway's own and the merchant's.
//!
//! Each is a pure function of the keys (RFC 5280 section 4.1; RSA PKCS#1 v1.5 is deterministic), so nothing has
//! to be kept and two starts with the same keys hand out the same files. The root's key is the gateway's own.
//! Deliberately not here: reading certificates, and any chain longer than two.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use ring::digest::{SHA256, digest};

/// Tags of DER elements (X.690 section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
/// `sha256WithRSAEncryption` and `rsaEncryption` (RFC 8017 appendix A.2.4, A.1), each with its NULL.
const SHA256_WITH_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
const RSA_ENCRYPTION: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// `basicConstraints`, critical, CA (RFC 5280 section 4.2.1.9).
const IS_AUTHORITY: &[u8] = &[6, 3, 0x55, 0x1d, 0x13, 1, 1, 0xff, OCTET_STRING, 5, SEQUENCE, 3, 1, 1, 0xff];
/// Valid for as long as anybody will play with it.
pub(super) const NOT_BEFORE: &str = "2024-01-01T08:00:00+08:00";
pub(super) const NOT_AFTER: &str = "2050-01-01T07:59:59+08:00";
const NOT_BEFORE_UTC: &[u8] = b"240101000000Z";
const NOT_AFTER_UTC: &[u8] = b"491231235959Z";
const COUNTRY: &str = "CN";
const ORGANISATION: &str = "Till Simulator";
const UNIT: &str = "Throw-away keys";
const ROOT_NAME: &str = "Simulated Wallet Root";

/// One certificate.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) pem: String,
    serial: [u8; 20],
}

/// All that clients may need.
#[derive(Debug, Clone)]
pub(super) struct Certificates {
    pub(super) root: Certificate,
    /// Of the key that signs answers, for Alipay's clients and WeChat Pay's alike.
    pub(super) gateway: Certificate,
    pub(super) merchant: Certificate,
}

impl Certificates {
    /// `sign` makes the gateway key's SHA-256 RSA signature.
    pub(super) fn make<E>(
        gateway_pkcs1: &[u8],
        merchant_pkcs1: &[u8],
        sign: impl Fn(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Certificates, E> {
        Ok(Certificates {
            root: Certificate::make(ROOT_NAME, gateway_pkcs1, Role::Authority, &sign)?,
            gateway: Certificate::make("Simulated Wallet", gateway_pkcs1, Role::End, &sign)?,
            merchant: Certificate::make("Simulated Merchant", merchant_pkcs1, Role::End, &sign)?,
        })
    }
}

#[derive(Clone, Copy)]
enum Role {
    Authority,
    End,
}

impl Certificate {
    fn make<E>(
        name: &str,
        public_pkcs1: &[u8],
        role: Role,
        sign: impl Fn(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Certificate, E> {
        let mut serial = [0; 20];
        let mix = digest(&SHA256, &[name.as_bytes(), public_pkcs1].concat());
        serial.copy_from_slice(&mix.as_ref()[..20]);
        // Positive and of full length, so that its hexadecimal text has no leading zero to lose.
        serial[0] = (serial[0] & 0x3f) | 0x40;
        let mut parts = vec![
            element(0xa0, &[&element(INTEGER, &[&[2]])]),
            element(INTEGER, &[&serial]),
            element(SEQUENCE, &[SHA256_WITH_RSA]),
            name_of(ROOT_NAME),
            element(SEQUENCE, &[&element(UTC_TIME, &[NOT_BEFORE_UTC]), &element(UTC_TIME, &[NOT_AFTER_UTC])]),
            name_of(name),
            public_key_info(public_pkcs1),
        ];
        match role {
            Role::Authority => {
                let constraint = element(SEQUENCE, &[IS_AUTHORITY]);
                parts.push(element(0xa3, &[&element(SEQUENCE, &[&constraint])]));
            }
            Role::End => {}
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let to_sign = element(SEQUENCE, &parts);
        let signature = sign(&to_sign)?;
        let whole = element(SEQUENCE, &[&to_sign, &element(SEQUENCE, &[SHA256_WITH_RSA]), &bits(&signature)]);
        Ok(Certificate { pem: pem("CERTIFICATE", &whole), serial })
    }

    /// The serial number in upper-case hexadecimal, as WeChat Pay names certificates.
    pub(super) fn serial_hex(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// The MD5 of issuer and serial number, as Alipay names certificates: the issuer most specific part first,
    /// the serial number in decimal. Source: Alipay open platform, "Certificate mode", `app_cert_sn`.
    pub(super) fn alipay_serial(&self) -> String {
        let text = format!("CN={ROOT_NAME},OU={UNIT},O={ORGANISATION},C={COUNTRY}{}", decimal(&self.serial));
        Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `SubjectPublicKeyInfo` of a bare RSA key (RFC 5280 section 4.1.2.7).
pub(super) fn public_key_info(pkcs1: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&element(SEQUENCE, &[RSA_ENCRYPTION]), &bits(pkcs1)])
}

fn name_of(common: &str) -> Vec<u8> {
    // id-at-countryName, -organizationName, -organizationalUnitName, -commonName (RFC 5280 appendix A.1).
    let part = |id: u8, tag: u8, text: &str| {
        let value = element(tag, &[text.as_bytes()]);
        element(SET, &[&element(SEQUENCE, &[&[6, 3, 0x55, 4, id], &value])])
    };
    let parts = [
        part(6, PRINTABLE_STRING, COUNTRY),
        part(10, UTF8_STRING, ORGANISATION),
        part(11, UTF8_STRING, UNIT),
        part(3, UTF8_STRING, common),
    ];
    element(SEQUENCE, &[&parts.concat()])
}

fn bits(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        Ok(one) => bytes.extend([0x81, one]),
        Err(_) => {
            let [high, low] =
                u16::try_from(content.len()).expect("a certificate is below 64 KiB").to_be_bytes();
            bytes.extend([0x82, high, low]);
        }
    }
    bytes.extend(content);
    bytes
}

/// PEM with lines of 64 characters (RFC 7468 section 2).
pub(super) fn pem(kind: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> =
        (0..base64.len()).step_by(64).filter_map(|at| base64.get(at..(at + 64).min(base64.len()))).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// A big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u16];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            let value = *digit * 256 + carry;
            (*digit, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(u16::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_longer_than_a_word_are_written_in_decimal() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 20]), "1461501637330902918203684832716283019655932542975");
    }

    #[test]
    fn lengths_are_written_in_as_few_bytes_as_they_need() {
        assert_eq!(element(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(element(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[&[0; 256]])[..4], [4, 0x82, 1, 0]);
    }
}
