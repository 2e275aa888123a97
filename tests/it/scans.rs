//! What a scanner may bring that is no good: each gets a sentence on the screen, and the sale stays as it was.
//!
//! Not here: what each code means, which is tried beside `scan`, `token` and `counter`.

use crate::counter::{BEANS, Counter, WATER, text};
use serde_json::Value;

/// Scans what is refused: the sale in front stays as it is, the journal too, and the screen says why.
async fn refused(counter: &Counter, scan: &[u8], code: &str, words: &str) {
    let (sale, records) = (counter.front().await, counter.books().kinds_of_sales());
    counter.shop.scanner.scan(scan).unwrap();
    let told = counter
        .until(words, async || {
            let told = counter.view().await["till"]["stations"]["front"]["told"].clone();
            told["words"].as_str()?.contains(words).then_some(told)
        })
        .await;
    assert_eq!(told["code"], code, "{told}");
    assert_eq!(counter.front().await, sale, "the sale after {words:?}");
    assert_eq!(counter.books().kinds_of_sales(), records, "the journal after {words:?}");
}

fn line(code: &str) -> Vec<u8> {
    format!("{code}\r").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scan_that_is_no_good_says_why_and_changes_nothing() {
    let counter = Counter::open().await;
    counter.basket(&[WATER]).await;
    let pay_code = counter.shop.pay_code().await.unwrap();
    refused(&counter, &line("4006381333931"), "unknown_item", "No item has the code").await;
    refused(&counter, &line("6901234000017"), "scan", "was not read right").await;
    refused(&counter, b"\xff\xfe\x80garbage\r", "scan", "not readable text").await;
    refused(&counter, b"69012\x0134000016\r", "scan", "control characters").await;
    refused(&counter, &line(&pay_code), "press_pay_first", "Press Pay first").await;
    refused(&counter, &line(&forged(&counter.shop.coupons[0])), "token", "This code cannot be taken").await;
    let noise = vec![b'7'; 9_000];
    counter.shop.scanner.scan(&noise).unwrap();
    counter.shop.scanner.scan(b"\r").unwrap();

    // The line still works, and the same pay code still pays: it was never sent.
    let sale = counter.basket(&[WATER]).await;
    counter.press("pay", &[]).await;
    counter.shop.scan(&pay_code).unwrap();
    counter.paid(&text(&sale["id"])).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.captures().len(), 1);
    closed.counts("receipts", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_spent_once() {
    let counter = Counter::open().await;
    let coupon = counter.shop.coupons[0].clone();
    let first = counter.basket(&[BEANS]).await;
    counter.shop.scan(&coupon).unwrap();
    counter
        .until("the coupon on the sale", async || {
            (counter.front().await["coupons"].as_array()?.len() == 1).then_some(())
        })
        .await;
    refused(&counter, &line(&coupon), "coupon", "on an open sale already").await;
    counter.press("cash", &[("received", "100.00")]).await;
    counter.paid(&text(&first["id"])).await;

    counter.basket(&[BEANS]).await;
    refused(&counter, &line(&coupon), "coupon", "was used here already").await;
    let second = counter.front().await;
    assert_eq!(second["coupons"], Value::from(Vec::<Value>::new()));
    counter.press("cash", &[("received", "100.00")]).await;
    counter.paid(&text(&second["id"])).await;
    let closed = counter.close().await;
    closed.counts("coupons", 1);
    closed.counts("receipts", 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pay_code_that_was_used_is_refused_at_the_next_sale() {
    let counter = Counter::open().await;
    let code = counter.shop.pay_code().await.unwrap();
    let first = counter.basket(&[WATER]).await;
    counter.press("pay", &[]).await;
    counter.shop.scan(&code).unwrap();
    counter.paid(&text(&first["id"])).await;

    let second = counter.basket(&[WATER]).await;
    counter.press("pay", &[]).await;
    refused(&counter, &line(&code), "code_used", "This code was used already").await;
    counter.press("cash", &[("received", "2.00")]).await;
    counter.paid(&text(&second["id"])).await;
    let closed = counter.close().await;
    assert_eq!(closed.books.captures().len(), 1);
}

/// The same coupon with one character of its signature changed.
fn forged(coupon: &str) -> String {
    let mut bytes = coupon.as_bytes().to_vec();
    let at = bytes.len() - 20;
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}
