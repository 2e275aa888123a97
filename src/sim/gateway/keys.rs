//! The gateway's keys: the merchant's public one to verify with, its own private one to sign with, and the
//! secret that WeChat Pay's notifications are sealed with.
//!
//! RSA2 is RSA PKCS#1 v1.5 over SHA-256 (Alipay open platform, "Signing requests"); WeChat Pay v3 signs alike.
//! `ring` signs and verifies; the `rsa` crate only makes new keys, which `ring` cannot. Deliberately not here:
//! what is signed.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::OsRng,
};

use super::{
    Error,
    certificate::{Certificates, pem, public_key_info},
};

const MERCHANT_PUBLIC: &str = "merchant.pub.pem";
const MERCHANT_PRIVATE: &str = "merchant.pkcs8.pem";
const GATEWAY_PUBLIC: &str = "gateway.pub.pem";
const GATEWAY_PRIVATE: &str = "gateway.pkcs8.pem";
const API_V3_KEY: &str = "apiv3.key";
const ROOT_CERTIFICATE: &str = "root.crt.pem";
const GATEWAY_CERTIFICATE: &str = "gateway.crt.pem";
const MERCHANT_CERTIFICATE: &str = "merchant.crt.pem";
/// What WeChat Pay demands of an APIv3 key: it is an AES-256 key as it stands.
const API_V3_KEY_BYTES: usize = 32;
/// The WeChat Pay key id that a client may be set up with; any other `PUB_KEY_ID_` is answered as well.
pub(super) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_TILL_SIMULATOR";
/// What the wallet demands of merchants; `ring` signs with nothing shorter.
const KEY_BITS: usize = 2048;

/// Where the key files are, for whoever sets up a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPaths {
    /// Verifies requests. SPKI PEM.
    pub merchant_public: PathBuf,
    /// Signs requests: for the client. PKCS#8 PEM; absent where a given key directory does not hold it.
    pub merchant_private: Option<PathBuf>,
    /// Verifies answers: for the client. SPKI PEM; absent where a given key directory does not hold it.
    pub gateway_public: Option<PathBuf>,
    /// Signs answers. PKCS#8 PEM.
    pub gateway_private: PathBuf,
    /// WeChat Pay's APIv3 key: 32 characters.
    pub api_v3_key: PathBuf,
    /// Alipay's root bundle for certificate mode. PEM.
    pub root_certificate: PathBuf,
    /// Alipay's certificate and WeChat Pay's platform certificate. PEM.
    pub gateway_certificate: PathBuf,
    /// The merchant's app certificate. PEM.
    pub merchant_certificate: PathBuf,
}

/// How an answer is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Right,
    /// A signature of the gateway's key over other bytes.
    Wrong,
    Missing,
}

/// All keys, ready for use.
pub struct Keys {
    merchant_pkcs1: Vec<u8>,
    gateway: RsaKeyPair,
    api_v3_key: [u8; API_V3_KEY_BYTES],
    pub(super) certificates: Certificates,
    pub(super) paths: Option<KeyPaths>,
}

/// Says nothing: private keys are inside.
impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys")
    }
}

impl Keys {
    /// Reads the keys of `given`, or those kept in `home`, which are made there at the first start. What a given
    /// directory need not hold, the APIv3 key and certificates, is kept in `home`.
    pub(super) fn open(given: Option<&Path>, home: &Path, api_v3_key: Option<&str>) -> Result<Keys, Error> {
        // The signing key is written last: without it an earlier start was cut short, so all are remade.
        if given.is_none() && !home.join(GATEWAY_PRIVATE).exists() {
            make(home)?;
        }
        let dir = given.unwrap_or(home);
        let optional = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
        let paths = KeyPaths {
            merchant_public: dir.join(MERCHANT_PUBLIC),
            merchant_private: optional(MERCHANT_PRIVATE),
            gateway_public: optional(GATEWAY_PUBLIC),
            gateway_private: dir.join(GATEWAY_PRIVATE),
            api_v3_key: optional(API_V3_KEY).unwrap_or_else(|| home.join(API_V3_KEY)),
            root_certificate: home.join(ROOT_CERTIFICATE),
            gateway_certificate: home.join(GATEWAY_CERTIFICATE),
            merchant_certificate: home.join(MERCHANT_CERTIFICATE),
        };
        let secret = match api_v3_key {
            Some(secret) => secret.to_owned(),
            None => open_secret(&paths.api_v3_key)?,
        };
        let mut keys = Keys::read(
            (&paths.merchant_public, &read_pem(&paths.merchant_public)?),
            (&paths.gateway_private, &read_pem(&paths.gateway_private)?),
            (&paths.api_v3_key, &secret),
        )?;
        for (path, certificate) in [
            (&paths.root_certificate, &keys.certificates.root),
            (&paths.gateway_certificate, &keys.certificates.gateway),
            (&paths.merchant_certificate, &keys.certificates.merchant),
        ] {
            write(path, &certificate.pem, 0o644)?;
        }
        keys.paths = Some(paths);
        Ok(keys)
    }

