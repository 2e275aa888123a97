//! Answers: pages, JSON, and a no as a sentence with a status.

use super::assets::Frame;
use super::request::{Asked, lang, wants_json};
use super::voice::Voice;
use crate::counter::refusal::{Refusal, Told};
use crate::locales::{Lang, Msg, told};
use askama::Template;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// A no, with its words.
#[derive(Clone, Debug)]
pub(super) struct Sorry {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    words: Words,
}

#[derive(Clone, Debug)]
enum Words {
    Ours(Msg, Vec<String>),
    Core(Told),
    /// A sentence that has only one language.
    Said(String),
}

impl Sorry {
    /// A no of the pages' own.
    pub(super) fn of(status: StatusCode, code: &'static str, words: Msg) -> Self {
        Self { status, code, words: Words::Ours(words, Vec::new()) }
    }

    /// A no about a value that stands in its sentence.
    pub(super) fn about(status: StatusCode, code: &'static str, words: Msg, value: &str) -> Self {
        Self { status, code, words: Words::Ours(words, vec![value.to_owned()]) }
    }

    /// A no in a sentence of its own.
    pub(super) fn said(status: StatusCode, code: &'static str, words: String) -> Self {
        Self { status, code, words: Words::Said(words) }
    }

    /// What was typed cannot be.
    pub(super) fn typed(words: Msg) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, "typed", words)
    }

    /// The disk does not answer. Logged here, shown as a sentence.
    pub(super) fn disk(error: &crate::journal::Error) -> Self {
        tracing::error!(%error, "the pages cannot use the state directory");
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "disk", Msg::DiskTrouble)
    }

    pub(super) fn no_such_station() -> Self {
        Self::of(StatusCode::NOT_FOUND, "no_such_station", Msg::NoSuchStation)
    }

    pub(super) fn session_over() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "sign_in_first", Msg::SessionOver)
    }

    pub(super) fn words(&self, lang: Lang) -> String {
        match &self.words {
            Words::Ours(msg, values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                msg.with(lang, &values)
            }
            Words::Core(words) => told(&words.code, &words.words, lang),
            Words::Said(words) => words.clone(),
        }
    }
}

impl From<Refusal> for Sorry {
    fn from(refusal: Refusal) -> Self {
        Self { status: status(&refusal), code: refusal.code(), words: Words::Core(Told::from(&refusal)) }
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::SignInFirst => StatusCode::UNAUTHORIZED,
        Refusal::NeedsManager => StatusCode::FORBIDDEN,
        Refusal::Busy | Refusal::DiskFull | Refusal::ReadOnly => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::NotEnough { .. }
        | Refusal::TooMuch { .. }
        | Refusal::UnknownItem(_)
        | Refusal::Expired(_)
        | Refusal::Key(_)
        | Refusal::PriceMissing(_)
        | Refusal::Scan(_)
        | Refusal::Token(_)
        | Refusal::Receipt(_)
        | Refusal::Proof(_)
        | Refusal::Voucher(_)
        | Refusal::Coupon(_)
        | Refusal::Quantity
        | Refusal::Amount(_)
        | Refusal::Back(_)
        | Refusal::Staff(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::CashOnly
        | Refusal::BooksLost
        | Refusal::NotTheFirst
        | Refusal::Shift(_)
        | Refusal::NoSale
        | Refusal::SaleMoved
        | Refusal::TotalIsFixed
        | Refusal::PressPayFirst
        | Refusal::PhoneIsPaying
        | Refusal::PaymentUnderWay
        | Refusal::NoCodeHere
        | Refusal::ChooseWallet
        | Refusal::ClockUnsure
        | Refusal::ClockDistrusted
        | Refusal::QuotaSpent
        | Refusal::Limit(_)
        | Refusal::CodeUnsettled
        | Refusal::NoMemberCode
        | Refusal::CodeUsed
        | Refusal::PaidInPart
        | Refusal::NothingToPay
        | Refusal::NoSuchLine
        | Refusal::SaleFull(_)
        | Refusal::BillTooLong
        | Refusal::Desk(_)
        | Refusal::Queue(_)
        | Refusal::NotNow(_)
        | Refusal::Frozen => StatusCode::CONFLICT,
    }
}

/// A no as JSON.
pub(super) fn sorry_json(sorry: &Sorry, lang: Lang) -> Response {
    let told = Told { code: sorry.code.to_owned(), words: sorry.words(lang) };
    with_retry((sorry.status, Json(told)).into_response(), sorry.status)
}

/// A page under a status.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let kind = [(CONTENT_TYPE, "text/html; charset=utf-8")];
            with_retry((status, kind, html).into_response(), status)
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// To another page of ours, which is then fetched with GET.
pub(super) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}

#[derive(Template)]
#[template(path = "till/sorry.html")]
struct SorryPage<'a> {
    v: Voice,
    f: Frame,
    words: &'a str,
    back: &'a str,
}

/// A no that belongs to no page, to a request that was not read: in the form and the language that its head asks for.
pub(super) fn say_sorry(sorry: &Sorry, headers: &HeaderMap, query: Option<&str>) -> Response {
    let lang = lang(headers, query);
    if wants_json(headers) { sorry_json(sorry, lang) } else { sorry_page(sorry, lang, "/") }
}

/// The same to one that was, with a way back.
pub(super) fn say_sorry_at(sorry: &Sorry, asked: &Asked, back: &str) -> Response {
    if asked.json { sorry_json(sorry, asked.lang) } else { sorry_page(sorry, asked.lang, back) }
}

fn sorry_page(sorry: &Sorry, lang: Lang, back: &str) -> Response {
    let words = sorry.words(lang);
    let template = SorryPage { v: Voice::plain(lang), f: Frame::still(), words: &words, back };
    page(sorry.status, &template)
}

/// For addresses that are nothing.
pub(super) async fn no_such_page(headers: HeaderMap, uri: Uri) -> Response {
    let sorry = Sorry::of(StatusCode::NOT_FOUND, "no_such_page", Msg::NoSuchPage);
    std::future::ready(say_sorry(&sorry, &headers, uri.query())).await
}

fn with_retry(mut response: Response, status: StatusCode) -> Response {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static("1"));
    }
    response
}
