//! A phone that has the page open in WeChat: WeChat is asked who that is to the merchant, before anything is tapped.
//!
//! The browser goes to WeChat and comes back by itself. The name stays in that browser's cookie; it is written
//! down only from the tap to the wallet's answer. **Invariant:** a phone is sent at most once a minute, so that a
//! WeChat that refuses makes no circle.
//!
//! Not here: the exchange itself (`wallet::wechat::openid`).

use super::browser::App;
use super::{Phone, cookie};
use crate::cloud::Cloud;
use crate::wallet::wechat::openid;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;

/// The cookie with the name, or with [`NOBODY`] where WeChat told none.
const COOKIE: &str = "till_payer";
const NOBODY: &str = "-";

/// How long a name is kept in the browser: one visit.
const KEPT_S: u32 = 86_400;

/// How long a phone without a name is left alone.
const AGAIN_S: u32 = 60;

/// The longest address of a page of ours.
const PLACE_CHARACTERS: usize = 300;

/// The name that this browser has.
pub(super) fn name(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE).filter(|name| openid::is_name(name)).map(str::to_owned)
}

/// Sends a phone in WeChat to be named, where that is possible and has not just failed.
pub(super) fn ask(cloud: &Cloud, phone: &Phone, headers: &HeaderMap, place: &str) -> Option<Response> {
    let openids = cloud.accounts.openids.as_ref()?;
    if phone.app != App::WeChat || cookie(headers, COOKIE).is_some() {
        return None;
    }
    let back =
        format!("{}/wechat/back?to={}", cloud.public_base, crate::wallet::http::percent_encoded(place));
    Some(phone.mark(Redirect::to(&openids.ask(&back, &state(phone))).into_response()))
}

/// What WeChat brings back unchanged: it fits this phone only, and does not tell its id.
fn state(phone: &Phone) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, phone.id.as_bytes());
    digest.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Deserialize)]
pub(super) struct Back {
    to: String,
    /// Missing where the customer said no.
    code: Option<String>,
    #[serde(default)]
    state: String,
}

/// `GET /wechat/back`
pub(super) async fn back(
    State(cloud): State<Arc<Cloud>>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let phone = Phone::of(&headers);
    let name = match (&cloud.accounts.openids, back.code) {
        (Some(openids), Some(code)) if back.state == state(&phone) => match openids.exchange(&code).await {
            Ok(name) => Some(name),
            Err(why) => {
                tracing::warn!(why, "WeChat does not say who opens a page");
                None
            }
        },
        (_, _) => None,
    };
    let (value, age_s) = match &name {
        Some(name) => (name.as_str(), KEPT_S),
        None => (NOBODY, AGAIN_S),
    };
    let mut response = Redirect::to(ours(&back.to)).into_response();
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    phone.mark(response)
}

/// A page of phones, and nothing else: whoever made the address decides where the browser goes.
fn ours(place: &str) -> &str {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_page = (place.starts_with("/d/") || place.starts_with("/O/"))
        && place.len() <= PLACE_CHARACTERS
        && place.bytes().all(allowed)
        && !place.contains("//");
    if is_page { place } else { "/d/-" }
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn a_phone_comes_back_to_pages_of_ours_only() {
        assert_eq!(ours("/d/table-4"), "/d/table-4");
        assert_eq!(ours("/O/O1.abc_-~"), "/O/O1.abc_-~");
        for bad in ["//evil.example", "https://evil.example", "/d//evil.example", "/d/a?x", "/", "/d/a\r\nb"]
        {
            assert_eq!(ours(bad), "/d/-", "{bad}");
        }
    }
}
