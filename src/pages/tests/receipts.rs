//! Receipts on screens: looked at, scanned, and found by what stands on them.

use super::shop::Shop;
use crate::counter::event::{Event, RawScan};
use crate::keys::DeviceKey;
use crate::token::{Token, parse};

/// A croissant paid in cash: the till, a cashier's cookie, the receipt's number and code.
async fn sold() -> (Shop, String, String, String) {
    let (shop, tom) = Shop::with_people().await;
    scan(&shop, "6901234567892").await;
    let due = shop.here(&tom).await["sale"]["total"]["minor"].as_i64().unwrap();
    let cash = format!("{}.{:02}", due / 100, due % 100);
    let paid = shop.post("/s/front/act/cash", Some(&tom), &[("received", &cash)]).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let text = shop.get("/s/front/receipt/1.txt", Some(&tom)).await;
    assert_eq!(text.status, 200, "{}", text.text);
    // The code may stand on several lines of a text.
    let at = text.text.find("R1.").unwrap();
    let code = text.text[at..].chars().filter(|character| !character.is_whitespace()).take(151).collect();
    let number = text.text.split_whitespace().find(|word| word.ends_with("-000001")).unwrap().to_owned();
    (shop, tom, number, code)
}

async fn scan(shop: &Shop, text: &str) {
    let scan = RawScan { data: text.as_bytes().to_vec(), aim: None, repeat_of_ms: None };
    let _answer = shop.inbox.ask(Event::Scanned { station: "front".parse().unwrap(), scan }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_receipt_opens_its_return_until_something_else_happens() {
    let (shop, tom, number, code) = sold().await;
    let link = format!("/s/front/give-back?receipt={number}");
    for shown in [code.clone(), format!("N1.{}", number.to_uppercase())] {
        scan(&shop, &shown).await;
        let here = shop.here(&tom).await;
        assert_eq!(here["shown"]["number"], *number, "{here}");
        assert!(here["told"].is_null());
        assert!(shop.get("/s/front", Some(&tom)).await.text.contains(&link));
        let page = shop.get(&format!("/s/front/give-back?receipt={shown}"), Some(&tom)).await.text;
        assert!(page.contains("Left to give back") && page.contains("act/give-back"), "{page}");
    }
    scan(&shop, "6901234567892").await;
    assert!(shop.here(&tom).await["shown"].is_null(), "the next customer's goods");
    // A keyboard that types what it scans.
    let typed = shop.post("/s/front/act/type-code", Some(&tom), &[("code", &code)]).await;
    assert_eq!(typed.status, 200, "{}", typed.text);
    assert_eq!(shop.here(&tom).await["shown"]["number"], *number);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_not_ours_is_told_in_the_screens_language() {
    let (shop, tom, _, code) = sold().await;
    let Ok(Token::Receipt(ours)) = parse(&code) else { panic!("{code}") };
    let device = DeviceKey::from_seed(&[9; 32]).unwrap();
    let facts = ours.verify_with(&device.public()).unwrap().into_inner();
    let forged = DeviceKey::from_seed(&[1; 32]).unwrap().draw(&facts).unwrap();
    scan(&shop, &forged).await;
    let here = shop.here(&tom).await;
    assert!(here["shown"].is_null());
    assert_eq!(here["told"]["code"], "receipt", "{here}");
    let page = shop.get("/s/front?lang=zh", Some(&tom)).await.text;
    assert!(page.contains("此小票上的码不是本机所签"), "{page}");
    for (typed, words) in [
        (forged.as_str(), "was not made by this till"),
        (&code[..100], "was not read whole"),
        ("N1.0000-000009", "have no such receipt"),
        ("4711", "This till has no receipt 4711"),
    ] {
        let page = shop.get(&format!("/s/front/give-back?lang=en&receipt={typed}"), Some(&tom)).await.text;
        assert!(page.contains(words), "{typed}: {page}");
        assert!(!page.contains("Left to give back"));
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_looked_at_as_its_paper_looks() {
    let (shop, tom, number, code) = sold().await;
    let page = shop.get(&format!("/s/front/receipt/{number}"), Some(&tom)).await;
    assert_eq!(page.status, 200);
    for part in ["Croissant", &number, ".png", ".txt", "act/reprint", "give-back?receipt="] {
        assert!(page.text.contains(part), "no {part} in {}", page.text);
    }
    let png = shop.get(&format!("/s/front/receipt/{number}.png"), Some(&tom)).await;
    assert!(png.status == 200 && png.text.starts_with("\u{fffd}PNG"));
    let large = shop.get(&format!("/s/front/receipt/{number}.png?size=large"), Some(&tom)).await;
    assert!(large.text.len() != png.text.len(), "as large as it is asked for");
    let text = shop.get(&format!("/s/front/receipt/{number}.txt"), Some(&tom)).await.text;
    assert_eq!(text, shop.get("/s/front/receipt/1.txt", Some(&tom)).await.text);
    assert_eq!(text, shop.get(&format!("/s/front/receipt/{code}.txt"), Some(&tom)).await.text);
    assert!(text.contains(&number) && !text.contains("COPY"), "{text}");

    let path = format!("/s/front/receipt/{number}");
    assert_eq!(shop.get(&path, None).await.status, 401, "a receipt is nobody else's business");
    let office = [("staff", "mia"), ("pin", super::PIN)];
    let mia = shop.post("/queue/sign-in", None, &office).await.cookie.unwrap();
    let page = shop.get(&path, Some(&mia)).await;
    assert!(page.status == 200 && !page.text.contains("act/reprint\""), "a manager looks, a station prints");
    assert!(shop.get("/queue", Some(&mia)).await.text.contains(&path));
    assert_eq!(shop.get("/s/front/receipt/2", Some(&tom)).await.status, 404);
    assert_eq!(shop.get("/s/nowhere/receipt/1", Some(&tom)).await.status, 404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_type_is_a_press_on_the_sale_and_a_reprint() {
    let (shop, tom, ..) = sold().await;
    scan(&shop, "6901234567892").await;
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains("value=\"large\" aria-pressed=\"false\""), "{page}");
    assert_eq!(shop.post("/s/front/act/type-size", Some(&tom), &[("size", "huge")]).await.status, 422);
    assert_eq!(shop.post("/s/front/act/type-size", Some(&tom), &[("size", "large")]).await.status, 200);
    assert_eq!(shop.here(&tom).await["sale"]["size"], "large");
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains("value=\"normal\" aria-pressed=\"true\""), "{page}");
    shop.close().await;
}
