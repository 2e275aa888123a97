//! The cloud's keys: the offline root, one key for each purpose, and the secret behind typed proofs.
//!
//! The reference cloud keeps the root beside the others; a chain keeps `root.key` on a machine of its own and
//! brings it for a change of keys only. Not here: rotation by itself: a manager decides when.

use super::file::{self, KeyError};
use super::signing::DeviceKey;
use crate::record::ids::TerminalId;
use crate::token::{Issued, Key, KeySet, Purpose, Revocation, SignedKeySet, TokenError};
use ring::hmac;
use std::collections::BTreeMap;
use std::path::Path;

/// The root and the purpose keys, each in a file of its own.
#[derive(Debug)]
pub struct CloudKeys {
    root: DeviceKey,
    keys: BTreeMap<Purpose, DeviceKey>,
    typed: Typed,
}

/// What the keys are made from that each till shares with the cloud.
struct Typed(hmac::Key);

impl std::fmt::Debug for Typed {
    /// Says nothing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed")
    }
}

const TYPED_LABEL: &str = "till-typed-proof-1";

impl CloudKeys {
    /// Loads `root.key`, `bundle.key`, `coupon.key`, `voucher.key`, `proof.key`, `head.key` and `typed-proof.key` from a
    /// folder, and makes those that are missing.
    ///
    /// # Errors
    /// [`KeyError`]; a damaged or exposed file is never replaced.
    pub fn load_or_create(folder: &Path) -> Result<Self, KeyError> {
        let root = DeviceKey::load_or_create(&folder.join("root.key"))?;
        let mut keys = BTreeMap::new();
        for purpose in Purpose::ALL {
            let path = folder.join(format!("{}.key", purpose.name()));
            keys.insert(purpose, DeviceKey::load_or_create(&path)?);
        }
        let path = folder.join("typed-proof.key");
        let typed: [u8; 32] = file::load_or_create(&path, TYPED_LABEL, file::random)?;
        Ok(Self { root, keys, typed: Typed(hmac::Key::new(hmac::HMAC_SHA256, &typed)) })
    }

    /// What a till pins when it is paired.
    pub fn root_public(&self) -> [u8; 32] {
        self.root.public()
    }

    /// The key for typed proofs that the cloud shares with one till, by its name and its device key: another device under
    /// the same name gets another.
    pub fn proof_key(&self, terminal: &TerminalId, device_public: &[u8; 32]) -> [u8; 32] {
        let mut message = b"till/typed-proof-key/1\n".to_vec();
        message.extend_from_slice(device_public);
        message.extend_from_slice(terminal.as_str().as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(hmac::sign(&self.typed.0, &message).as_ref());
        key
    }

    /// The key for a purpose.
    pub fn key(&self, purpose: Purpose) -> &DeviceKey {
        self.keys.get(&purpose).expect("every purpose got its key when the folder was opened")
    }

    /// The text of a coupon, voucher or proof, signed with the key of its purpose.
    ///
    /// # Errors
    /// [`TokenError::DoesNotFit`] when a field is outside its range.
    pub fn issue<T: Issued>(&self, token: &T) -> Result<String, TokenError> {
        self.key(T::PURPOSE).issue(token)
    }

    /// A key set with every purpose key, good from `not_before` until `not_after` (unix seconds).
    pub fn key_set(&self, version: u64, not_before: i64, not_after: i64) -> KeySet {
        let mut set = KeySet::new(version, not_before, not_after);
        for (purpose, key) in &self.keys {
            let revoked = Revocation::Good;
            set.insert(Key { purpose: *purpose, public_key: key.public(), not_before, not_after, revoked });
        }
        set
    }

    /// Signs a key set with the root.
    ///
    /// # Errors
    /// [`TokenError::BadKeySet`] when a key stands under an id that is not its own.
    pub fn sign_key_set(&self, set: &KeySet) -> Result<SignedKeySet, TokenError> {
        let (input, payload) = SignedKeySet::signing_input(set)?;
        Ok(SignedKeySet::assemble(&payload, &self.root.sign(&input)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::verify_signature;

    #[test]
    fn a_till_that_pinned_the_root_reads_the_key_set_and_no_other() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let cloud = CloudKeys::load_or_create(here.path()).unwrap();
        let stranger = CloudKeys::load_or_create(there.path()).unwrap();
        let signed = cloud.sign_key_set(&cloud.key_set(3, 100, 200)).unwrap();

        let set = signed.verify(&cloud.root_public(), 150).unwrap();
        assert_eq!((set.version, set.keys.len()), (3, 5));
        assert_eq!(signed.verify(&stranger.root_public(), 150), Err(TokenError::Forged));
        assert!(matches!(signed.verify(&cloud.root_public(), 99), Err(TokenError::BadKeySet(_))));
        assert!(matches!(signed.verify(&cloud.root_public(), 200), Err(TokenError::BadKeySet(_))));

        let signature = cloud.key(Purpose::Bundle).sign(b"bundle");
        let id = cloud.key(Purpose::Bundle).key_id();
        assert_eq!(set.check(Purpose::Bundle, id, b"bundle", &signature, 150), Ok(()));
        assert_eq!(set.check(Purpose::Head, id, b"bundle", &signature, 150), Err(TokenError::WrongPurpose));
        assert_eq!(set.check(Purpose::Bundle, id, b"other", &signature, 150), Err(TokenError::Forged));
        assert_eq!(set.check(Purpose::Bundle, id, b"bundle", &signature, 200), Err(TokenError::KeyOutOfDate));
    }

    #[test]
    fn the_cloud_finds_its_keys_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = CloudKeys::load_or_create(folder.path()).unwrap();
        let second = CloudKeys::load_or_create(folder.path()).unwrap();
        assert_eq!(first.root_public(), second.root_public());
        let signature = first.key(Purpose::Proof).sign(b"x");
        assert_eq!(verify_signature(&second.key(Purpose::Proof).public(), b"x", &signature), Ok(()));
    }

    #[test]
    fn each_till_shares_another_key_with_the_cloud_and_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cloud = CloudKeys::load_or_create(folder.path()).unwrap();
        let (one, two) = ("till-1".parse().unwrap(), "till-2".parse().unwrap());
        let key = cloud.proof_key(&one, &[1; 32]);
        assert_ne!(key, cloud.proof_key(&two, &[1; 32]));
        assert_ne!(key, cloud.proof_key(&one, &[2; 32]));
        assert_eq!(key, CloudKeys::load_or_create(folder.path()).unwrap().proof_key(&one, &[1; 32]));
    }

    #[test]
    fn a_set_in_which_a_key_has_another_keys_number_is_not_signed() {
        let folder = tempfile::tempdir().unwrap();
        let cloud = CloudKeys::load_or_create(folder.path()).unwrap();
        let mut set = cloud.key_set(1, 0, 10);
        let key = set.keys.pop_first().unwrap().1;
        set.keys.insert(crate::token::KeyId([0; 4]), key);
        assert!(matches!(cloud.sign_key_set(&set), Err(TokenError::BadKeySet(_))));
    }
}
