//! The checklist after an outage, on the page and on receipt paper.

use super::books::lacking;
use super::list::{List, taken};
use super::scene::Scene;
use super::sign_in_page;
use crate::inbox::{DeviceWork, PortState, Report};
use crate::locales::{Lang, Msg};
use crate::pages::answer::{Sorry, page as page_of, say_sorry_at, see_other, sorry_json};
use crate::pages::assets::Frame;
use crate::pages::request::Asked;
use crate::pages::voice::Voice;
use crate::pages::{Pages, pin, session};
use crate::queue::checklist::{Answer, Check, Checklist, LISTED_MAX, Same};
use crate::queue::filter::Which;
use crate::queue::{Filter, Marks, Standing};
use crate::record::epochs::Standing as Books;
use crate::record::ids::StationId;
use crate::staff::Role;
use crate::view::{StaffView, View};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "till/queue/checklist.html")]
struct ChecklistPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    staff: &'a StaffView,
    told: Option<String>,
    good: Option<String>,
    lines: Vec<Line>,
    list: &'a Checklist,
    can_print: bool,
}

/// A question as the page shows it.
struct Line {
    mark: &'static str,
    sign: &'static str,
    words: String,
    /// Where somebody does what has to be done about it.
    address: Option<&'static str>,
}

/// `GET /queue/checklist`
pub(in crate::pages) async fn page(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    draw(&pages, &asked, None).await
}

async fn draw(pages: &Pages, asked: &Asked, sorry: Option<Sorry>) -> Response {
    let status = sorry.as_ref().map_or(StatusCode::OK, |sorry| sorry.status);
    let told = sorry.map(|sorry| sorry.words(asked.lang));
    let run = async {
        let Some(who) = session::manager(pages, &asked.headers).await? else {
            return Ok(sign_in_page(pages, asked, &pages.view(), status, told.clone()));
        };
        let list = checklist(pages).await?;
        let v = pages.voice(asked);
        let line = |check: &Check| {
            let (mark, sign) = match check.answer() {
                Answer::Yes => ("good", "✓"),
                Answer::Wait => ("wait", "…"),
                Answer::No => ("bad", "!"),
            };
            let words = check.words(asked.lang, |money| v.money(money));
            Line { mark, sign, words, address: address_of_check(check) }
        };
        let printed = asked.fields.get("printed").and_then(|station| pages.station(station).ok());
        let template = ChecklistPage {
            f: pages.frame_of_till(),
            view: &pages.view(),
            staff: &who.staff,
            told: told.clone(),
            good: printed.map(|station| v.with(Msg::PrintSent, station)),
            lines: list.checks.iter().map(line).collect(),
            list: &list,
            can_print: printer(pages, None).is_some(),
            v,
        };
        Ok(page_of(status, &template))
    };
    run.await.unwrap_or_else(|sorry: Sorry| say_sorry_at(&sorry, asked, "/queue"))
}

/// Where a manager goes from a line that somebody has to do something about.
fn address_of_check(check: &Check) -> Option<&'static str> {
    let address = match check {
        Check::BooksWhole { standing: Books::Provisional, .. } => "/queue#books",
        Check::BooksWhole { standing: Books::Regular, .. } => "/queue/lost",
        Check::NothingRefused { .. } => "#needing",
        Check::NothingHeld { .. } => "#held",
        Check::PapersConfirmed { .. } | Check::PaymentsSure { .. } => "/",
        Check::AllReceived { .. } | Check::AllRuled { .. } | Check::SumsAgree { .. } => return None,
    };
    Some(address).filter(|_| check.answer() == Answer::No)
}

