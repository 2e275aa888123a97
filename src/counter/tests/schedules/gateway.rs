//! A wallet's gateway in a few lines: a ledger, customers with their own mind, and lines that drop things.
//!
//! Written from what wallets document, not from our adapters. **Invariant:** it takes money for an order at
//! most once and never gives back more than it took; that it is never *asked* to is the judge's to say.

use super::super::Dice;
use super::Wallets;
use super::witness::Notes;
use crate::money::{Currency, Money};
use crate::record::money_moves::ProviderName;
use crate::wallet::{
    Advice, Answer, Approval, CancelAction, CancelAnswer, Decline, Doubt, OrderNumber, PayRequest,
    PrecreateAnswer, PrecreateRequest, RefundAnswer, RefundRequest, Reply, Wallet,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a caller waits for an answer that was dropped.
const GIVES_UP: Duration = Duration::from_secs(3);

/// The longest that a request is on its way: shorter than the till waits before its last look.
const ON_ITS_WAY_MS: u64 = 8_000;

/// One order at the wallet.
#[derive(Clone, Debug)]
struct Trade {
    amount: i64,
    paid: bool,
    closed: bool,
    /// When the customer makes up their mind, and how.
    decides: Option<(Instant, Mind)>,
    refunds: BTreeMap<String, Refund>,
}

/// Money that goes back.
#[derive(Clone, Copy, Debug)]
struct Refund {
    amount: i64,
    /// When the wallet is done with it.
    done: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mind {
    Pays,
    Refuses,
}

/// What the dice do to one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Good,
    RequestLost,
    /// The answer is lost, or comes with a wrong signature or none, or says "unknown": all the same to a till.
    AnswerLost,
    NotSent,
}

/// The wallet's books.
struct Ledger {
    dice: Dice,
    healthy_from: Instant,
    trades: BTreeMap<String, Trade>,
    /// Payments on their way: when they land, and what they are.
    landing: Vec<(Instant, String, i64, u64)>,
    /// Numbers that were cancelled before they were known: what comes yet is refused.
    buried: Vec<String>,
    /// Whom to tell of what: due at, order, amount.
    notices: Vec<(Instant, String, i64)>,
}

/// The ledger as one wallet of a schedule knows it.
#[derive(Clone)]
struct Gateway {
    provider: ProviderName,
    ledger: Arc<Mutex<Ledger>>,
}

/// Both wallets of one evening, over one ledger.
pub(super) struct Short {
    alipay: Gateway,
    wechat: Gateway,
}

impl Short {
    pub(super) fn new(seed: u64, healthy_from: Instant) -> Self {
        let ledger = Arc::new(Mutex::new(Ledger::new(seed, healthy_from)));
        Self {
            alipay: Gateway { provider: ProviderName::Alipay, ledger: ledger.clone() },
            wechat: Gateway { provider: ProviderName::Wechat, ledger },
        }
    }
}

impl Wallets for Short {
    fn of(&self, provider: ProviderName) -> Arc<dyn Wallet> {
        Arc::new(if provider == ProviderName::Alipay { self.alipay.clone() } else { self.wechat.clone() })
    }

    fn notices(&self, _: &Notes) -> Vec<(String, i64)> {
        let now = Instant::now();
        let mut books = self.alipay.books();
        let due = |(at, ..): &(Instant, String, i64)| *at <= now;
        let told = books.notices.iter().filter(|notice| due(notice));
        let told = told.map(|(_, order, amount)| (order.clone(), *amount)).collect();
        books.notices.retain(|notice| !due(notice));
        told
    }

    fn is_quiet(&self) -> bool {
        self.alipay.books().is_quiet()
    }

    fn orders(&self) -> Vec<String> {
        self.alipay.books().trades.keys().cloned().collect()
    }

    fn kept(&self, order: &str) -> i64 {
        self.alipay.books().kept(order)
    }

    fn give_back_by_hand(&self, order: &str) {
        self.alipay.books().give_back_by_hand(order, Instant::now());
    }

    fn struck(&self) -> Vec<&'static str> {
        vec![]
    }
}

