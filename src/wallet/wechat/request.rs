//! WeChat Pay requests: what is asked, where, in the bytes that are signed and sent.
//!
//! Amounts are whole fen. The body is serialised once; those bytes are signed and those bytes are sent. Source:
//! WeChat Pay APIv3, direct merchants: codepay, native, query by out_trade_no, reverse, close, refund, refund
//! query.
//!
//! Not here: signing (`signature`), sub-merchants of a service provider (the `/partner/` variants).

use super::WeChat;
use crate::wallet::{OrderNumber, PayRequest, PrecreateRequest, RefundRequest};
use serde::Serialize;

/// The longest `description` (codepay and native, "not more than 127"), counted in bytes: the gateway's own error
/// counts bytes.
const DESCRIPTION_BYTES: usize = 127;

/// The longest `reason` of a refund, counted likewise.
const REASON_BYTES: usize = 80;

/// The longest names of a shop and a till in `scene_info`.
const PLACE_BYTES: usize = 32;

/// What only needs signing and sending.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// After the address of the gateway, query included.
    pub(super) path: String,
    /// Empty for a question.
    pub(super) body: String,
}

pub(super) fn post(path: String, body: &impl Serialize) -> Result<Request, String> {
    let body = serde_json::to_string(body).map_err(|error| error.to_string())?;
    Ok(Request { method: "POST", path, body })
}

fn get(path: String) -> Request {
    Request { method: "GET", path, body: String::new() }
}

#[derive(Serialize)]
struct Amount {
    total: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct Codepay<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    payer: Payer<'a>,
    amount: Amount,
    scene_info: Scene<'a>,
}

#[derive(Serialize)]
struct Payer<'a> {
    auth_code: &'a str,
}

#[derive(Serialize)]
struct Scene<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    device_id: &'a str,
    store_info: Store<'a>,
    device_ip: &'a str,
}

#[derive(Serialize)]
struct Store<'a> {
    out_id: &'a str,
}

/// Takes money with a pay code. A shop without a number at the wallet goes by its till's name.
pub(super) fn codepay(wallet: &WeChat, request: &PayRequest) -> Result<Request, String> {
    let till = clipped(&request.terminal, PLACE_BYTES);
    let body = Codepay {
        appid: &wallet.app_id,
        mchid: &wallet.merchant_id,
        description: clipped(&request.subject, DESCRIPTION_BYTES),
        out_trade_no: request.order.as_str(),
        payer: Payer { auth_code: request.pay_code.expose() },
        amount: Amount { total: request.amount.minor, currency: request.amount.currency.code() },
        scene_info: Scene {
            device_id: till,
            store_info: Store {
                out_id: request.store.as_deref().map_or(till, |store| clipped(store, PLACE_BYTES)),
            },
            device_ip: &wallet.device_ip,
        },
    };
    post("/v3/pay/transactions/codepay".to_owned(), &body)
}

/// What every order has that the customer opens.
#[derive(Serialize)]
pub(super) struct Native<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    time_expire: &'a str,
    notify_url: &'a str,
    amount: Amount,
}

impl<'a> Native<'a> {
    pub(super) fn of(
        wallet: &'a WeChat,
        request: &'a PrecreateRequest,
        notify_url: &'a str,
        time_expire: &'a str,
    ) -> Self {
        Self {
            appid: &wallet.app_id,
            mchid: &wallet.merchant_id,
            description: clipped(&request.subject, DESCRIPTION_BYTES),
            out_trade_no: request.order.as_str(),
            time_expire,
            notify_url,
            amount: Amount { total: request.amount.minor, currency: request.amount.currency.code() },
        }
    }
}

/// Opens an order that the customer scans.
pub(super) fn native(
    wallet: &WeChat,
    request: &PrecreateRequest,
    notify_url: &str,
    time_expire: &str,
) -> Result<Request, String> {
    let body = Native::of(wallet, request, notify_url, time_expire);
    post("/v3/pay/transactions/native".to_owned(), &body)
}

/// An order's numbers hold letters, digits and underscores only, so nothing in the path needs encoding.
fn order_path(order: &OrderNumber, rest: &str) -> String {
    format!("/v3/pay/transactions/out-trade-no/{}{rest}", order.as_str())
}

pub(super) fn query(wallet: &WeChat, order: &OrderNumber) -> Request {
    get(order_path(order, &format!("?mchid={}", wallet.merchant_id)))
}

#[derive(Serialize)]
struct Reverse<'a> {
    appid: &'a str,
    mchid: &'a str,
}

pub(super) fn reverse(wallet: &WeChat, order: &OrderNumber) -> Result<Request, String> {
    post(order_path(order, "/reverse"), &Reverse { appid: &wallet.app_id, mchid: &wallet.merchant_id })
}

#[derive(Serialize)]
struct Close<'a> {
    mchid: &'a str,
}

pub(super) fn close(wallet: &WeChat, order: &OrderNumber) -> Result<Request, String> {
    post(order_path(order, "/close"), &Close { mchid: &wallet.merchant_id })
}

#[derive(Serialize)]
struct Refund<'a> {
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    amount: RefundAmount,
}

#[derive(Serialize)]
struct RefundAmount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

/// Gives back; `total_fen` is what the order as a whole asked for.
pub(super) fn refund(request: &RefundRequest, total_fen: i64) -> Result<Request, String> {
    let body = Refund {
        out_trade_no: request.order.as_str(),
        out_refund_no: request.refund.as_str(),
        reason: request.reason.as_deref().map(|reason| clipped(reason, REASON_BYTES)),
        amount: RefundAmount {
            refund: request.amount.minor,
            total: total_fen,
            currency: request.amount.currency.code(),
        },
    };
    post(REFUNDS.to_owned(), &body)
}

const REFUNDS: &str = "/v3/refund/domestic/refunds";

pub(super) fn refund_query(request: &RefundRequest) -> Request {
    get(format!("{REFUNDS}/{}", request.refund.as_str()))
}

/// As much of a text as fits, whole characters only.
fn clipped(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Unix milliseconds and seconds from then as RFC 3339 in Beijing's time, which the wallet's examples use; nothing
/// beyond the calendar.
pub(super) fn expiry(now_ms: i64, in_s: u32) -> Option<String> {
    let moment = jiff::Timestamp::from_millisecond(now_ms.checked_add(i64::from(in_s) * 1000)?).ok()?;
    let beijing = jiff::tz::Offset::constant(8).to_datetime(moment);
    Some(beijing.strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string())
}

/// The nonce of a request, from chance: 32 characters are allowed.
pub(super) fn nonce(chance: [u8; 32]) -> String {
    use std::fmt::Write;
    chance[..16].iter().fold(String::new(), |mut text, byte| {
        let _never_fails = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(clipped("咖啡", 5), "咖");
        assert_eq!(clipped("tea", 127), "tea");
    }

    #[test]
    fn an_order_expires_by_beijings_clock() {
        assert_eq!(expiry(1_704_135_845_999, 300).unwrap(), "2024-01-02T03:09:05+08:00");
        assert_eq!(expiry(i64::MAX, 1), None);
    }

    #[test]
    fn a_nonce_is_thirty_two_characters_of_chance() {
        assert_eq!(nonce([0xa5; 32]), "A5".repeat(16));
    }
}
