//! What phones wish for and nobody waits for any more, what they wish for again and again, and what their till refuses.

use super::unheard::rows;
use super::*;
use crate::cloud::handed_out::autumn;
use crate::record::Epoch;
use crate::record::chain::Tip;

const PAY: &str = "/d/table-4/pay";

/// A phone taps, its till hears of it, and the customer closes the page.
async fn leaves(shop: &Shop, till: &Till) {
    let page = shop.page("/d/table-4", None).await;
    let phone = taps(shop, PAY, page.pay_form(), page.cookie.as_deref());
    till.notice("order_requested").await;
    drop(phone);
}

fn cloud_rows(shop: &Shop, sql: &str) -> Vec<String> {
    rows(&shop.folder.path().join("cloud/cloud.db"), sql)
}

#[tokio::test]
async fn a_phone_that_left_gives_the_bill_to_the_next_one_after_ten_seconds() {
    let (shop, till) = shop_with_bill().await;
    let till = Arc::new(till);
    leaves(&shop, &till).await;
    let second = shop.page("/d/table-4", None).await;
    let refused = shop.post(PAY, &second.pay_form(), second.cookie.as_deref()).await;
    assert_eq!(said(&refused), "other_phone", "the first may still be there");
    shop.pass_ms(10_001);
    till.notices(0, 0).await;
    press_pay(&shop, &till).await;
}

#[tokio::test]
async fn an_order_that_comes_after_its_phone_has_left_is_ended() {
    let (shop, till) = shop_with_bill().await;
    leaves(&shop, &till).await;
    shop.pass_ms(10_001);
    let text = till.key.draw(&till.order(77, 2600)).unwrap();
    let body = json!({
        "intent": INTENT, "sale": SALE, "order": text, "desk": "table-4", "bill_version": 2,
    });
    let target = format!("/v1/terminals/{}/orders", till.id);
    let (_, answer) = till.call("POST", &target, body.to_string().as_bytes()).await;
    assert_eq!(answer["state"], "ended", "{answer}");
}

#[tokio::test]
async fn a_code_shown_at_the_counter_belongs_to_whoever_scans_it_and_not_to_a_phone_that_tapped_before() {
    let (shop, till) = shop_with_bill().await;
    leaves(&shop, &till).await;
    let order = till.order(9, 2600);
    let (status, answer) = till.bring_order(INTENT, SALE, &order).await;
    assert_eq!((status, &answer["state"]), (200, &json!("open")), "{answer}");
    let at = format!("/O/{}", till.key.draw(&order).unwrap());
    let page = shop.page(&at, None).await;
    let sent = shop.post(&format!("{at}/pay"), "wallet=alipay", page.cookie.as_deref()).await;
    assert!(sent.to.as_ref().unwrap().contains("/qr/"), "{:?}", sent.to);
}

#[tokio::test]
async fn a_cloud_that_stops_keeps_no_phone_waiting() {
    let (shop, till) = shop_with_bill().await;
    let page = shop.page("/d/table-4", None).await;
    let request = shop.http.post(shop.address(PAY)).body(page.pay_form());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let mut phone = JoinSet::new();
    phone.spawn(async move { request.send().await.unwrap().status().as_u16() });
    till.notice("order_requested").await;
    let db = shop.folder.path().join("cloud/cloud.db");
    shop.cloud.shutdown().await;
    assert_eq!(phone.join_next().await.unwrap().unwrap(), 503);
    assert_eq!(rows(&db, "SELECT state FROM pay_request"), ["given_up"]);
}

