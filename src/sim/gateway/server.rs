//! One request from the line to the answer: verify, strike, do, sign.
//!
//! The work runs in a task of its own, so that a caller who hangs up changes nothing about what is done, as
//! with the real gateway. Deliberately not here: the rules of the methods, the pages for people.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rusqlite::Transaction;
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

use super::{
    answer::{self, Node, Signing},
    connection::Cut,
    faults::{Fault, Faults, Money, Stage, Strike},
    keys::Keys,
    ledger::{Ledger, LedgerError},
    pay::{self, Buyer},
    phone, play, query,
    request::{Call, Method},
    reverse::{self, Unheard},
    trade::Books,
};

/// What a request may be long. The wallet's own limit on the content is far below.
const MAX_BODY: usize = 64 * 1024;

/// Everything that the handlers share.
pub(super) struct Gateway {
    pub(super) keys: Keys,
    pub(super) ledger: Ledger,
    pub(super) faults: Faults,
    pub(super) seed: u64,
    pub(super) public_base: String,
    pub(super) clock: Box<dyn Fn() -> i64 + Send + Sync>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) work: Mutex<JoinSet<()>>,
}

pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/gateway.do", get(answer).post(answer))
        .merge(play::routes())
        .merge(phone::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(gateway)
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let (tell, told) = oneshot::channel();
    let worker = Arc::clone(&gateway);
    gateway.spawn(async move {
        let text = worker.work(uri.query().unwrap_or_default(), &body).await;
        // The caller may have hung up; what was done stays done.
        let _ = tell.send(text);
    });
    match told.await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "application/json;charset=utf-8")], text).into_response(),
        Ok(None) | Err(_) => {
            cut.pull();
            ().into_response()
        }
    }
}

impl Gateway {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        while work.try_join_next().is_some() {}
        work.spawn(task);
    }

    /// The answer, or nothing where the line goes dead.
    async fn work(&self, query: &str, form: &[u8]) -> Option<String> {
        if *self.stop.borrow() {
            return None;
        }
        let call = match Call::read(query, form, &self.keys) {
            Ok(call) => call,
            Err(refusal) => {
                tracing::info!(reason = refusal.outcome(), "refused a request");
                return Some(answer::error_envelope(&refusal));
            }
        };
        let number = call.out_trade_no().unwrap_or_default();
        let method = call.method.name();
        tracing::info!(
            method,
            intent.id = number,
            app.id = call.app_id,
            pay_code = call.pay_code().map(|code| masked(&code)),
            "verified the merchant's RSA2 signature"
        );
        let Strike { delay, fault } = self.faults.strike(&call);
        if let Some(fault) = fault {
            tracing::info!(method, intent.id = number, fault = fault.kind(), "a fault strikes");
        }
        if fault == Some(Fault::DropRequest) {
            return None;
        }
        self.pause(delay, Stage::Work).await?;
        let node = self.carry_out(call, fault).await;
        tracing::info!(method, intent.id = number, outcome = node.outcome(), "answered");
        self.pause(delay, Stage::Answer).await?;
        self.signed(method, &node, fault)
    }

    /// Nothing if the gateway stops meanwhile.
    async fn pause(&self, delay: Option<(u64, Stage)>, here: Stage) -> Option<()> {
        let Some((ms, stage)) = delay else { return Some(()) };
        if stage != here {
            return Some(());
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => Some(()),
            _ = stop.wait_for(|stop| *stop) => None,
        }
    }

    async fn carry_out(&self, call: Call, fault: Option<Fault>) -> Node {
        if fault == Some(Fault::Unknown { money: Money::NotMoved }) {
            return Node::unavailable();
        }
        let buyer = if let Some(Fault::PayingThenPaid { after_queries }) = fault {
            Buyer::Types(after_queries.map_or(-1, i64::from))
        } else if fault == Some(Fault::Refuse) {
            Buyer::IsBroke
        } else {
            Buyer::Pays
        };
        let unheard = if fault == Some(Fault::Late) { Unheard::LeftOpen } else { Unheard::Buried };
        let public_base = self.public_base.clone();
        let done = self.on_books(move |books| match call.method {
            Method::Pay => pay::pay(books, &call, buyer),
            Method::Precreate => pay::precreate(books, &call, &public_base),
            Method::Query => query::query(books, &call),
            Method::Cancel => reverse::cancel(books, &call, unheard),
            Method::Close => reverse::close(books, &call),
            Method::Refund => reverse::refund(books, &call),
            Method::RefundQuery => query::refund_query(books, &call),
        });
        match done.await {
            Ok(_) if matches!(fault, Some(Fault::Unknown { .. })) => Node::unavailable(),
            Ok(node) => node,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the ledger failed; answered unknown"
                );
                Node::unavailable()
            }
        }
    }

    fn signed(&self, method: &str, node: &Node, fault: Option<Fault>) -> Option<String> {
        if fault == Some(Fault::DropAnswer) {
            return None;
        }
        let signing = if fault == Some(Fault::WrongSignature) {
            Signing::Wrong
        } else if fault == Some(Fault::MissingSignature) {
            Signing::Missing
        } else {
            Signing::Right
        };
        match answer::envelope(method, node, signing, &self.keys) {
            Ok(text) => Some(text),
            Err(_) => {
                tracing::warn!(method, "an answer could not be signed; the line goes dead");
                None
            }
        }
    }

    /// Does `work` on the books in one transaction, at the present moment.
    pub(super) async fn on_books<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Books<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (now_ms, seed) = ((self.clock)(), self.seed);
        let work = move |transaction: &Transaction<'_>| work(&Books { transaction, now_ms, seed });
        self.ledger.run(work).await
    }
}

/// The last four characters of a pay code.
fn masked(code: &str) -> String {
    let tail: String = code.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    format!("****{tail}")
}