    /// Keys without files, for a gateway that is run inside a test: the merchant's public key as SPKI or PKCS#1,
    /// the gateway's private key as PKCS#8, both DER, and an APIv3 key of 32 characters.
    pub fn of(merchant_public: &[u8], gateway_private: &[u8], api_v3_key: &str) -> Result<Keys, Error> {
        let at = Path::new;
        Keys::read(
            (at("the merchant's public key"), merchant_public),
            (at("the gateway's private key"), gateway_private),
            (at("the APIv3 key"), api_v3_key),
        )
    }

    fn read(
        (merchant_path, merchant): (&Path, &[u8]),
        (gateway_path, gateway): (&Path, &[u8]),
        (secret_path, secret): (&Path, &str),
    ) -> Result<Keys, Error> {
        let bad = |path: &Path, reason| Error::BadKey { path: path.to_owned(), reason };
        let merchant = pkcs1_of(merchant).ok_or_else(|| {
            bad(
                merchant_path,
                "it is not an RSA public key of at least 2048 bits; export it as a PEM of type PUBLIC KEY",
            )
        })?;
        let not_private = "it is not an RSA private key of at least 2048 bits in unencrypted PKCS#8";
        let gateway = RsaKeyPair::from_pkcs8(gateway).map_err(|_| bad(gateway_path, not_private))?;
        let api_v3_key = secret.trim().as_bytes().try_into();
        let api_v3_key = api_v3_key.map_err(|_| bad(secret_path, "an APIv3 key has 32 characters"))?;
        let certificates =
            Certificates::make(gateway.public().as_ref(), merchant, |bytes| sign(&gateway, bytes))
                .map_err(|_| bad(gateway_path, "it does not sign"))?;
        Ok(Keys { merchant_pkcs1: merchant.to_vec(), gateway, api_v3_key, certificates, paths: None })
    }

    /// The gateway's public key as SPKI PEM, for a client.
    pub fn gateway_public_pem(&self) -> String {
        pem("PUBLIC KEY", &public_key_info(self.gateway.public().as_ref()))
    }

    /// The secret that notifications are sealed with, for a client.
    pub fn api_v3_key(&self) -> &str {
        std::str::from_utf8(&self.api_v3_key).unwrap_or_default()
    }

    /// The id that WeChat Pay clients may give the gateway's public key. Any other `PUB_KEY_ID_` does as well.
    pub fn public_key_id(&self) -> &'static str {
        PUBLIC_KEY_ID
    }

    /// The serial number of the WeChat Pay platform certificate, in hexadecimal.
    pub fn platform_serial(&self) -> String {
        self.certificates.gateway.serial_hex()
    }

    /// Whether the merchant signed exactly these bytes. `signature` is base64.
    pub(super) fn merchant_signed(&self, bytes: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.merchant_pkcs1);
        key.verify(bytes, &signature).is_ok()
    }

    /// The gateway's signature over exactly these bytes, in base64; or a wrong one, or none.
    pub(super) fn sign_as(
        &self,
        bytes: &[u8],
        signing: Signing,
    ) -> Result<Option<String>, ring::error::Unspecified> {
        let signature = match signing {
            Signing::Right => sign(&self.gateway, bytes)?,
            Signing::Wrong => sign(&self.gateway, &[bytes, b" "].concat())?,
            Signing::Missing => return Ok(None),
        };
        Ok(Some(STANDARD.encode(signature)))
    }

    /// AES-256-GCM under the APIv3 key, ciphertext and tag in base64. `nonce` has 12 bytes.
    pub(super) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        associated: &str,
        plain: &[u8],
    ) -> Result<String, ring::error::Unspecified> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.api_v3_key)?);
        let mut bytes = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(associated.as_bytes()), &mut bytes)?;
        Ok(STANDARD.encode(bytes))
    }
}

fn sign(key: &RsaKeyPair, bytes: &[u8]) -> Result<Vec<u8>, ring::error::Unspecified> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature)?;
    Ok(signature)
}

