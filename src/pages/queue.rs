//! The manager's page: whether head office is there, what it has not received, what that is worth and how
//! old it is, and what needs a decision.

use super::Pages;
use super::answer::{Sorry, page as page_of, say_sorry_at, see_other, sorry_json};
use super::assets::Frame;
use super::cashier::SignInPage;
use super::link::{self, LinkLine};
use super::pin;
use super::request::Asked;
use super::risk;
use super::session;
use super::voice::Voice;
use crate::inbox::Link;
use crate::journal::Error as JournalError;
use crate::locales::Msg;
use crate::money::Money;
use crate::record::ids::StationId;
use crate::record::{Epoch, Record};
use crate::staff::Role;
use crate::view::{Attention, View};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// Records of the queue that the page lists; the count above is of all.
const UNSENT_SHOWN: u32 = 100;

/// Last records that the page lists.
const LAST_SHOWN: u32 = 50;

/// Bytes read from the journal for one list.
const LIST_BYTES_MAX: usize = 1024 * 1024;

/// A record as the lists show it.
#[derive(Clone, Debug, Serialize)]
struct Row {
    seq: u64,
    at_ms: i64,
    kind: String,
    receipt: Option<u64>,
    station: Option<StationId>,
    amount: Option<Money>,
    received: bool,
}

/// What is not received.
#[derive(Clone, Debug, Serialize)]
struct Waiting {
    count: u64,
    receipts: u64,
    value: Vec<Money>,
    oldest_ms: Option<i64>,
}

/// All that is read from the journal for one page.
#[derive(Debug)]
struct Lists {
    waiting: Waiting,
    unsent: Vec<Row>,
    last: Vec<Row>,
}

#[derive(Template)]
#[template(path = "till/queue.html")]
struct QueuePage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    staff: &'a str,
    told: Option<String>,
    risks: Vec<String>,
    link: LinkLine,
    waiting: &'a Waiting,
    receipts: u64,
    oldest: String,
    received: u64,
    unsent: &'a [Row],
    more: u64,
    last: &'a [Row],
}

/// `GET /queue`
pub(super) async fn page(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    draw(&pages, &asked, None).await
}

async fn draw(pages: &Pages, asked: &Asked, sorry: Option<Sorry>) -> Response {
    let status = sorry.as_ref().map_or(StatusCode::OK, |sorry| sorry.status);
    let told = sorry.map(|sorry| sorry.words(asked.lang));
    let run = async {
        let view = pages.view();
        let Some(who) = session::manager(pages, &asked.headers).await? else {
            return Ok(sign_in_page(pages, asked, &view, status, told.clone()));
        };
        let link = pages.parts.board.link.borrow().clone();
        let lists = read(pages, &view, &link).await?;
        let (v, now_ms) = (pages.voice(asked), pages.now_ms());
        let age = |at: i64| v.age(now_ms.saturating_sub(at));
        let shown = u64::try_from(lists.unsent.len()).unwrap_or(u64::MAX);
        let template = QueuePage {
            f: pages.frame_of_till(),
            view: &view,
            staff: &who.staff.name,
            told: told.clone(),
            risks: risk::for_manager(&view, &v),
            link: link::line(&link, view.tip.seq, &v, now_ms),
            waiting: &lists.waiting,
            receipts: lists.waiting.receipts,
            oldest: lists.waiting.oldest_ms.map_or_else(|| "—".to_owned(), age),
            received: link.received,
            unsent: &lists.unsent,
            more: lists.waiting.count.saturating_sub(shown),
            last: &lists.last,
            v,
        };
        Ok(page_of(status, &template))
    };
    run.await.unwrap_or_else(|sorry: Sorry| say_sorry_at(&sorry, &asked.headers, None, "/queue"))
}

fn sign_in_page(
    pages: &Pages,
    asked: &Asked,
    view: &View,
    status: StatusCode,
    told: Option<String>,
) -> Response {
    let v = pages.voice(asked);
    let template = SignInPage {
        heading: v.say(Msg::SignInForQueue),
        f: Frame { live: String::new(), ..pages.frame_of_till() },
        view,
        place: view.terminal.to_string(),
        action: "/queue/sign-in".to_owned(),
        people: view.staff.iter().filter(|person| person.role == Role::Manager).collect(),
        occupant: None,
        told,
        v,
    };
    page_of(status, &template)
}

