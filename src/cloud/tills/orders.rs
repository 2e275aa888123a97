//! Orders that tills sign for phones, taking them back, and refunds.
//!
//! Nothing here calls a wallet to take or end a payment: these handlers write down what is wanted, and the
//! settler, alone, brings it about. A refund is the exception: its number makes a second call harmless.

use crate::cloud::Cloud;
use crate::cloud::bells::{Bell, rung};
use crate::cloud::problem::Problem;
use crate::cloud::signed::{Signed, json};
use crate::cloud::store::{
    Advance, NewOrder, NewRefund, OrderRow, OrderState, PendingRefund, RefundRow, RefundState, Registered,
    Reserved, StoreError, Terminal,
};
use crate::money::Money;
use crate::record::Epoch;
use crate::record::ids::{DeskId, IntentId, RefundId, SaleId};
use crate::record::money_moves::ProviderName;
use crate::token::{ORDER_AHEAD_S, ORDER_LIFETIME_S, TerminalTag, Token};
use crate::wallet::{OrderNumber, RefundAnswer, RefundNumber, RefundRequest, Wallet};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long a till waits for the wallet's word on a withdrawal before it is told to ask again.
const WITHDRAW_WAIT: Duration = Duration::from_secs(8);

#[derive(Deserialize)]
struct Brought {
    intent: IntentId,
    sale: SaleId,
    order: String,
    /// The desk whose phone it answers, where it answers one.
    desk: Option<DeskId>,
    /// The bill's version that the phone asked for.
    bill_version: Option<u64>,
    /// The wallet that it was drawn for.
    #[serde(default = "alipay")]
    provider: ProviderName,
}

/// What tills draw for that name none.
fn alipay() -> ProviderName {
    ProviderName::Alipay
}

/// `POST /v1/terminals/{terminal}/orders`
pub(super) async fn bring(State(cloud): State<Arc<Cloud>>, signed: Signed) -> Result<Response, Problem> {
    let brought: Brought = signed.json()?;
    let answers = brought.desk.as_ref().and(brought.bill_version);
    let mut order = read(&cloud, &signed.terminal, brought.intent, Some(brought.sale), &brought.order)?;
    order.answers = answers;
    order.provider = brought.provider;
    if order.issued_at_s.saturating_sub(ORDER_AHEAD_S) > cloud.now_s() {
        return Err(bad_order("the till's clock is ahead of the cloud's"));
    }
    if order.issued_at_s.saturating_add(ORDER_LIFETIME_S) < cloud.now_s() {
        order.state = OrderState::Ended;
    }
    let known = register(&cloud, order).await?;
    cloud.bells.ring(&Bell::Settler);
    cloud.bells.ring(&Bell::Orders);
    if known.state == OrderState::Ended {
        cloud.ring_till(&known.terminal);
    }
    let mut answer = told(&known);
    if known.state == OrderState::Open {
        answer["url"] = json!(format!("{}/O/{}", cloud.public_base, known.order_text));
    }
    Ok(Json(answer).into_response())
}

/// Reads an order and verifies that this till signed it.
fn read(
    cloud: &Cloud,
    terminal: &Terminal,
    intent: IntentId,
    sale: Option<SaleId>,
    text: &str,
) -> Result<NewOrder, Problem> {
    let not_taken = |why: String| bad_order(&why);
    let token = crate::token::parse(text).map_err(|error| not_taken(error.to_string()))?;
    let Token::Order(unverified) = token else {
        return Err(not_taken(format!("it is {}", token.kind())));
    };
    if unverified.stream().terminal != TerminalTag::of(terminal.id.as_str()) {
        return Err(not_taken("another till drew it".to_owned()));
    }
    let order = unverified.verify_with(&terminal.public_key).map_err(|error| not_taken(error.to_string()))?;
    let now_ms = cloud.now_ms();
    Ok(NewOrder {
        terminal: terminal.id.clone(),
        epoch: Epoch(order.epoch),
        nonce: order.nonce,
        intent,
        sale,
        order_text: text.to_owned(),
        amount: order.amount,
        issued_at_s: order.issued_at,
        provider: alipay(),
        state: OrderState::Open,
        answers: None,
        due_ms: order.issued_at.saturating_add(ORDER_LIFETIME_S).saturating_mul(1000),
        now_ms,
    })
}

fn bad_order(why: &str) -> Problem {
    let words = format!("The order was not taken: {why}.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_order", words)
}

async fn register(cloud: &Cloud, order: NewOrder) -> Result<OrderRow, Problem> {
    match cloud.store.register_order(order).await? {
        Registered::Known(known) => Ok(*known),
        Registered::Taken => Err(Problem::new(
            StatusCode::CONFLICT,
            "order_taken",
            "This order's number or intent belongs to another order: draw a new intent.",
        )),
    }
}

