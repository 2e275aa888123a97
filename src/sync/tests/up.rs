//! The journal on its way up.

use super::shop::{EPOCH, Shop, TILL_MS};
use super::stand_in::{CLOUD_MS, Fault, received};
use crate::inbox::LinkState;
use crate::journal::End;
use crate::record::Hash;
use crate::record::body::Body;
use crate::record::chain::Tip;
use crate::record::queue_act::{QueueAct, Subject};
use crate::record::witness::{Contradiction, ReceivedHead, contradiction};
use crate::token::KeySet;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const RECORDS: &str = "/records";
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_journal_comes_up_in_batches_and_goes_on_as_it_grows() {
    let mut shop = Shop::closed().await;
    shop.write(1200);
    shop.start();
    shop.until("all is there", |shop| shop.watermark() == 1200).await;
    assert_eq!(shop.cloud.at().batches, [500, 500, 200]);
    shop.write(3);
    shop.until("more is there", |shop| shop.link().received == 1203).await;
    assert_eq!(shop.cloud.held(), 1203);
    shop.stop().await;
}

#[tokio::test]
async fn after_a_lost_answer_what_arrived_is_asked_for_and_not_sent_again() {
    let mut shop = Shop::closed().await;
    shop.write(700);
    shop.cloud.strike(RECORDS, Fault::LoseAnswer);
    shop.start();
    shop.until("all is there", |shop| shop.watermark() == 700).await;
    assert_eq!(shop.cloud.at().batches, [500, 200]);
    assert_eq!(shop.cloud.held(), 700);
    shop.stop().await;
}

#[tokio::test]
async fn where_the_cloud_does_not_say_what_arrived_it_is_sent_again_and_a_replay_is_a_success() {
    let mut shop = Shop::closed().await;
    shop.write(700);
    shop.cloud.strike(RECORDS, Fault::LoseAnswer);
    let unknown = || Fault::Say(404, json!({ "type": "urn:till:problem:not_found" }), None);
    (0..4).for_each(|_| shop.cloud.strike("streams", unknown()));
    shop.start();
    shop.until("all is there", |shop| shop.watermark() == 700).await;
    assert_eq!(shop.cloud.at().batches, [500, 500, 200]);
    assert_eq!(shop.cloud.held(), 700);
    shop.stop().await;
}

#[tokio::test]
async fn a_cloud_that_lost_records_is_sent_them_again() {
    let mut shop = Shop::open().await;
    shop.write(40);
    shop.until("all is there", |shop| shop.watermark() == 40).await;
    shop.cloud.at().records.get_mut(&EPOCH).unwrap().truncate(10);
    shop.write(1);
    shop.until("all is there again", |shop| shop.watermark() == 41).await;
    assert_eq!(shop.cloud.held(), 41);
    shop.stop().await;
}

#[tokio::test]
async fn a_cloud_that_lost_records_which_the_till_keeps_no_longer_is_told_so_and_sent_nothing() {
    for (lost_to, is_said) in [(19, false), (18, true), (0, true)] {
        let mut shop = Shop::open().await;
        shop.write(40);
        shop.until("all is there", |shop| shop.watermark() == 40).await;
        let whole = shop.cloud.at().records[&EPOCH].clone();
        shop.prune(20);
        shop.cloud.at().records.get_mut(&EPOCH).unwrap().truncate(lost_to);
        shop.write(1);
        if is_said {
            let words = "cannot go on from record 20";
            shop.until("it is said", |shop| shop.link().trouble.is_some_and(|said| said.contains(words)))
                .await;
            assert_eq!(shop.cloud.held(), lost_to);
            // Head office is put back from a newer copy, and a person sends again.
            shop.cloud.at().records.insert(EPOCH, whole[..30].to_vec());
            shop.board.nudge.notify_one();
            shop.until("it went on", |shop| shop.watermark() == 41 && shop.link().trouble.is_none()).await;
        } else {
            shop.until("all is there again", |shop| shop.watermark() == 41).await;
            assert_eq!(shop.cloud.held(), 41);
        }
        shop.stop().await;
    }
}

#[tokio::test]
async fn a_till_that_forgot_what_was_received_goes_on_from_what_it_keeps() {
    let mut shop = Shop::open().await;
    shop.write(40);
    shop.until("all is there", |shop| shop.watermark() == 40).await;
    shop.stop().await;
    shop.prune(20);
    shop.edge.set_watermark(EPOCH, 0, Hash::NONE).unwrap();
    shop.write(1);
    shop.start();
    shop.until("all is there again", |shop| shop.watermark() == 41 && shop.link().trouble.is_none()).await;
    assert_eq!(shop.cloud.held(), 41);
    shop.stop().await;
}

