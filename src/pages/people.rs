//! Signing in and out, the first manager, and everybody after.

use super::answer::Sorry;
use super::fields::Fields;
use super::press::{Done, conclude, send};
use super::request::Asked;
use super::session;
use super::{Pages, pin};
use crate::counter::event::{Act, Command};
use crate::locales::Msg;
use crate::record::ids::{StaffId, StationId};
use crate::staff::{PinHash, Role, WeakPin};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ring::digest;
use std::sync::Arc;

/// The longest slug.
const SLUG_MAX: usize = 16;

/// Takes over a station.
pub(super) async fn sign_in(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let run = async {
        let place = pages.station(&station)?;
        let typed = asked.fields.get("pin").ok_or_else(|| Sorry::typed(Msg::TypePin))?;
        let staff = pin::check(&pages, asked.fields.get("staff").unwrap_or(""), typed).await?;
        let reply = pages.ask(None, plain(&place, Some(staff.clone()), Act::SignIn)).await?;
        let cookie = session::begin(&pages, &staff, &place).await?;
        Ok(Done { reply, cookie: Some(cookie) })
    };
    let outcome = run.await;
    conclude(&pages, &station, &asked, outcome).await
}

/// Leaves a station.
pub(super) async fn sign_out(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let run = async {
        let (place, who) = session::must(&pages, &station, &asked).await?;
        let reply = pages.ask(None, plain(&place, Some(who.staff.id), Act::SignOut)).await?;
        let cookie = session::end(&pages, &asked.headers, &place).await?;
        Ok(Done { reply, cookie: Some(cookie) })
    };
    let outcome = run.await;
    conclude(&pages, &station, &asked, outcome).await
}

/// Makes the first manager, for whoever knows the one-time code.
pub(super) async fn first_manager(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let run = async {
        let place = pages.station(&station)?;
        let fields = &asked.fields;
        let code = pages.config.bootstrap_code.as_deref();
        let code = code.ok_or_else(|| Sorry::of(StatusCode::FORBIDDEN, "no_code", Msg::NoOneTimeCode))?;
        pin::check_one_time_code(&pages, code, fields.get("code").unwrap_or("")).await?;
        let person = new_person(&pages, fields).await?;
        let act = Act::FirstManager { staff: person.staff, name: person.name, pin: person.pin };
        let reply = pages.ask(fields.command("first-manager")?, plain(&place, None, act)).await?;
        Ok(Done { reply, cookie: None })
    };
    let outcome = run.await;
    conclude(&pages, &station, &asked, outcome).await
}

/// Adds a person.
pub(super) async fn add_staff(
    State(pages): State<Arc<Pages>>,
    Path(station): Path<String>,
    asked: Asked,
) -> Response {
    let run = async {
        let (place, who) = session::must(&pages, &station, &asked).await?;
        let role = match asked.fields.need("role")? {
            "cashier" => Role::Cashier,
            "manager" => Role::Manager,
            _ => return Err(super::fields::bad_field("role")),
        };
        let person = new_person(&pages, &asked.fields).await?;
        let act = Act::AddStaff { staff: person.staff, name: person.name, role, pin: person.pin };
        let reply = send(&pages, &asked, &place, &who, "add-staff", act).await?;
        Ok(Done { reply, cookie: None })
    };
    let outcome = run.await;
    conclude(&pages, &station, &asked, outcome).await
}

fn plain(station: &StationId, staff: Option<StaffId>, act: Act) -> Command {
    Command { station: station.clone(), staff, approver: None, seen: None, act }
}

struct NewPerson {
    staff: StaffId,
    name: String,
    pin: PinHash,
}

async fn new_person(pages: &Pages, fields: &Fields) -> Result<NewPerson, Sorry> {
    let name = fields.get("name").ok_or_else(|| Sorry::typed(Msg::NameMissing))?.to_owned();
    let slug = fields.get("staff").map_or_else(|| free_slug(pages, &name), str::to_owned);
    let staff = slug.parse().map_err(|_| Sorry::typed(Msg::BadSignInWord))?;
    let pin = fields.get("new_pin").unwrap_or("").to_owned();
    if fields.get("new_pin_again").unwrap_or("") != pin {
        return Err(Sorry::typed(Msg::PinsDiffer));
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&(pages.parts.chance)()[..16]);
    let hashed = tokio::task::spawn_blocking(move || PinHash::new(&pin, salt)).await;
    let pin = hashed.map_err(|_| Sorry::typed(Msg::FormBroken))?.map_err(|weak| {
        Sorry::typed(match weak {
            WeakPin::Length => Msg::PinLength,
            WeakPin::Obvious => Msg::PinObvious,
        })
    })?;
    Ok(NewPerson { staff, name, pin })
}

/// A slug out of a name, or a plain one where the name has no Latin letters; numbered where it is taken.
fn free_slug(pages: &Pages, name: &str) -> String {
    let latin: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let stem: String = if latin.is_empty() { "staff".to_owned() } else { latin };
    let stem: String = stem.chars().take(SLUG_MAX - 4).collect();
    let view = pages.parts.board.view.borrow();
    let taken = |slug: &str| view.staff.iter().any(|person| person.id.as_str() == slug);
    if !taken(&stem) {
        return stem;
    }
    // Among so many numbers one is free: there are never as many people.
    let numbered = (2..=view.staff.len() + 2).map(|number| format!("{stem}-{number}"));
    numbered.into_iter().find(|slug| !taken(slug)).unwrap_or(stem)
}

/// Compares without saying by its time how much was right: hashes of what is compared differ at random.
pub(super) fn same(code: &str, typed: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    hash(code).as_ref() == hash(typed).as_ref()
}
