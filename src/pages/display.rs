//! What the customer sees: the lines, the total, and what to do next. Nobody signs in to it, and nothing on
//! it can be pressed.

use super::Pages;
use super::answer::{page as page_of, say_sorry};
use super::assets::Frame;
use super::request::Asked;
use super::voice::Voice;
use crate::locales::Msg;
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
}

/// `GET /display/{station}`
pub(super) async fn page(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let response = match pages.station(&station) {
        Err(sorry) => say_sorry(&sorry, &asked.headers, None),
        Ok(place) => {
            let (v, f, view) = (pages.voice(&asked), pages.frame(&place), pages.view());
            match view.stations.get(&place) {
                Some(here) => {
                    let (state, next) = (state(here), next(here, &v));
                    page_of(StatusCode::OK, &DisplayPage { v, f, view: &view, here, state, next })
                }
                None => say_sorry(&super::answer::Sorry::no_such_station(), &asked.headers, None),
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
