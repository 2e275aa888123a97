//! Each fault, seen from the line and from the ledger.

use serde_json::{Value, json};

use super::client::{CODE, Shop, order};
use crate::sim::gateway::{Ending, Fault, Money, Rule, Stage};

#[tokio::test]
async fn a_dropped_request_leaves_no_trace_and_a_dropped_answer_leaves_the_money_taken() {
    let shop = Shop::open().await;
    shop.strike(Fault::DropRequest);
    assert!(shop.call("pay", order("A", CODE, "1.00")).await.is_err());
    assert_eq!(shop.count("SELECT COUNT(*) FROM event"), 0);

    shop.strike(Fault::DropAnswer);
    assert!(shop.call("pay", order("A", CODE, "1.00")).await.is_err());
    assert_eq!(shop.captures(), 1);
    assert_eq!(shop.status("A").await, "TRADE_SUCCESS");
    let hits = shop.gateway().faults().hits();
    assert_eq!((hits["drop_request"], hits["drop_answer"]), (1, 1));
}

#[tokio::test]
async fn a_wrong_and_a_missing_signature_do_not_verify_but_the_work_is_done() {
    let shop = Shop::open().await;
    shop.strike(Fault::WrongSignature);
    let wrong = shop.call("pay", order("A", CODE, "1.00")).await.unwrap();
    assert!(wrong.raw.contains("\"sign\":") && !wrong.is_verified, "{}", wrong.raw);
    shop.strike(Fault::MissingSignature);
    let missing = shop.call("query", json!({ "out_trade_no": "A" })).await.unwrap();
    assert!(!missing.raw.contains("\"sign\":"), "{}", missing.raw);
    assert_eq!(missing.text("trade_status"), "TRADE_SUCCESS");
}

#[tokio::test]
async fn the_buyer_types_a_password_for_as_many_queries_as_the_rule_says() {
    let shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: Some(2) });
    let answer = shop.pay("A", CODE, "1.00").await;
    assert_eq!((answer.outcome(), answer.text("total_amount")), ("10003", "1.00"));
    for expected in ["WAIT_BUYER_PAY", "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_SUCCESS"] {
        assert_eq!(shop.status("A").await, expected);
    }
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_person_confirms_or_refuses_once() {
    let shop = Shop::open().await;
    for (number, verb, status, code) in
        [("A", "confirm", "TRADE_SUCCESS", CODE), ("B", "refuse", "TRADE_CLOSED", "286802123456789013")]
    {
        shop.strike(Fault::PayingThenPaid { after_queries: None });
        assert_eq!(shop.pay(number, code, "1.00").await.outcome(), "10003");
        assert_eq!(shop.pay(number, code, "1.00").await.outcome(), "10003");
        for _ in 0..10 {
            assert_eq!(shop.status(number).await, "WAIT_BUYER_PAY");
        }
        let path = format!("/play/trades/{number}/{verb}");
        assert_eq!(shop.post(&path, &json!({})).await.1["trade_status"], status);
        assert_eq!(shop.post(&path, &json!({})).await.0, 409);
        assert_eq!(shop.status(number).await, status);
    }
    assert_eq!(shop.post("/play/trades/NONE/confirm", &json!({})).await.0, 404);
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_cancel_while_the_buyer_types_closes_the_trade_for_good() {
    let shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: None });
    shop.pay("A", CODE, "1.00").await;
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.text("action"), "close");
    assert_eq!(shop.post("/play/trades/A/confirm", &json!({})).await.0, 409);
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "ACQ.TRADE_HAS_CLOSE");
    assert_eq!(shop.captures(), 0);
}

#[tokio::test]
async fn unknown_hides_either_truth() {
    let shop = Shop::open().await;
    for (number, code, money, truth) in [
        ("A", CODE, Money::Moved, "TRADE_SUCCESS"),
        ("B", "286802123456789013", Money::NotMoved, "ACQ.TRADE_NOT_EXIST"),
    ] {
        shop.strike(Fault::Unknown { money });
        let answer = shop.pay(number, code, "1.00").await;
        assert_eq!((answer.text("code"), answer.outcome()), ("20000", "aop.ACQ.SYSTEM_ERROR"));
        assert_eq!(shop.status(number).await, truth);
    }
}

#[tokio::test]
async fn a_refused_buyer_has_spent_the_code_and_pays_with_a_new_one() {
    let shop = Shop::open().await;
    shop.strike(Fault::Refuse);
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "ACQ.BUYER_BALANCE_NOT_ENOUGH");
    assert_eq!(shop.pay("B", CODE, "1.00").await.outcome(), "ACQ.PAYMENT_AUTH_CODE_INVALID");
    assert_eq!(shop.pay("C", "286802123456789013", "1.00").await.outcome(), "10000");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_late_pay_lands_after_the_cancel() {
    let shop = Shop::open().await;
    shop.strike(Fault::Late);
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.outcome(), "10000");
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "10000");
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.text("action"), "refund");
}

