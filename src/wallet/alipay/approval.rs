//! An Alipay payment that happened, in the wallets' vocabulary of amounts.
//!
//! Not here: whether it happened; that was ruled before. A breakdown that does not add up never undoes a
//! payment: [`Approval::disagreement`] names it for the books.

use super::response::{Fields, clipped};
use crate::money::{Currency, Money};
use crate::wallet::{Answer, Approval, Doubt, Fund, Funder, Voucher};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The approval, if the amount is the one asked for; a doubt otherwise.
pub(super) fn approved(fields: &Fields, asked: Money) -> Answer {
    let stated = fields.total_amount.as_deref().unwrap_or("");
    if Money::parse(stated, Currency::CNY) != Ok(asked) {
        return doubt(format!("the wallet took {:?}, not the {asked} asked for", clipped(stated)));
    }
    let Some(trade_no) = fields.trade_no.clone().filter(|number| !number.is_empty()) else {
        return doubt("the answer has no trade_no".to_owned());
    };
    let total = asked;
    let read = |text: &Option<String>| Money::parse(text.as_deref()?, Currency::CNY).ok();
    // What is not stated follows from the amounts' identities; queries leave the discounts out.
    let less =
        |amount: Money, part: Option<Money>| part.and_then(|part| amount.minus(part).ok()).unwrap_or(amount);
    let rest = |amount: Money, other: Money| amount.minus(other).unwrap_or(Money::zero(amount.currency));
    let (merchant, platform, points) =
        (read(&fields.mdiscount_amount), read(&fields.discount_amount), read(&fields.point_amount));
    let receipt_amount = read(&fields.receipt_amount).unwrap_or_else(|| less(total, merchant));
    let buyer_paid = read(&fields.buyer_pay_amount).unwrap_or_else(|| less(receipt_amount, platform));
    let invoice = read(&fields.invoice_amount).unwrap_or_else(|| less(buyer_paid, points));
    Answer::Approved(Approval {
        trade_no,
        total,
        receipt_amount,
        buyer_paid,
        invoice,
        merchant_funded: merchant.unwrap_or_else(|| rest(total, receipt_amount)),
        platform_funded: platform.unwrap_or_else(|| rest(receipt_amount, buyer_paid)),
        points: points.unwrap_or_else(|| rest(buyer_paid, invoice)),
        buyer_masked: fields.buyer_logon_id.clone(),
        paid_at: fields.gmt_payment.clone().or_else(|| fields.send_pay_date.clone()),
        funds: fields.fund_bill_list.as_array().into_iter().flatten().filter_map(fund).collect(),
        vouchers: fields.voucher_detail_list.as_array().into_iter().flatten().filter_map(voucher).collect(),
        balance: None,
    })
}

#[derive(Deserialize)]
struct FundBill {
    // Notifications write these lists with other names.
    #[serde(alias = "fundChannel")]
    fund_channel: String,
    amount: String,
    #[serde(alias = "bankCode")]
    bank_code: Option<String>,
}

fn fund(entry: &serde_json::Value) -> Option<Fund> {
    let bill = FundBill::deserialize(entry).ok()?;
    Some(Fund {
        amount: Money::parse(&bill.amount, Currency::CNY).ok()?,
        funder: funder(&bill.fund_channel),
        channel: bill.fund_channel,
        bank_code: bill.bank_code,
    })
}

#[derive(Deserialize)]
struct VoucherDetail {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    amount: String,
    #[serde(alias = "merchantContribute")]
    merchant_contribute: Option<String>,
    #[serde(alias = "otherContribute")]
    other_contribute: Option<String>,
}

/// What the merchant does not contribute, others do: Alipay, a brand, or both (alipay.trade.pay, response,
/// `other_contribute`).
fn voucher(entry: &serde_json::Value) -> Option<Voucher> {
    let detail = VoucherDetail::deserialize(entry).ok()?;
    let amount = Money::parse(&detail.amount, Currency::CNY).ok()?;
    let part = |text: &Option<String>| Money::parse(text.as_deref()?, Currency::CNY).ok();
    let funded = match (part(&detail.merchant_contribute), part(&detail.other_contribute)) {
        (None, None) => vec![],
        (merchant, other) => {
            let rest = |known: Option<Money>| known.and_then(|known| amount.minus(known).ok());
            vec![
                (Funder::Merchant, merchant.or_else(|| rest(other))),
                (Funder::Other, other.or_else(|| rest(merchant))),
            ]
        }
    };
    let funded: BTreeMap<Funder, Money> = funded
        .into_iter()
        .filter_map(|(funder, part)| part.filter(|part| part.is_positive()).map(|part| (funder, part)))
        .collect();
    Some(Voucher { id: clipped(&detail.id), name: clipped(&detail.name), amount, funded })
}

