//! `alipay.trade.pay` and `alipay.trade.precreate`: how a trade begins.
//!
//! Source: Alipay open platform, the two methods' pages, "Business error codes". Deliberately not here:
//! notifications; when money moves is the books' affair.

use serde_json::{Value, json};

use super::{answer::Node, request::Call};
use crate::sim::gateway::{
    beijing,
    books::Books,
    chance,
    customer::Manner,
    trade::{Buyer, Order, Origin, Status, Trade},
    verb::Verb,
    yuan,
};

/// How long a trade waits for its buyer unless the order says otherwise: two hours.
const PATIENCE_MS: i64 = 2 * 60 * 60 * 1000;
/// What an order number may be long (`out_trade_no`).
const MAX_NUMBER: usize = 64;
/// What a subject may be long.
const MAX_SUBJECT: usize = 256;

/// A pay code was presented at the counter.
pub(super) fn pay(books: &Books<'_>, call: &Call, buyer: &Buyer) -> rusqlite::Result<Node> {
    let order = match read_order(call, books.now_ms) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let scene = call.field("scene").unwrap_or_else(|| "bar_code".to_owned());
    let code = call.pay_code().unwrap_or_default();
    let hash = chance::hash_of_code(&code);
    books.note_request(&order.key, Verb::Pay, order.total)?;
    if let Some(trade) = books.find(&order.key)? {
        let same_code = trade.auth_code_hash.as_ref() == Some(&hash);
        return Ok(match again(&trade, &order) {
            Some(refusal) => refusal,
            None if same_code => waiting(&trade),
            None => inconsistent(),
        });
    }
    if books.is_buried(&order.key)? {
        return Ok(closed());
    }
    if !is_well_formed(&scene, &code) || !books.use_code(&hash, &order.key)? {
        return Ok(Node::failed(
            "ACQ.PAYMENT_AUTH_CODE_INVALID",
            "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款",
        ));
    }
    if buyer.manner == Some(Manner::Refuse) {
        books.note(&order.key, "refuse", order.total)?;
        return Ok(Node::failed("ACQ.BUYER_BALANCE_NOT_ENOUGH", "余额不足，请顾客更换付款方式后重新收款"));
    }
    let mut trade = books.open(&order, &Origin::PayCode(hash), buyer)?;
    if matches!(buyer.manner, None | Some(Manner::Pay)) {
        books.capture(&mut trade)?;
    }
    Ok(if trade.captures > 0 { paid(&trade, Node::success()) } else { waiting(&trade) })
}

/// A code is wanted that the buyer scans. The wallet knows no trade before a phone has opened it.
pub(super) fn precreate(
    books: &Books<'_>,
    call: &Call,
    buyer: &Buyer,
    public_base: &str,
) -> rusqlite::Result<Node> {
    let order = match read_order(call, books.now_ms) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    books.note_request(&order.key, Verb::Precreate, order.total)?;
    let trade = match books.find(&order.key)? {
        Some(trade) => match again(&trade, &order) {
            Some(refusal) => return Ok(refusal),
            None => trade,
        },
        None if books.is_buried(&order.key)? => return Ok(closed()),
        None => books.open(&order, &Origin::Precreated, buyer)?,
    };
    let Some(token) = &trade.qr_token else { return Ok(inconsistent()) };
    let url = format!("{public_base}/qr/{token}");
    Ok(Node::success().with("out_trade_no", trade.key.number).with("qr_code", url))
}

/// What is told of a trade whose money was taken; `node` says how the question went.
///
/// Amounts as in the wallet's own worked example: the total less the merchant's part is the receipt, less the
/// wallet's part what the buyer pays, less points the invoice; the funds sum to the total.
pub(super) fn paid(trade: &Trade, node: Node) -> Node {
    let mut node = known(trade, node)
        .with("buyer_pay_amount", yuan::format(trade.buyer_pays()))
        .with("buyer_user_id", trade.buyer.clone())
        .with("fund_bill_list", funds(trade))
        .with("invoice_amount", yuan::format(trade.invoice()))
        .with("point_amount", yuan::format(trade.discount.points))
        .with("receipt_amount", yuan::format(trade.receipt()))
        .with("gmt_payment", trade.paid_ms.map(beijing::format));
    if trade.discount.merchant > 0 {
        node = node.with("mdiscount_amount", yuan::format(trade.discount.merchant));
    }
    if trade.discount.platform > 0 {
        node = node.with("discount_amount", yuan::format(trade.discount.platform));
    }
    let vouchers = vouchers(trade);
    if vouchers.is_empty() { node } else { node.with("voucher_detail_list", vouchers) }
}

/// `fund_bill_list`: where each part of the total came from.
fn funds(trade: &Trade) -> Value {
    parts_of(trade)
        .map(|(channel, fen)| json!({ "amount": yuan::format(fen), "fund_channel": channel }))
        .collect()
}

/// The same as a notification writes it: text, and a name in another case.
pub(in crate::sim::gateway) fn notified_funds(trade: &Trade) -> String {
    let funds: Value = parts_of(trade)
        .map(|(channel, fen)| json!({ "amount": yuan::format(fen), "fundChannel": channel }))
        .collect();
    funds.to_string()
}

fn parts_of(trade: &Trade) -> impl Iterator<Item = (&'static str, i64)> {
    let parts = [
        ("ALIPAYACCOUNT", trade.invoice()),
        ("POINT", trade.discount.points),
        ("DISCOUNT", trade.discount.platform),
        ("MDISCOUNT", trade.discount.merchant),
    ];
    parts.into_iter().filter(|(_, fen)| *fen > 0)
}

