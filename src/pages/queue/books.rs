//! Books that were lost, on the manager's page: what happened, what head office lacks of them, and the act by which a
//! manager adopts the new ones.
//!
//! Not here: setting files aside and reading them (`journal`), and what a till with new books takes (`counter`).

use super::act::manager_of;
use super::{draw, sign_in_page};
use crate::counter::event::{Act, Command};
use crate::inbox::Reply;
use crate::journal::{Lacking, LackingSum};
use crate::locales::{Lang, Msg};
use crate::pages::answer::{Sorry, page as page_of, say_sorry_at, see_other, sorry_json};
use crate::pages::assets::Frame;
use crate::pages::request::Asked;
use crate::pages::voice::Voice;
use crate::pages::{Pages, session};
use crate::record::epochs::Left;
use crate::view::{StaffView, View};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What is known of books that were set aside, in words.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) sum: LackingSum,
    /// What the receipts come to, a sum for each currency.
    pub(super) worth: Vec<String>,
    /// Runs of numbers that could not be read.
    pub(super) unread: Vec<String>,
    /// What was found.
    pub(super) found: String,
}

impl Lost {
    pub(super) fn of(list: &Lacking, v: &Voice) -> Self {
        let sum = list.sum();
        let run = |(first, last): &(u64, u64)| {
            if first == last { first.to_string() } else { v.with2(Msg::LackingRun, first, last) }
        };
        Self {
            worth: sum.worth.iter().map(|sum| v.money(sum)).collect(),
            unread: list.unreadable.iter().map(run).collect(),
            found: found(list, v),
            sum,
        }
    }
}

/// What was found, in the reader's language: by its code, and in the words for whoever looks after the till where those
/// are in that language, or no code is known.
fn found(list: &Lacking, v: &Voice) -> String {
    let said = match list.why {
        Some(Left::Damaged) => Msg::LostDamaged,
        Some(Left::Missing) => Msg::LostMissing,
        Some(Left::Restored) => Msg::LostRestored,
        None => return list.words.clone(),
    };
    match v.lang {
        Lang::En => format!("{} ({})", v.say(said), list.words),
        Lang::ZhHans => v.say(said).to_owned(),
    }
}

/// How many records of lost books head office lacks, those that could not be read too.
pub(super) fn lacking(lists: &[Lacking]) -> u64 {
    let count = |list: &Lacking| {
        let sum = list.sum();
        sum.records.saturating_add(sum.unreadable)
    };
    lists.iter().map(count).fold(0, u64::saturating_add)
}

/// That head office lacks some of them; none where it lacks nothing that is known.
pub(super) fn lacking_words(lists: &[Lacking], v: &Voice) -> Option<String> {
    Some(lacking(lists)).filter(|count| *count > 0).map(|count| v.with(Msg::LostLink, count))
}

#[derive(Template)]
#[template(path = "till/queue/lost.html")]
struct LostPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    staff: &'a StaffView,
    lists: Vec<(&'a Lacking, Lost)>,
}

/// `GET /queue/lost`: every record of lost books that head office is not known to have.
pub(in crate::pages) async fn page(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let run = async {
        let view = pages.view();
        let Some(who) = session::manager(&pages, &asked.headers).await? else {
            if asked.json {
                return Err(Sorry::session_over());
            }
            return Ok(sign_in_page(&pages, &asked, &view, StatusCode::OK, None));
        };
        let lists = pages.read(|journal| Ok(journal.lacking())).await?;
        if asked.json {
            return Ok(Json(lists).into_response());
        }
        let v = pages.voice(&asked);
        let template = LostPage {
            f: pages.frame_of_till(),
            view: &view,
            staff: &who.staff,
            lists: lists.iter().map(|list| (list, Lost::of(list, &v))).collect(),
            v,
        };
        Ok(page_of(StatusCode::OK, &template))
    };
    match run.await {
        Ok(response) => response,
        Err(sorry) if asked.json => sorry_json(&sorry, asked.lang),
        Err(sorry) => say_sorry_at(&sorry, &asked, "/queue"),
    }
}

/// `POST /queue/adopt`: `staff` and `pin` of a manager, and why in `words` or `reason`.
pub(in crate::pages) async fn adopt(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    match send(&pages, &asked).await {
        Ok(reply) if asked.json => Json(reply).into_response(),
        Ok(_) => see_other("/queue"),
        Err(sorry) if asked.json => sorry_json(&sorry, asked.lang),
        Err(sorry) => draw(&pages, &asked, Some(sorry)).await,
    }
}

async fn send(pages: &Pages, asked: &Asked) -> Result<Reply, Sorry> {
    let approver = manager_of(pages, asked).await?;
    let who = session::manager(pages, &asked.headers).await?.map(|who| who.staff.id);
    let reason = asked.fields.get("reason").or_else(|| asked.fields.get("words")).unwrap_or("").to_owned();
    let command = Command {
        station: session::office()?,
        staff: who.or_else(|| Some(approver.clone())),
        approver: Some(approver),
        seen: None,
        act: Act::AdoptEpoch { reason },
    };
    pages.ask(asked.fields.command("adopt-epoch")?, command).await
}
