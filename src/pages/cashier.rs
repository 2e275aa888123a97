//! The cashier's page: signing in, the sale in front, the ways to pay, the menu.

use super::Pages;
use super::answer::{Sorry, page as page_of, say_sorry_at, see_other, sorry_json};
use super::assets::Frame;
use super::link::{self, Chip, LinkLine};
use super::payment::{self, Panel};
use super::queue;
use super::request::Asked;
use super::risk;
use super::session::{self, SignedIn};
use super::voice::Voice;
use crate::inbox::{Link, LinkState, StationDevices};
use crate::locales::{Msg, told};
use crate::money::Money;
use crate::record::body::TypeSize;
use crate::record::ids::{StationId, hex};
use crate::staff::Role;
use crate::view::{
    CodeWay, KeyView, LineState, PaidView, Phase, ReceiptShown, Seen, Selling, StaffView, StationView, View,
};
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// Receipts that the list under the cashier's name shows.
const RECENT_SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "till/stations.html")]
struct StationsPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
}

/// The one station's page, or a list to choose from.
pub(super) async fn stations(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let view = pages.view();
    let response = match view.stations.keys().next() {
        Some(only) if view.stations.len() == 1 => see_other(&format!("/s/{only}")),
        Some(_) | None => {
            let template = StationsPage { v: pages.voice(&asked), f: Frame::still(), view: &view };
            page_of(StatusCode::OK, &template)
        }
    };
    std::future::ready(response).await
}

/// `GET /s/{station}`
pub(super) async fn page(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    draw(&pages, &station, &asked, None).await
}

/// Draws whatever the screen is to show at a station, under a no's status where there was one.
pub(super) async fn draw(pages: &Pages, station: &str, asked: &Asked, sorry: Option<Sorry>) -> Response {
    let place = match pages.station(station) {
        Ok(place) => place,
        Err(unknown) => return say_sorry_at(&unknown, asked, "/"),
    };
    let status = sorry.as_ref().map_or(StatusCode::OK, |sorry| sorry.status);
    let words = sorry.map(|sorry| sorry.words(asked.lang));
    let who = match session::here(pages, &asked.headers, &place).await {
        Ok(who) => who,
        Err(broken) => return say_sorry_at(&broken, asked, "/"),
    };
    let view = pages.view();
    let Some(here) = view.stations.get(&place) else {
        return say_sorry_at(&Sorry::no_such_station(), asked, "/");
    };
    match who {
        Some(who) => {
            let unsent = queue::worth_not_sent(pages, &view).await;
            signed_in(pages, asked, &view, &place, here, &who, status, (words, unsent))
        }
        None if view.staff.is_empty() => {
            let (v, f) = (pages.voice(asked), pages.frame(&place));
            page_of(status, &FirstPage { v, f, view: &view, station: &place, told: words })
        }
        None => {
            let occupant = here.staff.as_ref().and_then(|id| view.staff.iter().find(|who| who.id == *id));
            let v = pages.voice(asked);
            let template = SignInPage {
                heading: v.say(Msg::SignIn),
                f: pages.frame(&place),
                view: &view,
                place: place.to_string(),
                action: format!("/s/{place}/sign-in"),
                people: view.staff.iter().collect(),
                occupant: occupant.map(|who| who.name.as_str()),
                told: words,
                v,
            };
            page_of(status, &template)
        }
    }
}

#[derive(Template)]
#[template(path = "till/first.html")]
struct FirstPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    station: &'a StationId,
    told: Option<String>,
}

/// Choosing a name and typing a PIN, here and for the manager's pages.
#[derive(Template)]
#[template(path = "till/signin.html")]
pub(super) struct SignInPage<'a> {
    pub(super) v: Voice,
    pub(super) f: Frame,
    pub(super) view: &'a View,
    pub(super) place: String,
    pub(super) heading: &'static str,
    pub(super) action: String,
    pub(super) people: Vec<&'a StaffView>,
    pub(super) occupant: Option<&'a str>,
    pub(super) told: Option<String>,
}

#[derive(Template)]
#[template(path = "till/cashier.html")]
struct CashierPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    station: &'a StationId,
    here: &'a StationView,
    shown: Option<&'a ReceiptShown>,
    staff: &'a StaffView,
    manager: bool,
    managers: Vec<&'a StaffView>,
    seen: String,
    menu: usize,
    pages: Vec<&'a str>,
    keys: Vec<&'a KeyView>,
    /// How wide the catalogue lays this page of keys out.
    columns: u8,
    selling: bool,
    told: Option<String>,
    troubles: Vec<String>,
    holds_paper: bool,
    is_jammed: bool,
    devices: Vec<Chip>,
    link: LinkLine,
    /// Whether a phone can pay an order: the cloud answers, or the phone brings the proof.
    cloud_answers: bool,
    payment: Option<Panel>,
    notes: Vec<Money>,
    recent: &'a [PaidView],
    zero: Money,
    /// Records that head office has not received, where there is one.
    unsent: u64,
    /// And what the receipts among them come to.
    unsent_worth: Option<String>,
}

