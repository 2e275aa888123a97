//! What a request says: its fields, its language, whether it wants JSON, its cookies.

use super::Pages;
use super::answer::{Sorry, say_sorry};
use super::fields::Fields;
use crate::locales::{Lang, Msg};
use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// A request as handlers want it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) lang: Lang,
    pub(super) json: bool,
    pub(super) fields: Fields,
    pub(super) headers: HeaderMap,
}

impl FromRequest<Arc<Pages>> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, pages: &Arc<Pages>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let uri = request.uri().clone();
        let broken = || {
            let sorry = Sorry::of(StatusCode::UNPROCESSABLE_ENTITY, "form", Msg::FormBroken);
            say_sorry(&sorry, &headers, uri.query())
        };
        let Query(mut fields) = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| broken())?;
        if is_json(&headers) {
            let body = Bytes::from_request(request, pages).await.map_err(|_| broken())?;
            fields.extend(json_fields(&body).ok_or_else(broken)?);
        } else if headers.contains_key(CONTENT_TYPE) {
            let form = Form::<Vec<(String, String)>>::from_request(request, pages).await;
            fields.extend(form.map_err(|_| broken())?.0);
        }
        let (lang, json) = (lang(&headers, uri.query()), wants_json(&headers));
        Ok(Self { lang, json, fields: Fields(fields), headers })
    }
}

/// Whether the body is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The fields of a flat object: texts and numbers as they are, null as if it were missing.
fn json_fields(body: &[u8]) -> Option<Vec<(String, String)>> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
    let mut fields = Vec::new();
    for (name, value) in object {
        if let Some(text) = value.as_str() {
            fields.push((name, text.to_owned()));
        } else if value.is_number() {
            fields.push((name, value.to_string()));
        } else if !value.is_null() {
            return None;
        }
    }
    Some(fields)
}

/// How long a language is remembered, in seconds: a year.
const LANG_S: u32 = 365 * 24 * 3600;

/// The header that remembers a language.
pub(super) fn remember_lang(lang: Lang) -> HeaderValue {
    let cookie = format!("{LANG_COOKIE}={}; Path=/; SameSite=Strict; Max-Age={LANG_S}", lang.tag());
    HeaderValue::from_str(&cookie).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The cookie that remembers the language.
pub(super) const LANG_COOKIE: &str = "till-lang";

/// The language: from the address, else remembered, else as the browser asks.
pub(super) fn lang(headers: &HeaderMap, query: Option<&str>) -> Lang {
    chosen_lang(query)
        .or_else(|| cookie(headers, LANG_COOKIE).and_then(|tag| Lang::by_tag(&tag)))
        .or_else(|| {
            headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(Lang::accepted)
        })
        .unwrap_or_default()
}

/// The language that the address itself chooses.
pub(super) fn chosen_lang(query: Option<&str>) -> Option<Lang> {
    query?.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::by_tag)
}

/// Whether the answer is to be JSON.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.contains("application/json")
}

/// A cookie's value.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}
