//! One signed call to the cloud, and what its answers are.
//!
//! Every request carries an RFC 9421 signature by the device key over an RFC 9530 digest. Errors are RFC 9457
//! problems. Not here: trying again (`pace`), and what any one answer means.

use super::line::Line;
use super::upload::Ack;
use super::{Chance, Config, Doors, Now};
use crate::keys::DeviceKey;
use crate::keys::request::{Parameters, sign_request};
use crate::record::Hash;
use crate::record::ids::hex;
use crate::wallet::http::{CallError, Carrier, HttpError, Timeouts, client, endpoint};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, RETRY_AFTER,
};
use reqwest::{Method, Request, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

/// The most that is read of an answer: a bundle of 32 MiB in base64, and its envelope.
const ANSWER_BYTES_MAX: usize = 44 * 1024 * 1024;
/// Bodies below this travel as they are: packing them would gain nothing.
const PACKED_FROM_BYTES: usize = 1024;
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
    Refused(Box<Problem>),
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
    /// With a fork: how far the cloud has this till's side of it.
    pub(super) branch: Option<Branch>,
    /// With a fork: what the cloud has signed of the other side.
    pub(super) witness: Option<Ack>,
}

/// Where a branch of a stream ends at the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) high: u64,
    pub(super) head: Hash,
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
    carrier: Arc<dyn Carrier>,
    keyid: String,
    key: Arc<DeviceKey>,
    call: Duration,
    now: Now,
    chance: Chance,
    line: Arc<Line>,
}

/// The way by HTTP.
pub(super) fn carrier(config: &Config) -> Result<Arc<dyn Carrier>, HttpError> {
    Ok(Arc::new(client(Timeouts { connect: CONNECT, total: config.timing.call })?))
}

impl Cloud {
    /// The cloud as a carrier reaches it: HTTP, or one in the same process.
    pub(super) fn by(
        carrier: Arc<dyn Carrier>,
        config: &Config,
        doors: &Doors,
        line: Arc<Line>,
    ) -> Result<Self, HttpError> {
        Ok(Self {
            base: endpoint(&config.url)?,
            carrier,
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
        let mut request = self.signed(method, path, body)?;
        *request.timeout_mut() = Some(within);
        if let Some(etag) = etag {
            put(&mut request, IF_NONE_MATCH, &etag)?;
        }
        let received = self.carrier.carry(request, ANSWER_BYTES_MAX).await.map_err(|error| match error {
            CallError::NotSent(words) => Failure::NotSent(words),
            CallError::Unknown(words) => Failure::Unreachable(words),
        })?;
        let (status, headers) = (received.status, received.headers);
        match status {
            200..=299 | NOT_MODIFIED => {
                let body = unpacked(&headers, received.body)?;
                Ok(Answer { status, etag: text(&headers, &ETAG), body })
            }
            400..=599 => {
                if matches!(status, 401 | 403) {
                    self.learn_time(&headers, sent_ms).await;
                }
                Err(failure(status, &headers, &received.body, (self.now)()))
            }
            _ => Err(Failure::Strange(format!("HTTP status {status}"))),
        }
    }

    fn signed(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Request, Failure> {
        let url = self.address(path)?;
        let target = url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path()));
        let parameters = Parameters {
            created: self.line.unix_s(),
            nonce: hex(&(self.chance)()[..16]),
            keyid: self.keyid.clone(),
        };
        let is_packed = body.len() >= PACKED_FROM_BYTES;
        // The digest is over what travels (RFC 9530 section 2: the content with its encodings).
        let body = if is_packed { packed(&body)? } else { body };
        let headers = sign_request(method.as_str(), &target, &body, &parameters, &self.key)
            .map_err(|error| Failure::Strange(error.to_string()))?;
        let mut request = Request::new(method, url);
        put(&mut request, HeaderName::from_static("content-digest"), &headers.content_digest)?;
        put(&mut request, HeaderName::from_static("signature-input"), &headers.signature_input)?;
        put(&mut request, HeaderName::from_static("signature"), &headers.signature)?;
        put(&mut request, ACCEPT_ENCODING, "gzip")?;
        if !body.is_empty() {
            put(&mut request, CONTENT_TYPE, "application/json")?;
            *request.body_mut() = Some(body.into());
        }
        if is_packed {
            put(&mut request, CONTENT_ENCODING, "gzip")?;
        }
        Ok(request)
    }

    fn address(&self, path: &str) -> Result<Url, Failure> {
        let whole = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&whole).map_err(|error| Failure::Strange(error.to_string()))
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
        let mut request = Request::new(Method::GET, self.address("/v1/time").ok()?);
        *request.timeout_mut() = Some(self.call);
        let received = self.carrier.carry(request, TIMED_BYTES_MAX).await.ok()?;
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

fn put(request: &mut Request, name: HeaderName, value: &str) -> Result<(), Failure> {
    let value = HeaderValue::from_str(value).map_err(|error| Failure::Strange(error.to_string()))?;
    request.headers_mut().insert(name, value);
    Ok(())
}

fn packed(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map_err(|error| Failure::Strange(error.to_string()))
}

/// An answer's content without its packing; never more than the limit, whatever it claims.
fn unpacked(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match text(headers, &CONTENT_ENCODING).as_deref() {
        None | Some("identity") => Ok(body),
        Some("gzip") => {
            let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
            let mut bytes = Vec::new();
            let read = GzDecoder::new(body.as_slice()).take(limit + 1).read_to_end(&mut bytes);
            match read {
                Ok(length) if length <= ANSWER_BYTES_MAX => Ok(bytes),
                Ok(_) => Err(Failure::Strange(format!("more than {ANSWER_BYTES_MAX} bytes once unpacked"))),
                Err(error) => Err(Failure::Strange(format!("its packing is damaged: {error}"))),
            }
        }
        Some(other) => Err(Failure::Strange(format!("it is packed as {other:?}"))),
    }
}

fn failure(status: u16, headers: &HeaderMap, body: &[u8], now_ms: i64) -> Failure {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fields {
        r#type: String,
        title: String,
        detail: String,
        expected: Option<u64>,
        branch: Option<Branch>,
        witness: Option<Ack>,
    }
    let fields: Fields = serde_json::from_slice(body).unwrap_or_default();
    let said = [&fields.detail, &fields.title].into_iter().find(|text| !text.is_empty());
    let words = said.cloned().unwrap_or_else(|| format!("HTTP status {status}"));
    if status >= 500 || status == 429 {
        return Failure::Later { words, retry_after: retry_after(headers, now_ms) };
    }
    let slug = fields.r#type.rsplit([':', '/', '#']).next().unwrap_or_default().replace('-', "_");
    let Fields { expected, branch, witness, .. } = fields;
    Failure::Refused(Box::new(Problem { slug, words, expected, branch, witness }))
}

/// Seconds, or a moment (RFC 9110 section 10.2.3): that one is held against the Date of the same answer, since this
/// machine's clock may be anywhere.
fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let said = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = said.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment_ms = |text: &str| {
        let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        Some(zoned.timestamp().as_millisecond())
    };
    let until_ms = moment_ms(&said)?;
    let from_ms = text(headers, &DATE).and_then(|date| moment_ms(&date)).unwrap_or(now_ms);
    Some(Duration::from_millis(u64::try_from(until_ms.saturating_sub(from_ms)).unwrap_or(0)))
}

fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
