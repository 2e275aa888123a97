//! The queue for programs: the same filter, the same items, as JSON.

use super::list::List;
use super::scene::{Count, Scene, Waiting};
use super::{read_epoch, read_filter};
use crate::inbox::Link;
use crate::journal::reader::Sum;
use crate::journal::{Lacking, LackingSum};
use crate::pages::answer::{Sorry, sorry_json};
use crate::pages::request::Asked;
use crate::pages::{Pages, session};
use crate::queue::{Item, Marks, words};
use crate::record::Epoch;
use crate::record::epochs::Standing as Books;
use crate::view::{Attention, ClockView, Disk, Exposure};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

/// The most items in one answer.
const LIMIT_MAX: u32 = 500;

/// What a program gets.
#[derive(Serialize)]
struct QueueJson<'a> {
    epoch: Epoch,
    /// Whether more than cash is taken: of the epoch of today, whichever is listed.
    standing: Books,
    /// What head office lacks of books that were lost, newest first; `/queue/lost` names each record.
    lacking: Vec<LackingSum>,
    disk: Option<Disk>,
    clock: ClockView,
    /// The last record of the epoch.
    recorded: u64,
    link: &'a Link,
    marks: &'a Marks,
    waiting: &'a Waiting,
    exposure: &'a Exposure,
    counts: &'a [Count],
    sums: &'a [Sum],
    items: Vec<ItemJson<'a>>,
    /// What to ask for as `before` to go on; null on the last page.
    next: Option<u64>,
    attention: &'a [Attention],
}

/// An item with its state in words.
#[derive(Serialize)]
struct ItemJson<'a> {
    #[serde(flatten)]
    item: &'a Item,
    words: String,
}

/// `GET /queue.json`
pub(in crate::pages) async fn json(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    answer(&pages, &asked).await.unwrap_or_else(|sorry| sorry_json(&sorry, asked.lang))
}

async fn answer(pages: &Pages, asked: &Asked) -> Result<Response, Sorry> {
    session::manager(pages, &asked.headers).await?.ok_or_else(Sorry::session_over)?;
    let scene = Scene::of(pages, read_epoch(asked)?).await?;
    let filter = read_filter(asked, &scene.view)
        .map_err(|error| Sorry::said(StatusCode::UNPROCESSABLE_ENTITY, "typed", error.to_string()))?;
    let number = |name| match asked.fields.get(name) {
        None => Ok(None),
        Some(_) => asked.fields.id::<u64>(name).map(Some),
    };
    let before = number("before")?;
    let limit = number("limit")?
        .map_or(super::list::PAGE, |limit| u32::try_from(limit).unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX));
    let read = scene.clone();
    let (waiting, counts, list, lacking) = pages
        .read(move |journal| {
            let list = List::read(journal, &read, &filter, before, limit)?;
            let lacking = journal.lacking().iter().map(Lacking::sum).collect();
            Ok((read.waiting(journal)?, read.counts(journal)?, list, lacking))
        })
        .await?;
    let item = |item| ItemJson { item, words: words::state(item, asked.lang) };
    let json = QueueJson {
        epoch: scene.epoch,
        standing: scene.view.standing,
        lacking,
        disk: scene.view.disk,
        clock: scene.view.clock,
        recorded: scene.last,
        link: &scene.link,
        marks: &scene.marks,
        waiting: &waiting,
        exposure: &scene.view.exposure,
        counts: &counts,
        sums: &list.sums,
        items: list.items.iter().map(item).collect(),
        next: list.next,
        attention: &scene.view.attention,
    };
    Ok(Json(json).into_response())
}
