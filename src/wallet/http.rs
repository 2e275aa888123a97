//! The one way to speak HTTP outwards: one client, one rule for addresses, one reading of failures.
//!
//! What matters to money is told apart here: a request that provably never left ([`CallError::NotSent`])
//! and one that may have arrived ([`CallError::Unknown`]). Certificates are judged by the system's own
//! roots (Debian: `ca-certificates`, or `SSL_CERT_FILE`).
//!
//! Not here: retries of any kind, redirects, proxies, cookies. Whoever owes a call decides when to call again.

use super::Reply;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Url};
use std::net::IpAddr;
use std::time::Duration;

/// The most that is read of a wallet's answer. The longest real ones, with goods lists, have a few KiB.
pub const ANSWER_LIMIT_BYTES: usize = 64 * 1024;

/// An idle connection is kept this long: enough for a run of queries, shorter than servers keep theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

/// A text inside an address: everything but unreserved characters is encoded (RFC 3986, section 2.1).
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// How long a call may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Finding the host, connecting and the TLS handshake. Running out of it proves that nothing was sent.
    pub connect: Duration,
    /// The whole call, answer included. Running out of it proves nothing.
    pub total: Duration,
}

/// Why there is no client or no address to call.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Not an absolute address.
    #[error("{0:?} is not an address: write it like https://openapi.example.com/gateway.do")]
    NotAnAddress(String),
    /// Plain HTTP to another machine.
    #[error("{0:?} would go over the network in the clear: use https (plain http is for this machine only)")]
    InTheClear(String),
    /// A name and password, or a fragment, in the address.
    #[error("{0:?} carries a login or a # part: give the plain address; secrets belong in credentials")]
    Decorated(String),
    /// The TLS library would not start.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

impl HttpError {
    /// All of these are mistakes of configuration or installation: trying again does not help.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

/// Why a call has no answer. The texts are for logs and hold neither the address's query nor a body.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// No connection came about, so not one byte of the request left: it may be sent again.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// The request may have arrived and may have been carried out: ask, never send again.
    #[error("the answer is missing: {0}")]
    Unknown(String),
}

impl CallError {
    /// Lines come back: none of these is for ever.
    pub fn is_permanent(&self) -> bool {
        false
    }
}

/// An answer as it came, its body within the limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// HTTP status code.
    pub status: u16,
    /// As they came.
    pub headers: HeaderMap,
    /// The literal bytes.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's text; nothing when it is missing, comes twice or is not plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() { None } else { value.to_str().ok() }
    }
}

