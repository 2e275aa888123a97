//! RSA2 as the Chinese wallets use it: RSASSA-PKCS1-v1_5 with SHA-256, signatures in base64.
//!
//! Keys are read in every form in which merchants are handed them: PKCS#8 (`BEGIN PRIVATE KEY`), PKCS#1
//! (`BEGIN RSA PRIVATE KEY`), SubjectPublicKeyInfo (`BEGIN PUBLIC KEY`), a certificate where a public key is
//! wanted, or the bare base64 that the wallets' own key tools print. Keys never appear in `Debug` or in an
//! error.
//!
//! Not here: key generation, the numbers of certificates (`certificate`), encryption, SHA-1 signatures.

use super::certificate::Certificate;
use super::scrub;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use std::fmt;

/// Wallets call shorter keys "RSA" and longer ones "RSA2"; shorter ones are no longer safe.
const LEAST_BITS: usize = 2048;

/// Object identifier 1.2.840.113549.1.1.1, rsaEncryption (RFC 8017, appendix A.1), as DER.
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// Why a key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor base64.
    #[error("this is not a key: give the PEM file, or the base64 line of the wallet's key tool")]
    NotAKey,
    /// A passphrase would be needed.
    #[error("the key is encrypted: store it without a passphrase, as a credential of the service")]
    Encrypted,
    /// A certificate where a key belongs.
    #[error("this is a certificate where the private key belongs")]
    Certificate,
    /// Not a certificate in PEM, or a damaged one.
    #[error("this is not a certificate: download it again from the wallet's console (PEM, .crt or .pem)")]
    NotACertificate,
    /// The other half of a pair.
    #[error("this is a public key where the private key belongs")]
    NotPrivate,
    /// The other half of a pair.
    #[error("this is a private key where the wallet's public key belongs: keep it secret")]
    NotPublic,
    /// DER of something else, such as an elliptic-curve key, or a damaged file.
    #[error("this is not a complete RSA key: download or export it again")]
    NotRsa,
    /// Fewer bits than are safe.
    #[error(
        "the key has {0} bits: at least 2048 are needed (RSA2); make a new one and upload it to the wallet"
    )]
    TooShort(usize),
    /// ring refused to sign, which it does for inconsistent keys only.
    #[error("the key cannot sign: make a new one and upload it to the wallet")]
    CannotSign,
}

/// The merchant's private key.
pub struct SigningKey {
    pair: RsaKeyPair,
    /// Blinds the private operation against timing; a PKCS#1 v1.5 signature itself has no chance in it.
    blinding: SystemRandom,
}

impl SigningKey {
    /// Reads a private key from PEM, or from base64 without its frame.
    ///
    /// # Errors
    /// [`KeyError`], which says what to do.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let mut der = der_of(text)?;
        let key = Self::from_der(&der);
        scrub(&mut der);
        key
    }

    /// Reads a private key from DER, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`], which says what to do.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let inner = private_pkcs1(der)?;
        let pair = RsaKeyPair::from_der(inner).map_err(|_| KeyError::NotRsa)?;
        Ok(Self { pair, blinding: SystemRandom::new() })
    }

    /// Signs bytes; the signature is base64.
    ///
    /// # Errors
    /// [`KeyError::CannotSign`].
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.blinding, message, &mut signature)
            .map_err(|_| KeyError::CannotSign)?;
        Ok(STANDARD.encode(signature))
    }

    /// The other half of the pair.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.pair.public_key().as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// A wallet's public key, as PKCS#1 RSAPublicKey: ring does not read the wrapper it is handed out in.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(Vec<u8>);

/// The signature is not that of these bytes under this key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the signature is wrong")]
pub struct WrongSignature;

impl VerifyingKey {
    /// Reads a public key from PEM, or from base64 without its frame. A certificate stands for its key.
    ///
    /// # Errors
    /// [`KeyError`], which says what to do.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        match der_of(text) {
            Ok(der) => Self::from_der(&der),
            Err(KeyError::Certificate) => Certificate::read(text)?.verifying_key(),
            Err(error) => Err(error),
        }
    }

    /// Reads a public key from DER, SubjectPublicKeyInfo or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`], which says what to do.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if private_pkcs1(der).is_ok() {
            return Err(KeyError::NotPublic);
        }
        let inner = public_pkcs1(der).ok_or(KeyError::NotRsa)?;
        let bits = modulus_bits(inner).ok_or(KeyError::NotRsa)?;
        if bits < LEAST_BITS {
            return Err(KeyError::TooShort(bits));
        }
        Ok(Self(inner.to_vec()))
    }

    /// Verifies a base64 signature of bytes.
    ///
    /// # Errors
    /// [`WrongSignature`], also when it is not base64.
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), WrongSignature> {
        let signature = STANDARD.decode(signature).map_err(|_| WrongSignature)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
            .verify(message, &signature)
            .map_err(|_| WrongSignature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(..)")
    }
}

