//! WeChat Pay's signatures: ours on requests, theirs on answers and notifications.
//!
//! Both are RSA PKCS#1 v1.5 with SHA-256 over lines that each end in a line feed, the literal body last. Source:
//! WeChat Pay APIv3, "how to build a signature" and "how to verify a signature".
//!
//! **Invariant:** nothing is read from a body whose signature was not found right over its literal bytes, by a
//! known key, within five minutes of now.
//!
//! Not here: what bodies say; sealed resources (`notification`); downloading the platform's certificates.

use crate::wallet::certificate::{Certificate, Holder};
use crate::wallet::signing::{KeyError, SigningKey, VerifyingKey};
use std::collections::BTreeMap;

/// A signature is good for so long, before and after ("verifying signatures": five minutes, against replays).
const FRESH_FOR_MS: u64 = 5 * 60 * 1000;

/// Signatures with this beginning are wrong on purpose: the wallet tries whether they are refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// The longest header that is looked at: a signature by a key of 8192 bits has 1368 characters.
const LONGEST_HEADER_CHARACTERS: usize = 2048;

/// How the wallet names public keys that come without a certificate.
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// What of a request is signed.
pub(super) struct Unsigned<'a> {
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// The address after the host: path, and `?` with the query if there is one.
    pub(super) path: &'a str,
    /// The body's text; empty for a question.
    pub(super) body: &'a str,
    /// Unix seconds.
    pub(super) timestamp_s: i64,
    /// Up to 32 letters and digits that never come again.
    pub(super) nonce: &'a str,
}

impl Unsigned<'_> {
    /// The text that is signed.
    pub(super) fn message(&self) -> String {
        format!("{}\n{}\n{}\n{}\n{}\n", self.method, self.path, self.timestamp_s, self.nonce, self.body)
    }

    /// The value of the `Authorization` header.
    pub(super) fn authorization(
        &self,
        merchant_id: &str,
        serial: &str,
        key: &SigningKey,
    ) -> Result<String, KeyError> {
        let signature = key.sign(self.message().as_bytes())?;
        Ok(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{merchant_id}\",nonce_str=\"{}\",signature=\"{signature}\",\
             timestamp=\"{}\",serial_no=\"{serial}\"",
            self.nonce, self.timestamp_s
        ))
    }
}

/// The keys with which the wallet signs, by the name in `Wechatpay-Serial`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PlatformKeys {
    keys: BTreeMap<String, VerifyingKey>,
}

/// What cannot be a platform key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlatformKeyError {
    /// A public key needs the name that the console shows beside it.
    #[error("the id of WeChat Pay's public key begins with PUB_KEY_ID_: copy it from the merchant platform")]
    Id,
    /// The file itself.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl PlatformKeys {
    /// No key yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds WeChat Pay's public key, which the merchant platform hands out with its id (`PUB_KEY_ID_...`).
    ///
    /// # Errors
    /// [`PlatformKeyError::Id`].
    pub fn with_public_key(mut self, id: &str, key: VerifyingKey) -> Result<Self, PlatformKeyError> {
        let plausible = id.len() > PUBLIC_KEY_ID.len() && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !id.starts_with(PUBLIC_KEY_ID) || !plausible {
            return Err(PlatformKeyError::Id);
        }
        self.keys.insert(id.to_owned(), key);
        Ok(self)
    }

    /// Adds platform certificates, named by their serial numbers. Those of authorities are left out, unless
    /// there is no other.
    ///
    /// # Errors
    /// [`PlatformKeyError::Key`] for a certificate without an RSA key.
    pub fn with_certificates(mut self, certificates: &[Certificate]) -> Result<Self, PlatformKeyError> {
        let signers: Vec<&Certificate> =
            certificates.iter().filter(|one| one.holder() == Holder::Signer).collect();
        let counted = if signers.is_empty() { certificates.iter().collect() } else { signers };
        for certificate in counted {
            self.keys.insert(spelled(certificate.serial_hex()), certificate.verifying_key()?);
        }
        Ok(self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether one of them is this key.
    pub(super) fn contain(&self, key: &VerifyingKey) -> bool {
        self.keys.values().any(|known| known == key)
    }

    /// The public key's id, which a request names so that its answer is signed with that key.
    pub(super) fn public_key_id(&self) -> Option<&str> {
        self.keys.keys().map(String::as_str).find(|name| name.starts_with(PUBLIC_KEY_ID))
    }
}

impl std::fmt::Debug for PlatformKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

/// Serial numbers are hexadecimal, in either case and with or without zeros in front; ids are taken as they are.
fn spelled(serial: &str) -> String {
    if serial.starts_with(PUBLIC_KEY_ID) {
        return serial.to_owned();
    }
    serial.trim_start_matches('0').to_ascii_uppercase()
}

/// Why a body says nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Untrusted {
    /// Nobody vouches for it: it may come from the wallet, which does not sign every error, or from anyone.
    #[error("there is no {0} header, or more than one")]
    NoHeader(&'static str),
    /// Sent by the wallet to see whether it is refused.
    #[error("the signature is one that the wallet made wrong on purpose, as a test")]
    Probe,
    /// Not a number of seconds.
    #[error("its time stamp is not one")]
    NoTime,
    /// A replay, or a clock that is wrong.
    #[error("it was signed {0} seconds away from now: if this goes on, set the machine's clock")]
    Stale(u64),
    /// A new key of the wallet's, or a stranger's.
    #[error("it is signed with the key {0}, which is not configured: get it from the merchant platform")]
    UnknownKey(String),
    /// Not signed by that key.
    #[error("its signature is wrong")]
    WrongSignature,
    /// Signed, and still not what it should be.
    #[error("it is signed, but does not read: {0}")]
    Unreadable(String),
    /// Sealed with another key than the configured one.
    #[error("its resource does not open: check the APIv3 key")]
    Sealed,
}

/// The headers that carry a signature.
#[derive(Clone, Copy)]
pub(super) struct Signature<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    serial: &'a str,
    signature: &'a str,
}

