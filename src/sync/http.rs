//! One signed call to the cloud, and what its answers are.
//!
//! Every request carries an RFC 9421 signature by the device key over an RFC 9530 digest. Errors are RFC 9457
//! problems. Not here: trying again (`pace`), and what any one answer means.

use super::line::Line;
use super::{Chance, Config, Doors, Now};
use crate::keys::DeviceKey;
use crate::keys::request::{Parameters, sign_request};
use crate::record::ids::hex;
use crate::wallet::http::{HttpError, Timeouts, call, client, endpoint};
use reqwest::header::{CONTENT_TYPE, DATE, ETAG, HeaderMap, IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Client, Method, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The most that is read of an answer: a bundle of 32 MiB in base64, and its envelope.
const ANSWER_BYTES_MAX: usize = 44 * 1024 * 1024;
/// Finding the host, connecting and the TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// An HTTP status 304, which reqwest knows and which is no error here.
pub(super) const NOT_MODIFIED: u16 = 304;

/// Why a call brought nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// No connection came about: nothing was sent.
    #[error("The cloud cannot be reached ({0}). Till goes on by itself and tries again.")]
    NotSent(String),
    /// No answer. What was sent may have arrived.
    #[error("The cloud cannot be reached ({0}). Till goes on by itself and tries again.")]
    Unreachable(String),
    /// It asks to come back later.
    #[error("The cloud asks to wait: {words}")]
    Later {
        /// Why.
        words: String,
        /// For how long, if it says so.
        retry_after: Option<Duration>,
    },
    /// It refuses.
    #[error("The cloud refuses: {}", .0.words)]
    Refused(Problem),
    /// It says something else than the protocol.
    #[error("The cloud's answer is not understood ({0}): is its address right, and are both up to date?")]
    Strange(String),
}

/// An RFC 9457 problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    /// The end of its type.
    pub(super) slug: String,
    /// A sentence.
    pub(super) words: String,
    /// With a gap: the number that is due.
    pub(super) expected: Option<u64>,
}

impl Failure {
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Later { retry_after, .. } => *retry_after,
            Self::NotSent(_) | Self::Unreachable(_) | Self::Refused(_) | Self::Strange(_) => None,
        }
    }
}

/// An answer that is no error.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The cloud, as this till calls it.
pub(super) struct Cloud {
    base: Url,
    client: Client,
    keyid: String,
    key: Arc<DeviceKey>,
    call: Duration,
    now: Now,
    chance: Chance,
    line: Arc<Line>,
}

impl Cloud {
    pub(super) fn new(config: &Config, doors: &Doors, line: Arc<Line>) -> Result<Self, HttpError> {
        Ok(Self {
            base: endpoint(&config.url)?,
            client: client(Timeouts { connect: CONNECT, total: config.timing.call })?,
            keyid: config.terminal.to_string(),
            key: Arc::clone(&config.device_key),
            call: config.timing.call,
            now: Arc::clone(&doors.now),
            chance: Arc::clone(&doors.chance),
            line,
        })
    }

