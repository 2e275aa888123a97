//! Requests of tills: who signed this one, and that it is not an old one again.
//!
//! **Invariant:** a handler that takes [`Signed`] runs only for the paired device whose till the path names.
//! Nonces of paired tills live in memory for as long as a signature is good; strangers' are not kept. A restart forgets
//! them, and that is safe: every request of a till may be repeated without harm.

use super::Cloud;
use super::packed::{Packing, too_large};
use super::problem::Problem;
use super::store::Terminal;
use crate::keys::request::{Headers, Parameters, RequestError, verify_request};
use crate::record::ids::TerminalId;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::FromRequest;
use axum::http::{HeaderMap, Request, StatusCode};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// How far a signature's time may be from ours, in seconds.
pub(crate) const WINDOW_S: i64 = 300;

/// The largest body of a request, packed or not: a batch.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Nonces in one generation: at ten requests a second, a hundred tills stay far below it.
const NONCES_MAX: usize = 1_000_000;

/// A request of a paired till.
pub(crate) struct Signed {
    pub(crate) terminal: Terminal,
    pub(crate) body: Bytes,
}

impl Signed {
    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json(&self.body)
    }
}

/// A body as JSON.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(format!("The body is not the JSON that belongs here: {error}."))
    })
}

impl FromRequest<Arc<Cloud>> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, cloud: &Arc<Cloud>) -> Result<Self, Problem> {
        let id = named_terminal(request.uri().path())?;
        let unread = Unread::of(request).await?;
        let terminal = cloud.store.terminal(id.clone()).await?.ok_or_else(|| unpaired(&id))?;
        unread.verify(cloud, &id, &[terminal.public_key])?;
        let now_ms = cloud.now_ms();
        if cloud.heard.hear(&id, now_ms) {
            cloud.store.heard(id, now_ms).await?;
        }
        Ok(Self { terminal, body: unread.content()? })
    }
}

/// A request whose signature nobody has looked at.
pub(crate) struct Unread {
    method: String,
    target: String,
    headers: Headers,
    packing: Packing,
    /// As it came.
    body: Bytes,
}

impl Unread {
    /// The body without its packing.
    pub(crate) fn content(&self) -> Result<Bytes, Problem> {
        self.packing.open(&self.body, BODY_BYTES_MAX)
    }

    /// Reads a request, up to the limit.
    pub(crate) async fn of(request: Request<Body>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let packing = Packing::of(&parts.headers)?;
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_large(BODY_BYTES_MAX))?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let headers = Headers {
            content_digest: field(&parts.headers, "content-digest")?,
            signature_input: field(&parts.headers, "signature-input")?,
            signature: field(&parts.headers, "signature")?,
        };
        Ok(Self { method: parts.method.as_str().to_owned(), target, headers, packing, body })
    }

    /// Verifies that one of `keys` signed it as `id`, now and for the first time. Says which.
    fn verify(&self, cloud: &Cloud, id: &TerminalId, keys: &[[u8; 32]]) -> Result<[u8; 32], Problem> {
        let (key, parameters) = self.signer(cloud, id, keys)?;
        cloud.nonces.take(&key, &parameters, cloud.now_s())?;
        Ok(key)
    }

    /// The same, perhaps not for the first time: for what anybody may ask with a key just drawn, and may ask twice without
    /// harm. Nonces of strangers would take memory, and the room that paired tills need.
    pub(crate) fn verify_again(
        &self,
        cloud: &Cloud,
        id: &TerminalId,
        keys: &[[u8; 32]],
    ) -> Result<[u8; 32], Problem> {
        Ok(self.signer(cloud, id, keys)?.0)
    }

    fn signer(
        &self,
        cloud: &Cloud,
        id: &TerminalId,
        keys: &[[u8; 32]],
    ) -> Result<([u8; 32], Parameters), Problem> {
        let now_s = cloud.now_s();
        let mut refused = RequestError::UnknownKey(id.to_string());
        for key in keys {
            let known = |keyid: &str| (keyid == id.as_str()).then_some(*key);
            let Self { method, target, headers, body, .. } = self;
            match verify_request(method, target, body, headers, known, now_s, WINDOW_S) {
                Ok(parameters) => return Ok((*key, parameters)),
                Err(error) => refused = error,
            }
        }
        Err(problem(&refused, cloud.now_ms()))
    }
}

fn field(headers: &HeaderMap, name: &'static str) -> Result<String, Problem> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned).ok_or_else(|| {
        let words = format!("The request has no {name} field: sign it with the device's key.");
        Problem::new(StatusCode::UNAUTHORIZED, "unsigned", words)
    })
}

/// The till that a path such as `/v1/terminals/till-1/orders` names.
fn named_terminal(path: &str) -> Result<TerminalId, Problem> {
    let name = path.strip_prefix("/v1/terminals/").and_then(|rest| rest.split('/').next()).unwrap_or("");
    name.parse().map_err(|_| Problem::bad_request("The address does not name a till."))
}

fn unpaired(id: &TerminalId) -> Problem {
    let words = format!("No till is paired as {id}: pair it, and let a manager approve the fingerprint.");
    Problem::new(StatusCode::UNAUTHORIZED, "unpaired", words)
}

fn problem(error: &RequestError, now_ms: i64) -> Problem {
    let (status, slug) = match error {
        RequestError::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed_signature"),
        RequestError::BodyChanged => (StatusCode::BAD_REQUEST, "body_changed"),
        RequestError::OutsideWindow { .. } => (StatusCode::UNAUTHORIZED, "clock"),
        RequestError::UnknownKey(_) => (StatusCode::UNAUTHORIZED, "unpaired"),
        RequestError::Forged => (StatusCode::UNAUTHORIZED, "wrong_signature"),
    };
    Problem::new(status, slug, format!("The request was not taken: {error}.")).with("time_ms", now_ms)
}

/// Nonces of signatures that are still good: two generations, each as long as a signature can live.
#[derive(Default)]
pub(crate) struct Nonces {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    began_s: i64,
    now: BTreeSet<([u8; 32], String)>,
    before: BTreeSet<([u8; 32], String)>,
}

impl Nonces {
    fn take(&self, key: &[u8; 32], parameters: &Parameters, now_s: i64) -> Result<(), Problem> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if now_s.saturating_sub(generations.began_s) > 2 * WINDOW_S {
            generations.before = std::mem::take(&mut generations.now);
            generations.began_s = now_s;
        }
        if generations.now.len() >= NONCES_MAX {
            return Err(Problem::unavailable("Too many requests: slow down."));
        }
        let nonce = (*key, parameters.nonce.clone());
        if generations.before.contains(&nonce) || !generations.now.insert(nonce) {
            let words = "This signed request came before: draw a fresh nonce and sign again.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "replayed", words));
        }
        Ok(())
    }
}
