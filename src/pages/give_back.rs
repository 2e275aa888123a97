//! The page on which money is given back: a receipt by its number or its code, what is left of it, and how it goes
//! back. A receipt that is scanned at the station meanwhile takes its place.
//!
//! The sale is read from the journal of this till: another till's receipts are not here, and only the till
//! that sold gives back. Not here: deciding (`counter`), who has to approve (`press`).

use super::answer::{Sorry, page as page_of, say_sorry_at};
use super::assets::Frame;
use super::request::Asked;
use super::voice::Voice;
use super::{Pages, lookup, session};
use crate::locales::{Msg, told};
use crate::money::Money;
use crate::receipt::{NotOurs, numbered};
use crate::record::giving_back::{Means, TenderShare};
use crate::record::ids::StationId;
use crate::record::line::{LineId, Quantity};
use crate::record::money_moves::ProviderName;
use crate::sale::Sale;
use crate::staff::Role;
use crate::view::{ReceiptShown, StaffView, View};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "till/give_back.html")]
struct GiveBackPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    station: &'a StationId,
    shown: Option<&'a ReceiptShown>,
    manager: bool,
    managers: Vec<&'a StaffView>,
    asked_for: String,
    found: Option<Found>,
    told: Option<String>,
}

/// A receipt and what is left of it.
struct Found {
    sale: String,
    number: String,
    total: Money,
    returns_seen: usize,
    left: Money,
    lines: Vec<LeftLine>,
    tenders: Vec<TenderShare>,
}

/// A line of which something is left.
struct LeftLine {
    id: LineId,
    name: String,
    name_zh: Option<String>,
    left: String,
    decimals: u8,
    worth: Money,
}

/// `GET /s/{station}/give-back?receipt=NUMBER`
pub(super) async fn page(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    draw(&pages, &station, &asked).await.unwrap_or_else(|sorry| say_sorry_at(&sorry, &asked, "/"))
}

async fn draw(pages: &Pages, station: &str, asked: &Asked) -> Result<Response, Sorry> {
    let place = pages.station(station)?;
    let who = session::here(pages, &asked.headers, &place).await?.ok_or_else(Sorry::session_over)?;
    let view = pages.view();
    let asked_for = asked.fields.get("receipt").unwrap_or("").to_owned();
    let v = pages.voice(asked);
    let found = if asked_for.is_empty() { Ok(None) } else { find(pages, &asked_for).await? };
    let told = match &found {
        _ if asked_for.is_empty() => None,
        Err(no) => Some(told("receipt", &no.to_string(), v.lang)),
        Ok(None) => {
            let lets_go = pages.read(|journal| journal.lets_go()).await?;
            Some(v.with(if lets_go { Msg::ReceiptLetGo } else { Msg::NoSuchReceipt }, &asked_for))
        }
        Ok(Some(found)) if !found.left.is_positive() => Some(v.say(Msg::NothingLeft).to_owned()),
        Ok(Some(_)) => None,
    };
    let found = found.ok().flatten();
    let template = GiveBackPage {
        f: pages.frame(&place),
        view: &view,
        station: &place,
        shown: view.stations.get(&place).and_then(|here| here.shown.as_ref()),
        manager: who.staff.role == Role::Manager,
        managers: view.staff.iter().filter(|person| person.role == Role::Manager).collect(),
        asked_for,
        found: found.filter(|found| found.left.is_positive()),
        told,
        v,
    };
    Ok(page_of(StatusCode::OK, &template))
}

/// The receipt of that number or code, and what is left of its sale.
async fn find(pages: &Pages, text: &str) -> Result<Result<Option<Found>, NotOurs>, Sorry> {
    let named = match lookup::named(pages, text).await? {
        Ok(named) => named,
        Err(no) => return Ok(Err(no)),
    };
    Ok(named.one(pages).map(|sale| sale.and_then(Found::of)))
}

impl Found {
    fn of(sale: &Sale) -> Option<Self> {
        let issued = sale.receipt.as_ref()?;
        let total = sale.fixed.as_ref()?.total;
        let left = sale.left().ok()?;
        let lines = left.lines.iter().filter(|line| line.steps > 0 && line.total.is_positive());
        let lines = lines.filter_map(|line| {
            let sold = sale.line(line.line)?;
            let quantity = Quantity { value: line.steps, ..sold.quantity };
            Some(LeftLine {
                id: line.line,
                name: sold.name.clone(),
                name_zh: sold.name_zh.clone(),
                left: quantity.to_string(),
                decimals: quantity.decimals,
                worth: line.total,
            })
        });
        Some(Self {
            sale: sale.id.to_string(),
            number: numbered(issued.epoch, issued.number),
            total,
            returns_seen: sale.back.drawn.len(),
            left: left.total,
            lines: lines.collect(),
            tenders: left.shares.into_iter().filter(|share| share.amount.is_positive()).collect(),
        })
    }
}

impl Voice {
    /// How a part goes back, as people know it.
    fn means(&self, means: &Means) -> String {
        match means {
            Means::Cash => self.say(Msg::Cash).to_owned(),
            Means::Voucher { .. } => self.say(Msg::VoucherAnew).to_owned(),
            Means::Wallet { provider: ProviderName::Alipay, .. } => self.wallet("alipay"),
            Means::Wallet { provider: ProviderName::Wechat, .. } => self.wallet("wechat"),
            Means::Wallet { provider: ProviderName::House, .. } => self.wallet("house"),
        }
    }
}
