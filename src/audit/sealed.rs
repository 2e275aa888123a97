//! Opens the bodies of a journal, written from docs/PROTOCOL.md, "At rest", and sharing nothing with the writer.
//!
//! Read are the file of the seal and the file of members' keys beside it. Not here: what bodies say (`books`).

use super::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::{aead, hmac};
use std::path::{Path, PathBuf};

const SLOT: usize = 128;

/// A body as it was written, or nothing where it was erased.
pub(super) enum Body {
    Whole([u8; 16], Vec<u8>),
    Erased,
    /// It was changed, or lies under another key.
    Shut,
}

/// The keys of a journal.
pub(super) struct Keys {
    till: aead::LessSafeKey,
    members: Vec<u8>,
}

impl Keys {
    /// From `keys/seal` beside the journal, or from another file.
    pub(super) fn read(journal: &Path, file: Option<&Path>) -> Result<Self, Error> {
        let folder = journal.parent().unwrap_or(Path::new("."));
        let path: PathBuf = file.map_or_else(|| folder.join("keys").join("seal"), Path::to_owned);
        let what = "the key that opens the journal's bodies";
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|_| Error::Missing { path: path.clone(), what })?;
        let secret: Option<[u8; 32]> = text
            .strip_prefix("till-seal-1 ")
            .and_then(|rest| BASE64.decode(rest.trim_end()).ok())
            .and_then(|bytes| bytes.try_into().ok());
        let secret = secret.ok_or(Error::Foreign { path, what })?;
        let members = std::fs::read(folder.join("keys").join("members")).unwrap_or_default();
        Ok(Self { till: cipher(&secret), members })
    }

    /// The body that lies sealed under a header of this hash.
    pub(super) fn open(&self, hash: &[u8; 32], sealed: &[u8]) -> Body {
        let bound = [b"till/sealed-body/1\n".as_slice(), hash].concat();
        let Some(outer) = opened(&self.till, sealed, &bound) else { return Body::Shut };
        match outer.split_first() {
            Some((1, whole)) => split(whole),
            Some((2, rest)) if rest.len() > 16 => {
                let (id, inner) = rest.split_at(16);
                let Some(key) = self.member(id) else { return Body::Erased };
                opened(&key, inner, &bound).map_or(Body::Shut, |whole| split(&whole))
            }
            Some(_) | None => Body::Shut,
        }
    }

    /// The member's key in the slot with this id; a slot of zeros is one that was destroyed.
    fn member(&self, id: &[u8]) -> Option<aead::LessSafeKey> {
        let slot = self.members.chunks_exact(SLOT).skip(1).find(|slot| slot[..16] == *id)?;
        let bound = [b"till/member-key/1\n".as_slice(), &slot[..48]].concat();
        let secret: [u8; 32] = opened(&self.till, &slot[48..108], &bound)?.try_into().ok()?;
        Some(cipher(&secret))
    }
}

fn cipher(secret: &[u8; 32]) -> aead::LessSafeKey {
    let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let key = hmac::sign(&root, b"till/seal/1\n");
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key.as_ref());
    aead::LessSafeKey::new(key.expect("HMAC-SHA-256 gives the 32 bytes that AES-256 takes"))
}

fn opened(key: &aead::LessSafeKey, sealed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_at_checked(12)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let length = key.open_in_place(nonce, aead::Aad::from(bound), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

fn split(whole: &[u8]) -> Body {
    match whole.split_first_chunk::<16>() {
        Some((salt, body)) => Body::Whole(*salt, body.to_vec()),
        None => Body::Shut,
    }
}
