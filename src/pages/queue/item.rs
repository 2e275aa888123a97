//! One item with all that is known of it: where it stands and why, what may be done, facts, timeline, raw bytes.

use super::scene::Scene;
use super::{managers, receipt_of, sign_in_page};
use crate::locales::Msg;
use crate::pages::answer::{Sorry, page as page_of, say_sorry_at};
use crate::pages::assets::Frame;
use crate::pages::request::Asked;
use crate::pages::voice::Voice;
use crate::pages::{Pages, session};
use crate::queue::cases::HELD;
use crate::queue::{Item, ItemKind, Standing};
use crate::receipt::numbered;
use crate::record::body::Body;
use crate::record::queue_act::{QueueAct, Subject};
use crate::record::{Epoch, Mode, Record};
use crate::sale::{IntentState, Sale};
use crate::view::{StaffView, View};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::BTreeMap;
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
    /// When managers did what they did about it, by this till's clock as they had it: by the act's own record.
    acted_ms: BTreeMap<(Epoch, u64), i64>,
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
        None => say_sorry_at(&no_such(), &asked, "/queue"),
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
        let found = find(pages, &scene, subject).await?.ok_or_else(no_such)?;
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
            facts: facts(pages, &scene, &item, &found, &v),
            receipt: address_of_receipt(&item, &found),
            timeline: timeline(pages, &scene, &item, &found, &v),
            raw: raw(&found.record),
            item: &item,
            v,
        };
        Ok(page_of(status, &template))
    };
    run.await.unwrap_or_else(|sorry: Sorry| say_sorry_at(&sorry, asked, "/queue"))
}

fn no_such() -> Sorry {
    Sorry::of(StatusCode::NOT_FOUND, "no_such_item", Msg::NoSuchItem)
}

async fn find(pages: &Pages, scene: &Scene, subject: Subject) -> Result<Option<Found>, Sorry> {
    let case = scene.view.cases.of(subject);
    let acts: Vec<(Epoch, u64)> =
        case.map(|case| case.acts.iter().map(|act| (act.epoch, act.seq)).collect()).unwrap_or_default();
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
            let mut acted_ms = BTreeMap::new();
            for (epoch, seq) in acts {
                if let Some(header) = journal.header(epoch, seq)? {
                    acted_ms.insert((epoch, seq), header.moment.wall_ms);
                }
            }
            Ok(Some(Found { record, sale, belonging, acted_ms }))
        })
        .await
}

/// What is known of it, label and value.
fn facts(pages: &Pages, scene: &Scene, item: &Item, found: &Found, v: &Voice) -> Vec<(&'static str, String)> {
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
    add(Msg::Receipt, issued(item, found).map(|(epoch, number)| numbered(epoch, number)));
    add(Msg::TimeHere, Some(v.time(&item.at_ms)));
    let corrected = header.moment.cloud_offset_ms.map(|_| v.time(&item.corrected_ms));
    add(Msg::TimeCorrected, corrected);
    let is_receipt = matches!(item.kind, ItemKind::Sale | ItemKind::Return);
    let paid = found.sale.as_ref().filter(|_| is_receipt);
    add(Msg::TenderLabel, paid.and_then(|sale| tenders(sale, v)));
    add(Msg::SerialLabel, item.serial.clone());
    add(Msg::CampaignLabel, campaign(pages, &found.record, v));
    add(Msg::MemberKnown, member(found).map(|member| format!("…{}", tail(&member))));
    add(Msg::Practice, (item.mode == Mode::Training).then(|| "✓".to_owned()));
    let tries = item.tries.as_ref();
    add(Msg::TriesLabel, tries.map(|tries| tries.tries.to_string()));
    add(Msg::FirstTry, tries.map(|tries| v.time(&tries.first_ms)));
    add(Msg::LastTry, tries.map(|tries| v.time(&tries.last_ms)));
    add(Msg::ReceivedAt, received_ms(scene, item, found).map(|at| v.time(&at)));
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
    let vouchers = sale.vouchers.iter().map(|_| v.tender("voucher"));
    let cash = (!sale.cash.is_empty()).then(|| v.say(Msg::Cash).to_owned());
    for way in wallets.chain(vouchers).chain(cash) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    (!ways.is_empty()).then(|| ways.join(v.say(Msg::Comma)))
}

/// The name of a coupon's campaign; its number where head office does not say it any more.
fn campaign(pages: &Pages, record: &Record, v: &Voice) -> Option<String> {
    let Body::CouponRedeemed { campaign, .. } = &record.body else { return None };
    let in_force = pages.parts.board.in_force.borrow();
    let known = in_force.as_ref().and_then(|in_force| in_force.bundle.campaign(*campaign));
    Some(known.map_or_else(|| campaign.to_string(), |known| v.name(&known.name, &known.name_zh).to_owned()))
}

/// The receipt that it stands on: its own, else that of its sale.
fn issued(item: &Item, found: &Found) -> Option<(Epoch, u64)> {
    let of_sale = || found.sale.as_ref()?.receipt.as_ref().map(|issued| (issued.epoch, issued.number));
    item.receipt.map(|number| (item.epoch, number)).or_else(of_sale)
}