/// An order as the till is told of it.
fn told(order: &OrderRow) -> serde_json::Value {
    match order.state {
        OrderState::Open => json!({ "state": "open" }),
        OrderState::Claimed | OrderState::Starting | OrderState::Started => json!({ "state": "started" }),
        OrderState::Withdrawing => json!({ "state": "withdrawing" }),
        OrderState::Paid => json!({ "state": "paid", "settled": order.settled, "proof": order.proof }),
        OrderState::Withdrawn => json!({ "state": "withdrawn" }),
        OrderState::Ended => json!({ "state": "ended", "words": order.words }),
        OrderState::PaidLate | OrderState::Refunded => json!({
            "state": order.state.word(),
            "words": "A phone paid after the order was over; the money goes back.",
        }),
    }
}

#[derive(Default, Deserialize)]
struct Withdrawal {
    /// The order itself, so that one the cloud has never seen can be ruled out, too.
    order: Option<String>,
    sale: Option<SaleId>,
}

/// `POST /v1/terminals/{terminal}/orders/{intent}/withdraw`
pub(super) async fn withdraw(
    State(cloud): State<Arc<Cloud>>,
    Path((_, intent)): Path<(String, String)>,
    signed: Signed,
) -> Result<Response, Problem> {
    let intent: IntentId =
        intent.parse().map_err(|_| Problem::bad_request("An intent has 32 hexadecimal digits."))?;
    let wanted: Withdrawal = if signed.body.is_empty() { Withdrawal::default() } else { json(&signed.body)? };
    let mut bell = cloud.bells.listen(Bell::Orders);
    let patience = tokio::time::sleep(WITHDRAW_WAIT);
    tokio::pin!(patience);
    loop {
        let known = cloud.store.order(intent).await?.filter(|order| order.terminal == signed.terminal.id);
        let Some(known) = known else { return rule_out(&cloud, &signed.terminal, intent, &wanted).await };
        let now_ms = cloud.now_ms();
        match known.state {
            OrderState::Paid => return Ok(Json(told(&known)).into_response()),
            OrderState::Withdrawn | OrderState::Ended => {
                return Ok(Json(json!({ "state": "withdrawn" })).into_response());
            }
            late @ (OrderState::PaidLate | OrderState::Refunded) => {
                return Ok(Json(json!({ "state": late.word() })).into_response());
            }
            OrderState::Open | OrderState::Claimed => {
                let from = &[OrderState::Open, OrderState::Claimed];
                let mut step = Advance::new(intent, from, OrderState::Withdrawn, now_ms);
                step.asked_by_till = Some(());
                step.words = Some("The till took the bill back.".to_owned());
                cloud.step(step, &known).await?;
                continue;
            }
            OrderState::Starting | OrderState::Started => {
                let from = &[OrderState::Starting, OrderState::Started];
                let mut step = Advance::new(intent, from, OrderState::Withdrawing, now_ms);
                step.asked_by_till = Some(());
                step.words = Some("The till took the bill back.".to_owned());
                step.due_ms = Some(now_ms);
                cloud.step(step, &known).await?;
                continue;
            }
            OrderState::Withdrawing => cloud.bells.ring(&Bell::Settler),
        }
        tokio::select! {
            () = rung(&mut bell) => {}
            () = &mut patience => {
                let words = "The wallet has not said yet whether the customer paid. Ask again.";
                return Err(Problem::unavailable(words).retry_after_s(1));
            }
            () = cloud.stopping() => return Err(Problem::unavailable("The cloud is stopping. Ask again.")),
        }
    }
}

/// An order that never came here: where the till shows it, no phone may pay it from now on.
async fn rule_out(
    cloud: &Cloud,
    terminal: &Terminal,
    intent: IntentId,
    wanted: &Withdrawal,
) -> Result<Response, Problem> {
    let (Some(text), Some(sale)) = (&wanted.order, wanted.sale) else {
        return Ok(Json(json!({ "state": "unknown_order" })).into_response());
    };
    let mut order = read(cloud, terminal, intent, Some(sale), text)?;
    order.state = OrderState::Withdrawn;
    let known = register(cloud, order).await?;
    Ok(Json(told(&known)).into_response())
}

#[derive(Deserialize)]
struct RefundWanted {
    refund: RefundId,
    intent: IntentId,
    amount: Money,
    why: String,
}

