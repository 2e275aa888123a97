//! Leases for tills: a part of a campaign's quota, signed, for one life of one till's journal.
//!
//! A till that lost the answer asks again with the number it has, and is told the same lease. Not here: keeping
//! the books of quotas (`store`), when a till asks (`sync`).

use crate::bundle::CampaignState;
use crate::cloud::Cloud;
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::cloud::store::leases::BEYOND_NUMBERS;
use crate::cloud::store::{NewLease, Standing};
use crate::record::Epoch;
use crate::record::lease::Lease;
use crate::token::Purpose;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The most uses in one lease: an hour of a busy till.
const USES_MAX: u32 = 20;

/// How long a till may use a lease, in seconds: a day, so that what nobody uses comes back by the next.
const LEASE_S: u64 = 24 * 3600;

#[derive(Deserialize)]
struct Asked {
    epoch: Epoch,
    campaign: u32,
    /// The last number of this campaign that the till has.
    #[serde(default)]
    has: u64,
}

/// `POST /v1/terminals/{terminal}/leases`
pub(super) async fn ask(State(cloud): State<Arc<Cloud>>, signed: Signed) -> Result<Response, Problem> {
    let Asked { epoch, campaign, has } = signed.json()?;
    if has >= BEYOND_NUMBERS {
        return Err(Problem::bad_request("\"has\" is not the number of a lease of this till."));
    }
    let bundle = cloud.bundle().await;
    let known = bundle.as_ref().and_then(|bundle| bundle.campaign(campaign));
    let known = known.ok_or_else(|| Problem::not_found("There is no such campaign."))?;
    let is_running = known.state == CampaignState::Running && known.quota.is_some();
    let terminal = signed.terminal.id;
    // Only the life that the till leads now: another one's share would lie idle.
    let news = cloud.store.news(terminal.clone(), u64::MAX, cloud.now_ms()).await?;
    let Some(stream) = news.streams.first().filter(|stream| stream.epoch == epoch) else {
        let words = "Bring the first records of this epoch, then ask again.";
        return Err(Problem::new(StatusCode::CONFLICT, "unknown_stream", words));
    };
    if stream.beginning.standing == Standing::Provisional {
        let words =
            "This till began new books by itself: it takes cash only until a manager adopts them there.";
        return Err(Problem::new(StatusCode::CONFLICT, "unadopted", words));
    }
    let now_ms = cloud.now_ms();
    let until_s = u64::try_from(cloud.now_s()).unwrap_or(0).saturating_add(LEASE_S);
    let row = if is_running {
        let terminal = terminal.clone();
        let wanted = NewLease { terminal, epoch, campaign, has, most: USES_MAX, until_s, now_ms };
        cloud.store.lease(wanted).await?
    } else {
        None
    };
    let Some(row) = row else {
        return Ok(Json(json!({ "lease": null, "time_ms": now_ms })).into_response());
    };
    let lease = Lease { terminal, epoch, campaign, number: row.number, uses: row.uses, until_s: row.until_s };
    let payload =
        serde_json::to_vec(&lease).map_err(|_| Problem::unavailable("The lease cannot be written down."))?;
    let key = cloud.keys.key(Purpose::Bundle);
    let signature = key.sign(&[b"till/lease/1\n", payload.as_slice()].concat());
    let envelope = json!({
        "key_id": key.key_id().to_string(),
        "signature": BASE64.encode(signature),
        "payload": BASE64.encode(&payload),
    });
    Ok(Json(json!({ "lease": envelope, "time_ms": now_ms })).into_response())
}
