//! What every store must hold: contiguous, linked, exactly once, whatever is sent how often.

use super::shop::Shop;
use super::till::Till;
use crate::money::{Currency, Money};
use crate::record::Record;
use crate::record::body::{Body, Shutdown};
use crate::record::ids::SaleId;
use serde_json::json;
use tokio::task::JoinSet;

fn booted() -> Body {
    Body::Booted { version: "1".to_owned(), shutdown: Shutdown::Clean }
}

fn some(till: &mut Till, count: usize) -> Vec<Record> {
    (0..count).map(|_| till.write(booted())).collect()
}

#[tokio::test]
async fn a_replay_is_answered_with_the_same_watermark() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let records = some(&mut till, 5);
    for _ in 0..3 {
        let (status, answer) = till.send(&records).await;
        assert_eq!((status, &answer["high"], &answer["head"]), (200, &json!(5), &json!(till.tip.head)));
    }
    let (status, answer) = till.send(&records[1..3]).await;
    assert_eq!((status, &answer["high"]), (200, &json!(5)), "a part of it is known, too");
    let more = some(&mut till, 2);
    let overlapping: Vec<Record> = records[3..].iter().chain(&more).cloned().collect();
    till.send_well(&overlapping).await;
    assert_eq!(till.notices(0, 0).await["high"], 7);
}

#[tokio::test]
async fn a_gap_says_what_is_expected() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let records = some(&mut till, 6);
    let (status, answer) = till.send(&records[2..]).await;
    assert_eq!((status, &answer["type"], &answer["expected"]), (409, &json!("gap"), &json!(1)));
    till.send(&records[..2]).await;
    let (_, answer) = till.send(&records[4..]).await;
    assert_eq!(answer["expected"], 3);
    till.send_well(&records[2..]).await;
}

#[tokio::test]
async fn both_sides_of_a_fork_are_kept_ruled_on_and_told_once() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let shared = some(&mut till, 2);
    let before = till.tip;
    let first = some(&mut till, 2);
    till.send_well(&[shared.clone(), first].concat()).await;
    till.tip = before;
    let sale = SaleId([9; 16]);
    let mut other = vec![till.write_in(sale, booted()), till.write(booted()), till.write(booted())];
    for _ in 0..2 {
        let (status, answer) = till.send(&other).await;
        assert_eq!((status, &answer["type"], &answer["seq"]), (409, &json!("fork"), &json!(3)), "{answer}");
        assert_eq!((&answer["high"], &answer["branch"]["high"]), (&json!(4), &json!(5)));
        assert_eq!(answer["branch"]["head"], json!(till.tip.head));
        assert_eq!(answer["witness"]["high"], 4, "and what the cloud signs of the other side");
    }
    // The side goes on, from wherever it is sent, and what does not add up on it is said of it.
    let unreadable = { till.write_with(booted(), |_| {}) };
    let number = till.write_with(Body::ReceiptIssued { total: Money::zero(Currency::CNY) }, |header| {
        header.receipt = Some(7);
    });
    other.extend([unreadable, number]);
    let (status, answer) = till.send(&other[3..]).await;
    assert_eq!((status, &answer["branch"]["high"]), (409, &json!(7)), "{answer}");
    let verdicts = till.verdicts(2).await;
    let codes: Vec<_> = verdicts.iter().map(|verdict| (&verdict["code"], &verdict["seq"])).collect();
    assert_eq!(codes, [(&json!("fork"), &json!(3)), (&json!("receipt_gap"), &json!(7))]);
    assert!(verdicts.iter().all(|verdict| verdict["epoch"] == json!(till.epoch)), "the till's own epoch");
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks.iter().filter(|task| task.code == "fork").count(), 1);
    let db = database(&shop);
    let sides: Vec<i64> = db
        .prepare("SELECT count(*) FROM record GROUP BY epoch ORDER BY 1")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(sides, [4, 5]);
    // A machine that wakes up behind where they parted is sent back to the beginning, and finds its side.
    let (status, answer) = till.send(&other[1..3]).await;
    assert_eq!((status, &answer["branch"]["high"]), (409, &json!(7)), "a replay on its side: {answer}");
}

