//! Business answers: who was first, what counts, what does not add up.

use super::shop::{START_MS, Shop};
use super::till::Till;
use crate::cloud::VoucherIssue;
use crate::cloud::handed_out::{autumn, redeemed};
use crate::money::{Currency, Money};
use crate::record::body::{Body, MemberSource, SaleKind};
use crate::record::giving_back::{Means, ReturnWhy, TenderShare};
use crate::record::ids::{SaleId, unhex};
use crate::record::queue_act::{QueueAct, Subject};
use crate::token::member_code;
use serde_json::json;
use tokio::task::JoinSet;

async fn coupon(shop: &Shop) -> String {
    shop.cloud.admin().issue_coupons(&autumn(START_MS, 1)).await.unwrap().remove(0)
}

fn redeem(till: &mut Till, token: &str, serial: &str) -> crate::record::Record {
    let serial = serial.to_owned();
    till.write_with(redeemed(token), |header| {
        header.sale = Some(SaleId([3; 16]));
        header.serial = Some(serial);
    })
}

async fn voucher(shop: &Shop, minor: i64) -> String {
    let wanted = VoucherIssue {
        value: Money::new(minor, Currency::CNY),
        from_s: START_MS / 1000 - 3600,
        until_s: START_MS / 1000 + 30 * 86_400,
        count: 1,
    };
    shop.cloud.admin().issue_vouchers(&wanted).await.unwrap().remove(0)
}

/// What a till writes down that took a voucher of 50.00 for so much.
fn spend(till: &mut Till, token: &str, serial: &str, amount: i64) -> crate::record::Record {
    let body = Body::VoucherRedeemed { value: Money::new(5_000, Currency::CNY), token: token.to_owned() };
    let serial = serial.to_owned();
    till.write_with(body, |header| {
        header.sale = Some(SaleId([3; 16]));
        header.serial = Some(serial);
        header.amount = Some(Money::new(amount, Currency::CNY));
    })
}

