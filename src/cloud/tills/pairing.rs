//! Pairing: a till's key asks, and a manager who has compared fingerprints decides.
//!
//! **Invariant:** a request never changes which key a till has; only a decision does. Anybody can ask: what strangers do
//! neither takes room from paired tills nor keeps a key that asks from being approved.

use crate::cloud::Cloud;
use crate::cloud::problem::Problem;
use crate::cloud::signed::{Unread, json};
use crate::cloud::store::{Pairing, PairingState};
use crate::record::ids::TerminalId;
use crate::token::fingerprint;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The longest name of a till, in characters.
const NAME_MAX: usize = 60;

#[derive(Deserialize)]
struct Asked {
    terminal: TerminalId,
    name: String,
    public_key: String,
}

/// `POST /v1/pairings`, signed by the key that asks.
pub(super) async fn ask(
    State(cloud): State<Arc<Cloud>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let unread = Unread::of(request).await?;
    let asked: Asked = json(&unread.content()?)?;
    let key = BASE64.decode(&asked.public_key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    let public_key = key.ok_or_else(|| Problem::bad_request("public_key is not 32 bytes in base64."))?;
    unread.verify_again(&cloud, &asked.terminal, &[public_key])?;
    if asked.name.is_empty() || asked.name.chars().count() > NAME_MAX {
        return Err(Problem::bad_request(format!("The till's name has 1 to {NAME_MAX} characters.")));
    }
    let pairing = Pairing {
        terminal: asked.terminal,
        public_key,
        name: asked.name,
        state: PairingState::Pending,
        asked_ms: cloud.now_ms(),
    };
    let terminal = pairing.terminal.clone();
    let state = cloud.store.ask_pairing(pairing).await?.ok_or_else(|| {
        let words = "Too many keys wait for approval, in all or under this name: decide about those first.";
        Problem::unavailable(words).retry_after_s(60)
    })?;
    tracing::info!(%terminal, state = state.word(), "a till asks to be paired");
    let answer = json!({
        "state": state,
        "root_fingerprint": fingerprint(&cloud.keys.root_public()),
        "device_fingerprint": fingerprint(&public_key),
    });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// `GET /v1/pairings/{terminal}`, signed by the key that asked.
pub(super) async fn look(
    State(cloud): State<Arc<Cloud>>,
    Path(terminal): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let id: TerminalId =
        terminal.parse().map_err(|_| Problem::bad_request("The address does not name a till."))?;
    let unread = Unread::of(request).await?;
    let pairings = cloud.store.pairings_of(id.clone()).await?;
    let keys: Vec<[u8; 32]> = pairings.iter().map(|pairing| pairing.public_key).collect();
    let key = unread.verify_again(&cloud, &id, &keys)?;
    let state = pairings
        .iter()
        .find(|pairing| pairing.public_key == key)
        .map_or(PairingState::Pending, |pairing| pairing.state);
    let keys = cloud.published_keys().await?;
    Ok(Json(json!({
        "state": state,
        "root": BASE64.encode(cloud.keys.root_public()),
        "root_fingerprint": fingerprint(&cloud.keys.root_public()),
        "keys": keys,
        "time_ms": cloud.now_ms(),
    }))
    .into_response())
}
