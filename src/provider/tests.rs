//! Payment duties through their public door: the real adapter, against the simulated gateway on a real port.

mod discounts;
mod shown;

use super::*;
use crate::counter::duty::{CapturedBy, PayBy, PayDuty, RefundDuty};
use crate::counter::event::{Event, ProviderReport, RefundReport};
use crate::inbox::{CodeInHand, Letter, WORK_MAX};
use crate::money::{Currency, Money};
use crate::record::Moment;
use crate::record::money_moves::Advice;
use crate::sim::gateway::{self, Fault, Money as Moved, Rule, Running, Stage};
use crate::wallet::alipay::{self, Alipay};
use crate::wallet::http::Timeouts;
use crate::wallet::signing::{SigningKey, VerifyingKey};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tempfile::TempDir;

const CODE: &str = "286802123456789012";
const PAY: &str = "alipay.trade.pay";
const QUERY: &str = "alipay.trade.query";
const CANCEL: &str = "alipay.trade.cancel";
const REFUND: &str = "alipay.trade.refund";

#[tokio::test]
async fn a_code_that_pays_is_approved_with_the_wallets_amounts() {
    let mut shop = Shop::open().await;
    shop.submit().await;
    let ProviderReport::Approved(settled) = shop.report().await else { panic!() };
    assert_eq!((settled.total, settled.buyer_paid), (yuan("12.80"), yuan("12.80")));
    assert!(!settled.trade.is_empty());
    assert_eq!(shop.captured(), 1280);
    shop.close().await;
}

#[tokio::test]
async fn a_customer_who_types_a_password_is_waited_for() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: Some(2) }, PAY);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Ask).await;
    assert_eq!(shop.report().await, ProviderReport::Pending, "said once");
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.close().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_and_found_paid() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropAnswer, PAY);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Ask).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    assert_eq!(shop.captured(), 1280);
    shop.close().await;
}

#[tokio::test]
async fn an_answer_with_a_wrong_signature_or_an_unknown_outcome_is_asked_for() {
    for fault in [Fault::WrongSignature, Fault::MissingSignature, Fault::Unknown { money: Moved::Moved }] {
        let mut shop = Shop::open().await;
        shop.strike(fault, PAY);
        shop.submit().await;
        assert!(matches!(shop.report().await, ProviderReport::Unsure(_)), "{fault:?}");
        shop.duty(Duty::Ask).await;
        assert!(matches!(shop.report().await, ProviderReport::Approved(_)), "{fault:?}");
        shop.close().await;
    }
}

#[tokio::test]
async fn a_lost_request_is_taken_back_and_nothing_comes_late() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropRequest, PAY);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Ask).await;
    // The question stands: not found proves nothing. The till's deadline ends it.
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.duty(Duty::Watch).await;
    assert_eq!(shop.report().await, ProviderReport::NothingLate);
    assert_eq!(shop.captured(), 0);
    shop.close().await;
}

#[tokio::test]
async fn what_was_paid_before_it_is_taken_back_is_served_and_stays() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropAnswer, PAY);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    // As after a restart: the first that this edge hears of is the cancellation.
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.is_paid_and_left_alone().await;
    shop.close().await;
}

#[tokio::test]
async fn taking_back_what_was_paid_unseen_gives_the_money_back() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropAnswer, PAY);
    shop.strike(Fault::DropAnswer, QUERY);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Cancel).await;
    let ProviderReport::Cancelled(words) = shop.report().await else { panic!() };
    assert!(words.contains("gave the money back"), "{words}");
    shop.duty(Duty::Watch).await;
    assert_eq!(shop.report().await, ProviderReport::NothingLate);
    shop.close().await;
}

#[tokio::test]
async fn a_wallet_that_lets_nothing_be_taken_back_soon_is_asked_until_then() {
    let mut shop = Shop::open().await;
    // Longer than this test may take.
    let later = Duration::from_secs(20);
    shop.config.rules.get_mut(&ProviderName::Alipay).unwrap().cancel_not_before = later;
    shop.start();
    shop.strike(Fault::PayingThenPaid { after_queries: Some(4) }, PAY);
    // A cancellation would be hit.
    shop.strike(Fault::DropRequest, CANCEL);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)), "a question found it paid meanwhile");
    assert!(!shop.gateway().faults().hits().contains_key("drop_request"));
    shop.is_paid_and_left_alone().await;
    shop.close().await;
}

