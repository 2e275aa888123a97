//! The pages over real HTTP, before a real till.

mod books;
mod queue;
mod receipts;
mod shop;
mod shown;

use super::act;
use super::fields::Fields;
use crate::counter::event::{Act, Event, RawScan};
use crate::inbox::{PortState, StationDevices};
use crate::money::{Currency, Money};
use crate::record::body::TypeSize;
use crate::record::line::LineId;
use crate::view::StationView;
use shop::{CODE, NOW_MS, PIN, Shop};
use std::sync::atomic::Ordering;

const COMMAND: (&str, &str) = ("command", "0123456789abcdef");

#[tokio::test(flavor = "multi_thread")]
async fn the_first_manager_needs_the_code_and_then_signs_in() {
    let shop = Shop::open().await;
    let page = shop.get("/s/front", None).await;
    assert!(page.text.contains(r#"action="/s/front/first-manager""#), "{}", page.text);
    let form = |code| [("code", code), ("name", "店长"), ("new_pin", PIN), ("new_pin_again", PIN)];
    let wrong = shop.submit("/s/front/first-manager", None, &form("guess")).await;
    assert_eq!(wrong.status, 403);
    assert!(wrong.text.contains("not the one-time code"), "{}", wrong.text);
    let weak = [("code", CODE), ("name", "Mia"), ("new_pin", "1234"), ("new_pin_again", "1234")];
    let weak = shop.post("/s/front/first-manager", None, &weak).await;
    assert_eq!((weak.status, weak.json()["code"].as_str()), (422, Some("typed")));
    let made = shop.submit("/s/front/first-manager", None, &form(CODE)).await;
    assert_eq!((made.status, made.location.as_deref()), (303, Some("/s/front")));
    let page = shop.get("/s/front", None).await;
    assert!(page.text.contains("店长") && page.text.contains(r#"value="staff""#), "{}", page.text);
    let again = shop.post("/s/front/first-manager", None, &form(CODE)).await;
    assert_eq!((again.status, again.json()["code"].as_str()), (409, Some("not_the_first")));
    let signed = shop.submit("/s/front/sign-in", None, &[("staff", "staff"), ("pin", PIN)]).await;
    assert_eq!(signed.status, 303);
    let page = shop.get("/s/front", signed.cookie.as_deref()).await;
    assert!(page.text.contains("Latte"), "{}", page.text);
    let cookie = signed.cookie.as_deref();
    let person = [("name", "Tom"), ("role", "cashier"), ("new_pin", "5028"), ("new_pin_again", "5028")];
    assert_eq!(shop.post("/s/front/act/add-staff", cookie, &person).await.status, 200);
    assert_eq!(shop.post("/s/bar/sign-in", None, &[("staff", "tom"), ("pin", "5028")]).await.status, 200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_lock_a_person_out_until_a_time_that_is_said() {
    let (shop, _) = Shop::with_people().await;
    let wrong = [("staff", "tom"), ("pin", "9999")];
    for _ in 0..4 {
        let answer = shop.post("/s/bar/sign-in", None, &wrong).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("wrong_pin")));
    }
    let locked = shop.post("/s/bar/sign-in", None, &wrong).await;
    assert_eq!(locked.status, 423);
    assert!(locked.text.contains("Locked until 12:56:00"), "{}", locked.text);
    let right = [("staff", "tom"), ("pin", PIN)];
    assert_eq!(shop.post("/s/bar/sign-in", None, &right).await.status, 423);
    let mia = [("staff", "mia"), ("pin", PIN)];
    assert_eq!(shop.post("/s/bar/sign-in", None, &mia).await.status, 200);
    let nobody = shop.post("/s/bar/sign-in", None, &[("staff", "nobody"), ("pin", "9999")]).await;
    assert_eq!(nobody.json()["code"], "wrong_pin");
    shop.now_ms.store(NOW_MS + 5 * 60_000, Ordering::SeqCst);
    assert_eq!(shop.post("/s/bar/sign-in", None, &right).await.status, 200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_out_ends_though_the_clock_fell_back() {
    let (shop, _) = Shop::with_people().await;
    for _ in 0..5 {
        shop.post("/s/bar/sign-in", None, &[("staff", "tom"), ("pin", "9999")]).await;
    }
    let right = [("staff", "tom"), ("pin", PIN)];
    // The power was cut and the clock has no battery.
    shop.now_ms.store(1_000, Ordering::SeqCst);
    assert_eq!(shop.post("/s/bar/sign-in", None, &right).await.status, 423);
    // The longest lock-out is four hours, counted from when it was noticed.
    shop.now_ms.store(1_000 + 4 * 60 * 60_000 - 1, Ordering::SeqCst);
    assert_eq!(shop.post("/s/bar/sign-in", None, &right).await.status, 423);
    shop.now_ms.store(1_000 + 4 * 60 * 60_000, Ordering::SeqCst);
    assert_eq!(shop.post("/s/bar/sign-in", None, &right).await.status, 200);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_rung_up_and_paid_without_any_script() {
    let (shop, tom) = Shop::with_people().await;
    let tom = Some(tom.as_str());
    let front = shop.get("/s/front", tom).await.text;
    for act in ["press-key", "type-code", "open-shift", "no-sale"] {
        assert!(front.contains(&format!("/s/front/act/{act}\"")), "{act}: {front}");
    }
    assert!(!front.contains("style=") && !front.contains("onclick") && !front.contains("<script>"));
    let latte =
        [("sku", "latte"), ("modifier", "oat"), ("modifier", "shot"), ("quantity", "2"), ("menu", "1")];
    let pressed = shop.submit("/s/front/act/press-key", tom, &latte).await;
    assert_eq!((pressed.status, pressed.location.as_deref()), (303, Some("/s/front?menu=1")));
    let page = shop.get("/s/front?menu=1", tom).await.text;
    assert!(
        page.contains("¥70.00") && page.contains("Spend 50 save 5") && page.contains("Croissant"),
        "{page}"
    );
    let display = shop.get("/display/front", None).await.text;
    assert!(display.contains(r#"<p class="amount">¥65.00</p>"#), "{display}");

    let seen = seen(&page);
    let pay = shop.submit("/s/front/act/pay", tom, &[("seen", &seen)]).await;
    assert_eq!(pay.status, 303, "{}", pay.text);
    let page = shop.get("/s/front", tom).await.text;
    assert!(page.contains("Scan the customer") && page.contains(r#"value="100.00""#), "{page}");
    let short = shop.submit("/s/front/act/cash", tom, &[("received", "60")]).await;
    assert_eq!(short.status, 422);
    assert!(short.text.contains("CNY 5.00 are missing."), "{}", short.text);
    let cash = shop.submit("/s/front/act/cash", tom, &[("received", "100")]).await;
    assert_eq!(cash.status, 303, "{}", cash.text);
    let page = shop.get("/s/front", tom).await.text;
    assert!(page.contains("PAID") && page.contains("<b>¥35.00</b>") && page.contains("Receipt 1"), "{page}");
    let display = shop.get("/display/front?lang=zh", None).await;
    assert!(display.text.contains("已付款") && display.text.contains("找零"), "{}", display.text);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_pressed_twice_is_one_press() {
    let (shop, tom) = Shop::with_people().await;
    let press = [COMMAND, ("sku", "latte")];
    let first = shop.post("/s/front/act/press-key", Some(&tom), &press).await;
    let second = shop.post("/s/front/act/press-key", Some(&tom), &press).await;
    assert_eq!((first.status, first.json()), (200, second.json()));
    let other = shop.post("/s/front/act/press-key", Some(&tom), &[COMMAND, ("sku", "mocha")]).await;
    assert_eq!(other.status, 200);
    let lines = shop.here(&tom).await["sale"]["lines"].as_array().unwrap().len();
    assert_eq!(lines, 2);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_on_what_was_not_on_the_screen_is_refused() {
    let (shop, tom) = Shop::with_people().await;
    shop.post("/s/front/act/press-key", Some(&tom), &[("sku", "latte")]).await;
    let old = seen(&shop.get("/s/front", Some(&tom)).await.text);
    let line = [("line", "1"), ("quantity", "3"), ("seen", &*old)];
    assert_eq!(shop.post("/s/front/act/set-quantity", Some(&tom), &line).await.status, 200);
    let moved = shop.post("/s/front/act/void-line", Some(&tom), &[("line", "1"), ("seen", &*old)]).await;
    assert_eq!((moved.status, moved.json()["code"].as_str()), (409, Some("sale_moved")));
    assert_eq!(shop.here(&tom).await["sale"]["lines"][0]["quantity"], "3");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_changed_only_with_a_managers_pin() {
    let (shop, tom) = Shop::with_people().await;
    shop.post("/s/front/act/press-key", Some(&tom), &[("sku", "latte")]).await;
    let form = |approver, pin| {
        [("line", "1"), ("price", "10"), ("reason", "spilt"), ("approver", approver), ("approver_pin", pin)]
    };
    let path = "/s/front/act/override-price";
    for (approver, pin, status, code) in [
        ("mia", "", 403, "needs_manager"),
        ("mia", "9999", 403, "wrong_pin"),
        ("tom", PIN, 403, "needs_manager"),
    ] {
        let answer = shop.post(path, Some(&tom), &form(approver, pin)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)));
    }
    assert_eq!(shop.post(path, Some(&tom), &form("mia", PIN)).await.status, 200);
    assert_eq!(shop.here(&tom).await["sale"]["total"]["minor"], 1000);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_and_other_names_are_refused() {
    let (shop, tom) = Shop::with_people().await;
    let post = || shop.client.post(shop.url("/s/front/act/press-key?sku=latte")).header("cookie", &tom);
    let own = shop.url("");
    for (name, value, status) in [
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("host", "evil.example", 421),
        ("origin", &own, 303),
        ("sec-fetch-site", "same-origin", 303),
        ("host", "till.shop.example", 303),
        ("host", "localhost:8080", 303),
    ] {
        let answer = shop.send(post().header(name, value), None).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        assert!(answer.policy.ends_with("frame-ancestors 'self' http://127.0.0.1:9"), "{}", answer.policy);
    }
    assert_eq!(shop.here(&tom).await["sale"]["lines"].as_array().unwrap().len(), 4);
    let stranger = shop.post("/s/front/act/press-key", None, &[("sku", "latte")]).await;
    assert_eq!(stranger.status, 401);
    let huge = "x".repeat(20_000);
    let huge = shop.post("/s/front/act/type-code", Some(&tom), &[("code", &huge)]).await;
    assert_eq!(huge.status, 422);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_elsewhere_takes_the_station_over() {
    let (shop, tom) = Shop::with_people().await;
    assert!(shop.get("/s/front", Some(&tom)).await.text.contains("Latte"));
    let mia = shop.sign_in("front", "mia").await;
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains("Mia is signed in here") && !page.contains("Latte"), "{page}");
    assert_eq!(shop.post("/s/front/sign-out", Some(&mia), &[]).await.status, 200);
    assert_eq!(shop.post("/s/front/act/hold", Some(&mia), &[]).await.status, 401);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_are_told_when_something_changes() {
    let (shop, tom) = Shop::with_people().await;
    let request = shop.client.get(shop.url("/live?station=front"));
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("event: view\ndata: {\"seq\":"), "{first}");
    let scan = RawScan { data: b"6901234567892".to_vec(), aim: None, repeat_of_ms: None };
    let reply = shop.inbox.ask(Event::Scanned { station: "front".parse().unwrap(), scan }).await.unwrap();
    let wanted = format!("{{\"seq\":{}}}", reply.seq);
    let mut heard = String::new();
    for _ in 0..10 {
        heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
        if heard.contains(&wanted) {
            break;
        }
    }
    assert!(heard.contains(&wanted), "{heard}");
    assert!(shop.get("/s/front", Some(&tom)).await.text.contains("Croissant"));
    assert_eq!(shop.get("/live?station=nowhere", None).await.status, 404);
    shop.close().await;
    while let Ok(Some(_)) = stream.chunk().await {}
}

#[tokio::test(flavor = "multi_thread")]
async fn troubles_of_devices_are_said_in_words() {
    let (shop, tom) = Shop::with_people().await;
    let printer = PortState::Asks("The paper is out. Put in a new roll.".to_owned());
    let scanner = PortState::Gone("The cable is out.".to_owned());
    let front = "front".parse().unwrap();
    shop.board.devices.send_modify(|all| {
        drop(all.insert(front, StationDevices { scanner, printer, ..StationDevices::default() }))
    });
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(
        page.contains("Scanner: The cable is out.") && page.contains("Printer: The paper is out."),
        "{page}"
    );
    assert!(page.contains("Scanner gone"), "{page}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_stands_still_in_the_printer_can_be_given_up_and_no_other() {
    let (shop, tom) = Shop::with_people().await;
    let address = "/s/front/act/give-up-paper";
    let show = |printer| {
        let front = "front".parse().unwrap();
        shop.board.devices.send_modify(|all| {
            drop(all.insert(front, StationDevices { printer, ..StationDevices::default() }))
        });
    };
    show(PortState::Asks("The cover is open: close it.".to_owned()));
    assert!(!shop.get("/s/front", Some(&tom)).await.text.contains(address));
    assert_eq!(shop.post(address, Some(&tom), &[]).await.status, 409);
    show(PortState::Held(
        "The paper has run out: put in a new roll. The receipt goes on by itself.".to_owned(),
    ));
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains(address) && page.contains("Give up this receipt"), "{page}");
    assert_eq!(shop.post(address, None, &[]).await.status, 401);
    assert_eq!(shop.board.paper_given_up.borrow().len(), 0, "nobody was signed in");
    assert_eq!(shop.post(address, Some(&tom), &[]).await.status, 200);
    assert_eq!(shop.board.paper_given_up.borrow().values().copied().collect::<Vec<_>>(), [1]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jam_that_a_person_has_cleared_can_be_said_so_in_both_languages_and_no_other() {
    let (shop, tom) = Shop::with_people().await;
    let address = "/s/front/act/jam-cleared";
    let show = |printer| {
        let front = "front".parse().unwrap();
        shop.board.devices.send_modify(|all| {
            drop(all.insert(front, StationDevices { printer, ..StationDevices::default() }))
        });
    };
    show(PortState::Held("The paper has run out: put in a new roll.".to_owned()));
    assert!(!shop.get("/s/front", Some(&tom)).await.text.contains(address));
    assert_eq!(shop.post(address, Some(&tom), &[]).await.status, 409);
    let jammed =
        "The knife is jammed: open the cover, free the paper, close it, then press \"Cleared, go on\".";
    show(PortState::Jammed(jammed.to_owned()));
    let page = shop.get("/s/front", Some(&tom)).await.text;
    assert!(page.contains(address) && page.contains("Cleared, go on</button>"), "{page}");
    assert!(page.contains("The knife is jammed"), "{page}");
    assert_eq!(shop.post(address, None, &[]).await.status, 401);
    assert_eq!(shop.board.jam_cleared.borrow().len(), 0, "nobody was signed in");
    assert_eq!(shop.post(address, Some(&tom), &[]).await.status, 200);
    assert_eq!(shop.board.jam_cleared.borrow().values().copied().collect::<Vec<_>>(), [1]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_a_page_names_is_there_for_good() {
    let (shop, tom) = Shop::with_people().await;
    let page = shop.get("/s/front", Some(&tom)).await.text;
    let names: Vec<&str> = page.split('"').filter(|piece| piece.starts_with("/assets/")).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        let answer = shop.client.get(shop.url(name)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(shop.get("/assets/till.css", None).await.status, 404);
    assert_eq!(shop.get("/s/nowhere", None).await.status, 404);
    shop.close().await;
}

#[test]
fn every_acts_fields_become_that_act() {
    let id = "00112233445566778899aabbccddeeff";
    let money = |minor| Money::new(minor, Currency::CNY);
    let key = Act::PressKey {
        sku: "latte".to_owned(),
        modifiers: vec!["oat".to_owned(), "shot".to_owned()],
        price: Some(money(1250)),
        quantity: 2,
    };
    let reason = || "spilt".to_owned();
    let settled = Act::Settle { job: id.parse().unwrap(), words: "A person looked at it.".to_owned() };
    let type_proof = Act::TypeProof { intent: id.parse().unwrap(), digits: "1234 5678".to_owned() };
    let override_price = Act::OverridePrice { line: LineId(3), price: money(900), reason: reason() };
    for (name, form, act) in [
        ("press-key", "sku=latte&modifier=oat&modifier=shot&price=12.50&quantity=2", key),
        ("type-code", "code=6901234567892", Act::TypeCode("6901234567892".to_owned())),
        ("set-quantity", "line=3&quantity=7", Act::SetQuantity { line: LineId(3), value: 7 }),
        ("void-line", "line=3", Act::VoidLine { line: LineId(3), reason: None }),
        ("void-line", "line=3&reason=spilt", Act::VoidLine { line: LineId(3), reason: Some(reason()) }),
        ("override-price", "line=3&price=9&reason=spilt", override_price),
        ("return-coupon", "serial=s1", Act::ReturnCoupon { serial: "s1".to_owned() }),
        ("pay", "", Act::Pay),
        ("back", "", Act::Back),
        ("hold", "", Act::Hold),
        ("cash", "received=100", Act::Cash { received: money(10_000) }),
        ("type-proof", "intent=ID&digits=1234 5678", type_proof),
        ("cancel-payment", "intent=ID", Act::CancelPayment { intent: id.parse().unwrap() }),
        ("recall", "sale=ID", Act::Recall { sale: id.parse().unwrap() }),
        ("put-on-desk", "desk=desk-1", Act::PutOnDesk { desk: "desk-1".parse().unwrap() }),
        ("take-desk", "desk=desk-1", Act::TakeDesk { desk: "desk-1".parse().unwrap() }),
        ("void-sale", "reason=spilt", Act::VoidSale { reason: reason() }),
        ("no-sale", "reason=spilt", Act::NoSale { reason: reason() }),
        ("reprint", "sale=ID", Act::Reprint { sale: id.parse().unwrap(), size: TypeSize::Normal }),
        ("reprint", "sale=ID&size=large", Act::Reprint { sale: id.parse().unwrap(), size: TypeSize::Large }),
        ("type-size", "size=large", Act::ChooseTypeSize { size: TypeSize::Large }),
        ("settle", "job=ID&words=looked", settled),
        ("open-shift", "float=200", Act::OpenShift { float: money(20_000) }),
        ("close-shift", "counted=312.5", Act::CloseShift { counted: money(31_250) }),
    ] {
        let form = form.replace("ID", id);
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        let fields = Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        let here = StationView { staff: None, sale: None, paid: None, told: None, shown: None };
        assert_eq!(act::read(name, &fields, Currency::CNY, &here).unwrap(), act, "{name}");
        if !form.is_empty() && !form.contains("reason=spilt") {
            let empty = Fields::default();
            assert!(act::read(name, &empty, Currency::CNY, &here).is_err(), "{name} needs its fields");
        }
    }
    let here = StationView { staff: None, sale: None, paid: None, told: None, shown: None };
    assert!(act::read("fly", &Fields::default(), Currency::CNY, &here).is_err());
}

/// The sale and version that a page shows.
fn seen(page: &str) -> String {
    let at = page.find(r#"name="seen" value=""#).unwrap();
    page[at..].split('"').nth(3).unwrap().to_owned()
}