    /// GET, answered at the latest after `held` and the time of an ordinary call.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, held: Duration) -> Result<T, Failure> {
        let answer = self.send(Method::GET, path, vec![], None, self.call + held).await?;
        read(&answer.body)
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::Strange(error.to_string()))?;
        let answer = self.send(Method::POST, path, body, None, self.call).await?;
        read(&answer.body)
    }

    /// GET with an entity tag: the answer may be [`NOT_MODIFIED`].
    pub(super) async fn get_if_changed(&self, path: &str, etag: Option<String>) -> Result<Answer, Failure> {
        self.send(Method::GET, path, vec![], etag, self.call).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        etag: Option<String>,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let sent_ms = (self.now)();
        let result = self.exchange(method, path, body, etag, within).await;
        match &result {
            Ok(answer) => {
                self.hear_time(answer, sent_ms);
                self.line.answered();
            }
            Err(Failure::Refused(_)) => self.line.answered(),
            Err(
                failure @ (Failure::NotSent(_)
                | Failure::Unreachable(_)
                | Failure::Later { .. }
                | Failure::Strange(_)),
            ) => {
                self.line.silent(failure.to_string());
            }
        }
        result
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        etag: Option<String>,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let sent_ms = (self.now)();
        let request = self.signed(method, path, body)?.timeout(within);
        let request = etag.into_iter().fold(request, |request, etag| request.header(IF_NONE_MATCH, etag));
        let unreachable = |error: reqwest::Error| Failure::Unreachable(said(&error.without_url()));
        let mut response = request.send().await.map_err(|error| {
            // Name lookup, TCP and the TLS handshake come before the first byte of a request.
            let nothing_left = error.is_connect() || error.is_builder();
            match (unreachable(error), nothing_left) {
                (Failure::Unreachable(words), true) => Failure::NotSent(words),
                (failure, _) => failure,
            }
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failure::Strange(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        match status {
            200..=299 | NOT_MODIFIED => Ok(Answer { status, etag: text(&headers, &ETAG), body: bytes }),
            400..=599 => {
                if matches!(status, 401 | 403) {
                    self.learn_time(&headers, sent_ms).await;
                }
                Err(failure(status, &headers, &bytes))
            }
            _ => Err(Failure::Strange(format!("HTTP status {status}"))),
        }
    }

    fn signed(&self, method: Method, path: &str, body: Vec<u8>) -> Result<reqwest::RequestBuilder, Failure> {
        let whole = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse(&whole).map_err(|error| Failure::Strange(error.to_string()))?;
        let target = url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
        let parameters = Parameters {
            created: self.line.unix_s(),
            nonce: hex(&(self.chance)()[..16]),
            keyid: self.keyid.clone(),
        };
        let headers = sign_request(method.as_str(), &target, &body, &parameters, &self.key)
            .map_err(|error| Failure::Strange(error.to_string()))?;
        let request = self
            .client
            .request(method, url)
            .header("content-digest", headers.content_digest)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature);
        Ok(if body.is_empty() {
            request
        } else {
            request.header(CONTENT_TYPE, "application/json").body(body)
        })
    }

    /// Answers tell the cloud's time; one that was held back tells it too vaguely.
    fn hear_time(&self, answer: &Answer, sent_ms: i64) {
        let got_ms = (self.now)();
        if got_ms.saturating_sub(sent_ms) > PROMPT_MS || answer.body.len() > TIMED_BYTES_MAX {
            return;
        }
        if let Ok(Timed { time_ms }) = serde_json::from_slice(&answer.body) {
            self.line.cloud_time(time_ms, sent_ms, got_ms);
        }
    }

    /// A till whose clock is far off signs in vain and would never hear the time in an answer. So it asks for
    /// nothing but the time; the Date of the refusal does where that is not offered (RFC 9110 section 6.6.1).
    async fn learn_time(&self, headers: &HeaderMap, sent_ms: i64) {
        let asked_ms = (self.now)();
        let (cloud_ms, from_ms) = match self.asked_time().await {
            Some(cloud_ms) => (cloud_ms, asked_ms),
            None => {
                let date = text(headers, &DATE).and_then(|date| jiff::fmt::rfc2822::parse(&date).ok());
                let Some(date) = date else { return };
                (date.timestamp().as_millisecond(), sent_ms)
            }
        };
        if self.line.unix_s().abs_diff(cloud_ms.div_euclid(1000)) > CLOCK_FAR_S {
            tracing::warn!(
                "This machine's clock is far from the cloud's; requests are signed by the cloud's."
            );
            self.line.cloud_time(cloud_ms, from_ms, (self.now)());
        }
    }

    async fn asked_time(&self) -> Option<i64> {
        let address = format!("{}/v1/time", self.base.as_str().trim_end_matches('/'));
        let received = call(self.client.get(address), TIMED_BYTES_MAX).await.ok()?;
        serde_json::from_slice::<Timed>(&received.body).ok().map(|timed| timed.time_ms)
    }
}

#[derive(Deserialize)]
struct Timed {
    time_ms: i64,
}

/// Beyond this a refused signature may be the clock's fault.
const CLOCK_FAR_S: u64 = 60;
/// An answer that took longer may have been held back, so its time is not that of the midpoint.
const PROMPT_MS: i64 = 2000;
/// Answers that tell the time are short.
const TIMED_BYTES_MAX: usize = 256 * 1024;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Strange(error.to_string()))
}

fn failure(status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        r#type: String,
        title: String,
        detail: String,
        expected: Option<u64>,
    }
    let fields: Fields = serde_json::from_slice(body).unwrap_or_default();
    let said = [fields.detail, fields.title].into_iter().find(|text| !text.is_empty());
    let words = said.unwrap_or_else(|| format!("HTTP status {status}"));
    if status >= 500 || status == 429 {
        let seconds = text(headers, &RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        return Failure::Later { words, retry_after: seconds.map(Duration::from_secs) };
    }
    let slug = fields.r#type.rsplit([':', '/', '#']).next().unwrap_or_default().replace('-', "_");
    Failure::Refused(Problem { slug, words, expected: fields.expected })
}

fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The innermost cause: `connection refused` says more than `error sending request`.
fn said(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
