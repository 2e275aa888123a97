//! Pairing: this till shows its key's fingerprint, a manager compares and approves it at the cloud, and the
//! till pins the root that comes back.
//!
//! **Invariant:** a root once pinned stays; another is taken only after the pairing was taken out by hand.
//! Not here: making the device key (`keys`).

use super::http::Failure;
use super::line::Topic;
use super::pace::Backoff;
use super::{Around, Trust};
use crate::inbox::Phones;
use crate::token::{KeySet, SignedKeySet, TokenError, fingerprint};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What pairing leaves in the edge store.
#[derive(Serialize, Deserialize)]
pub(super) struct Paired {
    root: String,
    keys: SignedKeySet,
    /// What phones need that pay while the cloud is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phones: Option<PhonesKept>,
}

/// [`Phones`] as it is kept and as the cloud tells it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PhonesKept {
    base: String,
    proof_key: String,
}

impl PhonesKept {
    /// None where the key is not one, or the address is none that a code could hold.
    pub(super) fn open(&self) -> Option<Phones> {
        let proof_key = decode_root(&self.proof_key)?;
        let sensible = self.base.starts_with("https://") || self.base.starts_with("http://");
        (sensible && self.base.len() <= BASE_CHARS_MAX).then(|| Phones { base: self.base.clone(), proof_key })
    }
}

/// The longest address that an order's code leaves room for, with its scheme (docs/PROTOCOL.md, Tokens).
const BASE_CHARS_MAX: usize = 36;

#[derive(Deserialize)]
struct State {
    state: String,
    root: Option<String>,
    keys: Option<SignedKeySet>,
    root_fingerprint: Option<String>,
}

/// How far an attempt came.
enum Step {
    Done,
    Waiting,
    Refused,
}

/// Returns once this till is paired. A till that is paired already is at once.
pub(super) async fn pair(around: &Around) {
    if around.trust().is_some() {
        return around.line.paired();
    }
    around.line.pairing(around.config.device_key.fingerprint());
    let timing = &around.config.timing;
    let mut wakes = around.wakes();
    let mut backoff = Backoff::default();
    let mut asked = false;
    loop {
        wakes.listen();
        let wait = match attempt(around, &mut asked).await {
            Ok(Step::Done) => return around.line.paired(),
            Ok(Step::Waiting) => {
                backoff.worked();
                timing.pairing
            }
            Ok(Step::Refused) => {
                let words = "A manager refused this till at the cloud. Ask for it to be approved there.";
                around.line.trouble(Topic::Pairing, Some(words.to_owned()));
                timing.period
            }
            Err(failure) => {
                around.line.trouble(Topic::Pairing, Some(failure.to_string()));
                let chance = (around.doors.chance)();
                let wait =
                    backoff.failed(timing.retry_first, timing.retry_most, failure.retry_after(), &chance);
                around.line.next_try(wait);
                wait
            }
        };
        wakes.pause(wait).await;
    }
}

/// The cloud does not know this till any more: it asks again, and a manager decides again. The root stays.
pub(super) async fn ask_anew(around: &Around) {
    around.line.pairing(around.config.device_key.fingerprint());
    match ask(around).await {
        Ok(()) => around.line.trouble(Topic::Pairing, None),
        Err(failure) => around.line.trouble(Topic::Pairing, Some(failure.to_string())),
    }
}

async fn ask(around: &Around) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Request<'a> {
        terminal: &'a str,
        name: &'a str,
        public_key: String,
    }
    let config = &around.config;
    let request = Request {
        terminal: config.terminal.as_str(),
        name: &config.name,
        public_key: BASE64.encode(config.device_key.public()),
    };
    let state: State = around.cloud.post("/v1/pairings", &request).await?;
    tracing::info!(
        fingerprint = config.device_key.fingerprint(),
        root = state.root_fingerprint.unwrap_or_default(),
        "This till asks to be paired: approve this fingerprint at the cloud."
    );
    Ok(())
}

