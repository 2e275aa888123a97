//! A cloud that is put back to an earlier day, which some of a till's books have not seen.

use super::outage::{OPENED_BEFORE, well};
use super::till::SimTill;
use super::{Counts, HEALED, Host, MOMENT, judge, quick_dir};
use crate::journal::Reader;
use crate::record::Epoch;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// More lives of the books than a cloud that does not say whether it told of all told of.
const LIVES: usize = 9;

/// Lives that the cloud tells of beside its notices.
const LIVES_TOLD: usize = 64;

async fn level(till: &mut SimTill) {
    sleep(Duration::from_secs(20)).await;
    assert_eq!(till.left(), None, "all is well");
}

/// Does something to the cloud's files while it has no power.
async fn without_power(host: &Arc<Mutex<Host>>, repair: impl FnOnce()) {
    {
        let mut host = host.lock().unwrap();
        host.repair = true;
        host.cut_power();
    }
    sleep(MOMENT).await;
    repair();
    Host::power_up(host).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

/// Until the till has heard that nothing of these books is left.
async fn heard_that_it_is_gone(till: &SimTill, epoch: Epoch) {
    let back = Instant::now();
    while till.edge.watermark(epoch).unwrap().seq > 0 {
        assert!(back.elapsed() < HEALED, "the till never heard that {epoch} is gone");
        sleep(MOMENT).await;
    }
}

/// All is brought and ruled on again.
async fn all_is_there(host: &Mutex<Host>, till: &mut SimTill) {
    let back = Instant::now();
    while let Some(left) = till.left() {
        assert!(back.elapsed() < HEALED, "{left}");
        sleep(MOMENT).await;
    }
    till.stop().await;
    host.lock().unwrap().cut_power();
    sleep(MOMENT).await;
    judge::judge(&host.lock().unwrap().dir, std::slice::from_ref(till), &mut Counts::new());
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_has_lost_a_tills_books_has_not_ruled_on_them_either() {
    let dir = quick_dir();
    let (host, mut till) = well(dir.path()).await;
    till.sell(40);
    level(&mut till).await;
    let epoch = Reader::open(&till.dir).unwrap().epochs().unwrap()[0].epoch;
    assert_eq!((till.edge.watermark(epoch).unwrap().seq, till.edge.ruled(epoch).unwrap()), (41, 41));
    let store = dir.path().join("cloud/cloud.db");
    without_power(&host, || copy(&OPENED_BEFORE.join("cloud/cloud.db"), &store)).await;
    heard_that_it_is_gone(&till, epoch).await;
    assert_eq!(till.edge.ruled(epoch).unwrap(), 0, "nobody has ruled on what is not there");
    all_is_there(&host, &mut till).await;
}

#[tokio::test(start_paused = true)]
async fn books_that_a_cloud_has_lost_are_brought_again_however_often_a_till_began_anew() {
    brought_again_after(LIVES).await;
}

#[tokio::test(start_paused = true)]
async fn books_that_a_cloud_has_lost_are_brought_again_by_a_till_of_more_lives_than_one_answer_tells() {
    brought_again_after(LIVES_TOLD + 6).await;
}

async fn brought_again_after(count: usize) {
    let dir = quick_dir();
    let (host, mut till) = well(dir.path()).await;
    for _ in 1..count {
        till.begin_epoch();
        till.sell(2);
        level(&mut till).await;
    }
    let (store, backup) = (dir.path().join("cloud/cloud.db"), dir.path().join("backup.db"));
    without_power(&host, || copy(&store, &backup)).await;
    till.begin_epoch();
    till.sell(5);
    till.begin_epoch();
    level(&mut till).await;
    without_power(&host, || copy(&backup, &store)).await;
    let lives = Reader::open(&till.dir).unwrap().epochs().unwrap();
    assert_eq!(lives.len(), count + 2);
    heard_that_it_is_gone(&till, lives[count].epoch).await;
    all_is_there(&host, &mut till).await;
}
