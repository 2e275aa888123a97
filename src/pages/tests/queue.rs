//! The manager's pages over real HTTP, before a real till.

use super::shop::{NOW_MS, PIN, Shop};
use crate::counter::event::Event;
use crate::inbox::LinkState;
use crate::record::money_moves::{Ruling, Verdict};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const COMMAND: (&str, &str) = ("command", "0123456789abcdef");

/// A sale of one latte for cash; the number of its receipt's record.
async fn sell(shop: &Shop, tom: &str) -> u64 {
    for (path, form) in [
        ("/s/front/act/press-key", vec![("sku", "latte")]),
        ("/s/front/act/pay", vec![]),
        ("/s/front/act/cash", vec![("received", "28")]),
    ] {
        assert_eq!(shop.post(path, Some(tom), &form).await.status, 200);
    }
    // Its paper and its drawer are ordered after it.
    let mia = sign_in(shop).await;
    let newest = shop.get("/queue.json?kind=sale&limit=1", Some(&mia)).await.json();
    newest["items"][0]["seq"].as_u64().unwrap()
}

async fn sign_in(shop: &Shop) -> String {
    shop.post("/queue/sign-in", None, &[("staff", "mia"), ("pin", PIN)]).await.cookie.unwrap()
}

async fn act(shop: &Shop, mia: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![("staff", "mia"), ("pin", PIN)];
    form.extend(fields);
    let answer = shop.post("/queue/act", Some(mia), &form).await;
    (answer.status, answer.json())
}