impl Ledger {
    fn new(seed: u64, healthy_from: Instant) -> Self {
        Self {
            dice: Dice(seed ^ 0x9E37_79B9_7F4A_7C15),
            healthy_from,
            trades: BTreeMap::new(),
            landing: vec![],
            buried: vec![],
            notices: vec![],
        }
    }

    /// Lets happen what was due.
    fn catch_up(&mut self, now: Instant) {
        let mut landing = std::mem::take(&mut self.landing);
        landing.retain(|(at, order, amount, mind)| {
            if *at > now {
                return true;
            }
            self.land(*at, order, *amount, *mind);
            false
        });
        self.landing.extend(landing);
        let decided: Vec<(String, Instant, Mind)> = self
            .trades
            .iter()
            .filter_map(|(order, trade)| trade.decides.map(|(at, mind)| (order.clone(), at, mind)))
            .filter(|(_, at, _)| *at <= now)
            .collect();
        for (order, at, mind) in decided {
            self.decide(&order, at, mind);
        }
    }

    /// A payment arrives at the wallet.
    fn land(&mut self, at: Instant, order: &str, amount: i64, mind: u64) {
        if self.trades.contains_key(order) || self.buried.iter().any(|buried| buried == order) {
            return;
        }
        let trade = Trade { amount, paid: false, closed: false, decides: None, refunds: BTreeMap::new() };
        self.trades.insert(order.to_owned(), trade);
        match mind % 10 {
            0..=4 => self.decide(order, at, Mind::Pays),
            5..=6 => self.think(order, at, mind % 70, Mind::Pays),
            7 => self.think(order, at, mind % 30, Mind::Refuses),
            8 => self.decide(order, at, Mind::Refuses),
            // They put the phone away.
            _ => {}
        }
    }

    fn think(&mut self, order: &str, at: Instant, seconds: u64, mind: Mind) {
        if let Some(trade) = self.trades.get_mut(order) {
            trade.decides = Some((at + Duration::from_secs(seconds), mind));
        }
    }

    fn decide(&mut self, order: &str, at: Instant, mind: Mind) {
        let Some(trade) = self.trades.get_mut(order) else { return };
        trade.decides = None;
        if trade.closed || trade.paid {
            return;
        }
        trade.closed = mind == Mind::Refuses;
        trade.paid = mind == Mind::Pays;
        let amount = trade.amount;
        if mind == Mind::Pays {
            // Told never, at once, or again and again, also long after.
            for _ in 0..self.dice.roll(3) {
                let after = Duration::from_millis(self.dice.roll(2) * self.dice.roll(90_000));
                self.notices.push((at + after, order.to_owned(), amount));
            }
        }
    }

    fn line(&mut self, now: Instant) -> (Line, Duration) {
        let latency = Duration::from_millis(20 + self.dice.roll(300));
        if now >= self.healthy_from {
            return (Line::Good, latency);
        }
        match self.dice.roll(10) {
            0 => (Line::RequestLost, latency),
            1..=2 => (Line::AnswerLost, latency),
            3 if self.dice.roll(3) == 0 => (Line::NotSent, latency),
            _ => (Line::Good, latency),
        }
    }

    /// Money that this order keeps.
    fn kept(&self, order: &str) -> i64 {
        self.trades.get(order).map_or(0, |trade| {
            let back: i64 = trade.refunds.values().map(|refund| refund.amount).sum();
            if trade.paid { trade.amount - back } else { 0 }
        })
    }

    /// Whether nothing happens any more by itself.
    fn is_quiet(&self) -> bool {
        self.landing.is_empty()
            && self.notices.is_empty()
            && self.trades.values().all(|trade| trade.decides.is_none())
    }

