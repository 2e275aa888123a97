//! Notices by long poll: durable, numbered for each till, told until the till asks for what comes after.
//!
//! A poll is answered after [`HOLD`] at the latest, whatever was asked for: a till that is unheard for ten
//! seconds loses its pay button on desks, so it has to come back sooner than that.

use crate::cloud::Cloud;
use crate::cloud::bells::{Bell, rung};
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::cloud::store::Notice;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a poll is held.
const HOLD: Duration = Duration::from_secs(6);

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
    /// The bundle that the till has: another one ends the wait.
    bundle: Option<u64>,
}

/// `GET /v1/terminals/{terminal}/notices?after=N&wait_ms=W`
pub(super) async fn wait(
    State(cloud): State<Arc<Cloud>>,
    Query(asked): Query<Asked>,
    signed: Signed,
) -> Result<Response, Problem> {
    let id = signed.terminal.id;
    let mut bell = cloud.bells.listen(Bell::Till(id.clone()));
    let mut published = cloud.bells.listen(Bell::Bundle);
    let hold = tokio::time::sleep(Duration::from_millis(asked.wait_ms).min(HOLD));
    tokio::pin!(hold);
    let mut over = false;
    let mut has = asked.bundle;
    loop {
        let bundle = cloud.store.bundle_version().await?;
        let notices = cloud.store.notices(id.clone(), asked.after, cloud.now_ms()).await?;
        if over || !notices.is_empty() || *has.get_or_insert(bundle) != bundle {
            let stream = cloud.store.current_stream(id).await?;
            return Ok(Json(json!({
                "notices": notices.into_iter().map(told).collect::<Vec<_>>(),
                "time_ms": cloud.now_ms(),
                "bundle_version": bundle,
                "epoch": stream.as_ref().map(|stream| stream.epoch),
                "high": stream.map_or(0, |stream| stream.tip.seq),
            }))
            .into_response());
        }
        tokio::select! {
            () = &mut hold => over = true,
            () = rung(&mut bell) => {}
            _ = published.changed() => {}
            () = cloud.stopping() => over = true,
        }
    }
}

/// A notice as it is sent: its fields beside number and kind.
fn told(notice: Notice) -> Value {
    let mut fields: Map<String, Value> = serde_json::from_str(&notice.body).unwrap_or_default();
    fields.insert("number".to_owned(), notice.number.into());
    fields.insert("kind".to_owned(), notice.kind.into());
    Value::Object(fields)
}