/// At whose cost a channel is (Alipay open platform, "payment channels"). Merchant cards and personal
/// prepaid cards are the buyer's money by now, points are the buyer's too.
fn funder(channel: &str) -> Funder {
    match channel {
        "MDISCOUNT" | "MCOUPON" => Funder::Merchant,
        "DISCOUNT" | "COUPON" => Funder::Platform,
        _ => Funder::Buyer,
    }
}

fn doubt(why: String) -> Answer {
    Answer::Unsure(Doubt { why })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yuan(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    fn approval(node: serde_json::Value, asked: &str) -> Approval {
        let answer = approved(&serde_json::from_value(node).unwrap(), yuan(asked));
        let Answer::Approved(approval) = answer else { panic!("{answer:?}") };
        approval
    }

    #[test]
    fn discounts_are_booked_to_their_funder() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/alipay_discount_example.json")).unwrap();
        let mut node = file["response"].clone();
        for (name, value) in [("code", "10000"), ("out_trade_no", "A"), ("trade_no", "1")] {
            node[name] = value.into();
        }
        let told = approval(node.clone(), "100.00");
        assert_eq!(told.disagreement(), Ok(None));
        assert_eq!((told.receipt_amount, told.buyer_paid), (yuan("92.00"), yuan("87.00")));
        assert_eq!((told.invoice, told.points), (yuan("85.00"), yuan("2.00")));
        assert_eq!((told.merchant_funded, told.platform_funded), (yuan("8.00"), yuan("5.00")));

        // A query leaves the parts out; they follow from the rest, and the other way round.
        for left_out in [
            ["mdiscount_amount", "discount_amount", "point_amount"],
            ["receipt_amount", "buyer_pay_amount", "invoice_amount"],
        ] {
            let mut node = node.clone();
            for name in left_out {
                node.as_object_mut().unwrap().remove(name).unwrap();
            }
            let derived = approval(node, "100.00");
            assert_eq!(derived, told);
        }

        node["discount_amount"] = "4.00".into();
        let wrong = approval(node, "100.00");
        assert!(wrong.disagreement().unwrap().unwrap().contains("platform-funded"));
    }

    #[test]
    fn a_payment_without_discounts_is_wholly_the_buyers() {
        let plain = r#"{"code":"10000","out_trade_no":"A","trade_no":"1","total_amount":"12.8"}"#;
        let told = approval(serde_json::from_str(plain).unwrap(), "12.80");
        assert_eq!(
            (told.receipt_amount, told.buyer_paid, told.invoice),
            (told.total, told.total, told.total)
        );
        assert_eq!((told.merchant_funded.minor, told.platform_funded.minor, told.points.minor), (0, 0, 0));
        assert_eq!(told.disagreement(), Ok(None));
    }

    #[test]
    fn each_voucher_has_those_who_bear_it() {
        let node = serde_json::json!({
            "trade_no": "1", "total_amount": "10.00", "voucher_detail_list": [
                { "id": "V1", "name": "满减", "type": "ALIPAY_FIX_VOUCHER", "amount": "3.00",
                  "merchant_contribute": "1.00", "other_contribute": "2.00" },
                { "id": "V2", "name": "half", "amount": "3.00", "other_contribute": "3.00" },
                { "id": "V3", "name": "ours", "amount": "1.00", "merchantContribute": "1.00" },
                { "id": "V4", "name": "untold", "amount": "1.00" },
                { "id": "V5" }, null,
            ]
        });
        let vouchers = approval(node, "10.00").vouchers;
        let funded = |at: usize| -> Vec<(Funder, i64)> {
            vouchers[at].funded.iter().map(|(funder, part)| (*funder, part.minor)).collect()
        };
        assert_eq!(vouchers.len(), 4);
        assert_eq!(funded(0), [(Funder::Merchant, 100), (Funder::Other, 200)]);
        assert_eq!(funded(1), [(Funder::Other, 300)]);
        assert_eq!(funded(2), [(Funder::Merchant, 100)]);
        assert!(funded(3).is_empty());
    }

    #[test]
    fn each_fund_has_a_funder() {
        let node = serde_json::json!({
            "trade_no": "1", "total_amount": "10.00", "fund_bill_list": [
                { "fund_channel": "MDISCOUNT", "amount": "1.00" },
                { "fund_channel": "COUPON", "amount": "2.00" },
                { "fund_channel": "BANKCARD", "amount": "6.00", "bank_code": "ICBC", "fund_type": "DEBIT_CARD" },
                { "fund_channel": "ODD", "amount": 1 },
                null,
            ]
        });
        let told = approval(node, "10.00");
        let funders: Vec<_> = told.funds.iter().map(|fund| (fund.funder, fund.amount.minor)).collect();
        assert_eq!(funders, [(Funder::Merchant, 100), (Funder::Platform, 200), (Funder::Buyer, 600)]);
        assert_eq!(told.funds[2].bank_code.as_deref(), Some("ICBC"));
        assert_eq!(told.disagreement(), Ok(Some("the funds do not sum to the total")));
    }
}
