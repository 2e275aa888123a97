//! Acts on the queue: whose PIN it is, which record is meant, and the answer.
//!
//! The PIN is typed for each act, so that no session is needed: a shell sends the same fields. Not here: whether an act
//! may be done (`queue::allowed`, asked by the till itself).

use super::scene::Scene;
use super::{draw, item, read_epoch};
use crate::counter::Refusal;
use crate::counter::event::{Act, Command, OnItsWay};
use crate::inbox::{LinkState, Reply};
use crate::locales::Msg;
use crate::pages::answer::{Sorry, see_other, sorry_json};
use crate::pages::request::Asked;
use crate::pages::{Pages, pin, session};
use crate::record::ids::StaffId;
use crate::record::queue_act::{QueueAct, Subject};
use crate::staff::Role;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `POST /queue/act`
pub(in crate::pages) async fn act(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    let word = asked.fields.get("act").unwrap_or("").to_owned();
    answer(&pages, &asked, &word).await
}

/// `POST /queue/send-now`
pub(in crate::pages) async fn send_now(State(pages): State<Arc<Pages>>, asked: Asked) -> Response {
    answer(&pages, &asked, QueueAct::SendNow.word()).await
}

async fn answer(pages: &Pages, asked: &Asked, word: &str) -> Response {
    match run(pages, asked, word).await {
        Ok((reply, _)) if asked.json => Json(reply).into_response(),
        Ok((_, Some(about))) => see_other(&format!("/queue/item/{}/{}", about.epoch, about.seq)),
        Ok((_, None)) => see_other("/queue?sent=1"),
        Err(sorry) if asked.json => sorry_json(&sorry, asked.lang),
        Err(sorry) => match about(pages, asked).await {
            Ok(Some((_, subject))) => item::draw(pages, asked, subject, Some(sorry)).await,
            Ok(None) | Err(_) => draw(pages, asked, Some(sorry)).await,
        },
    }
}

async fn run(pages: &Pages, asked: &Asked, word: &str) -> Result<(Reply, Option<Subject>), Sorry> {
    let bad = || Sorry::about(StatusCode::UNPROCESSABLE_ENTITY, "typed", Msg::BadField, "act");
    let act = QueueAct::by_word(word, asked.fields.get("how")).ok_or_else(bad)?;
    let approver = manager_of(pages, asked).await?;
    if act == QueueAct::SendNow && pages.parts.board.link.borrow().state == LinkState::Absent {
        let words = "No head office is set up for this till: there is nowhere to send to.";
        return Err(Refusal::Queue(words).into());
    }
    let about = about(pages, asked).await?;
    let subject = about.as_ref().map(|(_, subject)| *subject);
    let who = session::manager(pages, &asked.headers).await?.map(|who| who.staff.id);
    let reason = asked.fields.get("words").unwrap_or("").to_owned();
    let about = about.map(|(about, _)| Box::new(about));
    let command = Command {
        station: session::office()?,
        staff: who.or_else(|| Some(approver.clone())),
        approver: Some(approver),
        seen: None,
        act: Act::Queue { about, act, reason },
    };
    let reply = pages.ask(asked.fields.command(word)?, command).await?;
    if act == QueueAct::SendNow {
        pages.parts.board.nudge.notify_one();
    }
    Ok((reply, subject))
}

/// The manager whose PIN came with the form.
pub(super) async fn manager_of(pages: &Pages, asked: &Asked) -> Result<StaffId, Sorry> {
    let typed = asked.fields.get("pin").ok_or_else(|| Sorry::typed(Msg::TypePin))?;
    let approver = pin::check(pages, asked.fields.get("staff").unwrap_or(""), typed).await?;
    if pages.person(&approver).is_none_or(|person| person.role != Role::Manager) {
        return Err(Sorry::of(StatusCode::FORBIDDEN, "needs_manager", Msg::OnlyManagers));
    }
    Ok(approver)
}

/// The record that is meant, as the journal has it.
async fn about(pages: &Pages, asked: &Asked) -> Result<Option<(OnItsWay, Subject)>, Sorry> {
    if asked.fields.get("seq").is_none() {
        return Ok(None);
    }
    let seq = asked.fields.id("seq")?;
    let scene = Scene::of(pages, read_epoch(asked)?).await?;
    let epoch = scene.epoch;
    let header = pages.read(move |journal| journal.header(epoch, seq)).await?;
    let header = header.ok_or(Refusal::Queue("There is no such record in this till's journal."))?;
    Ok(Some((OnItsWay { header, marks: scene.marks }, Subject { epoch, seq })))
}
