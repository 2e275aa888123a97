//! The till's `abandoned`, a phone's payment and a till's taking of its proof, in every order of arrival: the shop has the
//! money and the customer the goods, or the money goes back, and whatever is otherwise is somebody's task.

use super::unheard::{drawn_as, intent_of, moved, path, pay, proof_on, silent, tap};
use super::*;
use crate::record::Record;
use crate::record::chain::Tip;
use crate::token::Order;
use tokio::task::JoinSet;

/// What reaches the cloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Arrives {
    /// A phone pays the order.
    Paid,
    /// The till's word that it gave the order up.
    Abandoned,
    /// The till's word that it took the money, by the proof or because the cloud had told it, and gave the goods.
    Approved(ProvenBy),
    /// Time in which the cloud may give back what is owed.
    Minutes,
}

/// Where the two words stand: a till that wrote both, or two machines under one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Written {
    InOneJournal,
    OnTwoSides,
}

struct Story {
    shop: Shop,
    till: Till,
    order: Order,
    proof: Option<String>,
    /// Where the sides of a fork part.
    parted: Tip,
    words: usize,
    /// Whether the money is expected to go back, and waited for.
    goes_back: bool,
}

impl Story {
    async fn begin() -> Self {
        let (shop, mut till, order) = silent().await;
        let drawn = till.write_in(SALE, drawn_as(&order));
        till.send_well(&[drawn]).await;
        let parted = till.tip;
        Self { shop, till, order, proof: None, parted, words: 0, goes_back: false }
    }

    async fn arrives(&mut self, what: Arrives, written: Written) {
        let intent = intent_of(&self.order);
        match what {
            Arrives::Paid => self.proof = Some(proof_on(&pay(&self.shop, &self.till, &self.order).await.0)),
            Arrives::Minutes => {
                for _ in 0..if self.goes_back { 500 } else { 15 } {
                    self.shop.pass_ms(5_000);
                    // The settler looks in its own time.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    if moved(&self.shop, intent).len() == 2 {
                        break;
                    }
                }
            }
            Arrives::Abandoned => {
                let why = "its time is up".to_owned();
                self.bring(Body::Abandoned { intent, why }, written).await;
            }
            Arrives::Approved(by) => {
                let settled = Settled::proven(self.order.amount, by, self.proof.clone());
                self.bring(Body::Approved { intent, settled }, written).await;
            }
        }
    }

    async fn bring(&mut self, body: Body, written: Written) {
        if written == Written::OnTwoSides {
            self.till.tip = self.parted;
        }
        let record: Record = self.till.write_in(SALE, body);
        let (status, answer) = self.till.send(&[record]).await;
        self.words += 1;
        let is_fork = written == Written::OnTwoSides && self.words == 2;
        assert_eq!(status, if is_fork { 409 } else { 200 }, "{answer}");
        self.judged().await;
    }

    /// Until everything is ruled on; bounded.
    async fn judged(&self) {
        for _ in 0..2_000 {
            let streams = self.shop.cloud.admin().streams().await.unwrap();
            if streams.iter().all(|stream| stream.ruled == stream.high) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the records are not ruled on");
    }
}

#[tokio::test]
async fn in_every_order_of_arrival_money_and_goods_go_together_or_a_task_says_that_they_do_not() {
    use Arrives::{Abandoned, Approved, Minutes, Paid};
    const KEPT: &[&str] = &["capture 2600"];
    const BACK: &[&str] = &["capture 2600", "refund 2600"];
    let mut stories = JoinSet::new();
    for (by, written) in [
        (ProvenBy::PaidProof, Written::InOneJournal),
        (ProvenBy::TypedProof, Written::OnTwoSides),
        (ProvenBy::Notice, Written::OnTwoSides),
    ] {
        for (order, moves, is_owed) in [
            // Goods went for it, whoever else gave it up: it stays the shop's.
            (vec![Paid, Approved(by), Abandoned, Minutes], KEPT, false),
            (vec![Paid, Abandoned, Approved(by), Minutes], KEPT, false),
            (vec![Paid, Approved(by), Minutes, Abandoned, Minutes], KEPT, false),
            // It went back before anybody said that goods went for it: somebody has to look.
            (vec![Paid, Abandoned, Minutes, Approved(by), Minutes], BACK, true),
        ] {
            stories.spawn(tell(order, written, moves, is_owed));
        }
    }
    // Nothing went for it.
    stories.spawn(tell(vec![Paid, Abandoned, Minutes], Written::InOneJournal, BACK, false));
    while let Some(told) = stories.join_next().await {
        told.unwrap();
    }
}

async fn tell(order: Vec<Arrives>, written: Written, moves: &[&str], is_owed: bool) {
    let mut story = Story::begin().await;
    story.goes_back = moves.len() == 2;
    for what in &order {
        story.arrives(*what, written).await;
    }
    let said = format!("{written:?} {order:?}");
    assert_eq!(moved(&story.shop, intent_of(&story.order)), moves, "{said}");
    let tasks = story.shop.cloud.admin().tasks().await.unwrap();
    let owed = tasks.iter().filter(|task| task.code == "proof_given_back").count();
    assert_eq!(owed, usize::from(is_owed), "{said}: {tasks:?}");
}

#[tokio::test]
async fn an_order_that_its_till_gave_up_is_paid_by_no_phone_that_brings_it_later() {
    let mut story = Story::begin().await;
    story.arrives(Arrives::Abandoned, Written::InOneJournal).await;
    let path = path(&story.till, &story.order);
    let page = story.shop.page(&path, None).await;
    let cookie = page.cookie.clone();
    let sent = story.shop.post(&format!("{path}/pay"), "wallet=alipay", cookie.as_deref()).await;
    assert!(!sent.to.unwrap_or_default().contains("/qr/"), "no wallet is opened");
    assert_eq!(moved(&story.shop, intent_of(&story.order)), [""; 0]);
    // One that is alive is.
    let other = story.till.order(9, 2600);
    let live = super::unheard::path(&story.till, &other);
    assert!(tap(&story.shop, &live).await.0.contains("/qr/"));
}