fn database(shop: &Shop) -> rusqlite::Connection {
    let path = shop.folder.path().join("cloud/cloud.db");
    rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

#[tokio::test]
async fn a_journal_that_began_by_itself_is_a_task_until_a_manager_adopts_it() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let old = till.epoch;
    let records = some(&mut till, 5);
    till.send_well(&records).await;
    (till.epoch, till.tip) = (crate::record::Epoch(77), crate::record::chain::Tip::START);
    let genesis = json!({
        "kind": "genesis", "parent": { "epoch": old, "seq": 11, "head": crate::record::Hash::NONE },
        "currency": "CNY", "time_zone": "Asia/Shanghai", "day_cut_minutes": 0, "version": "0",
        "standing": "provisional",
    });
    let first = till.write_raw("genesis", &genesis.to_string());
    till.send_well(&[first]).await;
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks[0].code, "epoch_provisional");
    assert!(
        tasks[0].words.contains("record 11 and head office holds 5: 6 records died"),
        "{}",
        tasks[0].words
    );
    let streams = shop.cloud.admin().streams().await.unwrap();
    let listed: Vec<_> = streams.iter().map(|stream| (stream.standing.word(), stream.lacks())).collect();
    assert!(listed.contains(&("provisional", Some(6))) && listed.contains(&("regular", None)), "{listed:?}");
    let adopted = till.write_raw("epoch_adopted", r#"{"kind":"epoch_adopted","words":"New disk."}"#);
    till.send_well(&[adopted]).await;
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert!(tasks.iter().all(|task| task.code != "epoch_provisional"), "{tasks:?}");
    let streams = shop.cloud.admin().streams().await.unwrap();
    assert!(streams.iter().any(|stream| stream.standing.word() == "adopted"));
}

#[tokio::test]
async fn packed_bodies_are_opened_within_their_limit_and_errors_are_problems() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let records = some(&mut till, 40);
    let body = till.batch(&records).to_string();
    let (status, answer) = till.call_packed(&till.records_target(), body.as_bytes(), "gzip").await;
    assert_eq!((status, &answer["high"]), (200, &json!(40)), "{answer}");
    let bomb = vec![b' '; 40 * 1024 * 1024];
    let (status, answer) = till.call_packed(&till.records_target(), &bomb, "gzip").await;
    assert_eq!((status, &answer["type"]), (413, &json!("too_large")));
    let (status, answer) = till.call_packed(&till.records_target(), b"{}", "br").await;
    assert_eq!((status, &answer["type"]), (415, &json!("unknown_packing")));
    let (status, answer) = till.call("DELETE", &till.records_target(), b"").await;
    assert_eq!((status, &answer["type"], &answer["status"]), (405, &json!("wrong_method"), &json!(405)));
    let (status, answer) = till.call("GET", "/v1/nothing", b"").await;
    assert_eq!((status, &answer["type"]), (404, &json!("not_found")));
    let (status, answer) = till.call("GET", "/v1/terminals/till-1/notices?after=soon", b"").await;
    assert_eq!((status, &answer["type"]), (400, &json!("malformed")));
}

#[tokio::test]
async fn of_a_thousand_records_one_is_poisoned_and_the_others_are_settled() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let mut records = some(&mut till, 499);
    records.push(till.write_raw("receipt_issued", r#"{"kind":"receipt_issued","total":"poison"}"#));
    records.extend(some(&mut till, 500));
    till.send(&records[..500]).await;
    till.send_well(&records[500..]).await;
    let verdicts = till.verdicts(1).await;
    let mut ruled = 0;
    for _ in 0..50 {
        let news = till.notices(verdicts[0]["number"].as_u64().unwrap(), 200).await;
        ruled = news["ruled"].as_u64().unwrap();
        if ruled == 1000 {
            break;
        }
    }
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!((verdicts.len(), tasks.len(), ruled), (1, 1, 1000));
    assert_eq!((&verdicts[0]["code"], &verdicts[0]["seq"]), (&json!("unreadable"), &json!(500)));
    println!("poisoned record: {ruled} ruled on, {} of them settled, {} task", ruled - 1, tasks.len());
}

#[tokio::test]
async fn a_batch_that_breaks_in_the_middle_is_refused_whole() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let mut records = some(&mut till, 4);
    records.remove(1);
    let (status, answer) = till.send(&records).await;
    assert_eq!((status, &answer["type"], &answer["seq"]), (422, &json!("broken_chain"), &json!(2)));
    let mut till = shop.till("till-2").await;
    let mut records = some(&mut till, 3);
    records[2].bytes.push(b' ');
    let (_, answer) = till.send(&records).await;
    assert_eq!((&answer["type"], &answer["seq"]), (&json!("broken_chain"), &json!(3)), "a changed body");
    assert_eq!(till.notices(0, 0).await["high"], 0, "nothing of it is kept");
    let unlinked = shop.till("till-3").await;
    let mut till = unlinked;
    let first = some(&mut till, 2);
    till.send_well(&first).await;
    till.tip.head = crate::record::Hash([5; 32]);
    let stray = some(&mut till, 1);
    let (status, answer) = till.send(&stray).await;
    assert_eq!(
        (status, &answer["type"], &answer["expected"]),
        (409, &json!("gap"), &json!(1)),
        "from the start"
    );
}

