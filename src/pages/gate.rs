//! What every request passes: which name it calls the till by, which site it comes from, and what a browser
//! may do with the answer.

use super::answer::{Sorry, say_sorry};
use super::{Error, Pages, request};
use crate::locales::Msg;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// The content security policy. Scripts and styles come from files of ours only, none stand in pages.
///
/// # Errors
/// [`Error::FrameAncestor`] for what is not an origin.
pub(super) fn policy(frame_ancestors: &[String]) -> Result<HeaderValue, Error> {
    let mut policy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; \
                      frame-ancestors 'self'"
        .to_owned();
    for origin in frame_ancestors {
        let plain = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
        if !plain.is_some_and(|rest| !rest.is_empty() && rest.chars().all(allowed)) {
            return Err(Error::FrameAncestor(origin.clone()));
        }
        policy.push(' ');
        policy.push_str(origin);
    }
    HeaderValue::from_str(&policy).map_err(|_| Error::FrameAncestor(frame_ancestors.join(" ")))
}

/// Refuses foreign names and foreign sites, and adds the headers that every answer has.
pub(super) async fn guard(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refused = if !is_our_name(headers, &pages.config.allowed_hosts) {
        Some(Sorry::of(StatusCode::MISDIRECTED_REQUEST, "other_host", Msg::OtherHost))
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_our_site(headers) {
        Some(Sorry::of(StatusCode::FORBIDDEN, "other_site", Msg::OtherSite))
    } else {
        None
    };
    let chosen = request::chosen_lang(request.uri().query());
    let mut response = match refused {
        Some(sorry) => say_sorry(&sorry, headers, request.uri().query()),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, pages.policy.clone());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Some(lang) = chosen {
        headers.append(SET_COOKIE, request::remember_lang(lang));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A page on the open web can point a name of its own at this machine (DNS rebinding) and be "same origin"
/// with it. It cannot do so with a plain address.
fn is_our_name(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || allowed.iter().any(|own| own.eq_ignore_ascii_case(name) || own.eq_ignore_ascii_case(host))
}

/// Browsers say where a request comes from; whatever says nothing is no browser and carries no one's cookie
/// by mistake. The rule is that of Go's `http.CrossOriginProtection`.
fn is_our_site(headers: &HeaderMap) -> bool {
    let text = |value: Option<&HeaderValue>| value.and_then(|value| value.to_str().ok().map(str::to_owned));
    match headers.get("sec-fetch-site") {
        Some(site) => matches!(site.as_bytes(), b"same-origin" | b"none"),
        None => match (text(headers.get(ORIGIN)), text(headers.get(HOST))) {
            (None, _) => !headers.contains_key(ORIGIN),
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(&host))
            }
            (Some(_), None) => false,
        },
    }
}
