//! One item with all that is known of it: where it stands and why, what may be done, facts, timeline, raw bytes.

use super::scene::Scene;
use super::{managers, receipt_of, sign_in_page};
use crate::locales::Msg;
use crate::pages::answer::{Sorry, page as page_of, say_sorry_at};
use crate::pages::assets::Frame;
use crate::pages::request::Asked;
use crate::pages::voice::Voice;
use crate::pages::{Pages, session};
use crate::queue::{Item, Standing};
use crate::receipt::numbered;
use crate::record::body::Body;
use crate::record::queue_act::{QueueAct, Subject};
use crate::record::{Mode, Record};
use crate::sale::{IntentState, Sale};
use crate::view::{StaffView, View};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "till/queue/item.html")]
struct ItemPage<'a> {
    v: Voice,
    f: Frame,
    view: &'a View,
    staff: &'a StaffView,
    managers: Vec<&'a StaffView>,
    told: Option<String>,
    item: &'a Item,
    state: Standing,
    advice: Option<&'static str>,
    /// Acts that are one button each, and ways to resolve it.
    plain: Vec<QueueAct>,
    resolve: Vec<QueueAct>,
    facts: Vec<(&'static str, String)>,
    receipt: Option<String>,
    timeline: Vec<Moment>,
    raw: String,
}

/// Something that happened to the item.
struct Moment {
    at_ms: Option<i64>,
    words: String,
    more: Option<String>,
}

/// All that the journal says of an item.
struct Found {
    record: Record,
    sale: Option<Sale>,
    belonging: u64,
}

