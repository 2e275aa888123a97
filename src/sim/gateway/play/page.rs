//! `/play` for people: pay codes to scan off the screen, what customers do, the trades, and what was verified.
//!
//! Plain forms without a script, in English and Chinese. Deliberately not here: what the forms do for scripts.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use qrcode::{QrCode, render::svg};
use serde::Deserialize;

use super::{
    super::{
        beijing,
        customer::{MAX_AFTER_MS, Manner},
        phone::{escaped, percent_encoded, shown},
        server::Host,
        trade::{End, Status, Trade},
        verb::Wallet,
        witness::Line,
        yuan,
    },
    Act, carry_out, draw_code, failed,
};

/// Trades on the page; `/play/trades` has more.
const MAX_TRADES: i64 = 50;
/// Customers with a manner of their own on the page; `/play/customers` has all.
const MAX_MANNERS: usize = 20;
/// Requests on the page.
const MAX_LINES: usize = 40;
/// The side of a pay code's symbol, in pixels.
const SYMBOL_PX: u32 = 150;

const STYLE: &str = include_str!("page.css");

pub(super) fn routes() -> Router<Arc<Host>> {
    Router::new()
        .route("/", get(async || Redirect::to("/play")))
        .route("/play", get(show))
        .route("/play/page/code", post(new_code))
        .route("/play/page/customer", post(set_customer))
        .route("/play/page/faults/clear", post(clear_faults))
        .route("/play/page/trades/{out_trade_no}/{act}", post(act))
}

#[derive(Debug, Default, Deserialize)]
struct Shown {
    alipay: Option<String>,
    wechat: Option<String>,
}

async fn show(State(host): State<Arc<Host>>, Query(codes): Query<Shown>) -> Response {
    let trades = match host.on_books(|books| books.newest(MAX_TRADES)).await {
        Ok(trades) => trades,
        Err(error) => return failed(&error),
    };
    let (usual, orders) = host.gateway.customers().all();
    let html = format!(
        "<header><h1>Simulated wallets <span>模拟钱包</span></h1>\
         <p>{base} · <a href=\"/play\">Refresh 刷新</a> · <a href=\"/play/keys\">Keys 密钥</a> · \
         <a href=\"/faults\">Faults 故障 JSON</a></p></header>\
         <div class=\"codes\">{alipay}{wechat}</div>\
         <section><h2>What customers do <span>顾客行为</span></h2>{customers}</section>\
         {faults}\
         <section><h2>Trades <span>交易</span></h2>{trades}</section>\
         <section><h2>Verified requests <span>已验签的请求</span></h2>{lines}</section>",
        base = escaped(&host.gateway.public_base),
        alipay = code_card(Wallet::Alipay, codes.alipay.as_deref(), codes.wechat.as_deref()),
        wechat = code_card(Wallet::Wechat, codes.wechat.as_deref(), codes.alipay.as_deref()),
        customers = customers(usual, &orders),
        faults = faults(&host),
        trades = table(&trades),
        lines = lines(&host.gateway.witness.latest()),
    );
    shown(StatusCode::OK, &frame(&html))
}

fn frame(inside: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-Hans\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Simulated wallets 模拟钱包</title><style>{STYLE}</style></head><body><main>{inside}</main></body></html>"
    )
}

