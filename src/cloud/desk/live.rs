//! Tells a phone that its page has changed, by server-sent events. The page itself is fetched anew.

use super::bill::Look;
use super::{Asked, Phone, known_desk};
use crate::cloud::Cloud;
use crate::cloud::bells::{Bell, LOOK_AGAIN};
use crate::cloud::problem::Problem;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{IntervalStream, WatchStream};

/// `GET /d/{desk}/live`
pub(super) async fn watch(
    State(cloud): State<Arc<Cloud>>,
    Path(desk): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, desk) = known_desk(&cloud, &desk).await.ok_or_else(|| Problem::not_found("No such desk."))?;
    let seat = Arc::clone(&cloud.live)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("Too many phones watch at once."))?;
    let phone = Arc::new(Phone::of(&headers));
    let mut ticks = interval(LOOK_AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rings = WatchStream::new(cloud.bells.rings(Bell::Desk(desk.clone()))).map(|_| ());
    let stop = cloud.stop.clone();
    let own = asked.sale;
    let marks =
        IntervalStream::new(ticks).map(|_| ()).merge(rings).take_while(move |()| !*stop.borrow()).then(
            move |()| {
                let (cloud, desk, phone) = (Arc::clone(&cloud), desk.clone(), Arc::clone(&phone));
                async move { Look::at_desk(&cloud, &desk, own, &phone).await.map(|look| look.mark(&cloud)) }
            },
        );
    let mut last: Option<String> = None;
    let events = marks.filter_map(move |mark| {
        // The seat is given back with the stream.
        let _ = &seat;
        let mark = mark.ok().filter(|mark| last.as_ref() != Some(mark))?;
        last = Some(mark.clone());
        Some(Ok::<_, Infallible>(Event::default().event("bill").data(mark)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}