async fn refuse(shop: &Shop, number: u64, seq: u64, code: &str) {
    let epoch = shop.board.view.borrow().epoch;
    let words = "Coupon already used at till-3, 10:42 on 2026-11-22.".to_owned();
    let (ruling, code) = (Ruling::Refused, code.to_owned());
    let verdict = Verdict { number, epoch, seq, sale: None, ruling, code, words };
    shop.inbox.ask(Event::Ruled(verdict)).await.unwrap();
    let last = shop.board.view.borrow().tip.seq;
    shop.board.link.send_modify(|link| {
        link.state = LinkState::Online;
        link.received = last;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_sees_what_head_office_has_not_received() {
    let (shop, tom) = Shop::with_people().await;
    let page = shop.get("/queue", Some(&tom)).await.text;
    assert!(page.contains(r#"action="/queue/sign-in""#) && !page.contains(r#"value="tom""#), "{page}");
    let cashier = shop.post("/queue/sign-in", None, &[("staff", "tom"), ("pin", PIN)]).await;
    assert_eq!(cashier.status, 403);
    let mia = sign_in(&shop).await;
    sell(&shop, &tom).await;
    shop.board.link.send_modify(|link| {
        link.state = LinkState::Offline;
        link.since_ms = NOW_MS - 60_000;
        link.received = 3;
        link.next_try_ms = Some(NOW_MS + 12_000);
        link.cloud_offset_ms = Some(-90_000);
        link.trouble = Some("Head office does not answer.".to_owned());
    });
    let page = shop.get("/queue", Some(&mia)).await.text;
    let last = shop.board.view.borrow().tip.seq;
    for words in [
        "Offline since 12:50:00",
        ">0:12</time>",
        "this till's clock is 1 min ahead of head office",
        ">Sale</a>",
        "¥28.00",
        "not sent yet",
        "Head office does not answer.",
        &format!("3 of {last} received"),
        "data-over=\"trying now\"",
        "oldest waits <time class=\"clock\" data-since=",
        "<rect class=\"recorded\"",
    ] {
        assert!(page.replace("&#39;", "'").contains(words), "{words}: {page}");
    }
    assert!(!page.contains("style=") && !page.contains("onclick"));
    shop.board.link.send_modify(|link| link.next_try_ms = Some(NOW_MS));
    let page = shop.get("/queue", Some(&mia)).await.text;
    assert!(page.contains("<span>trying now</span>") && !page.contains("next attempt in"), "{page}");
    shop.board.link.send_modify(|link| {
        link.trouble = Some("The cloud asks to wait: HTTP status 503".to_owned());
    });
    let chinese = shop.get("/queue?lang=zh", Some(&mia)).await.text;
    assert!(chinese.contains("总部要求稍后再传") && !chinese.contains("503"), "{chinese}");
    let json = shop.get("/queue.json", Some(&mia)).await.json();
    assert_eq!((&json["waiting"]["count"], &json["recorded"]), (&json!(last - 3), &json!(last)));
    assert_eq!(json["waiting"]["value"], json!([{"minor": 2800, "currency": "CNY"}]));
    assert_eq!(json["items"][0]["words"], "not sent yet");
    assert_eq!(json["items"][0]["state"], "recorded");
    assert_eq!(shop.get("/queue.json", Some(&tom)).await.status, 401);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_needs_a_managers_pin_and_a_reason_and_is_done_once() {
    let (shop, tom) = Shop::with_people().await;
    let seq = sell(&shop, &tom).await.to_string();
    let mia = sign_in(&shop).await;
    let hold = [("act", "hold"), ("seq", &*seq), ("words", "the customer comes back")];
    let form = |staff, pin| [vec![("staff", staff), ("pin", pin)], hold.to_vec()].concat();
    assert_eq!(shop.post("/queue/act", Some(&mia), &hold).await.json()["code"], "typed");
    assert_eq!(shop.post("/queue/act", Some(&mia), &form("mia", "9999")).await.status, 403);
    assert_eq!(shop.post("/queue/act", Some(&tom), &form("tom", PIN)).await.json()["code"], "needs_manager");
    let (status, said) = act(&shop, &mia, &[("act", "hold"), ("seq", &seq)]).await;
    assert_eq!((status, &said["words"]), (409, &json!("Say why: a few words are enough.")));
    let (status, said) = act(&shop, &mia, &[("act", "hold"), ("seq", "999"), ("words", "x")]).await;
    assert_eq!((status, &said["code"]), (409, &json!("queue")));
    assert_eq!(act(&shop, &mia, &[("act", "delete"), ("seq", &seq)]).await.0, 422);

    let before = shop.board.view.borrow().tip.seq;
    let mut pressed = hold.to_vec();
    pressed.push(COMMAND);
    assert_eq!(act(&shop, &mia, &pressed).await.0, 200);
    assert_eq!(act(&shop, &mia, &pressed).await.0, 200, "the same press is the same act");
    assert_eq!(shop.board.view.borrow().tip.seq, before + 1);
    let (status, said) = act(&shop, &mia, &hold).await;
    assert_eq!((status, &said["words"]), (409, &json!("This is held already.")));
    let chinese = shop.post("/queue/act?lang=zh", Some(&mia), &form("mia", PIN)).await.json();
    assert_eq!(chinese["words"], "此项已暂缓。");
    let held = shop.get("/queue.json?state=held", Some(&mia)).await.json();
    assert_eq!(held["items"][0]["seq"].to_string(), seq);
    assert_eq!(held["items"][0]["acts"][0]["words"], "the customer comes back");
    assert_eq!(held["sums"][0]["worth"]["minor"], 2800);

    // A shell has no session: the PIN is enough, and JSON is as good as a form.
    let body = json!({"staff": "mia", "pin": PIN, "act": "release", "seq": seq.parse::<u64>().unwrap(),
        "words": "they came", "epoch": null});
    let request = shop.client.post(shop.url("/queue/act")).header("accept", "application/json");
    let request = request.header("content-type", "application/json").body(body.to_string());
    assert_eq!(shop.send(request, None).await.status, 200);
    let none = shop.get("/queue.json?state=held", Some(&mia)).await.json();
    assert_eq!((&none["items"], &none["sums"]), (&json!([]), &json!([])));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_item_says_why_and_leaves_the_list_when_it_is_resolved() {
    let (shop, tom) = Shop::with_people().await;
    let seq = sell(&shop, &tom).await;
    let mia = sign_in(&shop).await;
    refuse(&shop, 1, seq, "coupon_already_used").await;
    let epoch = shop.board.view.borrow().epoch;
    let page = shop.get("/queue", Some(&mia)).await.text;
    let item = format!("/queue/item/{epoch}/{seq}");
    assert!(page.contains(&format!(r#"href="{item}">Decide</a>"#)), "{page}");
    let page = shop.get(&item, Some(&mia)).await.text;
    for words in [
        "refused: coupon already used at till-3, 10:42 on 2026-11-22",
        "Write it off",
        "act=retry",
        "act=resolve&amp;how=written_off",
        "¥28.00",
        "Tom",
        "Cash",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("act=hold\""), "{page}");
    let chinese = shop.get(&format!("{item}?lang=zh"), Some(&mia)).await.text;
    assert!(chinese.contains("被拒绝：优惠券已在 till-3 使用") && chinese.contains("处理建议"), "{chinese}");

    let seq = seq.to_string();
    let form = [
        ("staff", "mia"),
        ("pin", PIN),
        ("seq", &*seq),
        ("words", "goodwill"),
        ("act", "resolve"),
        ("how", "written_off"),
    ];
    let done = shop.submit("/queue/act", Some(&mia), &form).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some(&*item)));
    let page = shop.get(&item, Some(&mia)).await.text;
    assert!(page.contains("resolved: written off") && page.contains("Mia: goodwill"), "{page}");
    let json = shop.get("/queue.json?state=needs", Some(&mia)).await.json();
    assert_eq!((&json["items"], &json["attention"].as_array().unwrap().len()), (&json!([]), &0));
    let again = shop.submit("/queue/act", Some(&mia), &form).await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("dealt with already"), "{}", again.text);
    let none = shop.get("/queue/item/0000000000000001/5?lang=zh", Some(&mia)).await;
    assert!(none.status == 404 && none.text.contains("本机日志中没有这条记录"), "{}", none.text);
    assert!(shop.get(&item, None).await.text.contains(r#"action="/queue/sign-in""#));
    shop.close().await;
}

/// Where words stand in a page.
fn place(page: &str, words: &str) -> usize {
    page.find(words).unwrap_or_else(|| panic!("{words}: {page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_named_with_a_way_to_it_and_its_timeline_is_in_order() {
    let (shop, tom) = Shop::with_people().await;
    let seq = sell(&shop, &tom).await;
    let mia = sign_in(&shop).await;
    let later = || shop.now_ms.fetch_add(60_000, Ordering::SeqCst);
    later();
    let number = seq.to_string();
    let hold = [("act", "hold"), ("seq", &*number), ("words", "the customer comes back")];
    assert_eq!(act(&shop, &mia, &hold).await.0, 200);
    let page = shop.get("/queue", Some(&mia)).await.text;
    assert!(
        page.contains("<b>! Held: 1</b>") && page.contains(r#"href="/queue?state=held#items""#),
        "{page}"
    );
    assert!(!page.contains("Nothing needs you"), "{page}");
    let item = format!("/queue/item/{}/{seq}", shop.board.view.borrow().epoch);
    let list = shop.get("/queue/checklist", Some(&mia)).await.text;
    for words in [
        "<h1>Checklist after an outage</h1>",
        r#"id="bar""#,
        r##"href="#held">Look</a>"##,
        r#"<h2 id="held">"#,
        "the customer comes back",
        &format!(r#"href="{item}""#),
    ] {
        place(&list, words);
    }
    later();
    refuse(&shop, 1, seq, "coupon_already_used").await;
    let page = shop.get(&item, Some(&mia)).await.text;
    let (recorded, held) = (place(&page, "Recorded on this till"), place(&page, "<b>Held</b>"));
    let ruled = place(&page, "Head office ruled on it");
    assert!(recorded < held && held < ruled, "{page}");
    let list = shop.get("/queue/checklist", Some(&mia)).await.text;
    assert!(list.contains(r##"href="#needing">Look</a>"##) && !list.contains("id=\"held\""), "{list}");
    // Head office holds it by a word of its own, which has nothing of a ruling.
    refuse(&shop, 2, seq, "held").await;
    let page = shop.get(&item, Some(&mia)).await.text;
    assert!(page.contains("Head office holds it") && !page.contains("Head office ruled"), "{page}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_by_plain_links_and_its_totals_follow() {
    let (shop, tom) = Shop::with_people().await;
    for _ in 0..3 {
        sell(&shop, &tom).await;
    }
    let mia = sign_in(&shop).await;
    let totals =
        |page: &str| page.split(r#"id="totals">"#).nth(1).unwrap().split("</p>").next().unwrap().to_owned();
    let all = shop.get("/queue", Some(&mia)).await.text;
    assert_eq!(totals(&all), "<b>Items: 3</b><span>Sale 3 · ¥84.00</span>");
    let none = shop.get("/queue?state=refused", Some(&mia)).await.text;
    assert!(none.contains("No items.") && totals(&none) == "<b>Items: 0</b>", "{none}");
    let dear = shop.get("/queue?min=28.01&kind=sale", Some(&mia)).await.text;
    assert_eq!(totals(&dear), "<b>Items: 0</b>");
    assert!(dear.contains(r#"value="28.01""#) && dear.contains("kind=sale"), "{dear}");
    let wrong = shop.get("/queue?min=abc", Some(&mia)).await.text;
    assert!(wrong.contains("is not an amount"), "{wrong}");
    let wrong = shop.get("/queue?min=abc&lang=zh", Some(&mia)).await.text;
    assert!(wrong.contains("“abc”不是金额"), "{wrong}");
    let page = shop.get("/queue.json?limit=2", Some(&mia)).await.json();
    let next = page["next"].as_u64().unwrap();
    let rest = shop.get(&format!("/queue.json?limit=2&before={next}"), Some(&mia)).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn send_now_is_an_act_and_needs_a_head_office() {
    let (shop, _) = Shop::with_people().await;
    let mia = sign_in(&shop).await;
    let form = [("act", "send_now"), ("words", "the line is back")];
    let (status, said) = act(&shop, &mia, &form).await;
    assert_eq!(status, 409);
    assert!(said["words"].as_str().unwrap().contains("nowhere to send to"), "{said}");
    shop.board.link.send_modify(|link| link.state = LinkState::Offline);
    let nudge = shop.board.nudge.clone();
    assert_eq!(act(&shop, &mia, &form).await.0, 200);
    nudge.notified().await;
    let fields = [("staff", "mia"), ("pin", PIN), ("words", "now"), ("act", "send_now")];
    let sent = shop.submit("/queue/act", Some(&mia), &fields).await;
    let page = shop.get(sent.location.as_deref().unwrap(), Some(&mia)).await.text;
    assert!(page.contains(r#"role="status">Sending now.<"#), "{page}");
    assert!(page.contains(r#"data-done="Sending now.""#), "{page}");
    let json = shop.get("/queue.json?kind=act", Some(&mia)).await.json();
    assert_eq!(json["items"][0]["kind"], "act");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checklist_says_what_is_left_to_do_and_goes_to_a_printer_that_is_ready() {
    let (mut shop, tom) = Shop::with_people().await;
    let seq = sell(&shop, &tom).await;
    let mia = sign_in(&shop).await;
    refuse(&shop, 1, seq, "sums_differ").await;
    let page = shop.get("/queue/checklist", Some(&mia)).await.text;
    for words in
        ["Head office has received all", "Decide about each", "No payment is in doubt", "cannot be compared"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let refused = shop.post("/queue/print", Some(&mia), &[]).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("not_now")));
    shop.board.devices.send_modify(|devices| {
        let ready = crate::inbox::PortState::Ready;
        devices.entry("front".parse().unwrap()).or_default().printer = ready;
    });
    assert_eq!(shop.post("/queue/print", None, &[]).await.status, 401);
    let done = shop.submit("/queue/print", Some(&mia), &[]).await;
    assert_eq!(done.location.as_deref(), Some("/queue/checklist?printed=front"));
    let page = shop.get("/queue/checklist?printed=front", Some(&mia)).await.text;
    assert!(page.contains("on its way to the printer at front"), "{page}");
    let list = loop {
        let work = shop.work.devices.recv().await.unwrap();
        if let crate::inbox::DeviceWork::Report(report) = work {
            break report.list;
        }
    };
    assert_eq!((list.needing.len(), list.needing[0].seq), (1, seq));
    shop.close().await;
}