/// A wallet's pay code, as its app would show it. The other wallet's code stays on the page.
fn code_card(wallet: Wallet, code: Option<&str>, other: Option<&str>) -> String {
    let title = match wallet {
        Wallet::Alipay => "Alipay 支付宝",
        Wallet::Wechat => "WeChat Pay 微信支付",
    };
    let code = code.filter(|code| code.len() <= 24 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let shown = match code {
        None => "<p class=\"hint\">A code pays once, for one order.<br>付款码一次有效。</p>".to_owned(),
        Some(code) => {
            let groups: Vec<&str> =
                (0..code.len()).step_by(4).filter_map(|at| code.get(at..(at + 4).min(code.len()))).collect();
            format!(
                "{}<p class=\"digits\">{}</p><p class=\"hint\">{code}</p>",
                symbol(code),
                groups.join(" ")
            )
        }
    };
    let keep =
        other.map(|other| format!("<input type=\"hidden\" name=\"other\" value=\"{}\">", escaped(other)));
    format!(
        "<section class=\"code {name}\"><h2>{title}</h2>{shown}<form method=\"post\" action=\"/play/page/code\">\
         <input type=\"hidden\" name=\"wallet\" value=\"{name}\">{keep}\
         <button>New pay code 新付款码</button></form></section>",
        name = wallet.name(),
        keep = keep.unwrap_or_default(),
    )
}

fn symbol(code: &str) -> String {
    let Ok(symbol) = QrCode::new(code) else { return String::new() };
    let drawn = symbol.render::<svg::Color<'_>>().min_dimensions(SYMBOL_PX, SYMBOL_PX).build();
    let drawn = drawn.split_once("?>").map_or(drawn.as_str(), |(_, svg)| svg);
    format!("<div class=\"symbol\">{drawn}</div>")
}

fn in_words(manner: Option<Manner>) -> String {
    let seconds = |ms: i64| format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
    match manner {
        None | Some(Manner::Pay) => "pays at once 立即付款".to_owned(),
        Some(Manner::ConfirmAfter { after_ms }) => {
            format!("confirms after {} 稍后确认", seconds(after_ms))
        }
        Some(Manner::Password { after_queries: None }) => {
            "types a password until confirmed here 输入密码，等待确认".to_owned()
        }
        Some(Manner::Password { after_queries: Some(count) }) => {
            format!("types a password for {count} queries 输入密码，{count} 次查询后付款")
        }
        Some(Manner::Refuse) => "has not enough money 余额不足".to_owned(),
        Some(Manner::RefuseAfter { after_ms }) => format!("refuses after {} 稍后拒绝", seconds(after_ms)),
        Some(Manner::PayAfterCancel { after_ms }) => {
            format!("pays {} after the cancel 撤销后才付款", seconds(after_ms))
        }
        Some(Manner::WalkAway) => "walks away 离开".to_owned(),
    }
}

fn customers(usual: Option<Manner>, orders: &std::collections::BTreeMap<String, Manner>) -> String {
    let mut html = format!("<p>Everybody 所有人: <strong>{}</strong></p>", in_words(usual));
    for (number, manner) in orders.iter().take(MAX_MANNERS) {
        let _ = write!(html, "<p>{} <strong>{}</strong></p>", escaped(number), in_words(Some(*manner)));
    }
    html.push_str(
        "<form class=\"row\" method=\"post\" action=\"/play/page/customer\">\
         <label>Order 订单号<input name=\"out_trade_no\" placeholder=\"all 全部\"></label>\
         <label>Does 行为<select name=\"does\">\
         <option value=\"pay\">pays at once 立即付款</option>\
         <option value=\"confirm_after\">confirms after … 稍后确认</option>\
         <option value=\"password\">types a password, you confirm 输入密码</option>\
         <option value=\"refuse\">has not enough money 余额不足</option>\
         <option value=\"refuse_after\">refuses after … 稍后拒绝</option>\
         <option value=\"pay_after_cancel\">pays … after the cancel 撤销后才付款</option>\
         <option value=\"walk_away\">walks away 离开</option></select></label>\
         <label>Seconds 秒<input name=\"seconds\" type=\"number\" min=\"0\" max=\"86400\" value=\"3\"></label>\
         <button>Set 设定</button></form>",
    );
    html
}

fn faults(host: &Host) -> String {
    let rules = host.gateway.faults().rules();
    if rules.is_empty() {
        return String::new();
    }
    let mut html =
        String::from("<section><h2>Faults in force <span>生效的故障</span></h2><ol class=\"rules\">");
    for rule in &rules {
        let text = serde_json::to_string(&rule.rule).unwrap_or_default();
        let _ = write!(html, "<li><code>{}</code> struck 命中 {}</li>", escaped(&text), rule.hits);
    }
    html.push_str(
        "</ol><form method=\"post\" action=\"/play/page/faults/clear\"><button class=\"quiet\">Clear all 全部清除\
         </button></form></section>",
    );
    html
}

fn state(trade: &Trade) -> (&'static str, String) {
    match trade.status {
        Status::Waiting => ("waiting", "waiting 待付款".to_owned()),
        Status::Paid | Status::Finished if trade.refunded > 0 => {
            ("paid", format!("paid, ¥{} given back 部分退款", yuan::format(trade.refunded)))
        }
        Status::Paid => ("paid", "paid 已付款".to_owned()),
        Status::Finished => ("paid", "finished 已完结".to_owned()),
        Status::Closed if trade.captures > 0 => ("back", "given back 已退款".to_owned()),
        Status::Closed => {
            let why = match trade.ended_by {
                Some(End::Cancel) => "cancelled 已撤销",
                Some(End::Time) => "expired 超时关闭",
                Some(End::Buyer) => "refused 顾客拒绝",
                Some(End::Close) | None => "closed 已关闭",
            };
            ("back", why.to_owned())
        }
    }
}

fn table(trades: &[Trade]) -> String {
    if trades.is_empty() {
        return "<p class=\"hint\">None yet. Point a client at this address. 还没有交易。</p>".to_owned();
    }
    let mut html = String::from(
        "<div class=\"scroll\"><table><thead><tr><th>Time 时间</th><th>Wallet 钱包</th><th>Order 订单号</th>\
         <th>What 商品</th><th class=\"number\">Amount 金额</th><th>State 状态</th><th></th></tr></thead><tbody>",
    );
    for trade in trades {
        let (class, words) = state(trade);
        let button = |act: &str, words: &str| {
            format!(
                "<form method=\"post\" action=\"/play/page/trades/{}/{act}\"><button class=\"small\">{words}</button></form>",
                percent_encoded(&trade.key.number)
            )
        };
        let mut buttons = match trade.status {
            Status::Waiting => button("confirm", "Confirm 确认") + &button("refuse", "Refuse 拒绝"),
            Status::Paid => button("finish", "Finish 完结"),
            Status::Finished | Status::Closed => String::new(),
        };
        if let Some(token) = &trade.qr_token {
            let _ = write!(buttons, "<a href=\"/qr/{token}\">Phone 手机页</a>");
        }
        let time = beijing::format(trade.created_ms);
        let _ = write!(
            html,
            "<tr><td>{time}</td><td><span class=\"dot {wallet}\"></span>{wallet}</td><td>{number}</td><td>{subject}</td>\
             <td class=\"number\">¥{total}</td><td><span class=\"chip {class}\">{words}</span></td>\
             <td><div class=\"acts\">{buttons}</div></td></tr>",
            time = time.get(11..).unwrap_or(&time),
            wallet = trade.key.wallet.name(),
            number = escaped(&trade.key.number),
            subject = escaped(&trade.subject),
            total = yuan::format(trade.total),
        );
    }
    html.push_str("</tbody></table></div>");
    html
}

fn lines(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "<p class=\"hint\">Nothing was asked yet. 暂无请求。</p>".to_owned();
    }
    let mut html = String::from("<ol class=\"lines\">");
    for line in lines.iter().take(MAX_LINES) {
        let time = beijing::format(line.at_ms);
        let class = if line.is_verified { "good" } else { "bad" };
        let _ = write!(
            html,
            "<li class=\"{class}\"><time>{}</time> {}</li>",
            time.get(11..).unwrap_or(&time),
            escaped(&line.to_string())
        );
    }
    html.push_str("</ol>");
    html
}