/// The APIv3 key of this file, made there if there is none.
fn open_secret(path: &Path) -> Result<String, Error> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    if !path.exists() {
        let mut bytes = [0; API_V3_KEY_BYTES];
        let no_chance = |_| Error::BadKey { path: path.to_owned(), reason: "a new key could not be made" };
        SystemRandom::new().fill(&mut bytes).map_err(no_chance)?;
        let secret: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        write(path, &secret, 0o600)?;
    }
    fs::read_to_string(path).map_err(|source| Error::ReadKey { path: path.to_owned(), source })
}

fn make(dir: &Path) -> Result<(), Error> {
    for (private, public) in [(MERCHANT_PRIVATE, MERCHANT_PUBLIC), (GATEWAY_PRIVATE, GATEWAY_PUBLIC)] {
        let unusable = |_| Error::BadKey { path: dir.join(private), reason: "a new key could not be made" };
        let key = RsaPrivateKey::new(&mut OsRng, KEY_BITS).map_err(unusable)?;
        let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
        let public_pem = public_pem.map_err(|_| unusable(rsa::Error::Internal))?;
        let private_pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| unusable(rsa::Error::Internal))?;
        write(&dir.join(public), &public_pem, 0o644)?;
        write(&dir.join(private), &private_pem, 0o600)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let failed = |source| Error::WriteKey { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn read_pem(path: &Path) -> Result<Vec<u8>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::ReadKey { path: path.to_owned(), source })?;
    let base64: String = text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(base64).map_err(|_| Error::BadKey {
        path: path.to_owned(),
        reason: "its text between the BEGIN and END lines is not base64",
    })
}

/// The bare `RSAPublicKey` that `ring` wants, out of the `SubjectPublicKeyInfo` that key tools hand out
/// (RFC 5280 4.1.2.7, RFC 8017 A.1.1). A bare one passes as it is.
fn pkcs1_of(der: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    const INTEGER: u8 = 0x02;
    /// 1.2.840.113549.1.1.1
    const RSA_ENCRYPTION: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

    let (inside, trailing) = element(der, SEQUENCE)?;
    if !trailing.is_empty() {
        return None;
    }
    if let Some((modulus, rest)) = element(inside, INTEGER) {
        let (_exponent, end) = element(rest, INTEGER)?;
        return (modulus.len() >= KEY_BITS / 8 && end.is_empty()).then_some(der);
    }
    let (algorithm, rest) = element(inside, SEQUENCE)?;
    let (bits, end) = element(rest, BIT_STRING)?;
    let bare = bits.strip_prefix(&[0])?;
    let is_rsa = algorithm.starts_with(&RSA_ENCRYPTION) && end.is_empty() && bare.first() == Some(&SEQUENCE);
    let is_bare = element(bare, SEQUENCE).is_some_and(|(inside, _)| inside.first() == Some(&INTEGER));
    if is_rsa && is_bare { pkcs1_of(bare) } else { None }
}

/// The content of the DER element at the front, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, first, rest @ ..] = der else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        0x80 | 0x83.. => return None,
    };
    Some((rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_made_at_the_first_start_are_read_at_the_second() {
        let home = tempfile::tempdir().unwrap();
        let first = Keys::open(None, home.path(), None).unwrap();
        let second = Keys::open(None, home.path(), None).unwrap();
        let sign = |keys: &Keys| keys.sign_as(b"paid", Signing::Right).unwrap();
        assert_eq!(sign(&first), sign(&second));
        assert_eq!(first.api_v3_key(), second.api_v3_key());
        assert_eq!(first.certificates.gateway.pem, second.certificates.gateway.pem);
        let paths = second.paths.unwrap();
        assert!(paths.merchant_private.is_some_and(|path| path.exists()) && paths.root_certificate.exists());
    }

    #[test]
    fn a_missing_key_names_its_file() {
        let empty = tempfile::tempdir().unwrap();
        let error = Keys::open(Some(empty.path()), empty.path(), None).err().unwrap().to_string();
        assert!(error.contains(MERCHANT_PUBLIC), "{error}");
    }

    #[test]
    fn broken_public_keys_are_refused() {
        let nested = [0x30, 4, 0x30, 0, 0x03, 0];
        for der in [&[][..], &[0x30], &[0x30, 0x84, 0, 0, 0, 0], &[0x30, 3, 2, 1, 1], &nested] {
            assert!(pkcs1_of(der).is_none(), "{der:?}");
        }
    }
}