#[tokio::test]
async fn a_cancellation_without_an_answer_is_said_once_and_tried_again() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: None }, PAY);
    for _ in 0..3 {
        shop.strike(Fault::DropRequest, CANCEL);
    }
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::CancelUnsure(_)));
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.close().await;
}

#[tokio::test]
async fn money_that_lands_after_the_payment_was_taken_back_is_found() {
    let mut shop = Shop::open_with(Duration::from_millis(800)).await;
    shop.strike(Fault::Delay { ms: 5000, stage: Stage::Work }, PAY);
    shop.strike(Fault::Late, CANCEL);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    assert_eq!(shop.captured(), 0);
    shop.until(|shop| shop.captured() > 0).await;
    shop.duty(Duty::Watch).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.close().await;
}

#[tokio::test]
async fn a_refused_payment_comes_with_words_and_advice() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::Refuse, PAY);
    shop.submit().await;
    let ProviderReport::Declined { code, words, advice, .. } = shop.report().await else { panic!() };
    assert!(code.starts_with("ACQ.") && !words.is_empty(), "{code} {words}");
    assert_eq!(advice, Advice::OtherMeans);
    shop.close().await;
}

#[tokio::test]
async fn a_gateway_that_is_not_there_means_that_nothing_was_sent() {
    let mut shop = Shop::open().await;
    shop.gateway.take().unwrap().shutdown().await;
    shop.submit().await;
    let ProviderReport::Declined { words, advice, .. } = shop.report().await else { panic!() };
    assert_eq!((words.as_str(), advice), (super::report::NOT_SENT, Advice::TryAgain));
    shop.close().await;
}

#[tokio::test]
async fn a_payment_whose_code_died_with_the_last_start_is_unsure() {
    let mut shop = Shop::open().await;
    shop.duty(Duty::Submit).await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    assert_eq!(shop.captured(), 0);
    shop.close().await;
}

#[tokio::test]
async fn a_payment_on_its_way_is_heard_out_and_not_taken_back_once_approved() {
    for stage in [Stage::Work, Stage::Answer] {
        let mut shop = Shop::open().await;
        shop.strike(Fault::Delay { ms: 300, stage }, PAY);
        shop.submit().await;
        shop.duty(Duty::Cancel).await;
        assert!(matches!(shop.report().await, ProviderReport::Approved(_)), "{stage:?}");
        shop.is_paid_and_left_alone().await;
        shop.close().await;
    }
}

#[tokio::test]
async fn a_payment_on_its_way_without_an_answer_is_still_taken_back() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropRequest, PAY);
    shop.submit().await;
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    assert_eq!(shop.captured(), 0);
    shop.close().await;
}

#[tokio::test]
async fn a_payment_that_a_question_finds_paid_while_it_is_given_up_is_not_taken_back() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: Some(0) }, PAY);
    shop.strike(Fault::Delay { ms: 300, stage: Stage::Answer }, QUERY);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Ask).await;
    shop.until(|shop| shop.gateway().faults().hits().contains_key("delay")).await;
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.is_paid_and_left_alone().await;
    shop.close().await;
}

#[tokio::test]
async fn a_cancellation_that_crosses_a_posted_approval_is_dropped() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: Some(1) }, PAY);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Ask).await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    // Neither a question nor a cancellation follows: these would be hit.
    shop.strike(Fault::DropAnswer, QUERY);
    shop.strike(Fault::DropAnswer, CANCEL);
    shop.duty(Duty::Cancel).await;
    shop.is_paid_and_left_alone().await;
    assert!(!shop.gateway().faults().hits().contains_key("drop_answer"));
    shop.close().await;
}

#[tokio::test]
async fn a_cancellation_that_comes_again_tells_again_what_the_till_could_not_write_down() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: Some(1) }, PAY);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Ask).await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.duty(Duty::Cancel).await;
    for _ in 0..2 {
        shop.duty(Duty::Cancel).await;
        assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    }
    shop.is_paid_and_left_alone().await;
    shop.close().await;
}

#[tokio::test]
async fn a_cancellation_on_its_way_is_heard_out_at_the_end_of_the_day() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::PayingThenPaid { after_queries: None }, PAY);
    shop.strike(Fault::Delay { ms: 300, stage: Stage::Work }, CANCEL);
    shop.submit().await;
    assert_eq!(shop.report().await, ProviderReport::Pending);
    shop.duty(Duty::Cancel).await;
    shop.until(|shop| shop.gateway().faults().hits().contains_key("delay")).await;
    shop.stop.send(true).unwrap();
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.close().await;
}

