//! A WeChat payment that happened, in the wallets' vocabulary of amounts.
//!
//! `total` was asked for and `payer_total` was paid; between them stand the promotions. A voucher that the
//! merchant did not pay in before (NOCASH) lowers what the merchant gets; one that was paid in (CASH), by whomever,
//! is settled to the merchant. Source: WeChat Pay APIv3, query, `amount` and `promotion_detail`.
//!
//! Not here: whether it happened; that was ruled before. A breakdown that does not add up never undoes a payment:
//! [`Approval::disagreement`] names it for the books.

use super::response::Fields;
use crate::money::{Currency, Money};
use crate::wallet::{Answer, Approval, Doubt, Fund, Funder, Voucher};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The approval, if the amount is the one asked for; a doubt otherwise.
pub(super) fn approved(fields: &Fields, asked: Money) -> Answer {
    let amount = &fields.amount;
    let currency = amount.currency.as_deref().unwrap_or("CNY");
    if amount.total != Some(asked.minor) || currency != asked.currency.code() {
        let stated =
            amount.total.map_or("no amount".to_owned(), |fen| format!("{fen} hundredths of {currency}"));
        return doubt(format!("the wallet took {}, not the {asked} asked for", super::clipped(&stated)));
    }
    let Some(trade_no) = fields.transaction_id.clone().filter(|number| !number.is_empty()) else {
        return doubt("the answer has no transaction_id".to_owned());
    };
    let fen = |minor: i64| Money::new(minor, asked.currency);
    let promotions: Vec<Promotion> = fields
        .promotion_detail
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| Promotion::deserialize(entry).ok())
        .collect();
    let given = |kind: Option<Kind>| {
        let counted = promotions.iter().filter(|one| kind.is_none_or(|kind| one.kind() == kind));
        Money::sum(counted.map(|one| fen(one.amount)), Currency::CNY).unwrap_or(fen(0))
    };
    let less = |amount: Money, part: Money| amount.minus(part).unwrap_or(fen(0));
    let merchant_funded = given(Some(Kind::NoCash));
    let receipt_amount = less(asked, merchant_funded);
    let buyer_paid = amount.payer_total.map_or_else(|| less(asked, given(None)), fen);
    Answer::Approved(Approval {
        trade_no,
        total: asked,
        receipt_amount,
        buyer_paid,
        invoice: buyer_paid,
        merchant_funded,
        platform_funded: less(receipt_amount, buyer_paid),
        points: fen(0),
        // An openid names a person to the merchant's app; a receipt has no use for it.
        buyer_masked: None,
        paid_at: fields.success_time.clone(),
        funds: funds(fields, buyer_paid, &promotions),
        vouchers: promotions.into_iter().map(Promotion::voucher).collect(),
        balance: None,
    })
}

/// What the buyer paid, and each promotion.
fn funds(fields: &Fields, buyer_paid: Money, promotions: &[Promotion]) -> Vec<Fund> {
    let bank = fields.bank_type.as_deref().unwrap_or("").to_owned();
    let mut funds = Vec::new();
    if buyer_paid.is_positive() {
        funds.push(Fund {
            // `ICBC_DEBIT`; `OTHERS` for the wallet's own balance and for banks that it does not list.
            bank_code: bank.rsplit_once('_').map(|(code, _)| code.to_owned()),
            channel: if bank.is_empty() { "OTHERS".to_owned() } else { bank },
            amount: buyer_paid,
            funder: Funder::Buyer,
        });
    }
    for promotion in promotions {
        for (funder, amount) in promotion.shares() {
            let channel = promotion.channel();
            funds.push(Fund { channel, amount, funder, bank_code: None });
        }
    }
    funds
}

/// One entry of `promotion_detail`. Read entry by entry: an odd one must not spoil a payment that happened.
#[derive(Deserialize)]
struct Promotion {
    #[serde(default)]
    coupon_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    amount: i64,
    #[serde(default)]
    wechatpay_contribute: Option<i64>,
    #[serde(default)]
    merchant_contribute: Option<i64>,
    #[serde(default)]
    other_contribute: Option<i64>,
}

/// Whether somebody paid the voucher in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cash,
    NoCash,
}

impl Promotion {
    /// An unknown kind counts as the merchant's loss only where the merchant contributes.
    fn kind(&self) -> Kind {
        match self.kind.as_deref() {
            Some("CASH") => Kind::Cash,
            Some("NOCASH") => Kind::NoCash,
            Some(_) | None if self.merchant_contribute.unwrap_or(0) > 0 => Kind::NoCash,
            Some(_) | None => Kind::Cash,
        }
    }

    fn channel(&self) -> String {
        super::clipped(self.kind.as_deref().unwrap_or("PROMOTION"))
    }

    /// Who bears how much. What nobody is named for is the merchant's where the merchant gets less, and the
    /// wallet's otherwise.
    fn shares(&self) -> BTreeMap<Funder, Money> {
        let fen = |minor: i64| Money::new(minor, Currency::CNY);
        let named = [
            (Funder::Platform, self.wechatpay_contribute),
            (Funder::Merchant, self.merchant_contribute),
            (Funder::Other, self.other_contribute),
        ];
        let mut shares: BTreeMap<Funder, Money> = named
            .into_iter()
            .filter_map(|(funder, part)| part.filter(|part| *part > 0).map(|part| (funder, fen(part))))
            .collect();
        let borne = Money::sum(shares.values().copied(), Currency::CNY).unwrap_or(fen(0));
        let rest = fen(self.amount).minus(borne).unwrap_or(fen(0));
        if rest.is_positive() {
            let funder = if self.kind() == Kind::NoCash { Funder::Merchant } else { Funder::Platform };
            let share = shares.entry(funder).or_insert(fen(0));
            *share = share.plus(rest).unwrap_or(*share);
        }
        shares
    }

