//! The gateway on a port: bytes in, the machine, bytes out; waiting, and the customers' and notifications' time.
//!
//! The work runs in a task of its own, so that a caller who hangs up changes nothing about what is done, as
//! with the real gateway. Deliberately not here: what is done (`machine`), the pages for people.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    task::JoinSet,
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    books::Books,
    connection::Cut,
    http::{Pace, RawRequest, RawResponse},
    ledger::LedgerError,
    machine::Gateway,
    phone, play, postman, wechat_app,
};

/// What a request may be long. The wallets' own limits on the content are far below.
const MAX_BODY: usize = 64 * 1024;
/// Bytes of a slow answer that wait to be sent.
const SLOW_BYTES_AHEAD: usize = 1;

/// A gateway and what it needs to live on a port.
pub(super) struct Host {
    pub(super) gateway: Gateway,
    pub(super) clock: Box<dyn Fn() -> i64 + Send + Sync>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) work: Mutex<JoinSet<()>>,
    /// Rung when something may have to be notified.
    pub(super) bell: Notify,
}

pub(super) fn router(host: Arc<Host>) -> Router {
    Router::new()
        .route("/gateway.do", any(answer))
        .route("/v3/{*path}", any(answer))
        .merge(play::routes())
        .merge(phone::routes())
        .merge(wechat_app::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(host)
}

async fn answer(
    State(host): State<Arc<Host>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = RawRequest {
        method: method.as_str().to_owned(),
        target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: body.to_vec(),
    };
    let (tell, told) = oneshot::channel();
    let worker = Arc::clone(&host);
    host.spawn(async move {
        let answer = work(worker, request).await;
        // The caller may have hung up; what was done stays done.
        let _ = tell.send(answer);
    });
    match told.await {
        Ok(Some(answer)) => host.send(answer, cut),
        Ok(None) | Err(_) => {
            cut.pull();
            ().into_response()
        }
    }
}

/// The answer, or nothing where the line goes dead.
async fn work(host: Arc<Host>, request: RawRequest) -> Option<RawResponse> {
    if *host.stop.borrow() {
        return None;
    }
    let received = host.aside(move |gateway, now_ms| gateway.receive(&request, now_ms)).await?;
    let ask = match received {
        Ok(ask) => ask,
        Err(refusal) => return Some(*refusal),
    };
    host.pause(ask.wait_before_ms()).await?;
    let answer = host.aside(move |gateway, now_ms| gateway.perform(&ask, now_ms)).await.flatten();
    if answer.as_ref().is_some_and(|answer| answer.pace.notify_first) {
        postman::deliver(&host).await;
    }
    host.bell.notify_one();
    let answer = answer?;
    host.pause(answer.pace.delay_ms).await?;
    Some(answer)
}

impl Host {
    pub(super) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        while work.try_join_next().is_some() {}
        work.spawn(task);
    }

    /// Runs `work` where it may wait for the disk. None: the process is ending.
    pub(super) async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Gateway, i64) -> T + Send + 'static,
    ) -> Option<T> {
        let host = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&host.gateway, host.now_ms())).await.ok()
    }

    /// Does `work` on the books in one transaction, at the present moment.
    pub(super) async fn on_books<T, F>(self: &Arc<Self>, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Books<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let done = self.aside(move |gateway, now_ms| gateway.on_books(now_ms, work)).await;
        self.bell.notify_one();
        done.unwrap_or(Err(LedgerError::Stopped))
    }

    /// Nothing if the gateway stops meanwhile.
    pub(super) async fn pause(&self, ms: u64) -> Option<()> {
        if ms == 0 {
            return Some(());
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Some(()),
            _ = stop.wait_for(|stop| *stop) => None,
        }
    }

    fn send(self: &Arc<Self>, answer: RawResponse, cut: Cut) -> Response {
        let RawResponse { status, headers, body, pace } = answer;
        let length = body.len() + usize::from(pace.breaks_off);
        let body = if pace.byte_ms > 0 || pace.breaks_off {
            self.trickle(body, pace, cut)
        } else {
            Body::from(body)
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if status != 204 {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        response
    }

    /// A body that takes its time, or whose line dies before all of it came.
    fn trickle(self: &Arc<Self>, body: Vec<u8>, pace: Pace, cut: Cut) -> Body {
        let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(SLOW_BYTES_AHEAD);
        let host = Arc::clone(self);
        self.spawn(async move {
            let piece = if pace.byte_ms > 0 { 1 } else { body.len().max(1) };
            for bytes in body.chunks(piece) {
                let is_over = host.pause(pace.byte_ms).await.is_none();
                if is_over || sender.send(Ok(Bytes::copy_from_slice(bytes))).await.is_err() {
                    break;
                }
            }
            if pace.breaks_off {
                // Room in the channel means that the bytes before were taken by the connection.
                let _ = sender.reserve().await;
                tokio::task::yield_now().await;
                cut.pull();
            }
        });
        Body::from_stream(ReceiverStream::new(receiver))
    }
}