#[tokio::test]
async fn a_payment_on_its_way_is_heard_out_at_the_end_of_the_day() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::Delay { ms: 300, stage: Stage::Work }, PAY);
    shop.submit().await;
    // Asking is begun again by the next start, and does not hold this one up.
    let other = PayDuty { intent: IntentId([9; 16]), ..shop.pay.clone() };
    shop.send(Duty::Ask(other), None).await;
    shop.until(|shop| shop.gateway().faults().hits().contains_key("delay")).await;
    shop.stop.send(true).unwrap();
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    shop.close().await;
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_given_once() {
    for fault in [Fault::DropAnswer, Fault::DropRequest, Fault::WrongSignature] {
        let mut shop = Shop::open().await;
        shop.submit().await;
        assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
        shop.strike(fault, REFUND);
        let refund = shop.refund("5.00");
        shop.send(refund.clone(), None).await;
        assert_eq!(shop.refunded().await, RefundReport::Refunded, "{fault:?}");
        // Owed again after a restart: the same number gives nothing twice.
        shop.send(refund, None).await;
        assert_eq!(shop.refunded().await, RefundReport::Refunded, "{fault:?}");
        assert_eq!(shop.given_back(), 500, "{fault:?}");
        shop.close().await;
    }
}

#[tokio::test]
async fn a_refund_of_more_than_was_paid_is_refused_in_the_wallets_words() {
    let mut shop = Shop::open().await;
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    let refund = shop.refund("13.00");
    shop.send(refund, None).await;
    let RefundReport::Refused(words) = shop.refunded().await else { panic!() };
    assert!(!words.is_empty());
    assert_eq!(shop.given_back(), 0);
    shop.close().await;
}

#[tokio::test]
async fn a_question_without_an_answer_is_asked_again() {
    let mut shop = Shop::open().await;
    shop.strike(Fault::DropAnswer, PAY);
    shop.strike(Fault::DropAnswer, QUERY);
    shop.strike(Fault::WrongSignature, QUERY);
    shop.submit().await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Ask).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    assert_eq!(shop.gateway().faults().hits()["wrong_signature"], 1);
    shop.close().await;
}

