//! The manager's pages: whether head office is there, what it has not received, what that is worth and how old it is,
//! and what needs a decision; each item with all that is known of it; and the checklist after an outage.
//!
//! A long queue is read a page at a time along the journal's index; nothing here reads it all.

mod act;
mod books;
mod figures;
mod item;
mod list;
mod morning;
mod programs;
mod scene;
mod speech;

pub(super) use act::{act, send_now};
pub(super) use books::{adopt, page as lost};
pub(super) use item::page as item;
pub(super) use morning::{page as checklist, print};
pub(super) use programs::json;
pub(super) use scene::worth_not_sent;

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
use crate::inbox::{LinkState, Reply};
use crate::journal::{Error as JournalError, Reader};
use crate::locales::Msg;
use crate::queue::filter::Which;
use crate::queue::{Filter, Item, Standing};
use crate::receipt::numbered;
use crate::record::Epoch;
use crate::record::epochs::Standing as Books;
use crate::staff::Role;
use crate::view::{StaffView, View};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use books::Lost;
use figures::{Figure, Part};
use list::{Choice, List, Place, Tab};
use scene::Scene;
use std::sync::Arc;

/// Items that the page lists on top as needing a person; the filter has all.
const NEEDING_SHOWN: u32 = 6;

/// Earlier epochs that are offered; a till begins one after each mishap.
const EARLIER_SHOWN: usize = 12;

#[derive(Template)]
#[template(path = "till/queue.html")]
struct QueuePage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    staff: &'a StaffView,
    managers: Vec<&'a StaffView>,
    told: Option<String>,
    /// That a press was taken, for browsers without the script that says so.
    good: Option<String>,
    link: LinkLine,
    can_send: bool,
    next_try: Option<(i64, String)>,
    offset: Option<String>,
    warnings: Vec<String>,
    /// The books that were lost last.
    lost: Option<Lost>,
    /// That head office lacks some of them, in words.
    lacking: Option<String>,
    /// The epoch that is shown, where it is not that of today.
    epoch: Option<Epoch>,
    /// Others that can be shown: each with its name, and when it ended.
    series: Vec<(Epoch, String)>,
    unfiltered: String,
    figures: Vec<Figure>,
    picture: Vec<Part>,
    picture_words: String,
    needing: Vec<Item>,
    needing_more: u64,
    needing_address: String,
    /// Where something is held: how much, in words, and its list.
    held: Vec<(String, String)>,
    list: List,
    count: u64,
    tabs: Vec<Tab>,
    kinds: Vec<Choice>,
    ages: Vec<Choice>,
    min: String,
    max: String,
    state: &'static str,
    is_filtered: bool,
    newest: Option<String>,
    older: Option<String>,
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
        let epoch = read_epoch(asked)?.filter(|epoch| *epoch != view.epoch);
        let scene = Scene::of(pages, epoch).await?;
        let place = Place { currency: scene.view.currency, epoch };
        let currency = place.currency;
        let (filter, wrong) = match read_filter(asked, &view) {
            Ok(filter) => (filter, None),
            Err(error) => (Filter::default(), Some(crate::queue::words::not_a_filter(&error, asked.lang))),
        };
        let before = asked.fields.get("before").and_then(|seq| seq.parse().ok());
        let (read, edge) = (scene.clone(), pages.parts.edge.clone());
        let (waiting, counts, all, (needing, needing_all), held, ended, shown, lists) = pages
            .read(move |journal| {
                let needs = Filter { which: Which::Needs, ..Filter::default() };
                let all = read.all(journal, &edge)?;
                let needing = List::of_all(journal, &all, &needs, NEEDING_SHOWN)?;
                let shown = List::read(journal, &read, &filter, before, list::PAGE)?;
                let lists = journal.lacking();
                let (waiting, counts) = (read.waiting(journal)?, read.counts(journal)?);
                let (held, ended) = (held(journal, &all)?, others(journal, &all, read.epoch)?);
                Ok((waiting, counts, all, needing, held, ended, shown, lists))
            })
            .await?;
        let v = pages.voice(asked);
        let shown_needing = u64::try_from(needing.len()).unwrap_or(u64::MAX);
        let mut warnings = risk::of_till(&scene.view, scene.link.cloud_offset_ms, &v);
        let goes_up = scene.link.state != LinkState::Absent;
        let unsent = |of: &&Scene| goes_up && of.epoch != scene.epoch && of.unsent() > 0;
        warnings
            .extend(all.iter().filter(unsent).map(|of| v.with2(Msg::SeriesUnsent, of.epoch, of.unsent())));
        let needs = Filter { which: Which::Needs, ..Filter::default() };
        let counted = [scene.last, scene.marks.received.min(scene.last), scene.marks.ruled];
        let template = QueuePage {
            f: pages.frame_of_till(),
            view: &scene.view,
            staff: &who.staff,
            managers: managers(&scene.view),
            told: told.clone().or(wrong),
            good: asked.fields.get("sent").map(|_| v.say(Msg::SendingNow).to_owned()),
            link: link::line(&scene.link, scene.last, &v, scene.now_ms),
            can_send: goes_up,
            next_try: next_try(&scene, &v),
            offset: scene.link.cloud_offset_ms.map(|ahead| v.offset(ahead)),
            warnings,
            lost: lists.first().map(|list| Lost::of(list, &v)),
            lacking: books::lacking_words(&lists, &v),
            series: ended.iter().map(|(epoch, at)| (*epoch, series_words(*epoch, *at, &v))).collect(),
            held: held.iter().map(|(epoch, count)| held_words(*epoch, *count, &scene, &v)).collect(),
            unfiltered: list::address(&Filter::default(), place, None),
            epoch,
            figures: figures::figures(&scene, &waiting, &v),
            picture: figures::picture(&scene, &v),
            picture_words: Msg::BarWords
                .with(asked.lang, &counted.each_ref().map(u64::to_string).each_ref().map(String::as_str)),
            needing_more: needing_all.saturating_sub(shown_needing),
            needing_address: list::address(&needs, place, None),
            needing,
            count: shown.count(),
            tabs: list::tabs(&filter, place, &counts, &v),
            kinds: list::kinds(&filter, &v),
            ages: list::ages(&filter, &v),
            min: list::typed(filter.min_minor, currency),
            max: list::typed(filter.max_minor, currency),
            state: filter.which.word(),
            is_filtered: filter != Filter::default(),
            newest: before.map(|_: u64| list::address(&filter, place, None)),
            older: shown.next.map(|seq| list::address(&filter, place, Some(seq))),
            list: shown,
            v,
        };
        Ok(page_of(status, &template))
    };
    run.await.unwrap_or_else(|sorry: Sorry| say_sorry_at(&sorry, asked, "/queue"))
}