/// Finds the answers.
async fn checklist(pages: &Pages) -> Result<Checklist, Sorry> {
    let scene = Scene::of(pages, None).await?;
    let (read, edge) = (scene.clone(), pages.parts.edge.clone());
    let (all, (needing, refused), (held, held_all), sums, lists) = pages
        .read(move |journal| {
            let needs = Filter { which: Which::Needs, ..Filter::default() };
            let limit = u32::try_from(LISTED_MAX).unwrap_or(u32::MAX);
            let all = read.all(journal, &edge)?;
            let needing = List::of_all(journal, &all, &needs, limit)?;
            let held = Filter { which: Which::One(Standing::Held), ..Filter::default() };
            let held = List::of_all(journal, &all, &held, limit)?;
            let tip = edge.watermark(read.epoch)?;
            let same = match journal.tip_at(read.epoch, tip.seq)? {
                Some(ours) if ours.head == tip.head => Same::Yes,
                Some(_) => Same::No,
                None => Same::Unknown,
            };
            let from = journal.kept_from(read.epoch)?;
            // What was received is settled, were nothing said about single records.
            let until = Marks { received: tip.seq, ruled: tip.seq, ..Marks::default() };
            let there = Filter { which: Which::One(Standing::Settled), ..Filter::default() };
            let none = crate::queue::Cases::default();
            let sums = journal.sums(&there.selection(read.epoch, &until, &none, read.now_ms))?;
            let worth = taken(&sums).into_iter().next();
            Ok((
                all,
                needing,
                held,
                Check::SumsAgree { same, from, until: tip.seq, worth },
                journal.lacking(),
            ))
        })
        .await?;
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let codes: Vec<&str> = scene.view.attention.iter().map(|asks| asks.code).collect();
    let open = |of: &[&str]| codes.iter().filter(|code| of.contains(code)).count();
    // What earlier books have yet to bring is part of the morning, too.
    let sum = |of: fn(&Scene) -> u64| all.iter().map(of).fold(0, u64::saturating_add);
    let recorded = sum(|of| of.last);
    let mut checks = vec![
        Check::AllReceived { received: sum(|of| of.marks.received.min(of.last)), recorded },
        Check::AllRuled { ruled: sum(|of| of.marks.ruled.min(of.last)), recorded },
        sums,
        Check::NothingRefused { count: count(refused) },
        Check::NothingHeld { count: count(held_all) },
        Check::PapersConfirmed { open: open(&["paper_unconfirmed", "paper_failed", "drawer_unconfirmed"]) },
        Check::PaymentsSure { open: open(&["payment_unsure", "refund_refused"]) },
    ];
    let standing = scene.view.standing;
    if standing == Books::Provisional || !lists.is_empty() {
        checks.insert(0, Check::BooksWhole { standing, lacking: lacking(&lists) });
    }
    let voice = Voice::new(Lang::En, pages.config.zone.clone(), 0);
    Ok(Checklist {
        shop: voice.shop(&scene.view).to_owned(),
        terminal: scene.view.terminal.clone(),
        epoch: scene.epoch,
        at: voice.time(&scene.now_ms),
        checks,
        needing,
        held,
    })
}

/// `POST /queue/print`: with `staff` and `pin`, or by a manager who is signed in.
pub(in crate::pages) async fn print(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    match send(&pages, &asked).await {
        Ok(station) if asked.json => Json(serde_json::json!({ "station": station })).into_response(),
        Ok(station) => see_other(&format!("/queue/checklist?printed={station}")),
        Err(sorry) if asked.json => sorry_json(&sorry, asked.lang),
        Err(sorry) => draw(&pages, &asked, Some(sorry)).await,
    }
}

async fn send(pages: &Pages, asked: &Asked) -> Result<StationId, Sorry> {
    if session::manager(pages, &asked.headers).await?.is_none() {
        let typed = asked.fields.get("pin").ok_or_else(Sorry::session_over)?;
        let staff = pin::check(pages, asked.fields.get("staff").unwrap_or(""), typed).await?;
        if pages.person(&staff).is_none_or(|person| person.role != Role::Manager) {
            return Err(Sorry::of(StatusCode::FORBIDDEN, "needs_manager", Msg::OnlyManagers));
        }
    }
    let wanted = asked.fields.get("station").map(|station| pages.station(station)).transpose()?;
    let none = || Sorry::of(StatusCode::CONFLICT, "not_now", Msg::NoPrinterReady);
    let station = printer(pages, wanted).ok_or_else(none)?;
    let list = checklist(pages).await?;
    let work = DeviceWork::Report(Report { station: station.clone(), list: Box::new(list) });
    let door = pages.parts.board.devices_door.as_ref().and_then(tokio::sync::mpsc::WeakSender::upgrade);
    door.and_then(|door| door.try_send(work).ok()).ok_or_else(none)?;
    Ok(station)
}

/// The station whose printer is ready: the wanted one, else the first.
fn printer(pages: &Pages, wanted: Option<StationId>) -> Option<StationId> {
    let ready = |state: &PortState| matches!(state, PortState::Ready);
    let devices = pages.parts.board.devices.borrow();
    let mut able = devices.iter().filter(|(_, at)| ready(&at.printer)).map(|(station, _)| station);
    match wanted {
        Some(wanted) => able.find(|station| **station == wanted).cloned(),
        None => able.next().cloned(),
    }
}
