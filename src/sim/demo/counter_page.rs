//! The counter page: cashier, phone, manager and paper side by side, with buttons for what goes wrong.

use super::Options;
use super::cashier::PIN;
use super::shop::{DESK, Shop};
use crate::token::{MemberRef, member_code};
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use hardware::sim::Fault;
use serde_json::json;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// What the handlers share.
#[derive(Clone)]
struct Counter {
    shop: Arc<Mutex<Shop>>,
}

/// Opens the shop and serves the page until the program is interrupted.
pub(super) async fn run(dir: &Path, options: &Options, say: super::Say<'_>) -> io::Result<()> {
    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    let (shop, _) = Shop::open(&options.binary, dir, options.seed, &format!("http://{address}")).await?;
    let counter = Counter { shop: Arc::new(Mutex::new(shop)) };
    say(&format!("\n  The counter is open:  http://{address}\n"));
    say(&format!("  Sign in at the till as Mia with PIN {PIN}. Ctrl-C closes the shop."));
    let pages = Router::new()
        .route("/", get(page))
        .route("/counter.css", get(style))
        .route("/counter.js", get(script))
        .route("/paper", get(paper))
        .route("/paper.css", get(paper_style))
        .route("/state", get(state))
        .route("/do/{what}", post(act))
        .with_state(counter.clone());
    let served = axum::serve(listener, pages);
    tokio::select! {
        ended = served => ended?,
        () = super::interrupted() => {}
    }
    say("Closing the shop.");
    counter.shop.lock().await.close().await
}

async fn page(State(counter): State<Counter>) -> Html<String> {
    let shop = counter.shop.lock().await;
    let filled = include_str!("assets/counter.html")
        .replace("{{pin}}", PIN)
        .replace("{{till}}", &shop.till_url)
        .replace("{{cloud}}", &shop.cloud_url)
        .replace("{{desk}}", &shop.desk_page(DESK));
    Html(filled)
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("assets/counter.css")).into_response()
}

async fn script() -> Response {
    let javascript = "text/javascript; charset=utf-8";
    ([(header::CONTENT_TYPE, javascript)], include_str!("assets/counter.js")).into_response()
}

async fn paper(State(counter): State<Counter>) -> Html<String> {
    let paper = counter.shop.lock().await.paper();
    let printed = match paper.sheets.is_empty() {
        true => "<p class=\"empty\">Nothing is printed yet.</p>".to_owned(),
        false => paper.to_html(),
    };
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Paper</title>\
         <link rel=\"stylesheet\" href=\"/paper.css\"><body>{printed}</body></html>"
    ))
}

async fn paper_style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("assets/paper.css")).into_response()
}

/// What the buttons show: whether the cable is in, the scanner plugged, paper there.
async fn state(State(counter): State<Counter>) -> axum::Json<serde_json::Value> {
    let mut shop = counter.shop.lock().await;
    axum::Json(json!({
        "online": shop.is_online(),
        "scanner": shop.scanner.is_plugged(),
        "paper": shop.printer.fault() != Fault::PaperOut,
        "till": shop.till_runs(),
        "pulses": shop.paper().pulses.len(),
        "received": shop.printer.received(),
    }))
}

async fn act(State(counter): State<Counter>, UrlPath(what): UrlPath<String>) -> Response {
    match press(&counter, &what).await {
        Ok(words) => axum::Json(json!({ "words": words })).into_response(),
        Err(error) => {
            let words = json!({ "words": error.to_string() });
            (StatusCode::CONFLICT, axum::Json(words)).into_response()
        }
    }
}

async fn press(counter: &Counter, what: &str) -> io::Result<String> {
    let mut shop = counter.shop.lock().await;
    let said = |words: &str| Ok(words.to_owned());
    match what {
        "scan-water" => shop.scan("6901234000016").map(|()| "Scanned spring water.".to_owned()),
        "scan-biscuits" => shop.scan("6901234000078").map(|()| "Scanned biscuits.".to_owned()),
        "scan-unknown" => shop.scan("4006381333931").map(|()| "Scanned something unknown.".to_owned()),
        "scan-misread" => shop.scan("6901234000017").map(|()| "Scanned with a wrong check digit.".to_owned()),
        "scan-coupon" => match shop.coupons.pop_front() {
            Some(coupon) => shop.scan(&coupon).map(|()| "Scanned a coupon: 3 off.".to_owned()),
            None => said("No coupons are left."),
        },
        "scan-voucher" => match shop.vouchers.pop_front() {
            Some(voucher) => {
                let words = "Scanned a voucher of 20: it pays once Pay was pressed.".to_owned();
                shop.scan(&voucher).map(|()| words)
            }
            None => said("No vouchers are left."),
        },
        "scan-member" => {
            let member = shop.members.first().cloned().unwrap_or_default();
            let secret = super::serve::secret_of(&member);
            let id: MemberRef = member["member"]
                .as_str()
                .unwrap_or_default()
                .parse()
                .map_err(|_| io::Error::other("there is no member"))?;
            let code = member_code(id, &secret, shop.clock.unix_ms() / 1000);
            shop.scan(&code).map(|()| "Scanned a member's code.".to_owned())
        }
        "pay-code" => {
            let code = shop.pay_code().await?;
            shop.scan(&code).map(|()| "The customer showed a pay code.".to_owned())
        }
        "pay-code-lost" => {
            let code = shop.pay_code().await?;
            shop.add_fault(json!({"kind": "drop_answer", "pay_code": code, "times": 1})).await?;
            shop.scan(&code).map(|()| "A pay code; the wallet's answer will be lost.".to_owned())
        }
        "network" => {
            if shop.is_online() {
                shop.pull_network().await;
                said("The network is pulled.")
            } else {
                shop.plug_network().await;
                said("The network is back.")
            }
        }
        "scanner" => {
            if shop.scanner.is_plugged() {
                shop.scanner.unplug();
                said("The scanner is unplugged.")
            } else {
                shop.scanner.replug()?;
                said("The scanner is plugged in.")
            }
        }
        "paper" => {
            let out = shop.printer.fault() == Fault::PaperOut;
            shop.set_paper(if out { Fault::None } else { Fault::PaperOut });
            said(if out { "A new roll is in." } else { "The roll is empty." })
        }
        "power" => {
            shop.cut_power().await?;
            said("The power was cut and is back.")
        }
        _ => Err(io::Error::other("there is no such button")),
    }
}
