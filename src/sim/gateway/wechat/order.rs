//! An order as WeChat Pay tells of it: its state, and the object that queries, pays and notifications share.
//!
//! Source: WeChat Pay APIv3, "Query an order by the merchant's number", answer parameters.

use serde_json::{Value, json};

use super::request::Door;

use crate::sim::gateway::{
    beijing,
    books::Books,
    trade::{End, Status, Trade},
};

impl Trade {
    /// Where the buyer was to open it; none for a pay code. The token's first letter says so: see `pay`.
    pub(super) fn door(&self) -> Option<Door> {
        let token = self.qr_token.as_deref()?;
        Some(match token.as_bytes().first() {
            Some(b'j') => Door::Jsapi,
            Some(b'm') => Door::H5,
            Some(_) | None => Door::Native,
        })
    }
}

/// `trade_state` and its words.
fn state(books: &Books<'_>, trade: &Trade) -> rusqlite::Result<(&'static str, &'static str)> {
    let reversal = format!("cancel:{}", trade.key.number);
    Ok(if trade.captures > 0 {
        if books.refund_made(trade, &reversal)?.is_some() {
            ("REVOKED", "订单已撤销")
        } else if trade.refunded > 0 {
            ("REFUND", "订单发生过退款，退款详情请查询退款单")
        } else {
            ("SUCCESS", "支付成功")
        }
    } else {
        match (trade.status, trade.ended_by) {
            (Status::Waiting, _) if trade.qr_token.is_some() => ("NOTPAY", "订单未支付"),
            (Status::Waiting | Status::Paid | Status::Finished, _) => ("USERPAYING", "需要用户输入支付密码"),
            (Status::Closed, Some(End::Cancel)) => ("REVOKED", "订单已撤销"),
            (Status::Closed, Some(End::Buyer)) => ("PAYERROR", "支付失败，请撤销订单"),
            (Status::Closed, Some(End::Time)) if trade.qr_token.is_none() => {
                ("PAYERROR", "支付失败，请撤销订单")
            }
            (Status::Closed, Some(End::Close | End::Time) | None) => ("CLOSED", "订单已关闭"),
        }
    })
}

/// The order as it is told. Of one that is not paid only what is known.
pub(in crate::sim::gateway) fn transaction(books: &Books<'_>, trade: &Trade) -> rusqlite::Result<Value> {
    let (state, words) = state(books, trade)?;
    let mut told = json!({
        "appid": trade.app_id,
        "mchid": trade.key.merchant,
        "out_trade_no": trade.key.number,
        "trade_type": match trade.door() {
            None => "MICROPAY",
            Some(Door::Native) => "NATIVE",
            Some(Door::Jsapi) => "JSAPI",
            Some(Door::H5) => "MWEB",
        },
        "trade_state": state,
        "trade_state_desc": words,
        "amount": { "total": trade.total, "currency": "CNY" },
        "payer": {},
    });
    if let Some(attach) = &trade.attach {
        told["attach"] = json!(attach);
    }
    if trade.captures > 0 {
        told["transaction_id"] = json!(trade.trade_no);
        told["bank_type"] = json!("OTHERS");
        told["success_time"] = json!(trade.paid_ms.map(beijing::rfc3339));
        told["payer"] = json!({ "openid": trade.buyer });
        told["amount"] = json!({
            "total": trade.total,
            "payer_total": trade.invoice(),
            "currency": "CNY",
            "payer_currency": "CNY",
        });
        let promotions = promotions(trade);
        if !promotions.is_empty() {
            told["promotion_detail"] = Value::Array(promotions);
        }
    }
    Ok(told)
}

/// `promotion_detail`: each discount and who bears it. Points are the wallet's money here.
fn promotions(trade: &Trade) -> Vec<Value> {
    let others = trade.discount.platform + trade.discount.points;
    let parts = [
        ("商家优惠", "NOCASH", trade.discount.merchant, trade.discount.merchant),
        ("平台优惠", "CASH", others, 0),
    ];
    let given = parts.iter().zip(1..).filter(|((_, _, amount, _), _)| *amount > 0);
    given
        .map(|((name, kind, amount, merchant), nth)| {
            json!({
                "coupon_id": format!("{}{nth}", trade.trade_no),
                "name": name,
                "scope": "GLOBAL",
                "type": kind,
                "amount": amount,
                "wechatpay_contribute": amount - merchant,
                "merchant_contribute": merchant,
                "other_contribute": 0,
                "currency": "CNY",
            })
        })
        .collect()
}