#[tokio::test]
async fn more_than_a_batch_holds_is_refused() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let many = some(&mut till, 501);
    let (status, answer) = till.send(&many).await;
    assert_eq!((status, &answer["limit_records"]), (413, &json!(500)));
    let (status, answer) = till.call("POST", &till.records_target(), &vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(
        (status, &answer["type"], &answer["limit_bytes"]),
        (413, &json!("too_large"), &json!(1_048_576))
    );
    till.send(&many[..500]).await;
    till.send_well(&many[500..]).await;
}

#[tokio::test]
async fn only_the_paired_device_is_heard_and_each_signature_once() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let stranger = shop.stranger("till-9");
    let (status, answer) = stranger.call("GET", "/v1/terminals/till-9/notices", b"").await;
    assert_eq!((status, &answer["type"]), (401, &json!("unpaired")));
    let target = "/v1/terminals/till-1/notices";
    let (status, answer) = till.call_with("GET", target, b"", "a", &stranger.key).await;
    assert_eq!((status, &answer["type"]), (401, &json!("wrong_signature")));
    assert_eq!(till.call_with("GET", target, b"", "b", &till.key).await.0, 200);
    let (status, answer) = till.call_with("GET", target, b"", "b", &till.key).await;
    assert_eq!((status, &answer["type"]), (401, &json!("replayed")));
    let other = shop.till("till-2").await;
    let (status, _) = other.call("GET", target, b"").await;
    assert_eq!(status, 401, "a till asks for itself only");
    let records = some(&mut till, 1);
    let mut batch = till.batch(&records);
    batch["batch_signature"] = json!(other.batch(&records)["batch_signature"]);
    let (status, answer) = till.call("POST", &till.records_target(), batch.to_string().as_bytes()).await;
    assert_eq!((status, &answer["type"]), (401, &json!("wrong_batch_signature")));
    let late = shop.http.get(shop.address(target)).send().await.unwrap();
    assert_eq!(late.status().as_u16(), 401, "unsigned");
}

#[tokio::test]
async fn clients_that_send_the_same_at_once_are_all_told_the_same() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let records = some(&mut till, 40);
    let till = std::sync::Arc::new(till);
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (till, records) = (std::sync::Arc::clone(&till), records.clone());
        clients.spawn(async move { till.send(&records).await });
    }
    while let Some(answer) = clients.join_next().await {
        let (status, answer) = answer.unwrap();
        assert_eq!((status, &answer["high"], &answer["head"]), (200, &json!(40), &json!(till.tip.head)));
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_kept_ruled_and_blocks_nothing() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let first = till.write(booted());
    let mut header = first.header.clone();
    let bytes = br#"{"kind":"from_the_future","x":1}"#.to_vec();
    header.seq = 2;
    header.previous = first.hash;
    header.kind = "from_the_future".to_owned();
    header.body_hash = crate::record::body_hash(&[1; 16], &bytes);
    let strange = Record::open(header.encode(), [1; 16], bytes).unwrap();
    till.tip = crate::record::chain::Tip { seq: 2, head: strange.hash };
    let last = till.write(booted());
    till.send_well(&[first, strange, last]).await;
    let verdicts = till.verdicts(1).await;
    assert_eq!((&verdicts[0]["code"], &verdicts[0]["seq"]), (&json!("unreadable"), &json!(2)));
}