/// That receipt's page.
fn address_of_receipt(item: &Item, found: &Found) -> Option<String> {
    let of_sale = || {
        let sale = found.sale.as_ref()?;
        let issued = sale.receipt.as_ref()?;
        Some(format!("/s/{}/receipt/{}", sale.station, numbered(issued.epoch, issued.number)))
    };
    receipt_of(item).or_else(of_sale)
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

/// What happened to it, in the order of time as far as that is known, all by this till's clock.
fn timeline(pages: &Pages, scene: &Scene, item: &Item, found: &Found, v: &Voice) -> Vec<Moment> {
    let moment = |at_ms, words: &str| Moment { at_ms, words: words.to_owned(), more: None };
    let mut line = Vec::new();
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
        line.push(moment(received_ms(scene, item, found), v.say(Msg::ReceivedThere)));
    }
    let case = scene.view.cases.of(item.subject());
    if let Some(case) = case.filter(|case| !case.code.is_empty()) {
        let words = v.say(if case.code == HELD { Msg::HeldThere } else { Msg::RuledThere }).to_owned();
        let at_ms = Some(case.told_ms.saturating_sub(ahead_ms(scene, found)));
        line.push(Moment { at_ms, words, more: v.reason(item) });
    } else if item.seq <= scene.marks.ruled {
        line.push(moment(None, v.say(Msg::RuledThere)));
    }
    for acted in &item.acts {
        let by = acted.by.as_ref().and_then(|by| pages.person(by)).map(|by| by.name);
        let more = match by {
            Some(by) => v.with2(Msg::ActedBy, by, &acted.words),
            None => acted.words.clone(),
        };
        let at_ms = found.acted_ms.get(&(acted.epoch, acted.seq)).copied().unwrap_or(acted.at_ms);
        line.push(Moment { at_ms: Some(at_ms), words: v.acted(acted).to_owned(), more: Some(more) });
    }
    let mut line = in_order(line);
    // Whatever clocks say since: nothing happens to what is not recorded.
    line.insert(0, moment(Some(item.at_ms), v.say(Msg::TookPlace)));
    line
}

/// How far head office's clock, by which its words are kept, is ahead of this till's.
fn ahead_ms(scene: &Scene, found: &Found) -> i64 {
    // As it was then: the clock may have been set since.
    found.record.header.moment.cloud_offset_ms.or(scene.link.cloud_offset_ms).unwrap_or(0)
}

/// When head office had it, by this till's clock.
fn received_ms(scene: &Scene, item: &Item, found: &Found) -> Option<i64> {
    item.received_ms.map(|at| at.saturating_sub(ahead_ms(scene, found)))
}

/// By time; what has none stays behind what it stood behind.
fn in_order(line: Vec<Moment>) -> Vec<Moment> {
    let mut known_ms = i64::MIN;
    let mut timed: Vec<(i64, Moment)> = Vec::new();
    for moment in line {
        known_ms = moment.at_ms.unwrap_or(known_ms);
        timed.push((known_ms, moment));
    }
    timed.sort_by_key(|(at_ms, _)| *at_ms);
    timed.into_iter().map(|(_, moment)| moment).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::{self, Pen};
    use crate::locales::Lang;
    use crate::money::{Currency, Money};
    use crate::record::Header;
    use crate::record::money_moves::VoucherHeld;
    use crate::sale::Cash;

    fn sale() -> Sale {
        let opened = r#"{"kind":"sale_opened","sale_kind":"sale","place":"held"}"#;
        let at_the_front = |header: &mut Header| {
            header.sale = Some(sample::sale(1));
            header.station = Some("front".parse().unwrap());
        };
        Sale::begin(&Pen::new(7).write(opened, at_the_front)).unwrap()
    }

    #[test]
    fn a_sale_that_a_voucher_paid_in_part_says_so() {
        let yuan = |minor| Money::new(minor, Currency::CNY);
        let (serial, token) = ("s1".to_owned(), String::new());
        let mut sale = sale();
        sale.cash.push(Cash { received: yuan(800), change: yuan(0) });
        sale.vouchers.push(VoucherHeld { serial, value: yuan(2000), amount: yuan(2000), token });
        assert_eq!(tenders(&sale, &Voice::plain(Lang::En)).unwrap(), "Voucher, Cash");
        sale.cash.clear();
        assert_eq!(tenders(&sale, &Voice::plain(Lang::ZhHans)).unwrap(), "代金券");
    }

    #[test]
    fn a_step_without_a_time_stays_behind_the_one_before_it() {
        let moment = |at_ms, words: &str| Moment { at_ms, words: words.to_owned(), more: None };
        let line = vec![
            moment(Some(20), "sent"),
            moment(None, "received"),
            moment(Some(40), "ruled"),
            moment(Some(10), "held"),
            moment(Some(40), "resolved"),
        ];
        let words: Vec<String> = in_order(line).into_iter().map(|moment| moment.words).collect();
        assert_eq!(words, ["held", "sent", "received", "ruled", "resolved"]);
    }
}