impl<'a> Signature<'a> {
    /// Finds the headers, whose names are asked for in lower case.
    pub(super) fn of(header: impl Fn(&'static str) -> Option<&'a str>) -> Result<Self, Untrusted> {
        let found = |name| {
            header(name)
                .filter(|value| !value.is_empty() && value.len() <= LONGEST_HEADER_CHARACTERS)
                .ok_or(Untrusted::NoHeader(name))
        };
        Ok(Self {
            timestamp: found("wechatpay-timestamp")?,
            nonce: found("wechatpay-nonce")?,
            serial: found("wechatpay-serial")?,
            signature: found("wechatpay-signature")?,
        })
    }

    /// Whether the literal body was signed by a known key and not long ago.
    pub(super) fn verify(&self, body: &[u8], keys: &PlatformKeys, now_ms: i64) -> Result<(), Untrusted> {
        if self.signature.starts_with(PROBE) {
            return Err(Untrusted::Probe);
        }
        let seconds = self.timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let signed_ms = self.timestamp.parse::<i64>().ok().filter(|_| seconds);
        let signed_ms = signed_ms.and_then(|seconds| seconds.checked_mul(1000)).ok_or(Untrusted::NoTime)?;
        let away_ms = signed_ms.abs_diff(now_ms);
        if away_ms > FRESH_FOR_MS {
            return Err(Untrusted::Stale(away_ms / 1000));
        }
        let key = keys.keys.get(&spelled(self.serial));
        let key = key.ok_or_else(|| Untrusted::UnknownKey(super::clipped(self.serial)))?;
        let mut message = format!("{}\n{}\n", self.timestamp, self.nonce).into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        key.verify(&message, self.signature).map_err(|_| Untrusted::WrongSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../tests/data/wechat_v3.json")).unwrap()
    }

    fn key(owner: &str, form: &str) -> String {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_keys.json")).unwrap();
        file[owner][form].as_str().unwrap().to_owned()
    }

    fn gateway() -> PlatformKeys {
        let key = VerifyingKey::read(&key("gateway", "spki_der")).unwrap();
        PlatformKeys::new().with_public_key("PUB_KEY_ID_TEST", key).unwrap()
    }

    /// The vector's answer, with some of its headers changed.
    fn judged(change: &[(&str, Option<&str>)], body: &str, now_ms: i64) -> Result<(), Untrusted> {
        let vector = vector();
        let mut headers: BTreeMap<String, String> = vector["response"]["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
            .collect();
        for (name, value) in change {
            match value {
                Some(value) => headers.insert((*name).to_owned(), (*value).to_owned()),
                None => headers.remove(*name),
            };
        }
        Signature::of(|name| headers.get(name).map(String::as_str))?.verify(
            body.as_bytes(),
            &gateway(),
            now_ms,
        )
    }

    const BODY: &str = r#"{"trade_state":"USERPAYING"}"#;
    const NOW: i64 = 1_554_208_461_000;

    #[test]
    fn a_request_is_signed_as_the_published_client_signs_it() {
        let vector = vector();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let (path, body, nonce) = (text("path"), text("body"), text("nonce"));
        let request =
            Unsigned { method: "POST", path: &path, body: &body, timestamp_s: 1_554_208_460, nonce: &nonce };
        assert_eq!(request.message(), text("string_to_sign"));
        let merchant = SigningKey::read(&key("merchant", "pkcs8_der")).unwrap();
        let serial = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
        assert_eq!(request.authorization("1900009191", serial, &merchant).unwrap(), text("authorization"));
    }

    #[test]
    fn an_answer_counts_for_five_minutes_before_and_after() {
        assert_eq!(judged(&[], BODY, NOW), Ok(()));
        for away_ms in [300_000, -300_000] {
            assert_eq!(judged(&[], BODY, NOW + away_ms), Ok(()));
        }
        assert_eq!(judged(&[], BODY, NOW + 300_001), Err(Untrusted::Stale(300)));
        assert_eq!(judged(&[], BODY, NOW - 301_000), Err(Untrusted::Stale(301)));
        assert!(matches!(judged(&[], BODY, i64::MIN), Err(Untrusted::Stale(_))));
    }

    #[test]
    fn whatever_is_missing_changed_or_unknown_makes_it_worthless() {
        for name in ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"] {
            assert_eq!(judged(&[(name, None)], BODY, NOW), Err(Untrusted::NoHeader(name)));
            assert_eq!(judged(&[(name, Some(""))], BODY, NOW), Err(Untrusted::NoHeader(name)));
        }
        let long = "A".repeat(LONGEST_HEADER_CHARACTERS + 1);
        for (name, value, told) in [
            ("wechatpay-timestamp", "1554208462", Untrusted::WrongSignature),
            ("wechatpay-timestamp", "+1554208461", Untrusted::NoTime),
            ("wechatpay-timestamp", "1554208461.0", Untrusted::NoTime),
            ("wechatpay-timestamp", "99999999999999999999", Untrusted::NoTime),
            ("wechatpay-timestamp", "9223372036854775807", Untrusted::NoTime),
            ("wechatpay-nonce", "RESPNONCE02", Untrusted::WrongSignature),
            ("wechatpay-serial", "PUB_KEY_ID_test", Untrusted::UnknownKey("PUB_KEY_ID_test".to_owned())),
            ("wechatpay-serial", "7132D72A", Untrusted::UnknownKey("7132D72A".to_owned())),
            ("wechatpay-signature", "WECHATPAY/SIGNTEST/jiHD7jGJ51ify8j6X61", Untrusted::Probe),
            ("wechatpay-signature", "not base64!", Untrusted::WrongSignature),
            ("wechatpay-signature", &long, Untrusted::NoHeader("wechatpay-signature")),
        ] {
            assert_eq!(judged(&[(name, Some(value))], BODY, NOW), Err(told), "{name}: {value}");
        }
        for body in ["", r#"{"trade_state":"SUCCESS"}"#, r#"{"trade_state":"USERPAYING"} "#] {
            assert_eq!(judged(&[], body, NOW), Err(Untrusted::WrongSignature), "{body}");
        }
    }

    #[test]
    fn a_platform_certificate_is_known_by_its_serial_number() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/wallet_certificates.json")).unwrap();
        let read = |owner: &str| Certificate::read(file[owner]["pem"].as_str().unwrap()).unwrap();
        let keys = PlatformKeys::new().with_certificates(&[read("wechat_platform"), read("ca")]).unwrap();
        let serial = file["wechat_platform"]["serial"].as_str().unwrap();
        assert_eq!(format!("{keys:?}"), format!("{{{serial:?}}}"), "an authority signs no answers");

        let gateway = SigningKey::read(&key("gateway", "pkcs8_der")).unwrap();
        let signature = gateway.sign(b"1554208461\nN\n{}\n").unwrap();
        for spelling in [serial.to_owned(), serial.to_lowercase(), format!("00{serial}")] {
            let header = |name| match name {
                "wechatpay-timestamp" => Some("1554208461"),
                "wechatpay-nonce" => Some("N"),
                "wechatpay-serial" => Some(spelling.as_str()),
                _ => Some(signature.as_str()),
            };
            assert_eq!(Signature::of(header).unwrap().verify(b"{}", &keys, NOW), Ok(()), "{spelling}");
        }
    }

    #[test]
    fn a_public_key_needs_its_own_id() {
        let key = VerifyingKey::read(&key("gateway", "spki_der")).unwrap();
        for id in ["", "7132D72A", "PUB_KEY_ID_", "pub_key_id_1", "PUB_KEY_ID_ 1"] {
            let told = PlatformKeys::new().with_public_key(id, key.clone()).unwrap_err();
            assert_eq!(told, PlatformKeyError::Id, "{id}");
        }
        assert_eq!(gateway().public_key_id(), Some("PUB_KEY_ID_TEST"));
    }
}