#[derive(Debug, Deserialize)]
struct NewCode {
    wallet: Wallet,
    other: Option<String>,
}

async fn new_code(State(host): State<Arc<Host>>, Form(wanted): Form<NewCode>) -> Response {
    let NewCode { wallet, other } = wanted;
    let code = match host.on_books(move |books| draw_code(books, wallet)).await {
        Ok(code) => code.unwrap_or_default(),
        Err(error) => return failed(&error),
    };
    let neighbour = match wallet {
        Wallet::Alipay => Wallet::Wechat,
        Wallet::Wechat => Wallet::Alipay,
    };
    let other =
        other.map(|other| format!("&{}={}", neighbour.name(), percent_encoded(&other))).unwrap_or_default();
    Redirect::to(&format!("/play?{}={code}{other}", wallet.name())).into_response()
}

#[derive(Debug, Deserialize)]
struct CustomerForm {
    out_trade_no: String,
    does: String,
    seconds: Option<i64>,
}

async fn set_customer(State(host): State<Arc<Host>>, Form(form): Form<CustomerForm>) -> Response {
    let after_ms = form.seconds.unwrap_or(0).saturating_mul(1_000).clamp(0, MAX_AFTER_MS);
    let manner = match form.does.as_str() {
        "confirm_after" => Manner::ConfirmAfter { after_ms },
        "password" => Manner::Password { after_queries: None },
        "refuse" => Manner::Refuse,
        "refuse_after" => Manner::RefuseAfter { after_ms },
        "pay_after_cancel" => Manner::PayAfterCancel { after_ms },
        "walk_away" => Manner::WalkAway,
        _ => Manner::Pay,
    };
    let customers = host.gateway.customers();
    let number = form.out_trade_no.trim();
    let is_set = if number.is_empty() {
        customers.set_usual(Some(manner));
        true
    } else {
        customers.set(number, manner)
    };
    if is_set {
        Redirect::to("/play").into_response()
    } else {
        super::problem(StatusCode::UNPROCESSABLE_ENTITY, "too many orders have a manner; clear them first")
    }
}

async fn clear_faults(State(host): State<Arc<Host>>) -> Response {
    host.gateway.faults().clear();
    Redirect::to("/play").into_response()
}

async fn act(State(host): State<Arc<Host>>, Path((number, act)): Path<(String, Act)>) -> Response {
    match host.on_books(move |books| carry_out(books, &number, act)).await {
        Ok(_) => Redirect::to("/play").into_response(),
        Err(error) => failed(&error),
    }
}
