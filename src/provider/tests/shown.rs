//! Codes that a wallet makes and the till shows: asked for, scanned, closed, and looked for afterwards.

use super::*;
use crate::wallet::http::client;

const PRECREATE: &str = "alipay.trade.precreate";
const CLOSE: &str = "alipay.trade.close";

impl Shop {
    /// A shop whose payment is a shown code.
    async fn showing() -> Self {
        let mut shop = Self::open().await;
        shop.pay.by = PayBy::ShownCode;
        shop
    }

    /// Has the code made; what a phone scans.
    async fn shown(&mut self) -> String {
        self.duty(Duty::Submit).await;
        let ProviderReport::Shown(text) = self.report().await else { panic!("no code") };
        text
    }
}

/// A customer's phone: scans, and pays if told so.
async fn scan(code: &str, then: &str) {
    let patience = Duration::from_secs(5);
    let phone = client(Timeouts { connect: patience, total: patience }).unwrap();
    assert!(phone.get(code).send().await.unwrap().status().is_success());
    if then == "pay" {
        let answer = phone.post(format!("{code}/confirm")).send().await.unwrap();
        assert!(answer.status().as_u16() < 400, "{answer:?}");
    }
}

#[tokio::test]
async fn a_code_is_made_without_a_pay_code_and_a_phone_pays_it() {
    let mut shop = Shop::showing().await;
    let code = shop.shown().await;
    shop.duty(Duty::Ask).await;
    scan(&code, "pay").await;
    let mut said = shop.report().await;
    if said == ProviderReport::Pending {
        said = shop.report().await;
    }
    assert!(matches!(said, ProviderReport::Approved(_)), "{said:?}");
    assert_eq!(shop.captured(), 1280);
    shop.close().await;
}

#[tokio::test]
async fn a_wallet_that_makes_no_code_says_so_or_leaves_it_unsure() {
    let mut shop = Shop::showing().await;
    shop.strike(Fault::DropAnswer, PRECREATE);
    shop.duty(Duty::Submit).await;
    assert!(matches!(shop.report().await, ProviderReport::Unsure(_)));
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.close().await;

    let mut shop = Shop::showing().await;
    shop.config.wallets.clear();
    shop.start();
    shop.duty(Duty::Submit).await;
    let ProviderReport::Declined { advice, .. } = shop.report().await else { panic!() };
    assert_eq!(advice, Advice::OtherMeans);
    shop.close().await;
}

#[tokio::test]
async fn a_scanned_code_that_is_taken_back_is_closed_and_never_cancelled() {
    let mut shop = Shop::showing().await;
    let code = shop.shown().await;
    scan(&code, "look").await;
    // A cancellation would give back what was paid; this would hit it.
    shop.strike(Fault::DropAnswer, CANCEL);
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    assert!(!shop.gateway().faults().hits().contains_key("drop_answer"));
    shop.duty(Duty::Watch).await;
    assert_eq!(shop.report().await, ProviderReport::NothingLate, "the wallet itself has closed it");
    assert_eq!(shop.captured(), 0);
    shop.close().await;
}

#[tokio::test]
async fn a_code_that_was_paid_just_before_it_is_taken_back_stands() {
    let mut shop = Shop::showing().await;
    let code = shop.shown().await;
    scan(&code, "pay").await;
    // The question before finds nothing out: closing is refused, and the question after it tells.
    shop.strike(Fault::DropRequest, QUERY);
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)));
    assert_eq!((shop.captured(), shop.given_back()), (1280, 0));
    shop.close().await;
}

#[tokio::test]
async fn a_code_that_nobody_had_scanned_is_looked_for_until_its_time_is_over() {
    let mut shop = Shop::showing().await;
    let code = shop.shown().await;
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.duty(Duty::Watch).await;
    let asked = |shop: &Shop| shop.captured() == 1280;
    // The photograph of a code: the wallet knew nothing of it when it was closed.
    scan(&code, "pay").await;
    shop.until(asked).await;
    assert!(matches!(shop.report().await, ProviderReport::Approved(_)), "it goes back from here");
    shop.close().await;
}

#[tokio::test]
async fn closing_without_an_answer_is_tried_again() {
    let mut shop = Shop::showing().await;
    let code = shop.shown().await;
    scan(&code, "look").await;
    shop.strike(Fault::DropAnswer, CLOSE);
    shop.duty(Duty::Cancel).await;
    assert!(matches!(shop.report().await, ProviderReport::CancelUnsure(_)));
    assert!(matches!(shop.report().await, ProviderReport::Cancelled(_)));
    shop.close().await;
}