/// What of the queue is asked for.
fn read_filter(asked: &Asked, view: &View) -> Result<Filter, crate::queue::FilterError> {
    Filter::read(|name| asked.fields.get(name), view.currency)
}

/// The epoch that is asked for; none where it is that of today.
fn read_epoch(asked: &Asked) -> Result<Option<Epoch>, Sorry> {
    match asked.fields.get("epoch") {
        None => Ok(None),
        Some(_) => asked.fields.id("epoch").map(Some),
    }
}

/// The earlier epochs of the journal but the one that is shown, newest first, each with the time of its last record where
/// that is kept.
fn others(journal: &Reader, all: &[Scene], shown: Epoch) -> Result<Vec<(Epoch, Option<i64>)>, JournalError> {
    let earlier = all.iter().filter(|of| of.epoch != shown && of.epoch != of.view.epoch);
    let ended = |of: &Scene| {
        let last = journal.header(of.epoch, of.last)?;
        Ok((of.epoch, last.map(|header| header.moment.wall_ms)))
    };
    earlier.take(EARLIER_SHOWN).map(ended).collect()
}

fn series_words(epoch: Epoch, ended_ms: Option<i64>, v: &Voice) -> String {
    ended_ms.map_or_else(|| epoch.to_string(), |at| v.with2(Msg::SeriesUntil, epoch, v.time(&at)))
}

/// In which epochs something is held, and how much.
fn held(journal: &Reader, all: &[Scene]) -> Result<Vec<(Epoch, u64)>, JournalError> {
    let held = Filter { which: Which::One(Standing::Held), ..Filter::default() };
    let mut counts = Vec::new();
    for of in all {
        let count = List::read(journal, of, &held, None, 1)?.count();
        if count > 0 {
            counts.push((of.epoch, count));
        }
    }
    Ok(counts)
}

/// That so much is held there, and the list of it.
fn held_words(epoch: Epoch, count: u64, scene: &Scene, v: &Voice) -> (String, String) {
    let held = Filter { which: Which::One(Standing::Held), ..Filter::default() };
    let elsewhere = Some(epoch).filter(|epoch| *epoch != scene.view.epoch);
    let place = Place { currency: scene.view.currency, epoch: elsewhere };
    (v.with(Msg::HeldItems, count), list::address(&held, place, None))
}

fn managers(view: &View) -> Vec<&StaffView> {
    view.staff.iter().filter(|person| person.role == Role::Manager).collect()
}

/// When head office is asked or sent to again, with the clock as it stands now.
fn next_try(scene: &Scene, v: &Voice) -> Option<(i64, String)> {
    scene.link.next_try_ms.map(|at| (at, v.clock(at.saturating_sub(scene.now_ms))))
}

/// The address of one item.
fn address_of(item: &Item) -> String {
    format!("/queue/item/{}/{}", item.epoch, item.seq)
}

/// Its receipt, wherever it was made: numbers of earlier books say which.
fn receipt_of(item: &Item) -> Option<String> {
    let (number, station) = item.receipt.zip(item.station.as_ref())?;
    Some(format!("/s/{station}/receipt/{}", numbered(item.epoch, number)))
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
        people: managers(view),
        occupant: None,
        told,
        v,
    };
    page_of(status, &template)
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
    conclude(&pages, &asked, outcome).await
}

/// `POST /queue/sign-out`
pub(super) async fn sign_out(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async { session::end(&pages, &asked.headers, &session::office()?).await };
    let outcome = run.await;
    conclude(&pages, &asked, outcome).await
}

async fn conclude(pages: &Pages, asked: &Asked, outcome: Result<axum::http::HeaderValue, Sorry>) -> Response {
    let cookie = match outcome {
        Ok(cookie) => cookie,
        Err(sorry) if asked.json => return sorry_json(&sorry, asked.lang),
        Err(sorry) => return draw(pages, asked, Some(sorry)).await,
    };
    let mut response = if asked.json {
        Json(Reply { seq: pages.view().tip.seq, sale: None }).into_response()
    } else {
        see_other("/queue")
    };
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}