/// A gateway, the payments' edge, and the till's side of its doors.
struct Shop {
    gateway: Option<Running>,
    dir: TempDir,
    config: Config,
    pay: PayDuty,
    work: mpsc::Sender<ProviderWork>,
    letters: Option<Receiver<Letter>>,
    stop: watch::Sender<bool>,
    edge: JoinSet<()>,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(Duration::from_secs(10)).await
    }

    /// With so long for an answer of the wallet.
    async fn open_with(answer: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pem = |kind: &str, owner: &str, form: &str| {
            format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", key(owner, form))
        };
        std::fs::write(dir.path().join("merchant.pub.pem"), pem("PUBLIC KEY", "merchant", "spki_der"))
            .unwrap();
        std::fs::write(dir.path().join("gateway.pkcs8.pem"), pem("PRIVATE KEY", "gateway", "pkcs8_der"))
            .unwrap();
        let gateway = gateway::Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            dir: dir.path().to_owned(),
            keys: Some(dir.path().to_owned()),
            faults: None,
            seed: 7,
            public_base: None,
        };
        let gateway = gateway::start(gateway, || 1_704_135_845_000).await.unwrap();
        let wallet = Alipay::new(alipay::Config {
            gateway: format!("http://{}/gateway.do", gateway.address()),
            app_id: "2021000000000001".to_owned(),
            app_key: SigningKey::read(&key("merchant", "pkcs8_der")).unwrap(),
            alipay_key: VerifyingKey::read(&key("gateway", "spki_der")).unwrap().into(),
            app_auth_token: None,
            notify_url: None,
            timeouts: Timeouts { connect: Duration::from_secs(5), total: answer },
            now: Arc::new(|| 1_704_135_845_000),
        })
        .unwrap();
        let tick = Duration::from_millis(5);
        let config = Config {
            wallets: BTreeMap::from([(ProviderName::Alipay, Arc::new(wallet) as Arc<dyn Wallet>)]),
            terminal: "till-1".parse().unwrap(),
            subject: "Latte & more".to_owned(),
            rules: [(
                ProviderName::Alipay,
                ProviderRules {
                    query_first: tick,
                    query_fast: tick,
                    query_fast_until: tick * 4,
                    query_slow: tick * 2,
                    cancel_retry: tick,
                    cancel_retry_most: tick * 4,
                    cancel_retry_days: tick * 4,
                    cancel_not_before: Duration::ZERO,
                    watch_after: tick,
                },
            )]
            .into(),
        };
        let drawn = Moment::default();
        let pay = PayDuty {
            intent: IntentId([3; 16]),
            provider: ProviderName::Alipay,
            amount: yuan("12.80"),
            by: PayBy::CustomersCode,
            station: "front".parse().unwrap(),
            drawn,
            settle_by: drawn.after_ms(60_000),
        };
        let mut shop = Self {
            gateway: Some(gateway),
            dir,
            config,
            pay,
            work: mpsc::channel(WORK_MAX).0,
            letters: None,
            stop: watch::Sender::new(false),
            edge: JoinSet::new(),
        };
        shop.start();
        shop
    }

    fn start(&mut self) {
        let (inbox, letters) = Inbox::new();
        let (work, duties) = mpsc::channel(WORK_MAX);
        self.edge.spawn(run(self.config.clone(), duties, inbox, self.stop.subscribe()));
        (self.work, self.letters) = (work, Some(letters));
    }

    fn gateway(&self) -> &Running {
        self.gateway.as_ref().unwrap()
    }

    fn strike(&self, fault: Fault, method: &str) {
        let rule = Rule { times: Some(1), method: Some(method.to_owned()), ..Rule::of(fault) };
        self.gateway().faults().add(rule).unwrap();
    }

    async fn submit(&self) {
        self.send(Duty::Submit(self.pay.clone()), Some(CodeInHand(CODE.to_owned()))).await;
    }

    async fn duty(&self, duty: fn(PayDuty) -> Duty) {
        self.send(duty(self.pay.clone()), None).await;
    }

    fn refund(&self, amount: &str) -> Duty {
        Duty::Refund(RefundDuty {
            refund: RefundId([4; 16]),
            intent: self.pay.intent,
            provider: ProviderName::Alipay,
            amount: yuan(amount),
            why: "cold".to_owned(),
            late: None,
            captured_by: CapturedBy::Till,
        })
    }

    async fn send(&self, duty: Duty, code: Option<CodeInHand>) {
        self.work.send(ProviderWork { duty, code }).await.unwrap();
    }

    async fn event(&mut self) -> Event {
        let letters = self.letters.take().unwrap();
        let (letters, letter) = tokio::task::spawn_blocking(move || {
            let letter = letters.recv_timeout(Duration::from_secs(10));
            (letters, letter)
        })
        .await
        .unwrap();
        self.letters = Some(letters);
        letter.expect("a report within ten seconds").event
    }

    async fn report(&mut self) -> ProviderReport {
        let event = self.event().await;
        let Event::Provider(intent, report) = event else { panic!("{event:?}") };
        assert_eq!(intent, self.pay.intent);
        report
    }

    async fn refunded(&mut self) -> RefundReport {
        let event = self.event().await;
        let Event::Refund(refund, report) = event else { panic!("{event:?}") };
        assert_eq!(refund, RefundId([4; 16]));
        report
    }

    /// Sees that the next report is of a later, refused duty, and that the wallet kept the money once.
    async fn is_paid_and_left_alone(&mut self) {
        let too_much = self.refund("13.00");
        self.send(too_much, None).await;
        assert!(matches!(self.refunded().await, RefundReport::Refused(_)));
        assert_eq!((self.captured(), self.given_back()), (1280, 0));
    }

    /// Fen that the gateway's own books say were taken.
    fn captured(&self) -> i64 {
        self.booked("capture")
    }

    fn given_back(&self) -> i64 {
        self.booked("refund")
    }

    fn booked(&self, kind: &str) -> i64 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let books = rusqlite::Connection::open_with_flags(self.gateway().ledger_path(), flags).unwrap();
        let sum = "SELECT COALESCE(SUM(amount), 0) FROM event WHERE kind = ?1";
        books.query_row(sum, [kind], |row| row.get(0)).unwrap()
    }

    /// Waits until something is so at the gateway.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if is_so(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never came to be so at the gateway");
    }

    /// Stops the edge and sees that it said nothing more.
    async fn close(mut self) {
        self.stop.send_replace(true);
        while self.edge.join_next().await.is_some() {}
        let more = self.letters.as_ref().unwrap().try_recv().map(|letter| letter.event);
        assert!(more.is_err(), "{more:?}");
        if let Some(gateway) = self.gateway.take() {
            gateway.shutdown().await;
        }
        drop(self.dir);
    }
}

fn key(owner: &str, form: &str) -> String {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/data/alipay_keys.json")).unwrap();
    file[owner][form].as_str().unwrap().to_owned()
}

fn yuan(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}
