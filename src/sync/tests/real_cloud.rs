//! The same edge with the reference cloud, its wallet gateway and a phone.

use super::orders::{INTENT, duty, report, shown_duty};
use super::shop::{EPOCH, Shop};
use super::stand_in::CLOUD_MS;
use crate::cloud::{self, AlipayFiles, Clock, Decision, ShopDefaults};
use crate::counter::duty::{CapturedBy, Duty, RefundDuty};
use crate::counter::event::{Event, ProviderReport, RefundReport};
use crate::inbox::LinkState;
use crate::record::body::{Body, Shutdown};
use crate::record::ids::RefundId;
use crate::record::money_moves::ProviderName;
use crate::record::queue_act::{QueueAct, Resolution, Subject};
use crate::sim::gateway;
use crate::sync::order_of;
use crate::token::{self, Token};
use crate::wallet::http::{Timeouts, client};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// The reference cloud with a wallet behind it, and a till that it has approved.
struct Chain {
    shop: Shop,
    cloud: cloud::Running,
    gateway: gateway::Running,
    _dir: TempDir,
}

impl Chain {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let here = "127.0.0.1:0".parse().unwrap();
        let gateway = gateway::Config {
            listen: here,
            dir: dir.path().join("gateway"),
            keys: None,
            faults: None,
            seed: 7,
            public_base: None,
        };
        let gateway = gateway::start(gateway, || CLOUD_MS).await.unwrap();
        let began = Instant::now();
        let clock: Clock = Arc::new(move || CLOUD_MS + i64::try_from(began.elapsed().as_millis()).unwrap());
        let account = AlipayFiles {
            gateway: format!("http://{}/gateway.do", gateway.address()),
            app_id: "2021000000000001".to_owned(),
            merchant_key: gateway.key_paths().merchant_private.clone().unwrap(),
            gateway_key: gateway.key_paths().gateway_public.clone().unwrap(),
        };
        let config = cloud::Config {
            listen: here,
            dir: dir.path().join("cloud"),
            public_base: None,
            accounts: vec![account.read(&clock).unwrap()],
            shop: ShopDefaults { name: "Corner".to_owned(), ..ShopDefaults::default() },
        };
        let cloud = cloud::start(config, clock).await.unwrap();
        let mut shop = Shop::closed().await;
        shop.url = format!("http://{}", cloud.address());
        shop.timing.poll_wait = Duration::from_secs(2);
        shop.write(3);
        shop.start();
        shop.until("it asks", |shop| shop.link().state == LinkState::Pairing).await;
        let terminal = "till-1".parse().unwrap();
        let print = shop.key.fingerprint();
        let decide = || cloud.admin().decide_pairing(&terminal, &print, Decision::Approve);
        let mut decided = decide().await;
        for _ in 0..500 {
            if decided.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            decided = decide().await;
        }
        decided.unwrap();
        Self { shop, cloud, gateway, _dir: dir }
    }

    /// A phone that opens an order, is sent to the wallet and confirms there.
    async fn pay(&self, order: &str) {
        let patience = Duration::from_secs(10);
        let phone = client(Timeouts { connect: patience, total: patience }).unwrap();
        let page = format!("{}/O/{order}/pay", self.shop.url);
        let form = "application/x-www-form-urlencoded";
        let sent_on = phone.post(page).header("content-type", form).send().await.unwrap();
        let wallet = sent_on.headers()["location"].to_str().unwrap().to_owned();
        phone.get(&wallet).send().await.unwrap();
        let wallet = wallet.split('?').next().unwrap();
        let paid = phone.post(format!("{wallet}/confirm")).send().await.unwrap();
        assert!(paid.status().as_u16() < 400, "{}", paid.status());
    }

    async fn close(mut self) {
        self.shop.stop().await;
        self.shop.no_event();
        self.cloud.shutdown().await;
        self.gateway.shutdown().await;
    }
}

#[tokio::test]
async fn a_till_is_paired_brings_its_journal_and_sells_by_the_clouds_bundle() {
    let mut chain = Chain::open().await;
    let told = chain.shop.event().await;
    assert!(matches!(told, Event::BundleArrived { version: 1, .. }), "{told:?}");
    chain.shop.until("it is up", |shop| shop.watermark() == 3).await;
    chain.shop.write(1200);
    chain.shop.until("it is up", |shop| shop.watermark() == 1203 && shop.link().received == 1203).await;
    chain.shop.until("it is ruled on", |shop| shop.link().ruled == 1203).await;
    let link = chain.shop.link();
    assert_eq!((link.state, link.trouble), (LinkState::Online, None));
    assert_eq!(chain.shop.edge.ruled(EPOCH).unwrap(), 1203);
    assert_eq!(chain.shop.edge.received_heads(EPOCH).unwrap().last().unwrap().seq, 1203);
    let in_force = chain.shop.board.bundle.borrow().clone().unwrap();
    assert_eq!(in_force.bundle.content.shop.name, "Corner");
    chain.close().await;
}

