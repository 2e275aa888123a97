//! Codes of our own: coupons, vouchers, orders, paid proofs, receipts, their numbers, and member codes, read and
//! verified.
//!
//! A code is a prefix, a fixed binary payload and an Ed25519 signature, in one canonical text that a QR code
//! holds in its alphanumeric mode. **Invariant:** what a code says can be had only from [`Verified`], except
//! which key to verify it with. Layouts: docs/PROTOCOL.md, "Tokens".
//!
//! Not here: private keys (`keys`), the clock (`now` is a parameter, in unix seconds), and whether a serial
//! was used before (the sale, the cloud).

mod base32;
mod coupon;
mod error;
mod keyset;
mod layout;
mod member;
mod order;
mod receipt;

pub use coupon::{Coupon, Serial, Voucher, Worth};
pub use error::TokenError;
pub use keyset::{Key, KeyId, KeySet, Purpose, Revocation, SignedKeySet, fingerprint};
pub use layout::{Drawn, Issued, Layout, Reader, Stream, TerminalTag, Validity, Writer};
pub use member::{MemberCode, MemberRef, TOTP_STEP_S, TOTP_WINDOW, member_code};
pub use order::{ORDER_AHEAD_S, ORDER_LIFETIME_S, ORDER_URL_MAX, Order, OrderHash, Proof, order_url};
pub use receipt::{Receipt, ReceiptNumber};

use std::fmt;
use std::ops::Deref;

/// The longest code, in characters, orders apart: QR version 5, level L, alphanumeric.
pub const TOKEN_MAX: usize = 154;
/// The length of an order, in characters; it lives in an address of at most [`ORDER_URL_MAX`].
pub const ORDER_LEN: usize = 157;
/// The version of every layout here.
const VERSION: u8 = 1;
/// Bytes of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// What a code is for; the first two characters say it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `C1`: entitles to an offer.
    Coupon,
    /// `G1`: pays up to its value.
    Voucher,
    /// `P1`: the cloud's word that an order was paid.
    Proof,
    /// `O1`: a till's order for a phone to pay.
    Order,
    /// `R1`: a printed receipt.
    Receipt,
    /// `M1`: a member.
    Member,
    /// `N1`: the number of a receipt, as its bar code says it.
    Number,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Coupon, Self::Voucher, Self::Proof, Self::Order, Self::Receipt, Self::Member, Self::Number];

    /// The prefix, without its full stop.
    pub fn code(self) -> &'static str {
        match self {
            Self::Coupon => "C1",
            Self::Voucher => "G1",
            Self::Proof => "P1",
            Self::Order => "O1",
            Self::Receipt => "R1",
            Self::Member => "M1",
            Self::Number => "N1",
        }
    }

    /// The kind with this prefix.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coupon => "a coupon",
            Self::Voucher => "a voucher",
            Self::Proof => "a proof of payment",
            Self::Order => "an order",
            Self::Receipt => "a receipt",
            Self::Member => "a member code",
            Self::Number => "the number of a receipt",
        })
    }
}

/// A code that has our form. Nothing in it is to be believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// `C1.`
    Coupon(Unverified<Coupon>),
    /// `G1.`
    Voucher(Unverified<Voucher>),
    /// `P1.`
    Proof(Unverified<Proof>),
    /// `O1.`
    Order(Unverified<Order>),
    /// `R1.`
    Receipt(Unverified<Receipt>),
    /// `M1.`
    Member(MemberCode),
    /// `N1.`
    Number(ReceiptNumber),
}

impl Token {
    /// What it is for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Coupon(_) => Kind::Coupon,
            Self::Voucher(_) => Kind::Voucher,
            Self::Proof(_) => Kind::Proof,
            Self::Order(_) => Kind::Order,
            Self::Receipt(_) => Kind::Receipt,
            Self::Member(_) => Kind::Member,
            Self::Number(_) => Kind::Number,
        }
    }
}

/// A code whose signature nobody has looked at. It shows which key to use and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified<T> {
    token: T,
    key_id: Option<KeyId>,
    payload: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
}

/// A code whose signature was right, and which was in its time when it was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The token itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Layout> fmt::Debug for Unverified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({})", T::KIND.code())
    }
}

impl<T: Issued + Clone> Unverified<T> {
    /// The key it claims to be signed with.
    pub fn key_id(&self) -> Option<KeyId> {
        self.key_id
    }

    /// Verifies it against the key set, at `now` in unix seconds.
    ///
    /// # Errors
    /// [`TokenError`]: unknown key, wrong purpose, forged, withdrawn or outdated key, not yet valid, expired; in this
    /// order.
    pub fn verify(&self, keys: &KeySet, now: i64) -> Result<Verified<T>, TokenError> {
        let id = self.key_id.ok_or(TokenError::UnknownKey)?;
        keys.check(T::PURPOSE, id, &signing_input(T::KIND, &self.payload), &self.signature, now)?;
        if let Some(validity) = self.token.validity() {
            validity.check(now)?;
        }
        Ok(Verified(self.token.clone()))
    }
}

