//! A precreated code from the till's side and from the phone's.

use serde_json::json;

use super::client::{Shop, encode};

async fn precreate(shop: &Shop, subject: &str) -> String {
    let content = json!({ "out_trade_no": "Q", "subject": subject, "total_amount": "12.30" });
    let answer = shop.ask("precreate", content).await;
    assert_eq!(answer.outcome(), "10000");
    answer.text("qr_code").to_owned()
}

async fn page(shop: &Shop, url: &str) -> String {
    shop.http.get(url).send().await.unwrap().text().await.unwrap()
}

async fn confirm(shop: &Shop, url: &str) -> String {
    shop.http.post(format!("{url}/confirm")).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_phone_opens_the_code_and_confirms_once() {
    let shop = Shop::open().await;
    let url = precreate(&shop, "Latte").await;
    assert_eq!(precreate(&shop, "Latte").await, url);
    assert_eq!(shop.status("Q").await, "ACQ.TRADE_NOT_EXIST");
    let html = page(&shop, &url).await;
    assert!(html.contains("Latte") && html.contains("¥12.30") && html.contains("确认付款"), "{html}");
    assert_eq!(shop.status("Q").await, "WAIT_BUYER_PAY");
    for _ in 0..3 {
        assert!(confirm(&shop, &url).await.contains("支付成功"));
    }
    assert_eq!(shop.status("Q").await, "TRADE_SUCCESS");
    assert_eq!(shop.captures(), 1);
}

#[tokio::test]
async fn a_cancelled_or_expired_code_takes_nothing_and_says_so() {
    let shop = Shop::open().await;
    let url = precreate(&shop, "Latte").await;
    shop.ask("cancel", json!({ "out_trade_no": "Q" })).await;
    assert!(confirm(&shop, &url).await.contains("nothing was taken"));

    let content =
        json!({ "out_trade_no": "P", "subject": "s", "total_amount": "1.00", "timeout_express": "5m" });
    let url = shop.ask("precreate", content).await.text("qr_code").to_owned();
    shop.pass(5 * 60_000 - 1);
    assert!(page(&shop, &url).await.contains("确认付款"));
    shop.pass(1);
    assert!(confirm(&shop, &url).await.contains("nothing was taken"));
    assert_eq!(shop.status("P").await, "TRADE_CLOSED");
    assert_eq!(shop.captures(), 0);
}

#[tokio::test]
async fn the_way_back_is_a_link_only_if_it_is_a_web_address() {
    let shop = Shop::open().await;
    let url = precreate(&shop, "Latte").await;
    let back = encode("https://shop.example/bill?a=1&b=\"2\"");
    let html = page(&shop, &format!("{url}?return={back}")).await;
    assert!(html.contains("/confirm?return=https%3A%2F%2Fshop.example"), "{html}");
    confirm(&shop, &url).await;
    let html = page(&shop, &format!("{url}?return={back}")).await;
    assert!(html.contains("href=\"https://shop.example/bill?a=1&amp;b=&quot;2&quot;\""), "{html}");
    let html = page(&shop, &format!("{url}?return=javascript:alert(1)")).await;
    assert!(!html.contains("javascript") && html.contains("支付成功"), "{html}");
}

#[tokio::test]
async fn a_subject_is_text_and_an_unknown_code_is_told() {
    let shop = Shop::open().await;
    let html = page(&shop, &precreate(&shop, "<script>x</script>").await).await;
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
    let unknown = shop.http.get(shop.url("/qr/abc")).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
}
