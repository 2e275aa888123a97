//! What tills ask: pairing, bringing records, hearing notices, bundles, orders, refunds, wallets.

mod leases;
mod notices;
pub(super) mod orders;
mod pairing;
mod records;
mod streams;
mod wallets;
#[cfg(test)]
pub(crate) use records::signing_input;

use super::bells::Bell;
use super::problem::Problem;
use super::signed::Signed;
use super::{Cloud, packed};
use crate::record::ids::TerminalId;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A till unheard for longer has no pay button on its desks.
pub(crate) const SILENT_MS: i64 = 10_000;

/// Tills that may come back after an outage in one second.
const BACK_AT_ONCE: u64 = 100;

/// Bounds of the longest wait between tries that tills are told, in milliseconds.
const RETRY_CAP_MS: std::ops::RangeInclusive<u64> = 30_000..=3_600_000;

/// How often the last sign of life goes to the store.
const KEEP_HEARD_MS: i64 = 30_000;

/// Routes of tills.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v1/time", get(time))
        .route("/v1/pairings", post(pairing::ask))
        .route("/v1/pairings/{terminal}", get(pairing::look))
        .route("/v1/terminals/{terminal}/streams/{epoch}/records", post(records::bring))
        .route("/v1/terminals/{terminal}/streams", get(streams::list))
        .route("/v1/terminals/{terminal}/notices", get(notices::wait))
        .route("/v1/terminals/{terminal}/bundle", get(bundle))
        .route("/v1/terminals/{terminal}/leases", post(leases::ask))
        .route("/v1/terminals/{terminal}/phones", get(phones))
        .route("/v1/terminals/{terminal}/orders", post(orders::bring))
        .route("/v1/terminals/{terminal}/orders/{intent}/withdraw", post(orders::withdraw))
        .route("/v1/terminals/{terminal}/refunds", post(orders::refund))
        .route("/v1/terminals/{terminal}/wallets/{provider}/{call}", post(wallets::call))
}

async fn time(State(cloud): State<Arc<Cloud>>) -> Response {
    Json(json!({ "time_ms": cloud.now_ms() })).into_response()
}

/// The latest bundle in its signed envelope; 304 for a till that has it.
async fn bundle(
    State(cloud): State<Arc<Cloud>>,
    headers: HeaderMap,
    _signed: Signed,
) -> Result<Response, Problem> {
    let version = cloud.store.bundle_version().await?;
    let has = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    if has.trim_matches('"') == version.to_string() {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let stored = cloud
        .store
        .latest_bundle()
        .await?
        .ok_or_else(|| Problem::not_found("No bundle has been published."))?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", stored.version))
        .map_err(|_| Problem::unavailable("The bundle's version cannot be told."))?;
    let envelope = json!({
        "version": stored.version,
        "key_id": stored.key_id,
        "signature": BASE64.encode(&stored.signature),
        "payload": BASE64.encode(&stored.payload),
    });
    let mut response = packed::answer(&headers, envelope)?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// What a till needs for phones that pay while it cannot hear the cloud: where they open an order, and the key for the
/// digits that their owners read out. Only this till is told, and nobody who listens: the cloud is called over TLS.
async fn phones(State(cloud): State<Arc<Cloud>>, signed: Signed) -> Result<Response, Problem> {
    let till = &signed.terminal;
    let key = cloud.keys.proof_key(&till.id, &till.public_key);
    let answer = json!({ "base": cloud.public_base, "proof_key": BASE64.encode(key) });
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    std::future::ready(Ok(([no_store], Json(answer)).into_response())).await
}

/// When each till was heard last.
#[derive(Default)]
pub(crate) struct Heard {
    tills: Mutex<BTreeMap<TerminalId, Sign>>,
}

struct Sign {
    heard_ms: i64,
    kept_ms: i64,
}

impl Heard {
    /// Notes a sign of life; true when it is time to keep it.
    pub(crate) fn hear(&self, id: &TerminalId, now_ms: i64) -> bool {
        let mut tills = self.tills.lock().unwrap_or_else(PoisonError::into_inner);
        let sign = tills.entry(id.clone()).or_insert(Sign { heard_ms: now_ms, kept_ms: 0 });
        sign.heard_ms = now_ms;
        let keep = now_ms.saturating_sub(sign.kept_ms) >= KEEP_HEARD_MS;
        if keep {
            sign.kept_ms = now_ms;
        }
        keep
    }

    /// When it was heard last in this run.
    pub(crate) fn last_ms(&self, id: &TerminalId) -> Option<i64> {
        self.tills.lock().unwrap_or_else(PoisonError::into_inner).get(id).map(|sign| sign.heard_ms)
    }

    /// The longest that tills should wait between tries: with full jitter that many come back in each second as a small
    /// machine answers beside its work, so that a chain does not return all at once, and a single shop soon.
    pub(crate) fn retry_cap_ms(&self) -> u64 {
        let tills = self.tills.lock().unwrap_or_else(PoisonError::into_inner).len();
        let tills = u64::try_from(tills).unwrap_or(u64::MAX);
        let spread_ms = tills.saturating_mul(1000) / BACK_AT_ONCE;
        spread_ms.clamp(*RETRY_CAP_MS.start(), *RETRY_CAP_MS.end())
    }

    /// Whether it was heard just now.
    pub(crate) fn is_there(&self, id: &TerminalId, now_ms: i64) -> bool {
        self.last_ms(id).is_some_and(|heard| now_ms.saturating_sub(heard) <= SILENT_MS)
    }
}

impl Cloud {
    pub(crate) fn ring_till(&self, id: &TerminalId) {
        self.bells.ring(&Bell::Till(id.clone()));
    }
}