impl Unverified<Proof> {
    /// The order that it claims to be of: what to look the payment up by.
    pub fn order(&self) -> OrderHash {
        self.token.order
    }
}

impl<T: Drawn + Clone> Unverified<T> {
    /// The stream it claims to come from: what to look the device's public key up by.
    pub fn stream(&self) -> Stream {
        self.token.stream()
    }

    /// Verifies it against the public key of the device whose stream it names.
    ///
    /// # Errors
    /// [`TokenError::Forged`].
    pub fn verify_with(&self, device_public: &[u8; 32]) -> Result<Verified<T>, TokenError> {
        keyset::verify_ed25519(device_public, &signing_input(T::KIND, &self.payload), &self.signature)?;
        Ok(Verified(self.token.clone()))
    }
}

/// Reads a code of ours.
///
/// # Errors
/// [`TokenError::Malformed`] for anything that is not exactly one of our forms; nothing is trimmed or repaired.
pub fn parse(text: &str) -> Result<Token, TokenError> {
    let (code, rest) = text.split_once('.').ok_or(TokenError::Malformed("it has no prefix"))?;
    let kind = Kind::by_code(code).ok_or(TokenError::Malformed("its prefix is unknown"))?;
    match kind {
        Kind::Coupon => issued(rest).map(Token::Coupon),
        Kind::Voucher => issued(rest).map(Token::Voucher),
        Kind::Proof => issued(rest).map(Token::Proof),
        Kind::Order => drawn(rest).map(Token::Order),
        Kind::Receipt => drawn(rest).map(Token::Receipt),
        Kind::Member => MemberCode::parse(rest).map(Token::Member),
        Kind::Number => ReceiptNumber::parse(rest).map(Token::Number),
    }
}

/// The payload of a code that a key of the key set signs: version, key id, fields.
///
/// # Errors
/// [`TokenError::DoesNotFit`] when a field is outside its range.
pub fn issued_payload<T: Issued>(token: &T, key_id: KeyId) -> Result<Vec<u8>, TokenError> {
    let mut out = Writer(vec![VERSION]);
    out.bytes(&key_id.0);
    token.write(&mut out)?;
    Ok(out.0)
}

/// The payload of a code that a device key signs: version, fields.
///
/// # Errors
/// [`TokenError::DoesNotFit`] when a field is outside its range.
pub fn drawn_payload<T: Drawn>(token: &T) -> Result<Vec<u8>, TokenError> {
    let mut out = Writer(vec![VERSION]);
    token.write(&mut out)?;
    Ok(out.0)
}

/// What is signed: `till/token/C1\n` and the payload, so that no signature fits two kinds.
pub fn signing_input(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut input = format!("till/token/{}\n", kind.code()).into_bytes();
    input.extend_from_slice(payload);
    input
}

/// The text of a payload and its signature.
pub fn assemble(kind: Kind, payload: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> String {
    format!("{}.{}", kind.code(), base32::encode(&[payload, signature].concat()))
}

/// Verifies an Ed25519 signature (RFC 8032) by a key that the caller has looked up, such as a device's.
///
/// # Errors
/// [`TokenError::Forged`].
pub fn verify_signature(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
    keyset::verify_ed25519(public_key, message, signature)
}

fn issued<T: Issued>(rest: &str) -> Result<Unverified<T>, TokenError> {
    read(rest, |reader| reader.take().map(|id| Some(KeyId(id))))
}

fn drawn<T: Drawn>(rest: &str) -> Result<Unverified<T>, TokenError> {
    read(rest, |_| Ok(None))
}

fn read<T: Layout>(
    rest: &str,
    key_id: impl FnOnce(&mut Reader<'_>) -> Result<Option<KeyId>, TokenError>,
) -> Result<Unverified<T>, TokenError> {
    if rest.len() > ORDER_LEN {
        return Err(TokenError::Malformed("it is too long"));
    }
    let bytes = base32::decode(rest)?;
    let (payload, signature) =
        bytes.split_last_chunk().ok_or(TokenError::Malformed("its signature is missing"))?;
    let mut reader = Reader(payload);
    let [version] = reader.take()?;
    if version != VERSION {
        return Err(TokenError::UnknownVersion(version));
    }
    let key_id = key_id(&mut reader)?;
    let token = T::read(&mut reader)?;
    reader.end()?;
    Ok(Unverified { token, key_id, payload: payload.to_vec(), signature: *signature })
}