#[tokio::test]
async fn a_caller_who_hangs_up_during_a_delay_does_not_undo_the_work() {
    for stage in [Stage::Work, Stage::Answer] {
        let shop = Shop::open().await;
        shop.strike(Fault::Delay { ms: 100, stage });
        let (query, form) = shop.signed("alipay.trade.pay", &order("A", CODE, "1.00"));
        let request = shop.http.post(shop.url(&format!("/gateway.do?{query}"))).body(form);
        let patience = std::time::Duration::from_millis(30);
        assert!(request.timeout(patience).send().await.unwrap_err().is_timeout());
        assert!(becomes_paid(&shop).await);
    }
}

#[tokio::test]
async fn a_gateway_with_a_delayed_answer_stops_at_once() {
    let mut shop = Shop::open().await;
    let rule = Rule::of(Fault::Delay { ms: 600_000, stage: Stage::Answer });
    let rule = Rule { method: Some("alipay.trade.pay".into()), ..rule };
    shop.gateway().faults().add(rule).unwrap();
    let (query, form) = shop.signed("alipay.trade.pay", &order("A", CODE, "1.00"));
    let request = shop.http.post(shop.url(&format!("/gateway.do?{query}"))).body(form);
    let waiting = tokio::task::JoinSet::from_iter([async move { request.send().await.is_err() }]);
    assert!(becomes_paid(&shop).await);
    shop.restart().await;
    assert_eq!(waiting.join_all().await, [true]);
    assert_eq!(shop.status("A").await, "TRADE_SUCCESS");
}

async fn becomes_paid(shop: &Shop) -> bool {
    for _ in 0..20_000 {
        if shop.status("A").await == "TRADE_SUCCESS" {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn the_switch_is_set_and_read_over_http() {
    let shop = Shop::open().await;
    let rule =
        json!({ "add": { "kind": "unknown", "money": "moved", "pay_code_prefix": "2868", "times": 1 } });
    assert_eq!(shop.post("/faults", &rule).await, (200, json!({ "id": 1 })));
    assert_eq!(shop.pay("A", CODE, "1.00").await.text("code"), "20000");
    let text = shop.http.get(shop.url("/faults")).send().await.unwrap().text().await.unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["hits"], json!({ "unknown": 1 }));
    assert_eq!(report["rules"][0]["hits"], 1);
    assert_eq!(report["rules"][0]["money"], "moved");

    let (status, refusal) = shop.post("/faults", &json!({ "add": { "kind": "delay" } })).await;
    assert!(status == 422 && refusal["error"].as_str().unwrap().contains("delay_ms"), "{refusal}");
    assert_eq!(shop.post("/faults", &json!({ "clear": true })).await.0, 200);
    assert!(shop.gateway().faults().rules().is_empty());
    assert_eq!(shop.gateway().faults().hits()["unknown"], 1);
}

#[tokio::test]
async fn a_body_is_cut_with_or_without_the_line_and_may_trickle() {
    let shop = Shop::open().await;
    let send = async || {
        let (query, form) = shop.signed("alipay.trade.query", &json!({ "out_trade_no": "A" }));
        let url = shop.url(&format!("/gateway.do?{query}"));
        shop.http.post(url).body(form).send().await.unwrap().text().await
    };
    shop.strike(Fault::Truncate { keep: Some(10), ending: Ending::Short });
    assert_eq!(send().await.unwrap(), "{\"alipay_t");
    shop.strike(Fault::Truncate { keep: Some(10), ending: Ending::Cut });
    assert!(send().await.is_err());
    shop.strike(Fault::SlowBytes { byte_ms: 1 });
    let whole = send().await.unwrap();
    assert!(whole.contains("ACQ.TRADE_NOT_EXIST") && whole.ends_with('}'), "{whole}");
}

#[tokio::test]
async fn a_server_error_and_a_wrong_amount_hide_what_was_done() {
    let shop = Shop::open().await;
    shop.strike(Fault::HttpError { status: 502, money: Money::Moved });
    let (query, form) = shop.signed("alipay.trade.pay", &order("A", CODE, "1.00"));
    let answer = shop.http.post(shop.url(&format!("/gateway.do?{query}"))).body(form).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert!(!answer.text().await.unwrap().contains("alipay"));
    shop.strike(Fault::WrongAmount { by_fen: 1 });
    let off = shop.ask("query", json!({ "out_trade_no": "A" })).await;
    assert_eq!((off.text("trade_status"), off.text("total_amount")), ("TRADE_SUCCESS", "1.01"));
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_request_that_the_network_delivers_twice_moves_money_once() {
    let shop = Shop::open().await;
    shop.strike(Fault::Duplicate);
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "ACQ.TRADE_HAS_SUCCESS");
    assert_eq!((shop.captures(), shop.status("A").await.as_str()), (1, "TRADE_SUCCESS"));
}
