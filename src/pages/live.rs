//! Live updates: a stream of server-sent events that says when to look again, and nothing else.
//!
//! The page then fetches itself and replaces what changed, so that there is one way of drawing.

use super::Pages;
use super::answer::{Sorry, say_sorry_at};
use super::request::Asked;
use crate::inbox::Board;
use crate::locales::Msg;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;

/// Screens that may listen at once. A shop has a handful; more is a mistake or an attack.
pub(super) const SCREENS_MAX: usize = 64;

/// The shortest time between two events: ten a second.
const BEAT: Duration = Duration::from_millis(100);

/// How often a silent stream shows that it is alive: below the half minute after which boxes in between
/// give up on a silent connection.
const ALIVE: Duration = Duration::from_secs(15);

/// Raises the beat when the view, the ports or the link change, at most every [`BEAT`]. Ends with the till
/// or with the pages, and every stream with it.
pub(super) async fn watch_board(board: Board, beats: watch::Sender<u64>, mut stopped: watch::Receiver<()>) {
    let mut view = board.view.clone();
    let mut devices = board.devices.subscribe();
    let mut link = board.link.subscribe();
    view.mark_unchanged();
    loop {
        let changed = tokio::select! {
            _ = stopped.changed() => return,
            changed = view.changed() => changed,
            changed = devices.changed() => changed,
            changed = link.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        beats.send_modify(|beat| *beat = beat.wrapping_add(1));
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(BEAT) => {}
        }
    }
}

/// `GET /live?station=S`. The first event comes at once: what changed since the page was drawn is not missed.
pub(super) async fn stream(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let response = match listen(&pages, &asked) {
        Ok(response) => response,
        Err(sorry) => say_sorry_at(&sorry, &asked, "/"),
    };
    std::future::ready(response).await
}

fn listen(pages: &Arc<Pages>, asked: &Asked) -> Result<Response, Sorry> {
    if let Some(station) = asked.fields.get("station") {
        pages.station(station)?;
    }
    let busy = || Sorry::of(StatusCode::SERVICE_UNAVAILABLE, "too_many_screens", Msg::TooManyScreens);
    let permit = pages.screens.clone().try_acquire_owned().map_err(|_| busy())?;
    let view = pages.parts.board.view.clone();
    let events = WatchStream::new(pages.beat.clone()).map(move |_| {
        let _held_while_listening = &permit;
        let seq = view.borrow().tip.seq;
        Ok::<_, Infallible>(Event::default().event("view").data(format!("{{\"seq\":{seq}}}")))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response())
}