async fn attempt(around: &Around, asked: &mut bool) -> Result<Step, Failure> {
    if !*asked {
        ask(around).await?;
        *asked = true;
    }
    let path = format!("/v1/pairings/{}", around.config.terminal);
    let state: State = around.cloud.get(&path, Duration::ZERO).await?;
    match (state.state.as_str(), state.root, state.keys) {
        ("approved", Some(root), Some(keys)) => {
            let trust = pin(around, root, keys).await?;
            tracing::info!(root = fingerprint(&trust.root), "This till is paired.");
            around.set_trust(trust);
            around.line.trouble(Topic::Pairing, None);
            Ok(Step::Done)
        }
        ("pending", _, _) => {
            around.line.trouble(Topic::Pairing, None);
            Ok(Step::Waiting)
        }
        ("refused", _, _) => Ok(Step::Refused),
        (other, _, _) => Err(Failure::Strange(format!("pairing stands at {other:?}"))),
    }
}

async fn pin(around: &Around, root: String, keys: SignedKeySet) -> Result<Trust, Failure> {
    let strange = |words: &str| Failure::Strange(words.to_owned());
    let key = decode_root(&root).ok_or_else(|| strange("the root is no key"))?;
    let set = keys.verify(&key, around.line.unix_s()).map_err(|error| strange(&error.to_string()))?;
    keep(around, &key, &keys).await.map_err(|error| Failure::Strange(error.to_string()))?;
    Ok(Trust { root: key, keys: set })
}

/// Keeps the root and the newest keys that it signed.
pub(super) async fn keep(
    around: &Around,
    root: &[u8; 32],
    keys: &SignedKeySet,
) -> Result<(), crate::journal::Error> {
    let (root, keys) = (BASE64.encode(root), keys.clone());
    around
        .stored(move |_, edge| {
            let before = edge.paired()?.and_then(|bytes| serde_json::from_slice::<Paired>(&bytes).ok());
            let phones = before.and_then(|paired| paired.phones);
            edge.set_paired(&written(&Paired { root, keys, phones }))
        })
        .await
}

/// Keeps what phones need; nothing while this till is not paired.
pub(super) async fn keep_phones(around: &Around, phones: PhonesKept) -> Result<(), crate::journal::Error> {
    around
        .stored(move |_, edge| {
            let paired = edge.paired()?.and_then(|bytes| serde_json::from_slice::<Paired>(&bytes).ok());
            match paired {
                Some(paired) if paired.phones.as_ref() != Some(&phones) => {
                    edge.set_paired(&written(&Paired { phones: Some(phones), ..paired }))
                }
                Some(_) | None => Ok(()),
            }
        })
        .await
}

fn written(paired: &Paired) -> Vec<u8> {
    serde_json::to_vec(paired).expect("texts can be written as JSON")
}

/// What phones need, as it was kept.
pub(super) fn phones(bytes: &[u8]) -> Option<Phones> {
    serde_json::from_slice::<Paired>(bytes).ok()?.phones?.open()
}

/// What pairing left behind. A key set that is out of date is read all the same: the till goes on selling
/// with what it holds, each key is judged by its own dates, and the cloud has a fresh set.
pub(super) fn read(bytes: &[u8], now_s: i64) -> Option<([u8; 32], KeySet)> {
    let paired: Paired = serde_json::from_slice(bytes).ok()?;
    let root = decode_root(&paired.root)?;
    let keys = verify_leniently(&paired.keys, &root, now_s).ok()?;
    Some((root, keys))
}

/// Verifies the root's signature, and the set's own dates only if they hold.
pub(super) fn verify_leniently(
    keys: &SignedKeySet,
    root: &[u8; 32],
    now_s: i64,
) -> Result<KeySet, TokenError> {
    keys.verify(root, now_s).or_else(|error| {
        let payload = BASE64.decode(&keys.payload).map_err(|_| error.clone())?;
        let set: KeySet = serde_json::from_slice(&payload).map_err(|_| error.clone())?;
        // The set's own first second: whatever else is wrong with it is still said.
        keys.verify(root, set.not_before)
    })
}

fn decode_root(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}
