//! Errors on the wire: RFC 9457 problems with a stable slug, a sentence, and fields for programs.

use super::store::StoreError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// What went wrong, for the one who asked.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    slug: &'static str,
    detail: String,
    more: Map<String, Value>,
    retry_after_s: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, slug: &'static str, detail: impl Into<String>) -> Self {
        Self { status, slug, detail: detail.into(), more: Map::new(), retry_after_s: None }
    }

    /// A field beside the standard ones.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The cloud's own trouble: try again.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after_s(2)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(error = &error as &dyn std::error::Error, "the store does not answer");
        Self::unavailable("The cloud's store does not answer. Try again shortly.")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = self.more;
        body.insert("type".to_owned(), self.slug.into());
        body.insert("title".to_owned(), self.slug.replace('_', " ").into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("detail".to_owned(), self.detail.into());
        let mut response = (self.status, Json(Value::Object(body))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Tills read problems only: whatever else a refusal came as is told as one, its status and fields kept.
pub(crate) async fn told(response: Response) -> Response {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (slug, words) = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            ("wrong_method", "This address is not asked in that way: see Allow.")
        }
        StatusCode::NOT_FOUND => ("not_found", "There is nothing at this address."),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "The request is too long."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unknown_packing", "The body is in a form that is not known here.")
        }
        _ if status.is_server_error() => ("unavailable", "The cloud cannot answer now. Try again shortly."),
        _ => ("malformed", "The address or its parameters are not as laid out."),
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut told = Problem::new(status, slug, words).into_response();
    if let Some(allow) = allow {
        told.headers_mut().insert(header::ALLOW, allow);
    }
    told
}
