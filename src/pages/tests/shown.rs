//! A code that the customer scans, on the cashier's page and on the customer's.

use super::COMMAND;
use super::shop::Shop;
use crate::counter::event::{Event, ProviderReport};
use crate::record::ids::IntentId;

/// Rings up a latte and presses Pay.
async fn to_pay(shop: &Shop, tom: &str) {
    for (act, fields) in [("press-key", vec![("sku", "latte")]), ("pay", vec![])] {
        let answer = shop.post(&format!("/s/front/act/{act}"), Some(tom), &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

fn intent(shop: &Shop) -> IntentId {
    let view = shop.board.view.borrow();
    view.stations[&"front".parse().unwrap()].sale.as_ref().unwrap().payments.last().unwrap().intent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_stands_on_both_screens_with_a_clock_and_one_thing_to_do() {
    let (shop, tom) = Shop::with_people().await;
    to_pay(&shop, &tom).await;
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains("Show a code of Alipay") && !page.contains("stored value"), "{page}");
    let answer = shop.submit("/s/front/act/show-code", Some(&tom), &[COMMAND, ("at", "alipay")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let making = shop.get("/s/front", Some(&tom)).await.text;
    assert!(making.contains("The code is being made ready.") && !making.contains("<svg"), "{making}");

    let shown = ProviderReport::Shown("https://qr.example/bax1".to_owned());
    shop.inbox.ask(Event::Provider(intent(&shop), shown)).await.unwrap();
    let page = shop.get("/s/front", Some(&tom)).await.text;
    for part in [
        "<svg class=\"qr\"",
        "data-until=",
        "Take the code back",
        "Print the code",
        "Have the customer scan it",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("act/cash"), "no other money meanwhile");
    let display = shop.get("/display/front", None).await.text;
    for part in ["<svg class=\"qr\"", "data-until=", "Scan to pay", "with Alipay"] {
        assert!(display.contains(part), "{part} in {display}");
    }
    let chinese = shop.get("/s/front?lang=zh", Some(&tom)).await.text;
    assert!(chinese.contains("收款码已显示，请顾客扫码。") && chinese.contains("收回收款码"), "{chinese}");

    let id = intent(&shop).to_string();
    let back = shop.submit("/s/front/act/cancel-payment", Some(&tom), &[COMMAND, ("intent", &id)]).await;
    assert!(back.status == 303 || back.status == 409, "{}", back.text);
    let press = [("command", "fedcba9876543210"), ("intent", id.as_str())];
    shop.submit("/s/front/act/cancel-payment", Some(&tom), &press).await;
    assert!(!shop.get("/s/front", Some(&tom)).await.text.contains("<svg class=\"qr\""));
    assert!(!shop.get("/display/front", None).await.text.contains("<svg"));
    shop.close().await;
}
