//! The page that a buyer's phone shows after scanning a precreated code: what, how much, one button.
//!
//! No script; the page works as plain HTML and says how the trade stands. A `return` address, http or https,
//! becomes a link once the payment is over. Deliberately not here: who the buyer is.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    ledger::LedgerError,
    server::Host,
    trade::{Status, Trade},
    yuan,
};

/// Nothing from elsewhere, no script, and forms to here only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

const STYLE: &str = "
:root { color-scheme: light; }
body { margin: 0; background: #eef3fb; color: #10213a; font: 18px/1.5 system-ui, 'Noto Sans CJK SC', sans-serif; }
main { max-width: 26rem; margin: 0 auto; padding: 3rem 1.25rem; text-align: center; }
section { background: #fff; border-radius: 20px; padding: 2.5rem 1.5rem; box-shadow: 0 8px 30px #1a3a6b1f; }
h1 { margin: 0; font-size: 1.15rem; font-weight: 500; overflow-wrap: anywhere; }
.amount { margin: .5rem 0 1.5rem; font-size: 3.5rem; font-weight: 700; line-height: 1.1; }
.state { margin: 0 0 1.5rem; font-size: 1.35rem; font-weight: 600; }
.number { margin: 1.5rem 0 0; color: #5b6b82; font-size: .85rem; overflow-wrap: anywhere; }
button, a.button { display: block; box-sizing: border-box; width: 100%; padding: 1rem; border: 0; border-radius: 14px;
  background: #0b57d0; color: #fff; font: inherit; font-weight: 600; text-decoration: none; }
button:focus-visible, a:focus-visible { outline: 3px solid #f2a600; outline-offset: 3px; }
";

pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new().route("/qr/{token}", get(show)).route("/qr/{token}/confirm", post(confirm))
}

#[derive(Debug, Deserialize)]
struct Way {
    /// WeChat Pay calls it `redirect_url` (H5 payment).
    #[serde(rename = "return", alias = "redirect_url")]
    back: Option<String>,
}

impl Way {
    /// The address to go back to, if it is one that a phone may follow.
    fn checked(&self) -> Option<&str> {
        let address = self.back.as_deref()?;
        let is_web = address.starts_with("http://") || address.starts_with("https://");
        (is_web && !address.contains(char::is_whitespace)).then_some(address)
    }
}

async fn show(State(host): State<Arc<Host>>, Path(token): Path<String>, Query(way): Query<Way>) -> Response {
    let looked_up = token.clone();
    let found = host.on_books(move |books| {
        let Some(mut trade) = books.find_by_token(&looked_up)? else { return Ok(None) };
        books.scanned(&mut trade)?;
        Ok(Some(trade))
    });
    match found.await {
        Ok(Some(trade)) => shown(StatusCode::OK, &render(&trade, &token, way.checked())),
        Ok(None) => shown(StatusCode::NOT_FOUND, &unknown()),
        Err(error) => failed(&error),
    }
}

async fn confirm(
    State(host): State<Arc<Host>>,
    Path(token): Path<String>,
    Query(way): Query<Way>,
) -> Response {
    let looked_up = token.clone();
    let found = host.on_books(move |books| {
        let Some(mut trade) = books.find_by_token(&looked_up)? else { return Ok(None) };
        books.scanned(&mut trade)?;
        books.capture(&mut trade)?;
        Ok(Some(trade))
    });
    match found.await {
        // See Other, so that reloading the page does not ask to pay again.
        Ok(Some(_)) => Redirect::to(&address(&format!("/qr/{token}"), way.checked())).into_response(),
        Ok(None) => shown(StatusCode::NOT_FOUND, &unknown()),
        Err(error) => failed(&error),
    }
}

fn address(path: &str, back: Option<&str>) -> String {
    match back {
        Some(back) => format!("{path}?return={}", percent_encoded(back)),
        None => path.to_owned(),
    }
}

fn render(trade: &Trade, token: &str, back: Option<&str>) -> String {
    let words = match trade.status {
        Status::Waiting => None,
        Status::Paid | Status::Finished => Some("✓ Paid 支付成功"),
        Status::Closed if trade.captures > 0 => Some("Refunded 已退款"),
        Status::Closed => Some("This payment is closed; nothing was taken 交易已关闭，未扣款"),
    };
    let below = match (words, back) {
        (None, _) => format!(
            "<form method=\"post\" action=\"{}\"><button>Confirm payment 确认付款</button></form>",
            escaped(&address(&format!("/qr/{token}/confirm"), back))
        ),
        (Some(words), Some(back)) => format!(
            "<p class=\"state\" role=\"status\">{words}</p><a class=\"button\" href=\"{}\">Back to the shop 返回商家</a>",
            escaped(back)
        ),
        (Some(words), None) => format!("<p class=\"state\" role=\"status\">{words}</p>"),
    };
    frame(&format!(
        "<h1>{}</h1><p class=\"amount\">¥{}</p>{below}<p class=\"number\">{}</p>",
        escaped(&trade.subject),
        yuan::format(trade.total),
        escaped(&trade.key.number)
    ))
}

fn unknown() -> String {
    frame(
        "<h1>This code is not known here 二维码无效</h1><p class=\"number\">Ask at the counter for a new one.</p>",
    )
}

fn frame(inside: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-Hans\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>Pay 付款</title><style>{STYLE}</style></head>\
         <body><main><section>{inside}</section></main></body></html>"
    )
}

/// A page that may not load, run or send anything elsewhere.
pub(super) fn shown(status: StatusCode, html: &str) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(html.to_owned())).into_response()
}

fn failed(error: &LedgerError) -> Response {
    tracing::warn!(error = error as &dyn std::error::Error, "the ledger failed under the phone page");
    let words = "<h1>Something went wrong here; nothing was taken twice. Try again. 请重试</h1>";
    shown(StatusCode::INTERNAL_SERVER_ERROR, &frame(words))
}

pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            plain => safe.push(plain),
        }
    }
    safe
}

pub(super) fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(one).collect()
}
