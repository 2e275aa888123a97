//! The WeChat app around a merchant's page: who the customer is to the merchant, and the window that pays.
//!
//! - `GET /connect/oauth2/authorize?appid&redirect_uri&response_type=code&scope=snsapi_base&state` sends the
//!   browser back with a `code`, without asking the customer anything
//! - `GET /sns/oauth2/access_token?appid&secret&code&grant_type=authorization_code` -> `{"openid":"..."}`; a code
//!   is good once, any secret is taken
//! - `POST /wechat/bridge` with what a page hands to `getBrandWCPayRequest`: the merchant's signature is verified,
//!   and the answer is the phone's page for it, `{"page":"/qr/..."}`
//!
//! Sources: WeChat's "Web page authorization" for official accounts, WeChat Pay APIv3 "JSAPI: invoking the
//! payment". Deliberately not here: opening the order (`wechat`), paying it (`phone`), access tokens that do
//! anything, `snsapi_userinfo`.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{chance, phone::percent_encoded, server::Host, wechat::PREPAY};

/// Codes that are remembered as used; then the memory begins anew, as a simulator's may.
const MAX_USED: usize = 10_000;

pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new()
        .route("/connect/oauth2/authorize", get(authorize))
        .route("/sns/oauth2/access_token", get(exchange))
        .route("/wechat/bridge", post(bridge))
}

/// Codes that were exchanged.
#[derive(Default)]
pub(super) struct UsedCodes(Mutex<BTreeSet<String>>);

impl UsedCodes {
    /// True the first time.
    fn take(&self, code: &str) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MAX_USED {
            used.clear();
        }
        used.insert(code.to_owned())
    }
}

#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    state: String,
}

async fn authorize(State(host): State<Arc<Host>>, Query(wanted): Query<Wanted>) -> Response {
    let to = &wanted.redirect_uri;
    let is_web = to.starts_with("http://") || to.starts_with("https://");
    let plain = |text: &str| text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let sound = is_web && wanted.response_type == "code" && wanted.scope == "snsapi_base";
    if !sound || wanted.appid.is_empty() || !plain(&wanted.state) {
        return (StatusCode::BAD_REQUEST, "redirect_uri, response_type, scope or state is wrong\n")
            .into_response();
    }
    let gateway = &host.gateway;
    let nth = gateway.answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let who = chance::token(gateway.seed, &["openid", &wanted.appid, &wanted.state]);
    let proof = chance::token(gateway.seed, &["code", &who, &nth]);
    let join = if to.contains('?') { '&' } else { '?' };
    let code = format!("{who}{nth:0>8}{proof}");
    Redirect::to(&format!("{to}{join}code={code}&state={}", percent_encoded(&wanted.state))).into_response()
}

#[derive(Debug, Deserialize)]
struct Exchange {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    grant_type: String,
}

async fn exchange(State(host): State<Arc<Host>>, Query(asked): Query<Exchange>) -> Response {
    let refused = |number: i64, words: &str| {
        // It says no with HTTP 200, too.
        Json(json!({ "errcode": number, "errmsg": words })).into_response()
    };
    if asked.appid.is_empty() || asked.secret.is_empty() {
        return refused(41_002, "appid missing");
    }
    if asked.grant_type != "authorization_code" {
        return refused(40_002, "invalid grant_type");
    }
    let Some(who) = issued(host.gateway.seed, &asked.code) else { return refused(40_029, "invalid code") };
    if !host.gateway.used_codes.take(&asked.code) {
        return refused(40_163, "code been used");
    }
    Json(json!({
        "access_token": "SIMULATED",
        "expires_in": 7200,
        "refresh_token": "SIMULATED",
        "openid": format!("oSim{who}"),
        "scope": "snsapi_base",
    }))
    .into_response()
}

/// Whom a code of ours is for.
fn issued(seed: u64, code: &str) -> Option<&str> {
    let (who, rest) = code.split_at_checked(24)?;
    let (nth, proof) = rest.split_at_checked(rest.len().checked_sub(24)?)?;
    let nth = nth.trim_start_matches('0');
    let nth = if nth.is_empty() { "0" } else { nth };
    (chance::token(seed, &["code", who, nth]) == proof).then_some(who)
}

/// What `getBrandWCPayRequest` takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Brand {
    app_id: String,
    time_stamp: String,
    nonce_str: String,
    package: String,
    sign_type: String,
    pay_sign: String,
}

async fn bridge(State(host): State<Arc<Host>>, Json(asked): Json<Value>) -> Response {
    let fail = |words: &str| {
        let told = json!({ "err_msg": "get_brand_wcpay_request:fail", "err_desc": words });
        (StatusCode::BAD_REQUEST, Json(told)).into_response()
    };
    let Ok(brand) = serde_json::from_value::<Brand>(asked) else {
        return fail("appId, timeStamp, nonceStr, package, signType and paySign are strings");
    };
    if brand.sign_type != "RSA" {
        return fail("signType is RSA");
    }
    let Brand { app_id, time_stamp, nonce_str, package, pay_sign, .. } = &brand;
    let signed = format!("{app_id}\n{time_stamp}\n{nonce_str}\n{package}\n");
    if !host.gateway.keys.merchant_signed(signed.as_bytes(), pay_sign) {
        return fail("paySign is not the merchant key's over these values");
    }
    let Some(token) = package.strip_prefix("prepay_id=").and_then(|id| id.strip_prefix(PREPAY)) else {
        return fail("package is not prepay_id=...");
    };
    let (token, looked_up) = (token.to_owned(), token.to_owned());
    match host.on_books(move |books| books.find_by_token(&looked_up)).await {
        Ok(Some(trade)) if trade.app_id == *app_id => {
            Json(json!({ "page": format!("/qr/{token}") })).into_response()
        }
        Ok(Some(_) | None) => fail("the prepay_id is not of this app"),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the ledger failed; see the log\n").into_response(),
    }
}
