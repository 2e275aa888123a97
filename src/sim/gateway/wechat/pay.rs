//! `codepay`, `native`, `jsapi` and `h5`: how an order begins.
//!
//! Source: WeChat Pay APIv3, "Pay by code", "Native order", "JSAPI order" and "H5 order". `scene_info` is required there and not missed
//! here. `code_url` is an address of the gateway, which any phone opens, instead of `weixin://`.

use serde_json::json;

use super::{
    answer::Reply,
    order::transaction,
    request::{Call, Door},
};
use crate::sim::gateway::{
    beijing,
    books::Books,
    chance,
    customer::Manner,
    trade::{Buyer, End, Order, Origin, Status, Trade},
    verb::Verb,
};

/// What a prepay_id begins with; the token of the phone's page follows.
pub(in crate::sim::gateway) const PREPAY: &str = "wx";
/// What an order number may be long (`out_trade_no`, 32).
const MAX_NUMBER: usize = 32;
/// What a description may be long (`description`, 127).
const MAX_DESCRIPTION: usize = 127;
/// The most that one order may cost: 100,000,000.00 yuan, as at the other wallet; none is documented.
const MAX_FEN: i64 = 10_000_000_000;
/// How long a buyer may type a password before the payment has failed.
const PASSWORD_MS: i64 = 5 * 60 * 1_000;
/// How long a code on a display is good for unless the order says otherwise: two hours (`code_url`).
const CODE_MS: i64 = 2 * 60 * 60 * 1_000;

/// A pay code was presented at the counter.
pub(super) fn codepay(books: &Books<'_>, call: &Call, buyer: &Buyer) -> rusqlite::Result<Reply> {
    let order = match read_order(call, books.now_ms.saturating_add(PASSWORD_MS)) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let Some(code) = call.pay_code() else {
        return Ok(Reply::wrong_parameter("payer/auth_code", "payer.auth_code is missing"));
    };
    books.note_request(&order.key, Verb::Pay, order.total)?;
    let hash = chance::hash_of_code(&code);
    if let Some(trade) = books.find(&order.key)? {
        let same_code = trade.auth_code_hash.as_ref() == Some(&hash);
        return Ok(again(&trade, &order, same_code).unwrap_or_else(Reply::user_is_paying));
    }
    if books.is_buried(&order.key)? {
        return Ok(reversed());
    }
    if !is_well_formed(&code) || !books.use_code(&hash, &order.key)? {
        let words = "付款码无效，每个二维码仅限使用一次，请刷新再试";
        return Ok(Reply::error(400, "AUTH_CODE_INVALID", words));
    }
    if buyer.manner == Some(Manner::Refuse) {
        books.note(&order.key, "refuse", order.total)?;
        return Ok(Reply::error(403, "NOT_ENOUGH", "用户余额不足，请换卡支付或使用其他方式支付"));
    }
    let mut trade = books.open(&order, &Origin::PayCode(hash), buyer)?;
    if matches!(buyer.manner, None | Some(Manner::Pay)) {
        books.capture(&mut trade)?;
    }
    match trade.captures {
        0 => Ok(Reply::user_is_paying()),
        _ => transaction(books, &trade).map(Reply::ok),
    }
}

/// An order is wanted that the buyer opens: a code to scan, a window in WeChat, a page in a phone's browser.
pub(super) fn opened(
    books: &Books<'_>,
    call: &Call,
    buyer: &Buyer,
    public_base: &str,
) -> rusqlite::Result<Reply> {
    let expires_ms = match call.text(&["time_expire"]) {
        Some(text) => beijing::parse_rfc3339(&text),
        None => Some(books.now_ms.saturating_add(CODE_MS)),
    };
    let Some(expires_ms) = expires_ms else {
        let words = "time_expire is not like 2024-01-02T03:04:05+08:00";
        return Ok(Reply::wrong_parameter("time_expire", words));
    };
    let order = match read_order(call, expires_ms) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    if let Some(refusal) = missing(call) {
        return Ok(refusal);
    }
    if order.notify_url.is_none() {
        return Ok(Reply::wrong_parameter("notify_url", "notify_url is missing"));
    }
    books.note_request(&order.key, Verb::Precreate, order.total)?;
    let trade = match books.find(&order.key)? {
        Some(trade) => match again(&trade, &order, trade.door() == Some(call.door)) {
            Some(refusal) => return Ok(refusal),
            None => trade,
        },
        None if books.is_buried(&order.key)? => return Ok(reversed()),
        None => books.open(&order, &Origin::OnPhone(letter(call.door)), buyer)?,
    };
    let token = trade.qr_token.as_deref().unwrap_or_default();
    Ok(Reply::ok(match call.door {
        Door::Native => json!({ "code_url": format!("{public_base}/qr/{token}") }),
        Door::Jsapi => json!({ "prepay_id": format!("{PREPAY}{token}") }),
        Door::H5 => json!({ "h5_url": format!("{public_base}/qr/{token}?prepay_id={PREPAY}{token}") }),
    }))
}

