//! Lost books, a full disk and a wrong clock on the manager's page, over real HTTP and before a real till.

use super::shop::{PIN, Shop};
use crate::counter::event::Event;
use crate::inbox::LinkState;
use crate::journal::edge::EdgeStore;
use crate::journal::{Reader, Room, Unsent, copy_into, put_back};
use crate::record::chain::Tip;
use crate::record::money_moves::{Ruling, Verdict};
use crate::record::{Epoch, Hash};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Head office has the first records of the lost books, up to this one.
const RECEIVED: u64 = 8;

async fn sell(shop: &Shop, tom: &str) {
    for (path, form) in [
        ("/s/front/act/press-key", vec![("sku", "latte")]),
        ("/s/front/act/pay", vec![]),
        ("/s/front/act/cash", vec![("received", "28")]),
    ] {
        assert_eq!(shop.post(path, Some(tom), &form).await.status, 200);
    }
}

async fn sign_in(shop: &Shop) -> String {
    shop.post("/queue/sign-in", None, &[("staff", "mia"), ("pin", PIN)]).await.cookie.unwrap()
}

/// A till that sold two lattes, and whose journal was then scrambled where a database begins.
async fn lost_books() -> (Shop, Epoch) {
    let (shop, tom) = Shop::with_people().await;
    sell(&shop, &tom).await;
    sell(&shop, &tom).await;
    let epoch = shop.board.view.borrow().epoch;
    let dir = shop.close_and_keep().await;
    let path = dir.path().join("journal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let received = BTreeMap::from([(epoch, Tip { seq: RECEIVED, head: Hash([1; 32]) })]);
    (Shop::open_in(dir, |opening| opening.received = received).await, epoch)
}

async fn adopt(shop: &Shop, mia: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = shop.post("/queue/adopt", Some(mia), fields).await;
    (answer.status, answer.json())
}

async fn seen(shop: &Shop, look: impl Fn(&crate::view::View) -> bool) {
    let mut view = shop.board.view.clone();
    let shown = view.wait_for(|view| look(view));
    tokio::time::timeout(Duration::from_secs(20), shown).await.expect("shown in time").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_books_are_shown_with_what_head_office_lacks_of_them() {
    let (shop, epoch) = lost_books().await;
    let mia = sign_in(&shop).await;
    let page = shop.get("/queue", Some(&mia)).await.text;
    for words in [
        "New books: cash only",
        "Only cash is taken",
        "¥56.00",
        "receipts: 2",
        "aside/0001",
        r#"href="/queue/lost""#,
        r#"action="/queue/adopt""#,
        r#"id="adopt-pin""#,
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("wallets go on"), "{page}");
    assert_eq!(page.matches("New books").count(), 1, "said once: {page}");
    let chinese = shop.get("/queue?lang=zh", Some(&mia)).await.text;
    assert!(chinese.contains("已另立新账") && chinese.contains("目前只收现金"), "{chinese}");
    let list = shop.get("/queue/lost", Some(&mia)).await.text;
    assert_eq!(list.matches("Sale paid").count(), 2, "{list}");
    assert!(list.contains("¥28.00") && list.contains(&epoch.to_string()), "{list}");
    assert!(list.contains("What was found: The files are damaged. ("), "{list}");
    let chinese = shop.get("/queue/lost?lang=zh", Some(&mia)).await.text;
    assert!(chinese.contains("发现的情况：账本文件已损坏。</p>"), "{chinese}");
    let checklist = shop.get("/queue/checklist", Some(&mia)).await.text;
    assert!(checklist.contains("began new books by itself"), "{checklist}");
    let json = shop.get("/queue.json", Some(&mia)).await.json();
    assert_eq!(json["standing"], "provisional");
    let lacking = &json["lacking"][0];
    assert_eq!(lacking["worth"], json!([{"minor": 5600, "currency": "CNY"}]));
    assert_eq!((&lacking["receipts"], &lacking["received"]), (&json!(2), &json!(RECEIVED)));
    let request = shop.client.get(shop.url("/queue/lost")).header("accept", "application/json");
    let lists = shop.send(request, Some(&mia)).await.json();
    assert_eq!(json!(lists[0]["records"].as_array().unwrap().len()), lacking["records"]);
    let request = shop.client.get(shop.url("/queue/lost")).header("accept", "application/json");
    assert_eq!(shop.send(request, None).await.status, 401);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_books_are_adopted_by_a_managers_pin_and_a_reason_and_the_list_stays() {
    let (shop, _) = lost_books().await;
    let mia = sign_in(&shop).await;
    let why = ("reason", "the disk was replaced");
    assert_eq!(adopt(&shop, &mia, &[("staff", "mia"), why]).await.1["code"], "typed");
    assert_eq!(adopt(&shop, &mia, &[("staff", "mia"), ("pin", "9999"), why]).await.0, 403);
    assert_eq!(adopt(&shop, &mia, &[("staff", "tom"), ("pin", PIN), why]).await.1["code"], "needs_manager");
    assert_eq!(adopt(&shop, &mia, &[("staff", "mia"), ("pin", PIN)]).await.0, 409, "without a reason");
    let wrong = shop.submit("/queue/adopt", Some(&mia), &[("staff", "mia"), ("pin", "9998"), why]).await;
    assert_eq!(wrong.status, 403);
    assert!(wrong.text.contains("That is not the right PIN") && wrong.text.contains("adopt-pin"));
    assert_eq!(shop.get("/queue.json", Some(&mia)).await.json()["standing"], "provisional");

    let form = [("staff", "mia"), ("pin", PIN), why];
    let done = shop.submit("/queue/adopt", Some(&mia), &form).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/queue")), "{}", done.text);
    let page = shop.get("/queue", Some(&mia)).await.text;
    assert!(!page.contains("/queue/adopt") && !page.contains("Nothing needs you"), "{page}");
    assert!(page.contains("of books that were lost</a>"), "{page}");
    let list = shop.get("/queue/lost", Some(&mia)).await.text;
    assert_eq!(list.matches("Sale paid").count(), 2, "{list}");
    let checklist = shop.get("/queue/checklist", Some(&mia)).await.text;
    assert!(checklist.contains("have the folder aside removed"), "{checklist}");
    assert!(checklist.contains(r#"href="/queue/lost">Look</a>"#), "{checklist}");
    assert_eq!(shop.get("/queue.json", Some(&mia)).await.json()["standing"], "regular");
    assert_eq!(adopt(&shop, &mia, &form).await.0, 409, "there is nothing to adopt any more");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_left_and_a_clock_far_off_are_said_with_what_to_do() {
    const MIB: u64 = 1 << 20;
    let room = Room { ballast_bytes: 0, free: |_| Ok(100 * MIB), ..Room::default() };
    let shop = Shop::open_in(tempfile::tempdir().unwrap(), |opening| opening.room = room).await;
    let shop = shop.staffed().await;
    let mia = sign_in(&shop).await;
    shop.board.link.send_modify(|link| link.cloud_offset_ms = Some(7_200_000));
    seen(&shop, |view| view.disk.is_some()).await;
    let page = shop.get("/queue", Some(&mia)).await.text.replace("&#39;", "'");
    for words in [
        "Disk left",
        "100 MiB",
        "The disk is getting full: 100 MiB left",
        "below 64 MiB nothing new is sold",
        "This till's clock is 2 h behind head office's. Set it",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let json = shop.get("/queue.json", Some(&mia)).await.json();
    assert_eq!((&json["disk"]["state"], &json["disk"]["free_bytes"]), (&json!("low"), &json!(100 * MIB)));
    assert_eq!(json["link"]["cloud_offset_ms"], 7_200_000);
    shop.close().await;
}

/// A till that sold two lattes, of which head office refuses the first, and whose copy was put back.
async fn put_back_books() -> (Shop, Epoch) {
    let (shop, tom) = Shop::with_people().await;
    sell(&shop, &tom).await;
    let end = shop.board.view.borrow().tip;
    let epoch = shop.board.view.borrow().epoch;
    sell(&shop, &tom).await;
    let verdict = Verdict {
        number: 1,
        epoch,
        seq: end.seq,
        sale: None,
        ruling: Ruling::Refused,
        code: "sums_differ".to_owned(),
        words: "The sums differ.".to_owned(),
    };
    shop.inbox.ask(Event::Ruled(verdict)).await.unwrap();
    let dir = shop.close_and_keep().await;
    let copy = dir.path().join("monday.db");
    copy_into(&Reader::open(dir.path()).unwrap(), dir.path(), &copy).unwrap();
    put_back(dir.path(), &copy, &"till-1".parse().unwrap(), Unsent::SetAside).unwrap();
    EdgeStore::open(dir.path()).unwrap().set_watermark(epoch, end.seq, end.head).unwrap();
    (Shop::open_in(dir, |_| ()).await, epoch)
}

/// The records that a page links to, as it lists them.
fn item_numbers(page: &str, epoch: Epoch) -> Vec<u64> {
    let link = format!("/queue/item/{epoch}/");
    page.split(&link).skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_books_have_yet_to_bring_and_what_is_refused_there_is_part_of_today() {
    let (shop, epoch) = put_back_books().await;
    let mia = sign_in(&shop).await;
    let page = shop.get("/queue", Some(&mia)).await.text;
    assert!(!page.contains(" still have "), "a till without a head office has nothing to send: {page}");
    shop.board.link.send_modify(|link| link.state = LinkState::Online);
    let page = shop.get("/queue", Some(&mia)).await.text;
    let item = format!("/queue/item/{epoch}/");
    for words in [&format!("Books {epoch} still have "), &item, "<small>"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let checklist = shop.get("/queue/checklist", Some(&mia)).await.text;
    assert!(!checklist.contains("Nothing is refused"), "{checklist}");
    assert!(!checklist.contains("received all"), "{checklist}");
    // Their receipts are their own, whatever number those of today have.
    let earlier = shop.get(&format!("/queue?epoch={epoch}"), Some(&mia)).await.text;
    let link = earlier.split("/s/front/receipt/").nth(1).unwrap().split('"').next().unwrap();
    assert!(link.starts_with(&epoch.to_string()[..4]), "{link}");
    assert_eq!(shop.get(&format!("/s/front/receipt/{link}"), Some(&mia)).await.status, 200);
    assert!(earlier.contains(&item), "{earlier}");
    // Those of today are no earlier ones; of these it is said when they ended.
    let today = shop.board.view.borrow().epoch;
    assert!(!earlier.contains(&format!("/queue?epoch={today}")), "{earlier}");
    assert!(page.contains(&format!("{epoch} (until ")), "{page}");
    // What is held there is named today, with the way there.
    let seq = item_numbers(&earlier, epoch).pop().unwrap();
    let words = String::new();
    let (ruling, code) = (Ruling::Accepted, "held".to_owned());
    let held = Verdict { number: 2, epoch, seq, sale: None, ruling, code, words };
    shop.inbox.ask(Event::Ruled(held)).await.unwrap();
    let page = shop.get("/queue", Some(&mia)).await.text.replace("&#38;", "&");
    assert!(page.contains(&format!("/queue?epoch={epoch}&state=held#items")), "{page}");
    let checklist = shop.get("/queue/checklist", Some(&mia)).await.text;
    assert!(checklist.contains(&format!("/queue/item/{epoch}/{seq}")), "{checklist}");
    shop.close().await;
}
