//! Packed bodies (RFC 9110 section 8.4, `gzip`): requests of tills, and long answers to them.
//!
//! **Invariant:** nothing is unpacked beyond its limit, whatever it claims. A digest is over what travels (RFC 9530
//! section 2), so it is held before anything is unpacked. Not here: signatures (`signed`).

use super::problem::Problem;
use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::{Read as _, Write as _};

/// Answers below this travel as they are.
const PACKED_FROM_BYTES: usize = 1024;

/// How a request's body is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Packing {
    None,
    Gzip,
}

impl Packing {
    /// What a request says of its body.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(Self::None),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip),
            Some(_) => {
                let words = "The body is packed in a way that is not known here: use gzip, or nothing.";
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_packing", words))
            }
        }
    }

    /// The body without its packing, at most `limit` bytes of it.
    pub(crate) fn open(self, body: &Bytes, limit: usize) -> Result<Bytes, Problem> {
        if self == Self::None {
            return Ok(body.clone());
        }
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        match GzDecoder::new(&body[..]).take(most).read_to_end(&mut bytes) {
            Ok(length) if length <= limit => Ok(bytes.into()),
            Ok(_) => Err(too_large(limit)),
            Err(_) => Err(Problem::bad_request("The body's packing is damaged: send it again.")),
        }
    }
}

/// A request that is longer than is taken.
pub(crate) fn too_large(limit: usize) -> Problem {
    let words = "A request has at most 1 MiB, unpacked: send fewer records at once.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words).with("limit_bytes", limit)
}

/// A JSON answer, packed for whoever takes it so.
pub(crate) fn answer(asked: &HeaderMap, said: Value) -> Result<Response, Problem> {
    let accepts = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_gzip = |coding: &str| coding.split(';').next().is_some_and(|name| name.trim() == "gzip");
    let text = said.to_string();
    if text.len() < PACKED_FROM_BYTES || !accepts.split(',').any(is_gzip) || accepts.contains("q=0") {
        return Ok(Json(said).into_response());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    let packed = packed.map_err(|_| Problem::unavailable("The answer cannot be packed."))?;
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    Ok((fields, packed).into_response())
}