    fn voucher(self) -> Voucher {
        Voucher {
            funded: self.shares(),
            amount: Money::new(self.amount, Currency::CNY),
            name: super::clipped(self.name.as_deref().unwrap_or("")),
            id: super::clipped(&self.coupon_id),
        }
    }
}

fn doubt(why: String) -> Answer {
    Answer::Unsure(Doubt { why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fen(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn approval(node: serde_json::Value, asked: i64) -> Approval {
        let answer = approved(&serde_json::from_value(node).unwrap(), fen(asked));
        let Answer::Approved(approval) = answer else { panic!("{answer:?}") };
        approval
    }

    #[test]
    fn a_payment_without_promotions_is_wholly_the_buyers() {
        let node = serde_json::json!({
            "transaction_id": "42", "bank_type": "ICBC_DEBIT", "success_time": "2024-01-02T03:04:05+08:00",
            "amount": { "total": 1200, "payer_total": 1200, "currency": "CNY", "payer_currency": "CNY" },
        });
        let told = approval(node, 1200);
        assert_eq!(told.disagreement(), Ok(None));
        assert_eq!((told.receipt_amount, told.buyer_paid, told.invoice), (fen(1200), fen(1200), fen(1200)));
        assert_eq!(told.funds[0].bank_code.as_deref(), Some("ICBC"));
        assert_eq!(told.paid_at.as_deref(), Some("2024-01-02T03:04:05+08:00"));
        assert!(told.vouchers.is_empty());
    }

    #[test]
    fn each_promotion_is_booked_to_whoever_pays_it() {
        let node = serde_json::json!({
            "transaction_id": "42", "bank_type": "OTHERS",
            "amount": { "total": 10000, "payer_total": 8300, "currency": "CNY" },
            "promotion_detail": [
                { "coupon_id": "1", "name": "满减", "type": "NOCASH", "amount": 800, "merchant_contribute": 800 },
                { "coupon_id": "2", "type": "CASH", "amount": 500, "wechatpay_contribute": 300, "other_contribute": 200 },
                { "coupon_id": "3", "type": "CASH", "amount": 400, "merchant_contribute": 400 },
            ],
        });
        let told = approval(node, 10000);
        assert_eq!(told.disagreement(), Ok(None));
        assert_eq!((told.merchant_funded, told.receipt_amount), (fen(800), fen(9200)));
        assert_eq!((told.platform_funded, told.buyer_paid), (fen(900), fen(8300)));
        let funds: Vec<_> = told.funds.iter().map(|fund| (fund.funder, fund.amount.minor)).collect();
        assert_eq!(
            funds,
            [
                (Funder::Buyer, 8300),
                (Funder::Merchant, 800),
                (Funder::Platform, 300),
                (Funder::Other, 200),
                (Funder::Merchant, 400),
            ]
        );
        assert_eq!(told.vouchers[0].name, "满减");
        assert_eq!(
            told.vouchers[1].funded,
            BTreeMap::from([(Funder::Platform, fen(300)), (Funder::Other, fen(200))])
        );
    }

    #[test]
    fn what_nobody_is_named_for_falls_to_whoever_gets_less() {
        let node = |kind: &str| {
            serde_json::json!({
                "transaction_id": "42", "amount": { "total": 100, "payer_total": 90 },
                "promotion_detail": [{ "coupon_id": "1", "type": kind, "amount": 10 }],
            })
        };
        let told = approval(node("NOCASH"), 100);
        assert_eq!(
            (told.merchant_funded, told.platform_funded, told.disagreement()),
            (fen(10), fen(0), Ok(None))
        );
        assert_eq!(told.funds[1].funder, Funder::Merchant);
        let told = approval(node("CASH"), 100);
        assert_eq!(
            (told.merchant_funded, told.platform_funded, told.disagreement()),
            (fen(0), fen(10), Ok(None))
        );
        assert_eq!(told.funds[1].funder, Funder::Platform);
    }

    #[test]
    fn a_breakdown_that_does_not_add_up_is_named_and_undoes_nothing() {
        let node = serde_json::json!({
            "transaction_id": "42", "amount": { "total": 100, "payer_total": 70 },
            "promotion_detail": [
                { "coupon_id": "1", "type": "NOCASH", "amount": 10 }, { "amount": "odd" }, null, 7,
            ],
        });
        assert!(approval(node, 100).disagreement().unwrap().is_some());
    }

    #[test]
    fn another_amount_or_currency_is_not_believed() {
        for node in [
            serde_json::json!({ "transaction_id": "42", "amount": { "total": 99 } }),
            serde_json::json!({ "transaction_id": "42", "amount": { "total": 100, "currency": "JPY" } }),
            serde_json::json!({ "transaction_id": "42" }),
            serde_json::json!({ "transaction_id": "", "amount": { "total": 100 } }),
            serde_json::json!({ "amount": { "total": 100 } }),
        ] {
            let answer = approved(&serde_json::from_value(node.clone()).unwrap(), fen(100));
            assert!(matches!(answer, Answer::Unsure(_)), "{node}: {answer:?}");
        }
    }
}
