//! What the customer sees: the lines, the total, and what to do next. Nobody signs in to it, and nothing on
//! it can be pressed.

use super::Pages;
use super::answer::{page as page_of, say_sorry_at};
use super::assets::Frame;
use super::payment::clock;
use super::request::Asked;
use super::voice::Voice;
use crate::locales::Msg;
use crate::money::Money;
use crate::view::{LineState, Phase, StationView, View};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "till/display.html")]
struct DisplayPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    here: &'a StationView,
    state: &'static str,
    next: String,
    code: Option<Code>,
}

/// A code that the customer scans.
struct Code {
    svg: String,
    amount: Money,
    with: String,
    until_ms: i64,
    remaining: String,
}

/// `GET /display/{station}`
pub(super) async fn page(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let response = match pages.station(&station) {
        Err(sorry) => say_sorry_at(&sorry, &asked, "/"),
        Ok(place) => {
            let (v, f, view) = (pages.voice(&asked), pages.frame(&place), pages.view());
            match view.stations.get(&place) {
                Some(here) => {
                    let (state, next) = (state(here), next(here, &v));
                    let code = code(here, &v, pages.now_ms());
                    page_of(StatusCode::OK, &DisplayPage { v, f, view: &view, here, state, next, code })
                }
                None => say_sorry_at(&super::answer::Sorry::no_such_station(), &asked, "/"),
            }
        }
    };
    std::future::ready(response).await
}

fn state(here: &StationView) -> &'static str {
    match (&here.sale, &here.paid) {
        (Some(_), _) => "selling",
        (None, Some(_)) => "paid",
        (None, None) => "waiting",
    }
}

/// The code of the payment under way, if one is shown and nobody has begun to pay it.
fn code(here: &StationView, v: &Voice, now_ms: i64) -> Option<Code> {
    let sale = here.sale.as_ref().filter(|sale| sale.phase == Phase::Paying)?;
    let payment = sale.payments.last().filter(|payment| payment.lets_scan())?;
    Some(Code {
        svg: crate::paper::svg(payment.code.as_deref()?)?,
        amount: payment.amount,
        with: match payment.wallet {
            Some(wallet) => v.with(Msg::ScanWith, v.wallet(wallet)),
            None => v.say(Msg::ScanWithAny).to_owned(),
        },
        until_ms: payment.until_ms,
        remaining: clock(payment.until_ms.saturating_sub(now_ms)),
    })
}

/// What the customer can do now. Empty while the basket grows.
fn next(here: &StationView, v: &Voice) -> String {
    let Some(sale) = &here.sale else { return String::new() };
    let mut sentences = Vec::new();
    match sale.phase {
        Phase::Tender => sentences.push(v.say(Msg::ShowPayCode)),
        Phase::Paying => sentences.push(v.say(Msg::PayingPlease)),
        Phase::Basket | Phase::Paid | Phase::Void | Phase::Frozen => {}
    }
    if sale.desk.is_some() && matches!(sale.phase, Phase::Basket | Phase::Tender) {
        sentences.push(v.say(Msg::DeskQrHint));
    }
    sentences.join(" · ")
}
