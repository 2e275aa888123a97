//! One receipt on a screen: as its paper looks, as a picture and as text, for the cashier and the manager.
//!
//! It is made by the same hands as the paper, so that a customer's question is answered from what the customer holds.
//! Looking prints nothing and counts as nothing. Not here: printing it again (`press`), giving back (`give_back`).

use super::answer::{Sorry, page as page_of, say_sorry_at};
use super::assets::Frame;
use super::request::Asked;
use super::voice::Voice;
use super::{Pages, lookup, session};
use crate::locales::Msg;
use crate::paper::Stock;
use crate::receipt::{Issuer, Receipt};
use crate::record::body::{Paper, TypeSize};
use crate::record::ids::StationId;
use crate::sale::Sale;
use crate::view::View;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "till/receipt.html")]
struct ReceiptPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    station: &'a StationId,
    sale: String,
    number: String,
    size: &'static str,
    text: String,
    /// Signed in at the station: may print it again.
    at_station: bool,
    /// Something of it can be given back.
    returnable: bool,
}

/// In which form it is asked for.
#[derive(Clone, Copy)]
enum Form {
    Page,
    Png,
    Text,
}

/// `GET /s/{station}/receipt/{number}`, and the same with `.png` or `.txt`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Path((station, name)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    draw(&pages, &station, &name, &asked).await.unwrap_or_else(|sorry| say_sorry_at(&sorry, &asked, "/"))
}

async fn draw(pages: &Pages, station: &str, name: &str, asked: &Asked) -> Result<Response, Sorry> {
    let place = pages.station(station)?;
    let here = session::here(pages, &asked.headers, &place).await?;
    if here.is_none() {
        session::manager(pages, &asked.headers).await?.ok_or_else(Sorry::session_over)?;
    }
    let (number, form) = match name.rsplit_once('.') {
        Some((number, "png")) => (number, Form::Png),
        Some((number, "txt")) => (number, Form::Text),
        Some(_) | None => (name, Form::Page),
    };
    let unknown = || Sorry::about(StatusCode::NOT_FOUND, "no_such_receipt", Msg::NoSuchReceipt, number);
    let found = lookup::named(pages, number).await?.map_err(|_| unknown())?;
    // Whatever names more than one receipt, or none, shows none.
    let [sale] = found.sales.as_slice() else { return Err(unknown()) };
    let original = lookup::original(pages, sale).await?;
    let receipt = receipt(pages, sale, original.as_ref()).ok_or_else(unknown)?;
    let stock = pages.stock(&place).ok_or_else(Sorry::no_such_station)?;
    let size = match asked.fields.get("size") {
        Some("large") => TypeSize::Large,
        Some(_) | None => sale.size,
    };
    let numbered = receipt.numbered();
    match form {
        Form::Png => Ok(file(stock.png(&receipt, size), "image/png", &numbered, "png")),
        Form::Text => {
            let text = stock.text(&receipt, size).into_bytes();
            Ok(file(text, "text/plain; charset=utf-8", &numbered, "txt"))
        }
        Form::Page => {
            let template = ReceiptPage {
                v: pages.voice(asked),
                f: Frame { live: String::new(), ..pages.frame(&place) },
                view: &pages.view(),
                station: &place,
                sale: sale.id.to_string(),
                number: numbered,
                size: if size == TypeSize::Large { "large" } else { "normal" },
                text: stock.text(&receipt, size),
                at_station: here.is_some(),
                returnable: sale.left().is_ok_and(|left| left.total.is_positive()),
            };
            Ok(page_of(StatusCode::OK, &template))
        }
    }
}

/// The receipt as its first paper says it.
fn receipt(pages: &Pages, sale: &Sale, original: Option<&Sale>) -> Option<Receipt> {
    let in_force = pages.parts.board.in_force.borrow().clone()?;
    let view = pages.view();
    let issuer = Issuer { terminal: &view.terminal, bundle: &in_force.bundle, stamp: &pages.parts.stamp };
    let cashier = sale.staff.as_ref().and_then(|staff| pages.person(staff)).map(|person| person.name);
    issuer.receipt(sale, original, cashier, Paper::Receipt)
}

fn file(bytes: Vec<u8>, kind: &'static str, number: &str, extension: &str) -> Response {
    // Hexadecimal digits and a dash.
    let name = format!("inline; filename=\"receipt-{number}.{extension}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response()
}

impl Pages {
    /// The paper of a station, or of another where it has none.
    fn stock(&self, station: &StationId) -> Option<&Stock> {
        let stocks = &self.config.stocks;
        stocks.get(station).or_else(|| stocks.values().next())
    }
}