async fn read(pages: &Pages, view: &View, link: &Link) -> Result<Lists, Sorry> {
    let journal = pages.parts.journal.clone();
    let (epoch, last, received) = (view.epoch, view.tip.seq, link.received);
    let run = move || -> Result<Lists, JournalError> {
        let rows = |epoch: Epoch, from: u64, count: u32| -> Result<Vec<Row>, JournalError> {
            let records = journal.records(epoch, from, count, LIST_BYTES_MAX)?;
            Ok(records.iter().map(|record| row(record, received)).collect())
        };
        let waiting = journal.waiting(epoch, received, 0)?;
        let unsent = rows(epoch, received.saturating_add(1), UNSENT_SHOWN)?;
        let from = last.saturating_sub(u64::from(LAST_SHOWN)).saturating_add(1);
        let mut newest = rows(epoch, from, LAST_SHOWN)?;
        newest.reverse();
        let waiting = Waiting {
            count: waiting.records,
            receipts: waiting.receipts,
            value: waiting.worth.into_iter().collect(),
            oldest_ms: waiting.oldest_wall_ms,
        };
        Ok(Lists { waiting, unsent, last: newest })
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(lists)) => Ok(lists),
        Ok(Err(error)) => Err(Sorry::disk(&error)),
        Err(_) => Err(Sorry::of(StatusCode::SERVICE_UNAVAILABLE, "disk", Msg::DiskTrouble)),
    }
}

fn row(record: &Record, received: u64) -> Row {
    let header = &record.header;
    Row {
        seq: header.seq,
        at_ms: header.moment.wall_ms,
        kind: header.kind.clone(),
        receipt: header.receipt,
        station: header.station.clone(),
        amount: header.amount,
        received: header.seq <= received,
    }
}

/// The page's content for programs.
#[derive(Serialize)]
struct QueueJson<'a> {
    link: &'a Link,
    waiting: &'a Waiting,
    unsent: &'a [Row],
    last: &'a [Row],
    attention: &'a [Attention],
}

/// `GET /queue.json`
pub(super) async fn json(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async {
        let view = pages.view();
        session::manager(&pages, &asked.headers).await?.ok_or_else(Sorry::session_over)?;
        let link = pages.parts.board.link.borrow().clone();
        let lists = read(&pages, &view, &link).await?;
        let json = QueueJson {
            link: &link,
            waiting: &lists.waiting,
            unsent: &lists.unsent,
            last: &lists.last,
            attention: &view.attention,
        };
        Ok(Json(json).into_response())
    };
    run.await.unwrap_or_else(|sorry: Sorry| sorry_json(&sorry, asked.lang))
}

/// `POST /queue/sign-in`
pub(super) async fn sign_in(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async {
        let typed = asked.fields.get("pin").ok_or_else(|| Sorry::typed(Msg::TypePin))?;
        let staff = pin::check(&pages, asked.fields.get("staff").unwrap_or(""), typed).await?;
        if pages.person(&staff).is_none_or(|person| person.role != Role::Manager) {
            return Err(Sorry::of(StatusCode::FORBIDDEN, "needs_manager", Msg::OnlyManagers));
        }
        session::begin(&pages, &staff, &session::office()?).await
    };
    let outcome = run.await;
    conclude(&pages, &asked, outcome.map(Some)).await
}

/// `POST /queue/sign-out`
pub(super) async fn sign_out(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async { session::end(&pages, &asked.headers, &session::office()?).await };
    let outcome = run.await;
    conclude(&pages, &asked, outcome.map(Some)).await
}

/// `POST /queue/send-now`
pub(super) async fn send_now(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async {
        session::manager(&pages, &asked.headers).await?.ok_or_else(Sorry::session_over)?;
        pages.parts.board.nudge.notify_one();
        Ok(None)
    };
    let outcome = run.await;
    conclude(&pages, &asked, outcome).await
}

async fn conclude(
    pages: &Pages,
    asked: &Asked,
    outcome: Result<Option<axum::http::HeaderValue>, Sorry>,
) -> Response {
    let cookie = match outcome {
        Ok(cookie) => cookie,
        Err(sorry) if asked.json => return sorry_json(&sorry, asked.lang),
        Err(sorry) => return draw(pages, asked, Some(sorry)).await,
    };
    let mut response = if asked.json {
        let reply = crate::inbox::Reply { seq: pages.view().tip.seq, sale: None };
        Json(reply).into_response()
    } else {
        see_other("/queue")
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