/// `GET /queue/item/{epoch}/{seq}`
pub(in crate::pages) async fn page(
    State(pages): State<Arc<Pages>>,
    Path((epoch, seq)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let subject = epoch.parse().ok().zip(seq.parse().ok()).map(|(epoch, seq)| Subject { epoch, seq });
    match subject {
        Some(subject) => draw(&pages, &asked, subject, None).await,
        None => say_sorry_at(&no_such(), &asked.headers, None, "/queue"),
    }
}

pub(super) async fn draw(pages: &Pages, asked: &Asked, subject: Subject, sorry: Option<Sorry>) -> Response {
    let status = sorry.as_ref().map_or(StatusCode::OK, |sorry| sorry.status);
    let told = sorry.map(|sorry| sorry.words(asked.lang));
    let run = async {
        let Some(who) = session::manager(pages, &asked.headers).await? else {
            return Ok(sign_in_page(pages, asked, &pages.view(), status, told.clone()));
        };
        let scene = Scene::of(pages, Some(subject.epoch)).await?;
        let found = find(pages, subject).await?.ok_or_else(no_such)?;
        let item = Item::of(&found.record.header, &scene.marks, &scene.view.cases);
        let v = pages.voice(asked);
        let (resolve, plain): (Vec<QueueAct>, Vec<QueueAct>) =
            item.acts_allowed(scene.view.epoch).partition(|act| matches!(act, QueueAct::Resolve { .. }));
        let template = ItemPage {
            f: pages.frame_of_till(),
            view: &scene.view,
            staff: &who.staff,
            managers: managers(&scene.view),
            told: told.clone(),
            state: item.state.standing(),
            advice: v.advice(&item),
            plain,
            resolve,
            facts: facts(pages, &item, &found, &v),
            receipt: receipt_of(&item),
            timeline: timeline(pages, &scene, &item, &v),
            raw: raw(&found.record),
            item: &item,
            v,
        };
        Ok(page_of(status, &template))
    };
    run.await.unwrap_or_else(|sorry: Sorry| say_sorry_at(&sorry, &asked.headers, None, "/queue"))
}

fn no_such() -> Sorry {
    Sorry::of(StatusCode::NOT_FOUND, "no_such_item", Msg::NoSuchItem)
}

async fn find(pages: &Pages, subject: Subject) -> Result<Option<Found>, Sorry> {
    pages
        .read(move |journal| {
            let mut records = journal.records(subject.epoch, subject.seq, 1, 0)?;
            let Some(record) = records.pop().filter(|record| record.header.seq == subject.seq) else {
                return Ok(None);
            };
            let (sale, belonging) = match record.header.sale {
                Some(sale) => (Sale::fold(&journal.sale(sale)?), journal.count_of_sale(sale)?),
                None => (None, 0),
            };
            Ok(Some(Found { record, sale, belonging }))
        })
        .await
}

/// What is known of it, label and value.
fn facts(pages: &Pages, item: &Item, found: &Found, v: &Voice) -> Vec<(&'static str, String)> {
    let header = &found.record.header;
    let name = |id| pages.person(id).map_or_else(|| id.to_string(), |person| person.name);
    let mut facts = vec![(v.say(Msg::TillLabel), header.terminal.to_string())];
    let mut add = |label, value: Option<String>| {
        if let Some(value) = value {
            facts.push((v.say(label), value));
        }
    };
    add(Msg::StationLabel, item.station.as_ref().map(ToString::to_string));
    add(Msg::Cashier, item.staff.as_ref().map(name));
    add(Msg::Receipt, item.receipt.map(|number| numbered(item.epoch, number)));
    add(Msg::TimeHere, Some(v.time(&item.at_ms)));
    let corrected = header.moment.cloud_offset_ms.map(|_| v.time(&item.corrected_ms));
    add(Msg::TimeCorrected, corrected);
    add(Msg::TenderLabel, found.sale.as_ref().and_then(|sale| tenders(sale, v)));
    add(Msg::SerialLabel, item.serial.clone());
    add(Msg::CampaignLabel, campaign(&found.record));
    add(Msg::MemberKnown, member(found).map(|member| format!("…{}", tail(&member))));
    add(Msg::Practice, (item.mode == Mode::Training).then(|| "✓".to_owned()));
    let tries = item.tries.as_ref();
    add(Msg::TriesLabel, tries.map(|tries| tries.tries.to_string()));
    add(Msg::FirstTry, tries.map(|tries| v.time(&tries.first_ms)));
    add(Msg::LastTry, tries.map(|tries| v.time(&tries.last_ms)));
    add(Msg::ReceivedAt, item.received_ms.map(|at| v.time(&at)));
    if found.belonging > 1 {
        add(Msg::OfSale, Some(v.with(Msg::BelongsTo, found.belonging)));
    }
    add(Msg::RecordNumber, Some(item.seq.to_string()));
    add(Msg::Series, Some(item.epoch.to_string()));
    add(Msg::HashLabel, Some(found.record.hash.to_string()));
    facts
}

/// How a sale was paid: each way once.
fn tenders(sale: &Sale, v: &Voice) -> Option<String> {
    let mut ways: Vec<String> = Vec::new();
    let paid = sale.intents.iter().filter(|intent| intent.state == IntentState::Approved);
    let wallets = paid.map(|intent| v.wallet(intent.provider.word()));
    let cash = (!sale.cash.is_empty()).then(|| v.say(Msg::Cash).to_owned());
    for way in wallets.chain(cash) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    (!ways.is_empty()).then(|| ways.join(v.say(Msg::Comma)))
}

#[allow(clippy::wildcard_enum_match_arm)] // one kind has a campaign
fn campaign(record: &Record) -> Option<String> {
    match &record.body {
        Body::CouponRedeemed { campaign, .. } => Some(campaign.to_string()),
        _ => None,
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // one kind names a member, else the sale does
fn member(found: &Found) -> Option<String> {
    match &found.record.body {
        Body::MemberRecognised { member, .. } => Some(member.clone()),
        _ => found.sale.as_ref().and_then(|sale| sale.member.clone()),
    }
}

/// The last four characters: enough to compare.
fn tail(text: &str) -> String {
    text.chars().skip(text.chars().count().saturating_sub(4)).collect()
}

/// What happened to it, in the order of time as far as that is known.
fn timeline(pages: &Pages, scene: &Scene, item: &Item, v: &Voice) -> Vec<Moment> {
    let moment = |at_ms, words: &str| Moment { at_ms, words: words.to_owned(), more: None };
    let mut line = vec![moment(Some(item.at_ms), v.say(Msg::TookPlace))];
    if let Some(tries) = &item.tries {
        if tries.tries > 1 {
            line.push(moment(Some(tries.first_ms), v.say(Msg::FirstTry)));
        }
        let more = tries.words.as_deref().map(|words| v.trouble(words));
        let words = match tries.tries {
            1 => v.say(Msg::FirstTry).to_owned(),
            tries => v.with(Msg::LastTryOf, tries),
        };
        line.push(Moment { at_ms: Some(tries.last_ms), words, more });
    }
    if item.seq <= scene.marks.received {
        line.push(moment(item.received_ms, v.say(Msg::ReceivedThere)));
    }
    let case = scene.view.cases.of(item.subject());
    let told = case.filter(|case| !case.code.is_empty());
    if let Some(case) = told {
        let more = v.reason(item);
        let words = v.say(Msg::RuledThere).to_owned();
        line.push(Moment { at_ms: Some(case.told_ms), words, more });
    } else if item.seq <= scene.marks.ruled {
        line.push(moment(None, v.say(Msg::RuledThere)));
    }
    for acted in &item.acts {
        let by = acted.by.as_ref().and_then(|by| pages.person(by)).map(|by| by.name);
        let more = match by {
            Some(by) => v.with2(Msg::ActedBy, by, &acted.words),
            None => acted.words.clone(),
        };
        line.push(Moment { at_ms: Some(acted.at_ms), words: v.acted(acted).to_owned(), more: Some(more) });
    }
    line
}

/// Header and body for a technician: secrets are in neither.
fn raw(record: &Record) -> String {
    let header = &record.header;
    let body: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap_or(serde_json::Value::Null);
    let json = serde_json::json!({
        "terminal": header.terminal, "epoch": header.epoch, "seq": header.seq, "kind": header.kind,
        "kind_version": header.kind_version, "previous": header.previous, "hash": record.hash,
        "body_hash": header.body_hash, "sale": header.sale, "station": header.station,
        "moment": header.moment, "business_date": header.business_date.to_string(), "shift": header.shift,
        "staff": header.staff, "approver": header.approver, "mode": header.mode, "receipt": header.receipt,
        "amount": header.amount, "body": without_codes(body),
    });
    serde_json::to_string_pretty(&json).unwrap_or_default()
}

/// A body without what could be used again or names a person.
fn without_codes(mut body: serde_json::Value) -> serde_json::Value {
    const HIDDEN: [&str; 5] = ["token", "code_proof", "member", "keyed_hash", "pin"];
    if let Some(fields) = body.as_object_mut() {
        for (name, value) in fields.iter_mut() {
            if HIDDEN.contains(&name.as_str()) {
                *value = serde_json::Value::from("…");
            } else {
                *value = without_codes(value.take());
            }
        }
    } else if let Some(list) = body.as_array_mut() {
        list.iter_mut().for_each(|value| *value = without_codes(value.take()));
    }
    body
}
