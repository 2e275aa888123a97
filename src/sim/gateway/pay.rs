//! `alipay.trade.pay` and `alipay.trade.precreate`: how a trade begins.
//!
//! Source: Alipay open platform, the two methods' pages, "Business error codes". Deliberately not here:
//! discounts and vouchers (every trade is paid in full from the buyer's balance), notifications.

use serde_json::json;

use super::{
    answer::Node,
    beijing, chance,
    request::{Call, Method},
    trade::{Books, Order, Origin, Status, Trade},
    yuan,
};

/// How long a trade waits for its buyer unless the order says otherwise: two hours.
const PATIENCE_MS: i64 = 2 * 60 * 60 * 1000;
/// What an order number may be long (`out_trade_no`).
const MAX_NUMBER: usize = 64;
/// What a subject may be long.
const MAX_SUBJECT: usize = 256;

/// What the buyer's side does with a pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buyer {
    /// Pays at once.
    Pays,
    /// Has to type a password: money moves after this many queries, or on a person's word (-1).
    Types(i64),
    /// Has not enough money.
    IsBroke,
}

/// A pay code was presented at the counter.
pub(super) fn pay(books: &Books<'_>, call: &Call, buyer: Buyer) -> rusqlite::Result<Node> {
    let order = match read_order(call, books.now_ms) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let scene = call.field("scene").unwrap_or_else(|| "bar_code".to_owned());
    let code = call.pay_code().unwrap_or_default();
    let hash = chance::hash_of_code(&code);
    books.note_request(&order.out_trade_no, Method::Pay, order.total)?;
    if let Some(trade) = books.find(&order.out_trade_no)? {
        let same_code = trade.auth_code_hash.as_ref() == Some(&hash);
        return Ok(match again(&trade, &order) {
            Some(refusal) => refusal,
            None if same_code => waiting(&trade),
            None => inconsistent(),
        });
    }
    if books.is_buried(&order.out_trade_no)? {
        return Ok(closed());
    }
    if !is_well_formed(&scene, &code) || !books.use_code(&hash, &order.out_trade_no)? {
        return Ok(Node::failed(
            "ACQ.PAYMENT_AUTH_CODE_INVALID",
            "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款",
        ));
    }
    match buyer {
        Buyer::IsBroke => {
            books.note(&order.out_trade_no, "refuse", order.total)?;
            Ok(Node::failed("ACQ.BUYER_BALANCE_NOT_ENOUGH", "余额不足，请顾客更换付款方式后重新收款"))
        }
        Buyer::Types(queries) => {
            let mut trade = books.open(&order, &Origin::PayCode(hash))?;
            books.wait_for(&mut trade, queries)?;
            Ok(waiting(&trade))
        }
        Buyer::Pays => {
            let mut trade = books.open(&order, &Origin::PayCode(hash))?;
            books.capture(&mut trade)?;
            Ok(paid(&trade, Node::success()))
        }
    }
}

/// A code is wanted that the buyer scans. The wallet knows no trade before a phone has opened it.
pub(super) fn precreate(books: &Books<'_>, call: &Call, public_base: &str) -> rusqlite::Result<Node> {
    let order = match read_order(call, books.now_ms) {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    books.note_request(&order.out_trade_no, Method::Precreate, order.total)?;
    let trade = match books.find(&order.out_trade_no)? {
        Some(trade) => match again(&trade, &order) {
            Some(refusal) => return Ok(refusal),
            None => trade,
        },
        None if books.is_buried(&order.out_trade_no)? => return Ok(closed()),
        None => books.open(&order, &Origin::Precreated)?,
    };
    let Some(token) = &trade.qr_token else { return Ok(inconsistent()) };
    let url = format!("{public_base}/qr/{token}");
    Ok(Node::success().with("out_trade_no", trade.out_trade_no).with("qr_code", url))
}

/// What is told of a trade whose money was taken; `node` says how the question went.
pub(super) fn paid(trade: &Trade, node: Node) -> Node {
    let total = yuan::format(trade.total);
    let fund = json!([{ "amount": total, "fund_channel": "ALIPAYACCOUNT" }]);
    known(trade, node)
        .with("buyer_pay_amount", total.as_str())
        .with("buyer_user_id", trade.buyer.clone())
        .with("fund_bill_list", fund)
        .with("invoice_amount", total.as_str())
        .with("point_amount", "0.00")
        .with("receipt_amount", total.as_str())
        .with("gmt_payment", trade.paid_ms.map(beijing::format))
}

/// What is told of any trade.
pub(super) fn known(trade: &Trade, node: Node) -> Node {
    node.with("buyer_logon_id", "159****5620")
        .with("out_trade_no", trade.out_trade_no.as_str())
        .with("total_amount", yuan::format(trade.total))
        .with("trade_no", trade.trade_no.as_str())
}

/// Why an order number that is already known cannot begin again; nothing if it is the same order, waiting.
fn again(trade: &Trade, order: &Order) -> Option<Node> {
    let same = trade.total == order.total && trade.subject == order.subject && trade.app_id == order.app_id;
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
    Ok(Order { out_trade_no, app_id: call.app_id.clone(), subject, total, expires_ms })
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
