//! The public keys a till trusts, and the one key that may say which they are.
//!
//! **Invariant:** the pinned root signs key sets and nothing else; everything else is signed by a key of the set,
//! each for one purpose. Not here: private keys (`keys`), and remembering the highest version seen (`bundle`).

use super::{TokenError, base32};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{digest, signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What the root signs in front of a key set's bytes.
const KEY_SET_DOMAIN: &[u8] = b"till/keyset/1\n";
/// A key set is a few kilobytes; more is not ours.
const KEY_SET_MAX_BYTES: usize = 64 * 1024;

/// The first four bytes of SHA-256 over a public key; written as eight hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

/// The one job of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Signs bundles.
    Bundle,
    /// Signs `C1.` coupons.
    Coupon,
    /// Signs `G1.` vouchers.
    Voucher,
    /// Signs `P1.` paid proofs.
    Proof,
    /// Signs the heads of streams that the cloud has received.
    Head,
}

impl Purpose {
    /// Every purpose, in order.
    pub const ALL: [Self; 5] = [Self::Bundle, Self::Coupon, Self::Voucher, Self::Proof, Self::Head];

    /// Its name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Coupon => "coupon",
            Self::Voucher => "voucher",
            Self::Proof => "proof",
            Self::Head => "head",
        }
    }
}

/// One public key of the set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its one job.
    pub purpose: Purpose,
    /// The Ed25519 public key, base64 in JSON.
    #[serde(with = "base64_key")]
    pub public_key: [u8; 32],
    /// First second of use, unix.
    pub not_before: i64,
    /// First second after its use, unix. It outlives the codes it signed.
    pub not_after: i64,
    /// Withdrawn: whatever it signed is refused from now on, whenever it was signed.
    #[serde(default)]
    pub revoked: Revocation,
}

/// Whether a key was withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// In use.
    #[default]
    Good,
    /// Refuse whatever it signed.
    Revoked,
}

/// The keys a till trusts. Only [`SignedKeySet::verify`] makes one from outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// Grows with each set; whoever holds a higher one refuses a lower one.
    pub version: u64,
    /// First second, unix, at which the set may be used.
    pub not_before: i64,
    /// First second after which a fresh set is needed, unix.
    pub not_after: i64,
    /// By id.
    pub keys: BTreeMap<KeyId, Key>,
}

/// A key set as it travels and is kept: the exact bytes the root signed, and its signature, both base64.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedKeySet {
    /// JSON of a [`KeySet`], base64.
    pub payload: String,
    /// Ed25519 by the root over `till/keyset/1\n` and the payload's bytes, base64.
    pub signature: String,
}

impl KeyId {
    /// The id of a public key.
    pub fn of(public_key: &[u8; 32]) -> Self {
        let mut id = [0; 4];
        id.copy_from_slice(&digest::digest(&digest::SHA256, public_key).as_ref()[..4]);
        Self(id)
    }
}

/// What people compare when a till is paired: the first 80 bits of SHA-256 over a public key, as
/// `XXXX-XXXX-XXXX-XXXX` in base32.
pub fn fingerprint(public_key: &[u8; 32]) -> String {
    let hash = digest::digest(&digest::SHA256, public_key);
    let text = base32::encode(&hash.as_ref()[..10]);
    format!("{}-{}-{}-{}", &text[..4], &text[4..8], &text[8..12], &text[12..])
}

impl KeySet {
    /// An empty set.
    pub fn new(version: u64, not_before: i64, not_after: i64) -> Self {
        Self { version, not_before, not_after, keys: BTreeMap::new() }
    }

    /// Adds a key under its own id.
    pub fn insert(&mut self, key: Key) -> KeyId {
        let id = KeyId::of(&key.public_key);
        self.keys.insert(id, key);
        id
    }

