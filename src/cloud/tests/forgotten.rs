//! A member asks to be forgotten: head office erases what it has, and tells its tills.

use super::shop::{Shop, clock_of, defaults};
use super::till::Till;
use crate::cloud::{Admin, AdminError};
use crate::money::{Currency, Money};
use crate::record::body::{Body, MemberSource, Place, SaleKind};
use crate::record::ids::SaleId;
use crate::record::{Hash, Record};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::path::Path;

const SALE: SaleId = SaleId([3; 16]);

fn recognised(till: &mut Till, member: &str) -> Record {
    let (member, source) = (member.to_owned(), MemberSource::Desk);
    till.write_in(SALE, Body::MemberRecognised { member, source, code_proof: None })
}

fn cloud(shop: &Shop) -> Connection {
    let path = shop.folder.path().join("cloud/cloud.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Which of the cloud's files have these words in them, its log included.
fn holding(dir: &Path, words: &str) -> Vec<String> {
    let files =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let holds = |path: &std::path::PathBuf| {
        std::fs::read(path).unwrap().windows(words.len()).any(|part| part == words.as_bytes())
    };
    files.filter(holds).map(|path| path.display().to_string()).collect()
}

/// Sends records and waits until they are judged.
async fn judged(shop: &Shop, till: &Till, records: &[Record]) {
    till.send_well(records).await;
    for _ in 0..200 {
        let sql = "SELECT judged = high FROM stream WHERE terminal = ?1";
        if cloud(shop).query_row(sql, [&till.id], |row| row.get(0)).unwrap() {
            return;
        }
        tokio::task::yield_now().await;
        till.notices(0, 50).await;
    }
    panic!("the records were not judged");
}

#[tokio::test]
async fn what_head_office_has_of_a_member_is_erased_and_every_till_is_told() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    let joined = admin.add_members(1).await.unwrap().remove(0);
    let mut till = shop.till("till-1").await;
    let other = shop.till("till-2").await;
    let opened = till.write_in(SALE, Body::SaleOpened { sale_kind: SaleKind::Sale, place: Place::Front });
    let total = Money::new(1280, Currency::CNY);
    let mut records = vec![opened, recognised(&mut till, &joined.member)];
    records.push(till.write_with(Body::ReceiptIssued { total }, |header| {
        header.sale = Some(SALE);
        header.receipt = Some(1);
    }));
    judged(&shop, &till, &records).await;
    assert!(!holding(&shop.folder.path().join("cloud"), &joined.member).is_empty());

    let (erased, tills) = admin.forget_member(&joined.member).await.unwrap();
    assert_eq!((erased, tills), (1, 2));
    let notice = till.notice("member_forgotten").await;
    assert_eq!(notice["member"], json!(joined.member));
    other.notice("member_forgotten").await;

    // The tills do it, and say so; what an offline till brings of the member later goes the same way.
    let mut tills = [till, other];
    for till in &mut tills {
        let done = till.write(Body::MemberForgotten { member: joined.member.clone() });
        let late = recognised(till, &joined.member);
        judged(&shop, till, &[done, late]).await;
        let again = till.notice("member_forgotten").await;
        assert_eq!(again["member"], json!(joined.member), "what came late makes it told again");
        let done = till.write(Body::MemberForgotten { member: joined.member.clone() });
        judged(&shop, till, &[done]).await;
    }

    let db = cloud(&shop);
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM record WHERE length(body) = 0"), 7);
    assert_eq!(count("SELECT count(*) FROM record WHERE length(body) = 0 AND salt <> zeroblob(16)"), 0);
    assert_eq!(count("SELECT count(*) FROM receipt"), 1, "the books stay");
    assert_eq!(count("SELECT count(*) FROM member") + count("SELECT count(*) FROM check_in"), 0);
    let named = format!("SELECT count(*) FROM notice WHERE instr(body, '{}') > 0", joined.member);
    assert_eq!(count(&named), 0, "nobody needs the name any more");
    drop(db);
    // Asked once more there is nothing left.
    assert_eq!(admin.forget_member(&joined.member).await.unwrap().0, 0);
    assert!(matches!(admin.forget_member("AAAAAAAAAAAAAAAA").await, Err(AdminError::NoSuchMember(_))));
}

#[tokio::test]
async fn what_an_offline_till_brings_of_a_forgotten_member_stays_in_none_of_the_servers_files() {
    let shop = Shop::open().await;
    let dir = shop.folder.path().join("cloud");
    let joined = shop.cloud.admin().add_members(1).await.unwrap().remove(0);
    let mut till = shop.till("till-1").await;
    let beside = Admin::open(&dir, &defaults(), clock_of(&shop.now_ms)).await.unwrap();
    beside.forget_member(&joined.member).await.unwrap();
    drop(beside);
    let mut late: Vec<Record> = (0..40).map(|_| recognised(&mut till, &joined.member)).collect();
    late.push(till.write(Body::MemberForgotten { member: joined.member.clone() }));
    judged(&shop, &till, &late).await;
    // Whoever reads at that moment still sees the log; it goes when nobody does.
    for _ in 0..100 {
        if holding(&dir, &joined.member).is_empty() {
            return;
        }
        till.notices(0, 20).await;
    }
    panic!("the member can be read in {:?}", holding(&dir, &joined.member));
}

#[tokio::test]
async fn a_member_with_money_on_the_account_is_paid_out_first() {
    let shop = Shop::open().await;
    let admin = shop.cloud.admin();
    let joined = admin.add_members(1).await.unwrap().remove(0);
    let amount = Money::new(5000, Currency::CNY);
    admin.load(&joined.member, amount, "invoice-1").await.unwrap();
    let refused = admin.forget_member(&joined.member).await.unwrap_err();
    assert!(matches!(refused, AdminError::StillHolds(held) if held == amount), "{refused}");
    assert_eq!(admin.balance(&joined.member, Currency::CNY).await.unwrap(), amount, "nothing was done");
}

#[tokio::test]
async fn a_body_that_was_erased_at_the_till_is_taken_and_only_where_it_may_be() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let mut record = recognised(&mut till, "GEZDGNBVGY3TQOJQ");
    (record.bytes, record.salt) = (vec![], [0; 16]);
    judged(&shop, &till, &[record]).await;
    let before = till.tip.seq;
    let mut record = till.write(Body::Stopped {});
    (record.bytes, record.salt) = (vec![], [0; 16]);
    let (status, answer) = till.send(&[record]).await;
    assert_eq!((status, &answer["type"]), (422, &json!("broken_chain")), "{answer}");
    assert_eq!(before + 1, till.tip.seq);
    assert_ne!(till.tip.head, Hash::NONE);
}