/// What an order of its kind lacks.
fn missing(call: &Call) -> Option<Reply> {
    let wrong = Reply::wrong_parameter;
    match call.door {
        Door::Native => None,
        Door::Jsapi => {
            let is_known = call.text(&["payer", "openid"]).is_some_and(|openid| openid.len() <= 128);
            (!is_known).then(|| wrong("payer/openid", "payer.openid is missing"))
        }
        Door::H5 => {
            let ip = call.text(&["scene_info", "payer_client_ip"]);
            if ip.is_none_or(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
                return Some(wrong("scene_info/payer_client_ip", "payer_client_ip is no IP address"));
            }
            let kind = call.text(&["scene_info", "h5_info", "type"]);
            kind.is_none().then(|| wrong("scene_info/h5_info/type", "h5_info.type is missing"))
        }
    }
}

/// What a token begins with, so that the trade says how it was opened.
fn letter(door: Door) -> &'static str {
    match door {
        Door::Native => "",
        Door::Jsapi => "j",
        Door::H5 => "m",
    }
}

/// Why an order number that is already known cannot begin again; nothing if it is the same order, waiting.
fn again(trade: &Trade, order: &Order, is_same_kind: bool) -> Option<Reply> {
    match (trade.status, trade.ended_by) {
        (Status::Closed, Some(End::Cancel)) => return Some(reversed()),
        (Status::Closed, _) if trade.captures == 0 => return Some(closed()),
        (Status::Waiting | Status::Paid | Status::Finished | Status::Closed, _) => {}
    }
    let same = trade.total == order.total && trade.subject == order.subject && is_same_kind;
    if !same {
        return Some(Reply::error(403, "OUT_TRADE_NO_USED", "商户订单号重复，请使用新的商户订单号"));
    }
    (trade.captures > 0).then(|| Reply::error(400, "ORDER_PAID", "该订单已支付"))
}

/// A reversed number is never used again.
fn reversed() -> Reply {
    Reply::error(400, "ORDER_REVERSED", "订单已撤销，请使用新的商户订单号")
}

pub(super) fn closed() -> Reply {
    Reply::error(400, "ORDER_CLOSED", "订单已关闭，请使用新的商户订单号")
}

/// Eighteen digits beginning with 10 to 15.
fn is_well_formed(code: &str) -> bool {
    let prefix = code.get(..2).and_then(|prefix| prefix.parse::<u8>().ok());
    code.len() == 18
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && prefix.is_some_and(|prefix| (10..=15).contains(&prefix))
}

/// An order number of a merchant: letters, digits and a few marks.
pub(super) fn is_number(text: &str, max: usize) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
    (1..=max).contains(&text.len()) && text.bytes().all(legal)
}

fn read_order(call: &Call, expires_ms: i64) -> Result<Order, Reply> {
    let wrong = Reply::wrong_parameter;
    let text = |name: &str| call.text(&[name]).ok_or_else(|| wrong(name, &format!("{name} is missing")));
    let app_id = text("appid")?;
    text("mchid")?;
    let number = text("out_trade_no")?;
    if !is_number(&number, MAX_NUMBER) {
        return Err(wrong("out_trade_no", "out_trade_no has 1 to 32 letters, digits, _, - and *"));
    }
    let subject = text("description")?;
    if subject.len() > MAX_DESCRIPTION {
        return Err(wrong("description", "description is longer than 127 bytes"));
    }
    let total = call.number_at(&["amount", "total"]).filter(|fen| (1..=MAX_FEN).contains(fen));
    let total =
        total.ok_or_else(|| wrong("amount/total", "amount.total is not a whole number of fen from 1"))?;
    if call.text(&["amount", "currency"]).is_some_and(|currency| currency != "CNY") {
        return Err(wrong("amount/currency", "amount.currency is not CNY"));
    }
    Ok(Order {
        key: call.key(),
        app_id,
        subject,
        attach: call.text(&["attach"]),
        total,
        expires_ms,
        notify_url: call.text(&["notify_url"]),
        key_id: call.key_id.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pay_codes_are_known_by_their_shape() {
        for (code, good) in [
            ("130061098828009406", true),
            ("101234567890123456", true),
            ("151234567890123456", true),
            ("161234567890123456", false),
            ("13006109882800940", false),
            ("1300610988280094060", false),
            ("13006109882800940x", false),
            ("", false),
        ] {
            assert_eq!(is_well_formed(code), good, "{code}");
        }
    }
}
