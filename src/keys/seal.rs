//! Sealing what lies at rest (AES-256-GCM), and keyed hashes of what may not be kept, such as pay codes.
//!
//! One 32-byte secret, from a file or from systemd's credentials; each use has a key of its own derived from
//! it. Not here: which bodies are sealed and when they are erased (`journal`).

use super::file::{self, KeyError, Readers};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes of a nonce, which stands in front of the sealed text.
pub const NONCE_BYTES: usize = 12;
/// What sealing adds: the nonce in front and the tag behind.
pub const SEAL_OVERHEAD_BYTES: usize = NONCE_BYTES + 16;

const LABEL: &str = "till-seal-1";

/// The credential by which a service manager hands the secret over, so that it lies nowhere in the clear.
pub const SEAL_CREDENTIAL: &str = "till-seal";

/// Seals and opens with one secret.
///
/// A random nonce is safe for 2^32 texts under one secret (NIST SP 800-38D section 8.3): four hundred texts a
/// second for four months. A till writes a few a minute.
pub struct Seal {
    cipher: LessSafeKey,
    hash: hmac::Key,
}

impl Seal {
    /// Loads the secret, or makes it on the first start.
    ///
    /// # Errors
    /// [`KeyError`]; a damaged or exposed file is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        Ok(Self::from_secret(&file::load_or_create(path, LABEL, file::random)?))
    }

    /// Loads the secret from a credential that the service manager provides; `None` when there is none.
    ///
    /// # Errors
    /// [`KeyError::Read`] or [`KeyError::Damaged`].
    pub fn load_credential(directory: &Path, name: &str) -> Result<Option<Self>, KeyError> {
        let secret = file::load::<32>(&directory.join(name), LABEL, Readers::AsArranged)?;
        Ok(secret.map(|secret| Self::from_secret(&secret)))
    }

    /// Loads the secret if it is there; never makes one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        let secret = file::load::<32>(path, LABEL, Readers::OwnerOnly)?;
        Ok(secret.map(|secret| Self::from_secret(&secret)))
    }

    /// Where a till's secret lies in its state directory, unless a credential brings it.
    pub fn file_in(state_dir: &Path) -> PathBuf {
        state_dir.join("keys").join("seal")
    }

    /// What is there to try, the service manager's credential first. Nothing is made.
    ///
    /// # Errors
    /// [`KeyError`] when one is there and cannot be read.
    pub fn held_for(state_dir: &Path) -> Result<Vec<Self>, KeyError> {
        let credential = credentials_directory()
            .map(|folder| Self::load_credential(&folder, SEAL_CREDENTIAL))
            .transpose()?;
        let own = Self::load(&Self::file_in(state_dir))?;
        Ok(credential.flatten().into_iter().chain(own).collect())
    }

    /// A till's secret: the service manager's, or its own, which is made on the first start.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of_till(state_dir: &Path) -> Result<Self, KeyError> {
        if let Some(held) = Self::held_for(state_dir)?.into_iter().next() {
            return Ok(held);
        }
        let path = Self::file_in(state_dir);
        file::make_folder(&path)?;
        Self::load_or_create(&path)
    }

    /// What tells this secret from another without saying anything of it.
    pub fn mark(&self) -> [u8; 32] {
        self.keyed_hash("which seal", b"")
    }

    /// From 32 secret bytes.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let cipher = UnboundKey::new(&AES_256_GCM, hmac::sign(&root, b"till/seal/1\n").as_ref())
            .expect("HMAC-SHA-256 gives the 32 bytes that AES-256 takes");
        let hash = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"till/keyed-hash/1\n").as_ref());
        Self { cipher: LessSafeKey::new(cipher), hash }
    }

    /// Seals under a random nonce. `aad` is bound but not kept: the same is needed to open.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn seal(&self, plaintext: &[u8], aad: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.seal_with_nonce(plaintext, aad, file::random()?)
    }

    /// Seals under a nonce that the caller never uses twice.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`] beyond the 64 GiB that the cipher takes.
    pub fn seal_with_nonce(
        &self,
        plaintext: &[u8],
        aad: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, KeyError> {
        let mut body = plaintext.to_vec();
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut body)
            .map_err(|_| KeyError::DoesNotOpen)?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Opens what was sealed with the same secret and the same `aad`.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`].
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(KeyError::DoesNotOpen)?;
        let mut body = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher.open_in_place(nonce, Aad::from(aad), &mut body);
        let length = opened.map_err(|_| KeyError::DoesNotOpen)?.len();
        body.truncate(length);
        Ok(body)
    }

    /// HMAC-SHA-256 of a label and bytes: tells two equal values apart from all others without keeping either.
    pub fn keyed_hash(&self, label: &str, bytes: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hash);
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        context.update(&u64::try_from(label.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(label.as_bytes());
        context.update(bytes);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

/// Shows nothing.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// Where systemd puts a service's credentials (systemd.exec(5), `LoadCredential=`).
pub fn credentials_directory() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_secret_opens_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let sealed = Seal::load_or_create(&path).unwrap().seal(b"a name", b"record 7").unwrap();
        assert_eq!(sealed.len(), b"a name".len() + SEAL_OVERHEAD_BYTES);
        assert_eq!(Seal::load_or_create(&path).unwrap().open(&sealed, b"record 7").unwrap(), b"a name");
        let credential = Seal::load_credential(folder.path(), "seal.key").unwrap().unwrap();
        assert_eq!(credential.open(&sealed, b"record 7").unwrap(), b"a name");
        assert!(Seal::load_credential(folder.path(), "absent").unwrap().is_none());
    }

    #[test]
    fn another_place_or_another_secret_does_not_open_it() {
        let seal = Seal::from_secret(&[1; 32]);
        let sealed = seal.seal(b"a name", b"record 7").unwrap();
        assert!(seal.open(&sealed, b"record 8").is_err());
        assert!(Seal::from_secret(&[2; 32]).open(&sealed, b"record 7").is_err());
        assert!(seal.open(&[], b"record 7").is_err());
    }

    #[test]
    fn equal_texts_are_sealed_differently_unless_the_nonce_is_given() {
        let seal = Seal::from_secret(&[1; 32]);
        assert_ne!(seal.seal(b"x", b"").unwrap(), seal.seal(b"x", b"").unwrap());
        let with = |nonce| seal.seal_with_nonce(b"x", b"", nonce).unwrap();
        assert_eq!(with([7; 12]), with([7; 12]));
        assert_eq!(with([7; 12])[..12], [7; 12]);
    }

    #[test]
    fn a_keyed_hash_depends_on_secret_label_and_bytes() {
        let seal = Seal::from_secret(&[1; 32]);
        assert_eq!(seal.keyed_hash("pay-code", b"28"), seal.keyed_hash("pay-code", b"28"));
        assert_ne!(seal.keyed_hash("pay-code", b"28"), seal.keyed_hash("pay-code2", b"8"));
        assert_ne!(seal.keyed_hash("pay-code", b"28"), seal.keyed_hash("pay-code", b"29"));
        assert_ne!(
            seal.keyed_hash("pay-code", b"28"),
            Seal::from_secret(&[2; 32]).keyed_hash("pay-code", b"28")
        );
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(
            text in proptest::collection::vec(any::<u8>(), 0..64),
            at in any::<proptest::sample::Index>(),
            change in 1_u8..,
        ) {
            let seal = Seal::from_secret(&[1; 32]);
            let mut sealed = seal.seal(&text, b"aad").unwrap();
            prop_assert_eq!(seal.open(&sealed, b"aad").unwrap(), text);
            let at = at.index(sealed.len());
            sealed[at] ^= change;
            prop_assert!(seal.open(&sealed, b"aad").is_err());
        }
    }
}