/// Checks an address from the configuration: https, or plain http to this machine.
///
/// # Errors
/// [`HttpError::NotAnAddress`], [`HttpError::InTheClear`] or [`HttpError::Decorated`].
pub fn endpoint(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|_| HttpError::NotAnAddress(text.to_owned()))?;
    let host = url.host_str().ok_or_else(|| HttpError::NotAnAddress(text.to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        // The login itself stays out of the message.
        return Err(HttpError::Decorated(host.to_owned()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(host) => Ok(url),
        "http" => Err(HttpError::InTheClear(text.to_owned())),
        _ => Err(HttpError::NotAnAddress(text.to_owned())),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The one constructor of HTTP clients.
///
/// A machine without root certificates still gets a client, since a loopback gateway needs none; its
/// https calls then end as [`CallError::NotSent`].
///
/// # Errors
/// [`HttpError::Client`] when the TLS library would not start.
pub fn client(timeouts: Timeouts) -> Result<Client, HttpError> {
    // An error means that a provider is there already, which is what is wanted.
    let _already = rustls::crypto::ring::default_provider().install_default();
    builder(timeouts).build().or_else(|missing_roots| {
        tracing::warn!(
            error = chain(&missing_roots),
            "No root certificates on this machine: install ca-certificates, or https calls will fail."
        );
        builder(timeouts).tls_certs_only([]).build().map_err(HttpError::Client)
    })
}

fn builder(timeouts: Timeouts) -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(concat!("till/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .pool_idle_timeout(IDLE_CONNECTION)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
}

/// What brings a request to a wallet and its answer back: HTTP, or a gateway in the same process.
///
/// **Invariant:** it carries a request at most once, and says [`CallError::NotSent`] only of one that never left.
pub trait Carrier: Send + Sync {
    /// Carries a request that is ready and signed; of its answer at most `limit_bytes`.
    fn carry(&self, request: reqwest::Request, limit_bytes: usize) -> Reply<'_, Result<Received, CallError>>;
}

impl Carrier for Client {
    fn carry(&self, request: reqwest::Request, limit_bytes: usize) -> Reply<'_, Result<Received, CallError>> {
        Box::pin(call(RequestBuilder::from_parts(self.clone(), request), limit_bytes))
    }
}

/// Sends a request once and reads at most `limit_bytes` of its answer.
///
/// # Errors
/// [`CallError::NotSent`] only when no connection came about; [`CallError::Unknown`] for everything
/// after that, an answer beyond the limit included.
pub async fn call(request: RequestBuilder, limit_bytes: usize) -> Result<Received, CallError> {
    let mut response = request.send().await.map_err(sorted)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| CallError::Unknown(said(error)))? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(CallError::Unknown(format!("the answer has more than {limit_bytes} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}

/// `is_connect` covers name lookup, TCP and the TLS handshake, before which no request byte is written
/// (early data is off). `is_builder` is a request that was never well formed.
fn sorted(error: reqwest::Error) -> CallError {
    if error.is_connect() || error.is_builder() {
        CallError::NotSent(said(error))
    } else {
        CallError::Unknown(said(error))
    }
}

fn said(error: reqwest::Error) -> String {
    chain(&error.without_url())
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    fn patient() -> Client {
        client(Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(5) }).unwrap()
    }

    /// Answers every connection with the same bytes, after reading what came first.
    async fn server_that_says(answer: Vec<u8>) -> (JoinSet<()>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _read = stream.read(&mut request).await;
                let _written = stream.write_all(&answer).await;
            }
        });
        (tasks, address)
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://openapi.alipay.com/gateway.do",
            "http://127.0.0.1:8080/gateway.do",
            "http://[::1]:80/",
            "http://localhost/x",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://openapi.alipay.com/gateway.do",
            "http://192.168.1.2/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "ftp://127.0.0.1/",
            "openapi.alipay.com",
            "https://",
            "https://till:secret@example.com/",
            "",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_login_in_an_address_is_not_repeated_in_the_message() {
        let said = endpoint("https://till:hunter2@example.com/").unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[tokio::test]
    async fn a_refused_port_proves_that_nothing_was_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let error = call(patient().post(address).body("x"), ANSWER_LIMIT_BYTES).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(_)), "{error}");
    }

    #[tokio::test]
    async fn a_failed_tls_handshake_proves_that_nothing_was_sent() {
        let (_server, address) = server_that_says(b"this is not TLS".to_vec()).await;
        let address = address.replace("http://", "https://");
        let error = call(patient().post(address).body("x"), ANSWER_LIMIT_BYTES).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(_)), "{error}");
    }

    #[tokio::test]
    async fn a_connection_closed_before_the_answer_proves_nothing() {
        let (_server, address) = server_that_says(Vec::new()).await;
        let error = call(patient().post(address).body("x"), ANSWER_LIMIT_BYTES).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{error}");
    }

    #[tokio::test]
    async fn an_answer_cut_short_proves_nothing() {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":".to_vec();
        let (_server, address) = server_that_says(cut).await;
        let error = call(patient().post(address).body("x"), ANSWER_LIMIT_BYTES).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{error}");
    }

    #[tokio::test]
    async fn an_endless_answer_is_not_read() {
        let mut long = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        long.extend(vec![b' '; 2000]);
        let (_server, address) = server_that_says(long).await;
        let error = call(patient().post(address).body("x"), 1000).await.unwrap_err();
        assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let moved =
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
        let (_server, address) = server_that_says(moved).await;
        let received = call(patient().post(address).body("x"), ANSWER_LIMIT_BYTES).await.unwrap();
        assert_eq!(received.status, 302);
    }
}
