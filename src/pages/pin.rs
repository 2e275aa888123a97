//! Checking a PIN: slow, one at a time, and locked after too many wrong ones.

use super::Pages;
use super::answer::Sorry;
use super::session::on_disk;
use super::voice::Voice;
use crate::locales::{Lang, Msg};
use crate::record::ids::StaffId;
use crate::staff::{PIN_DIGITS_MAX, PIN_ROUNDS, PinHash};
use axum::http::StatusCode;
use std::sync::LazyLock;

/// A hash that no PIN has: checking against it takes as long as checking a person's, so that the time of an
/// answer does not say who works here.
static NOBODY: LazyLock<Option<PinHash>> = LazyLock::new(|| {
    let (salt, hash) = ([0_u8; 16], [0_u8; 32]);
    let hash = serde_json::json!({ "salt": salt, "rounds": PIN_ROUNDS, "hash": hash });
    serde_json::from_value(hash).ok()
});

/// The person whose PIN this is.
///
/// # Errors
/// That it is not, without saying whether there is such a person; or until when they are locked out.
pub(super) async fn check(pages: &Pages, staff: &str, pin: &str) -> Result<StaffId, Sorry> {
    let wrong = || Sorry::of(StatusCode::FORBIDDEN, "wrong_pin", Msg::WrongPin);
    let id: Option<StaffId> = staff.parse().ok();
    let hash = id.as_ref().and_then(|id| pages.parts.board.pins.borrow().get(id).cloned());
    // Whoever waits here is checked after the wrong PINs before have counted.
    let _turn = pages.pin_turn.acquire().await.map_err(|_| wrong())?;
    let known = match (id, hash) {
        (Some(id), Some(hash)) => Some((id, hash)),
        (_, _) => None,
    };
    if let Some((id, _)) = &known {
        refuse_while_locked(pages, id).await?;
    }
    let against = known.as_ref().map(|(_, hash)| hash.clone()).or_else(|| NOBODY.clone());
    let pin: String = pin.chars().take(PIN_DIGITS_MAX + 1).collect();
    let admitted = tokio::task::spawn_blocking(move || against.is_some_and(|hash| hash.admits(&pin))).await;
    let Some((id, _)) = known else { return Err(wrong()) };
    let (now_ms, noted) = (pages.now_ms(), id.clone());
    if matches!(admitted, Ok(true)) {
        on_disk(pages, move |edge| edge.clear_failed_pins(&noted)).await?;
        return Ok(id);
    }
    tracing::warn!(staff.id = %id, "a wrong PIN");
    on_disk(pages, move |edge| edge.note_failed_pin(&noted, now_ms)).await?;
    refuse_while_locked(pages, &id).await?;
    Err(wrong())
}

/// Under which name wrong one-time codes are counted. Nobody can be called so: a person's slug is made of
/// letters and digits of a name, and this one begins with a digit and a dash.
const ONE_TIME_CODE: &str = "0-one-time-code";

/// Checks the code that makes the first manager; wrong ones lock as wrong PINs do.
///
/// # Errors
/// That it is wrong, or until when no code is taken.
pub(super) async fn check_one_time_code(pages: &Pages, code: &str, typed: &str) -> Result<(), Sorry> {
    let wrong = || Sorry::of(StatusCode::FORBIDDEN, "wrong_code", Msg::WrongOneTimeCode);
    let id: StaffId = ONE_TIME_CODE.parse().map_err(|_| wrong())?;
    let _turn = pages.pin_turn.acquire().await.map_err(|_| wrong())?;
    refuse_while_locked(pages, &id).await?;
    if super::people::same(code, typed) {
        return Ok(());
    }
    tracing::warn!("a wrong one-time code for the first manager");
    let (now_ms, noted) = (pages.now_ms(), id.clone());
    on_disk(pages, move |edge| edge.note_failed_pin(&noted, now_ms)).await?;
    Err(wrong())
}

async fn refuse_while_locked(pages: &Pages, id: &StaffId) -> Result<(), Sorry> {
    let asked = id.clone();
    let now_ms = pages.now_ms();
    let until = on_disk(pages, move |edge| edge.locked_until(&asked, now_ms)).await?;
    match until.filter(|until| now_ms < *until) {
        None => Ok(()),
        Some(until) => {
            let voice = Voice::new(Lang::En, pages.config.zone.clone(), now_ms);
            Err(Sorry::about(StatusCode::LOCKED, "locked", Msg::LockedUntil, &voice.time(&until)))
        }
    }
}