#[tokio::test]
async fn a_fork_stops_the_upload_and_says_so_until_a_person_sends_again() {
    let mut shop = Shop::closed().await;
    shop.write(5);
    let fork = json!({ "type": "urn:till:problem:fork", "detail": "Record 3 is here already." });
    shop.cloud.strike(RECORDS, Fault::Say(409, fork, None));
    shop.start();
    shop.until("it is said", |shop| shop.link().trouble.is_some_and(|words| words.contains("Record 3")))
        .await;
    shop.write(1);
    // The poll goes on meanwhile; the records stay.
    shop.until("polls went on", |shop| {
        shop.cloud.at().calls.iter().filter(|call| call.contains("notices")).count() > 10
    })
    .await;
    assert_eq!(shop.cloud.held(), 0);
    shop.board.nudge.notify_one();
    shop.until("it went on", |shop| shop.watermark() == 6 && shop.link().trouble.is_none()).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_cloud_that_holds_more_than_the_till_is_an_alarm() {
    let mut shop = Shop::open().await;
    shop.write(3);
    shop.until("all is there", |shop| shop.watermark() == 3).await;
    let ahead = received(&shop.cloud.keys, EPOCH, Tip { seq: 9, head: Hash([9; 32]) });
    shop.cloud.strike(RECORDS, Fault::Say(200, ahead, None));
    shop.write(1);
    shop.until("it is said", |shop| shop.link().trouble.is_some_and(|words| words.contains("restored")))
        .await;
    assert_eq!(shop.watermark(), 3, "the watermark is never above what the till itself holds");
    let heads = shop.edge.received_heads(EPOCH).unwrap();
    assert_eq!(heads.last().unwrap().seq, 9, "the cloud's word is kept for the next start");
    shop.stop().await;
}

#[tokio::test]
async fn the_clouds_signature_is_kept_and_shows_a_tail_that_was_cut_off() {
    let mut shop = Shop::open().await;
    shop.write(40);
    shop.until("all is there", |shop| shop.watermark() == 40).await;
    shop.stop().await;
    let heads = shop.edge.received_heads(EPOCH).unwrap();
    let keys = shop.cloud.keys.key_set(1, 0, i64::MAX);
    let terminal = "till-1".parse().unwrap();
    let reader = shop.reader();
    let is_ours =
        |head: &ReceivedHead| reader.holds(End { epoch: EPOCH, tip: Tip { seq: head.seq, head: head.head } });
    assert_eq!(contradiction(40, &heads, is_ours).unwrap(), None);
    let cut = contradiction(39, &heads, is_ours).unwrap();
    assert_eq!(cut, Some(Contradiction::Cut { ends: 39, received: 40, at_ms: CLOUD_MS }));
    let changed = contradiction(41, &heads, |_| Ok::<_, ()>(false)).unwrap();
    assert!(matches!(changed, Some(Contradiction::Changed { at_ms: CLOUD_MS, .. })), "{changed:?}");
    let stranger = KeySet::new(1, 0, i64::MAX);
    assert!(heads.iter().all(|head| head.verify(&terminal, EPOCH, &keys).is_ok()));
    assert!(heads.iter().all(|head| head.verify(&terminal, EPOCH, &stranger).is_err()));
}

#[tokio::test]
async fn an_answer_that_the_cloud_did_not_sign_moves_nothing() {
    let mut shop = Shop::closed().await;
    shop.write(5);
    let tip = Tip { seq: 5, head: Hash([9; 32]) };
    let mut forged = received(&shop.cloud.keys, EPOCH, tip);
    forged["time_ms"] = (CLOUD_MS + 1).into();
    shop.cloud.strike(RECORDS, Fault::Say(200, forged, None));
    (shop.timing.retry_first, shop.timing.retry_most) = (HOUR, HOUR);
    shop.start();
    shop.until("it is said", |shop| shop.link().trouble.is_some_and(|words| words.contains("not signed")))
        .await;
    assert_eq!(shop.watermark(), 0);
    assert_eq!(shop.edge.attempts(EPOCH).unwrap()[0].tries, 1);
    shop.board.nudge.notify_one();
    shop.until("it was sent", |shop| shop.watermark() == 5).await;
    assert_eq!(shop.edge.attempts(EPOCH).unwrap(), []);
    shop.stop().await;
}

#[tokio::test]
async fn a_retry_after_is_waited_for_unless_a_person_sends_now() {
    let mut shop = Shop::closed().await;
    shop.write(5);
    let busy = json!({ "type": "urn:till:problem:unavailable", "detail": "Too many tills at once." });
    shop.cloud.strike(RECORDS, Fault::Say(503, busy, Some(600)));
    shop.start();
    // The screen says when, however often other questions are answered meanwhile.
    shop.until("it was asked to wait", waits_for_minutes).await;
    polled(&shop, 3).await;
    assert!(waits_for_minutes(&shop), "{:?}", shop.link());
    assert_eq!(shop.cloud.held(), 0);
    shop.board.nudge.notify_one();
    shop.until("it was sent", |shop| shop.watermark() == 5).await;
    shop.until("nothing is tried again", |shop| shop.link().next_try_ms.is_none()).await;
    shop.stop().await;
}

/// The cloud answers, and records are brought again in some minutes.
fn waits_for_minutes(shop: &Shop) -> bool {
    let link = shop.link();
    link.state == LinkState::Online && link.next_try_ms.is_some_and(|at| at > TILL_MS + 500_000)
}

/// Waits until so many more questions for notices were asked.
async fn polled(shop: &Shop, times: usize) {
    let polls = |shop: &Shop| shop.cloud.at().calls.iter().filter(|call| call.contains("notices")).count();
    let before = polls(shop);
    shop.until("other questions are answered", |shop| polls(shop) > before + times).await;
}

#[tokio::test]
async fn a_press_while_a_try_is_under_way_is_not_forgotten_when_it_fails() {
    let mut shop = Shop::closed().await;
    shop.timing.retry_most = HOUR;
    shop.write(5);
    let answer = Arc::new(Notify::new());
    let busy = json!({ "type": "urn:till:problem:unavailable", "detail": "Too many tills at once." });
    shop.cloud.strike(RECORDS, Fault::SayLater(503, busy, Some(3600), Arc::clone(&answer)));
    shop.start();
    shop.until("it is tried", |shop| shop.cloud.at().calls.iter().any(|call| call.contains(RECORDS))).await;
    shop.board.nudge.notify_one();
    answer.notify_one();
    shop.until("it was sent", |shop| shop.watermark() == 5).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_line_that_comes_back_wakes_the_upload_but_not_before_the_cloud_asked_for() {
    let mut shop = Shop::closed().await;
    shop.timing.retry_most = HOUR;
    shop.timing.retry_first = Duration::from_millis(200);
    shop.write(5);
    shop.cloud.strike(RECORDS, Fault::Say(502, json!({}), None));
    shop.cloud.strike("notices", Fault::Say(502, json!({}), None));
    shop.start();
    shop.until("it was sent", |shop| shop.watermark() == 5).await;
    shop.stop().await;
    // The cloud names an hour, and its other answers come back: nobody is quicker but a person.
    shop.write(1);
    shop.cloud.strike(RECORDS, Fault::Say(503, json!({}), Some(3600)));
    shop.cloud.strike("notices", Fault::Say(502, json!({}), None));
    shop.start();
    shop.until("the cloud named its time", waits_for_minutes).await;
    polled(&shop, 20).await;
    assert_eq!(shop.watermark(), 5);
    shop.board.nudge.notify_one();
    shop.until("it was sent", |shop| shop.watermark() == 6).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_side_of_a_fork_goes_on_as_a_branch_under_an_alarm() {
    let mut shop = Shop::closed().await;
    shop.write(5);
    let head = shop.tip().head;
    let fork = json!({
        "type": "fork", "detail": "till-1 sent record 3 twice.", "seq": 3,
        "branch": { "high": 5, "head": head },
        "witness": received(&shop.cloud.keys, EPOCH, Tip { seq: 9, head: Hash([9; 32]) }),
    });
    shop.cloud.strike(RECORDS, Fault::Say(409, fork, None));
    shop.start();
    shop.until("it is safe", |shop| shop.watermark() == 5).await;
    let alarm =
        |shop: &Shop| shop.link().trouble.is_some_and(|words| words.contains("Start this till again"));
    shop.until("it is said", alarm).await;
    assert_eq!(shop.edge.received_heads(EPOCH).unwrap().last().unwrap().seq, 9, "for the next start");
    shop.until("polls went on", |shop| shop.cloud.at().calls.len() > 40).await;
    assert!(alarm(&shop), "it stands");
    shop.stop().await;
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved() {
    let mut shop = Shop::closed().await;
    shop.write(500);
    for _ in 0..2 {
        let large = json!({ "type": "too_large", "detail": "Send fewer.", "limit_records": 100 });
        shop.cloud.strike(RECORDS, Fault::Say(413, large, None));
    }
    shop.start();
    shop.until("all is there", |shop| shop.watermark() == 500).await;
    assert_eq!(shop.cloud.at().batches, [125, 125, 125, 125]);
    shop.stop().await;
}

#[tokio::test]
async fn the_link_says_where_it_stands_and_the_clouds_time() {
    let mut shop = Shop::closed().await;
    shop.write(2);
    shop.cloud.at().paired = false;
    shop.start();
    shop.until("it is pairing", |shop| shop.link().state == LinkState::Pairing).await;
    shop.until("it was asked", |shop| shop.cloud.at().calls.len() > 5).await;
    assert_eq!(shop.link().fingerprint, Some(shop.key.fingerprint()));
    assert_eq!(shop.cloud.held(), 0);
    shop.cloud.at().paired = true;
    shop.until("it is online", |shop| shop.link().state == LinkState::Online && shop.watermark() == 2).await;
    let link = shop.link();
    assert_eq!((link.cloud_offset_ms, link.heard_ms), (Some(3_600_000), Some(TILL_MS)));
    assert_eq!((link.fingerprint, link.trouble), (None, None));
    // Paired once is paired.
    shop.stop().await;
    shop.cloud.at().calls.clear();
    shop.start();
    shop.write(1);
    shop.until("it is online", |shop| shop.watermark() == 3).await;
    assert!(!shop.cloud.at().calls.iter().any(|call| call.contains("pairings")));
    shop.stop().await;
}

#[tokio::test]
async fn a_till_with_a_wrong_clock_learns_the_time_from_a_refusal() {
    let mut shop = Shop::closed().await;
    shop.write(2);
    shop.cloud.at().window_s = 300;
    shop.start();
    shop.until("it is there", |shop| shop.watermark() == 2).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_silent_cloud_is_shown_as_offline_with_the_next_try() {
    let mut shop = Shop::open().await;
    shop.until("it is online", |shop| shop.link().state == LinkState::Online).await;
    for _ in 0..40 {
        shop.cloud.strike("notices", Fault::LoseAnswer);
    }
    shop.until("it is offline", |shop| {
        let link = shop.link();
        link.state == LinkState::Offline && link.trouble.is_some() && link.next_try_ms.is_some()
    })
    .await;
    shop.until("it is online again", |shop| shop.link().state == LinkState::Online).await;
    assert_eq!(shop.link().trouble, None);
    shop.stop().await;
}

#[tokio::test]
async fn a_hold_that_is_made_during_a_long_upload_goes_with_its_record() {
    let mut shop = Shop::closed().await;
    shop.write(1_200);
    let go_on = Arc::new(tokio::sync::Notify::new());
    shop.cloud.strike("/records", Fault::Wait(Arc::clone(&go_on)));
    shop.start();
    shop.until("the first batch is there", |shop| shop.cloud.held() == 500).await;
    let subject = Some(Subject { epoch: EPOCH, seq: 1_100 });
    let words = "Ask the customer first.".to_owned();
    shop.write_as(Body::QueueActed { subject, act: QueueAct::Hold, words });
    go_on.notify_one();
    shop.until("everything is there", |shop| shop.cloud.held() == 1_201).await;
    let held: Vec<_> = shop.cloud.at().held.iter().filter(|held| held.is_array()).cloned().collect();
    assert_eq!(held, [json!([1_100])], "{:?}", shop.cloud.at().batches);
    shop.stop().await;
}

#[tokio::test]
async fn a_till_that_has_lost_what_the_cloud_signed_asks_for_it_and_finds_that_its_tail_was_cut() {
    let mut shop = Shop::open().await;
    shop.write(9);
    shop.until("all is there", |shop| shop.watermark() == 9).await;
    shop.stop().await;
    let signed = shop.edge.received_heads(EPOCH).unwrap();
    // The disk lost the end of the journal, and the edge store was begun anew with an older watermark.
    shop.cut(4);
    shop.start();
    shop.until("it is said", |shop| {
        shop.link().trouble.is_some_and(|words| words.contains("holds record 9"))
    })
    .await;
    assert_eq!(shop.cloud.at().batches.len(), 1, "nothing had to be sent for that");
    assert_eq!(
        shop.edge.received_heads(EPOCH).unwrap().last(),
        signed.last(),
        "the next start finds it as well"
    );
    shop.stop().await;
}

#[tokio::test]
async fn a_till_that_has_lost_how_far_the_cloud_is_does_not_send_it_all_again() {
    let mut shop = Shop::open().await;
    shop.write(40);
    shop.until("all is there", |shop| shop.watermark() == 40).await;
    shop.stop().await;
    shop.lose_edge();
    assert_eq!(shop.watermark(), 0);
    shop.start();
    shop.until("it is known again", |shop| shop.watermark() == 40).await;
    assert_eq!(shop.edge.received_heads(EPOCH).unwrap().len(), 1, "and signed");
    assert_eq!(shop.cloud.at().batches, [40]);
    shop.write(1);
    shop.until("it goes on", |shop| shop.watermark() == 41).await;
    assert_eq!(shop.cloud.at().batches, [40, 1]);
    shop.stop().await;
}
