//! An Ed25519 key pair in a file of its own: what a device signs its stream, its orders and its requests with.
//!
//! Not here: which key signs what at the cloud (`keys/cloud.rs`).

use super::file::{self, KeyError};
use crate::token::{
    Drawn, Issued, KeyId, TokenError, assemble, drawn_payload, fingerprint, issued_payload, signing_input,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use std::fmt;
use std::path::Path;

/// A key pair that exists once, on one device.
pub struct DeviceKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

const LABEL: &str = "till-ed25519-1";

impl DeviceKey {
    /// Loads the key, or makes it on the first start: mode 0600, durable before it is used.
    ///
    /// # Errors
    /// [`KeyError`]; a damaged or exposed file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        // Seed and public key stand side by side in the file, so that a flipped bit is noticed.
        let bytes: [u8; 64] = file::load_or_create(path, LABEL, || {
            let seed = file::random()?;
            Ok(Self::from_seed(&seed)?.file_bytes(&seed))
        })?;
        Self::from_file_bytes(&bytes).ok_or_else(|| KeyError::Damaged(path.to_owned()))
    }

    /// Loads the key; `None` when it was never made.
    ///
    /// # Errors
    /// [`KeyError::Read`], [`KeyError::Exposed`] or [`KeyError::Damaged`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let Some(bytes) = file::load::<64>(path, LABEL, file::Readers::OwnerOnly)? else { return Ok(None) };
        Self::from_file_bytes(&bytes).map(Some).ok_or_else(|| KeyError::Damaged(path.to_owned()))
    }

    /// The key of a 32-byte seed (RFC 8032): for simulations and vectors, where chance is a parameter.
    ///
    /// # Errors
    /// None in practice: every seed is a key.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self::from_pair(pair))
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The public key's short number.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.public)
    }

    /// What a person compares when pairing: `XXXX-XXXX-XXXX-XXXX`, 80 bits.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public)
    }

    /// Signs bytes that the caller has domain-separated.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }

    /// The text of an order or a receipt, signed with this device's key.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when a field is outside its range.
    pub fn draw<T: Drawn>(&self, token: &T) -> Result<String, TokenError> {
        let payload = drawn_payload(token)?;
        Ok(assemble(T::KIND, &payload, &self.sign(&signing_input(T::KIND, &payload))))
    }

    /// The text of a coupon, voucher or proof, signed with this key, which must have the right purpose.
    pub(super) fn issue<T: Issued>(&self, token: &T) -> Result<String, TokenError> {
        let payload = issued_payload(token, self.key_id())?;
        Ok(assemble(T::KIND, &payload, &self.sign(&signing_input(T::KIND, &payload))))
    }

    fn from_pair(pair: Ed25519KeyPair) -> Self {
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        Self { pair, public }
    }

    fn from_file_bytes(bytes: &[u8; 64]) -> Option<Self> {
        let (seed, public) = bytes.split_at(32);
        Ed25519KeyPair::from_seed_and_public_key(seed, public).ok().map(Self::from_pair)
    }

    fn file_bytes(&self, seed: &[u8; 32]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(seed);
        bytes[32..].copy_from_slice(&self.public);
        bytes
    }
}

/// Shows the fingerprint: the private half has no way out.
impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::verify_signature;
    use std::fs;

    #[test]
    fn the_same_key_comes_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        assert!(DeviceKey::load(&path).unwrap().is_none());
        let made = DeviceKey::load_or_create(&path).unwrap();
        let again = DeviceKey::load(&path).unwrap().unwrap();
        assert_eq!(made.public(), again.public());
        assert_eq!(verify_signature(&made.public(), b"words", &again.sign(b"words")), Ok(()));
        assert_eq!(
            verify_signature(&made.public(), b"other", &again.sign(b"words")),
            Err(TokenError::Forged)
        );
    }

    #[test]
    fn a_flipped_bit_in_the_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        DeviceKey::load_or_create(&path).unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        let at = LABEL.len() + 5;
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        text.replace_range(at..=at, other);
        fs::write(&path, text).unwrap();
        assert!(matches!(DeviceKey::load_or_create(&path), Err(KeyError::Damaged(_))));
    }

    #[test]
    fn a_fingerprint_is_four_groups_and_a_log_shows_nothing_else() {
        // RFC 8032 section 7.1, test 1.
        let key = DeviceKey::from_seed(&[
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ])
        .unwrap();
        assert_eq!(key.public()[..4], [0xd7, 0x5a, 0x98, 0x01]);
        assert_eq!(key.sign(b"")[..4], [0xe5, 0x56, 0x43, 0x00]);
        let print = key.fingerprint();
        assert!(print.len() == 19 && print.split('-').all(|group| group.len() == 4), "{print}");
        assert_eq!(format!("{key:?}"), format!("DeviceKey({print})"));
    }
}
