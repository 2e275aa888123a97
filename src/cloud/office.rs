//! Head office at a glance: tills, tasks, counts; and a sheet of desk codes to print.
//!
//! It is for the machine the cloud runs on: a request from elsewhere, or through a proxy, is refused, because
//! nobody signs in here yet.

use super::Cloud;
use super::problem::Problem;
use super::store::{Gaps, Task};
use crate::paper::Lang;
use crate::paper::stickers::{Drawing, Shop, Size, Sticker};
use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::sync::Arc;

/// Routes of head office.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new().route("/", get(index)).route("/desks", get(desks)).route("/desks/{desk}", get(desk_code))
}

#[derive(Template)]
#[template(path = "office.html")]
struct OfficePage {
    shop: String,
    bundle: u64,
    tills: Vec<TillRow>,
    waiting: Vec<String>,
    tasks: Vec<(String, Task)>,
    counts: Gaps,
}

struct TillRow {
    id: String,
    name: String,
    heard: String,
    streams: Vec<String>,
}

fn local(peer: SocketAddr, headers: &HeaderMap) -> Result<(), Problem> {
    let relayed = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    if peer.ip().is_loopback() && !relayed {
        return Ok(());
    }
    let words = "Head office's pages open on the cloud's own machine only.";
    Err(Problem::new(StatusCode::FORBIDDEN, "not_here", words))
}

/// `GET /`
async fn index(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    local(peer, &headers)?;
    let bundle = cloud.bundle().await;
    let zone = bundle.as_ref().map_or(TimeZone::UTC, |bundle| bundle.zone.clone());
    let at = |ms: i64| {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let streams = super::streams::all(cloud.store.as_ref()).await?;
    let tills = cloud.store.terminals().await?;
    let tills = tills
        .into_iter()
        .map(|till| {
            let heard_ms = cloud.heard.last_ms(&till.id).unwrap_or(till.heard_ms);
            let of_till = streams.iter().filter(|stream| stream.terminal == till.id);
            let words =
                |stream: &super::Stream| format!("{}, last at {}", stream.words(), at(stream.received_ms));
            TillRow {
                streams: of_till.take(5).map(words).collect(),
                heard: if heard_ms == 0 { "never".to_owned() } else { at(heard_ms) },
                id: till.id.to_string(),
                name: till.name,
            }
        })
        .collect();
    let pairings = cloud.store.pairings().await?;
    let waiting = pairings
        .iter()
        .filter(|pairing| pairing.state == super::PairingState::Pending)
        .map(|asked| {
            format!("{} ({}): {}", asked.terminal, asked.name, crate::token::fingerprint(&asked.public_key))
        })
        .collect();
    let tasks = cloud.store.tasks().await?;
    let page = OfficePage {
        shop: bundle.as_ref().map_or_else(String::new, |bundle| bundle.content.shop.name.clone()),
        bundle: bundle.map_or(0, |bundle| bundle.content.version),
        tills,
        waiting,
        tasks: tasks.into_iter().map(|task| (at(task.raised_ms), task)).collect(),
        counts: cloud.store.gaps().await?,
    };
    drawn(&page)
}

#[derive(Template)]
#[template(path = "desks.html")]
struct DesksPage {
    shop: String,
    desks: Vec<(String, String, String)>,
}

/// `GET /desks`
async fn desks(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    local(peer, &headers)?;
    let bundle = cloud.bundle().await.ok_or_else(|| Problem::not_found("No bundle has been published."))?;
    let address = |desk: &crate::bundle::Desk| {
        (desk.id.to_string(), desk.name.clone(), format!("{}/d/{}", cloud.public_base, desk.id))
    };
    let desks = bundle.content.desks.iter().map(address).collect();
    drawn(&DesksPage { shop: bundle.content.shop.name.clone(), desks })
}

/// `GET /desks/{desk}`: its sticker, as `till desk-codes` draws it.
async fn desk_code(
    State(cloud): State<Arc<Cloud>>,
    axum::extract::Path(desk): axum::extract::Path<String>,
) -> Result<Response, Problem> {
    let desk = desk.strip_suffix(".svg").unwrap_or(&desk);
    let known = cloud.bundle().await.and_then(|bundle| {
        let id = desk.parse().ok()?;
        Some((bundle.content.shop.name.clone(), bundle.desk(&id)?.clone()))
    });
    let (name, desk) = known.ok_or_else(|| Problem::not_found("No such desk."))?;
    let sticker = Sticker { name: desk.name, address: format!("{}/d/{}", cloud.public_base, desk.id) };
    let shop = Shop { name, lang: Lang::Both, size: Size::Medium };
    let drawing = Drawing::one(&sticker, &shop)
        .map_err(|_| Problem::unavailable("The desk's address is too long for a code."))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], drawing.to_svg()).into_response())
}

fn drawn(page: &impl Template) -> Result<Response, Problem> {
    let page = page.render().map_err(|_| Problem::unavailable("The page cannot be drawn."))?;
    Ok(Html(page).into_response())
}
