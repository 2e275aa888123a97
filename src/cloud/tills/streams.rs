//! How all streams of a till stand, page by page, with the cloud's signature over each end.
//!
//! A till asks when its own memory of that may be wrong or gone: after a start and after a silence. Not here: the newest of
//! them, which each answer to a question for notices tells (`notices`).

use super::records::witnessed;
use crate::cloud::Cloud;
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::record::Epoch;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Streams in one answer: each costs a signature.
const PAGE: usize = 64;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The last epoch of the page before.
    after: Option<Epoch>,
}

/// `GET /v1/terminals/{terminal}/streams?after=EPOCH`
pub(super) async fn list(
    State(cloud): State<Arc<Cloud>>,
    Query(asked): Query<Asked>,
    signed: Signed,
) -> Result<Response, Problem> {
    let terminal = signed.terminal.id;
    let mut rows = cloud.store.streams_after(terminal.clone(), asked.after, PAGE + 1).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let told = rows.into_iter().map(|row| {
        let mut told = witnessed(&cloud, &terminal, row.epoch, row.tip);
        told["epoch"] = json!(row.epoch);
        told["ruled"] = row.judged.into();
        told
    });
    let streams: Vec<Value> = told.collect();
    Ok(Json(json!({ "streams": streams, "more": more, "time_ms": cloud.now_ms() })).into_response())
}