    /// Verifies an Ed25519 signature by a key of the set, at `now` in unix seconds.
    ///
    /// `message` is domain-separated by the caller.
    ///
    /// # Errors
    /// [`TokenError`] `UnknownKey`, `WrongPurpose`, `RevokedKey`, `KeyOutOfDate` or `Forged`. The signature is
    /// judged before the dates, so that "expired" is only ever said of something we signed.
    pub fn check(
        &self,
        purpose: Purpose,
        id: KeyId,
        message: &[u8],
        signature: &[u8],
        now: i64,
    ) -> Result<(), TokenError> {
        let key = self.keys.get(&id).ok_or(TokenError::UnknownKey)?;
        if key.purpose != purpose {
            return Err(TokenError::WrongPurpose);
        }
        verify_ed25519(&key.public_key, message, signature)?;
        match key.revoked {
            Revocation::Revoked => Err(TokenError::RevokedKey),
            Revocation::Good if (key.not_before..key.not_after).contains(&now) => Ok(()),
            Revocation::Good => Err(TokenError::KeyOutOfDate),
        }
    }
}

impl SignedKeySet {
    /// The bytes that the root signs for a set, and the bytes of the set itself.
    ///
    /// # Errors
    /// [`TokenError::BadKeySet`] when a key stands under an id that is not its own.
    pub fn signing_input(set: &KeySet) -> Result<(Vec<u8>, Vec<u8>), TokenError> {
        own_ids(set)?;
        let payload = serde_json::to_vec(set).map_err(|_| TokenError::BadKeySet("it cannot be written"))?;
        Ok((domain_separated(&payload), payload))
    }

    /// Puts a set's bytes and the root's signature together.
    pub fn assemble(payload: &[u8], signature: &[u8; 64]) -> Self {
        Self { payload: BASE64.encode(payload), signature: BASE64.encode(signature) }
    }

    /// Reads the set if the pinned root signed it and it is in use at `now`, in unix seconds.
    ///
    /// # Errors
    /// [`TokenError::BadKeySet`], or [`TokenError::Forged`] when another key signed it.
    pub fn verify(&self, root_public: &[u8; 32], now: i64) -> Result<KeySet, TokenError> {
        if self.payload.len() > KEY_SET_MAX_BYTES {
            return Err(TokenError::BadKeySet("it is too long"));
        }
        let payload =
            BASE64.decode(&self.payload).map_err(|_| TokenError::BadKeySet("its text is damaged"))?;
        let signature =
            BASE64.decode(&self.signature).map_err(|_| TokenError::BadKeySet("its signature is damaged"))?;
        verify_ed25519(root_public, &domain_separated(&payload), &signature)?;
        let set: KeySet =
            serde_json::from_slice(&payload).map_err(|_| TokenError::BadKeySet("its form is unknown"))?;
        own_ids(&set)?;
        if now < set.not_before {
            return Err(TokenError::BadKeySet("it is not in use yet: check the clock"));
        }
        if now >= set.not_after {
            return Err(TokenError::BadKeySet("it is too old"));
        }
        Ok(set)
    }
}

fn own_ids(set: &KeySet) -> Result<(), TokenError> {
    let own = set.keys.iter().all(|(id, key)| *id == KeyId::of(&key.public_key));
    if own { Ok(()) } else { Err(TokenError::BadKeySet("a key has another key's number")) }
}

fn domain_separated(payload: &[u8]) -> Vec<u8> {
    [KEY_SET_DOMAIN, payload].concat()
}

/// Ed25519 (RFC 8032) over a message.
pub(super) fn verify_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
    signature::UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(message, signature)
        .map_err(|_| TokenError::Forged)
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for KeyId {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let id = u32::from_str_radix(text, 16).map(|word| Self(word.to_be_bytes()));
        id.ok()
            .filter(|id| id.to_string() == text)
            .ok_or(TokenError::Malformed("a key's number has eight hexadecimal digits"))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

mod base64_key {
    use super::{BASE64, Deserialize, Deserializer, Serializer};
    use base64::Engine as _;

    pub(super) fn serialize<S: Serializer>(key: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(key))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let bytes = BASE64.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
        bytes.try_into().map_err(|_| serde::de::Error::custom("an Ed25519 public key has 32 bytes"))
    }
}
