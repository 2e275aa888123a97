//! What phones see: the bill on their desk, one button to pay it, and the end of it.
//!
//! The bill is the fold of the records that have arrived: the sale that the cashier sees. **Invariant:** a
//! phone pays a version of a bill, once: (sale, version) is a unique key, and money starts to move only for
//! an order that the till has signed for it. Not here: calling the wallet (`settler`).

mod bill;
mod live;
mod pay;
mod said;
mod words;

use super::Cloud;
use super::admin::draw;
use super::problem::Problem;
use crate::record::ids::{DeskId, SaleId};
use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use bill::Look;
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
        return Ok((StatusCode::NOT_FOUND, Html(bill::unknown(words))).into_response());
    };
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
    let order = cloud.store.order_by_text(order).await?;
    let (Some(order), Some(bundle)) = (order, cloud.bundle().await) else {
        return Ok((StatusCode::NOT_FOUND, Html(bill::unknown(words))).into_response());
    };
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

/// A phone, known by a random cookie and by nothing else.
pub(crate) struct Phone {
    id: String,
    cookie: Cookie,
}

#[derive(PartialEq, Eq)]
enum Cookie {
    Had,
    Fresh,
}

impl Phone {
    fn of(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let had = cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix("till_phone="))
            .find(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (had, draw(), draw()) {
            (Some(id), _, _) => Self { id: id.to_owned(), cookie: Cookie::Had },
            (None, Some(one), Some(two)) => {
                Self { id: format!("{one:016x}{two:016x}"), cookie: Cookie::Fresh }
            }
            // Without chance there is no phone: an id that matches nobody.
            (None, _, _) => Self { id: String::new(), cookie: Cookie::Had },
        }
    }

    /// Whether this is the phone with that id.
    fn is(&self, id: Option<&str>) -> bool {
        !self.id.is_empty() && id == Some(self.id.as_str())
    }

    fn answer(&self, page: Result<String, askama::Error>) -> Result<Response, Problem> {
        let page = page.map_err(|_| Problem::unavailable("The page cannot be drawn."))?;
        Ok(self.mark(Html(page).into_response()))
    }

    /// Gives the cookie to a phone that has none.
    fn mark(&self, mut response: Response) -> Response {
        let cookie = format!("till_phone={}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax", self.id);
        if self.cookie == Cookie::Fresh
            && let Ok(value) = HeaderValue::from_str(&cookie)
        {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        response
    }
}
