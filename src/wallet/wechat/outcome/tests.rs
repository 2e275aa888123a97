//! A table of what each method's fields mean.
//!
//! Not here: codes, which have a table of their own, and signatures.

use super::*;
use crate::money::Currency;
use crate::wallet::RefundNumber;

fn number() -> OrderNumber {
    OrderNumber::parse("POS0001").unwrap()
}

fn spoken(status: u16, json: &str) -> Spoken {
    Spoken { status, fields: serde_json::from_str(json).unwrap() }
}

fn one_yuan() -> Money {
    Money::new(100, Currency::CNY)
}

fn trade(rest: &str) -> String {
    format!(
        r#"{{"out_trade_no":"POS0001","mchid":"19","transaction_id":"42","amount":{{"total":100,"payer_total":100}}{rest}}}"#
    )
}

#[test]
fn an_order_is_what_its_trade_state_says() {
    let order = number();
    let asked = Asked { merchant_id: "19", order: &order };
    for (state, expected) in [
        ("NOTPAY", Answer::Pending),
        ("USERPAYING", Answer::Pending),
        ("CLOSED", Answer::Closed),
        ("REVOKED", Answer::Closed),
        ("REFUND", Answer::Closed),
    ] {
        let said = spoken(200, &trade(&format!(r#","trade_state":"{state}""#)));
        assert_eq!(query(&said, asked, one_yuan()), expected, "{state}");
        assert_eq!(pay(&said, asked, one_yuan()), expected, "{state}");
    }
    let paid = spoken(200, &trade(r#","trade_state":"SUCCESS""#));
    assert!(matches!(query(&paid, asked, one_yuan()), Answer::Approved(_)));
    // Failed, but the wallet wants it taken back before it is over.
    let failed =
        spoken(200, &trade(r#","trade_state":"PAYERROR","trade_state_desc":"支付失败，请撤销订单""#));
    let Answer::Unsure(doubt) = query(&failed, asked, one_yuan()) else { panic!() };
    assert!(doubt.why.contains("请撤销订单"), "{}", doubt.why);
    for strange in [r#","trade_state":"NEW""#, ""] {
        assert!(matches!(query(&spoken(200, &trade(strange)), asked, one_yuan()), Answer::Unsure(_)));
    }
    let absent = spoken(404, r#"{"code":"ORDER_NOT_EXIST","message":"订单不存在"}"#);
    assert_eq!(query(&absent, asked, one_yuan()), Answer::NotFound);
    assert!(matches!(pay(&absent, asked, one_yuan()), Answer::Unsure(_)), "a payment is never 'not found'");
}

#[test]
fn an_answer_about_another_order_merchant_or_amount_is_not_believed() {
    let order = number();
    let asked = Asked { merchant_id: "19", order: &order };
    for json in [
        r#"{"trade_state":"SUCCESS","out_trade_no":"POS0002","mchid":"19","transaction_id":"42","amount":{"total":100}}"#,
        r#"{"trade_state":"SUCCESS","out_trade_no":"POS0001","mchid":"20","transaction_id":"42","amount":{"total":100}}"#,
        r#"{"trade_state":"SUCCESS","mchid":"19","transaction_id":"42","amount":{"total":100}}"#,
        r#"{"trade_state":"SUCCESS","out_trade_no":"POS0001","transaction_id":"42","amount":{"total":100}}"#,
        r#"{"trade_state":"SUCCESS","out_trade_no":"POS0001","mchid":"19","transaction_id":"42","amount":{"total":1}}"#,
        r#"{"trade_state":"SUCCESS","out_trade_no":"POS0001","mchid":"19","transaction_id":"42"}"#,
        r#"{"trade_state":"CLOSED","out_trade_no":"POS0002","mchid":"19"}"#,
        r#"{"trade_state":"CLOSED"}"#,
        r#"{"trade_state":"USERPAYING","out_trade_no":"POS0002"}"#,
    ] {
        let said = pay(&spoken(200, json), asked, one_yuan());
        assert!(matches!(said, Answer::Unsure(_)), "{json}: {said:?}");
    }
    let refused = spoken(403, r#"{"code":"NOT_ENOUGH","out_trade_no":"POS0002"}"#);
    assert!(matches!(pay(&refused, asked, one_yuan()), Answer::Unsure(_)));
    assert_eq!(pay(&spoken(202, r#"{"trade_state":"USERPAYING"}"#), asked, one_yuan()), Answer::Pending);
}

#[test]
fn a_reverse_ends_the_order_or_asks_to_be_repeated() {
    let order = number();
    let asked = Asked { merchant_id: "19", order: &order };
    let done = |action| CancelAnswer::Cancelled { action };
    for (status, json, answer) in [
        (200, r#"{"mchid":"19","out_trade_no":"POS0001"}"#, done(CancelAction::Ended)),
        (200, r#"{"mchid":"19","out_trade_no":"POS0001","recall":"N"}"#, done(CancelAction::Ended)),
        (200, r#"{"recall":"Y"}"#, CancelAnswer::Retry),
        (204, "{}", done(CancelAction::Ended)),
        (404, r#"{"code":"ORDER_NOT_EXIST"}"#, done(CancelAction::Nothing)),
        (400, r#"{"code":"ORDER_REVERSED"}"#, done(CancelAction::Ended)),
        (500, r#"{"code":"SYSTEM_ERROR"}"#, CancelAnswer::Retry),
        (400, r#"{"code":"USERPAYING"}"#, CancelAnswer::Retry),
    ] {
        assert_eq!(reverse(&spoken(status, json), asked), answer, "{status} {json}");
    }
    for (status, json) in [
        (200, "{}"),
        (200, r#"{"mchid":"19","out_trade_no":"POS0002"}"#),
        (200, r#"{"mchid":"20","out_trade_no":"POS0001"}"#),
        (400, r#"{"code":"BANK_ERROR"}"#),
        (302, "{}"),
    ] {
        assert!(matches!(reverse(&spoken(status, json), asked), CancelAnswer::Unsure(_)), "{status} {json}");
    }
    let late = spoken(403, r#"{"code":"REVERSE_EXPIRE"}"#);
    assert!(matches!(reverse(&late, asked), CancelAnswer::Declined(_)));
}

#[test]
fn closing_does_not_end_what_was_paid() {
    let done = |action| CancelAnswer::Cancelled { action };
    assert_eq!(close(&spoken(204, "{}")), done(CancelAction::Closed));
    assert_eq!(close(&spoken(400, r#"{"code":"ORDER_CLOSED"}"#)), done(CancelAction::Closed));
    assert_eq!(close(&spoken(404, r#"{"code":"ORDER_NOT_EXIST"}"#)), done(CancelAction::Nothing));
    assert!(matches!(close(&spoken(400, r#"{"code":"ORDERPAID"}"#)), CancelAnswer::Declined(_)));
    assert_eq!(close(&spoken(500, r#"{"code":"SYSTEM_ERROR"}"#)), CancelAnswer::Retry);
}

#[test]
fn an_order_to_scan_has_a_link_or_there_is_none() {
    let ready = PrecreateAnswer::Ready { qr_text: "weixin://x".to_owned() };
    assert_eq!(native(&spoken(200, r#"{"code_url":"weixin://x"}"#)), ready);
    for json in [r#"{"code_url":""}"#, "{}"] {
        assert!(matches!(native(&spoken(200, json)), PrecreateAnswer::Unsure(_)));
    }
    assert!(matches!(native(&spoken(403, r#"{"code":"NO_AUTH"}"#)), PrecreateAnswer::Declined(_)));
    assert!(matches!(native(&spoken(403, r#"{"code":"OUT_TRADE_NO_USED"}"#)), PrecreateAnswer::Unsure(_)));
}

#[test]
fn a_refund_is_what_its_status_says() {
    let request = RefundRequest {
        order: number(),
        refund: RefundNumber::parse("R1").unwrap(),
        amount: Money::new(30, Currency::CNY),
        reason: None,
    };
    let answer = |status: &str| {
        format!(
            r#"{{"out_refund_no":"R1","out_trade_no":"POS0001","amount":{{"refund":30}},"status":"{status}"}}"#
        )
    };
    let judge = |status, json: &str| refund(&spoken(status, json), Method::Refund, &request);
    assert_eq!(judge(200, &answer("SUCCESS")), RefundAnswer::Refunded);
    assert_eq!(judge(200, &answer("PROCESSING")), RefundAnswer::Pending);
    for over in ["CLOSED", "ABNORMAL"] {
        let RefundAnswer::Declined(decline) = judge(200, &answer(over)) else { panic!("{over}") };
        assert_eq!((decline.code.as_str(), decline.advice), (over, Advice::TellShop));
    }
    for json in [
        answer("NEW"),
        answer("SUCCESS").replace("R1", "R2"),
        answer("SUCCESS").replace("POS0001", "POS0002"),
        answer("SUCCESS").replace("30", "31"),
        r#"{"out_refund_no":"R1","amount":{"refund":30}}"#.to_owned(),
        "{}".to_owned(),
    ] {
        assert!(matches!(judge(200, &json), RefundAnswer::Unsure(_)), "{json}");
    }
    assert!(matches!(judge(403, r#"{"code":"NOT_ENOUGH"}"#), RefundAnswer::Declined(_)));
    assert!(matches!(judge(400, r#"{"code":"BIZERR_NEED_RETRY"}"#), RefundAnswer::Unsure(_)));
    let absent = spoken(404, r#"{"code":"RESOURCE_NOT_EXISTS"}"#);
    assert_eq!(refund(&absent, Method::RefundQuery, &request), RefundAnswer::NotFound);
}