/// `voucher_detail_list`: each discount with what the merchant and what others bear.
fn vouchers(trade: &Trade) -> Vec<Value> {
    let parts = [
        ("商家优惠", trade.discount.merchant, trade.discount.merchant),
        ("平台优惠", trade.discount.platform, 0),
    ];
    let given = parts.iter().zip(1..).filter(|((_, amount, _), _)| *amount > 0);
    given
        .map(|((name, amount, merchant), nth)| {
            json!({
                "amount": yuan::format(*amount),
                "id": format!("{}{nth:04}", trade.trade_no),
                "merchant_contribute": yuan::format(*merchant),
                "name": name,
                "other_contribute": yuan::format(amount - merchant),
                "type": "ALIPAY_FIX_VOUCHER",
            })
        })
        .collect()
}

/// What is told of any trade.
pub(super) fn known(trade: &Trade, node: Node) -> Node {
    node.with("buyer_logon_id", "159****5620")
        .with("out_trade_no", trade.key.number.as_str())
        .with("total_amount", yuan::format(trade.total))
        .with("trade_no", trade.trade_no.as_str())
}

/// Why an order number that is already known cannot begin again; nothing if it is the same order, waiting.
fn again(trade: &Trade, order: &Order) -> Option<Node> {
    let same = trade.total == order.total && trade.subject == order.subject;
    if !same {
        return Some(inconsistent());
    }
    match trade.status {
        Status::Waiting => None,
        Status::Paid | Status::Finished => Some(Node::failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")),
        Status::Closed => Some(closed()),
    }
}

fn waiting(trade: &Trade) -> Node {
    known(trade, Node::in_process())
}

fn closed() -> Node {
    Node::failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
}

fn inconsistent() -> Node {
    Node::failed(
        "ACQ.CONTEXT_INCONSISTENT",
        "交易信息被篡改: this out_trade_no was used with other parameters",
    )
}

/// Shapes of pay codes: 16 to 24 digits from 25 to 30 for a bar code, `fp` and 33 more for a face; what a
/// sound carries is the wallet's own affair.
fn is_well_formed(scene: &str, code: &str) -> bool {
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match scene {
        "bar_code" => {
            let prefix = code.get(..2).and_then(|prefix| prefix.parse::<u8>().ok());
            let digits = code.bytes().all(|byte| byte.is_ascii_digit());
            digits
                && (16..=24).contains(&code.len())
                && prefix.is_some_and(|prefix| (25..=30).contains(&prefix))
        }
        "security_code" => plain && code.len() == 35 && code.starts_with("fp"),
        "wave_code" => plain && (8..=64).contains(&code.len()),
        _ => false,
    }
}

fn read_order(call: &Call, now_ms: i64) -> Result<Order, Node> {
    let wrong = |words: &str| Node::failed("ACQ.INVALID_PARAMETER", words);
    let out_trade_no = read_number(call)?;
    let subject = call.field("subject").filter(|text| text.chars().count() <= MAX_SUBJECT);
    let subject = subject.ok_or_else(|| wrong("subject is missing or longer than 256 characters"))?;
    let amount = call.field("total_amount").ok_or_else(|| wrong("total_amount is missing"))?;
    let total = yuan::parse(&amount).filter(|fen| *fen > 0);
    let total =
        total.ok_or_else(|| wrong("total_amount is not between 0.01 and 100000000 with two decimals"))?;
    let expires_ms =
        read_expiry(call, now_ms).ok_or_else(|| wrong("the time-out is not like 90s, 5m, 1h or 1d"))?;
    Ok(Order {
        key: call.key_of(&out_trade_no),
        app_id: call.app_id.clone(),
        subject,
        attach: call.field("passback_params"),
        total,
        expires_ms,
        notify_url: call.notify_url.clone(),
        key_id: None,
    })
}

/// The order number, if it is one.
pub(super) fn read_number(call: &Call) -> Result<String, Node> {
    let legal = |text: &String| {
        text.len() <= MAX_NUMBER && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    call.out_trade_no().filter(legal).ok_or_else(|| {
        Node::failed(
            "ACQ.INVALID_PARAMETER",
            "out_trade_no is missing or not of 1 to 64 letters, digits and _",
        )
    })
}

fn read_expiry(call: &Call, now_ms: i64) -> Option<i64> {
    if let Some(at) = call.field("time_expire") {
        return beijing::parse(&at);
    }
    let span = call.field("qr_code_timeout_express").or_else(|| call.field("timeout_express"));
    let Some(span) = span else { return now_ms.checked_add(PATIENCE_MS) };
    let (count, unit) = span.split_at_checked(span.len().checked_sub(1)?)?;
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" | "c" => 86_400_000,
        _ => return None,
    };
    let span_ms = count.parse::<u32>().ok().map(i64::from)?.checked_mul(unit_ms)?;
    now_ms.checked_add(span_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pay_codes_are_known_by_their_shape() {
        for (scene, code, good) in [
            ("bar_code", "286802123456789012", true),
            ("bar_code", "2568021234567890", true),
            ("bar_code", "306802123456789012345678", true),
            ("bar_code", "248021234567890123", false),
            ("bar_code", "28680212345678901", true),
            ("bar_code", "286802123456789", false),
            ("bar_code", "28680212345678901x", false),
            ("security_code", "fp0123456789abcdef0123456789abcdef0", true),
            ("security_code", "286802123456789012", false),
            ("wave_code", "286802123456789012", true),
            ("telepathy", "286802123456789012", false),
            ("bar_code", "", false),
        ] {
            assert_eq!(is_well_formed(scene, code), good, "{scene} {code}");
        }
    }
}
