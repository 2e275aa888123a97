//! Stands between the till and a wallet and writes down what no till may ask for.
//!
//! Not here: what the wallet did with it; that is in the wallet's own books.

use crate::money::Money;
use crate::record::money_moves::ProviderName;
use crate::wallet::{
    Answer, CancelAnswer, OrderNumber, PayRequest, PrecreateAnswer, PrecreateRequest, RefundAnswer,
    RefundRequest, Reply, Wallet,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// From a payment to the first moment at which WeChat Pay takes it back.
const WECHAT_REVERSE: Duration = Duration::from_secs(15);

/// What was seen of one evening.
#[derive(Default)]
pub(super) struct Notes {
    codes: BTreeSet<String>,
    /// What was asked for, by order, and when.
    sent: BTreeMap<String, (Instant, Money)>,
    /// What was asked to go back of each order, by refund number.
    asked_back: BTreeMap<String, BTreeMap<String, i64>>,
    /// What no till may do, in words.
    pub(super) wrong: Vec<String>,
}

impl Notes {
    /// What was asked for under this number.
    pub(super) fn asked(&self, order: &str) -> Option<Money> {
        self.sent.get(order).map(|(_, amount)| *amount)
    }

    /// All that was ever asked back of an order.
    pub(super) fn asked_back(&self, order: &str) -> i64 {
        self.asked_back.get(order).map_or(0, |asked| asked.values().sum())
    }
}

/// A wallet under watch.
pub(super) struct Watched {
    pub(super) provider: ProviderName,
    pub(super) wallet: Arc<dyn Wallet>,
    pub(super) notes: Arc<Mutex<Notes>>,
}

impl Wallet for Watched {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        let mut notes = self.notes.lock().unwrap();
        let order = request.order.as_str().to_owned();
        let is_new = notes.codes.insert(request.pay_code.expose().to_owned());
        if notes.sent.insert(order.clone(), (Instant::now(), request.amount)).is_some() || !is_new {
            notes.wrong.push(format!("{order} or its code was sent twice"));
        }
        self.wallet.pay(request)
    }

    fn precreate<'a>(&'a self, request: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        self.wallet.precreate(request)
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, total: Money) -> Reply<'a, Answer> {
        self.wallet.query(order, total)
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        let mut notes = self.notes.lock().unwrap();
        let sent = notes.sent.get(order.as_str()).map(|(at, _)| *at);
        let too_soon = sent.is_some_and(|sent| Instant::now() < sent + WECHAT_REVERSE);
        if self.provider == ProviderName::Wechat && too_soon {
            notes.wrong.push(format!("{} was reversed before 15 s were over", order.as_str()));
        }
        self.wallet.cancel(order)
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        let (order, number) = (request.order.as_str().to_owned(), request.refund.as_str().to_owned());
        let mut notes = self.notes.lock().unwrap();
        notes.asked_back.entry(order).or_default().insert(number, request.amount.minor);
        self.wallet.refund(request)
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        self.wallet.refund_query(request)
    }
}