#[expect(clippy::too_many_arguments, reason = "one page's parts, gathered where it is drawn")]
fn signed_in(
    pages: &Pages,
    asked: &Asked,
    view: &View,
    station: &StationId,
    here: &StationView,
    who: &SignedIn,
    status: StatusCode,
    (words, worth): (Option<String>, Vec<Money>),
) -> Response {
    let v = pages.voice(asked);
    let worth: Vec<String> = worth.iter().map(|sum| v.money(sum)).collect();
    let (devices, link) = pages.around(station);
    let unsent = match link.state {
        LinkState::Absent => 0,
        LinkState::Pairing | LinkState::Online | LinkState::Offline => {
            view.tip.seq.saturating_sub(link.received)
        }
    };
    let link_state = link.state;
    // What phones need to pay a till that is off line was left here when the cloud was last heard.
    let cloud_answers = link_state == LinkState::Online || pages.parts.board.phones.borrow().is_some();
    let menu_pages = menu_pages(view);
    let menu = asked.fields.get("menu").and_then(|menu| menu.parse().ok()).unwrap_or(0);
    let menu = if menu < menu_pages.len() { menu } else { 0 };
    let keys = keys(view, menu_pages.get(menu).copied());
    let phase = here.sale.as_ref().map(|sale| sale.phase);
    let due = here.sale.as_ref().and_then(|sale| sale.part.or(sale.total.minus(sale.paid).ok()));
    let told = words.or_else(|| here.told.as_ref().map(|said| told(&said.code, &said.words, v.lang)));
    let template = CashierPage {
        f: pages.frame(station),
        view,
        station,
        here,
        shown: here.shown.as_ref(),
        staff: &who.staff,
        manager: who.staff.role == Role::Manager,
        managers: view.staff.iter().filter(|person| person.role == Role::Manager).collect(),
        seen: here.sale.as_ref().map_or_else(String::new, |sale| format!("{}:{}", sale.id, sale.version)),
        menu,
        columns: keys.iter().map(|key| key.column).max().unwrap_or(1),
        keys,
        pages: menu_pages,
        selling: matches!(phase, None | Some(Phase::Basket | Phase::Paid | Phase::Void)),
        told,
        troubles: [link::troubles(&devices, &v), risk::of_counter(view, &v)].concat(),
        holds_paper: link::holds_paper(&devices),
        is_jammed: link::is_jammed(&devices),
        devices: link::chips(&devices, &v),
        cloud_answers,
        link: link::line(&link, view.tip.seq, &v, pages.now_ms()),
        payment: here.sale.as_ref().and_then(|sale| payment::panel(sale, &v, pages.now_ms(), link_state)),
        notes: due.map(payment::notes).unwrap_or_default(),
        recent: view.recent.get(..RECENT_SHOWN).unwrap_or(&view.recent),
        unsent,
        unsent_worth: (!worth.is_empty()).then(|| v.with(Msg::UnsentWorth, worth.join(" + "))),
        zero: Money::zero(view.currency),
        v,
    };
    page_of(status, &template)
}

/// Pages of menu keys in the catalogue's order.
fn menu_pages(view: &View) -> Vec<&str> {
    let mut pages: Vec<&str> = Vec::new();
    for key in &view.menu {
        if !pages.contains(&key.page.as_str()) {
            pages.push(&key.page);
        }
    }
    pages
}

fn keys<'a>(view: &'a View, page: Option<&str>) -> Vec<&'a KeyView> {
    let mut keys: Vec<&KeyView> = view.menu.iter().filter(|key| Some(key.page.as_str()) == page).collect();
    keys.sort_by_key(|key| (key.row, key.column));
    keys
}

/// What the cashier's page is drawn from, for programs.
#[derive(Serialize)]
struct CashierJson<'a> {
    station: &'a StationId,
    signed_in: &'a StaffView,
    here: &'a StationView,
    devices: StationDevices,
    link: Link,
    /// Whether a phone could pay while the cloud does not hear this till.
    pays_unheard: bool,
    now_ms: i64,
    till: &'a View,
}

/// `GET /s/{station}/view.json`
pub(super) async fn json(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let run = async {
        let place = pages.station(&station)?;
        let who = session::here(&pages, &asked.headers, &place).await?.ok_or_else(Sorry::session_over)?;
        let view = pages.view();
        let here = view.stations.get(&place).ok_or_else(Sorry::no_such_station)?;
        let (devices, link) = pages.around(&place);
        let (signed_in, now_ms) = (&who.staff, pages.now_ms());
        let pays_unheard = pages.parts.board.phones.borrow().is_some();
        let json = CashierJson {
            station: &place,
            signed_in,
            here,
            devices,
            link,
            pays_unheard,
            now_ms,
            till: &view,
        };
        Ok(Json(json).into_response())
    };
    run.await.unwrap_or_else(|sorry: Sorry| sorry_json(&sorry, asked.lang))
}

impl Pages {
    /// The latest view.
    pub(super) fn view(&self) -> Arc<View> {
        self.parts.board.view.borrow().clone()
    }

    /// A station's devices and the way to the cloud.
    pub(super) fn around(&self, station: &StationId) -> (StationDevices, Link) {
        let devices = self.parts.board.devices.borrow().get(station).cloned().unwrap_or_default();
        (devices, self.parts.board.link.borrow().clone())
    }

    /// How a page speaks.
    pub(super) fn voice(&self, asked: &Asked) -> Voice {
        Voice::new(asked.lang, self.config.zone.clone(), self.now_ms())
    }

    /// The frame of a page that follows a station.
    pub(super) fn frame(&self, station: &StationId) -> Frame {
        Frame { live: format!("/live?station={station}"), ..self.frame_of_till() }
    }

    /// The frame of a page that follows the whole till.
    pub(super) fn frame_of_till(&self) -> Frame {
        Frame {
            live: "/live".to_owned(),
            command: hex(&(self.parts.chance)()[..16]),
            now_ms: self.now_ms(),
            ..Frame::still()
        }
    }
}
