//! Notices by long poll: durable, numbered for each till, told until the till asks for what comes after.
//!
//! A poll is answered after [`HOLD`] at the latest, whatever was asked for: a till that is unheard for ten
//! seconds loses its pay button on desks, so it has to come back sooner than that.

use crate::cloud::Cloud;
use crate::cloud::bells::{Bell, rung};
use crate::cloud::problem::Problem;
use crate::cloud::signed::Signed;
use crate::cloud::store::{Complete, News, Notice};
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
    /// The till's present stream, and how far it knows it to be ruled on: more ends the wait.
    epoch: Option<String>,
    ruled: Option<u64>,
}

/// `GET /v1/terminals/{terminal}/notices?after=N&wait_ms=W`
pub(super) async fn wait(
    State(cloud): State<Arc<Cloud>>,
    Query(asked): Query<Asked>,
    signed: Signed,
) -> Result<Response, Problem> {
    let id = signed.terminal.id;
    let mut bell = cloud.bells.listen(Bell::Till(id.clone()));
    let mut published = cloud.bells.rings(Bell::Bundle);
    let hold = tokio::time::sleep(Duration::from_millis(asked.wait_ms).min(HOLD));
    tokio::pin!(hold);
    let mut over = false;
    let mut has = asked.bundle;
    loop {
        let news = cloud.store.news(id.clone(), asked.after, cloud.now_ms()).await?;
        let bundle = news.bundle_version;
        let ruled = is_ruled_further(&news, &asked);
        if over || ruled || !news.notices.is_empty() || *has.get_or_insert(bundle) != bundle {
            let retry_cap_ms = cloud.heard.retry_cap_ms();
            return Ok(Json(said(news, cloud.now_ms(), retry_cap_ms)).into_response());
        }
        tokio::select! {
            () = &mut hold => over = true,
            () = rung(&mut bell) => {}
            _ = published.changed() => {}
            () = cloud.stopping() => over = true,
        }
    }
}

/// Whether everything that came of the till's stream was ruled on, and the till does not know it yet.
fn is_ruled_further(news: &News, asked: &Asked) -> bool {
    let (Some(epoch), Some(known)) = (&asked.epoch, asked.ruled) else { return false };
    let stream = news.streams.iter().find(|stream| stream.epoch.to_string() == *epoch);
    stream.is_some_and(|stream| stream.judged == stream.tip.seq && stream.judged != known)
}

/// The answer. How far was ruled is told only with the last of the verdicts that belong to it.
fn said(news: News, time_ms: i64, retry_cap_ms: u64) -> Value {
    let streams: Vec<Value> = news
        .streams
        .iter()
        .map(|stream| json!({ "epoch": stream.epoch, "high": stream.tip.seq, "ruled": stream.judged }))
        .collect();
    let current = news.streams.first();
    let mut said = json!({
        "notices": news.notices.into_iter().map(told).collect::<Vec<_>>(),
        "time_ms": time_ms,
        "bundle_version": news.bundle_version,
        "retry_cap_ms": retry_cap_ms,
        "epoch": current.map(|stream| stream.epoch),
        "high": current.map_or(0, |stream| stream.tip.seq),
    });
    if news.complete == Complete::All {
        said["ruled"] = current.map_or(0, |stream| stream.judged).into();
        said["streams"] = streams.into();
        said["all_streams"] = (news.streams_told == Complete::All).into();
    }
    said
}

/// A notice as it is sent: its fields beside number and kind.
fn told(notice: Notice) -> Value {
    let mut fields: Map<String, Value> = serde_json::from_str(&notice.body).unwrap_or_default();
    fields.insert("number".to_owned(), notice.number.into());
    fields.insert("kind".to_owned(), notice.kind.into());
    Value::Object(fields)
}
