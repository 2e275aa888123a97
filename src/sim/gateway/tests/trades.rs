//! What the wallet's rules make of orders: paid once, undone once, kept across restarts.

use serde_json::json;
use tokio::task::JoinSet;

use super::client::{CODE, Shop, order};

#[tokio::test]
async fn twenty_requests_at_once_take_the_money_once() {
    let shop = std::sync::Arc::new(Shop::open().await);
    let mut payers = JoinSet::new();
    for nth in 0..20 {
        let shop = std::sync::Arc::clone(&shop);
        // Half of them resend the same code, half present another one.
        let code = if nth % 2 == 0 { CODE.to_owned() } else { format!("2868021234567891{nth:02}") };
        payers.spawn(async move { shop.pay("A", &code, "1.00").await.outcome().to_owned() });
    }
    let mut outcomes = payers.join_all().await;
    outcomes.sort();
    assert_eq!(outcomes[0], "10000");
    assert!(outcomes[1..].iter().all(|outcome| outcome == "ACQ.TRADE_HAS_SUCCESS"), "{outcomes:?}");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_pay_code_pays_once_even_for_twenty_orders_at_once() {
    let shop = std::sync::Arc::new(Shop::open().await);
    let mut payers = JoinSet::new();
    for nth in 0..20 {
        let shop = std::sync::Arc::clone(&shop);
        payers.spawn(async move { shop.pay(&format!("A{nth}"), CODE, "1.00").await.outcome().to_owned() });
    }
    let outcomes = payers.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "10000").count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ACQ.PAYMENT_AUTH_CODE_INVALID").count(), 19);
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn an_order_number_with_other_parameters_is_inconsistent() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "1.00").await;
    assert_eq!(shop.pay("A", CODE, "2.00").await.outcome(), "ACQ.CONTEXT_INCONSISTENT");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn malformed_orders_are_refused_with_what_is_wrong() {
    let shop = Shop::open().await;
    for (number, code, amount, outcome) in [
        ("A-1", CODE, "1.00", "ACQ.INVALID_PARAMETER"),
        ("A", CODE, "0.00", "ACQ.INVALID_PARAMETER"),
        ("A", CODE, "1.001", "ACQ.INVALID_PARAMETER"),
        ("A", "134567890123456789", "1.00", "ACQ.PAYMENT_AUTH_CODE_INVALID"),
    ] {
        assert_eq!(shop.pay(number, code, amount).await.outcome(), outcome);
    }
    assert_eq!(shop.captures(), 0);
}

#[tokio::test]
async fn a_cancel_of_an_unknown_number_succeeds_and_buries_it() {
    let shop = Shop::open().await;
    let answer = shop.ask("cancel", json!({ "out_trade_no": "A" })).await;
    assert_eq!((answer.outcome(), answer.text("action"), answer.text("retry_flag")), ("10000", "close", "N"));
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "ACQ.TRADE_HAS_CLOSE");
    assert_eq!(shop.status("A").await, "ACQ.TRADE_NOT_EXIST");
    assert_eq!(shop.captures(), 0);
}

#[tokio::test]
async fn a_cancel_of_a_paid_trade_gives_the_rest_back_once() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "1.00").await;
    shop.ask("refund", json!({ "out_trade_no": "A", "refund_amount": "0.30", "out_request_no": "R1" })).await;
    for _ in 0..2 {
        let answer = shop.ask("cancel", json!({ "out_trade_no": "A" })).await;
        assert_eq!((answer.outcome(), answer.text("action")), ("10000", "refund"));
    }
    assert_eq!(shop.status("A").await, "TRADE_CLOSED");
    assert_eq!(shop.count("SELECT SUM(amount) FROM refund"), 100);
    assert_eq!(shop.count("SELECT SUM(amount) FROM event WHERE kind = 'refund'"), 100);
}

#[tokio::test]
async fn a_refund_is_made_once_for_its_number_and_never_more_than_was_paid() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "10.00").await;
    let mut told = Vec::new();
    for (amount, request_no) in [
        ("4.00", "R1"),
        ("4.00", "R1"),
        ("5.00", "R1"),
        ("6.01", "R2"),
        ("10.01", ""),
        ("3.00", ""),
        ("0.00", "R3"),
        ("6.00", "R2"),
        ("0.01", "R4"),
        ("6.00", "R2"),
    ] {
        let content = json!({ "out_trade_no": "A", "refund_amount": amount, "out_request_no": request_no });
        let answer = shop.ask("refund", content).await;
        told.push(format!(
            "{} {}{}",
            answer.outcome(),
            answer.text("fund_change"),
            answer.text("refund_fee")
        ));
    }
    let too_much = "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL ";
    let expected = [
        "10000 Y4.00",
        "10000 N4.00",
        "ACQ.DISCORDANT_REPEAT_REQUEST ",
        too_much,
        too_much,
        too_much,
        "ACQ.INVALID_PARAMETER ",
        "10000 Y10.00",
        too_much,
        "10000 N10.00",
    ];
    assert_eq!(told, expected);
    assert_eq!(shop.status("A").await, "TRADE_CLOSED");
    assert_eq!(shop.count("SELECT SUM(amount) FROM refund"), 1000);
}