/// `POST /v1/terminals/{terminal}/refunds`
pub(super) async fn refund(State(cloud): State<Arc<Cloud>>, signed: Signed) -> Result<Response, Problem> {
    let wanted: RefundWanted = signed.json()?;
    let now_ms = cloud.now_ms();
    let new = NewRefund {
        refund: wanted.refund,
        intent: wanted.intent,
        terminal: signed.terminal.id.clone(),
        amount: wanted.amount,
        why: wanted.why.chars().take(200).collect(),
        now_ms,
    };
    let why = new.why.clone();
    let known = match cloud.store.reserve_refund(new).await? {
        Reserved::Known(known) => known,
        Reserved::GoesBack(RefundState::Refused) => {
            return Ok(refused(
                "The wallet refused to give it back, and a manager dealt with it at head office.",
            ));
        }
        Reserved::GoesBack(state @ (RefundState::Pending | RefundState::Refunded)) => {
            let words = "The payment came after the order was over: the cloud gives it back.";
            return Ok(Json(json!({ "state": state.word(), "words": words })).into_response());
        }
        Reserved::NoSuchPayment => {
            return Ok(refused("No payment of this till with that intent was paid through the cloud."));
        }
        Reserved::TooMuch { left } => {
            return Ok(refused(&format!("Only {left} of this payment can still be given back.")));
        }
    };
    if known.intent != wanted.intent || known.amount != wanted.amount {
        let words = "This refund number stands for another refund: draw a new one.";
        return Err(Problem::new(StatusCode::CONFLICT, "refund_differs", words));
    }
    let ended = match known.state {
        RefundState::Pending => {
            let order = cloud.store.order(known.intent).await?;
            let wallet = order.and_then(|order| cloud.accounts.wallets.get(&order.provider));
            let Some(wallet) = wallet else {
                let words = "The cloud has no wallet set up: head office has to add it.";
                return Err(Problem::unavailable(words));
            };
            let pending = PendingRefund { refund: wanted.refund, amount: known.amount, why };
            let (state, words) = give_back(&cloud, wallet.as_ref(), known.intent, pending).await?;
            RefundRow { state, words, ..known }
        }
        RefundState::Refunded | RefundState::Refused => known,
    };
    Ok(Json(json!({ "state": ended.state.word(), "words": ended.words })).into_response())
}

fn refused(words: &str) -> Response {
    Json(json!({ "state": "refused", "words": words })).into_response()
}

/// Makes a refund under its number, now or once more, and writes down what became of it.
pub(in crate::cloud) async fn give_back(
    cloud: &Cloud,
    wallet: &dyn Wallet,
    intent: IntentId,
    PendingRefund { refund, amount, why }: PendingRefund,
) -> Result<(RefundState, String), StoreError> {
    let numbers = (OrderNumber::parse(&intent.to_string()), RefundNumber::parse(&refund.to_string()));
    let (Ok(order), Ok(number)) = numbers else {
        return Err(StoreError::Damaged(format!("the refund {refund} of the intent {intent}")));
    };
    let reason = Some(why).filter(|why| !why.is_empty());
    let request = RefundRequest { order, refund: number, amount, reason };
    let (state, words) = match refunded(wallet, &request).await {
        RefundAnswer::Refunded => (RefundState::Refunded, "The money is on its way back.".to_owned()),
        RefundAnswer::Declined(decline) => {
            (RefundState::Refused, format!("The wallet refuses: {} ({}).", decline.message, decline.code))
        }
        RefundAnswer::Pending
        | RefundAnswer::NotFound
        | RefundAnswer::NotSent { .. }
        | RefundAnswer::Unsure(_) => {
            (RefundState::Pending, "The wallet has not answered. Ask again.".to_owned())
        }
    };
    if state != RefundState::Pending {
        cloud.store.end_refund(refund, state, words.clone(), cloud.now_ms()).await?;
    }
    Ok((state, words))
}

/// Gives back under one number. A repetition may say nothing of the first try (Alipay's `fund_change` is then `N`):
/// only the question tells.
pub(in crate::cloud) async fn refunded(wallet: &dyn Wallet, request: &RefundRequest) -> RefundAnswer {
    let told = wallet.refund(request).await;
    match &told {
        RefundAnswer::Refunded | RefundAnswer::Declined(_) | RefundAnswer::NotSent { .. } => told,
        RefundAnswer::Pending | RefundAnswer::NotFound | RefundAnswer::Unsure(_) => {
            match wallet.refund_query(request).await {
                asked @ RefundAnswer::Refunded => asked,
                asked @ RefundAnswer::Declined(_) if told == RefundAnswer::Pending => asked,
                RefundAnswer::Declined(_)
                | RefundAnswer::Pending
                | RefundAnswer::NotFound
                | RefundAnswer::NotSent { .. }
                | RefundAnswer::Unsure(_) => told,
            }
        }
    }
}