#[tokio::test]
async fn a_coupon_that_is_offered_again_and_again_is_told_to_the_till_once_while_that_lives() {
    let (shop, till) = shop_with_bill().await;
    let token = shop.cloud.admin().issue_coupons(&autumn(till.now_ms(), 1)).await.unwrap().remove(0);
    let live = |shop: &Shop| cloud_rows(shop, "SELECT kind FROM notice WHERE kind = 'coupon_offered'").len();
    for round in 1..=3 {
        let phones: Vec<_> =
            (0..5).map(|_| taps(&shop, "/d/table-4/coupon", format!("token={token}"), None)).collect();
        till.notice("coupon_offered").await;
        for mut phone in phones {
            assert!(phone.join_next().await.unwrap().unwrap().ends_with("said=coupon_waiting"));
        }
        assert!(
            live(&shop) <= 2,
            "{} rows in round {round}: what nobody hears any more is gone",
            live(&shop)
        );
        shop.pass_ms(10_001);
        till.notices(0, 0).await;
    }
}

#[tokio::test]
async fn a_coupon_that_is_on_the_bill_is_not_told_again() {
    let (shop, mut till) = shop_with_bill().await;
    let now_ms = till.now_ms();
    let token = shop.cloud.admin().issue_coupons(&autumn(now_ms, 1)).await.unwrap().remove(0);
    let taken = CouponTaken {
        serial: crate::cloud::handed_out::serial(&shop.folder.path().join("cloud"), &token, now_ms),
        campaign: crate::cloud::handed_out::AUTUMN,
        name: "Autumn".to_owned(),
        name_zh: None,
        terms: CouponTerms::AmountOff(Money::new(500, Currency::CNY)),
        minimum: None,
        token: token.clone(),
    };
    let record = till.write_in(SALE, Body::CouponTaken { coupon: taken });
    till.send_well(&[record]).await;
    let page = shop.post("/d/table-4/coupon", &format!("token={token}"), None).await;
    assert_eq!(said(&page), "coupon_taken");
    let told = cloud_rows(&shop, "SELECT kind FROM notice WHERE kind = 'coupon_offered'");
    assert!(told.is_empty(), "{told:?}");
}

/// The till has lost its journal and begins another.
async fn begins_anew(till: &mut Till) {
    (till.epoch, till.tip) = (Epoch(77), Tip::START);
    let genesis = json!({
        "kind": "genesis", "parent": null, "currency": "CNY", "time_zone": "Asia/Shanghai", "day_cut_minutes": 0,
        "version": "0", "standing": "provisional",
    });
    let first = till.write_raw("genesis", &genesis.to_string());
    till.send_well(&[first]).await;
}

#[tokio::test]
async fn a_till_that_takes_cash_only_has_no_pay_button_until_its_books_are_adopted() {
    let (shop, mut till) = shop_with_bill().await;
    let token = shop.cloud.admin().issue_coupons(&autumn(till.now_ms(), 1)).await.unwrap().remove(0);
    let before = shop.page("/d/table-4", None).await;
    begins_anew(&mut till).await;
    for sale in [SALE, SaleId([5; 16])] {
        if sale != SALE {
            shop.pass_ms(1_000);
            let records = till.bill(sale, "table-4", 2600);
            till.send_well(&records).await;
        }
        let page = shop.page("/d/table-4", None).await;
        assert!(page.text.contains("Please pay at the counter"), "{}", page.text);
        assert!(!page.text.contains("name=\"version\"") && !page.text.contains("/coupon"), "{}", page.text);
    }
    let form = before.pay_form().replace(&SALE.to_string(), &SaleId([5; 16]).to_string());
    let refused = shop.post(PAY, &form, before.cookie.as_deref()).await;
    assert_eq!(said(&refused), "till_silent", "at once, and the till is not asked");
    let refused = shop.post("/d/table-4/coupon", &format!("token={token}"), None).await;
    assert_eq!(said(&refused), "till_silent");
    let told = cloud_rows(&shop, "SELECT kind FROM notice WHERE until_ms IS NOT NULL");
    assert!(told.is_empty(), "{told:?}");
    let adopted = till.write_raw("epoch_adopted", r#"{"kind":"epoch_adopted","words":"New disk."}"#);
    till.send_well(&[adopted]).await;
    let page = shop.page("/d/table-4", None).await;
    assert!(page.text.contains("name=\"version\""), "{}", page.text);
}
