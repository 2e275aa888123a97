//! Who is signed in at a screen: a random token in a cookie, of which only the hash is kept.
//!
//! A session at a station counts while the till has that person there: whoever signs in on another screen
//! takes the station over. The manager's pages stand at no station and are kept under a name of their own.

use super::Pages;
use super::answer::Sorry;
use super::request::Asked;
use super::request::cookie;
use crate::journal::edge::{EdgeStore, Session};
use crate::record::ids::{StaffId, StationId, hex, unhex};
use crate::staff::Role;
use crate::view::StaffView;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use ring::digest;

/// How long one signing in lasts, in milliseconds: twelve hours, the longest shift.
const SESSION_MS: i64 = 12 * 3600 * 1000;

/// The place that stands for the manager's pages.
const OFFICE: &str = "office";

/// Cookies looked at in one request.
const COOKIES_MAX: usize = 32;

/// Somebody signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    pub(super) staff: StaffView,
}

/// The place of the manager's pages.
pub(super) fn office() -> Result<StationId, Sorry> {
    OFFICE.parse().map_err(|_| Sorry::no_such_station())
}

/// Whoever is signed in at a station on this screen.
pub(super) async fn here(
    pages: &Pages,
    headers: &HeaderMap,
    station: &StationId,
) -> Result<Option<SignedIn>, Sorry> {
    let Some(token) = cookie(headers, &cookie_name(pages, station)) else { return Ok(None) };
    find(pages, &token, station).await
}

/// The station of an address, and whoever is signed in there; nobody is a no.
pub(super) async fn must(
    pages: &Pages,
    station: &str,
    asked: &Asked,
) -> Result<(StationId, SignedIn), Sorry> {
    let place = pages.station(station)?;
    let who = here(pages, &asked.headers, &place).await?.ok_or_else(Sorry::session_over)?;
    Ok((place, who))
}

/// A manager who is signed in on this screen, on the manager's pages or at any station.
pub(super) async fn manager(pages: &Pages, headers: &HeaderMap) -> Result<Option<SignedIn>, Sorry> {
    let prefix = cookie_prefix(pages);
    let cookies: Vec<(StationId, String)> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(&prefix)?.split_once('='))
        .filter_map(|(station, token)| Some((station.parse().ok()?, token.to_owned())))
        .take(COOKIES_MAX)
        .collect();
    for (station, token) in cookies {
        let found = find(pages, &token, &station).await?;
        if let Some(found) = found.filter(|found| found.staff.role == Role::Manager) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn find(pages: &Pages, token: &str, station: &StationId) -> Result<Option<SignedIn>, Sorry> {
    let Some(hash) = token_hash(token) else { return Ok(None) };
    let now_ms = pages.now_ms();
    let session = on_disk(pages, move |edge| edge.session(&hash, now_ms)).await?;
    let Some(session) = session.filter(|session| session.station == *station) else { return Ok(None) };
    let Some(staff) = pages.person(&session.staff) else { return Ok(None) };
    let there = {
        let view = pages.parts.board.view.borrow();
        view.stations.get(station).map(|here| here.staff.clone())
    };
    let holds = match there {
        Some(occupant) => occupant.as_ref() == Some(&session.staff),
        None => station.as_str() == OFFICE,
    };
    Ok(holds.then_some(SignedIn { staff }))
}

/// Begins a session and gives the cookie to set.
pub(super) async fn begin(pages: &Pages, staff: &StaffId, station: &StationId) -> Result<HeaderValue, Sorry> {
    let token = hex(&(pages.parts.chance)());
    let now_ms = pages.now_ms();
    let expires_ms = now_ms.saturating_add(SESSION_MS);
    let session = Session { staff: staff.clone(), station: station.clone(), expires_ms };
    let hash = token_hash(&token).ok_or_else(Sorry::session_over)?;
    on_disk(pages, move |edge| edge.create_session(&hash, &session, now_ms)).await?;
    Ok(set_cookie(pages, station, &token, SESSION_MS / 1000))
}

/// Ends the session at a station on this screen and gives the cookie that clears it.
pub(super) async fn end(
    pages: &Pages,
    headers: &HeaderMap,
    station: &StationId,
) -> Result<HeaderValue, Sorry> {
    let token = cookie(headers, &cookie_name(pages, station));
    if let Some(hash) = token.as_deref().and_then(token_hash) {
        on_disk(pages, move |edge| edge.end_session(&hash)).await?;
    }
    Ok(set_cookie(pages, station, "", 0))
}

/// Runs a short call on the state directory away from the threads that serve.
pub(super) async fn on_disk<T: Send + 'static>(
    pages: &Pages,
    call: impl FnOnce(&EdgeStore) -> Result<T, crate::journal::Error> + Send + 'static,
) -> Result<T, Sorry> {
    let edge = pages.parts.edge.clone();
    match tokio::task::spawn_blocking(move || call(&edge)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Sorry::disk(&error)),
        Err(_) => Err(Sorry::of(StatusCode::SERVICE_UNAVAILABLE, "disk", crate::locales::Msg::DiskTrouble)),
    }
}

impl Pages {
    /// Now by the wall clock, Unix milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        (self.parts.clock)().wall_ms
    }

    /// A person by slug.
    pub(super) fn person(&self, id: &StaffId) -> Option<StaffView> {
        self.parts.board.view.borrow().staff.iter().find(|person| person.id == *id).cloned()
    }
}

fn token_hash(token: &str) -> Option<[u8; 32]> {
    let bytes = unhex::<32>(token)?;
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"till/session/1\n");
    context.update(&bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Some(hash)
}

/// Cookies do not tell ports apart: the till's name keeps two tills on one machine from each other.
fn cookie_prefix(pages: &Pages) -> String {
    format!("till.{}.", pages.parts.board.view.borrow().terminal)
}

fn cookie_name(pages: &Pages, station: &StationId) -> String {
    format!("{}{station}", cookie_prefix(pages))
}

fn set_cookie(pages: &Pages, station: &StationId, token: &str, max_age_s: i64) -> HeaderValue {
    let name = cookie_name(pages, station);
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}");
    // Slugs and hexadecimal digits only.
    HeaderValue::from_str(&cookie).unwrap_or_else(|_| HeaderValue::from_static(""))
}
