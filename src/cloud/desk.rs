//! What phones see: the bill on their desk, one tap to pay it, and the receipt.
//!
//! The bill is the fold of the records that have arrived: the sale that the cashier sees. **Invariant:** a
//! phone pays a version of a bill, once: (sale, version) is a unique key, and money starts to move only for
//! an order that the till has signed for it. Not here: calling the wallet (`settler`).

mod bill;
mod browser;
mod live;
mod order;
mod page;
mod pay;
mod receipt;
mod said;
mod wechat;
mod words;

use super::Cloud;
use super::admin::draw;
use super::problem::Problem;
use crate::record::ids::{DeskId, SaleId};
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bill::Look;
use browser::App;
pub(crate) use order::Tags;
use said::Said;
use serde::Deserialize;
use std::sync::Arc;
use words::Words;

/// Phones that watch a bill at once.
pub(crate) const LIVE_MAX: usize = 2_000;

/// Routes of phones.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/d/{desk}", get(show))
        .route("/d/{desk}/live", get(live::watch))
        .route("/d/{desk}/pay", post(pay::pay))
        .route("/d/{desk}/coupon", post(pay::coupon))
        .route("/O/{order}", get(show_order))
        .route("/O/{order}/pay", post(pay::pay_order))
        .route("/wechat/back", get(wechat::back))
        .route("/assets/cloud.css", get(async || file("text/css", include_str!("assets/cloud.css"))))
        .route("/assets/bill.js", get(async || file("text/javascript", include_str!("assets/bill.js"))))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let kind = HeaderValue::from_str(&format!("{kind}; charset=utf-8"));
    let kind = kind.unwrap_or(HeaderValue::from_static("text/plain"));
    let fields =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"))];
    (fields, text).into_response()
}

#[derive(Deserialize)]
struct Asked {
    /// A sale that this phone paid, still shown to it when the desk has moved on.
    sale: Option<SaleId>,
    said: Option<Said>,
    /// A language that was chosen on the page.
    lang: Option<String>,
}

impl Asked {
    /// Remembers a language that was chosen, and opens the page again without saying so.
    fn speak(&self, place: &str) -> Option<Response> {
        let words = Words::by_tag(self.lang.as_deref()?);
        let to = match self.sale {
            Some(sale) => format!("{place}?sale={sale}"),
            None => place.to_owned(),
        };
        let mut response = Redirect::to(&to).into_response();
        if let Ok(value) = HeaderValue::from_str(&words.cookie()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        Some(response)
    }
}

/// `GET /d/{desk}`
async fn show(
    State(cloud): State<Arc<Cloud>>,
    Path(desk): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    let phone = Phone::of(&headers);
    let Some((bundle, desk)) = known_desk(&cloud, &desk).await else {
        return Ok((StatusCode::NOT_FOUND, Html(page::unknown(words))).into_response());
    };
    let place = format!("/d/{desk}");
    if let Some(elsewhere) = asked.speak(&place).or_else(|| wechat::ask(&cloud, &phone, &headers, &place)) {
        return Ok(elsewhere);
    }
    let look = Look::at_desk(&cloud, &desk, asked.sale, &phone).await?;
    let name = bundle.desk(&desk).map_or_else(String::new, |desk| desk.name.clone());
    let page = look.page(&cloud, &bundle, words, &phone, &name, asked.said);
    phone.answer(page.render())
}

/// `GET /O/{order}`: the bill of an order shown on a display or on paper.
async fn show_order(
    State(cloud): State<Arc<Cloud>>,
    Path(order): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    let phone = Phone::of(&headers);
    let place = format!("/O/{order}");
    let order = order::look_up(&cloud, &order).await?;
    let (Some(order), Some(bundle)) = (order, cloud.bundle().await) else {
        return Ok((StatusCode::NOT_FOUND, Html(page::unknown(words))).into_response());
    };
    if let Some(elsewhere) = asked.speak(&place).or_else(|| wechat::ask(&cloud, &phone, &headers, &place)) {
        return Ok(elsewhere);
    }
    let look = Look::at_order(&cloud, order).await?;
    let page = look.page(&cloud, &bundle, words, &phone, "", asked.said);
    phone.answer(page.render())
}

type Known = (Arc<crate::bundle::Bundle>, DeskId);

async fn known_desk(cloud: &Cloud, desk: &str) -> Option<Known> {
    let bundle = cloud.bundle().await?;
    let desk: DeskId = desk.parse().ok()?;
    bundle.desk(&desk)?;
    Some((bundle, desk))
}

/// A cookie of the request.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A phone, known by a random cookie and by nothing else.
pub(crate) struct Phone {
    id: String,
    cookie: Cookie,
    /// What it has the page open in.
    app: App,
    /// Who its owner is to the merchant, where it is open in WeChat and WeChat said so.
    openid: Option<String>,
}

#[derive(PartialEq, Eq)]
enum Cookie {
    Had,
    Fresh,
}

impl Phone {
    fn of(headers: &HeaderMap) -> Self {
        let had = cookie(headers, "till_phone")
            .filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let (id, cookie) = match (had, draw(), draw()) {
            (Some(id), _, _) => (id.to_owned(), Cookie::Had),
            (None, Some(one), Some(two)) => (format!("{one:016x}{two:016x}"), Cookie::Fresh),
            // Without chance there is no phone: an id that matches nobody.
            (None, _, _) => (String::new(), Cookie::Had),
        };
        Self { id, cookie, app: App::of(headers), openid: wechat::name(headers) }
    }

    /// Whether this is the phone with that id.
    fn is(&self, id: Option<&str>) -> bool {
        !self.id.is_empty() && id == Some(self.id.as_str())
    }

    fn answer(&self, page: Result<String, askama::Error>) -> Result<Response, Problem> {
        let page = page.map_err(|_| Problem::unavailable("The page cannot be drawn."))?;
        Ok(self.mark(Html(page).into_response()))
    }

    /// Gives the cookie to a phone that has none. A wallet may ask whose page led to it (WeChat Pay's H5 payment opens
    /// for the merchant's own domain only, by `Referer`): it hears the domain, and not which desk.
    fn mark(&self, mut response: Response) -> Response {
        let cookie = format!("till_phone={}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax", self.id);
        let policy = HeaderValue::from_static("strict-origin");
        response.headers_mut().insert(header::REFERRER_POLICY, policy);
        if self.cookie == Cookie::Fresh
            && let Ok(value) = HeaderValue::from_str(&cookie)
        {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
        response
    }
}