#[tokio::test]
async fn a_phone_pays_an_order_and_the_money_can_go_back() {
    let mut chain = Chain::open().await;
    assert!(matches!(chain.shop.event().await, Event::BundleArrived { .. }));
    chain.shop.until("it is up", |shop| shop.watermark() == 3).await;
    let order = order_of(&"till-1".parse().unwrap(), EPOCH, &shown_duty());
    let text = chain.shop.key.draw(&order).unwrap();
    chain.shop.owe(Duty::Offer(shown_duty())).await;
    let page = format!("{}/O/{text}", chain.shop.url);
    let patience = Duration::from_secs(10);
    let phone = client(Timeouts { connect: patience, total: patience }).unwrap();
    for _ in 0..500 {
        if phone.get(&page).send().await.unwrap().status() == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    chain.pay(&text).await;
    let mut said = report(&mut chain.shop).await;
    while matches!(said, ProviderReport::Pending | ProviderReport::Shown(_)) {
        said = report(&mut chain.shop).await;
    }
    let ProviderReport::Approved(settled) = said else { panic!("{said:?}") };
    assert_eq!(settled.received, duty().amount);
    assert!(matches!(token::parse(settled.proof.as_deref().unwrap()), Ok(Token::Proof(_))));

    let refund = RefundDuty {
        refund: RefundId([4; 16]),
        intent: INTENT,
        provider: ProviderName::Alipay,
        amount: duty().amount,
        why: "cold".to_owned(),
        late: None,
        captured_by: CapturedBy::Cloud,
    };
    for _ in 0..2 {
        chain.shop.owe(Duty::Refund(refund.clone())).await;
        let mut event = chain.shop.event().await;
        // The notice and the answer to the offer may both say that it is paid: the till takes it once.
        while let Event::Provider(INTENT, ProviderReport::Approved(_)) = event {
            event = chain.shop.event().await;
        }
        assert_eq!(event, Event::Refund(refund.refund, RefundReport::Refunded));
    }
    chain.close().await;
}

#[tokio::test]
async fn an_order_that_is_taken_back_cannot_be_paid() {
    let mut chain = Chain::open().await;
    assert!(matches!(chain.shop.event().await, Event::BundleArrived { .. }));
    // The cloud has never seen it: it came to the phone by the till's own display.
    chain.shop.owe(Duty::Withdraw(duty())).await;
    assert!(matches!(report(&mut chain.shop).await, ProviderReport::Cancelled(_)));
    // A late offer of the same order finds it over.
    chain.shop.owe(Duty::Offer(duty())).await;
    assert!(matches!(report(&mut chain.shop).await, ProviderReport::Declined { .. }));
    chain.close().await;
}

#[tokio::test]
async fn what_a_manager_did_before_the_line_came_back_is_done_in_peace() {
    let mut chain = Chain::open().await;
    chain.shop.until("it is up", |shop| shop.watermark() == 3).await;
    chain.shop.stop().await;
    let act = |seq, act| {
        let subject = Some(Subject { epoch: EPOCH, seq });
        Body::QueueActed { subject, act, words: "The customer came back.".to_owned() }
    };
    // A receipt without a number is refused once it takes effect: it tells whether it did.
    let total = duty().amount;
    let (released, resolved) = (4, 7);
    let bodies = [
        Body::Booted { version: "0".to_owned(), shutdown: Shutdown::Clean },
        act(released, QueueAct::Hold),
        act(released, QueueAct::Release),
        Body::ReceiptIssued { total },
        act(resolved, QueueAct::Hold),
        act(resolved, QueueAct::Resolve { how: Resolution::Duplicate }),
    ];
    for body in bodies {
        chain.shop.write_as(body);
    }
    chain.shop.start();
    chain.shop.until("it is ruled on", |shop| shop.link().ruled == 9).await;
    let tasks = chain.cloud.admin().tasks().await.unwrap();
    assert!(tasks.is_empty(), "{tasks:?}");
    let verdict = loop {
        if let Event::Ruled(verdict) = chain.shop.event().await {
            break verdict;
        }
    };
    assert_eq!((verdict.seq, verdict.code.as_str()), (resolved, "held"));
    chain.close().await;
}
