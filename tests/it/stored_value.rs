//! Stored value at the counter: paid with the member's code, too little, an answer that is lost, given back.

use crate::counter::{BEANS, Counter, WATER, says, text};
use serde_json::Value;
use till::token::{MemberRef, member_code};

/// A member with so much on the account.
async fn member_with(counter: &Counter, amount: &str) -> Value {
    let member = counter.shop.members[0].clone();
    let reference = format!("invoice-{amount}");
    let load =
        ["stored-value", "load", member["member"].as_str().unwrap(), amount, "--reference", &reference];
    counter.shop.head_office(&load).await.unwrap();
    member
}

/// What the member's phone shows now.
fn code_of(counter: &Counter, member: &Value) -> String {
    let hex = member["secret"].as_str().unwrap();
    let secret: Vec<u8> =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    let id: MemberRef = member["member"].as_str().unwrap().parse().unwrap();
    member_code(id, &secret, counter.shop.clock.unix_ms() / 1000)
}

async fn balance(counter: &Counter, member: &Value) -> String {
    let show = ["stored-value", "show", member["member"].as_str().unwrap()];
    counter.shop.head_office(&show).await.unwrap()
}

async fn to_pay(counter: &Counter, items: &[&str]) -> String {
    let sale = text(&counter.basket(items).await["id"]);
    counter.press("pay", &[]).await;
    sale
}

async fn last_payment(counter: &Counter, state: &str) -> Value {
    counter
        .until(state, async || {
            let front = counter.front().await;
            front["payments"].as_array()?.last().filter(|payment| payment["state"] == state).cloned()
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_code_pays_and_what_it_paid_goes_back() {
    let counter = Counter::open().await;
    let member = member_with(&counter, "50.00").await;
    let sale = to_pay(&counter, &[WATER, WATER]).await;
    counter.shop.scan(&code_of(&counter, &member)).unwrap();
    counter.paid(&sale).await;
    says(&balance(&counter, &member).await, "46.00");
    let settled = counter.books().bodies("approved")[0]["settled"].clone();
    assert_eq!(settled["balance"]["minor"], 4_600, "the receipt says what is left");
    assert_eq!(counter.paper_of(&sale).await, "printed");

    let give_back = [
        ("sale", sale.as_str()),
        ("returns_seen", "0"),
        ("of", "whole"),
        ("reason", "cold"),
        ("approver", "mia"),
        ("approver_pin", till::sim::demo::cashier::PIN),
    ];
    counter.press("give-back", &give_back).await;
    counter
        .until("it to be back", async || balance(&counter, &member).await.contains("50.00").then_some(()))
        .await;
    let closed = counter.close().await;
    closed.counts("receipts", 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_is_said_with_what_there_is_and_the_rest_is_cash() {
    let counter = Counter::open().await;
    let member = member_with(&counter, "5.00").await;
    let sale = to_pay(&counter, &[BEANS]).await;
    let code = code_of(&counter, &member);
    counter.shop.scan(&code).unwrap();
    let payment = last_payment(&counter, "declined").await;
    assert_eq!((&payment["safe"], &payment["left"]["minor"]), (&"split".into(), &500.into()));
    says(payment["words"].as_str().unwrap(), "too little");
    counter.press("part", &[("amount", "5.00")]).await;
    counter.shop.scan(&code).unwrap();
    last_payment(&counter, "approved").await;
    let due = counter.front().await["due"]["minor"].as_i64().unwrap();
    counter.press("cash", &[("received", &format!("{}.{:02}", due / 100, due % 100))]).await;
    counter.paid(&sale).await;
    counter.close().await.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_drops_after_the_scan_pays_once_or_not_at_all() {
    let counter = Counter::open().await;
    let member = member_with(&counter, "50.00").await;
    let sale = to_pay(&counter, &[WATER, WATER]).await;
    counter.shop.pull_network().await;
    counter.shop.scan(&code_of(&counter, &member)).unwrap();
    // Nothing left, or nobody knows: in neither case does another tender go ahead unasked.
    counter
        .until("an end or a doubt", async || {
            let front = counter.front().await;
            let state = front["payments"].as_array()?.last()?["state"].as_str()?.to_owned();
            ["declined", "unsure"].contains(&state.as_str()).then_some(())
        })
        .await;
    counter.plug().await;
    let settled = counter
        .until("an end", async || {
            let front = counter.front().await;
            if front.is_null() {
                return Some("approved".to_owned());
            }
            let payment = front["payments"].as_array()?.last()?.clone();
            match payment["state"].as_str()? {
                "unsure" => {
                    let intent = text(&payment["intent"]);
                    let _taken = counter.cashier.press("cancel-payment", None, &[("intent", &intent)]).await;
                    None
                }
                "cancelling" | "drawn" | "cancel_unsure" => None,
                other => Some(other.to_owned()),
            }
        })
        .await;
    if settled != "approved" {
        counter.press("cash", &[("received", "4.00")]).await;
    }
    counter.paid(&sale).await;
    let left = if settled == "approved" { "46.00" } else { "50.00" };
    counter
        .until("the account to agree", async || balance(&counter, &member).await.contains(left).then_some(()))
        .await;
    counter.close().await.counts("receipts", 1);
}
