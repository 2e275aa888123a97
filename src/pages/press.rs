//! A press of a button on the cashier's page: who presses, who approves, and the till's answer.

use super::answer::{Sorry, see_other, sorry_json};
use super::request::Asked;
use super::session::{self, SignedIn};
use super::{Pages, act, cashier, link, pin};
use crate::counter::event::{Act, Command, Event};
use crate::inbox::{Reply, StationDevices};
use crate::locales::Msg;
use crate::record::ids::{StaffId, StationId};
use crate::staff::Role;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an answer waits for the view to show what was done. It is drawn with the commit; only a till
/// that is being stopped draws no more.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// What became of a press: the till's reply, and a cookie to set or clear.
pub(super) struct Done {
    pub(super) reply: Reply,
    pub(super) cookie: Option<HeaderValue>,
}

/// One of the acts at a station.
pub(super) async fn press(
    State(pages): State<Arc<Pages>>,
    Path((station, name)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let outcome = run(&pages, &station, &name, &asked).await;
    conclude(&pages, &station, &asked, outcome).await
}

/// Gives up the receipt that stands still in the station's printer. It is no record: what became of the paper comes
/// from the printer, is written down as any outcome, and asks for a person.
pub(super) async fn give_up_paper(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let presses = Arc::clone(&pages.parts.board.paper_given_up);
    let button = Button { now: link::holds_paper, not_now: Msg::NoPaperHeld, presses: &presses };
    count(&pages, &station, &asked, button).await
}

/// Tells the station's printer to go on after a jam that the person who presses has cleared. It is no record either:
/// what became of the receipt was written down when the printer stopped.
pub(super) async fn jam_cleared(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let presses = Arc::clone(&pages.parts.board.jam_cleared);
    let button = Button { now: link::is_jammed, not_now: Msg::NothingJammed, presses: &presses };
    count(&pages, &station, &asked, button).await
}

/// A button about a device: it makes no record, and each press is counted on the board.
struct Button<'a> {
    /// Whether it means anything now.
    now: fn(&StationDevices) -> bool,
    /// What is said where it does not.
    not_now: Msg,
    presses: &'a watch::Sender<BTreeMap<StationId, u64>>,
}

async fn count(pages: &Arc<Pages>, station: &str, asked: &Asked, button: Button<'_>) -> Response {
    let run = async {
        let (place, _) = session::must(pages, station, asked).await?;
        if !pages.parts.board.devices.borrow().get(&place).is_some_and(button.now) {
            return Err(Sorry::of(StatusCode::CONFLICT, "not_now", button.not_now));
        }
        button.presses.send_modify(|presses| *presses.entry(place).or_default() += 1);
        Ok(Done { reply: Reply { seq: pages.view().tip.seq, sale: None }, cookie: None })
    };
    let outcome = run.await;
    conclude(pages, station, asked, outcome).await
}

async fn run(pages: &Pages, station: &str, name: &str, asked: &Asked) -> Result<Done, Sorry> {
    let (station, who) = session::must(pages, station, asked).await?;
    let act = {
        let view = pages.parts.board.view.borrow();
        let here = view.stations.get(&station).ok_or_else(Sorry::no_such_station)?;
        act::read(name, &asked.fields, view.currency, here)?
    };
    let reply = send(pages, asked, &station, &who, name, act).await?;
    Ok(Done { reply, cookie: None })
}

/// Sends an act through the till's door, approved where a manager's PIN came with it, and waits until
/// screens can show it.
pub(super) async fn send(
    pages: &Pages,
    asked: &Asked,
    station: &StationId,
    who: &SignedIn,
    name: &str,
    act: Act,
) -> Result<Reply, Sorry> {
    let press = asked.fields.command(name)?;
    let seen = asked.fields.seen()?;
    let approver = approver(pages, asked).await?;
    let command =
        Command { station: station.clone(), staff: Some(who.staff.id.clone()), approver, seen, act };
    pages.ask(press, command).await
}

/// The manager whose PIN came with the form.
async fn approver(pages: &Pages, asked: &Asked) -> Result<Option<StaffId>, Sorry> {
    // The form names a manager by default: only a typed PIN makes it an approval.
    let Some(typed) = asked.fields.get("approver_pin") else { return Ok(None) };
    let staff = pin::check(pages, asked.fields.get("approver").unwrap_or(""), typed).await?;
    if pages.person(&staff).is_none_or(|person| person.role != Role::Manager) {
        return Err(Sorry::of(StatusCode::FORBIDDEN, "needs_manager", Msg::OnlyManagers));
    }
    Ok(Some(staff))
}

impl Pages {
    /// A station of this till by the text in an address.
    pub(super) fn station(&self, text: &str) -> Result<StationId, Sorry> {
        let station: StationId = text.parse().map_err(|_| Sorry::no_such_station())?;
        let known = self.parts.board.view.borrow().stations.contains_key(&station);
        if known { Ok(station) } else { Err(Sorry::no_such_station()) }
    }

    /// Asks the till, and waits until the view shows it.
    pub(super) async fn ask(&self, press: Option<String>, command: Command) -> Result<Reply, Sorry> {
        let reply = self.parts.inbox.ask_as(press, Event::Act(command)).await?;
        let mut view = self.parts.board.view.clone();
        let shown = view.wait_for(|view| view.tip.seq >= reply.seq);
        if tokio::time::timeout(SHOWN_WITHIN, shown).await.is_err() {
            tracing::warn!(seq = reply.seq, "an answer left before screens could show it");
        }
        Ok(reply)
    }
}

/// Answers a press at a station in the form that was asked for.
pub(super) async fn conclude(
    pages: &Pages,
    station: &str,
    asked: &Asked,
    outcome: Result<Done, Sorry>,
) -> Response {
    match outcome {
        Ok(done) => {
            let mut response =
                if asked.json { Json(done.reply).into_response() } else { see_other(&back(station, asked)) };
            if let Some(cookie) = done.cookie {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Err(sorry) if asked.json => sorry_json(&sorry, asked.lang),
        Err(sorry) => cashier::draw(pages, station, asked, Some(sorry)).await,
    }
}

fn back(station: &str, asked: &Asked) -> String {
    match asked.fields.get("menu").and_then(|menu| menu.parse::<u8>().ok()) {
        Some(menu) if menu > 0 => format!("/s/{station}?menu={menu}"),
        Some(_) | None => format!("/s/{station}"),
    }
}