fn voucher_serial(shop: &Shop) -> String {
    let path = shop.folder.path().join("cloud/cloud.db");
    let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    db.query_row("SELECT serial FROM voucher", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_voucher_that_two_tills_took_is_refused_to_the_second_with_where_and_when() {
    let shop = Shop::open().await;
    let token = voucher(&shop, 5_000).await;
    let serial = voucher_serial(&shop);
    let (mut first, mut second) = (shop.till("till-3").await, shop.till("till-4").await);
    let record = spend(&mut first, &token, &serial, 2_800);
    first.send_well(&[record]).await;
    assert_eq!(first.verdicts(1).await[0]["code"], "voucher_redeemed");
    let record = spend(&mut second, &token, &serial, 2_800);
    second.send_well(&[record]).await;
    let verdict = second.verdicts(1).await.remove(0);
    assert_eq!((&verdict["code"], &verdict["ruling"]), (&json!("voucher_already_used"), &json!("refused")));
    let words = verdict["words"].as_str().unwrap();
    assert!(words.starts_with("Voucher already used at till-3, "), "{words}");
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert!(tasks.iter().any(|task| task.code == "voucher_already_used" && task.words.starts_with("till-4")));
}

#[tokio::test]
async fn a_voucher_that_is_ruled_on_again_was_spent_by_this_very_record() {
    let shop = Shop::open().await;
    let token = voucher(&shop, 5_000).await;
    let mut till = shop.till("till-1").await;
    let spent = spend(&mut till, &token, &voucher_serial(&shop), 2_800);
    let subject = Some(Subject { epoch: till.epoch, seq: 1 });
    let retry = Body::QueueActed { subject, act: QueueAct::Retry, words: "Asked again.".to_owned() };
    let retry = till.write(retry);
    till.send_well(&[spent, retry]).await;
    let codes: Vec<_> = till.verdicts(2).await.iter().map(|verdict| verdict["code"].clone()).collect();
    assert_eq!(codes, ["voucher_redeemed", "voucher_redeemed"]);
    assert!(shop.cloud.admin().tasks().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_voucher_that_does_not_hold_at_head_office_is_refused_and_stays_received() {
    let shop = Shop::open().await;
    let token = voucher(&shop, 5_000).await;
    let serial = voucher_serial(&shop);
    let mut till = shop.till("till-1").await;
    let coupon = coupon(&shop).await;
    let records = [
        spend(&mut till, &token, &serial, 5_001),
        spend(&mut till, &token, &serial, 0),
        spend(&mut till, &token, "G1-002a-0000000000000009", 100),
        spend(&mut till, &coupon, &serial, 100),
        spend(&mut till, "G1.AAAA", &serial, 100),
    ];
    till.send_well(&records).await;
    let codes: Vec<String> =
        till.verdicts(5).await.iter().map(|verdict| verdict["code"].as_str().unwrap().to_owned()).collect();
    let differs = "voucher_differs";
    assert_eq!(codes, [differs, differs, differs, "voucher_of_another_kind", "voucher_not_ours"]);
    let good = spend(&mut till, &token, &serial, 5_000);
    till.send_well(&[good]).await;
    assert_eq!(till.verdicts(6).await[5]["code"], "voucher_redeemed", "none of these spent it");
}

#[tokio::test]
async fn a_voucher_that_nobody_can_be_worth_is_not_issued() {
    let shop = Shop::open().await;
    for value in [Money::new(0, Currency::CNY), Money::new(-1, Currency::CNY), Money::new(5, Currency::JPY)] {
        let wanted =
            VoucherIssue { value, from_s: START_MS / 1000, until_s: START_MS / 1000 + 3600, count: 1 };
        assert!(shop.cloud.admin().issue_vouchers(&wanted).await.is_err(), "{value}");
    }
}

#[tokio::test]
async fn of_a_return_every_voucher_is_owed_to_the_customer_and_stays_so_when_it_is_ruled_on_again() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let share = |means, minor| TenderShare { means, amount: Money::new(minor, Currency::CNY) };
    let voucher = |serial: &str| Means::Voucher { serial: serial.to_owned() };
    let (first, second) = ("G1-002a-0000000000000001", "G1-002a-0000000000000002");
    let shares = vec![share(voucher(first), 5_000), share(Means::Cash, 700), share(voucher(second), 1_200)];
    let (why, words) = (ReturnWhy::Customer, "cold".to_owned());
    let opened = till.write_in(SaleId([3; 16]), Body::ReturnOpened { of: None, why, words, shares });
    let subject = Some(Subject { epoch: till.epoch, seq: 1 });
    let retry = Body::QueueActed { subject, act: QueueAct::Retry, words: "Asked again.".to_owned() };
    let retry = till.write(retry);
    till.send_well(&[opened, retry]).await;
    assert_eq!(till.verdicts(1).await[0]["code"], "ruled_again");
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    for owed in [first, "CNY 50.00", second, "CNY 12.00"] {
        assert!(tasks[0].code == "voucher_owed" && tasks[0].words.contains(owed), "{owed}: {tasks:?}");
    }
    // What the customer was given is not owed again.
    shop.cloud.admin().settle_task(tasks[0].number).await.unwrap();
    let retry = till.write(Body::QueueActed { subject, act: QueueAct::Retry, words: "Again.".to_owned() });
    till.send_well(&[retry]).await;
    till.verdicts(2).await;
    assert!(shop.cloud.admin().tasks().await.unwrap().is_empty());
}

/// The serial as the cloud handed it out.
fn issued_serial(shop: &Shop) -> String {
    let db = rusqlite::Connection::open_with_flags(
        shop.folder.path().join("cloud/cloud.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    db.query_row("SELECT serial FROM coupon", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn of_eight_tills_that_take_one_coupon_the_first_wins() {
    let shop = Shop::open().await;
    let token = coupon(&shop).await;
    let serial = issued_serial(&shop);
    let mut tills = JoinSet::new();
    for number in 0..8 {
        let mut till = shop.till(&format!("till-{number}")).await;
        let record = redeem(&mut till, &token, &serial);
        tills.spawn(async move {
            till.send_well(&[record]).await;
            till.verdicts(1).await.remove(0)
        });
    }
    let mut verdicts = vec![];
    while let Some(verdict) = tills.join_next().await {
        verdicts.push(verdict.unwrap());
    }
    let accepted = verdicts.iter().filter(|verdict| verdict["ruling"] == "accepted").count();
    assert_eq!(accepted, 1, "{verdicts:?}");
    for refused in verdicts.iter().filter(|verdict| verdict["ruling"] == "refused") {
        assert_eq!(refused["code"], "coupon_already_used");
        let words = refused["words"].as_str().unwrap();
        assert!(words.starts_with("Coupon already used at till-"), "{words}");
    }
    let tasks = shop.cloud.admin().tasks().await.unwrap();
    assert_eq!(tasks.iter().filter(|task| task.code == "coupon_already_used").count(), 7);
    shop.cloud.admin().settle_task(tasks[0].number).await.unwrap();
    assert!(shop.cloud.admin().settle_task(tasks[0].number).await.is_err());
    assert_eq!(shop.cloud.admin().tasks().await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_coupon_that_is_not_ours_or_not_in_its_time_is_refused() {
    let shop = Shop::open().await;
    let other = Shop::open().await;
    let (token, forged) = (coupon(&shop).await, coupon(&other).await);
    let serial = issued_serial(&shop);
    let mut till = shop.till("till-1").await;
    let mut records = vec![redeem(&mut till, &forged, &issued_serial(&other))];
    records.push(redeem(&mut till, &token, "C1-0001-0000000000000001"));
    shop.pass_ms(40 * 86_400_000);
    records.push(redeem(&mut till, &token, &serial));
    till.send_well(&records).await;
    let codes: Vec<_> = till.verdicts(3).await.iter().map(|verdict| verdict["code"].clone()).collect();
    assert_eq!(codes, [json!("coupon_not_ours"), json!("coupon_serial_differs"), json!("coupon_not_ours")]);
}

#[tokio::test]
async fn a_member_counts_once_a_day_at_whichever_till() {
    let shop = Shop::open().await;
    let joined = shop.cloud.admin().add_members(1).await.unwrap().remove(0);
    let secret: [u8; 20] = unhex(&joined.secret).unwrap();
    let mut codes = vec![];
    let cases = [("till-1", 0, joined.member.as_str()), ("till-2", 0, &joined.member)];
    let wrong = [("till-3", 3600, joined.member.as_str()), ("till-4", 0, "AAAAAAAAAAAAAAAA")];
    for (id, late_s, member) in cases.into_iter().chain(wrong) {
        let mut till = shop.till(id).await;
        let at_s = till.now_ms() / 1000 - late_s;
        let shown = member_code(joined.member.parse().unwrap(), &secret, at_s);
        let (member, digits) = (member.to_owned(), shown.rsplit('.').next().unwrap().to_owned());
        let source = MemberSource::Code;
        let record = till.write(Body::MemberRecognised { member, source, code_proof: Some(digits) });
        till.send_well(&[record]).await;
        codes.push(till.verdicts(1).await[0]["code"].clone());
    }
    let expected = ["check_in_counted", "check_in_repeated", "member_code_wrong", "member_unknown"];
    assert_eq!(codes, expected.map(|code| json!(code)));
}

#[tokio::test]
async fn a_member_who_came_while_the_till_was_off_line_counts_by_the_corrected_time_of_the_scan() {
    let shop = Shop::open().await;
    let joined = shop.cloud.admin().add_members(1).await.unwrap().remove(0);
    let secret: [u8; 20] = unhex(&joined.secret).unwrap();
    // Its clock is two hours ahead and it knows; its records come three days later.
    let ahead_ms = 7_200_000;
    let mut codes = vec![];
    for (id, offset_ms) in [("till-1", Some(-ahead_ms)), ("till-2", None)] {
        let mut till = shop.till(id).await;
        let shown = member_code(joined.member.parse().unwrap(), &secret, till.now_ms() / 1000);
        let code_proof = Some(shown.rsplit('.').next().unwrap().to_owned());
        let (member, source) = (joined.member.clone(), MemberSource::Code);
        let body = Body::MemberRecognised { member, source, code_proof };
        let record = till.write_with(body, |header| {
            header.moment.wall_ms += ahead_ms;
            header.moment.cloud_offset_ms = offset_ms;
        });
        shop.pass_ms(3 * 86_400_000);
        till.send_well(&[record]).await;
        codes.push(till.verdicts(1).await[0]["code"].clone());
    }
    assert_eq!(codes, ["check_in_counted", "member_code_wrong"].map(|code| json!(code)));
}

#[tokio::test]
async fn receipts_are_held_against_their_series_and_practice_counts_nowhere() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let total = Money::new(100, Currency::CNY);
    let mut records = vec![];
    for number in [1, 2, 2, 4] {
        records.push(till.write_with(Body::ReceiptIssued { total }, |header| header.receipt = Some(number)));
    }
    records.push(till.write_with(Body::ReceiptIssued { total }, |header| {
        header.receipt = Some(4);
        header.mode = crate::record::Mode::Training;
    }));
    till.send_well(&records).await;
    let verdicts = till.verdicts(2).await;
    let codes: Vec<_> = verdicts.iter().map(|verdict| (&verdict["code"], &verdict["seq"])).collect();
    assert_eq!(codes, [(&json!("receipt_twice"), &json!(3)), (&json!("receipt_gap"), &json!(4))]);
}

#[tokio::test]
async fn a_total_that_is_not_its_sum_is_refused_and_noted_records_are_not_answered() {
    let shop = Shop::open().await;
    let mut till = shop.till("till-1").await;
    let sale = SaleId([4; 16]);
    let place = crate::record::body::Place::Front;
    let mut records = vec![till.write_in(sale, Body::SaleOpened { sale_kind: SaleKind::Sale, place })];
    records.push(till.write_in(
        sale,
        Body::TotalFixed {
            lines: vec![],
            discounts: vec![],
            taxes: vec![],
            total: Money::new(1, Currency::CNY),
            bundle_version: 1,
            bundle_hash: crate::record::Hash::NONE,
            engine: 1,
        },
    ));
    till.send_well(&records).await;
    let verdict = till.verdicts(1).await.remove(0);
    assert_eq!((&verdict["code"], &verdict["sale"]), (&json!("sums_differ"), &json!(sale)));
    let number = verdict["number"].as_u64().unwrap();
    let noted = till.write(Body::Noted { verdict: serde_json::from_value(verdict).unwrap() });
    till.send_well(&[noted]).await;
    let answer = till.notices(number, 600).await;
    assert_eq!(answer["notices"], json!([]), "a note asks for no verdict of its own");
}
