//! The line between a till and the cloud, and everything that goes wrong on it.
//!
//! Not here: what happens to the machines at its ends.

use super::{Counts, Dice, Host};
use crate::wallet::Reply;
use crate::wallet::http::{CallError, Carrier, Received};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use reqwest::header::HeaderMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// Every kind of fault.
pub(super) const KINDS: [&str; 10] = [
    "request lost",
    "answer lost",
    "answer cut short",
    "sent twice",
    "an old one came late",
    "too many requests",
    "come back later",
    "too large",
    "power cut after the commit",
    "cloud away",
];

/// A request is on its way for less than this, and so is an answer.
pub(super) const FLIGHT_MS: u64 = 60;

/// How bad an evening's line is: one request in so many has a fault.
pub(super) struct Faults {
    one_in: Option<u64>,
    pub(super) counted: Counts,
}

impl Faults {
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        Self { one_in: Some(2 + dice.below(8)), counted: Counts::new() }
    }

    pub(super) fn heal(&mut self) {
        self.one_in = None;
    }
}

/// A till's line.
pub(super) struct Line {
    host: Arc<Mutex<Host>>,
    faults: Arc<Mutex<Faults>>,
    dice: Arc<Mutex<Dice>>,
    /// A request that somebody on the way kept, and sends again when it pleases.
    kept: Arc<Mutex<Option<Sent>>>,
    /// Whether the till was told how its streams stand, by a question that it asked when all was well again.
    was_told: AtomicBool,
    /// Whether it has asked its next question since: only then has it worked through what it was told.
    is_well: AtomicBool,
}

/// A request as bytes.
#[derive(Clone)]
struct Sent {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Line {
    pub(super) fn new(host: Arc<Mutex<Host>>, faults: Arc<Mutex<Faults>>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            host,
            faults,
            dice: Arc::new(Mutex::new(Dice(seed))),
            kept: Arc::default(),
            was_told: AtomicBool::new(false),
            is_well: AtomicBool::new(false),
        })
    }

    fn roll(&self, bound: u64) -> u64 {
        self.dice.lock().unwrap().below(bound)
    }

    /// The fault of this request, if it has one.
    fn fault(&self) -> Option<&'static str> {
        let one_in = self.faults.lock().unwrap().one_in?;
        if self.roll(one_in) != 0 {
            return None;
        }
        let kind = KINDS[usize::try_from(self.roll(9)).unwrap()];
        self.count(kind);
        Some(kind)
    }

    pub(super) fn is_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed)
    }

    fn count(&self, kind: &'static str) {
        *self.faults.lock().unwrap().counted.entry(kind).or_default() += 1;
    }

    async fn carried(&self, sent: Sent) -> Result<Received, CallError> {
        let is_healed = self.faults.lock().unwrap().one_in.is_none() && sent.target.contains("/notices");
        self.is_well.fetch_or(is_healed && self.was_told.load(Ordering::Relaxed), Ordering::Relaxed);
        sleep(Duration::from_millis(self.roll(FLIGHT_MS))).await;
        let away = || CallError::NotSent("connection refused".to_owned());
        let lost = || CallError::Unknown("connection reset".to_owned());
        let fault = self.fault();
        match fault {
            Some("request lost") => return Err(if self.roll(2) == 0 { away() } else { lost() }),
            Some("too many requests") => return Ok(refusal(429, Some((1 + self.roll(20)).to_string()))),
            Some("come back later") => {
                // A moment, half of the time (RFC 9110 section 10.2.3).
                let date = (self.roll(2) == 0).then(|| "Thu, 19 Nov 2026 16:53:30 GMT".to_owned());
                return Ok(refusal(503, date.or_else(|| Some((1 + self.roll(20)).to_string()))));
            }
            Some("too large") if sent.target.ends_with("/records") => return Ok(too_large()),
            Some("an old one came late") => {
                let old = self.kept.lock().unwrap().replace(sent.clone());
                if let Some(old) = old {
                    // Whatever it is answered, nobody hears it.
                    let _nobody = self.deliver(old).await;
                }
            }
            Some("sent twice") => {
                let _nobody = self.deliver(sent.clone()).await;
            }
            _ => {}
        }
        let Some(received) = self.deliver(sent).await else {
            self.count("cloud away");
            return Err(away());
        };
        sleep(Duration::from_millis(self.roll(FLIGHT_MS))).await;
        if is_healed && received.status == 200 {
            // A long answer is packed: a short one comes after it.
            let told: serde_json::Value = serde_json::from_slice(&received.body).unwrap_or_default();
            self.was_told.fetch_or(told["streams"].is_array(), Ordering::Relaxed);
        }
        match fault {
            Some("answer lost") => {
                sleep(Duration::from_secs(self.roll(10))).await;
                Err(lost())
            }
            Some("answer cut short") => {
                let half = received.body.len() / 2;
                Ok(Received { body: received.body[..half].to_vec(), ..received })
            }
            Some("power cut after the commit") => {
                // The store has it, the till never hears.
                self.host.lock().unwrap().cut_power();
                let host = Arc::clone(&self.host);
                sleep(Duration::from_millis(1 + self.roll(4_000))).await;
                let is_dark = {
                    let host = host.lock().unwrap();
                    host.cloud.is_none() && !host.repair
                };
                if is_dark {
                    Host::power_up(&host).await;
                }
                Err(lost())
            }
            _ => Ok(received),
        }
    }

    /// Brings it to the cloud as it is; none while the cloud has no power, or loses it meanwhile.
    async fn deliver(&self, sent: Sent) -> Option<Received> {
        let (router, mut power): (Router, _) = {
            let host = self.host.lock().unwrap();
            (host.cloud.as_ref()?.router.clone(), host.power.subscribe())
        };
        let mut request = Request::builder().method(sent.method.as_str()).uri(&sent.target);
        *request.headers_mut()? = sent.headers;
        let request = request.body(Body::from(sent.body)).ok()?;
        let answered = tokio::select! {
            biased;
            _ = power.changed() => return None,
            answered = router.oneshot(request) => answered.ok()?,
        };
        let (parts, body) = answered.into_parts();
        let body = to_bytes(body, usize::MAX).await.ok()?.to_vec();
        Some(Received { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Carrier for Line {
    fn carry(&self, request: reqwest::Request, _: usize) -> Reply<'_, Result<Received, CallError>> {
        let url = request.url();
        let target = url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
        let sent = Sent {
            method: request.method().to_string(),
            target,
            headers: request.headers().clone(),
            body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec(),
        };
        let within = request.timeout().copied().unwrap();
        Box::pin(async move {
            let late = || CallError::Unknown("operation timed out".to_owned());
            timeout(within, self.carried(sent)).await.unwrap_or_else(|_| Err(late()))
        })
    }
}

fn refusal(status: u16, retry_after: Option<String>) -> Received {
    let mut headers = HeaderMap::new();
    headers.insert("date", "Thu, 19 Nov 2026 16:53:20 GMT".parse().unwrap());
    if let Some(after) = retry_after {
        headers.insert("retry-after", after.parse().unwrap());
    }
    Received { status, headers, body: b"{\"type\":\"unavailable\",\"detail\":\"Too much to do.\"}".to_vec() }
}

fn too_large() -> Received {
    let body = b"{\"type\":\"too_large\",\"detail\":\"Send fewer.\",\"limit_bytes\":65536}".to_vec();
    Received { status: 413, headers: HeaderMap::new(), body }
}
