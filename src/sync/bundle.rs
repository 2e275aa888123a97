//! Bundles: fetched when the cloud has another, checked whole, kept, published, and only then told.
//!
//! **Invariant:** versions never fall, and a bundle that fails any check changes nothing. Not here: what a
//! bundle says (`bundle`), and recording that it came into force (`counter`).

use super::http::{Failure, NOT_MODIFIED};
use super::line::Topic;
use super::{Around, Trust, pairing};
use crate::bundle::{Bundle, BundleError, content_hash};
use crate::counter::event::Event;
use crate::inbox::InForce;
use crate::journal::edge::{EdgeStore, StoredBundle};
use crate::token::{KeyId, KeySet, Purpose, SignedKeySet, TokenError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the cloud signs in front of a bundle's bytes.
const DOMAIN: &[u8] = b"till/bundle/1\n";

/// A bundle as it travels.
#[derive(Clone, Serialize, Deserialize)]
struct Envelope {
    version: u64,
    key_id: KeyId,
    signature: String,
    /// Left out where it is kept beside the bundle's own bytes.
    #[serde(default)]
    payload: String,
}

/// Why a bundle is not taken; the one before stays in force.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("the cloud offers bundle {offered}, and this till holds {held}: versions never fall")]
    Lower { offered: u64, held: u64 },
    #[error("its text is damaged")]
    Damaged,
    #[error("it is in {is}, and this till keeps its books in {wanted} for life")]
    OtherCurrency { is: &'static str, wanted: &'static str },
    #[error("its envelope says {outside} and it says {inside}")]
    OtherVersion { outside: u64, inside: u64 },
    #[error("its keys are older than those this till holds")]
    OlderKeys,
    #[error("its keys cannot be trusted: {0}")]
    Keys(#[source] TokenError),
    #[error("its signature does not hold: {0}")]
    Signature(#[source] TokenError),
    #[error(transparent)]
    Content(#[from] BundleError),
    #[error("it could not be kept: {0}")]
    Store(#[from] crate::journal::Error),
}

/// The bundle and keys that an earlier start kept; none before the first. For a till that begins to sell
/// before the cloud is reached.
pub fn stored(edge: &EdgeStore, now_s: i64) -> Option<InForce> {
    let paired = edge.paired().inspect_err(warn_unreadable).ok()??;
    let (root, keys) = pairing::read(&paired, now_s)?;
    let kept = edge.bundle().inspect_err(warn_unreadable).ok()??;
    let envelope: Envelope = serde_json::from_slice(&kept.envelope).ok()?;
    let opened = open(&envelope, &kept.bytes, &Trust { root, keys }, Dates::AsKept(now_s));
    let opened = opened.inspect_err(|error| {
        tracing::warn!(error = error as &dyn std::error::Error, "The bundle that was kept is not used.");
    });
    opened.ok().map(|(delivered, _)| delivered)
}

fn warn_unreadable(error: &crate::journal::Error) {
    tracing::warn!(error = error as &dyn std::error::Error, "The edge store cannot be read.");
}

/// Puts the bundle in force that an earlier start kept, and remembers whom to trust.
pub(super) async fn bring_back(around: &Around) {
    let now_s = around.line.unix_s();
    let kept = around
        .stored(move |_, edge| {
            let paired = edge.paired()?;
            let trust = paired.as_deref().and_then(|bytes| pairing::read(bytes, now_s));
            Ok((trust, paired.as_deref().and_then(pairing::phones), stored(edge, now_s)))
        })
        .await;
    let Ok((trust, phones, delivered)) = kept.inspect_err(warn_unreadable) else { return };
    if let Some((root, keys)) = trust {
        around.set_trust(Trust { root, keys });
    }
    if let Some(phones) = phones {
        around.doors.board.phones.send_replace(Some(Arc::new(phones)));
    }
    if let Some(delivered) = delivered {
        put_in_force(around, delivered).await;
    }
}

/// Fetches the cloud's bundle if it is another than ours. A bundle that is not taken is shown as trouble.
pub(super) async fn fetch(around: &Around) -> Result<(), Failure> {
    let held = held_version(around);
    let tag = (held > 0).then(|| format!("\"{held}\""));
    let answer = around.cloud.get_if_changed(&around.path("bundle"), tag).await?;
    if answer.status == NOT_MODIFIED {
        return Ok(());
    }
    let envelope: Envelope =
        serde_json::from_slice(&answer.body).map_err(|error| Failure::Strange(error.to_string()))?;
    tracing::debug!(version = envelope.version, etag = answer.etag, "A bundle came.");
    match take(around, envelope).await {
        Ok(()) => around.line.trouble(Topic::Bundle, None),
        Err(error) => {
            let words = format!("The cloud's new bundle was not taken, the old one stays in force: {error}.");
            tracing::warn!("{words}");
            around.line.trouble(Topic::Bundle, Some(words));
        }
    }
    Ok(())
}

/// The version in force; zero before the first.
pub(super) fn held_version(around: &Around) -> u64 {
    around.doors.board.bundle.borrow().as_ref().map_or(0, |delivered| delivered.bundle.content.version)
}

async fn take(around: &Around, mut envelope: Envelope) -> Result<(), NotTaken> {
    let held = held_version(around);
    let offered = envelope.version;
    if offered < held {
        return Err(NotTaken::Lower { offered, held });
    }
    let bytes = BASE64.decode(std::mem::take(&mut envelope.payload)).map_err(|_| NotTaken::Damaged)?;
    let trust = around.trust().ok_or(NotTaken::Keys(TokenError::UnknownKey))?;
    let (delivered, fresh_keys) = open(&envelope, &bytes, &trust, Dates::Now(around.line.unix_s()))?;
    let (is, wanted) = (delivered.bundle.content.currency, around.doors.board.view.borrow().currency);
    if is != wanted {
        return Err(NotTaken::OtherCurrency { is: is.code(), wanted: wanted.code() });
    }
    if let Some(keys) = fresh_keys {
        pairing::keep(around, &trust.root, &keys).await?;
    }
    let envelope = serde_json::to_vec(&envelope).map_err(BundleError::from)?;
    let kept = StoredBundle { version: offered, bytes, envelope };
    around.stored(move |_, edge| edge.store_bundle(&kept)).await?;
    around.set_trust(Trust { root: trust.root, keys: delivered.keys.clone() });
    tracing::info!(version = offered, "A new bundle is in force.");
    put_in_force(around, delivered).await;
    Ok(())
}

/// Publishes first: the till finds the bundle there when it is told of it.
async fn put_in_force(around: &Around, delivered: InForce) {
    let (version, hash) = (delivered.bundle.content.version, delivered.bundle.hash);
    around.doors.board.bundle.send_replace(Some(Arc::new(delivered)));
    around.doors.inbox.post(Event::BundleArrived { version, hash }).await;
}

/// How strictly dates are taken.
#[derive(Clone, Copy)]
enum Dates {
    /// What arrives must be in its time.
    Now(i64),
    /// What was in its time when it was kept stays.
    AsKept(i64),
}

/// Checks everything; also the key set that came inside, where it is to be kept.
fn open(
    envelope: &Envelope,
    bytes: &[u8],
    trust: &Trust,
    dates: Dates,
) -> Result<(InForce, Option<SignedKeySet>), NotTaken> {
    #[derive(Deserialize)]
    struct Inside {
        #[serde(default)]
        keys: serde_json::Value,
        #[serde(default)]
        issued_at_s: u64,
    }
    let inside: Inside = serde_json::from_slice(bytes).map_err(BundleError::from)?;
    let fresh: Option<SignedKeySet> =
        serde_json::from_value(inside.keys).map_err(|_| NotTaken::Keys(TokenError::BadKeySet("its form")))?;
    let (keys, at_s) = match dates {
        Dates::Now(now_s) => {
            let fresh = fresh.as_ref().map(|keys| keys.verify(&trust.root, now_s));
            (fresh.transpose().map_err(NotTaken::Keys)?, now_s)
        }
        Dates::AsKept(now_s) => {
            let fresh = fresh.as_ref().map(|keys| pairing::verify_leniently(keys, &trust.root, now_s));
            let issued_at_s = i64::try_from(inside.issued_at_s).unwrap_or(i64::MAX);
            (fresh.transpose().map_err(NotTaken::Keys)?, issued_at_s)
        }
    };
    let keys: KeySet = keys.unwrap_or_else(|| trust.keys.clone());
    if keys.version < trust.keys.version {
        return Err(NotTaken::OlderKeys);
    }
    let signature = BASE64.decode(&envelope.signature).map_err(|_| NotTaken::Damaged)?;
    let message = [DOMAIN, bytes].concat();
    keys.check(Purpose::Bundle, envelope.key_id, &message, &signature, at_s).map_err(NotTaken::Signature)?;
    let bundle = Bundle::open(bytes)?;
    debug_assert_eq!(bundle.hash, content_hash(bytes));
    if bundle.content.version != envelope.version {
        let (outside, inside) = (envelope.version, bundle.content.version);
        return Err(NotTaken::OtherVersion { outside, inside });
    }
    Ok((InForce { bundle, keys }, fresh))
}