    /// Somebody at the wallet's own pages gives the money back.
    fn give_back_by_hand(&mut self, order: &str, now: Instant) {
        if let Some(trade) = self.trades.get_mut(order) {
            let amount = trade.amount - trade.refunds.values().map(|refund| refund.amount).sum::<i64>();
            trade.refunds.insert("by hand".to_owned(), Refund { amount, done: now });
        }
    }

    fn answer(&self, order: &str) -> Answer {
        let Some(trade) = self.trades.get(order) else { return Answer::NotFound };
        let back: i64 = trade.refunds.values().map(|refund| refund.amount).sum();
        if trade.paid && back < trade.amount {
            return Answer::Approved(approval(order, trade.amount));
        }
        if trade.paid || trade.closed {
            return Answer::Closed;
        }
        Answer::Pending
    }

    fn cancel(&mut self, provider: ProviderName, order: &str, now: Instant) -> CancelAnswer {
        let Some(trade) = self.trades.get_mut(order) else {
            // It says yes; whether what is on its way can still land depends on the wallet's mood.
            if self.dice.roll(2) == 0 {
                self.buried.push(order.to_owned());
            }
            return CancelAnswer::Cancelled { action: CancelAction::Nothing };
        };
        if trade.paid {
            let back: i64 = trade.refunds.values().map(|refund| refund.amount).sum();
            if back < trade.amount {
                let left = Refund { amount: trade.amount - back, done: now };
                trade.refunds.insert("cancelled".to_owned(), left);
            }
            let action =
                if provider == ProviderName::Wechat { CancelAction::Ended } else { CancelAction::Refunded };
            return CancelAnswer::Cancelled { action };
        }
        trade.closed = true;
        trade.decides = None;
        CancelAnswer::Cancelled { action: CancelAction::Closed }
    }

    fn refund(&mut self, order: &str, number: &str, amount: i64, now: Instant) -> RefundAnswer {
        let slow = Duration::from_secs(self.dice.roll(2) * self.dice.roll(40));
        let refused = self.dice.roll(12) == 0 && now < self.healthy_from;
        let Some(trade) = self.trades.get_mut(order) else { return RefundAnswer::Declined(no("NO_TRADE")) };
        if let Some(known) = trade.refunds.get(number) {
            return if known.done <= now { RefundAnswer::Refunded } else { RefundAnswer::Pending };
        }
        let back: i64 = trade.refunds.values().map(|refund| refund.amount).sum();
        if !trade.paid || back + amount > trade.amount || refused {
            return RefundAnswer::Declined(no("NOT_ENOUGH"));
        }
        trade.refunds.insert(number.to_owned(), Refund { amount, done: now + slow });
        if slow.is_zero() { RefundAnswer::Refunded } else { RefundAnswer::Pending }
    }

    fn refund_query(&self, order: &str, number: &str, now: Instant) -> RefundAnswer {
        match self.trades.get(order).and_then(|trade| trade.refunds.get(number)) {
            Some(refund) if refund.done <= now => RefundAnswer::Refunded,
            Some(_) => RefundAnswer::Pending,
            None => RefundAnswer::NotFound,
        }
    }
}

impl Gateway {
    /// The books, everything done that was due.
    fn books(&self) -> MutexGuard<'_, Ledger> {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.catch_up(Instant::now());
        ledger
    }

    /// One call over the line: what it does at the wallet, and what comes back.
    async fn call<T>(
        &self,
        work: impl FnOnce(&mut Ledger, Instant) -> T,
        not_sent: impl FnOnce() -> T,
        lost: impl FnOnce() -> T,
    ) -> T {
        let (line, latency) = self.books().line(Instant::now());
        sleep(latency).await;
        match line {
            Line::Good => {
                let answer = work(&mut self.books(), Instant::now());
                sleep(latency).await;
                answer
            }
            Line::AnswerLost => {
                let _lost = work(&mut self.books(), Instant::now());
                sleep(GIVES_UP).await;
                lost()
            }
            Line::RequestLost => {
                sleep(GIVES_UP).await;
                lost()
            }
            Line::NotSent => not_sent(),
        }
    }
}

