//! The code on a real receipt: read back from the paper, it opens the return, and money goes back by it.

use crate::counter::{Counter, WATER, text};

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_on_the_paper_opens_the_return_and_is_the_same_on_a_copy() {
    let counter = Counter::open().await;
    let sale = counter.basket(&[WATER]).await;
    counter.press("pay", &[]).await;
    counter.press("cash", &[("received", "100")]).await;
    let sale = text(&sale["id"]);
    counter.paper_of(&sale).await;
    let code = counter
        .until("a code on paper", async || counter.shop.paper().qr_payloads().into_iter().next())
        .await;
    assert!(code.starts_with(b"R1.") && code.len() == 151, "{}", String::from_utf8_lossy(&code));

    counter.shop.scanner.scan(&[&code[..], b"\r"].concat()).unwrap();
    let shown = counter
        .until("the receipt on the screen", async || {
            let shown = counter.view().await["till"]["stations"]["front"]["shown"].clone();
            shown.is_object().then_some(shown)
        })
        .await;
    assert_eq!(shown["sale"], *sale);

    counter.press("reprint", &[("sale", &sale), ("size", "large")]).await;
    let codes = counter
        .until("the copy", async || {
            let codes = counter.shop.paper().qr_payloads();
            (codes.len() == 2).then_some(codes)
        })
        .await;
    assert_eq!(codes[0], codes[1]);
    let back = [("sale", &*sale), ("returns_seen", "0"), ("of", "whole"), ("reason", "flat")];
    counter.press("give-back", &back).await;
    let codes = counter
        .until("the paper of the return", async || {
            let codes = counter.shop.paper().qr_payloads();
            (codes.len() == 3).then_some(codes)
        })
        .await;
    assert_ne!(codes[2], codes[0], "a receipt of its own");
    let printed = counter.shop.paper().to_text(512);
    assert!(printed.contains("Of receipt"), "{printed}");
    let closed = counter.close().await;
    closed.counts("receipts", 2);
}
