//! The gateway's two keys: the merchant's public one to verify with, its own private one to sign with.
//!
//! RSA2 is RSA PKCS#1 v1.5 over SHA-256 (Alipay open platform, "Signing requests"). `ring` signs and verifies;
//! the `rsa` crate only makes new keys, which `ring` cannot. Deliberately not here: certificate mode.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::OsRng,
};

use super::Error;

const MERCHANT_PUBLIC: &str = "merchant.pub.pem";
const MERCHANT_PRIVATE: &str = "merchant.pkcs8.pem";
const GATEWAY_PUBLIC: &str = "gateway.pub.pem";
const GATEWAY_PRIVATE: &str = "gateway.pkcs8.pem";
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
}

/// Both keys, ready for use.
pub(super) struct Keys {
    merchant_pkcs1: Vec<u8>,
    gateway: RsaKeyPair,
    pub(super) paths: KeyPaths,
}

impl Keys {
    /// Reads the keys of `given`, or those kept in `home`, which are made there at the first start.
    pub(super) fn open(given: Option<&Path>, home: &Path) -> Result<Keys, Error> {
        let Some(dir) = given else {
            // The signing key is written last: without it an earlier start was cut short, so all are remade.
            if !home.join(GATEWAY_PRIVATE).exists() {
                make(home)?;
            }
            return Keys::read(home);
        };
        Keys::read(dir)
    }

    fn read(dir: &Path) -> Result<Keys, Error> {
        let optional = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
        let paths = KeyPaths {
            merchant_public: dir.join(MERCHANT_PUBLIC),
            merchant_private: optional(MERCHANT_PRIVATE),
            gateway_public: optional(GATEWAY_PUBLIC),
            gateway_private: dir.join(GATEWAY_PRIVATE),
        };
        let merchant = read_pem(&paths.merchant_public)?;
        let merchant_pkcs1 = pkcs1_of(&merchant).ok_or_else(|| Error::BadKey {
            path: paths.merchant_public.clone(),
            reason: "it is not an RSA public key of at least 2048 bits; export it as a PEM of type PUBLIC KEY",
        })?;
        let gateway =
            RsaKeyPair::from_pkcs8(&read_pem(&paths.gateway_private)?).map_err(|_| Error::BadKey {
                path: paths.gateway_private.clone(),
                reason: "it is not an RSA private key of at least 2048 bits in unencrypted PKCS#8",
            })?;
        Ok(Keys { merchant_pkcs1: merchant_pkcs1.to_vec(), gateway, paths })
    }

    /// Whether the merchant signed exactly these bytes. `signature` is base64.
    pub(super) fn merchant_signed(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.merchant_pkcs1);
        key.verify(text.as_bytes(), &signature).is_ok()
    }

    /// The gateway's signature over exactly these bytes, in base64.
    pub(super) fn sign(&self, text: &str) -> Result<String, ring::error::Unspecified> {
        let mut signature = vec![0; self.gateway.public().modulus_len()];
        self.gateway.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)?;
        Ok(STANDARD.encode(signature))
    }
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
        let first = Keys::open(None, home.path()).unwrap();
        let second = Keys::open(None, home.path()).unwrap();
        assert_eq!(first.sign("paid").unwrap(), second.sign("paid").unwrap());
        assert!(second.paths.merchant_private.is_some_and(|path| path.exists()));
    }

    #[test]
    fn a_missing_key_names_its_file() {
        let empty = tempfile::tempdir().unwrap();
        let error = Keys::open(Some(empty.path()), empty.path()).err().unwrap().to_string();
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