#[tokio::test]
async fn twenty_refunds_at_once_give_no_more_back_than_was_paid() {
    let shop = std::sync::Arc::new(Shop::open().await);
    shop.pay("A", CODE, "1.00").await;
    let mut askers = JoinSet::new();
    for nth in 0..20 {
        let shop = std::sync::Arc::clone(&shop);
        let content =
            json!({ "out_trade_no": "A", "refund_amount": "0.30", "out_request_no": format!("R{nth}") });
        askers.spawn(async move { shop.ask("refund", content).await.outcome().to_owned() });
    }
    let made = askers.join_all().await.iter().filter(|outcome| *outcome == "10000").count();
    assert_eq!(made, 3);
    assert_eq!(shop.count("SELECT SUM(amount) FROM refund"), 90);
    assert_eq!(shop.count("SELECT refunded FROM trade"), 90);
}

#[tokio::test]
async fn a_refund_that_was_not_made_is_told_by_what_is_absent() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "1.00").await;
    let content = json!({ "out_trade_no": "A", "out_request_no": "R1" });
    let before = shop.ask("fastpay.refund.query", content.clone()).await;
    assert_eq!((before.outcome(), before.text("refund_status")), ("10000", ""));
    shop.ask("refund", json!({ "out_trade_no": "A", "refund_amount": "0.30", "out_request_no": "R1" })).await;
    let after = shop.ask("fastpay.refund.query", content).await;
    assert_eq!((after.text("refund_status"), after.text("refund_amount")), ("REFUND_SUCCESS", "0.30"));
}

#[tokio::test]
async fn only_an_unpaid_trade_is_closed() {
    let shop = Shop::open().await;
    assert_eq!(shop.ask("close", json!({ "out_trade_no": "A" })).await.outcome(), "ACQ.TRADE_NOT_EXIST");
    shop.pay("A", CODE, "1.00").await;
    assert_eq!(shop.ask("close", json!({ "out_trade_no": "A" })).await.outcome(), "ACQ.TRADE_STATUS_ERROR");
    assert_eq!(shop.status("A").await, "TRADE_SUCCESS");
}

#[tokio::test]
async fn a_finished_trade_is_not_undone() {
    let shop = Shop::open().await;
    shop.pay("A", CODE, "1.00").await;
    assert_eq!(shop.post("/play/trades/A/finish", &json!({})).await.0, 200);
    let refund = json!({ "out_trade_no": "A", "refund_amount": "1.00" });
    assert_eq!(shop.ask("refund", refund).await.outcome(), "ACQ.TRADE_HAS_FINISHED");
    assert_eq!(shop.ask("cancel", json!({ "out_trade_no": "A" })).await.outcome(), "ACQ.TRADE_HAS_FINISHED");
}

#[tokio::test]
async fn an_issued_code_pays_once() {
    let shop = Shop::open().await;
    let (_, first) = shop.post("/play/codes", &json!({})).await;
    let (_, second) = shop.post("/play/codes", &json!({})).await;
    let code = first["code"].as_str().unwrap();
    assert!(code.len() == 18 && code.starts_with("28") && first != second, "{first} {second}");
    assert_eq!(shop.pay("A", code, "1.00").await.outcome(), "10000");
    assert_eq!(shop.pay("B", code, "1.00").await.outcome(), "ACQ.PAYMENT_AUTH_CODE_INVALID");
}

#[tokio::test]
async fn a_restart_keeps_the_books_and_draws_no_code_twice() {
    let mut shop = Shop::open().await;
    let (_, before) = shop.post("/play/codes", &json!({})).await;
    shop.pay("A", CODE, "1.00").await;
    shop.ask("cancel", json!({ "out_trade_no": "B" })).await;
    shop.restart().await;
    assert_eq!(shop.status("A").await, "TRADE_SUCCESS");
    assert_eq!(shop.pay("A", CODE, "1.00").await.outcome(), "ACQ.TRADE_HAS_SUCCESS");
    assert_eq!(shop.pay("B", "286802123456789999", "1.00").await.outcome(), "ACQ.TRADE_HAS_CLOSE");
    assert_eq!(shop.pay("C", CODE, "1.00").await.outcome(), "ACQ.PAYMENT_AUTH_CODE_INVALID");
    assert_ne!(shop.post("/play/codes", &json!({})).await.1, before);
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn the_ledger_names_no_pay_code_and_every_request_that_could_move_money() {
    let shop = Shop::open().await;
    shop.ask("pay", order("A", CODE, "1.00")).await;
    shop.ask("cancel", json!({ "out_trade_no": "A" })).await;
    let requests = "SELECT COUNT(*) FROM event WHERE kind = 'request' AND out_trade_no = 'A'";
    assert_eq!(shop.count(requests), 2);
    let path = shop.gateway().ledger_path();
    let mut bytes = std::fs::read(path).unwrap();
    bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap());
    assert!(!bytes.windows(CODE.len()).any(|window| window == CODE.as_bytes()));
}