impl Wallet for Gateway {
    fn pay<'a>(&'a self, request: &'a PayRequest) -> Reply<'a, Answer> {
        Box::pin(async move {
            let (order, amount) = (request.order.as_str(), request.amount.minor);
            let now = Instant::now();
            let (line, latency) = {
                let mut books = self.books();
                let (line, mut latency) = books.line(now);
                let mind = books.dice.roll(10_000);
                if line == Line::AnswerLost {
                    // It may take its time to arrive.
                    latency = Duration::from_millis(books.dice.roll(ON_ITS_WAY_MS));
                }
                if matches!(line, Line::Good | Line::AnswerLost) {
                    books.landing.push((now + latency, order.to_owned(), amount, mind));
                }
                (line, latency)
            };
            match line {
                Line::Good => {
                    sleep(latency * 2).await;
                    match self.books().answer(order) {
                        Answer::Closed => Answer::Declined(no("REFUSED")),
                        answer => answer,
                    }
                }
                Line::AnswerLost | Line::RequestLost => {
                    sleep(GIVES_UP).await;
                    Answer::Unsure(doubt())
                }
                Line::NotSent => Answer::NotSent { why: "no route".to_owned() },
            }
        })
    }

    fn precreate<'a>(&'a self, _: &'a PrecreateRequest) -> Reply<'a, PrecreateAnswer> {
        Box::pin(async { PrecreateAnswer::Unsure(doubt()) })
    }

    fn query<'a>(&'a self, order: &'a OrderNumber, _: Money) -> Reply<'a, Answer> {
        let not_sent = || Answer::NotSent { why: "no route".to_owned() };
        Box::pin(self.call(|books, _| books.answer(order.as_str()), not_sent, || Answer::Unsure(doubt())))
    }

    fn cancel<'a>(&'a self, order: &'a OrderNumber) -> Reply<'a, CancelAnswer> {
        let not_sent = || CancelAnswer::NotSent { why: "no route".to_owned() };
        Box::pin(self.call(
            |books, now| books.cancel(self.provider, order.as_str(), now),
            not_sent,
            || CancelAnswer::Unsure(doubt()),
        ))
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        let (order, number) = (request.order.as_str(), request.refund.as_str());
        let not_sent = || RefundAnswer::NotSent { why: "no route".to_owned() };
        Box::pin(self.call(
            move |books, now| books.refund(order, number, request.amount.minor, now),
            not_sent,
            || RefundAnswer::Unsure(doubt()),
        ))
    }

    fn refund_query<'a>(&'a self, request: &'a RefundRequest) -> Reply<'a, RefundAnswer> {
        let (order, number) = (request.order.as_str(), request.refund.as_str());
        let not_sent = || RefundAnswer::NotSent { why: "no route".to_owned() };
        Box::pin(self.call(
            move |books, now| books.refund_query(order, number, now),
            not_sent,
            || RefundAnswer::Unsure(doubt()),
        ))
    }
}

fn doubt() -> Doubt {
    Doubt { why: "no clear answer".to_owned() }
}

fn no(code: &str) -> Decline {
    Decline { code: code.to_owned(), advice: Advice::NewCode, message: "no".to_owned(), left: None }
}

fn approval(order: &str, minor: i64) -> Approval {
    let amount = Money::new(minor, Currency::CNY);
    let zero = Money::zero(Currency::CNY);
    Approval {
        trade_no: format!("T{order}"),
        total: amount,
        receipt_amount: amount,
        buyer_paid: amount,
        invoice: amount,
        merchant_funded: zero,
        platform_funded: zero,
        points: zero,
        buyer_masked: None,
        paid_at: None,
        vouchers: vec![],
        balance: None,
        funds: vec![],
    }
}