/// Takes the PEM frame off (RFC 7468), if there is one, and decodes the base64 within.
fn der_of(text: &str) -> Result<Vec<u8>, KeyError> {
    let inner = match text.split_once("-----BEGIN ") {
        None => text,
        Some((_, framed)) => {
            let (label, rest) = framed.split_once("-----").ok_or(KeyError::NotAKey)?;
            match label {
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
                "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
                "CERTIFICATE" => return Err(KeyError::Certificate),
                _ => return Err(KeyError::NotRsa),
            }
            let (inner, _) = rest.split_once("-----END ").ok_or(KeyError::NotAKey)?;
            // The older way of encrypting, RFC 1421 headers within the frame.
            if inner.contains("Proc-Type:") {
                return Err(KeyError::Encrypted);
            }
            inner
        }
    };
    let mut base64: Vec<u8> = inner.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(&base64);
    scrub(&mut base64);
    der.ok().filter(|der| !der.is_empty()).ok_or(KeyError::NotAKey)
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Takes one DER element of the wanted tag off the front: its content and what follows.
fn element(input: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // Long form; keys need at most two bytes of length.
        let count = usize::from(first & 0x7f);
        if !(1..=2).contains(&count) || rest.len() < count {
            return None;
        }
        let (bytes, rest) = rest.split_at(count);
        (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    (tag == wanted && length <= rest.len()).then(|| rest.split_at(length))
}

/// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) down to the RSAPublicKey within, or that key itself.
fn public_pkcs1(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(der, SEQUENCE)?;
    let Some((algorithm, rest)) = element(outer, SEQUENCE) else {
        return element(outer, INTEGER).map(|_| der);
    };
    if !algorithm.starts_with(RSA_ENCRYPTION) {
        return None;
    }
    let (bits, _) = element(rest, BIT_STRING)?;
    // The first byte counts unused bits: none, in whole bytes.
    bits.strip_prefix(&[0])
}

/// PrivateKeyInfo (RFC 5208, 5) down to the RSAPrivateKey within, or that key itself.
fn private_pkcs1(der: &[u8]) -> Result<&[u8], KeyError> {
    let unwrapped = || {
        let (outer, _) = element(der, SEQUENCE)?;
        // Both forms begin with a version, which a public key does not: its modulus is longer.
        let (version, rest) = element(outer, INTEGER)?;
        if version.len() != 1 {
            return None;
        }
        match element(rest, SEQUENCE) {
            None => Some(der),
            Some((algorithm, rest)) if algorithm.starts_with(RSA_ENCRYPTION) => {
                element(rest, OCTET_STRING).map(|(inner, _)| inner)
            }
            Some(_) => None,
        }
    };
    let inner = unwrapped().ok_or(match public_pkcs1(der) {
        Some(_) => KeyError::NotPrivate,
        None => KeyError::NotRsa,
    })?;
    let (outer, _) = element(inner, SEQUENCE).ok_or(KeyError::NotRsa)?;
    let (_version, rest) = element(outer, INTEGER).ok_or(KeyError::NotRsa)?;
    let (modulus, _) = element(rest, INTEGER).ok_or(KeyError::NotRsa)?;
    let bits = bits(modulus);
    if bits < LEAST_BITS {
        return Err(KeyError::TooShort(bits));
    }
    Ok(inner)
}

fn modulus_bits(public_key: &[u8]) -> Option<usize> {
    let (outer, _) = element(public_key, SEQUENCE)?;
    element(outer, INTEGER).map(|(modulus, _)| bits(modulus))
}

fn bits(integer: &[u8]) -> usize {
    let significant = integer.iter().skip_while(|byte| **byte == 0);
    let bytes = significant.clone().count();
    significant.take(1).fold(bytes * 8, |bits, top| {
        bits - usize::try_from(top.leading_zeros()).expect("a byte has at most eight")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Throw-away pairs, made for these tests.
    fn der(owner: &str, form: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/alipay_keys.json")).unwrap();
        file[owner][form].as_str().unwrap().to_owned()
    }

    fn pem(label: &str, base64: &str) -> String {
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\r\n"))
    }

    #[test]
    fn a_pair_is_read_in_every_form_and_agrees_with_itself() {
        let private = [
            der("merchant", "pkcs8_der"),
            der("merchant", "pkcs1_der"),
            pem("PRIVATE KEY", &der("merchant", "pkcs8_der")),
            pem("RSA PRIVATE KEY", &der("merchant", "pkcs1_der")),
        ];
        let public =
            [der("merchant", "spki_der"), pem("PUBLIC KEY", &der("merchant", "spki_der"))].map(|text| {
                let key = VerifyingKey::read(&text).unwrap();
                assert_eq!(VerifyingKey::from_der(&key.0).unwrap(), key, "PKCS#1 is read as well");
                key
            });
        for text in private {
            let key = SigningKey::read(&text).unwrap();
            let signature = key.sign("咖啡".as_bytes()).unwrap();
            for public in &public {
                assert_eq!(&key.verifying_key(), public);
                assert_eq!(public.verify("咖啡".as_bytes(), &signature), Ok(()));
                assert_eq!(public.verify(b"tea", &signature), Err(WrongSignature));
            }
        }
    }

    #[test]
    fn another_key_or_a_damaged_signature_is_wrong() {
        let signature = SigningKey::read(&der("merchant", "pkcs8_der")).unwrap().sign(b"x").unwrap();
        let gateway = VerifyingKey::read(&der("gateway", "spki_der")).unwrap();
        assert_eq!(gateway.verify(b"x", &signature), Err(WrongSignature));
        let merchant = VerifyingKey::read(&der("merchant", "spki_der")).unwrap();
        for damaged in ["", "?", &signature[4..]] {
            assert_eq!(merchant.verify(b"x", damaged), Err(WrongSignature));
        }
    }

    #[test]
    fn the_wrong_half_is_named() {
        assert_eq!(SigningKey::read(&der("merchant", "spki_der")).unwrap_err(), KeyError::NotPrivate);
        for form in ["pkcs1_der", "pkcs8_der"] {
            assert_eq!(VerifyingKey::read(&der("gateway", form)).unwrap_err(), KeyError::NotPublic);
        }
    }

    #[test]
    fn a_short_key_is_refused_with_its_length() {
        // Public halves of 1024 bits: a modulus of 128 bytes, once bare and once wrapped.
        let mut bare = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00, 0xc1];
        bare.extend([0x55; 127]);
        bare.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
        assert_eq!(VerifyingKey::from_der(&bare).unwrap_err(), KeyError::TooShort(1024));
        let mut wrapped = vec![0x30, 0x81, 0x9f, 0x30, 0x0d];
        wrapped.extend(RSA_ENCRYPTION);
        wrapped.extend([0x05, 0x00, 0x03, 0x81, 0x8d, 0x00]);
        wrapped.extend(&bare);
        assert_eq!(VerifyingKey::from_der(&wrapped).unwrap_err(), KeyError::TooShort(1024));
        // A private one is measured before anything else of it is read.
        let mut private = vec![0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x02, 0x81, 0x81, 0x00, 0xc1];
        private.extend([0x55; 127]);
        assert_eq!(SigningKey::from_der(&private).unwrap_err(), KeyError::TooShort(1024));
    }

    #[test]
    fn what_is_no_key_gets_a_sentence_and_no_panic() {
        for (text, error) in [
            ("", KeyError::NotAKey),
            ("not base64!", KeyError::NotAKey),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", KeyError::NotAKey),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END", KeyError::Encrypted),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END ", KeyError::Encrypted),
            ("-----BEGIN EC PRIVATE KEY-----\nMIIE\n-----END", KeyError::NotRsa),
            ("MIIE", KeyError::NotRsa),
        ] {
            assert_eq!(SigningKey::read(text).unwrap_err(), error, "{text}");
            assert_eq!(VerifyingKey::read(text).unwrap_err(), error, "{text}");
        }
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n";
        assert_eq!(SigningKey::read(certificate).unwrap_err(), KeyError::Certificate);
        assert_eq!(VerifyingKey::read(certificate).unwrap_err(), KeyError::NotACertificate);
        let whole = STANDARD.decode(der("merchant", "pkcs8_der")).unwrap();
        for length in 0..whole.len() {
            assert!(SigningKey::from_der(&whole[..length]).is_err());
            assert!(VerifyingKey::from_der(&whole[..length]).is_err());
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let key = SigningKey::read(&der("merchant", "pkcs8_der")).unwrap();
        assert_eq!(format!("{key:?} {:?}", key.verifying_key()), "SigningKey(..) VerifyingKey(..)");
    }
}
